"""Tables of shifts and transcripts, as a terminal prints them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from takt.contract.events import UNIT_DUE, UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.figure import per_cent
from takt.draw.words import hms, short
from takt.judge.outcomes import MAY, Outcomes
from takt.printable import printable
from takt.show.cases import by_unit, whys
from takt.show.happened import happening, meanwhile
from takt.show.listing import BROKEN, CUT_OFF, RUNNING, Row
from takt.show.transcript import EVENT, NOTE, SHORT, STATION, TOLD, WORKER, Line, shortened

LEAST_NAME = 16  # columns that a shift's name has on a narrow terminal, whatever else there is
MOST_NAME = 40  # characters of a name in a table: one stranger's must not take the room of every row
TONES = {"accept": "green", "reject": "red", "undecided": "yellow"}
STATES = {RUNNING: "bold green", CUT_OFF: "yellow", BROKEN: "red"}
VOICES = {WORKER: "bold", STATION: "cyan", TOLD: "magenta", NOTE: "dim", EVENT: "blue"}
MARKS = {WORKER: ">", STATION: "<", TOLD: "i", NOTE: ".", EVENT: "*"}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table of shifts. Where the terminal is narrow a row has two lines, and `below` says of a column
    below which other one it stands then."""

    name: str
    below: str
    right: bool
    cell: Callable[[Row], str | Text]


_COLUMNS = (
    _Column("shift", "", False, lambda row: ""),  # by its file, which `rows_table` knows
    _Column("worker", "shift", False, lambda row: _in_row(row.worker)),
    _Column("station", "shift", False, lambda row: _in_row(row.station)),
    _Column("seed", "shift", True, lambda row: str(row.seed) if row.seed < 10**9 else f"{str(row.seed)[:6]}…"),
    _Column("state", "", False, lambda row: Text(row.state, STATES.get(row.state, ""))),
    _Column("good", "", True, lambda row: f"{row.good} of {row.units}"),
    _Column("rate", "", True, lambda row: percent(row.rate)),
    _Column(
        "bound", "rate", True, lambda row: f"{per_cent(row.lower)} to {per_cent(row.upper)} %" if row.units else "-"
    ),
    _Column("verdict", "", False, lambda row: Text(row.decision, TONES[row.decision])),
    _Column("open, cut off", "verdict", False, lambda row: row.beside),
    _Column("cost", "state", True, lambda row: row.money or "-"),
    _Column("age", "good", True, lambda row: age(row.age_s())),
)


def _in_row(text: str, most: int = MOST_NAME) -> str:
    """A name as one line, and a short one: one that breaks its row would be another row."""
    return re.sub("[\t\n]", "\ufffd", printable(short(text, most)))


def _fit(text: str, most: int, ends: int = 0) -> str:
    """A text in so many columns; of its end, so many characters stay."""
    return text if len(text) <= most else f"{text[: most - ends - 1]}…{text[len(text) - ends :]}"


def rows_table(rows: Sequence[Row], width: int) -> RenderableType:
    """One shift on each line, or on two where there is no room for all columns beside each other: it is the name that
    gives way then, in its middle. Where there is no room for that either, a shift is a paragraph. What cannot be read
    is below."""
    readable = [row for row in rows if row.state != BROKEN]
    files = [row.path.absolute().parent for row in rows if isinstance(row.path, Path)]
    above = os.path.commonpath(files) if files else ""
    names = [
        os.path.relpath(row.path.absolute(), above) if isinstance(row.path, Path) else row.path.name for row in readable
    ]
    cells = {column.name: [column.cell(row) for row in readable] for column in _COLUMNS}
    cells["shift"] = [_in_row(name) for name in names]
    wide = sum(max(map(len, [column.name, *cells[column.name]])) + 2 for column in _COLUMNS) + 2
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown = [column for column in _COLUMNS if wide <= width or not column.below]
    if wide > width:
        below = {name: [one for one in _COLUMNS if one.below == name] for name in (column.name for column in shown)}
        needed = [
            max(len(str(c)) for one in (column, *below[column.name]) for c in (one.name, *cells[one.name]))
            for column in shown[1:]
        ]
        room = width - sum(needed) - 2 * len(shown)
        if room < LEAST_NAME:
            return Group(*_one_below_the_other(rows, cells))
        cells["shift"] = [_fit(str(name), room, room // 2) for name in cells["shift"]]
        for name, under in below.items():
            told = [", ".join(str(cells[one.name][place]) for one in under) for place in range(len(readable))]
            told = [_fit(text, room) for text in told] if name == "shift" else told
            cells[name] = [Text.assemble(of, "\n", (text, "dim")) for of, text in zip(cells[name], told, strict=True)]
    for column in shown:
        heads = [column.name, ", ".join(one.name for one in _COLUMNS if one.below == column.name)]
        head = "\n".join(heads if wide > width else heads[:1]).rstrip()
        table.add_column(head, justify="right" if column.right else "left", no_wrap=True)
    for place in range(len(readable)):
        table.add_row(*(cells[column.name][place] for column in shown))
    return Group(table, *_broken(rows)) if readable else Group(*_broken(rows))


def _broken(rows: Sequence[Row]) -> list[Text]:
    return [Text(_in_row(row.why, 300), "red") for row in rows if row.state == BROKEN]


def _one_below_the_other(rows: Sequence[Row], cells: Mapping[str, Sequence[str | Text]]) -> Iterable[Text]:
    """Each shift in a paragraph, which breaks where it must and leaves nothing out."""
    for place in range(len(cells["shift"])):
        of = {name: str(every[place]) for name, every in cells.items()}
        yield Text(of["shift"], "bold", overflow="fold")
        told = [f"{of['worker']} at {of['station']}, seed {of['seed']}", of["state"]]
        rate = "" if of["rate"] == "-" else f", {of['rate']}, bound {of['bound']}"
        told += [f"{of['good']} good{rate}", of["verdict"], of["open, cut off"]]
        told += ["" if of["cost"] == "-" else of["cost"], of["age"]]
        yield Text("  " + "; ".join(one for one in told if one), overflow="fold")
    yield from _broken(rows)


def percent(value: float | None) -> str:
    return "-" if value is None else f"{per_cent(value)} %"


def age(seconds: float | None) -> str:
    """How long ago, in the largest unit that fits."""
    if seconds is None:
        return "-"
    for name, long_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= long_s:
            return f"{seconds / long_s:.0f} {name}"
    return f"{seconds:.0f} s"


def transcript_lines(lines: Iterable[Line], whole: bool = False, station: str = "") -> Iterable[Text]:
    """Each line of a transcript: when, who, what; texts shortened unless `whole`, events in words."""
    for line in lines:
        text = _of_event(line, station) if line.who == EVENT else line.text
        text = text if whole else shortened(text, SHORT)
        at, voice = "" if line.t_s is None else hms(line.t_s), VOICES[line.who]
        head = Text.assemble((f"{at:>8}  ", "dim"), (f"{MARKS[line.who]} ", voice), (line.what, voice))
        if text:
            head.append("  " if "\n" not in text else "\n")
            head.append(text, "" if line.who == WORKER else "dim")
        yield head


def _of_event(line: Line, station: str) -> str:
    """An event's line as a sentence."""
    try:
        told = happening(Event(line.t_s or 0.0, line.what, line.unit, json.loads(line.text or "{}")), station)
    except (ValueError, AttributeError, RecursionError):
        return line.text
    return "\n".join([told.words, *(text for _, text in told.texts)])


def unit_heading(station: str, events: Sequence[Event], unit: int) -> Text:
    """One line above a unit's transcript: when it was due, whether it counts, what became of it, and why."""
    shift = Outcomes.of(events)
    cut = any(one.number == unit for one in shift.cut)
    due = next((e.t_s for e in events if e.unit == unit and e.kind == UNIT_DUE), None)
    over = next((e for e in events if e.unit == unit and e.kind in UNIT_ENDED), None)
    words = [f"unit {unit}"]
    if due is not None:
        words.append(f"due at {hms(due)}")
    if cut:
        words.append(f"not judged (the end of the shift {'may cut' if shift.cut_is == MAY else 'cuts'} it off)")
    if over is None:
        words.append("open")
    elif over.kind == UNIT_GOOD:
        words.append(f"good at {hms(over.t_s)}")
    else:
        reasons = [str(reason) for reason in over.data.get("reasons") or ["unstated"]]
        told = whys(station, reasons, by_unit(events).get(unit, []))
        there = meanwhile(events, unit, station)
        words.append(f"bad at {hms(over.t_s)}: {', '.join(reasons)}. {told}{there and f' Meanwhile: {there}.'}")
    good = over is None or over.kind == UNIT_GOOD
    return Text(f"\n{', '.join(words)}", "bold" if good else "bold red")
