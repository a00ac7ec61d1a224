"""How the costs of flights are shared out among groups, which is what `bound.py` makes a bound of."""

from __future__ import annotations

import numpy as np

from takt.stations.flightdesk.airline.instance import CABINS, Floats
from takt.stations.flightdesk.airline.recovery.cheapest import Paths, cheapest_paths
from takt.stations.flightdesk.airline.recovery.compiled import interpreted
from takt.stations.flightdesk.airline.recovery.relaxation import Relaxation

PER_PERSON = 6.0  # EUR: the first step, for each person of a group; the other steps go with it
PER_SEAT, PER_SLOT, PER_MINUTE = 2.0, 10.0, 0.1  # times the step
GROWTH = 0.5  # of a slot's price at first, where capacity was cut and twice as many are asked for
HALF = 40  # rounds after which a step is half of the first
ROUNDING = 1e-9  # of all that is summed: more than floating point loses
CENT = 0.01  # a plan's cost is rounded


def lost(total: float) -> float:
    """EUR by which a sum of so many EUR, of either sign, may be off."""
    return ROUNDING * total + CENT


class Dual:
    """The shares. A *unit* is an option, or, behind them, a new flight by (origin, destination, hour).

    pair     EUR that a group pays for all its people on a unit, sorted by `key`: group x units + unit.
    frozen   (option, cabin): EUR a seat on flights that go in any case.
    slot     EUR for a slot at an airport in an hour; minute: for a minute of an aircraft, by class.
    """

    def __init__(self, relaxation: Relaxation) -> None:
        self.r = r = relaxation
        options, airports = len(r.options.flight), len(r.network.distance)
        self.options, self.shape = options, (airports, airports, r.hours)
        self.units = options + airports * airports * r.hours
        self.key = np.zeros(0, dtype=np.int64)
        self.pair = np.zeros(0)
        self.frozen = np.zeros((options, 3))
        self.slot: Floats = np.zeros_like(r.slots)
        self.minute = np.zeros(len(r.classes.count))
        self.limited = (r.options.aircraft >= 0)[:, None] & r.room & (r.classes.of[r.options.aircraft] >= 0)[:, None]
        self.begins = np.flatnonzero(np.diff(r.flown.option, prepend=-1))  # of each option in `flown`
        self.flies = r.flown.option[self.begins]
        self.ours = np.append(r.options.aircraft < 0, np.ones(self.units - options, dtype=np.bool_))
        self.place = np.full(self.units, -1, dtype=np.int64)  # where a unit is for `cheapest_paths`
        self.place[r.boarding] = np.arange(len(r.boarding))
        self.place[options:] = len(r.boarding) + np.arange(self.units - options)
        self.on_new = 0.0  # share of the people who take new flights
        self.rounds = 0

    def round(self) -> float:
        """The bound that the shares prove; then move them by a step."""
        prices = self._prices()
        paths = self._paths(*prices[:2])
        paid = float(paths.cost @ self.r.people)
        given = float((self.r.slots * self.slot).sum()) + float(self.minute @ self.r.minutes)
        given += float((self.frozen * np.where(self.limited, self.r.seats, 0)).sum())
        value = self.r.constant + paid - given
        self._move(paths, *prices, PER_PERSON / (1.0 + self.rounds / HALF))
        self.rounds += 1
        return value - lost(abs(self.r.constant) + paid + given)

    def _cost(self) -> tuple[Floats, Floats, Floats]:
        """EUR for each way to fly an option, for new flights by (class, from, to), and for slots by route and hour.

        A flight pays the cheapest of the slots that it may take.
        """
        r = self.r
        slot = np.zeros(self.options)
        for side in (0, 1):
            ends = r.options.slot[:, side] + np.array([0, 1])  # from, and the one behind
            if self.options:
                slot += np.minimum.reduceat(np.append(self.slot[side], 0.0), ends.ravel())[::2]
        planned = r.flown.cost + slot[r.flown.option] + self.minute[r.flown.by] * r.flown.busy
        leave, land = self.slot.reshape(2, -1, r.slot_hours)
        to, (first, last) = np.arange(self.shape[0])[None, :, None], r.new.lands
        slots = leave[:, None, : r.hours] + np.minimum(land[to, first], land[to, last])
        return planned, r.new.cost + self.minute[:, None, None] * r.new.busy, slots

    def _prices(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Lower the groups' shares to what units cost, and ask what is left of each seat.

        EUR per seat by option and by new flight, then the least cost and the seats that go with it, by unit.
        """
        r = self.r
        planned, new, slot = self._cost()
        least = np.full(self.units, np.inf)
        if len(planned):
            least[self.flies] = np.minimum.reduceat(planned, self.begins)
        if len(new):
            least[self.options :] = np.where(r.new.can, new.min(axis=0)[:, :, None] + slot, np.inf).ravel()
        unit = self.key % self.units
        paid = np.bincount(unit, weights=self.pair, minlength=self.units)
        scale = np.where(paid > least, least / np.maximum(paid, 1e-12), 1.0)
        self.pair *= scale[unit]
        paid = paid * scale
        seat, seats = np.zeros(self.options), np.ones(self.units)
        if len(planned):
            left = (planned - paid[r.flown.option]) / np.maximum(r.flown.seats, 1.0)
            seat[self.flies] = np.maximum(np.minimum.reduceat(left, self.begins), 0.0)
            seats[self.flies] = np.maximum(np.maximum.reduceat(r.flown.seats, self.begins), 1.0)
        pool, most, before = np.full(self.shape, np.inf), np.ones(self.shape), paid[self.options :].reshape(self.shape)
        for k, count in enumerate(np.maximum(r.classes.seats.sum(axis=1), 1)):
            each = (new[k][:, :, None] + slot - before) / count
            most = np.where(each < pool, count, most)
            pool = np.minimum(pool, each)
        seats[self.options :] = most.ravel()
        return seat, np.where(r.new.can, np.maximum(pool, 0.0), np.inf), least, seats

    def _paths(self, seat: Floats, pool: Floats) -> Paths:
        r = self.r
        group, unit = np.divmod(self.key, self.units)
        return cheapest_paths(
            r.network,
            r.booking.view(np.recarray) if interpreted() else r.booking,
            r.groups,
            r.leg_first,
            r.leg_flight,
            np.full(len(r.leg_flight), len(CABINS) - 1),
            np.where(r.room, seat[:, None] + self.frozen, np.inf)[r.boarding],
            pool,
            np.ascontiguousarray(pool.min(axis=2)),
            np.searchsorted(group, np.arange(len(r.groups) + 1)),
            self.place[unit],
            self.pair / r.people[group],
            r.stay,
            r.flights,
        )

    def _move(self, paths: Paths, seat: Floats, pool: Floats, least: Floats, seats: Floats, step: float) -> None:
        """A subgradient step: who uses a unit pays more for it, and others less, as far as its seats are used."""
        r = self.r
        group, leg = np.nonzero(paths.leg != -1)
        cabin, via = paths.cabin[group, leg], paths.leg[group, leg]
        planned = via >= 0
        unit = np.where(planned, r.boarding[np.maximum(via, 0)] if len(r.boarding) else 0, self.options - 2 - via)
        self.on_new = float(r.people[np.unique(group[~planned])].sum() / r.people.sum()) if len(r.people) else 0.0
        load = np.zeros((self.options, 3))
        np.add.at(load, (unit[planned], cabin[planned]), r.people[group[planned]])

        used = np.unique(group[self.ours[unit]] * self.units + unit[self.ours[unit]])
        fresh = np.setdiff1d(used, self.key, assume_unique=True)
        at = np.searchsorted(self.key, fresh)
        self.key, self.pair = np.insert(self.key, at, fresh), np.insert(self.pair, at, 0.0)
        mine = np.searchsorted(self.key, used)
        who, what = np.divmod(used, self.units)
        full = np.bincount(what, weights=r.people[who], minlength=self.units) / seats
        each = np.append(seat, pool.ravel())[what]
        collected = np.bincount(what, weights=self.pair[mine] + each * r.people[who], minlength=self.units)
        share = np.where(np.isfinite(least), np.minimum(collected / np.maximum(least, 1.0), 2.0), 0.0)  # that flies

        everybody, everywhere = np.divmod(self.key, self.units)
        gradient = -full[everywhere]
        gradient[mine] += 1.0
        self.pair = np.maximum(self.pair + step * r.people[everybody] * gradient, 0.0)
        over = np.where(self.limited, load / np.maximum(r.seats, 1) - 1.0, 0.0)
        self.frozen = np.maximum(self.frozen + PER_SEAT * step * over, 0.0)
        self._move_limits(share, least, step)

    def _move_limits(self, share: Floats, least: Floats, step: float) -> None:
        """Slots and aircraft's minutes get dearer where more are used than there are."""
        r = self.r
        flying, new = share[: self.options], share[self.options :].reshape(self.shape)
        slots: Floats = np.zeros((2, self.slot.size // 2 + 1))
        for side in (0, 1):  # evenly over the hours that may be
            first, last = r.options.slot[:, side].T
            each = flying / (last - first + 1)
            np.add.at(slots[side], first, each)
            np.add.at(slots[side], last + 1, -each)
        slots = np.cumsum(slots, axis=1)[:, :-1]
        hourly = slots.reshape(2, -1, r.slot_hours)
        hourly[0, :, : r.hours] += new.sum(axis=1)
        to = np.broadcast_to(np.arange(self.shape[0])[None, :, None], self.shape)
        for hour in r.new.lands:
            np.add.at(hourly[1], (to, hour), new / 2)
        slots -= r.slots
        planned, cost, _ = self._cost()
        cheapest = np.flatnonzero(planned <= least[r.flown.option] + 1e-9)
        _, one = np.unique(r.flown.option[cheapest], return_index=True)
        by = cheapest[one]
        minutes = np.zeros(len(self.minute))
        minutes += np.bincount(
            r.flown.by[by], weights=flying[r.flown.option[by]] * r.flown.busy[by], minlength=len(minutes)
        )
        if len(minutes):
            best = cost.argmin(axis=0)
            busy = np.take_along_axis(r.new.busy, best[None], axis=0)[0] * new.sum(axis=2)
            minutes += np.bincount(best.ravel(), weights=busy.ravel(), minlength=len(minutes))
        cut = np.repeat(r.cut, r.slot_hours)
        growth, first = GROWTH * cut, PER_SLOT * (1.0 + 4.0 * cut)
        grows = 1.0 + growth * step / PER_PERSON * np.clip(slots / np.maximum(r.slots, 1.0), -1.0, 1.0)
        self.slot = np.maximum(self.slot * grows + first * step * np.clip(slots, -2.0, 2.0), 0.0)
        over = np.clip(minutes / np.maximum(r.minutes, 1.0) - 1.0, -1.0, 1.0)
        self.minute = np.maximum(self.minute + PER_MINUTE * step * over, 0.0)
