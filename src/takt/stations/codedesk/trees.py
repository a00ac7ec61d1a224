"""A folder's files as they cross into a sandbox and out of it."""

from __future__ import annotations

import ast
import errno
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from tokenize import detect_encoding
from typing import Any

from takt.errors import TaktError

LONGEST_NAME, LONGEST_PATH, DEEPEST = 255, 1000, 50  # bytes, and parts of a path: `inside.py` keeps no others
TEMPORARY, DAY_S = "takt-inspection-", 86_400.0
MARK = "\ufeff"  # UTF-8's byte order mark, in text
NO_TREES_FAULT = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE)
File = tuple[str, bytes]  # kind and mode in one ("f644", "f755", "l", "d"), and what is in it
Tree = Mapping[str, File]


class Program(str):
    """A file of a series, text, that can be run."""

    __slots__ = ()


class ProgramBytes(bytes):
    """The same, no text."""

    __slots__ = ()


class Link(bytes):
    """A symbolic link of a series: where it leads."""

    __slots__ = ()


def as_file(file: str | bytes) -> File:
    """A file of a series as one of a tree."""
    kind = "l" if isinstance(file, Link) else "f755" if isinstance(file, (Program, ProgramBytes)) else "f644"
    return kind, file.encode() if isinstance(file, str) else bytes(file)


def parsed(text: str | bytes) -> ast.Module:
    """A Python file, which may begin with a byte order mark, as Windows' editors write it. SyntaxError, ValueError and
    RecursionError as `ast.parse`, which takes such a mark in bytes alone."""
    return ast.parse(text.removeprefix(MARK) if isinstance(text, str) else text)


def source_text(file: str | bytes) -> str | bytes:
    """A Python file that says its encoding (PEP 263), in UTF-8 and saying so, without a byte order mark; any other file
    as it is."""
    if isinstance(file, Link):
        return file
    if isinstance(file, str):
        return Program(file.removeprefix(MARK)) if isinstance(file, Program) else file.removeprefix(MARK)
    try:
        named, first = detect_encoding(BytesIO(file).readline)
        text = file.decode(named)
    except (SyntaxError, LookupError, UnicodeError):
        return file
    for line in (one.decode(named) for one in first):
        text = text.replace(line, re.sub(r"(coding[:=]\s*)[-\w.]+", r"\1utf-8", line), 1) if "coding" in line else text
    return text


class Unlaid(TaktError):
    """A tree that no sandbox takes."""


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


def fits(path: str) -> bool:
    """Whether a path is one that every command, inspection and file system takes."""
    parts = path.encode().split(b"/")
    return max(map(len, parts)) <= LONGEST_NAME and len(path.encode()) <= LONGEST_PATH and len(parts) <= DEEPEST


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
                found[where] = ("l", os.fsencode(os.readlink(path)))
            elif stat.S_ISREG(about.st_mode):
                found[where] = ("f755" if about.st_mode & 0o100 else "f644", path.read_bytes())
    return found


@contextmanager
def written(tree: Tree) -> Iterator[Path]:
    """A folder of this machine that has the tree (`write_tree`), as long as it is needed."""
    tidy()
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as above:
        folder = Path(above, "tree")
        folder.mkdir()
        write_tree(folder, tree)
        yield folder


@cache
def tidy() -> None:
    """Remove what inspections have left behind that were killed: folders of ours that nobody has touched for a day."""
    for left in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            about = left.lstat()
            if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and time.time() - about.st_mtime > DAY_S:
                shutil.rmtree(left, ignore_errors=True)


def write_tree(folder: Path, tree: Tree) -> None:
    """Write a tree into an empty folder of this machine, for `Sandbox.tree`. Links are made and never followed. Unlaid
    for a tree that cannot be there, TaktError where the machine has no room for it."""
    try:
        _write_tree(folder, tree)
    except OSError as error:
        said = f"the tree cannot be written to {folder.parent.parent}: {error.strerror}"
        raise (TaktError if error.errno in NO_TREES_FAULT else Unlaid)(said) from None


def _write_tree(folder: Path, tree: Tree) -> None:
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
                (folder / above).chmod(0o755)
        if kind == "l":
            os.symlink(os.fsdecode(content.replace(b"\0", b"")) or ".", folder / path)
        elif kind != "d":
            opened = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(opened, "wb") as file:
                file.write(content)
                os.fchmod(opened, int(kind[1:], 8))


def mode_of(file: File) -> int:
    return int(file[0][1:] or "644", 8)
