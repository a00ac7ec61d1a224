"""What the board says of two shifts beside each other: as `takt compare` does, from the same functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from takt.board.feed import Shown
from takt.board.telling import in_a_row, ran_as
from takt.draw.words import short
from takt.errors import TaktError
from takt.judge.compared_shifts import OptionDiffers
from takt.judge.comparison import comparison_notes, decision, promise
from takt.judge.human import in_words
from takt.judge.kpi_table import rows as kpi_rows
from takt.judge.side_by_side import differing, only_one, reasons
from takt.show.compared import Compared, compared
from takt.show.costs import costs_told

MOST = 100  # reasons, and units that only one did
BESIDE = ("begun utc", "machine", "packages", "wall s")  # of how a shift was worked, what its events do not say


def compare_address(numbers: Sequence[int], may_differ: Sequence[str] = ()) -> str:
    return "/compare?" + urlencode([("s", one) for one in numbers] + [("may_differ", one) for one in may_differ])


def comparison_of(
    chosen: Sequence[tuple[int, Shown]], may_differ: Sequence[str] = (), language: str = "en"
) -> dict[str, Any]:
    """All that the page says. `wrong` says why they cannot be compared; `allow` leads to the same page with the option
    that differs allowed, if it is one."""
    numbers = [number for number, _ in chosen]
    files = [(shown.row.path.stem, shown.events) for _, shown in chosen]
    told: dict[str, Any] = {"wrong": "", "allow": "", "option": "", "found": None, "most": MOST}
    try:
        told |= _compared(compared(files, costs_told([events for _, events in files]), may_differ), numbers)
    except OptionDiffers as error:
        told |= {"wrong": error.text, "option": error.option}
        told["allow"] = compare_address(numbers, [*may_differ, error.option])
    except TaktError as error:
        told["wrong"] = str(error)
    table = [{row.name: row for row in kpi_rows(shown.view.kpis)} for _, shown in chosen]
    figures = [
        (row.label, row.unit, *((one[name].value if name in one else "–") for one in table))
        for name, row in {**table[-1], **table[0]}.items()
    ]
    names = [f"{short(shown.meta['worker'], 60)} {short(shown.meta['seed'], 12)}" for _, shown in chosen]
    both = [{"number": number, "name": name} for number, name in zip(numbers, names, strict=True)]
    return told | {
        "station": str(chosen[0][1].meta["station"]),
        "both": both,
        "runs": not all(shown.view.ended for _, shown in chosen),
        "figures": figures,
        "differs": _differs(chosen, language),
    }


def _compared(told: Compared, numbers: Sequence[int]) -> dict[str, Any]:
    pair = told.found.pairs[0]
    return {
        "found": told.found,
        "promise": promise(told.found),
        "why": reasons(told.shifts)[:MOST],
        "only": only_one(told.shifts, pair.a, pair.b),
        "remarks": [*told.found.notes, *(note for one in told.found.pairs for note in comparison_notes(one))],
        "relative": [in_words(one) for one in told.relative],
        "workers": list(told.shifts),
        "numbers": dict(zip(told.shifts, numbers, strict=True)),
        "decide": lambda one: decision(one, None),
    }


def _differs(chosen: Sequence[tuple[int, Shown]], language: str) -> list[tuple[str, str, str]]:
    """Everything that differs in how two shifts were worked: a name, and what it was."""
    (_, one), (_, two) = chosen
    station = str(one.meta["station"])
    found = differing({"one": [one.events], "two": [two.events]})
    rows = [
        (row.name, _plainly(row.values["one"], station, language), _plainly(row.values["two"], station, language))
        for row in found
    ]
    beside = [dict(ran_as(shown.meta, language)) for shown in (one, two)]
    told = [(key, *(str(of.get(key, "–")) for of in beside)) for key in BESIDE]
    return [*rows, *((key, a, b) for key, a, b in told if a != b)]


def _plainly(value: str, station: str, language: str) -> str:
    """A value as `differing` has it, JSON but for texts, in words."""
    try:
        return in_a_row(json.loads(value), station, language)
    except (ValueError, RecursionError):
        return value
