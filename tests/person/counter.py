"""A small station of tools for tests: a parcel comes every 20 s, to be sent where its label says within 60 s."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import gymnasium
from gymnasium import spaces
from pydantic import BaseModel, Field

from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import Acceptance, StationSpec
from takt.contract.tools import WAIT, Calls, Refused, Toolbox
from takt.ledger.pack import pack, unpack

TOOLS = Toolbox()
PLACES = ("north", "south")


class Stamp(BaseModel):
    """One stamp."""

    value: Annotated[int, Field(ge=1, le=9, description="Its worth.")]
    colour: Annotated[Literal["red", "blue"], Field(description="Its colour.")] = "red"


@TOOLS.tool()
def look(counter: Any) -> dict[str, Any]:
    """Parcels that wait."""
    return {"parcels": counter.waiting_rows()}


@TOOLS.tool(changes=True)
def send(
    counter: Any,
    parcel: Annotated[str, Field(description="A parcel's name.")],
    to: Annotated[Literal["north", "south"], Field(description="Where to.")],
    stamps: Annotated[list[Stamp], Field(min_length=1, description="Three in worth.")],
) -> dict[str, Any]:
    """Send a parcel."""
    if parcel not in counter.waiting:
        raise Refused("no_such_parcel", f"there is no parcel {parcel!r} here")
    if sum(stamp.value for stamp in stamps) != 3:
        raise Refused("wrong_stamps", "a parcel takes stamps of three in worth")
    unit = counter.waiting.pop(parcel)
    counter.sent(unit, to)
    return {"parcel": parcel, "sent": to}


@TOOLS.tool()
def wait(counter: Any) -> dict[str, Any]:
    """Do nothing."""
    return {}


class Counter(gymnasium.Env[Any, Any]):
    """The station. `hold` is `wait` without arguments, which no worker writes."""

    def __init__(self, control_s: float = 1.0) -> None:
        self.spec: StationSpec = StationSpec(
            id="counter-v0",
            station="counter",
            takt_s=20.0,
            control_s=control_s,
            acceptance=Acceptance(0.9),
            options={"control_s": control_s},
            brief="Send every parcel where its label says, within 60 s.",
            tools=tuple(TOOLS.openai_tools()),
            looks=("look", "wait"),
            pace="arrivals",
            unit_life_s=60.0,
        )
        self.observation_space = spaces.Dict({})
        self.action_space = Calls(TOOLS)
        self.hold = WAIT

    @property
    def now(self) -> float:
        return self.period * self.spec.control_s

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.period, self.units, self.result = 0, 0, None
        self.waiting: dict[str, int] = {}
        self.due: dict[int, float] = {}
        self.log: list[Event] = []
        self._come()
        return self._observation(), {"events": self._drain()}

    def step(self, action: Any) -> Any:
        if action != self.hold:
            self.result = TOOLS.call(self, action)  # type: ignore[assignment]
        self.period += 1
        if self.now >= 20.0 * self.units:
            self._come()
        for name, unit in list(self.waiting.items()):
            if self.now - self.due[unit] >= 60.0:
                del self.waiting[name]
                self._event(UNIT_BAD, unit, cycle_s=None, parts={}, reasons=["late"])
        return self._observation(), 0.0, False, False, {"events": self._drain()}

    def sent(self, unit: int, to: str) -> None:
        cycle_s = round(self.now - self.due[unit], 3)
        if to == PLACES[unit % 2]:
            self._event(UNIT_GOOD, unit, cycle_s=cycle_s, parts={}, first_time=True)
        else:
            self._event(UNIT_BAD, unit, cycle_s=cycle_s, parts={}, reasons=["misdirected"])

    def waiting_rows(self) -> list[Any]:
        return [
            {"parcel": name, "label": PLACES[unit % 2], "since_s": self.due[unit]}
            for name, unit in self.waiting.items()
        ]

    def _come(self) -> None:
        name = f"P{self.units}"
        self.waiting[name], self.due[self.units] = self.units, self.now
        self._event(UNIT_DUE, self.units, parcel=name)
        self.units += 1

    def _event(self, kind: str, unit: int, **data: Any) -> None:
        self.log.append(Event(self.now, kind, unit, data))

    def _drain(self) -> Any:
        events, self.log = self.log, []
        return events

    def _observation(self) -> dict[str, Any]:
        rows = self.waiting_rows()
        return {"now_s": self.now, "waiting": len(rows), "queue": rows, "result": self.result}

    def save(self) -> bytes:
        return pack([self.period, self.units, self.result, self.waiting, {str(k): v for k, v in self.due.items()}])

    def load(self, state: bytes) -> None:
        self.period, self.units, self.result, self.waiting, due = unpack(state)
        self.due = {int(k): v for k, v in due.items()}
        self.log = []
