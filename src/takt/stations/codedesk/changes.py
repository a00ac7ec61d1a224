"""What was changed in a tree, by the tree itself: git, which an agent can set up as it likes, is not asked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from takt.stations.codedesk.trees import File, Tree

GIT = ".git"
LARGEST = 1 << 20  # bytes of a file whose former content is kept; of others there is a digest
MOST_KEPT = 4 << 20  # bytes of all of them
MOST_OF_FILE, MOST_SHOWN = 12_000, 48_000  # characters of a diff: of one file, and of all
LEAST_SHOWN = 600  # of a file, if any
MOST_WORK = 1 << 20  # steps of comparing lines, in all: what is beyond is shown as replaced
CONTEXT = 3
CACHES = re.compile(
    r"""(^|/)(
        __pycache__ | \.(pytest|mypy|ruff|pytype|hypothesis|numba|cython)(_cache)? | \.pyre | \.tox | \.nox | \.eggs
        | [^/]+\.egg-info | htmlcov | \.ipynb_checkpoints | \.benchmarks | \.testmondata[^/]* | \.coverage(\.[^/]+)?
        | coverage\.(xml|json|lcov) | \.DS_Store | [^/]+\.py[co]
    )(/|$)""",
    re.VERBOSE,
)


def generated(path: str) -> bool:
    """Whether this is what tests, type checkers and installers leave behind: no work on a ticket."""
    return CACHES.search(path) is not None


def in_git(path: str) -> bool:
    return path.split("/", 1)[0] == GIT


def mark_of(worktree: Tree) -> str:
    """A word for a tree, without git's part and what is generated: another one for another tree."""
    digest = hashlib.sha256()
    for path, (kind, content) in sorted(worktree.items()):
        if kind != "d" and not generated(path) and not in_git(path):
            name = path.encode()
            digest.update(b"%s %d %d " % (kind.encode(), len(name), len(content)) + name + content)
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Was:
    """A file as it was: its content, or where that is too much, its size and digest. No kind: there was none."""

    kind: str = ""
    content: bytes | None = None
    size: int = 0
    digest: str = ""

    @classmethod
    def of(cls, file: File | None, kept: bool) -> Was:
        if file is None or file[0] == "d":
            return cls()
        if kept:
            return cls(file[0], file[1], len(file[1]))
        return cls(file[0], None, len(file[1]), hashlib.sha256(file[1]).hexdigest())

    def same(self, other: Was) -> bool:
        """Whether it is still so; `other` has its content."""
        if self.content is not None or not self.kind:
            return (self.kind, self.content) == (other.kind, other.content)
        digest = hashlib.sha256(other.content or b"").hexdigest()
        return (self.kind, self.size, self.digest) == (other.kind, other.size, digest)


@dataclass
class Before:
    """The files that were changed since this began, as they were then."""

    files: dict[str, Was] = field(default_factory=dict)
    size: int = 0

    def note(self, path: str, there: File | None) -> None:
        """A path is about to be changed."""
        if path in self.files or in_git(path):
            return
        size = 0 if there is None else len(there[1])
        kept = size <= LARGEST and self.size + size <= MOST_KEPT
        self.files[path] = Was.of(there, kept)
        self.size += size if kept else 0

    def gone(self, path: str) -> None:
        """There is no such file any more. If there was none before, nothing has changed."""
        if path in self.files and not self.files[path].kind:
            del self.files[path]

    def begin(self) -> None:
        self.files, self.size = {}, 0

    @property
    def whole(self) -> bool:
        """Whether `tree` gives all as it was."""
        return not any(was.kind and was.content is None for was in self.files.values())

    def tree(self, tree: Tree) -> dict[str, File]:
        """A tree of today as it was then; what was too large to be kept is as it is."""
        then = dict(tree)
        for path, was in self.files.items():
            if not was.kind:
                then.pop(path, None)
            elif was.content is not None:
                then[path] = (was.kind, was.content)
        return then

    def state(self) -> list[list[Any]]:
        return [[path, was.kind, was.content, was.size, was.digest] for path, was in sorted(self.files.items())]

    def restore(self, rows: list[list[Any]]) -> None:
        self.files = {path: Was(*row) for path, *row in rows}
        self.size = sum(was.size for was in self.files.values() if was.content is not None)

    def diff(self, tree: Tree) -> str:
        """What is other now, file by file as `diff -u` has it; every changed file is named, however much there is, and
        none takes another's place: files that were there before come first, what is generated last, by its name alone
        where it is no code."""
        rows = [(path, was, Was.of(tree.get(path), True)) for path, was in self.files.items()]
        rows = [(path, was, now) for path, was, now in rows if not was.same(now)]
        rows.sort(key=lambda row: (aside(row[0]), not row[1].kind, row[0]))
        work, texts, bare = [MOST_WORK], dict[str, str](), list[str]()
        for path, was, now in rows:
            if generated(path) and (not path.endswith(".py") or _lines(was) is None or _lines(now) is None):
                bare.append(path)
            else:
                text = "".join(f"{line}\n" for line in _differences(path, was, now, work))
                texts[path] = _cut(text, MOST_OF_FILE)
        shown = shares({path: len(text) for path, text in list(texts.items())[: MOST_SHOWN // LEAST_SHOWN]})
        parts = [_cut(texts[path], most) for path, most in shown.items()]
        left = [path for path in texts if path not in shown]
        for many, what in ((bare, "generated"), (left, "changed as well, too much to show")):
            if many:
                more = f" and {len(many) - 20} more" if len(many) > 20 else ""
                parts.append(f"[{what}: {', '.join(map(named, many[:20]))}{more}]\n")
        return "".join(parts)


def aside(path: str) -> bool:
    """Whether a file is beside the work: generated, or of a repository within the repository."""
    return generated(path) or f"/{GIT}/" in path


def shares(lengths: Mapping[str, int]) -> dict[str, int]:
    """How many characters of each may be shown: of short ones all, and of the others as much as is left, alike."""
    given, room = dict(lengths), MOST_SHOWN
    for count, path in enumerate(sorted(lengths, key=lambda path: lengths[path])):
        given[path] = min(lengths[path], MOST_OF_FILE, room // (len(lengths) - count))
        room -= given[path]
    return given


def named(path: str) -> str:
    """A path as it can stand in a line."""
    return path if path.isprintable() and '"' not in path and not path[:1].isspace() else json.dumps(path)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n[... {len(text) - most // 2 * 2} characters not shown ...]\n{text[-(most // 2) :]}"


def _differences(path: str, was: Was, now: Was, work: list[int]) -> Iterator[str]:
    """Lines that say what became of a file. `work` is what may still be compared."""
    yield f"--- {'a/' + named(path) if was.kind else '/dev/null'}"
    yield f"+++ {'b/' + named(path) if now.kind else '/dev/null'}"
    if was.kind and now.kind and was.kind != now.kind:
        yield f"[{_kind(was)} became {_kind(now)}]"
    elif "l" in (was.kind, now.kind):
        yield "[a link]"
    old, new = _lines(was), _lines(now)
    if old is None or new is None:
        yield f"[no text, or too large: {was.size:,} bytes, and {now.size:,} now]"
        return
    yield from hunks(old, new, work)


def hunks(old: list[str], new: list[str], work: list[int]) -> Iterator[str]:
    """The hunks of `diff -u`; where `work` does not suffice to compare, one in which all is replaced."""
    common = matches(old, new, work)
    if common is None:
        yield f"@@ -1,{len(old)} +1,{len(new)} @@"
        for sign, lines in (("-", old), ("+", new)):
            cut = len(lines) > MOST_OF_FILE
            yield from (f"{sign}{line}" for line in (lines[: MOST_OF_FILE // 2] if cut else lines))
            yield from (f"{sign}{line}" for line in (lines[-(MOST_OF_FILE // 2) :] if cut else ()))
        return
    gaps, i, j = list[tuple[int, int, int, int]](), 0, 0
    for x, y, length in [*common, (len(old), len(new), 0)]:
        if x > i or y > j:
            gaps.append((i, x, j, y))
        i, j = x + length, y + length
    while gaps:
        many = 1
        while many < len(gaps) and gaps[many][0] - gaps[many - 1][1] <= 2 * CONTEXT:
            many += 1
        group, gaps = gaps[:many], gaps[many:]
        i = max(0, group[0][0] - CONTEXT)
        j = group[0][2] - (group[0][0] - i)
        end = min(len(old), group[-1][1] + CONTEXT)
        lines = list[str]()
        at = i
        for x, to, y, until in group:
            lines += [f" {line}" for line in old[at:x]]
            lines += [f"-{line}" for line in old[x:to]]
            lines += [f"+{line}" for line in new[y:until]]
            at = to
        lines += [f" {line}" for line in old[at:end]]
        many_new = group[-1][3] + end - group[-1][1] - j
        yield f"@@ -{i + (end > i)},{end - i} +{j + (many_new > 0)},{many_new} @@"
        yield from lines


def matches(old: list[str], new: list[str], work: list[int]) -> list[tuple[int, int, int]] | None:
    """Runs of lines that are the same in both, as (place in old, place in new, how many), so that the fewest others are
    left; None where that takes more than `work` steps, which are taken from it."""
    least, first, ends = min(len(old), len(new)), 0, 0
    while first < least and old[first] == new[first]:
        first += 1
    while ends < least - first and old[-1 - ends] == new[-1 - ends]:
        ends += 1
    between = _compared(old[first : len(old) - ends], new[first : len(new) - ends], work)
    if between is None:
        return None
    runs = [(i + first, j + first, length) for i, j, length in between]
    return [(0, 0, first), *runs, (len(old) - ends, len(new) - ends, ends)]


def _compared(old: list[str], new: list[str], work: list[int]) -> list[tuple[int, int, int]] | None:
    """`matches`, where neither their beginning nor their end is the same.

    The greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986): its
    time is bounded by the number of differences, whoever wrote the lines.
    """
    if not old or not new:
        return []
    furthest = {1: 0}
    passed: list[dict[int, int]] = []
    for cost in range(len(old) + len(new) + 1):
        work[0] -= cost + 1
        if work[0] < 0:
            return None
        passed.append(dict(furthest))
        for k in range(-cost, cost + 1, 2):
            down = k == -cost or (k != cost and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            began = x
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            work[0] -= (x - began) // 8
            furthest[k] = x
            if x >= len(old) and x - k >= len(new):
                return _back(passed, x, k)
    return None


def _back(passed: list[dict[int, int]], x: int, k: int) -> list[tuple[int, int, int]]:
    """The way to where (x, x - k) was reached, as its diagonal runs."""
    runs: list[tuple[int, int, int]] = []
    for cost in range(len(passed) - 1, -1, -1):
        before = passed[cost]
        down = k == -cost or (k != cost and before[k - 1] < before[k + 1])
        came = before[k + 1] if down else before[k - 1] + 1
        if x > came:
            runs.append((came, came - k, x - came))
        k = k + 1 if down else k - 1
        x = before[k]
    return runs[::-1]


def _kind(was: Was) -> str:
    return "a link" if was.kind == "l" else f"a file of mode {was.kind[1:]}"


def _lines(was: Was) -> list[str] | None:
    """A file's lines; None if it is no text, or was too large to be kept."""
    if not was.kind:
        return []
    if was.content is None or b"\0" in was.content or len(was.content) > LARGEST:
        return None
    try:
        *lines, last = was.content.decode().split("\n")
    except UnicodeDecodeError:
        return None
    return lines if not last else [*lines, f"{last}\n\\ No newline at end of file"]
