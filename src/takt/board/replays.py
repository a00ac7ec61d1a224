"""Films of units, made on request by `takt replay` in a process of its own: the board itself opens no worker and no
station. That process opens registered ones only; what a ledger names besides is not opened (`takt.ledger.trust`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

LONGEST_S = 600.0  # wall time that a film may take
AT_ONCE = 1
MOST_WAITING = 8
MOST_KEPT = 40  # films


class Replays:
    """Films in a folder that goes away with the board, by shift and unit."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="takt-board-")
        self._lock = threading.Lock()
        self._room = threading.Semaphore(AT_ONCE)
        self._made: dict[tuple[int, int], str | None] = {}  # None: under way; "": done; else why it failed
        self._running: list[subprocess.Popen[bytes]] = []

    def film(self, number: int, unit: int) -> Path | None:
        path = self._path(number, unit)
        return path if self._made.get((number, unit)) == "" and path.is_file() else None

    def state(self, number: int, unit: int) -> tuple[bool, str]:
        """Whether a film is being made, and why the last one was not, or ""."""
        key = (number, unit)
        return key in self._made and self._made[key] is None, self._made.get(key) or ""

    def begin(self, number: int, unit: int, ledger: Path) -> None:
        """Have the film made, unless it is there or on its way, or too many are waited for."""
        with self._lock:
            waiting = sum(state is None for state in self._made.values())
            if self._made.get((number, unit)) == "" or self.state(number, unit)[0] or waiting >= MOST_WAITING:
                return
            while len(self._made) >= MOST_KEPT:
                old = next((key for key, state in self._made.items() if state is not None), None)
                if old is None:
                    return
                del self._made[old]
                self._path(*old).unlink(missing_ok=True)
            self._made[number, unit] = None
        threading.Thread(target=self._make, args=(number, unit, ledger), daemon=True, name="board replay").start()

    def close(self) -> None:
        with self._lock:
            for process in self._running:
                process.kill()
        self._folder.cleanup()

    def _make(self, number: int, unit: int, ledger: Path) -> None:
        out = self._path(number, unit)
        words = [
            sys.executable,
            "-m",
            "takt.cli",
            "replay",
            str(ledger.resolve()),
            "--unit",
            str(unit),
            "--out",
            str(out),
        ]
        with self._room:
            try:
                process = subprocess.Popen(  # nosec B603  # our own program, words and no shell
                    words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                )
                self._running.append(process)
                try:
                    _, told = process.communicate(timeout=LONGEST_S)
                finally:
                    process.kill()
                    self._running.remove(process)
                lines = told.decode("utf-8", "replace").strip().splitlines()
                why = "" if process.returncode == 0 else (lines[-1] if lines else f"exit code {process.returncode}")
            except (OSError, subprocess.TimeoutExpired) as error:
                why = " ".join(str(error).split())
        with self._lock:
            self._made[number, unit] = why.removeprefix("takt: ")

    def _path(self, number: int, unit: int) -> Path:
        return Path(self._folder.name) / f"{number}-{unit}.mp4"
