"""Every registered station of ours keeps its contract: here what is quickly seen; `make check`, which continuous
integration runs, looks at all rules of each.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from takt.contract.check import RULES, check_station
from takt.contract.station import Station, open_station

SMALL: dict[str, dict[str, Any]] = {
    "gym": {},
    "flightdesk": {"scenario": "two-hubs", "flights": 120, "aircraft": 20, "bookings": 600, "days": 1},
    "inspection": {"image_size": 64},
    "nutcell": {},
}
ELSEWHERE = {"codedesk"}  # tests/codedesk: it needs a series of tickets
QUICK = (
    "the spec is whole",
    "options go round",
    "what is seen is in the space",
    "tools refuse what they must",
    "what it says of a shift is plain",
)
MORE = {"flightdesk": ("a snapshot goes on bit for bit",), "gym": tuple(rule for rule in RULES if rule not in QUICK)}
PYPROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())


def test_no_station_of_ours_is_forgotten() -> None:
    assert PYPROJECT["project"]["entry-points"]["takt.stations"].keys() == SMALL.keys() | ELSEWHERE
    assert {*QUICK, *(rule for rules in MORE.values() for rule in rules)} == RULES.keys()
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    assert all(f"takt check {name}" in makefile for name in SMALL.keys() | ELSEWHERE)


@pytest.mark.parametrize("name", SMALL)
def test_a_station_of_ours_keeps_its_contract(name: str) -> None:
    def opened(**options: Any) -> Station:
        return open_station(name, **{**SMALL[name], **options})

    rules = [*QUICK, *MORE.get(name, ())]
    found = list(check_station(opened, steps=8, rules=rules))
    assert len(found) == len(rules)
    assert not [f"{finding.rule}: {finding.says}" for finding in found if finding.kept is False]
