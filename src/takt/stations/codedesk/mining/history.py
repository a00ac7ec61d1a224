"""A repository's history, read by git in a sandbox: nothing of a stranger's repository is run on this machine.

The folder of git's objects is shown in the sandbox, read-only. Hooks, file-system monitors and pagers are turned off as
well, but what a configuration could start would start in there, without network, and reach nothing.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import TracebackType

from takt.errors import TaktError
from takt.printable import printable
from takt.stations.codedesk.bubblewrap import WORK
from takt.stations.codedesk.mining.litter import is_litter
from takt.stations.codedesk.sandbox import Limits, Room, Sandbox
from takt.stations.codedesk.trees import Link, Program, ProgramBytes

HASH = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")
LARGEST_BLOB = 4 << 20  # bytes; larger files are left out of a tree
FIRST_SECOND = 100_000_001  # smaller numbers are no seconds to git
CHUNK_BYTES = 24 << 20  # of one answer
FILE_MODES, LINK = ("100644", "100755"), "120000"


@dataclass(frozen=True)
class Commit:
    """A commit of the main line. `tree` is path -> (mode, blob)."""

    name: str
    parent: str | None
    message: str
    tree: Mapping[str, tuple[str, str]]
    parents: int = 1

    @property
    def subject(self) -> str:
        """The message's first line."""
        return next((line.strip() for line in self.message.splitlines() if line.strip()), "(no message)")


class History:
    """The history of one repository, as long as it is open; of one folder in it (`root`), as if that were all."""

    def __init__(self, repository: Path, root: str = "") -> None:
        self.folder, self.root = git_folder(repository), root_of(root)
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        if self.folder.is_relative_to(WORK):  # where the sandbox has its own tree: a copy of what git needs, elsewhere
            self._copy = tempfile.TemporaryDirectory(prefix="takt-mine-")
            copied = Path(self._copy.name, "repository")
            shutil.copytree(self.folder, copied, ignore=shutil.ignore_patterns("hooks", "logs", "*.lock"))
            Path(self._copy.name).chmod(0o755)
            self.folder = copied
        limits = Limits(wall_s=300.0, memory_mb=2048, output_kb=64 << 10, disk_mb=64)
        self._room: Room = Sandbox(programs=(str(self.folder),), limits=limits).open()
        self._blobs: dict[str, bytes] = {}
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._room.close()
        if self._copy is not None:
            self._copy.cleanup()

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git says. TaktError, in one line, where it fails."""
        argv = [
            "git",
            "--git-dir",
            str(self.folder),
            "-c",
            "safe.directory=*",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.pager=cat",
            "--no-pager",
            "--no-replace-objects",
            *arguments,
        ]
        ran = self._room.run(argv, stdin=stdin, env={"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"})
        if ran.ended_by != "exit" or ran.code:
            said = printable(" ".join(ran.stderr.decode(errors="replace").split()))[-300:] or f"ended by {ran.ended_by}"
            raise TaktError(f"git cannot read {self.folder}: {said}")
        return ran.stdout

    def main_line(self, since: str | None, most: int | None) -> list[str]:
        """Commits by first parents, the oldest first: those after `since` (a revision, or a day such as 2026-01-31 with
        or without a time), at most so many of the newest."""
        if self._revision("HEAD") is None:
            named = self.git("for-each-ref", "--count=1", "--format=%(refname:short)", "refs/heads").decode().strip()
            fix = f"; check out a branch, such as {printable(named)}" if named else ": nothing can be made of it"
            raise TaktError(f"{self.folder} has no commit at its HEAD{fix}")
        what = ["HEAD"]
        if since is not None:
            revision = self._revision(since)
            what = [f"{revision}..HEAD"] if revision else [f"--since={second_of(since)}", "HEAD"]
        if self.root and not self.tree("HEAD"):
            raise TaktError(f"--root {printable(self.root)} is no folder of the repository with a file at its HEAD")
        within = ["--", f":(top,literal){self.root}"] if self.root else []
        listed = self.git("rev-list", "--first-parent", *what, *within)
        names = [name for name in listed.decode().split() if HASH.match(name)][: most if most is not None else None]
        if not names:
            more = f" since {since!r}; name a revision or a date" if since else ""
            of = f" in {self.root}" if self.root else ""
            raise TaktError(f"{self.folder} has no commit{of}{more}")
        return names[::-1]

    def merged(self, commit: Commit) -> list[str]:
        """Subjects of the commits that a merge brought, the newest first, at most 20."""
        if commit.parents < 2 or commit.parent is None:
            return []
        listed = self.git("log", "-20", "--no-merges", "--format=%s", f"{commit.parent}..{commit.name}")
        return [line.strip() for line in listed.decode(errors="replace").splitlines() if line.strip()]

    def tag(self, commit: str) -> str:
        """The last tag before a commit, or at it; "" if there is none."""
        try:
            return self.git("describe", "--tags", "--abbrev=0", commit).decode(errors="replace").strip()
        except TaktError:
            return ""

    def keep(self, *trees: Mapping[str, tuple[str, str]]) -> None:
        """Forget the files that none of these trees has: a long history has more of them than memory."""
        wanted = {blob for tree in trees for _, blob in tree.values()}
        self._blobs = {blob: file for blob, file in self._blobs.items() if blob in wanted}

    def _revision(self, words: str) -> str | None:
        if words.startswith("-"):
            raise TaktError(f"--since takes a revision or a date, not {words!r}")
        try:
            found = (
                self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{words}^{{commit}}").decode().split()
            )
        except TaktError:
            return None
        return next((name for name in found if HASH.match(name)), None)

    def commit(self, name: str) -> Commit:
        """A commit with its tree."""
        head, _, message = self.git("cat-file", "commit", name).partition(b"\n\n")
        parents = [one.decode() for one in re.findall(rb"^parent ([0-9a-f]+)$", head, flags=re.M)]
        said = as_said(message, head).strip()
        return Commit(name, parents[0] if parents else None, said, self.tree(name), len(parents))

    def tree(self, name: str) -> dict[str, tuple[str, str]]:
        """Path -> (mode, blob) of all a commit holds, but for litter; submodules have mode 160000, links 120000."""
        found, within = {}, f"{self.root}/" if self.root else ""
        for entry in self.git("ls-tree", "-r", "-z", "--full-tree", name, *([within] if within else [])).split(b"\0"):
            about, _, path = entry.partition(b"\t")
            if path:
                mode, _, blob = about.decode().split(" ")
                found[path.decode(errors="surrogateescape").removeprefix(within)] = (mode, blob)
        return {path: one for path, one in found.items() if not is_litter(path, found)}

    def configured(self, files: Collection[str]) -> list[str]:
        """Folders below the top that hold one of these files at HEAD, if the top has none: where a package lies."""
        paths = [PurePosixPath(path) for path in self.tree("HEAD")]
        found = sorted({str(path.parent) for path in paths if path.name in files})
        return [] if "." in found else found

    def files(self, tree: Mapping[str, tuple[str, str]]) -> dict[str, str | bytes]:
        """The files of a tree, as text where they are UTF-8, and links that lead into it; without submodules and files
        that are too large."""
        wanted = {path: one for path, one in tree.items() if one[0] in (*FILE_MODES, LINK) and _names_well(path)}
        self._fetch(blob for _, blob in wanted.values())
        found = {
            path: _as_file(mode, self._blobs[blob])
            for path, (mode, blob) in sorted(wanted.items())
            if blob in self._blobs
        }
        return {path: file for path, file in found.items() if not isinstance(file, Link) or _leads_in(path, file)}

    def _fetch(self, blobs: Iterable[str]) -> None:
        missing = sorted({blob for blob in blobs if blob not in self._blobs})
        unknown = [blob for blob in missing if blob not in self._sizes]
        if unknown:
            said = self.git("cat-file", "--batch-check", stdin="\n".join(unknown).encode() + b"\n").decode().split("\n")
            for line in said:
                parts = line.split(" ")
                if len(parts) == 3 and parts[1] == "blob":
                    self._sizes[parts[0]] = int(parts[2])
        chunk: list[str] = []
        size = 0
        for blob in missing:
            if self._sizes.get(blob, LARGEST_BLOB + 1) > LARGEST_BLOB:
                continue
            if chunk and size + self._sizes[blob] > CHUNK_BYTES:
                self._take(chunk)
                chunk, size = [], 0
            chunk.append(blob)
            size += self._sizes[blob] + 100
        if chunk:
            self._take(chunk)

    def _take(self, blobs: Sequence[str]) -> None:
        answer = self.git("cat-file", "--batch", stdin="\n".join(blobs).encode() + b"\n")
        at = 0
        for blob in blobs:
            end = answer.index(b"\n", at)
            name, kind, size = answer[at:end].decode().split(" ")
            if name != blob or kind != "blob":
                raise TaktError(f"git cannot read {self.folder}: an object is another than was asked for")
            self._blobs[blob] = answer[end + 1 : end + 1 + int(size)]
            at = end + 2 + int(size)


def git_folder(repository: Path) -> Path:
    """Where git keeps a repository's objects: of a clone, or of a bare repository."""
    inside = repository / ".git"
    if inside.is_file():
        raise TaktError(f"{repository} is a linked working tree or a submodule; name the repository that it belongs to")
    folder = (inside if inside.is_dir() else repository).resolve()
    if not (folder / "objects").is_dir() or not (folder / "HEAD").exists():
        raise TaktError(f"{repository} is no git repository; name a folder that has .git, or a bare repository")
    if (folder / "objects" / "info" / "alternates").exists():
        raise TaktError(f"{repository} borrows objects of another repository; mine a clone made with --dissociate")
    return folder


def root_of(root: str) -> str:
    """A folder of a repository, as git writes it; "" for its top. TaktError where it leads out of it."""
    parts = [part for part in root.split("/") if part not in ("", ".")]
    if root.startswith("/") or not _names_well("/".join(parts) or "x"):
        raise TaktError(f"--root takes a folder of the repository, such as backend, not {printable(root)[:100]}")
    return "/".join(parts)


def second_of(since: str) -> int:
    """A day, or a time of one, in seconds since 1970. TaktError for anything else: git takes any word for some date."""
    try:
        when = datetime.fromisoformat(since).astimezone()
    except (ValueError, OverflowError):
        what = "no commit, branch or tag of this repository, and no date such as 2026-01-31"
        raise TaktError(f"--since {printable(since)[:100]} is {what}") from None
    if when > datetime.now(UTC):
        raise TaktError(f"--since {since} lies in the future; name a day that is over")
    return max(FIRST_SECOND, int(when.timestamp()))


def as_said(message: bytes, head: bytes) -> str:
    """A commit's message, in the encoding that its head names (git-commit(1): i18n.commitEncoding), UTF-8 otherwise."""
    named = re.search(rb"^encoding (\S+)$", head, flags=re.M)
    try:
        return message.decode(named[1].decode("ascii") if named else "utf-8", errors="replace")
    except (LookupError, UnicodeError):
        return message.decode(errors="replace")


def _names_well(path: str) -> bool:
    from takt.stations.codedesk.tickets import safe

    try:
        path.encode()
        return bool(safe(path))
    except ValueError:
        return False


def _as_file(mode: str, file: bytes) -> str | bytes:
    if mode == LINK:
        return Link(file)
    runs = mode == FILE_MODES[1]
    try:
        if b"\0" not in file:
            return Program(file.decode()) if runs else file.decode()
    except UnicodeDecodeError:
        pass
    return ProgramBytes(file) if runs else file


def _leads_in(path: str, link: Link) -> bool:
    """Whether a link leads to a place in the tree, and not into git's own."""
    try:
        return bool(_names_well(posixpath.normpath(posixpath.join(posixpath.dirname(path), link.decode()))))
    except UnicodeDecodeError:
        return False
