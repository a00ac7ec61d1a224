"""`nutcell.vla`: the learned worker of the mixed line. Pictures, touch, joints and the order's words to motion.

One network (net.py), trained by imitation (docs/learned.md), run by ONNX Runtime. It reads nothing of
`observation.privileged`: it opens its station without. It is asked every 0.4 s; while it thinks the old plan goes on,
and the new one begins from where the old one will have brought the hands by then; the network is told that too.

A network that answers with something that is not a number is a fault, told in the ledger, and the arms hold still for
that plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.events import FAULT, FAULT_CLEARED
from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Plan
from takt.stations.nutcell.layout import TAKT_S
from takt.stations.nutcell.onnx_file import MOST_THREADS, OnnxFile
from takt.stations.nutcell.vla import features
from takt.stations.nutcell.vla.chunks import actions_of, flat, roll_forward
from takt.stations.nutcell.vla.teacher import KNOTS, PERIODS

MODEL = Path(__file__).with_name("policy.onnx")
CALL_EVERY = 5  # control periods: calls fall on multiples of this, when new pictures are there
SHAPES = {
    "wrist": (2, 48, 64, 3),
    "head": (2, 48, 48, 3),
    "body": (2, features.BODY),
    "text": (1, features.TEXT),
}
ANSWERS = {"shifts": (2, KNOTS, 4), "grip": (2,), "ordered": (2, 2)}
WITHOUT = ("touch", "wrist", "head", "language")


class Network(OnnxFile):
    """The policy's ONNX file, opened and checked. Raises TaktError, in one line, if it is no policy of this kind."""

    def __init__(self, path: Path = MODEL, threads: int = 1) -> None:
        super().__init__(path, threads, SHAPES, ANSWERS, "policy", "takt train nutcell")

    def __call__(
        self, wrist: np.ndarray, head: np.ndarray, body: np.ndarray, text: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Shifts (2, KNOTS, 4), grips (2,) from 0 to 1, and the chance (2, 2) of each nut to be what the order asks."""
        shifts, grip, ordered = self.run(wrist=wrist, head=head, body=body, text=text[None])
        return shifts, grip, ordered

    def student(
        self, wrist: np.ndarray, head: np.ndarray, body: np.ndarray, text: np.ndarray, start: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As roll-outs ask it: knots (2, KNOTS, 4) and grips (2,), 0 or 1."""
        shifts, grip, _ = self(wrist, head, body, text)
        return start[:, None] + shifts.astype(np.float64), (grip > 0.5).astype(np.float64)


def _network(path: Path, threads: int) -> Network:
    """The file's network, loaded once for all workers of a process: a session may be run by several at a time."""
    try:
        found = path.stat()
    except OSError:
        return Network(path, threads)  # which says what is wrong
    return _loaded(path, threads, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2)
def _loaded(path: Path, threads: int, changed_ns: int, size: int) -> Network:
    return Network(path, threads)


NOT_FINITE = "not_a_number"  # the fault of a network that answers with NaN or infinity


class Vla:
    """The learned worker.

    model          an ONNX file; by default the one in the package.
    asynchronous   False: think only when the plan has run out, and hold meanwhile, to show what that costs.
    without        "touch", "wrist", "head" or "language": what the network is not given (nothing felt, dark pictures,
                   an empty text), to show what it is worth.
    """

    station_options: Mapping[str, Any] = {
        "control": "ee",
        "line": "mixed",
        "cameras": list(features.CAMERAS),
        "camera_hz": 2.5,
    }

    def __init__(self, model: str = "", asynchronous: bool = True, without: str = "", threads: int = 1) -> None:
        if without and without not in WITHOUT:
            raise TaktError(f"the vla worker cannot do without {without!r}; choose from: {', '.join(WITHOUT)}")
        if not 1 <= threads <= MOST_THREADS:
            raise TaktError(f"threads is {threads}; it must be from 1 to {MOST_THREADS}")
        self.network = _network(Path(model) if model else MODEL, threads)
        self.asynchronous, self.without = bool(asynchronous), without

    def begin(self, spec: StationSpec, seed: int) -> None:
        options = spec.options
        if options.get("control") != "ee" or options.get("line") != "mixed":
            raise TaktError("the vla worker works the mixed line: open the station with line=mixed and control=ee")
        missing = [camera for camera in features.CAMERAS if camera not in options.get("cameras", ())]
        if missing or options.get("camera_size", 96) != features.PICTURE:
            raise TaktError("the vla worker sees by three cameras of 96: cameras=head,left_wrist,right_wrist")
        self.kinematics = features.Kinematics()
        self.rest = np.zeros((0, 15), np.float32)  # of the last plan, from when this worker is asked again
        self.grip = np.ones(2)
        self.told_open = np.ones(2, bool)
        self.late, self.asked_at, self.asks_after = 4, -1, 0
        self.faults, self.down = 0, False
        self._said: list[Mapping[str, Any]] = [{"policy": self.network.sha256}]

    def act(self, observation: dict[str, Any]) -> Plan:
        tick = self._tick(observation)
        self.late = self._lateness(tick)
        pending = self._pending(observation)
        ahead = roll_forward(observation["observation.setpoint"], pending)
        if len(pending):
            self.grip = np.array([pending[-1, 6], pending[-1, 13]], np.float64)
        wrist, head = features.pictures_of(observation)
        body = features.body_of(self.kinematics, observation, ahead, self.grip, self.late)
        text = features.text_of(observation["order"])
        wrist, head, body, text = self._without(wrist, head, body, text)
        shifts, grips, _ = self.network(wrist, head, body, text)
        if np.isfinite(shifts).all() and np.isfinite(grips).all():
            knots = flat(ahead)[:, None] + shifts.astype(np.float64)
            actions = actions_of(ahead, knots, self._sure(grips).astype(np.float64))
            self._tell_fault(False)
        else:
            self.faults += 1
            self._tell_fault(True)
            actions = np.zeros((PERIODS, 15), np.float32)
            actions[:, [6, 13]] = self.grip
        self.grip = actions[-1, [6, 13]].astype(np.float64)
        after = self._after(tick)
        self.rest = np.concatenate([actions, _still(actions[-1], PERIODS)])[after:]
        self.asked_at, self.asks_after = tick, after
        return Plan(list(actions), ask_after=after)

    def _tell_fault(self, there: bool) -> None:
        """Say that the network gives no numbers, each time; that this is a fault, when it begins and when it clears."""
        record: dict[str, Any] = {"count": self.faults} if there else {}
        if there != self.down:
            kind = FAULT if there else FAULT_CLEARED
            record["faults"] = [{"kind": kind, "name": NOT_FINITE, "origin": "worker", "stops": True}]
        self.down = there
        if record:
            self._said.append(record)

    def end(self) -> None: ...

    def records(self) -> list[Mapping[str, Any]]:
        said, self._said = self._said, []
        return said

    def keep_in(self, journal: Any) -> None: ...

    def save(self) -> bytes:
        memory = {
            "rest": self.rest.tolist(),
            "grip": self.grip.tolist(),
            "told_open": self.told_open.tolist(),
            "numbers": [self.late, self.asked_at, self.asks_after, self.faults],
            "down": self.down,
            "policy": self.network.sha256,
        }
        return json.dumps(memory).encode()

    def load(self, state: bytes) -> None:
        memory = json.loads(state)
        now = self.network.sha256
        then = memory.get("policy", now)
        if then != now:
            raise TaktError(
                f"this shift was worked by another policy (sha256 {then[:12]}) than {self.network.path} is now "
                f"({now[:12]}); put that one there to resume or replay it"
            )
        self._said = []  # it has been said
        self.rest = np.array(memory["rest"], np.float32).reshape(-1, 15)
        self.grip = np.array(memory["grip"])
        self.told_open = np.array(memory["told_open"], bool)
        self.late, self.asked_at, self.asks_after, self.faults = memory["numbers"]
        self.down = memory.get("down", False)

    def _sure(self, grips: np.ndarray) -> np.ndarray:
        """(2,) whether each hand is to be open. A closed one opens only when it is told to twice in a row: a nut let go
        too early is lost, and one held 0.4 s longer is not."""
        told = grips > 0.5
        sure: np.ndarray = told & (self.told_open | (self.grip > 0.5))
        self.told_open = told
        return sure

    # --- when it is asked -------------------------------------------------------------------------------------------

    def _tick(self, observation: dict[str, Any]) -> int:
        """Control periods since the unit fell due."""
        return round((TAKT_S - float(observation["observation.takt_left"][0])) * 50)

    def _lateness(self, tick: int) -> int:
        """How many control periods thinking takes, by how long it was since the last call and what was asked for."""
        if self.asked_at < 0:
            return self.late
        since = (tick - self.asked_at) % round(TAKT_S * 50)
        return min(max(since - self.asks_after, 0), PERIODS)

    def _after(self, tick: int) -> int:
        """Control periods from this plan's arrival to the next call, so that it falls when there are new pictures."""
        if not self.asynchronous:
            return PERIODS
        after = max(1, PERIODS - self.late)
        return after + -(tick + self.late + after) % CALL_EVERY

    def _pending(self, observation: dict[str, Any]) -> np.ndarray:
        """The actions that will be done while this worker thinks."""
        pending = self.rest[: self.late] if self.asynchronous else self.rest[:0]
        if len(pending) < self.late:
            still = np.zeros(15, np.float32)
            still[[6, 13]] = self.grip
            pending = np.concatenate([pending, np.repeat(still[None], self.late - len(pending), axis=0)])
        return pending

    def _without(
        self, wrist: np.ndarray, head: np.ndarray, body: np.ndarray, text: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        if self.without == "touch":
            body = body.copy()
            body[:, features.TOUCH_FROM :] = 0.0
        elif self.without == "wrist":
            wrist = np.zeros_like(wrist)
        elif self.without == "head":
            head = np.zeros_like(head)
        elif self.without == "language":
            text = features.text_of(" ")
        return wrist, head, body, text


def _still(last: np.ndarray, periods: int) -> np.ndarray:
    """Actions that only go on holding what the last one held."""
    still = np.zeros((periods, 15), np.float32)
    still[:, [6, 13]] = last[[6, 13]]
    return still
