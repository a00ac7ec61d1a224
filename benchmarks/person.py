"""A scripted person works through the page, in a real browser: seats nuts by the keyboard, and serves groups by forms.

    python benchmarks/person.py pictures --seconds 60         pictures a second, key to picture, how late the station is
    python benchmarks/person.py cell --units 2                the same while nuts are seated, and what was seated
    python benchmarks/person.py desk --minutes 10 --speed 4   a shift at the desk, and a program beside it

The script sees what the page shows and nothing else. It needs Chromium and Playwright (the extra `dev`). The shift is
left in --out, to be looked at like any other.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
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
TURNS = ("KeyQ", "KeyE", "KeyU", "KeyO")  # of each hand, to the left and to the right
SIDES = ("left", "right")
SEARCH_DEG = (4, -4, 8, -8, 12, -12, 17, -17, 22, -22, 27, -27, 31, 0)
RESTS_N = 2.0  # a nut that rests on the ribs pushes up on the pads with more


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


class AtKeys:
    """Eyes on the page and fingers on the keyboard: all that the script has."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def down(self, code: str) -> None:
        self._page.keyboard.down(code)

    def up(self, code: str) -> None:
        self._page.keyboard.up(code)

    def fact(self, name: str) -> list[float]:
        text = self._page.locator(f'[data-fact="{name}"] dd').inner_text()
        return [float(word) for word in text.split()]

    def takt_left(self) -> float:
        return float(self._page.locator(".gauges div", has_text="takt left").locator("b").inner_text().split()[0])

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Hands:
    """Both hands, each by what is seen of it: keys are pressed one after the other and arrive when they do, so that
    the hands do not move alike. Where the left one goes to the left, the right one goes to the right."""

    def __init__(self, keys: AtKeys, speed: float) -> None:
        self.keys, self.speed = keys, speed

    def hold(self, keys: dict[str, float], fine: bool) -> None:
        """Hold each of these keys for so many seconds of station time."""
        order = sorted(keys, key=lambda key: keys[key])
        for key in (*(("ShiftLeft",) if fine else ()), *order):
            self.keys.down(key)
        held = 0.0
        for key in order:
            self.keys.sleep(max(0.0, (keys[key] - held) / self.speed))
            held = max(held, keys[key])
            self.keys.up(key)
        if fine:
            self.keys.up("ShiftLeft")

    def go(self, axis: str, to: float, near: float = 0.7, tries: int = 16) -> None:
        """Along one axis: fast while a hand is far, slowly at the end, until both are there as far as one sees."""
        i = "xyz".index(axis)
        for _ in range(tries):
            self.keys.sleep(0.3 / self.speed)
            at = [self.keys.fact(f"{side} hand, mm")[i] for side in SIDES]
            off = [to - at[0], to - (-at[1] if axis == "y" else at[1])]
            if max(map(abs, off)) <= near:
                return
            fine = max(map(abs, off)) < 30
            wanted = {}
            for side, one in enumerate(off):
                if abs(one) > (near if fine else 30):
                    up, down = KEYS[axis][2 * side : 2 * side + 2]
                    rate = FINE_MM_S if fine else FAST_MM_S
                    wanted[up if one > 0 else down] = abs(one) * (1.0 if fine else 0.85) / rate
            self.hold(wanted, fine)

    def grip(self) -> None:
        for key in ("Space", "Enter"):
            self.keys.down(key)
            self.keys.up(key)

    def search(self) -> None:
        """Turn each nut to and fro, further each time, until it falls between the ribs: then nothing pushes up."""
        was = [0.0, 0.0]
        for degrees in SEARCH_DEG:
            self.keys.sleep(0.3 / self.speed)
            rests = [abs(self.keys.fact(f"{side} pull, N")[1]) > RESTS_N for side in SIDES]
            if not any(rests):
                return
            wanted = {}
            for side, resting in enumerate(rests):
                if resting:
                    more, less = TURNS[2 * side : 2 * side + 2]
                    turn = degrees - was[side]
                    wanted[more if turn > 0 else less] = abs(turn) / TURN_DEG_S
                    was[side] = degrees
            self.hold(wanted, True)


def seat_both(hands: Hands) -> None:
    """Take a nut at each side, put it on its pin, turn it until it drops, press it home, and go away."""
    keys, speed = hands.keys, hands.speed
    hands.go("y", FEEDER[1])
    hands.go("x", FEEDER[0])
    hands.go("z", GRASP_Z)
    hands.grip()
    keys.sleep(0.6 / speed)
    hands.go("z", CARRY_Z, near=8)
    while keys.takt_left() > 73.5:
        keys.sleep(0.1)
    hands.go("x", PIN[0], near=4)
    hands.go("y", PIN[1], near=0.4)
    hands.go("x", PIN[0], near=0.4)
    hands.go("z", RIBS_Z - 3, near=1.0)
    hands.search()
    hands.go("z", SEAT_Z - 1.5, near=1.0, tries=5)
    hands.grip()
    keys.sleep(0.5 / speed)
    hands.go("z", CLEAR_Z, near=15)


def cell(units: int, speed: float, out: Path) -> None:
    words = ["--units", str(units), "--seed", "3", "--difficulty", "nominal", "--clock", f"live:{speed:g}"]
    with at_page("nutcell", words, out, out.with_suffix(".png")) as (page, running):
        page.wait_for_selector("canvas[data-eye=head]", timeout=120_000)
        page.wait_for_selector('[data-fact="left hand, mm"]')
        keys = AtKeys(page)
        hands = Hands(keys, speed)
        for unit in range(units):
            watched = Watched(page)
            seat_both(hands)
            print(f"unit {unit}: {watched.told(speed)}", flush=True)
            page.screenshot(path=str(out.with_suffix(".png")))
            while running.poll() is None and keys.takt_left() < 70:
                time.sleep(0.2)
    told = json.loads(subprocess.run([*TAKT, "kpis", str(out), "--json"], capture_output=True, text=True).stdout)
    show = json.loads(
        subprocess.run([*TAKT, "ledger", "show", str(out), "--json"], capture_output=True, text=True).stdout
    )
    for name, part in told["kpis"]["parts"].items():
        print(f"seated on the {name}: {part['good']} of {part['units']}")
    print(f"late by {show['lag_s']:.1f} s in {show['wall_s']:.0f} s of wall time")


WATCH = """() => {
  window.lates = [];
  document.getElementById("cell").addEventListener("late", (event) => window.lates.push(event.detail));
}"""


class Watched:
    """What a page has measured of itself since it was begun: pictures, and from each change of keys to the first
    picture of a moment at which it was in force, drawn."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(WATCH)
        self._began, self._frames, self._lag_s = time.monotonic(), self._count("frames"), self._count("lagS")

    def _count(self, name: str) -> float:
        return float(self._page.evaluate(f"() => document.getElementById('cell').dataset.{name} || 0"))

    def told(self, speed: float) -> str:
        wall_s = time.monotonic() - self._began
        lates = sorted(self._page.evaluate("() => window.lates"))
        rate, lag_s = (self._count("frames") - self._frames) / wall_s, self._count("lagS") - self._lag_s
        keys = "no key"
        if lates:
            p99 = lates[min(len(lates) - 1, int(0.99 * len(lates)))]
            keys = f"key to picture: median {lates[len(lates) // 2]:.0f} ms, 99 % {p99:.0f} ms, of {len(lates)}"
        return f"{rate:.1f} pictures/s; {keys}; late by {lag_s:.1f} s in {wall_s:.0f} s at live:{speed:g}; {load()}"


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def pictures(seconds: float, speed: float, words: list[str], out: Path) -> None:
    """Keys pressed and let go again and again, which move both hands to and fro."""
    words = [
        *words,
        "--units",
        "1",
        "--seed",
        "3",
        "--difficulty",
        "nominal",
        "--clock",
        f"live:{speed:g}",
        "--practice",
    ]
    with at_page("nutcell", words, out) as (page, running):
        page.wait_for_selector("canvas[data-eye=head]", timeout=120_000)
        child = int(Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()[0])
        time.sleep(2.0)
        used, began, keys = [cpu_s(running.pid), cpu_s(child)], time.monotonic(), AtKeys(page)
        watched = Watched(page)
        rng = random.Random(1)
        while time.monotonic() - began < seconds:
            for key in ("KeyW", "KeyI", "KeyS", "KeyK", "KeyR", "KeyP", "KeyF", "KeyM"):
                keys.down(key)
                time.sleep(rng.uniform(0.1, 0.4))
                keys.up(key)
                time.sleep(rng.uniform(0.05, 0.2))
        size = page.locator("canvas[data-eye=head]").evaluate("one => `${one.width} x ${one.height}`")
        print(f"{page.locator('canvas').count()} cameras, {size}: {watched.told(speed)}")
        wall_s = time.monotonic() - began
        shift, drawing = ((cpu_s(pid) - was) / wall_s for pid, was in zip((running.pid, child), used, strict=True))
        print(f"of one core: {shift:.2f} the shift and its page's server, {drawing:.2f} the pictures")
        running.send_signal(signal.SIGINT)


# --- the desk ---


def desk(minutes: float, speed: float, out: Path) -> None:
    sizes = ("flights=600", "aircraft=85", "bookings=6000", "days=1", "scenario=two-hubs", "takt_s=40", "service_s=240")
    # A group that is served within 4 minutes is well served: of a shift of ten, most units then had all their time.
    common = ["--hours", f"{minutes / 60:g}", "--seed", "2", *(word for size in sizes for word in ("-o", size))]
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
                    hotel = "hotel due yes" in " ".join(first.inner_text().split())
                    first.locator(".use").first.click(timeout=3000)  # fills the forms of both
                    if hotel:
                        call(page, "hotel")
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
    parser.add_argument("what", choices=("pictures", "cell", "desk"))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("-o", dest="options", action="append", default=[], help="of the station, as camera_size=160")
    parser.add_argument("--units", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--speed", type=float, default=1.0, help="of the live clock")
    parser.add_argument("--out", type=Path, default=Path("shifts/person.takt"))
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    if given.what == "pictures":
        words = [word for option in given.options for word in ("-o", option)]
        pictures(given.seconds, given.speed, words, given.out)
    elif given.what == "cell":
        cell(given.units, given.speed, given.out)
    else:
        desk(given.minutes, given.speed, given.out)


if __name__ == "__main__":
    main()
