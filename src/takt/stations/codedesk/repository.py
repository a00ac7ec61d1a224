"""The shift's repository: its tree by content, and the one sandbox in which commands run on it.

The tree is a mapping of path to file, `.git` and untracked files included. It lies in this process, so that to list, to
read and to edit touch no file of the machine and follow no link. A sandbox gets what has changed of it before a command
and tells what the command changed; git runs there and nowhere else. Lose the sandbox, and the tree is still there.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from takt.ledger.pack import pack, unpack
from takt.stations.codedesk.bubblewrap import MIB, WORK
from takt.stations.codedesk.changes import Before, in_git, mark_of
from takt.stations.codedesk.layouts import FILES, roots_of
from takt.stations.codedesk.sandbox import Ran, Room, Sandbox
from takt.stations.codedesk.trees import File, Unlaid, as_file, checked, fits

MOST_TREE = 48 * MIB  # bytes of a tree: a snapshot has it all, and has an end (`takt.ledger.intact`)
MOST_PACKED = 20 * MIB  # of a tree's files, each compressed as git does
MOST_FILES, MOST_PATHS = 20_000, 4 * MIB  # and bytes of all their paths
PAGE = 4096  # bytes: a sandbox's disk has room for so many or none
MOST_EFFECT = (
    22 * MIB
)  # of what a record says was changed: in base64 it is a third more, and a value has 32 MiB at most
INDEX = re.compile(r"(^|/)\.git/(.*/)?index$")  # git's, of the repository or of one within it
# What of git's own set-up could run a program; the rest of its configuration is the agent's affair, inside.
GIT_COMMAND = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")
PLAIN = "f644"
EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z: when a shift begins, by git's dates


class Repository:
    """A tree, and commands on it. `close` it."""

    def __init__(self, sandbox: Sandbox, tree: Mapping[str, File]) -> None:
        self.sandbox = sandbox
        self._room: Room | None = None
        self._pending: set[str] = set()
        self.tree: dict[str, File] = {}
        self.before = Before()
        self.beside = 0  # bytes that the next command's record has beside what that command changes
        self.replace(tree)

    def replace(self, tree: Mapping[str, File]) -> None:
        """Another tree in place of this one."""
        self.close()
        self.tree, self._mark = with_folders(tree), ""

    @property
    def mark(self) -> str:
        """A word for the tree, without what git keeps of it and what tests leave behind."""
        self._mark = self._mark or mark_of(self.tree)
        return self._mark

    def close(self) -> None:
        if self._room is not None:
            self._room.close()
        self._room = None
        self._pending = set()

    def change(self, files: Mapping[str, File | None]) -> None:
        """Write these files, and delete those that are None. Of a folder that is one no longer, all goes first."""
        tree, self._mark = self.tree, ""
        gone = {path for path, file in files.items() if tree.get(path, ("",))[0] == "d" and (file or ("",))[0] != "d"}
        if gone:
            for path in sorted(tree):
                if path in gone or path.rpartition("/")[0] in gone:
                    gone.add(path)
            for path in sorted(gone):
                if (there := tree.pop(path))[0] != "d":
                    self.before.note(path, there)
        for path, file in sorted(files.items()):
            there_now = tree.get(path)
            if file is None or file[0] != "d" or (there_now and there_now[0] != "d"):
                self.before.note(path, there_now)
            if file is None:
                tree.pop(path, None)
                self.before.gone(path)
            else:
                self._make_folder(path.rpartition("/")[0])
                tree[path] = file
            self._pending.add(path)

    def too_large(self, files: Mapping[str, File | None]) -> str:
        """Why these files cannot be written or deleted, "" if they can: what a tree may have is limited."""
        kept = {path: file for path, file in self.tree.items() if path not in files}
        new = {path: file for path, file in files.items() if file is not None}
        return too_large(kept | new, self.sandbox.limits.disk_mb)

    def run(
        self,
        argv: Sequence[str],
        *,
        wall_s: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        effect_mb: int | None = None,
    ) -> Ran:
        """Run a command on the tree, and keep what it changes, unless that is too much: then nothing is changed."""
        try:
            room = self._opened()
        except Unlaid as error:
            self.close()
            return Ran(126, b"", f"{error}\n".encode(), 0.0, "gone")
        ran = room.run(argv, wall_s=wall_s, env=env, stdin=stdin, effect_mb=effect_mb)
        return self.taken(ran, room.lost)

    def taken(self, ran: Ran, lost: bool, elsewhere: bool = False) -> Ran:
        """Keep what a command has changed, in the repository's own sandbox or `elsewhere`, unless that is too much."""
        size = self.beside + sum(len(file[1]) for file in ran.changed.values() if file)
        why = f"it is {size / MIB:,.1f} MiB, too much for a record" if size > MOST_EFFECT else ""
        why = why or ("" if ran.too_much or lost else self.too_large(ran.changed))
        if ran.too_much or lost or why:
            if not elsewhere:
                self.close()  # a new sandbox has the tree as it was
            return replace(ran, changed={}, too_much=True, left_out=why or ran.left_out)
        told = (
            (path, (file[0], without_times(file[1])) if file and INDEX.search(path) else file)
            for path, file in ran.changed.items()
        )
        changed = {path: file for path, file in told if self.tree.get(path) != file}
        if elsewhere:
            self.change(changed)
        else:
            self.adopt(changed)
        return replace(ran, changed=changed)

    def adopt(self, changed: Mapping[str, File | None]) -> None:
        """Take over what a command has changed; the sandbox, if there is one, has it already."""
        pending = set(self._pending)
        self.change(changed)
        self._pending = pending

    def replay(self, changed: Mapping[str, File | None]) -> None:
        """Take over what a command changed that was run before, elsewhere."""
        self.change(changed)

    def git(self, *arguments: str, now_s: float = 0.0, wall_s: float = 60.0) -> Ran:
        """Run git in the sandbox."""
        return self.run((*GIT_COMMAND, *arguments), wall_s=wall_s, env=dates(now_s))

    def worktree(self) -> dict[str, File]:
        """The tree without git's own part and without folders."""
        return {path: file for path, file in self.tree.items() if file[0] != "d" and not in_git(path)}

    def _opened(self) -> Room:
        if self._room is None or self._room.lost:
            self.close()
            self._room = self.sandbox.open()
            self._room.put(self.tree)
        elif self._pending:
            self._room.put({path: self.tree.get(path) for path in sorted(self._pending)})
        self._pending = set()
        return self._room

    def _make_folder(self, folder: str) -> None:
        """See that there is this folder, in place of a file or a link that may be there."""
        while folder and self.tree.get(folder, ("",))[0] != "d":
            if there := self.tree.get(folder):
                self.before.note(folder, there)
            self.tree[folder] = ("d", b"")
            self._pending.add(folder)
            folder = folder.rpartition("/")[0]


def too_large(tree: Mapping[str, File], disk_mb: int) -> str:
    """What of a tree is more than it may have, in words; "" if nothing."""
    if len(tree) > MOST_FILES:
        return f"the tree would have {len(tree):,} files and folders; {MOST_FILES:,} are the most"
    if (paths := sum(map(len, tree))) > MOST_PATHS:
        return f"the tree's paths would have {paths / MIB:,.1f} MiB; {MOST_PATHS / MIB:g} are the most"
    size = sum(len(content) for _, content in tree.values())
    if size > MOST_TREE:
        return f"the tree would have {size / MIB:,.1f} MiB; {MOST_TREE / MIB:g} are the most"
    disk = sum((len(content) + PAGE - 1) // PAGE * PAGE for _, content in tree.values()) / MIB
    if disk > disk_mb * 3 / 4:
        return f"the tree would take {disk:,.1f} MiB of the sandbox's disk; three quarters of {disk_mb} are the most"
    return ""


def unfit(files: Mapping[str, str | bytes], disk_mb: int) -> str:
    """Why no shift can begin with these files of a series, "" if one can. git's first commit has all of them, packed
    one by one, and must go into a record."""
    tree = with_folders(files_of(files))
    if why := too_large(tree, disk_mb):
        return why
    if long := next((path for path in tree if not fits(path)), None):
        return f"it has a path that is too long or too deep: {long[:200]}"
    data = [content for _, content in tree.values()]
    if sum(map(len, data)) <= MOST_PACKED:
        return ""
    packed = sum(len(zlib.compress(one, 1)) for one in data)
    most = f"{MOST_PACKED / MIB:g} are the most"
    return f"the tree would have {packed / MIB:,.1f} MiB, each file packed; {most}" if packed > MOST_PACKED else ""


def with_folders(tree: Mapping[str, File]) -> dict[str, File]:
    """A tree with all folders that it has named."""
    folders: dict[str, File] = {}
    for path in tree:
        while (path := path.rpartition("/")[0]) and path not in folders:
            folders[path] = ("d", b"")
    return dict(sorted({**folders, **tree}.items()))


def files_of(tree: Mapping[str, str | bytes]) -> dict[str, File]:
    """A series' tree as files."""
    return {path: as_file(file) for path, file in tree.items()}


def imported_from(tree: Mapping[str, File]) -> dict[str, str]:
    """The environment by which a program finds a mined repository's packages from any folder, as if they were
    installed: an agent's commands have it, and so has what its tests start."""
    return {"PYTHONPATH": ":".join(str(PurePosixPath(WORK, one)) for one in roots(tree))}


def roots(tree: Mapping[str, File]) -> list[str]:
    """The folders of a tree from which its packages are imported (`layouts.py`)."""
    texts = {name: tree[name][1].decode(errors="replace") for name in FILES if tree.get(name, ("l",))[0] != "l"}
    return roots_of(texts, tree)


def without_times(index: bytes) -> bytes:
    """git's index without what it knows of files by this machine's clock and disk, and without its caches: the same on
    every run.

    An entry's size of 0 is git's own way to say that a file's content must be looked at (Documentation/technical/
    racy-git). An index of another layout than versions 2 and 3 is left as it is (gitformat-index).
    """
    if index[:4] != b"DIRC" or int.from_bytes(index[4:8]) not in (2, 3) or len(index) < 32:
        return index
    new, at = bytearray(index), 12
    for _ in range(int.from_bytes(index[8:12])):
        if at + 62 > len(index) - 20:
            return index
        new[at : at + 24] = bytes(24)  # ctime, mtime, dev, ino
        new[at + 28 : at + 40] = bytes(12)  # uid, gid, size
        flags = int.from_bytes(index[at + 60 : at + 62])
        name = at + (64 if flags & 0x4000 else 62)
        ends = index.find(b"\0", name)
        if ends < 0:
            return index
        at += (ends - at) // 8 * 8 + 8
    if b"a" <= new[at : at + 1] <= b"z" and at < len(new) - 20:  # an extension that git cannot do without
        return index
    del new[at:-20]  # the others are caches, and depend on what was run in which order
    new[-20:] = hashlib.sha1(new[:-20], usedforsecurity=False).digest()
    return bytes(new)


def dates(now_s: float) -> dict[str, str]:
    """By git's clock: station time, so that a commit has the same name on every run."""
    when = f"{EPOCH + int(now_s)} +0000"
    return {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}


def as_text(changed: Mapping[str, File | None]) -> str:
    """What a command changed, as it is written into the ledger."""
    if not changed:
        return ""
    rows = [[path, *(file or (None, None))] for path, file in sorted(changed.items())]
    return base64.b64encode(zlib.compress(pack(rows), 1)).decode()


def of_text(text: str) -> dict[str, File | None]:
    """The same, read. ValueError for what `as_text` never made."""
    if not text:
        return {}
    try:
        unzip = zlib.decompressobj()
        rows = unpack(unzip.decompress(base64.b64decode(text, validate=True), 2 * MOST_TREE))
        if not unzip.eof or not isinstance(rows, list):
            raise ValueError("too much")
        return {checked(path): None if kind is None else a_file(kind, content) for path, kind, content in rows}
    except (zlib.error, TypeError, ValueError) as error:
        raise ValueError(f"what a command changed cannot be read: {error}") from error


def a_file(kind: object, content: object) -> File:
    if kind not in ("f644", "f755", "l", "d") or not isinstance(content, bytes):
        raise ValueError("no file")
    return str(kind), content
