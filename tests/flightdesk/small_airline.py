"""Small airlines and wild plans for them, as the challenge's files: random by seed, for the property tests."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

CODES = ("AAA", "BBB", "CCC", "DDD", "EEE")
DATES = ("30/12/07", "31/12/07", "01/01/08")  # over the end of a year


def clock(minute: int) -> str:
    day, minute = divmod(minute, 1440)
    return f"{minute // 60:02d}:{minute % 60:02d}" + (f"+{day}" if day else "")


def write_airline(rng: random.Random, folder: Path) -> None:
    """An instance of 3 to 6 aircraft over two days, disrupted."""
    codes = CODES[: rng.randint(3, 5)]
    minutes = {(a, b): rng.randint(20, 320) for a in codes for b in codes if a != b}
    reach = {pair: rng.choice("DCI") for pair in minutes}
    tails = [_tail(rng, i, codes) for i in range(rng.randint(3, 6))]
    timetable, rotations = [], []
    for tail in tails:
        at, t, link = tail["airport"], rng.randint(0, 500), 0
        day_flights = []
        while t < 1300 and len(day_flights) < 6:
            to = rng.choice([code for code in codes if code != at])
            takes = max(10, minutes[at, to] + rng.choice([0, 0, -5, 5]))
            number = 100 + len(timetable) + len(day_flights)
            day_flights.append((number, at, to, t, t + takes, link))
            linked = rng.random() < 0.2
            link = number if linked else 0
            t += takes + tail["transit" if linked else "turn"] + rng.choice([0, 0, 5, 40, 120])
            at = to
        if at != tail["airport"]:  # home again for the next day
            number = 100 + len(timetable) + len(day_flights)
            day_flights.append((number, at, tail["airport"], t, t + minutes[at, tail["airport"]], 0))
        if len(day_flights) > 1 and not any(flight[5] for flight in day_flights) and rng.random() < 0.2:
            day_flights[0] = (*day_flights[0][:5], day_flights[-1][0])  # the next leg of the day before's last
        timetable += day_flights
        days = rng.choice([(0,), (0, 1)]) if day_flights[-1][4] < 1440 + day_flights[0][3] else (0,)
        rotations += [(number, day, tail["name"]) for day in days for number, *_ in day_flights]
    line = {number: rest for number, *rest in timetable}
    dated = {
        (number, day): (*line[number][:2], *(t + 1440 * day for t in line[number][2:4])) for number, day, _ in rotations
    }

    start = rng.choice([0, rng.randint(0, 1400)])
    end = start + rng.randint(600, 2900)
    files: dict[str, list[str]] = {
        "config": _config(rng, start, end),
        "airports": [_capacity(rng, code) for code in codes],
        "dist": [f"{a} {b} {minutes[a, b]} {reach[a, b]}" for a, b in minutes],
        "aircraft": [_tail_row(rng, tail, codes, start) for tail in tails],
        "flights": [f"{n} {a} {b} {clock(d)} {clock(e)} {link}" for n, a, b, d, e, link in timetable],
        "rotations": [f"{number} {DATES[day]} {name}" for number, day, name in rotations],
        "itineraries": _bookings(rng, dated),
        "position": [_wanted(rng, code, tails) for code in codes if rng.random() < 0.7],
        "alt_flights": [
            f"{number} {DATES[day]} {rng.choice([-1, 0, 5, 60, 200])}"
            for (number, day), (_, _, leaves, _) in dated.items()
            if rng.random() < (0.8 if 0 <= start - leaves < 200 else 0.15)
        ],
        "alt_aircraft": [
            f"{tail['name']} {_period(rng, 2 * 1440) if rng.random() < 0.5 else _over_midnight(rng)}"
            for tail in tails
            if rng.random() < 0.3
        ],
        "alt_airports": [
            f"{code} {_period(rng, 2 * 1440, rng.choice([60, 60, 30]))} {rng.randint(0, 2)} {rng.randint(0, 2)}"
            for code in codes
            if rng.random() < 0.3
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("".join(f"{row} \n" for row in rows) + "#\n")


def _tail(rng: random.Random, i: int, codes: tuple[str, ...]) -> dict:
    if i == 0:
        kind = {"model": "Bus", "family": "Bus", "seats": "-1/-1/-1"}
    else:
        family, model = rng.choice([("Big", "B1"), ("Big", "B2"), ("Small", "S1")])
        kind = {"model": model, "family": family, "seats": rng.choice(["2/4/10", "0/4/20", "0/0/12"])}
    turn = rng.randint(10, 50)
    return {**kind, "name": f"{kind['model']}#{i}", "airport": rng.choice(codes), "turn": turn, "transit": turn // 2}


def _tail_row(rng: random.Random, tail: dict, codes: tuple[str, ...], start: int) -> str:
    service = "NULL"
    if rng.random() < 0.3:
        at = rng.randint(300, 2500) if rng.random() < 0.6 else max(0, start - rng.randint(0, 120))
        until = at + rng.randint(60, 400)
        moments = f"{DATES[at // 1440]}-{clock(at % 1440)}-{DATES[until // 1440]}-{clock(until % 1440)}"
        service = f"{rng.choice(codes)}-{moments}-{rng.randint(100, 900)}"
    cost = rng.choice([0.0, 1700.0, 1812.5])
    return (
        f"{tail['name']} {tail['model']} {tail['family']} {tail['seats']} {rng.choice([100, 300, 400])} {cost} "
        f"{tail['turn']} {tail['transit']} {tail['airport']} {service}"
    )


def _config(rng: random.Random, start: int, end: int) -> list[str]:
    def table(low: float, high: float) -> str:
        return " ".join(f"{c} {r} {round(rng.uniform(low, high), 2)}" for c in "FBE" for r in "DCI")

    downgrade = " ".join(f"{a} {b} {r} {rng.randint(100, 900)}.5" for a, b in ("FB", "FE", "BE") for r in "DCI")
    moments = f"{DATES[start // 1440]} {clock(start % 1440)} {DATES[end // 1440]} {clock(end % 1440)}"
    weights = rng.choice(["1.0 1.0 1.0", "0.5 2.0 0.1"])
    return [moments, table(0, 2), table(200, 3000), table(700, 9000), downgrade, "20000.0 5000.0 1000.0", weights]


def _capacity(rng: random.Random, code: str) -> str:
    step = rng.choice([60, 60, 30])
    times = [0, *sorted(rng.sample(range(60, 1440, step), rng.randint(0, 3))), 1440]
    parts = [
        f"{rng.randint(0, 3)} {rng.randint(0, 3)} {clock(since)} {clock(until % 1440)}"
        for since, until in pairwise(times)
    ]
    return " ".join([code, *parts])


def _bookings(rng: random.Random, dated: dict) -> list[str]:
    rows = []
    for number in range(1, rng.randint(4, 30)):
        leg = rng.choice(list(dated))
        legs = [leg]
        while len(legs) < 4 and rng.random() < 0.5:
            _, at, _, landed = dated[legs[-1]]
            onward = [k for k, (origin, _, leaves, _) in dated.items() if origin == at and leaves >= landed + 30]
            if not onward:
                break
            legs.append(rng.choice(onward))
        text = " ".join(f"{n} {DATES[day]} {rng.choice('FBEEE')}" for n, day in legs)
        rows.append(f"{number} {rng.choice('AR')} {rng.choice([200.0, 287.5, 99.95])} {rng.randint(1, 9)} {text}")
    return rows


def _wanted(rng: random.Random, code: str, tails: list[dict]) -> str:
    kinds = rng.sample(tails, rng.randint(1, 2))
    return " ".join([code, *(f"{k['model']} {rng.choice(['0/0/12', k['seats']])} {rng.randint(1, 2)}" for k in kinds)])


def _period(rng: random.Random, until: int, step: int = 1) -> str:
    start = rng.randrange(0, until - 600, step)
    end = start + step * rng.randint(1, 600 // step)
    return f"{DATES[start // 1440]} {clock(start % 1440)} {DATES[end // 1440]} {clock(end % 1440)}"


def _over_midnight(rng: random.Random) -> str:
    start, end = rng.randint(600, 1439), rng.randint(0, 900)
    return f"{DATES[0]} {clock(start)} {DATES[rng.choice([1, 1, 2])]} {clock(end)}"


# --- plans ------------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    """A row of sol_rotations; times are minutes after the midnight of its date."""

    number: int
    origin: str
    destination: str
    departure: int
    arrival: int
    previous: int
    day: str
    aircraft: str

    def text(self) -> str:
        times = f"{clock(self.departure)} {clock(self.arrival)}"
        return f"{self.number} {self.origin} {self.destination} {times} {self.previous} {self.day} {self.aircraft}"


@dataclass
class Line:
    """A line of sol_itineraries; `legs` are (flight, date, cabin)."""

    booking: int
    direction: str
    price: str
    people: int
    legs: list[tuple[int, str, str]] = field(default_factory=list)
    cancelled: bool = False

    def text(self) -> str:
        legs = [f"{number} {day} {cabin}" for number, day, cabin in self.legs]
        end = ["cancelled"] if self.cancelled else []
        return " ".join([str(self.booking), self.direction, self.price, str(self.people), *legs, *end])


def read_plan(folder: Path) -> tuple[list[Row], list[Line]]:
    def minute(text: str) -> int:
        hours, _, day = text.partition("+")
        return int(hours[:2]) * 60 + int(hours[3:]) + 1440 * int(day or 0)

    rows, lines = [], []
    for text in (folder / "sol_rotations.csv").read_text().split("#\n")[0].splitlines():
        n, a, b, d, e, link, day, tail = text.split()
        rows.append(Row(int(n), a, b, minute(d), minute(e), int(link), day, tail))
    for text in (folder / "sol_itineraries.csv").read_text().split("#\n")[0].splitlines():
        b, direction, price, people, *legs = text.split()
        cancelled = bool(legs) and legs[-1] == "cancelled"
        legs = legs[:-1] if cancelled else legs
        triples = [(int(legs[i]), legs[i + 1], legs[i + 2]) for i in range(0, len(legs), 3)]
        lines.append(Line(int(b), direction, price, int(people), triples, cancelled))
    return rows, lines


def write_plan(rows: list[Row], lines: list[Line], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sol_rotations.csv").write_text("".join(row.text() + "\n" for row in rows) + "#\n")
    (folder / "sol_itineraries.csv").write_text("".join(line.text() + "\n" for line in lines) + "#\n")


def wild(rng: random.Random, rows: list[Row], lines: list[Line], tails: list[str]) -> tuple[list[Row], list[Line]]:
    """The plan with a few changes that a careless planner could make, allowed or not."""
    rows, lines = [replace(row) for row in rows], [replace(line, legs=list(line.legs)) for line in lines]
    for _ in range(rng.randint(0, 8)):
        row = rng.choice(rows)
        change = rng.randrange(10)
        if change == 0:
            row.aircraft = rng.choice([*tails, "cancelled"])
        elif change in (1, 2):
            later = rng.choice([5, 30, 90, 600, 1440])
            row.departure, row.arrival = row.departure + later, row.arrival + later
        elif change == 3:
            earlier = min(row.departure, rng.choice([5, 60]))
            row.departure, row.arrival = row.departure - earlier, row.arrival - earlier
        elif change == 4:
            row.arrival += rng.choice([-5, 1, 300])
        elif change == 5:
            row.destination = rng.choice(rows).origin
        elif change == 6:
            row.previous = rng.choice([0, rng.choice(rows).number])
        elif change == 7:
            rows.remove(row)
        elif change == 8:
            rows.insert(rng.randrange(len(rows)), replace(row, aircraft=rng.choice([row.aircraft, "cancelled"])))
        else:
            number = rng.choice([9000 + rng.randint(0, 5), row.number])
            takes = rng.choice([row.arrival - row.departure, 75])
            leaves = rng.randint(0, 1439)
            tail = rng.choice([*tails, "cancelled"])
            rows.append(Row(number, row.destination, row.origin, leaves, leaves + takes, 0, rng.choice(DATES), tail))
        if not rows:
            rows.append(row)
    for _ in range(rng.randint(0, 8)):
        line = rng.choice(lines)
        change = rng.randrange(8)
        if change == 0:
            line.people += rng.choice([-1, 1, 10]) if line.people > 1 else 1
        elif change == 1 and line.people > 1:
            line.people -= 1
            lines.insert(rng.randrange(len(lines) + 1), replace(line, legs=list(line.legs), people=1))
        elif change == 2:
            line.cancelled = True
        elif change == 3 and line.legs:
            line.legs.pop(rng.randrange(len(line.legs)))
        elif change == 4 and line.legs:
            i = rng.randrange(len(line.legs))
            line.legs[i] = (*line.legs[i][:2], rng.choice("FBE"))
        elif change in (5, 6):
            other = rng.choice(rows)
            line.legs.insert(rng.randint(0, len(line.legs)), (other.number, other.day, rng.choice("FBE")))
            line.cancelled = line.cancelled and rng.random() < 0.5
        else:
            line.direction = rng.choice("AR")
        line.cancelled = line.cancelled or not line.legs
    if rng.random() < 0.2:
        lines.remove(rng.choice(lines))
    return rows, lines
