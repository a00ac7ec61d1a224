"""Searchers that die: the others go on."""

from __future__ import annotations

import os
import struct
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import by_hand
import pytest

from takt.contract.station import TaktError
from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance
from takt.stations.flightdesk.airline.recovery import compiled, crew
from takt.stations.flightdesk.airline.recovery.problem import plan_of, problem_of
from takt.stations.flightdesk.airline.recovery.recover import recover

ROUND = crew.Round(0, 1, 1.0, 1.0, None)


class Process:
    """What is at the other end of a pipe is the test itself."""

    def kill(self) -> None: ...

    def wait(self) -> None: ...


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The searchers' ends of the pipes, in the order in which they begin."""
    theirs: list[Connection] = []

    def process(_given: Path, _how: str) -> tuple[Connection, Process]:
        here, there = Pipe()
        theirs.append(there)
        return here, Process()

    monkeypatch.setattr(crew, "_process", process)
    monkeypatch.setattr(compiled, "kept", lambda: True)
    return theirs


def report(total: float) -> crew.Report:
    return crew.Report(total, 0, None, 1, 1, 0.5)


@pytest.mark.parametrize("first", [True, False])
def test_a_searcher_that_dies_is_done_without(ends: list[Connection], first: bool) -> None:
    nothing: Any = None
    with crew.Crew(nothing, nothing, 2, stand_in=False) as both:
        dead, alive = ends if first else ends[::-1]
        for end in ends:
            end.send(crew.Ready(0.0))
        while not both.ready:
            both.wait(0.1)
        both.ask([ROUND, ROUND])
        if not first:
            alive.send(report(7.0))  # it has reported before the other dies
            assert both.wait(0.1) == []
        dead.close()
        if first:
            alive.send(report(7.0))
        reports: list[crew.Report] = []
        while not reports:
            reports = both.wait(0.1)
        assert [found.total for found in reports] == [7.0] and both.count == 1 and both.ready
        both.ask([ROUND])
        alive.close()
        with pytest.raises(TaktError, match="a searcher has died; is there enough memory"):
            for _ in range(20):
                both.wait(0.1)


def test_one_that_dies_within_a_message_is_done_without(ends: list[Connection]) -> None:
    nothing: Any = None
    with crew.Crew(nothing, nothing, 2, stand_in=False) as both:
        os.write(ends[0].fileno(), struct.pack("!i", 1000) + b"the beginning of a plan")
        ends[0].close()
        ends[1].send(crew.Ready(0.0))
        for _ in range(5):
            both.wait(0.05)
        assert both.count == 1 and both.ready


def test_a_stand_in_that_dies_is_done_without(ends: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = None
    monkeypatch.setattr(compiled, "kept", lambda: False)
    with crew.Crew(nothing, nothing, 1, stand_in=True) as both:
        ends[1].send(crew.Ready(0.0))
        ends[1].close()
        for _ in range(5):
            both.wait(0.05)
        assert both.stand_in is None and both.count == 1


def test_the_stand_in_ends_when_those_who_are_left_are_ready(
    ends: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Any = None
    monkeypatch.setattr(compiled, "kept", lambda: False)
    with crew.Crew(nothing, nothing, 2, stand_in=True) as both:
        first, _ = ends
        first.send(crew.Ready(0.0))
        while len(ends) < 3:
            both.wait(0.05)
        ends[2].close()  # the second searcher dies while it begins
        for _ in range(5):
            both.wait(0.05)
        assert both.ready and both.count == 1 and both.stand_in is None


def test_what_one_has_found_counts_though_the_other_is_still_at_it(
    ends: list[Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second seats everybody anew, say, which takes a minute where the instance is large, and the time is up."""
    instance = read_instance(by_hand.write(tmp_path, alt_flights="6 01/01/08 30"))
    worse, better = sorted((do_nothing(instance), greedy_delay(instance)), key=lambda plan: -cost(instance, plan).total)
    memory = plan_of(instance, problem_of(instance), better).memory.tobytes()
    total = cost(instance, better).total
    assert total < cost(instance, worse).total and not check(instance, better)
    monkeypatch.setattr("takt.stations.flightdesk.airline.recovery.recover._baselines", lambda _: iter([worse]))

    def first() -> None:
        while len(ends) < 2:
            time.sleep(0.01)
        for end in ends:
            end.send(crew.Ready(0.0))
        ends[0].recv()
        ends[0].send(crew.Report(total, 0, memory, 1, 1, 0.1))

    Thread(target=first, daemon=True).start()
    found = list(recover(instance, seconds=3.0, searchers=2))
    assert found[0].cost.total > found[-1].cost.total == total
    assert len(found) > 2, "it is said before the time is up, and may be written"


def test_one_that_dies_between_two_rounds_is_found_out(ends: list[Connection]) -> None:
    nothing: Any = None
    with crew.Crew(nothing, nothing, 2, stand_in=False) as both:
        for end in ends:
            end.send(crew.Ready(0.0))
        while not both.ready:
            both.wait(0.1)
        ends[0].close()
        both.ask([ROUND, ROUND])
        ends[1].send(report(7.0))
        reports: list[crew.Report] = []
        while not reports:
            reports = both.wait(0.1)
        assert len(reports) == both.count == 1
