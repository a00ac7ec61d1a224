"""A policy server by script, over a real socket on loopback, that can misbehave in every way known to us."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from websockets.sync.server import serve

from takt.contract.worker import Plan
from takt.stations.nutcell import NutCell
from takt.workers.policy.wire import decode, encode


class FakePolicy:
    """`script(request, n)` is what to do at request n (from 0, over all connections): a map to answer with, an array of
    actions, a text (an error, and the connection closes), bytes to send as they are, a number of seconds of silence, or
    None to drop the connection. `requests` are the maps that came."""

    def __init__(self, script: Callable[[dict[str, Any], int], Any], port: int = 0) -> None:
        self.script, self.requests, self.connections = script, list[dict[str, Any]](), 0
        self._server = serve(self._serve, "127.0.0.1", port, compression=None, max_size=None, ping_interval=None)
        self.port = self._server.socket.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        self._open: list[Any] = []
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _serve(self, connection: Any) -> None:
        self.connections += 1
        self._open.append(connection)
        connection.send(encode({"model": "fake", "action_horizon": 10}))
        with contextlib.suppress(Exception):
            for message in connection:
                self.requests.append(decode(message))
                say = self.script(self.requests[-1], len(self.requests) - 1)
                if isinstance(say, float):
                    time.sleep(say)
                    say = None
                if say is None:
                    connection.socket.close()
                    return
                if isinstance(say, np.ndarray):
                    say = {"actions": say, "server_timing": {"infer_ms": 1.0}}
                connection.send(say if isinstance(say, (str, bytes)) else encode(say))
                if isinstance(say, str):
                    return

    def __enter__(self) -> FakePolicy:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.shutdown()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.socket.close()
        self._thread.join(timeout=5.0)


def nod(seen: Any) -> np.ndarray:
    """Ten actions that follow from the observation alone: the left hand goes to and fro, the grips close."""
    phase = float(seen["observation.takt_left"][0])
    actions = np.zeros((10, 15), np.float32)
    actions[:, 0] = 0.002 * np.sin(phase)
    actions[:, [6, 13]] = 0.25
    return actions


class Nods:
    """The same as a worker that can be served."""

    def begin(self, spec: Any, seed: int) -> None: ...

    def act(self, observation: Any) -> Plan:
        return Plan(nod(observation), ask_after=6)

    def end(self) -> None: ...


class Watched(NutCell):
    """A cell that keeps what it was told to do, and where it was told to hold."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.given: list[tuple[float, np.ndarray, np.ndarray]] = []

    def step(self, action: Any) -> Any:
        self.given.append((self.now, np.array(action), self.hold))
        return super().step(action)
