"""The page of a recovery: what it says is so, everybody is counted once, names are text, it loads nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import by_hand
import pytest

from takt.cli import main
from takt.contract.station import TaktError
from takt.stations.flightdesk import check, cost, do_nothing, greedy_delay, read_instance, read_solution
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import two_hubs
from takt.stations.flightdesk.airline.recovery import session
from takt.stations.flightdesk.airline.recovery.facts import Fates, Flight, Hour, Late, Route, facts
from takt.stations.flightdesk.airline.recovery.recover import Found
from takt.stations.flightdesk.airline.recovery.report import LISTED, Limits, cost_over_time, flights_per_hour, page
from takt.stations.flightdesk.airline.recovery.summary import changes
from takt.stations.flightdesk.commands.printing import before_after

SHARED = Path(__file__).parents[3] / "shared" / "data" / "roadef2009"
DISRUPTED = {"alt_flights": "7 01/01/08 30"}
EDITS = (  # flight 6 is cancelled and a created one flies in its place; flight 5 waits; two aircraft change places
    ("1 AAA BBB 07:00", "100 AAA BBB 13:30 14:31 0 01/01/08 J2#3\n1 AAA BBB 07:00"),
    ("2 BBB AAA 09:00 10:00 0 01/01/08 J1#1", "2 BBB AAA 09:00 10:00 0 01/01/08 J1#2"),
    ("3 AAA CCC 12:00 14:30 2 01/01/08 J1#1", "3 AAA CCC 12:00 14:30 2 01/01/08 J1#2"),
    ("4 BBB CCC 10:00 15:00 0 01/01/08 J1#2", "4 BBB CCC 10:00 15:00 0 01/01/08 J1#1"),
    ("5 CCC BBB 16:00 21:00", "5 CCC BBB 17:00 22:00"),
    ("6 AAA BBB 13:00 14:00 0 01/01/08 J2#3", "6 AAA BBB 13:00 14:00 0 01/01/08 cancelled"),
    ("7 BBB AAA 15:00 16:00", "7 BBB AAA 15:30 16:30"),
    (
        "1 A 100.0 4 1 01/01/08 E 4 01/01/08 E",
        "1 A 100.0 3 1 01/01/08 E 4 01/01/08 E\n1 A 100.0 1 1 01/01/08 E 2 01/01/08 E 3 01/01/08 E",
    ),
    ("2 01/01/08 B 3", "2 01/01/08 E 3"),
    ("3 A 80.0 6 6 01/01/08 E", "3 A 80.0 2 100 01/01/08 E\n3 A 80.0 4 cancelled"),
)


@pytest.fixture
def day(tmp_path: Path) -> Any:
    instance = read_instance(by_hand.write(tmp_path / "day", **DISRUPTED))
    solution = read_solution(instance, by_hand.write_plan(tmp_path / "plan", *EDITS))
    assert not check(instance, solution)
    return instance, solution


def row(solution: Any, number: Any) -> Any:
    return solution.operations.number.tolist().index(number)


def told_of(instance: Any, solution: Any, **more: Any) -> dict[str, Any]:
    priced = cost(instance, solution)
    first = {**priced.parts(), "total": priced.total}
    return {
        "instance": instance.name,
        "seed": 7,
        "searchers": 2,
        "seconds": 12.5,
        "iterations": 4321,
        "interrupted": False,
        "first": first,
        "cost": first,
        "weights": list(instance.prices.weights),
        "changes": changes(instance, solution).counts(),
        "history": [(0.1, 0, priced.total)],
        **more,
    }


class Page(HTMLParser):
    """The text of a page that is well-formed and loads nothing."""

    def __init__(self, text: Any) -> None:
        super().__init__()
        self.open, self.rows, self.texts, self.marks = [], 0, [], Counter()
        self.feed(text)
        self.close()
        assert not self.open and "@import" not in text and not re.search(r"url\((?!#)", text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: Any, attributes: Any) -> None:
        assert tag not in ("script", "link", "iframe", "img")
        for key, value in attributes:
            assert key not in ("src", "href", "xlink:href") or value.startswith("#")
        self.rows += tag == "tr"
        self.marks[tag, *(key for key, _ in attributes)] += 1
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: Any, attributes: Any) -> None:
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag: Any) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: Any) -> None:
        if "style" not in self.open:
            self.texts.append(data)


def test_what_became_of_flights_and_passengers(day: Any) -> None:
    found, (_, solution) = facts(*day), day
    clock = {hour: Hour(hour, 0, 0, 0, 0, 0) for hour in range(8, 28)}
    clock |= {hour: Hour(hour, 1, 0, 0, 0, 0) for hour in (8, 9, 10, 12, 22)}
    clock |= {13: Hour(13, 0, 0, 0, 1, 1), 15: Hour(15, 0, 1, 0, 0, 0), 17: Hour(17, 0, 0, 1, 0, 0)}
    assert found.hours == tuple(clock.values())
    assert found.cancelled == (Flight("6 of 01/01", "AAA", "BBB", 780, 780, "J2#3", "", 6, row(solution, 6)),)
    assert found.delayed == (Flight("5 of 01/01", "CCC", "BBB", 960, 1020, "J1#2", "J1#2", 2, row(solution, 5)),)
    assert found.delayed[0].minutes == 60
    assert found.created == (Flight("100 of 01/01", "AAA", "BBB", 810, 810, "", "J2#3", 2, row(solution, 100)),)
    assert [(f.name, f.planned, f.aircraft, f.people) for f in found.swapped] == [
        ("2 of 01/01", "J1#1", "J1#2", 4),
        ("3 of 01/01", "J1#1", "J1#2", 4),
        ("4 of 01/01", "J1#2", "J1#1", 3),
    ]
    assert found.people == 17 and found.fates == Fates(on_time=3, late=4, other=3, downgraded=3, cancelled=4)
    assert [late for late in found.late if late.people] == [Late(15, 30, 2), Late(30, 60, 4)]
    assert found.routes == (
        Route("AAA", "BBB", 6, 2, 4, (((), 6),), (((), 2),)),
        Route("BBB", "CCC", 3, 3, 0, ((("AAA",), 3),), ((("AAA",), 3),)),
        Route("AAA", "CCC", 4, 1, 0, ((("BBB",), 1),), ((("BBB", "AAA"), 1),)),
    )


@pytest.mark.parametrize("plan", [do_nothing, greedy_delay])
@pytest.mark.parametrize("name", ["made", "A01", "B01"])
def test_everybody_and_every_change_is_counted_once(name: Any, plan: Any) -> None:
    if name != "made" and not SHARED.exists():
        pytest.skip("the challenge's instances are not here")
    made = two_hubs(flights=300, aircraft=42, bookings=600)
    instance = generate(made, 3) if name == "made" else read_instance(SHARED / name)
    solution = plan(instance)
    found, counted = facts(instance, solution), changes(instance, solution)
    fates = found.fates
    total = fates.on_time + fates.late + fates.other + fates.downgraded + fates.cancelled
    assert total == found.people == instance.bookings.passengers.sum()
    assert fates.cancelled == counted.passengers_cancelled
    assert fates.other + fates.downgraded == counted.passengers_rebooked
    assert sum(late.people for late in found.late) == counted.passengers_late
    assert sum(r.rebooked + r.cancelled for r in found.routes) == total - fates.on_time - fates.late
    for kind in ("cancelled", "delayed", "created"):
        expected = getattr(counted, f"flights_{kind}")
        assert sum(getattr(hour, kind) for hour in found.hours) == len(getattr(found, kind)) == expected
    page(told_of(instance, solution), instance, solution)


def test_the_page_says_cost_then_decisions_then_rotations_then_passengers(day: Any) -> None:
    instance, solution = day
    priced = cost(instance, solution)
    first = {**priced.parts(), "not_flown": 5000.0, "total": 1234567.89}
    told = told_of(instance, solution, first=first, history=[(0.1, 0, 1234567.89), (9.0, 80, priced.total)])
    text = Page(page(told, instance, solution)).text
    for said in (
        "Tue 01/01/08 08:00 to Wed 02/01/08 04:00",
        f"{priced.total:,.0f} EUR The best plan",
        "costs 1,234,568 EUR",
        "valid: it keeps every rule",
        "no proven lower bound",
        "12.5 s Searchers 2, with 4,321 moves each",
        "Seed 7",
        "4 Passengers cancelled",
        f"not flown −5,000 −{priced.not_flown:,.0f} {5000 - priced.not_flown:,.0f}",
        "Cancel 6 of J2#3 AAA–BBB, 01/01 13:00",
        "nothing forces it: it frees its aircraft for 100",
        "Aircraft of the decisions above",
        "Prop: 0 of 1 aircraft touched",
        "6 people, each counted once",
        "6 of 01/01 AAA–BBB 01/01 13:00 plan 6 0 4 100 (new) 2",
        "A lower cabin 3",
        "31 to 60 min 4",
        "AAA–CCC 4 1 0 via BBB 1 via BBB and AAA 1",
        "5 of 01/01 CCC BBB delayed 60 min 01/01 16:00 01/01 17:00 J1#2 J1#2 2",
        "2 of 01/01 BBB AAA swapped 01/01 09:00 01/01 09:00 J1#1 J1#2 4",
    ):
        assert said in text, said
    order = ("The best plan", "The decisions that", "Aircraft rotations", "What is cut", "Passengers of", "Cost over")
    assert sorted(order, key=text.index) == list(order)
    assert not re.search(r"\d\.\d\d (?!s)", text)  # whole euros


def test_the_page_says_how_far_from_the_bound_and_that_the_time_was_exceeded(day: Any) -> None:
    instance, solution = day
    told = told_of(instance, solution)
    total = cost(instance, solution).total

    def text(**limits: Any) -> Any:
        return Page(page(told, instance, solution, Limits(**limits))).text

    said = text(bound=total - 1000.4, asked_s=10.0, gap=0.0421)
    assert "1,000 EUR above, a gap of 4.2 %" in said and "greedy-delay" in said
    assert (
        f"{total - 1000.4:,.0f} EUR, proven of every plan that takt flightdesk check passes: this one is 1,000" in said
    )
    assert f"proven lower bound: {total - 1000.4:,.0f}" in said  # on the plot
    assert "12.5 s of 10 s given" in said and "12.5 s instead of 10 s, 2.5 s over" in said and "time given" in said
    assert "longer than it was given" not in text(asked_s=12.0)
    assert [Limits(asked_s=asked).over_s(12.5) for asked in (11.5, 600.0, None)] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("written_s", "said", "alert"),
    [
        (14.0, "written 14.0 s after the start, 2.0 s after the time given", True),
        (12.6, "written 12.6 s after the start, 0.6 s after the time given", False),
        (0.1, "written 0.1 s after the start Searchers", False),
    ],
)
def test_the_page_says_when_the_last_plan_was_written_and_whether_that_was_too_late(
    day: Any, written_s: Any, said: Any, alert: Any
) -> None:
    instance, solution = day
    told = told_of(instance, solution, seconds=12.0, written_s=written_s, asked_s=12.0, searchers_lost=0, broken=[])
    text = Page(page(told, instance, solution, Limits(asked_s=12.0))).text
    assert "12.0 s of 12 s given" in text and f"Last plan {said}" in text
    assert ("its last plan was written after 14.0 s instead of 12 s, 2.0 s over" in text) == alert
    assert ("longer than it was given" in text) == alert
    assert before_after(told).title == f"{instance.name}: 12 s, searchers: 2"


def test_the_page_says_when_the_search_ended_too_late_though_its_last_plan_was_in_time(day: Any) -> None:
    instance, solution = day
    told = told_of(instance, solution, seconds=15.0, written_s=11.0)
    text = Page(page(told, instance, solution, Limits(asked_s=12.0))).text
    assert (
        "longer than it was given: it ended after 15.0 s instead of 12 s; its last plan was written after 11.0 s"
        in text
    )


@pytest.mark.parametrize(
    ("gap", "early", "shown"), [(0.25, 0, True), (0.25, 1, False), (-0.1, 0, False), (None, 0, False)]
)
def test_a_gap_is_told_of_a_plan_that_breaks_no_rule_and_where_there_is_one(
    day: Any, gap: Any, early: Any, shown: Any
) -> None:
    instance, solution = day
    o = solution.operations
    solution = replace(solution, operations=replace(o, departure=o.departure - early, arrival=o.arrival - early))
    told = told_of(instance, solution, bound=-1000.0, gap=gap, broken=["a rule"] * early)
    text = Page(page(told, instance, solution, Limits(bound=-1000.0, gap=gap))).text
    assert ("a gap of 25.0 %" in text) == ("The gap is" in text) == shown
    assert ("it does not pass this one" in text) == bool(early)
    assert ("gap" in list(before_after(told).columns[0].cells)) == shown


def test_what_recover_prints_adds_up_to_the_total(day: Any) -> None:
    instance, solution = day
    instance = replace(instance, prices=replace(instance.prices, weights=(2.0, 1.0, 0.5)))
    told = told_of(instance, solution, asked_s=12.0, searchers_lost=0, broken=[])
    names, _, best = ([str(cell) for cell in column.cells] for column in before_after(told).columns)
    eur = dict(zip(names, (text.replace(",", "") for text in best), strict=True))
    parts = list(cost(instance, solution).parts())
    assert sum(float(eur[name.replace("_", " ")]) for name in parts) == pytest.approx(float(eur["total"]), abs=0.06)


def test_parts_are_weighted_as_in_the_total(day: Any) -> None:
    instance, solution = day
    instance = replace(instance, prices=replace(instance.prices, weights=(2.0, 1.0, 0.5)))
    priced = cost(instance, solution)
    text = Page(page(told_of(instance, solution), instance, solution)).text
    assert f"not flown −{2 * priced.not_flown:,.0f}" in text and f"delay {priced.delay:,.0f}" in text


NAMES = ("AAA", "BBB", "CCC", "J1#1", "J1#2", "J2#3", "P#4", "Bus#5", "J1", "J2", "P", "Bus", "Jet", "Prop")
NASTY = "<img/src=x/onerror=alert(1)></text></svg>\"'&\x1b$x$"


def test_every_name_that_a_file_can_give_is_text(tmp_path: Path) -> None:
    def made(mark: str) -> str:
        """The page of a day whose airports, aircraft, models, families and configurations have this in their names."""

        def marked(text: str) -> str:
            name = rf"(?<![^\s-])({'|'.join(map(re.escape, NAMES))})(?![^\s-])"
            return re.sub(name, lambda found: mark + found[0], text, flags=re.MULTILINE)

        files = by_hand.FILES | DISRUPTED | {
            "alt_aircraft": "J2#3 31/12/07 08:00 01/01/08 12:00",
            "alt_airports": "AAA 01/01/08 13:00 01/01/08 14:00 1 3\nBBB 01/01/08 14:00 01/01/08 18:00 1 1",
            "aircraft": by_hand.FILES["aircraft"].replace("90 300.0 25 15 AAA NULL",
                                                          "90 300.0 25 15 AAA AAA-01/01/08-06:00-01/01/08-16:00-400"),
        }  # fmt: skip
        files |= {name: marked(text) for name, text in files.items() if name != "config"}
        files["position"] = files["position"].replace("2/4/10", f"{mark}2/4/10")
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        instance = replace(read_instance(by_hand.write(folder / "day", **files)), name=f"{mark}day")
        for file in by_hand.write_plan(folder / "plan", *EDITS).iterdir():
            file.write_text(marked(file.read_text()))
        solution = read_solution(instance, folder / "plan")
        return page(told_of(instance, solution), instance, solution)

    text, plain = made(NASTY), Page(made("x" * len(NASTY)))
    shown = Page(text)
    assert shown.marks == plain.marks and "\x1b" not in text
    seen = NASTY.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    for name in ("day", "AAA", "BBB", "CCC", "J1#1", "J1#2", "J2#3", "P#4", "Bus#5", "Bus", "Jet", "Prop"):
        assert f"{seen}{name}" in shown.text, name
    assert shown.text.count(seen) == plain.text.count("x" * len(NASTY))


def test_names_are_text_and_a_plan_that_breaks_a_rule_is_not_called_valid(day: Any) -> None:
    instance, solution = day
    nasty = "<script>alert('x')</script>&\"$x$"
    instance = replace(instance, name=nasty)
    o = solution.operations
    broken = replace(solution, operations=replace(o, departure=o.departure - 1, arrival=o.arrival - 1))
    text = Page(page(told_of(instance, broken, interrupted=True), instance, broken)).text
    assert nasty in text and "rules broken" in text and "it keeps every rule" not in text
    assert "12.5 s, then interrupted" in text


def test_long_lists_are_folded_and_whole(tmp_path: Path) -> None:
    instance = generate(two_hubs(flights=800, aircraft=112, bookings=3000), 1)
    solution = do_nothing(instance)
    found = facts(instance, solution)
    assert len(found.cancelled) > LISTED and len(found.routes) > LISTED
    text = Page(page(told_of(instance, solution), instance, solution)).text
    assert f"and {len(found.routes) - LISTED} more" in text
    for flight in found.cancelled:
        assert f"{flight.name} {flight.origin} {flight.destination} cancelled" in text


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ((515253.7, 20000.0, -5409.0), ("100k", "1k", ">0<", "−1k")),
        ((11827351.0, 600.0, 30.0), ("10M", ">100<")),
        ((12.5e6, 9.1e6), ("10M",)),
        ((-100.0, -2500.0), ("−1k",)),
        ((0.0,), (">0<",)),
    ],
)
def test_cost_over_time_is_drawn_whatever_it_is(totals: Any, said: Any) -> None:
    drawn = cost_over_time([(float(i), 10 * i, total) for i, total in enumerate(totals)], 30.0)
    for text in said:
        assert text in drawn.wide and text in drawn.narrow


@pytest.mark.parametrize("bound", [-80000.0, 5.0, 12345.0])
@pytest.mark.parametrize("totals", [(515253.7, 20000.0, 15000.0), (11827351.0, 26000.0, 12345.6)])
def test_the_bound_lies_within_the_cost_plot(bound: Any, totals: Any) -> None:
    history = [(float(i), 10 * i, total) for i, total in enumerate(totals)]
    drawn = cost_over_time(history, 30.0, Limits(bound=bound)).wide
    label = re.search(
        r'translate\([\d.]+ ([\d.]+)\)[^>]*>proven lower bound|y="([\d.]+)"[^>]*>proven lower bound', drawn
    )
    assert label is not None and 0 < float(label[1] or label[2]) < 300


def test_the_time_axis_has_dates(tmp_path: Path) -> None:
    instance = generate(two_hubs(flights=300, aircraft=42, bookings=600, days=2), 3)
    drawn = flights_per_hour(instance, facts(instance, do_nothing(instance)).hours)
    for text in ("Wed 7 Jan", "Thu 8 Jan", "Fri 9 Jan"):
        assert text in drawn.wide


def one_plan(instance: Any, *_: Any) -> Iterator[Any]:
    """In place of `recover`."""
    solution = do_nothing(instance)
    yield Found(0.1, 0, 0, 0, True, solution, cost(instance, solution), None, ())


@pytest.mark.parametrize("name", ["report.html", "recovery.json", "sol_rotations.csv"])
def test_what_is_not_a_recoverys_stays_and_is_told_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path, out = by_hand.write(tmp_path / "day"), tmp_path / "out"
    monkeypatch.setattr(session, "recover", lambda *_: pytest.fail("it was searched"))
    out.mkdir()
    mine = {"report.html": "<p>my own report", "recovery.json": "{}", "sol_rotations.csv": "#\n", name: "notes of mine"}
    for file, text in mine.items():
        (out / file).write_text(text)
    (out / "report.html").write_text(mine["report.html"] if name == "report.html" else "")
    before = {file: (out / file).read_text() for file in mine}
    assert main(["flightdesk", "recover", str(path), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert name in said and said.count("\n") == 1 and {f.name: f.read_text() for f in out.iterdir()} == before


def test_a_link_to_an_earlier_page_stays_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out, elsewhere = by_hand.write(tmp_path / "day"), tmp_path / "out", tmp_path / "pages.html"
    out.mkdir()
    (out / "report.html").symlink_to(elsewhere)
    elsewhere.write_text('<p class="over">Takt flight desk')
    monkeypatch.setattr(session, "recover", one_plan)
    assert main(["flightdesk", "recover", str(path), "--bound", "0", "--out", str(out)]) == 0
    assert (out / "report.html").is_symlink() and "Where passengers go" in elsewhere.read_text()


def test_a_bound_that_fails_takes_neither_plan_nor_page_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def proven(*_: Any) -> Any:
        raise TaktError("the bound's process has died; is there enough memory?")

    path, out = by_hand.write(tmp_path / "day"), tmp_path / "out"
    monkeypatch.setattr(session, "recover", one_plan)
    monkeypatch.setattr(session, "proven", proven)
    assert main(["flightdesk", "recover", str(path), "--out", str(out)]) == 0
    assert capsys.readouterr().err.endswith(
        "takt: no lower bound: the bound's process has died; is there enough memory?\n"
    )
    assert "no proven lower bound" in Page((out / "report.html").read_text(encoding="utf-8")).text
    assert json.loads((out / "recovery.json").read_text())["no_bound"].startswith("the bound's process")


@pytest.mark.parametrize("interrupted", [False, True])
def test_recover_writes_the_page_at_its_end_unless_stopped_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], interrupted: Any
) -> None:
    path = by_hand.write(tmp_path / "day", **DISRUPTED)

    def recover(instance: Any, *_: Any) -> Iterator[Any]:
        yield from one_plan(instance)
        if interrupted:
            session.signal.raise_signal(session.signal.SIGTERM)

    monkeypatch.setattr(session, "recover", recover)
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text('<p class="over">Takt ', encoding="utf-8")  # of another plan
    assert main(["flightdesk", "recover", str(path), "--bound", "0", "--out", str(out)]) == (130 if interrupted else 0)
    said = f"report: {out / 'report.html'}" in capsys.readouterr().out
    assert said == (out / "report.html").exists() == (not interrupted)
    if not interrupted:
        text = Page((out / "report.html").read_text(encoding="utf-8")).text
        assert re.search(r"\d\.\d s of 600 s given", text) and "Where passengers go" in text
