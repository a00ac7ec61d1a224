"""A recovery from start to end: search, write the best plan so far, end in good order when told to.

In the folder are the plan's two files, as the challenge has them, and `recovery.json`: what was asked, cost by part of
the first plan and of the best, what the best changes, and `history`, rows of [seconds, iterations, EUR]. They are there
when the time is up. Then, if nobody stopped it, `report.html` is made, the same for people; it may be interrupted.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.check import check
from takt.stations.flightdesk.airline.cost import cost
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery.baseline import greedy_delay
from takt.stations.flightdesk.airline.recovery.crew import proven
from takt.stations.flightdesk.airline.recovery.recover import Found, recover
from takt.stations.flightdesk.airline.recovery.summary import changes
from takt.stations.flightdesk.airline.recovery.unavoidable import unavoidable
from takt.stations.flightdesk.airline.solution import SOLUTION, write_solution
from takt.writing import CHALLENGE, JSON, PAGE, check_place, whole_file, withdraw

REPORT, TOLD = "report.html", "recovery.json"
WRITE_S = 2.0  # seconds between two plans written; the last is always written


def work(
    instance: Instance,
    folder: Path,
    seconds: float | None,
    iterations: int | None,
    seed: int,
    searchers: int,
    on_found: Callable[[Found], None],
    bound_s: float = 0.0,
) -> dict[str, Any]:
    """Recover into a folder, and report. What `recovery.json` has.

    bound_s   seconds for a lower bound, when the plan is written; 0: none.
    """
    for name, kind in ((SOLUTION[0], CHALLENGE), (SOLUTION[1], CHALLENGE), (REPORT, PAGE), (TOLD, JSON)):
        check_place(folder / name, kind)  # before hours of search, and before anything is taken away
    history: list[tuple[float, int, float]] = []
    first: Found | None = None
    last: Found | None = None
    died: TaktError | None = None
    began, written, unwritten = time.perf_counter(), -math.inf, False

    def write(found: Found) -> None:
        nonlocal written, unwritten
        if written < 0:  # of an earlier search into the same folder
            for old in (REPORT, TOLD):
                withdraw(folder / old)
        write_solution(instance, found.solution, folder)
        written, unwritten = time.perf_counter() - began, False

    with told_to_stop() as stopped:
        plans = recover(instance, seconds, iterations, seed, searchers, stopped)
        while True:
            try:
                found = next(plans, None)
            except TaktError as error:
                if last is None:
                    raise
                died = error  # no searcher is left; what was found is whole
                break
            if found is None:
                break
            first, last = first or found, found
            if found.better:
                history.append((round(found.seconds, 2), found.iterations, found.cost.total))
                unwritten = True
            if unwritten and time.perf_counter() - began - written >= WRITE_S:
                write(found)
            on_found(found)
        assert first is not None and last is not None
        searched_s = time.perf_counter() - began
        if unwritten:
            write(last)
        told: dict[str, Any] = {
            "instance": instance.name,
            "seed": seed,
            "searchers": searchers,
            "asked_s": seconds,
            "seconds": round(searched_s, 2),
            "written_s": round(written, 2),
            "iterations": last.iterations,
            "compiling_s": None if last.compiling_s is None else round(last.compiling_s, 2),
            "interrupted": stopped(),
            "searchers_lost": searchers if died else last.lost,
            "broken": [violation.text for violation in last.broken],
            "unavoidable": [violation.text for violation in unavoidable(instance, last.broken)],
            "first": {**first.cost.parts(), "total": first.cost.total},
            "cost": {**last.cost.parts(), "total": last.cost.total},
            "weights": list(instance.prices.weights),
            "changes": changes(instance, last.solution).counts(),
            "history": history,
        }
        _write(told, folder)
        if died is not None:
            raise TaktError(f"{died}; the best plan so far is in {folder}") from died
        bound = None
        try:
            if bound_s and not stopped() and not told["unavoidable"]:  # it says nothing where no plan is valid
                bound = proven(instance, bound_s, stopped)
        except TaktError as error:
            told["no_bound"] = str(error)  # the plan is whole without it
        if bound is not None:
            told["bound"], told["bound_by"], told["bound_s"] = bound.eur, bound.by, round(bound.seconds, 2)
            told["bound_weak"] = bound.why
            greedy, told["gap"] = greedy_delay(instance), None
            if not last.broken and not check(instance, greedy):
                told["gap"] = gap(last.cost.total, bound.eur, cost(instance, greedy).total)
        if bound is not None or "no_bound" in told:
            _write(told, folder)
        if stopped() and not told["interrupted"]:
            told["interrupted"] = True
            _write(told, folder)
    if not told["interrupted"]:
        from takt.stations.flightdesk.airline.recovery.report import (  # here, since it loads what draws
            Limits,
            write_report,
        )

        limits = Limits(told.get("bound"), seconds, told.get("gap"))
        write_report(told, instance, last.solution, folder / REPORT, limits)
    return told


def _write(told: dict[str, Any], folder: Path) -> None:
    with whole_file(folder / TOLD) as new:
        new.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def gap(total: float, bound: float, greedy: float) -> float | None:
    """How much of the way from greedy-delay's plan to the bound is left: 1 at that plan, 0 where nothing is left."""
    return (total - bound) / (greedy - bound) if greedy > bound else None


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has come; they do nothing else meanwhile."""
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _frame: told.append(got))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN  # as whoever began this wants it: `nohup`, a shell's `&`
    }
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
