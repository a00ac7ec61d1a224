"""One unit of the nut cell as an episode, with the names that LeRobot's tools look for.

`pixels` (camera -> (96, 96, 3) uint8) becomes `observation.images.*` there, `agent_pos` (48,) `observation.state`, and
`setpoint` (14,), `touch` (192,), `takt_left` (1,) `observation.*` under their own names: what `takt export --format
lerobot` writes. Nothing is privileged.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from takt import TaktError
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.stations.nutcell import NutCell, scene
from takt.stations.nutcell.export import TASK
from takt.stations.nutcell.layout import CONTROL_S, TAKT_S

ID = "lerobot_env_run_at_rate/NutCell-v0"
MOVES = [*range(6), *range(7, 13)]  # of an `ee` action: shifts and turns
PARTS = {"setpoint": 14, "touch": 2 * 2 * 3 * scene.TAXELS[0] * scene.TAXELS[1], "takt_left": 1}


class UnitEnv(gymnasium.Env[dict[str, Any], np.ndarray]):
    """`reset` begins a shift, and an episode is its first unit: it ends at the beat, with `info["is_success"]`.

    fps         steps a second; must divide 50. An action's shifts and turns are spread evenly over its periods.
    episode_s   of an episode, at most a takt; a shorter one is cut off and no success.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self, fps: int = 10, episode_s: float = TAKT_S, render_mode: str | None = "rgb_array", **options: Any
    ) -> None:
        every = round(1 / (fps * CONTROL_S)) if fps > 0 else 0
        if every < 1 or abs(every * fps * CONTROL_S - 1) > 1e-9:
            raise TaktError(f"fps is {fps}; it must divide {round(1 / CONTROL_S)}")
        if not 0 < episode_s <= TAKT_S:
            raise TaktError(f"episode_s is {episode_s:g}; it must be above 0 and at most {TAKT_S:g}")
        self.metadata = {**self.metadata, "render_fps": fps}
        self.render_mode = render_mode
        self.cell = NutCell(**options)
        self.task = "NutCell-v0"
        self.task_description = TASK
        self._every = every
        self._max_episode_steps = round(episode_s * fps)
        self._steps = 0
        bounds = self.cell.action_space
        scale = np.ones(bounds.shape, np.float32)
        scale[MOVES] = every  # shifts and turns add up over a step
        self.action_space = spaces.Box(bounds.low * scale, bounds.high * scale, dtype=np.float32)
        size = self.cell.eyes.size
        picture = spaces.Box(0, 255, (size, size, 3), np.uint8)
        parts = {name: spaces.Box(-np.inf, np.inf, (width,), np.float32) for name, width in PARTS.items()}
        seen: dict[str, spaces.Space[Any]] = {"agent_pos": spaces.Box(-np.inf, np.inf, (48,), np.float32), **parts}
        if self.cell.cameras:
            seen["pixels"] = spaces.Dict({camera: picture for camera in self.cell.cameras})
        self.observation_space = spaces.Dict(seen)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        seen, _ = self.cell.reset(seed=int(self.np_random.integers(2**31)) if seed is None else seed)
        self._steps = 0
        self.task_description = str(seen.get("order", TASK))
        return self._told(seen), {"is_success": False}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        action = np.array(action, np.float32)
        action[MOVES] /= self._every
        ended: str | None = None
        for _ in range(self._every):
            seen, _, _, _, info = self.cell.step(action)
            kinds = [event.kind for event in info["events"] if event.kind in (UNIT_GOOD, UNIT_BAD)]
            ended = kinds[0] if kinds else ended
        self._steps += 1
        good = ended == UNIT_GOOD
        cut = ended is None and self._steps >= self._max_episode_steps
        return self._told(seen), float(good), ended is not None, cut, {"is_success": good}

    def render(self) -> np.ndarray:
        """What the head's camera shows, or the whole cell if it is not open; small, for LeRobot draws every step."""
        if "head" in self.cell.cameras:
            return self._seen["observation.images.head"].repeat(2, axis=0).repeat(2, axis=1)
        return np.asarray(self.cell.render())

    def close(self) -> None:
        self.cell.close()

    def _told(self, seen: dict[str, Any]) -> dict[str, Any]:
        self._seen = seen
        told: dict[str, Any] = {"agent_pos": seen["observation.state"]}
        told |= {name: np.ravel(seen[f"observation.{name}"]).astype(np.float32) for name in PARTS}
        if self.cell.cameras:
            told["pixels"] = {camera: seen[f"observation.images.{camera}"] for camera in self.cell.cameras}
        return told
