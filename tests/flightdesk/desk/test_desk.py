"""The desk as a station: what a worker sees and may do, how a unit is judged, and that a shift is a pure function."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt import Ledger, TaktError, open_station, resume_shift, run_shift
from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.contract.station import Fault, StationSpec
from takt.ledger.pack import pack, unpack
from takt.stations.flightdesk.desk import FlightDesk
from takt.stations.flightdesk.desk.account import hindsight, tally
from takt.stations.flightdesk.desk.closures import NEVER
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.planner import Planner
from takt.stations.flightdesk.desk.tools import TOOLS, allowed
from takt.stations.flightdesk.desk.workers import Greedy, Queue
from takt.workers.idle import Idle

SMALL: dict[str, Any] = {"flights": 300, "aircraft": 30, "bookings": 3000, "days": 3}


@pytest.fixture(scope="module")
def desk() -> Any:
    return FlightDesk(**SMALL)


def say(name: Any, **arguments: Any) -> Any:
    return json.dumps({"name": name, "arguments": arguments})


def at_work(desk: Any, seconds: Any = 600, seed: Any = 0) -> Any:
    """The desk after some time in which nobody did anything, and its last observation."""
    desk.reset(seed=seed)
    for _ in range(seconds):
        observation = desk.step(desk.hold)[0]
    return observation


def ask(desk: Any, name: Any, **arguments: Any) -> Any:
    observation, _, _, _, info = desk.step(say(name, **arguments))
    return observation["result"], info["events"]


def offered(desk: Any, want: Any, avoid_closed: Any = True) -> Any:
    """After twenty minutes in which nobody did anything: the first group for which there is an itinerary that `want`
    says yes to, that itinerary, and its legs as `book` takes them."""
    for seed in range(6):
        at_work(desk, 1200, seed)
        for group in ask(desk, "queue", limit=500)[0]["groups"]:
            ways = ask(desk, "propose", group=group["group"], limit=60, avoid_closed=avoid_closed)[0]["itineraries"]
            for way in filter(want, ways):
                legs = [{"flight": leg["flight"], "cabin": leg["cabin"]} for leg in way["legs"]]
                return group["group"], way, legs
    raise AssertionError("no group of six seeds has such an itinerary")


def ended(events: Any) -> list[Any]:
    return [(event.kind, event.data.get("reasons")) for event in events if event.kind in (UNIT_GOOD, UNIT_BAD)]


# --- a shift is a pure function ---------------------------------------------------------------------------------------


def test_the_same_shift_twice_is_the_same_bytes_and_all_workers_meet_the_same_groups(desk: Any) -> None:
    once, again = (run_shift(desk, Greedy(), seed=3, hours=1, clock="fixed:0.08") for _ in range(2))
    assert once.digest == again.digest and len(once.events) > 50
    fresh = run_shift(FlightDesk(**SMALL), Greedy(), seed=3, hours=1, clock="fixed:0.08")
    assert fresh.digest == once.digest

    def groups(shift: Any) -> list[Any]:
        own = len(desk.office.world.units)
        return [(e.unit, e.data["group"], e.t_s) for e in shift.events if e.kind == UNIT_DUE and e.unit < own]

    other = run_shift(desk, Idle(), seed=3, hours=1, clock="fixed:5")
    assert groups(other) == groups(once) and len(groups(once)) > 30


@pytest.mark.parametrize("make", [Planner, Greedy, Queue])
def test_a_shift_that_was_killed_goes_on_to_the_same_ledger(desk: Any, tmp_path: Path, make: Any) -> None:
    given: dict[str, Any] = {
        "seed": 1,
        "hours": 0.75,
        "clock": "fixed:0.08",
        "faults": ["reservations_down@00:10:00+120s"],
    }
    whole = run_shift(desk, make(), **given, ledger=tmp_path / "whole.takt")
    database = sqlite3.connect(tmp_path / "whole.takt")
    seqs = [seq for (seq,) in database.execute("SELECT seq FROM snapshots ORDER BY seq")]
    database.close()
    assert len(seqs) > 10
    for seq in (seqs[0], seqs[len(seqs) // 3], seqs[-2]):
        shutil.copy(tmp_path / "whole.takt", tmp_path / "cut.takt")
        database = sqlite3.connect(tmp_path / "cut.takt", isolation_level=None)
        database.execute("DELETE FROM events WHERE seq >= ?", [seq])
        database.execute("DELETE FROM snapshots WHERE seq > ?", [seq])
        database.close()
        with Ledger.open(tmp_path / "cut.takt") as book:
            assert not book.finished
        again = resume_shift(tmp_path / "cut.takt", station=FlightDesk(**SMALL), worker=make())
        assert again.digest == whole.digest


def test_a_desk_that_was_loaded_is_the_desk_that_was_saved(desk: Any) -> None:
    shift = run_shift(desk, Greedy(), seed=2, hours=0.5, clock="fixed:0.08")
    assert any(event.kind == "booked" for event in shift.events)
    other = FlightDesk(**SMALL)
    other.reset(seed=2)
    other.load(desk.save())
    assert other.save() == desk.save()
    for name in ("leaves", "arrives", "gone", "leaves_now", "lands_now", "gone_now"):
        assert np.array_equal(getattr(other.office.flights, name), getattr(desk.office.flights, name)), name
    for name in ("free", "bought"):
        assert np.array_equal(getattr(other.office.stock, name), getattr(desk.office.stock, name)), name


def test_nothing_is_known_before_its_time(desk: Any) -> None:
    """A corridor that shuts later changes nothing before: what is seen, and the answers to all that can be asked."""
    seen = []
    for faults in ((), (Fault("corridor_closed", 1200.0, 7200.0),)):
        desk.reset(seed=0, options={"faults": faults})
        told = []
        for second in range(1190):
            call = desk.hold if second % 50 else say("board", limit=500)
            told.append(json.dumps(desk.step(call)[0]))
        told.append(json.dumps(ask(desk, "disrupted", limit=500)[0]))
        seen.append(told)
        later = [desk.step(desk.hold)[0]["message_count"] for _ in range(60)]
        seen.append(later)
    assert seen[0] == seen[2]
    assert seen[1][-1] < seen[3][-1]  # and then it is known


# --- calls ------------------------------------------------------------------------------------------------------------

MALFORMED = {
    "not JSON": ("{", "not_json"),
    "not an object": ("[1]", "not_a_call"),
    "unknown tool": (say("fly_away"), "unknown_tool"),
    "missing field": (say("book", group="1"), "bad_arguments"),
    "wrong type": (say("queue", limit="3"), "bad_arguments"),
    "unknown field": (say("queue", size=3), "bad_arguments"),
    "arguments no object": ('{"name":"queue","arguments":[]}', "bad_arguments"),
    "unknown group": (say("refund", group="no such"), "unknown_group"),
    "unknown flight": (say("seats", flight="1/2026-02-28"), "unknown_flight"),
    "unknown airport": (say("connections", origin="XXX", destination="PEK"), "unknown_airport"),
    "no time": (say("connections", origin="LHR", destination="PEK", after="tomorrow"), "bad_time"),
    "no authority": (say("cancel", flights=["1"]), "unknown_tool"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_call_is_answered_changes_nothing_and_is_counted(desk: Any, what: Any) -> None:
    call, code = MALFORMED[what]
    at_work(desk, 60)
    before = unpack(desk.save())[-1]
    observation, _, _, _, info = desk.step(call)
    error = observation["result"]["error"]
    assert error["code"] == code and len(error["message"]) > 15 and "\n" not in error["message"]
    after = unpack(desk.save())[-1]
    assert pack(after | {"now_s": 0}) == pack(before | {"now_s": 0})
    assert [event.data["code"] for event in info["events"] if event.kind == "refused"] == [code]


def test_what_cannot_be_booked_is_refused_and_changes_nothing(desk: Any) -> None:
    group, way, legs = offered(desk, lambda way: len(way["legs"]) == 2)
    office = desk.office
    names, world = office.world.name, office.world
    departed = names[int(np.flatnonzero((office.flights.leaves_now < office.minute) & ~office.flights.gone_now)[0])]
    cancelled = names[int(np.flatnonzero(office.flights.gone_now)[0])]
    at = world.index[legs[0]["flight"]]
    there = (
        (world.origin == world.origin[at])
        & ~office.flights.gone_now
        & (office.flights.leaves_now > office.flights.leaves_now[at])
    )
    full = np.flatnonzero(there & (office.stock.seats()[:, 2] == 0))
    tries = {
        "flight_departed": [{"flight": departed}],
        "flight_cancelled": [{"flight": cancelled}],
        "impossible_connection": [legs[0], legs[0]],
        "wrong_destination": legs[:1],
    }
    if len(full):
        tries["no_seats"] = [{"flight": names[int(full[0])]}]
    before = unpack(desk.save())[-1]
    for code, itinerary in tries.items():
        result, _ = ask(desk, "book", group=group, legs=itinerary)
        assert result["error"]["code"] == code, result
    after = unpack(desk.save())[-1]
    for key in ("free", "bought", "parties", "queue"):
        assert pack(after[key]) == pack(before[key]), key
    if way["hotel_due"]:
        ask(desk, "hotel", group=group)
    assert "settled" in ask(desk, "book", group=group, legs=legs)[0]
    assert ask(desk, "book", group=group, legs=legs)[0]["error"]["code"] == "not_waiting"  # somebody else's group twice


def test_looking_changes_nothing(desk: Any) -> None:
    observation = at_work(desk, 900)
    group = observation["queue"][0]
    flight = ask(desk, "board", limit=1)[0]["flights"][0]["flight"]
    given = {
        "group": {"group": group["group"]},
        "propose": {"group": group["group"]},
        "flight": {"flight": flight},
        "seats": {"flight": flight},
        "connections": {"origin": "LHR", "destination": "PEK"},
    }
    before = unpack(desk.save())[-1]
    for tool in TOOLS.values():
        if not tool.changes:
            assert "error" not in ask(desk, tool.name, **given.get(tool.name, {}))[0], tool.name
    after = unpack(desk.save())[-1]
    for key in ("bought", "changed", "own_news", "returns", "caused"):  # time itself changes the others
        assert pack(after[key]) == pack(before[key]), key
    assert after["parties"][: len(before["parties"])] == before["parties"]


def test_every_tool_has_a_schema_that_chat_apis_take() -> None:
    told = TOOLS.openai_tools(allowed(True))
    assert [tool["function"]["name"] for tool in told] == list(TOOLS)
    for tool in told:
        schema = tool["function"]["parameters"]
        assert schema["type"] == "object" and schema["additionalProperties"] is False
        assert len(tool["function"]["description"]) > 15
    assert "delay" not in json.dumps([tool["function"]["name"] for tool in TOOLS.openai_tools()])


# --- how a unit is judged ---------------------------------------------------------------------------------------------


def test_a_group_that_is_brought_home_in_time_is_good(desk: Any) -> None:
    def flown(way: Any) -> Any:
        office, world = desk.office, desk.office.world
        flights = [world.index[leg["flight"]] for leg in way["legs"]]
        in_time = all((world.leaves[f] == office.flights.leaves_now[f]) and not world.gone[f] for f in flights)
        return in_time and way["late_min"] > 300 and way["cost"] < 500

    group, way, legs = offered(desk, flown)
    assert way["hotel_due"]
    assert "costs" in ask(desk, "hotel", group=group)[0]
    assert not ask(desk, "propose", group=group, legs=legs)[0]["itineraries"][0]["hotel_due"]  # it has one now
    result, events = ask(desk, "book", group=group, legs=legs)
    assert result["settled"] and ended(events) == [(UNIT_GOOD, None)]
    good = next(event for event in events if event.kind == UNIT_GOOD)
    assert 0 < good.data["cycle_s"] <= 1800


def test_who_is_five_hours_late_without_a_hotel_is_a_rule_broken(desk: Any) -> None:
    group, _, legs = offered(desk, lambda way: way["hotel_due"] and way["cost"] < 5000)
    _, events = ask(desk, "book", group=group, legs=legs)
    assert "rule_broken" in ended(events)[0][1]


def test_a_hotel_that_is_not_due_is_overpaid(desk: Any) -> None:
    group, _, legs = offered(desk, lambda way: not way["hotel_due"])
    ask(desk, "hotel", group=group)
    _, events = ask(desk, "book", group=group, legs=legs)
    assert "overpaid" in ended(events)[0][1]


def test_who_is_sent_through_an_airport_known_to_be_shut_is_bad(desk: Any) -> None:
    group, _, legs = offered(desk, lambda way: way["closed"], avoid_closed=False)
    _, events = ask(desk, "book", group=group, legs=legs)
    assert ended(events)[0][1][0] == "sent_into_closed_airspace"
    assert ask(desk, "propose", group=group)[0]["error"]["code"] == "not_waiting"


def test_who_will_miss_a_connection_comes_back_when_the_last_delay_that_does_it_is_known(desk: Any) -> None:
    group, _, legs = offered(desk, lambda way: len(way["legs"]) == 2 and not way["fare"])
    office = desk.office
    first, second = (office.world.index[leg["flight"]] for leg in legs)
    office.flights.set(
        first, int(office.flights.lands_now[second]), False, office.minute + 60, int(office.flights.aircraft[first])
    )
    office.flights.set(
        second, int(office.flights.leaves_now[second]), False, office.minute - 60, int(office.flights.aircraft[second])
    )
    soon = office.minute + 60
    ask(desk, "book", group=group, legs=legs)
    assert office.parties[group].breaks == soon and not desk.step(desk.hold)[4]["events"]


def test_a_refund_is_not_home_a_human_is_help_and_waiting_too_long_is_late(desk: Any) -> None:
    observation = at_work(desk, 1200)
    first, second = (row["group"] for row in observation["queue"][:2])
    assert ended(ask(desk, "refund", group=first)[1]) == [(UNIT_BAD, ["not_home"])]
    assert ended(ask(desk, "call_human", group=second, why="they shout")[1]) == [(UNIT_BAD, ["help"])]
    waited = desk.office.parties[desk.office.queue[0]]
    events = []
    while not events:
        events = [e for e in desk.step(desk.hold)[4]["events"] if e.kind == UNIT_BAD]
    assert events[0].data["reasons"] == ["late_service"] and events[0].data["cycle_s"] is None
    assert events[0].unit == waited.unit and 1800 < desk.now - waited.due_s <= 1802


def test_a_group_in_two_parts_is_one_unit_that_ends_with_the_last(desk: Any) -> None:
    observation = at_work(desk, 1200)
    group = next(row for row in observation["queue"] if row["people"] > 1)
    result, events = ask(desk, "split", group=group["group"], people=1)
    rest, part = result["groups"]
    assert (rest["people"], part["people"]) == (group["people"] - 1, 1) and not ended(events)
    assert not ended(ask(desk, "refund", group=part["group"])[1])
    assert ended(ask(desk, "refund", group=rest["group"])[1]) == [(UNIT_BAD, ["not_home"])]
    assert ask(desk, "split", group=observation["queue"][-1]["group"], people=999)[0]["error"]["code"] == "bad_number"


def test_seats_held_are_for_nobody_else_until_the_time_is_over(desk: Any) -> None:
    group, _, legs = offered(desk, lambda way: len(way["legs"]) == 1 and not way["fare"])
    people = desk.office.parties[group].people

    def free() -> Any:
        return ask(desk, "seats", flight=legs[0]["flight"])[0]["seats"][legs[0]["cabin"]]

    before = free()
    assert "held_until" in ask(desk, "hold", group=group, legs=legs, minutes=2.0)[0]
    assert free() == before - people
    for _ in range(130):
        desk.step(desk.hold)
    assert free() >= before
    assert ask(desk, "hold", group=group, legs=legs, minutes=99.0)[0]["error"]["code"] == "bad_number"


@pytest.mark.parametrize("worker", [Planner, Greedy])
def test_no_seat_is_sold_twice(desk: Any, worker: Any) -> None:
    run_shift(desk, worker(), seed=5, hours=1, clock="fixed:0.08")
    office: Office = desk.office
    world, bookings = office.world, office.world.instance.bookings
    assert (office.stock.free >= 0).all() and (office.stock.bought >= 0).all() and office.stock.bought.sum() > 0
    taken = np.zeros(world.seats.shape, dtype=np.int64)
    for party in office.parties.values():
        for f, cabin in party.legs if party.status == "settled" else []:
            taken[f, cabin] += party.people
    back = np.zeros(world.seats.shape, dtype=np.int64)
    for _, b in world.released[: office.released]:
        for leg in range(int(bookings.first[b] + world.groups.flown[b]), int(bookings.first[b + 1])):
            back[bookings.leg_flight[leg], bookings.leg_cabin[leg]] += bookings.passengers[b]
    held = np.zeros(world.seats.shape, dtype=np.int64)
    for party in office.parties.values():
        for f, cabin in party.held:
            held[f, cabin] += party.people
    own = slice(0, world.own)
    assert np.array_equal(office.stock.free[own], (world.seats + back - taken - held)[own])
    assert np.array_equal(office.stock.bought, (taken + held)[world.own :, 2])


# --- workers, and the bound -------------------------------------------------------------------------------------------


def test_no_worker_costs_less_than_the_bound_and_planner_beats_greedy_beats_queue_beats_idle(desk: Any) -> None:
    """Sums over two paired seeds; by how much, with its interval, is what benchmarks/desk.py prints."""
    total = {make: 0.0 for make in (Planner, Greedy, Queue, Idle)}
    for seed in range(2):
        for make in total:
            shift = run_shift(desk, make(), seed=seed, hours=1.5, clock="fixed:0.08")
            assert not shift.broken
            bound = hindsight(desk.office.world, shift.events)
            cost = tally(shift.events).cost
            assert bound.bound <= bound.value and bound.bound <= cost + 0.01
            total[make] += cost
    assert total[Planner] < total[Greedy] < total[Queue] <= total[Idle]


def test_the_planner_does_not_offer_a_group_what_it_found_for_another(desk: Any) -> None:
    at = {"now": "2026-03-01T06:00Z", "now_s": 10.0, "calls": 0}
    shut = {"message": 0, "kind": "closed", "place": "DOH", "at": at["now"], "until": "2026-03-01T12:00Z"}
    first, second = ({"group": name, "people": 2, "hotel": False} for name in ("A", "B"))
    leg = {"flight": "1/2026-03-02", "cabin": "E", "from": "DOH", "to": "PEK", "corridor": "middle"}
    leg |= {"departs": "2026-03-02T06:00Z", "arrives": "2026-03-02T12:00Z"}
    way = {"legs": [leg], "cost": 10.0, "fare": 0.0, "hotel_due": False}
    worker = Planner()
    worker.begin(desk.spec, 0)

    def act(result: Any, *queue: Any) -> Any:
        seen = {"queue": queue, "messages": [shut], "message_count": 1, "result": result}
        return json.loads(worker.act(at | seen).actions[0])

    assert act({"tool": "wait"}, first)["name"] == "board"
    act({"tool": "board", "flights": [], "next": None}, first)
    asked = act({"tool": "disrupted", "groups": []}, first)
    found = {"tool": "propose", "itineraries": [way], "not_brought_home_costs": 900.0}
    assert (asked["name"], asked["arguments"]["group"]) == ("propose", "A")
    assert "avoid" in asked["arguments"] and act(found, first)["arguments"]["group"] == "A"
    asked = act(found, second)
    assert asked["arguments"]["group"] == "B" and "avoid" in asked["arguments"], "A left; B is asked for from the start"
    none = found | {"itineraries": []}
    assert act(none, second)["name"] == "propose"
    assert act(none, second) == {"name": "split", "arguments": {"group": "B", "people": 1}}


@pytest.mark.parametrize(("takt_s", "groups"), [(60.0, 240), (20_000.0, 1)])
def test_the_planner_plans_for_those_of_the_next_four_hours_and_for_one_group_at_least(
    takt_s: float, groups: int
) -> None:
    worker = Planner()
    worker.begin(StationSpec("desk-v0", takt_s=takt_s), 0)
    seen: dict[str, Any] = {"now": "2026-03-01T06:00Z", "now_s": 10.0, "calls": 0, "messages": [], "message_count": 0}
    seen["queue"] = [{"group": "A", "people": 2, "hotel": False}]
    worker.act(seen | {"result": {"tool": "wait"}})
    asked = json.loads(worker.act(seen | {"result": {"tool": "board", "flights": [], "next": None}}).actions[0])
    assert asked == {"name": "disrupted", "arguments": {"after": 0, "limit": groups}}


def test_seats_of_a_very_large_group_are_saved(desk: Any) -> None:
    desk.reset(seed=0)
    desk.office.stock.free[0, 2] += 40_000
    other = FlightDesk(**SMALL)
    other.reset(seed=0)
    other.load(desk.save())
    assert np.array_equal(other.office.stock.free, desk.office.stock.free)


def test_while_the_reservation_system_is_down_the_desk_stands_and_then_goes_on(desk: Any) -> None:
    shift = run_shift(desk, Greedy(), seed=0, hours=0.5, clock="fixed:0.08", faults=["reservations_down@00:10:00+300s"])
    booked = [event.t_s for event in shift.events if event.kind == "booked"]
    assert not [t for t in booked if 601 < t < 900] and [t for t in booked if t > 905]
    assert [e.data["stops"] for e in shift.events if e.kind == "fault"] == [True]


def test_a_corridor_that_shuts_takes_its_flights_away(desk: Any) -> None:
    shut = Fault("corridor_closed", 1800.0, 4 * 3600.0)
    desk.reset(seed=0, options={"faults": (shut,)})
    world = desk.office.world
    since = world.instance.start + 30
    middle = (world.corridor == 1) & (np.arange(len(world.name)) >= world.own)
    inside = middle & (world.leaves >= since) & (world.leaves < since + 240)
    outside = middle & (world.leaves >= since + 300)
    assert inside.sum() > 3 and world.gone[inside].all() and not world.gone[outside].all()
    assert (world.known[inside] >= since).all()


def test_groups_come_when_their_trip_is_known_to_be_broken_and_not_before(desk: Any) -> None:
    desk.reset(seed=0)
    world = desk.office.world
    times = np.array([t for t, _ in world.units])
    assert (np.diff(times) >= 0).all() and len({b for _, b in world.units}) == len(world.units)
    for t_s, b in world.units[:500]:
        assert world.groups.breaks[b] < NEVER and world.instance.start + t_s / 60 >= world.groups.breaks[b]
    gaps = np.diff(times[times < 8 * 3600])
    # Exponential gaps with a mean of a takt of 60 s: the mean of 400 is within 4 standard errors (p = 6e-5).
    assert abs(gaps.mean() - 60) < 4 * 60 / np.sqrt(len(gaps))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scenario": "atlantis"}, "no scenario is called 'atlantis'"),
        ({"scenario": "gulf-2026", "instance": "x"}, "not both"),
        ({"instance": "no/such/folder"}, "no/such/folder"),
        ({"takt_s": 0}, "takt_s is 0"),
        ({"good_rate": 2}, "good_rate is 2"),
        ({"home_within_h": -1}, "home_within_h is -1"),
    ],
)
def test_options_that_are_wrong_are_named(options: Any, says: Any) -> None:
    with pytest.raises(TaktError, match=says.replace("(", r"\(")):
        open_station("flightdesk", **options)


def test_a_worker_that_answers_with_nonsense_gets_errors_not_a_broken_shift(desk: Any) -> None:
    shift = run_shift(desk, lambda observation: "I am sorry, I cannot do that", seed=0, hours=0.2, clock="fixed:1")
    assert not shift.broken
    assert tally(shift.events).refused["not_json"] > 100
