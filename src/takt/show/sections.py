"""What a shift's station itself has to say of it, written to a folder: for the board, which opens no station.

    python -m takt.show.sections LEDGER FOLDER

makes `sections.json` and drawings in a process of its own. It opens a registered station only, as a ledger alone is
believed (`takt.ledger.trust`), and no worker.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from takt.contract.events import UNIT_ENDED, Event
from takt.contract.station import Section, Table
from takt.errors import TaktError
from takt.ledger import Ledger
from takt.ledger.pack import unpack
from takt.ledger.trust import NOTHING
from takt.shift import Shift, reset_as
from takt.shift.account import account_of, bad_table_of, sections_of
from takt.show.child import exit_code
from takt.show.report.pictures import as_jpeg, opened_to_draw
from takt.show.seen import seen_and_done

FILE, PICTURE = "sections.json", "picture.jpg"
LONGEST = 64 * 2**20  # bytes of the file that are read
WIDTH = 1280  # pixels
MOST_GROUPS, MOST_UNITS = 20, 12  # of units that are bad alike; of a group's units that are named


@dataclass(frozen=True, slots=True)
class Own:
    """A station's own sections of a shift as it was at `now_s`; `has_picture`: how the station looked then."""

    now_s: float
    sections: tuple[Section, ...]
    figures: tuple[tuple[str, str, str], ...]
    has_picture: bool


@dataclass(frozen=True, slots=True)
class Svg:
    """A drawing, wide and narrow."""

    wide: str
    narrow: str


def write_sections(ledger: Path, out: Path) -> None:
    """Write what the station says of the shift in `ledger` into the folder `out`, which is made."""
    out.mkdir(parents=True, exist_ok=True)
    with Ledger.open(ledger) as book:
        shift = Shift.of(book)
        account = account_of(shift)
        found = list(sections_of(account))
        bad = bad_table_of(account)
        if bad is not None and bad.rows:
            note = "What became of each, and what hindsight would have done."
            found.append(Section("Units that were not good", note, table=bad))
        found += shown_and_done(shift.events, str(shift.meta["station"]))
        pictured = _picture(book, shift, out / PICTURE)
    figures = [] if account is None else [[row.label, row.value, row.unit] for row in account.figures]
    told = {
        "now_s": max((event.t_s for event in shift.events), default=0.0),
        "figures": figures,
        "picture": pictured,
        "sections": [_plain(section) for section in found],
    }
    (out / FILE).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def shown_and_done(events: Sequence[Event], station: str) -> list[Section]:
    """Bad units by what was shown and what was done, of a worker that calls tools."""
    groups = seen_and_done(events, station)[:MOST_GROUPS]
    rows = []
    for group in groups:
        more = ", …" if len(group.units) > MOST_UNITS else ""
        which = ", ".join(map(str, group.units[:MOST_UNITS])) + more
        rows.append((group.reason.replace("_", " "), group.words, str(len(group.units)), which))
    note = "Bad units by their main reason, by what an answer had shown of it before the last call, and by that call."
    table = Table(("reason", "shown, done", "units", "which"), rows)
    return [Section("What was shown and what was done", note, table=table)] if rows else []


def read_sections(out: Path) -> Own:
    """What `write_sections` has left in a folder. TaktError if it is none of that."""
    path = out / FILE
    try:
        if path.stat().st_size > LONGEST:
            raise TaktError(f"{path} is longer than any that Takt writes")
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        sections = tuple(
            Section(
                str(one["title"]),
                str(one["note"]),
                None if one["plot"] is None else Svg(str(one["plot"][0]), str(one["plot"][1])),
                [(str(head), str(text)) for head, text in one["texts"]],
                None if one["table"] is None else _table(one["table"]),
            )
            for one in told["sections"]
        )
        figures = tuple((str(label), str(value), str(unit)) for label, value, unit in told["figures"])
        return Own(float(told["now_s"]), sections, figures, bool(told["picture"]))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise TaktError(f"{out} has no sections that can be read: {type(error).__name__}") from error


def _plain(section: Section) -> dict[str, Any]:
    table, plot = section.table, section.plot
    return {
        "title": section.title,
        "note": section.note,
        "plot": None if plot is None else [plot.wide, plot.narrow],
        "texts": [list(text) for text in section.texts],
        "table": None if table is None else [list(table.heads), [list(row) for row in table.rows], list(table.units)],
    }


def _table(told: Any) -> Table:
    heads, rows, units = told
    return Table(tuple(map(str, heads)), [tuple(map(str, row)) for row in rows], [int(unit) for unit in units])


def _picture(book: Ledger, shift: Shift, out: Path) -> bool:
    """How the station looked at the end of its last unit; whether it can be drawn."""
    ended = [event.unit for event in shift.events if event.kind in UNIT_ENDED and event.unit is not None]
    snapshot = book.snapshot(max(ended) + 1) if ended else None
    if snapshot is None:
        return False
    try:
        station = opened_to_draw(shift, NOTHING)
        try:
            reset_as(station, shift.meta)
            station.load(unpack(snapshot.state)["station"])
            out.write_bytes(as_jpeg(station.render(), WIDTH))
        finally:
            station.close()
    except Exception:  # whatever a station's drawing may raise: the rest is there
        return False
    return True


def main(words: Sequence[str]) -> int:
    return exit_code(lambda: write_sections(Path(words[0]), Path(words[1])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
