"""Aircraft in a plan under search: some of them lose what they fly from some time on, and get new rotations.

Their flights, flights that nobody flies and new flights that may pay go into a pool. One aircraft after the other then
takes its best rotation from the pool: a shortest path with resources (airport, time, minutes to maintenance) over the
pool's flights in order of time, each of which leaves as early as aircraft, slots and schedule let it, or waits for
passengers. What a flight is worth is estimated from the people who booked it or are on it now; the estimates are made
uncertain on purpose, since the plan is priced exactly afterwards.

Long because: numba compiles these loops as one, and what one of them writes into the pool's arrays the next one reads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from takt.stations.flightdesk.airline.instance import CONNECTION, DAY, Floats, Ints
from takt.stations.flightdesk.airline.recovery.compiled import inner
from takt.stations.flightdesk.airline.recovery.prices import airport_price, lateness_cost
from takt.stations.flightdesk.airline.recovery.problem import BROKEN, NEVER, Plan, Problem, Records

MOST_POOLED = 240
MOST_CHOICES = 3 * MOST_POOLED  # a flight at a time: as soon as possible, as before, waiting for somebody
MOST_STAKES = 20_000
KEPT = 6  # labels per choice
MOST_LABELS = 2 * KEPT * MOST_CHOICES
MOST_ANCHORS = 60
HOPELESS = 0.15  # what a stake counts for if another flight of the trip is not flown


ENTRY = np.dtype(
    [(name, np.int64) for name in ("flight", "before", "was", "stakes")] + [("worth", np.float64)], align=True
)
STAKE = np.dtype(
    [(name, np.int64) for name in ("next", "booking", "people", "cabin", "ready", "by", "late")]
    + [("value", np.float64)],
    align=True,
)
CHOICE = np.dtype([("place", np.int64), ("time", np.int64)], align=True)
LABEL = np.dtype(
    [(name, np.int64) for name in ("flight", "departure", "arrival", "minutes", "before", "next")]
    + [("cost", np.float64)],
    align=True,
)


class Pool(NamedTuple):
    """Room to work in. A pooled flight has a place in the pool.

    entry    by place: the flight; the aircraft that flew it `before` (-1: none) and when it `was`; the first of its
             stakes; what the estimate of its `worth` is multiplied by.
    place    by flight; -1 if it is not pooled.
    stake    who wants a flight: people of a booking who are ready at a time and have to land by another, for `value`
             EUR each, less what it costs if they are late (unless they fly on); lists by `next`.
    choice   a place and the earliest time, in the order in which they can be flown.
    label    the beginning of a rotation: its last flight, and the label before; `head` (by airport) and `next`.
    anchor   flights that an aircraft must fly as they are, in their order.
    size     how many entries, stakes and choices there are.
    """

    entry: Records
    place: Ints
    stake: Records
    choice: Records
    label: Records
    head: Ints
    anchor: Ints
    size: Ints


def pool_of(p: Problem) -> Pool:
    return Pool(
        entry=np.zeros(MOST_POOLED, dtype=ENTRY),
        place=np.full(len(p.flight), -1, dtype=np.int64),
        stake=np.zeros(MOST_STAKES, dtype=STAKE),
        choice=np.zeros(MOST_CHOICES, dtype=CHOICE),
        label=np.zeros(MOST_LABELS, dtype=LABEL),
        head=np.zeros(len(p.distance), dtype=np.int64),
        anchor=np.zeros(MOST_ANCHORS, dtype=np.int64),
        size=np.zeros(3, dtype=np.int64),
    )


# --- into the pool and out of it --------------------------------------------------------------------------------------


@inner
def empty(pool: Pool) -> None:
    for k in range(pool.size[0]):
        pool.place[pool.entry[k].flight] = -1
    pool.size[:] = 0


@inner
def ground(p: Problem, plan: Plan, f: int) -> None:
    """Nobody flies flight f any more."""
    a, t = plan.flight[f].aircraft, plan.flight[f].departure
    if not p.aircraft[a].surface:
        plan.slots[plan.flight[f].origin, t // 60, 0] -= 1
        plan.slots[plan.flight[f].destination, (t + plan.flight[f].takes) // 60, 1] -= 1
    plan.seats[f] -= p.seats[a]
    plan.flight[f].aircraft = -1
    if f < p.n:
        plan.flight[f].departure = p.flight[f].given


@inner
def fly(p: Problem, plan: Plan, f: int, a: int, t: int) -> None:
    """Aircraft a flies flight f at t; it was not flown before."""
    if not p.aircraft[a].surface:
        plan.slots[plan.flight[f].origin, t // 60, 0] += 1
        plan.slots[plan.flight[f].destination, (t + plan.flight[f].takes) // 60, 1] += 1
    plan.seats[f] += p.seats[a]
    plan.flight[f].aircraft = a
    plan.flight[f].departure = t


@inner
def add(p: Problem, plan: Plan, pool: Pool, f: int) -> bool:
    """Put flight f into the pool. False if it is there already, or if the pool is full."""
    k = pool.size[0]
    if k == MOST_POOLED or pool.place[f] >= 0:
        return False
    pool.entry[k].flight, pool.entry[k].before, pool.entry[k].was = f, plan.flight[f].aircraft, plan.flight[f].departure
    pool.place[f], pool.entry[k].worth, pool.entry[k].stakes = k, 1.0, -1
    pool.size[0] += 1
    if plan.flight[f].aircraft >= 0:
        ground(p, plan, f)
    return True


@inner
def create(p: Problem, plan: Plan, pool: Pool, origin: int, destination: int, t: int) -> int:
    """Put a new flight into the pool, to leave at t or later; its place, or -1."""
    takes = p.distance[origin, destination, 0]
    if takes <= 0 or t + takes > p.end:
        return -1
    for f in range(p.n, len(plan.flight)):
        if plan.flight[f].aircraft < 0 and pool.place[f] < 0:
            plan.flight[f].origin, plan.flight[f].destination, plan.flight[f].takes = origin, destination, takes
            plan.flight[f].departure = max(t, p.start)
            return pool.size[0] - 1 if add(p, plan, pool, f) else -1
    return -1


# --- what a flight is worth -------------------------------------------------------------------------------------------


@inner
def gather_stakes(p: Problem, plan: Plan, pool: Pool) -> None:
    """Who is on a pooled flight now, who stays and had booked it, and who stays and could take a new one."""
    place, line_leg = pool.place, plan.line_leg
    most = line_leg.shape[1]
    for i in range(plan.lines[0]):
        for j in range(most):
            f = line_leg[i, j]
            if f < 0:
                break
            k = place[f]
            if k >= 0:
                before = line_leg[i, j - 1] if j > 0 else -1
                after = line_leg[i, j + 1] if j + 1 < most else -1
                _stake(
                    p, plan, pool, k, plan.line[i].booking, plan.line[i].people, plan.line_cabin[i, j], before, after
                )
    fresh = np.empty(MOST_POOLED, dtype=np.int64)  # places of flights that are not planned
    new = 0
    for k in range(pool.size[0]):
        if pool.entry[k].flight >= p.n:
            fresh[new] = k
            new += 1
    for b in range(len(plan.stays)):
        people = plan.stays[b]
        if people == 0:
            continue
        first, last = p.booking[b].first, p.booking[b].last
        for j in range(first, last):
            f = p.leg[j].flight
            before = p.leg[j - 1].flight if j > first else -1
            after = p.leg[j + 1].flight if j + 1 < last else -1
            if pool.place[f] >= 0:
                _stake(p, plan, pool, pool.place[f], b, people, p.leg[j].cabin, before, after)
            for i in range(new):
                g = pool.entry[fresh[i]].flight
                if (
                    plan.flight[g].origin == plan.flight[f].origin
                    and plan.flight[g].destination == plan.flight[f].destination
                ):
                    _stake(p, plan, pool, fresh[i], b, people, p.leg[j].cabin, before, after)
        if last - first > 1:
            for i in range(new):
                g = pool.entry[fresh[i]].flight
                if plan.flight[g].origin == p.booking[b].origin and plan.flight[g].destination == p.booking[b].goal:
                    _stake(p, plan, pool, fresh[i], b, people, p.booking[b].cabin, -1, -1)


@inner
def hand_over(plan: Plan, pool: Pool, k: int) -> None:
    """The flight of place k is worth nothing; who wants it wants the other pooled flights of its route instead."""
    pool.entry[k].worth = 0.0
    f = pool.entry[k].flight
    for j in range(pool.size[0]):
        g = pool.entry[j].flight
        if (
            j == k
            or pool.entry[j].before < 0
            or plan.flight[g].origin != plan.flight[f].origin
            or plan.flight[g].destination != plan.flight[f].destination
        ):
            continue
        s = pool.entry[k].stakes
        while s >= 0 and pool.size[1] < MOST_STAKES:
            pool.stake[pool.size[1]] = pool.stake[s]
            pool.stake[pool.size[1]].next = pool.entry[j].stakes
            pool.entry[j].stakes = pool.size[1]
            pool.size[1] += 1
            s = pool.stake[s].next


@inner
def _stake(
    p: Problem, plan: Plan, pool: Pool, k: int, b: int, people: int, cabin: int, before: int, after: int
) -> None:
    s = pool.size[1]
    if s == MOST_STAKES:
        return
    value, ready, by = p.booking[b].cancel, p.booking[b].ready, p.booking[b].latest
    if before >= 0:
        ready = plan.flight[before].departure + plan.flight[before].takes + CONNECTION
        if pool.place[before] >= 0:
            ready = pool.entry[pool.place[before]].was + plan.flight[before].takes + CONNECTION
        elif plan.flight[before].aircraft < 0:
            value, ready = value * HOPELESS, p.booking[b].ready
    if after >= 0:
        by = plan.flight[after].departure - CONNECTION
        if pool.place[after] >= 0:
            by = NEVER if pool.entry[pool.place[after]].before < 0 else pool.entry[pool.place[after]].was - CONNECTION
        elif plan.flight[after].aircraft < 0:
            value, by = value * HOPELESS, NEVER
    pool.stake[s].booking, pool.stake[s].people, pool.stake[s].cabin, pool.stake[s].value = b, people, cabin, value
    pool.stake[s].ready, pool.stake[s].by, pool.stake[s].late = ready, by, after < 0
    pool.stake[s].next = pool.entry[k].stakes
    pool.entry[k].stakes = s
    pool.size[1] += 1


@inner
def gain(p: Problem, plan: Plan, pool: Pool, k: int, a: int, t: int) -> float:
    """EUR that flying the flight of place k at t with aircraft a is estimated to save, passengers only."""
    arrival = t + plan.flight[pool.entry[k].flight].takes
    first, business, economy = p.seats[a, 0], p.seats[a, 1], p.seats[a, 2]
    total = 0.0
    s = pool.entry[k].stakes
    while s >= 0:
        if t >= pool.stake[s].ready and arrival <= pool.stake[s].by:
            cabin, people = pool.stake[s].cabin, pool.stake[s].people
            if cabin == 0:
                people = min(people, first)
                first -= people
            elif cabin == 1:
                people = min(people, business)
                business -= people
            else:
                people = min(people, economy)
                economy -= people
            each = pool.stake[s].value
            if pool.stake[s].late:
                b = pool.stake[s].booking
                late = arrival - p.booking[b].arrival
                each -= lateness_cost(late, p.booking[b].minute, p.booking[b].meal_after, p.alpha)
            if each > 0.0:
                total += each * people
        s = pool.stake[s].next
    return total * pool.entry[k].worth


# --- the choices ------------------------------------------------------------------------------------------------------


@inner
def list_choices(p: Problem, plan: Plan, pool: Pool, jitter: float, waits: float) -> None:
    """Every pooled flight as soon as it may leave, when it left before, and perhaps when somebody is ready for it.

    jitter   minutes by which the order is mixed; waits: share of the flights that may wait.
    """
    places, times = np.empty(MOST_CHOICES, dtype=np.int64), np.empty(MOST_CHOICES, dtype=np.int64)
    key = np.empty(MOST_CHOICES)
    count = 0
    for k in range(pool.size[0]):
        f = pool.entry[k].flight
        soonest = p.flight[f].given if f < p.n else p.start
        if f >= p.n:
            soonest = max(p.start, pool.entry[k].was - int(120 * np.random.random()))
        options = 1
        places[count], times[count] = k, soonest
        count += 1
        if pool.entry[k].was > soonest and (pool.entry[k].before >= 0 or f >= p.n):
            places[count], times[count] = k, pool.entry[k].was
            count += 1
            options += 1
        if options < 3 and np.random.random() < waits:
            seen, ready = 0, -1
            s = pool.entry[k].stakes
            while s >= 0:
                if soonest < pool.stake[s].ready < soonest + 300:
                    seen += 1
                    if np.random.random() * seen < 1.0:
                        ready = pool.stake[s].ready
                s = pool.stake[s].next
            if ready >= 0:
                places[count], times[count] = k, ready
                count += 1
    for c in range(count):
        key[c] = times[c] + jitter * np.random.random()
    order = np.argsort(key[:count])
    for c in range(count):
        pool.choice[c].place, pool.choice[c].time = places[order[c]], times[order[c]]
    pool.size[2] = count


# --- a rotation -------------------------------------------------------------------------------------------------------


@inner
def leaves(p: Problem, plan: Plan, f: int, a: int, t: int) -> int:
    """The first minute at or after t at which aircraft a can leave with flight f, or -1."""
    takes, origin, to, day = plan.flight[f].takes, plan.flight[f].origin, plan.flight[f].destination, p.flight[f].day
    latest = p.end if f >= p.n else min(p.end, (day + 2) * DAY - 1)  # nobody has seen the challenge read a `+2`
    while t + takes <= latest:
        later = t
        for i in range(p.away.shape[1]):
            if t + takes <= p.away[a, i, 0]:
                continue
            if p.away[a, i, 2] <= (t // DAY if f >= p.n else day) < p.away[a, i, 3]:
                if f < p.n:
                    return -1
                later = max(later, p.away[a, i, 1], p.away[a, i, 3] * DAY)
            elif t < p.away[a, i, 1]:
                later = max(later, p.away[a, i, 1])
        if not p.aircraft[a].surface:
            if plan.slots[origin, t // 60, 0] >= p.slots[origin, t // 60, 0]:
                later = max(later, (t // 60 + 1) * 60)
            hour = (t + takes) // 60
            if plan.slots[to, hour, 1] >= p.slots[to, hour, 1]:
                later = max(later, (hour + 1) * 60 - takes)
        if later == t:
            return t
        t = later
    return -1


@inner
def in_path(pool: Pool, label: int, f: int) -> bool:
    while label > 0:
        if pool.label[label].flight == f:
            return True
        label = pool.label[label].before
    return False


@inner
def minutes_then(minutes: int, left: int, origin: int, t: int, takes: int, service: int, due: int, most: int) -> int:
    """Minutes flown until the maintenance, with one more flight that leaves `origin` at t; -1 if it may not be flown.

    minutes, left   flown before it, and when the last one left. service, due, most: of the maintenance.
    """
    if service < 0:
        return minutes
    if t < due:
        return minutes + takes if minutes + takes <= most else -1
    return -1 if left < due and origin != service else minutes


@inner
def pass_through(p: Problem, plan: Plan, pool: Pool, a: int, f: int, count: int, soft: bool) -> int:
    """Every rotation of aircraft a goes on with flight f, which it must fly as it is; the others end here.

    How many labels there are then; `count` if none can go on. `soft`: if none can, they break rules and go on.
    """
    origin, to, t, takes = (
        plan.flight[f].origin,
        plan.flight[f].destination,
        plan.flight[f].departure,
        plan.flight[f].takes,
    )
    linked, due, service = p.flight[f].previous, p.aircraft[a].due, p.aircraft[a].service
    most = p.aircraft[a].service_minutes
    made = count
    label = pool.head[origin]
    while label >= 0:
        before = label
        label = pool.label[label].next
        behind = pool.label[before].flight
        next_leg = linked >= 0 and behind == linked
        need = p.aircraft[a].transit if next_leg else p.aircraft[a].turn
        if pool.label[before].arrival + need > t or (
            linked >= 0 and not next_leg and (plan.flight[linked].aircraft >= 0 or in_path(pool, before, linked))
        ):
            continue
        minutes = minutes_then(
            pool.label[before].minutes, pool.label[before].departure, origin, t, takes, service, due, most
        )
        if minutes < 0:
            continue
        if count == MOST_LABELS:
            break
        pool.label[count].cost, pool.label[count].flight, pool.label[count].before = pool.label[before].cost, f, before
        pool.label[count].departure, pool.label[count].arrival, pool.label[count].minutes = t, t + takes, minutes
        count += 1
    if soft and count == made:
        count = _break_through(p, plan, pool, a, f, count)
    pool.head[:] = -1
    for new in range(made, count):
        pool.label[new].next = pool.head[to]
        pool.head[to] = new
    return count


@inner
def _break_through(p: Problem, plan: Plan, pool: Pool, a: int, f: int, count: int) -> int:
    """Every rotation goes on with flight f whatever it breaks there, unless a flight that is ours makes it late."""
    origin, t, takes = plan.flight[f].origin, plan.flight[f].departure, plan.flight[f].takes
    linked, due, service = p.flight[f].previous, p.aircraft[a].due, p.aircraft[a].service
    for airport in range(len(pool.head)):
        label = pool.head[airport]
        while label >= 0:
            before = label
            label = pool.label[label].next
            behind, left, minutes = pool.label[before].flight, pool.label[before].departure, pool.label[before].minutes
            next_leg = linked >= 0 and behind == linked
            need = p.aircraft[a].transit if next_leg else p.aircraft[a].turn
            late = pool.label[before].arrival + need > t
            if count == MOST_LABELS or (late and behind >= 0 and p.flight[behind].free):
                continue
            rules = int(airport != origin) + int(late)
            if linked >= 0 and not next_leg and (plan.flight[linked].aircraft >= 0 or in_path(pool, before, linked)):
                rules += 1
            if minutes_then(minutes, left, airport, t, takes, service, due, p.aircraft[a].service_minutes) < 0:
                rules += 1
            pool.label[count].cost, pool.label[count].flight = pool.label[before].cost + BROKEN * rules, f
            pool.label[count].before, pool.label[count].departure, pool.label[count].arrival = before, t, t + takes
            pool.label[count].minutes = minutes + (takes if service >= 0 and t < due else 0)
            count += 1
    return count


@inner
def rotate(p: Problem, plan: Plan, pool: Pool, a: int, since: int, end_cost: Floats) -> int:
    """Give aircraft a its best rotation from the pool after what it flies until `since`; -1 if there is none.

    What it flies from then on it must fly, as it is. Returns its last airport. Where the plan breaks rules already, the
    best breaks as few as it can.

    end_cost   EUR for where it is at the end, by airport.
    """
    at, ready, minutes, last = p.aircraft[a].at, -NEVER, 0, -1
    due, service, most = p.aircraft[a].due, p.aircraft[a].service, p.aircraft[a].service_minutes
    left, anchors, soft = -NEVER, 0, plan.totals[3] > 0.0
    for f in range(len(plan.flight)):
        if plan.flight[f].aircraft != a or (p.flight[f].given >= p.end and not p.flight[f].free):
            continue
        if plan.flight[f].departure >= since:
            if anchors == MOST_ANCHORS:
                return -1
            i = anchors
            while i > 0 and plan.flight[pool.anchor[i - 1]].departure > plan.flight[f].departure:
                pool.anchor[i] = pool.anchor[i - 1]
                i -= 1
            pool.anchor[i] = f
            anchors += 1
            continue
        if plan.flight[f].departure < due:
            minutes += plan.flight[f].takes
        if plan.flight[f].departure > left:
            left, at, last = plan.flight[f].departure, plan.flight[f].destination, f
            ready = plan.flight[f].departure + plan.flight[f].takes
    pool.head[:] = -1
    pool.label[0].cost, pool.label[0].flight, pool.label[0].departure, pool.label[0].arrival = 0.0, last, left, ready
    pool.label[0].minutes, pool.label[0].before, pool.label[0].next = minutes, -1, -1
    pool.head[at] = 0
    count, passed = 1, 0
    for c in range(pool.size[2]):
        while passed < anchors and plan.flight[pool.anchor[passed]].departure <= pool.choice[c].time:
            through = pass_through(p, plan, pool, a, pool.anchor[passed], count, soft)
            if through == count:
                return -1
            count = through
            passed += 1
        k = pool.choice[c].place
        f = pool.entry[k].flight
        if plan.flight[f].aircraft >= 0 or plan.flight[f].takes > p.aircraft[a].range:
            continue
        if (f < p.n and p.flight[f].family != p.aircraft[a].family) or (f >= p.n and p.aircraft[a].surface):
            continue
        origin, to, linked, takes = (
            plan.flight[f].origin,
            plan.flight[f].destination,
            p.flight[f].previous,
            plan.flight[f].takes,
        )
        flying = p.alpha * ((takes + 59) // 60 * p.aircraft[a].hour)
        if count + KEPT > MOST_LABELS:
            break
        made = count
        tried, found, worth, worth_at = -1, -1, 0.0, -1
        label = pool.head[origin]
        while label >= 0:
            before = label
            label = pool.label[label].next
            behind = pool.label[before].flight
            if (
                linked >= 0
                and behind != linked
                and (plan.flight[linked].aircraft >= 0 or in_path(pool, before, linked))
            ):
                continue
            need = p.aircraft[a].transit if linked >= 0 and behind == linked else p.aircraft[a].turn
            t = max(pool.choice[c].time, pool.label[before].arrival + need)
            if t != tried:
                tried, found = t, leaves(p, plan, f, a, t)
            t = found
            if t < 0:
                continue
            minutes = minutes_then(
                pool.label[before].minutes, pool.label[before].departure, origin, t, takes, service, due, most
            )
            unserviced = minutes < 0 and soft and t >= due
            if minutes < 0 and not unserviced:
                continue
            if t != worth_at:
                worth, worth_at = gain(p, plan, pool, k, a, t), t
            cost = pool.label[before].cost + flying - worth
            if unserviced:
                minutes = pool.label[before].minutes
                cost += BROKEN
            # Keep it if no label here is as cheap and as early, in the place of the dearest if there are too many.
            beaten, dearest = False, made
            for other in range(made, count):
                if pool.label[other].cost <= cost and pool.label[other].departure <= t:
                    beaten = True
                    break
                if pool.label[other].cost > pool.label[dearest].cost:
                    dearest = other
            if beaten or in_path(pool, before, f):
                continue
            new = count
            if count - made == KEPT:
                if pool.label[dearest].cost <= cost:
                    continue
                new = dearest
            else:
                count += 1
            pool.label[new].cost, pool.label[new].flight, pool.label[new].before = cost, f, before
            pool.label[new].departure, pool.label[new].arrival, pool.label[new].minutes = t, t + takes, minutes
        for new in range(made, count):
            pool.label[new].next = pool.head[to]
            pool.head[to] = new
    while passed < anchors:
        through = pass_through(p, plan, pool, a, pool.anchor[passed], count, soft)
        if through == count:
            return -1
        count = through
        passed += 1
    best, best_cost, best_at = -1, np.inf, -1
    for airport in range(len(end_cost)):
        elsewhere = p.aircraft[a].tail_at >= 0 and airport != p.aircraft[a].tail_at
        if elsewhere and not soft:
            continue
        label = pool.head[airport]
        while label >= 0:
            serviced = service < 0 or pool.label[label].departure >= due or airport == service
            fits = (
                p.aircraft[a].tail_at < 0 or pool.label[label].arrival + p.aircraft[a].turn <= p.aircraft[a].tail_time
            )
            cost = pool.label[label].cost + end_cost[airport]
            if soft:
                cost += BROKEN * (int(elsewhere) + int(not serviced))
            if (serviced or soft) and fits and cost < best_cost:
                best, best_cost, best_at = label, cost, airport
            label = pool.label[label].next
    label = best
    while label > 0:
        if plan.flight[pool.label[label].flight].aircraft < 0:
            if not _has_slots(p, plan, pool.label[label].flight, a, pool.label[label].departure):
                return -1  # its own flights before it took the last slot of an hour
            fly(p, plan, pool.label[label].flight, a, pool.label[label].departure)
        label = pool.label[label].before
    return best_at


@inner
def _has_slots(p: Problem, plan: Plan, f: int, a: int, t: int) -> bool:
    """Whether the hours of flight f, leaving at t, have room at both of its airports."""
    if p.aircraft[a].surface:
        return True
    hour, origin, to = (t + plan.flight[f].takes) // 60, plan.flight[f].origin, plan.flight[f].destination
    if plan.slots[origin, t // 60, 0] >= p.slots[origin, t // 60, 0]:
        return False
    return plan.slots[to, hour, 1] < p.slots[to, hour, 1]


@inner
def end_costs(p: Problem, there: Ints, a: int) -> Floats:
    """EUR more for aircraft a at each airport at the end, the others being `there`."""
    costs = np.zeros(len(p.want))
    kind = p.aircraft[a].kind
    for at in range(len(costs)):
        if p.want[at].sum() > 0:
            without = airport_price(p, p.want[at], there[at])
            there[at, kind] += 1
            costs[at] = airport_price(p, p.want[at], there[at]) - without
            there[at, kind] -= 1
    return costs - costs.min()


@inner
def links_hold(p: Problem, plan: Plan, touched: np.ndarray) -> bool:
    """Whether two legs of one flight that are both flown are flown by one aircraft, one after the other."""
    for f in range(p.n):
        g = p.flight[f].previous
        if g < 0 or not (touched[f] or touched[g]) or not p.start <= p.flight[f].given < p.end:
            continue
        a = plan.flight[f].aircraft
        if a < 0 or plan.flight[g].aircraft < 0:
            continue
        if plan.flight[g].aircraft != a or plan.flight[g].departure > plan.flight[f].departure:
            return False
        for h in range(len(plan.flight)):
            if (
                plan.flight[h].aircraft == a
                and plan.flight[g].departure < plan.flight[h].departure < plan.flight[f].departure
            ):
                return False
    return True
