"""The desk's tools (`takt.contract.tools` has the protocol): what an agent can do to the repository and its tickets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Annotated, Any

from pydantic import Field

from takt.contract.tools import Refused, Tool, Toolbox
from takt.stations.codedesk.changes import in_git
from takt.stations.codedesk.desk import Desk
from takt.stations.codedesk.repository import GIT_COMMAND, PLAIN
from takt.stations.codedesk.tickets import safe
from takt.stations.codedesk.trees import DEEPEST, LONGEST_NAME, LONGEST_PATH, File, fits

PRIVILEGED = "privileged"  # tools of those who know the solutions
SESSION = "session"  # of a worker that is an agent which lives through the shift
MOST_LINES, MOST_CHARS = 400, 16_000  # of a file, in one answer
MOST_FOUND = 100
LONGEST_SEARCHED = 1 << 20  # bytes of a file
LONGEST_ROW = 300  # characters of a line that was found

PATHS = f"a path has at most {LONGEST_PATH} bytes, {DEEPEST} parts, and {LONGEST_NAME} bytes between two slashes"

Path_ = Annotated[str, Field(description="A path from the repository's root, as src/a.py.")]
Number = Annotated[int, Field(ge=0, description="The ticket's number.")]
Row = Annotated[int, Field(ge=1, description="The first line, from 1.")]
Lines = Annotated[int, Field(ge=1, le=MOST_LINES, description="Lines at most.")]

GIT = " ".join(GIT_COMMAND)
DIFF = f'{GIT} status --short -- "$1"; {GIT} diff --no-ext-diff --no-textconv HEAD -- "$1"'

TOOLS = Toolbox()
_tool = TOOLS.tool


def call(desk: Desk, text: str) -> dict[str, Any]:
    """Do one call. The answer has `tool`, and `error` if it was refused."""

    def ready(tool: Tool) -> None:
        if desk.busy and tool.name != "wait":
            raise Refused("busy", f"the last command is still running, for {desk.busy} s; wait")

    return TOOLS.call(desk, text, allowed(desk.privileged, desk.terms.session), ready)


def allowed(privileged: bool, session: bool) -> tuple[str, ...]:
    """What tools there are beside the usual ones."""
    return (PRIVILEGED,) * privileged + (SESSION,) * session


# --- looking ----------------------------------------------------------------------------------------------------------


@_tool()
def ticket(desk: Desk, ticket: Number) -> dict[str, Any]:
    """One ticket that is due: its text, and how much time is left for it."""
    return desk.shown(ticket)


def list_files(
    desk: Desk,
    folder: Annotated[str, Field(description="Only below this folder; empty for all.")] = "",
    pattern: Annotated[str, Field(description="Only names like this, as *.py; empty for all.")] = "",
) -> dict[str, Any]:
    """Files of the repository, with their sizes in bytes."""
    below = posixpath.normpath(folder.strip("/") or ".")
    if below.split("/")[0] == "..":
        raise Refused("no_such_path", f"{folder[:100]!r} is no folder of the repository; give one from its root")
    found = [
        {"path": path, "bytes": len(file[1])}
        | ({"link_to": file[1].decode(errors="replace")} if file[0] == "l" else {})
        for path, file in sorted(desk.repository.worktree().items())
        if (below == "." or path.startswith(f"{below}/")) and _like(path, pattern)
    ]
    return {"files": found[:500], "more": max(0, len(found) - 500)}


list_files.__name__ = "list"  # which is Python's own word
_tool()(list_files)


@_tool()
def search(
    desk: Desk,
    text: Annotated[str, Field(min_length=1, max_length=200, description="The text to find, as it stands.")],
    pattern: Annotated[str, Field(description="Only in files like this, as *.py; empty for all.")] = "",
) -> dict[str, Any]:
    """Lines of the repository's files that have a text."""
    found: list[dict[str, Any]] = []
    total, large = 0, list[str]()
    for path, (kind, content) in sorted(desk.repository.worktree().items()):
        if kind == "l" or not _like(path, pattern) or text.encode() not in content:
            continue
        if len(content) > LONGEST_SEARCHED:
            large.append(path)
            continue
        for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
            if (at := line.find(text)) < 0:
                continue
            total += 1
            if len(found) < MOST_FOUND:
                first = max(0, min(at - LONGEST_ROW // 3, len(line) - LONGEST_ROW))
                row = {"path": path, "line": number, "text": line[first : first + LONGEST_ROW]}
                found.append(row | ({"cut": True} if len(line) > LONGEST_ROW else {}))
    return {"found": found, "more": total - len(found)} | ({"too_large_to_search": large[:20]} if large else {})


@_tool()
def read(desk: Desk, path: Path_, first: Row = 1, lines: Lines = MOST_LINES) -> dict[str, Any]:
    """Lines of a file. `next` is the line to go on from, or null."""
    path = inside(path)
    text = text_of(desk, path)
    rows = text.count("\n") + (not text.endswith("\n") and text != "")
    part: list[str] = []
    size, cut, at = 0, "", 0
    for number in range(1, min(rows, first - 1 + lines) + 1):
        end = text.find("\n", at) + 1 or len(text)
        if number >= first:
            size += end - at
            if size > MOST_CHARS and part:
                break
            if end - at > MOST_CHARS:
                cut = f"line {number} has {end - at:,} characters, of which {MOST_CHARS:,} are shown"
            part.append(text[at : min(end, at + MOST_CHARS)])
        at = end
    after = first + len(part)
    told = {"path": path, "text": "".join(part), "lines": rows, "next": after if after <= rows else None}
    return told | ({"cut": cut} if cut else {})


@_tool()
def diff(
    desk: Desk, path: Annotated[str, Field(description="Only this file or folder; empty for all.")] = ""
) -> dict[str, Any]:
    """What has changed in the tree since the last commit: `git status` and `git diff`."""
    return desk.command("diff", path, "sh", "-c", DIFF, "sh", inside(path) if path else ".")


@_tool()
def log(desk: Desk, commits: Annotated[int, Field(ge=1, le=50, description="Commits at most.")] = 10) -> dict[str, Any]:
    """The last commits, as `git log --stat`."""
    return desk.command("log", "", *GIT_COMMAND, "log", "--stat", "--no-ext-diff", "--no-textconv", f"-{commits}")


# --- changing ---------------------------------------------------------------------------------------------------------


@_tool(changes=True)
def edit(
    desk: Desk,
    path: Path_,
    old: Annotated[str, Field(min_length=1, description="The text to replace, exactly as it stands; there once only.")],
    new: Annotated[str, Field(description="What is to stand there.")],
) -> dict[str, Any]:
    """Replace a piece of a file."""
    path = inside(path)
    text = text_of(desk, path)
    times = text.count(old)
    if times != 1:
        raise Refused("not_once", f"`old` is there {times} times in {path}; give so much that it is there once")
    _change(desk, {path: (desk.repository.tree[path][0], text.replace(old, new, 1).encode())})
    return {"path": path, "line": text[: text.index(old)].count("\n") + 1}


@_tool(changes=True)
def write(
    desk: Desk,
    path: Path_,
    text: Annotated[str, Field(description="The whole text of the file.")],
    append: Annotated[bool, Field(description="Put it at the end of the file that is there, for long ones.")] = False,
) -> dict[str, Any]:
    """Write a file, in place of the one that is there, or a new one."""
    path = inside(path)
    there = desk.repository.tree.get(path)
    if there is not None and there[0] == "d":
        raise Refused("a_folder", f"{path} is a folder")
    if any(desk.repository.tree.get(above, ("d",))[0] != "d" for above in _above(path)):
        raise Refused("not_a_folder", f"a part of {path} is a file or a link, not a folder")
    content = (there[1] if there and append and there[0] != "l" else b"") + text.encode()
    if len(content) > LONGEST_SEARCHED:
        raise Refused("too_long", f"a file of {len(content):,} bytes; {LONGEST_SEARCHED:,} are the most to write here")
    _change(desk, {path: (there[0] if there and there[0] != "l" else PLAIN, content)})
    return {"path": path, "bytes": len(content)}


@_tool(changes=True)
def move(desk: Desk, path: Path_, to: Path_) -> dict[str, Any]:
    """Move or rename a file or a folder."""
    path, to = inside(path), inside(to)
    tree = desk.repository.tree
    if path not in tree:
        raise Refused("no_such_file", f"there is no {path}")
    if to in tree or any(tree.get(above, ("d",))[0] != "d" for above in _above(to)) or to.startswith(f"{path}/"):
        raise Refused("not_free", f"{to} is there already, or is no place for it")
    moved = [one for one in tree if one == path or one.startswith(f"{path}/")]
    new = {to + one[len(path) :]: tree[one] for one in moved}
    if any(not fits(one) for one in new):
        raise Refused("not_free", f"in {to}, paths would be too long or too deep: {PATHS}")
    desk.change({path: None, **new})
    return {"path": to, "files": sum(file[0] != "d" for file in new.values())}


@_tool(changes=True)
def delete(desk: Desk, path: Path_) -> dict[str, Any]:
    """Delete a file, or a folder with all that is in it."""
    path = inside(path)
    if path not in desk.repository.tree:
        raise Refused("no_such_file", f"there is no {path}")
    desk.change({path: None})
    return {"path": path}


@_tool(changes=True)
def run(
    desk: Desk,
    command: Annotated[
        str, Field(min_length=1, max_length=16_000, description="A line for the shell, as python3 -m pytest -q.")
    ],
    timeout_s: Annotated[int, Field(ge=10, le=86_400, description="Seconds after which it is ended.")] = 120,
) -> dict[str, Any]:
    """Run a command at the repository's root, in a sandbox without network. It takes the time that it takes. What it
    leaves running is ended, and of its output the beginning and the end are kept."""
    return desk.command("run", command, "sh", "-c", command, timeout_s=float(timeout_s))


@_tool(changes=True, only=SESSION)
def hand(
    desk: Desk,
    ticket: Number,
    command: Annotated[
        str, Field(min_length=1, max_length=8000, description="The line for the shell that starts the agent.")
    ],
    line: Annotated[str, Field(min_length=1, max_length=16_000, description="What it reads: a JSON object, one line.")],
    timeout_s: Annotated[int, Field(ge=10, le=86_400, description="Seconds after which its turn is over.")] = 120,
) -> dict[str, Any]:
    """Give a ticket to the agent that lives through the shift, and wait until it says that it is done with it."""
    return desk.hand(ticket, command, line, float(timeout_s))


@_tool(changes=True)
def submit(desk: Desk, ticket: Number) -> dict[str, Any]:
    """Say that a ticket is done: the tree as it is now is committed and inspected. There is one submission a ticket."""
    return desk.submit(ticket)


@_tool(changes=True)
def help(
    desk: Desk, ticket: Number, why: Annotated[str, Field(min_length=1, max_length=500, description="Why.")]
) -> dict[str, Any]:
    """Hand a ticket over to a person. It counts as bad."""
    return desk.help(ticket, why)


@_tool()
def wait(desk: Desk) -> dict[str, Any]:
    """Do nothing for a moment."""
    return {}


# --- for those who know the solutions ---------------------------------------------------------------------------------


@_tool(changes=True, only=PRIVILEGED)
def solve(
    desk: Desk,
    ticket: Number,
    mutant: Annotated[int, Field(ge=-1, description="Which of its mutants instead; -1 for the solution itself.")] = -1,
) -> dict[str, Any]:
    """Put the known solution of a ticket into the tree, or one with a defect."""
    return desk.solve(ticket, mutant)


def inside(path: str) -> str:
    """The path, if it is one of the tree."""
    if path and not path.startswith("/") and ".." not in path.split("/"):
        path = posixpath.normpath(path)
    try:
        safe(path)
        path.encode()
    except ValueError:
        raise Refused("no_such_path", f"{path[:100]!r} is no path of the repository; give one from its root") from None
    if not fits(path):
        raise Refused("no_such_path", PATHS)
    if in_git(path):
        raise Refused("no_such_path", "git's own folder is not for this; use `run` with git")
    return path


def _like(path: str, pattern: str) -> bool:
    return not pattern or fnmatch(path, pattern) or fnmatch(path.rsplit("/", 1)[-1], pattern)


def _change(desk: Desk, files: Mapping[str, File | None]) -> None:
    """Write files; Refused where the tree would be larger than it may be."""
    if why := desk.repository.too_large(files):
        raise Refused("too_large", why)
    desk.change(files)


def text_of(desk: Desk, path: str) -> str:
    """The text of what lies at a path of the tree (`inside`); Refused if it is none."""
    kind, content = desk.repository.tree.get(path, ("", b""))
    if kind == "d":
        raise Refused("a_folder", f"{path} is a folder")
    if kind == "l":
        raise Refused("a_link", f"{path} is a link to {content.decode(errors='replace')!r}")
    if not kind:
        raise Refused("no_such_file", f"there is no file {path}")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refused("not_text", f"{path} has {len(content):,} bytes that are no text") from None


def _above(path: str) -> list[str]:
    return [path[: match.start()] for match in re.finditer("/", path)]
