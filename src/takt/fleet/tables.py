"""Units and events of a fleet as Parquet, kept up to date beside its ledgers, and questions to them in SQL.

Finished shifts are added in parts, each file written whole or not at all; small parts are put together now and then. A
part is derived: delete the folder, and it is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from takt.contract.events import UNIT_BAD, Event
from takt.distribution import install
from takt.errors import TaktError
from takt.fleet.drive import found_in
from takt.fleet.notes import notes_of
from takt.fleet.plan import Plan, Planned
from takt.fleet.record import Record
from takt.fleet.store import ledger_of, read, shown
from takt.judge.outcomes import Outcomes
from takt.ledger import canonical

FOLDER, PARTS, LOCK = "tables", "parts.json", "lock"
A_PART = 500  # shifts
A_GROUP = 20_000  # events that are kept in memory, and written together
MOST_PARTS = 16  # before they are put together
VIEWS = {
    "shifts": "a row for each shift that has ended or was left: what it is (`columns` as JSON), and what came out",
    "units": "a row for each unit that fell due: when, whether good, its cycle time, whether judged, and why bad",
    "events": "a row for each event: seconds of station time, kind, unit, data as JSON",
    "faults": "a row for each fault of a machine: which shift it cost how often, what it was, host and log",
}


def update(plan: Plan, enough: Callable[[], bool] = lambda: False) -> int:
    """Bring the tables up to date; how many shifts were added. Whoever else does so, or asks them, is waited for.

    enough   asked after every part; True ends it there, and the rest is for another time.
    """
    pa, pq = _arrow()
    folder = plan.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder):
        return _updated(pa, pq, plan, folder, enough)


def _updated(pa: Any, pq: Any, plan: Plan, folder: Path, enough: Callable[[], bool]) -> int:
    notes = notes_of(plan)
    try:
        records, faults = found_in(plan, notes), notes.faults()
    finally:
        notes.close()
    parts = _parts(folder)
    known = {one for ids in parts.values() for one in ids}
    new = [shift for shift in plan.shifts if shift.id in records and records[shift.id].ended and shift.id not in known]
    for begun in range(0, len(new), A_PART):
        some = new[begun : begun + A_PART]
        name = f"{max((int(part) for part in parts), default=0) + 1:06d}"
        _write_part(pa, pq, plan, folder, name, some)
        parts[name] = [shift.id for shift in some]
        _keep(folder, parts)
        if enough():
            return begun + len(some)
    if len(parts) > MOST_PARTS:
        _together(pq, folder, parts)
    _whole(pa, pq, folder / "shifts.parquet", list(_shift_rows(plan, records)), _schema(pa)["shifts"])
    _whole(pa, pq, folder / "faults.parquet", [asdict(fault) for fault in faults], _schema(pa)["faults"])
    return len(new)


def query(plans: Sequence[Plan], sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The answer to a question in DuckDB's SQL over the views (`VIEWS`) of these fleets: names of columns, and rows.

    The question sees nothing but the tables: no other file, no network. Raises TaktError if it is wrong.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise TaktError(f"questions in SQL need the extra `fleet`: {install('fleet')}") from None
    with ExitStack() as reading:
        for plan in plans:
            if (plan.folder / FOLDER).is_dir():
                reading.enter_context(_held(plan.folder / FOLDER, to_read=True))
        database = reading.enter_context(duckdb.connect(":memory:"))
        for view in VIEWS:
            files = [str(file) for plan in plans for file in _files(plan.folder / FOLDER, view)]
            if not files:
                raise TaktError(f"there are no {view} yet: no shift of this fleet has ended")
            database.from_parquet(files, union_by_name=True).create_view(view)
        folders = [str((plan.folder / FOLDER).resolve()) for plan in plans]
        database.execute(f"SET allowed_directories = {folders!r}")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        try:
            answer = database.execute(sql)
            if answer.description is None:
                return [], []
            return [column[0] for column in answer.description], answer.fetchall()
        except duckdb.Error as error:
            raise TaktError(f"DuckDB does not answer that: {' '.join(str(error).split())}") from error


@contextmanager
def _held(folder: Path, to_read: bool = False) -> Iterator[None]:
    """Nobody writes these tables meanwhile, and nobody reads them unless we only read."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(ImportError):  # not on Windows
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_SH if to_read else fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise TaktError(f"Parquet needs the extra `fleet`: {install('fleet')}") from None
    return pyarrow, pyarrow.parquet


def _schema(pa: Any) -> dict[str, Any]:
    text, whole, real, flag = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    of = [("id", text), ("arm", text), ("station", text), ("worker", text), ("seed", text)]
    return {
        "shifts": pa.schema(
            [
                *of,
                ("columns", text),
                ("ended", text),
                ("units", whole),
                ("good", whole),
                ("bad", whole),
                ("open", whole),
            ]
            + [("cut_off", whole), ("rate", real), ("cycle_s", real), ("station_s", real), ("wall_s", real)]
            + [
                ("money", real),
                ("tokens", whole),
                ("host", text),
                ("begun_utc", text),
                ("digest", text),
                ("ledger", text),
            ]
        ),
        "units": pa.schema(
            [*of, ("unit", whole), ("due_s", real), ("ended_s", real), ("good", flag), ("cycle_s", real)]
            + [("judged", flag), ("reason", text)]
        ),
        "events": pa.schema([*of, ("seq", whole), ("t_s", real), ("kind", text), ("unit", whole), ("data", text)]),
        "faults": pa.schema(
            [("id", text), ("arm", text), ("seed", whole), ("attempt", whole), ("kind", text), ("why", text)]
            + [("host", text), ("log", text), ("at_utc", text), ("given_up", flag)]
        ),
    }


def _of(shift: Planned) -> dict[str, Any]:
    columns = shift.arm.columns
    return {
        "id": shift.id,
        "arm": shift.arm.name,
        "station": str(columns["station"]),
        "worker": str(columns["worker"]),
        "seed": str(shift.seed),  # of up to 128 bits
    }


def _shift_rows(plan: Plan, records: Mapping[str, Record]) -> Iterator[dict[str, Any]]:
    for shift in plan.shifts:
        record = records.get(shift.id)
        if record is None:
            continue
        counts = {word: record.outcomes.count(letter) for word, letter in (("good", "g"), ("bad", "b"), ("open", "o"))}
        told = {key: getattr(record, key) for key in ("ended", "cut_off", "cycle_s", "station_s", "wall_s", "money")}
        told |= {key: getattr(record, key) for key in ("tokens", "host", "begun_utc", "digest")}
        rate = record.good / record.units if record.units else None
        where = {"columns": canonical(dict(shift.arm.columns)), "ledger": shown(ledger_of(plan.store, shift))}
        yield {**_of(shift), **where, "units": record.units, **counts, "rate": rate, **told}


def _unit_rows(shift: Planned, events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    found = Outcomes.of(events)
    judged = {unit.number for unit in found.judged}
    why = {e.unit: "; ".join(map(str, e.data.get("reasons", ()))) for e in events if e.kind == UNIT_BAD}
    for unit in found.units:
        told = {"unit": unit.number, "due_s": unit.due_s, "ended_s": unit.ended_s, "good": unit.good}
        rest = {"cycle_s": unit.cycle_s, "judged": unit.number in judged, "reason": why.get(unit.number)}
        yield {**_of(shift), **told, **rest}


def _write_part(pa: Any, pq: Any, plan: Plan, folder: Path, name: str, some: Sequence[Planned]) -> None:
    schema = _schema(pa)
    units: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    new = {view: folder / f".{view}-{name}-{os.getpid()}" for view in ("units", "events")}
    with pq.ParquetWriter(new["events"], schema["events"], compression="zstd") as events:
        for shift in some:
            log = read(ledger_of(plan.store, shift), lambda book: book.events())
            units += _unit_rows(shift, log)
            of = _of(shift)
            rows += [
                {**of, "seq": n, "t_s": e.t_s, "kind": e.kind, "unit": e.unit, "data": canonical(e.data)}
                for n, e in enumerate(log)
            ]
            if len(rows) >= A_GROUP or shift is some[-1]:
                events.write_table(pa.Table.from_pylist(rows, schema["events"]))
                rows = []
    pq.write_table(pa.Table.from_pylist(units, schema["units"]), new["units"], compression="zstd")
    for view, path in new.items():
        path.replace(folder / f"{view}-{name}.parquet")


def _whole(pa: Any, pq: Any, path: Path, rows: list[dict[str, Any]], schema: Any) -> None:
    new = path.with_name(f".{path.name}-{os.getpid()}")
    pq.write_table(pa.Table.from_pylist(rows, schema), new, compression="zstd")
    new.replace(path)


def _together(pq: Any, folder: Path, parts: dict[str, list[str]]) -> None:
    """All parts as one, a row group at a time, so that it takes no memory to speak of."""
    old = sorted(parts)
    name = f"{int(old[-1]) + 1:06d}"
    for view in ("units", "events"):
        new = folder / f".{view}-{name}-{os.getpid()}"
        first = pq.ParquetFile(folder / f"{view}-{old[0]}.parquet").schema_arrow
        with pq.ParquetWriter(new, first, compression="zstd") as out:
            for part in old:
                with pq.ParquetFile(folder / f"{view}-{part}.parquet") as file:
                    for group in range(file.num_row_groups):
                        out.write_table(file.read_row_group(group))
        new.replace(folder / f"{view}-{name}.parquet")
    ids = [one for part in old for one in parts[part]]
    parts.clear()
    parts[name] = ids
    _keep(folder, parts)
    for view in ("units", "events"):
        for part in old:
            (folder / f"{view}-{part}.parquet").unlink(missing_ok=True)


def _parts(folder: Path) -> dict[str, list[str]]:
    """The parts that are there whole, with the shifts in each. Files of no part (a writer died) are removed."""
    try:
        told = json.loads((folder / PARTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    parts = {
        name: ids
        for name, ids in told.items()
        if all((folder / f"{view}-{name}.parquet").exists() for view in ("units", "events"))
    }
    for view in ("units", "events"):
        for file in folder.glob(f"{view}-*.parquet"):
            if file.stem.removeprefix(f"{view}-") not in parts:
                file.unlink(missing_ok=True)
    for half in folder.glob(".*-*"):
        half.unlink(missing_ok=True)
    return parts


def _keep(folder: Path, parts: Mapping[str, Sequence[str]]) -> None:
    new = folder / f".{PARTS}-{os.getpid()}"
    new.write_text(json.dumps(parts), encoding="utf-8")
    new.replace(folder / PARTS)


def _files(folder: Path, view: str) -> list[Path]:
    if view in ("shifts", "faults"):
        return [path] if (path := folder / f"{view}.parquet").exists() else []
    return sorted(folder / f"{view}-{name}.parquet" for name in _parts(folder))
