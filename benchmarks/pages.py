"""A shift's page and a unit's film, in two checkouts in turn: how large they are, and what they take.

    git worktree add /tmp/before REV
    python benchmarks/pages.py --before /tmp/before

Two shifts are worked first, by the older checkout where one is given, so that both can read them: `blind` at the nut
cell, which has failed units, and `greedy` on the gulf-2026 day at the flight desk; or --cell and --gulf name them. Both
run in this Python, with this one's libraries, each command in a process of its own. Wall and processor seconds; the
load is printed. What is remembered of the desk's world and bound is taken away before the first of its pages, as of a
shift that was worked elsewhere, and is there for the second, as of one that was worked here: `takt run` has made both
by its end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
CELL = ["nutcell", "--worker", "blind", "--units", "6", "--seed", "3", "--difficulty", "plant", "--clock", "fixed:0.08"]
GULF = ["flightdesk", "--scenario", "gulf-2026", "--worker", "greedy", "--hours", "8", "--seed", "3"]
GULF_PAGE, AGAIN = "page of gulf-2026", "the same once more"
MADE = {
    "page of the cell": ("report", "cell.takt", "html", []),
    "film of its unit 2": ("replay", "cell.takt", "mp4", ["--unit", "2"]),
    GULF_PAGE: ("report", "gulf.takt", "html", []),
    AGAIN: ("report", "gulf.takt", "html", []),
}


def takt(checkout: Path, words: list[str], cache: Path) -> tuple[float, float]:
    """Wall and processor seconds of a command."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "XDG_CACHE_HOME": str(cache)}
    before, began = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "takt.cli", *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"takt {' '.join(words)} in {checkout}: {done.stderr.strip()}")
    now = os.times()
    used_s = now.children_user - before.children_user + now.children_system - before.children_system
    return time.perf_counter() - began, used_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="the other checkout")
    parser.add_argument("--cell", type=Path, help="a shift at the nut cell with a unit 2")
    parser.add_argument("--gulf", type=Path, help="a shift at the flight desk")
    parser.add_argument("--rounds", type=int, default=1, help="the least of so many counts")
    given = parser.parse_args()
    sides = {"before": given.before.resolve(), "now": HERE} if given.before else {"now": HERE}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for words, ledger, given_one in ((CELL, "cell.takt", given.cell), (GULF, "gulf.takt", given.gulf)):
            if given_one is not None:
                shutil.copy(given_one, folder / ledger)
            else:
                side, checkout = next(iter(sides.items()))
                takt(checkout, ["run", *words, "--out", str(folder / ledger)], folder / side)
        for side, checkout in sides.items():  # what is compiled at its first use is so before anything is counted
            takt(checkout, ["kpis", str(folder / "gulf.takt")], folder / side)
        print(f"{'':<20}{'':<8}{'wall s':>8}{'CPU s':>8}{'kB':>9}")
        for what, (command, ledger, kind, more) in MADE.items():
            found: dict[str, list[tuple[float, float, int]]] = {side: [] for side in sides}
            for number in range(given.rounds):
                for side, checkout in sides.items():
                    out = folder / f"{side}-{number}.{kind}"
                    if what == GULF_PAGE:
                        for kept in ("bounds", "worlds"):
                            shutil.rmtree(folder / side / "takt" / kept, ignore_errors=True)
                    took = takt(checkout, [command, str(folder / ledger), *more, "--out", str(out)], folder / side)
                    found[side].append((*took, out.stat().st_size))
                    out.unlink()
            for side, runs in found.items():
                wall_s, used_s, size = (min(values) for values in zip(*runs, strict=True))
                print(f"{what:<20}{side:<8}{wall_s:>8.1f}{used_s:>8.1f}{size / 1000:>9,.0f}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
