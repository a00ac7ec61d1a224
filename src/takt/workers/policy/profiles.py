"""What each kind of policy calls things, and what its numbers mean: the nut cell's observation -> request, and the
answer's actions -> the cell's.

Names marked as known are from the project's own published code; a guess is a guess, and `keys` puts it right:
`-w 'keys={"head": "observation/image", "state": ["robot", "qpos"], "left_wrist": null}'`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from takt.workers.policy.wire import numbers

Key = str | tuple[str, ...]  # a tuple is a way into nested maps

CAMERAS = ("head", "left_wrist", "right_wrist")
PUBLIC = ("observation.state", "observation.setpoint", "observation.touch", "observation.takt_left", "order")

# Where things are in `observation.state` (48,): positions, velocities, efforts, each left 7 + grip, right 7 + grip.
STATE = {
    "joints16": slice(0, 16),
    "full48": slice(0, 48),
    "left_arm": slice(0, 7),
    "left_grip": slice(7, 8),
    "right_arm": slice(8, 15),
    "right_grip": slice(15, 16),
}
STATE_PARTS = (*STATE, "pose16")

# Columns of a policy's action, and the `control` that the cell must be opened with; None: as the cell has it.
LAYOUTS: dict[str, tuple[int, str | None]] = {
    "cell": (0, None),  # the cell's own action, help included
    "ee14": (14, "ee"),  # each hand: shift 3 (m), turn 3 (rad), grip
    "joint16": (16, "joint"),  # each hand: 7 joint targets (rad), grip
}


@dataclass(frozen=True)
class Profile:
    """
    about     what it is for, and which names are known.
    images    camera -> key.
    state     key -> part of STATE_PARTS.
    prompt    key of the order's text.
    actions   keys of the answer; several are put side by side.
    layout    what an action is.
    hz        actions a second.
    size      of the pictures, pixels, square.
    channels_first    (3, H, W) instead of (H, W, 3).
    batched   a leading axis of one before every array, and the prompt in a list.
    raw       the cell's whole public observation under its own names.
    """

    about: str
    images: Mapping[str, Key] = field(default_factory=dict)
    state: Mapping[Key, str] = field(default_factory=dict)
    prompt: Key = "prompt"
    actions: tuple[Key, ...] = ("actions",)
    layout: str = "cell"
    hz: float = 50.0
    size: int = 224
    channels_first: bool = False
    batched: bool = False
    raw: bool = False


PROFILES = {
    "takt": Profile("Takt's own (`takt serve-policy`): the public observation under its own names", size=96, raw=True),
    "pi05": Profile(
        "pi0 and pi0.5 by openpi, fine-tuned on the cell. Known: `images`, `cam_*`, `state`, `prompt`, `actions`, "
        "(3, 224, 224), 50 Hz (its Aloha policies). A guess: 16 numbers, where an Aloha has 14",
        images={
            "head": ("images", "cam_high"),
            "left_wrist": ("images", "cam_left_wrist"),
            "right_wrist": ("images", "cam_right_wrist"),
        },
        state={"state": "joints16"},
        layout="joint16",
        channels_first=True,
    ),
    "lerobot": Profile(
        "a LeRobot policy behind an openpi-style server. Known: the dataset's names. A guess: that a server keeps them",
        images={camera: f"observation.images.{camera}" for camera in CAMERAS},
        state={"observation.state": "full48"},
        prompt="task",
        actions=("action",),
        size=96,
    ),
    "xiaomi": Profile(
        "Xiaomi-Robotics-0 behind a bridge (its own client pickles, which is never read here). Known: 30 Hz, chunks "
        "run while it thinks; a guess: every name, and ee14",
        images={camera: ("images", camera) for camera in CAMERAS},
        state={"state": "pose16"},
        layout="ee14",
        hz=30.0,
    ),
    "groot": Profile(
        "GR00T behind a bridge (its own server speaks ZeroMQ). Known: `video.*`, `state.*`, `action.*`, "
        "`annotation.human.action.task_description`, a leading axis; a guess: the parts' names, 20 Hz",
        images={"head": "video.ego_view", "left_wrist": "video.left_wrist", "right_wrist": "video.right_wrist"},
        state={f"state.{part}": part for part in ("left_arm", "left_grip", "right_arm", "right_grip")},
        prompt="annotation.human.action.task_description",
        actions=("action.left_arm", "action.left_grip", "action.right_arm", "action.right_grip"),
        layout="joint16",
        hz=20.0,
        batched=True,
    ),
}


def request_of(profile: Profile, observation: Mapping[str, Any], prompt: str, size: int) -> dict[str, Any]:
    """What the server is sent. Nothing privileged is ever in it, whatever the observation has."""
    request: dict[str, Any] = {}
    if profile.raw:
        request |= {key: observation[key] for key in PUBLIC if key in observation}
        request |= {key: value for key, value in observation.items() if key.startswith("observation.images.")}
    for camera, key in profile.images.items():
        picture = sized(observation[f"observation.images.{camera}"], size)
        _put(request, key, _batched(profile, picture.transpose(2, 0, 1) if profile.channels_first else picture))
    for key, part in profile.state.items():
        _put(request, key, _batched(profile, state_part(observation, part)))
    _put(request, profile.prompt, [prompt] if profile.batched else prompt)
    return request


def state_part(observation: Mapping[str, Any], part: str) -> np.ndarray:
    """A part of the state, float32. `pose16`: of each hand its set-point (m, quaternion w x y z) and its grip (m)."""
    state = np.asarray(observation["observation.state"], np.float32)
    if part != "pose16":
        return state[STATE[part]].copy()
    poses = np.asarray(observation["observation.setpoint"], np.float32)
    return np.concatenate([poses[0], state[7:8], poses[1], state[15:16]])


def sized(picture: np.ndarray, size: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 at size x size; one of other proportions gets black bars, as openpi-client does it."""
    height, width = picture.shape[:2]
    if (height, width) == (size, size):
        return np.ascontiguousarray(picture)
    from PIL import Image

    scale = size / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = Image.fromarray(picture).resize(inner, Image.Resampling.BILINEAR)
    whole = Image.new("RGB", (size, size))
    whole.paste(scaled, ((size - inner[0]) // 2, (size - inner[1]) // 2))
    return np.asarray(whole)


def chunk_of(profile: Profile, answer: Mapping[str, Any]) -> np.ndarray:
    """The (H, D) actions of an answer, float32. Raises KeyError for a key it lacks, ValueError for a shape."""
    parts = []
    for key in profile.actions:
        found: Any = answer
        for step in (key,) if isinstance(key, str) else key:
            if not isinstance(found, Mapping) or step not in found:
                raise KeyError(_spelled(key))
            found = found[step]
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and is found out
            try:
                part = numbers(found).astype(np.float32)
            except ValueError as error:
                raise ValueError(f"{_spelled(key)}: {error}") from error
        if part.ndim == 3 and part.shape[0] == 1:
            part = part[0]
        if part.ndim == 1:  # one action, or one column of several
            part = part[None] if len(profile.actions) == 1 else part[:, None]
        if part.ndim != 2:
            raise ValueError(f"{_spelled(key)} of shape {part.shape}, which is not (actions, numbers)")
        parts.append(part)
    if len({len(part) for part in parts}) != 1:
        raise ValueError(f"parts of {', '.join(str(len(part)) for part in parts)} actions, which differ")
    return np.concatenate(parts, axis=1)


def cell_actions(chunk: np.ndarray, layout: str, control: str, grip_closed: bool) -> np.ndarray:
    """(H, D) of a layout as the cell's own actions, (H, 15) or (H, 17): `help` is 0 where a layout has none."""
    if layout == "cell":
        actions = chunk.copy()
    else:
        actions = np.concatenate([chunk, np.zeros((len(chunk), 1), np.float32)], axis=1)
    if grip_closed:
        grips = grip_columns(control)
        actions[:, grips] = 1.0 - actions[:, grips]
    return actions


def at_control_rate(actions: np.ndarray, hz: float, control_s: float, control: str) -> np.ndarray:
    """Actions of `hz` a second as one for each control period, over the same time.

    Shifts and turns are shared out evenly over the periods that an action lasts (a turn of at most 0.12 rad adds up as
    its vector does), joint targets are gone to on a straight line, grips and the call for help are held.
    """
    if len(actions) == 0 or abs(hz * control_s - 1.0) < 1e-9:
        return actions
    ends = np.arange(1, len(actions) + 1) / hz
    periods = max(1, round(ends[-1] / control_s))
    now = np.minimum(np.arange(1, periods + 1) * control_s, ends[-1])
    held = actions[np.minimum(np.searchsorted(ends, now - 1e-9), len(actions) - 1)]
    moved = np.setdiff1d(np.arange(actions.shape[1] - 1), grip_columns(control))
    for column in moved:
        if control == "ee":
            path = np.interp(now, np.append(0.0, ends), np.append(0.0, np.cumsum(actions[:, column], dtype=np.float64)))
            held[:, column] = np.diff(path, prepend=0.0)
        else:
            held[:, column] = np.interp(now, ends, actions[:, column])
    return held


def grip_columns(control: str) -> list[int]:
    return [6, 13] if control == "ee" else [7, 15]


def rekeyed(profile: Profile, keys: Mapping[str, Any]) -> Profile:
    """The profile with other keys for what `keys` names: a camera, `state`, `prompt` or `actions`; None leaves it out.

    Raises ValueError, in one line, for what cannot be.
    """
    images, state, prompt, actions = dict(profile.images), dict(profile.state), profile.prompt, profile.actions
    for name, given in keys.items():
        if name == "actions" and isinstance(given, list) and given and profile.batched:
            actions = tuple(_key(name, one) for one in given)
        elif name in CAMERAS and given is None:
            images.pop(name, None)
        elif name in CAMERAS:
            images[name] = _key(name, given)
        elif name == "state" and (given is None or isinstance(given, Mapping)):
            state = {key: str(part) for key, part in (given or {}).items()}
        elif name == "state":
            state = {_key(name, given): next(iter(state.values()), "joints16")}
        elif name == "prompt" and given is not None:
            prompt = _key(name, given)
        elif name == "actions" and given is not None:
            actions = (_key(name, given),)
        else:
            raise ValueError(f"keys has {name!r}: {given!r}; it takes {', '.join(CAMERAS)}, state, prompt, actions")
    unknown = sorted(set(state.values()) - set(STATE_PARTS))
    if unknown:
        raise ValueError(f"keys names a part of the state {unknown[0]!r}; the parts are: {', '.join(STATE_PARTS)}")
    given_fields = {"images": images, "state": state, "prompt": prompt, "actions": actions}
    return Profile(**{**vars(profile), **given_fields})


def _key(name: str, given: Any) -> Key:
    if isinstance(given, str) and given:
        return given
    if isinstance(given, Sequence) and given and all(isinstance(step, str) and step for step in given):
        return tuple(given)
    raise ValueError(f"keys has {name!r}: {given!r}; a key is a text, or a list of texts for nested maps")


def _put(request: dict[str, Any], key: Key, value: Any) -> None:
    way = (key,) if isinstance(key, str) else key
    for step in way[:-1]:
        request = request.setdefault(step, {})
    request[way[-1]] = value


def _batched(profile: Profile, array: np.ndarray) -> np.ndarray:
    return array[None] if profile.batched else array


def _spelled(key: Key) -> str:
    return key if isinstance(key, str) else ".".join(key)
