"""A fleet on a terminal: while it runs, and as a table of its arms."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from takt.contract.figure import per_cent
from takt.draw import live
from takt.draw.words import hms
from takt.fleet.drive import Standing
from takt.fleet.estimate import ArmEstimate, JobEstimate
from takt.fleet.job import MACHINE_FAULTS, Job
from takt.fleet.plan import Plan
from takt.fleet.presets import PRESETS
from takt.fleet.sample import Needed
from takt.fleet.standing import ArmStanding, FleetStanding
from takt.fleet.store import shown
from takt.judge.pooled import believed

MOST_RUNNING = 12  # lines
OTHERS = "of another plan, or of the same with another version of Takt, of a package or of a file"
MOST_FAULTS = 6  # that are listed
TONES = {"accept": "green", "reject": "red", "undecided": "yellow"}


def standing_table(found: FleetStanding, width: int) -> RenderableType:
    """How a fleet stands: a line for each arm, then faults of machines, then what cannot be worked."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=min(width, 130) if width < 130 else None)
    for name, right in (
        ("arm", False),
        ("shifts", True),
        ("good", True),
        ("bound", True),
        ("verdict", False),
        ("wall", True),
    ):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for one in found.arms:
        table.add_row(*_row(one))
    lines: list[RenderableType] = [table]
    plan, cost = found.plan, sum(one.money for one in found.arms)
    ended = f"{found.ended} of {len(plan.shifts)} shifts"
    money = f"; {cost:,.2f} spent" if cost else ""
    lines.append(Text(f"{plan.name}: {ended}{money}; {found.state}; ledgers in {shown(plan.store)}"))
    lines += [Text(line) for line in _granted(found)]
    for kind, count in Counter(fault.kind for fault in found.faults).items():
        lines.append(Text(f"faults of machines: {kind} {count} ({MACHINE_FAULTS.get(kind, '')})"))
    for fault in found.faults[-MOST_FAULTS:]:
        what = f"{fault.kind}: {fault.arm}, seed {fault.seed}, try {fault.attempt}: {fault.why}"
        lines.append(Text(f"  {what}; on {fault.host or 'an unknown host'}, log {fault.log}"))
    if len(found.faults) > MOST_FAULTS:
        lines.append(Text(f"  and {len(found.faults) - MOST_FAULTS} before: `takt fleet status --json` has all"))
    for fault in found.given_up[:3]:
        lines.append(
            Text(f"given up: {fault.arm}, seed {fault.seed}, after {fault.attempt} tries: {fault.why}", style="red")
        )
    for why in list(found.unreadable.values())[:3]:
        lines.append(Text(f"cannot be read: {why}; move it away, and its shift is worked again", style="red"))
    if found.other_faults:
        lines.append(Text(f"{found.other_faults} more faults of machines were at shifts that are not of this plan"))
    if len(found.unreadable) > 3:
        lines.append(Text(f"cannot be read: {len(found.unreadable) - 3} more: `takt fleet status --json` has all"))
    if found.changed:
        lines.append(Text(f"as it was worked: {'; '.join(found.changed)}; `takt fleet run` works such shifts anew"))
    if found.others:
        lines.append(Text(f"{found.others} more ledgers there are of no shift of this plan: {OTHERS}"))
    for why, count in Counter(found.refused.values()).items():
        lines.append(Text(f"cannot be worked: {count}: {why}", style="red"))
    return Group(*lines)


def _granted(found: FleetStanding) -> Iterator[str]:
    """What the verdicts take for granted, and judge by."""
    judged = [one.verdict for one in found.arms if one.verdict is not None and one.verdict.units.units]
    if found.plan.accept and judged:
        yield f"judged by {found.plan.accept}, not by what stations ask: {PRESETS[found.plan.accept].words}"
    for by in dict.fromkeys(one.by for one in judged):
        if by == "shift":
            for required in dict.fromkeys(one.units.required for one in judged if one.by == by):
                yield f"by shift, {per_cent(required, exact=True)} % asked: about a worker, {believed(required)}"
        else:
            yield {"unit": "by unit: about these units", "free": "by shift, whatever their distribution"}[by]
    if judged and any(one.lost for one in found.arms):
        yield "lost shifts are in no rate; to accept their units are taken to be bad, to reject to be good"


def _row(one: ArmStanding) -> list[Any]:
    shifts = f"{one.ended}/{one.planned}"
    for count, word in ((one.running, "running"), (one.left, "left"), (one.lost, "lost"), (one.spared, "spared")):
        shifts += f", {count} {word}" if count else ""
    rate = f"{per_cent(one.good / one.units)} %" if one.units else "-"
    judged = one.verdict
    bound, said = "-", Text("-")
    if judged is not None and judged.units.units:
        taken = (
            judged.by_shift if judged.by == "shift" else judged.by_shift_free if judged.by == "free" else judged.units
        )
        bound = f"{per_cent(taken.lower)} to {per_cent(taken.upper)}" if taken is not None else "0 to 100"
        said = Text(judged.decision, style=TONES[judged.decision])
    return [one.arm.name, shifts, rate, bound, said, hms(one.wall_s)]


def estimate_lines(
    found: FleetStanding, arms: Sequence[ArmEstimate], works: Sequence[JobEstimate], jobs: int
) -> Iterator[RenderableType]:
    """What a plan would take, as tables and sentences."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("arm", "shifts", "there", "to work", "time", "money"):
        table.add_column(name, justify="left" if name == "arm" else "right", overflow="fold")
    for one in arms:
        wall = "unknown" if one.wall_s is None else hms(one.wall_s)
        money = "unknown" if one.money is None else f"{one.money:,.2f}"
        there = f"{one.there}, {one.begun} begun" if one.begun else str(one.there)
        table.add_row(one.arm.name, str(one.planned), there, str(one.left), wall, money)
    yield table
    plan, left = found.plan, sum(one.left for one in arms)
    known = [one.wall_s for one in arms if one.wall_s is not None]
    unknown = sum(one.left for one in arms if one.wall_s is None)
    time_s = f"about {hms(sum(known) / jobs)} with {jobs} at a time" if known else "how long, no shift has shown yet"
    more = f", and {unknown} shifts of which none has shown yet how long they take" if unknown and known else ""
    begun = sum(one.begun for one in arms)
    counts = (
        f"{len(plan.shifts)} shifts, {found.ended} there, {left} to work{f' ({begun} of them begun)' if begun else ''}"
    )
    yield Text(f"{plan.name}: {counts}; {time_s}{more}; {shown(plan.store)}")
    if found.others:
        yield Text(f"{found.others} more ledgers there are of no shift of this plan: {OTHERS}")
    for job in works:
        how = f"by {job.seen} shifts and what is usual" if job.seen else "taken for usual"
        sticky = "taken to be independent" if job.stickiness is None else f"as sticky as seen, {job.stickiness:.2f}"
        asked = f"{per_cent(job.required, exact=True)} % asked"
        yield Text(
            f"\n{job.work}: {job.units} units a shift, {asked}; shifts' rates spread by "
            f"{100 * job.spread:.1f} points ({how}), units {sticky}; verdicts {WORDS[plan.stop.by]}"
        )
        for true, need in job.verdicts:
            truly = f"truly {per_cent(true, exact=True)} %"
            yield Text(f"  {truly}: {need.what} in {100 * need.power:g} % of cases by {_needed(need)}")
        if job.difference is not None:
            need = job.difference
            yield Text(f"  {need.what}: told apart in {100 * need.power:g} % of cases by {_needed(need)} of each")


WORDS = {"unit": "by unit", "shift": "by shift", "free": "by shift, whatever their distribution"}


def _needed(need: Needed) -> str:
    return "more shifts than are simulated" if need.shifts is None else f"{need.shifts} shifts ({need.units:,} units)"


class Live:
    """What is shown while a driver works."""

    def __init__(self, plan: Plan, console: Console, quiet: bool) -> None:
        self._plan, self._live, self._began_s = plan, live.Live(console, quiet), time.monotonic()

    def __enter__(self) -> Live:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.__exit__()

    def news(self, standing: Standing, running: Mapping[Job, Mapping[str, Any]]) -> None:
        self._live.show(lambda: self._drawn(standing, running), lambda: self._line(standing, running))

    def _line(self, standing: Standing, running: Mapping[Job, Mapping[str, Any]]) -> str:
        spared = f", {len(standing.spared)} not needed" if standing.spared else ""
        ended = f"{standing.ended} of {len(self._plan.shifts)} shifts, {len(running)} running{spared}"
        return f"{hms(time.monotonic() - self._began_s)}  {ended}"

    def _drawn(self, standing: Standing, running: Mapping[Job, Mapping[str, Any]]) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for job, said in list(running.items())[:MOST_RUNNING]:
            where = f"{said.get('good', 0)} of {said.get('units', 0)} good" if said else "begins"
            table.add_row(job.arm, f"seed {job.seed}", where, str(said.get("host", "")))
        return Group(Text(self._line(standing, running), style="bold"), table)
