"""Check and cost once more, slowly and obviously: dictionaries and loops over the files' own words.

Written from the rules as `docs/flightdesk.md` gives them, sharing no code with `check.py` and `cost.py`. A violation is
(rule, what it is about): a flight, a tail, an airport and hour, or a booking.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

ORDER = "FBE"


def lines_of(path: Path) -> list[list[str]]:
    lines = []
    for text in path.read_text().splitlines():
        if text.startswith("#"):
            break
        words = text.split()
        if words and words[-1] == "#":
            words = words[:-1]
        if words:
            lines.append(words)
    return lines


def day_of(text: str) -> int:
    day, month, year = text.split("/")
    return date(2000 + int(year), int(month), int(day)).toordinal()


def minute_of(text: str) -> int:
    hours, _, days = text.partition("+")
    return int(hours.split(":")[0]) * 60 + int(hours.split(":")[1]) + 1440 * int(days or 0)


class Airline:
    """The instance, word for word. Minutes count from year 1."""

    def __init__(self, folder: Path) -> None:
        files = {path.stem: lines_of(path) for path in folder.glob("*.csv")}
        config = files["config"]
        self.start = day_of(config[0][0]) * 1440 + minute_of(config[0][1])
        self.end = day_of(config[0][2]) * 1440 + minute_of(config[0][3])
        self.delay_cost = {(c[0], c[1]): float(c[2]) for c in chunks(config[1], 3)}
        self.outbound_cost = {(c[0], c[1]): float(c[2]) for c in chunks(config[2], 3)}
        self.inbound_cost = {(c[0], c[1]): float(c[2]) for c in chunks(config[3], 3)}
        self.downgrade_cost = {(c[0], c[1], c[2]): float(c[3]) for c in chunks(config[4], 4)}
        self.family_cost, self.model_cost, self.configuration_cost = map(float, config[5])
        self.alpha, self.beta, self.gamma = map(float, config[6])
        self.distance = {(r[0], r[1]): (int(r[2]), r[3]) for r in files["dist"]}
        self.aircraft = {r[0]: r for r in files["aircraft"]}
        self.timetable = {r[0]: r for r in files["flights"]}
        self.capacity = {r[0]: chunks(r[1:], 4) for r in files["airports"]}
        self.closures = files["alt_airports"]
        self.groundings = files["alt_aircraft"]
        self.position = files["position"]
        changes = {(r[0], r[1]): int(r[2]) for r in files["alt_flights"]}
        self.flights: dict[tuple[str, str], dict[str, Any]] = {}
        for number, day, tail in files["rotations"]:
            _, origin, destination, departure, arrival, previous = self.timetable[number]
            midnight = day_of(day) * 1440
            self.flights[number, day] = {
                "origin": origin,
                "destination": destination,
                "departure": midnight + minute_of(departure),
                "arrival": midnight + minute_of(arrival),
                "previous": previous,
                "before": self.leg_before(previous, day, minute_of(departure)),
                "tail": tail,
                "delay": max(changes.get((number, day), 0), 0),
                "cancelled": changes.get((number, day), 0) < 0,
            }
        self.bookings: dict[str, dict[str, Any]] = {
            r[0]: {"direction": r[1], "price": float(r[2]), "people": int(r[3]), "legs": chunks(r[4:], 3)}
            for r in files["itineraries"]
        }

    def leg_before(self, previous: str, day: str, departure: int) -> tuple[str, str]:
        """Number and date of the leg before a flight of this date: of the last day on which it lands in time."""
        lands, earlier = minute_of(self.timetable[previous][4]) if previous != "0" else 0, 0
        while lands - 1440 * earlier > departure:
            earlier += 1
        return previous, date.fromordinal(day_of(day) - earlier).strftime("%d/%m/%y") if earlier else day

    def fixed(self, key: tuple[str, str]) -> bool:
        leaves = self.flights[key]["departure"] + self.flights[key]["delay"]
        return not self.start <= leaves < self.end

    def by_road(self, tail: str) -> bool:
        return self.aircraft[tail][3].startswith("-1")

    def takes(self, airport: str, hour: int) -> tuple[int, int]:
        """Departures and arrivals in the clock hour that starts at minute `hour`."""
        usual, instead = [], []
        for departures, arrivals, since, until in self.capacity[airport]:
            if minute_of(since) < hour % 1440 + 60 and hour % 1440 < (minute_of(until) or 1440):
                usual.append((int(departures), int(arrivals)))
        for code, d1, t1, d2, t2, departures, arrivals in self.closures:
            begins, ends = day_of(d1) * 1440 + minute_of(t1), day_of(d2) * 1440 + minute_of(t2)
            if code == airport and begins < hour + 60 and hour < ends:
                instead.append((int(departures), int(arrivals)))
        said = instead or usual or [(0, 0)]
        return min(leave for leave, _ in said), min(land for _, land in said)

    def trip(self, booking: str) -> dict:
        legs = self.bookings[booking]["legs"]
        flights = [self.flights[number, day] for number, day, _ in legs]
        begun = 0
        for i, flight in enumerate(flights):
            leaves = flight["departure"] + flight["delay"]
            if flight["cancelled"] or leaves >= self.start:
                break
            aboard = i and flight["before"] == tuple(legs[i - 1][:2])  # two legs of one flight
            if i and not aboard and leaves < flights[i - 1]["arrival"] + flights[i - 1]["delay"] + 30:
                break
            begun += 1
        reaches = {self.distance[f["origin"], f["destination"]][1] for f in flights}
        return {
            "origin": flights[0]["origin"],
            "destination": flights[-1]["destination"],
            "departure": flights[0]["departure"],
            "arrival": flights[-1]["arrival"],
            "flying": sum(f["arrival"] - f["departure"] for f in flights),
            "reach": "I" if "I" in reaches else "C" if "C" in reaches else "D",
            "cabin": min((cabin for _, _, cabin in legs), key=ORDER.index),
            "begun": legs[:begun],
        }


class Plan:
    """A solution, word for word."""

    def __init__(self, folder: Path) -> None:
        self.rows: list[dict[str, Any]] = []
        for number, origin, destination, departure, arrival, previous, day, tail in lines_of(
            folder / "sol_rotations.csv"
        ):
            midnight = day_of(day) * 1440
            self.rows.append(
                {
                    "key": (number, day),
                    "origin": origin,
                    "destination": destination,
                    "departure": midnight + minute_of(departure),
                    "arrival": midnight + minute_of(arrival),
                    "previous": previous,
                    "tail": None if tail == "cancelled" else tail,
                }
            )
        self.first = {}
        for row in self.rows:
            self.first.setdefault(row["key"], row)
        self.lines = []
        for words in lines_of(folder / "sol_itineraries.csv"):
            cancelled = words[-1] == "cancelled"
            legs = chunks(words[4 : len(words) - cancelled], 3)
            self.lines.append((words[0], words[1], float(words[2]), int(words[3]), legs, cancelled))


def chunks(words: list[str], size: int) -> list[list[str]]:
    return [words[i : i + size] for i in range(0, len(words), size)]


def slow_check(instance: Path, solution: Path) -> Counter:
    airline, plan = Airline(instance), Plan(solution)
    wrong: Counter = Counter()
    rotation = defaultdict(list)
    for row in plan.rows:
        if row["tail"]:
            rotation[row["tail"]].append(row)
    for rows in rotation.values():
        rows.sort(key=lambda row: (row["departure"], row["arrival"]))

    for key in airline.flights:
        if key not in plan.first:
            wrong["MISSING_FLIGHT", key] += 1
    counted: set = set()
    for row in plan.rows:
        key = row["key"]
        if key in counted:
            wrong["FLOWN_TWICE", key] += 1
        counted.add(key)
        if key in airline.flights:
            check_planned(airline, row, wrong)
        else:
            check_created(airline, row, wrong)
    for tail in airline.aircraft:
        check_rotation(airline, plan, tail, rotation[tail], wrong)
    check_slots(airline, plan, wrong)
    check_groups(airline, plan, wrong)
    return +wrong


def check_planned(airline: Airline, row: dict, wrong: Counter) -> None:
    key, flight = row["key"], airline.flights[row["key"]]
    leaves = flight["departure"] + flight["delay"]
    fixed = airline.fixed(key)
    if row["tail"] is None:
        if flight["cancelled"]:
            return
        if fixed:
            wrong["FIXED", key] += 1
        elif flight["delay"]:
            wrong["GIVEN_DELAY", key] += 1
        elif airline.by_road(flight["tail"]):
            wrong["SURFACE", key] += 1
        return
    if (row["origin"], row["destination"]) != (flight["origin"], flight["destination"]):
        wrong["ROUTE", key] += 1
    if row["arrival"] - row["departure"] != flight["arrival"] - flight["departure"]:
        wrong["DURATION", key] += 1
    if row["previous"] != flight["previous"]:
        wrong["LINK", key] += 1
    family = airline.aircraft[row["tail"]][2] == airline.aircraft[flight["tail"]][2]
    moved = row["departure"] != leaves or row["tail"] != flight["tail"]
    if flight["cancelled"]:
        wrong["REVIVED", key] += 1
    elif row["departure"] < flight["departure"]:
        wrong["EARLY", key] += 1
    elif fixed:
        if moved:
            wrong["FIXED", key] += 1
    elif flight["delay"]:
        if moved:
            wrong["GIVEN_DELAY", key] += 1
    elif airline.by_road(flight["tail"]) and moved:
        wrong["SURFACE", key] += 1
    if airline.by_road(row["tail"]) and row["tail"] != flight["tail"]:
        wrong["SURFACE", key] += 1
    if not fixed and not family:
        wrong["FAMILY", key] += 1
    if row["arrival"] > airline.end:
        wrong["OVERTIME", key] += 1


def check_created(airline: Airline, row: dict, wrong: Counter) -> None:
    key = row["key"]
    if row["tail"] is None:
        wrong["CREATED_CANCELLED", key] += 1
        return
    if airline.by_road(row["tail"]):
        wrong["SURFACE", key] += 1
    if key[0] in airline.timetable:
        wrong["CREATED_NUMBER", key] += 1
    if row["previous"] != "0":
        wrong["CREATED_LINK", key] += 1
    if row["arrival"] - row["departure"] != airline.distance.get((row["origin"], row["destination"]), (-1,))[0]:
        wrong["CREATED_DURATION", key] += 1
    if not airline.start <= row["departure"] < airline.end:
        wrong["CREATED_PAST", key] += 1
    if row["arrival"] > airline.end:
        wrong["OVERTIME", key] += 1


def check_rotation(airline: Airline, plan: Plan, tail: str, rows: list[dict], wrong: Counter) -> None:
    _, _, _, _, most, _, turn, transit, airport, service = airline.aircraft[tail]

    def still(row: dict) -> bool:
        return row["key"] in airline.flights and airline.fixed(row["key"])

    before = None
    for row in rows:
        flight = airline.flights.get(row["key"])
        linked = flight["before"] if flight else None
        next_leg = before is not None and linked in airline.flights and before["key"] == linked
        if before is None and row["origin"] != airport:
            wrong["START", row["key"]] += 1
        if before is not None:
            if row["origin"] != before["destination"]:
                wrong["CONTINUITY", row["key"]] += 1
            if row["departure"] - before["arrival"] < int(transit if next_leg else turn):
                wrong["TURN", row["key"]] += 1
        if linked in airline.flights and not next_leg and not still(row):
            wrong["LEGS_APART", row["key"]] += any(r["key"] == linked and r["tail"] for r in plan.rows)
        if row["arrival"] - row["departure"] > int(most):
            wrong["RANGE", row["key"]] += 1
        before = row
    for name, d1, t1, d2, t2 in airline.groundings:
        since, until = day_of(d1) * 1440 + minute_of(t1), day_of(d2) * 1440 + minute_of(t2)
        for row in rows:
            if name != tail or row["arrival"] <= since:
                continue
            on = day_of(row["key"][1])  # the date of the row, whenever it leaves
            if row["departure"] < until or since // 1440 <= on < max(until // 1440, since // 1440 + 1):
                wrong["GROUNDED", row["key"]] += 1
    if service != "NULL":
        at, d1, t1, d2, t2, minutes = service.split("-")
        since, until = day_of(d1) * 1440 + minute_of(t1), day_of(d2) * 1440 + minute_of(t2)
        ahead = [row for row in rows if row["departure"] < since]
        if (ahead[-1]["destination"] if ahead else airport) != at:
            wrong["SERVICE_AIRPORT", tail] += 1
        for row in rows:
            if row["departure"] < until and row["arrival"] > since:
                wrong["SERVICE_TIME", row["key"]] += 1
        if sum(row["arrival"] - row["departure"] for row in ahead) > int(minutes):
            wrong["SERVICE_MINUTES", tail] += 1


def check_slots(airline: Airline, plan: Plan, wrong: Counter) -> None:
    hours: dict = defaultdict(list)
    for row in plan.rows:
        if row["tail"] and not airline.aircraft[row["tail"]][3].startswith("-1"):
            hours["DEPARTURES", row["origin"], row["departure"] // 60 * 60].append(row["key"])
            hours["ARRIVALS", row["destination"], row["arrival"] // 60 * 60].append(row["key"])
    for (rule, airport, hour), keys in hours.items():
        limit = airline.takes(airport, hour)[rule == "ARRIVALS"]
        if len(keys) > limit:
            wrong[rule, (airport, hour)] += 1


def check_groups(airline: Airline, plan: Plan, wrong: Counter) -> None:
    people: Counter = Counter()
    aboard: Counter = Counter()
    for booking, direction, price, count, legs, cancelled in plan.lines:
        booked, trip = airline.bookings[booking], airline.trip(booking)
        people[booking] += count
        if direction != booked["direction"] or price != booked["price"]:
            wrong["BOOKING", booking] += 1
        rows = [plan.first.get((number, day)) for number, day, _ in legs]
        if rows and rows[0]:
            if rows[0]["origin"] != trip["origin"]:
                wrong["ORIGIN", booking] += 1
            if rows[0]["departure"] < trip["departure"]:
                wrong["TOO_EARLY", booking] += 1
        if rows and rows[-1] and not cancelled:
            if rows[-1]["destination"] != trip["destination"]:
                wrong["DESTINATION", booking] += 1
            late = rows[-1]["arrival"] - trip["arrival"]
            if booked["direction"] == "A" and late > (36 if trip["reach"] == "I" else 18) * 60:
                wrong["TOO_LATE", booking] += 1
        for i, row in enumerate(rows):
            if row is None:
                wrong["NO_SUCH_FLIGHT", booking] += 1
                continue
            if row["tail"] is None:
                wrong["ON_CANCELLED", booking] += 1
            aboard[row["key"], legs[i][2]] += count
            if i and rows[i - 1]:
                if row["origin"] != rows[i - 1]["destination"]:
                    wrong["JOIN", booking] += 1
                flown = i < len(trip["begun"])
                if row["departure"] - rows[i - 1]["arrival"] < 30 and not flown:
                    wrong["CONNECTION", booking] += 1
            if row["departure"] < airline.start and i >= len(trip["begun"]):
                wrong["GONE", booking] += 1
        if cancelled and legs and not trip["begun"]:
            wrong["PART_CANCELLED", booking] += 1
        if legs[: len(trip["begun"])] != trip["begun"]:
            wrong["BEGUN", booking] += 1
    for booking, booked in airline.bookings.items():
        if people[booking] != booked["people"]:
            wrong["HEADCOUNT", booking] += 1
    for (key, cabin), count in aboard.items():
        tail = plan.first[key]["tail"]
        if tail:
            seats = int(
                airline.aircraft[tail][3].replace("-1/-1/-1", "999999/999999/999999").split("/")[ORDER.index(cabin)]
            )
            if count > seats:
                wrong["CABIN", key] += 1


def slow_cost(instance: Path, solution: Path) -> dict[str, float]:
    airline, plan = Airline(instance), Plan(solution)
    parts = dict.fromkeys(
        (
            "cancellation_compensation",
            "delay_compensation",
            "not_flown",
            "added",
            "swapped",
            "delay",
            "outbound_cancelled",
            "inbound_cancelled",
            "downgrading",
            "position",
        ),
        0.0,
    )
    sticky = False
    for booking, _, _, count, legs, cancelled in plan.lines:
        booked, trip = airline.bookings[booking], airline.trip(booking)
        rows = [plan.first.get((number, day)) for number, day, _ in legs]
        arrives = bool(rows) and rows[-1] is not None and rows[-1]["destination"] == trip["destination"]
        tariff = trip["cabin"], trip["reach"]
        band = 0 if trip["flying"] < 120 else 1 if trip["flying"] < 270 else 2
        if cancelled or not arrives:
            if legs:
                sticky = True
            parts["cancellation_compensation"] += count * (booked["price"] + (250, 400, 600)[band])
            if booked["direction"] == "R" or sticky:
                parts["inbound_cancelled"] += count * airline.inbound_cost[tariff]
            else:
                parts["outbound_cancelled"] += count * airline.outbound_cost[tariff]
            continue
        sticky = False
        late = rows[-1]["arrival"] - trip["arrival"]
        if late > 0:
            parts["delay"] += count * late * airline.delay_cost[tariff]
        if late > (120, 180, 240)[band]:
            parts["delay_compensation"] += count * 15
        if late > 300:
            parts["delay_compensation"] += count * 60
        had = {(number, day) for number, day, _ in booked["legs"]}
        for (number, day, cabin), row in zip(legs, rows, strict=True):
            if row and (number, day) not in had and ORDER.index(cabin) > ORDER.index(trip["cabin"]):
                reach = airline.distance.get((row["origin"], row["destination"]), (0, "D"))[1]
                parts["downgrading"] += count * airline.downgrade_cost[trip["cabin"], cabin, reach]

    def flight_cost(minutes: int, tail: str) -> float:
        return math.ceil(minutes / 60) * float(airline.aircraft[tail][5])

    last = {row["key"]: row for row in plan.rows}
    for key, flight in airline.flights.items():
        minutes, tail = flight["arrival"] - flight["departure"], last.get(key, {"tail": None})["tail"]
        if tail is None:
            parts["not_flown"] += flight_cost(minutes, flight["tail"])
        elif tail != flight["tail"]:
            parts["swapped"] += flight_cost(minutes, tail) - flight_cost(minutes, flight["tail"])
    for row in plan.rows:
        if row["key"] not in airline.flights and row["tail"]:
            parts["added"] += flight_cost(row["arrival"] - row["departure"], row["tail"])
    parts["position"] = position_cost(airline, plan)
    return parts


def position_cost(airline: Airline, plan: Plan) -> float:
    at = {tail: row[8] for tail, row in airline.aircraft.items()}
    for row in sorted(plan.rows, key=lambda row: row["departure"]):
        if row["tail"]:
            at[row["tail"]] = row["destination"]
    family = {row[1]: row[2] for row in airline.aircraft.values()}
    total = 0.0
    for airport, *kinds in airline.position:
        places = [(model, seats) for model, seats, count in chunks(kinds, 3) for _ in range(int(count))]
        there = [tail for tail in at if at[tail] == airport]
        for same in (  # each time, what fits so well takes a place
            lambda place, row: place == (row[1], row[3]),
            lambda place, row: place[0] == row[1],
            lambda place, row: family[place[0]] == row[2],
        ):
            for place in list(places):
                fits = [tail for tail in there if same(place, airline.aircraft[tail])]  # type: ignore[no-untyped-call]
                if fits:
                    there.remove(fits[0])
                    places.remove(place)
                    if place[0] != airline.aircraft[fits[0]][1]:
                        total += airline.model_cost
                    elif place[1] != airline.aircraft[fits[0]][3]:
                        total += airline.configuration_cost
        total += len(places) * airline.family_cost
    return total


def slow_total(airline: Airline, parts: dict[str, float]) -> float:
    operating = parts["cancellation_compensation"] + parts["delay_compensation"]
    operating += parts["added"] + parts["swapped"] - parts["not_flown"]
    people = parts["delay"] + parts["outbound_cancelled"] + parts["inbound_cancelled"] + parts["downgrading"]
    return airline.alpha * operating + airline.beta * people + airline.gamma * parts["position"]
