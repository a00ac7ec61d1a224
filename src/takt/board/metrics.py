"""Figures of the shifts on a board as Prometheus reads them: the text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable

from takt.printable import printable
from takt.show.listing import BROKEN, CUT_OFF, ENDED, RUNNING, Row

KIND = "text/plain; version=0.0.4; charset=utf-8"
DECISIONS = ("accept", "reject", "undecided")
MOST_NAME = 200  # characters of a label


def exposition(rows: Iterable[tuple[int, Row]]) -> str:
    """Gauges by shift, and how many shifts there are in each state."""
    rows = list(rows)
    readable = [(number, row) for number, row in rows if row.state != BROKEN]
    lines = ["# HELP takt_shifts Shifts on the board, by state.", "# TYPE takt_shifts gauge"]
    for state in (RUNNING, CUT_OFF, ENDED, BROKEN):
        lines.append(f'takt_shifts{{state="{state}"}} {sum(row.state == state for _, row in rows)}')
    for name, about, value in (
        ("takt_units", "Units that are judged.", lambda row: row.units),
        ("takt_open_units", "Units that fell due, are judged or may yet be, and have not ended.", lambda row: row.open),
        ("takt_cut_off_units", "Units that the end cuts off: not judged.", lambda row: row.cut_off),
        ("takt_good_units", "Good units of those.", lambda row: row.good),
        ("takt_good_rate", "Good units of those whose outcome is known.", lambda row: row.rate),
        ("takt_good_rate_lower", "Lower bound of the good rate, valid at any look.", lambda row: row.lower),
        ("takt_good_rate_upper", "Upper bound of the good rate, valid at any look.", lambda row: row.upper),
        ("takt_good_rate_required", "Good rate that the job asks.", lambda row: row.required),
        ("takt_cost", "Cost of all units so far, in the currency that the label says.", lambda row: row.cost),
        (
            "takt_price",
            "Price of what the worker asked a model, in its options' currency.",
            lambda row: row.price,
        ),
        ("takt_running", "1 while a process works the shift.", lambda row: int(row.state == RUNNING)),
    ):
        lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
        for number, row in readable:
            if value(row) is not None:
                more = {"currency": row.currency} if name == "takt_cost" else {}
                lines.append(f"{name}{_labels(number, row, **more)} {float(value(row))!r}")
    lines += ["# HELP takt_verdict 1 for the verdict that is there.", "# TYPE takt_verdict gauge"]
    for number, row in readable:
        for decision in DECISIONS:
            lines.append(f"takt_verdict{_labels(number, row, decision=decision)} {int(row.decision == decision)}")
    return "\n".join(lines) + "\n"


def _labels(number: int, row: Row, **more: str) -> str:
    told = {"shift": str(number), "worker": row.worker, "station": row.station, "seed": str(row.seed), **more}
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in told.items()) + "}"


def _escaped(value: str) -> str:
    text = printable(value)[:MOST_NAME]
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
