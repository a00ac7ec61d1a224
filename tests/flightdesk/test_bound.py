"""The lower bound: below every valid plan, and where a pencil can tell, as high as it says."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import by_hand
import numpy as np
import pytest
from small_airline import DATES, clock, write_airline

from takt.cli import main
from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import gulf_2026, two_hubs
from takt.stations.flightdesk.airline.recovery.bound import lower_bound
from takt.stations.flightdesk.airline.recovery.recover import recover
from takt.stations.flightdesk.airline.solution import Solution, operations_of, trips_of

SHARED = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
EVER = float("inf")


@pytest.fixture(scope="module")
def bound() -> Iterator[Any]:
    """In a process of its own: other tests have the compiled code run as plain Python."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        yield lambda instance, rounds: process.submit(lower_bound, instance, EVER, rounds).result()


def valid_costs(instance: Any) -> list[Any]:
    plans = (do_nothing(instance), greedy_delay(instance))
    return [cost(instance, plan).total for plan in plans if not check(instance, plan)]


def write_gentle_airline(rng: random.Random, folder: Path) -> None:
    """A small airline with room at its airports and no maintenance: about half of them have valid plans."""
    write_airline(rng, folder)
    rows = {p.stem: [line.split() for line in p.read_text().splitlines() if line != "#"] for p in folder.iterdir()}
    begin = rng.choice([0, 0, rng.randint(0, 700)])
    end = begin + rng.randint(3000, 3500)
    rows["config"][0] = [DATES[begin // 1440], clock(begin % 1440), DATES[end // 1440], clock(end % 1440)]
    rows["airports"] = [[row[0], "9", "9", "00:00", "00:00"] for row in rows["airports"]]
    for row in rows["aircraft"]:
        row[4], row[9] = "400", "NULL"
        if row[1] != "Bus":
            row[3], row[5] = rng.choice(["4/6/9", "0/6/14", "6/6/6"]), rng.choice(["600.0", "1000.0", "1700.0"])
    for name, share in (("alt_flights", 0.4), ("alt_aircraft", 0.3)):
        rows[name] = [row for row in rows[name] if rng.random() < share]
    load: Counter[tuple[str, str, str]] = Counter()
    bookings = []
    for number, direction, price, _, *words in rows["itineraries"]:
        people = rng.randint(1, 4)
        legs = [(words[k], words[k + 1], "E" if rng.random() < 0.6 else "B") for k in range(0, len(words), 3)]
        if max(load[leg] for leg in legs) + people <= 6:
            load.update({leg: people for leg in legs})
            bookings.append([number, direction, price, str(people), *(word for leg in legs for word in leg)])
    rows["itineraries"] = bookings
    for name, table in rows.items():
        (folder / f"{name}.csv").write_text("".join(" ".join(row) + " \n" for row in table) + "#\n")


def test_no_baseline_of_a_small_airline_costs_less(bound: Any, tmp_path: Path) -> None:
    """With surface transport, given delays, groundings and closed airports; 2,000 more were tried once."""
    tried = 0
    for seed in range(40):
        write_gentle_airline(random.Random(seed), tmp_path / str(seed))
        instance = read_instance(tmp_path / str(seed))
        costs = valid_costs(instance)
        tried += len(costs)
        if costs:
            assert bound(instance, 12).eur <= min(costs), seed
    assert tried > 15


@pytest.mark.parametrize(
    ("recipe", "seed"),
    [
        (two_hubs(flights=150, aircraft=21, bookings=300), 1),
        (gulf_2026(flights=150, aircraft=40, bookings=300, days=3), 3),
    ],
)
def test_no_plan_that_the_search_finds_costs_less(bound: Any, recipe: Any, seed: Any) -> None:
    instance = generate(recipe, seed)
    *_, last = recover(instance, iterations=300, searchers=1, exact=True)
    found = bound(instance, 15)
    assert found.eur <= last.cost.total


@pytest.mark.skipif(not SHARED.exists(), reason="the challenge's instances are not here")
def test_more_rounds_never_lower_it_and_beat_what_all_flights_would_save(bound: Any) -> None:
    instance = read_instance(SHARED / "A01")
    found = [bound(instance, rounds) for rounds in (0, 1, 10, 25)]
    values = [each.eur for each in found]
    assert values == sorted(values) and values[0] < values[1] < values[3]
    assert [each.rounds for each in found] == [0, 1, 10, 25]
    assert values[0] == pytest.approx(-829_952.90, abs=0.02) and values[3] > -400_000.0


# --- with a pencil ----------------------------------------------------------------------------------------------------

ALONE = {
    "config": by_hand.FILES["config"],
    "airports": "AAA 3 3 00:00 00:00\nBBB 3 3 00:00 00:00",
    "dist": "AAA BBB 61 D",
    "aircraft": "J1#1 J1 Jet 0/0/10 400 1000.0 30 20 AAA NULL",
    "flights": "1 AAA BBB 12:00 13:00 0",
    "rotations": "1 01/01/08 J1#1",
    "position": "",
}


def alone(tmp_path: Path, people: Any, **files: Any) -> Any:
    """One flight of 1,000 EUR with ten seats, and groups who lose 450 EUR each if they stay: 100 + 250 + 100."""
    groups = "\n".join(f"{i} A 100.0 {count} 1 01/01/08 E" for i, count in enumerate(people, 1))
    return read_instance(by_hand.write(tmp_path, **{**ALONE, "itineraries": groups, **files}))


def test_an_airline_where_nothing_happened_is_bounded_by_no_more_than_nothing(bound: Any, tmp_path: Path) -> None:
    assert bound(read_instance(by_hand.write(tmp_path)), 30).eur <= 0.0


def test_a_full_flight_is_paid_by_its_seats(bound: Any, tmp_path: Path) -> None:
    assert bound(alone(tmp_path, [4, 6]), 1).eur == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("people", "best"), [([3, 4], 0.0), ([2], -100.0)])
def test_an_emptier_one_by_who_would_lose_more_than_it_costs(
    bound: Any, tmp_path: Path, people: Any, best: Any
) -> None:
    """Seven would lose 3,150 EUR, so it flies; two would lose 900, so it does not, which saves 1,000."""
    by_seats = sum(people) * 100.0 - 1000.0
    found = bound(alone(tmp_path, people), 400).eur
    assert by_seats + 0.2 * (best - by_seats) < found <= best


def test_a_cancelled_flight_costs_its_passengers_or_a_new_flight(bound: Any, tmp_path: Path) -> None:
    # Ten stay for 4,500 EUR; a new flight of 61 minutes is two hours, 2,000 EUR; 1,000 are saved; all a minute late.
    found = bound(alone(tmp_path, [10], alt_flights="1 01/01/08 -1"), 1).eur
    assert found == pytest.approx(2000.0 - 1000.0 + 10 * 0.1, abs=0.02)


def test_who_cannot_wait_for_a_new_flight_stays(bound: Any, tmp_path: Path) -> None:
    files = {"alt_flights": "1 01/01/08 -1", "alt_airports": "BBB 01/01/08 00:00 02/01/08 06:00 0 0"}
    assert bound(alone(tmp_path, [6], **files), 1).eur == pytest.approx(6 * 450.0 - 1000.0, abs=0.02)


def test_a_given_delay_is_paid_by_the_minute(bound: Any, tmp_path: Path) -> None:
    # The airport lets nothing else land: 130 minutes and a meal for five.
    files = {"alt_flights": "1 01/01/08 130", "alt_airports": "AAA 01/01/08 00:00 02/01/08 06:00 1 1"}
    late = bound(alone(tmp_path, [5], **files), 1).eur
    assert 0.0 < late <= 5 * (130 * 0.1 + 15.0)


def test_no_choice_of_who_flies_what_when_and_who_boards_costs_less(bound: Any, tmp_path: Path) -> None:
    """Two flights and three groups, every plan without new flights and with delays of half an hour."""
    rng = random.Random(5)
    for case in range(4):
        leaves = [12 * 60 + rng.randrange(0, 60), 13 * 60 + rng.randrange(0, 60)]
        text = "\n".join(
            f"{i} AAA BBB {t // 60:02d}:{t % 60:02d} {t // 60 + 1:02d}:{t % 60:02d} 0" for i, t in enumerate(leaves, 1)
        )
        groups = [(rng.randrange(2), rng.randint(1, 8)) for _ in range(3)]
        files = ALONE | {
            "aircraft": "J1#1 J1 Jet 0/0/10 400 1000.0 30 20 AAA NULL\nJ1#2 J1 Jet 0/0/14 400 1100.0 30 20 AAA NULL",
            "flights": text,
            "rotations": "1 01/01/08 J1#1\n2 01/01/08 J1#2",
            "itineraries": "\n".join(f"{i} A 100.0 {n} {f + 1} 01/01/08 E" for i, (f, n) in enumerate(groups, 1)),
        }
        instance = read_instance(by_hand.write(tmp_path / str(case), **files))
        cheapest, valid = EVER, 0
        flying = [None, *product((0, 1), (0, 30))]
        for ways in product(flying, flying):
            aircraft = [-1 if way is None else way[0] for way in ways]
            if aircraft[0] == aircraft[1] >= 0:
                continue
            departure = [leaves[i] if way is None else leaves[i] + way[1] for i, way in enumerate(ways)]
            for boards in product((None, 0, 1), repeat=3):
                lines = [(b, groups[b][1], [] if f is None else [(f, 2)], f is None) for b, f in enumerate(boards)]
                plan = planned(instance, departure, aircraft, lines)
                if plan is None or check(instance, plan):
                    continue
                valid, cheapest = valid + 1, min(cheapest, cost(instance, plan).total)
        found = bound(instance, 60).eur
        assert valid > 20 and found <= cheapest and found > cheapest - 900.0, case


def planned(instance: Any, departure: Any, aircraft: Any, lines: Any) -> Any:
    """A plan; None where somebody boards a flight that does not fly, which is plain."""
    if any(legs and aircraft[legs[0][0]] < 0 for _, _, legs, _ in lines):
        return None
    operations = operations_of(instance, np.array(departure), np.array(aircraft), [])
    return Solution(operations, trips_of(instance, operations, lines))


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone(tmp_path / "day", [6])
    assert main(["flightdesk", "bound", str(tmp_path / "day"), "--rounds", "20", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["eur"] <= 0.0 and told["rounds"] == 20 and told["why"]
    assert main(["flightdesk", "bound", str(tmp_path / "day"), "--rounds", "20"]) == 0
    assert "no plan that takt flightdesk check passes costs less than" in capsys.readouterr().out


def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, value in (("--seconds", "-1"), ("--rounds", "-1")):
        assert main(["flightdesk", "bound", str(tmp_path), option, value]) == 2
        assert capsys.readouterr().err.startswith(f"takt: {option} must be ")
