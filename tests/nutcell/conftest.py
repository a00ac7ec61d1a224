from __future__ import annotations

import takt.stations.nutcell  # noqa: F401  # before any test imports mujoco, which chooses how to draw only once
