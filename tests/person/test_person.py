"""A person at work: the same contract, the same ledger, the same repeat; and the page, for everybody with the token."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import TOKEN, asked
from counter import Counter

from takt import Event, Ledger, kpis, repeat_shift, resume_shift, run_shift
from takt.board.person.forms import filling, forms_of
from takt.board.person.pages import PersonPages
from takt.board.person.server import PersonServer
from takt.board.wanted import Prefs
from takt.cli import main
from takt.cli.person import AtWork
from takt.contract import clock as clocks
from takt.contract.clock import Live, parse_clock
from takt.errors import TaktError
from takt.export.trl import export_trl
from takt.judge.human import human_relative
from takt.shift import Progress
from takt.show.transcript import STATION, transcript
from takt.workers.person import Person
from takt.workers.person.hatch import HELP, NOTHING_OPEN, Hatch
from toy import Toy

NASTY = "<script>alert('x')</script>"


class Somebody(threading.Thread):
    """A person who sends every parcel that is seen, through the hatch; then leaves."""

    def __init__(self, hatch: Any, parcels: Any, wrong: Any = ()) -> None:
        super().__init__(daemon=True)
        self.hatch, self.parcels, self.wrong, self.answers = hatch, parcels, wrong, []

    def run(self) -> None:
        self.hatch.come()
        number, done = 0, set()
        while len(done) < self.parcels and self.hatch.over is None:
            seen = self.hatch.wait_seen(number, 0.2)
            if seen is None:
                continue
            number = seen.number
            for row in seen.observation["queue"]:
                if row["parcel"] not in done:
                    done.add(row["parcel"])
                    to = "north" if (row["label"] == "south") == (row["parcel"] in self.wrong) else "south"
                    given = {"parcel": row["parcel"], "to": to, "stamps": [{"value": 3}]}
                    answer = self.hatch.ask("send", json.dumps(given)).result(60)
                    self.answers.append(answer)
        self.hatch.go()


def worked(path: Any, units: Any = 4, wrong: Any = ("P2",), station: Any = None, **more: Any) -> Any:
    hatch = Hatch()
    somebody = Somebody(hatch, units, wrong)
    somebody.start()
    shift = run_shift(
        station or Counter(),
        Person(hatch),
        units=units,
        seed=3,
        clock="live:50",
        ledger=path,
        worker_name="person",
        **more,
    )
    somebody.join(60)
    return shift, somebody


def test_a_persons_shift_is_a_shift_and_repeats_to_the_same_digest(tmp_path: Path) -> None:
    shift, somebody = worked(tmp_path / "p.takt")
    outcome = {e.unit: e.kind for e in shift.events if e.kind in ("unit_good", "unit_bad")}
    assert outcome == {0: "unit_good", 1: "unit_good", 2: "unit_bad", 3: "unit_good"}
    assert [a["result"]["sent"] for a in somebody.answers[:3]] == ["north", "south", "south"]
    assert somebody.answers[3] == "The shift is over."  # its call was the last
    assert shift.meta["clock"] == "live:50" and "lag_s" in shift.meta
    began = time.monotonic()
    again = repeat_shift(tmp_path / "p.takt", station=Counter(), worker=Person())
    assert again.digest == shift.digest and time.monotonic() - began < 30  # it waits for no wall


def test_what_is_recorded_holds_what_was_done_and_nobodys_name(tmp_path: Path) -> None:
    shift, somebody = worked(tmp_path / "p.takt")
    said = [e.data for e in shift.events if e.kind == "said"]
    assert [one["number"] for one in said] == list(range(len(said)))
    assert {key for one in said for key in one} == {"number", "idle", "call", "page", "of", "answer"}
    assert said[0]["page"] == "opened"
    told = [json.loads(line.text) for line in transcript(shift.events) if line.who == STATION]
    assert told == [answer["result"] for answer in somebody.answers[:3]], "and what a call came to, with its unit"
    assert [line.unit for line in transcript(shift.events) if line.who == STATION] == [0, 1, 2]
    at = AtWork(Counter(), Person(), Hatch(), None, 4)
    at.recall(shift.events)  # whoever goes on sees what was done before
    assert [answer.told["result"] for answer in at.hatch.answers] == told


def test_a_shift_of_before_answers_were_recorded_repeats_to_its_own_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(Person, "_answer", lambda *_: None)
        shift, _ = worked(tmp_path / "p.takt", units=2)
    assert not any("answer" in e.data for e in shift.events)
    assert repeat_shift(tmp_path / "p.takt", station=Counter(), worker=Person()).digest == shift.digest


def test_a_persons_shift_becomes_conversations_for_trl(tmp_path: Path) -> None:
    """At a registered station, the flight desk: what was seen, called and answered, with the outcome as the reward."""
    hatch, path = Hatch(), tmp_path / "p.takt"

    def refund_all() -> None:
        hatch.come()
        number, done = 0, set()
        while hatch.over is None:
            seen = hatch.wait_seen(number, 0.2)
            if seen is not None:
                number = seen.number
                for group in {row["group"] for row in seen.observation["queue"]} - done:
                    done.add(group)
                    hatch.ask("refund", json.dumps({"group": group})).result(60)

    somebody = threading.Thread(target=refund_all, daemon=True)
    somebody.start()
    small = {"scenario": "two-hubs", "flights": 300, "aircraft": 45, "bookings": 2000, "days": 1, "takt_s": 60}
    given: dict[str, Any] = {"station_options": small, "worker_name": "person", "ledger": path}
    run_shift("flightdesk", Person(hatch), units=2, seed=1, clock="live:100", **given)
    somebody.join(60)
    told = export_trl(path, tmp_path / "p.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert told["conversations"] == len(rows) == 2 and told["good"] == 0
    for row in rows:
        calls = [call["function"] for message in row["messages"] for call in message.get("tool_calls") or ()]
        assert [call["name"] for call in calls] == ["refund"] and row["reward"] == 0.0
        assert [message["role"] for message in row["messages"]][:1] == ["system"]
        assert any(message["role"] == "tool" and "settled" in message["content"] for message in row["messages"])


def test_a_person_who_is_cut_off_goes_on_from_the_last_unit(tmp_path: Path) -> None:
    path = tmp_path / "p.takt"

    def stop(progress: Any) -> None:
        if progress.units >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worked(path, units=5, on_progress=stop)
    with Ledger.open(path) as book:
        assert not book.finished
    with pytest.raises(TaktError, match="a person works through a page"):
        resume_shift(path, station=Counter(), worker=Person())
    hatch = Hatch()
    somebody = Somebody(hatch, 3, ())
    somebody.start()
    shift = resume_shift(path, station=Counter(), worker=Person(hatch))
    somebody.join(60)
    assert shift.ended == "units"
    assert repeat_shift(path, station=Counter(), worker=Person()).digest == shift.digest


def test_what_was_done_since_the_last_unit_is_in_the_transcript(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, hatch = tmp_path / "p.takt", Hatch()

    class Cut(Counter):
        def step(self, action: Any) -> Any:
            if self.period == 15:
                raise KeyboardInterrupt
            return super().step(action)

    hatch.come()
    asked = hatch.ask("send", '{"parcel": "P9", "to": "north", "stamps": []}')
    with pytest.raises(KeyboardInterrupt):
        run_shift(Cut(), Person(hatch), units=2, seed=3, clock="live:100", ledger=path, worker_name="person")
    assert "error" in asked.result(1)["result"]
    for more in ([], ["--unit", "0"]):
        assert main(["transcript", str(path), *more]) == 0
        out = capsys.readouterr().out
        assert "due; parcel: P0" in out and "page: opened" in out and '> send  {"parcel": "P9"' in out
        assert re.search(r"^ *0:\d\d:\d\d  > send ", out, re.M), "what was shown of the open unit has its time"


def test_time_that_went_by_with_nothing_done_is_not_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks and thinks, interrupts and goes on has no more time for a unit than anybody else."""

    cuts, path, paced = [31, 45], tmp_path / "p.takt", []

    class Cut(Counter):
        def step(self, action: Any) -> Any:
            if self.period in cuts:
                cuts.remove(self.period)
                raise KeyboardInterrupt
            return super().step(action)

    station = Cut()
    with pytest.raises(KeyboardInterrupt):
        run_shift(station, Person(Hatch()), units=2, seed=3, clock="live:100", ledger=path, worker_name="person")
    monkeypatch.setattr(Live, "pace", lambda _, now_s: paced.append(now_s))
    with pytest.raises(KeyboardInterrupt):
        resume_shift(path, station=station, worker=Person(Hatch()))
    assert paced[0] == 33.0 and paced[-1] == 45.0, "what went by is gone through without the clock"
    paced.clear()
    hatch = Hatch()
    hatch.come()  # it is a record, in the place of what had come so far
    shift = resume_shift(path, station=station, worker=Person(hatch))
    assert paced[0] == 47.0
    said = [event.data for event in shift.events if event.kind == "said"]
    assert said == [{"number": 0, "idle": 46, "page": "opened"}]
    assert repeat_shift(path, station=Counter(), worker=Person()).digest == shift.digest


def test_a_page_is_told_why_there_is_nothing_to_do_and_for_how_long() -> None:
    """At a beat: until the next unit, once help was called or nothing is open. What came of a unit is not told."""
    at = AtWork(Toy(), Person(), Hatch(), Live("live:2", 2.0), 3)
    follow, stood = at.follow(None), []
    happened = [
        (1.0, 0, Event(0.0, "unit_due", 0)),
        (3.0, 0, Event(3.0, "help_called", 0, {"why": "asked"})),
        (5.5, 1, Event(5.0, "unit_bad", 0, {})),
        (10.0, 1, Event(10.0, "unit_due", 1)),
    ]
    for now_s, units, event in happened:
        follow(Progress(now_s, 1.0, units, 0, [event]))
        assert at.hatch.standing is not None
        stood.append((at.hatch.standing.units, at.hatch.standing.idle, at.hatch.standing.next_s))
    assert stood == [(0, "", 9.0), (0, HELP, 7.0), (1, NOTHING_OPEN, 4.5), (1, "", 10.0)]


def test_a_slip_is_told_before_anybody_opens_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.takt").touch()
    lake = ["gym", "-o", "id=FrozenLake-v1", "-o", "hold=wait"]
    slips: dict[str, list[str]] = {
        "give hours or units": [*lake, "--practice"],
        "exists already": [*lake, "--units", "1", "--out", str(tmp_path / "there.takt")],
        "works by the wall's clock": [*lake, "--units", "1", "--practice", "--clock", "fixed:0.08"],
        "cannot have the fault": [*lake, "--units", "1", "--practice", "--fault", "feeder_jam@00:00:01"],
    }
    for told, given in slips.items():
        assert main(["run", *given, "--worker", "person", "--port", "0"]) == 2
        err = capsys.readouterr().err
        assert told in err and "work at" not in err, err
    monkeypatch.setattr("takt.contract.steering.entry_points", lambda group: [])  # of an installation of before
    assert main(["run", *lake, "--units", "1", "--practice", "--worker", "person", "--port", "0"]) == 2
    err = capsys.readouterr().err
    assert "cannot work at" in err and "work at http" not in err


def test_what_was_done_before_a_kill_is_done_again_without_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(Counter):
        """Killed before any unit has ended."""

        def step(self, action: Any) -> Any:
            if self.period == 50:
                raise KeyboardInterrupt
            return super().step(action)

    path, before, after = tmp_path / "p.takt", Hatch(), Hatch()

    def looks() -> None:
        before.come()
        while before.over is None:
            before.ask("look", "{}").result(60)

    threading.Thread(target=looks, daemon=True).start()
    more: dict[str, Any] = {"units": 2, "seed": 3, "clock": "live:100", "worker_name": "person"}
    with pytest.raises(KeyboardInterrupt):
        run_shift(Cut(), Person(before), ledger=path, **more)
    before.end("it is over")
    paced, words = [], []
    monkeypatch.setattr(Live, "pace", lambda _, now_s: (paced.append(now_s), words.append(after.word)))
    monkeypatch.setattr(Live, "skip", lambda _: words.append(after.word))
    shift = resume_shift(path, station=Counter(), worker=Person(after))
    last = max(event.t_s for event in shift.events if event.kind == "said")
    assert last > 20 and last <= paced[0] < paced[-1] == shift.events[-1].t_s
    assert words[int(last) - 2] and "again" in words[int(last) - 2] and words[-1] is None
    newest = after.answers[-1]  # whoever goes on sees what was done
    assert newest.call.name == "look" and newest.told["result"]["tool"] == "look" and newest.number > 10
    assert repeat_shift(path, station=Counter(), worker=Person()).digest == shift.digest


def test_station_time_goes_on_whether_the_person_acts_or_not(tmp_path: Path) -> None:
    shift = run_shift(Counter(), Person(Hatch()), units=2, seed=3, clock="live:100", worker_name="person")
    assert [e.data["reasons"] for e in shift.events if e.kind == "unit_bad"] == [["late"], ["late"]]


def test_a_live_clock_keeps_station_and_wall_together_and_counts_how_late_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(clocks.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(clocks.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    clock = parse_clock("live:2")
    assert isinstance(clock, Live) and clock.periods(5.0, 0.02) == 0
    for step in range(11):
        clock.pace(step * 1.0)
    assert now[0] == pytest.approx(105.0) and clock.lag_s == 0.0  # 10 s at twice the speed
    now[0] += 3.0  # the machine is busy elsewhere
    clock.pace(11.0)
    assert clock.lag_s == pytest.approx(2.5)  # half a second of it was the step's own
    clock.pace(12.0)
    assert now[0] == pytest.approx(108.5) and clock.lag_s == pytest.approx(
        2.5
    )  # it goes on from there, and never runs after
    for wrong in ("live:0", "live:x", "live:1e9", "live:nan"):
        with pytest.raises(TaktError):
            parse_clock(wrong)


def test_every_tool_has_a_form_with_an_input_for_each_argument() -> None:
    look, send, _ = forms_of(Counter().spec.tools, ("look", "wait"))
    assert (look.changes, send.changes) == (False, True) and look.fields == ()
    assert [(f.name, f.kind, f.required) for f in send.fields] == [
        ("parcel", "text", True),
        ("to", "choice", True),
        ("stamps", "rows", True),
    ]
    value, colour = send.fields[2].fields
    assert (value.kind, value.least, value.most) == ("whole", 1, 9) and colour.choices == ("red", "blue")


def test_a_choice_that_must_be_made_is_made_by_nobody_else() -> None:
    """It begins empty, whatever it is of: texts, yes or no, numbers. One with a default begins there."""
    asked = {
        "sound": {"type": "boolean"},
        "size": {"enum": [1, 2]},
        "side": {"type": "string", "enum": ["left", "right"]},
    }
    more = {"loud": {"type": "boolean", "default": False}, "by": {"enum": ["", "eye"], "default": "eye"}}
    schema = {"type": "object", "properties": {**asked, **more}, "required": [*asked, "by"]}
    tools = [{"type": "function", "function": {"name": "judge", "description": "", "parameters": schema}}]
    html = PersonPages(Counter().spec, forms_of(tools, ()), None, practice=False).page(Prefs(), "", [])
    first = {name: re.search(f'<select name="{name}"[^>]*>(<option[^>]*>)', html) for name in (*asked, "by")}
    assert {name: found and found[1] for name, found in first.items()} == {
        **dict.fromkeys(asked, '<option value="">'), "by": '<option value="eye" selected>'
    }  # fmt: skip
    assert '<select name="size" data-kind="json" required' in html and '<option value="false">no</option>' in html
    assert '<input type="checkbox" name="loud"' in html


def test_every_argument_of_the_flight_desk_has_an_input_of_its_own() -> None:
    from takt.stations.flightdesk.desk.tools import TOOLS

    forms = forms_of(TOOLS.openai_tools(("authority",)), ())
    assert len(forms) == len(TOOLS)
    assert [(form.name, f.name) for form in forms for f in form.fields if f.kind == "json"] == []


def test_every_tool_of_a_station_has_a_key_of_its_own() -> None:
    from takt.stations.codedesk import tools as codedesk
    from takt.stations.flightdesk.desk.tools import TOOLS

    for tools in (TOOLS.openai_tools(("authority",)), codedesk.TOOLS.openai_tools(codedesk.allowed(True, True))):
        keys = [form.key for form in forms_of(tools, ())]
        assert keys[:9] == list("123456789") and len(set(keys)) == len(tools) > 9
        assert all(len(key) == 1 and key != "u" for key in keys)


def test_a_row_fills_what_a_tool_takes_and_nothing_else() -> None:
    forms = forms_of(Counter().spec.tools, ())
    row = {"parcel": "P1", "label": "north", "stamps": [{"value": 3, "colour": "red", "glue": "old"}]}
    assert json.loads(filling(row, {"to": "north", "x": 1}, forms)) == {
        "to": "north",
        "parcel": "P1",
        "stamps": [{"value": 3, "colour": "red"}],
    }
    assert filling({"label": "north"}, {"to": "north"}, forms) == ""


@pytest.fixture
def page() -> Iterator[Any]:
    hatch, station = Hatch(), Counter()
    station.reset(seed=1)
    with PersonServer(hatch, station.spec, None, "127.0.0.1", 0, TOKEN) as server:
        hatch.show({"now_s": 1.0, "queue": [{"parcel": NASTY, "label": NASTY}], "result": None, NASTY: [NASTY]}, None)
        yield server, hatch


def test_the_page_is_for_whoever_has_the_token_and_shows_strangers_text_as_text(page: Any) -> None:
    server, _ = page
    for path in ("/", "/stream", "/wire"):
        assert asked(server, path, token=None).status == 401
    assert asked(server, "/call", token=None, method="POST", body="{}").status == 401
    shown = asked(server, "/")
    assert shown.status == 200 and NASTY not in shown.text and "&lt;script&gt;" in shown.text
    assert "unsafe" not in shown.headers["content-security-policy"]


def test_a_text_is_shown_whole_wherever_it_stands(page: Any) -> None:
    server, hatch = page
    ends = [f"Which hole of fixture {n} is {'wide ' * 200}and turned by 3 degrees, {n}?" for n in range(4)]
    hatch.show({"order": ends[0], "about": {"in": ends[1]}, "queue": [{"parcel": "P1", "label": ends[2]}]}, None)
    text = asked(server, "/").text
    assert all(end in text for end in ends[:3]), "in a tile, in a list and in a table"
    told, _ = server.at_work.pages.answer("send", ends[3], {"result": {"error": {"message": ends[0]}}}, Prefs())
    assert ends[0] in told and ends[3] in told


def test_a_call_that_is_none_is_refused_and_one_that_is_comes_back_as_html(page: Any) -> None:
    server, hatch = page
    assert asked(server, "/call", method="POST", body="{}", headers={"Origin": "http://evil.example"}).status == 403
    for body in (
        "",
        "[]",
        "{}",
        '{"name": "send"}',
        '{"name": "x", "arguments": {}}',
        '{"name": "send", "arguments": 1}',
    ):
        assert asked(server, "/call", method="POST", body=body).status == 400, body
    assert asked(server, "/call", method="POST", body="x" * 100_000).status == 413

    def answer() -> None:
        for _ in range(200):
            call = hatch.next_call()
            if call is not None:
                call.answer.set_result(
                    {"now_s": 5.0, "result": {"tool": "look", "error": {"code": "x", "message": NASTY}}}
                )
                return
            time.sleep(0.05)

    threading.Thread(target=answer, daemon=True).start()
    told = json.loads(asked(server, "/call", method="POST", body='{"name": "look", "arguments": {}}').text)
    assert told["done"] is False and NASTY not in told["html"] and "&lt;script&gt;" in told["html"]
    hatch.end("The shift is over.")
    told = json.loads(asked(server, "/call", method="POST", body='{"name": "look", "arguments": {}}').text)
    assert told["done"] is False and "The shift is over." in told["html"]


def test_a_page_that_closes_lets_go_of_all_but_what_a_grip_holds() -> None:
    hatch = Hatch()
    hatch.come()
    hatch.steer({"left.x": 1.0, "left.grip": 1.0}, 7.0)
    assert hatch.held() == ({"left.x": 1.0, "left.grip": 1.0}, 7.0)
    hatch.go()
    assert hatch.held()[0] == {"left.grip": 1.0} and hatch.pages == 0


def test_a_key_that_is_pressed_and_let_go_between_two_looks_counts_for_one() -> None:
    hatch = Hatch()
    hatch.come()
    hatch.steer({"it.1": 1.0})
    hatch.steer({})
    assert [hatch.held()[0] for _ in range(2)] == [{"it.1": 1.0}, {}]
    hatch.steer({"it.1": 1.0})
    assert [hatch.held()[0] for _ in range(2)] == [{"it.1": 1.0}] * 2, "one that is held is held"
    hatch.steer({"it.1": -1.0})
    assert hatch.held()[0] == {"it.1": -1.0}


def test_options_of_a_persons_page_are_for_a_person_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nutcell", "--worker", "idle", "--units", "1", "--practice"]) == 2
    assert main(["run", "gym", "--worker", "person", "--units", "1", "--host", "0.0.0.0"]) == 2
    err = capsys.readouterr().err
    assert "--worker person" in err and "--allow-host" in err


def test_the_wire_is_refused_to_other_sites(page: Any) -> None:
    server, _ = page
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=30)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Authorization": f"Bearer {TOKEN}"}
    connection.request("GET", "/wire", headers={**upgrade, "Origin": "http://evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


def sends(observation: Any) -> Any:
    """A program that sends the first parcel at once."""
    queue = observation["queue"]
    if not queue:
        return '{"name":"wait","arguments":{}}'
    given = {"parcel": queue[0]["parcel"], "to": queue[0]["label"], "stamps": [{"value": 3}]}
    return json.dumps({"name": "send", "arguments": given})


def test_a_program_is_compared_with_a_person_by_what_each_gets_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, _ = worked(tmp_path / "p.takt", units=6, wrong=("P2", "P4"))
    theirs = run_shift(
        Counter(), sends, units=6, seed=3, clock="fixed:1", ledger=tmp_path / "r.takt", worker_name="robot"
    )
    (found,) = human_relative({"person": [mine.events], "robot": [theirs.events]})
    a, b = kpis(theirs.events), kpis(mine.events)
    assert (a.good, b.good) == (6, 4)
    assert found.throughput == pytest.approx((a.good / a.counted_s) / (b.good / b.counted_s))
    assert found.cycle_s == pytest.approx(a.cycle_mean_s) and found.person_cycle_s == pytest.approx(b.cycle_mean_s)
    assert human_relative({"one": [theirs.events], "other": [theirs.events]}) == []
    assert main(["compare", str(tmp_path / "p.takt"), str(tmp_path / "r.takt")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"human-relative throughput of robot: {found.throughput:.2f}" in out and "by the wall's clock" in out
    assert main(["compare", str(tmp_path / "p.takt"), str(tmp_path / "r.takt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["human_relative"][0]["throughput"] == pytest.approx(found.throughput)
