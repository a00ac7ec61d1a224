"""The board under load: ledgers that grow, viewers that follow them, and what a shift beside it loses.

    python benchmarks/board.py                                   small: 8 ledgers, 20 viewers, 30 s
    python benchmarks/board.py --ledgers 50 --viewers 100 --minutes 10    the acceptance's size

Prints, in one run: how late a viewer is told of an event (from the ledger's commit to the stream's message; median and
99 %), the board's memory minute by minute and after viewers that came and went, what the board uses of a core, and how
much longer a unit of a shift takes beside the board than without it (stopped), a few seconds each in turn, while the
ledgers grow and the viewers look on: the median ratio of neighbours with its 95 % bootstrap interval, by wall and by
processor time. Board, shift, and writers with viewers are sessions of their own, as they are when they are begun in
three terminals. All of it can be shorter: --minutes 0.5 --phases 4, or 0 of either.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from takt import Event, Ledger
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


def events_in(paths: list[Path]) -> int:
    found = 0
    for path in paths:
        with Ledger.open(path) as book:
            found += len(book.events())
    return found


def again(port: int, paths: list[Path], times: int, pid: int) -> None:
    """Viewers that come and go: what each leaves behind."""
    curve = [memory_mib(pid)]
    for place in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        where = f"/shift/{number_of(paths[place % len(paths)])}/stream?page=wall"
        connection.request("GET", where, headers={"Authorization": f"Bearer {TOKEN}"})
        connection.getresponse().readline()
        connection.close()
        if times >= 4 and (place + 1) % (times // 4) == 0:
            curve.append(memory_mib(pid))
    if times:
        print(f"after 0 to {times} viewers more that came and went: {' '.join(f'{mib:.1f}' for mib in curve)} MiB")


SHIFT = """
import json, sys, time
from takt import run_shift

seen, over = [], time.monotonic() + float(sys.argv[2])

def note(progress):
    seen.append((time.monotonic(), time.process_time(), progress.units))
    if seen[-1][0] > over:
        raise KeyboardInterrupt

options = {"id": "CartPole-v1", "takt_s": 100.0}
try:
    run_shift("gym", "idle", hours=1000, station_options=options, ledger=sys.argv[1], on_progress=note)
except KeyboardInterrupt:
    json.dump(seen, sys.stdout)
"""


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def beside(pid: int, path: Path, phases: int, phase_s: float) -> None:
    """One shift at the station `gym`, on whose ledger the board looks too, while the board stands still and goes on in
    turn: how many units it gets done in each phase, compared with the one next to it."""
    command = [sys.executable, "-c", SHIFT, str(path), str(phases * phase_s + 5.0)]
    shift = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    time.sleep(4.0)
    turns, mine, its = [time.monotonic()], [time.process_time()], [cpu_s(pid)]
    for phase in range(phases):
        os.kill(pid, signal.SIGCONT if phase % 2 else signal.SIGSTOP)
        time.sleep(phase_s)
        turns.append(time.monotonic())
        mine.append(time.process_time())
        its.append(cpu_s(pid))
    os.kill(pid, signal.SIGCONT)
    seen = np.array(json.loads(shift.communicate()[0]))
    at = [np.interp(turns, seen[:, 0], seen[:, column]) for column in (1, 2)]  # processor seconds, and units
    used, units = (np.diff(column) for column in at)
    print(f"a shift of {units.sum():.0f} units beside it, {phases} times {phase_s:g} s; load {os.getloadavg()[0]:.1f}")
    share = [float(np.mean((np.diff(one) / np.diff(turns))[1::2])) for one in (its, mine)]
    print(f"while it went on the board used {share[0]:.2f} of a core, writers and viewers {share[1]:.2f}")
    rng = np.random.default_rng(1)
    for name, slow in (("wall", np.diff(turns) / units), ("processor", used / units)):
        ratios = slow[1::2] / slow[::2]
        drawn = np.median(rng.choice(ratios, (2000, len(ratios))), axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        middle = float(np.median(ratios))
        print(f"{name} time of a unit beside the board: {middle:.3f} times that without it ({low:.3f} to {high:.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ledgers", type=int, default=8)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two units of each ledger")
    parser.add_argument("--reconnects", type=int, default=400, help="viewers that come and go after that")
    parser.add_argument("--phases", type=int, default=20, help="of a shift without the board and beside it; 0: none")
    parser.add_argument("--phase", type=float, default=3.0, help="seconds of each")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"{i}.takt" for i in range(given.ledgers)]
        over: threading.Event = threading.Event()
        at: dict[tuple[str, int], float] = {}
        writer = threading.Thread(target=written, args=(paths, given.every, over, at), daemon=True)
        writer.start()
        words = [sys.executable, "-m", "takt.cli", "board", str(folder), "--port", "0"]
        board = subprocess.Popen(
            words, env={**os.environ, "TAKT_TOKEN": TOKEN}, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
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
            began, used, curve = time.monotonic(), cpu_s(board.pid), [memory_mib(board.pid)]
            had = events_in(paths)
            while (left_s := began + 60 * given.minutes - time.monotonic()) > 0:
                time.sleep(min(60.0, left_s))
                curve.append(memory_mib(board.pid))
            wall_s, used, came = time.monotonic() - began, cpu_s(board.pid) - used, events_in(paths) - had
            late = sorted(t - at[key, n] for key, n, t in seen if t > began and (key, n) in at)
            size = f"{given.ledgers} ledgers, {given.viewers} viewers, {60 * given.minutes:g} s"
            print(f"{size}, a unit every {given.every:g} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            if late:
                p99 = late[min(len(late) - 1, int(0.99 * len(late)))]
                print(
                    f"from commit to viewer: median {statistics.median(late):.2f} s, 99 % {p99:.2f} s, of {len(late)}"
                )
            print(f"the board's memory, MiB, minute by minute: {' '.join(f'{mib:.1f}' for mib in curve)}")
            print(f"{came} events came; the board used {used / wall_s:.2f} of a core")
            again(port, paths, given.reconnects, board.pid)
            if given.phases:
                beside(board.pid, folder / "beside.takt", given.phases, given.phase)
            over.set()
            writer.join(30)
        finally:
            board.kill()
            board.wait()


if __name__ == "__main__":
    main()
