"""Bad units grouped by what an answer had shown and what was done."""

from __future__ import annotations

import json
from typing import Any

from takt import Event
from takt.contract.events import SAID, SHIFT_STARTED, UNIT_BAD, UNIT_DUE
from takt.show.sections import shown_and_done
from takt.show.seen import seen_and_done


def way(flight: Any, hotel_due: Any = False, closed: Any = ()) -> dict[str, Any]:
    return {"legs": [{"flight": flight, "cabin": "E"}], "hotel_due": hotel_due, "closed": list(closed)}


def answer(number: Any, *ways: Any) -> dict[str, Any]:
    result = {"tool": "propose", "itineraries": list(ways)}
    return {"role": "tool", "tool_call_id": f"call_{number}_0", "content": json.dumps({"now_s": 1.0, "result": result})}


def said(unit: Any, t_s: Any, number: Any, name: Any, added: Any = (), **arguments: Any) -> Any:
    calls = [[name, json.dumps(arguments)]]
    return Event(t_s, SAID, unit, {"number": number, "added": list(added), "calls": calls})


def unit(number: Any, reason: Any, ways: Any, call: Any, **arguments: Any) -> list[Any]:
    """A group that was proposed these ways, and dealt with by this call."""
    first = 2 * number
    return [
        Event(10.0 * number, UNIT_DUE, number, {"group": str(number)}),
        said(number, 10.0 * number, first, "propose", group=str(number)),
        said(number, 10.0 * number + 1, first + 1, call, [answer(first, *ways)], group=str(number), **arguments),
        Event(10.0 * number + 2, UNIT_BAD, number, {"reasons": [reason], "parts": {}, "cycle_s": 2.0}),
    ]


START = Event(0.0, SHIFT_STARTED, None, {"station": "flightdesk"})


def told(*units: Any) -> list[Any]:
    return [
        (group.reason, group.words, group.units) for group in seen_and_done([START, *(e for u in units for e in u)])
    ]


def test_a_hotel_that_was_shown_to_be_due_for_the_way_that_was_booked_is_told_apart() -> None:
    due, other = way("1", hotel_due=True), way("2")
    book = {"call": "book", "legs": [{"flight": "1", "cabin": "E"}]}
    assert told(
        unit(0, "rule_broken", [due, other], **book),
        unit(1, "rule_broken", [other], **book),  # another way's hotel says nothing of this one
        unit(2, "rule_broken", [due], **book),
        unit(3, "not_home", [other], "refund"),
        unit(4, "not_home", [], "refund"),
    ) == [
        ("rule_broken", "hotel due was shown, booked without; last call: book", (0, 2)),
        ("rule_broken", "booked without a look at whether a hotel is due; last call: book", (1,)),
        ("not_home", "ways home were shown; last call: refund", (3,)),
        ("not_home", "no way home was shown; last call: refund", (4,)),
    ]


def test_what_the_last_call_itself_answers_was_not_shown_before_it() -> None:
    events = unit(0, "rule_broken", [], "book", legs=[{"flight": "1", "cabin": "E"}])
    events.append(said(0, 9.0, 9, "queue", [answer(1, way("1", hotel_due=True))]))  # the answer of `book`, told later
    assert told(events)[0][1].startswith("booked without a look")


def test_where_answers_are_not_recorded_only_what_was_done_is_told_and_for_others_nothing() -> None:
    calls = [Event(0.0, UNIT_DUE, 0, {}), Event(1.0, SAID, 0, {"number": 0, "call": ["refund", '{"group":"0"}']})]
    bad = [Event(2.0, UNIT_BAD, 0, {"reasons": ["not_home"], "parts": {}, "cycle_s": None})]
    assert told([*calls, *bad]) == [("not_home", "last call: refund", (0,))]
    assert told([Event(0.0, UNIT_DUE, 0, {}), *bad]) == []
    (section,) = shown_and_done([START, *calls, *bad], "flightdesk")  # as the board shows it
    assert section.table is not None and section.table.rows == [("not home", "last call: refund", "1", "0")]
    assert shown_and_done([START, Event(0.0, UNIT_DUE, 0, {}), *bad], "flightdesk") == []
    policy = Event(1.0, SAID, 0, {"number": 0, "took_s": 0.1})
    assert told([Event(0.0, UNIT_DUE, 0, {}), policy, *bad]) == []
