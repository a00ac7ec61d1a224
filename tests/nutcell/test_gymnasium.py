"""The cell by Gymnasium's own name for it."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import takt


@pytest.mark.filterwarnings("ignore")  # the checker has opinions on bounds
@pytest.mark.parametrize("options", [{}, {"control": "joint"}, {"line": "mixed"}])
def test_it_passes_gymnasiums_checker(options: dict[str, str]) -> None:
    env = gymnasium.make("takt/NutCell-v0", **options)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_what_make_is_told_is_what_it_opens_and_it_stays_a_station() -> None:
    env = gymnasium.make("takt:takt/NutCell-v0", difficulty="harsh", line="mixed", phrasings="held_out")
    spec = env.unwrapped.spec
    assert isinstance(spec, takt.StationSpec) and spec.takt_s == 76.0 and "lane_empty" in spec.faults
    assert spec.options["difficulty"] == "harsh" and spec.options["phrasings"] == "held_out"
    assert env.spec is not None and env.spec.id == "takt/NutCell-v0"
    seen, _ = env.reset(seed=5, options={"faults": (takt.Fault("feeder_jam", 0.02, 5.0),)})
    here = takt.open_station("nutcell", **spec.options)
    same, _ = here.reset(seed=5)
    assert seen["order"] == same["order"] and (seen["observation.state"] == same["observation.state"]).all()
    happened = []
    for _ in range(3):
        _, reward, terminated, truncated, info = env.step(np.zeros(15, np.float32))
        assert (reward, terminated, truncated) == (0.0, False, False), "a shift has no episodes"
        happened += [event.data["name"] for event in info["events"]]
    assert happened == ["feeder_jam"]
    env.close()
    here.close()
