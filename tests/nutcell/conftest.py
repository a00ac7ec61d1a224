from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # bench.py

import takt.stations.nutcell  # noqa: F401  # before any test imports mujoco, which chooses how to draw only once
