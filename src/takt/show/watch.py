"""A running shift on a terminal: drawn in place, or a line now and then."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from takt.contract.events import (
    ARRIVALS,
    FAULT,
    SAID,
    SHIFT_STARTED,
    UNIT_BAD,
    UNIT_DUE,
    UNIT_ENDED,
    Event,
)
from takt.contract.figure import counted, per_cent
from takt.draw.live import Live
from takt.draw.words import hms
from takt.judge.outcomes import MAY
from takt.shift import Progress
from takt.show.screen import TONES, WIDEST, Gauge, required_told

PLAIN_LINES = 20  # about so many for a whole shift, where the display cannot be drawn in place
VERDICT_SHARE = 0.05  # of the wall time, at most, goes into verdicts that are only looked at
NARROW = 60  # columns of a terminal, below which rows are broken and have no bars
MEASURED_S = 2.0  # wall time after which the speed that was seen is believed


class Watch:
    """A running shift, shown as it goes on: hand it to `run_shift` as `on_progress`.

    On a terminal it is drawn in place, a few times a second; elsewhere a plain line is printed now and then.
    """

    def __init__(self, console: Console) -> None:
        self._console, self._live = console, Live(console)
        self._events: list[Event] = []
        self._started: Mapping[str, Any] = {}
        self._due_s = 0.0
        self._open: set[int | None] = set()
        self._lately: deque[str] = deque(maxlen=3)
        self._judged: Any = None
        self._judged_units = self._said_units = 0
        self._judge_after = -math.inf

    def __enter__(self) -> Watch:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__()

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        for event in progress.seen:
            self._follow(event)
        self._events += [event for event in progress.seen if event.kind != SAID]  # no verdict reads those
        due = progress.units // self._plain_every() > self._said_units // self._plain_every()
        self._live.show(lambda: self._drawing(progress), lambda: self._line(progress), due)

    def _follow(self, event: Event) -> None:
        if event.kind == SHIFT_STARTED:
            self._started, self._events = event.data, []
            self._lately.clear()
            self._open.clear()
        elif event.kind == UNIT_DUE:
            self._due_s = event.t_s
            self._open.add(event.unit)
        elif event.kind in UNIT_ENDED:
            self._open.discard(event.unit)
        if event.kind == UNIT_BAD:
            why = ", ".join(event.data.get("reasons") or ["unstated"])
            self._lately.appendleft(f"{hms(event.t_s)}  unit {event.unit} bad: {why}")
        elif event.kind == FAULT:
            self._lately.appendleft(f"{hms(event.t_s)}  fault: {event.data.get('error') or event.data['name']}")

    def _judge(self, progress: Progress) -> None:
        """The verdict, when a unit has ended since the last one, and not so often that the shift would feel it."""
        before = time.perf_counter()
        if self._judged_units == progress.units or before < self._judge_after:
            return
        from takt.judge.verdict import verdict

        self._judged, self._judged_units = verdict(self._events), progress.units
        after = time.perf_counter()
        self._judge_after = after + (after - before) / VERDICT_SHARE

    def _of_units(self) -> int:
        """How many units the shift is to have."""
        *most, hours, takt_s = (self._started.get(key) for key in ("units", "finite", "hours", "takt_s"))
        lengths = [int(units) for units in most if units and units is not True]
        if hours and takt_s:
            lengths.append(max(1, int(hours * 3600 / takt_s)))
        return min(lengths, default=1)

    @property
    def _at_random(self) -> bool:
        """Whether units come at random, so that there is no takt that runs down, but a queue."""
        return self._started.get("pace") == ARRIVALS

    def _plain_every(self) -> int:
        return max(1, self._of_units() // PLAIN_LINES)

    def _share(self, progress: Progress) -> float:
        """How much of the shift is done, 0 to 1."""
        hours, takt_s = self._started.get("hours"), self._started.get("takt_s") or math.inf
        in_unit = 0.0 if self._at_random else min(1.0, (progress.now_s - self._due_s) / takt_s)
        by_units = (progress.units + in_unit) / self._of_units()
        return min(1.0, max(by_units if self._started.get("units") else 0.0, progress.now_s / (3600 * (hours or 1e9))))

    def _drawing(self, progress: Progress) -> RenderableType:
        self._judge(progress)
        started, takt_s = self._started, self._started.get("takt_s") or math.inf
        share, wall_s = self._share(progress), progress.wall_s
        takt_left_s = max(0.0, self._due_s + takt_s - progress.now_s)
        left = f"about {hms(wall_s * (1 - share) / share)} left" if share > 0.005 and wall_s > 1 else ""
        units, good = self._counted(progress)
        rate = f"{per_cent(good / units)} %" if units else "-"
        rows: list[tuple[str, RenderableType, str]] = []
        rows.append(("shift", ProgressBar(1.0, share), self._ended_of(progress)))
        if self._at_random:
            rows.append(("queue", f"{counted(len(self._open))} open", "units come at random"))
        else:
            rows.append(("this unit", ProgressBar(takt_s, takt_s - takt_left_s), f"takt left {takt_left_s:5.1f} s"))
        rows.append(("good", Text(rate, style="bold"), f"{good} good, {units - good} bad"))
        if self._judged is not None:
            judged = self._judged
            rows.append(("bound", Gauge(judged), f"{per_cent(judged.lower)} to {per_cent(judged.upper)} %"))
            of = "" if self._judged_units == progress.units else f" after {counted(self._judged_units)}"
            rows.append(("verdict", Text(f"{judged.decision}{of}", TONES[judged.decision]), required_told(judged)))
            if judged.cut_off:
                rows.append(("", Text(self._cut_off(judged)), ""))
        rows.append(("speed", _speed(progress.now_s, wall_s), f"{hms(progress.now_s)} of station time"))
        rows.append(("elapsed", hms(wall_s), left))
        title = f"{started.get('worker')} at {started.get('station')}, seed {started.get('seed')}"
        if self._width() < NARROW:
            rows += [("lately", text, "") for text in self._lately]
            return Group(Text(title, "bold", overflow="fold"), *_folded(rows))
        lately = [Text(f"{'lately' if i == 0 else '':9}  {text}", "dim") for i, text in enumerate(self._lately)]
        for text in lately:
            text.truncate(self._width() - 4, overflow="ellipsis")
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(style="dim", width=9, no_wrap=True)
        table.add_column(ratio=1)
        table.add_column(justify="right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        return Panel(Group(table, *lately), title=title, title_align="left", width=self._width(), border_style="dim")

    def _line(self, progress: Progress) -> str:
        self._said_units = progress.units
        self._judge_after = -math.inf  # a line is of the units that have ended by now
        self._judge(progress)
        units, good = self._counted(progress)
        rate = f" ({per_cent(good / units)} %)" if units else ""
        rest = f" of {counted(units)} judged" if units != progress.units else ""
        line = f"{hms(progress.now_s)}  {self._ended_of(progress)}, {good} good{rest}{rate}"
        if self._judged is not None:
            line += f", bound {per_cent(self._judged.lower)} to {per_cent(self._judged.upper)} %"
            line += f", {required_told(self._judged)}"
            line += f", {self._cut_off(self._judged)}" if self._judged.cut_off else ""
        return f"{line}, {_speed(progress.now_s, progress.wall_s)}"

    def _counted(self, progress: Progress) -> tuple[int, int]:
        """Units that count and have ended, and the good among them: the verdict's, where it leaves any out."""
        if self._judged is None or not self._judged.cut_off:
            return progress.units, progress.good
        return self._judged.units - self._judged.open, self._judged.good

    def _ended_of(self, progress: Progress) -> str:
        """How far the shift is. Where units come at random, nobody knows how many will."""
        of, known = self._of_units(), self._started.get("units") or not self._at_random
        return f"{progress.units} of {counted(of)}" if known else f"{counted(progress.units)} ended"

    def _cut_off(self, judged: Any) -> str:
        """What came so late that the verdict is not about it."""
        may = "maybe " if judged.cut_is == MAY else ""
        return f"{judged.cut_off} {may}too late to be judged ({judged.cut_off_finished} of them finished)"

    def _width(self) -> int:
        return min(self._console.width, WIDEST)


def _folded(rows: Iterable[tuple[str, RenderableType, str]]) -> Iterator[Text]:
    """What is said in rows, where a row would have to be cut: without the bars, and broken where it must be."""
    for name, drawn, told in rows:
        said = [str(drawn)] if isinstance(drawn, (str, Text)) and str(drawn) else []
        yield Text.assemble(
            (f"{name}: " if name else "", "dim"), ", ".join([*said, *filter(None, [told])]), overflow="fold"
        )


class Onlooker:
    """How long a shift has been at work, for one who only looks. Its ledger says it with each unit that ends; since
    then it is told by the speed: as seen, or before that, of the units that have ended."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None  # of the looks: wall and station time

    def wall_s(self, noted_s: float, noted_at_s: float, now_s: float, clock_s: float) -> float:
        """Wall seconds at work until station time `now_s`. They were `noted_s` at station time `noted_at_s`; `clock_s`
        is a wall clock's time of this look."""
        if self._first is None or now_s < self._first[1]:
            self._first = clock_s, now_s
        looked_s, went_s = clock_s - self._first[0], now_s - self._first[1]
        speed = noted_at_s / noted_s if noted_s > 0 else 0.0
        if looked_s >= MEASURED_S and went_s > 0:
            speed = went_s / looked_s
        return noted_s + ((now_s - noted_at_s) / speed if speed > 0 else 0.0)


def _speed(now_s: float, wall_s: float) -> str:
    if wall_s < 0.05:
        return "-"
    times = now_s / wall_s
    return f"{times:.1f} x real time" if times < 100 else f"{times:,.0f} x real time"
