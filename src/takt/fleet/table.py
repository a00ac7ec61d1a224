"""A fleet as a table: a row for each arm, or for each value of any of its columns; Markdown, CSV or LaTeX.

A row of one arm has the bound and verdict of that arm's shifts, by what the plan takes for granted. A row of several
arms has the bound of all their units together, about these units: what several set-ups come to on average is no
worker's rate.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from takt.contract.figure import per_cent
from takt.errors import TaktError
from takt.fleet.presets import PRESETS
from takt.fleet.standing import DECIDED_BEFORE, ArmStanding, FleetStanding, judged
from takt.judge.bets import bounds
from takt.ledger import canonical
from takt.meant import meant
from takt.printable import cell, printable

FIGURES = ("shifts", "units", "good", "rate", "lower", "upper", "by", "verdict", "cycle_s", "money", "tokens", "lost")
FORMATS = ("markdown", "csv", "latex")
BY_SUFFIX = {".md": "markdown", ".csv": "csv", ".tex": "latex"}
# A cell says what it says, whatever stands in it: a bar and a backslash are told apart, and nothing is a tag or a link.
_MARKDOWN = {"|": "\\|", "\\": "&#92;", "&": "&amp;", "<": "&lt;", "*": "\\*", "`": "\\`", "[": "\\[", "~": "\\~"}
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # within a word it is no more than it looks like
_TEX = {char: f"\\{char}" for char in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it is of, by column, and its figures (`FIGURES`); a figure is None where there is none."""

    of: Mapping[str, Any]
    figures: Mapping[str, Any]
    arms: Sequence[ArmStanding]


@dataclass(frozen=True, slots=True)
class FleetTable:
    """Rows, and the sentences that belong under them."""

    columns: Sequence[str]
    rows: Sequence[Row]
    notes: Sequence[str]


def fleet_table(found: FleetStanding, by: Sequence[str] = (), accept: str = "") -> FleetTable:
    """The table of a fleet by these columns; by default by all that its arms are told apart by.

    accept   a preset that arms are judged by instead of what their stations ask (`presets.py`).
    """
    known = list(dict.fromkeys(column for one in found.arms for column in one.arm.columns))
    for column in by:
        if column not in known:
            raise TaktError(f"this fleet has no column {column!r}; it has: {', '.join(known)}")
    accept = accept or found.plan.accept
    if accept and accept not in PRESETS:
        raise TaktError(f"there is no acceptance {accept!r}{meant(accept, PRESETS)}; there are: {', '.join(PRESETS)}")
    columns = list(dict.fromkeys(by)) or known
    groups: dict[str, list[ArmStanding]] = {}
    for one in found.arms:  # by their text, for a value may be a list
        groups.setdefault(canonical([one.arm.columns.get(column) for column in columns]), []).append(one)
    rows = [
        Row({column: arms[0].arm.columns.get(column) for column in columns}, _figures(found, arms, accept), arms)
        for arms in groups.values()
    ]
    return FleetTable(columns, rows, _notes(found, accept, any(len(row.arms) > 1 for row in rows)))


def _figures(found: FleetStanding, arms: Sequence[ArmStanding], accept: str) -> dict[str, Any]:
    stop = found.plan.stop
    whole = [record for one in arms for record in one.records if record.ended]
    units, good = sum(record.units for record in whole), sum(record.good for record in whole)
    cycles = [cycle_s for record in whole for cycle_s in record.cycles if cycle_s is not None]
    told: dict[str, Any] = {
        "shifts": len(whole),
        "units": units,
        "good": good,
        "rate": good / units if units else None,
        "lower": None,
        "upper": None,
        "by": "",
        "verdict": "",
        "cycle_s": sum(cycles) / len(cycles) if cycles else None,
        "money": sum(one.money for one in arms) or None,
        "tokens": sum(one.tokens for one in arms) or None,
        "lost": sum(one.lost for one in arms),
    }
    if len(arms) == 1 and units:
        verdict = arms[0].verdict if accept == found.plan.accept else judged(found.plan, arms[0].ordered, accept)
        if verdict is not None:
            bound = {"shift": verdict.by_shift, "free": verdict.by_shift_free}.get(verdict.by, verdict.units)
            told |= {"by": verdict.by, "verdict": verdict.decision}
            told |= {"lower": bound.lower if bound else 0.0, "upper": bound.upper if bound else 1.0}
    elif units:
        low, high = bounds(good, units - good, stop.alpha, stop.alpha)
        told |= {"by": "unit", "lower": float(low), "upper": float(high)}
    return told


def _notes(found: FleetStanding, accept: str, mixed: bool) -> list[str]:
    alpha = 100 * found.plan.stop.alpha
    told = [
        f"Bounds are each wrong with a chance of {alpha:g} % at most, however often one looks. By unit: about these "
        "units. By shift: about the worker, if shifts' own rates have a standard deviation of 4 points at most (or of "
        "the share of bad units that is allowed, if that is less), or shift means are about normal, and units are no "
        "stickier than 0.5. Free: whatever "
        "their distribution."
    ]
    if mixed:
        told.append("A row of several arms has the bound of all their units together, and no verdict.")
    if accept:
        preset = PRESETS[accept]
        told.append(f"Judged by {accept}: {preset.words}. {preset.source}.")
    early = [one.arm.name for one in found.arms if one.verdict is not None and DECIDED_BEFORE in one.verdict.notes]
    if early:
        told.append(f"{DECIDED_BEFORE.capitalize()}: {', '.join(early)}.")
    lost = sum(one.lost for one in found.arms)
    if lost:
        told.append(
            f"{lost} shifts were given up, or cannot be worked or read: they are in no rate. To accept, their units "
            "are taken for bad, to reject for good: a worker may take its process with it where the work is hard."
        )
    if found.changed:
        told.append(f"As it was worked; since then: {'; '.join(found.changed)}.")
    if found.others:
        told.append(f"{found.others} more ledgers are of no shift of this plan as it is, and in no figure.")
    return told


def written(table: FleetTable, how: str) -> str:
    """The table as a text. Raises TaktError for a format that there is not."""
    if how not in FORMATS:
        raise TaktError(f"a table is written as {', '.join(FORMATS)}, not as {how!r}")
    if how == "csv":
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow([*table.columns, *FIGURES])
        for row in table.rows:
            values = [*row.of.values(), *(row.figures[name] for name in FIGURES)]
            rows.writerow(["" if value is None else cell(value) for value in values])
        return out.getvalue()
    head = [*table.columns, "shifts", "good", "rate", "bound", "verdict", "cycle"]
    body = [[*("" if v is None else _line(str(v)) for v in row.of.values()), *_plain(row)] for row in table.rows]
    if how == "markdown":
        cells = [[_markdown(text) for text in line] for line in (head, *body)]
        rule = ["---"] * len(table.columns) + ["---:"] * 4 + ["---", "---:"]
        lines = [f"| {' | '.join(line)} |" for line in (cells[0], rule, *cells[1:])]
        return "\n".join([*lines, "", *table.notes, ""])
    lines = [" & ".join(_tex(text) for text in line) + r" \\" for line in (head, *body)]
    kind = "l" * len(table.columns) + "rrrr" + "lr"
    inside = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
    notes = [f"% {note}" for note in table.notes]
    return "\n".join([*notes, rf"\begin{{tabular}}{{{kind}}}", *inside, r"\end{tabular}", ""])


def _plain(row: Row) -> list[str]:
    f = row.figures
    bound = "" if f["lower"] is None else f"{per_cent(f['lower'])} to {per_cent(f['upper'])} ({f['by']})"
    return [
        str(f["shifts"]) + (f", {f['lost']} lost" if f["lost"] else ""),
        f"{f['good']} of {f['units']}",
        "" if f["rate"] is None else f"{per_cent(f['rate'])} %",
        bound,
        f["verdict"],
        "" if f["cycle_s"] is None else f"{f['cycle_s']:.1f} s",
    ]


def _line(text: str) -> str:
    """A text as one line, without what turns the text around it over."""
    return printable(" ".join(text.split()))


def _markdown(text: str) -> str:
    said = "".join(_MARKDOWN.get(char, char) for char in text).replace("://", "&#58;//")
    return _EMPHASIS.sub(r"\\_", said)


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in text.replace("\\", r"\textbackslash "))
