"""The search: destroy a part of the plan, repair it, price it exactly, keep it or not.

Large neighbourhood search after Bisaillon, Cordeau, Laporte and Pasin (4OR 9, 2011) and Sinclair, Cordeau and Laporte
(EJOR 2014), who let few aircraft at a time change. Here each is re-planned by a shortest path (`rotations.py`) and the
passengers whom it touches are re-booked at once (`passengers.py`), so that every step ends in a valid plan with its
exact price. Worse plans are kept with the probability of simulated annealing, whose temperature falls with the number
of iterations, not with time: a seed and a number of iterations give the same plan again.
"""

from __future__ import annotations

import numpy as np

from takt.stations.flightdesk.airline.instance import Ints
from takt.stations.flightdesk.airline.recovery.compiled import compiled, inner
from takt.stations.flightdesk.airline.recovery.passengers import Desk, rebook, seat_all, unseat
from takt.stations.flightdesk.airline.recovery.prices import conflicts, copy, flying_price, kinds_there, position_price
from takt.stations.flightdesk.airline.recovery.problem import BROKEN, Plan, Problem
from takt.stations.flightdesk.airline.recovery.rotations import (
    Pool,
    add,
    create,
    empty,
    end_costs,
    gather_stakes,
    hand_over,
    links_hold,
    list_choices,
    rotate,
)

MOST_AIRCRAFT = 5  # re-planned at a time
MOST_GROUNDED = 40  # flights that nobody flies, among them
PASSENGERS, AIRCRAFT = 0, 1  # kinds of moves
LATE = 40  # lines that cost something and are tried again
BESIDE = 0.25  # of the choices of aircraft are of those that fly the same route within WITHIN minutes
WITHIN = 300
DROPPED = 0.35  # of the moves of aircraft give up a flight that nothing is wrong with, and the one back
NEAR = 240  # minutes within which two flights at an airport are near


@compiled
def search(
    p: Problem,
    current: Plan,
    best: Plan,
    work: Plan,
    desk: Desk,
    pool: Pool,
    iterations: int,
    seed: int,
    hot: float,
    cold: float,
    first: bool,
) -> Ints:
    """Improve `current` and keep the best seen in `best`; the temperature falls from `hot` to `cold` EUR.

    `first`: nobody has tried yet to seat those who stay.

    What was done: (kind of move, tried, kept, new best).
    """
    np.random.seed(seed)
    done = np.zeros((2, 3), dtype=np.int64)
    if first:
        seat_all(p, current, desk)
        copy(best, current)
    for i in range(iterations):
        temperature = hot * (cold / hot) ** (i / iterations)
        copy(work, current)
        kind = PASSENGERS if np.random.random() < 0.2 else AIRCRAFT
        done[kind, 0] += 1
        if kind == PASSENGERS:
            _shuffle_passengers(p, work, desk)
        elif not _replan_aircraft(p, work, desk, pool):
            desk.touched[:] = False
            desk.waiting["people"][:] = 0
            continue
        desk.touched[:] = False
        change = work.totals.sum() - current.totals.sum()
        if change < 1e-6 or np.random.random() < np.exp(-change / temperature):
            done[kind, 1] += 1
            copy(current, work)
            if work.totals.sum() < best.totals.sum() - 0.005:
                done[kind, 2] += 1
                copy(best, work)
    return done


@inner
def _shuffle_passengers(p: Problem, plan: Plan, desk: Desk) -> None:
    """Take everybody off a few flights, some who are late too, and seat them again in another order."""
    count, line_leg = 1 + int(3 * np.random.random()), plan.line_leg
    seed = _costly_flight(p, plan)
    for k in range(count):
        f = seed if k == 0 else plan.order[np.random.randint(len(plan.order))]
        if plan.flight[f].aircraft < 0 or plan.flight[f].departure < p.start:
            continue
        for i in range(plan.lines[0] - 1, -1, -1):
            for j in range(line_leg.shape[1]):
                if line_leg[i, j] == f:
                    unseat(plan, desk, i)
                    break
    rebook(p, plan, desk, 1.6, int(2 * LATE * np.random.random()))


@inner
def _replan_aircraft(p: Problem, plan: Plan, desk: Desk, pool: Pool) -> bool:
    """Give a few aircraft new rotations from some time on. False if that cannot be."""
    empty(pool)
    seed = _costly_flight(p, plan)
    if plan.totals[3] > 0.0 and np.random.random() < 0.3:
        stuck = conflicts(p, plan, int(np.random.random() * plan.totals[3] / BROKEN))[1]
        seed = stuck if stuck >= 0 else seed
    t = plan.flight[seed].departure
    since = max(p.start, t - int(360 * np.random.random())) if np.random.random() < 0.8 else p.start
    chosen = np.full(MOST_AIRCRAFT, -1)
    count = _choose_aircraft(p, plan, seed, chosen)
    if count == 0:
        return False
    for f in range(len(plan.flight)):
        a = plan.flight[f].aircraft
        if a >= 0 and p.flight[f].free and plan.flight[f].departure >= since:
            for k in range(count):
                if a == chosen[k]:
                    add(p, plan, pool, f)
                    break
    own = pool.size[0]
    if plan.flight[seed].aircraft < 0 and p.flight[seed].free and seed < p.n:
        add(p, plan, pool, seed)
    _add_grounded(p, plan, pool, since - 600, chosen[:count])
    if np.random.random() < 0.5:
        _create_flights(p, plan, pool, seed, chosen, count, own)
    gather_stakes(p, plan, pool)
    sharp = np.random.random() < 0.3
    for k in range(pool.size[0]):
        pool.entry[k].worth = 1.0 if sharp else 0.2 + 1.2 * np.random.random()
    if own > 0 and np.random.random() < DROPPED:
        _drop_flights(p, plan, pool, own)
    list_choices(
        p, plan, pool, 60.0 * np.random.random() if np.random.random() < 0.7 else 0.0, 0.5 * np.random.random()
    )

    there = kinds_there(p, plan)
    here = _airports(p, plan)
    for k in range(count):
        there[here[chosen[k]], p.aircraft[chosen[k]].kind] -= 1
    for k in range(count - 1, 0, -1):
        j = np.random.randint(k + 1)
        chosen[k], chosen[j] = chosen[j], chosen[k]
    for k in range(count):
        a = chosen[k]
        at = rotate(p, plan, pool, a, since, end_costs(p, there, a))
        if at < 0:
            return False
        there[at, p.aircraft[a].kind] += 1

    changed = False
    for k in range(pool.size[0]):
        f = pool.entry[k].flight
        if plan.flight[f].aircraft != pool.entry[k].before or (
            plan.flight[f].aircraft >= 0 and plan.flight[f].departure != pool.entry[k].was
        ):
            desk.touched[f] = changed = True
    if not changed or not links_hold(p, plan, desk.touched):
        return False
    flying = 0.0
    for f in range(len(plan.flight)):
        flying += flying_price(p, plan, f)
    plan.totals[1], plan.totals[2] = flying, position_price(p, kinds_there(p, plan))
    if plan.totals[3] > 0.0:
        plan.totals[3] = BROKEN * conflicts(p, plan, -1)[0]
    rebook(p, plan, desk, 0.8 * np.random.random(), LATE if np.random.random() < 0.3 else 0)
    return True


@inner
def _drop_flights(p: Problem, plan: Plan, pool: Pool, own: int) -> None:
    """Make one of the first `own` pooled flights, and the one back, worth nothing: their people want flights beside."""
    k = np.random.randint(own)
    f = pool.entry[k].flight
    back, best = -1, 10**6
    for j in range(own):
        g = pool.entry[j].flight
        if (
            pool.entry[j].before == pool.entry[k].before
            and plan.flight[g].origin == plan.flight[f].destination
            and plan.flight[g].destination == plan.flight[f].origin
        ):
            apart = abs(pool.entry[j].was - pool.entry[k].was)
            if apart < best:
                back, best = j, apart
    hand_over(plan, pool, k)
    if back >= 0:
        hand_over(plan, pool, back)


@inner
def _add_grounded(p: Problem, plan: Plan, pool: Pool, since: int, chosen: Ints) -> None:
    """Flights that nobody flies and these aircraft could, about MOST_GROUNDED of them if they are many."""
    flights = np.empty(p.n, dtype=np.int64)
    count = 0
    for f in range(p.n):
        if plan.flight[f].aircraft < 0 and p.flight[f].free and pool.place[f] < 0 and p.flight[f].given > since:
            for a in chosen:
                if p.aircraft[a].family == p.flight[f].family:
                    flights[count] = f
                    count += 1
                    break
    share = min(0.5 + 0.5 * np.random.random(), MOST_GROUNDED / max(count, 1))
    for k in range(count):
        if np.random.random() < share:
            add(p, plan, pool, flights[k])


@inner
def _airports(p: Problem, plan: Plan) -> Ints:
    """Where each aircraft is at the end."""
    last, at = np.full(len(p.aircraft), -(10**6)), p.aircraft["at"].copy()
    for f in range(len(plan.flight)):
        a = plan.flight[f].aircraft
        if a >= 0 and plan.flight[f].departure >= last[a]:
            last[a], at[a] = plan.flight[f].departure, plan.flight[f].destination
    return at


@inner
def _costly_flight(p: Problem, plan: Plan) -> int:
    """A flight of a group that stays or is late, the likelier the more it costs; or any flight that is ours."""
    draw, total, booking = np.random.random(), 0.0, -1
    path = np.empty(plan.line_leg.shape[1], dtype=np.int64)
    legs = 0
    if draw < 0.4:
        for b in range(len(plan.stays)):
            if plan.stays[b] > 0 and p.booking[b].last > p.booking[b].first:
                weight = np.sqrt(plan.stays[b] * p.booking[b].cancel)
                total += weight
                if np.random.random() * total < weight:
                    booking = b
        if booking >= 0:
            first = p.booking[booking].first
            return p.leg[first + np.random.randint(p.booking[booking].last - first)].flight
    if draw < 0.7:
        for i in range(plan.lines[0]):
            if plan.line[i].cost > 0.0:
                weight = np.sqrt(plan.line[i].cost)
                total += weight
                if np.random.random() * total < weight:
                    legs = plan.line[i].legs
                    path[:legs] = plan.line_leg[i, :legs]
        if legs:
            return path[np.random.randint(legs)]
    for _ in range(50):
        f = np.random.randint(p.n)
        if p.flight[f].free:
            return f
    return np.random.randint(p.n)


@inner
def _is_among(a: int, taken: Ints) -> bool:
    found = False
    for other in taken:
        found = found or other == a
    return found


@inner
def _near(p: Problem, plan: Plan, at: int, t: int, family: int, taken: Ints) -> int:
    """An aircraft that leaves or reaches an airport about then; -1 if there is none. family -1: any."""
    seen, found = 0, -1
    for f in range(len(plan.flight)):
        a = plan.flight[f].aircraft
        if a < 0 or not p.flight[f].free or p.aircraft[a].surface or (family >= 0 and p.aircraft[a].family != family):
            continue
        meets = (plan.flight[f].origin == at and abs(plan.flight[f].departure - t) < NEAR) or (
            plan.flight[f].destination == at and abs(plan.flight[f].departure + plan.flight[f].takes - t) < NEAR
        )
        if not meets or _is_among(a, taken):
            continue
        seen += 1
        if np.random.random() * seen < 1.0:
            found = a
    return found


@inner
def _beside(p: Problem, plan: Plan, seed: int, taken: Ints) -> int:
    """An aircraft that flies the same route, there or back, at about the same time; -1 if there is none."""
    origin, to, t = plan.flight[seed].origin, plan.flight[seed].destination, plan.flight[seed].departure
    seen, found = 0, -1
    for f in range(len(plan.flight)):
        a = plan.flight[f].aircraft
        if a < 0 or not p.flight[f].free or p.aircraft[a].surface or abs(plan.flight[f].departure - t) > WITHIN:
            continue
        meets = (plan.flight[f].origin == origin and plan.flight[f].destination == to) or (
            plan.flight[f].origin == to and plan.flight[f].destination == origin
        )
        if not meets or _is_among(a, taken):
            continue
        seen += 1
        if np.random.random() * seen < 1.0:
            found = a
    return found


@inner
def _choose_aircraft(p: Problem, plan: Plan, seed: int, chosen: Ints) -> int:
    """Aircraft that meet at the seed flight's airports. How many."""
    t, family, count = plan.flight[seed].departure, p.flight[seed].family, 0
    own = plan.flight[seed].aircraft
    draw = np.random.random()
    wanted = 1 if draw < 0.3 else (2 if draw < 0.7 else (3 if draw < 0.9 else MOST_AIRCRAFT))
    if own >= 0 and not p.aircraft[own].surface and np.random.random() < 0.8:
        chosen[0] = own
        count = 1
        family = p.aircraft[own].family
    elif own < 0 and p.flight[seed].free and p.flight[seed].own >= 0 and np.random.random() < 0.3:
        chosen[0] = p.flight[seed].own
        count = 1
    elif np.random.random() < 0.2:
        a = np.random.randint(len(p.aircraft))
        if not p.aircraft[a].surface:
            chosen[0] = a
            count = 1
            family = p.aircraft[a].family
    if np.random.random() < 0.2 or (p.flight[seed].own >= 0 and p.aircraft[p.flight[seed].own].surface):
        family = -1
    beside = np.random.random() < BESIDE
    for _ in range(2 * wanted):
        if count >= wanted:
            break
        if beside:
            a = _beside(p, plan, seed, chosen)
            if a < 0:
                beside = False
                continue
            chosen[count] = a
            count += 1
            continue
        at = plan.flight[seed].origin if np.random.random() < 0.7 else plan.flight[seed].destination
        a = _near(p, plan, at, t + int(120 * (np.random.random() - 0.5)), family, chosen)
        if a >= 0:
            chosen[count] = a
            count += 1
    return count


@inner
def _create_flights(p: Problem, plan: Plan, pool: Pool, seed: int, chosen: Ints, count: int, own: int) -> None:
    """New flights that may pay: in place of one that nobody flies, there and back; empty ones between the aircraft."""
    origin, to, t = plan.flight[seed].origin, plan.flight[seed].destination, plan.flight[seed].departure
    turn = p.aircraft[chosen[0]].turn
    if plan.flight[seed].aircraft < 0 or np.random.random() < 0.3:
        create(p, plan, pool, origin, to, t)
        create(p, plan, pool, to, origin, t + plan.flight[seed].takes + turn)
        if np.random.random() < 0.3:
            create(p, plan, pool, to, origin, t - plan.flight[seed].takes - turn)
    for _ in range(4):
        if own == 0:
            break
        i, j = pool.entry[np.random.randint(own)].flight, np.random.randint(own + 1)
        goal = origin if j == own else plan.flight[pool.entry[j].flight].origin
        lands = pool.entry[pool.place[i]].was + plan.flight[i].takes + turn
        if np.random.random() < 0.3:  # instead of it
            create(p, plan, pool, plan.flight[i].origin, goal, pool.entry[pool.place[i]].was)
        else:
            create(p, plan, pool, plan.flight[i].destination, goal, lands)
    if plan.totals[3] > 0.0:
        _create_ways(p, plan, pool, seed, chosen[0])
    for k in range(count):
        service = p.aircraft[chosen[k]].service
        if service >= 0 and own > 0:
            i = pool.entry[np.random.randint(own)].flight
            takes = p.distance[plan.flight[i].destination, service, 0]
            create(p, plan, pool, plan.flight[i].destination, service, p.aircraft[chosen[k]].due - max(takes, 0))


@inner
def _create_ways(p: Problem, plan: Plan, pool: Pool, seed: int, a: int) -> None:
    """New flights for an aircraft that is not where it must be: to the seed flight, or to its maintenance."""
    t, at, left = plan.flight[seed].departure, p.aircraft[a].at, -(10**6)
    for f in range(len(plan.flight)):
        if plan.flight[f].aircraft == a and left <= plan.flight[f].departure < t:
            at, left = plan.flight[f].destination, plan.flight[f].departure
    goal, due = plan.flight[seed].origin, t - p.aircraft[a].turn
    if p.aircraft[a].service >= 0 and np.random.random() < 0.5:
        goal, due = p.aircraft[a].service, p.aircraft[a].due
    if np.random.random() < 0.5:
        create(p, plan, pool, at, goal, due - p.distance[at, goal, 0])
    else:
        via = np.random.randint(len(p.distance))
        onward = due - p.distance[via, goal, 0]
        create(p, plan, pool, at, via, onward - p.aircraft[a].turn - p.distance[at, via, 0])
        create(p, plan, pool, via, goal, onward)
