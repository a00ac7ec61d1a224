"""A scripted person works through the page, in a real browser: seats nuts by the keyboard, and serves groups by forms.

    python benchmarks/person.py cell --units 2                pictures a second, key to picture, what was seated
    python benchmarks/person.py desk --minutes 10 --speed 4   a shift at the desk, and a program beside it

The script sees what the page shows and nothing else. It needs Chromium and Playwright (the extra `dev`). The shift is
left in --out, to be looked at like any other.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

TAKT = [sys.executable, "-m", "takt.cli"]
# What a person sees of the cell: where feeder and pin are, in the page's own mm; and how high things stand there.
FEEDER, PIN = (360.0, 300.0), (420.0, 120.0)
GRASP_Z, CARRY_Z, RIBS_Z, SEAT_Z, CLEAR_Z = 928.5, 990.0, 942.5, 918.5, 1040.0
FAST_MM_S, FINE_MM_S, TURN_DEG_S = 200.0, 15.0, 17.2
KEYS = {
    "x": ("KeyW", "KeyS", "KeyI", "KeyK"),
    "y": ("KeyA", "KeyD", "KeyL", "KeyJ"),
    "z": ("KeyR", "KeyF", "KeyP", "KeyM"),
}
TURNS = ("KeyQ", "KeyE", "KeyO", "KeyU")  # the right hand's are the other way round: the cell is its own mirror image


@contextmanager
def at_page(station: str, words: list[str], out: Path, shot: Path | None = None) -> Iterator[tuple[Page, Any]]:
    """A shift that runs, and its page."""
    out.unlink(missing_ok=True)
    command = [*TAKT, "run", station, "--worker", "person", "--port", "0", "--out", str(out), *words]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert running.stderr is not None
    url = next(match[1] for line in running.stderr if (match := re.search(r"work at (\S+)", line)))
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
            page = browser.new_page(viewport={"width": 1400, "height": 950})
            page.goto(url)
            yield page, running
            if shot is not None:
                page.screenshot(path=str(shot))
            browser.close()
        running.stderr.read()
        running.wait(600)
    finally:
        running.kill()


# --- the cell ---


class Hands:
    """Both hands, moved alike: what the left one does to the left, the right one does to the right."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def at(self) -> list[float]:
        text = self.page.locator('[data-fact="left hand, mm"] dd').inner_text()
        return [float(word) for word in text.split()]

    def takt_left(self) -> float:
        return float(self.page.locator(".gauges div", has_text="takt left").locator("b").inner_text().split()[0])

    def hold(self, keys: tuple[str, ...], seconds: float, fine: bool) -> None:
        board = self.page.keyboard
        for key in (*keys, *(("ShiftLeft",) if fine else ())):
            board.down(key)
        time.sleep(seconds)
        for key in (*keys, *(("ShiftLeft",) if fine else ())):
            board.up(key)

    def go(self, axis: str, to: float, near: float = 0.7, speed: float = 1.0, tries: int = 12) -> None:
        """Along one axis, x, y or z: fast while it is far, slowly at the end, until it is there as far as one sees."""
        i = "xyz".index(axis)
        for _ in range(tries):
            time.sleep(0.3 / speed)
            off = to - self.at()[i]
            if abs(off) <= near:
                return
            up, down, right_up, right_down = KEYS[axis]
            keys = (up, right_up) if off > 0 else (down, right_down)
            fine = abs(off) < 30
            rate = FINE_MM_S if fine else FAST_MM_S
            self.hold(keys, (abs(off) * (1.0 if fine else 0.85) / rate) / speed, fine)

    def grip(self) -> None:
        self.page.keyboard.press("Space")
        self.page.keyboard.press("Enter")

    def turn(self, degrees: float, speed: float) -> None:
        left, right, other_left, other_right = TURNS
        keys = (left, other_left) if degrees > 0 else (right, other_right)
        self.hold(keys, abs(degrees) / TURN_DEG_S / speed, True)


def seat_both(hands: Hands, speed: float) -> None:
    """Take a nut at each side, put it on its pin, turn it until it drops, press it home, and go away."""
    hands.go("y", FEEDER[1], speed=speed)
    hands.go("x", FEEDER[0], speed=speed)
    hands.go("z", GRASP_Z, speed=speed)
    hands.grip()
    time.sleep(0.6 / speed)
    hands.go("z", CARRY_Z, near=8, speed=speed)
    while hands.takt_left() > 73.5:
        time.sleep(0.1)
    hands.go("x", PIN[0], speed=speed)
    hands.go("y", PIN[1], speed=speed)
    hands.go("x", PIN[0], speed=speed)
    hands.go("z", RIBS_Z - 5, near=1.5, speed=speed)
    for degrees in (8, -16, 24, -32):
        hands.turn(degrees, speed)
    hands.go("z", SEAT_Z - 1.5, near=1.0, speed=speed, tries=5)
    hands.grip()
    time.sleep(0.5 / speed)
    hands.go("z", CLEAR_Z, near=15, speed=speed)


def cell(units: int, speed: float, out: Path) -> None:
    words = ["--units", str(units), "--seed", "3", "--difficulty", "nominal", "--clock", f"live:{speed:g}"]
    with at_page("nutcell", words, out, out.with_suffix(".png")) as (page, running):
        page.wait_for_selector("canvas[data-eye=head]", timeout=120_000)
        page.wait_for_selector('[data-fact="left hand, mm"]')
        hands = Hands(page)
        for unit in range(units):
            seat_both(hands, speed)
            rate, late = page.inner_text("#rate"), page.inner_text("#late")
            print(f"unit {unit}: pictures {rate}, from key to picture {late} (median of 20)", flush=True)
            page.screenshot(path=str(out.with_suffix(".png")))
            while running.poll() is None and hands.takt_left() < 70:
                time.sleep(0.2)
    told = json.loads(subprocess.run([*TAKT, "kpis", str(out), "--json"], capture_output=True, text=True).stdout)
    show = json.loads(
        subprocess.run([*TAKT, "ledger", "show", str(out), "--json"], capture_output=True, text=True).stdout
    )
    for name, part in told["kpis"]["parts"].items():
        print(f"seated on the {name}: {part['good']} of {part['units']}")
    print(f"late by {show['lag_s']:.1f} s in {show['wall_s']:.0f} s of wall time")


# --- the desk ---


def desk(minutes: float, speed: float, out: Path) -> None:
    options = [
        "-o",
        "flights=300",
        "-o",
        "aircraft=45",
        "-o",
        "bookings=2000",
        "-o",
        "days=1",
        "-o",
        "scenario=two-hubs",
    ]
    # A group that is served within 4 minutes is well served: of a shift of ten, most units then had all their time.
    common = ["--hours", f"{minutes / 60:g}", "--seed", "1", *options, "-o", "takt_s=60", "-o", "service_s=240"]
    with at_page("flightdesk", [*common, "--clock", f"live:{speed:g}"], out, out.with_suffix(".png")) as (
        page,
        running,
    ):
        done: set[str] = set()
        while running.poll() is None and not page.locator("#state", has_text="The shift is over").count():
            time.sleep(0.2)
            queue = page.locator("#state .use[data-fill*='\"group\"']")
            waiting = [
                json.loads(queue.nth(i).get_attribute("data-fill") or "{}") for i in range(min(3, queue.count()))
            ]
            group = next((one["group"] for one in waiting if one["group"] not in done), None)
            if group is None:
                continue
            done.add(group)
            try:
                page.locator(f"#state .use[data-fill*='\"{group}\"']").first.click(timeout=3000)
                call(page, "propose")
                first = page.locator("#history .answer").first
                if first.locator(".use").count():
                    if "hotel due yes" in " ".join(first.inner_text().split()):
                        call(page, "hotel")
                    first.locator(".use").first.click(timeout=3000)
                    call(page, "book")
            except Exception as error:  # the group has left meanwhile, or the shift is over
                print(f"group {group}: {str(error).splitlines()[0][:80]}", flush=True)
        print(f"the script dealt with {len(done)} groups", flush=True)
    robot = out.with_name(f"{out.stem}-greedy.takt")
    robot.unlink(missing_ok=True)
    subprocess.run(
        [*TAKT, "run", "flightdesk", "--worker", "greedy", *common, "--out", str(robot)], capture_output=True
    )
    subprocess.run([*TAKT, "compare", str(out), str(robot)], check=False)


def call(page: Page, tool: str) -> None:
    """Open a tool, and make its call; waits for the answer."""
    before = page.locator("#history .answer").count()
    if not page.locator(f"details[data-tool={tool}][open]").count():
        page.click(f"details[data-tool={tool}] summary", timeout=3000)
    page.click(f"form[data-call={tool}] > button:last-child", timeout=3000)
    if before < 30:
        page.locator("#history .answer").nth(before).wait_for(timeout=20_000)
    else:
        time.sleep(1.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cell", "desk"))
    parser.add_argument("--units", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--speed", type=float, default=1.0, help="of the live clock")
    parser.add_argument("--out", type=Path, default=Path("shifts/person.takt"))
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    if given.what == "cell":
        cell(given.units, given.speed, given.out)
    else:
        desk(given.minutes, given.speed, given.out)


if __name__ == "__main__":
    main()
