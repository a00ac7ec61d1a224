"""The board in a real browser: live numbers, reloads and restarts, no error, no outside request, keyboard, contrast."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import TOKEN
from browsing import Watched, browser, violations
from strangers import nasty_ledger

from takt import Ledger, run_shift
from takt.board.feed import number_of
from takt.board.replays import STATION
from takt.board.server import Server
from takt.board.words import WORDS
from takt.show.report.pictures import as_jpeg
from takt.show.view import ShiftView
from toy import Lazy, Toy

LEDGERS = Path(__file__).parents[1] / "ledgers"


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def whole() -> Any:
    return run_shift(Toy(), Lazy(0.3), units=24, seed=4, clock="lockstep")


def cuts(whole: Any) -> list[Any]:
    """How many events there are when a unit has ended and the next one is there."""
    return [i + 1 for i, event in enumerate(whole.events) if event.kind == "thought"]


def figure(page: Any, name: Any) -> Any:
    return page.locator(f"[data-figure={name}]").inner_text()


def shown(page: Any, cursor: Any) -> None:
    """Wait until the page has seen so many events."""
    page.wait_for_selector(f"[data-cursor='{cursor}']")


def test_the_wall_follows_the_ledger_through_a_kill_a_reload_and_another_board(
    running: Any, whole: Any, tmp_path: Path
) -> None:
    path = tmp_path / "s.takt"
    at = cuts(whole)
    first = Ledger.create(path, whole.meta)
    first.commit(whole.events[: at[2]], None, None)
    watched = Watched(running)
    page = watched.page
    with Server([tmp_path], "127.0.0.1", 0, TOKEN) as server:
        port = int(server.url.rstrip("/").rsplit(":", 1)[1])
        page.goto(f"{server.url}shift/{number_of(path)}/wall?token={TOKEN}")
        assert "token" not in page.url
        shown(page, at[2])
        for cut in (at[3], at[9]):
            first.commit(whole.events[len(first.events()) : cut], None, None)
            shown(page, cut)
            view = ShiftView.of(whole.events[:cut])
            for name, value in (("good", view.good), ("bad", view.bad), ("due", view.due), ("planned", 24)):
                assert figure(page, name) == str(value), name
        first.close()  # whoever worked it is gone
        page.wait_for_selector("[data-state='interrupted']")
        watched.check()
        fits_every_word(page)
    page.wait_for_selector("body.lost")  # nothing comes any more: the wall is not green for hours
    assert page.locator("#link").is_visible()
    watched.errors.clear()
    with Server([tmp_path], "127.0.0.1", port, TOKEN), Ledger.resume(path) as second:
        page.wait_for_selector(
            "body:not(.lost) [data-state='working']"
        )  # the browser has found the new board by itself
        second.commit(whole.events[at[9] :], None, None)
        shown(page, len(whole.events))
        second.close()
        page.wait_for_selector("[data-state='over']")
        live = page.locator("article.wall").inner_html()
        watched.errors.clear()  # while there was no board, the browser said that it could not reach it
        page.reload()
        assert page.locator("article.wall").inner_html() == live
        assert figure(page, "good") == str(ShiftView.of(whole.events).good)
        path.unlink()
        page.wait_for_selector("body.lost")  # it is not green for ever, and the banner covers nothing of it
        assert page.locator("#link").inner_text().startswith("Ledger gone")
        banner, wall = page.locator("#link").bounding_box(), page.locator("article.wall").bounding_box()
        assert banner["y"] + banner["height"] <= wall["y"] + 0.5
        with Ledger.create(path, {**whole.meta, "seed": 77}) as other:
            other.commit(whole.events[: at[2]], None, None)
            page.wait_for_selector("body:not(.lost) [data-state='working']")
        watched.check()
    watched.close()


def fits_every_word(page: Any) -> None:
    """The wall's largest words, in both languages, and the longest rate, on a screen and on a phone."""
    for width, height in ((1920, 1080), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for state in ("working", "waiting", "fault", "help", "over", "interrupted"):
            for told in WORDS[state]:
                page.evaluate(
                    """told => { document.querySelector(".wall .word").textContent = told;
                    for (const e of document.querySelectorAll(".wall .queue b, .wall .rate b"))
                      e.textContent = "100.0 %"; }""",
                    told,
                )
                cut = page.evaluate(
                    """[...document.querySelectorAll(".wall .word, .wall > section")]
                    .filter(e => e.scrollWidth > e.clientWidth
                      || e.matches("section") && e.scrollHeight > e.clientHeight)
                    .map(e => [e.className, e.scrollWidth, e.clientWidth, e.scrollHeight, e.clientHeight])"""
                )
                assert cut == [], (told, width)
        if width > 1000:  # read from five metres: no letter of the wall is less than a fortieth of its height
            small = page.evaluate(
                """height => [...document.querySelectorAll(".wall *")].filter(e => {
                  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) return false;
                  const svg = e.closest("svg"), size = parseFloat(getComputedStyle(e).fontSize);
                  return size * (svg ? Math.abs(svg.getScreenCTM().a) : 1) < height / 40;
                }).map(e => e.textContent)""",
                height,
            )
            assert small == []


def made(replays: Any, cell: int, desk: int) -> None:
    """What is made on request is there: a unit's steps with a curve, and a station's own section with a table."""
    steps, own = replays._path(cell, 1) / "steps", replays._path(desk, STATION)
    steps.mkdir(parents=True)
    own.mkdir()
    for i in range(2):
        (steps / f"{i}.jpg").write_bytes(as_jpeg(np.full((90, 240, 3), 90 * i, np.uint8)))
    told: dict[str, Any] = {"steps": [[float(76 + i), f"step {i}", f"{i}.jpg"] for i in range(2)]}
    told["curves"] = {"left grip": ["N", [76.0, 77.0], [0.0, 31.0]]}
    (steps / "steps.json").write_text(json.dumps(told))
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0L9 9" stroke="var(--ink)"/></svg>'
    section: dict[str, Any] = {"title": "Map", "note": "Where.", "plot": [svg, svg], "texts": [["more", "text"]]}
    section["table"] = [["group", "EUR"], [["7", "1,000"]], [1]]
    figures = [["Cost", "1,000", "EUR"]]
    (own / "sections.json").write_text(
        json.dumps({"now_s": 9.0, "figures": figures, "picture": False, "sections": [section]})
    )
    replays._made |= {(cell, 1): "", (desk, STATION): ""}


def test_every_page_passes_axe_by_day_and_by_night_and_asks_nobody_else(running: Any, tmp_path: Path) -> None:
    for name in ("desk-llm", "nutcell-expert-mixed"):
        shutil.copy(LEDGERS / f"{name}.takt", tmp_path)
    nasty_ledger(tmp_path / "nasty.takt")
    cell = number_of(tmp_path / "nutcell-expert-mixed.takt")
    desk, nasty = number_of(tmp_path / "desk-llm.takt"), number_of(tmp_path / "nasty.takt")
    with Server([tmp_path], "127.0.0.1", 0, TOKEN) as server:
        watched = Watched(running)
        page = watched.page
        page.goto(f"{server.url}login")
        assert violations(page) == []
        page.goto(f"{server.url}?token={TOKEN}")
        pages = ["", f"shift/{cell}", f"shift/{cell}/wall", f"shift/{desk}/unit/1", f"shift/{nasty}/unit/0"]
        pages += [f"compare?s={cell}&s={desk}"]
        made(server.board.replays, *(server.board.shelf.feeds[number].key for number in (cell, desk)))
        pages += [f"shift/{cell}/unit/1?step=1", f"shift/{desk}/station"]
        for where in pages:
            mark = "&" if "?" in where else "?"
            for light in ("day", "night") if where in pages[1:3] else ("day",):
                page.goto(f"{server.url}{where}{mark}light={light}")
                assert violations(page) == [], (where, light)
        for where, size in ((pages[2], (390, 844)), (pages[1], (390, 844)), ("", (390, 844)), (pages[2], (1920, 1080))):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(f"{server.url}{where}?language=zh")
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], (where, size)
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080  # a wall has no scroll bar
        assert page.locator("html").get_attribute("lang") == "zh"
        watched.check()
        watched.close()


def test_all_is_done_with_the_keyboard_alone(running: Any, tmp_path: Path) -> None:
    for name in ("desk-llm", "desk-greedy"):
        shutil.copy(LEDGERS / f"{name}.takt", tmp_path)
    with Server([tmp_path], "127.0.0.1", 0, TOKEN) as server:
        watched = Watched(running)
        page = watched.page
        page.goto(f"{server.url}login")
        page.locator("input[name=token]:focus").wait_for()  # it has the focus by itself
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("table.shifts")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"

        def tab_to(selector: Any) -> None:
            for _ in range(60):
                page.keyboard.press("Tab")
                if page.evaluate(f"document.activeElement.matches({selector!r})"):
                    return
            raise AssertionError(f"the Tab key does not reach {selector}")

        tab_to("input[type=checkbox]")
        page.keyboard.press("Space")
        tab_to("input[type=checkbox]")
        page.keyboard.press("Space")
        time.sleep(0.5)
        tab_to("form[action='/compare'] button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/compare?s=*&s=*")
        page.go_back()
        page.wait_for_selector("table.shifts")
        tab_to("tbody th a")
        page.keyboard.press("Enter")
        page.wait_for_selector(".verdict .word")
        tab_to(".units a")
        page.keyboard.press("Enter")
        page.wait_for_url("**/unit/*")
        here = page.url
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url: url != here and "/unit/" in url)
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(here)
        watched.check()
        watched.close()


def test_a_units_page_follows_it_to_its_end_and_to_the_unit_after(running: Any, whole: Any, tmp_path: Path) -> None:
    path, events = tmp_path / "s.takt", list(whole.events)
    due = next(i for i, event in enumerate(events) if event.kind == "unit_due")
    after = next(i for i, event in enumerate(events) if event.kind == "unit_due" and event.unit == 1)
    with Ledger.create(path, whole.meta) as ledger, Server([tmp_path], "127.0.0.1", 0, TOKEN) as server:
        ledger.commit(events[:due], None, None)
        ledger.show(events[due : due + 1], events[due].t_s)
        watched = Watched(running)
        page = watched.page
        page.goto(f"{server.url}?token={TOKEN}")
        page.wait_for_selector("tbody th a")
        page.goto(f"{server.url}shift/{number_of(path)}/unit/0")
        page.locator("h1 .tag", has_text="open").wait_for()
        ledger.commit(events[due : after + 1], None, 0)
        page.locator("h1 .tag", has_text=re.compile("good|bad")).wait_for()
        page.locator("a[rel=next]").wait_for()
        assert page.locator("[data-refresh]").count() == 0, "nothing more comes of it"
        watched.check()
        watched.close()
