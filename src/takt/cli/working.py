"""While a command works a shift: progress, Ctrl-C and SIGTERM, and what came out at the end."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from takt.cli.printing import print_json, quiet
from takt.contract.events import UNIT_ENDED
from takt.contract.figure import counted
from takt.program import INTERRUPTED, complain
from takt.show import terminal
from takt.writing import Numbered

if TYPE_CHECKING:
    from takt.shift import Progress, Shift

FIRST_BROKEN = 3  # lines of what a worker did wrong that are printed


@contextmanager
def shown_working(path: Path | Numbered, as_json: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A shift is being worked into `path`: shown on stderr, and left by Ctrl-C and SIGTERM so that it can go on."""
    from takt.show.watch import Watch

    with (
        left_by_signal(lambda: interrupted_line(path)),
        quiet(as_json),
        nullcontext() if as_json else Watch(terminal.err()) as on,
    ):
        yield on


@contextmanager
def left_by_signal(said: Callable[[], str]) -> Iterator[None]:
    """Ctrl-C and SIGTERM alike end what is inside: `said` on stderr, and the exit code for it."""

    try:
        yield
    except KeyboardInterrupt:
        complain(said())
        raise typer.Exit(INTERRUPTED) from None


def interrupted_line(path: Path | Numbered, how: str = "takt resume") -> str:
    from takt.ledger import Ledger
    from takt.ledger.trust import words_again

    if not path.exists():
        return "interrupted before the shift began; nothing was written"
    with Ledger.open(path) as book:
        if book.finished:
            return f"interrupted when the shift was over; `takt kpis {shlex.quote(str(path))}` says what came out"
        ended, meta = sum(event.kind in UNIT_ENDED for event in book.events()), book.meta
    again = f"{how} {shlex.quote(str(path))}{words_again(meta, asks=True)}"
    return f"interrupted after {ended} unit{'' if ended == 1 else 's'}; go on with `{again}`"


def conclude_shift(shift: Shift, as_json: bool, require_accept: bool) -> None:
    """Print what came out of a shift, and leave with the exit code that it asks for."""
    again = f"takt kpis {shlex.quote(str(shift.path))}"
    with left_by_signal(lambda: f"interrupted when the shift was over; `{again}` says what came out"):
        print_outcome(shift, as_json, require_accept)


def print_outcome(shift: Shift, as_json: bool, require_accept: bool) -> None:
    from takt.judge.kpi import kpis as figures_of
    from takt.judge.outcomes import Outcomes
    from takt.judge.verdict import verdict
    from takt.shift.account import account_of
    from takt.show.screen import counting, summary

    judged, figures = verdict(shift.seen), figures_of(shift.seen)
    is_open = 0 if shift.ended else Outcomes.of(shift.seen).open
    with quiet(as_json), counting(terminal.err(as_json), "the station's account"):
        account = account_of(shift)
    if as_json:
        told: dict[str, Any] = {
            "ledger": str(shift.path),
            "ended": shift.ended,
            "broken": shift.broken,
            "digest": shift.digest,
        }
        told |= {"open": is_open, "verdict": asdict(judged), "kpis": asdict(figures)}
        print_json(told if account is None else {**told, "account": dict(account.values)})
    elif shift.broken and not judged.units:  # it broke its contract at once: no figure means anything
        print(f"no unit has ended; ledger: {shift.path}")
    else:
        console = terminal.out()
        more = () if account is None else account.figures
        console.print(summary(shift, judged, figures, more, console.width, is_open), highlight=False)
    complain_of(shift.broken)
    for line in () if account is None else account.warnings:
        complain(line)
    if shift.ended == "units" and (why := shift.events[-1].data.get("why")):
        units, hours = shift.meta["units"], shift.meta["hours"]
        complain(f"the shift is over before its {f'{hours:g} hours' if units is None else counted(units)}: {why}")
    if shift.broken:
        raise typer.Exit(2)
    if require_accept and judged.decision != "accept":
        raise typer.Exit(1)


def said_silent(worker: str, timeout: float | None = None) -> Callable[[float], None]:
    """What is said of a worker that does not answer."""
    how = "" if timeout else "; `takt run` has --call-timeout, which makes that a fault"
    return lambda silent_s: complain(f"the worker {worker} has not answered for {silent_s:g} s{how}")


def complain_of(broken: Sequence[str]) -> None:
    """The first things that a worker did wrong."""
    for line in broken[:FIRST_BROKEN]:
        complain(line)
    if len(broken) > FIRST_BROKEN:
        complain(f"and {len(broken) - FIRST_BROKEN} more times")
