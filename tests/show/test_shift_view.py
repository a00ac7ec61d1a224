"""What a shift looks like: the view that terminal, page and board share, and the tables made of it."""

from __future__ import annotations

import csv
import html
import io
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from takt import Event, Ledger, kpis, run_shift, verdict
from takt.cli import main
from takt.contract.events import (
    FAULT,
    FAULT_CLEARED,
    HELP_CALLED,
    SHIFT_ENDED,
    SHIFT_STARTED,
    UNIT_BAD,
    UNIT_DUE,
    UNIT_GOOD,
    stopping_early,
)
from takt.judge.human import human_relative
from takt.judge.kpi_table import rows
from takt.judge.verdict import notes, verdict_if_stopped
from takt.shift import Progress
from takt.show.listing import BROKEN, CUT_OFF, ENDED, RUNNING, being_written, ledgers_in, row_of
from takt.show.listing import row as row_of_events
from takt.show.printed import rows_table, unit_heading
from takt.show.reasons import in_words
from takt.show.report import write_report
from takt.show.summaries import junit, markdown
from takt.show.thinking import spent
from takt.show.transcript import EVENT, STATION, WORKER, Line, chosen_units, is_unanswered, of_unit, transcript
from takt.show.units import as_csv, unit_records
from takt.show.view import FAULTY, HELP, OVER, WAITING, WORKING, ShiftView
from takt.show.watch import Onlooker, Watch
from toy import Lazy, Toy, push

LEDGERS = Path(__file__).parents[1] / "ledgers"
STARTED = {"takt_s": 10.0, "pace": "beat", "hours": 1.0, "units": None, "acceptance": {"good_rate": 0.7}}
NASTY = "<script>alert('x')</script>|`*_[x](javascript:1)&@all"


def started(**more: Any) -> Any:
    return Event(0.0, SHIFT_STARTED, None, {**STARTED, **more})


def fault(t_s: Any, name: Any = "jam", stops: Any = True, kind: Any = FAULT) -> Any:
    return Event(t_s, kind, 0, {"name": name, "origin": "station", "stops": stops})


def test_a_view_says_what_kpis_and_verdict_say(tmp_path: Path) -> None:
    shift = run_shift(Toy(), Lazy(0.3), units=40, seed=3, clock="lockstep")
    view = ShiftView.of(shift.events)
    judged, figures = verdict(shift.events), kpis(shift.events)
    assert view.judged == judged and view.kpis == figures
    assert (view.good, view.bad) == (judged.good, 40 - judged.good) and view.cursor == len(shift.events)
    assert view.state == OVER and view.share == 1.0 and view.takt_left_s is None
    assert view.curve[-1].lower == pytest.approx(judged.lower) and view.curve[-1].upper == pytest.approx(judged.upper)
    assert sum(hour.target for hour in view.hours) == figures.units
    assert sum(hour.good for hour in view.hours) == figures.good


def test_what_the_end_cut_off_is_counted_nowhere_and_said_everywhere() -> None:
    """Units fall due at random and may take 240 s. Of the twelve of ten minutes nine had all their time; the last three
    ended sooner, as good ones do, and count neither for the wall, the table of units, figures nor a comparison."""
    events = [started(pace="arrivals", unit_life_s=240.0, hours=600 / 3600, worker="greedy", seed=0)]
    for number, due_s in enumerate([*range(0, 360, 40), 400, 500, 590]):
        events.append(Event(float(due_s), UNIT_DUE, number))
        kind = UNIT_BAD if number in (4, 10) else UNIT_GOOD
        events.append(Event(due_s + 5.0, kind, number, {"cycle_s": 5.0}))
    running, over = ShiftView.of(events), ShiftView.of([*events, Event(600.0, SHIFT_ENDED, None, {"reason": "time"})])
    for view in (running, over):  # the wall says before the end what will count then
        assert (view.good, view.bad, view.due, view.not_judged, view.not_judged_ended) == (8, 1, 9, 3, 3)
        assert view.planned == (9 if view is running else None), "what came; nothing more is expected"
        cut = "will be cut off" if view is running else "cut off"
        told = f"3 units {cut} by the end of the shift, 3 of them finished: not judged."
        assert told in notes(view.judged)
        values = {row.name: row.value for row in rows(view.kpis)}
        assert [values[one] for one in ("units", "good", "bad", "cut_off")] == ["9", "8", "1", "3"]
    early = ShiftView.of(events[:5])  # at 45 s: until 360 s about 32 come yet, one in 10 s
    assert early.planned == early.due + 32
    both = started(**{**events[0].data, "units": 30})  # or 30 of them, if they come sooner
    either = ShiftView.of([both, *events[1:]])
    assert (either.cut, either.due, either.not_judged, either.planned) == ("may", 9, 3, 12)
    assert told.replace("units cut", "units may be cut") in notes(either.judged)
    assert over.judged.cut_off == 3 and over.judged.good_rate == pytest.approx(8 / 9)
    assert sum(hour.target for hour in over.hours) == 9
    assert [record["judged"] for record in unit_records(over.events)] == [True] * 9 + [False] * 3
    assert over.kpis.good_rate_per_h == pytest.approx(8 * 3600 / 360)
    assert chosen_units(over.events, True, None) == ([4], [10])
    assert ["not judged" in unit_heading("toy", over.events, number).plain for number in (4, 9, 10)] == [
        False,
        True,
        True,
    ]
    page = io.StringIO()
    Watch(Console(file=page, width=200, force_terminal=False))(Progress(600.0, 1.0, 12, 10, events))
    assert "8 good of 9 units judged (88.9 %)" in page.getvalue(), page.getvalue()
    drawn = io.StringIO()
    with Watch(Console(file=drawn, width=100, force_terminal=True)) as watch:
        watch(Progress(520.0, 1.0, 11, 9, events[:-2]))
    assert "takt left" not in drawn.getvalue() and "11 units ended" in drawn.getvalue(), "no takt runs down at a desk"
    assert "0 units open" in drawn.getvalue(), drawn.getvalue()
    person = [replace(over.events[0], data={**over.events[0].data, "worker": "person"}), *over.events[1:]]
    (beside,) = human_relative({"greedy": [over.events], "person": [person]})
    assert beside.good_per_h == over.kpis.good_rate_per_h and beside.throughput == pytest.approx(1.0)


def test_one_who_only_looks_sees_the_speed_of_the_unit_under_way() -> None:
    """At half of the wall's speed; the ledger has noted 40 s of it, when the last unit ended at 20 s."""
    onlooker = Onlooker()
    assert onlooker.wall_s(40.0, 20.0, 25.0, 1000.0) == 50.0, "as far as is known, as fast as before"
    assert onlooker.wall_s(40.0, 20.0, 35.0, 1010.0) == pytest.approx(55.0), "it went 10 s in 10 s since"
    assert onlooker.wall_s(0.0, 0.0, 5.0, 1020.0) == 0.0, "gone on with, and nothing is known yet"
    assert onlooker.wall_s(0.0, 0.0, 6.0, 1022.0) == pytest.approx(12.0), "the first unit: by what was seen"


def test_a_shift_that_the_verdict_may_end_is_shown_by_what_would_end_it() -> None:
    """Thirty bad units of a desk, none of which will have had all its time: time would judge none, and the verdict that
    is to stop the shift rejects by all of them (`--stop-early` is in a ledger's meta alone)."""
    events = [started(pace="arrivals", unit_life_s=900.0, takt_s=60.0, hours=0.2, worker="greedy", seed=0)]
    events += [Event(10.0 * n, UNIT_DUE, n) for n in range(30)]
    events += [Event(10.0 * n + 5.0, UNIT_BAD, n, {"cycle_s": 5.0, "reasons": ["late"]}) for n in range(30)]
    meta = {"station": "toy", "worker": "greedy", "seed": 0, "stop_early": True}
    told = stopping_early(events, meta)
    assert stopping_early(events, {**meta, "stop_early": False}) == events
    judged, view = verdict_if_stopped(events), ShiftView.of(told)
    line = row_of_events(Path("x.takt"), meta, events, True)
    assert (judged.decision, judged.units, verdict(events).units) == ("reject", 30, 0)
    assert verdict(events).why.startswith("no unit that has come will have had all the time")
    assert view.judged == judged and (view.due, view.bad, view.not_judged, view.planned) == (30, 30, 0, 37)
    assert (view.kpis.units, view.kpis.counted_s) == (30, events[-1].t_s)
    assert (line.decision, line.units, line.cut_off) == ("reject", 30, 0)
    page = io.StringIO()
    Watch(Console(file=page, width=200, force_terminal=False))(Progress(300.0, 1.0, 30, 0, events, True))
    assert "0 good (0.0 %), bound 0.0 to " in page.getvalue() and "cut off" not in page.getvalue(), page.getvalue()
    over = [*events, Event(300.0, SHIFT_ENDED, None, {"reason": "verdict"})]
    assert stopping_early(over, meta) == over and verdict(over) == judged


@pytest.mark.parametrize("end_s, cut_off", [(60.0, 0), (55.0, 1), (61.0, 1)])
def test_what_falls_due_as_the_shift_ends_is_cut_off_nowhere(end_s: float, cut_off: int) -> None:
    """At a beat of 10 s: of sixty seconds the seventh unit falls due at the very end, and had no time in the shift."""
    events = [started(pace="beat", takt_s=10.0, hours=end_s / 3600)]
    for number in range(int(end_s // 10) + 1):
        events.append(Event(10.0 * number, UNIT_DUE, number))
        if 10.0 * number + 10.0 <= end_s:
            events.append(Event(10.0 * number + 5.0, UNIT_GOOD, number, {"cycle_s": 5.0}))
    view = ShiftView.of([*events, Event(end_s, SHIFT_ENDED, None, {"reason": "time"})])
    assert (view.not_judged, view.kpis.cut_off, view.judged.cut_off) == (cut_off,) * 3
    assert sum("Cut off" in row.label for row in rows(view.kpis)) == cut_off
    said = ["1 unit cut off by the end of the shift: not judged."] * cut_off
    assert [note for note in notes(view.judged) if "cut off" in note] == said


def test_a_view_of_a_beginning_is_what_was_seen_then() -> None:
    """A fold: the events so far, and nothing of what came later."""
    shift = run_shift(Toy(), push, units=6, seed=0, clock="lockstep")
    for seen in range(1, len(shift.events)):
        view = ShiftView.of(shift.events[:seen])
        line = row_of_events(Path("x.takt"), {"station": "toy", "worker": "w", "seed": 0}, shift.events[:seen], True)
        assert line.open == view.open
        assert view.cursor == seen and view.good + view.bad + view.open == view.due <= 6  # the seventh is not of it
        assert view.now_s == max(e.t_s for e in shift.events[:seen])


def test_the_state_is_the_most_urgent_thing_that_goes_on() -> None:
    due = Event(0.0, UNIT_DUE, 0)
    good = Event(9.0, UNIT_GOOD, 0, {"cycle_s": 9.0})

    def state(*more: Any) -> Any:
        return ShiftView.of([started(), due, *more]).state

    assert state() == WORKING
    assert state(good) == WAITING
    assert state(fault(2.0)) == FAULTY
    assert state(fault(2.0, stops=False)) == WORKING
    assert state(fault(2.0), fault(3.0, kind=FAULT_CLEARED)) == WORKING
    assert state(fault(2.0), fault(2.5), fault(3.0, kind=FAULT_CLEARED)) == FAULTY
    assert state(fault(2.0), Event(2.0, HELP_CALLED, 0, {"why": "x"})) == HELP
    assert state(Event(2.0, HELP_CALLED, 0, {"why": "x"}), good) == WAITING
    assert state(fault(2.0), Event(3.0, SHIFT_ENDED, None, {"reason": "time"})) == OVER


def test_takt_left_runs_with_the_station_where_its_time_is_known() -> None:
    events = [started(), Event(20.0, UNIT_DUE, 2)]
    assert ShiftView.of(events).takt_left_s == 10.0
    assert ShiftView.of(events, now_s=24.5).takt_left_s == 5.5
    assert ShiftView.of(events, now_s=99.0).takt_left_s == 0.0
    assert ShiftView.of(events, now_s=1.0).now_s == 20.0  # never before what has happened


def test_oee_is_there_only_where_the_plant_has_a_planned_cycle() -> None:
    events = [Event(0.0, UNIT_DUE, 0), Event(5.0, UNIT_GOOD, 0, {"cycle_s": 5.0}), Event(10.0, UNIT_DUE, 1)]
    assert ShiftView.of([started(), *events]).oee is None
    view = ShiftView.of([started(planned_cycle_s=8.0), *events])
    assert view.oee == pytest.approx(1.0 * 8.0 * 1 / 10.0 * 1.0)  # availability, effectiveness, quality


def test_reasons_are_sentences_in_two_languages_and_any_other_is_itself() -> None:
    assert in_words("nutcell", "dropped").endswith("it was dropped.")
    assert "掉落" in in_words("nutcell", "dropped", "zh")
    assert in_words("flightdesk", "overpaid") != "overpaid"
    assert in_words("nutcell", "no_such") == "no such" and in_words("nobody's", "no_such") == "no such"


def test_every_reason_that_our_stations_give_has_its_sentence() -> None:
    from takt.stations.flightdesk.desk import office

    desk = (office.LATE_SERVICE, office.NOT_HOME, office.RULE_BROKEN, office.OVERPAID, office.CLOSED_AIRSPACE)
    cell = ("missed", "dropped", "jammed", "not_seated", "late", "wrong_part", "collision", "crushed", "help")
    for station, reasons in (("flightdesk", desk), ("nutcell", cell)):
        for reason in reasons:
            for language in ("en", "zh"):
                assert in_words(station, reason, language) != reason.replace("_", " "), (station, reason)


def test_the_state_of_a_ledger_is_whether_somebody_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from takt import run_shift
from toy import Toy, push
run_shift(Toy(sleep_s=0.01), push, units=1000, clock="lockstep", ledger={str(path)!r})
"""
    running = subprocess.Popen([sys.executable, "-c", code])
    try:
        for _ in range(600):
            if path.exists() and row_of(path).units:
                break
            time.sleep(0.1)
        assert row_of(path).state == RUNNING and being_written(path)
    finally:
        running.kill()
        running.wait()
    assert row_of(path).state == CUT_OFF and not being_written(path)


def test_ls_lists_what_a_folder_has_and_says_what_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        run_shift(Toy(), push, units=3, seed=seed, clock="lockstep", ledger=tmp_path / "in" / f"{seed}.takt")
    (tmp_path / "broken.takt").write_text("no ledger")
    rows = [row_of(path) for path in ledgers_in([tmp_path])]
    assert [row.state for row in rows] == [BROKEN, ENDED, ENDED] and [row.seed for row in rows[1:]] == [1, 2]
    assert replace(rows[1], begun_utc="2099-01-01T00:00:00+00:00").age_s() is None, "not 0 s"
    assert main(["ls", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["shifts"]
    assert [one["units"] for one in told] == [0, 3, 3] and told[1]["age_s"] >= 0
    assert main(["ls", str(tmp_path)]) == 0
    out = "".join(capsys.readouterr().out.split())  # a line may be broken anywhere in a long path
    assert "in/1.ta" in out and "broken.taktisnotaledger" in out
    for width in (80, 200):
        shown = Console(width=width, file=io.StringIO())
        shown.print(rows_table(rows, width))
        told = shown.file.getvalue()  # type: ignore[attr-defined]
        assert max(map(len, told.splitlines()[:12])) <= width
        assert len([line for line in told.splitlines() if " of 3 " in line]) == 2
        lines = [line for line in told.splitlines() if line.strip() and "broken" not in line and "ledger" not in line]
        assert len(lines) == (7 if width == 80 else 4), told  # heads, a rule, and rows of two lines or of one
        assert all(
            column in told for column in ("shift", "worker", "station", "seed", "bound", "cost", "age", "to 100.0 %")
        )
    for width in (20, 45):
        shown = Console(width=width, file=io.StringIO())
        shown.print(rows_table(rows, width))
        told = " ".join(shown.file.getvalue().split())  # type: ignore[attr-defined]
        assert "…" not in told and told.count("to 100.0 %") == 2 and told.count("undecided") == 2, told
    (tmp_path / "broken.takt").unlink()
    (tmp_path / "in" / "1.takt").rename(tmp_path / "in" / "1\nfalse row.takt")
    assert main(["ls", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert not any(line.lstrip().startswith("false row") for line in out.splitlines()), "no name makes a row"
    assert main(["ls", str(tmp_path / "none")]) == 2


def test_watch_ends_with_the_figures_of_a_finished_shift_and_says_of_a_cut_off_one_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["watch", str(LEDGERS / "gym-cartpole.takt")]) == 0
    assert "REJECT" in capsys.readouterr().out
    assert main(["watch", str(LEDGERS / "desk-greedy-cut.takt")]) == 0
    shown = capsys.readouterr()
    assert "takt resume" in shown.err and "UNDECIDED" in shown.out


@pytest.mark.parametrize("name", ["desk-llm", "desk-mcp"])
def test_a_units_transcript_has_its_own_calls_and_no_others(name: Any) -> None:
    """Units of these shifts are groups: each call names the one that it is about."""
    with Ledger.open(LEDGERS / f"{name}.takt") as book:
        events = book.events()
    lines = transcript(events)
    for unit, group in enumerate(e.data["group"] for e in events if e.kind == UNIT_DUE):
        mine = [line for line in of_unit(lines, events, unit) if line.what in ("propose", "book", "hotel")]
        assert any(line.who == WORKER and line.what == "book" for line in mine)
        assert all(json.loads(line.text)["group"] == group for line in mine)
        if name == "desk-llm":  # the answers are in the next request, of another unit perhaps
            asked, told = ([line.what for line in mine if line.who == who] for who in (WORKER, STATION))
            assert told == asked[: len(told)] and len(asked) - len(told) == (
                unit == 5
            )  # after the last no more is asked


def test_calls_that_a_worker_did_not_record_are_seen_by_working_the_unit_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["transcript", str(LEDGERS / "desk-greedy.takt"), "--bad", "--work-again", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    asked = [line for line in lines if line["who"] == WORKER]
    groups = {json.loads(line["text"]).get("group", "").split(".")[0] for line in asked}
    with Ledger.open(LEDGERS / "desk-greedy.takt") as book:
        events = book.events()
    bad = [e.unit for e in events if e.kind == UNIT_BAD]
    assert groups == {e.data["group"] for e in events if e.kind == UNIT_DUE and e.unit in bad}


def test_transcripts_are_chosen_by_unit_by_badness_and_by_class(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(LEDGERS / "nutcell-expert-mixed.takt")
    assert main(["transcript", path, "--class", "missed"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "unit 1" in out and "unit 0" not in out and "No nut is on the pin" in out
    assert main(["transcript", path, "--class", "jammed"]) == 0
    assert "no unit was bad for the reason 'jammed'" in capsys.readouterr().out
    assert main(["transcript", path, "--class", "misssed"]) == 0
    assert "did you mean 'missed'?" in capsys.readouterr().out
    person = [Line(1.0, 0, WORKER, "book", "{}"), Line(2.0, 0, EVENT, "booked", "")]
    assert is_unanswered(person) and not is_unanswered([*person, Line(2.0, 0, STATION, "book", "{}")])
    assert not is_unanswered([Line(1.0, 0, WORKER, "controls", "left.x 1.0")]), "hands are answered by nothing"
    assert main(["transcript", path, "--unit", "7"]) == 2
    assert "there is no unit 7" in capsys.readouterr().err


def test_a_strangers_records_are_shown_as_text_whatever_they_are() -> None:
    odd = [
        {"x": NASTY},
        {"answer": ["a", NASTY], "of": []},
        {"call": "no pair"},
        {"calls": [1, ["a"], ["b", 7]]},
        {"added": ["x", {"role": "tool"}]},
    ]
    events = [
        started(),
        *(Event(1.0, "said", 0, record) for record in odd),  # type: ignore[arg-type]
        Event(2.0, UNIT_BAD, 0, {"reasons": [NASTY]}),
    ]
    lines = transcript(events)
    assert any(NASTY in line.text for line in lines) and chosen_units(events, True, None) == ([0], [])
    assert all(isinstance(line.text, str) and isinstance(line.what, str) for line in lines)


def test_units_as_csv_have_a_row_each_and_no_formula() -> None:
    with Ledger.open(LEDGERS / "nutcell-expert-mixed.takt") as book:
        events = book.events()
    rows = list(csv.DictReader(io.StringIO(as_csv(unit_records(events)))))
    assert [row["outcome"] for row in rows] == ["good", "bad", "open"]
    assert (
        rows[1]["reasons"] == "missed" and rows[0]["left_part"] == "M6" and rows[0]["thinking_since_last_s"] == "3.52"
    )
    odd = [started(), Event(0.0, UNIT_DUE, 0), Event(1.0, UNIT_BAD, 0, {"cycle_s": 1.0, "reasons": ["=1+1"]})]
    assert "'=1+1" in as_csv(unit_records(odd))


def test_units_as_parquet_are_the_same_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "units.parquet"
    assert main(["units", str(LEDGERS / "nutcell-expert-mixed.takt"), "--parquet", "--out", str(out)]) == 0
    table = parquet.read_table(out).to_pydict()
    assert table["unit"] == [0, 1, 2] and table["outcome"] == ["good", "bad", "open"]
    assert table["cycle_s"][0] == 6.8 and table["left_why"][1] == "missed"


def test_a_summary_for_ci_counts_what_the_shift_counts_and_holds_nobodys_markup() -> None:
    shift = run_shift(Toy(), Lazy(0.4), units=12, seed=1, clock="lockstep")
    object.__setattr__(shift, "meta", {**shift.meta, "worker": NASTY})
    view = ShiftView.of(shift.events)
    suite = ElementTree.fromstring(junit(shift, view))
    cases = suite.findall("testcase")
    judged = [case for case in cases if case.get("name") == "verdict"]
    units = [case for case in cases if case not in judged]
    assert view.judged.decision == "undecided" and judged[0].find("skipped") is not None
    told = [str(case.find("skipped").get("message")) for case in units if case.find("skipped") is not None]
    assert len(judged) == 1 and len(told) == view.bad and all(one.startswith("bad: ") for one in told)
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == sum(case.find("failure") is not None for case in cases)
    assert int(suite.get("skipped")) == sum(case.find("skipped") is not None for case in cases)
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(shift, view, []))
    assert "<script" not in page and "<a" not in page and "@all" not in page
    assert html.escape("<script>alert('x')</script>|`*_[x](javascript:1)&", quote=False) in page
    assert page.count("<tr>") == 2 + view.bad  # two heads, and no row of a stranger's


@pytest.mark.parametrize(
    "good_rate, decision, failures", [(0.5, "accept", 0), (0.95, "reject", 21), (0.8, "undecided", 0)]
)
def test_a_bad_unit_that_the_job_allows_makes_no_ci_red(good_rate: float, decision: str, failures: int) -> None:
    """100 units of 80 % good by the beat, and 20 bad; what the end cut off is skipped whatever became of it."""
    events = [started(hours=1001 / 3600, acceptance={"good_rate": good_rate}, worker="w", station="toy", seed=0)]
    for number in range(101):
        events.append(Event(10.0 * number, UNIT_DUE, number))
        data = {"cycle_s": 1.0} if number % 5 else {"cycle_s": 1.0, "reasons": ["late"]}
        events.append(Event(10.0 * number + 0.5, UNIT_GOOD if number % 5 else UNIT_BAD, number, data))
    shift = run_shift(Toy(), push, units=1, clock="lockstep")
    view = ShiftView.of([*events, Event(1001.0, SHIFT_ENDED, None, {"reason": "time"})])
    assert (view.judged.decision, view.judged.units, view.bad, view.not_judged) == (decision, 100, 20, 1)

    def made(cases: str) -> tuple[int, int, str]:
        suite = ElementTree.fromstring(junit(shift, view, cases))
        last = suite.findall("testcase")[-1].find("skipped")
        return int(suite.get("tests")), int(suite.get("failures")), "" if last is None else str(last.get("message"))

    assert made("verdict") == (102, failures, "not judged: cut off by the end of the shift (bad: late)")
    assert made("always")[1] == 20 + (decision == "reject") and made("none")[:2] == (1, decision == "reject")


def test_report_prints_a_summary_or_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(LEDGERS / "gym-cartpole.takt")
    assert main(["report", path, "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("### ❌ reject: idle at gym")
    out = tmp_path / "junit.xml"
    for _ in range(2):  # the second replaces the first
        assert main(["report", path, "--format", "junit", "--out", str(out)]) == 0
    assert ElementTree.parse(out).getroot().get("failures") == "6"
    assert main(["report", path, "--format", "pdf"]) == 2
    assert main(["report", path, "--format", "junit", "--unit-cases", "alway"]) == 2
    assert "did you mean 'always'" in capsys.readouterr().err


def test_a_report_says_what_a_models_thinking_came_to_and_why_units_were_bad_in_words(tmp_path: Path) -> None:
    with Ledger.open(LEDGERS / "desk-llm.takt") as book:
        rows = dict(spent(book.events(), book.meta["worker_options"]))
    assert rows["model"] == "scripted" and rows["exchanges"] == "12" and rows["prompt tokens"] == "1,200"
    assert spent([started(), Event(1.0, "said", 0, {"usage": {"prompt_tokens": NASTY}, "odd": 7, "failed": [1]})])
    text = write_report(LEDGERS / "desk-llm.takt", tmp_path / "a.html", pictures=False).read_text(encoding="utf-8")
    assert "prompt tokens" in text and "scripted" in text
    text = write_report(LEDGERS / "nutcell-expert-mixed.takt", tmp_path / "b.html", pictures=False).read_text("utf-8")
    assert "No nut is on the pin" in text
