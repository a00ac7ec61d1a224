"""`inspection.trained`: a network judges each look, and the mean of the looks at one side says what is there.

It steps up to a pin, comes close, then looks from one angle after another until what it has seen is clear enough, or
the time is not enough for more; then the other pin; then the verdict. It reads the pictures, the time that is left and
nothing else. From when on a pin is called bad was set on fixtures of its own (learn.py) and stands in the model's file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.options import Limit, wrong_number
from takt.contract.station import StationSpec, TaktError
from takt.contract.tools import tool_call
from takt.contract.worker import Plan
from takt.stations.inspection.fixtures import CLASSES, SIDES
from takt.stations.inspection.net.looks import ANSWERS, ASIDE, CLOSE, CROP, MOST, VIEW, cut_out, view_of, where
from takt.stations.inspection.station import PICTURE
from takt.stations.inspection.workers import said, until_next
from takt.stations.nutcell.onnx_file import MOST_THREADS, OnnxFile

MODEL = Path(__file__).with_name("inspector.onnx")
TAKES = {"picture": (1, CROP, CROP, 3), "view": (1, VIEW)}
GIVES = {"logp": (1, ANSWERS)}
LIMITS: tuple[Limit, ...] = (
    ("looks", len(CLOSE) + 1, 20, True),
    ("clear_by", 0.01, 1000, False),
    ("threads", 1, MOST_THREADS, True),
)


class Network(OnnxFile):
    """The inspector's ONNX file. `bad_above`: the log-odds of the mean look from which a pin is bad."""

    def __init__(self, path: Path = MODEL, threads: int = 1) -> None:
        super().__init__(path, threads, TAKES, GIVES, "inspector", "takt train inspection")
        try:
            self.bad_above = float(self.about["bad_above"])
        except (KeyError, TypeError, ValueError) as error:
            raise TaktError(
                f"{path} does not say from when on a pin is bad; make it by takt train inspection"
            ) from error

    def __call__(self, picture: np.ndarray, view: np.ndarray) -> np.ndarray:
        """(ANSWERS,) log-probabilities of one look."""
        found: np.ndarray = self.run(picture=picture[None], view=view[None])[0][0].astype(np.float64)
        return found


def log_odds_bad(logp: np.ndarray) -> np.ndarray:
    """(...,) log-odds that a pin is bad, of log-probabilities (..., ANSWERS) that need not add up to one."""
    bad: np.ndarray = np.logaddexp.reduce(logp[..., 1:], axis=-1) - logp[..., 0]
    return bad


class Trained:
    """The trained inspector.

    model      an ONNX file; by default the one in the package.
    looks      at one side, at most.
    clear_by   log-odds beyond the threshold at which it looks no more.
    threads    of ONNX Runtime.
    """

    def __init__(self, model: str = "", looks: int = MOST, clear_by: float = 5.0, threads: int = 1) -> None:
        if wrong := wrong_number({"looks": looks, "clear_by": clear_by, "threads": threads}, LIMITS):
            raise TaktError(wrong)
        self.network = Network(Path(model) if model else MODEL, threads)
        self._most, self._clear_by = int(looks), float(clear_by)

    def begin(self, spec: StationSpec, seed: int) -> None:
        if spec.station != "inspection":
            raise TaktError(f"the trained inspector works at the station inspection, not at {spec.station!r}")
        self._spec = spec
        self._look_s = float(spec.options["look_s"])
        self._said: list[Mapping[str, Any]] = [{"model": self.network.sha256}]
        self._new(-1)

    def end(self) -> None: ...

    def keep_in(self, journal: Any) -> None: ...

    def records(self) -> list[Mapping[str, Any]]:
        said_now, self._said = self._said, []
        return said_now

    def save(self) -> bytes:
        sums = {side: logp.tolist() for side, logp in self._sums.items()}
        return json.dumps([self._unit, self._side, self._looks, self._seen, sums, self.network.sha256]).encode()

    def load(self, state: bytes) -> None:
        self._unit, self._side, self._looks, self._seen, sums, then = json.loads(state)
        self._sums = {side: np.array(logp) for side, logp in sums.items()}
        if then != self.network.sha256:
            raise TaktError(
                f"this shift was worked by another inspector (sha256 {then[:12]}) than {self.network.path} is now "
                f"({self.network.sha256[:12]}); put that one there to resume or replay it"
            )
        self._said = []  # it has been said

    def act(self, observation: Mapping[str, Any]) -> Plan:
        if not observation["waiting"]:
            return until_next(dict(observation), self._spec)
        if observation["unit"] != self._unit:
            self._new(int(observation["unit"]))
            return self._look(SIDES[0])
        self._take(observation[PICTURE])
        if not self._enough(float(observation["left_s"])):
            return self._look(CLOSE[self._looks - 1] if self._looks <= len(CLOSE) else ASIDE)
        if self._side + 1 < len(SIDES):
            self._side, self._looks = self._side + 1, 0
            return self._look(SIDES[self._side])
        return Plan([said({side: self._class(side) for side in SIDES})])

    def _new(self, unit: int) -> None:
        self._unit, self._side, self._looks = unit, 0, 0
        self._sums = {side: np.zeros(ANSWERS) for side in SIDES}
        self._seen = dict.fromkeys(SIDES, 0)

    def _look(self, at: str) -> Plan:
        self._looks += 1
        return Plan([tool_call("look", where=at)])

    def _take(self, picture: np.ndarray) -> None:
        """Judge one look. A dark camera has shown nothing."""
        if picture.any():
            side = SIDES[self._side]
            logp = self.network(cut_out(picture), where(view_of(side, self._looks)))
            if np.isfinite(logp).all():
                self._sums[side] += logp
                self._seen[side] += 1

    def _mean(self, side: str) -> np.ndarray:
        """(ANSWERS,) log-probabilities of the mean look at a side; as likely one as another if there was none."""
        mean: np.ndarray = self._sums[side] / max(1, self._seen[side])
        return mean

    def _enough(self, left_s: float) -> bool:
        """Whether this side is clear, or there is no time: the other side needs as many looks as this one has had."""
        still = (len(SIDES) - 1 - self._side) * (len(CLOSE) + 2)
        if left_s < (still + 2) * self._look_s or self._looks >= self._most:
            return True
        side = SIDES[self._side]
        beyond = float(log_odds_bad(self._mean(side))) - self.network.bad_above
        return self._seen[side] > len(CLOSE) and abs(beyond) >= self._clear_by

    def _class(self, side: str) -> str:
        logp = self._mean(side)
        if log_odds_bad(logp) <= self.network.bad_above:
            return CLASSES[0]
        return CLASSES[1 + int(np.argmax(logp[1:]))]
