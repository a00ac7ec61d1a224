"""A planner's own data: an instance goes out as files and comes back; what is missing is said, what is wrong named."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt.cli import main
from takt.contract.station import TaktError
from takt.stations.flightdesk import check, do_nothing, greedy_delay, read_instance, write_instance
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.imports.airline import Files, import_airline
from takt.stations.flightdesk.airline.imports.commands import NUMBERS, run_import
from takt.stations.flightdesk.airline.imports.defaults import read_defaults
from takt.stations.flightdesk.airline.imports.exported import Exported
from takt.stations.flightdesk.airline.imports.problems import BrokenFiles
from takt.stations.flightdesk.airline.imports.tables import moment
from takt.stations.flightdesk.airline.instance import seats_text
from takt.stations.flightdesk.airline.recipes import gulf_2026, two_hubs
from takt.stations.flightdesk.airline.recovery.recover import recover

SHARED = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
PERIOD = ("2026-01-07T12:00Z", "2026-01-08T05:00Z")


def files_in(folder: Any, texts: Any, **changes: Any) -> Any:
    """The files written, with some of their texts changed; None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    paths = {}
    for name in ("schedule.ssim", "aircraft.csv", "bookings.csv", "rotations.csv", "disruptions.csv", "own.toml"):
        key = name.partition(".")[0]
        if key in changes:
            if changes[key] is None:
                continue
            (folder / name).write_text(changes[key], encoding="utf-8", newline="")
        if (folder / name).exists():
            paths["defaults" if key == "own" else key] = folder / name
    return Files(**paths)


def imported(files: Any, period: Any = PERIOD) -> Any:
    return import_airline("day", files, *map(moment, period))


def flights_of(instance: Any) -> list[Any]:
    """What flies, whatever it is called."""
    f, code, tail = instance.flights, instance.airports.code, instance.aircraft.name
    shift = instance.epoch.toordinal() * 1440
    return sorted(
        (code[f.origin[k]], code[f.destination[k]], f.departure[k] + shift, f.arrival[k] + shift, tail[f.aircraft[k]],
         f.delay[k], f.cancelled[k], f.previous[k] >= 0)
        for k in range(len(f.number))
    )  # fmt: skip


def groups_of(instance: Any) -> list[Any]:
    b, f = instance.bookings, instance.flights
    return sorted(
        (b.number[k], b.passengers[k], b.price[k], b.inbound[k],
         tuple((f.departure[leg], cabin) for leg, cabin in
               zip(b.leg_flight[b.first[k]:b.first[k + 1]], b.leg_cabin[b.first[k]:b.first[k + 1]], strict=True)))
        for k in range(len(b.number))
    )  # fmt: skip


def fleet_of(instance: Any) -> list[Any]:
    a, code = instance.aircraft, instance.airports.code
    return [
        (a.name[k], a.model[k], a.family[k], seats_text(a.seats[k]), a.range[k], a.hour_cost[k], a.turn[k],
         a.transit[k], code[a.airport[k]], a.service_airport[k] >= 0 and code[a.service_airport[k]], a.service_start[k],
         a.service_end[k], a.service_minutes[k])
        for k in range(len(a.name))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def day() -> Any:
    return generate(two_hubs(flights=120, aircraft=18, bookings=300), 5)


@pytest.fixture(scope="module")
def texts(day: Any) -> Any:
    return Exported(day, "TK", local=False).files(bare=False)


@pytest.fixture(scope="module")
def bare(day: Any) -> Any:
    return Exported(day, "TK", local=False).files(bare=True)


# --- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "local"), [("two-hubs", False), ("two-hubs", True), ("gulf", True), ("A01", True), ("B03", False)]
)
def test_an_instance_that_went_out_comes_back(name: Any, local: Any, tmp_path: Path) -> None:
    if name in ("A01", "B03"):
        if not SHARED.exists():
            pytest.skip("the challenge's instances are not here")
        instance = read_instance(SHARED / name)
    else:
        made = {
            "two-hubs": two_hubs(flights=200, aircraft=30, bookings=400, days=2),
            "gulf": gulf_2026(flights=200, aircraft=30, bookings=400, days=3),
        }
        instance = generate(made[name], 3)
    try:
        out = Exported(instance, "TK", local).files(bare=False)
    except TaktError as error:
        assert "time zones" in str(error)
        pytest.skip("no time zones here")
    whole = Exported(instance, "TK", local)
    period = whole._moment(instance.start), whole._moment(instance.end)
    back = imported(files_in(tmp_path, out), period).instance
    assert fleet_of(back) == fleet_of(instance)
    assert flights_of(back) == flights_of(instance)  # A01 has legs that leave after a transit time only
    assert groups_of(back) == groups_of(instance)
    assert (back.start, back.epoch) == (instance.start, instance.epoch) and back.end >= instance.end
    assert back.closures.start.tolist() == instance.closures.start.tolist()
    assert back.groundings.end.tolist() == instance.groundings.end.tolist()
    assert np.allclose(back.prices.delay, read_defaults(None).prices().delay)


def test_what_import_writes_is_read_checked_and_recovered(
    tmp_path: Path, texts: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    files = files_in(tmp_path / "files", texts)
    options = ["--from", PERIOD[0], "--to", PERIOD[1]]
    for name in ("schedule", "aircraft", "bookings", "rotations", "disruptions"):
        options += [f"--{name}", str(getattr(files, name))]
    out = tmp_path / "day"
    assert main(["flightdesk", "import", str(out), *options]) == 0
    said = capsys.readouterr().out
    assert "recovery period: 2026-01-07 12:00 to 2026-01-08 05:00 UTC" in said and "1.25 of the busiest hour" in said
    assert main(["flightdesk", "show", str(out)]) == 0
    instance = read_instance(out)
    assert len(list(out.iterdir())) == 12 and (out / NUMBERS).exists()
    *_, last = recover(instance, iterations=60, seed=0, searchers=1)
    assert not check(instance, last.solution)
    write_instance(instance, tmp_path / "again")
    assert (tmp_path / "again" / "rotations.csv").read_bytes() == (out / "rotations.csv").read_bytes()
    capsys.readouterr()
    assert main(["flightdesk", "import", str(out), *options, "--json"]) == 2  # what is there is not written over
    assert main(["flightdesk", "import", str(tmp_path / "other"), *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flights"] == len(instance.flights.number) and told["missing"]


# --- what is missing --------------------------------------------------------------------------------------------------


def test_rotations_are_built_first_in_first_out_and_all_that_was_missing_is_named(
    tmp_path: Path, day: Any, bare: Any
) -> None:
    found = imported(files_in(tmp_path, bare, disruptions=None))
    instance = found.instance
    assert len(instance.flights.number) == len(day.flights.number)
    flights, aircraft = instance.flights, instance.aircraft
    types = dict(zip(day.aircraft.name, day.aircraft.model, strict=True))
    for t in range(len(aircraft.name)):
        mine = np.flatnonzero(flights.aircraft == t)
        mine = mine[np.argsort(flights.departure[mine])]
        at, ready = aircraft.airport[t], -(10**9)
        for k in mine:
            assert flights.origin[k] == at and flights.departure[k] >= ready
            at, ready = flights.destination[k], flights.arrival[k] + aircraft.turn[t]
    planned = {f[:4]: types[f[4]] for f in flights_of(day)}
    flown = {f[:4]: types[f[4]] for f in flights_of(instance)}
    assert planned == flown  # the types that the schedule says
    missing = "\n".join(found.missing)
    for said in (
        "aircraft without turn, their type's taken: 18",
        "aircraft without hour cost, 0 taken: 4",  # buses
        f"flights without aircraft, given one first in, first out by type: {len(planned)}",
        "aircraft without airport, that of their first flight taken: 22",
        "airports without departures per hour, 1.25 of the busiest hour taken, and 4 at least",
    ):
        assert said in missing, said
    assert not check(instance, do_nothing(instance))


def test_seats_come_from_the_schedule_and_prices_from_flying_time(tmp_path: Path, bare: Any) -> None:
    crj = [line.split(",")[:2] for line in bare["aircraft.csv"].splitlines() if ",CR7," in line]
    aircraft = "aircraft,type\n" + "".join(",".join(row) + "\n" for row in crj)
    lines = bare["schedule.ssim"].splitlines()
    one = next(line for line in lines if line.startswith("3") and line[72:75] == "CR7")
    flight, origin, destination = f"TK{one[5:9].strip()}", one[36:39], one[54:57]
    kept = [line for line in lines if not line.startswith("3") or line == one]
    kept = renumbered(kept)
    bookings = (
        f"booking,passengers,flight,date,cabin\nABCDEF,2,{flight},2026-01-07,Y\nGHIJKL,1,{flight},2026-01-07,economy\n"
    )
    files = files_in(tmp_path, bare, schedule=kept, aircraft=aircraft, bookings=bookings, disruptions=None)
    found = imported(files)
    instance = found.instance
    assert seats_text(instance.aircraft.seats[0]) == "0/0/72"
    minutes = int(instance.flights.arrival[0] - instance.flights.departure[0])
    assert instance.bookings.price.tolist() == [60.0 + minutes] * 2 and not instance.bookings.inbound.any()
    assert "bookings without price, a fare by flying time taken: 2" in found.missing
    assert ("booking", "ABCDEF", 1) in found.numbers and ("booking", "GHIJKL", 2) in found.numbers
    (name,) = [name for what, name, number in found.numbers if what == "flight"]
    assert name.startswith(f"{flight} {origin}-{destination} ")


def renumbered(lines: Any) -> Any:
    """The records with serial numbers in order."""
    out, serial = [], 0
    for line in lines:
        if line.strip("0"):
            serial += 1
            line = line[:194] + f"{serial:06d}"
            if line[0] == "5":
                line = line[:187] + f"{serial - 1:06d}" + line[193:]
        out.append(line)
    return "\n".join(out) + "\n"


def test_a_planners_defaults_replace_single_values(tmp_path: Path, bare: Any) -> None:
    own = (
        "[types]\n318 = { turn = 20, hour_cost = 1 }\n[airports.ORY]\ndepartures = 50\narrivals = 40\n"
        "[costs]\nfamily = 7.0\n[times]\ntransit = 11\n"
    )
    instance = imported(files_in(tmp_path, bare, own=own)).instance
    a, airports = instance.aircraft, instance.airports
    small = a.model.index("318")
    assert (a.turn[small], a.hour_cost[small], a.range[small]) == (20, 1.0, 450)
    at = airports.code.index("ORY")
    assert (airports.departures[at], airports.arrivals[at]) == (50, 40)
    assert instance.prices.family == 7.0 and instance.prices.model == 5000.0
    bus = a.model.index("BUS")
    assert a.transit[bus] == 11 and a.seats[bus].tolist() == [-1, -1, -1]


def test_bookings_are_cut_to_the_days_and_overbooked_ones_left_out(tmp_path: Path, day: Any, texts: Any) -> None:
    flown = Exported(day, "TK", local=False)
    leg = next(k for k in range(len(day.flights.number)) if not day.aircraft.surface[day.flights.aircraft[k]])
    here = ",".join([*flown._leg(leg), day.airports.code[day.flights.destination[leg]]])
    later = "TK55,2026-02-20,NCE,CDG"
    extra = [f"9001,1,10,outbound,{here},Y", f"9001,1,10,outbound,{later},Y", f"9002,3,10,outbound,{later},Y"]
    lines = texts["bookings.csv"].splitlines()
    bookings = "\n".join([lines[0], *extra, f"9003,800,10,outbound,{here},Y", *lines[1:]]) + "\n"
    found = imported(files_in(tmp_path, texts, bookings=bookings))
    missing = dict(line.rsplit(": ", 1) for line in found.missing)
    assert missing["bookings cut to their legs on these days"] == "1"
    assert missing["bookings left out, they fly on other days"] == "1"
    assert int(missing["bookings left out, their cabin is full (overbooked)"]) >= 1
    assert int(missing["people of those bookings"].replace(",", "")) >= 800
    numbers = found.instance.bookings.number
    assert 9001 in numbers and 9002 not in numbers and 9003 not in numbers


def test_a_late_aircraft_makes_its_next_flight_before_the_period_late(tmp_path: Path, day: Any, texts: Any) -> None:
    f = day.flights
    tail = next(
        t for t in range(len(day.aircraft.name))
        if not day.aircraft.surface[t] and day.aircraft.service_airport[t] < 0
        and (f.departure[f.aircraft == t] < day.start - 200).sum() >= 2
    )  # fmt: skip
    mine = np.flatnonzero(f.aircraft == tail)
    whole = Exported(day, "TK", local=False)
    flight, date, origin = whole._leg(int(mine[0]))
    late = f"kind,flight,date,origin,minutes\ndelay,{flight},{date},{origin},90\n"
    found = imported(files_in(tmp_path, texts, disruptions=late))
    back = found.instance
    assert "flights before the recovery period made late by their aircraft's flight before" in "\n".join(found.missing)
    rows = np.flatnonzero(back.flights.aircraft == tail)
    assert back.flights.delay[rows[0]] == 90 and 0 < back.flights.delay[rows[1]] <= 90
    assert not check(back, greedy_delay(back))


def test_the_period_is_made_longer_until_all_have_landed(tmp_path: Path, texts: Any) -> None:
    found = imported(files_in(tmp_path, texts), (PERIOD[0], "2026-01-07T20:00Z"))
    assert found.instance.end > 20 * 60
    assert any(line.startswith("minutes that the recovery period was made longer") for line in found.missing)


# --- what is wrong ----------------------------------------------------------------------------------------------------


def edited(text: Any, line: Any, column: Any, value: Any) -> Any:
    """A CSV text with one value changed; lines count from 1, columns from 1."""
    rows = list(csv.reader(text.splitlines()))
    rows[line - 1][column - 1] = value
    return "\n".join(",".join(row) for row in rows) + "\n"


@pytest.mark.parametrize(
    ("file", "line", "column", "value", "said"),
    [
        ("aircraft", 3, 10, "soon", "aircraft.csv, line 3, column 10 (turn): 'soon' is not a whole number"),
        ("aircraft", 4, 1, "A318#1", "aircraft.csv, line 4, column 1 (aircraft): A318#1 is there twice"),
        ("aircraft", 2, 1, "F GABC", "aircraft.csv, line 2, column 1 (aircraft): 'F GABC' is not a plain word"),
        ("aircraft", 2, 12, "PARIS", "aircraft.csv, line 2, column 12 (airport): 'PARIS' is not an airport"),
        ("bookings", 5, 2, "0", "bookings.csv, line 5, column 2 (passengers): cannot be 0; give 1 or more"),
        ("bookings", 5, 5, "TK9999", "bookings.csv, line 5, column 5 (flight): TK9999 does not leave"),
        ("bookings", 5, 5, "9", "bookings.csv, line 5, column 5 (flight): '9' is not a flight; write it as AF1234"),
        ("bookings", 5, 6, "07/01/2026", "bookings.csv, line 5, column 6 (date): '07/01/2026' is not a date"),
        ("bookings", 5, 8, "XXX", "bookings.csv, line 5, column 8 (destination): TK"),
        ("bookings", 5, 9, "2", "bookings.csv, line 5, column 9 (cabin): '2' is no cabin"),
        ("bookings", 5, 4, "back", "bookings.csv, line 5, column 4 (direction): 'back' is no direction"),
        ("rotations", 2, 4, "F-NONE", "rotations.csv, line 2, column 4 (aircraft): 'F-NONE' is unknown"),
        ("rotations", 3, 4, "ERJ145#18", "rotations.csv, line "),
        (
            "disruptions",
            2,
            1,
            "strike",
            "disruptions.csv, line 2, column 1 (kind): 'strike' is unknown; there are delay",
        ),
        ("disruptions", 2, 5, "-5", "disruptions.csv, line 2, column 5 (minutes): cannot be -5; give 1 or more"),
        ("disruptions", 2, 5, "2881", "disruptions.csv, line 2, column 5 (minutes): cannot be 2881; give 2880 or less"),
        ("disruptions", 2, 5, "1_0", "disruptions.csv, line 2, column 5 (minutes): '1_0' is not a whole number"),
        ("disruptions", 2, 5, "\u0661\u0660", "line 2, column 5 (minutes): '\u0661\u0660' is not a whole number"),
        (
            "disruptions",
            -1,
            9,
            "2026-01-07",
            "column 9 (end): '2026-01-07' is not a time; write it as 2026-01-07T15:00Z",
        ),
        ("disruptions", -1, 7, "SYD", "column 7 (airport): SYD has no flight on these days"),
    ],
)
def test_a_broken_line_is_named_by_file_line_and_column(
    tmp_path: Path, texts: Any, file: Any, line: Any, column: Any, value: Any, said: Any
) -> None:
    text = texts[f"{file}.csv"]
    line = line if line > 0 else len(text.splitlines()) + 1 + line
    with pytest.raises(TaktError) as error:
        imported(files_in(tmp_path, texts, **{file: edited(text, line, column, value)}))
    assert said in str(error.value)


def test_problems_of_all_files_are_counted_and_five_shown_and_nothing_is_written(
    tmp_path: Path, texts: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bookings = texts["bookings.csv"]
    for line in range(2, 102):
        bookings = edited(bookings, line, 2, "many")
    ssim = texts["schedule.ssim"].splitlines()
    ssim[11] = ssim[11][:36] + "   " + ssim[11][39:43] + "9999" + ssim[11][47:]
    files = files_in(tmp_path / "files", texts, bookings=bookings)
    with pytest.raises(TaktError, match=r"^100 broken lines, the first 5 shown; nothing was written$"):
        run_import(tmp_path / "out", files, *PERIOD, as_json=False)
    shown = capsys.readouterr().err.splitlines()
    assert (
        len(shown) == 5
        and shown[0] == "takt: bookings.csv, line 2, column 2 (passengers): 'many' is not a whole number"
    )
    assert not (tmp_path / "out").exists()
    files = files_in(tmp_path / "files", texts, bookings=bookings, schedule="\n".join(ssim))
    with pytest.raises(TaktError, match=r"schedule.ssim, line 12, columns 44-47 \(departure\): '9999' is not a time"):
        imported(files)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("[costs]\nfamly = 1.0\n", "own.toml, [costs] famly is unknown; there are delay"),
        ("[cost]\nfamily = 1.0\n", "own.toml, [cost] is unknown; there are times"),
        ('[times]\nturn = "long"\n', "own.toml, [times] turn: 'long' is not a whole number"),
        ("[types]\n320 = { turn = -1 }\n", "own.toml, [types] 320, turn: cannot be -1; give 0 or more"),
        ("[costs]\ndelay = [1.0]\n", "own.toml, [costs] delay: give a list like"),
        ("[airports]\nCDG = { runway = 4 }\n", "own.toml, [airports] CDG, runway is unknown; there are departures"),
        (
            "[types]\n320 = { range = 99999999999 }\n",
            "own.toml, [types] 320, range: cannot be 99999999999; give 21",
        ),
        (
            '[airports]\nCDG = { continent = "Atlantis" }\n',
            "own.toml, [airports] CDG, continent: 'Atlantis' is no continent",
        ),
        ("[times\n", "own.toml: "),
    ],
)
def test_a_wrong_default_is_one_line(tmp_path: Path, texts: Any, own: Any, said: Any) -> None:
    with pytest.raises(TaktError) as error:
        imported(files_in(tmp_path, texts, own=own))
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_what_is_no_airport_is_named_in_every_line_and_nothing_that_follows_from_it(
    tmp_path: Path, texts: Any, bare: Any
) -> None:
    lines = bare["schedule.ssim"].splitlines()
    legs = [i for i, line in enumerate(lines) if line.startswith("3")]
    for i in legs[:3]:
        lines[i] = lines[i][:36] + "???" + lines[i][39:]
    files = files_in(tmp_path, bare, schedule="\n".join(lines))
    with pytest.raises(BrokenFiles) as error:
        imported(files)
    assert error.value.summary == "3 broken lines"
    assert all("columns 37-39 (origin): '???' is no airport; write it as CDG" in said for said in error.value.shown)


def test_an_open_quote_is_a_broken_line_and_not_the_end_of_a_file(tmp_path: Path, texts: Any) -> None:
    head, *rows = texts["bookings.csv"].splitlines()
    rows[2] += ',"by the window'
    noted = "\n".join([head + ",note", *rows]) + "\n"
    with pytest.raises(TaktError, match=r"^bookings.csv, line 4: no line of a CSV; is a quote missing"):
        imported(files_in(tmp_path / "open", texts, bookings=noted))
    found = imported(files_in(tmp_path / "shut", texts, bookings=noted.replace("window", 'window\nor the aisle"')))
    assert (
        found.instance.bookings.passengers.sum()
        == imported(files_in(tmp_path, texts)).instance.bookings.passengers.sum()
    )


def test_line_ends_of_old_macs_are_line_ends(tmp_path: Path, texts: Any) -> None:
    found = imported(files_in(tmp_path, texts, bookings=texts["bookings.csv"].replace("\n", "\r")))
    assert len(found.instance.bookings.number) == len(imported(files_in(tmp_path, texts)).instance.bookings.number)


def test_too_few_aircraft_are_named_by_flight(tmp_path: Path, bare: Any) -> None:
    few = "\n".join(line for line in bare["aircraft.csv"].splitlines() if not line.startswith("CRJ700#15")) + "\n"
    with pytest.raises(TaktError, match=r"schedule.ssim, line \d+, columns 73-75 \(aircraft\): no CR7 is free at "):
        imported(files_in(tmp_path, bare, aircraft=few))


def test_an_airport_that_nobody_knows_needs_a_place(tmp_path: Path, bare: Any) -> None:
    ssim = bare["schedule.ssim"].replace("ORY", "QQQ")
    bookings, aircraft = bare["bookings.csv"].replace("ORY", "QQQ"), bare["aircraft.csv"].replace("ORY", "QQQ")
    disruptions = bare["disruptions.csv"].replace("ORY", "QQQ")
    changed = {"schedule": ssim, "bookings": bookings, "aircraft": aircraft, "disruptions": disruptions}
    with pytest.raises(TaktError, match=r"schedule.ssim, line \d+, .*nobody knows where QQQ is; give \[airports.QQQ\]"):
        imported(files_in(tmp_path, bare, **changed))
    own = '[airports.QQQ]\nlat = 48.7\nlon = 2.4\ncountry = "FR"\ncontinent = "Europe"\n'
    assert "QQQ" in imported(files_in(tmp_path, bare, **changed, own=own)).instance.airports.code


def test_a_past_that_cannot_be_is_said_and_not_imported(tmp_path: Path, day: Any, texts: Any) -> None:
    f = day.flights
    early = next(  # the first flight of an aircraft that flies again before the period
        k for k in np.flatnonzero(f.departure < day.start - 240)
        if f.origin[k] == day.aircraft.airport[f.aircraft[k]] and not day.aircraft.surface[f.aircraft[k]]
        and f.aircraft[k + 1] == f.aircraft[k] and f.departure[k + 1] < day.start
    )  # fmt: skip
    flight, date, origin = Exported(day, "TK", local=False)._leg(int(early))
    cancelled = f"kind,flight,date,origin\ncancel,{flight},{date},{origin}\n"
    with pytest.raises(BrokenFiles, match="1 flight before the recovery period cannot have left"):
        imported(files_in(tmp_path, texts, disruptions=cancelled))


def test_the_command_needs_its_files_and_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flightdesk", "import", str(tmp_path / "x"), "--aircraft", "a.csv"]) == 2
    assert "an import needs --schedule, --bookings, --from, --to too" in capsys.readouterr().err
    options = ["--schedule", "s.ssim", "--aircraft", "a.csv", "--bookings", "b.csv", "--from", "noon", "--to", "late"]
    assert main(["flightdesk", "import", str(tmp_path / "x"), *options]) == 2
    assert "--from: 'noon' is not a time" in capsys.readouterr().err
    assert main(["flightdesk", "import", "--show-defaults"]) == 0
    assert "[types]" in capsys.readouterr().out and not (tmp_path / "x").exists()


CELLS = (
    "",
    "0",
    "-1",
    "9999999999",
    "nan",
    "2026-02-30",
    "2026-01-07T25:00Z",
    "TK1001",
    "Ä",
    '"',
    "CDG",
    "XXX",
    "320",
    "#",
)


def spoiled(rng: Any, text: Any, ssim: Any) -> str:
    """The text with one line changed, lost, doubled or cut."""
    lines = text.split("\n")
    k, how = int(rng.integers(len(lines))), int(rng.integers(6))
    if how == 0:
        del lines[k]
    elif how == 1:
        lines.insert(k, lines[int(rng.integers(len(lines)))])
    elif how == 2:
        lines[k] = lines[k][: int(rng.integers(201))]
    elif ssim and lines[k]:
        at = int(rng.integers(len(lines[k])))
        lines[k] = lines[k][:at] + str(rng.choice(list(" 019ABJLUZ+-"))) + lines[k][at + 1 :]
    elif not ssim:
        cells = lines[k].split(",")
        cells[int(rng.integers(len(cells)))] = str(rng.choice(CELLS))
        lines[k] = ",".join(cells)
    return "\n".join(lines)


def test_whatever_is_wrong_in_a_file_it_is_said_or_the_instance_is_sound(tmp_path: Path, texts: Any, bare: Any) -> None:
    rng = np.random.default_rng(2026)
    said = sound = 0
    for n in range(40):
        files = dict(texts if n % 2 else bare)
        name = str(rng.choice(sorted(files)))
        files[name] = spoiled(rng, files[name], name.endswith("ssim"))
        try:
            instance = imported(files_in(tmp_path / str(n), files)).instance
        except TaktError:
            said += 1
            continue
        sound += 1
        write_instance(instance, tmp_path / f"{n}-day")
        read = read_instance(tmp_path / f"{n}-day")
        assert not check(read, greedy_delay(read))
    assert said > 10 and sound > 5
