"""While a shift runs, its line on a log says the bound of the very units that it counts."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from takt import verdict
from takt.contract.events import SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.shift import Progress
from takt.show.console import PlainConsole
from takt.show.watch import Watch
from takt.show.whole import Whole


@pytest.mark.parametrize("share", [0.05, 1e-9])  # of wall time for verdicts; the second would never look again
def test_a_progress_lines_bound_is_of_the_units_it_counts(monkeypatch: pytest.MonkeyPatch, share: Any) -> None:
    monkeypatch.setattr("takt.show.watch.VERDICT_SHARE", share)
    asked = {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}
    told = {"acceptance": asked, "units": 40, "hours": None, "takt_s": 10.0, "control_s": 0.1}
    log = [Event(0.0, SHIFT_STARTED, None, told), Event(0.0, UNIT_DUE, 0)]
    page, fresh = io.StringIO(), list(log)
    watch = Watch(Console(file=page, width=200, force_terminal=False))
    for unit in range(40):
        kind = UNIT_BAD if unit % 7 == 6 else UNIT_GOOD
        new = [
            Event(10.0 * unit + 10, kind, unit, {"cycle_s": 5.0, "parts": {}}),
            Event(10.0 * unit + 10, UNIT_DUE, unit + 1),
        ]
        log, fresh = [*log, *new], [*fresh, *new]
        watch(Progress(10.0 * unit + 10, 1.0, unit + 1, sum(e.kind == UNIT_GOOD for e in log), fresh))
        fresh = []
    lines = page.getvalue().splitlines()
    assert len(lines) >= 10
    for line in lines:
        units, good = map(int, re.search(r"(\d+) of 40 units, (\d+) good", line).groups())
        so_far = verdict([e for e in log if e.unit is None or e.unit < units])
        assert (so_far.units, so_far.good) == (units, good)
        assert f"bound {100 * so_far.lower:.1f} to {100 * so_far.upper:.1f} %" in line


@pytest.mark.parametrize("columns", ["0", "1", "20", "40", "59"])
def test_however_narrow_the_terminal_no_figure_is_cut(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    table = Table("a - b", "points", "bound")
    table.columns[1].no_wrap = table.columns[2].no_wrap = True
    table.add_row("planner - greedy at gulf-2026", "+12.5", "-39.6 to +39.6")
    asked = {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}
    told = {"acceptance": asked, "units": 480, "takt_s": 76.0, "worker": "expert", "station": "nutcell", "seed": 7}
    log = [Event(0.0, SHIFT_STARTED, None, told), Event(0.0, UNIT_DUE, 0), Event(76.0, UNIT_BAD, 0, {})]
    page = io.StringIO()
    console = PlainConsole(file=page, force_terminal=True, color_system=None)
    with Watch(console) as watch:
        watch(Progress(80.0, 40.0, 1, 0, log))
    console.print(Whole(table))
    shown = " ".join(page.getvalue().split())
    assert console.width >= 20 and "…" not in shown
    for figure in ("1 of 480 units", "0 good, 1 bad", "0.0 to", "2.0 x real time", "+12.5", "-39.6 to +39.6"):
        assert figure in shown, shown
