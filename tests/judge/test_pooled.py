"""Several shifts, one verdict: by unit, by shift, and what each takes for granted; and the commands."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import TaktError
from takt.cli import main
from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.judge.pooled import pooled, readings
from takt.judge.power import units_needed
from takt.judge.verdict import verdict

CART = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5", "-o", "success=return>=15", "--clock", "lockstep"]


def shift(goods: Any, seed: Any = 0, ended: Any = "units", **changed: Any) -> Any:
    told = {"station": "toy", "options": {}, "worker": "w", "worker_options": {}, "seed": seed, "clock": "lockstep"}
    told |= {"acceptance": {"good_rate": 0.902, "cycle_s": None, "quantile": 0.95}}
    log = [Event(0.0, SHIFT_STARTED, None, {**told, **changed})]
    for unit, good in enumerate(goods):
        log.append(Event(10.0 * unit, UNIT_DUE, unit))
        log.append(Event(10.0 * unit + 9, UNIT_GOOD if good == "g" else UNIT_BAD, unit, {"cycle_s": 5.0, "parts": {}}))
    return [*log, Event(10.0 * len(goods), SHIFT_ENDED, None, {"reason": ended})] if ended else log


def test_one_shift_is_its_own_verdict() -> None:
    log = shift("g" * 60)
    found = pooled([log])
    assert (found.by, found.decision, found.why) == ("unit", "accept", verdict(log).why)
    assert found.units == verdict(log) and found.by_shift is None and found.spread is None


def test_a_plant_may_ask_that_it_stands_up_to_more() -> None:
    log = shift("g" * 60)
    assert 0.3 < pooled([log]).units.stands_to < 0.5
    found = pooled([log], stands_to=0.5)
    assert found.decision == "undecided" and "the job asks for 0.5" in found.why
    assert pooled([log], stands_to=0.3).decision == "accept"


def test_what_a_plant_asks_of_units_it_asks_of_shifts_as_well() -> None:
    """Shifts alike by luck are no surer than their units, and these stand up to so much stickiness only."""
    logs = [shift("g" * 20, seed=seed) for seed in range(8)]
    assert pooled(logs).decision == "accept"
    found = pooled(logs, stands_to=0.9)
    assert (found.by, found.decision) == ("shift", "undecided") and "the job asks for 0.9" in found.why
    assert pooled(logs, stands_to=0.3).decision == "accept"


def test_units_of_several_shifts_add_up_and_shifts_are_judged_apart() -> None:
    """Four shifts of 20 good units: enough about these units; about a worker whose shifts differ by 4 points, eight."""
    logs = [shift("g" * 20, seed=seed) for seed in range(8)]
    few, found = pooled(logs[:4]), pooled(logs)
    assert verdict(logs[0]).decision == "undecided" and (found.by, found.shifts) == ("shift", 8)
    assert few.units.units == 80 and few.units.decision == "accept" and few.decision == "undecided"
    assert found.decision == "accept" and found.by_shift.lower < found.units.lower, "never narrower than by unit"
    assert pooled(logs, by="free").decision == "undecided" and 0.3 < found.by_shift_free.lower < 0.902
    said = " ".join(readings(found))
    assert "About these units" in said and "differ by 4 points at most" in said and "about 30 shifts" in said


def test_shifts_that_differ_do_not_prove_a_worker() -> None:
    """The units say 95 %, and would be accepted; but the shifts say 80 to 100 %, and three in four may be luck."""
    logs = [
        shift("g" * 100, seed=0),
        shift("g" * 100, seed=1),
        shift("g" * 80 + "b" * 20, seed=2),
        shift("g" * 100, seed=3),
    ]
    found = pooled(logs)
    assert found.units.decision == "accept" and found.decision == "undecided"
    assert found.by_shift.lower < 0.902 < found.by_shift.upper and "or shift means are about normal" in found.why


def test_thirty_shifts_prove_it_whatever_their_distribution() -> None:
    logs = [shift("g" * 50, seed=seed) for seed in range(40)]
    assert pooled(logs, by="free").decision == "accept" and pooled(logs[:20], by="free").decision == "undecided"
    poor = [shift("gb" * 25, seed=seed) for seed in range(12)]
    assert pooled(poor, by="free").decision == "reject"


def test_a_rare_bad_shift_fools_the_normal_reading_and_not_the_free_one() -> None:
    """Nine in ten at 95 %, one at 47 %: the mean is as required. Ten workers of twelve shifts, seed 1."""
    rng = np.random.default_rng(1)
    wrong = {"shift": 0, "free": 0}
    for _ in range(10):
        logs = []
        for seed in range(12):
            good = 95 if rng.random() < 0.9 else 47
            logs.append(shift(rng.permutation(list("g" * good + "b" * (100 - good))), seed=seed))
        found = pooled(logs)
        wrong["shift"] += found.decision == "accept"
        wrong["free"] += found.by_shift_free.lower >= 0.902
    assert wrong["free"] == 0 and wrong["shift"] >= 1


def test_stickiness_does_not_cross_shifts_and_unfinished_shifts_are_named() -> None:
    found = pooled([shift("g" * 60), shift("g" * 60, seed=1, ended="")])
    assert found.shifts == 1 and found.notes == ["seed 1 has not ended"] and found.by_shift is None
    assert found.units.dependence.correlation is None
    early = pooled([shift("g" * 60), shift("g" * 60, seed=1, ended="verdict")])
    assert early.notes == ["seed 1 ended by 'verdict', so that is no whole shift"]


def test_a_cycle_limit_holds_over_shifts_as_well() -> None:
    asked = {"good_rate": 0.5, "cycle_s": 4.0, "quantile": 0.95}
    logs = [shift("g" * 60, seed=seed, acceptance=asked) for seed in range(4)]
    assert pooled(logs).decision == "reject" and "share within the cycle time" in pooled(logs).why


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (shift("gg"), "seed 0 is given twice"),
        (shift("gg", seed=1, worker="v"), 'worker is "w" in one and "v" in another'),
        (shift("gg", seed=1, acceptance={"good_rate": 0.5}), "acceptance is"),
        ([], "without `shift_started`"),
    ],
)
def test_what_cannot_be_pooled_is_named(other: Any, said: Any) -> None:
    with pytest.raises(TaktError) as error:
        pooled([shift("gg"), other])
    assert said in str(error.value) and "\n" not in str(error.value)


def test_it_is_json() -> None:
    for logs in ([shift("")], [shift("g"), shift("b", seed=1)]):
        json.dumps(asdict(pooled(logs)), allow_nan=False)


def test_the_command_judges_ledgers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = []
    for seed in (1, 2):
        paths.append(str(tmp_path / f"{seed}.takt"))
        assert (
            main(["run", "gym", "--worker", "idle", "--units", "3", "--seed", str(seed), "--out", paths[-1], *CART])
            == 0
        )
    capsys.readouterr()
    assert main(["verdict", *paths, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["units"]["units"] == 6 and told["by"] == "shift" and told["ledgers"] == paths
    assert main(["verdict", *paths]) == 0
    out = capsys.readouterr().out
    assert told["decision"].upper() in out and "rules of November 2026" in " ".join(out.split()).replace("┃ ┃ ", "")
    assert main(["verdict", *paths, "--require-accept"]) == 1
    capsys.readouterr()
    for wrong, said in (
        (["verdict", paths[0], "--by", "hour"], "'hour'"),
        (["verdict", paths[0], "--alpha", "2"], "alpha"),
        (["verdict", paths[0], "--stands-to", "1"], "between 0 and 1"),
    ):
        assert main(wrong) == 2
        assert said in capsys.readouterr().err


def test_the_command_plans(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--rate", "90.2%", "--true", "97%,0.7", "--power", "80%", "--takt", "76", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["decision"] for row in told["rows"]] == ["accept", "reject"] and told["least_units"] == 37
    assert told["rows"][0]["units"]["0.8"] == units_needed(0.902, 0.97, 0.8).units
    assert main(["plan", "--rate", "90.2%", "--true", "97%", "--takt", "76"]) == 0
    assert "143 (3.0 h)" in capsys.readouterr().out
    for asked, least in (("95%", 0.97), ("99.9%", 0.9999), ("99.99%", 0.99995)):  # as the flight desk asks, for one
        assert main(["plan", "--rate", asked, "--power", "50%", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        assert rows[0]["true"] == pytest.approx(least) and all(row["decision"] == "accept" for row in rows)
    for wrong, said in (
        ([], "--rate"),
        (["--rate", "x"], "'x'"),
        (["--rate", "120%"], "'120%'"),
        (["--rate", "90%", "--true", "90%"], "no number of units"),
        (["--rate", "90%", "--takt", "0"], "takt"),
    ):
        assert main(["plan", *wrong]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
