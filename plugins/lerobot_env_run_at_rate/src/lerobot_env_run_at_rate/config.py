"""What LeRobot's command line takes after `--env.`, and what a policy may see and do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs.configs import EnvConfig

from lerobot_env_run_at_rate.env import ID, PARTS
from takt.stations.nutcell import scene

IMAGES = "observation.images."


@EnvConfig.register_subclass("takt")
@dataclass
class TaktEnv(EnvConfig):
    """The nut cell; see `UnitEnv` and the README."""

    task: str | None = "NutCell-v0"
    fps: int = 10
    line: str = "mixed"
    difficulty: str = "plant"
    language: str = "both"
    phrasings: str = "train"
    cameras: str = ",".join(scene.CAMERAS)
    episode_s: float = 76.0
    features: dict[str, PolicyFeature] = field(default_factory=dict)
    features_map: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen = {"agent_pos": "observation.state"} | {name: f"observation.{name}" for name in PARTS}
        widths = {"agent_pos": 48, **PARTS}
        self.features = {"action": PolicyFeature(type=FeatureType.ACTION, shape=(15,))}
        self.features |= {name: PolicyFeature(type=FeatureType.STATE, shape=(widths[name],)) for name in seen}
        self.features_map = {"action": "action", **seen}
        for camera in filter(None, self.cameras.split(",")):
            self.features[f"pixels/{camera}"] = PolicyFeature(type=FeatureType.VISUAL, shape=(96, 96, 3))
            self.features_map[f"pixels/{camera}"] = IMAGES + camera

    @property
    def package_name(self) -> str:
        return ID.split("/")[0]

    @property
    def gym_id(self) -> str:
        return ID

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        own: dict[str, Any] = {"fps": self.fps, "episode_s": self.episode_s, "cameras": self.cameras}
        own |= {"line": self.line, "difficulty": self.difficulty}
        return own | ({"language": self.language, "phrasings": self.phrasings} if self.line == "mixed" else {})
