"""What plans cost: the baselines and the solver on the challenge's instances, beside the published costs of the A set.

    python benchmarks/recovery.py FOLDER                            a folder of instances (A01 to B10), or one by one
    python benchmarks/recovery.py FOLDER --instances A01,A02 --seconds 10,60,600 --searchers 2
    python benchmarks/recovery.py FOLDER --instances A01,B10 --cold --seconds 25

With `--processor` the seconds are of processor time that each searcher has had, so that the table may be made beside
other work; on a machine with a free core for each they are the seconds on the clock. A mark shows the best plan of the
rounds (about half a second each) that end within it. The bound's seconds are then of processor time too.

With `--bound 60` a lower bound (takt flightdesk bound) too, and the gap: (cost - bound) / (greedy delay - bound).
`first valid` is when the solver had its first plan. The solver is compiled before it is measured. `--cold` runs
`takt flightdesk recover` from an empty cache, and prints when the first plan was there, how long after `--seconds`
the last one was (plan and recovery.json, not the report), and how long after SIGTERM the command ended: a SIGTERM while
it compiles, and one while it searches. All from the start of the process, so with Python's own start.

Published: qualification round of the ROADEF 2009 challenge (10 minutes, one thread of a processor of 2008), the best of
its four best teams on each instance: Bisaillon, Cordeau, Laporte and Pasin; Hanafi, Mansi, Wilbaut and Clautiaux;
Acuna-Agost, Michelon, Feillet and Gueye; Darlay. EUR.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from takt.stations.flightdesk import Instance, check, cost, do_nothing, greedy_delay, read_instance
from takt.stations.flightdesk.airline.recovery.bound import lower_bound
from takt.stations.flightdesk.airline.recovery.recover import SEARCHERS, Found, recover
from takt.stations.flightdesk.airline.recovery.session import gap

PUBLISHED = {
    "A01": 28_155.60,
    "A02": 116_431.70,
    "A03": 131_694.60,
    "A04": 108_081.90,
    "A05": 3_717_376.35,
    "A06": 44_305.05,
    "A07": 202_247.75,
    "A08": 329_521.85,
    "A09": 187_144.40,
    "A10": 7_210_166.90,
}
PLANNERS = {"do nothing": do_nothing, "greedy delay": greedy_delay}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--instances", default="", help="only these, separated by commas")
    parser.add_argument("--seconds", default="", help="what the solver has by then, separated by commas")
    parser.add_argument("--searchers", type=int, default=SEARCHERS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bound", type=float, default=0.0, help="seconds for a proven lower bound of each")
    parser.add_argument("--processor", action="store_true", help="seconds of processor time of each searcher")
    parser.add_argument("--cold", action="store_true", help="from an empty cache: first plan, overrun, SIGTERM to exit")
    asked = parser.parse_args()
    only = set(filter(None, asked.instances.split(",")))
    marks = sorted(float(mark) for mark in filter(None, asked.seconds.split(",")))
    folders = [
        folder
        for given in asked.folders
        for folder in ([given] if (given / "config.csv").exists() else sorted(given.iterdir()))
        if not only or folder.name in only
    ]
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"{date.today()}, {os.cpu_count()} cores of {_processor()}, load {load}", end=", ")
    print(f"{asked.searchers} searchers, seed {asked.seed}")
    if asked.cold or marks:  # of --cold, only what searches when it is told to end is compiled before
        sys.stdout.flush()
        subprocess.run([*TAKT, "flightdesk", "compile"], check=True)
    if asked.cold:
        cold(folders, marks[-1] if marks else 25.0, asked.searchers)
        return
    print(
        f"{'':10}"
        + "".join(f"{name:>18}{'s':>7}" for name in PLANNERS)
        + "".join(f"{f'at {mark:g} s':>18}" for mark in marks)
        + (f"{'first valid, s':>16}{'iterations':>12}{'moves':>10}" if marks else "")
        + f"{'published':>16}{'over it, %' if marks else '':>12}"
        + (f"{'bound':>18}{'gap, %' if marks else '':>9}" if asked.bound else "")
    )
    for folder in folders:
        instance = read_instance(folder)
        row = f"{instance.name:10}"
        for planner in PLANNERS.values():
            began = time.perf_counter()
            plan = planner(instance)
            took_s = time.perf_counter() - began
            mark = "" if not check(instance, plan) else " invalid"
            first = cost(instance, plan).total
            row += f"{first:>18,.2f}{took_s:>7.2f}{mark}"
        best, over, left = PUBLISHED.get(instance.name), "", ""
        if marks:
            totals, first_s, last = solved(instance, marks, asked.seed, asked.searchers, asked.processor)
            row += "".join(f"{total:>18,.2f}" for total in totals)
            row += f"{first_s:>16.2f}{last.iterations:>12}{last.tried:>10}"
            over = f"{100 * (totals[-1] / best - 1):>12.1f}" if best else f"{'':12}"
        row += (f"{best:>16,.2f}" if best else f"{'-':>16}") + over
        if asked.bound:
            bound = proven(instance, asked.bound, asked.processor)
            # `first` and `mark` are greedy delay's
            if marks and not mark and (share := gap(totals[-1], bound, first)) is not None:
                left = f"{100 * share:>9.1f}"
            row += f"{bound:>18,.2f}" + left
        print(row, flush=True)


def solved(
    instance: Instance, marks: list[float], seed: int, searchers: int, processor: bool
) -> tuple[list[float], float, Found]:
    """The solver's cost at each of these seconds, when it had its first plan, and how it was at the end."""
    at = {mark: float("inf") for mark in marks}
    first_s, last, left = 0.0, None, None if processor else marks[-1]
    for found in recover(instance, left, seed=seed, searchers=searchers):
        first_s, last = first_s or found.seconds, found
        spent_s = found.processor_s if processor else found.seconds
        for mark in marks:
            if spent_s <= mark:
                at[mark] = found.cost.total
        if processor and spent_s >= marks[-1]:
            break
    assert last is not None and not check(instance, last.solution)
    return list(at.values()), first_s, last


def proven(instance: Instance, seconds: float, processor: bool) -> float:
    """A lower bound, EUR."""
    if not processor:
        return lower_bound(instance, seconds).eur
    began = time.process_time()
    return lower_bound(instance, float("inf"), stopped=lambda: time.process_time() - began >= seconds).eur


TAKT = [sys.executable, "-c", "import sys; from takt.cli import main; sys.exit(main())"]
PLAN, TOLD = "sol_itineraries.csv", "recovery.json"


def cold(folders: list[Path], seconds: float, searchers: int) -> None:
    """From an empty cache, each run with one of its own."""
    print(
        f"{'':10}{'first plan, s':>16}{f'after {seconds:g} s':>16}{'SIGTERM to exit, compiling':>28}{'searching':>12}"
    )
    for folder in folders:
        first_s, over_s = _whole(folder, seconds, searchers)
        print(
            f"{folder.name:10}{first_s:>16.2f}{over_s:>+16.2f}"
            f"{_stopped(folder, searchers, warm=False):>28.2f}{_stopped(folder, searchers, warm=True):>12.2f}",
            flush=True,
        )


def _whole(folder: Path, seconds: float, searchers: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name:
        began, process = _start(folder, Path(name), seconds, searchers)
        _until((Path(name) / "out" / PLAN).exists, process)
        first_s = time.time() - began
        _until((Path(name) / "out" / TOLD).exists, process)
        over_s = time.time() - began - seconds
        assert process.wait() == 0
    return first_s, over_s


def _stopped(folder: Path, searchers: int, warm: bool) -> float:
    """Seconds from a SIGTERM, 4 s after the first plan, to the exit."""
    with tempfile.TemporaryDirectory() as name:
        _, process = _start(folder, Path(name), 600.0, searchers, os.environ.get("XDG_CACHE_HOME") if warm else name)
        _until((Path(name) / "out" / PLAN).exists, process)
        time.sleep(4.0)
        process.send_signal(signal.SIGTERM)
        told = time.time()
        assert process.wait() == 130 and (Path(name) / "out" / TOLD).exists()
        return time.time() - told


def _start(
    folder: Path, into: Path, seconds: float, searchers: int, cache: str | None = ""
) -> tuple[float, subprocess.Popen[bytes]]:
    caching = {"XDG_CACHE_HOME": str(into) if cache == "" else cache}
    environment = {**os.environ, **{name: value for name, value in caching.items() if value is not None}}
    options = ["--out", str(into / "out"), "--seconds", str(seconds), "--searchers", str(searchers), "--json"]
    began = time.time()
    command = [*TAKT, "flightdesk", "recover", str(folder), *options]
    return began, subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _until(true: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not true():
        if process.poll() is not None and not true():
            raise SystemExit(f"recover has ended with {process.returncode}")
        time.sleep(0.01)


def _processor() -> str:
    """What this machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
