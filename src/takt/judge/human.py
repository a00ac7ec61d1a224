"""Human-relative throughput: what a worker gets done for each unit that a person gets done, at the same job.

Good units an hour of the one over good units an hour of the other (PhAIL, arXiv 2605.29710, scores policies so), each
of whole shifts, in station time. At a beat nobody gets more done than falls due, so the cycle times are told beside it.
A ratio of two rates has no bound here: what is proven of the two is the bound on their paired units (`compare`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from takt.contract.events import Event
from takt.judge.kpi import kpis
from takt.judge.outcomes import Outcomes

PERSON = "person"  # the worker's name in a ledger


@dataclass(frozen=True, slots=True)
class Relative:
    """A worker beside a person. Rates are good units an hour; cycles are means over good units, in seconds; None where
    there is no good unit, or none of the person's to compare with."""

    worker: str
    person: str
    throughput: float | None
    good_per_h: float | None
    person_good_per_h: float | None
    cycle_s: float | None
    person_cycle_s: float | None


def human_relative(shifts: Mapping[str, Sequence[Iterable[Event]]]) -> list[Relative]:
    """Each worker that is none beside each person, by the names that `compare` was given."""
    logs = {name: [list(events) for events in of] for name, of in shifts.items()}
    people = [name for name, of in logs.items() if all(_is_person(events) for events in of)]
    found = []
    for person in people:
        theirs = _rate(logs[person])
        for name in logs:
            if name not in people:
                mine = _rate(logs[name])
                ratio = mine[0] / theirs[0] if mine[0] is not None and theirs[0] else None
                found.append(Relative(name, person, ratio, mine[0], theirs[0], mine[1], theirs[1]))
    return found


def in_words(one: Relative) -> str:
    """One line."""
    ratio = "-" if one.throughput is None else f"{one.throughput:.2f}"
    rates = f"{_number(one.good_per_h)} good units an hour, {one.person} {_number(one.person_good_per_h)}"
    cycles = f"a good unit takes {_number(one.cycle_s)} s, {one.person} {_number(one.person_cycle_s)} s"
    return f"human-relative throughput of {one.worker}: {ratio} ({rates}; {cycles})"


def _is_person(events: Sequence[Event]) -> bool:
    return str(Outcomes.of(events).started.get("worker")) == PERSON


def _rate(logs: Sequence[Sequence[Event]]) -> tuple[float | None, float | None]:
    """Good units an hour over all of these shifts, and the mean cycle of good units."""
    figures = [kpis(events) for events in logs]
    hours = sum(one.counted_s for one in figures) / 3600
    cycles = [(one.cycle_mean_s, one.good) for one in figures if one.cycle_mean_s is not None]
    many = sum(good for _, good in cycles)
    mean = sum(cycle * good for cycle, good in cycles) / many if many else None
    return (sum(one.good for one in figures) / hours if hours > 0 else None), mean


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
