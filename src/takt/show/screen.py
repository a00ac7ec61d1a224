"""What a shift looks like on a terminal: while it runs, and when it is over. Pure of decisions: cli/ has those."""

from __future__ import annotations

import math
import shlex
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from takt.contract.events import FAULT, SAID, SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.figure import Figure, counted, per_cent
from takt.draw.live import Live
from takt.draw.words import hms
from takt.judge.comparison import Comparison, Pair, comparison_notes, decision, points, promise
from takt.ledger.trust import words_again
from takt.shift import Progress, Shift
from takt.shift.verification import Verification

if TYPE_CHECKING:
    from takt.judge.pooled import Pooled

WIDEST = 110  # columns; longer lines are hard to read
PLAIN_LINES = 20  # about so many for a whole shift, where the display cannot be drawn in place
VERDICT_SHARE = 0.05  # of the wall time, at most, goes into verdicts that are only looked at
TONES = {"accept": "green", "reject": "red", "undecided": "yellow"}


@dataclass(frozen=True, slots=True)
class Gauge:
    """The good rate, its bound and what is required, on a line from `low` to 100 % that closes in with the bound."""

    judged: Any

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rail, bound, rate, required = "-=o|" if options.ascii_only else "─━●┃"
        judged, low = self.judged, gauge_low(self.judged)
        left, right = f"{100 * low:.0f} % ", " 100 %"
        columns = max(8, min(options.max_width, WIDEST) - len(left) - len(right))

        def column(value: float) -> int:
            return min(columns - 1, max(0, round((value - low) / (1 - low) * (columns - 1))))

        first, last = column(judged.lower), column(judged.upper)
        marks = {at: (bound, "blue") for at in range(first, last + 1)}
        if judged.good_rate is not None:
            marks[column(judged.good_rate)] = (rate, "bold blue")
        marks[column(judged.required)] = (required, f"bold {TONES[judged.decision]}")
        yield Segment(left, Style(dim=True))
        for at in range(columns):
            mark, style = marks.get(at, (rail, "dim"))
            yield Segment(mark, Style.parse(style))
        yield Segment(right, Style(dim=True))
        yield Segment.line()


def gauge_low(judged: Any) -> float:
    """Where a gauge begins: a multiple of 10 % below all its marks."""
    rate = judged.lower if judged.good_rate is None else judged.good_rate
    return min(0.9, max(0.0, math.floor(10 * (min(judged.lower, rate, judged.required) - 0.02)) / 10))


class Watch:
    """A running shift, shown as it goes on: hand it to `run_shift` as `on_progress`.

    On a terminal it is drawn in place, a few times a second; elsewhere a plain line is printed now and then.
    """

    def __init__(self, console: Console) -> None:
        self._console, self._live = console, Live(console)
        self._events: list[Event] = []
        self._started: Mapping[str, Any] = {}
        self._due_s = 0.0
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
        for event in progress.new_events:
            self._follow(event)
        self._events += [event for event in progress.seen if event.kind != SAID]  # no verdict reads those
        due = progress.units // self._plain_every() > self._said_units // self._plain_every()
        self._live.show(lambda: self._drawing(progress), lambda: self._line(progress), due)

    def _follow(self, event: Event) -> None:
        if event.kind == SHIFT_STARTED:
            self._started, self._events = event.data, []
            self._lately.clear()
        elif event.kind == UNIT_DUE:
            self._due_s = event.t_s
        elif event.kind == UNIT_BAD:
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
        units, hours, takt_s = (self._started.get(key) for key in ("units", "hours", "takt_s"))
        lengths = [int(units)] if units else []
        if hours and takt_s:
            lengths.append(max(1, int(hours * 3600 / takt_s)))
        return min(lengths, default=1)

    def _plain_every(self) -> int:
        return max(1, self._of_units() // PLAIN_LINES)

    def _share(self, progress: Progress) -> float:
        """How much of the shift is done, 0 to 1."""
        hours, takt_s = self._started.get("hours"), self._started.get("takt_s") or math.inf
        in_unit = min(1.0, (progress.now_s - self._due_s) / takt_s)
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
        rows = Table.grid(padding=(0, 2), expand=True)
        rows.add_column(style="dim", width=9, no_wrap=True)
        rows.add_column(ratio=1)
        rows.add_column(justify="right", no_wrap=True)
        rows.add_row("shift", ProgressBar(1.0, share), self._ended_of(progress))
        rows.add_row("this unit", ProgressBar(takt_s, takt_s - takt_left_s), f"takt left {takt_left_s:5.1f} s")
        rows.add_row("good", Text(rate, style="bold"), f"{good} good, {units - good} bad")
        if self._judged is not None:
            judged = self._judged
            rows.add_row("bound", Gauge(judged), f"{per_cent(judged.lower)} to {per_cent(judged.upper)} %")
            of = "" if self._judged_units == progress.units else f" after {counted(self._judged_units)}"
            rows.add_row("verdict", Text(f"{judged.decision}{of}", TONES[judged.decision]), _required(judged))
            if judged.cut_off:
                rows.add_row("", Text(self._cut_off(judged)), "")
        rows.add_row("speed", _speed(progress.now_s, wall_s), f"{hms(progress.now_s)} of station time")
        rows.add_row("elapsed", hms(wall_s), left)
        lately = [Text(f"{'lately' if i == 0 else '':9}  {text}", "dim") for i, text in enumerate(self._lately)]
        for text in lately:
            text.truncate(self._width() - 4, overflow="ellipsis")
        title = f"{started.get('worker')} at {started.get('station')}, seed {started.get('seed')}"
        return Panel(Group(rows, *lately), title=title, title_align="left", width=self._width(), border_style="dim")

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
            line += f", {_required(self._judged)}"
            line += f", {self._cut_off(self._judged)}" if self._judged.cut_off else ""
        return f"{line}, {_speed(progress.now_s, progress.wall_s)}"

    def _counted(self, progress: Progress) -> tuple[int, int]:
        """Units that count and have ended, and the good among them: the verdict's, where it leaves any out."""
        if self._judged is None or not self._judged.cut_off:
            return progress.units, progress.good
        return self._judged.units - self._judged.open, self._judged.good

    def _ended_of(self, progress: Progress) -> str:
        """How far the shift is. Where units come at random, more may come than are planned."""
        of = self._of_units()
        return f"{progress.units} of {counted(of)}" if progress.units <= of else f"{counted(progress.units)} ended"

    def _cut_off(self, judged: Any) -> str:
        """What came so late that the verdict is not about it."""
        be = "" if self._events[-1].kind == SHIFT_ENDED else "will be "
        return f"{judged.cut_off} {be}cut off by the end, {judged.cut_off_finished} of them finished: not judged"

    def _width(self) -> int:
        return min(self._console.width, WIDEST)


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[float, float], None]]:
    """A bar for something that calls back with (done, of); nothing where it cannot be drawn in place."""
    if not console.is_terminal:
        yield lambda done, of: None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, of: bars.update(task, completed=done, total=of)


def summary(shift: Shift, judged: Any, figures: Any, more: Sequence[Figure], width: int, is_open: int = 0) -> Group:
    """The verdict on a shift, the figures and the station's own, and what can be done with its ledger. `is_open`: units
    that have not ended, of which no figure is."""
    from takt.judge.kpi_table import rows
    from takt.judge.verdict import notes

    width = min(width, WIDEST)
    tone = TONES[judged.decision]
    rate = "-" if judged.good_rate is None else f"{per_cent(judged.good_rate)} %"
    about = f"good rate {rate}, bound {per_cent(judged.lower)} to {per_cent(judged.upper)} %, {_required(judged)}"
    word = Text(f" {judged.decision.upper()} ", f"bold reverse {tone}")
    why = [Text(str(judged.why)), *(Text(note) for note in notes(judged, over=bool(shift.ended)))]
    why += [Text(f"{counted(is_open)} open: the figures are of those that have ended.")] if is_open else []
    said = Group(word, Text(), *why, Text(), Gauge(judged), Text(about, "dim"))
    head = Panel(said, box=box.HEAVY, border_style=tone, padding=(1, 3) if width >= 60 else (0, 1), width=width)

    table, lines = Table.grid(padding=(0, 2)), Table.grid()
    lines.add_column(overflow="fold")
    shown = [*rows(figures), *more]
    widths = [
        max(len(cell) for cell in cells) for cells in zip(*((r.label, r.value, r.unit) for r in shown), strict=True)
    ]
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    narrow = sum(widths) + 8 > width  # then a figure has a line of its own, whole, below what it is called
    left = max(1, width - sum(widths) - 8)  # so that the source gives way on a narrow terminal, and no number does
    table.add_column(style="dim", overflow="ellipsis", no_wrap=True, max_width=left)
    for number, row in enumerate(shown):
        if more and number == len(shown) - len(more):
            table.add_row()
        if narrow:
            lines.add_row(Text(row.label))
            lines.add_row(Text(f"  {row.value} {row.unit}".rstrip(), "bold"))
        table.add_row(row.label, row.value, row.unit, row.source)

    parts: list[RenderableType] = [head, Padding(lines if narrow else table, (1, 0, 1, 2))]
    if shift.path is not None:
        parts.append(Padding(_next_steps(shift), (0, 0, 0, 2)))
    return Group(*parts)


def pooled_summary(found: Pooled, width: int) -> RenderableType:
    """A verdict on one or several shifts, and the ways to read them."""
    from takt.judge.pooled import believed, readings
    from takt.judge.verdict import notes

    width = min(width, WIDEST)
    tone = TONES[found.decision]
    by = {"unit": "about these units", "shift": f"about the worker, {believed(found.units.required)}"}
    about = by.get(found.by, "about the worker, whatever the distribution of shifts")
    word = Text.assemble((f" {found.decision.upper()} ", f"bold reverse {tone}"), (f"  {about}", "dim"))
    lines = [*readings(found), *notes(found.units, len(found.seeds)), f"Judged by the {found.units.rules}."]
    said = Group(word, Text(), Text(found.why), Text(), Gauge(found.units), *(Text(line, "dim") for line in lines))
    return Panel(said, box=box.HEAVY, border_style=tone, padding=(1, 3), width=width)


def plan_table(
    required: float, rows: Sequence[Mapping[str, Any]], takt_s: float | None, least: int | None, most: int
) -> RenderableType:
    """Units, and hours, by true rate and by the chance that the verdict has come by then."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("true rate")
    table.add_column("verdict")
    for chance in rows[0]["units"]:
        table.add_column(f"in {per_cent(chance, exact=True)} % by", justify="right", no_wrap=True)
    for row in rows:
        cells = []
        for units in row["units"].values():
            hours = "" if takt_s is None or units is None else f" ({units * takt_s / 3600:.1f} h)"
            cells.append(f"over {most:,}" if units is None else f"{units:,}{hours}")
        table.add_row(f"{per_cent(row['true'], exact=True)} %", row["decision"], *cells)
    asked = f"{per_cent(required, exact=True)} %"
    head = Text(f"Units until a verdict, {asked} required; looked at after every unit")
    few = f"At the very least {least:,} good units in a row." if least is not None else ""
    tail = Text(f"{few} Exact for units that do not depend on each other; no cycle limit.".strip(), "dim")
    return Group(head, table, tail)


def comparison_line(found: Comparison) -> Iterator[str]:
    """After a round of a comparison: a line for each pair."""
    for pair in found.pairs:
        if not pair.units:
            yield f"seed {found.seeds[-1]}  {pair.a} - {pair.b}: no unit counts for both yet"
            continue
        difference = f"{_difference(pair)} points over {counted(pair.units)}, bound {_bound(pair.lower, pair.upper)}"
        yield f"seed {found.seeds[-1]}  {pair.a} - {pair.b}: {difference}: {decision(pair, found.margin)}"


def verification_table(found: Verification) -> RenderableType:
    """What was found out about a ledger."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    sound = f"sound: {counted(found.events, 'event')}, {counted(found.units)}"
    table.add_row("structure", "; ".join(found.wrong) or sound)
    table.add_row("digest", found.digest)
    for signature in found.signatures:
        table.add_row("signature", str(signature))
    if found.same is None and found.verified:
        table.add_row("figures", f"verified: worked again here on {found.verified}, the same")
    elif found.same is None:
        table.add_row("figures", "claimed: --work-again works the shift once more")
    elif found.same:
        taken = f"; {found.answers} answers from outside are as recorded" if found.answers else ""
        table.add_row("figures", f"verified: worked again, event for event the same{taken}")
    else:
        table.add_row("figures", f"not as claimed: worked again, it differs from event {found.differs} on")
    return table


def comparison_table(found: Comparison, width: int) -> RenderableType:
    """A comparison: the workers ranked, every two of them, and what must be known."""
    width = min(width, WIDEST)
    ranked = Table.grid(padding=(0, 2))
    ranked.add_column(style="bold", overflow="fold")
    for name in ("good rate", "units", "cost"):
        ranked.add_column(name, justify="right", no_wrap=True)
    for standing in found.standings:
        rate = "-" if standing.good_rate is None else f"{per_cent(standing.good_rate)} % good"
        cost = "" if standing.cost is None else f"{standing.cost:,.2f} {standing.currency} a unit"
        counted = f"{standing.good} of {standing.units}" if standing.units else "no unit counts"
        ranked.add_row(standing.worker, rate, counted, cost)
    pairs = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=width - 2)
    pairs.add_column("a - b", overflow="fold")
    for name in ("units", "points", "bound"):
        pairs.add_column(name, justify="right", no_wrap=True)
    pairs.add_column("decision", overflow="fold")
    for pair in found.pairs:
        said = Text(decision(pair, found.margin), f"bold {'yellow' if pair.decision == 'undecided' else 'green'}")
        bound = _bound(pair.lower, pair.upper) if pair.units else "-"
        pairs.add_row(f"{pair.a} - {pair.b}", str(pair.units), _difference(pair), bound, said)
    lines = [f"{pair.why}." for pair in found.pairs]
    lines += [text for pair in found.pairs for text in comparison_notes(pair)]
    lines += [f"Note: {note}." for note in found.notes]
    told = Group(*(Padding(Text(line, "dim"), (0, 0, 0, 2)) for line in [*lines, promise(found)]))
    return Padding(Group(Padding(ranked, (0, 0, 0, 2)), Padding(pairs, (0, 0, 0, 2)), told), (1, 0), expand=False)


def _difference(pair: Pair) -> str:
    return "-" if pair.difference is None else points(pair.difference)


def _bound(lower: float, upper: float) -> str:
    return f"{points(lower)} to {points(upper)}"


def _next_steps(shift: Shift) -> RenderableType:
    path, again = shlex.quote(str(shift.path)), words_again(shift.meta)
    bad = next((e.unit for e in shift.events if e.kind == UNIT_BAD), None)
    unit = bad if bad is not None else next((e.unit for e in shift.events if e.kind == UNIT_GOOD), None)
    steps = Table.grid(padding=(0, 2))
    steps.add_column(style="dim", no_wrap=True)
    steps.add_column(overflow="fold")
    steps.add_row("ledger", str(shift.path))
    if not shift.ended:
        steps.add_row("go on", f"takt resume {path}{words_again(shift.meta, asks=True)}")
    steps.add_row("report", f"takt report {path}")
    if unit is not None:
        steps.add_row("replay", f"takt replay {path} --unit {unit}{again}")
    return steps


def _required(judged: Any) -> str:
    asked = per_cent(judged.required, exact=True)
    return f"required {asked if '.' in asked else per_cent(judged.required)} %"


def _speed(now_s: float, wall_s: float) -> str:
    if wall_s < 0.05:
        return "-"
    times = now_s / wall_s
    return f"{times:.1f} x real time" if times < 100 else f"{times:,.0f} x real time"
