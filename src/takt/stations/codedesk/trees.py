"""A folder's files as they cross into a sandbox and out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

File = tuple[str, bytes]  # kind and mode in one ("f644", "f755", "l", "d"), and what is in it
Tree = Mapping[str, File]


def checked(path: Any) -> str:
    """A path that a sandbox tells, if it lies in the tree; ValueError otherwise."""
    if (
        not isinstance(path, str)
        or not path
        or "\0" in path
        or any(part in ("", ".", "..") for part in path.split("/"))
    ):
        raise ValueError("no path in the tree")
    path.encode()
    return path


def laid_over(tree: Tree, files: Mapping[str, File | None]) -> dict[str, File]:
    """The tree, files alone, with these written over it; None takes away. What lies where a folder or a file must be
    gives way."""
    after = dict(tree)
    for path, file in files.items():
        if file is None:
            after.pop(path, None)
            continue
        parts = path.split("/")
        for end in range(1, len(parts)):
            after.pop("/".join(parts[:end]), None)
        for below in [one for one in after if one.startswith(f"{path}/")]:
            del after[below]
        after[path] = file
    return after


def read_tree(folder: Path) -> dict[str, File]:
    """The files of a folder of this machine, `.git` left out; links as links."""
    found: dict[str, File] = {}
    for below, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted([*names, *(one for one in folders if Path(below, one).is_symlink())]):
            path = Path(below, name)
            where = path.relative_to(folder).as_posix()
            about = path.lstat()
            if stat.S_ISLNK(about.st_mode):
                found[where] = ("l", os.readlink(path).encode())
            elif stat.S_ISREG(about.st_mode):
                found[where] = ("f755" if about.st_mode & 0o100 else "f644", path.read_bytes())
    return found


def write_tree(folder: Path, tree: Tree) -> None:
    """Write a tree into an empty folder of this machine, for `Sandbox.tree`. Links are made and never followed."""
    folder.chmod(0o755)
    made: set[str] = set()
    for path, (kind, content) in sorted(tree.items(), key=lambda one: one[1][0] == "l"):
        parts = checked(path).split("/")
        folders = parts if kind == "d" else parts[:-1]
        for end in range(1, len(folders) + 1):
            above = "/".join(folders[:end])
            if above not in made:
                made.add(above)
                (folder / above).mkdir()
        if kind == "l":
            os.symlink(content.decode(errors="replace").replace("\0", "") or ".", folder / path)
        elif kind != "d":
            opened = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(opened, "wb") as file:
                file.write(content)
                os.fchmod(opened, int(kind[1:], 8))


def mode_of(file: File) -> int:
    return int(file[0][1:] or "644", 8)
