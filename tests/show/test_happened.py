"""What happened to a unit, in words, in both languages and for every station."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import takt
from takt import Shift
from takt.contract.events import FAULT, FAULT_CLEARED, FOR_PEOPLE, SAID, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.ledger import Ledger
from takt.show.happened import happening, meanwhile, name_of, story, value_in_words
from takt.show.printed import unit_heading
from takt.show.steps import Stepping, read_steps
from takt.show.summaries import junit, markdown
from takt.show.transcript import of_unit, there_already, transcript
from takt.show.view import ShiftView

LEDGERS = Path(__file__).parents[1] / "ledgers"
SOURCE = Path(takt.__file__).parent
TABLES = sorted(SOURCE.rglob("words.toml"))
MARKS = re.compile(r'[{}\[\]"]|\w_\w')  # of JSON and of programs


@pytest.mark.parametrize("ledger", sorted(LEDGERS.glob("*.takt")), ids=lambda path: path.stem)
def test_every_units_story_is_sentences_in_both_languages(ledger: Path) -> None:
    with Ledger.open(ledger) as book:
        station, events = str(book.meta["station"]), book.events()
    for unit in {event.unit for event in events if event.unit is not None}:
        english, chinese = (story(events, unit, station, language) for language in ("en", "zh"))
        assert len(english) == len(chinese) > 0
        for one in english:
            assert one.words.endswith(".") and not MARKS.search(one.words), one.words
        for one in chinese:
            ours = re.sub(r"调用 \w+ \(.*\)|“.*”|\b[A-Z]{3}\b|\S+/\S+ [A-Z]|\d\S*", "", one.words)  # names
            assert one.words.endswith("。") and not re.search(r"[A-Za-z]{2}", ours), one.words


def test_what_a_desk_did_is_told_as_people_say_it() -> None:
    data = {"group": "7", "people": 1, "legs": [["LO1/2026-03-01", "E"]], "late_min": 61, "fare": 0.0, "flown": False}
    told = happening(Event(1.0, "booked", 0, data), "flightdesk").words
    booked = "Group 7, 1 person, booked on LO1/2026-03-01 E; "
    assert (
        told == booked + "but as it turned out, these flights did not bring them home."
    )  # nor late, nor at that price
    flown = happening(Event(1.0, "booked", 0, {**data, "flown": True}), "flightdesk").words
    assert flown == booked + "home 1 h 1 min late."
    worked = happening(Event(1.0, "booked", 0, {**data, "late_min": 0, "flown": True}), "flightdesk", "zh").words
    assert worked == "第 7 组 1 人改签 LO1/2026-03-01 E。"


LOST = {"lost_by": "missed", "lost_flight": "LO1/2026-03-01", "lost_known": "2026-03-01 06:00"}
FLOWN = {"flown": True, "late_min": 61, "hotel_not_due": 0.0}
MONEY = "The group was given its money back, and not brought home."


@pytest.mark.parametrize(
    ("reason", "kind", "data", "told"),
    [
        ("not_home", "booked", {"flown": False, FOR_PEOPLE: LOST}, "The group misses its connection to LO1/2026-03-01"),
        ("not_home", "booked", {"flown": False}, "The group was booked on flights that were not flown as booked"),
        ("not_home", "booked", {"flown": False, FOR_PEOPLE: 7}, "The group was booked on flights that were not flown"),
        (
            "not_home",
            "booked",
            FLOWN,
            "The group was booked on a way home that is later than was promised: it is",
        ),
        ("not_home", "refunded", {}, MONEY),
        ("not_home", "split", {}, "The group was refunded, arrives too late, or"),
        ("overpaid", "booked", FLOWN, "It cost more than not bringing the group home would have."),
        ("overpaid", "booked", {**FLOWN, "hotel_not_due": 75.0}, "A hotel was given that was not due: 75 EUR."),
    ],
)
def test_which_of_a_reasons_cases_it_was_is_said_where_the_ledger_tells(
    reason: str, kind: str, data: Any, told: str
) -> None:
    over = Event(9.0, UNIT_BAD, 0, {"cycle_s": 9.0, "parts": {}, "reasons": [reason]})
    events = [
        Event(0.0, UNIT_DUE, 0),
        Event(5.0, kind, 0, data),
        over,
        Event(9.0, UNIT_DUE, 1),
    ]
    meta = {"worker": "w", "station": "flightdesk", "seed": 0, "clock": "lockstep"}
    shift, view = Shift(tuple(events), meta, None, [], ""), ShiftView.of(events)
    texts = unit_heading("flightdesk", events, 0).plain, markdown(shift, view, []), junit(shift, view)
    assert all(told in text.replace("\\", "") for text in texts), texts


def test_what_hands_and_calls_did_is_in_the_story() -> None:
    due, over = Event(0.0, "unit_due", 0), Event(9.0, "unit_good", 0, {"cycle_s": 9.0, "first_time": True})
    held = Event(1.0, SAID, 0, {"controls": {"left.x": -1.0, "fine": 1.0}})
    let_go = Event(2.0, SAID, 0, {"controls": {}})
    called = Event(3.0, SAID, 0, {"call": ["book", '{"legs": [{"flight": "A1", "cabin": "E"}], "hotel": true}']})
    told = [one.words for one in story([due, held, let_go, called, over], 0, "nutcell")]
    assert told[1:4] == [
        "The person steers: left hand: nearer, slowly.",
        "The person lets go.",
        "The worker calls book (legs: A1 E, hotel: yes).",
    ]
    again = story([due, over], 0, "nutcell", "zh", [(4.0, ("left", "a hand pushes with 41 N"))])
    assert [one.words for one in again][1] == "左：手以 41 牛推压。"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_strangers_event_is_told_by_its_own_names_without_marks_and_never_raises(language: str) -> None:
    odd: Any = {"side_door": "left", "deep": [[1, 2], {"a_b": None}], "parts": 7, "reasons": {"x": 1}, "cycle_s": "no"}
    for kind in ("door_opened", "unit_due", "unit_bad", "unit_good", "booked", "inspected", "thought", "fault"):
        for data in (
            odd,
            {},
            {key: odd for key in ("name", "said", "broken", "calls", "people", "late_min", "failed")},
        ):
            assert happening(Event(1.0, kind, 0, data), "flightdesk", language).words
            assert happening(Event(1.0, kind, 0, data), "nobody's", language).words
    told = happening(Event(1.0, "door_opened", 0, {"side_door": "left", "log": "a\nb"}), "nobody's")
    assert told.words == "Door opened; side door: left." and told.texts == (("log", "a\nb"),)
    assert value_in_words([{"a_b": 1.5}, None], "nobody's") == "1.5, –"


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_every_word_of_a_station_has_its_chinese(path: Path) -> None:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(tables) <= {"events", "names", "fields", "texts"}
    for name, told in tables["events"].items():
        fields = [set(re.findall(r"\{.*?\}", " ".join(told[language]))) for language in ("en", "zh")]
        assert {re.sub(r":\w+", "", one) for one in fields[0]} == {re.sub(r":\w+", "", one) for one in fields[1]}, name
    for table in ("names", "fields"):
        assert all(told.get("zh") for told in tables.get(table, {}).values()), table


def test_a_reason_is_named_in_chinese_wherever_its_sentence_is() -> None:
    for path in sorted(SOURCE.rglob("reasons.toml")):
        names = tomllib.loads((path.parent / "words.toml").read_text(encoding="utf-8"))["names"]
        assert set(tomllib.loads(path.read_text(encoding="utf-8"))) <= set(names), path
        for told in tomllib.loads(path.read_text(encoding="utf-8")).values():
            for case in told.get("cases", []):
                fields = [set(re.findall(r"\{.*?\}", case[language])) for language in ("en", "zh")]
                assert fields[0] == fields[1] and set(case["name"]) == {"en", "zh"}, case
    assert name_of("not_seated", "nutcell") == "not seated" and name_of("not_seated", "nutcell", "zh") == "未到位"


JAM = {"name": "feeder_jam", "origin": "station", "stops": True}
THERE = "Fault of the station: feeder jam; there since 0:00:40; work stops."
JAMMED = [  # a jam that begins in a unit, and is over in the second after it
    Event(0.0, UNIT_DUE, 0),
    Event(40.0, FAULT, 0, JAM),
    Event(76.0, UNIT_GOOD, 0, {"cycle_s": 8.0, "first_time": True}),
    Event(76.0, UNIT_DUE, 1),
    Event(152.0, UNIT_BAD, 1, {"cycle_s": None, "reasons": ["missed"]}),
    Event(152.0, UNIT_DUE, 2),
    Event(160.0, FAULT_CLEARED, 2, JAM),
    Event(228.0, UNIT_GOOD, 2, {"cycle_s": 20.0, "first_time": True}),
]


def test_a_fault_from_before_a_unit_heads_its_story_and_stands_beside_its_reason() -> None:
    told = [one.words for one in story(JAMMED, 1, "nutcell")]
    assert told[:2] == ["A fixture came in.", THERE] and told[2].startswith("Bad: missed") and len(told) == 3
    lines = of_unit(transcript(JAMMED), JAMMED, 1)
    assert [line.what for line in lines] == ["unit_due", "fault", "unit_bad"]
    assert "Meanwhile: feeder jam." in unit_heading("nutcell", JAMMED, 1).plain
    shift = Shift(tuple(JAMMED), {"worker": "w", "station": "nutcell", "seed": 0, "clock": "lockstep"}, None, [], "")
    assert "| 1 | 0:02:32 | " in markdown(shift, ShiftView.of(JAMMED), [])
    assert "Meanwhile: feeder jam. |" in markdown(shift, ShiftView.of(JAMMED), [])
    assert meanwhile(JAMMED, 1, "nutcell", "zh") == name_of("feeder_jam", "nutcell", "zh")
    assert [THERE in [one.words for one in story(JAMMED, unit, "nutcell")] for unit in (0, 1, 2)] == [False, True, True]
    assert any("Fault over" in one.words for one in story(JAMMED, 2, "nutcell"))


def test_a_fault_is_told_of_every_unit_that_is_open_whichever_it_was_filed_with() -> None:
    """Where units overlap."""
    events = [Event(0.0, UNIT_DUE, 0), Event(5.0, UNIT_DUE, 1), Event(9.0, FAULT, 1, JAM), Event(20.0, UNIT_BAD, 0, {})]
    assert [one.words.split(":")[0] for one in story(events, 0, "nutcell")][1] == "Fault of the station"
    assert [line.what for line in of_unit(transcript(events), events, 0)] == ["unit_due", "fault", "unit_bad"]
    assert meanwhile(events, 1, "nutcell") == "feeder jam", "it is open, and so is the fault"


class Fixture:
    """A station that is looked at closely: as it falls due, the one before is still to be seen."""

    class spec:
        station, control_s = "nutcell", 1.0

    now = 76.0

    def closeup(self) -> Any:
        return np.full((8, 8, 3), 0 if self.now < 77.0 else 200, np.uint8)

    def noted(self) -> list[tuple[str, str]]:
        return [("left", "takes a nut")]

    def gauges(self) -> dict[str, tuple[float, str]]:
        return {}


def test_a_units_first_picture_is_its_own_and_has_what_happened_as_it_fell_due(tmp_path: Path) -> None:
    station: Any = Fixture()
    stepping = Stepping(tmp_path, 1, 76.0, 76.0, there_already(JAMMED, 1))
    stepping.look(station, [Event(76.0, "unit_bad", 0, {}), Event(76.0, "unit_due", 1, {})])
    station.now, station.in_place = 76.5, lambda: False
    stepping.look(station, [])
    station.now, station.in_place = 77.0, lambda: True
    stepping.look(station, [])
    stepping.close()
    (first,) = read_steps(tmp_path).steps
    assert first.t_s == 77.0 and first.words() == f"{THERE} A fixture came in. Left: takes a nut."
    assert first.words("zh").endswith("夹具到位。 左：取螺母。") and first.noted == (("left", "takes a nut"),)
    with Image.open(tmp_path / first.picture) as picture:
        assert np.asarray(picture).mean() > 150
