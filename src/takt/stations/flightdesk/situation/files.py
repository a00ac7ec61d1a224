"""A CSV file, also as .gz or as .zip of one file, becomes a DuckDB table of text.

Whatever is wrong is a `TaktError` of one line: file, line, column, what is wrong there, and what to do.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from takt.contract.foreign import check_stop
from takt.contract.station import TaktError
from takt.distribution import install
from takt.plainly import plainly
from takt.stations.flightdesk.situation.columns import Names, columns, no_column, parse_columns
from takt.stations.flightdesk.situation.unpack import unpacked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "SHEET",
    "Names",
    "Sheet",
    "as_count",
    "as_date",
    "day_first",
    "in_our_words",
    "keep_notes",
    "no_column",
    "notes",
    "open_database",
    "parse_columns",
    "read",
    "refuse",
    "require",
]

SHEET = "sheet"  # the table of what `read` read last
# What spreadsheets, databases and programs write where there is nothing, in small letters.
MISSING = (
    "",
    *[
        "na",
        "n/a",
        "n.a.",
        "n\\a",
        "n/d",
        "nd",
        "#n/a",
        "#na",
        "#null!",
        "nan",
        "-nan",
        "1.#qnan",
        "-1.#ind",
        "nat",
        "null",
        "none",
        "nil",
        "undefined",
        "missing",
    ],
    *[
        "unknown",
        "<na>",
        "<null>",
        "<none>",
        "(null)",
        "(none)",
        "(blank)",
        "[null]",
        "\\n",
        "-",
        "--",
        "---",
        "–",
        "—",
        ".",
        "..",
        "...",
        "?",
        "*",
    ],
    *("#n/a n/a", "not available"),
)
# Words of the above that are codes where they stand so in capitals: Nadi and Natal; airlines of two and three letters.
# Programs write nan, NaN and NaT for what is missing.
CODES = {
    "origin": ("NAN", "NAT"),
    "dest": ("NAN", "NAT"),
    "destination": ("NAN", "NAT"),
    "carrier": ("NA", "ND", "NAN", "NAT"),
}
# How MySQL, .NET, spreadsheets, C and databases write that there is none: their first day, or their last.
_NO_MOMENT = (
    "000[01][-/.][0-9]{2}[-/.][0-9]{2}.*|0{1,2}[-/.]0{1,2}[-/.]0{4}.*|9999-12-31.*"
    "|(1899-12-3[01]|1900-01-0[01]|1970-01-01)([T ]00:00(:00([.]0+)?)?(Z|[+]00:?00)?)?"
)
_DAY = "[0-9]{1,2}([/.-])[0-9]{1,2}[/.-][0-9]{4}"  # day and month in either order


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file, read: the table `SHEET` of `db`, all text, null where there is nothing.

    named   the columns of the table, and what the file calls them. One more is `number`: 0 for the first row, and on;
            blank lines have none.
    header  all that the file has.
    notes   what was chosen where there was a choice, a sentence each.
    """

    db: DuckDBPyConnection
    path: Path
    named: Mapping[str, str]
    header: Sequence[str]
    notes: list[str] = field(default_factory=list)


def open_database() -> DuckDBPyConnection:
    """An empty database in memory, which never asks the network."""
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise TaktError(f"the situation board needs DuckDB, which is not here: {install('situation')}") from error
    return duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})


@contextmanager
def in_our_words(paths: Sequence[Path]) -> Iterator[None]:
    """What DuckDB raises in here becomes a TaktError; and what it makes of Ctrl-C is Ctrl-C again."""
    try:
        yield
    except TaktError:
        raise
    except Exception as error:
        check_stop()
        if "duckdb" not in type(error).__module__:
            raise
        raise TaktError(f"cannot make a board of {', '.join(map(str, paths))}: {plainly(error)}") from error


def read(db: DuckDBPyConnection, path: Path, names: Names, given: Mapping[str, str]) -> Sheet:
    """The columns of a CSV file that `names` knows, or that are `given` by the file's own names; see `Sheet`."""
    try:
        with unpacked(path) as plain:
            header = _header(plain, path)
            named, notes = columns(path, header, names, given)
            _load(db, plain, len(header), {key: header.index(name) for key, name in named.items()}, path)
    except OSError as error:
        raise TaktError(f"cannot read {path}: {error.strerror or error}") from error
    return Sheet(db, path, named, header, notes)


def require(sheet: Sheet, needed: Mapping[str, str]) -> None:
    """`TaktError` if the file lacks one of the columns; `needed` says what each is for."""
    for key, what in needed.items():
        if key not in sheet.named:
            raise no_column(sheet.path, sheet.header, what, key)


def keep_notes(sheet: Sheet) -> None:
    """Keep in the database what must be said of the file beside the figures."""
    sheet.db.execute("CREATE TABLE notes (note VARCHAR)")
    for note in sheet.notes:
        sheet.db.execute("INSERT INTO notes VALUES (?)", [f"{sheet.path}: {note}"])


def notes(db: DuckDBPyConnection) -> list[str]:
    """What must be said beside the figures, a sentence each."""
    return [note for (note,) in db.execute("FROM notes").fetchall()]


def refuse(sheet: Sheet, column: str, wrong: str, why: str) -> None:
    """`TaktError` that names the first line where `wrong`, an SQL condition on the sheet's columns, holds."""
    query = f"SELECT number, {column} FROM {SHEET} WHERE {wrong} ORDER BY number LIMIT 1"
    found = sheet.db.execute(query).fetchone()
    if found is not None:
        value = "nothing" if found[1] is None else repr(found[1])
        line = _line(sheet.path, found[0])
        raise TaktError(f"{sheet.path}, line {line}, column {sheet.named[column]}: {value} {why}")


def day_first(sheet: Sheet, column: str, said: str | None = None) -> bool:
    """Whether days such as 01/02/2026 in this column are written day first: by what the file itself shows.

    said   "day-first" or "month-first", if the user says it, which counts where the file does not show it.

    Raises TaktError if it can be read either way and nobody says which, or if the file has both.
    """
    name = sheet.named[column]
    first, second = (f"try_cast(regexp_extract({column}, '^([0-9]+)[/.-]([0-9]+)', {n}) AS INTEGER)" for n in (1, 2))
    query = f"""SELECT any_value({column}), max({first}) > 12, max({second}) > 12, bool_or(contains({column}, '.'))
FROM {SHEET} WHERE regexp_full_match({column}, '{_DAY}([T ].*)?')"""
    example, day, month, dotted = (sheet.db.execute(query).fetchone() or (None,) * 4)[:4]
    if example is None:
        return False
    if day and month:
        refuse(sheet, column, f"{first} > 12", "is written day first, and other days in the file month first")
    if day or month:
        if said is not None and (said == "day-first") != bool(day):
            shown = "day first" if day else "month first"
            raise TaktError(f"{sheet.path}, column {name}: days are written {shown}, as they show; leave --dates out")
        return bool(day)
    if said is not None:
        return said == "day-first"
    if dotted:
        return True  # nobody writes 2.10.2013 for the tenth of February
    if name.upper() == "FL_DATE" or name == "FlightDate":
        return False  # the US Bureau of Transportation Statistics' files
    raise TaktError(
        f"{sheet.path}, column {name}: {example!r} can be read day first or month first; say --dates day-first or "
        "month-first"
    )


def as_date(text: str, days_first: bool = False) -> str:
    """SQL for the day of a column that has days or moments; null if it has none, or none from 1900 to 2199."""
    forms = ["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%d-%b-%Y", "%d-%B-%Y"]
    forms += ["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"] if days_first else ["%m/%d/%Y", "%m-%d-%Y"]
    day = f"try_strptime(regexp_extract({text}, '^[^T ]+'), {forms})::DATE"
    since_1970 = f"epoch_ms(1000 * {text}::DOUBLE::BIGINT)::DATE"
    day = f"CASE WHEN regexp_full_match({text}, '[0-9]{{9,10}}([.]0*)?') THEN {since_1970} ELSE {day} END"
    return f"(CASE WHEN year({day}) BETWEEN 1900 AND 2199 THEN {day} END)"


def as_count(text: str) -> str:
    """SQL for a whole number, which may be written 12.0; null if it is none."""
    return f"(CASE WHEN regexp_full_match({text}, '-?[0-9]+([.]0*)?') THEN try_cast({text} AS INTEGER) END)"


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
        check_stop()
        raise TaktError(f"{path} cannot be read as a CSV: {plainly(error)}") from error
    words = _quoted(MISSING)
    spaces = "' ' || chr(9) || chr(160) || chr(13) || chr(10)"
    cells = [
        f"CASE WHEN trim(c{n}, {spaces}) IN ({_quoted(CODES.get(key, ()))}) "
        f"OR lower(trim(c{n}, {spaces})) NOT IN ({words}) "
        f"AND NOT regexp_full_match(trim(c{n}, {spaces}), '{_NO_MOMENT}') "
        f"THEN trim(c{n}, {spaces}) END AS {key}"
        for key, n in columns.items()
    ]
    something = f"coalesce({', '.join(['NULL', *columns])}) IS NOT NULL" if columns else "true"
    chosen = ", ".join(["rowid AS number", *cells])
    db.execute(f"CREATE OR REPLACE TABLE {SHEET} AS FROM (SELECT {chosen} FROM rows) WHERE {something}")
    db.execute("DROP TABLE rows")
    if db.execute(f"SELECT count(*) FROM {SHEET}").fetchone() == (0,):
        raise TaktError(f"{path} has no row below the names of its columns")


def _quoted(words: Sequence[str]) -> str:
    """A list of texts for SQL; of nothing, if there are none."""
    return ", ".join(f"'{word}'" for word in words) or "NULL"


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
            raise TaktError(f"{path}, line {reader.line_num}: no line of a CSV; is a quote missing?") from error


def _line(path: Path, number: int) -> int:
    """The line of the file on which the row of that number ends."""
    with unpacked(path) as plain, plain.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        filled = (reader.line_num for cells in reader if cells)
        return next(line for row, line in enumerate(filled, start=-1) if row == number)
