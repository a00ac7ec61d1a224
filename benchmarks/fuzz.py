"""Random input where strangers' input comes in: model servers' answers, tool calls, environments.

    python benchmarks/fuzz.py                       10,000 of each, from seed 0
    python benchmarks/fuzz.py --examples 500 --seed 3 --only answers

Whatever comes, it is an answer, an odd answer or a failure in one line; a refused call; a shift with all its units or
one line. Nothing else may be raised, and no finished unit may be lost. `tests/test_fuzz.py` runs a few hundred of each.
Hypothesis makes the input, and shrinks what it finds.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from takt import TaktError, open_station, run_shift
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.ledger import canonical
from takt.stations.flightdesk.desk.tools import TOOLS
from takt.stations.gym import GymStation
from takt.workers.calls import as_text, read_call
from takt.workers.llm.answer import Reply, Stream, storable, whole
from takt.workers.llm.lost import has_lost_call
from takt.workers.llm.refusals import NoAnswer

NAMES = ("queue", "propose", "book", "refund", "wait", "board", "messages", "group", "seats", "hotel", "call_human")
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["queue", "{}", '{"limit": 1}', '{"limit"', "<think>", "</think>", "<tool_call>", "[DONE]", "\ud83d"]
    ),
    st.sampled_from(["error", "stop", "tool_calls", "context length exceeded", "429", "a", "\r", "\n\n", "data: "]),
)
plain = st.one_of(st.none(), st.booleans(), st.integers(-3, 600), st.floats(), texts, st.integers(2**62, 2**70))
anything = st.recursive(
    plain,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    ["choices", "message", "delta", "content", "tool_calls", "function", "name", "arguments", "id"]
                ),
                st.sampled_from(["index", "finish_reason", "usage", "prompt_tokens", "error", "code", "reasoning"]),
                st.text(max_size=5),
            ),
            part,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def or_odd(usual: st.SearchStrategy[Any], odd: int = 6) -> st.SearchStrategy[Any]:
    """Mostly what is usual."""
    return st.integers(0, odd).flatmap(lambda n: anything if n == 0 else usual)


def some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=parts)


functions = some(name=or_odd(st.sampled_from(NAMES)), arguments=or_odd(texts))
calls = or_odd(
    st.lists(or_odd(some(index=or_odd(st.integers(0, 2)), id=or_odd(texts), function=or_odd(functions))), max_size=3)
)
messages = some(content=or_odd(texts), reasoning_content=or_odd(texts), reasoning=or_odd(texts), tool_calls=calls)
messages = st.one_of(messages, some(role=st.just("assistant"), function_call=or_odd(functions), content=or_odd(texts)))
finishes = or_odd(st.sampled_from([None, "stop", "tool_calls", "length", "error"]))
usages = or_odd(some(prompt_tokens=or_odd(st.integers(0, 9999)), completion_tokens=or_odd(st.integers(0, 999))))


def answers_of(key: str) -> st.SearchStrategy[Any]:
    choice = st.fixed_dictionaries({key: or_odd(messages, 12), "finish_reason": finishes}, optional={"error": anything})
    choices = or_odd(st.lists(or_odd(choice, 12), min_size=1, max_size=2), 12)
    fields = {"choices": choices}
    return or_odd(st.fixed_dictionaries(fields, optional={"usage": usages, "id": plain}), 20)


@st.composite
def bodies(draw: Any) -> bytes:
    """A whole answer, perhaps cut or with something else in it."""
    body = json.dumps(draw(answers_of("message"))).encode()
    return _harmed(draw, body)


@st.composite
def streams(draw: Any) -> bytes:
    pieces = draw(st.lists(st.one_of(answers_of("delta"), answers_of("delta"), answers_of("message")), max_size=5))
    end, line = (
        draw(st.sampled_from([b"\n\n", b"\n\n", b"\r\n\r\n", b"\n", b"\r\r"])),
        draw(st.sampled_from([b"data: ", b"data:"])),
    )
    told = b"".join(line + json.dumps(piece).encode() + end for piece in pieces)
    told += draw(st.sampled_from([b"data: [DONE]\n\n", b"data: [DONE]\n\n", b"", b"data: \n\n", b": ping\n\n"]))
    return _harmed(draw, told)


def _harmed(draw: Any, told: bytes) -> bytes:
    how = draw(st.integers(0, 7))
    at = draw(st.integers(0, max(0, len(told))))
    if how == 0:
        return told[:at]
    if how == 1:
        return told[:at] + draw(st.binary(max_size=5)) + told[at:]
    if how == 2:
        return (
            told[:at]
            + draw(st.sampled_from([b"\n", b"\r", b"data: ", b"event: error\n", b"\xef\xbb\xbf", b"NaN", b"1e999"]))
            + told[at:]
        )
    return told


def _read(how: Callable[[], Reply]) -> Any:
    try:
        reply = how()
    except NoAnswer as failure:
        assert failure.text and "\n" not in failure.kind
        return failure.kind, failure.status
    assert isinstance(reply.text, str) and isinstance(reply.reasoning, str) and isinstance(reply.finish, str)
    canonical(storable(reply.raw))  # it can be kept
    for call in reply.calls:
        assert isinstance(call.name, str) and isinstance(call.arguments, str)
        json.loads(read_call(storable(call.name), storable(call.arguments), NAMES).text)
    has_lost_call(reply.text, NAMES)
    return reply


def answers(n: int, start: int, count: Counter[str]) -> None:
    @given(st.one_of(bodies().map(lambda b: ("whole", b)), streams().map(lambda b: ("stream", b))), st.integers(1, 40))
    def one(told: tuple[str, bytes], cut: int) -> None:
        kind, body = told

        def fed(size: int) -> Reply:
            stream = Stream()
            for at in range(0, len(body), size):
                stream.feed(body[at : at + size])
            return stream.reply()

        if kind == "whole":
            read = _read(lambda: whole(body))
        else:
            read = _read(lambda: fed(max(1, len(body))))
            assert read == _read(lambda: fed(cut)), "however the network cuts it"
        count[f"{kind}: {read[0] if isinstance(read, tuple) else 'odd' if read.odd else 'answer'}"] += 1

    _run(one, n, start)


def tool_calls(n: int, start: int, count: Counter[str]) -> None:
    small = {"scenario": "two-hubs", "flights": 300, "aircraft": 45, "bookings": 2000, "days": 1, "takt_s": 120.0}
    desk = open_station("flightdesk", **small)
    desk.reset(seed=1)
    units: list[int] = []
    usual = {
        "limit": st.integers(1, 30),
        "after": st.integers(0, 9),
        "group": st.integers(0, 40).map(str),
        "flight": st.sampled_from(sorted(desk.office.world.name)),  # type: ignore[attr-defined]
        "origin": st.sampled_from(["LHR", "XXX", ""]),
        "minutes": st.integers(0, 90),
        "avoid_closed": st.booleans(),
    }
    fields = {name: list(TOOLS[name].arguments.model_fields) for name in TOOLS}

    def call_of(name: str) -> st.SearchStrategy[Any]:
        return st.tuples(st.just(name), some(**{field: or_odd(usual.get(field, texts), 9) for field in fields[name]}))

    @given(or_odd(st.sampled_from(sorted(TOOLS)).flatmap(call_of), 9), st.integers(0, 19))
    def one(said: Any, how: int) -> None:
        name, given_to = said if isinstance(said, tuple) else (said, said)
        text = as_text({"name": name, "arguments": as_text(given_to) if how == 0 else given_to})
        text = text[:-how] if how in (1, 2) else text
        observation, _, _, _, info = desk.step(storable(text))
        result = observation["result"]
        assert isinstance(result, dict) and "tool" in result
        if "error" in result:
            assert set(result["error"]) == {"code", "message"} and "\n" not in result["error"]["message"]
            assert [e for e in info["events"] if e.kind == "refused"], "a refusal is counted"
        canonical(result)
        units.extend(e.unit for e in info["events"] if e.kind in (UNIT_GOOD, UNIT_BAD))
        assert len(units) == len(set(units)), "a unit ends once"
        count[result.get("error", {}).get("code", "done")] += 1

    _run(one, n, start)
    desk.close()


class Wild(gymnasium.Env[Any, Any]):
    """Answers and raises as its script says."""

    metadata = {"render_modes": [], "render_fps": 10}  # noqa: RUF012
    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    script: Any = ()

    def __init__(self) -> None:
        self.at = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self._next([np.zeros(2, np.float32), {}])

    def step(self, action: Any) -> Any:
        return self._next([np.zeros(2, np.float32), 1.0, bool(self.np_random.random() < 0.3), False, {"success": True}])

    def _next(self, answer: list[Any]) -> Any:
        does = self.script[self.at % len(self.script)] if self.script else None
        self.at += 1
        if does is None:
            return tuple(answer)
        kind, value = does
        if kind == "raise":
            raise value("it\nbroke")
        if kind == "length":
            return tuple(answer[:value])
        if kind == "list":
            return answer
        answer[value[0] % len(answer)] = value[1]
        return tuple(answer)


RAISES = [
    RuntimeError,
    ValueError,
    TypeError,
    AssertionError,
    KeyError,
    SystemExit,
    OSError,
    ZeroDivisionError,
    StopIteration,
]
values = st.one_of(
    plain, st.just(np.array([True])), st.just(np.ones(2)), st.just(np.float64(1)), st.just(np.bool_(True))
)
values = st.one_of(values, st.dictionaries(st.sampled_from(["success", "is_success"]), values, max_size=2))
does = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.just("raise"), st.sampled_from(RAISES)),
    st.tuples(st.just("length"), st.integers(0, 4)),
    st.tuples(st.just("list"), st.none()),
    st.tuples(st.just("value"), st.tuples(st.integers(1, 4), values)),
)


def environments(n: int, start: int, count: Counter[str]) -> None:
    gymnasium.register(id="takt-fuzz/Wild-v0", entry_point=Wild, max_episode_steps=4)

    @given(
        st.lists(st.integers(0, 2).flatmap(lambda k: does if k == 0 else st.none()), max_size=12),
        st.integers(0, 2**128 - 1),
    )
    def one(script: list[Any], shift_seed: int) -> None:
        Wild.script = ()
        station = GymStation("takt-fuzz/Wild-v0", success="info:success")
        Wild.script = script
        try:
            shift = run_shift(station, lambda _: 0, units=3, seed=shift_seed)
        except TaktError as error:
            assert "\n" not in str(error) and ("takt-fuzz/Wild" in str(error) or "'gym'" in str(error)), str(error)
            count["one line"] += 1
            return
        ended = [e.unit for e in shift.events if e.kind in (UNIT_GOOD, UNIT_BAD)]
        assert ended == [0, 1, 2] and shift.ended == "units" and not shift.broken
        lost = sum("error" in e.data for e in shift.events)
        count["all units, some lost to the environment" if lost else "all units"] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _run(one, n, start)
    del gymnasium.registry["takt-fuzz/Wild-v0"]


def _run(one: Any, n: int, start: int) -> None:
    phases = (Phase.generate, Phase.shrink)
    checks = list(HealthCheck)
    seed(start)(
        settings(max_examples=n, deadline=None, database=None, phases=phases, suppress_health_check=checks)(one)
    )()


JOBS: dict[str, Callable[[int, int, Counter[str]], None]] = {
    "answers": answers,
    "tool_calls": tool_calls,
    "environments": environments,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(JOBS))
    given_to = parser.parse_args()
    for name, job in JOBS.items():
        if given_to.only in (None, name):
            began, count = time.perf_counter(), Counter[str]()
            job(given_to.examples, given_to.seed, count)
            took = time.perf_counter() - began
            print(f"{name}: {sum(count.values())} examples, seed {given_to.seed}, {took:.0f} s: all held")
            for what, times in count.most_common():
                print(f"    {times:6} {what}")


if __name__ == "__main__":
    main()
