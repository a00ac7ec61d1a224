"""`--env.type=takt` for LeRobot's tools."""

from __future__ import annotations

import gymnasium

from lerobot_env_run_at_rate.config import TaktEnv
from lerobot_env_run_at_rate.env import ID, UnitEnv

if ID not in gymnasium.registry:
    gymnasium.register(id=ID, entry_point="lerobot_env_run_at_rate.env:UnitEnv")

__all__ = ["TaktEnv", "UnitEnv"]
