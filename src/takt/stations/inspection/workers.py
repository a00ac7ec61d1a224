"""Inspectors that need no model."""

from __future__ import annotations

from typing import Any

from takt.contract.station import StationSpec
from takt.contract.tools import WAIT, tool_call
from takt.contract.worker import Plan
from takt.stations.inspection.fixtures import SIDES


def said(classes: dict[str, str]) -> str:
    """The verdict on both sides, as an action."""
    wrong = [found for found in classes.values() if found != "good"]
    sides = {side: "good" if classes[side] == "good" else "bad" for side in SIDES}
    return tool_call("verdict", **sides, why=wrong[0] if wrong else "")


def until_next(observation: dict[str, Any], spec: StationSpec) -> Plan:
    """Wait for the next fixture."""
    return Plan([WAIT] * max(1, round(observation["left_s"] / spec.control_s)))


class AlwaysGood:
    """Lets everything go on: as bad as the escapes say."""

    def begin(self, spec: StationSpec, seed: int) -> None:
        self._spec = spec

    def end(self) -> None: ...

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["waiting"]:
            return until_next(observation, self._spec)
        return Plan([said(dict.fromkeys(SIDES, "good"))])


class Reference(AlwaysGood):
    """Asks for the truth, which no inspector can."""

    station_options = {"privileged": True}  # noqa: RUF012

    def act(self, observation: dict[str, Any]) -> Plan:
        result = observation["result"]
        if not observation["waiting"]:
            return until_next(observation, self._spec)
        if result.get("tool") != "truth":
            return Plan([tool_call("truth", unit=observation["unit"])])
        return Plan([said({side: result[side] for side in SIDES})])
