"""A CSV file, also as .gz or as .zip of one file, becomes a DuckDB table of text.

Whatever is wrong is a `TaktError` of one line: file, line, column, what is wrong there, and what to do.
"""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from takt.distribution import install
from takt.station import TaktError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHEET = "sheet"  # the table of what `read` read last
MISSING = ("", "NA", "NaN", "null")

Names = Mapping[str, tuple[str, ...]]  # what a column is for: the names that it is known by


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file, read: the table `SHEET` of `db`, all text, null where there is nothing.

    named  the columns of the table, and what the file calls them. One more is `number`: 0 for the first row, and so on;
           blank lines have none.
    """

    db: DuckDBPyConnection
    path: Path
    named: Mapping[str, str]


def open_database() -> DuckDBPyConnection:
    """An empty database in memory, which never asks the network."""
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise TaktError(f"the situation board needs DuckDB, which is not here: {install('situation')}") from error
    return duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})


def parse_columns(text: str, names: Names) -> dict[str, str]:
    """`date=FL_DATE,dest=TO` as a mapping; the keys are those of `names`."""
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name or key not in names:
            raise TaktError(f"--columns {part.strip()!r} is not KEY=NAME; the keys are: {', '.join(names)}")
        found[key] = name
    return found


def read(db: DuckDBPyConnection, path: Path, names: Names, given: Mapping[str, str]) -> Sheet:
    """The columns of a CSV file that `names` knows, or that are `given` by the file's own names; see `Sheet`."""
    try:
        with _unpacked(path) as plain:
            header = _header(plain, path)
            columns = _columns(path, header, names, given)
            _load(db, plain, len(header), {key: header.index(name) for key, name in columns.items()}, path)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise TaktError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    return Sheet(db, path, columns)


def require(sheet: Sheet, needed: Mapping[str, str]) -> None:
    """`TaktError` if the file lacks one of the columns; `needed` says what each is for."""
    for key, what in needed.items():
        if key not in sheet.named:
            raise no_column(sheet.path, what, key)


def no_column(path: Path, what: str, key: str) -> TaktError:
    """That a file has no column for something, and what to do."""
    with _unpacked(path) as plain:
        there = ", ".join(_header(plain, path))
    return TaktError(f"{path}, line 1: no column for {what}; there are: {there}; say --columns {key}=NAME")


def refuse(sheet: Sheet, column: str, wrong: str, why: str) -> None:
    """`TaktError` that names the first line where `wrong`, an SQL condition on the sheet's columns, holds."""
    query = f"SELECT number, {column} FROM {SHEET} WHERE {wrong} ORDER BY number LIMIT 1"
    found = sheet.db.execute(query).fetchone()
    if found is not None:
        value = "nothing" if found[1] is None else repr(found[1])
        line = _line(sheet.path, found[0])
        raise TaktError(f"{sheet.path}, line {line}, column {sheet.named[column]}: {value} {why}")


def as_date(text: str) -> str:
    """SQL for the day of a column that has days or moments; null if it has none, or none from 1900 to 2199."""
    day = f"try_strptime(regexp_extract({text}, '^[^T ]+'), ['%Y-%m-%d', '%Y%m%d', '%m/%d/%Y'])::DATE"
    return f"(CASE WHEN year({day}) BETWEEN 1900 AND 2199 THEN {day} END)"


def as_count(text: str) -> str:
    """SQL for a whole number, which may be written 12.0; null if it is none."""
    return f"(CASE WHEN regexp_full_match({text}, '-?[0-9]+([.]0*)?') THEN try_cast({text} AS BIGINT) END)"


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A copy of the file, not packed, under a name that DuckDB takes for no pattern."""
    with _opened(path) as source, tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.csv")
        with plain.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield plain


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if path.suffix == ".gz":
        with gzip.open(path) as packed:
            yield packed
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise TaktError(f"{path} holds {len(names)} .csv files; it is to hold one")
            with archive.open(names[0]) as member:
                yield member
    else:
        with path.open("rb") as source:
            yield source


def _header(plain: Path, path: Path) -> list[str]:
    with plain.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        header = [name.strip() for name in next(csv.reader(text), [])]
    if not any(header):
        raise TaktError(f"{path}, line 1: nothing there; it is the names of the columns")
    if len(header) == 1 and (other := next((mark for mark in (";", "\t", "|") if mark in header[0]), None)):
        raise TaktError(f"{path}, line 1: the columns are separated by {other!r}; save it with commas")
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice:
        raise TaktError(f"{path}, line 1: two columns are called {twice!r}; rename one")
    return header


def _columns(path: Path, header: Sequence[str], names: Names, given: Mapping[str, str]) -> dict[str, str]:
    there = {_plain(name): name for name in header}
    found = {}
    for key, usual in names.items():
        if key in given:
            if _plain(given[key]) not in there:
                raise no_column(path, f"{key}, given as {given[key]!r}", key)
            found[key] = there[_plain(given[key])]
        elif name := next((there[name] for name in usual if name in there), None):
            found[key] = name
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def _load(db: DuckDBPyConnection, plain: Path, width: int, columns: Mapping[str, int], path: Path) -> None:
    """Make the table `SHEET` of the file's rows, but for those that have nothing."""
    import duckdb

    texts = {f"c{n}": "VARCHAR" for n in range(width)}
    dialect = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"
    query = f"CREATE OR REPLACE TABLE rows AS FROM read_csv($path, {dialect}, columns = $texts)"
    try:
        db.execute(query, {"path": str(plain), "texts": texts})
    except duckdb.Error as error:
        _check_rows(plain, width, path)
        raise TaktError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
    words = ", ".join(f"'{word}'" for word in MISSING)
    cells = [f"CASE WHEN trim(c{n}) NOT IN ({words}) THEN trim(c{n}) END AS {key}" for key, n in columns.items()]
    something = f"coalesce({', '.join(['NULL', *columns])}) IS NOT NULL" if columns else "true"
    chosen = ", ".join(["rowid AS number", *cells])
    db.execute(f"CREATE OR REPLACE TABLE {SHEET} AS FROM (SELECT {chosen} FROM rows) WHERE {something}")
    db.execute("DROP TABLE rows")
    if db.execute(f"SELECT count(*) FROM {SHEET}").fetchone() == (0,):
        raise TaktError(f"{path} has no row below the names of its columns")


def _check_rows(plain: Path, width: int, path: Path) -> None:
    """`TaktError` that names the first line that is no UTF-8, of another width than line 1, or leaves a quote open."""
    with plain.open("rb") as rows:
        for number, row in enumerate(rows, start=1):
            try:
                row.decode()
            except UnicodeDecodeError as error:
                raise TaktError(f"{path}, line {number}: not UTF-8 text; save it as UTF-8") from error
    with plain.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            for cells in reader:
                if cells and len(cells) != width:
                    raise TaktError(f"{path}, line {reader.line_num}: {len(cells)} columns where line 1 names {width}")
        except csv.Error as error:
            raise TaktError(f"{path}, line {reader.line_num}: {error}; is a quote missing?") from error


def _line(path: Path, number: int) -> int:
    """The line of the file on which the row of that number ends."""
    with _unpacked(path) as plain, plain.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        filled = (reader.line_num for cells in reader if cells)
        return next(line for row, line in enumerate(filled, start=-1) if row == number)
