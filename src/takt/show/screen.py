"""What a shift looks like on a terminal: while it runs, and when it is over. Pure of decisions: cli/ has those."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.contract.figure import Figure, asked_in_percent, counted, per_cent
from takt.judge.comparison import Comparison, Pair, comparison_notes, decision, points, promise
from takt.ledger.trust import words_again
from takt.shift import Shift
from takt.shift.verification import Verification
from takt.show.whole import Whole

if TYPE_CHECKING:
    from takt.judge.pooled import Pooled

WIDEST = 110  # columns; longer lines are hard to read
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
    about = f"good rate {rate}, bound {per_cent(judged.lower)} to {per_cent(judged.upper)} %, {required_told(judged)}"
    word = Text(f" {judged.decision.upper()} ", f"bold reverse {tone}")
    why = [Text(str(judged.why)), *(Text(note) for note in notes(judged))]
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
    table.add_column("true rate", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
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
    return Group(head, Whole(table), tail)


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
    return Padding(
        Group(*(Padding(Whole(table), (0, 0, 0, 2)) for table in (ranked, pairs)), told), (1, 0), expand=False
    )


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


def required_told(judged: Any) -> str:
    return f"required {asked_in_percent(judged.required)} %"
