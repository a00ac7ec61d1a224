"""The shift's repository: its tree by content, and the one sandbox in which commands run on it.

The tree is a mapping of path to file, `.git` and untracked files included. It lies in this process, so that to list, to
read and to edit touch no file of the machine and follow no link. A sandbox gets what has changed of it before a command
and tells what the command changed; git runs there and nowhere else. Lose the sandbox, and the tree is still there.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from takt.ledger.pack import pack, unpack
from takt.stations.codedesk.bubblewrap import MIB
from takt.stations.codedesk.sandbox import Ran, Room, Sandbox
from takt.stations.codedesk.trees import File, checked

MOST_TREE = 48 * MIB  # bytes of a tree: a snapshot has it all, and has an end (`takt.ledger.intact`)
MOST_FILES = 20_000
GIT = ".git"
INDEX = ".git/index"
PLAIN = "f644"
# What of git's own set-up could run a program; the rest of its configuration is the agent's affair, inside.
GIT_COMMAND = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")
EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z: when a shift begins, by git's dates


class Repository:
    """A tree, and commands on it. `close` it."""

    def __init__(self, sandbox: Sandbox, tree: Mapping[str, File]) -> None:
        self.sandbox = sandbox
        self._room: Room | None = None
        self._pending: set[str] = set()
        self.tree: dict[str, File] = {}
        self.replace(tree)

    def replace(self, tree: Mapping[str, File]) -> None:
        """Another tree in place of this one."""
        self.close()
        self.tree = with_folders(tree)

    def close(self) -> None:
        if self._room is not None:
            self._room.close()
        self._room = None
        self._pending = set()

    def change(self, files: Mapping[str, File | None]) -> None:
        """Write these files, and delete those that are None."""
        for path, file in files.items():
            self._clear(path, keeps_folder=file is not None and file[0] == "d")
            if file is not None:
                for folder in folders_of(path):
                    if self.tree.get(folder, ("d",))[0] != "d":
                        self._clear(folder, keeps_folder=False)
                    if folder not in self.tree:
                        self.tree[folder] = ("d", b"")
                        self._pending.add(folder)
                self.tree[path] = file
            self._pending.add(path)

    def run(
        self, argv: Sequence[str], *, wall_s: float, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Ran:
        """Run a command on the tree, and keep what it changes, unless that is too much: then nothing is changed."""
        room = self._opened()
        ran = room.run(argv, wall_s=wall_s, env=env, stdin=stdin)
        return self.taken(ran, room.lost)

    def taken(self, ran: Ran, lost: bool, elsewhere: bool = False) -> Ran:
        """Keep what a command has changed, in the repository's own sandbox or `elsewhere`, unless that is too much."""
        after = self.tree | {path: file for path, file in ran.changed.items() if file is not None}
        too_large = len(after) > MOST_FILES or sum(len(file[1]) for file in after.values()) > MOST_TREE
        if ran.too_much or too_large or lost:
            if not elsewhere:
                self.close()  # a new sandbox has the tree as it was
            return replace(ran, changed={}, too_much=True)
        told = (
            (path, (file[0], without_times(file[1])) if file and path == INDEX else file)
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

    def _clear(self, path: str, keeps_folder: bool) -> None:
        """Take away what lies at a path, and below it if it is a folder that is to be one no longer."""
        there = self.tree.get(path)
        if there is None or (there[0] == "d" and keeps_folder):
            return
        if there[0] == "d":
            for below in [one for one in self.tree if one.startswith(f"{path}/")]:
                del self.tree[below]
        del self.tree[path]


def with_folders(tree: Mapping[str, File]) -> dict[str, File]:
    """A tree with all folders that it has named."""
    folders = {folder: ("d", b"") for path in tree for folder in folders_of(path)}
    return dict(sorted({**folders, **tree}.items()))


def folders_of(path: str) -> list[str]:
    """The folders that a path lies in, outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def in_git(path: str) -> bool:
    return path.split("/", 1)[0] == GIT


def files_of(tree: Mapping[str, str | bytes]) -> dict[str, File]:
    """A series' tree as files."""
    return {path: (PLAIN, file.encode() if isinstance(file, str) else file) for path, file in tree.items()}


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
