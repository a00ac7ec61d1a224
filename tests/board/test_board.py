"""The board: who is let in, what is shown, and that it is the ledger's own. Without a browser."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from asking import TOKEN, asked
from strangers import NASTY, Page, broken_ledgers, check_harmless, long_ledger, nasty_ledger

from takt import Event, Ledger, kpis, resume_shift, run_shift, verdict
from takt.board import feed
from takt.board.exported import export_pages
from takt.board.feed import Feed, number_of
from takt.board.metrics import exposition
from takt.board.pages import Pages
from takt.board.replays import CALLS, STATION, Replays
from takt.board.telling import asked_percent, percent
from takt.board.wanted import Prefs, Query
from takt.board.words import WORDS, word
from takt.cli import main
from takt.contract.events import SHIFT_STARTED, UNIT_DUE
from takt.errors import TaktError
from takt.shift.account import costs_at
from takt.show.listing import ENDED, Row, row_of
from takt.show.sections import main as sections_main
from takt.show.view import ShiftView
from takt.show.worked import main as worked_main
from toy import Lazy, Toy, push

LONG = "1" * 5_000  # digits: more than Python makes a number of
LEDGERS = Path(__file__).parents[1] / "ledgers"
EVERY_PAGE = ("/", "/shift/{0}", "/shift/{0}/wall", "/shift/{0}/unit/0", "/metrics", "/stream", "/shift/{0}/stream")


def put(board: Any, name: Any = "desk-llm") -> Any:
    """A shift on the board; its number."""
    path = board.folder / f"{name}.takt"
    shutil.copy(LEDGERS / f"{name}.takt", path)
    for _ in range(100):
        if asked(board, f"/shift/{number_of(path)}").status == 200:
            return number_of(path)
        time.sleep(0.1)
    raise AssertionError("the board does not see a new ledger")


def test_without_the_token_there_is_nothing_but_the_login(board: Any) -> None:
    number = put(board)
    for page in EVERY_PAGE:
        answer = asked(board, page.format(number), token=None)
        assert answer.status == 401 and "llm" not in answer.text, page
        browser = asked(board, page.format(number), token=None, headers={"Accept": "text/html"})
        assert browser.status == 303 and browser.headers["location"] == "/login"
        wrong = asked(board, page.format(number), token="not-the-token-of-this-board")
        assert wrong.status == 401
    assert asked(board, "/login", token=None).status == 200
    assert asked(board, "/static/board.js", token=None).status == 401
    assert asked(board, f"/shift/{number}/unit/0/replay", token=None, method="POST").status == 401


def test_the_token_becomes_a_cookie_that_holds_no_token(board: Any) -> None:
    first = asked(board, f"/?{urlencode({'q': 'x', 'token': TOKEN})}", token=None)
    assert first.status == 303 and first.headers["location"] == "/?q=x"
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert asked(board, "/", token=None, headers={"Cookie": cookie.partition(";")[0]}).status == 200
    forged = re.sub(r"=\w+", "=" + "0" * 64, cookie.partition(";")[0], count=1)
    assert asked(board, "/", token=None, headers={"Cookie": forged}).status == 401
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    right = asked(board, "/login", token=None, method="POST", body=urlencode({"token": TOKEN}), headers=form)
    assert right.status == 303 and "set-cookie" in right.headers
    wrong = asked(board, "/login", token=None, method="POST", body=urlencode({"token": NASTY}), headers=form)
    assert wrong.status == 401 and "set-cookie" not in wrong.headers
    check_harmless(wrong.text)
    assert asked(board, "/login", token=None, method="POST", body="token=" + "x" * 5000, headers=form).status == 413


def test_other_names_and_other_sites_are_refused(board: Any) -> None:
    """DNS rebinding, and a form on somebody's page."""
    number = put(board)
    assert asked(board, "/", headers={"Host": "evil.example"}).status == 400
    assert asked(board, "/login", token=None, headers={"Host": "evil.example:80"}).status == 400
    replay = f"/shift/{number}/unit/0/replay"
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert asked(board, replay, method="POST", headers=headers).status == 403, headers


@pytest.mark.parametrize(
    "path",
    [
        "/shift/../../etc/passwd",
        "/shift/..%2f..%2fetc%2fpasswd",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%5cserver.py",
        "/static//etc/passwd",
        "/shift/1",
        "/shift/-1",
        "/shift/99999999999999999999999999",
        "/shift/1/unit/9",
        "/shift/1e3",
        "/compare?s=1&s=2",
        "/compare?s=x&s=%00",
        "/nothing",
        f"/shift/{LONG}/wall",
        f"/shift/{LONG}/stream",
        f"/shift/1/unit/{LONG}",
        f"/shift/1/unit/1/step/{LONG}.jpg",
        f"/shift/1/station/{LONG}-wide.svg",
        f"/fleet/{LONG}",
        f"/compare?s={LONG}&s=1",
    ],
)
def test_what_is_not_there_is_not_there(board: Any, path: Any) -> None:
    answer = asked(board, path)
    assert answer.status in (400, 404) and "root:" not in answer.text and "import " not in answer.text
    check_harmless(answer.text) if "html" in answer.headers["content-type"] else None


def test_every_answer_forbids_strangers_scripts(board: Any) -> None:
    number = put(board)
    for page in ("/", f"/shift/{number}", "/login", "/static/board.css", "/nothing"):
        csp = asked(board, page).headers["content-security-policy"]
        assert "default-src 'none'" in csp and "unsafe" not in csp and "script-src 'self'" in csp


def test_a_strangers_words_are_words_on_every_page(board: Any) -> None:
    """A script, a handler and a template's marks in every text field of a ledger; and in the address."""
    nasty = number_of(nasty_ledger(board.folder / "nasty.takt"))
    other = put(board)
    pages = ["/", f"/?{urlencode({'q': NASTY, 'state': NASTY, 'sort': NASTY})}", f"/compare?s={nasty}&s={other}"]
    pages += [f"/shift/{nasty}", f"/shift/{nasty}/wall", f"/shift/{nasty}/unit/0", f"/prefs?back={NASTY}"]
    for path in pages:
        answer = asked(board, path.replace(" ", "%20"))
        if answer.status == 303:
            assert answer.headers["location"] == "/"
            continue
        assert answer.status == 200, path
        page = check_harmless(answer.text)
        assert "49" not in page.text
    assert "<script>alert" in Page(asked(board, f"/shift/{nasty}/unit/0").text).text  # shown, as text
    metrics = asked(board, "/metrics").text
    assert all(
        re.fullmatch(r"#.*|\w+(\{(\w+=\"([^\"\\]|\\.)*\",?)*\})? [-+\w.]+", line) for line in metrics.splitlines()
    )


def test_broken_ledgers_are_rows_that_say_so_and_no_page_fails(board: Any) -> None:
    good = board.folder / "good.takt"
    run_shift(Toy(), Lazy(0.3), units=8, seed=1, clock="lockstep", ledger=good)
    made = broken_ledgers(board.folder, good)
    time.sleep(1.0)
    answer = asked(board, "/")
    assert answer.status == 200
    page = check_harmless(answer.text)
    assert page.text.count("unreadable:") >= 5 and "good.takt" in page.text
    for path in made:
        for page in ("", "/wall", "/unit/0", "/stream?page=wall&after=x"):
            if path.is_dir() or (page.startswith("/stream") and path.name != "text.takt"):
                continue
            status = asked(board, f"/shift/{number_of(path)}{page}", most=1).status
            assert status in (200, 404), (path, page)


def test_a_huge_shift_is_shown_in_pages_of_bounded_size(tmp_path: Path) -> None:
    feed = Feed(long_ledger(tmp_path / "long.takt", 20_000))
    feed.look()
    shown, pages = feed.shown(), Pages()
    assert shown.view.good + shown.view.bad == 20_000
    assert len(pages.shift(feed.number, shown, Prefs())) < 2_000_000
    assert len(pages.wall(feed.number, shown, Prefs())) < 20_000


def test_the_wall_says_the_ledgers_own_numbers_in_both_languages() -> None:
    feed = Feed(LEDGERS / "desk-greedy.takt")
    feed.look()
    shown = feed.shown()
    judged, figures = verdict(shown.events), kpis(shown.events)
    for language in ("en", "zh"):
        page = Pages().wall(feed.number, shown, Prefs(language))
        told = dict(re.findall(r'data-figure="(\w+)">([^<]*)<', page))
        assert told["good"] == str(judged.good) and told["bad"] == str(shown.view.bad)
        assert told["verdict"] == word(judged.decision, language)
        assert told["rate"] == f"{100 * judged.good_rate:.1f} %"
    assert sum(hour.target for hour in shown.view.hours) == figures.units


def test_no_page_says_100_percent_of_less() -> None:
    assert [percent(one) for one in (2999 / 3000, 1.0, 0.0004, None)] == ["99.97 %", "100.0 %", "0.04 %", "–"]
    assert [asked_percent(one) for one in (0.9995, 0.9025, 0.9)] == ["99.95 %", "90.25 %", "90.0 %"]


@pytest.mark.parametrize("name", ["gym-cartpole", "desk-greedy"])  # decided, and not
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_verdict_rests_on_is_said_in_both_languages(name: str, language: str) -> None:
    feed = Feed(LEDGERS / f"{name}.takt")
    feed.look()
    page = Pages().wall(feed.number, feed.shown(), Prefs(language))
    assert re.search(r'class="call">[^<]{4,}<', page)


def test_a_shift_that_was_killed_and_gone_on_with_ends_in_the_same_pages(tmp_path: Path) -> None:
    """The board is a pure function of the ledgers: only when and how long it was worked differs."""
    run: dict[str, Any] = {"units": 30, "seed": 4, "clock": "lockstep", "worker_name": "lazy"}
    run_shift(Toy(), Lazy(0.3), ledger=tmp_path / "a" / "s.takt", **run)

    class Killed(Lazy):
        def act(self, observation: Any) -> Any:
            if self.calls > 1500:
                raise KeyboardInterrupt
            return super().act(observation)

    with pytest.raises(KeyboardInterrupt):
        run_shift(Toy(), Killed(0.3), ledger=tmp_path / "b" / "s.takt", **run)
    half = Feed(tmp_path / "b" / "s.takt")
    half.look()
    assert 10 <= half.row.units < 30 and half.row.state == "interrupted"
    resume_shift(tmp_path / "b" / "s.takt", station=Toy(), worker=Lazy(0.3))
    until_s = time.monotonic() + 60.0
    while not half.look() and time.monotonic() < until_s:  # the feed that saw the first half goes on, after its rest
        time.sleep(0.01)
    whole = Feed(tmp_path / "a" / "s.takt")
    whole.look()
    fresh = Feed(tmp_path / "b" / "s.takt")
    fresh.look()
    pages = Pages()

    def page(make: Any, feed: Any) -> Any:  # where a viewer goes on from differs by how often the shift was begun
        return re.sub(r"after=[\w.-]+", "after=", make(1, feed.shown(), Prefs()))

    for make in (pages.wall, lambda n, s, p: pages.unit(n, s, s.events, 12, p)):
        assert page(make, half) == page(make, fresh) == page(make, whole)
    assert half.shown().view == whole.shown().view


class Stream:
    """A viewer's stream of server-sent events."""

    def __init__(self, board: Any, path: Any, last: Any = None) -> None:
        host = board.url.split("/")[2]
        self.connection = http.client.HTTPConnection(host, timeout=60)
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
        self.connection.request("GET", path, headers=headers | ({"Last-Event-ID": last} if last else {}))
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200

    def next(self) -> Any:
        """The next page: its number, and what it says."""
        told = self.message()
        return told["id"], json.loads(told["data"])["html"]

    def message(self) -> dict[str, str]:
        """The next message, whatever it is."""
        told: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\r\n")
            if not line and "data" in told:
                return told
            key, _, value = line.partition(": ")
            if key in ("id", "event", "data"):
                told[key] = value

    def close(self) -> None:
        self.connection.close()


def test_a_stream_sends_what_is_new_and_a_reconnect_loses_and_doubles_nothing(board: Any) -> None:
    path = board.folder / "s.takt"
    whole = run_shift(Toy(), Lazy(0.3), units=12, seed=4, clock="lockstep")
    meta = dict(whole.meta)
    cuts = [i + 1 for i, e in enumerate(whole.events) if e.kind.startswith("unit_") and e.kind != "unit_due"]
    with Ledger.create(path, meta) as book:
        book.commit(whole.events[: cuts[2]], None, None)
        number = number_of(path)
        for _ in range(100):
            if asked(board, f"/shift/{number}").status == 200:
                break
            time.sleep(0.1)
        stream = Stream(board, f"/shift/{number}/stream?page=wall")
        first = html = ""
        while f'data-cursor="{cuts[2]}"' not in html:  # at first there may be nothing in it
            first, html = stream.next()
        assert first.split("-")[0].endswith(f".{cuts[2]}") and f'data-cursor="{cuts[2]}"' in html
        book.commit(whole.events[cuts[2] : cuts[5]], None, None)
        second, html = stream.next()
        assert second.split("-")[0].endswith(f".{cuts[5]}")
        stream.close()
        book.commit(whole.events[cuts[5] :], None, None)  # while nobody looks
    again = Stream(board, f"/shift/{number}/stream?page=wall", last=second)
    seen = set()
    while True:
        last, html = again.next()
        seen.add(last)
        if f'data-cursor="{len(whole.events)}"' in html and last.endswith("-0"):
            break
    assert second not in seen
    view = ShiftView.of(whole.events)
    assert f'data-figure="good">{view.good}<' in unescape(html)
    again.close()
    idle = Stream(board, f"/shift/{number}/stream?page=wall", last=last)
    idle.connection.sock.settimeout(1.5)
    with pytest.raises(TimeoutError):
        idle.next()
    idle.close()


@pytest.mark.parametrize("page", ["wall", "shift", "watch", ""])
def test_a_ledger_that_is_taken_away_or_replaced_is_said_on_every_page_of_it(board: Any, page: str) -> None:
    """On the wall, the shift, a unit ("watch") and the wall of any shift; what comes to its place is another shift,
    though it has as many events and ended at the same time."""
    path = board.folder / "s.takt"
    number, shifts = number_of(path), []
    for seed in (4, 5):
        shift = run_shift(
            Toy(), push, units=3, seed=seed, clock="lockstep", ledger=board.folder.parent / f"{seed}.takt"
        )
        shifts.append(shift.path)
    shutil.copy(shifts[0], path)
    while asked(board, f"/shift/{number}/unit/0").status != 200:
        time.sleep(0.05)
    (seen,) = re.findall(r"page=watch&amp;after=(\w+)", asked(board, f"/shift/{number}/unit/0").text)
    stream = Stream(board, f"/shift/{number}/stream?page={page}&after={seen}" if page else "/wall/stream")
    if page != "watch":
        assert "seed" in stream.message()["data"] or page in ("wall", "")
    for replaced in (False, True):
        if replaced:  # at once, as `mv` does it
            shutil.copy(shifts[1], board.folder / "new")
            (board.folder / "new").replace(path)
        else:
            path.unlink()
            told = stream.message()
            assert told["event"] == "gone" and "Ledger gone" in told["data"]
            shutil.copy(shifts[0], path)
        told = stream.message()
        if page == "watch":
            assert told["event"] == ("gone" if replaced else "back") and ("Another shift" in told["data"]) == replaced
        else:
            assert told["event"] == "page"
    stream.close()
    (after,) = re.findall(r"page=watch&amp;after=(\w+)", asked(board, f"/shift/{number}/unit/0").text)
    assert after != seen, "and the unit's page is of the new one"


def test_a_ledger_that_takes_long_to_read_is_read_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a board beside a shift of many thousand units costs the shift a tenth of a core at most."""

    class Clock:
        now_s = 100.0
        monotonic = staticmethod(lambda: Clock.now_s)
        thread_time = staticmethod(lambda: Clock.now_s)

    monkeypatch.setattr(feed, "time", Clock)
    meta = {"station": "written", "worker": "w", "seed": 0, "options": {}, "clock": "lockstep", "units": 9}
    with Ledger.create(tmp_path / "a.takt", meta) as book:
        asked_of = {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}
        started = {"takt_s": 1.0, "acceptance": asked_of, "pace": "beat"}
        book.commit([Event(0.0, SHIFT_STARTED, None, started)], None, None)
        one = feed.Feed(tmp_path / "a.takt")
        read = one._read

        def slowly(*given: Any, **more: Any) -> None:
            Clock.now_s += 0.5
            read(*given, **more)

        monkeypatch.setattr(one, "_read", slowly)
        assert one.look()
        book.commit([Event(1.0, UNIT_DUE, 0, {})], None, None)
        Clock.now_s += 4.0
        assert not one.look(), "it rests for nine times half a second"
        Clock.now_s += 1.0
        assert one.look() and len(one.shown().events) == 2


def test_looking_changes_no_byte(board: Any) -> None:
    number = put(board, "nutcell-expert-faults")
    path = board.folder / "nutcell-expert-faults.takt"
    before = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
    for page in ("/", f"/shift/{number}", f"/shift/{number}/wall", f"/shift/{number}/unit/1", "/metrics"):
        assert asked(board, page).status == 200
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) == before
    assert sorted(one.name for one in board.folder.iterdir()) == [path.name]


def test_what_the_station_itself_says_is_drawn_in_another_process_and_shown_as_images(board: Any) -> None:
    number = put(board, "desk-greedy")
    replays, path = board.board.replays, f"/shift/{number}/station"
    assert "<form" in asked(board, path).text and asked(board, f"{path}/0-wide.svg").status == 404
    key = board.board.shelf.feeds[number].key
    words = replays._words(key, STATION, board.folder / "desk-greedy.takt")
    assert words[0] == "takt.show.sections"
    assert sections_main(words[1:]) == 0
    replays._made[key, STATION] = ""
    page = asked(board, path).text
    check_harmless(page)
    assert "Where passengers went" in page and "known" in page and f"/shift/{number}/unit/" in page
    bad = re.findall(rf'/shift/{number}/unit/(\d+)">\d+</a></th>', page)[0]
    unit = asked(board, f"/shift/{number}/unit/{bad}").text
    check_harmless(unit)
    assert "after it was booked" in unit or "home" in unit.partition("what became of it")[2][:200]
    assert "what became of it" in unit, "why that unit failed, in the report's words"
    drawing = asked(board, f"{path}/0-wide.svg?light=night")
    assert drawing.headers["content-type"].startswith("image/svg+xml") and "--ink:#e9eaec" in drawing.text
    assert "script-src" not in drawing.headers["content-security-policy"] and "<script" not in drawing.text
    ElementTree.fromstring(drawing.text)  # a drawing alone is well-formed
    assert asked(board, f"{path}/picture.jpg").status == 200 and asked(board, f"{path}/99-wide.svg").status == 404
    broken = replays._path(key, STATION) / "sections.json"
    broken.write_text('{"sections": 7}')
    assert asked(board, path).status == 200 and asked(board, f"{path}/0-wide.svg").status == 404


def test_what_a_persons_calls_were_answered_is_shown_on_request(board: Any) -> None:
    number = put(board, "desk-mcp")
    key, page = board.board.shelf.feeds[number].key, f"/shift/{number}/unit/0"
    replays, place = board.board.replays, CALLS - 0
    assert f'action="{page}/calls"' in asked(board, page).text, "they are not recorded"
    words = replays._words(key, place, board.folder / "desk-mcp.takt")
    assert words[0] == "takt.show.worked" and words[2] == "0" and worked_main(words[1:]) == 0
    replays._made[key, place] = ""
    told = asked(board, page).text
    check_harmless(told)
    assert 'class="station"' in told and "/calls" not in told and "itineraries" in told
    file = Path(words[3]) / "calls.json"
    file.write_text(json.dumps([{"t_s": 1.0, "unit": 0, "who": "station", "what": NASTY, "text": NASTY}]))
    check_harmless(asked(board, page).text)
    file.write_text('[{"t_s": "x"}]')
    assert f'action="{page}/calls"' in asked(board, page).text, "what cannot be read is not there"


def test_a_unit_is_stepped_through_without_a_script(board: Any) -> None:
    number = put(board)
    key = board.board.shelf.feeds[number].key
    folder = board.board.replays._path(key, 1) / "steps"
    folder.mkdir(parents=True)
    (folder / "000.jpg").write_bytes(b"\xff\xd8\xff0")
    (folder / "001.jpg").write_bytes(b"\xff\xd8\xff1")
    told: Any = {"steps": [[153.0, {"en": "Due."}, "000.jpg", []]]}
    told["steps"].append([160.0, {"en": NASTY}, "../steps/001.jpg", [["left", NASTY]]])
    told["curves"] = {"left grip": ["N", [153.0, 160.0], [0.0, 31.0]], "right grip": ["N", [153.0, 160.0], [0.0, 9.0]]}
    (folder / "steps.json").write_text(json.dumps(told))
    board.board.replays._made[key, 1] = ""
    first = asked(board, f"/shift/{number}/unit/1?step=0").text
    assert "?step=1#steps" in first and "1 / 2" in first and "grip, N" in first
    last = asked(board, f"/shift/{number}/unit/1?step=99").text
    check_harmless(last)
    assert "?step=0#steps" in last and "2 / 2" in last
    picture = asked(board, f"/shift/{number}/unit/1/step/1.jpg")
    assert picture.status == 200 and picture.text.endswith("1")
    for wrong in ("?step=-1", "?step=x", "?step=999999999"):
        assert "1 / 2" in asked(board, f"/shift/{number}/unit/1{wrong}").text
    assert asked(board, f"/shift/{number}/unit/1/step/2.jpg").status == 404
    assert asked(board, f"/shift/{number}/unit/1/film.jpg").status == 404
    for name in ("film.mp4", "steps/film.jpg"):
        (folder.parent / name).write_bytes(b"film")
    assert f'poster="/shift/{number}/unit/1/film.jpg"' in asked(board, f"/shift/{number}/unit/1").text
    assert asked(board, f"/shift/{number}/unit/1/film.jpg").text == "film"


def test_a_fleets_page_is_linked_and_shown_without_scripts(board: Any) -> None:
    ledgers = board.folder / "night<b>" / "ledgers"
    ledgers.mkdir(parents=True)
    page = ledgers.parent / "fleet.html"
    page.write_text("<html><style>p {}</style><script>alert(1)</script><p>a fleet", encoding="utf-8")
    (board.folder / "fleet.html").write_text("no fleet's")
    shutil.copy(LEDGERS / "gym-cartpole.takt", ledgers)
    for _ in range(100):
        listed = asked(board, "/").text
        if "/fleet/" in listed:
            break
        time.sleep(0.1)
    check_harmless(listed)
    (number,) = re.findall(r'href="(/fleet/\d+)"', listed)
    shown = asked(board, number)
    assert shown.status == 200 and "a fleet" in shown.text and "night&lt;b&gt;" in listed
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "script-src" not in shown.headers["content-security-policy"]
    assert asked(board, "/fleet/1").status == 404 and asked(board, number, token=None).status == 401
    page.unlink()
    assert "/fleet/" not in asked(board, "/").text and asked(board, number).status == 404


def test_a_wall_is_set_up_by_its_address_alone(board: Any) -> None:
    number = put(board)
    for path in ("/wall", f"/shift/{number}/wall"):
        wall = asked(board, f"{path}?language=zh&light=night")
        assert 'lang="zh" data-light="night"' in wall.text and "takt-l" in wall.headers["set-cookie"]
        assert f'href="/shift/{number}"' in wall.text and f'data-stream="{path.removesuffix("/wall")}/' in wall.text


def test_the_wall_goes_on_to_the_next_shift(board: Any) -> None:
    first = asked(board, "/wall")
    assert first.status == 200 and 'data-stream="/wall/stream"' in first.text, "before the first shift it waits"
    stream, seen, html = Stream(board, "/wall/stream"), "", ""

    def until(words: str) -> None:
        nonlocal seen, html
        while words not in html:
            seen, html = stream.next()

    whole = run_shift(Toy(), Lazy(0.3), units=4, seed=1, clock="lockstep")
    links = [f'href="/shift/{number_of(board.folder / f"{place}.takt")}"' for place in range(3)]

    def begun(place: int) -> Any:
        meta = {**dict(whole.meta), "begun_utc": f"2026-01-0{place + 1}T00:00:00Z"}
        return Ledger.create(board.folder / f"{place}.takt", meta)

    with begun(1) as middle:
        middle.commit(whole.events[:4], None, None)
        until('data-cursor="4"')
        assert links[1] in html
        newest = begun(2)
        newest.commit(whole.events[:3], None, None)
        middle.commit(whole.events[4:6], None, None)  # it stays while its shift runs
        until('data-cursor="6"')
        assert links[1] in html
        middle.commit(whole.events[6:], None, None)
    until(links[2])
    assert 'data-cursor="3"' in html
    stream.close()
    newest.commit(whole.events[3:], None, None)
    newest.close()
    with begun(0) as older:  # as one that is gone on with
        older.commit(whole.events[:2], None, None)
        stream = Stream(board, "/wall/stream", last=seen)
        until(links[0])
        assert links[0] in asked(board, "/wall").text
    stream.close()


def test_a_board_that_is_closed_leaves_nothing_running_and_begins_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made begins a process of its own, and another one waits for its turn."""
    replays, pids = Replays(), tmp_path / "pids"
    monkeypatch.setattr(replays, "_words", lambda *_: sleeper(tmp_path, monkeypatch))
    threads = set(threading.enumerate())
    for unit in range(3):
        replays.begin(1, unit, tmp_path / "a.takt")
    for _ in range(600):
        if pids.exists() and pids.read_text().endswith("\n"):
            break
        time.sleep(0.05)
    replays.close()
    for thread in set(threading.enumerate()) - threads:
        thread.join(60)
    begun = [int(pid) for pid in pids.read_text().split()]
    assert len(begun) == 2, "those that waited are not begun"
    for pid in begun:
        for _ in range(600):
            if not is_running(pid):
                break
            time.sleep(0.05)
        assert not is_running(pid)
    replays.begin(1, 9, tmp_path / "a.takt")
    assert replays.state(1, 9) == (False, "")


def sleeper(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A module that begins another process, writes both their numbers into `pids`, and waits."""
    begins = "import os, subprocess\nother = subprocess.Popen(['sleep', '600'])\n"
    writes = f"open({str(folder / 'pids')!r}, 'a').write(f'{{os.getpid()}} {{other.pid}}\\n')\nother.wait()\n"
    (folder / "sleeper.py").write_text(begins + writes)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return ["sleeper"]


def test_what_is_being_drawn_ends_with_a_board_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids, words = tmp_path / "pids", sleeper(tmp_path, monkeypatch)
    program = (
        "import time; from pathlib import Path; from takt.board.replays import Replays; made = Replays()\n"
        f"made._words = lambda *_: {words!r}; made.begin(1, 0, Path('a.takt')); time.sleep(600)"
    )
    board = subprocess.Popen([sys.executable, "-c", program])
    for _ in range(600):
        if pids.exists() and pids.read_text().endswith("\n"):
            break
        time.sleep(0.05)
    board.kill()
    board.wait()
    for pid in map(int, pids.read_text().split()):
        for _ in range(600):
            if not is_running(pid):
                break
            time.sleep(0.05)
        assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether it is there and no zombie: who reaps an orphan is not ours to say."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_metrics_are_the_rows() -> None:
    feed = Feed(LEDGERS / "desk-greedy.takt")
    feed.look()
    text = exposition([(feed.number, feed.row)])
    values = dict(re.findall(r"^(takt_\w+)\{shift=.*\} (\S+)$", text, re.MULTILINE))
    judged = verdict(feed.shown().events)
    assert float(values["takt_good_units"]) == judged.good and float(values["takt_good_rate"]) == judged.good_rate
    assert float(values["takt_good_rate_lower"]) == judged.lower
    assert 'takt_shifts{state="ended"} 1' in text
    assert float(values["takt_cut_off_units"]) == judged.cut_off == feed.row.cut_off > 0
    costs = sum(costs_at("flightdesk")(feed.shown().events).values())
    assert float(values["takt_cost"]) == pytest.approx(costs) and 'currency="EUR"' in text
    assert feed.row.money == f"{costs:,.0f} EUR" and "takt_price" not in values
    assert feed.row == row_of(LEDGERS / "desk-greedy.takt"), "`takt ls` says the same"
    told = Row(Path("a.takt"), "ended", cost=12.5, currency="EUR", price=0.04)
    assert told.money == "12.50 EUR + 0.04" and replace(told, cost=None, price=None).money == ""


def test_the_table_is_filtered_and_sorted(board: Any) -> None:
    for name in ("desk-llm", "desk-greedy", "gym-cartpole"):
        put(board, name)
    files = re.compile(r"<small>([\w-]+)\.takt</small>")
    assert files.findall(asked(board, "/?sort=rate&down=1").text) == ["desk-llm", "desk-greedy", "gym-cartpole"]
    assert files.findall(asked(board, "/?sort=rate&down=0").text) == ["gym-cartpole", "desk-greedy", "desk-llm"]
    assert files.findall(asked(board, "/?q=desk+GREEDY").text) == ["desk-greedy"]
    assert files.findall(asked(board, "/?verdict=reject").text) == ["gym-cartpole"]


def test_two_shifts_are_compared_as_takt_compare_does(board: Any) -> None:
    for worker, leaves in (("a", 0.0), ("b", 0.6)):
        path = board.folder / f"{worker}.takt"
        run_shift(Toy(), Lazy(leaves), units=40, seed=2, clock="lockstep", ledger=path, worker_name=worker)
    numbers = [number_of(board.folder / f"{name}.takt") for name in "ab"]
    time.sleep(1.0)
    page = Page(asked(board, f"/compare?s={numbers[0]}&s={numbers[1]}").text)
    assert "a is better" in page.text or "a better" in page.text, page.text[:600]
    wrong = asked(board, f"/compare?s={numbers[0]}&s={put(board, 'gym-cartpole')}")
    assert wrong.status == 200 and "cannot be compared" in wrong.text
    for ticked in ([], numbers[:1], [*numbers, number_of(board.folder / "gym-cartpole.takt")], ["x"]):
        back = asked(board, f"/compare?{urlencode([('s', one) for one in ticked])}")  # to where they are ticked
        assert back.status == 303
        page = asked(board, back.headers["location"])
        kept = {one for one in re.findall(r'value="(\d+)" checked', page.text)}
        assert "Tick two shifts" in page.text and kept == {str(one) for one in ticked if str(one).isdecimal()}


def test_what_a_ledger_says_of_its_beginning_is_no_way_to_the_top_of_the_table() -> None:
    told = ["2026-11-29T10:00:00+00:00", "zzz <b>now</b>", "9999-12-31T00:00:00+00:00", "", "2026-11-28T10:00:00"]
    rows = [(n, Row(Path(f"{n}.takt"), ENDED, "", begun_utc=begun)) for n, begun in enumerate(told)]
    assert [number for number, _ in Query.of({}).of_rows(rows)][:2] == [0, 4]


def test_what_differs_is_told_and_may_be_allowed_and_a_person_is_set_beside(board: Any) -> None:
    for name, options in (("a", {"limit": 1}), ("b", {"limit": 2})):
        shift = run_shift(Toy(), Lazy(0.3), units=12, seed=4, clock="lockstep")
        events = [replace(one, data={**one.data, "options": options, "worker": "person" if name == "a" else "lazy"})
                  if one.kind == SHIFT_STARTED else one for one in shift.events]  # fmt: skip
        with Ledger.create(board.folder / f"{name}.takt", dict(shift.meta)) as book:
            book.commit(events, None, None)
    a, b = (number_of(board.folder / f"{name}.takt") for name in "ab")
    while asked(board, f"/compare?s={a}&s={b}").status != 200:
        time.sleep(0.1)
    refused = unescape(asked(board, f"/compare?s={a}&s={b}").text)
    assert "option limit is 1 and 2." in refused and "options limit" in refused and "--may-differ" not in refused
    (allowed,) = re.findall(r'href="(/compare[^"]*may_differ=limit)"', refused)
    page = unescape(asked(board, allowed).text)
    assert "option limit differs, as allowed: person 1, lazy 2." in page and "both good" in page
    assert "human-relative throughput of lazy: 1.00 (" in page
    chinese = unescape(asked(board, f"{allowed}&language=zh").text)
    assert "lazy 相对于人的产出：1.00" in chinese and "选项 limit" in chinese
    odd = urlencode([("s", a), ("s", b), *(("may_differ", NASTY) for _ in range(99))])
    check_harmless(asked(board, f"/compare?{odd}").text)


def test_what_units_cost_is_compared_where_the_station_says_it() -> None:
    one = Feed(LEDGERS / "desk-greedy.takt")
    one.look()
    shown = one.shown()
    meta = {**shown.events[0].data, "worker": "other"}
    events = (replace(shown.events[0], data=meta), *shown.events[1:])
    other = replace(shown, events=events, meta={**shown.meta, "worker": "other"})
    page = Pages().compare([(1, shown), (2, other)], Prefs())
    assert re.search(r"Cost, \w+ - \w+: [+-]0\.00 EUR a unit over \d+", page), page[-3000:]


def test_an_exported_board_stands_alone(tmp_path: Path) -> None:
    folder = tmp_path / "shifts"
    folder.mkdir()
    nasty_ledger(folder / "nasty.takt")
    shutil.copy(LEDGERS / "desk-llm.takt", folder)
    first = export_pages([folder], tmp_path / "out")
    pages = list((tmp_path / "out").rglob("*.html"))
    assert first in pages and len(pages) == 1 + 2 * 2 + 2 + 6
    for path in pages:
        page = check_harmless(path.read_text(encoding="utf-8"))
        assert not any(tag in ("script", "form") and given.get("action", "x") != "/compare" for tag, given in page.tags)
        for link in page.links:
            if not link.startswith(("#", "data:")):
                assert (path.parent / link).resolve().is_file(), (path, link)
    own = tmp_path / "out" / "shift" / str(number_of(folder / "desk-llm.takt")) / "notes.txt"
    own.write_text("mine")
    (folder / "nasty.takt").unlink()
    (folder / "desk-llm.takt").unlink()
    shutil.copy(LEDGERS / "desk-greedy.takt", folder)
    export_pages([folder], tmp_path / "out")  # over itself
    there = {path.parent.name for path in (tmp_path / "out" / "shift").rglob("*.html")}
    assert there == {str(number_of(folder / "desk-greedy.takt"))}, "shifts that are gone have no pages"
    assert own.read_text() == "mine" and len(list((tmp_path / "out" / "shift").iterdir())) == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(TaktError, match="choose another folder"):
        export_pages([folder], tmp_path / "mine")


def test_the_command_refuses_what_it_cannot_serve_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["board", str(tmp_path / "none")]) == 2
    assert main(["board", str(tmp_path), "--host", "0.0.0.0"]) == 2
    assert main(["board", str(tmp_path), "--host", "0.0.0.0", "--allow-host", "a.example", "--no-token"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 3 and "--allow-host" in err and "--no-token" in err


def test_every_word_is_there_in_both_languages() -> None:
    templates = Path(__file__).parents[2] / "src" / "takt" / "board" / "templates"
    used = {
        key for path in templates.glob("*.j2") for key in re.findall(r"""\bt\(["']([^"']+)["']\)""", path.read_text())
    }
    assert used and used <= set(WORDS)
    assert all(len(both) == 2 and all(both) for both in WORDS.values())
    assert Query.of({"sort": "x; drop"}).sort == "age"
