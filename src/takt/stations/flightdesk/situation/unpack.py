"""What a file really is, by its first bytes and not by its name; packed text is unpacked, anything else is named."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from takt.contract.station import TaktError
from takt.plainly import plainly

MOST_MEMORY = (
    128 * 2**20
)  # bytes that a file may ask for to be unpacked with; `xz -9` asks for 65 MiB, a bomb for 4 GiB


class _Xz:
    """An xz file to read, its streams one after the other, within `MOST_MEMORY` (`lzma.open` knows no limit)."""

    def __init__(self, path: Path, _mode: str) -> None:
        self._file = path.open("rb")
        self._stream: lzma.LZMADecompressor | None = None

    def __enter__(self) -> _Xz:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """From 1 to `size` bytes; none at the end."""
        rest = b""
        while True:
            if self._stream is None or self._stream.eof:
                rest = (self._stream.unused_data if self._stream else b"").lstrip(b"\0") or self._file.read(1 << 16)
                if not rest:
                    return b""
                if not (rest := rest.lstrip(b"\0")):  # between streams, to fill up
                    continue
                self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)
            elif self._stream.needs_input and not (rest := self._file.read(1 << 16)):
                raise EOFError("it is cut off")
            if part := self._stream.decompress(rest, size):
                return part
            rest = b""


PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": _Xz}
NO_CSV = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\xd0\xcf\x11\xe0": "an old Excel file (xls)",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"CDF": "a NetCDF file",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"%PDF": "a PDF",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"\x04\x22\x4d\x18": "packed by lz4",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"RDX": "an R data file",
    b"X\n\x00": "an R data file",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}
IN_ZIP = {"xl/": "an Excel file (xlsx)", "word/": "a Word file", "content.xml": "an OpenDocument file"}
MOST_BYTES = 4 * 2**30  # of text, unpacked; EUROCONTROL's and the BTS's largest years have about 1 GB
LEAST_BYTES = 64 * 2**20  # and at most RATIO times what it was packed, above this
RATIO = 200  # CSV packs to a twentieth or so; a bomb to a thousandth
LAYERS = 4  # of packing, one inside the other
HEAD = 512  # bytes that say what a file is: a tar archive says so at 257


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A copy of the file's CSV text, not packed, under a name that no reader takes for a pattern.

    Raises TaktError if the file is something else or cannot be read, OSError if it is not there.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise TaktError(f"{path} is a device, not a CSV file")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.csv")
        try:
            with path.open("rb") as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target)
            for layer in range(LAYERS):
                if not _unpack(plain, Path(folder, f"layer{layer}"), path):
                    break
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError) as error:
            raise TaktError(f"cannot unpack {path}: {_why(error)}") from error
        except OSError as error:
            if error.errno not in (None, errno.EINVAL):  # of the disk; an archive's own have none, or lead nowhere
                raise
            raise TaktError(f"cannot unpack {path}: {_why(error)}") from error
        yield plain


def _why(error: Exception) -> str:
    """What is wrong with an archive."""
    if isinstance(error, NotImplementedError):
        return "it is packed in a way that is not known here; unpack it yourself"
    if isinstance(error, RuntimeError):
        return "it needs a password; unpack it yourself"
    return "its packed bytes are damaged" if isinstance(error, (OSError, ValueError)) else plainly(error)


def _unpack(plain: Path, inner: Path, path: Path) -> bool:
    """Take one layer of packing off; False if there is none. Raises TaktError for what is no text."""
    with plain.open("rb") as source:
        head = source.read(HEAD)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with zipfile.ZipFile(plain) as archive:
            name = _member(archive, path)
            if archive.getinfo(name).compress_type == zipfile.ZIP_LZMA:  # asks for what memory it likes
                raise TaktError(
                    f"{path} is a zip packed by LZMA, which is not unpacked here; pack it as zips mostly are"
                )
            with archive.open(name) as member:
                _copy(member, inner, plain.stat().st_size, path)
    elif opened := next((how for magic, how in PACKED.items() if head.startswith(magic)), None):
        with opened(plain, "rb") as member:
            _copy(member, inner, plain.stat().st_size, path)
    else:
        _refuse(head, path)
        return False
    inner.replace(plain)
    return True


def _copy(source: IO[bytes], to: Path, packed: int, path: Path) -> None:
    """Unpack, and stop at more than any file of flights comes to: a bomb would fill the disk."""
    left = most = min(MOST_BYTES, max(LEAST_BYTES, RATIO * packed))
    with to.open("wb") as target:
        while part := source.read(min(1 << 20, left + 1)):
            left -= len(part)
            if left < 0:
                raise TaktError(f"{path} unpacks to more than {most // 2**20} MiB; unpack it yourself if that is right")
            target.write(part)


def _member(archive: zipfile.ZipFile, path: Path) -> str:
    """The one CSV of an archive, whatever a file manager has left beside it."""
    names = archive.namelist()
    for within, what in IN_ZIP.items():
        if any(name.startswith(within) for name in names):
            raise TaktError(f"{path} is {what}, not a CSV; save the sheet as CSV")
    real = [name for name in names if not name.endswith("/") and not _litter(name)]
    found = [name for name in real if name.lower().endswith((".csv", ".csv.gz", ".csv.bz2", ".csv.xz"))]
    if len(found) != 1:
        there = ", ".join(found or real)[:200] or "nothing"
        raise TaktError(f"{path} holds {len(found)} .csv files, and it is to hold one; there is: {there}")
    return found[0]


def _litter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _refuse(head: bytes, path: Path) -> None:
    """Raise TaktError if these first bytes are of something that is no CSV."""
    what = next((what for magic, what in NO_CSV.items() if head.startswith(magic)), "")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not what and head[257:262] == b"ustar":
        what = "a tar archive"
    elif not what and text.startswith((b"{", b"[")):
        what = "JSON"
    elif not what and text.startswith((b"<!", b"<?xml", b"<html", b"<HTML")):
        what = "a web page or XML"
    elif not what and b"\x00" in head:
        what = "not text"
    if what:
        raise TaktError(f"{path} is {what}, not a CSV" if "save it" not in what else f"{path} is {what}")
