"""What is decided in one place: the clock of a shift that is given none, and how far numbers may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from takt import Plan, TaktError, run_shift
from takt.cli import main
from takt.ledger import Ledger
from takt.shift.rounds import Contestant, work_rounds
from toy import Toy, push

CART = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5"]


def right(observation: Any) -> int:
    return 1


def slow(observation: Any) -> int:
    return 0


slow.clock = "measured"  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("worker", "clock"), [("right", "fixed:0.08"), ("slow", "measured")])
def test_the_clock_of_a_shift_that_is_given_none_is_the_same_however_it_is_worked(worker: Any, clock: Any) -> None:
    name, options = f"test_one_rule:{worker}", {"id": "CartPole-v1", "takt_s": 0.5}
    shift = run_shift("gym", name, units=2, station_options=options)
    assert (
        shift.meta["clock"]
        == clock
        == run_shift("gym", globals()[worker], units=1, station_options=options).meta["clock"]
    )
    assert main(["run", "gym", "--worker", name, "--units", "2", *CART, "--out", "a.takt"]) == 0
    both = [Contestant("a", name), Contestant("b", name)]
    rounds = work_rounds("gym", both, [0], "there", units=2, station_options=options)
    with Ledger.open("a.takt") as book:
        assert book.meta["clock"] == rounds.shifts["a"][0].meta["clock"] == clock


def test_workers_of_different_clocks_are_not_compared_by_a_guess() -> None:
    both = [Contestant("a", "test_one_rule:right"), Contestant("b", "test_one_rule:slow")]
    options = {"id": "CartPole-v1", "takt_s": 0.5}
    with pytest.raises(TaktError, match=r"a by fixed:0\.08, b by measured; say one for all with --clock"):
        work_rounds("gym", both, [0], "there", units=2, station_options=options)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"faults": ["jam~999999999/h"]}, "the most that makes sense is jam~36000/h"),
        ({"faults": ["jam@99999999999999999999:00:00"]}, "is beyond any shift"),
        ({"clock": "fixed:1e308"}, "cannot cost 1e\\+308 s; 1e\\+06 s are the most"),
        ({"hours": 1e300}, "at most 100,000"),
        ({"units": 10**12}, "at most 10,000,000"),
        ({"seed": 2**200}, "128 are the most"),
    ],
)
def test_numbers_without_an_end_are_refused_with_the_most_that_makes_sense(given: Any, says: Any) -> None:
    with pytest.raises(TaktError, match=says):
        run_shift(Toy(), push, **{"units": 3, **given})


def test_a_station_whose_takt_has_no_end_is_refused() -> None:
    with pytest.raises(TaktError, match="has takt_s=1e\\+300; it must be from"):
        run_shift(Toy(takt_s=1e300), push, units=1)


@pytest.mark.parametrize("seeds", ["0-99999999999", "9-0", "1" * 5000, "0,0"])
def test_seeds_without_an_end_are_refused(seeds: Any, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--station", "gym", "--worker", "idle,idle", "--units", "1", *CART, "--seeds", seeds]
    assert main(["compare", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "seed" in err


def test_what_a_worker_says_is_filed_under_the_unit_that_its_action_names_where_units_overlap() -> None:
    class Overlapping(Toy):
        """Actions name the unit that they deal with, by their second number; 0.0 names none."""

        def unit_of(self, action: Any) -> Any:
            return round(float(action[1]) * 10) - 1 if action[1] else None

    class Tells:
        calls = 0

        def begin(self, spec: Any, seed: Any) -> None: ...

        def act(self, observation: Any) -> Any:
            self.calls += 1
            return Plan([[0.0, {1: 0.4, 2: 0.0, 3: 0.2}.get(self.calls, 0.0)]])

        def end(self) -> None: ...

        def keep_in(self, journal: Any) -> None: ...

        def records(self) -> list[Any]:
            return [{"call": self.calls}]

    shift = run_shift(Overlapping(), Tells(), hours=0.5 / 3600, clock="lockstep")
    assert [event.unit for event in shift.events if event.kind == "said"][:4] == [3, 3, 1, 1]
    plain = run_shift(Toy(), Tells(), hours=0.5 / 3600, clock="lockstep")
    assert {event.unit for event in plain.events if event.kind == "said"} == {0}
