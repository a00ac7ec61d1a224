"""`takt check`: what keeps the contract passes, and each rule finds a station that breaks it and nothing else."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Text

from takt import Acceptance, Event, FaultKind, StationSpec
from takt.cli import main
from takt.contract.check import RULES, check_station
from takt.contract.check_worker import check_worker
from takt.contract.faults import Active
from takt.contract.station import check_faults, open_station
from takt.errors import TaktError
from takt.ledger.pack import pack, unpack

SPEC = StationSpec(
    "bench-v0",
    "test_station_check:Bench",
    station="bench",
    takt_s=5.0,
    control_s=0.5,
    acceptance=Acceptance(0.9),
    faults={"jam": FaultKind("nothing moves", 10.0, True)},
)


class Bench(gymnasium.Env[Any, Any]):
    """A unit is good if what was pushed in it is at least what it draws. Whole."""

    observation_space, action_space = Box(0, np.inf, (1,)), Box(0, 1, (1,))
    hold = np.zeros(1, np.float32)

    def __init__(self, spec: StationSpec = SPEC) -> None:
        self.spec = spec
        self.active = Active()

    @property
    def now(self) -> float:
        return self.periods * 0.5

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        faults = (options or {}).get("faults", ())
        check_faults(self.spec, faults)  # type: ignore[arg-type]
        self.active.begin(faults)
        self.seed, self.periods, self.pushed = seed or 0, 0, np.zeros(1, np.float32)
        return self.pushed.copy(), {"events": [Event(0.0, "unit_due", 0)]}

    def step(self, action: Any) -> Any:
        events = [
            Event(self.now, kind, None, {"name": fault.name, "origin": "station", "stops": True})
            for kind, fault in self.active.move(self.now)
        ]
        if not self.active.now:
            self.pushed = self.pushed + np.clip(action, 0, 1).astype(np.float32)
        unit = self.periods // 10
        self.periods += 1
        if self.periods % 10 == 0:
            events += self.ended(unit)
            self.pushed = np.zeros(1, np.float32)
        return self.pushed.copy(), 0.0, False, False, {"events": events}

    def ended(self, unit: int) -> list[Event]:
        wanted = np.random.default_rng([self.seed, unit]).uniform(1, 4)
        good = self.pushed[0] >= wanted
        data = {"cycle_s": 5.0, "parts": {}} | ({"first_time": True} if good else {"reasons": ["short"]})
        ended = Event(self.now, "unit_good" if good else "unit_bad", unit, data)
        return [ended, Event(self.now, "unit_due", unit + 1)]

    def save(self) -> bytes:
        return pack([self.seed, self.periods, self.pushed, self.active.save()])

    def load(self, state: bytes) -> None:
        self.seed, self.periods, self.pushed, active = unpack(state)
        self.active.load(active)


class Forgets(Bench):
    """Its snapshot lacks what was pushed."""

    def save(self) -> bytes:
        return pack([self.seed, self.periods, np.zeros(1, np.float32), self.active.save()])


class Remembers(Bench):
    """A shift begins with what the last one left."""

    left = 0.0

    def reset(self, **given: Any) -> Any:
        _, info = super().reset(**given)
        self.pushed += self.left
        return self.pushed.copy(), info

    def step(self, action: Any) -> Any:
        answer = super().step(action)
        self.left = float(self.pushed[0])
        return answer


class Drifts(Bench):
    """Its clock runs on what was done."""

    @property
    def now(self) -> float:
        return self.periods * 0.5 + float(self.pushed[0]) * 1e-3


class Spares(Bench):
    """Whoever pushes much gets the next unit told otherwise."""

    def ended(self, unit: int) -> list[Event]:
        ended, due = super().ended(unit)
        return [ended, replace(due, data={"easy": bool(self.pushed[0] > 2)})]


class LosesUnits(Bench):
    """Every other unit never ends."""

    def ended(self, unit: int) -> list[Event]:
        return super().ended(unit)[unit % 2 :]


class Speechless(Bench):
    """Bad units have no reasons."""

    def ended(self, unit: int) -> list[Event]:
        ended, due = super().ended(unit)
        return [Event(ended.t_s, "unit_bad", unit, {"cycle_s": None, "parts": {}, "reasons": []}), due]


class Ends(Bench):
    """It believes in episodes."""

    def step(self, action: Any) -> Any:
        seen, reward, _, truncated, info = super().step(action)
        return seen, reward, self.periods % 10 == 0, truncated, info


class Strays(Bench):
    """What is seen is of another kind than the space says."""

    observation_space = Box(0, np.inf, (2,))


class Calls(Bench):
    """Its hold asks for help."""

    def step(self, action: Any) -> Any:
        seen, reward, terminated, truncated, info = super().step(action)
        if not np.any(action):
            info["events"].append(Event(self.now, "help_called", None, {"why": "held"}))
        return seen, reward, terminated, truncated, info


class Deaf(Bench):
    """Its faults never come."""

    def step(self, action: Any) -> Any:
        self.active.begin(())
        return super().step(action)


class Hoards(Bench):
    """It keeps what nobody reads."""

    def step(self, action: Any) -> Any:
        self.kept = getattr(self, "kept", [])
        self.kept.append(np.ones(1_250))  # 10 kB
        return super().step(action)


class Diary(Bench):
    """Its snapshot has all that was ever done."""

    def reset(self, **given: Any) -> Any:
        self.log: list[str] = []
        return super().reset(**given)

    def step(self, action: Any) -> Any:
        self.log.append("x" * 100)
        return super().step(action)

    def save(self) -> bytes:
        return pack([super().save(), self.log])

    def load(self, state: bytes) -> None:
        state, self.log = unpack(state)
        super().load(state)


class Endless(Bench):
    """No unit ever ends."""

    def ended(self, unit: int) -> list[Event]:
        return super().ended(unit)[1:]


class Timeless(Bench):
    """Its units end at no time."""

    def ended(self, unit: int) -> list[Event]:
        ended, due = super().ended(unit)
        return [replace(ended, t_s=float("nan")), due]


class Refuses(Bench):
    """It cannot be loaded, and says so in a line of its own."""

    def load(self, state: bytes) -> None:
        raise TaktError("the bench is bolted down")


class Leaves(Bench):
    """Ends its process in the middle."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            os._exit(0)
        return super().reset(seed=seed, options=options)


class Shut(Bench):
    def __init__(self) -> None:
        raise ValueError("no key")


class Unwritable(Bench):
    """Its options are no JSON."""

    def __init__(self) -> None:
        super().__init__(replace(SPEC, options={"spec": object()}))


class NoShare(Bench):
    """Ninety is no share of one."""

    def __init__(self) -> None:
        super().__init__(replace(SPEC, acceptance=Acceptance(90)))


class Believes(Bench):
    """Offers a tool, takes whatever it is told, and says nothing of the argument."""

    action_space, hold = Text(2_000_000, charset=frozenset(map(chr, range(32, 127)))), '{"name":"wait"}'  # type: ignore[assignment]
    observation_space = Dict({"result": Text(100)})  # type: ignore[assignment]

    def __init__(self, described: str = "How much.") -> None:
        amount = {"type": "number", "description": described}
        tool = {"name": "push", "description": "Push.", "parameters": {"properties": {"amount": amount}}}
        function = ({"type": "function", "function": tool},)
        super().__init__(replace(SPEC, brief="Push.", tools=function))

    def reset(self, **given: Any) -> Any:
        return {"result": "-"}, super().reset(**given)[1]

    def step(self, action: Any) -> Any:
        _, *rest = super().step(np.ones(1))
        return {"result": "-"}, *rest


class Mute(Believes):
    def __init__(self) -> None:
        super().__init__("")


def findings(make: Any, *rules: str) -> dict[str, tuple[bool | None, str]]:
    return {finding.rule: (finding.kept, finding.says) for finding in check_station(make, 60, rules)}


def test_a_whole_station_passes_and_what_is_not_there_is_not_looked_at() -> None:
    found = findings(Bench)
    assert list(found) == list(RULES)
    assert {rule for rule, (kept, _) in found.items() if kept is None} == {
        "tools refuse what they must",
        "what it says of a shift is plain",
    }
    assert not [f"{rule}: {says}" for rule, (kept, says) in found.items() if kept is False]


@pytest.mark.parametrize(
    ("make", "rule", "says"),
    [
        (NoShare, "the spec is whole", "acceptance.good_rate is 90; it is a share"),
        (Unwritable, "options go round", "spec.options cannot be written as JSON"),
        (Strays, "what is seen is in the space", "float32 (1,), and the space float32 (2,)"),
        (Strays, "gymnasium accepts it", "check_env says"),
        (Ends, "no episode ends a shift", "a shift has none: return False"),
        (Drifts, "no episode ends a shift", "count periods and multiply"),
        (Calls, "hold changes nothing", "hold leads to ['help_called']"),
        (Speechless, "events are of the vocabulary", "a bad unit says why"),
        (
            LosesUnits,
            "every unit falls due and ends once",
            "neither unit_good nor unit_bad is told of unit 1 within 5 s",
        ),
        (Endless, "every unit falls due and ends once", "neither unit_good nor unit_bad is told of any"),
        (Timeless, "events are of the vocabulary", "t_s=nan: t_s is not a number"),
        (Refuses, "a snapshot goes on bit for bit", "the station raised: the bench is bolted down"),
        (Remembers, "the same seed is the same shift", "put all state back in `reset`"),
        (Spares, "units do not depend on the worker", "key its randomness by (seed, unit, stream)"),
        (Forgets, "a snapshot goes on bit for bit", "`save` must have the whole state"),
        (Deaf, "faults come and go", "there is no event fault of it with stops=True"),
        (Believes, "tools refuse what they must", "a text that is no JSON is not answered with an error"),
        (Mute, "tools refuse what they must", "the argument 'amount' of the tool 'push' has no description"),
        (Hoards, "memory does not grow", "something is kept that nobody reads"),
        (Diary, "memory does not grow", "makes the snapshot 102 bytes larger"),
    ],
)
def test_each_rule_finds_what_breaks_it_and_says_what_to_do(make: Any, rule: str, says: str) -> None:
    kept, said = findings(make, rule)[rule]
    assert kept is False and says in said


def test_a_station_that_can_be_saved_between_units_only_keeps_the_rule() -> None:
    def opened(**options: Any) -> Any:
        return open_station("gym", id="CartPole-v1", takt_s=0.5, **options)

    rule = "a snapshot goes on bit for bit"
    assert findings(opened, rule)[rule][0] is True


def test_a_station_that_raises_is_a_finding_with_its_line() -> None:
    class Raises(Bench):
        def load(self, state: bytes) -> None:
            raise RuntimeError("no such state")

    kept, said = findings(Raises, "a snapshot goes on bit for bit")["a snapshot goes on bit for bit"]
    assert kept is False and "RuntimeError: no such state" in said and "test_station_check.py:" in said


def test_the_command_checks_a_station_by_import_and_exits_with_2_for_a_broken_one(
    capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.syspath_prepend(str(__import__("pathlib").Path(__file__).parent))
    assert main(["check", "test_station_check:Bench", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in told["rules"]] == list(RULES)
    assert main(["check", "test_station_check:Forgets"]) == 2
    out, err = capsys.readouterr()
    assert "BROKEN  a snapshot goes on bit for bit" in out
    assert err.strip() == "takt: test_station_check:Forgets does not keep 1 of 15 rules: a snapshot goes on bit for bit"
    assert main(["check", "test_station_check:Nobody"]) == 2
    assert "cannot import the station 'test_station_check:Nobody'" in capsys.readouterr().err


def test_a_station_that_cannot_be_opened_or_ends_its_process_is_no_whole_check(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(str(__import__("pathlib").Path(__file__).parent))
    assert main(["check", "test_station_check:Shut"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "cannot open the station 'test_station_check:Shut': ValueError: no key" in err
    assert main(["check", "test_station_check:Leaves", "--json"]) == 2
    *kept, last = json.loads(capsys.readouterr().out)["rules"]
    assert [one["kept"] for one in kept] == [True, True]
    assert last["kept"] is False and "(exit code 0), after 2 of 15 rules" in last["says"]


class Draws:
    """A worker that draws on what no seed says: how often it has begun. Every other shift it pushes to one side only,
    which ends a CartPole early."""

    begun = 0
    last = 0

    def begin(self, spec: Any, seed: int) -> None:
        Draws.begun += 1

    def act(self, observation: Any) -> Any:
        self.last = (self.last + self.begun % 2) % 2
        return [self.last]

    def end(self) -> None: ...


class Breaks(Draws):
    def act(self, observation: Any) -> Any:
        return [7]


def test_a_worker_is_checked_by_shifts(monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(str(__import__("pathlib").Path(__file__).parent))

    def of(worker: str, units: int = 3) -> list[tuple[bool | None, str]]:
        options = {"id": "CartPole-v1"}
        return [(one.kept, one.says) for one in check_worker("gym", worker, units, options, {})]

    assert all(kept for kept, _ in of("idle", 2))
    assert of("idle", 1)[-1] == (
        None,
        "not looked at: the shift was over when its first unit was; give more --units",
    )
    # Two shifts of three units are the same by chance in 14 % of pairs (measured over 40); of 30 units in 3e-9.
    kept, says = of("test_station_check:Draws", 30)[-1]
    assert kept is False and "draws on something else" in says
    assert (
        of("test_station_check:Breaks")[-1][0] is False
        and "not in Discrete(2)" in of("test_station_check:Breaks")[-1][1]
    )
