"""SSIM chapter 7: what is written is read back, and what is wrong is named by line and column."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.imports.operations import operations
from takt.stations.flightdesk.airline.imports.problems import BrokenFiles, Problems
from takt.stations.flightdesk.airline.imports.ssim import (
    LAYOUT,
    Carrier,
    DataSet,
    Flown,
    Header,
    Leg,
    Section,
    Segment,
    Trailer,
    numbered,
    text_of,
)
from takt.stations.flightdesk.airline.imports.ssim_fields import LOCAL, UTC
from takt.stations.flightdesk.airline.imports.ssim_read import parse

# As chapter 7 lays it out: SQ 1 of 20 to 28 August 2008, SFO to HKG, a 777-300ER. Written by hand, column by column.
LEG = "".join(
    (
        "3 SQ    10101J",  # 1-14: type, suffix, airline, number, itinerary variation, leg sequence, service
        "20AUG0828AUG081234   ",  # 15-35: period, days
        " SFO01200120-0700  ",  # 36-54
        "HKG06300630+0800  ",  # 55-72
        "77W",
        "PFAJCDZYBM".ljust(20),
        " " * 5 + "MMMM".ljust(10) + " " * 9 + "II ",  # 96-122
        " " * 5 + " " + "SQ SQ SQ ",  # 123-137
        "SQ    21  ".ljust(12)[:12],  # 138-149: onward flight SQ 2, a day later
        " " * 23,
        "F012Y264".ljust(20),
        "01",
        "000003",
    )
)


def day(d: Any, m: Any = 3, y: Any = 2026) -> Any:
    return date(y, m, d)


def leg(**changes: Any) -> Any:
    base = Leg(
        suffix="",
        airline="AF",
        number=12,
        variation=1,
        sequence=1,
        service="J",
        since=day(2),
        until=day(29),
        days=0b1111111,
        every="",
        origin="CDG",
        passenger_departure=600,
        departure=600,
        origin_variation=60,
        origin_terminal="2F",
        destination="NCE",
        arrival=690,
        passenger_arrival=690,
        destination_variation=60,
        destination_terminal="1",
        aircraft="320",
        configuration="C12Y150",
    )
    return replace(base, **changes)


def data_of(*legs: Any, mode: Any = LOCAL, since: Any = date(2026, 3, 1), until: Any = date(2026, 3, 31)) -> Any:
    flown = tuple(Flown(leg) for leg in legs)
    return DataSet(Header(), (Section(Carrier(mode, "AF", since=since, until=until), flown, Trailer("AF")),))


def flown_on(data: Any, first: Any, days: Any = 1) -> Any:
    """(name, leg, departure and arrival in minutes UTC after the midnight of `first`) of the flights of these days."""
    problems = Problems()
    found = operations(data, "s.ssim", first, 0, 1440 * days, problems)
    problems.stop_if_any()
    return [(o.name, o.sequence, o.departure, o.arrival, o.local) for o in found.inside], found.passed


def broken(text: Any) -> list[Any]:
    problems = Problems()
    parse(text, "s.ssim", problems)
    return [str(problem) for problem in problems.found]


# --- the format -------------------------------------------------------------------------------------------------------


def test_a_leg_as_the_manual_lays_it_out() -> None:
    assert len(LEG) == 200
    lines = text_of(data_of(leg())).splitlines()
    carrier = lines[5][:2] + "SQ " + lines[5][5:]
    text = "\n".join([lines[0], carrier, LEG, "5 SQ ".ljust(187) + "000003E000004"])
    problems = Problems()
    data = parse(text, "s.ssim", problems)
    assert not problems.found
    (flown,) = data.sections[0].legs
    found = flown.leg
    assert flown.line == 3 and found.name == "SQ1"
    assert (found.since, found.until, found.days) == (date(2008, 8, 20), date(2008, 8, 28), 0b0001111)
    assert (found.origin, found.departure, found.origin_variation) == ("SFO", 80, -420)
    assert (found.destination, found.arrival, found.destination_variation) == ("HKG", 390, 480)
    assert (found.aircraft, found.configuration, found.off) == ("77W", "F012Y264", (0, 1))
    assert (found.booking_classes, found.meals, found.connecting_status) == ("PFAJCDZYBM", "MMMM", "II")
    assert (found.owner, found.cabin, found.onward_airline, found.onward_number, found.layover) == (
        "SQ", "SQ", "SQ", 2, "1",
    )  # fmt: skip


@pytest.mark.parametrize("cls", [Header, Carrier, Leg, Segment, Trailer])
def test_fields_lie_one_after_the_other_within_200_columns(cls: Any) -> None:
    last = 1
    for name, first, end, _ in LAYOUT[cls]:
        assert last < first <= end <= 200, name
        last = end
    assert last == 200


LETTERS = string.ascii_uppercase + string.digits


def text(width: Any, letters: Any = LETTERS, least: Any = 0) -> Any:
    return st.text(letters, min_size=least, max_size=width)


def free(width: Any) -> Any:
    """Free text: any printable letters, blanks in front too."""
    letters = "".join(map(chr, range(32, 127)))
    return st.text(letters, max_size=width).map(lambda words: words.rstrip(" "))


dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))
variations = st.integers(-14 * 60, 14 * 60)
legs = st.builds(
    leg,
    suffix=text(1),
    airline=st.just("AF"),
    number=st.integers(1, 9999),
    variation=st.integers(1, 99),
    sequence=st.integers(1, 99),
    since=st.none() | dates,
    until=st.none() | dates,
    days=st.integers(1, 127),
    every=st.sampled_from(["", "2"]),
    departure=st.integers(0, 1439),
    passenger_departure=st.integers(0, 1439),
    arrival=st.integers(1, 1440),
    passenger_arrival=st.integers(1, 1440),
    origin_variation=variations,
    destination_variation=variations,
    origin_terminal=text(2),
    booking_classes=free(20),
    class_modifiers=free(5),
    meals=free(10),
    joint=free(9),
    overflow=text(1),
    onward_airline=text(3),
    onward_number=st.none() | st.integers(0, 9999),
    layover=text(1),
    disclosure=st.sampled_from(["", "L", "S", "X", "Z"]),
    restrictions=free(11),
    configuration=free(20),
    off=st.tuples(st.none() | st.integers(-1, 7), st.none() | st.integers(-1, 7)),
)


@st.composite
def flown(draw: Any) -> Any:
    of = draw(legs)
    segments = draw(
        st.lists(
            st.builds(
                Segment,
                **{
                    name: st.just(getattr(of, name))
                    for name in ("suffix", "airline", "number", "variation", "sequence")
                },
                service=st.just(of.service),
                overflow=st.just(of.overflow),
                board_point=text(1),
                off_point=text(1),
                dei=st.integers(0, 999),
                board=text(3),
                off=text(3),
                data=free(155),
            ),
            max_size=2,
        )
    )
    return Flown(of, tuple(segments))


sections = st.builds(
    Section,
    st.builds(
        Carrier,
        st.sampled_from([UTC, LOCAL]),
        st.just("AF"),
        season=text(3),
        since=st.none() | dates,
        until=st.none() | dates,
        created=st.none() | dates,
        title=free(29),
        creator=free(35),
        information=free(60),
        creation_time=text(4, string.digits),
    ),
    st.lists(flown(), max_size=4).map(tuple),
    st.builds(Trailer, st.just("AF"), released=st.none() | dates),
)
data_sets = st.builds(DataSet, st.builds(Header, seasons=text(1), data_set=text(3)), st.lists(sections, min_size=1, max_size=3).map(tuple))  # fmt: skip  # noqa: E501


@settings(max_examples=150, deadline=None)
@given(data_sets)
def test_what_is_written_is_read_back(data: Any) -> None:
    written, problems = text_of(data), Problems()
    read = parse(written, "s.ssim", problems)
    assert not problems.found
    # Dates may be blank in carrier and trailer; "00XXX00" and blank are both none.
    assert read == numbered(data)
    assert text_of(read) == written
    lines = written.splitlines()
    assert all(len(line) == 200 for line in lines) and len(lines) % 5 == 0
    assert parse("".join(lines), "s.ssim", Problems()) == read  # blocks without line ends


def test_numbers_start_again_at_two_after_999999() -> None:
    many = numbered(data_of(leg()))
    lines = text_of(many).splitlines()
    records = [line for line in lines if line.strip("0")]
    records[2] = records[2][:194] + "999999"
    records.insert(3, records[2][:9] + "02" + records[2][11:194] + "000002")
    records[4] = records[4][:187] + "000002E000003"
    records[1] = records[1][:194] + "999998"
    assert broken("\n".join(records)) == ["s.ssim, line 2, columns 195-200 (serial): 999998 does not follow 000001"]


@pytest.mark.parametrize(
    ("column", "put", "said"),
    [
        (29, "1 2    ", "columns 29-35 (days): '1 2    ' are not days; write 1 (Monday) to 7 each in its place"),
        (29, "       ", "columns 29-35 (days): there is no day of operation"),
        (15, "31FEB26", "columns 15-21 (since): '31FEB26' is not a day of that month"),
        (22, "2026032", "columns 22-28 (until): '2026032' is not a date; write it as 07JAN26"),
        (44, "1060", "columns 44-47 (departure): '1060' is not a time; write it as 0905"),
        (48, "01000", "columns 48-52 (origin variation): '01000' is not a variation; write it as +0100"),
        (6, "12A4", "columns 6-9 (number): '12A4' is not a number"),
        (
            193,
            "0X",
            "columns 193-194 (off): '0X' is not a date variation; write 0 to 7, or A for the day before, twice",
        ),
        (195, "000009", "columns 195-200 (serial): 000009 does not follow 000002"),
        (3, "BA ", "columns 3-5 (airline): 'BA' in the schedule of 'AF'"),
        (1, "7", "column 1 (record type): '7' is none; there are 1 to 5"),
    ],
)
def test_a_broken_line_is_named_by_line_and_column(column: Any, put: Any, said: Any) -> None:
    lines = text_of(data_of(leg(), leg(number=13))).splitlines()
    lines[10] = lines[10][: column - 1] + put + lines[10][column - 1 + len(put) :]
    (found, *_) = broken("\n".join(lines))
    assert found.startswith(f"s.ssim, line 11, {said}")
    lines[10] = lines[10][:-1]
    assert broken("\n".join(lines))[0] == "s.ssim, line 11: it has 199 columns instead of 200"


def test_a_file_that_is_cut_off_or_no_schedule_is_said() -> None:
    lines = text_of(data_of(leg())).splitlines()
    assert "the file is cut off" in broken("\n".join(lines[:11]))[-1]
    assert "does not begin with a header" in broken("\n".join(lines[5:]))[0]
    assert "no header" in broken("")[0] and "no carrier record" in broken(lines[0])[0]
    assert "columns instead of 200" in broken("flight,date\nAF1,2026-03-01\n")[0]


def test_a_file_that_ends_too_early_or_is_another_is_said() -> None:
    two = data_of(leg())
    two = replace(two, sections=(two.sections[0], replace(two.sections[0], carrier=Carrier(LOCAL, "BA"), legs=())))
    lines = text_of(
        replace(two, sections=(two.sections[0], replace(two.sections[1], trailer=Trailer("BA"))))
    ).splitlines()
    assert broken("\n".join(lines)) == []
    assert broken("\n".join(lines[:20])) == [
        "s.ssim, line 20: the file is cut off: by the last trailer, column 194, another carrier's schedule follows"
    ]
    lines[15] = lines[15][:2] + "BA " + lines[15][5:]
    assert broken("\n".join(lines)) == ["s.ssim, line 16, columns 3-5 (airline): 'BA' ends the schedule of 'AF'"]
    text = text_of(data_of(leg())).replace("AIRLINE STANDARD SCHEDULE DATA SET", "SHOPPING LIST".ljust(34))
    (said,) = broken(text)
    assert said.startswith(
        "s.ssim, line 1, columns 2-35 (title): 'SHOPPING LIST' is no schedule; it is 'AIRLINE STANDARD"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\x1a", ""])
@pytest.mark.parametrize("between", ["", "\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_or_not_at_all(between: str, end: str) -> None:
    written, problems = text_of(data_of(leg(), leg(number=13))), Problems()
    read = parse(between.join(written.splitlines()) + end, "s.ssim", problems)
    assert not problems.found and text_of(read) == written


@pytest.mark.parametrize(
    ("record", "how"),
    [
        ("1", lambda line: line[:199]),
        ("2", lambda line: line[:28] + "99XXX99" + line[35:]),  # when it was created, which nobody uses
        ("2", lambda line: "7" + line[1:]),
        ("3", lambda line: line[:36] + "CDG6000" + line[43:]),
        ("3", lambda line: line[:2] + "BA " + line[5:]),
        ("3", lambda line: "7" + line[1:]),
        ("4", lambda line: line[:199]),
        ("5", lambda line: line[:199]),
        ("5", lambda line: "7" + line[1:]),
        ("5", lambda line: line[:187] + "000001" + line[193:]),
    ],
)
def test_a_broken_line_is_counted_and_not_those_behind_it(record: str, how: Any) -> None:
    data = data_of(*(leg(number=n) for n in range(1, 20)))
    section = data.sections[0]

    def marked(f: Any) -> Any:
        of = f.leg.number
        return replace(
            f, segments=tuple(Segment("", "AF", of, 1, 1, "J", "", "A", "B", n, "CDG", "NCE") for n in range(4))
        )

    lines = text_of(replace(data, sections=(replace(section, legs=tuple(map(marked, section.legs))),) * 2)).splitlines()
    at = next(i for i, line in enumerate(lines) if line[0] == record and line.strip("0"))
    lines[at] = how(lines[at])
    (said,) = broken("\n".join(lines))
    assert said.startswith(f"s.ssim, line {at + 1}")


def test_a_record_that_is_missing_is_one_broken_line() -> None:
    lines = [line for line in text_of(data_of(*(leg(number=n) for n in range(1, 20)))).splitlines() if line.strip("0")]
    for at, said in ((0, "does not begin with a header"), (1, "without a carrier record"), (5, "does not follow")):
        (found,) = broken("\n".join(lines[:at] + lines[at + 1 :]))
        assert said in found


def test_a_hundred_broken_lines_are_counted_and_five_are_shown() -> None:
    lines = text_of(data_of(*(leg(number=n) for n in range(1, 121)))).splitlines()
    for i in range(10, 110):
        lines[i] = lines[i][:28] + "8888888" + lines[i][35:]
    problems = Problems()
    parse("\n".join(lines), "s.ssim", problems)
    with pytest.raises(BrokenFiles) as error:
        problems.stop_if_any()
    assert error.value.summary == "100 broken lines" and len(error.value.shown) == 5
    assert error.value.shown[0].startswith("s.ssim, line 11, columns 29-35 (days)")


def test_what_does_not_fit_is_not_written() -> None:
    with pytest.raises(TaktError, match=r"columns 6-9 \(number\): 12345 does not fit"):
        text_of(data_of(leg(number=12345)))
    with pytest.raises(TaktError, match=r"columns 76-95 \(booking classes\)"):
        text_of(data_of(leg(booking_classes="É")))


# --- flights of a day -------------------------------------------------------------------------------------------------


def test_local_times_less_the_variation_are_utc() -> None:
    data = data_of(leg(departure=30, arrival=120, destination_variation=120))
    assert flown_on(data, day(8), 2)[0] == [
        ("AF12", 1, 1440 - 30, 1440, day(9)),  # 00:30 in Paris on the 9th is 23:30 on the 8th
        ("AF12", 1, 2 * 1440 - 30, 2 * 1440, day(10)),
    ]
    same = data_of(leg(departure=1410, arrival=1440), mode=UTC)
    assert flown_on(same, day(8))[0] == [("AF12", 1, 1410, 1440, day(9))]


def test_days_of_operation_period_and_every_second_week() -> None:
    monday_friday = data_of(leg(days=0b0010001))  # the 2nd of March 2026 is a Monday
    assert [o[4] for o in flown_on(monday_friday, day(1), 14)[0]] == [day(2), day(6), day(9), day(13)]
    second = data_of(leg(days=0b0000001, every="2"))
    assert [o[4] for o in flown_on(second, day(1), 31)[0]] == [day(2), day(16)]
    open_ended = data_of(leg(since=None, until=None), since=day(5), until=day(7))
    assert [o[4] for o in flown_on(open_ended, day(1), 31)[0]] == [day(5), day(6), day(7)]


def test_an_end_that_is_open_in_both_records_is_open() -> None:
    data = data_of(leg(until=None), since=None, until=None)
    assert [o[4] for o in flown_on(data, day(1), 4)[0]] == [day(2), day(3), day(4)]
    with pytest.raises(TaktError, match=r"columns 15-21 \(since\): it is open, and so is the carrier's validity"):
        flown_on(data_of(leg(since=None), since=None), day(1))


def test_a_blank_date_variation_is_read_off_the_times() -> None:
    late = leg(departure=1320, arrival=40, off=(None, None))
    problems = Problems()
    found = operations(data_of(late), "s.ssim", day(10), 0, 1440, problems)
    assert [(o.departure, o.arrival) for o in found.inside] == [(1260, 1440 - 20)] and found.shifted == 1
    early = leg(number=13, departure=600, arrival=690, off=(None, None))
    found = operations(data_of(early), "s.ssim", day(10), 0, 1440, problems)
    assert [(o.departure, o.arrival) for o in found.inside] == [(540, 630)] and found.shifted == 0
    # Over the date line it lands, by the clock, the day before.
    hawaii = leg(departure=1260, origin_variation=660, arrival=640, destination_variation=-600, off=(None, None))
    (one,) = operations(data_of(hawaii), "s.ssim", day(10), 0, 1440, problems).inside
    assert one.arrival - one.departure == 640
    # The next leg leaves when the one before has landed, though that is another date.
    further = leg(sequence=2, origin="NCE", destination="TLS", departure=120, arrival=200, off=(None, None), since=day(3), until=day(30))  # fmt: skip  # noqa: E501
    legs = operations(data_of(replace(late, until=day(29)), further), "s.ssim", day(10), 0, 2880, problems)
    assert not problems.found and legs.shifted == 2
    assert [(o.sequence, o.flight[1], o.local) for o in legs.inside][-2:] == [
        (2, day(10), day(11)),
        (1, day(11), day(11)),
    ]


def test_a_date_variation_says_on_which_day_it_lands_and_ties_legs() -> None:
    first = leg(departure=1380, arrival=60, off=(0, 1))
    second = leg(sequence=2, origin="NCE", destination="TLS", departure=120, arrival=200, off=(1, 1), since=day(3), until=day(30))  # fmt: skip  # noqa: E501
    found, _ = flown_on(data_of(first, second), day(10), 2)
    assert found == [
        ("AF12", 2, 60, 140, day(10)),
        ("AF12", 1, 1320, 1440, day(10)),
        ("AF12", 2, 1500, 1580, day(11)),
        ("AF12", 1, 2760, 2880, day(11)),
    ]
    eastward = leg(departure=60, arrival=30, origin_variation=0, destination_variation=-120)
    assert flown_on(data_of(eastward), day(10))[0][0][3] == 150
    back_a_day = leg(departure=60, arrival=1400, origin_variation=720, destination_variation=-600, off=(0, -1))
    assert (
        flown_on(data_of(back_a_day), day(10), 1)[0][0][3] - flown_on(data_of(back_a_day), day(10), 1)[0][0][2] == 1220
    )


def test_what_another_airline_flies_is_passed_over() -> None:
    share = leg(number=7000, disclosure="L")
    marked = Flown(leg(number=7001), (Segment("", "AF", 7001, 1, 1, "J", "", "A", "B", 50, "CDG", "NCE", "KL 1"),))
    data = data_of(leg(), share)
    section = data.sections[0]
    data = replace(data, sections=(replace(section, legs=(*section.legs, marked)),))
    found, passed = flown_on(data, day(10))
    assert [o[0] for o in found] == ["AF12"] and passed == 2


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        (
            [leg(), leg(variation=2)],
            r"line 12, columns 29-35 \(days\): AF12, leg 1, flies twice on 2026-03-\d\d: line 11",
        ),
        ([leg(sequence=2)], r"line 11, columns 12-13 \(sequence\): there is no leg 1 of AF12"),
        (
            [leg(), leg(sequence=2, origin="TLS", departure=800, arrival=900)],
            r"line 12, columns 37-39 \(origin\): leg 1",
        ),
        ([leg(arrival=500)], r"line 11, columns 58-61 \(arrival\): the flight takes -100 min"),
        ([leg(until=day(1))], r"line 11, columns 22-28 \(until\): 2026-03-01 is before the period begins"),
        ([leg(), leg(sequence=2, origin="NCE", destination="TLS", departure=650, arrival=900)], "leaves before leg 1"),
    ],
)
def test_a_schedule_that_contradicts_itself_is_named_by_line(legs: Any, said: Any) -> None:
    problems = Problems()
    data = parse(text_of(data_of(*legs)), "s.ssim", problems)
    operations(data, "s.ssim", day(10), 0, 1440, problems)
    with pytest.raises(TaktError, match=said):
        problems.stop_if_any()


@settings(max_examples=100, deadline=None)
@given(legs, st.integers(0, 27), st.sampled_from([UTC, LOCAL]))
def test_every_day_of_the_mask_in_the_period_flies_and_no_other(one: Any, first: Any, mode: Any) -> None:
    one = replace(one, sequence=1, disclosure="", every="", departure=700, arrival=800, off=(0, 0))
    one = replace(one, origin_variation=0, destination_variation=0, since=day(1), until=day(28))
    found, _ = flown_on(data_of(one, mode=mode), day(1) + timedelta(days=first), 3)
    wanted = [day(1) + timedelta(days=n) for n in range(first, min(first + 3, 28))]
    assert [o[4] for o in found] == [d for d in wanted if one.days >> d.weekday() & 1]
