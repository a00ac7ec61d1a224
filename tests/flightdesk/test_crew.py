"""Searchers that die: the others go on."""

from __future__ import annotations

from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.recovery import compiled, crew

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
