"""What a policy is sent, and what its numbers become."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takt import TaktError, open_station, run_shift
from takt.workers.policy import Policy
from takt.workers.policy.profiles import (
    CAMERAS,
    LAYOUTS,
    PROFILES,
    at_control_rate,
    cell_actions,
    chunk_of,
    rekeyed,
    request_of,
    sized,
)

RNG = np.random.default_rng(0)


def observation(size: int = 96) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "observation.state": np.arange(48, dtype=np.float32),
        "observation.setpoint": np.arange(14, dtype=np.float32).reshape(2, 7),
        "observation.touch": np.zeros((2, 2, 3, 4, 4), np.float32),
        "observation.takt_left": np.array([60.0], np.float32),
        "order": "M6 left, M8 right",
        "observation.privileged": {"ordered": np.array([0, 1])},
    }
    return seen | {
        f"observation.images.{camera}": RNG.integers(0, 255, (size, size, 3), dtype=np.uint8) for camera in CAMERAS
    }


@pytest.mark.parametrize("name", PROFILES)
def test_nothing_privileged_is_sent(name: str) -> None:
    profile = PROFILES[name]
    request = request_of(profile, observation(), "the order", profile.size)
    assert "privileged" not in str(request.keys()) and "ordered" not in str(request)
    assert (["the order"] if profile.batched else "the order") == request[str(profile.prompt)]


def test_pi05_is_sent_what_openpis_aloha_policies_take() -> None:
    request = request_of(PROFILES["pi05"], observation(), "the order", 224)
    assert set(request) == {"images", "state", "prompt"}
    assert {camera: picture.shape for camera, picture in request["images"].items()} == {
        "cam_high": (3, 224, 224),
        "cam_left_wrist": (3, 224, 224),
        "cam_right_wrist": (3, 224, 224),
    }
    assert request["state"].tolist() == list(range(16))


def test_pictures_of_other_proportions_get_bars_as_openpi_client_makes_them() -> None:
    picture = RNG.integers(0, 255, (60, 120, 3), dtype=np.uint8)
    ours = sized(picture, 96)
    assert ours.shape == (96, 96, 3) and not ours[:24].any() and not ours[72:].any() and ours[30:60].any()
    theirs = pytest.importorskip("openpi_client.image_tools", reason="openpi-client is not installed")
    assert (ours == theirs.resize_with_pad(picture, 96, 96)).all()


def test_groots_parts_are_put_side_by_side() -> None:
    profile = PROFILES["groot"]
    widths = {"action.left_arm": 7, "action.left_grip": 1, "action.right_arm": 7, "action.right_grip": 1}
    answer = {key: np.full((1, 16, width), n, np.float32) for n, (key, width) in enumerate(widths.items())}
    answer["action.left_grip"] = answer["action.left_grip"][0, :, 0]  # (16,): one column
    chunk = chunk_of(profile, answer)
    assert chunk.shape == (16, 16) and chunk[0].tolist() == [0.0] * 7 + [1.0] + [2.0] * 7 + [3.0]
    request = request_of(profile, observation(), "go", 224)
    assert request["state.left_arm"].shape == (1, 7) and request["video.ego_view"].shape == (1, 224, 224, 3)
    with pytest.raises(KeyError):
        chunk_of(profile, {"actions": chunk})


def test_layouts_fit_the_cell() -> None:
    for layout, (width, control) in LAYOUTS.items():
        for there in (control,) if control else ("ee", "joint"):
            cells = 15 if there == "ee" else 17
            actions = cell_actions(np.full((4, width or cells), 0.25, np.float32), layout, there, grip_closed=True)
            assert actions.shape == (4, cells)
            grips = [6, 13] if there == "ee" else [7, 15]
            assert (actions[:, grips] == 0.75).all() and (np.delete(actions, [*grips, cells - 1], 1) == 0.25).all()


@given(st.integers(1, 30), st.sampled_from([5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0]), st.integers(0, 10**6))
def test_a_chunk_of_another_rate_takes_as_long_and_goes_as_far(count: int, hz: float, seed: int) -> None:
    actions = np.random.default_rng(seed).uniform(-1, 1, (count, 15)).astype(np.float32)
    ours = at_control_rate(actions, hz, 0.02, "ee")
    assert len(ours) == max(1, round(count / hz / 0.02))
    if count / hz >= 0.02:
        assert np.allclose(ours.sum(axis=0)[:6], actions.sum(axis=0)[:6], atol=1e-4) or (count / hz / 0.02) % 1
    assert set(ours[:, 6]) <= set(actions[:, 6]), "grips are held, not blended"


def test_joint_targets_are_gone_to_on_a_straight_line() -> None:
    actions = np.zeros((3, 17), np.float32)
    actions[:, 0] = [0.0, 1.0, 3.0]
    ours = at_control_rate(actions, 10.0, 0.02, "joint")
    assert len(ours) == 15
    assert np.allclose(ours[4:, 0], [0, 0.2, 0.4, 0.6, 0.8, 1, 1.4, 1.8, 2.2, 2.6, 3])


def test_keys_are_put_right() -> None:
    given = {"head": "observation/image", "left_wrist": None, "state": ["robot", "q"], "actions": "action"}
    request = request_of(rekeyed(PROFILES["pi05"], given), observation(), "go", 96)
    assert set(request) == {"observation/image", "images", "robot", "prompt"}
    assert set(request["images"]) == {"cam_right_wrist"} and request["robot"]["q"].shape == (16,)
    assert Policy(url="x:1", profile="pi05", keys=given).profile.actions == ("action",)


def test_a_policy_opens_the_cell_that_it_needs() -> None:
    pi = Policy(url="x:1", profile="pi05", keys={"left_wrist": None})
    assert pi.station_options == {"cameras": ["head", "right_wrist"], "camera_size": 224, "control": "joint"}
    assert Policy(url="x:1").station_options == {"cameras": list(CAMERAS)}
    cell = open_station("nutcell", cameras=[])
    for worker, said in ((pi, "needs the cell with control=joint"), (Policy(url="x:1", profile="xiaomi"), "--cameras")):
        with pytest.raises(TaktError, match=said):
            run_shift(cell, worker, hours=0.001)
    cell.close()
    with pytest.raises(TaktError, match="no worker named 'policy' for station 'gym'"):
        run_shift("gym", "policy", hours=0.001, worker_options={"url": "x:1"})
    with pytest.raises(TaktError, match="works the station nutcell, not 'gym'"):
        Policy(url="x:1").begin(open_station("gym").spec, 0)
