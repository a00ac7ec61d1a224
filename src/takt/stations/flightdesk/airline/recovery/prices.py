"""What a plan under search costs, part by part, weighted as in the objective; and a plan copied onto another.

The same as `cost.py` works out for a solution, for `Problem` and `Plan`: the search's totals are exact.
"""

from __future__ import annotations

import numpy as np

from takt.stations.flightdesk.airline.cost import MEAL, NIGHT, NIGHT_AFTER
from takt.stations.flightdesk.airline.instance import Ints
from takt.stations.flightdesk.airline.recovery.compiled import compiled, inner
from takt.stations.flightdesk.airline.recovery.problem import BROKEN, NEVER, Plan, Problem


@inner
def copy(to: Plan, plan: Plan) -> None:
    """Make one plan like another."""
    to.fixed[:] = plan.fixed
    count = plan.lines[0]
    for i in range(count):
        to.line[i] = plan.line[i]
    to.line_leg[:count] = plan.line_leg[:count]
    to.line_cabin[:count] = plan.line_cabin[:count]


@inner
def lateness_cost(late: int, minute: float, meal_after: int, alpha: float) -> float:
    """EUR per person for so many minutes late; `minute` and `meal_after` are the booking's."""
    if late <= 0:
        return 0.0
    cost = late * minute
    if late > meal_after:
        cost += alpha * MEAL
    if late > NIGHT_AFTER:
        cost += alpha * NIGHT
    return cost


@inner
def leg_cost(p: Problem, plan: Plan, b: int, f: int, cabin: int) -> float:
    """EUR per person of booking b for being downgraded on flight f. What was booked costs nothing."""
    for j in range(p.booking[b].first, p.booking[b].last):
        if p.leg[j].flight == f:
            return 0.0
    return p.downgrade[p.booking[b].cabin, cabin, p.distance[plan.flight[f].origin, plan.flight[f].destination, 1]]


@inner
def line_price(p: Problem, plan: Plan, i: int) -> float:
    """EUR for all people of line i."""
    b, legs = plan.line[i].booking, plan.line[i].legs
    last = plan.line_leg[i, legs - 1]
    late = plan.flight[last].departure + plan.flight[last].takes - p.booking[b].arrival
    cost = lateness_cost(late, p.booking[b].minute, p.booking[b].meal_after, p.alpha)
    for j in range(legs):
        cost += leg_cost(p, plan, b, plan.line_leg[i, j], plan.line_cabin[i, j])
    return cost * plan.line[i].people


@inner
def flying_price(p: Problem, plan: Plan, f: int) -> float:
    """EUR that flight f costs more than planned."""
    a = plan.flight[f].aircraft
    cost = -p.flight[f].usual
    if a >= 0:
        cost += (plan.flight[f].takes + 59) // 60 * p.aircraft[a].hour
    return p.alpha * cost


@inner
def kinds_there(p: Problem, plan: Plan) -> Ints:
    """How many aircraft of each kind are at each airport at the end."""
    last = np.full(len(p.aircraft), -NEVER)
    at = p.aircraft["at"].copy()
    for f in range(len(plan.flight)):
        a = plan.flight[f].aircraft
        if a >= 0 and plan.flight[f].departure >= last[a]:
            last[a], at[a] = plan.flight[f].departure, plan.flight[f].destination
    there = np.zeros_like(p.want)
    for a in range(len(at)):
        there[at[a], p.aircraft[a].kind] += 1
    return there


@inner
def airport_price(p: Problem, want: Ints, have: Ints) -> float:
    """EUR for what is missing at one airport at the end, by kind."""
    kinds = len(want)
    models, families = p.kinds[0].max() + 1, p.kinds[1].max() + 2
    short_m, extra_m = np.zeros(models, dtype=np.int64), np.zeros(models, dtype=np.int64)
    short_f, extra_f = np.zeros(families, dtype=np.int64), np.zeros(families, dtype=np.int64)
    missing = 0
    for k in range(kinds):
        gap = want[k] - have[k]
        if gap > 0:
            missing += gap
            short_m[p.kinds[0, k]] += gap
            short_f[p.kinds[1, k]] += gap
        elif gap < 0:
            extra_m[p.kinds[0, k]] -= gap
            extra_f[p.kinds[1, k]] -= gap
    same_model, same_family = np.minimum(short_m, extra_m).sum(), np.minimum(short_f, extra_f).sum()
    family, model, configuration = p.penalties
    return (missing - same_family) * family + (same_family - same_model) * model + same_model * configuration


@inner
def position_price(p: Problem, there: Ints) -> float:
    total = 0.0
    for at in range(len(p.want)):
        if p.want[at].sum() > 0:
            total += airport_price(p, p.want[at], there[at])
    return total


@inner
def conflicts(p: Problem, plan: Plan, which: int) -> tuple[int, int]:
    """How many rules aircraft break from the start of the recovery period on; the flight of number `which`, or -1.

    At frozen flights and at maintenances: other flights are never flown so.
    """
    at, last = p.aircraft["at"].copy(), np.full(len(p.aircraft), -1)
    ready, minutes = np.full(len(p.aircraft), -NEVER), np.zeros(len(p.aircraft), dtype=np.int64)
    passed = np.zeros(len(p.aircraft), dtype=np.bool_)
    count, found = 0, -1
    for f in np.argsort(plan.flight["departure"] * NEVER + plan.flight["takes"]):
        a = plan.flight[f].aircraft
        if a < 0:
            continue
        t, linked, service, broken = plan.flight[f].departure, p.flight[f].previous, p.aircraft[a].service, 0
        if t >= p.start:
            next_leg = linked >= 0 and last[a] == linked
            need = p.aircraft[a].transit if next_leg else p.aircraft[a].turn
            broken += plan.flight[f].origin != at[a]
            broken += last[a] >= 0 and ready[a] + need > t
            if linked >= 0 and not next_leg and p.start <= p.flight[f].given < p.end:
                broken += plan.flight[linked].aircraft >= 0
        if service >= 0:
            if t >= p.aircraft[a].due:
                broken += not passed[a] and at[a] != service
                passed[a] = True
            else:
                minutes[a] += plan.flight[f].takes
        if count <= which < count + broken:
            found = f
        count += broken
        at[a], last[a], ready[a] = plan.flight[f].destination, f, t + plan.flight[f].takes
    for a in range(len(p.aircraft)):
        if p.aircraft[a].service >= 0:
            broken = int(not passed[a] and at[a] != p.aircraft[a].service)
            broken += minutes[a] > p.aircraft[a].service_minutes
            if count <= which < count + broken:
                found = last[a]
            count += broken
    return count, found


@compiled
def price(p: Problem, plan: Plan) -> None:
    """Price a plan from nothing: its lines and its totals."""
    passengers, flying = 0.0, 0.0
    for i in range(plan.lines[0]):
        plan.line[i].cost = line_price(p, plan, i)
        passengers += plan.line[i].cost
    for b in range(len(plan.stays)):
        passengers += plan.stays[b] * p.booking[b].cancel
    for f in range(len(plan.flight)):
        flying += flying_price(p, plan, f)
    plan.totals[0], plan.totals[1], plan.totals[2] = passengers, flying, position_price(p, kinds_there(p, plan))
    plan.totals[3] = BROKEN * conflicts(p, plan, -1)[0]
