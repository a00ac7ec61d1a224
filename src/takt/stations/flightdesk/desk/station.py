"""`flightdesk`: a desk of an airline on a bad day. Groups whose trip broke come to it; a unit is one of them.

An action is a tool call, a JSON text (`tools.py`); it takes `control_s`. An observation is what is on the desk: the
time, who waits, the last messages, and the answer to the last call. The world is an instance in the format of the
ROADEF 2009 challenge, replayed in time (`world.py`): one that was generated, or a folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import gymnasium

from takt.contract.events import UNIT_GOOD, Event
from takt.contract.faults import Active
from takt.contract.options import Limit, wrong_number
from takt.contract.station import Acceptance, Account, Fault, FaultKind, StationSpec, TaktError, check_faults
from takt.contract.tools import WAIT, Calls, Json, refusals
from takt.ledger.pack import pack, unpack
from takt.meant import meant
from takt.stations.flightdesk.airline.format import read_instance
from takt.stations.flightdesk.airline.generate import AIRLINES, drawn, generate
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recipes import RECIPES
from takt.stations.flightdesk.desk.brief import SHORT, brief
from takt.stations.flightdesk.desk.closures import CORRIDOR_CLOSED
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.remembered import remembered_world
from takt.stations.flightdesk.desk.rows import row
from takt.stations.flightdesk.desk.tools import TOOLS, allowed, call
from takt.stations.flightdesk.desk.versions import CHECKED, RULES
from takt.stations.flightdesk.desk.world import World, world_of

SYSTEM_DOWN = "reservations_down"
SHOWN = 10  # groups and messages in an observation; tools show the others
SIZES = {"gulf-2026": (2400, 220, 60_000, 6), "two-hubs": (600, 85, 12_000, 1)}  # flights, aircraft, bookings, days
HOME_WITHIN_H = {"gulf-2026": 96.0}  # two days of shut hubs leave nobody home within the challenge's 36 hours


LIMITS: tuple[Limit, ...] = (  # a ledger may ask for any number
    ("flights", 1, 10_000, True),
    ("aircraft", 1, 2_000, True),
    ("bookings", 1, 250_000, True),
    ("days", 1, 14, True),
    ("takt_s", 0.1, 86_400, False),
    ("service_s", 0.1, 604_800, False),
    ("home_within_h", 0.01, 10_000, False),
    ("control_s", 0.05, 3600, False),
    ("good_rate", 0.001, 1, False),
)


class FlightDesk(gymnasium.Env[Any, Any]):
    """The desk of an airline whose day went wrong: bring the groups home that come to it, in time and within the rules.

    scenario       an airline that never was, made anew for every seed: gulf-2026, two-hubs.
    instance       or a folder in the format of the ROADEF 2009 challenge.
    takt_s         seconds between two groups, on average.
    service_s      seconds from coming to the desk to being settled, at most.
    home_within_h  hours late that a group is brought home at most; by default 96 in gulf-2026, else the challenge's 18,
                   or 36 for intercontinental trips.
    authority      whether the desk may delay, cancel and swap the airline's flights.
    flights, aircraft, bookings, days    sizes of a scenario.
    control_s      seconds that a tool call takes.
    good_rate      what the job asks.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        scenario: str | None = None,
        instance: str | None = None,
        takt_s: float = 60.0,
        service_s: float = 1800.0,
        home_within_h: float | None = None,
        authority: bool = False,
        flights: int | None = None,
        aircraft: int | None = None,
        bookings: int | None = None,
        days: int | None = None,
        control_s: float = 1.0,
        good_rate: float = 0.95,
        render_mode: str | None = None,
    ) -> None:
        self.render_mode = render_mode
        sizes = {"flights": flights, "aircraft": aircraft, "bookings": bookings, "days": days}
        given = {name: int(size) for name, size in sizes.items() if size is not None}
        asked = {"takt_s": takt_s, "service_s": service_s, "home_within_h": home_within_h, "control_s": control_s}
        if wrong := wrong_number({**asked, "good_rate": good_rate, **sizes}, LIMITS, ("home_within_h", *sizes)):
            raise TaktError(wrong)
        self._read: Instance | None = None
        if instance is not None:
            if scenario is not None or given:
                raise TaktError("give scenario and sizes, or instance, not both")
            self._read = read_instance(Path(instance))
            instance = str(instance)
        else:
            scenario = scenario or "gulf-2026"
            if scenario not in RECIPES:
                raise TaktError(
                    f"no scenario is called {scenario!r}{meant(scenario, RECIPES)}; there are: {', '.join(RECIPES)}"
                )
            given = dict(zip(sizes, SIZES[scenario], strict=True)) | given
        if home_within_h is None:
            home_within_h = HOME_WITHIN_H.get(scenario or "")
        self._home_within_h, self._scenario, self._sizes = home_within_h, scenario, given
        options = {"scenario": scenario, "instance": instance, "takt_s": float(takt_s), "service_s": float(service_s)}
        options |= {"home_within_h": home_within_h, "authority": bool(authority), "control_s": float(control_s)}
        options |= {"good_rate": float(good_rate), **given}
        options = {name: value for name, value in options.items() if value is not None}
        self._spec = StationSpec(
            id="takt/FlightDesk-v0",
            entry_point="takt.stations.flightdesk.desk:FlightDesk",
            kwargs=dict(options),
            station="flightdesk",
            takt_s=float(takt_s),
            control_s=float(control_s),
            faults={
                SYSTEM_DOWN: FaultKind("the reservation system answers no call", 600.0, True),
                CORRIDOR_CLOSED: FaultKind("the middle corridor is shut; its flights are cancelled", 14_400.0, False),
            },
            acceptance=Acceptance(good_rate=float(good_rate)),
            options=options,
            brief=brief(service_s, home_within_h, bool(authority)),
            tools=tuple(TOOLS.openai_tools(allowed(bool(authority)))),
            looks=tuple(tool.name for tool in TOOLS.offered(allowed(bool(authority))) if not tool.changes),
            short=SHORT,
            pace="arrivals",
            currency="EUR",
            world=AIRLINES if self._read is None else None,
            unit_life_s=float(service_s) + float(control_s),  # who has waited too long is seen at the next call
        )
        self.spec: StationSpec = self._spec  # which `gymnasium.make` replaces by an EnvSpec
        self.observation_space, self.action_space = Json(), Calls(TOOLS)
        self._world: tuple[Any, World] | None = None
        self._step, self._active = 0, Active()

    @property
    def now(self) -> float:
        return self._step * self._spec.control_s

    @property
    def hold(self) -> Any:
        return WAIT

    @property
    def office(self) -> Office:
        """What is behind the desk. No worker sees it."""
        return self._office

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        faults: Sequence[Fault] = tuple((options or {}).get("faults", ()))
        check_faults(self._spec, faults)
        self._rules = int((options or {}).get("rules", RULES))
        number = int(self.np_random.integers(2**31)) if seed is None else int(seed)
        made = number, faults, self._rules >= CHECKED
        if self._world is None or self._world[0] != made:  # the same again is the same world
            self._world = made, self._made(number, faults)
        self._faults = faults
        self._active.begin(faults)
        self._office = self._opened()
        self._step, self._calls = 0, 0
        self._result: dict[str, Any] = {"tool": "wait"}
        happened = self._advance()
        return self._observation(), {"events": happened}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one call, which takes `control_s`; then look at what is on the desk."""
        if action != WAIT:
            self._calls += 1
            self._result = call(self._office, action, rules=self._rules)
            self._office.events += refusals(self.now, self._result)
        self._step += 1
        happened = self._advance()
        reward = float(sum(e.kind == UNIT_GOOD for e in happened))
        return self._observation(), reward, False, False, {"events": happened}

    def unit_of(self, action: Any) -> int | None:
        """The unit whose group a call names."""
        try:
            arguments = json.loads(action)["arguments"]
            party = self._office.parties.get(arguments["group"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return None if party is None else int(party.unit)

    def account(self, events: Sequence[Event]) -> Account:
        """Who came home, what that cost, and how much less it could have cost; the bound takes seconds."""
        from takt.stations.flightdesk.desk.figures import account_of  # which needs the solver: long to import

        return account_of(self._office.world, self._office.authority, events, self._rules)

    @staticmethod
    def unit_costs(events: Sequence[Event]) -> dict[int, float]:
        """EUR of each unit of the world's own, its parts and returns counted in."""
        from takt.stations.flightdesk.desk.account import unit_costs

        return unit_costs(events)

    def render(self) -> Any:
        """A map of the groups who wait, where they are going, and what is on the desk."""
        from takt.stations.flightdesk.desk.drawing import picture

        return picture(self._office)

    def save(self) -> bytes:
        there = [fault.name for fault in self._active.now]
        return pack([self._step, self._result, self._calls, there, self._office.state()])

    def load(self, state: bytes) -> None:
        self._step, self._result, self._calls, _, office = unpack(state)
        self._active.begin(self._faults)
        self._active.move(self.now)  # time alone says which faults are there
        self._office = self._opened()
        self._office.restore(office)

    def _opened(self) -> Office:
        assert self._world is not None
        options = self._spec.options
        return Office(self._world[1], options["service_s"], options["authority"], self._rules)

    def _made(self, seed: int, faults: Sequence[Fault]) -> World:
        takt_s, within_h, name, sizes = self._spec.takt_s, self._home_within_h, self._scenario or "", self._sizes
        if self._read is not None:
            return world_of(self._read, seed, faults, takt_s, within_h)
        of = [name, sorted(sizes.items()), seed, [astuple(fault) for fault in faults], takt_s, within_h]
        recipe = RECIPES[name](**sizes)
        airline = generate if self._rules >= CHECKED else drawn
        return remembered_world(
            [*of, self._rules >= CHECKED],
            sizes["bookings"],
            lambda: world_of(airline(recipe, seed), seed, faults, takt_s, within_h),
        )

    def _advance(self) -> list[Event]:
        office = self._office
        office.events += self._active.events(self.now, self._spec)
        down = [
            fault.at_s + fault.for_s for fault in self._faults if fault.name == SYSTEM_DOWN and fault.at_s <= self.now
        ]
        office.down_until = max(down, default=-1.0)
        office.advance(self.now)
        happened, office.events = office.events, []
        return happened

    def _observation(self) -> dict[str, Any]:
        office, known = self._office, len(self._office.flights.log)
        return {
            "now": office.world.clock(office.minute),
            "now_s": self.now,
            "waiting": len(office.queue),
            "queue": [row(office, office.parties[name]) for name in office.queue[:SHOWN]],
            "messages": [office.flights.message(i) for i in range(max(0, known - SHOWN), known)],
            "message_count": known,
            "calls": self._calls,
            "result": self._result,
        }
