"""Questions in SQL to the tables of fleets (`takt.fleet.tables`), answered by DuckDB."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from takt.distribution import install
from takt.errors import TaktError
from takt.fleet.plan import Plan
from takt.fleet.tables import arrow, files_of, held, schema_of, up_to_date

MOST_ROWS = 1_000_000  # of an answer
MEMORY_SHARE = 4  # a question may take a quarter of the machine's memory
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)
_ASKS = re.compile(  # PIVOT is several statements in one, and EXPLAIN ANALYZE does what it explains
    r"(EXPLAIN\s+(ANALYZE\s+)?)?(\(|(SELECT|WITH|FROM|VALUES|TABLE|PIVOT|UNPIVOT|DESCRIBE|SHOW|SUMMARIZE)\b)", re.I
)


def query(
    plans: Sequence[Plan], sql: str, on_line: Callable[[str], None] = lambda line: None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """What `ask` answers of these fleets' tables, which are brought up to date first."""
    with ExitStack() as some:
        return ask([some.enter_context(up_to_date(plan)) for plan in plans], sql, on_line)


def ask(
    tables: Sequence[Path], sql: str, on_line: Callable[[str], None] = lambda line: None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The answer to a question in DuckDB's SQL over the views (`VIEWS`) of the tables in these folders: names of
    columns, and rows.

    A shift that several of them have is in the views once, as the first of them calls it; `on_line` is told so. The
    question sees nothing but the tables, no other file and no network, and changes nothing. Raises TaktError if it is
    wrong, has more than MOST_ROWS for an answer, or takes more memory than it may.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise TaktError(f"questions in SQL need the extra `fleet`: {install('fleet')}") from None
    with ExitStack() as reading:
        folders = [folder.resolve() for folder in tables]
        twice = next((folder for folder in folders if folders.count(folder) > 1), None)
        if twice is not None:
            raise TaktError(f"two of these fleets have the same folder, {twice.parent}; ask them one by one")
        for folder in folders:
            reading.enter_context(held(folder, to_read=True))
        database = reading.enter_context(duckdb.connect(":memory:"))
        for view, schema in schema_of(arrow()[0]).items():
            database.from_arrow(schema.empty_table()).create(f"no_{view}")
            database.execute(f"CREATE VIEW {view} AS {' UNION ALL BY NAME '.join(_selected(view, folders))}")
        database.execute(f"SET allowed_directories = [{', '.join(map(_quoted, folders))}]")
        database.execute("SET temp_directory = ''")  # else it fills the disk where one works
        database.execute(f"SET memory_limit = '{_memory() // MEMORY_SHARE // 1_000_000}MB'")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            (shared,) = database.execute(_shared(folders)).fetchone() or (0,)
            if shared:
                on_line(f"{shared} shifts are of several of these fleets; each is counted once, as the first calls it")
            _check_asks(duckdb, sql)
            answer = database.execute(sql)
            if answer.description is None:
                return [], []
            rows = answer.fetchmany(MOST_ROWS + 1)
            if len(rows) > MOST_ROWS:
                raise TaktError(f"the answer has more than {MOST_ROWS:,} rows; ask for fewer with LIMIT, or for sums")
            return [column[0] for column in answer.description], rows
        except duckdb.OutOfMemoryException as error:
            most = f"{_memory() / MEMORY_SHARE / 1e9:.1f} GB, a quarter of this machine's memory"
            raise TaktError(f"that question takes more than {most}; ask for less at a time") from error
        except duckdb.Error as error:
            raise TaktError(f"DuckDB does not answer that: {' '.join(str(error).split())}") from error


def _selected(view: str, folders: Sequence[Path]) -> Iterator[str]:
    """What a view is, fleet by fleet. Units and events are of the shifts that its plan has now, and whose ledgers are
    there and the same; arms are called as they are now."""
    columns = "s.id, s.arm, s.station, s.worker, s.seed, x.* EXCLUDE (id, digest)"
    for number, folder in enumerate(folders):
        files, before = files_of(folder, view), _ids(folders[:number])
        once = f" WHERE id NOT IN ({before})" if before and view != "faults" else ""
        if not files:
            columns_of_none = columns if view in ("units", "events") else "x.*"
            also = ", no_shifts AS s" if view in ("units", "events") else ""
            yield f"SELECT {columns_of_none} FROM no_{view} AS x{also}"
        elif view in ("units", "events"):
            shifts = _quoted(folder / "shifts.parquet")
            yield f"SELECT {columns} FROM {_read(files)} AS x JOIN read_parquet({shifts}) AS s USING (id, digest){once}"
        else:
            yield f"SELECT * FROM {_read(files)}{once}"


def _ids(folders: Sequence[Path]) -> str:
    """The ids of all shifts of these fleets, as a question; "" if they have none."""
    there = [file for folder in folders for file in files_of(folder, "shifts")]
    return " UNION ALL ".join(f"SELECT id FROM read_parquet({_quoted(file)})" for file in there)


def _shared(folders: Sequence[Path]) -> str:
    """How many shifts are of several of these fleets, as a question."""
    ids = _ids(folders)
    return f"SELECT count(*) - count(DISTINCT id) FROM ({ids})" if ids else "SELECT 0"


def _memory() -> int:
    """Of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8_000_000_000


def _read(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(map(_quoted, files))}])"


def _quoted(path: Path) -> str:
    """As a text of SQL's."""
    return "'" + str(path).replace("'", "''") + "'"


def _check_asks(duckdb: Any, sql: str) -> None:
    """Raise TaktError for what is no question: COPY and its like could write over the tables."""
    kinds, found = duckdb.StatementType, duckdb.extract_statements(sql)
    if not found:
        raise TaktError("there is no question; it begins with SELECT, WITH, FROM, DESCRIBE or their like")
    for one in found:
        plain = _COMMENTS.sub(" ", one.query).strip()
        if one.type not in (kinds.SELECT, kinds.EXPLAIN, kinds.MULTI) or not _ASKS.match(plain):
            word = plain.split(maxsplit=1)[0][:40].upper() if plain else "nothing"
            raise TaktError(f"a question begins with SELECT, WITH, FROM, DESCRIBE or their like, not with {word}")
    if len(found) > 1:
        raise TaktError(f"there are {len(found)} questions; ask them one by one")
