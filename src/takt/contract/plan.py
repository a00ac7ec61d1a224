"""A worker's answer, checked against the station's action space when it is given, so that no step has to."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from takt.contract.worker import Plan


class BrokenPlan(Exception):
    """The worker's answer is no plan for this station. Its text says what it is instead, in one line."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan that fits, and is nobody else's: `actions` are copies (one array, if the space is a Box).

    ask_after   control periods from arrival until the worker is asked again, at least 1.
    skip        how many of the actions thinking has overtaken.
    """

    actions: Sequence[Any] | np.ndarray
    ask_after: int
    skip: int

    @property
    def overtaken(self) -> bool:
        """Whether there was a plan, and all of it is for moments that have passed."""
        return 0 < self.skip == len(self.actions)


def took_s(answer: Any, wall_s: float) -> float:
    """Seconds that a call took: what its plan says, or else the stopwatch's `wall_s`. Raises BrokenPlan."""
    stated = answer.took_s if isinstance(answer, Plan) else None
    if stated is None:
        return wall_s
    if not isinstance(stated, (int, float)) or not 0 <= stated < math.inf:
        raise BrokenPlan(f"a plan that took {stated!r} s; it must be 0 or more")
    return float(stated)


def checked(answer: Any, space: Space[Any], cost: int) -> Checked:
    """The plan that `answer` is, of a call that takes `cost` control periods. Raises BrokenPlan.

    Values beyond a Box's bounds are the station's to clip, as its motors would. A wrong shape, NaN or infinity is not.
    """
    if isinstance(answer, Plan):
        plan = answer
    elif _is_sequence(answer):
        plan = Plan(answer)
    else:
        raise BrokenPlan(f"{_article(answer)} where a plan is due: a takt.Plan or a sequence of actions")
    if plan.aligned not in ("arrival", "observation"):
        raise BrokenPlan(f"a plan aligned with {plan.aligned!r}; it must be 'arrival' or 'observation'")
    if not _is_sequence(plan.actions):
        raise BrokenPlan(f"a plan whose actions are {_article(plan.actions)}, not a sequence")
    actions = _box_actions(plan.actions, space) if isinstance(space, spaces.Box) else _actions(plan.actions, space)
    skip = min(cost, len(actions)) if plan.aligned == "observation" else 0
    try:
        ask_after = len(actions) - skip if plan.ask_after is None else index(plan.ask_after)
    except TypeError:
        raise BrokenPlan(f"a plan whose ask_after is {plan.ask_after!r}, not a number of control periods") from None
    return Checked(actions, max(1, ask_after), skip)


def _box_actions(actions: Sequence[Any] | np.ndarray, space: spaces.Box) -> Sequence[Any] | np.ndarray:
    if len(actions) == 0:
        return ()
    try:
        array = np.asarray(actions)
    except (ValueError, TypeError):
        raise BrokenPlan(f"actions of differing shapes; each must be {space.shape}") from None
    if array.shape[1:] != space.shape:
        raise BrokenPlan(f"actions of shape {array.shape[1:]}; each must be {space.shape}")
    if not np.can_cast(array.dtype, space.dtype or array.dtype, "same_kind"):
        raise BrokenPlan(f"actions of type {array.dtype}; they must be {space.dtype}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused below
        array = np.array(array, dtype=space.dtype)
    if not np.isfinite(array).all():
        which = int(np.argwhere(~np.isfinite(array))[0, 0])
        raise BrokenPlan(f"NaN or infinity in action {which} of {len(array)}")
    return array


def _actions(actions: Sequence[Any] | np.ndarray, space: Space[Any]) -> Sequence[Any]:
    for number, action in enumerate(actions):
        if not space.contains(action):
            raise BrokenPlan(f"action {number} of {len(actions)} that is not in {_short(space)}: {_short(action)}")
    return copy.deepcopy(list(actions))


def _is_sequence(value: Any) -> bool:
    """A list, a tuple, an array or a tensor; not a text, not a mapping, not an array of no dimensions."""
    if isinstance(value, (str, bytes, Mapping)):
        return False
    try:
        return len(value) >= 0 and hasattr(value, "__getitem__")
    except TypeError:
        return False


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _article(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "nothing (None)" if value is None else f"a {type(value).__name__}"
