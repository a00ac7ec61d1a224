"""How a fleet stands, arm by arm: a pure look at its plan, its records and its machine faults."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from takt.fleet.arms import in_order, verdict_of
from takt.fleet.crew import MachineFault
from takt.fleet.drive import CERTAIN, WORKED
from takt.fleet.found import found_in
from takt.fleet.looks import Looks
from takt.fleet.made import changed
from takt.fleet.notes import notes_of
from takt.fleet.plan import Arm, Plan, Planned
from takt.fleet.record import Record
from takt.fleet.store import Ledgers
from takt.judge.pooled import Pooled

DECIDED_BEFORE = "decided by the first of these shifts; bounds are of all of them"


@dataclass(frozen=True, slots=True)
class ArmStanding:
    """One arm so far.

    planned, ended, running, lost    of its shifts: how many there are to be, have ended, run, are given up.
    left      that were left at a unit's end, to go on later; `spared`, that are not needed any more.
    ordered   its shifts in the plan's order up to the first that has not ended; None for one that is lost.
    verdict   on these, against what the plan accepts by, else what the station asks; None without any.
    """

    arm: Arm
    planned: int
    ended: int
    left: int
    running: int
    lost: int
    spared: int
    units: int
    good: int
    money: float
    tokens: int
    wall_s: float
    station_s: float
    verdict: Pooled | None
    records: Sequence[Record]
    ordered: Sequence[Record | None]


@dataclass(frozen=True, slots=True)
class FleetStanding:
    """A fleet so far. `refused` says why shifts cannot be worked, by id; `driver`, where it is driven, or "";
    `lost` are the ids of shifts that are given up; `other_faults` counts those at shifts of other plans."""

    plan: Plan
    arms: Sequence[ArmStanding]
    faults: Sequence[MachineFault]
    refused: Mapping[str, str]
    driver: str
    over: str
    told: str
    lost: Collection[str] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    others: int = 0
    changed: Sequence[str] = ()
    other_faults: int = 0

    @property
    def ended(self) -> int:
        return sum(one.ended for one in self.arms)

    @property
    def done(self) -> bool:
        """Whether nothing is left to be worked. A shift that was given up is: it is tried again when asked for."""
        return all(one.ended + one.spared >= one.planned for one in self.arms)

    @property
    def given_up(self) -> Sequence[MachineFault]:
        """The last fault of each shift that was given up, and has not ended since."""
        last = {fault.id: fault for fault in self.faults if fault.id in self.lost}
        return [fault for fault in last.values() if fault.given_up]

    @property
    def state(self) -> str:
        """What works on it, or why nothing does, to follow its name."""
        if self.driver:
            return f"it is worked on {self.driver}"
        if self.done:
            return "nothing is left to do"
        told = "" if self.over in (WORKED, CERTAIN) else self.told  # it was so, and a plan or a ledger is another one
        count = len(self.given_up)
        if count:
            more = "they are" if count > 1 else "it is"
            given_up = f"{count} shift{'s' * (count > 1)} given up for faults of machines: {more} tried again with "
            return f"{told + '; ' if told else ''}{given_up}`takt fleet run`"
        return told or "nothing works on it"


@dataclass(frozen=True, slots=True)
class Said:
    """What a driver said last (`drive.Driver`): ids of shifts that run, and are not needed; why some are refused."""

    running: set[str]
    spared: set[str]
    refused: Mapping[str, str]
    where: str
    over: str
    told: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Said:
        """Of its JSON values, which may be a stranger's: what is none of a driver's is left out."""
        running, spared, refused = told.get("running"), told.get("spared"), told.get("refused")
        return cls(
            {str(one.get("id")) for one in running if isinstance(one, dict)} if isinstance(running, list) else set(),
            {one for one in spared if isinstance(one, str)} if isinstance(spared, list) else set(),
            {one: str(why) for one, why in refused.items()} if isinstance(refused, dict) else {},
            f"{told.get('host')}, process {told.get('pid')}",
            str(told.get("over", "")),
            str(told.get("told", "")),
        )


def standing_of_fleet(plan: Plan) -> FleetStanding:
    """How the fleet of this plan stands, whoever works it, wherever."""
    notes = notes_of(plan)
    try:
        there = found_in(plan, notes, Ledgers(plan.store))
        said, alive, all_faults = Said.of(notes.said()), notes.driven(), notes.faults()
    finally:
        notes.close()
    records, running = there.records, said.running if alive else set()
    unreadable = {one: why for one, why in there.unreadable.items() if one not in running}  # it is just being made
    ended = {one for one, record in records.items() if record.ended}
    mine = {shift.id for shift in plan.shifts}  # notes may be of another plan's shifts, too
    faults = [fault for fault in all_faults if fault.id in mine]
    left = mine - ended - unreadable.keys()
    refused = {one: why for one, why in said.refused.items() if one in left}
    lost = ({fault.id for fault in faults if fault.given_up} | {*refused, *unreadable}) - ended
    of: dict[str, list[Planned]] = {arm.name: [] for arm in plan.arms}
    for shift in plan.shifts:
        of[shift.arm.name].append(shift)
    arms = [_arm(plan, arm, of[arm.name], records, lost, running, said.spared) for arm in plan.arms]
    where = said.where if alive else ""
    more = (lost, unreadable, there.others, changed(plan.arms), len(all_faults) - len(faults))
    return FleetStanding(plan, arms, faults, refused, where, said.over, said.told, *more)


def judged(plan: Plan, ordered: Sequence[Record | None], accept: str = "") -> Pooled | None:
    """The verdict on shifts of one arm in the plan's order, by the plan or by another preset to accept by.

    An arm that ends when its verdict is reached has that one (`looks`), though shifts that ended after it, all of them
    together, would leave it open."""
    stop, accept = plan.stop, accept or plan.accept
    found = verdict_of(ordered, alpha=stop.alpha, by=stop.told_by, accept=accept)
    if found is None or not stop.verdict or accept != plan.accept:
        return found
    looks = Looks(alpha=stop.alpha, by=stop.by, accept=accept)
    looks.follow(ordered)
    if looks.reached is None or looks.reached.decision == found.decision:
        return found
    why = f"{looks.reached.why} (after {looks.after} of {len(ordered)} shifts, when it was decided)"
    return replace(found, decision=looks.reached.decision, why=why, notes=[*found.notes, DECIDED_BEFORE])


def _arm(
    plan: Plan,
    arm: Arm,
    shifts: Sequence[Planned],
    records: Mapping[str, Record],
    lost: Collection[str],
    running: Collection[str],
    spared: Collection[str],
) -> ArmStanding:
    mine = [records[shift.id] for shift in shifts if shift.id in records]
    ordered = in_order(shifts, records, lost)
    ended = {record.id for record in mine if record.ended}
    return ArmStanding(
        arm=arm,
        planned=len(shifts),
        ended=len(ended),
        left=sum(not record.ended and record.id not in running and record.id not in lost for record in mine),
        running=sum(shift.id in running for shift in shifts),
        lost=sum(shift.id in lost for shift in shifts),
        spared=sum(shift.id in spared and shift.id not in ended for shift in shifts),
        units=sum(record.units for record in mine if record.ended),
        good=sum(record.good for record in mine if record.ended),
        money=sum(record.money for record in mine),
        tokens=sum(record.tokens for record in mine),
        wall_s=sum(record.wall_s for record in mine),
        station_s=sum(record.station_s for record in mine),
        verdict=judged(plan, ordered),
        records=mine,
        ordered=ordered,
    )
