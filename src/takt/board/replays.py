"""What is made on request, in processes of their own: films of units with what is to be seen step by step, what units'
calls were answered, and what a station itself says of its shift. The board itself opens no worker and no station. Those
processes open registered ones only; what a ledger names besides is not opened (`takt.ledger.trust`).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from takt.errors import TaktError
from takt.show.sections import PICTURE, Own, read_sections
from takt.show.steps import COVER, Steps, read_steps
from takt.show.transcript import Line
from takt.show.worked import read_calls

LONGEST_S = 600.0  # wall time that a film may take
AT_ONCE = 1
MOST_WAITING = 8
MOST_KEPT = 40  # films
STATION = -1  # in place of a unit: what the station says of the shift
CALLS = -2  # less a unit: its calls and what they were answered
Key = tuple[int, int]  # shift and unit


class Replays:
    """Films, steps and sections in a folder that goes away with the board, by shift and unit."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="takt-board-")
        self._lock = threading.Lock()
        self._room = threading.Semaphore(AT_ONCE)
        self._made: dict[Key, str | None] = {}  # None: under way; "": done; else why it failed
        self._running: list[subprocess.Popen[bytes]] = []
        self._closed = False

    def film(self, number: int, unit: int) -> Path | None:
        path = self._path(number, unit) / "film.mp4"
        return path if self._is_done(number, unit) and path.is_file() else None

    def cover(self, number: int, unit: int) -> Path | None:
        """How the film ends, as a picture."""
        path = self._path(number, unit) / "steps" / COVER
        return path if self._is_done(number, unit) and path.is_file() else None

    def steps(self, number: int, unit: int) -> Steps | None:
        """The unit step by step, if that was made."""
        try:
            return read_steps(self._path(number, unit) / "steps") if self._is_done(number, unit) else None
        except TaktError:
            return None

    def step_picture(self, number: int, unit: int, step: int) -> Path | None:
        steps = self.steps(number, unit)
        if steps is None or not 0 <= step < len(steps.steps):
            return None
        path = self._path(number, unit) / "steps" / steps.steps[step].picture
        return path if path.is_file() else None

    def own(self, number: int) -> Own | None:
        """What the station says, if that was made."""
        try:
            return read_sections(self._path(number, STATION)) if self._is_done(number, STATION) else None
        except TaktError:
            return None

    def calls(self, number: int, unit: int) -> list[Line] | None:
        """A unit's transcript with its calls and answers, if that was made."""
        try:
            return read_calls(self._path(number, CALLS - unit)) if self._is_done(number, CALLS - unit) else None
        except TaktError:
            return None

    def own_picture(self, number: int) -> Path | None:
        path = self._path(number, STATION) / PICTURE
        return path if self._is_done(number, STATION) and path.is_file() else None

    def state(self, number: int, unit: int) -> tuple[bool, str]:
        """Whether it is being made, and why the last one was not, or ""."""
        key = (number, unit)
        return key in self._made and self._made[key] is None, self._made.get(key) or ""

    def begin(self, number: int, unit: int, ledger: Path) -> None:
        """Have it made, unless a film is there or it is on its way, or too many are waited for."""
        with self._lock:
            waiting = sum(state is None for state in self._made.values())
            there = unit != STATION and self._is_done(number, unit)  # a shift goes on, and its sections with it
            if self._closed or there or self.state(number, unit)[0] or waiting >= MOST_WAITING:
                return
            while len(self._made) >= MOST_KEPT:
                old = next((key for key, state in self._made.items() if state is not None), None)
                if old is None:
                    return
                del self._made[old]
                shutil.rmtree(self._path(*old), ignore_errors=True)
            self._made[number, unit] = None
        threading.Thread(target=self._make, args=(number, unit, ledger), daemon=True, name="board replay").start()

    def close(self) -> None:
        """End what is being made, with all that it has begun, and what waits for its turn."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _end(process)
        self._folder.cleanup()

    def _is_done(self, number: int, unit: int) -> bool:
        return self._made.get((number, unit)) == ""

    def _make(self, number: int, unit: int, ledger: Path) -> None:
        with self._room:
            try:
                with self._lock:
                    if self._closed:
                        return
                    process = subprocess.Popen(  # nosec B603  # our own program, words and no shell
                        [sys.executable, "-m", "takt.board.held", *self._words(number, unit, ledger)],
                        stdin=subprocess.PIPE,  # by its end it ends, however we do
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                        start_new_session=True,
                    )
                    self._running.append(process)
                try:
                    told = _told(process, LONGEST_S)
                finally:
                    _end(process)
                    with self._lock:
                        self._running.remove(process)
                lines = told.decode("utf-8", "replace").strip().splitlines()
                why = "" if process.returncode == 0 else (lines[-1] if lines else f"exit code {process.returncode}")
            except (OSError, subprocess.TimeoutExpired) as error:
                why = " ".join(str(error).split())
        with self._lock:
            self._made[number, unit] = why.removeprefix("takt: ")

    def _words(self, number: int, unit: int, ledger: Path) -> list[str]:
        """A module of ours, and its words."""
        path, out = str(ledger.resolve()), self._path(number, unit)
        if unit == STATION:
            return ["takt.show.sections", path, str(out)]
        if unit <= CALLS:
            return ["takt.show.worked", path, str(CALLS - unit), str(out)]
        made = ["--out", str(out / "film.mp4"), "--steps", str(out / "steps")]
        return ["takt.cli", "replay", path, "--unit", str(unit), *made]

    def _path(self, number: int, unit: int) -> Path:
        what = "station" if unit == STATION else f"calls-{CALLS - unit}" if unit <= CALLS else str(unit)
        return Path(self._folder.name) / f"{number}-{what}"


def _told(process: subprocess.Popen[bytes], most_s: float) -> bytes:
    """What it says on its error output until its end. Its standard input is not closed before: that would end it."""
    held, process.stdin = process.stdin, None
    try:
        return process.communicate(timeout=most_s)[1]
    finally:
        if held is not None:
            held.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """With its group: a process that draws begins others."""
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
