"""What the code desk's part of a report says: code, tests' messages and transcripts as they stand, whole tickets."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from takt.board.pages import Pages
from takt.board.wanted import Prefs
from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, THOUGHT, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.judge.kpi import kpis
from takt.shift.result import Shift
from takt.show.report import page
from takt.show.sections import Own
from takt.stations.codedesk.account import account_of, values_of
from takt.stations.codedesk.terms import INSPECTED, RAN, REGRESSION

ASKS = {"good_rate": 0.8, "cycle_s": None, "quantile": 0.95}
DIFF = "+def get_all(self, *, by_name=None):\n+    return self.__all[by_name]"
RUN = {"said": "python3 -m pytest tests/test_all.py", "output": "1 failed: test_get_all", "errors": "", "tests": True}


def events(tickets: int) -> list[Event]:
    meta = {"station": "codedesk", "takt_s": 10.0, "worker": "llm", "parts": [], "acceptance": ASKS}
    meta |= {"options": {}, "worker_options": {}, "seed": 0, "clock": "measured", "faults": [], "begun_utc": ""}
    meta |= {"hours": None, "units": tickets, "stop_early": False, "machine": {}, "packages": {}, "wall_s": 1.0}
    found = [Event(0.0, SHIFT_STARTED, None, meta)]
    for unit in range(tickets):
        at_s = 10.0 * unit
        seen = {"failed": ["tests/test_all.py::test_get_all"], "broken": {}, "tampered": "", "build": "", "health": {}}
        ran = {**RUN, "ended_by": "exit", "code": 1, "busy_s": 1.0, "model": None}
        bad = {"reasons": ["broken_build"], "cycle_s": 3.0, "parts": {}}
        found += [
            Event(at_s, UNIT_DUE, unit, {"title": "Rename get_one to get_all"}),
            Event(at_s + 2, RAN, unit, ran),
            Event(at_s + 3, INSPECTED, unit, {**seen, "message": "E  AttributeError: _Table__all", "diff": DIFF}),
            Event(at_s + 3, UNIT_BAD, unit, bad),
        ]
    return found


def test_code_messages_and_transcripts_stand_in_reports_and_on_the_board_as_they_were_written() -> None:
    told = events(1)
    meta = dict(told[0].data)
    account = account_of(told)
    sections = tuple(replace(one, plot=None) for one in account.sections())
    shown: Any = SimpleNamespace(meta=meta, shift="")
    board = Pages().station(1, shown, Own(3.0, sections, (), False), Prefs(), False, "", False)
    report = page(Shift(tuple(told), meta, None, [], "units"), account=account)
    for text in map(html.unescape, (report, board)):
        for words in (DIFF, RUN["said"], "test_get_all", "_Table__all", "Rename get_one to get_all"):
            assert str(words) in text
        assert "Ticket 0, broken build: " in text


def test_an_agent_that_was_never_found_is_said_to_be_missing_and_one_slip_is_a_figure() -> None:
    told = [replace(e, data={**e.data, "code": 127, "errors": "sh: 1: qwen: not found\n"}) if e.kind == RAN else e
            for e in events(3)]  # fmt: skip
    (said,) = account_of(told).warnings
    assert "none of the 3 commands was found in the sandbox (sh: 1: qwen: not found)" in said and "programs=" in said
    account = account_of([*told, *events(1)])
    assert not account.warnings and ("Commands not found", "3 of 4") in [(f.label, f.value) for f in account.figures]
    assert not account_of(events(1)).warnings


def test_the_strength_of_tests_stands_with_the_number_of_defects_and_a_bound() -> None:
    told = events(5)
    told[0] = replace(told[0], data={**told[0].data, "worker": "saboteur"})
    told[4] = replace(told[4], data={**told[4].data, "reasons": ["help"]})  # which had no place for a defect
    told[8] = Event(told[8].t_s, UNIT_GOOD, 1, {"first_time": True, "cycle_s": 3.0, "parts": {}})
    (first, *_) = account_of(told).figures
    values = values_of(told)
    assert (first.name, first.value, values["mutants"]) == ("strength", "75.0", 4) and "of 4; at least" in first.source
    assert 0 < values["strength_at_least"] < 0.5
    assert "strength" not in values_of(events(5)) and account_of(events(5)).figures[0].name != "strength"


@pytest.mark.parametrize("tickets", [1, 2, 3, 30])
def test_the_axis_of_tickets_has_whole_tickets_and_none_that_there_are_not(tickets: int) -> None:
    (first, *_) = account_of(events(tickets)).sections()
    assert first.plot
    ticks = re.findall(r">\s*([-\u2212]?[\d.]+)\s*</text>", first.plot.wide)
    assert ticks and all(one.isdigit() and int(one) < tickets for one in ticks)


@pytest.mark.parametrize(("tickets", "ended"), [(1, "units"), (2, "worker_done"), (20, "units"), (20, "time"), (3, "")])
def test_no_more_is_done_in_an_hour_than_falls_due_and_shares_are_of_the_whole_shift(tickets: int, ended: str) -> None:
    """Each ticket is good 3 s after it fell due, of 10; but for every third, which breaks the one before."""
    found = events(0)
    for unit in range(tickets):
        at_s, bad = 10.0 * unit, unit % 3 == 2
        found += [Event(at_s, UNIT_DUE, unit, {"title": "A ticket"})]
        found += [Event(at_s + 2, RAN, unit, {**RUN, "ended_by": "exit", "code": 0, "busy_s": 1.0, "model": None})]
        found += [Event(at_s + 3, REGRESSION, unit, {"ticket": unit - 1, "count": 1})] if bad else []
        outcome = {"cycle_s": 3.0, "parts": {}, **({"reasons": ["regression"]} if bad else {"first_time": True})}
        found += [Event(at_s + 3, UNIT_BAD if bad else UNIT_GOOD, unit, outcome)]
        found += [Event(at_s + 3, THOUGHT, unit, {"calls": 4, "seconds": 1.5})]
    slots_s = 10.0 * tickets
    found += (
        [Event(slots_s if ended == "time" else found[-1].t_s, SHIFT_ENDED, None, {"reason": ended})] if ended else []
    )
    values, common = values_of(found), kpis(found)
    counted, time_s = tickets, slots_s  # also while the last slot is not over: its ticket is judged
    failed = [event.unit for event in found if event.kind == UNIT_BAD and event.unit is not None]
    good = counted - sum(unit < counted for unit in failed)
    assert common.units == counted
    assert values["tickets_per_h"] == common.good_rate_per_h == pytest.approx(good / (10.0 * counted) * 3600)
    assert values["good_rate"] == common.good_rate == pytest.approx(good / counted)
    assert values["thinking_share"] == pytest.approx(1.5 * tickets / time_s)
    assert values["commands_share"] == pytest.approx(1.0 * tickets / time_s)
    assert values["backlog_mean"] == pytest.approx(3.0 * tickets / time_s)
    assert values["between_regressions_s"] == (pytest.approx(time_s / len(failed)) if failed else None)
