"""Live pictures for a person's page: the newest only, dropped and never queued.

Where a station's steering can (`RendersApart`), they are drawn by a process of its own beside the shift, which is
handed the newest state when it has drawn the last one. Otherwise they are the observation's, drawn by the station.
"""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, Self

import numpy as np

from takt.contract.steering import Steering
from takt.errors import TaktError
from takt.workers.person.hatch import Hatch, Seen

JPEG_QUALITY = 80
ATTEMPTS = 3  # how often a renderer that dies is begun again
WAIT_S = 0.25  # wall time between two looks at whether anybody is there


@dataclass(frozen=True, slots=True)
class Frame:
    """The pictures of one moment, as JPEG by name."""

    seen: Seen
    jpegs: Mapping[str, bytes]


class Pictures(Protocol):
    """Where frames come from."""

    def wait(self, after: int, wait_s: float) -> Frame | None:
        """The newest of a moment later than number `after`; None if there is none within so many seconds."""
        ...


class OfObservation:
    """The pictures that the station has drawn itself."""

    def __init__(self, hatch: Hatch, steering: Steering) -> None:
        self._hatch, self._steering = hatch, steering

    def wait(self, after: int, wait_s: float) -> Frame | None:
        seen = self._hatch.wait_seen(after, wait_s)
        if seen is None:
            return None
        return Frame(seen, {name: as_jpeg(one) for name, one in self._steering.pictures(seen.observation).items()})


class Apart:
    """Pictures by a renderer in a process of its own, `hz` a second at most; where the controls changed, at once.

    What it is handed is the scene's state and nothing else. It draws nothing while no page is open, and runs at a lower
    priority than the shift. TaktError if nothing can be drawn here.
    """

    def __init__(self, hatch: Hatch, station: str, options: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
        self._hatch, self._hz = hatch, float(shown["camera_hz"])
        self._job = [station, dict(options), dict(shown)]
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._closed = False
        self._begin()
        self._thread = threading.Thread(target=self._follow, daemon=True, name="pictures")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._thread.join(10.0)
        self._end()

    @property
    def pid(self) -> int:
        """Of the renderer's process."""
        return self._child.pid

    def wait(self, after: int, wait_s: float) -> Frame | None:
        def newer() -> bool:
            return self._newest is not None and self._newest.seen.number > after

        with self._changed:
            return self._newest if self._changed.wait_for(newer, wait_s) else None

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "takt.board.person.renderer", str(theirs.fileno())]
            self._child = subprocess.Popen(  # nosec B603: this Python, our module
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        self._wire = Connection(ours.detach())
        try:
            self._wire.send_bytes(json.dumps(self._job).encode())
            wrong = self._wire.recv_bytes().decode()
        except (EOFError, OSError) as error:
            self._end()
            raise TaktError("the process that draws the pictures ended before it began") from error
        if wrong:
            self._end()
            raise TaktError(wrong)

    def _end(self) -> None:
        self._wire.close()  # it ends by that
        try:
            self._child.wait(5.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _follow(self) -> None:
        number, stamp, due, failed = 0, None, 0.0, 0
        while not self._closed:
            seen = self._hatch.wait_seen(number, WAIT_S)
            if seen is None or seen.state is None or not self._hatch.pages:
                time.sleep(0.0 if seen is None else WAIT_S / 10)
                continue
            while seen.stamp == stamp and (left := due - time.monotonic()) > 0:
                seen = self._hatch.wait_seen(seen.number, left) or seen
            number, stamp, now = seen.number, seen.stamp, time.monotonic()
            due = min(max(due + 1 / self._hz, now), now + 1 / self._hz)  # looks have a rate of their own: on average
            assert seen.state is not None
            try:
                jpegs = self._drawn(seen.state) if failed <= ATTEMPTS else {}
            except (EOFError, OSError):  # it has died: the shift goes on, and another one is begun
                failed += 1
                if not self._closed and failed <= ATTEMPTS:
                    self._end()
                    with suppress(TaktError):
                        self._begin()
                elif not self._closed:
                    print(f"takt: no more pictures: what draws them has ended {failed} times", file=sys.stderr)
                continue
            self._publish(Frame(seen, jpegs))

    def _drawn(self, state: bytes) -> dict[str, bytes]:
        self._wire.send_bytes(state)
        sizes = json.loads(self._wire.recv_bytes())
        together, at, found = self._wire.recv_bytes(), 0, {}
        for name, size in sizes:
            found[str(name)] = together[at : at + size]
            at += size
        return found

    def _publish(self, frame: Frame) -> None:
        with self._changed:
            self._newest = frame
            self._changed.notify_all()


def as_jpeg(picture: np.ndarray) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", quality=JPEG_QUALITY)
    return written.getvalue()
