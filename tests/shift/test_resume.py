from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import sqlite3
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from takt import Ledger, TaktError, repeat_shift, resume_shift, run_shift
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from toy import Moody, Toy, push

ENDED = (UNIT_GOOD, UNIT_BAD)
GIVEN: dict[str, Any] = {"units": 12, "seed": 4, "clock": "fixed:0.3", "faults": ["fog~2/min", "jam~1/min"]}


def cut(path: Any, snapshots: Any) -> None:
    """The ledger as it is when the shift is killed after so many snapshots."""
    database = sqlite3.connect(path, isolation_level=None)
    seqs = [seq for (seq,) in database.execute("SELECT seq FROM snapshots ORDER BY seq")]
    database.execute("DELETE FROM events WHERE seq >= ?", [seqs[snapshots - 1]])
    database.execute("DELETE FROM snapshots WHERE seq > ?", [seqs[snapshots - 1]])
    database.close()


@pytest.mark.parametrize("make", [Moody, lambda: Moody(0.1), lambda: push], ids=["memory", "raises", "function"])
@pytest.mark.parametrize("clock", ["lockstep", "fixed:0.3", "fixed:2"])
def test_a_shift_killed_after_any_unit_resumes_to_the_same_ledger(tmp_path: Path, make: Any, clock: Any) -> None:
    whole = run_shift(Toy(), make(), **{**GIVEN, "clock": clock}, ledger=tmp_path / "whole.takt")
    for snapshots in range(1, 14):
        path = tmp_path / f"{snapshots}.takt"
        shutil.copy(tmp_path / "whole.takt", path)
        cut(path, snapshots)
        with Ledger.open(path) as ledger:
            assert not ledger.finished and sum(event.kind in ENDED for event in ledger.events()) == snapshots - 1
        again = resume_shift(path, station=Toy(), worker=make())
        assert again.events == whole.events and again.digest == whole.digest and again.ended == whole.ended


def test_a_shift_killed_before_its_first_event_is_worked_from_the_start(tmp_path: Path) -> None:
    whole = run_shift(Toy(), push, **GIVEN, ledger=tmp_path / "a.takt")
    database = sqlite3.connect(tmp_path / "a.takt", isolation_level=None)
    database.executescript("DELETE FROM events; DELETE FROM snapshots;")
    database.close()
    assert resume_shift(tmp_path / "a.takt", station=Toy(), worker=push).digest == whole.digest


def test_a_shift_killed_between_its_last_unit_and_its_end_only_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = types.SimpleNamespace(
        verdict_if_stopped=lambda events: types.SimpleNamespace(
            decision="reject" if sum(event.kind in ENDED for event in events) >= 5 else "undecided"
        )
    )
    monkeypatch.setitem(sys.modules, "takt.judge.verdict", stub)
    for number, given in enumerate(({"units": 5}, {"hours": 50 / 3600}, {"hours": 1, "stop_early": True})):
        path = tmp_path / f"{number}.takt"
        whole = run_shift(Toy(), push, **given, ledger=path)  # type: ignore[arg-type]
        cut(path, 6)
        station = Toy()
        again = resume_shift(path, station=station, worker=push)
        assert again.digest == whole.digest and again.ended == ("units", "time", "verdict")[number]
        assert station.actions == []


def test_a_finished_shift_is_read(tmp_path: Path) -> None:
    whole = run_shift(Toy(), push, units=2, ledger=tmp_path / "a.takt")
    before = (tmp_path / "a.takt").read_bytes()
    assert resume_shift(tmp_path / "a.takt", station=Toy(), worker=push) == whole
    assert (tmp_path / "a.takt").read_bytes() == before


def test_ctrl_c_leaves_finished_units_and_no_end(tmp_path: Path) -> None:
    class Interrupted(Toy):
        def step(self, action: Any) -> Any:
            if self.period == 567:
                raise KeyboardInterrupt
            return super().step(action)

    path = tmp_path / "a.takt"
    with pytest.raises(KeyboardInterrupt):
        run_shift(Interrupted(), Moody(), **GIVEN, ledger=path)
    assert [other.name for other in tmp_path.iterdir()] == ["a.takt"], "one whole file, to be copied"
    with Ledger.open(path) as ledger:
        assert sum(event.kind in ENDED for event in ledger.events()) == 5 and not ledger.finished
    seen = []
    again = resume_shift(path, station=Toy(), worker=Moody(), on_progress=seen.append)
    assert again.digest == run_shift(Toy(), Moody(), **GIVEN).digest
    assert tuple(event for progress in seen for event in progress.new_events) == again.events[:-1]
    assert seen[-1].units == 12


def test_a_shift_of_unregistered_things_says_so_when_resumed(tmp_path: Path) -> None:
    run_shift(Toy(), push, units=2, ledger=tmp_path / "a.takt")
    cut(tmp_path / "a.takt", 1)
    with pytest.raises(TaktError, match="no station named 'toy'"):
        resume_shift(tmp_path / "a.takt")
    with pytest.raises(TaktError, match="no worker named 'push'"):
        resume_shift(tmp_path / "a.takt", station=Toy())
    with pytest.raises(TaktError, match="there is no ledger"):
        resume_shift(tmp_path / "b.takt")


def _work(path: Any) -> None:
    """In a process of its own: work the shift, or go on with it, slowly enough to be killed on the way."""
    station, worker = Toy(1.0, 0.1, sleep_s=1e-4), Moody(0.01)
    if path.exists():
        resume_shift(path, station=station, worker=worker)
    else:
        run_shift(station, worker, units=400, seed=1, clock="fixed:0.3", faults=["fog~2/min"], ledger=path)


def _units(path: Any) -> Any:
    with Ledger.open(path) as ledger:
        return sum(event.kind in ENDED for event in ledger.events())


def test_a_shift_killed_at_ten_random_instants_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    path, rng, units = tmp_path / "killed.takt", random.Random(0), [0]
    for kill in range(10):
        process = fork.Process(target=_work, args=(path,))
        process.start()
        while not path.exists():
            time.sleep(0.001)
        while kill % 2 and _units(path) == units[-1]:  # every other time only after a unit more, however slow we are
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.1))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it was still at work"
        units.append(_units(path))
        with Ledger.open(path) as ledger:
            assert not ledger.finished and units[-1] >= units[-2]
    _work(path)
    whole = tmp_path / "whole.takt"
    _work(whole)
    with Ledger.open(path) as ledger, Ledger.open(whole) as other:
        assert ledger.finished and ledger.events() == other.events() and ledger.digest() == other.digest()
    assert units[-1] >= 5, "some of it was worked before the last kill"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["killed.takt", "whole.takt"]


class Telling(Toy):
    """The toy, since it says how its units are to be counted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.spec.unit_life_s, self.spec.planned_cycle_s, self.spec.cost_range = 10.0, 5.0, (0.0, 3.0)


def test_a_shift_of_before_a_station_said_how_its_units_count_is_the_same_again(tmp_path: Path) -> None:
    """What an older ledger does not say there is no difference; a new one says it."""
    old = run_shift(Toy(), push, units=3, ledger=tmp_path / "old.takt")
    new = run_shift(Telling(), push, units=3, ledger=tmp_path / "new.takt")
    assert old.digest != new.digest and new.events[0].data["unit_life_s"] == 10.0
    for path, digest in ((old.path, old.digest), (new.path, new.digest)):
        assert repeat_shift(path, station=Telling(), worker=push).digest == digest
