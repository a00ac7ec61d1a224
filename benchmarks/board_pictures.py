"""The pictures of the board and of a person at work that README and docs show, made from shifts by a real browser.

    python benchmarks/board_pictures.py CELL.takt DESK.takt --out docs/images

CELL is a shift at the nut cell with a bad unit, DESK one of a model at the flight desk. The pictures of a person come
from shifts that are begun here, in practice. Needs Chromium and Playwright (the extra `dev`).
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from takt import Ledger
from takt.board.feed import number_of
from takt.board.server import Server
from takt.contract.events import UNIT_DUE

LIGHT = "day"


def picture(browser: Browser, url: str, out: Path, width: int, height: int, wait: str = "main") -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light")
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(wait)
    page.wait_for_timeout(500)
    page.screenshot(path=str(out))
    context.close()
    print(out)


def first_part(path: Path, folder: Path) -> Ledger:
    """A shift as it was in the middle of its last unit but three, somebody still at work: left open."""
    with Ledger.open(path) as book:
        meta, events = book.meta, book.events()
    due = [place for place, event in enumerate(events) if event.kind == UNIT_DUE]
    running = Ledger.create(folder / path.name, {**meta, "units": None, "hours": 3.0})
    upto = events[: due[-4]]
    began = {**upto[0].data, "units": None, "hours": 3.0}
    running.commit([replace(upto[0], data=began), *upto[1:]], None, None)
    running.show([events[due[-4]]], events[due[-4]].t_s + 21.0)
    return running


def person(browser: Browser, station: list[str], out: Path, wait: str, seconds: float, keys: str = "") -> None:
    words = [sys.executable, "-m", "takt.cli", "run", *station, "--worker", "person", "--practice", "--port", "0"]
    running = subprocess.Popen([*words, "--units", "1"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert running.stderr is not None
        url = next(match[1] for line in running.stderr if (match := re.search(r"work at (\S+)", line)))
        page = browser.new_context(viewport={"width": 1400, "height": 940}).new_page()
        page.goto(url)
        page.wait_for_selector(wait, timeout=120_000)
        time.sleep(seconds)
        for _ in range(6 if keys else 0):
            page.keyboard.down(keys)
            time.sleep(0.3)
            page.keyboard.up(keys)
            time.sleep(0.3)
        if page.locator("form[data-call=propose]").count():
            page.locator("#state .use[data-fill*='\"group\"']").first.click()
            page.locator("details[data-tool=propose]").evaluate("one => { one.open = true }")
            page.click("form[data-call=propose] > button:last-child")
            page.locator("#history .answer").first.wait_for(timeout=60_000)
            page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=str(out))
        print(out)
    finally:
        running.kill()
        running.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cell", type=Path)
    parser.add_argument("desk", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with (
        TemporaryDirectory() as folder,
        first_part(given.cell, Path(folder)) as running,
        sync_playwright() as playwright,
        Server([given.cell, given.desk, Path(folder)], "127.0.0.1", 0, "") as server,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
        cell, desk = (f"{server.url}shift/{number_of(path)}" for path in (given.cell, given.desk))
        assert running.path is not None
        wall = f"{server.url}shift/{number_of(running.path)}/wall"
        picture(browser, f"{wall}?light={LIGHT}", given.out / "board-wall.png", 1280, 720)
        picture(browser, f"{cell}?light={LIGHT}", given.out / "board-shift.png", 1280, 900)
        picture(browser, f"{desk}/unit/1?light={LIGHT}", given.out / "board-unit.png", 1280, 900)
        options = ["-o", "flights=300", "-o", "aircraft=45", "-o", "bookings=2000", "-o", "days=1", "--seed", "1"]
        station = ["flightdesk", *options, "-o", "takt_s=120", "-o", "scenario=two-hubs", "--clock", "live:20"]
        person(browser, station, given.out / "person-desk.png", "#state .use[data-fill*='\"group\"']", 0.0)
        wait = "canvas[data-eye=head]"
        person(
            browser,
            ["nutcell", "--difficulty", "nominal", "--seed", "3"],
            given.out / "person-cell.png",
            wait,
            4.0,
            "KeyF",
        )
        browser.close()


if __name__ == "__main__":
    main()
