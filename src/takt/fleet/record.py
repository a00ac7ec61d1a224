"""A shift in one line, kept beside its ledger, so that ten thousand ledgers need not be opened to be counted.

A record is a pure function of the ledger. It is made by the process that worked the shift, and again from the ledger
where it is lost.
"""

from __future__ import annotations

import hashlib
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from takt.contract.events import FAULT, UNIT_BAD, Event
from takt.fleet.told import read_as
from takt.judge.compared_shifts import WHOLE, ComparedShift
from takt.judge.outcomes import Outcomes
from takt.shift import Shift

GOOD, BAD, OPEN = "g", "b", "o"
NONE = "-"  # a unit that does not count
WORK_DIGITS = 6  # of the hash of what a unit was: enough to see that two workers had the same


@dataclass(frozen=True, slots=True)
class Record:
    """A shift that has ended, or was left.

    ended      why it ended ("time", "units", ...); "" if it was left, to go on later.
    outcomes   of its judged units, in due order: g good, b bad, o open.
    cycles     cycle times of the good ones among them, seconds to a millisecond; None where there is none.
    cut_off    units that the end cut off, which are not judged.
    by_unit    of the station's own units, by number: 1 good, 0 bad, - not counted; and `work`, what each of them was.
    why_bad    why judged units were bad, counted; `faults`, whose faults there were, counted.
    acceptance what the job asks, as in `shift_started`.
    money, tokens   that it cost, where its worker says so.
    host       where it was last worked.
    """

    id: str
    seed: int
    ended: str
    digest: str
    outcomes: str
    cut_off: int
    by_unit: str
    work: str
    cycles: Sequence[float | None]
    station_s: float
    wall_s: float
    begun_utc: str
    host: str
    money: float = 0.0
    tokens: int = 0
    why_bad: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    acceptance: Mapping[str, Any] = field(default_factory=dict)
    broken: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        """Whether it is a figure of its own: it ran to its end, or its worker broke its contract."""
        return self.ended in (*WHOLE, "broken_plan")

    @property
    def good(self) -> int:
        return self.outcomes.count(GOOD)

    @property
    def units(self) -> int:
        return len(self.outcomes)

    def within(self, limit_s: float) -> int:
        """How many of the good units took so long at most."""
        return sum(cycle_s is not None and cycle_s <= limit_s for cycle_s in self.cycles)

    @property
    def cycle_s(self) -> float | None:
        """Mean of the good units' cycle times; None without any."""
        known = [cycle_s for cycle_s in self.cycles if cycle_s is not None]
        return sum(known) / len(known) if known else None

    @classmethod
    def of(cls, shift: Shift, identity: str) -> Record:
        events = shift.events
        found = Outcomes.of(events)
        compared = ComparedShift.of(events)
        by_unit, work = compared.good, compared.work
        numbers = range(max(by_unit, default=-1) + 1)
        cycles = [None if u.cycle_s is None else round(u.cycle_s, 3) for u in found.judged if u.good]
        money, tokens = spent(events)
        bad = {u.number for u in found.judged if u.good is False}  # what ended after time was up counts for nothing
        why_bad = Counter(
            str(why)
            for event in events
            if event.kind == UNIT_BAD and event.unit in bad
            for why in event.data.get("reasons", ()) or ("?",)
        )
        faults = Counter(str(event.data.get("origin", "?")) for event in events if event.kind == FAULT)
        return cls(
            id=identity,
            seed=int(shift.meta["seed"]),
            ended=shift.ended,
            digest=shift.digest,
            outcomes="".join(OPEN if u.good is None else GOOD if u.good else BAD for u in found.judged),
            cut_off=found.cut_off,
            by_unit="".join(NONE if n not in by_unit else "01"[by_unit[n]] for n in numbers),
            work="".join(hashlib.sha256(work.get(n, "").encode()).hexdigest()[:WORK_DIGITS] for n in numbers),
            cycles=cycles,
            station_s=found.end_s,
            wall_s=float(shift.meta.get("wall_s", 0.0)),
            begun_utc=str(shift.meta.get("begun_utc", "")),
            host=socket.gethostname(),
            money=money,
            tokens=tokens,
            why_bad=dict(why_bad),
            faults=dict(faults),
            acceptance=dict(found.started.get("acceptance") or {}),
            broken=list(shift.broken[:1]),
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Record:
        """From its JSON. Raises TypeError or ValueError if it is another version's, or none."""
        return read_as(cls, told)

    def told(self) -> dict[str, Any]:
        """As JSON values, which are its own: `asdict` copies each cycle time, and is half of what a driver costs."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def spent(events: Sequence[Event]) -> tuple[float, int]:
    """Money and tokens that these events say were spent (`takt bill`)."""
    from takt.workers.llm.bill import bill

    try:
        found = bill(events)
    except (TypeError, KeyError, AttributeError, ValueError):  # another worker's records
        return 0.0, 0
    return found.price, found.prompt_tokens + found.completion_tokens
