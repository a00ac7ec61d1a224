"""Units and events of a fleet as Parquet, kept up to date beside its ledgers.

Finished shifts are added in parts, each file written whole or not at all; small parts are put together now and then. A
part is derived: delete the folder, and it is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from takt.contract.events import UNIT_BAD, Event
from takt.distribution import install
from takt.errors import TaktError
from takt.fleet.found import found_in
from takt.fleet.notes import notes_of
from takt.fleet.plan import Plan, Planned
from takt.fleet.record import Record
from takt.fleet.store import Ledgers, read, shown
from takt.judge.outcomes import Outcomes
from takt.ledger import canonical

FOLDER, PARTS, LOCK = "tables", "parts.json", "lock"
A_PART = 500  # shifts
A_GROUP = 20_000  # events that are kept in memory, and written together
MOST_PARTS = 16  # before they are put together
Parts = dict[str, list[list[str]]]
VIEWS = {
    "shifts": "a row for each shift that has ended or was left: what it is (`columns` as JSON), and what came out",
    "units": "a row for each unit that fell due: when, whether good, its cycle time, whether judged, and why bad",
    "events": "a row for each event: seconds of station time, kind, unit, data as JSON",
    "faults": "a row for each fault of a machine: which shift it cost how often, what it was, host and log",
}


def update(plan: Plan, enough: Callable[[], bool] = lambda: False, folder: Path | None = None) -> int:
    """Bring the tables up to date; how many shifts were added. Whoever else does so, or asks them, is waited for.

    enough   asked after every part; True ends it there, and the rest is for another time.
    folder   where they are, if not in the fleet's.
    """
    pa, pq = arrow()
    folder = folder or plan.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder):
        return _updated(pa, pq, plan, folder, enough)


@contextmanager
def up_to_date(plan: Plan) -> Iterator[Path]:
    """The folder of a fleet's tables, brought up to date; one for this time alone where nothing can be written."""
    folder = plan.folder / FOLDER
    try:
        update(plan)
    except OSError:
        with TemporaryDirectory() as own:
            update(plan, folder=Path(own))
            yield Path(own)
        return
    yield folder


def _updated(pa: Any, pq: Any, plan: Plan, folder: Path, enough: Callable[[], bool]) -> int:
    notes, ledgers = notes_of(plan), Ledgers(plan.store)
    try:
        records, faults = found_in(plan, notes, ledgers).records, notes.faults()
    finally:
        notes.close()
    parts = _parts(folder)
    known = {(one, digest) for shifts in parts.values() for one, digest in shifts}
    new = [
        (shift, records[shift.id])
        for shift in plan.shifts
        if shift.id in records and records[shift.id].ended and (shift.id, records[shift.id].digest) not in known
    ]
    for begun in range(0, len(new), A_PART):
        some = new[begun : begun + A_PART]
        name = f"{max((int(part) for part in parts), default=0) + 1:06d}"
        _write_part(pa, pq, ledgers, folder, name, some)
        parts[name] = [[shift.id, record.digest] for shift, record in some]
        _keep(folder, parts)
        if enough():
            return begun + len(some)
    if len(parts) > MOST_PARTS:
        _together(pq, folder, parts)
    _whole(pa, pq, folder / "shifts.parquet", list(_shift_rows(plan, records, ledgers)), schema_of(pa)["shifts"])
    told = [{**asdict(fault), "seed": str(fault.seed)} for fault in faults]
    _whole(pa, pq, folder / "faults.parquet", told, schema_of(pa)["faults"])
    return len(new)


@contextmanager
def held(folder: Path, to_read: bool = False) -> Iterator[None]:
    """Nobody writes these tables meanwhile, and nobody reads them unless we only read."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(ImportError):  # not on Windows
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_SH if to_read else fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise TaktError(f"Parquet needs the extra `fleet`: {install('fleet')}") from None
    return pyarrow, pyarrow.parquet


def schema_of(pa: Any) -> dict[str, Any]:
    text, whole, real, flag = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    of = [("id", text), ("arm", text), ("station", text), ("worker", text), ("seed", text)]
    made = [("id", text), ("digest", text)]  # arms are called as the plan has it, which may change
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
            [*made, ("unit", whole), ("due_s", real), ("ended_s", real), ("good", flag), ("cycle_s", real)]
            + [("judged", flag), ("reason", text)]
        ),
        "events": pa.schema([*made, ("seq", whole), ("t_s", real), ("kind", text), ("unit", whole), ("data", text)]),
        "faults": pa.schema(
            [("id", text), ("arm", text), ("seed", text), ("attempt", whole), ("kind", text), ("why", text)]
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


def _shift_rows(plan: Plan, records: Mapping[str, Record], ledgers: Ledgers) -> Iterator[dict[str, Any]]:
    for shift in plan.shifts:
        record = records.get(shift.id)
        if record is None:
            continue
        counts = {word: record.outcomes.count(letter) for word, letter in (("good", "g"), ("bad", "b"), ("open", "o"))}
        told = {key: getattr(record, key) for key in ("ended", "cut_off", "cycle_s", "station_s", "wall_s", "money")}
        told |= {key: getattr(record, key) for key in ("tokens", "host", "begun_utc", "digest")}
        rate = record.good / record.units if record.units else None
        where = {"columns": canonical(dict(shift.arm.columns)), "ledger": shown(ledgers.of(shift))}
        yield {**_of(shift), **where, "units": record.units, **counts, "rate": rate, **told}


def _unit_rows(of: Mapping[str, str], events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    found = Outcomes.of(events)
    judged = {unit.number for unit in found.judged}
    why = {e.unit: "; ".join(map(str, e.data.get("reasons", ()))) for e in events if e.kind == UNIT_BAD}
    for unit in found.units:
        told = {"unit": unit.number, "due_s": unit.due_s, "ended_s": unit.ended_s, "good": unit.good}
        rest = {"cycle_s": unit.cycle_s, "judged": unit.number in judged, "reason": why.get(unit.number)}
        yield {**of, **told, **rest}


def _write_part(
    pa: Any, pq: Any, ledgers: Ledgers, folder: Path, name: str, some: Sequence[tuple[Planned, Record]]
) -> None:
    schema = schema_of(pa)
    units: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    new = {view: folder / f".{view}-{name}-{os.getpid()}" for view in ("units", "events")}
    with pq.ParquetWriter(new["events"], schema["events"], compression="zstd") as events:
        for shift, record in some:
            log = read(ledgers.of(shift), lambda book: book.events())
            of = {"id": shift.id, "digest": record.digest}
            units += _unit_rows(of, log)
            rows += [
                {**of, "seq": n, "t_s": e.t_s, "kind": e.kind, "unit": e.unit, "data": canonical(e.data)}
                for n, e in enumerate(log)
            ]
            if len(rows) >= A_GROUP or shift is some[-1][0]:
                events.write_table(pa.Table.from_pylist(rows, schema["events"]))
                rows = []
    pq.write_table(pa.Table.from_pylist(units, schema["units"]), new["units"], compression="zstd")
    for view, path in new.items():
        path.replace(folder / f"{view}-{name}.parquet")


def _whole(pa: Any, pq: Any, path: Path, rows: list[dict[str, Any]], schema: Any) -> None:
    new = path.with_name(f".{path.name}-{os.getpid()}")
    pq.write_table(pa.Table.from_pylist(rows, schema), new, compression="zstd")
    new.replace(path)


def _together(pq: Any, folder: Path, parts: Parts) -> None:
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
    shifts = [one for part in old for one in parts[part]]
    parts.clear()
    parts[name] = shifts
    _keep(folder, parts)
    for view in ("units", "events"):
        for part in old:
            (folder / f"{view}-{part}.parquet").unlink(missing_ok=True)


def _parts(folder: Path) -> Parts:
    """The parts that are there whole, with the ids and digests of the shifts in each.

    Files of no part (a writer died) are removed."""
    try:
        told = json.loads((folder / PARTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    parts = {
        name: shifts
        for name, shifts in told.items()
        if all(isinstance(one, list) for one in shifts)  # else an older Takt's
        and all((folder / f"{view}-{name}.parquet").exists() for view in ("units", "events"))
    }
    for view in ("units", "events"):
        for file in folder.glob(f"{view}-*.parquet"):
            if file.stem.removeprefix(f"{view}-") not in parts:
                file.unlink(missing_ok=True)
    for half in folder.glob(".*-*"):
        half.unlink(missing_ok=True)
    return parts


def _keep(folder: Path, parts: Parts) -> None:
    new = folder / f".{PARTS}-{os.getpid()}"
    new.write_text(json.dumps(parts), encoding="utf-8")
    new.replace(folder / PARTS)


def files_of(folder: Path, view: str) -> list[Path]:
    if view in ("shifts", "faults"):
        return [path] if (path := folder / f"{view}.parquet").exists() else []
    return sorted(folder / f"{view}-{name}.parquet" for name in _parts(folder))
