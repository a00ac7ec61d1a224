"""What a plan would take: time and money by what shifts took so far, and how many it takes to know something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takt.fleet.plan import Arm, Plan
from takt.fleet.presets import PRESETS
from takt.fleet.sample import (
    USUAL_SPREAD,
    Needed,
    believed_spread,
    shifts_to_difference,
    shifts_to_verdict,
    stickiness_seen,
)
from takt.fleet.standing import ArmStanding, FleetStanding
from takt.judge.sequences import usual_spread

ABOVE = (0.95, 0.97, 0.99, 0.999, 0.9999)  # true rates that are planned for, where no shift has shown one


@dataclass(frozen=True, slots=True)
class ArmEstimate:
    """What is left of an arm: times and money by its shifts so far, or its worker's elsewhere; None: unknown.

    begun   of those that are left: shifts that are there up to a unit's end, and go on from it.
    """

    arm: Arm
    planned: int
    there: int
    left: int
    wall_s: float | None
    money: float | None
    begun: int = 0


@dataclass(frozen=True, slots=True)
class JobEstimate:
    """How many shifts a verdict takes at one work.

    units, required    of a shift, and asked.
    spread   between shifts' own rates: what was `seen` in so many shifts of one arm, and what is usual as if a few more
             had shown it; six perfect shifts do not show that shifts are alike.
    stickiness   of units that is seen; None while it is not, and they are taken to be independent.
    verdicts   by true rate; `difference`, to tell two arms apart.
    """

    work: str
    units: int
    required: float
    spread: float
    seen: int
    stickiness: float | None
    verdicts: Sequence[tuple[float, Needed]]
    difference: Needed | None


def arms_of(found: FleetStanding) -> list[ArmEstimate]:
    """What is left of each arm."""
    return [_arm(found, one) for one in found.arms]


def _arm(found: FleetStanding, one: ArmStanding) -> ArmEstimate:
    alike = [
        other for other in found.arms if (other.arm.station, other.arm.worker) == (one.arm.station, one.arm.worker)
    ]
    records = [r for r in one.records if r.ended] or [r for other in alike for r in other.records if r.ended]
    left = one.planned - one.ended - one.lost - one.spared
    wall_s = sum(record.wall_s for record in records) / len(records) if records else None
    money = sum(record.money for record in records) / len(records) if records else None
    return ArmEstimate(
        one.arm,
        one.planned,
        one.ended,
        left,
        0.0 if not left else None if wall_s is None else left * wall_s,
        0.0 if not left else None if money is None else left * money,
        one.left,
    )


def jobs_of(
    found: FleetStanding, true: Sequence[float] = (), difference: float | None = None, power: float = 0.8
) -> list[JobEstimate]:
    """How many shifts a verdict takes at each work of the plan. Stations are opened to ask them what they ask."""
    plan, told = found.plan, []
    for work in dict.fromkeys(arm.work for arm in plan.arms):
        mine = [one for one in found.arms if one.arm.work == work]
        required, units = _job(plan, mine)
        usual = min(USUAL_SPREAD, usual_spread(required))
        shown = [believed_spread(one.records, usual) for one in mine]
        spread, seen = max((one for one in shown if one[1]), default=(usual, 0))
        sticky = max((rho for one in mine if (rho := stickiness_seen(one.records)) is not None), default=None)
        rates = list(true) or [at for at in ABOVE if at > required][:3] or [(1 + required) / 2]
        by, alpha = plan.stop.by, plan.stop.alpha
        verdicts = [
            (
                at,
                shifts_to_verdict(
                    required, at, units, spread=min(spread, 1 - at), rho=sticky or 0.0, power=power, alpha=alpha, by=by
                ),
            )
            for at in rates
            if at != required and required < 1
        ]
        apart = None
        if difference is not None and len(mine) > 1:
            rate = max((one.good / one.units for one in mine if one.units), default=required)
            apart = shifts_to_difference(
                rate,
                difference,
                units,
                len(mine),
                spread=spread,
                rho=sticky or 0.0,
                power=power,
                alpha=alpha,
                by=by,
            )
        told.append(JobEstimate(work, units, required, spread, seen, sticky, verdicts, apart))
    return told


def _job(plan: Plan, mine: Sequence[ArmStanding]) -> tuple[float, int]:
    """What is asked, by the plan or its station, and units of a shift: by shifts so far, else by the station."""
    known = [record for one in mine for record in one.records if record.ended and record.units]
    asked = PRESETS[plan.accept].good_rate if plan.accept else None
    if known:
        units = round(sum(record.units for record in known) / len(known))
        return asked or float(known[0].acceptance.get("good_rate", 1.0)), max(units, 1)
    from takt.contract.station import open_station

    arm = mine[0].arm
    here = open_station(arm.station, **arm.station_options)
    required, takt_s = here.spec.acceptance.good_rate, here.spec.takt_s
    here.close()
    by_time = [arm.hours * 3600 / takt_s] if arm.hours is not None else []
    return asked or required, max(1, round(min([*by_time, *([arm.units] if arm.units is not None else [])])))
