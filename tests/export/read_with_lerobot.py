"""Reads a dataset with lerobot's own `LeRobotDataset`, and says as JSON what it found. Run by lerobot's own Python."""

from __future__ import annotations

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("HF_DATASETS_CACHE", os.path.join(sys.argv[1] + "-cache"))

from lerobot.datasets.lerobot_dataset import LeRobotDataset

root = sys.argv[1]
whole = LeRobotDataset("takt/test", root=root, video_backend="pyav")
fps = whole.fps
later = {"action": [n / fps for n in range(4)], "observation.images.head": [-1 / fps, 0.0]}
chunks = LeRobotDataset("takt/test", root=root, video_backend="pyav", delta_timestamps=later)
found = {
    "episodes": whole.num_episodes,
    "frames": whole.num_frames,
    "rows": [],
    "chunk": list(chunks[1]["action"].shape),
    "two": list(chunks[1]["observation.images.head"].shape),
    "padded": chunks[len(chunks) - 1]["action_is_pad"].tolist(),
    "stats": sorted(whole.meta.stats),
    "tasks": list(whole.meta.tasks.index),
}
for n in map(int, sys.argv[2:]):
    row = whole[n]
    picture = row["observation.images.head"]
    found["rows"].append(
        {
            "task": row["task"],
            "action": row["action"].tolist(),
            "state": row["observation.state"].tolist(),
            "done": bool(row["next.done"]),
            "timestamp": float(row["timestamp"]),
            "episode": int(row["episode_index"]),
            "picture": list(picture.shape),
            "head": (picture.permute(1, 2, 0) * 255).round().int().tolist(),
        }
    )
print(json.dumps(found))
