"""Passengers in a plan under search: cheapest paths with seats by cabin, and what is left to do when flights change.

A group takes the cheapest path with a seat free, as many people as it has seats for; the rest take the next cheapest,
or stay (as Bisaillon et al. 2011 and Jozefowiez et al. 2013 do). Groups who cost the most if they stay come first,
about: chance changes the order, and the search keeps what turns out better.

The path search scans flights once by departure, as a connection scan does (Dibbelt et al. 2013). On a booked flight a
group sits as booked or better, never worse: the challenge's checker would not charge for it, and we do not use that.

Long because: numba compiles these loops as one, and all of them work on the arrays of one desk.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from takt.stations.flightdesk.airline.instance import CONNECTION, Flags, Floats, Ints
from takt.stations.flightdesk.airline.recovery.compiled import inner
from takt.stations.flightdesk.airline.recovery.prices import lateness_cost, line_price
from takt.stations.flightdesk.airline.recovery.problem import NEVER, Plan, Problem, Records

LEGS = 3  # of a path, unless the group has booked more
MOST_PARTS = 8  # that a group is split into at a time
RETRIED = 40  # bookings that are tried again though nothing of theirs has changed


WAITING = np.dtype([("people", np.int64), ("queue", np.int64)], align=True)
OPEN = np.dtype([(name, np.int32) for name in ("departure", "lands", "origin", "to", "flight")], align=True)
BOARDING = np.dtype(
    [(name, np.int64) for name in ("legs", "before", "cabin", "after", "lands")] + [("cost", np.float64)], align=True
)


class Desk(NamedTuple):
    """Room to work in.

    touched   by flight: whether it has changed.
    waiting   by booking: people to be put on flights; `queue` lists the bookings, by `score`.
    open      flights with a seat free, by departure; `opened` is how many.
    leaving   how many of them leave each airport; `landing`: land there; `final`: when the last leaves, from and to.
    flight    the cheapest way to board each flight; `head` (by airport) and `after` list the flights that land there.
    path      (flight or cabin, leg): the path found.
    """

    touched: Flags
    waiting: Records
    score: Floats
    open: Records
    opened: Ints
    leaving: Ints
    landing: Ints
    final: NDArray[np.int32]
    flight: Records
    head: Ints
    path: Ints


def desk_of(p: Problem) -> Desk:
    return Desk(
        touched=np.zeros(len(p.flight), dtype=np.bool_),
        waiting=np.zeros(len(p.booking), dtype=WAITING),
        score=np.zeros(len(p.booking)),
        open=np.zeros(len(p.flight), dtype=OPEN),
        opened=np.zeros(1, dtype=np.int64),
        leaving=np.zeros(len(p.distance), dtype=np.int64),
        landing=np.zeros(len(p.distance), dtype=np.int64),
        final=np.full(p.distance.shape[:2], -NEVER, dtype=np.int32),
        flight=np.zeros(len(p.flight), dtype=BOARDING),
        head=np.zeros(len(p.distance), dtype=np.int64),
        path=np.zeros((2, max(LEGS, int((p.booking["last"] - p.booking["first"]).max()))), dtype=np.int64),
    )


@inner
def sort_flights(plan: Plan) -> None:
    """Put `order` right again: an insertion sort, since few flights have changed."""
    order, flight = plan.order, plan.flight
    for i in range(1, len(order)):
        f = order[i]
        t, j = flight[f].departure, i - 1
        while j >= 0 and flight[order[j]].departure > t:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = f


@inner
def list_open(p: Problem, plan: Plan, d: Desk) -> None:
    """Which flights have a seat free. Flights that fill up afterwards may stay in the list."""
    for i in range(d.opened[0]):
        d.final[d.open[i].origin, d.open[i].to] = -NEVER
    d.leaving[:] = d.landing[:] = 0
    count = 0
    for f in plan.order:
        if plan.flight[f].aircraft < 0 or plan.flight[f].departure < p.start:
            continue
        if plan.seats[f, 0] <= 0 and plan.seats[f, 1] <= 0 and plan.seats[f, 2] <= 0:
            continue
        t = plan.flight[f].departure
        d.open[count].departure, d.open[count].lands = t, t + plan.flight[f].takes
        d.open[count].origin, d.open[count].to = plan.flight[f].origin, plan.flight[f].destination
        d.open[count].flight = f
        d.leaving[plan.flight[f].origin] += 1
        d.landing[plan.flight[f].destination] += 1
        d.final[plan.flight[f].origin, plan.flight[f].destination] = t
        count += 1
    d.opened[0] = count


@inner
def worth_until(latest: int, due: int, minute: float, most: float) -> float:
    """The minute after which nobody may land, or pays more than `most` EUR for being late."""
    return min(latest, due + most / max(minute, 1e-9))


@inner
def cheapest_path(p: Problem, plan: Plan, d: Desk, b: int) -> tuple[float, int]:
    """EUR per person and legs of the cheapest path of booking b with a seat free; (its `cancel`, 0) if none is cheaper.

    Most of the search's time is spent here. Arrays are taken out of their tuples first, and no function gets a tuple:
    Numba would count references at every access.
    """
    seats, leg, board, head, listed = plan.seats, p.leg, d.flight, d.head, d.open
    final, distance, downgrade = d.final, p.distance, p.downgrade
    booking = p.booking[b]
    start, goal, ready, latest, due = booking.origin, booking.goal, booking.ready, booking.latest, booking.arrival
    first_leg, last_leg, reference = booking.first, booking.last, booking.cabin
    minute, meal_after, alpha = booking.minute, booking.meal_after, p.alpha
    best, last, most = booking.cancel, -1, max(LEGS, last_leg - first_leg)
    if d.leaving[start] == 0 or d.landing[goal] == 0:
        return best, 0
    low, high = 0, d.opened[0]
    while low < high:
        middle = (low + high) // 2
        if listed[middle].departure < ready:
            low = middle + 1
        else:
            high = middle
    head[:] = -1
    until = worth_until(latest, due, minute, best)
    for i in range(low, d.opened[0]):
        t, origin = listed[i].departure, listed[i].origin
        if t >= until:
            break
        if origin != start and head[origin] < 0:
            continue
        arrival, to, f = listed[i].lands, listed[i].to, listed[i].flight
        if arrival > until:
            continue
        cost, before, legs = np.inf, -1, 1
        if origin == start:
            cost = 0.0
        else:
            g = head[origin]
            while g >= 0:
                if board[g].lands + CONNECTION <= t and (
                    board[g].cost < cost or (board[g].cost == cost and board[g].legs < legs - 1)
                ):
                    cost, before, legs = board[g].cost, g, board[g].legs + 1
                g = board[g].after
        if cost >= best or legs > most:
            continue
        if to != goal and (
            legs == most or to == start or (legs == most - 1 and final[to, goal] < arrival + CONNECTION)
        ):
            continue
        # On a booked flight as booked or better; on another the reference cabin, better, or worse at a price.
        cabin, lowest, booked = -1, reference, False
        for j in range(first_leg, last_leg):
            if leg[j].flight == f:
                lowest, booked = leg[j].cabin, True
        for c in range(lowest, -1, -1):
            if seats[f, c] > 0:
                cabin = c
                break
        if cabin < 0 and not booked:
            for c in range(reference + 1, 3):
                if seats[f, c] > 0:
                    cabin = c
                    cost += downgrade[reference, c, distance[origin, to, 1]]
                    break
        if cabin < 0 or cost >= best:
            continue
        if to == goal:
            total = cost + lateness_cost(arrival - due, minute, meal_after, alpha)
            if total >= best:
                continue
            best, last = total, f
            until = worth_until(latest, due, minute, best)
        else:
            beaten = False  # by a flight to there that is as cheap, with as few legs, and as early
            g = head[to]
            while g >= 0 and not beaten:
                beaten = board[g].cost <= cost and board[g].legs <= legs and board[g].lands <= arrival
                g = board[g].after
            if beaten:
                continue
            board[f].after = head[to]
            head[to] = f
        board[f].cost, board[f].before, board[f].legs, board[f].cabin, board[f].lands = (
            cost,
            before,
            legs,
            cabin,
            arrival,
        )
    if last < 0:
        return best, 0
    legs = board[last].legs
    f = last
    for j in range(legs - 1, -1, -1):
        d.path[0, j], d.path[1, j] = f, board[f].cabin
        f = board[f].before
    return best, legs


@inner
def seat(plan: Plan, d: Desk, b: int, people: int, each: float, legs: int) -> int:
    """Put people of booking b on the path found, as many as it has seats for. How many that were."""
    count = people
    for j in range(legs):
        count = min(count, plan.seats[d.path[0, j], d.path[1, j]])
    i = plan.lines[0]
    if i == len(plan.line):
        return 0
    plan.lines[0] += 1
    plan.line[i].booking, plan.line[i].people, plan.line[i].legs = b, count, legs
    plan.line[i].cost = each * count
    plan.totals[0] += each * count
    plan.line_leg[i, :] = -1
    for j in range(legs):
        plan.line_leg[i, j], plan.line_cabin[i, j] = d.path[0, j], d.path[1, j]
        plan.seats[d.path[0, j], d.path[1, j]] -= count
    return count


@inner
def unseat(plan: Plan, d: Desk, i: int) -> None:
    """Take a line off its flights: its people wait. The last line takes its place, so go through lines backwards."""
    give_up(plan, d, i)
    drop(plan, i)


@inner
def give_up(plan: Plan, d: Desk, i: int) -> None:
    """Give up the seats of a line; it is empty then."""
    people = plan.line[i].people
    for j in range(plan.line[i].legs):
        plan.seats[plan.line_leg[i, j], plan.line_cabin[i, j]] += people
    plan.totals[0] -= plan.line[i].cost
    plan.line[i].people = 0
    d.waiting[plan.line[i].booking].people += people


@inner
def drop(plan: Plan, i: int) -> None:
    plan.lines[0] -= 1
    last = plan.lines[0]
    plan.line[i] = plan.line[last]
    plan.line_leg[i, :], plan.line_cabin[i, :] = plan.line_leg[last, :], plan.line_cabin[last, :]


@inner
def works(p: Problem, plan: Plan, i: int) -> bool:
    """Whether a line's flights are flown, connect, and arrive in time."""
    b, legs = plan.line[i].booking, plan.line[i].legs
    ready = p.booking[b].ready
    for j in range(legs):
        f = plan.line_leg[i, j]
        if plan.flight[f].aircraft < 0 or plan.flight[f].departure < ready:
            return False
        ready = plan.flight[f].departure + plan.flight[f].takes + CONNECTION
    return ready - CONNECTION <= p.booking[b].latest


@inner
def rebook(p: Problem, plan: Plan, d: Desk, noise: float, late_too: int) -> None:
    """Flights marked `touched` have changed, perhaps for the worse: make the passengers right again, and better.

    late_too   how many lines that cost something are tried again, about, though they still work.
    """
    sort_flights(plan)
    full, touched, line_leg = False, d.touched, plan.line_leg
    for i in range(plan.lines[0] - 1, -1, -1):
        hit = False
        for j in range(line_leg.shape[1]):
            f = line_leg[i, j]
            if f < 0:
                break
            hit = hit or touched[f]
        if hit:
            if works(p, plan, i):
                cost = line_price(p, plan, i)
                plan.totals[0] += cost - plan.line[i].cost
                plan.line[i].cost = cost
            else:
                unseat(plan, d, i)
    if late_too > 0:
        _unseat_late(plan, d, late_too)
    for f in range(len(plan.flight)):
        if d.touched[f] and plan.seats[f].min() < 0:
            full = True
    if full:
        _bump(p, plan, d)
    _wait_again(p, plan, d)
    _seat_waiting(p, plan, d, noise)


@inner
def _unseat_late(plan: Plan, d: Desk, number: int) -> None:
    """Take about so many of the lines that cost something off their flights."""
    late = 0
    for i in range(plan.lines[0]):
        if plan.line[i].cost > 0.0:
            late += 1
    share = number / max(late, 1)
    for i in range(plan.lines[0] - 1, -1, -1):
        if plan.line[i].cost > 0.0 and np.random.random() < share:
            unseat(plan, d, i)


@inner
def _bump(p: Problem, plan: Plan, d: Desk) -> None:
    """Where a smaller aircraft has too few seats, those leave who cost the least if they stay, about."""
    lines = np.empty(plan.lines[0], dtype=np.int64)
    score = np.empty(plan.lines[0])
    count = 0
    for i in range(plan.lines[0]):
        for j in range(plan.line[i].legs):
            if plan.seats[plan.line_leg[i, j], plan.line_cabin[i, j]] < 0:
                lines[count] = i
                score[count] = p.booking[plan.line[i].booking].cancel * (0.5 + np.random.random())
                count += 1
                break
    for k in np.argsort(score[:count]):
        i = lines[k]
        for j in range(plan.line[i].legs):
            if plan.seats[plan.line_leg[i, j], plan.line_cabin[i, j]] < 0:
                give_up(plan, d, i)
                break
    for k in range(count - 1, -1, -1):
        if plan.line[lines[k]].people == 0:
            drop(plan, lines[k])


@inner
def _wait_again(p: Problem, plan: Plan, d: Desk) -> None:
    """Of those who stay, some wait for a seat again: a part of them if they are many."""
    bookings = len(plan.stays)
    there = 0
    for b in range(bookings):
        if plan.stays[b] > 0:
            there += 1
    share = RETRIED / max(there, 1)
    for b in range(bookings):
        people = plan.stays[b]
        if people == 0:
            continue
        again = d.waiting[b].people > 0 or np.random.random() < share
        for j in range(p.booking[b].first, p.booking[b].last):
            again = again or d.touched[p.leg[j].flight]
        if again:
            plan.totals[0] -= people * p.booking[b].cancel
            plan.stays[b] = 0
            d.waiting[b].people += people


@inner
def seat_all(p: Problem, plan: Plan, d: Desk) -> None:
    """Everybody who stays tries for a seat, those first who cost the most."""
    for b in range(len(plan.stays)):
        if plan.stays[b] > 0:
            plan.totals[0] -= plan.stays[b] * p.booking[b].cancel
            d.waiting[b].people += plan.stays[b]
            plan.stays[b] = 0
    _seat_waiting(p, plan, d, 0.0)


@inner
def _seat_waiting(p: Problem, plan: Plan, d: Desk, noise: float) -> None:
    count = 0
    for b in range(len(d.waiting)):
        if d.waiting[b].people > 0:
            d.waiting[count].queue = b
            d.score[count] = -p.booking[b].cancel * (1.0 + noise * (np.random.random() - 0.5))
            count += 1
    order = np.argsort(d.score[:count])
    list_open(p, plan, d)
    for k in range(count):
        b = d.waiting[order[k]].queue
        people = d.waiting[b].people
        d.waiting[b].people = 0
        for _ in range(MOST_PARTS):
            each, legs = cheapest_path(p, plan, d, b)
            if legs == 0:
                break
            seated = seat(plan, d, b, people, each, legs)
            people -= seated
            if people == 0 or seated == 0:
                break
        if people > 0:
            plan.stays[b] += people
            plan.totals[0] += people * p.booking[b].cancel
