"""Opens the plug-in the way lerobot-eval does, and says as JSON what it found. Run by a Python that has both."""

from __future__ import annotations

import json

import numpy as np
from lerobot.envs.configs import EnvConfig
from lerobot.envs.factory import make_env
from lerobot.envs.utils import preprocess_observation
from lerobot.utils.import_utils import register_third_party_plugins

register_third_party_plugins()
config = EnvConfig.get_choice_class("takt")(cameras="", episode_s=0.5)
env = make_env(config, n_envs=2)["takt"][0]
seen, _ = env.reset(seed=[3, 4])
told = preprocess_observation(seen)
found = {key: list(value.shape) for key, value in told.items() if hasattr(value, "shape")}
found["tasks"] = list(env.call("task_description"))
found["steps"] = int(env.call("_max_episode_steps")[0])  # type: ignore[assignment]
for _ in range(found["steps"]):  # type: ignore[call-overload]
    seen, _, _, cut, info = env.step(np.zeros((2, 15), np.float32))
found["cut"] = cut.tolist()
found["success"] = np.asarray(info["final_info"]["is_success"]).tolist()
env.close()
print(json.dumps(found))
