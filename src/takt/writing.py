"""What may be written where: the one rule for every command that writes a file.

- A new file is made whole or not at all: written beside its place under another name, and moved there when it is done.
- What is there already is replaced only if it is of the same kind, by its content and not by its name. A ledger, a
  program or anybody's notes never are. An empty file is of every kind.
- A link is followed and stays; what it leads to is judged. A device or a pipe is written through. Neither is replaced.
- /dev/stdout is this program's own, wherever it leads: what else it says, before and after, is not written over.
- A ledger replaces nothing at all, and its name is chosen and made in one step (`place_new`).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

from takt.errors import TaktError

LOOKED_AT, LAST = 1 << 20, 4096  # bytes of a file by which its kind is told: its first ones, and its last
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)  # a file system without them


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is written: what it is called, and whether these first and last bytes are of one."""

    name: str
    is_one: Callable[[bytes], bool]


def _lines_with(head: bytes, keys: Sequence[str]) -> bool:
    try:
        first = json.loads(head.splitlines()[0])
    except (ValueError, IndexError):
        return False
    return isinstance(first, dict) and any(key in first for key in keys)


def table(header: Sequence[str]) -> Kind:
    """A CSV table with these names in its first line."""
    return Kind("table", lambda head: head.splitlines()[:1] == [",".join(header).encode()])


PAGE = Kind("page of Takt's", lambda head: b'class="over">Takt ' in head)
FILM = Kind("mp4", lambda head: head[4:8] == b"ftyp")
CONVERSATIONS = Kind("file of conversations", lambda head: _lines_with(head, ("messages", "prompt")))
JSON = Kind("JSON object", lambda head: head.lstrip()[:1] == b"{")
SVG = Kind("SVG picture", lambda head: b"<svg" in head)
PNG = Kind("PNG picture", lambda head: head.startswith(b"\x89PNG"))
CHALLENGE = Kind("table of ROADEF 2009", lambda head: head.rstrip().rsplit(b"\n", 1)[-1].strip() == b"#")
BY_NAME = {".html": PAGE, ".mp4": FILM, ".jsonl": CONVERSATIONS, ".json": JSON, ".svg": SVG, ".png": PNG}
TEXTS = {  # tables of a fleet
    "markdown": Kind("table in Markdown", lambda head: head.startswith(b"| ")),
    "csv": Kind("table", lambda head: b"shifts,units,good,rate," in head.partition(b"\n")[0]),
    "latex": Kind("table in LaTeX", lambda head: b"\\begin{tabular}" in head),
}
ANY = Kind("file", lambda head: True)  # in a folder that was looked at as a whole
NOTHING = Kind("file", lambda head: False)  # of what has no kind, nothing is replaced


class Numbered(os.PathLike[str]):
    """A name for a new file, numbered on until it is free: `a.takt`, `a-2.takt`, ... Of two at once, each gets one."""

    def __init__(self, first: Path) -> None:
        self._first, self._number = first, 1
        self.made = False

    def exists(self) -> bool:
        """Whether it has been made; what is there under this name before is somebody else's."""
        return self.made

    def __fspath__(self) -> str:
        name = self._first.name if self._number == 1 else f"{self._first.stem}-{self._number}{self._first.suffix}"
        return str(self._first.with_name(name))

    def __str__(self) -> str:
        return os.fspath(self)

    def next(self) -> None:
        self._number += 1


def own_stream(out: Path) -> TextIO | None:
    """stdout or stderr, if a path is a name of it: /dev/stdout, /dev/fd/1, /proc/self/fd/2."""
    if out.absolute().parts[1:2] not in (("dev",), ("proc",)):
        return None
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        with suppress(OSError):
            if os.path.samestat(os.stat(out), os.fstat(number)):
                return stream
    return None


def _through(out: Path) -> IO[bytes]:
    """A device or pipe, opened to be written through. A stream of our own is gone on with where it is: opened anew, a
    file that it leads to would be written from its beginning."""
    stream = own_stream(out)
    if stream is None:
        return out.open("wb")
    stream.flush()
    return open(os.dup(1 if stream is sys.stdout else 2), "wb")


def not_named(out: Path) -> Path:
    """A place that follows from a ledger's name. A link that lies there is not the user's word, and is not followed."""
    if out.is_symlink():
        raise TaktError(f"{out} is a link, and may lead anywhere; name where to write with --out")
    return out


def place_new(path: Path, data: bytes) -> None:
    """Make a file in a place where nothing is, neither file nor link nor device. FileExistsError if something is."""
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    _folder(path.parent)
    new = _beside(path)
    try:
        new.write_bytes(data)
        _as_others(new)
        try:
            os.link(new, path)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def whole_file(out: Path, kind: Kind | None = None, sources: Sequence[os.PathLike[str]] = ()) -> Iterator[Path]:
    """A temporary path that becomes `out` when all has been written to it. Nothing half-written stays, ever.

    kind      what is written; by its name if not given. See the rule above.
    sources   what it is made from, which it must not be written over.

    Raises TaktError, before anything is made, if it may not be written there.
    """
    out = Path(out)
    try:
        target = _target(out, BY_NAME.get(out.suffix, NOTHING) if kind is None else kind, sources)
        if target is not None:
            _folder(target.parent)
        new = _beside(out if target is None else target, apart=target is None)
    except OSError as error:
        raise TaktError(f"cannot write {out}: {error.strerror or error}") from error
    try:
        yield new
        if target is None:
            with new.open("rb") as data, _through(out) as through:
                shutil.copyfileobj(data, through)
        else:
            _as_others(new)
            new.replace(target)
    except OSError as error:
        raise TaktError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def whole_files(out: Path, kind: Kind | Mapping[str, Kind] | None = None) -> Iterator[Path]:
    """A temporary folder whose files become files of `out` when all are written: they belong together, all or none.

    kind   of all files, or by name: what may be replaced. None where the folder as a whole was looked at, by
           `check_folder`.

    Raises TaktError; of a folder made for this, nothing stays then.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise TaktError(f"cannot write into {out}: it is no folder")
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        _folder(out)
        beside = Path(tempfile.mkdtemp(prefix=".takt-", dir=out))
    except OSError as error:
        raise TaktError(f"cannot write {out}: {error.strerror or error}") from error
    try:
        yield beside
        places = {}
        for file in sorted(beside.iterdir()):
            of = ANY if kind is None else kind if isinstance(kind, Kind) else kind[file.name]
            target = _target(out / file.name, of, ())
            if target is None:
                raise TaktError(f"cannot write {out / file.name}: it is a device or pipe")
            places[file] = target
        for file, target in places.items():
            file.replace(target)
        made = []
    except OSError as error:
        raise TaktError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        with suppress(OSError):  # something is in it after all
            for folder in made:
                folder.rmdir()


def check_place(out: Path, kind: Kind) -> None:
    """Raise TaktError if a file of this kind may not be written there."""
    try:
        _target(out, kind, ())
    except OSError as error:
        raise TaktError(f"cannot write {out}: {error.strerror or error}") from error


def withdraw(out: Path) -> None:
    """Take away a file that was looked at by `check_place` and no longer holds. What a link leads to is emptied, and
    the link stays; a device or pipe is left as it is."""
    if out.is_symlink():
        if out.is_file():
            out.write_bytes(b"")
    elif out.is_file():
        out.unlink()


def one_out(place: Path | None, out: Path | None) -> Path:
    """Where a command that is for writing writes to: --out, as of every command, or its last word, short for that."""
    if place is None and out is None:
        raise TaktError("say where to write to: --out PLACE")
    if place is not None and out is not None and place != out:
        raise TaktError(f"both {place} and --out {out} are given; one of them is where to write to")
    return place or out or Path()


def check_folder(out: Path, files: Sequence[str], kind: Kind, by: str) -> None:
    """Raise TaktError if these files may not be written into a folder: it is a file, or has some that are not Takt's.

    by   the file of that `kind` that a folder has which Takt wrote before.
    """
    if out.exists() and not out.is_dir():
        raise TaktError(f"cannot write into {out}: it is no folder")
    there = [name for name in files if os.path.lexists(out / name)]
    if there and not (by in there and (out / by).is_file() and kind.is_one(_ends(out / by))):
        whose = "" if kind is NOTHING else ", and not by Takt"
        raise TaktError(f"cannot write {out / there[0]}: it is there already{whose}; choose another folder")


def check_claim(out: Path, mark: str) -> None:
    """TaktError if a folder may not be filled by the program whose file `mark` is: it is another's, or no folder."""
    try:
        if out.exists() and not (out / mark).is_file() and (not out.is_dir() or any(out.iterdir())):
            raise TaktError(f"cannot write into {out}: it is there already, and not made by this; choose another name")
    except OSError as error:
        raise TaktError(f"cannot write into {out}: {error.strerror or error}") from error


def claim_folder(out: Path, mark: str) -> None:
    """Make a folder that a program fills over time, and says so by a file `mark`. TaktError if it is another's."""
    check_claim(out, mark)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / mark).touch()
    except OSError as error:
        raise TaktError(f"cannot write into {out}: {error.strerror or error}") from error


def what_is(path: Path) -> str:
    """What is at a path where a new file was to be, in a few words."""
    if path.is_symlink():
        return "a link"
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a device or pipe"


def _target(out: Path, kind: Kind, sources: Sequence[os.PathLike[str]]) -> Path | None:
    """Where the file goes that is to be `out`: what a link leads to. None if it is written through."""
    for source in sources:
        if isinstance(source, Path) and source.exists() and out.exists() and out.samefile(source):
            raise TaktError(f"cannot write {out}: it is what is read")
    if out.suffix == ".takt":
        raise TaktError(f"cannot write {out}: .takt is a ledger's name, and this is a {kind.name}")
    if not os.path.lexists(out):
        return out
    if out.is_symlink() and not out.exists():
        raise TaktError(f"cannot write {out}: it is a link that leads nowhere")
    mode = out.stat().st_mode
    if stat.S_ISDIR(mode):
        raise TaktError(f"cannot write {out}: it is a directory")
    if not stat.S_ISREG(mode) or out.absolute().parts[1:2] in (("dev",), ("proc",)):
        return None
    looked = _ends(out)
    if looked and not kind.is_one(looked):
        what = "is there already" if kind is NOTHING else f"is there already, and is no {kind.name}"
        raise TaktError(f"cannot write {out}: it {what}; choose another name")
    return out.resolve()


def _ends(path: Path) -> bytes:
    """A file's beginning, and its end behind it where it is longer: some kinds are known by their last line."""
    with path.open("rb") as file:
        first = file.read(LOOKED_AT)
        file.seek(max(LOOKED_AT, os.fstat(file.fileno()).st_size - LAST))
        return first + file.read(LAST)


def _folder(folder: Path) -> None:
    """Make a folder. NotADirectoryError if it cannot be one: mkdir calls a file in its place "File exists"."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def _beside(out: Path, apart: bool = False) -> Path:
    """A new file under another name in the same folder, or elsewhere if `apart`."""
    handle, name = tempfile.mkstemp(prefix=f".{out.stem[:100]}-", suffix=out.suffix, dir=None if apart else out.parent)
    os.close(handle)
    return Path(name)


def _as_others(new: Path) -> None:
    """Give a file the rights that new files have: mkstemp makes them for their owner only."""
    mask = os.umask(0)
    os.umask(mask)
    new.chmod(0o666 & ~mask)
