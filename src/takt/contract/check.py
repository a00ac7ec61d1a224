"""Does a station keep the contract? One function a rule; what it raises says the cause and the cure.

    for finding in check_station("nutcell"): print(finding)

The rules are those of docs/stations.md. A rule is given a way to open the station anew and nothing else, so that no
rule depends on what another one did. Random actions are drawn from the station's action space, or from its tools; the
seeds are fixed, so a finding comes again.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from gymnasium.utils.env_checker import check_env

from takt.contract.drawn import Drawn
from takt.contract.events import (
    ARRIVALS,
    BEAT,
    FAULT,
    FAULT_CLEARED,
    FREE,
    HELP_CALLED,
    REFUSED,
    UNIT_DUE,
    UNIT_ENDED,
    Event,
)
from takt.contract.foreign import is_stop, one_line, where
from takt.contract.growth import memory_does_not_grow
from takt.contract.looking import (
    MANY_STEPS,
    NEEDED,
    SEED,
    Broken,
    Open,
    check_event,
    check_tool,
    difference,
    need,
    outside,
    planned,
    short,
    walked,
)
from takt.contract.station import Accounting, Costing, Dealing, Fault, StationSpec, check_times
from takt.errors import TaktError
from takt.ledger.pack import pack

STEPS = 400  # control periods that most rules look at, at most
PACES = (BEAT, ARRIVALS, FREE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one rule: `kept`, or not, or None where the rule has nothing to look at here. `says` is why."""

    rule: str
    kept: bool | None
    says: str


def check_station(open_it: Open, steps: int = STEPS, rules: Sequence[str] = ()) -> Iterator[Finding]:
    """Look at every rule, or at those named, in order. `open_it(**options)` opens the station; each is closed again."""
    for name, rule in RULES.items():
        if rules and name not in rules:
            continue
        try:
            says = rule(open_it, steps)
        except Broken as broken:
            yield Finding(name, False, str(broken))
        except BaseException as error:
            if is_stop(error):
                raise
            what = f": {error}" if isinstance(error, TaktError) else f" {one_line(error)}{where(error)}"
            yield Finding(name, False, f"the station raised{what}")
        else:
            yield Finding(name, None if says is None else True, says or "nothing to look at here")


def the_spec_is_whole(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        spec = station.spec
        need(isinstance(spec, StationSpec), f"spec is a {type(spec).__name__}; make it a takt.StationSpec")
        need(bool(spec.station), "spec.station is empty; give the name that the station is registered under")
        check_times(spec)
        asks = spec.acceptance
        need(0 < asks.good_rate < 1 or asks.good_rate == 1, f"acceptance.good_rate is {asks.good_rate}; it is a share")
        need(0 < asks.quantile < 1, f"acceptance.quantile is {asks.quantile}; it is a share")
        need(spec.pace in PACES, f"spec.pace is {spec.pace!r}; it must be one of {', '.join(PACES)}")
        need(
            isinstance(spec.parts, tuple) and all(isinstance(part, str) for part in spec.parts),
            "spec.parts must be a tuple of names",
        )
        costs = spec.cost_range is not None or isinstance(station, Costing)
        need(bool(spec.currency) or not costs, "units cost something in no currency; give spec.currency (ISO 4217)")
        for name, kind in spec.faults.items():
            need(kind.repair_s > 0, f"the fault {name!r} has repair_s={kind.repair_s}; give mean seconds, above 0")
            need(bool(kind.about), f"the fault {name!r} says nothing about itself; give `about` a line for people")
        names = {tool["function"]["name"] for tool in spec.tools}
        unknown = set(spec.looks) - names
        need(not unknown, f"spec.looks names {', '.join(sorted(unknown))}, which no tool is called")
        need(not spec.tools or bool(spec.brief), "spec.brief is empty; a worker that reads needs the job in words")
        life = "" if spec.unit_life_s is None else f", a unit lives {spec.unit_life_s:g} s at most"
        return f"takt {spec.takt_s:g} s, control period {spec.control_s:g} s{life}"


def gymnasium_accepts_it(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check_env(station, skip_render_check=True)  # type: ignore[arg-type]
        except AssertionError as error:
            raise Broken(f"gymnasium.utils.env_checker.check_env says: {one_line(error)}") from error
    return "check_env passes"


def what_is_seen_is_in_the_space(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        walk = walked(station, steps // 4, Drawn(station, SEED))
        for number, seen in enumerate(walk.seen):
            wrong = outside(station.observation_space, seen)
            need(not wrong, f"the observation after {number} control periods is not in observation_space: {wrong}")
    return f"{len(walk.seen)} observations"


def options_go_round(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        options = dict(station.spec.options)
    try:
        text = json.dumps(options, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Broken(f"spec.options cannot be written as JSON ({one_line(error)}); use plain values only") from error
    with closing(open_it(**json.loads(text))) as again:
        now = dict(again.spec.options)
    other = sorted(key for key in options.keys() | now.keys() if options.get(key) != now.get(key))
    need(not other, f"opened with its own spec.options it has another {', '.join(other)}; ledgers are resumed that way")
    return f"{len(options)} options"


def the_same_seed_is_the_same_shift(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as one, closing(open_it()) as two:
        first = walked(one, steps, Drawn(one, SEED))
        two.reset(seed=SEED + 1)
        for action in first.actions[: steps // 8]:  # another shift before it leaves nothing behind
            two.step(action)
        again = walked(two, steps, iter(first.actions))
        for number, (a, b) in enumerate(zip(first.seen, again.seen, strict=True)):
            need(
                pack(a) == pack(b),
                f"two shifts of one seed differ in what is seen after {number} control periods: "
                f"{difference(a, b)}; draw everything from the seed, and put all state back in `reset`",
            )
        need(first.events == again.events, "two shifts of one seed and the same actions tell different events")
    return f"{len(first.actions)} control periods twice"


def units_do_not_depend_on_the_worker(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as one, closing(open_it()) as two:
        spec = one.spec
        wait = min(MANY_STEPS * 8, round(2.5 * spec.takt_s / spec.control_s))
        idle = walked(one, wait, None)
        busy = walked(two, wait, Drawn(two, SEED))
        due = [[(e.t_s, e.unit, dict(e.data)) for e in walk.events if e.kind == UNIT_DUE] for walk in (idle, busy)]
        if spec.pace == "free":
            return "units come when the last has ended"
        for a, b in zip(*due, strict=False):
            need(
                a == b,
                f"unit {a[1]} falls due as {a} if nothing is done, and as {b} otherwise; key its randomness "
                "by (seed, unit, stream), never by what the worker did",
            )
    return f"{min(map(len, due))} units by two workers"


def a_snapshot_goes_on_bit_for_bit(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        spec = station.spec
        before = min(MANY_STEPS * 8, round(1.2 * spec.takt_s / spec.control_s))
        faults = planned(spec, before)
        walked(station, before, Drawn(station, SEED), faults)
        try:
            state = station.save()
        except TaktError:  # some cannot within a unit, as `gym`, and shifts are saved where units end
            drawn, ended = Drawn(station, SEED), False
            while not ended and before < MANY_STEPS * 16:
                events = station.step(next(drawn))[4].get("events") or ()
                ended, before = any(event.kind in UNIT_ENDED for event in events), before + 1
            state = station.save()
        need(isinstance(state, bytes), f"save gives a {type(state).__name__}; it must be bytes (takt.ledger.pack.pack)")
        ahead = walked(station, steps, Drawn(station, SEED + 1), begun=True)
        for what, other in (("a station opened anew", open_it()), ("the same station", None)):
            here = station if other is None else other
            try:
                if other is not None:
                    here.reset(seed=SEED, options={"faults": faults})
                here.load(state)
                need(here.save() == state, f"{what} that has loaded a snapshot saves another one; `load` must set all")
                again = walked(here, steps, iter(ahead.actions), begun=True)
            finally:
                if other is not None:
                    other.close()
            for number, (a, b) in enumerate(zip(ahead.seen, again.seen, strict=True)):
                need(
                    pack(a) == pack(b),
                    f"{what} that has loaded a snapshot sees something else {number} control "
                    f"periods later: {difference(a, b)}; `save` must have the whole state",
                )
            need(ahead.events == again.events, f"{what} that has loaded a snapshot tells other events")
    return f"{len(state):,} bytes, {steps} control periods gone on with"


def every_unit_falls_due_and_ends_once(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        spec = station.spec
        life = spec.takt_s if spec.unit_life_s is None else spec.unit_life_s
        wait = min(MANY_STEPS * 12, round((2 * spec.takt_s + life) / spec.control_s) + 1)
        walk = walked(station, wait, Drawn(station, SEED))
    due: dict[int, float] = {}
    ended: dict[int, float] = {}
    for event in walk.events:
        if event.kind == UNIT_DUE:
            need(isinstance(event.unit, int), "unit_due without a number; units are counted from 0")
            need(event.unit not in due, f"unit {event.unit} falls due twice")
            due[int(event.unit or 0)] = event.t_s
        elif event.kind in UNIT_ENDED:
            need(event.unit in due, f"unit {event.unit} ends and has never fallen due")
            need(event.unit not in ended, f"unit {event.unit} ends twice")
            ended[int(event.unit or 0)] = event.t_s
    need(bool(due), f"no unit falls due in {wait * spec.control_s:g} s; `reset` or `step` must tell unit_due")
    need(sorted(due) == list(range(len(due))), f"units fall due as {sorted(due)}; they are counted from 0, one by one")
    old = [u for u, t in due.items() if u not in ended and t + life < wait * spec.control_s - spec.control_s]
    if spec.pace != "free":
        ends = "tell one of the two when its time is over"
        need(
            not old or bool(ended),
            f"no unit ends in {wait * spec.control_s:g} s: neither unit_good nor unit_bad is told of any; {ends}",
        )
        need(
            not old,
            f"neither unit_good nor unit_bad is told of unit {old[0] if old else 0} within {life:g} s after it fell "
            f"due; {ends}, or give spec.unit_life_s if a unit may be open for longer",
        )
    return f"{len(due)} fell due, {len(ended)} ended"


def hold_changes_nothing(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        station.reset(seed=SEED)
        for _ in range(10):
            hold = station.hold
            need(station.action_space.contains(hold), f"hold is {short(hold)}, which is not in {station.action_space}")
            need(pack(hold) == pack(station.hold), "hold differs when it is asked for twice")
            _, _, _, _, info = station.step(hold)
            asked = [e.kind for e in info.get("events") or () if e.kind in (REFUSED, HELP_CALLED)]
            need(not asked, f"hold leads to {asked}; it must be taken for nothing at all")
        if station.spec.tools:
            name = next(iter(Drawn(station, SEED).calls))
            before, *_ = station.step(json.dumps({"name": name, "arguments": {}}))
            after, *_ = station.step(station.hold)
            need(before["result"] == after["result"], "hold changes `result`; it must leave the last answer as it was")
    return "held for 10 control periods"


def no_episode_ends_a_shift(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        station.reset(seed=SEED)
        control_s, drawn = station.spec.control_s, Drawn(station, SEED)
        for number in range(steps):
            need(
                abs(station.now - number * control_s) < 1e-6 * max(1, number),
                f"after {number} control periods `now` "
                f"is {station.now} s, not {number * control_s:g}; count periods and multiply",
            )
            _, _, terminated, truncated, _ = station.step(next(drawn))
            need(not terminated and not truncated, "step says that an episode is over; a shift has none: return False")
    return f"{steps} control periods on the clock"


def events_are_of_the_vocabulary(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        spec = station.spec
        wait = min(MANY_STEPS * 8, round(2.2 * spec.takt_s / spec.control_s))
        walk = walked(station, wait, Drawn(station, SEED), planned(spec, wait))
        own = set()
        for number, events in enumerate(walk.by_step):
            for event in events:
                check_event(event, number * spec.control_s, spec)
                own |= {event.kind} - NEEDED.keys() - {UNIT_DUE}
    return f"{len(walk.events)} events" + (f", own kinds: {', '.join(sorted(own))}" if own else "")


def faults_come_and_go(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        spec = station.spec
        if not spec.faults:
            return None
        faults, at_s = [], 5 * spec.control_s
        for name in spec.faults:
            faults.append(Fault(name, at_s, 20 * spec.control_s))
            at_s += 40 * spec.control_s
        walk = walked(station, round(at_s / spec.control_s) + 5, None, tuple(faults))
        told = [(e.kind, e.data["name"], e.data["stops"]) for e in walk.events if e.kind in (FAULT, FAULT_CLEARED)]
        for fault in faults:
            stops = spec.faults[fault.name].stops
            for kind in (FAULT, FAULT_CLEARED):
                need(
                    (kind, fault.name, stops) in told,
                    f"the fault {fault.name!r} was planned and there is no event "
                    f"{kind} of it with stops={stops}; tell both, with the `stops` of spec.faults",
                )
        try:
            station.reset(seed=SEED, options={"faults": (Fault("no_such_fault", 0.0, 1.0),)})
        except TaktError:
            return f"{len(faults)} kinds"
    raise Broken("a fault that it cannot have is not refused; call takt.contract.station.check_faults in `reset`")


def tools_refuse_what_they_must(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        if not station.spec.tools:
            return None
        drawn = Drawn(station, SEED)
        for tool in station.spec.tools:
            check_tool(tool["function"])
        seen, _ = station.reset(seed=SEED)
        wrong = list(drawn.wrong_calls())
        for why, call in wrong:
            seen, _, _, _, info = station.step(call)
            result = seen["result"]
            error = result.get("error") if isinstance(result, Mapping) else None
            told = isinstance(error, Mapping) and {"code", "message"} <= error.keys()
            need(told, f"{why} is not answered with an error of code and message: {short(call)}")
            refused = [e for e in info.get("events") or () if e.kind == REFUSED]
            need(bool(refused), f"{why} is answered with an error, and there is no event `refused`: {short(call)}")
    return f"{len(station.spec.tools)} tools, {len(wrong)} wrong calls"


def what_it_says_of_a_shift_is_plain(open_it: Open, steps: int) -> str | None:
    with closing(open_it()) as station:
        if not isinstance(station, Accounting | Costing):
            return None
        packages = accumulate(type(station).__module__.split("."), "{}.{}".format)
        silent = [name for name in packages if getattr(sys.modules.get(name), "ACCOUNTS", True) is False]
        need(
            not silent,
            f"{', '.join(silent)} says ACCOUNTS = False, so that nobody asks for the account or costs it has",
        )
        _, info = station.reset(seed=SEED)
        events: list[Event] = list(info.get("events") or ())
        drawn = Drawn(station, SEED)
        for _ in range(steps):
            events += station.step(next(drawn))[4].get("events") or ()
        if isinstance(station, Dealing):
            unit = station.unit_of(station.hold)
            need(unit is None, f"unit_of(hold) is {unit}; an action that names no unit is about none: None")
        if isinstance(station, Costing):
            costs = station.unit_costs(events)
            need(all(isinstance(c, int | float) and np.isfinite(c) for c in costs.values()), "unit_costs has no number")
        if isinstance(station, Accounting):
            account = station.account(events)
            try:
                json.dumps(account.values, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise Broken(f"account().values is not JSON: {one_line(error)}; None where undefined") from error
            return f"{len(account.figures)} figures, {len(account.values)} values"
    return "costs of units"


RULES: dict[str, Callable[[Open, int], str | None]] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        the_spec_is_whole,
        options_go_round,
        what_is_seen_is_in_the_space,
        gymnasium_accepts_it,
        no_episode_ends_a_shift,
        hold_changes_nothing,
        events_are_of_the_vocabulary,
        every_unit_falls_due_and_ends_once,
        the_same_seed_is_the_same_shift,
        units_do_not_depend_on_the_worker,
        a_snapshot_goes_on_bit_for_bit,
        faults_come_and_go,
        tools_refuse_what_they_must,
        what_it_says_of_a_shift_is_plain,
        memory_does_not_grow,
    )
}
