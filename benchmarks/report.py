"""How large the page of a recovery is, and how long it takes to make and to open; a table.

    python benchmarks/report.py                  an X instance's size: 2,200 flights, 618 aircraft, 29,000 bookings
    python benchmarks/report.py --instance A05   an instance of one's own

The plan is `greedy_delay`'s unless a folder with one is given. Opening is measured by Playwright for Python
(`pip install playwright`) with Chromium: from the request until the page is painted, three times in a fresh browser;
and until it is painted again with everything unfolded. Without them it is not measured, and the table says so.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from takt.stations.flightdesk import cost, greedy_delay, read_instance, read_solution
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import two_hubs
from takt.stations.flightdesk.airline.recovery.report import Limits, page
from takt.stations.flightdesk.airline.recovery.summary import changes

PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
UNFOLD = "() => document.querySelectorAll('details').forEach(part => part.open = true)"
QUIET = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instance", type=Path)
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser"))
    asked = parser.parse_args()
    made = two_hubs(flights=2200, aircraft=618, bookings=29000)
    instance = read_instance(asked.instance) if asked.instance else generate(made, 3)
    solution = read_solution(instance, asked.plan) if asked.plan else greedy_delay(instance)
    priced = cost(instance, solution)
    parts = {**priced.parts(), "total": priced.total}
    told: dict[str, Any] = {
        "instance": instance.name,
        "seed": 0,
        "searchers": 0,
        "seconds": 0.0,
        "iterations": 0,
        "interrupted": False,
        "first": parts,
        "cost": parts,
        "changes": changes(instance, solution).counts(),
        "history": [(0.0, 0, priced.total)],
    }
    began, used = time.perf_counter(), time.process_time()
    text = page(told, instance, solution, Limits(bound=0.0))
    print(f"made in      {time.perf_counter() - began:6.2f} s, {time.process_time() - used:.2f} s of one core")
    print(f"size         {len(text.encode()) / 1e6:6.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(text, encoding="utf-8")
        opened(file, asked.chromium)


def opened(file: Path, chromium: str | None) -> None:
    """Print how long the page takes to open."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("opened in    not measured: pip install playwright")
        return
    if chromium is None:
        print("opened in    not measured: there is no chromium")
        return
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(QUIET))
        sheet = browser.new_page(viewport={"width": 1280, "height": 900})
        for _ in range(3):
            began = time.perf_counter()
            sheet.goto(file.as_uri(), wait_until="load")
            sheet.evaluate(PAINTED)
            print(f"opened in    {time.perf_counter() - began:6.2f} s")
        began = time.perf_counter()
        sheet.evaluate(UNFOLD)
        sheet.evaluate(PAINTED)
        print(f"unfolded in  {time.perf_counter() - began:6.2f} s")
        browser.close()


if __name__ == "__main__":
    main()
