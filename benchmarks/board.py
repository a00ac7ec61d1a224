"""The board under load: ledgers that grow, viewers that follow them, and what a shift beside it loses.

    python benchmarks/board.py                                   small: 8 ledgers, 20 viewers, 30 s
    python benchmarks/board.py --ledgers 50 --viewers 100 --minutes 10    the acceptance's size

Prints, in one run: how late a viewer is told of an event (from the ledger's commit to the stream's message; median and
99 %), the board's memory at the beginning and the end, and how long the same shift takes without the board and beside
it, alternately, by the median of their ratios.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from takt import Event, Ledger, run_shift
from takt.board.feed import number_of
from takt.contract.events import SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD

TOKEN = "a-token-for-a-benchmark"
META = {
    "station": "written",
    "options": {},
    "worker": "writer",
    "worker_options": {},
    "seed": 0,
    "clock": "lockstep",
    "faults": [],
    "hours": 3.0,
    "units": None,
    "stop_early": False,
}


def written(paths: list[Path], every_s: float, over: threading.Event, at: dict[tuple[str, int], float]) -> None:
    """Commits a unit to each ledger again and again, and notes when; as shifts do that run beside each other."""
    books = [Ledger.create(path, META) for path in paths]
    asked = {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}
    for book in books:
        book.commit(
            [Event(0.0, SHIFT_STARTED, None, {"takt_s": 10.0, "acceptance": asked, "pace": "beat"})], None, None
        )
    unit = 0
    while not over.is_set():
        began = time.monotonic()
        for book, path in zip(books, paths, strict=True):
            kind, more = (UNIT_GOOD, {}) if unit % 9 else (UNIT_BAD, {"reasons": ["spoiled"]})
            ended = Event(10.0 * (unit + 1), kind, unit, {"cycle_s": 7.0, "parts": {}, **more})
            book.commit([Event(10.0 * unit, UNIT_DUE, unit, {}), ended], None, None)
            at[path.name, 1 + 2 * (unit + 1)] = time.monotonic()
        unit += 1
        over.wait(max(0.0, every_s - (time.monotonic() - began)))
    for book in books:
        book.close()


def viewer(port: int, path: Path, over: threading.Event, seen: list[tuple[str, int, float]]) -> None:
    """Follows a wall, and notes when which event was told."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connection.request("GET", f"/shift/{number_of(path)}/stream?page=wall", headers=headers)
        answer = connection.getresponse()
        while not over.is_set():
            line = answer.readline()
            if line.startswith(b"data: "):
                html = json.loads(line[6:])["html"]
                cursor = html.partition('data-cursor="')[2].partition('"')[0]
                seen.append((path.name, int(cursor), time.monotonic()))
            elif not line:
                return
    except (OSError, ValueError, http.client.HTTPException):
        return


def memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def shift_s(folder: Path, number: int) -> float:
    """A shift at the station `gym`, into a ledger that the board shows too."""
    began = time.perf_counter()
    options = {"id": "CartPole-v1", "takt_s": 1.0}
    run_shift("gym", "idle", units=300, station_options=options, ledger=folder / f"shift-{number}.takt")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ledgers", type=int, default=8)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two units of each ledger")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"{i}.takt" for i in range(given.ledgers)]
        over: threading.Event = threading.Event()
        at: dict[tuple[str, int], float] = {}
        writer = threading.Thread(target=written, args=(paths, given.every, over, at), daemon=True)
        writer.start()
        words = [sys.executable, "-m", "takt.cli", "board", str(folder), "--port", "0"]
        board = subprocess.Popen(words, env={**os.environ, "TAKT_TOKEN": TOKEN}, stdout=subprocess.PIPE, text=True)
        assert board.stdout is not None
        try:
            port = int(board.stdout.readline().partition("?")[0].rstrip("/\n").rsplit(":", 1)[1])
            time.sleep(5)
            seen: list[tuple[str, int, float]] = []
            many = [
                threading.Thread(target=viewer, args=(port, paths[i % len(paths)], over, seen), daemon=True)
                for i in range(given.viewers)
            ]
            for one in many:
                one.start()
            time.sleep(3)
            began, first = time.monotonic(), memory_mib(board.pid)
            time.sleep(60 * given.minutes)
            last = memory_mib(board.pid)
            over.set()
            writer.join(30)
            late = sorted(t - at[key, n] for key, n, t in seen if t > began and (key, n) in at)
            size = f"{given.ledgers} ledgers, {given.viewers} viewers, {60 * given.minutes:g} s"
            print(f"{size}, a unit every {given.every:g} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            if late:
                p99 = late[min(len(late) - 1, int(0.99 * len(late)))]
                print(
                    f"from commit to viewer: median {statistics.median(late):.2f} s, 99 % {p99:.2f} s, of {len(late)}"
                )
            print(f"the board's memory: {first:.0f} MiB, {last:.0f} MiB at the end")
            ratios, other = [], folder / "elsewhere"
            other.mkdir()
            for number in range(6):
                os.kill(board.pid, 19)  # SIGSTOP: without the board
                without = shift_s(folder, 2 * number)
                os.kill(board.pid, 18)  # SIGCONT
                ratios.append(shift_s(folder, 2 * number + 1) / without)
            times = f"{statistics.median(ratios):.3f} times as long (median of {len(ratios)})"
            print(f"beside the board a shift takes {times}")
        finally:
            board.kill()
            board.wait()


if __name__ == "__main__":
    main()
