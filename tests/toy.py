"""A small deterministic station for tests: a lever pushed each control period, a unit every ten seconds.

The lever's force (action) adds to a pile. A unit falls due at each takt; the first push of more than 0.5 finishes it.
At the next takt it is inspected: good if it was finished and the draw of (seed, unit) did not spoil it.
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from takt.contract.events import FAULT, FAULT_CLEARED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import Acceptance, Fault, FaultKind, StationSpec
from takt.contract.worker import Plan
from takt.ledger.pack import pack, unpack

SPEC_FAULTS = {
    "jam": FaultKind("the lever is stuck", repair_s=20.0, stops=True),
    "fog": FaultKind("the observation is zero", repair_s=5.0, stops=False),
}


class Toy(gymnasium.Env[Any, Any]):
    """`actions` keeps every action it was given, for tests to look at; it is no part of the state."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        takt_s: float = 10.0,
        control_s: float = 0.1,
        spoil: float = 0.2,
        sleep_s: float = 0.0,
        render_mode: Any = None,
    ) -> None:
        self.takt_s, self.control_s, self.spoil, self.sleep_s, self.render_mode = (
            takt_s,
            control_s,
            spoil,
            sleep_s,
            render_mode,
        )
        self.spec: StationSpec = StationSpec(
            id="toy-v0",
            station="toy",
            takt_s=takt_s,
            control_s=control_s,
            faults=SPEC_FAULTS,
            acceptance=Acceptance(0.7, takt_s),
            options={"takt_s": takt_s, "control_s": control_s, "spoil": spoil, "sleep_s": sleep_s},
        )
        self.observation_space = spaces.Dict(
            {"pile": spaces.Box(-np.inf, np.inf, (2,), np.float64), "todo": spaces.Discrete(2)}
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.actions: list[list[float]] = []

    @property
    def now(self) -> float:
        return round(self.period * self.control_s, 9)

    @property
    def hold(self) -> Any:
        return np.zeros(2, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.seed = seed or 0
        self.faults: tuple[Fault, ...] = tuple((options or {}).get("faults", ()))
        self.period, self.unit, self.done_s, self.pile = 0, 0, -1.0, np.zeros(2)
        self.on: list[str] = []
        self.actions = []
        return self._observation(), {"events": [Event(0.0, UNIT_DUE, 0)]}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.sleep_s:
            time.sleep(self.sleep_s)
        self.actions.append([round(float(x), 3) for x in action])
        self.period += 1
        events = self._faults()
        if "jam" not in self.on:
            self.pile += np.clip(action, -1.0, 1.0)
            if action[0] > 0.5 and self.done_s < 0:
                self.done_s = self.now
        if self.now >= (self.unit + 1) * self.takt_s - self.control_s / 2:
            events += self._inspect()
        return self._observation(), 0.0, False, False, {"events": events}

    def _inspect(self) -> list[Event]:
        spoiled = np.random.default_rng([self.seed, self.unit]).random() < self.spoil
        cycle_s = round(self.done_s - self.unit * self.takt_s, 9) if self.done_s >= 0 else None
        if cycle_s is None or spoiled:
            ended = Event(self.now, UNIT_BAD, self.unit, {"cycle_s": cycle_s, "parts": {}, "reasons": ["spoiled"]})
        else:
            ended = Event(self.now, UNIT_GOOD, self.unit, {"cycle_s": cycle_s, "parts": {}, "first_time": True})
        self.unit += 1
        self.done_s = -1.0
        return [ended, Event(self.now, UNIT_DUE, self.unit)]

    def _faults(self) -> list[Event]:
        events = []
        for fault in self.faults:
            data = {"name": fault.name, "origin": "station", "stops": SPEC_FAULTS[fault.name].stops}
            if fault.name not in self.on and fault.at_s <= self.now < fault.at_s + fault.for_s:
                self.on.append(fault.name)
                events.append(Event(self.now, FAULT, self.unit, data))
            if fault.name in self.on and self.now - self.control_s < fault.at_s + fault.for_s <= self.now:
                self.on.remove(fault.name)
                events.append(Event(self.now, FAULT_CLEARED, self.unit, data))
        return events

    def _observation(self) -> Any:
        pile = np.zeros(2) if "fog" in self.on else self.pile.copy()
        return {"pile": pile, "todo": np.int64(self.done_s < 0)}

    def render(self) -> Any:
        return np.full((8, 8, 3), self.period % 256, np.uint8)

    def save(self) -> bytes:
        return pack((self.period, self.unit, self.done_s, self.pile, self.on))

    def load(self, state: bytes) -> None:
        self.period, self.unit, self.done_s, self.pile, self.on = unpack(state)


def push(observation: Any) -> Any:
    """The plain function that is a worker: pushes while there is something to do."""
    return np.array([1.0 if observation["todo"] else 0.0, 0.1], np.float32)


class Moody:
    """A worker with a memory and a mood: chunks of random length and force, now and then none, or it raises."""

    def __init__(self, raises: float = 0.0) -> None:
        self.raises = raises

    def begin(self, spec: StationSpec, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 7])
        self.calls = 0

    def act(self, observation: Any) -> Plan:
        self.calls += 1
        if self.rng.random() < self.raises:
            raise RuntimeError(f"in a mood, at call {self.calls}")
        length = int(self.rng.integers(0, 12))
        actions = [self.rng.uniform(-1, 1, 2) + 0.001 * observation["pile"].sum() for _ in range(length)]
        aligned = "observation" if self.rng.random() < 0.5 else "arrival"
        return Plan(actions, ask_after=int(self.rng.integers(1, 12)), aligned=aligned)

    def end(self) -> None: ...

    def save(self) -> bytes:
        return pack((self.rng.bit_generator.state, self.calls))

    def load(self, state: bytes) -> None:
        self.rng.bit_generator.state, self.calls = unpack(state)


class Lazy:
    """Pushes like `push`, but leaves a share of the units undone: by its own draw, keyed by (seed, unit). Lockstep."""

    def __init__(self, leaves: float = 0.3) -> None:
        self.leaves = leaves

    def begin(self, spec: StationSpec, seed: int) -> None:
        self.seed, self.calls = seed, 0
        self.calls_of_unit = round(spec.takt_s / spec.control_s)

    def act(self, observation: Any) -> Plan:
        unit = self.calls // self.calls_of_unit
        self.calls += 1
        leaves = np.random.default_rng([self.seed, unit, 1]).random() < self.leaves
        return Plan([np.zeros(2, np.float32) if leaves else push(observation)])

    def end(self) -> None: ...

    def save(self) -> bytes:
        return pack(self.calls)

    def load(self, state: bytes) -> None:
        self.calls = unpack(state)
