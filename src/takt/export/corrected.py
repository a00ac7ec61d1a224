"""From failures to lessons: a model's bad units, each put right by a teacher from the first call that was wrong.

DAgger (Ross, Gordon, Bagnell, AISTATS 2011) for language models: the situations are the model's own, the answers the
teacher's. A shift is worked again from its ledger, and a teacher looks over the model's shoulder: at each call it says
what it would do. Where the two first differ, the station is kept. If the unit then comes out bad, the teacher goes on
from there in a copy of the station, and that is the lesson: the conversation as the model saw it up to there, the
teacher's answers after it. A bad unit at which the teacher would have done all the same has no lesson.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from takt.contract.events import UNIT_ENDED, UNIT_GOOD
from takt.contract.station import Station
from takt.contract.worker import Plan, Resumable, Worker, open_worker, worker_seed
from takt.workers.calls import as_text, refused
from takt.workers.llm.talk import Talk, ends

MOST_LOOKS = 50  # actions of a teacher before it makes a call that the model could make
MOST_CALLS = 100  # of a teacher, until the unit has ended


@dataclass(frozen=True, slots=True)
class Slip:
    """Where model and teacher first differed: station and teacher then, what was shown, what the model called."""

    station: bytes
    teacher: bytes | None
    observation: Mapping[str, Any]
    talk: Talk  # nothing said yet, and the same piece of work in front
    prompt: tuple[Mapping[str, Any], ...]
    said: Mapping[str, Any]


class Teacher:
    """A worker that says what it would call, with the tools and arguments that a model of this view has."""

    def __init__(self, name: str, station: Station, seed: int, talk: Talk) -> None:
        self._talk = talk
        self._offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in talk.offered}
        self._worker: Worker = open_worker(name, station.spec.station)
        self._worker.begin(station.spec, worker_seed(seed))
        self._plan: list[Any] = []

    def save(self) -> bytes | None:
        return self._worker.save() if isinstance(self._worker, Resumable) else None

    def load(self, state: bytes | None) -> None:
        if state is not None and isinstance(self._worker, Resumable):
            self._worker.load(state)

    def close(self) -> None:
        self._worker.end()

    def action(self, observation: Mapping[str, Any]) -> str:
        """What it does next."""
        if not self._plan:
            plan = self._worker.act(observation)
            self._plan = list(plan.actions if isinstance(plan, Plan) else plan)
        return str(self._plan.pop(0)) if self._plan else '{"name":"wait"}'

    def told(self, action: str) -> dict[str, Any] | None:
        """An action as the model would make it: name and arguments; None for one that its view does not offer."""
        said = json.loads(action)
        if said["name"] not in self._offered:
            return None
        known = self._offered[said["name"]].get("properties", {})
        given = said.get("arguments") or {}
        return {"name": said["name"], "arguments": {key: value for key, value in given.items() if key in known}}

    def wish(self, observation: Mapping[str, Any], copy: Callable[[], Station]) -> dict[str, Any] | None:
        """The call that it would make now. What it does before that, it does in a copy of the station."""
        in_turn = self._talk.in_turn  # the teacher serves whom the model is shown
        observation = in_turn(observation)
        station: Station | None = None
        for _ in range(MOST_LOOKS):
            action = self.action(observation)
            call = self.told(action)
            if call is not None:
                return call
            station = station or copy()
            seen, *_ = station.step(action)
            observation = in_turn(seen)
        return None


class Corrections:
    """Looks on while a model's shift is worked again, and collects lessons. See `Shoulder` for the station's side.

    open_copy    a station of the same options, in which the teacher goes on.
    """

    def __init__(self, teacher: str, station: Station, open_copy: Callable[[], Station], seed: int, talk: Talk) -> None:
        self._name, self._station, self._open_copy, self._seed, self._talk = teacher, station, open_copy, seed, talk
        self._other: Station | None = None
        self.rows: list[dict[str, Any]] = []
        self.asked = self.answered = 0  # how often the teacher was, and had a call to make
        self._begin()

    def _begin(self) -> None:
        self._teacher: Teacher | None = None
        self._slip: Slip | None = None
        self._lost, self._refused = False, 0
        self._ended: list[Any] = []

    def before(self, observation: Mapping[str, Any], action: str) -> None:
        """The model is about to make this call."""
        if self._slip is not None or self._lost:
            return
        if self._teacher is None:
            self._teacher = Teacher(self._name, self._station, self._seed, self._talk)
        state = self._teacher.save()
        kept = self._station.save()
        wish = self._teacher.wish(observation, lambda: self._copy(kept))
        said = json.loads(action)
        self.asked, self.answered = self.asked + 1, self.answered + (wish is not None)
        if wish is None:
            self._lost = True  # it would wait, or look for long: nothing that the model could be told
        elif not _same(wish, said):
            talk = self._talk.afresh(self._station.spec)
            self._slip = Slip(kept, state, observation, talk, tuple(self._prompt(said)), said)

    def after(self, call: str, observation: Mapping[str, Any], ended: list[Any]) -> None:
        """What came of it."""
        self._refused += refused(observation)
        self._ended += [event for event in ended if event.data.get("cycle_s") is not None]
        short = self._station.spec.short
        if short is not None and ends(short, call, observation):
            self.over()

    def over(self) -> None:
        """A piece of work is over, or given up: if it was bad and a call was wrong, there is a lesson."""
        bad = any(event.kind != UNIT_GOOD for event in self._ended) or (not self._ended and self._refused > 0)
        if bad and self._slip is not None:
            lesson = self._lesson(self._slip)
            if lesson is not None:
                self.rows.append(lesson)
        if self._teacher is not None:
            self._teacher.close()
        self._begin()

    def close(self) -> None:
        self.over()
        if self._other is not None:
            self._other.close()

    def _copy(self, state: bytes) -> Station:
        if self._other is None:
            self._other = self._open_copy()
        self._other.load(state)
        return self._other

    def _prompt(self, said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What the model had read when it made this call: all before its answer, and what came of its earlier calls."""
        history = self._talk.history
        turn = history.turns[-1]
        before: list[Mapping[str, Any]] = [
            message for message in history.messages() if not any(message is own for own in turn)
        ]
        done = len(turn) - 1
        if done <= 0 or not turn[0].get("tool_calls"):
            return before
        return [*before, {**turn[0], "tool_calls": turn[0]["tool_calls"][:done]}, *turn[1:]]

    def _lesson(self, slip: Slip) -> dict[str, Any] | None:
        station = self._copy(slip.station)
        talk = slip.talk
        teacher = Teacher(self._name, station, self._seed, talk)
        teacher.load(slip.teacher)
        observation: Mapping[str, Any] = slip.observation
        ended, short, calls = list[Any](), station.spec.short, 0
        for _ in range(MOST_CALLS):
            action = teacher.action(talk.in_turn(observation))
            call = teacher.told(action)
            if call is not None:
                [[call_id, _]] = talk.answered(calls, talk.spelled(call), [(call["name"], as_text(call["arguments"]))])
                calls += 1
            observation, *_, info = station.step(action)
            ended += [event for event in info["events"] if event.kind in UNIT_ENDED]
            if call is not None:
                talk.result(call_id, observation)
                if short is not None and ends(short, action, observation):
                    break
        teacher.close()
        if not calls:
            return None
        mine = [event for event in ended if event.data.get("cycle_s") is not None]
        units = [
            {"unit": e.unit, "good": e.kind == UNIT_GOOD, "reasons": list(e.data.get("reasons", ()))} for e in mine
        ]
        reward = sum(unit["good"] for unit in units) / len(units) if units else None
        after = talk.history.messages()[1:]
        reasons = sorted({reason for event in self._ended for reason in event.data.get("reasons", ())})
        about = {"by": self._name, "said": dict(slip.said), "bad": reasons or ["refused"]}
        return {
            "prompt": list(slip.prompt),
            "after": after,
            "tools": list(self._talk.tools),
            "reward": reward,
            "units": units,
            "corrected": about,
        }


def _same(wish: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Whether the model's call is the teacher's, in all that the teacher gives."""
    given = said.get("arguments")
    return wish["name"] == said["name"] and isinstance(given, Mapping) and dict(given) == wish["arguments"]
