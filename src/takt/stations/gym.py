"""`gym`: any Gymnasium environment as a station. An episode is a unit, a `step` is a control period.

    open_station("gym", id="FrozenLake-v1", takt_s=20, is_slippery=False)

Unit k falls due at k * takt_s. Its episode begins then, by `env.reset(seed=...)` with a seed drawn from (seed, k), so
every worker meets the same units. When the episode ends the station waits for the next beat: it shows the episode's
last observation, and actions do nothing. At the beat the unit is inspected, unless its episode ended before, and the
next one begins. `docs/stations.md` says why so, and what it means for a worker.
"""

from __future__ import annotations

import copy
import math
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.options import Limit, no_option, usual_options, wrong_number
from takt.contract.station import Acceptance, StationSpec, TaktError, Unseen, check_faults, look_here_too
from takt.ledger.pack import pack, unpack
from takt.stations.gym_env import WAITS, Guarded, Raised, holding, line_of, one_more

SUCCESS_KEYS = ("is_success", "success")  # Gymnasium-Robotics, panda-gym, gym-aloha; Meta-World
NOT_DONE, TRUNCATED, LATE, RAISED = "not_done", "truncated", "late", "environment_raised"
MOST_STEPS = 10_000_000  # in a takt
LIMITS: tuple[Limit, ...] = (
    ("takt_s", 1e-6, 604_800, False),
    ("control_s", 1e-6, 86_400, False),
    ("good_rate", 1e-6, 1, False),
    ("cycle_s", 1e-6, 604_800, False),
)
RULES = 2  # the newest of `reset`'s options["rules"]; by 1, seeds of units had 32 bits


class Outcome(NamedTuple):
    """What a step of the environment came to; `total` is the sum of the episode's rewards so far."""

    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]
    total: float


class GymStation(gymnasium.Env[Any, Any]):
    """Any Gymnasium environment as a station: an episode is a unit.

    id         what `gymnasium.make` calls the environment; "package:Name-v0" imports the package that registers it.
    takt_s     seconds from one unit to the next, rounded up to whole control periods. By default the environment's
               time limit, `max_episode_steps` periods.
    control_s  seconds that one step stands for. By default 1 / `metadata["render_fps"]`.
    success    what a good unit is: "info:KEY", "terminated", "truncated" (it lasted), "reward>=X" (of the last step) or
               "return>=X" (the sum). By default info["is_success"], else info["success"], else "return>=" the
               environment's own `reward_threshold`; an environment with none of these must be given one.
    hold       the action that changes nothing: a value, or "observation:KEY" for the part of the observation that is
               one (joint positions, where actions are joint targets). By default zero; the first of discrete actions.
               "wait" for an environment that waits for its player, as a board game does: discrete actions get one more,
               the last, which does not step it; station time goes on, and what is not over within the takt is late.
    reset_options    what the environment's `reset` is given as `options`, at every unit: {"task": 3}.
    good_rate  what the job asks of the share of good units; cycle_s, of 95 % of their times (by default nothing:
               an episode that is not over within the takt is bad).
    privileged True if the environment's observations tell what a real worker could not sense.
    kwargs     the environment's own.
    """

    def __init__(
        self,
        id: str = "CartPole-v1",
        takt_s: float | None = None,
        control_s: float | None = None,
        success: str | None = None,
        hold: Any = None,
        reset_options: Mapping[str, Any] | None = None,
        good_rate: float = 0.9,
        cycle_s: float | None = None,
        privileged: bool = False,
        render_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        if reset_options is not None and not isinstance(reset_options, Mapping):
            raise TaktError(f'reset_options is {reset_options!r}; it must be an object, such as {{"task": 3}}')
        self._id = id
        self._make: Callable[[], Any] = lambda: _made(id, render_mode, kwargs)
        self.env = self._make()
        try:
            self._open(takt_s, control_s, success, hold, reset_options, good_rate, cycle_s, bool(privileged), kwargs)
        except TaktError:
            raise
        except (Exception, SystemExit) as error:  # foreign code: whatever it raises, it does not work
            raise TaktError(f"cannot open the environment {id!r}: {line_of(error)}") from error

    def _open(
        self,
        takt_s: float | None,
        control_s: float | None,
        success: str | None,
        hold: Any,
        reset_options: Mapping[str, Any] | None,
        good_rate: float,
        cycle_s: float | None,
        privileged: bool,
        kwargs: Mapping[str, Any],
    ) -> None:
        id = self._id
        self._asked = Guarded(id, self.env, reset_options)
        self._reset_options = reset_options
        self.metadata = self.env.metadata
        self.render_mode = self.env.render_mode
        self.action_space = self.env.action_space
        self.observation_space = self.env.observation_space
        numbers = {"takt_s": takt_s, "control_s": control_s, "good_rate": good_rate, "cycle_s": cycle_s}
        if wrong := wrong_number(numbers, LIMITS, ("takt_s", "control_s", "cycle_s")):
            raise TaktError(wrong)
        control_s = _control_s(id, self.env, control_s)
        self._periods = _periods(id, self.env, takt_s, control_s)
        takt_s = self._periods * control_s
        self.success = success or _own_success(self._asked)
        self._is_good = _rule(self.success, self._asked.flag)
        given = {"success": self.success, "hold": hold, "good_rate": good_rate, "cycle_s": cycle_s}
        given |= {"privileged": privileged} | ({"reset_options": dict(reset_options)} if reset_options else {})
        options = {"id": id, "takt_s": takt_s, "control_s": control_s, **given, **kwargs}
        self.spec: StationSpec = StationSpec(
            id="takt/Gym-v0",
            entry_point="takt.stations.gym:GymStation",
            nondeterministic=bool(self.env.spec and self.env.spec.nondeterministic),
            kwargs=dict(options),
            station="gym",
            takt_s=takt_s,
            control_s=control_s,
            acceptance=Acceptance(good_rate=good_rate, cycle_s=math.inf if cycle_s is None else cycle_s),
            privileged=privileged,
            options=options,
        )
        self._waits: Any = None  # the action that does not step the environment
        if isinstance(hold, str) and hold == WAITS:
            self.action_space = more = one_more(id, self.action_space)
            hold = self._waits = int(more.start + more.n - 1)
        self._hold = holding(self.action_space, self.observation_space, hold)
        self.reset(seed=0)

    @staticmethod
    def opened_if_named(options: Mapping[str, Any]) -> dict[str, Any]:
        """What a ledger alone is not believed (trust.py): an id that imports a module; a path or module for the
        environment."""
        own = {"takt_s", "control_s", "success", "hold", "good_rate", "cycle_s", "privileged", "render_mode"}
        return {key: value for key, value in options.items() if key not in own and _leads_out(key, value)}

    @property
    def now(self) -> float:
        return (self._unit * self._periods + self._period) * self.spec.control_s

    @property
    def waits(self) -> bool:
        """Whether its environment waits for its player: the last action does not step it."""
        return self._waits is not None

    @property
    def hold(self) -> Any:
        return self._hold(self._observation)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        check_faults(self.spec, (options or {}).get("faults", ()))
        self._seed = int(self.np_random.integers(2**31)) if seed is None else int(seed)
        self._rules = int((options or {}).get("rules", RULES))
        self._unit = -1
        happened: list[Event] = []
        observation, info = self._next_unit(happened)
        return observation, {**info, "events": happened}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        happened: list[Event] = []
        reward = 0.0
        info: Mapping[str, Any] = {}
        self._period += 1
        if self._waits is not None and not self._ended and action == self._waits:
            if self._period == self._periods:
                happened.append(self._event(UNIT_BAD, cycle_s=None, parts={}, reasons=[LATE]))
        elif not self._ended:
            try:
                self._observation, reward, terminated, truncated, info = self._asked.step(action)
            except Raised as error:
                self._lost(error, happened)
            else:
                self._total += reward
                self._inspect(Outcome(reward, terminated, truncated, info, self._total), happened)
        observation = copy.deepcopy(self._observation) if self._ended else self._observation
        if self._period == self._periods:
            observation, info = self._next_unit(happened)
        return observation, reward, False, False, {**info, "events": happened}

    def render(self) -> Any:
        if self._unseen:
            raise Unseen("station 'gym' cannot draw a unit that it has not worked, for that is not in a snapshot")
        try:
            return self.env.render()
        except (Exception, SystemExit) as error:  # most often pygame, or a screen, that is not there
            raise TaktError(f"{self._id} cannot be drawn: {line_of(error)}") from error

    def close(self) -> None:
        with suppress(Exception, SystemExit):  # what it held is lost to nobody
            self.env.close()

    def save(self) -> bytes:
        """Only at the start of a unit, or between its end and the next: there a seed says all there is to say."""
        if self._period and not self._ended:
            raise TaktError(f"station 'gym' cannot be saved within a unit: {self.env} gives no way to its state")
        waiting = self._observation if self._ended else None
        return pack([self._seed, self._unit, self._period, self._ended, waiting])

    def load(self, state: bytes) -> None:
        self._seed, unit, period, ended, waiting = unpack(state)
        self._unit = unit - 1
        self._next_unit([])
        self._unit, self._period, self._ended, self._unseen = unit, period, ended, ended
        if ended:
            self._observation = waiting

    def _next_unit(self, happened: list[Event]) -> tuple[Any, Mapping[str, Any]]:
        self._unit += 1
        self._period = 0
        self._ended = False
        self._unseen = False  # whether the environment is not in the state that this station is in
        self._total = 0.0
        self._good_since: int | None = None
        self._raised = ""
        happened.append(self._event(UNIT_DUE))
        seed = int(np.random.SeedSequence((self._seed, self._unit)).generate_state(1)[0])
        if self._rules > 1:  # 31 bits: many environments hand it to C
            seed %= 2**31
        try:
            self._observation, info = self._reset(seed)
        except Raised as error:
            if not hasattr(self, "_observation"):
                raise TaktError(f"{self._id} cannot be reset for unit {self._unit}: {error}") from error
            self._lost(error, happened)
            info = {}
        return self._observation, info

    def _reset(self, seed: int) -> tuple[Any, Mapping[str, Any]]:
        """One that raised in the middle may be of no more use: a new one is made then, once."""
        try:
            return self._asked.reset(seed)
        except Raised:
            if self._rules == 1 or not hasattr(self, "_observation"):
                raise
        with suppress(Exception, SystemExit):
            self.env.close()
        self.env = self._make()
        self._asked.env = self.env
        return self._asked.reset(seed)

    def _lost(self, error: Raised, happened: list[Event]) -> None:
        """The environment raised: this unit is bad, and the station waits for the next."""
        self._ended, self._raised = True, str(error)
        why = {"reasons": [RAISED], "error": self._raised}
        happened.append(self._event(UNIT_BAD, cycle_s=None, parts={}, **why))

    def _inspect(self, outcome: Outcome, happened: list[Event]) -> None:
        """Is the unit good now, and is it over?"""
        good = self._is_good(outcome)
        if not good:
            self._good_since = None
        elif self._good_since is None:
            self._good_since = self._period
        self._ended = outcome.terminated or outcome.truncated
        if not self._ended and self._period < self._periods:
            return
        # Where it waits for its player, one that is not over has not been played: nothing is lost by waiting.
        if self._good_since is not None and (self._ended or self._waits is None):
            cycle_s = self._good_since * self.spec.control_s
            happened.append(self._event(UNIT_GOOD, cycle_s=cycle_s, parts={}, first_time=True))
            return
        self._check_key(outcome)
        reason = NOT_DONE if outcome.terminated else TRUNCATED if outcome.truncated else LATE
        finished_s = self._period * self.spec.control_s if outcome.terminated else None
        happened.append(self._event(UNIT_BAD, cycle_s=finished_s, parts={}, reasons=[reason]))

    def _check_key(self, outcome: Outcome) -> None:
        """A unit is not bad because `success` was misspelt."""
        key = self.success.removeprefix("info:")
        if self._ended and self.success.startswith("info:") and key not in outcome.info:
            has = ", ".join(outcome.info) or "nothing"
            raise TaktError(f"{self._id}: success is {self.success!r}, but the info has only: {has}")

    def _event(self, kind: str, **data: Any) -> Event:
        return Event(self.now, kind, self._unit, data)


def _leads_out(key: str, value: Any) -> bool:
    """Whether a value can name a module or a file. An id may have a folder's slash: it is a namespace."""
    if isinstance(value, str):
        return bool(re.search(r":" if key == "id" else r"[:/\\]|\.[A-Za-z]\w*$", value))
    if isinstance(value, Mapping):
        return any(_leads_out("", part) for pair in value.items() for part in pair)
    return isinstance(value, (list, tuple)) and any(_leads_out("", part) for part in value)


def _made(id: str, render_mode: str | None, kwargs: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    mode: dict[str, Any] = {"render_mode": render_mode} if render_mode else {}  # None is a mode of its own to some
    if render_mode == "rgb_array":
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pygame, which draws many, would look for a screen
    if ":" in id:
        look_here_too()
    try:
        return gymnasium.make(id, disable_env_checker=True, **mode, **kwargs)
    except TypeError as error:
        odd = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if odd is None or odd[1] not in kwargs:
            raise TaktError(f"cannot open the environment {id!r}: {line_of(error)}") from error
        raise TaktError(f"station 'gym' with {id} {no_option(odd[1], _options_of(id))}") from error
    except Exception as error:  # whatever an environment may raise, it is the id or the options that did not work
        text = " ".join(str(error).split())
        raise TaktError(f"cannot open the environment {id!r}: {type(error).__name__}: {text}") from error


def _options_of(id: str) -> list[str]:
    """The station's own options, and those of the environment that can be known."""
    own = [name for name in usual_options(GymStation) if name != "kwargs"]
    with suppress(Exception, SystemExit):
        make: Any = gymnasium.spec(id).entry_point
        if isinstance(make, str):
            make = gymnasium.envs.registration.load_env_creator(make)
        return list(dict.fromkeys([*own, *usual_options(make)]))
    return own


def _control_s(id: str, env: gymnasium.Env[Any, Any], given: float | None) -> float:
    fps = env.metadata.get("render_fps")
    if given is None and not fps:
        raise TaktError(f"{id} does not say how long a step lasts; give control_s")
    control_s = 1.0 / float(fps or 1) if given is None else float(given)
    if not 0 < control_s < math.inf:  # by the environment's own pictures a second
        raise TaktError(f"{id} says that a step lasts {control_s:g} s; give control_s")
    return control_s


def _periods(id: str, env: gymnasium.Env[Any, Any], takt_s: float | None, control_s: float) -> int:
    """Control periods in a takt."""
    if takt_s is not None:
        periods = max(1, math.ceil(takt_s / control_s - 1e-6))
        if periods > MOST_STEPS:
            raise TaktError(
                f"a takt of {takt_s:g} s has {periods:,} steps of {control_s:g} s; {MOST_STEPS:,} are the most"
            )
        return periods
    limit = env.spec.max_episode_steps if env.spec else None
    if not limit:
        raise TaktError(f"{id} has no time limit; give takt_s")
    return limit


def _own_success(asked: Guarded) -> str:
    """How the environment itself says that an episode was a success. Some say so from the first step on only."""
    id, env = asked.id, asked.env
    try:
        _, first = asked.reset(0)
        env.action_space.seed(0)
        infos = [first, asked.step(env.action_space.sample()).info]
    except Raised as error:
        raise TaktError(f"cannot open the environment {id!r}: {error}") from error
    for info in infos:
        for key in SUCCESS_KEYS:
            if key in info:
                return f"info:{key}"
    if env.spec and env.spec.reward_threshold is not None:
        return f"return>={env.spec.reward_threshold:g}"
    raise TaktError(
        f"{id} does not say when an episode is a success; "
        "give success: info:KEY, terminated, truncated, reward>=X or return>=X"
    )


def _rule(text: str, flag: Callable[[Mapping[str, Any], str], bool]) -> Callable[[Outcome], bool]:
    if text == "terminated":
        return lambda outcome: outcome.terminated
    if text == "truncated":
        return lambda outcome: outcome.truncated
    if match := re.fullmatch(r"info:(.+)", text):
        key = match[1]
        return lambda outcome: flag(outcome.info, key)
    if match := re.fullmatch(r"(reward|return)\s*>=\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)", text):
        least = float(match[2])
        if match[1] == "reward":
            return lambda outcome: outcome.reward >= least
        return lambda outcome: outcome.total >= least
    raise TaktError(f"success is {text!r}; it must be info:KEY, terminated, truncated, reward>=X or return>=X")
