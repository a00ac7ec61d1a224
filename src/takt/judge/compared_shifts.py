"""The shifts of a comparison: what of each is compared, which belong together, and how their settings differ."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from takt.contract.events import SHIFT_STARTED, UNIT_DUE, Event
from takt.contract.station import TaktError
from takt.judge.capability import times_of
from takt.judge.outcomes import Outcomes, cut_of_all
from takt.judge.verdict import cut_off_in_words
from takt.ledger import canonical

WHOLE = ("time", "units")  # why a shift ends that is a figure of its own
BY = ("auto", "unit", "shift", "free")
LIVE = "live"  # the clock that people work by; no program is asked to
SAME = ("station", "options", "seed", "clock", "faults")
Costs = Callable[[Sequence[Event]], Mapping[int, float]]


class OptionDiffers(TaktError):
    """Shifts differ in an option of the station's, which may be allowed (`may_differ`)."""

    def __init__(self, text: str, option: str) -> None:
        super().__init__(f"{text}; --may-differ {option} compares them all the same")
        self.text, self.option = text, option


def too_short(worked: Mapping[str, Mapping[int, ComparedShift]], seeds: Sequence[int]) -> list[str]:
    """Shifts that time ended before any of their units had all its time, in one sentence."""
    every = [(name, seed, mine[seed]) for name, mine in worked.items() for seed in seeds]
    short = [(name, seed, one) for name, seed, one in every if one.ended == "time" and not one.good and one.life_s]
    if not short:
        return []
    whose = {name: listed(seed for other, seed, _ in short if other == name) for name, _, _ in short}
    told = "; ".join(f"{name}'s shift of seed {listed}" for name, listed in whose.items())
    told = "every shift" if len(short) == len(every) else told
    life_s = max(one.life_s or 0.0 for _, _, one in short)
    return [
        f"{told} is shorter than the {life_s:,.0f} s that a unit may take here, so no unit of it had all its time and "
        f"none counts; work shifts well above {life_s / 3600:.2g} h"
    ]


def by_worker(shifts: Sequence[tuple[str, Sequence[Event]]]) -> dict[str, list[Sequence[Event]]]:
    """Shifts with the names of their files, grouped by worker: by the name it has at the station.

    Workers of the same name are told apart by those of their options that differ, and, if there is one seed only, those
    that are the same worker by their files.
    """
    read = [(file, ComparedShift.of(events).started, events) for file, events in shifts]
    told = [(str(started["worker"]), started.get("worker_options") or {}) for _, started, _ in read]
    who = [(worker, canonical(options)) for worker, options in told]
    one_seed = len({started["seed"] for _, started, _ in read}) == 1
    grouped: dict[str, list[Sequence[Event]]] = {}
    for (file, _, events), (worker, options), same in zip(read, told, who, strict=True):
        others = [other for name, other in told if name == worker]
        differ = [key for key in options if len({canonical(other.get(key)) for other in others}) > 1]
        name = " ".join([worker, *(f"{key}={_value(options[key])}" for key in differ)])
        grouped.setdefault(f"{name} ({file})" if one_seed and who.count(same) > 1 else name, []).append(events)
    return grouped


def cut_off(name: str, shifts: Sequence[ComparedShift]) -> list[str]:
    """What the ends of a worker's shifts cut off, in a sentence."""
    units, finished = (sum(one.cut_off[i] for one in shifts) for i in (0, 1))
    cut_is = cut_of_all((one.cut_off[0], one.cut_is) for one in shifts)
    return [f"{name}: {cut_off_in_words(units, finished, len(shifts), cut_is)}"] if units else []


def _value(value: Any) -> str:
    """An option's value as it is given on the command line: a text bare, unless it would be read as something else."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return canonical(value)


def times(shifts: Mapping[str, Sequence[Iterable[Event]]]) -> dict[str, list[float]]:
    """Cycle times of each worker's units that all of them ended (infinite: not good): what a capability is of."""
    worked = {name: of_seeds(name, [ComparedShift.of(events) for events in of]) for name, of in shifts.items()}
    seeds = [seed for seed in next(iter(worked.values())) if all(seed in mine for mine in worked.values())]
    rounds = [with_lost({name: mine[seed] for name, mine in worked.items()}) for seed in seeds]
    common = [set.intersection(*(set(shift.good) for shift in round_.values())) for round_ in rounds]
    return {
        name: [
            round_[name].times_s.get(unit, math.inf)
            for round_, here in zip(rounds, common, strict=True)
            for unit in sorted(here)
        ]
        for name in shifts
    }


@dataclass(frozen=True, slots=True)
class ComparedShift:
    """A shift as far as it matters here.

    started   the data of `shift_started`.
    ended     why it ended, "" if it has not.
    until_s   the time of its last event.
    work      unit -> the data it fell due with.
    good      unit -> whether it was good, of those that count: the station's own; in a shift that goes on, up to the
              first that is open, or units would be missing for being slow; if time ended it, those that fell due so
              early that their outcome is known whatever it is (`Outcomes.judged`).
    costs  unit -> what it cost, where the station says so.
    times_s   unit -> its cycle time if it was good, else infinite.
    caused    units that ended and are not the station's own.
    life_s    the longest that a unit is open, or None.
    lost      units that were counted as bad since the worker broke its contract before them.
    cut_off   units that the end cuts off, and how many of them ended all the same: they count for nobody.
    cut_is    whether it has, or will, or may (`Outcomes.cut_is`).
    """

    started: Mapping[str, Any]
    ended: str
    until_s: float
    work: Mapping[int, str]
    good: Mapping[int, bool]
    costs: Mapping[int, float]
    times_s: Mapping[int, float]
    caused: int
    life_s: float | None
    lost: int = 0
    cut_off: tuple[int, int] = (0, 0)
    cut_is: str = ""

    @classmethod
    def of(cls, events: Iterable[Event], unit_costs: Costs | None = None) -> ComparedShift:
        log = tuple(events)
        found = Outcomes.of(log)
        if not found.started:
            raise TaktError("a shift without `shift_started` cannot be compared: nothing says what was worked")
        work = {event.unit: canonical(event.data) for event in log if event.kind == UNIT_DUE and event.unit is not None}
        units = {unit.number: unit for unit in found.units}
        own = 0  # the station's own units are numbered 0, 1, 2, ...; what a worker caused comes behind a gap
        while own in units:
            own += 1
        until = own
        if not found.ended or found.life_s is not None:
            judged = {unit.number for unit in found.judged}
            until = next((n for n in range(own) if n not in judged or units[n].good is None), own)
        good = {n: bool(units[n].good) for n in range(until) if units[n].good is not None}
        caused = sum(unit.good is not None for unit in found.units if unit.number >= own)
        costs = {} if unit_costs is None else unit_costs(log)
        times = {n: t for n, t in zip(good, times_of([units[n] for n in good]), strict=True)}
        cut = found.cut_off, found.cut_off_finished
        told = work, good, costs, times, caused, found.life_s, 0, cut, found.cut_is
        return cls(found.started, found.ended, found.end_s, *told)


def of_seeds(name: str, shifts: Sequence[ComparedShift]) -> dict[int, ComparedShift]:
    found: dict[int, ComparedShift] = {}
    for shift in shifts:
        if shift.started["seed"] in found:
            raise TaktError(f"{name} has worked seed {shift.started['seed']} twice; give one shift for each seed")
        found[shift.started["seed"]] = shift
    return found


def with_lost(shifts: Mapping[str, ComparedShift]) -> dict[str, ComparedShift]:
    """A worker that broke its contract has not done what the others did after it: those units are bad."""
    done = {unit for shift in shifts.values() for unit in shift.good}
    found = {}
    for name, shift in shifts.items():
        lost = done - set(shift.good) if shift.ended == "broken_plan" else set()
        if lost:
            work = {unit: other.work[unit] for other in shifts.values() for unit in lost if unit in other.work}
            good = {unit: shift.good.get(unit, False) for unit in sorted(lost | set(shift.good))}
            shift = replace(shift, good=good, work={**work, **shift.work}, lost=len(lost))
        found[name] = shift
    return found


def check_comparable(
    shifts: Mapping[str, Sequence[Iterable[Event]]], alpha: float, margin: float | None, by: str
) -> None:
    if len(shifts) < 2:
        logs = [events for of in shifts.values() for events in of]
        started = [event.data for events in logs for event in events if event.kind == SHIFT_STARTED]
        stations = list(dict.fromkeys(str(data.get("station")) for data in started))
        seeds = list(dict.fromkeys(int(data.get("seed") or 0) for data in started))
        if len(stations) > 1:
            raise TaktError(
                f"these shifts are of {len(stations)} stations and cannot be compared: {', '.join(stations)}"
            )
        same = f"; these shifts are all of one, of seeds {listed(seeds)}" if len(seeds) > 1 else ""
        raise TaktError(f"comparing takes at least two workers, not {len(shifts)}{same}")
    if not 0 < alpha < 1:
        raise TaktError(f"alpha is a chance of error between 0 and 1, not {alpha:g}")
    if margin is not None and not 0 < margin < 1:
        raise TaktError(f"the margin is a difference of rates between 0 and 1, not {margin:g}")
    if by not in BY:
        raise TaktError(f"a comparison is by {', '.join(BY)}, not by {by!r}")


def differences(rounds: Sequence[Mapping[str, ComparedShift]], may_differ: Collection[str]) -> list[str]:
    """Notes on options that differ and may. TaktError names the first thing that differs and may not."""
    first = next(iter(rounds[0]))
    notes = []
    for shifts in rounds:
        until_s = min(shift.until_s for shift in shifts.values())
        for name, shift in shifts.items():
            here = [(first, shifts[first], SAME), (first, rounds[0][first], ("station", "options", "clock"))]
            for other, against, keys in here:
                for what, one, two in _differing(against, shift, keys, until_s):
                    option = what.removeprefix("option ")
                    if what.startswith("option ") and option in may_differ:
                        notes.append(f"{what} differs, as allowed: {other} {one}, {name} {two}")
                        continue
                    if what == "the clock" and any(text.partition(":")[0] == LIVE for text in (one, two)):
                        notes.append(f"a person works by the wall's clock: {other} {one}, {name} {two}")
                        continue
                    text = f"{other} and {name} cannot be compared: {what} is {one} and {two}"
                    if what.startswith("option "):
                        raise OptionDiffers(text, option)
                    raise TaktError(text)
    return list(dict.fromkeys(notes))


def _differing(
    a: ComparedShift, b: ComparedShift, keys: Collection[str], until_s: float
) -> Iterable[tuple[str, str, str]]:
    """What differs of these keys, and the two values. Faults count up to the end of the shorter shift."""
    for key in keys:
        one, two = a.started.get(key), b.started.get(key)
        if key == "options":
            one, two = one or {}, two or {}
            for option in dict.fromkeys([*one, *two]):
                if canonical(one.get(option)) != canonical(two.get(option)):
                    yield f"option {option}", canonical(one.get(option)), canonical(two.get(option))
            continue
        if key == "faults":
            one, two = ([fault for fault in faults or () if fault["at_s"] < until_s] for faults in (one, two))
        if canonical(one) != canonical(two):
            yield f"the {key}" if key != "faults" else "the list of faults", _told(one), _told(two)


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= 60 else text[:59] + "…"


def listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, seeds))
