"""A worker in a process of its own works the same shift; whatever it does there, the shift ends as it should."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import msgpack
import pytest

from takt.cli import main
from takt.contract.events import FAULT, SAID, UNIT_BAD, UNIT_GOOD
from takt.contract.station import TaktError, open_station
from takt.contract.worker import worker_seed
from takt.isolate.wire import received
from takt.ledger import Ledger
from takt.shift import Shift, resume_shift, run_shift

HERE = Path(__file__).parent

from toy import Toy  # noqa: E402


def worked(name: str, isolate: bool, path: Path | None = None, units: int = 4, **options: Any) -> Shift:
    return run_shift(
        Toy(),
        f"workers_apart:{name}",
        seed=5,
        units=units,
        isolate=isolate,
        worker_options=options,
        ledger=path,
    )


def test_a_worker_apart_writes_the_same_ledger_with_memory_records_and_faults() -> None:
    here, apart = worked("Counting", False), worked("Counting", True)
    assert here.digest == apart.digest and apart.broken
    assert {FAULT, SAID} <= {event.kind for event in apart.events}


def test_a_shift_of_a_worker_apart_that_was_interrupted_resumes_apart_to_the_same_ledger(tmp_path: Path) -> None:
    whole = worked("Counting", True, tmp_path / "whole.takt")

    def stop(progress: Any) -> None:
        if progress.units >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_shift(
            Toy(sleep_s=0.002),
            "workers_apart:Counting",
            seed=5,
            units=4,
            isolate=True,
            ledger=tmp_path / "cut.takt",
            on_progress=stop,
        )
    with Ledger.open(tmp_path / "cut.takt") as book:
        assert book.meta["isolate"] is True and not book.finished
    resumed = resume_shift(tmp_path / "cut.takt", station=Toy(), worker="workers_apart:Counting")
    units = [[(e.t_s, e.kind, e.data) for e in s.events if e.kind in (UNIT_GOOD, UNIT_BAD)] for s in (whole, resumed)]
    assert units[0] == units[1] and resumed.ended == "units"


def test_a_worker_whose_process_ends_is_gone_and_the_shift_goes_on_to_its_end() -> None:
    shift = worked("Leaving", True)
    assert shift.ended == "units" and len(shift.broken) == 1 and "exit code 11" in shift.broken[0]


def test_a_worker_that_forges_its_answers_is_gone_and_the_shift_goes_on() -> None:
    shift = worked("Lying", True)
    assert shift.ended == "units" and len(shift.broken) == 1 and "is gone" in shift.broken[0]


@pytest.mark.parametrize(
    "forged",
    [
        {b"__ndarray__": True, b"data": b"", b"dtype": "<f8", b"shape": [2**40]},
        {b"__ndarray__": True, b"data": b"12345678", b"dtype": "<f8", b"shape": [-1]},
        {b"__ndarray__": True, b"data": b"12345678", b"dtype": "O", b"shape": [1]},
        {b"__ndarray__": True, b"data": b"12345678", b"dtype": "(2,)f4", b"shape": [1]},
        {b"__npgeneric__": True, b"data": b"x", b"dtype": "S2000000000"},
        {b"__npgeneric__": True, b"data": "1", b"dtype": "<f8"},
        {b"__int__": "9" * 5000},
    ],
)
def test_nothing_is_made_of_a_forged_array_or_number(forged: dict[bytes, Any]) -> None:
    with pytest.raises(ValueError):
        received(msgpack.packb(["answer", forged]))
    with pytest.raises(ValueError):
        received(pickle.dumps(["answer", forged]))


@pytest.mark.parametrize("what", ["mapping", "object"])
def test_an_answer_that_is_no_plan_is_told_as_it_is_without_a_process(what: str) -> None:
    here, apart = worked("Answering", False, what=what), worked("Answering", True, what=what)
    assert apart.ended == "broken_plan" and here.digest == apart.digest


def test_a_worker_that_says_it_is_done_or_exits_ends_or_fails_as_it_says() -> None:
    done = worked("Done", True)
    assert done.ended == "worker_done" and done.broken == ["enough (at 0.00 s)"]
    exits = worked("Exiting", True)
    assert exits.ended == "units" and all("SystemExit" in line for line in exits.broken)


def test_what_cannot_be_opened_apart_is_one_line() -> None:
    with pytest.raises(TaktError, match="cannot import the worker 'workers_apart:Missing'"):
        worked("Missing", True)
    with pytest.raises(TaktError, match="isolated by its name"):
        run_shift(Toy(), lambda seen: [0.0, 0.0], units=1, isolate=True)


class Guessing:
    """Tries to compute each unit's pins from all that a worker is given: the seed, the spec, and what it sees."""

    def begin(self, spec: Any, seed: int) -> None:
        from takt.stations.nutcell import variation

        self.keys = [seed, worker_seed(seed)]
        found = (value for part in (vars(spec), spec.options, spec.kwargs) for value in part.values())
        self.keys += [value for value in found if isinstance(value, int) and not isinstance(value, bool)]
        hard = variation.DIFFICULTIES[spec.options["difficulty"]]
        self.guesses = [
            [variation.pin(hard, key, unit, "left").yaw_rad for key in self.keys for unit in (0,)],
        ]

    def act(self, observation: Any) -> Any: ...

    def end(self) -> None: ...


def test_a_worker_that_computes_the_unit_from_what_it_is_told_does_no_better_than_chance() -> None:
    """Yaw of the pin, uniform in +-8 degrees at `plant`: a guess is within a tenth of the range by chance once in ten
    at most (0.1 of 16 degrees either way, less at the ends). 300 seeds; the limit is 5 standard deviations above, so a
    false alarm comes once in three million runs. The seed itself as the key would be right 300 times.
    """
    from takt.stations.nutcell import variation

    hard = variation.DIFFICULTIES["plant"]
    near = 0.05 * 2 * hard.pin_yaw_rad
    spec = open_station("nutcell").spec
    tried = hits = 0
    for seed in range(300):
        worker = Guessing()
        worker.begin(spec, worker_seed(seed))
        true = variation.pin(hard, seed, 0, "left").yaw_rad
        for guesses in worker.guesses:
            for guess in guesses:
                tried += 1
                hits += abs(guess - true) <= near
    expected = 0.1 * tried
    assert hits <= expected + 5 * (expected * 0.9) ** 0.5


def test_a_seed_drawn_at_random_has_128_bits_and_its_file_does_not_tell_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    seeds = []
    for _ in range(2):
        words = ["run", "gym", "--worker", "idle", "--units", "1", "--seed", "random", "--isolate"]
        assert main([*words, "-o", "id=CartPole-v1"]) == 0
    for path in sorted((tmp_path / "shifts").iterdir()):
        with Ledger.open(path) as book:
            seeds.append(book.meta["seed"])
            assert book.meta["isolate"] is True and str(book.meta["seed"]) not in path.name
    assert len(set(seeds)) == 2 and min(seeds) > 2**96  # below that once in two thousand million runs
    assert main(["run", "gym", "--worker", "idle", "--units", "1", "--seed", "x"]) == 2


@pytest.mark.parametrize("station", ["nutcell", "gym"])
def test_stations_take_seeds_of_128_bits_and_snapshots_keep_them(station: str) -> None:
    options = {"id": "CartPole-v1"} if station == "gym" else {"line": "mixed"}
    shift = run_shift(station, "idle", seed=2**128 - 1, units=1, station_options=options, clock="lockstep")
    assert shift.ended == "units" and shift.meta["seed"] == 2**128 - 1
