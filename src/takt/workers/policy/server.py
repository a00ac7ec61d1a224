"""A worker of the nut cell behind a websocket, by openpi's protocol: `takt serve-policy`.

The server greets with a map about itself; a client sends the cell's observation as a map, under the cell's own names,
and gets {"actions": (H, 15 or 17) float32, "server_timing": {...}, "ask_after", "aligned"}. What it cannot work with
it answers with a text, and closes, as openpi's does. Each connection has a worker of its own. `/healthz` says OK.
"""

from __future__ import annotations

import contextlib
import http
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from takt.distribution import version
from takt.plan import BrokenPlan, checked
from takt.shift import one_line
from takt.station import StationSpec, TaktError, open_station
from takt.worker import Plan, Worker, as_worker, open_worker
from takt.workers.policy.wire import LARGEST, decode, encode

PORT = 8000  # openpi's
PROMPTS = ("order", "prompt", "task")  # where a client may put the order's words


class PolicyServer:
    """Serves from `start` (or `with`) until `stop`, in threads of its own.

    worker           a worker of `takt workers nutcell`, or my_module:MyWorker; or a function that makes one.
    station_options  what the cell is opened with: which observations and actions there are.
    key              what clients must send as `Authorization: Api-Key KEY`; "" for nothing.
    port             0 for any that is free; `url` says which.
    on_trouble       is told, in one line, what a client was answered with an error for.

    `asks` is what a client's cell must be opened with, beside its cameras.

    Raises TaktError for a worker that is not there, that needs privileged state, or a port that is taken.
    """

    def __init__(
        self,
        worker: str | Callable[[], Any],
        *,
        station_options: Mapping[str, Any] | None = None,
        worker_options: Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = PORT,
        key: str = "",
        seed: int = 0,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._make: Callable[[], Worker]
        if isinstance(worker, str):
            self.name = worker
            self._make = lambda: open_worker(worker, "nutcell", **dict(worker_options or {}))
        else:
            self.name = getattr(worker, "__name__", type(worker).__name__)
            self._make = lambda: as_worker(worker(**dict(worker_options or {})))
        asks = {**getattr(self._make(), "station_options", {}), **dict(station_options or {})}
        if asks.get("privileged"):
            raise TaktError(f"{self.name} works from privileged state, which no client can send; serve another worker")
        self.asks = {key: value for key, value in asks.items() if key not in ("cameras", "privileged")}
        station = open_station("nutcell", **asks)
        self.spec: StationSpec = station.spec
        self.observation_space: Space[Any] = station.observation_space
        self.action_space: Space[Any] = station.action_space
        station.close()
        self._host, self._port, self._key, self._seed = host, port, key, seed
        self._on_trouble = on_trouble or (lambda text: None)
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._open: set[Any] = set()

    @property
    def url(self) -> str:
        port = self._server.socket.getsockname()[1] if self._server is not None else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{port}"

    @property
    def metadata(self) -> dict[str, Any]:
        """What a client is greeted with."""
        assert isinstance(self.observation_space, spaces.Dict)
        seen = {
            key: {"shape": list(space.shape or ()), "dtype": str(space.dtype)}
            for key, space in self.observation_space.items()
            if not isinstance(space, spaces.Text)
        }
        return {
            "server": f"takt {version()}",
            "station": "nutcell",
            "worker": self.name,
            "options": dict(self.spec.options),
            "control_s": self.spec.control_s,
            "observation": seen,
            "action": {"shape": list(self.action_space.shape or ()), "dtype": str(self.action_space.dtype)},
        }

    def start(self) -> PolicyServer:
        from websockets.sync.server import serve

        try:
            self._server = serve(
                self._served,
                self._host,
                self._port,
                compression=None,
                max_size=LARGEST,
                ping_interval=None,
                process_request=self._process_request,
                server_header=None,
            )
        except OSError as error:
            raise TaktError(f"cannot listen at {self._host} port {self._port}: {error.strerror or error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is None:
            return
        self._server.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(Exception):
                connection.close(1001)
        assert self._thread is not None
        self._thread.join(timeout=5.0)
        self._server = None

    def __enter__(self) -> PolicyServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _process_request(self, connection: Any, request: Any) -> Any:
        if request.path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        if self._key and request.headers.get("Authorization") != f"Api-Key {self._key}":
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "a key is due: Authorization: Api-Key KEY\n")
        return None

    def _served(self, connection: Any) -> None:
        """One client, until it goes or something goes wrong."""
        from websockets.exceptions import ConnectionClosed

        self._open.add(connection)
        worker: Worker | None = None
        try:
            connection.send(encode(self.metadata))
            worker = self._begun()
            took = 0.0
            for message in connection:
                before = time.perf_counter()
                request = _decoded(message)
                if request.pop("endpoint", "infer") == "reset":  # RoboArena's dialect
                    worker.end()
                    worker = self._begun()
                    connection.send(encode({"status": "reset"}))
                    continue
                answer = self._answer(worker, request)
                infer_ms = 1e3 * (time.perf_counter() - before)
                answer["server_timing"] = {"infer_ms": infer_ms, "prev_total_ms": took}
                connection.send(encode(answer))
                took = 1e3 * (time.perf_counter() - before)
        except ConnectionClosed:
            pass
        except Exception as error:  # whatever a worker may raise: the client is told, as openpi's server does
            told = str(error) if isinstance(error, (TaktError, BrokenPlan)) else one_line(error)
            self._on_trouble(told)
            with contextlib.suppress(Exception):
                connection.send(told)
                connection.close(1011, "see the text before")
        finally:
            self._open.discard(connection)
            if worker is not None:
                with contextlib.suppress(Exception):
                    worker.end()

    def _begun(self) -> Worker:
        worker = self._make()
        worker.begin(self.spec, self._seed)
        return worker

    def _answer(self, worker: Worker, request: Mapping[str, Any]) -> dict[str, Any]:
        plan = worker.act(observation_of(request, self.observation_space))
        good = checked(plan, self.action_space, 0)
        actions = np.asarray(good.actions, np.float32).reshape(-1, *(self.action_space.shape or ()))
        aligned = plan.aligned if isinstance(plan, Plan) else "arrival"
        return {"actions": actions, "ask_after": good.ask_after, "aligned": aligned}


def observation_of(request: Mapping[str, Any], space: Space[Any]) -> dict[str, Any]:
    """The cell's observation in a client's request. TaktError for what is not there or has another shape."""
    assert isinstance(space, spaces.Dict)
    seen: dict[str, Any] = {}
    for key, part in space.items():
        if isinstance(part, spaces.Text):
            words = next((request[name] for name in PROMPTS if isinstance(request.get(name), str)), None)
            if words is None:
                raise TaktError("the observation lacks the order's words; send them as 'prompt'")
            seen[key] = words
            continue
        if key not in request:
            raise TaktError(f"the observation lacks {key!r}; it has: {', '.join(sorted(request)[:10]) or 'nothing'}")
        try:
            value = np.asarray(request[key], part.dtype)
        except (ValueError, TypeError) as error:
            raise TaktError(f"{key!r} is no array of {part.dtype}") from error
        if value.shape != part.shape:
            raise TaktError(f"{key!r} has shape {value.shape}; it must be {part.shape}")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise TaktError(f"NaN or infinity in {key!r}")
        seen[key] = value
    return seen


def serve_until_interrupted(server: PolicyServer, on_ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C (KeyboardInterrupt)."""
    with server:
        on_ready(server.url)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600.0)


def _decoded(message: Any) -> dict[str, Any]:
    if isinstance(message, str):
        raise TaktError("a text where a msgpack map is due")
    try:
        return decode(message)
    except ValueError as error:
        raise TaktError(str(error)) from error
