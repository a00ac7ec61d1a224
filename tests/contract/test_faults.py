from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from takt.contract.faults import merged, schedule
from takt.contract.station import Fault, TaktError
from toy import Toy

SPEC = Toy().spec


def test_a_planned_fault_strikes_when_it_is_told_to() -> None:
    assert schedule(["jam@00:20:00"], SPEC, 0, 3600) == (Fault("jam", 1200.0, 20.0),)
    assert schedule(["jam@01:02:03.5+90s"], SPEC, 0, 36000) == (Fault("jam", 3723.5, 90.0),)
    assert schedule(["jam@00:20:00", "fog@00:01:00+1.5s"], SPEC, 0, 3600) == (
        Fault("fog", 60.0, 1.5),
        Fault("jam", 1200.0, 20.0),
    )


def test_random_faults_come_at_their_rate_and_last_as_long_as_repair_takes() -> None:
    faults = schedule(["fog~60/h"], SPEC, 1, 1000 * 3600)
    assert len(faults) == pytest.approx(60_000 * np.exp(-5 / 60), rel=0.02)  # those that strike during one are merged
    busy_s = sum(fault.for_s for fault in faults)
    assert busy_s / (1000 * 3600) == pytest.approx(1 - np.exp(-5 / 60), rel=0.02)  # M/G/inf: busy 1 - exp(-load)
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)
    assert len(schedule(["fog~1/min"], SPEC, 1, 1000 * 3600)) == len(faults)
    assert len(schedule(["fog~0/h"], SPEC, 1, 3600)) == 0


def test_a_given_length_moves_no_fault() -> None:
    random = schedule(["fog~1/h"], SPEC, 5, 36000)
    given = schedule(["fog~1/h+1s"], SPEC, 5, 36000)
    assert [fault.at_s for fault in given] == [fault.at_s for fault in random]
    assert {fault.for_s for fault in given} == {1.0}


def test_faults_are_keyed_by_seed_name_and_place() -> None:
    texts = ["fog~3/h", "jam~3/h"]
    assert schedule(texts, SPEC, 0, 36000) == schedule(texts, SPEC, 0, 36000)
    assert schedule(texts, SPEC, 0, 36000) != schedule(texts, SPEC, 1, 36000)
    fog = [fault for fault in schedule(texts, SPEC, 0, 36000) if fault.name == "fog"]
    assert fog == list(schedule(texts[:1], SPEC, 0, 36000)), "another fault beside it changes nothing"
    jam = [fault.at_s for fault in schedule(texts, SPEC, 0, 36000) if fault.name == "jam"]
    assert not set(jam) & {fault.at_s for fault in fog}
    longer = schedule(texts, SPEC, 0, 72000)
    assert longer[: len(schedule(texts, SPEC, 0, 36000))] == schedule(texts, SPEC, 0, 36000)


def test_a_fault_that_strikes_during_itself_lasts_longer() -> None:
    assert merged([Fault("a", 0.0, 10.0), Fault("b", 3.0, 1.0), Fault("a", 5.0, 10.0), Fault("a", 6.0, 1.0)]) == (
        Fault("a", 0.0, 15.0),
        Fault("b", 3.0, 1.0),
    )


@pytest.mark.parametrize(
    "text",
    ["jam", "jam@", "jam@20", "jam@00:61:00", "jam@00:20:00+", "jam~", "jam~1", "jam~1/week", "~1/h", ""],
)
def test_what_cannot_be_read_is_named(text: Any) -> None:
    with pytest.raises(TaktError, match="cannot read the fault") as error:
        schedule([text], SPEC, 0, 3600)
    assert "\n" not in str(error.value) and repr(text) in str(error.value)


@pytest.mark.parametrize("rate", ["nan", "NaN", "inf", "-1", "1e309", "999999999", "x", "", "9" * 5000])
def test_a_rate_that_makes_no_sense_is_told_the_most_that_does(rate: Any) -> None:
    with pytest.raises(TaktError, match=r"the most that makes sense is jam~\S+/h$") as error:
        schedule([f"jam~{rate}/h"], SPEC, 0, 3600)
    assert len(str(error.value)) < 300
    most = str(error.value).split()[-1]
    assert schedule([most], SPEC, 0, 3600)  # and it is one that is taken


@pytest.mark.parametrize("text", ["jam@00:20:00+{}s", "jam~1/h+{}s"])
@pytest.mark.parametrize("lasts", ["nan", "inf", "1e300", "-1", "x", ""])
def test_a_fault_lasts_a_year_at_most(text: Any, lasts: Any) -> None:
    with pytest.raises(TaktError, match="it must be a number from 0 to 31,536,000"):
        schedule([text.format(lasts)], SPEC, 0, 3600)
    assert schedule([text.format("2.5")], SPEC, 0, 36000)[0].for_s == 2.5


def test_a_fault_years_away_is_refused() -> None:
    with pytest.raises(TaktError, match="the latest that makes sense is jam@8760:00:00"):
        schedule(["jam@99999:00:00"], SPEC, 0, 3600)


def test_a_station_has_only_its_own_faults() -> None:
    with pytest.raises(TaktError, match=r"'flood'; it can have: jam, fog"):
        schedule(["flood~1/h"], SPEC, 0, 3600)
    with pytest.raises(TaktError, match="'flood'"):
        schedule(["flood@00:00:01"], SPEC, 0, 3600)
