"""The nut cell's own workers: what the expert can do, what the blind one cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import Shift, TaktError, kpis, open_station, resume_shift, run_shift
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.stations.nutcell import NutCell
from takt.stations.nutcell.expert import Blind, Expert
from takt.stations.nutcell.phases import Arm, Seen
from takt.stations.nutcell.scene import SIDES

CLASSES = {"not_seated", "jammed", "dropped", "missed", "late", "collision"}


def worked(worker: Any, units: int, seed: int, difficulty: str = "plant", **given: Any) -> Shift:
    options = {"difficulty": difficulty, "privileged": True}
    return run_shift("nutcell", worker, units=units, seed=seed, clock="fixed:0.08", station_options=options, **given)


def test_the_expert_seats_both_sides_where_the_cell_is_harsh() -> None:
    figures = kpis(worked(Expert(), 3, seed=21, difficulty="harsh").events)
    assert (figures.units, figures.good) == (3, 3)
    assert figures.cycle_mean_s is not None and figures.cycle_mean_s < 60


def test_the_expert_finds_the_spline_by_feel_alone() -> None:
    """One that does not look at the splines at all has only the ribs under the nut, and the drop, to go by."""

    class Feels(Expert):
        searched = 0

        def _misfit(self, seen: Seen) -> float:
            return 0.0

        def _do_search(self, arm: Arm, seen: Seen, setpoint: np.ndarray) -> np.ndarray | None:
            self.searched += 1
            return super()._do_search(arm, seen, setpoint)

    worker = Feels()
    figures = kpis(worked(worker, 2, seed=22).events)
    assert (figures.units, figures.good) == (2, 2) and worker.searched > 4


def test_the_expert_puts_a_bad_nut_aside_and_takes_the_next() -> None:
    station: NutCell = open_station("nutcell", difficulty="plant", privileged=True)  # type: ignore[assignment]
    station.reset(seed=23)
    bad = int(np.flatnonzero(station.nuts.state[0] == 1)[0])
    station.model.geom_size[station.world.scene.tooth_geom[0, bad], 1] = 0.0036  # teeth that fit between no ribs
    shift = run_shift(station, Expert(), units=1, seed=23, clock="fixed:0.08")
    unit = next(event for event in shift.events if event.kind in (UNIT_GOOD, UNIT_BAD))
    assert unit.kind == UNIT_GOOD and unit.data["first_time"] is False
    assert unit.data["peak_push_n"] < 100
    lies = station.nuts.pos()[0, bad]
    assert station.nuts.state[0, bad] == 2 and np.linalg.norm(lies[:2] - station.fixture.seat[0, :2]) > 0.06


def test_the_blind_one_fails_often_and_for_the_stated_reasons() -> None:
    """A spline's yaw is anything within its pitch of 60 degrees, and with the magnet's help a nut comes home within 10
    or so: each side one time in three, both one in eight. That 2 or 3 of 3 are good has a chance of 4 %."""
    figures = kpis(worked("blind", 3, seed=24).events)
    assert figures.good <= 1 and set(figures.failures_by_class) <= CLASSES
    assert set(figures.parts) == set(SIDES)


def test_the_expert_says_what_it_needs() -> None:
    assert run_shift("nutcell", "expert", hours=1 / 3600).meta["options"]["privileged"] is True
    assert run_shift("nutcell", "blind", hours=1 / 3600).meta["options"]["privileged"] is False
    with pytest.raises(TaktError, match="the expert reads privileged state: open the station with privileged=true"):
        run_shift(open_station("nutcell"), Expert(), units=1)
    with pytest.raises(TaktError, match="use control=ee"):
        run_shift(open_station("nutcell", control="joint"), Blind(), units=1)


def test_a_shift_cut_in_the_middle_of_a_unit_goes_on_to_the_same_ledger(tmp_path: Path) -> None:
    class Cut(Expert):
        def act(self, observation: dict[str, Any]) -> Any:
            if self.shifted and self.takt_left < 70 < observation["observation.takt_left"][0] + 3:
                raise KeyboardInterrupt
            self.shifted = self.shifted or observation["observation.takt_left"][0] < 40
            return super().act(observation)

        shifted = False

    whole = worked(Expert(), 2, seed=25)
    with pytest.raises(KeyboardInterrupt):
        worked(Cut(), 2, seed=25, ledger=tmp_path / "cut.takt", worker_name="Expert")
    resumed = resume_shift(tmp_path / "cut.takt", worker=Expert())
    assert resumed.events == whole.events and resumed.digest == whole.digest
