"""Steering: how a person's controls become a station's actions, where the station offers no tools.

A station's package registers one in the entry-point group `takt.steering`, under the station's name. It is made with
the station's spec and knows nothing but that: what a person sees and does goes through observation and action, as for
any worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from takt.contract.registry import entry_points, loaded
from takt.contract.station import StationSpec


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the keyboard. `code` is the browser's `KeyboardEvent.code` (W3C UI Events), whatever the layout.

    control   which control it moves.
    value     to where, -1 to 1, while it is held; or, if `toggles`, it turns the control over at each press.
    words     what it does, in English and Chinese.
    """

    code: str
    control: str
    value: float
    words: tuple[str, str]
    toggles: bool = False


@dataclass(frozen=True, slots=True)
class Gauge:
    """A bar beside the pictures. `name` in English and Chinese; `most` is where the bar is full."""

    name: tuple[str, str]
    value: float
    most: float
    unit: str


class Steering(Protocol):
    """`keys`: what there is to press. `axes`: controls in the order of a gamepad's or a 3D mouse's axes, for each of
    `hands`. `station_options`: what the station is opened with for a person, unless told otherwise."""

    @property
    def station_options(self) -> Mapping[str, Any]: ...

    @property
    def keys(self) -> Sequence[Key]: ...

    @property
    def hands(self) -> Sequence[str]: ...

    @property
    def axes(self) -> Sequence[str]: ...

    def read(self, given: Any) -> dict[str, float]:
        """Controls as a page sends them, made sound: known names only, -1 to 1, in coarse steps."""
        ...

    def action(self, controls: Mapping[str, float]) -> Any:
        """The action of one control period."""
        ...

    def pictures(self, observation: Any) -> Mapping[str, np.ndarray]:
        """What the cameras show: (H, W, 3) uint8, by name."""
        ...

    def gauges(self, observation: Any) -> Sequence[Gauge]: ...

    def facts(self, observation: Any) -> Mapping[str, str]:
        """What else an agent may see, as short texts by name: an order in words, where the hands are."""
        ...


class Renderer(Protocol):
    """Draws pictures from what a station handed over, in another process than the station's."""

    def render(self, state: bytes) -> Mapping[str, np.ndarray]:
        """What the cameras show: (H, W, 3) uint8, by name."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class RendersApart(Protocol):
    """A steering whose pictures are drawn beside the shift, so that drawing makes no station late.

    shown   the options that say what is shown, with their defaults, the most pictures a second (`camera_hz`) among
            them. They are the page's, and the station is opened without them.
    """

    @property
    def shown(self) -> Mapping[str, Any]: ...

    def scene_state(self, station: Any) -> bytes:
        """What the pictures of this moment are made from, and nothing more. It changes nothing of what happens."""
        ...

    @staticmethod
    def renderer(options: Mapping[str, Any], shown: Mapping[str, Any]) -> Renderer:
        """For a station that was opened with `options`. TaktError if nothing can be drawn here."""
        ...


@runtime_checkable
class Idles(Protocol):
    """A steering that says what the station does while nothing is pressed.

    idle        that, in English and Chinese.
    undecided   what somebody has to say before a shift begins, where that cannot be known; "" if nothing.
    """

    @property
    def idle(self) -> tuple[str, str]: ...

    @property
    def undecided(self) -> str: ...


def shown_options(station: str) -> tuple[str, ...]:
    """The options that say what a person is shown at this station: a program may be shown it in another way."""
    found = _registered(station)
    return () if found is None else (*getattr(found, "station_options", {}), *getattr(found, "shown", {}))


def steering_of(spec: StationSpec) -> Steering | None:
    """How a person steers this station; None if nobody says."""
    found = _registered(spec.station)
    if found is None:
        return None
    made: Steering = found(spec)
    return made


def renderer_of(station: str, options: Mapping[str, Any], shown: Mapping[str, Any]) -> Renderer:
    """What draws the pictures of this station (`RendersApart`), in a process of its own."""
    found = _registered(station)
    assert found is not None
    made: Renderer = found.renderer(options, shown)
    return made


def _registered(station: str) -> Any:
    point = next((one for one in entry_points("takt.steering") if one.name == station), None)
    return None if point is None else loaded(point)
