"""The worker that does nothing: what a station yields by itself."""

from __future__ import annotations

from typing import Any

from takt.contract.station import StationSpec
from takt.contract.worker import Plan


class Idle:
    """Answers every call with an empty plan, so the station holds until it is asked again one takt later."""

    def begin(self, spec: StationSpec, seed: int) -> None:
        self.periods = max(1, round(spec.takt_s / spec.control_s))

    def act(self, observation: Any) -> Plan:
        return Plan([], ask_after=self.periods)

    def end(self) -> None: ...
