"""`planner`: plans for everybody whose trip is known to be broken, not only for who stands at the desk.

Every half hour, and when an airport or a corridor shuts or opens, it reads the board and the list of broken trips, and
solves who should get which seat (`seats.py`: the linear program of the desk's costs). What it keeps of that are the
seats' shadow prices: what it costs the others if one seat is taken. A group then gets the itinerary that costs least,
its seats' shadow prices counted in (bid-price control; Talluri and van Ryzin 1998).

A place that says it is shut until tomorrow, "or longer", is not believed. How long such things last has no scale, so
the chance that what is shut for a while is still shut after t is that while over t (Pareto, exponent 1: Gott 1993). A
connection is missed as often as the airline's flights of the next hours are later than it has time for. An itinerary
counts at what it is expected to cost, with those chances of being left behind. Rules of thumb, not knowledge.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from takt.contract.station import StationSpec
from takt.contract.worker import Plan
from takt.ledger.pack import pack, unpack
from takt.stations.flightdesk.airline.instance import CABINS, CONNECTION, Floats
from takt.stations.flightdesk.desk.paths import network_of
from takt.stations.flightdesk.desk.seats import Wish, assign
from takt.stations.flightdesk.desk.workers import FirstCome, tool_call

EVERY_S = 1800.0  # seconds between two plans
AHEAD_S = 4 * 3600.0  # plan for those who will come in this time
PAGE = 500
SECONDS = 60.0
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # minutes are counted from here


class Planner(FirstCome):
    """Keeps seats for those who need them most: re-plans with every half hour and every airport that shuts or opens."""

    def begin(self, spec: StationSpec, seed: int) -> None:
        super().begin(spec, seed)
        self._ahead = max(1, int(AHEAD_S / spec.takt_s))
        self._shadow: dict[str, list[float]] = {}  # flight -> EUR by cabin
        self._shut: dict[str, list[float]] = {}  # place -> since when it is shut, and until when it says so
        self._heard = 0  # messages
        self._due_s = 0.0  # when to plan next
        self._looked = 0  # itineraries for this group: asked for the first time, or the second
        self._best: list[Any] = []  # the best of them so far: EUR expected, itinerary
        self._reading = ""  # "board" or "disrupted" while the state of things is read
        self._board: list[dict[str, Any]] = []  # what is read of it so far
        self._delays: list[int] = [0]  # minutes, of the airline's next flights, in order

    def save(self) -> bytes:
        mine = [self._shadow, self._shut, self._heard, self._due_s, self._looked, self._best]
        mine += [self._delays, self._reading, self._board]
        return pack([super().save(), mine])

    def load(self, state: bytes) -> None:
        first, mine = unpack(state)
        super().load(first)
        self._shadow, self._shut, self._heard, self._due_s, self._looked, self._best, *more = mine
        self._delays, self._reading, self._board = more

    def act(self, observation: dict[str, Any]) -> Plan:
        news = self._listen(observation)
        if news is not None:
            return news
        result = observation["result"]
        if self._reading:
            return self._read(observation, result)
        if observation["now_s"] >= self._due_s and "error" not in result:
            self._due_s, self._board = observation["now_s"] + EVERY_S, []
            self._reading, self._group = "board", ""
            return tool_call("board", after=0, limit=PAGE)
        return super().act(observation)

    # --- news -----------------------------------------------------------------------------------------------------

    def _listen(self, observation: dict[str, Any]) -> Plan | None:
        """Hear all messages; there may be more than the observation shows."""
        result = observation["result"]
        new = result["messages"] if result["tool"] == "messages" and "messages" in result else observation["messages"]
        for message in new:
            if message["message"] != self._heard:
                continue
            self._heard += 1
            place = message.get("place")
            if place and message["kind"] == "closed":
                until = float(_minute(message["until"]))
                since = self._shut[place][0] if place in self._shut else float(_minute(message["at"]))
                self._shut[place] = [since, until]
                self._due_s = 0.0
        if self._heard < observation["message_count"] and not self._reading and "error" not in result:
            self._group = ""
            return tool_call("messages", after=self._heard, limit=PAGE)
        return None

    # --- planning -------------------------------------------------------------------------------------------------

    def _read(self, observation: dict[str, Any], result: dict[str, Any]) -> Plan:
        """One page after the other, then plan."""
        if "error" in result:
            self._reading = ""
            return super().act(observation)
        if self._reading == "board":
            self._board += result["flights"]
            if result["next"] is not None:
                return tool_call("board", after=result["next"], limit=PAGE)
            self._reading = "disrupted"
            return tool_call("disrupted", after=0, limit=min(PAGE, self._ahead))
        self._plan(observation, self._board, result["groups"])
        self._reading, self._board = "", []
        return super().act(observation | {"result": {"tool": "wait"}})

    def _plan(self, observation: dict[str, Any], rows: list[dict[str, Any]], groups: list[dict[str, Any]]) -> None:
        soon = _minute(observation["now"]) + SOON
        next_ones = [row for row in rows if "carrier" not in row and _minute(row["scheduled"]) <= soon]
        self._delays = sorted(_minute(row["departs"]) - _minute(row["scheduled"]) for row in next_ones) or [0]
        self._shadow = {}
        if not rows or not groups:
            return
        codes = sorted({row[key] for row in rows + groups for key in ("from", "to")})
        at = {code: i for i, code in enumerate(codes)}
        net = network_of(
            np.array([at[row["from"]] for row in rows]),
            np.array([at[row["to"]] for row in rows]),
            np.array([_minute(row["departs"]) for row in rows]),
            np.array([_minute(row["arrives"]) for row in rows]),
        )
        seats = np.array([[row["seats"][cabin] for cabin in CABINS] for row in rows])
        avoided = np.array([self._avoided(row) for row in rows])
        doubts = np.array([self._doubt(row) for row in rows])
        fare = np.array([row.get("fare", 0.0) for row in rows])
        stays = float(np.mean([group["not_brought_home_eur"] for group in groups]))
        price = {cabin: _price(fare, avoided, i) + stays * doubts[:, None] for i, cabin in enumerate(CABINS)}
        now = _minute(observation["now"])
        wishes = [
            Wish(
                people=group["people"],
                start=at[group["from"]],
                goal=at[group["to"]],
                ready=max(now, _minute(group["can_leave"])),
                due=_minute(group["due"]),
                latest=_minute(group["latest"]),
                minute=group["eur_per_minute_late"],
                meal_after=group["meal_after_min"],
                stays=group["not_brought_home_eur"],
                price=price[group["cabin"]],
            )
            for group in groups
        ]
        shadow = assign(net, np.maximum(seats, 0), wishes, rounds=ROUNDS).seat
        for f in np.flatnonzero(shadow.max(axis=1) > 0.01).tolist():
            self._shadow[rows[f]["flight"]] = shadow[f].tolist()

    def _avoided(self, row: dict[str, Any]) -> bool:
        return row["status"] == "cancelled" or bool(row["closed"])

    def _doubt(self, leg: dict[str, Any]) -> float:
        """The chance that a flight is not flown because a place on its way is still shut."""
        leaves = _minute(leg["departs"])
        spans = [self._shut[place] for place in (leg["from"], leg["to"], leg["corridor"]) if place in self._shut]
        return max(((until - since) / max(leaves - since, until - since, 1.0) for since, until in spans), default=0.0)

    # --- serving --------------------------------------------------------------------------------------------------

    def turn_to(self, group: str) -> None:
        super().turn_to(group)
        self._best, self._looked = [], 0

    def ask(self, group: dict[str, Any]) -> Plan:
        """First for what is far from trouble, then for anything; the best of both is taken."""
        told = {"group": group["group"], "limit": CHOICE, "by": "cost", "avoid_closed": True}
        if self._looked == 0 and self._shut:
            far = max(since + FAR * (until - since) for since, until in self._shut.values())
            told |= {"avoid": list(self._shut), "avoid_until": _clock(far)}
        return tool_call("propose", **told)

    def serve(self, first: dict[str, Any], result: dict[str, Any]) -> Plan:
        stays = result["not_brought_home_costs"]
        for way in result["itineraries"]:
            expected = self._expected(first["people"], way, stays)
            if not self._best or expected < self._best[0]:
                self._best = [expected, way]
        if self._looked == 0 and self._shut:
            self._looked = 1
            return self.ask(first)
        best, self._best, self._looked = self._best, [], 0
        return self.take(first, best[1] if best else None)

    def _expected(self, people: int, way: dict[str, Any], stays: float) -> float:
        """EUR that an itinerary is expected to cost, with what its seats are worth to the others."""
        worth = sum(
            self._shadow[leg["flight"]][CABINS.index(leg["cabin"])]
            for leg in way["legs"]
            if leg["flight"] in self._shadow
        )
        flown, legs = 1.0, way["legs"]
        for leg in legs:
            flown *= 1.0 - self._doubt(leg)
        for leg, after in pairwise(legs):
            spare = _minute(after["departs"]) - _minute(leg["arrives"]) - CONNECTION
            flown *= bisect_right(self._delays, spare) / len(self._delays) if "fare" not in leg else 1.0
        return flown * way["cost"] + (1.0 - flown) * stays + people * worth


ROUNDS = 15  # of column generation: shadow prices need not be exact
CHOICE = 40  # itineraries to choose from
SOON = 240  # minutes before departure in which the airline says that a flight is late
FAR = 4  # times as long as a place has said it is shut: a quarter of a chance that it still is


def _clock(minute: float) -> str:
    return (EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%MZ")


def _price(fare: Floats, avoided: np.ndarray, cabin: int) -> Floats:
    """(F, 3) EUR per person; what a lower cabin costs is not on the board, so it is not planned with."""
    table = np.repeat(fare[:, None], len(CABINS), axis=1)
    table[:, cabin + 1 :] = np.where(fare[:, None] > 0, table[:, cabin + 1 :], np.inf)
    table[avoided] = np.inf
    return table


def _minute(text: str) -> int:
    return int((datetime.fromisoformat(text) - EPOCH).total_seconds() // SECONDS)
