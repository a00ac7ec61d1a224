"""The units of a shift as a table: a record each, for other people's tools."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from takt.contract.events import THOUGHT, Event
from takt.distribution import install
from takt.errors import TaktError
from takt.judge.outcomes import Outcomes
from takt.judge.spans import fault_spans
from takt.judge.thinking import all_of, at_work_of
from takt.printable import cell
from takt.writing import Kind, table, whole_file

FIRST = (
    "unit", "due_s", "ended_s", "outcome", "judged", "cycle_s", "first_time", "reasons",
    "asked", "thinking_s", "asked_since_last", "thinking_since_last_s", "faults",
)  # fmt: skip
PARQUET = Kind("Parquet table", lambda head: head.startswith(b"PAR1"))
MOST_COLUMNS = 200  # a stranger's ledger could have a column for each of its units


def unit_records(events: Sequence[Event]) -> list[dict[str, Any]]:
    """A record for each unit, in the order in which they fell due; all have the same keys, FIRST in front.

    due_s, ended_s, cycle_s are seconds of station time; outcome is "good", "bad" or "open"; judged says whether figures
    and verdict count it (docs/kpi.md: else the end of the shift cuts it off, or it is open behind all that have ended).
    asked, thinking_s:
    how often the worker was asked to act while a unit was open, since a unit had last ended, and what of station time
    that took; None where the ledger does not say. asked_since_last, thinking_since_last_s: the same, waiting included.
    reasons and faults are names, joined by ";". What the station measured of a unit (`peak_push_n`) and of its parts
    (`left_tilt_deg`) follows, as far as it is a number, a text or yes or no.
    """
    outcomes = Outcomes.of(events)
    thoughts = {event.unit: event.data for event in events if event.kind == THOUGHT}
    spans = fault_spans(events, outcomes.end_s)
    judged = {unit.number for unit in outcomes.judged}
    records = []
    for unit in outcomes.units:
        over_s = outcomes.end_s if unit.ended_s is None else unit.ended_s
        thought = thoughts.get(unit.number)
        at_work = None if thought is None else at_work_of(thought)
        there = dict.fromkeys(s.name for s in spans if s.start_s < over_s and s.end_s > unit.due_s)
        record: dict[str, Any] = {
            "unit": unit.number,
            "due_s": unit.due_s,
            "ended_s": unit.ended_s,
            "outcome": "open" if unit.good is None else "good" if unit.good else "bad",
            "judged": unit.number in judged,
            "cycle_s": unit.cycle_s,
            "first_time": bool(unit.data.get("first_time", True)) if unit.good else None,
            "reasons": ";".join(str(reason) for reason in unit.data.get("reasons") or ()),
            "asked": None if at_work is None else at_work.calls,
            "thinking_s": None if at_work is None else at_work.seconds,
            "asked_since_last": None if thought is None else all_of(thought).calls,
            "thinking_since_last_s": None if thought is None else all_of(thought).seconds,
            "faults": ";".join(there),
        }
        record |= {key: value for key, value in unit.data.items() if key not in record and _is_plain(value)}
        for name, part in (unit.data.get("parts") or {}).items():
            record |= {f"{name}_{key}": value for key, value in part.items() if _is_plain(value)}
        records.append(record)
    columns = list(dict.fromkeys([*FIRST, *(key for record in records for key in record)]))[:MOST_COLUMNS]
    return [{column: record.get(column) for column in columns} for record in records]


def as_csv(records: Sequence[dict[str, Any]]) -> str:
    """The records as CSV, RFC 4180; a text that a spreadsheet would take for a formula is none any more."""
    written = io.StringIO()
    rows = csv.DictWriter(written, list(records[0]) if records else list(FIRST), lineterminator="\n")
    rows.writeheader()
    rows.writerows({key: cell(value) for key, value in record.items()} for record in records)
    return written.getvalue()


def write_csv(records: Sequence[dict[str, Any]], out: Path, sources: Sequence[Path] = ()) -> None:
    header = list(records[0]) if records else list(FIRST)
    with whole_file(out, table(header), sources) as new:
        new.write_text(as_csv(records), encoding="utf-8")


def write_parquet(records: Sequence[dict[str, Any]], out: Path, sources: Sequence[Path] = ()) -> None:
    """The records as Parquet. A column with values of several kinds is one of texts."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise TaktError(f"Parquet needs the extra `export`: {install('export')}") from None
    columns = {}
    for name in records[0] if records else FIRST:
        values = [record[name] for record in records]
        kinds = {type(value) for value in values if value is not None}
        mixed = len(kinds) > 1 and not kinds <= {int, float}
        plain = [None if v is None else str(v) if mixed else float(v) if float in kinds else v for v in values]
        columns[name] = pyarrow.array(plain)
    with whole_file(out, PARQUET, sources) as new:
        parquet.write_table(pyarrow.table(columns), new)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))
