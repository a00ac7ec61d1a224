"""Workers of the desk that need no solver: `queue` and `greedy`. What they know is in the observations, no more."""

from __future__ import annotations

from typing import Any

from takt.contract import tools
from takt.contract.station import StationSpec
from takt.contract.tools import WAIT
from takt.contract.worker import Plan
from takt.ledger.pack import pack, unpack

PROBE = '{"name":"queue","arguments":{"limit":1}}'  # is the system up again?
PAUSE = 5  # control periods to wait when nobody is there
TRIES = 3  # for a group, before it gets its money back


def tool_call(name: str, **arguments: Any) -> Plan:
    """A plan of one tool call."""
    return Plan([tools.tool_call(name, **arguments)])


def legs_of(itinerary: dict[str, Any]) -> list[dict[str, str]]:
    """The legs of an itinerary that the desk proposed, as `book` takes them."""
    return [{"flight": leg["flight"], "cabin": leg["cabin"]} for leg in itinerary["legs"]]


class FirstCome:
    """Serves the group that waits longest: asks for itineraries, takes one, gives a hotel if due, books.

    A kind of worker says what it asks for and which itinerary it serves a group with (`ask`, `serve`). Its memory is
    the group, the itinerary chosen, and how often booking that failed.
    """

    splits = True  # whether a group for which there is no itinerary is tried in two halves

    def begin(self, spec: StationSpec, seed: int) -> None:
        self._group, self._tried = "", 0
        self._chosen: dict[str, Any] = {}

    def end(self) -> None: ...

    def save(self) -> bytes:
        return pack([self._group, self._chosen, self._tried])

    def load(self, state: bytes) -> None:
        self._group, self._chosen, self._tried = unpack(state)

    def act(self, observation: dict[str, Any]) -> Plan:
        result = observation["result"]
        if not observation["queue"]:
            self._group = ""
            return Plan([WAIT] * PAUSE)
        if "error" in result and result["error"]["code"] == "system_down":
            self._group = ""
            return Plan([WAIT] * PAUSE + [PROBE])
        first = observation["queue"][0]
        if first["group"] != self._group:
            self.turn_to(first["group"])
            return self.ask(first)
        if "error" in result:
            self._tried += 1
            return self.ask(first) if self._tried < TRIES else tool_call("refund", group=self._group)
        if result["tool"] == "hotel":
            return tool_call("book", group=self._group, legs=legs_of(self._chosen))
        if result["tool"] == "propose":
            return self.serve(first, result)
        return self.ask(first)

    def turn_to(self, group: str) -> None:
        """Another group is served from now on: nothing that was found for the last one holds."""
        self._group, self._chosen, self._tried = group, {}, 0

    def ask(self, group: dict[str, Any]) -> Plan:
        """The call that asks for itineraries."""
        return tool_call("propose", group=group["group"], limit=8, by="arrival", avoid_closed=True)

    def serve(self, first: dict[str, Any], result: dict[str, Any]) -> Plan:
        """What to do for a group, given the answer to `ask`."""
        raise NotImplementedError

    def take(self, first: dict[str, Any], way: dict[str, Any] | None) -> Plan:
        """Book this itinerary, or split the group if there is none, or give it its money back."""
        if way is not None:
            self._chosen = way
            if way["hotel_due"] and not first["hotel"]:
                return tool_call("hotel", group=first["group"])
            return tool_call("book", group=first["group"], legs=legs_of(way))
        if self.splits and first["people"] > 1:
            self._group = ""  # the queue shows both parts next
            return tool_call("split", group=first["group"], people=first["people"] // 2)
        return tool_call("refund", group=first["group"])


class Greedy(FirstCome):
    """Takes the first workable seat: the itinerary that arrives first, whoever flies it and whatever it costs."""

    def serve(self, first: dict[str, Any], result: dict[str, Any]) -> Plan:
        return self.take(first, next(iter(result["itineraries"]), None))


class Queue(FirstCome):
    """First come, first served, by fixed rules: the first itinerary on the airline's own flights, or else a refund."""

    splits = False

    def serve(self, first: dict[str, Any], result: dict[str, Any]) -> Plan:
        return self.take(first, next((way for way in result["itineraries"] if not way["fare"]), None))
