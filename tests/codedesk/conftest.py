"""One sandbox for all tests that try to get out of one: a start is a twentieth of a second, and there are many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from series import write_series

from takt.errors import TaktError
from takt.stations.codedesk.sandbox import Limits, Room, Sandbox, check_works


@pytest.fixture(scope="session")
def works() -> None:
    try:
        check_works()
    except TaktError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tickets of one or two tests are asked once, as those of more are: a third of the time."""
    monkeypatch.setattr("takt.stations.codedesk.inspection.FEW", 1)


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the desk, not of what its inspections see: what passes is not run again with altered tests, and of
    what is wrong it is not asked whether it could be reached. `monkeypatch.undo()` has both again."""
    monkeypatch.setattr("takt.stations.codedesk.inspection.asking", lambda files, *_: [(files, frozenset())] * 2)
    monkeypatch.setattr("takt.stations.codedesk.grading.unreachable", lambda *_: False)


@pytest.fixture(scope="module")
def shared_room(works: None) -> Iterator[Room]:
    limits = Limits(wall_s=60, memory_mb=256, processes=40, output_kb=16, disk_mb=32, effect_mb=8)
    with Sandbox(limits=limits).open() as room:
        yield room


@pytest.fixture(scope="session")
def tiny(works: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_series(tmp_path_factory.mktemp("series") / "tiny"))
