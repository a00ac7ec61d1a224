"""A steering of two hands for the tests of the page at stations that are steered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from takt.contract.steering import Gauge, Key


class TwoHands:
    """How a station of two hands is steered, with nothing behind it: pictures of one colour, a gauge, a fact."""

    station_options: Mapping[str, Any] = {}
    hands, axes = ("left", "right"), ("y", "x", "z", "turn", "tip")
    keys = (
        Key("KeyW", "left.x", 1.0, ("left hand: away", "左手：向前")),
        Key("Space", "left.grip", 1.0, ("left hand: close, open", "左手：夹紧、松开"), toggles=True),
    )

    def __init__(self) -> None:
        self.controls: dict[str, float] = {}

    def read(self, given: Any) -> dict[str, float]:
        return dict(given)

    def action(self, controls: Mapping[str, float]) -> Any:
        return None

    def pictures(self, observation: Any) -> Mapping[str, np.ndarray]:
        return {"head": np.full((24, 32, 3), observation, np.uint8)}

    def gauges(self, observation: Any) -> Sequence[Gauge]:
        return [Gauge(("left push", "左推"), float(observation), 60.0, "N")]

    def facts(self, observation: Any) -> Mapping[str, str]:
        return {"left hand, mm": f"{observation}.0 2.0 3.0"}
