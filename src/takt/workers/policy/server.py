"""A worker of the nut cell behind a websocket, by openpi's protocol: `takt serve-policy`.

The server greets with a map about itself; a client sends the cell's observation as a map, under the cell's own names,
and gets {"actions": (H, 15 or 17) float32, "server_timing": {...}, "ask_after", "aligned"}. What it cannot work with
it answers with a text, and closes, as openpi's does. Each connection has a worker of its own. `/healthz` says OK.
"""

from __future__ import annotations

import contextlib
import hmac
import http
import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from takt.contract.foreign import one_line
from takt.contract.plan import BrokenPlan, checked
from takt.contract.station import StationSpec, TaktError, open_station
from takt.contract.worker import Plan, Worker, as_worker, open_worker
from takt.distribution import version
from takt.listening import LOOPBACK, is_loopback
from takt.workers.policy.wire import decode, encode

PORT = 8000  # openpi's
MOST_CLIENTS = 16  # connections at once, each with a worker
IDLE_S = 900.0  # wall time without a message after which a connection is closed
LONGEST_TEXT = 10_000  # characters of an order, in bytes beside the observation
PROMPTS = ("order", "prompt", "task")  # where a client may put the order's words


class PolicyServer:
    """Serves from `start` (or `with`) until `stop`, in threads of its own.

    worker           a worker of `takt workers nutcell`, or my_module:MyWorker; or a function that makes one.
    station_options  what the cell is opened with: which observations and actions there are.
    key              what clients must send as `Authorization: Api-Key KEY`; "" for nothing, on the loopback only.
    names            other names by which clients may call a server on the loopback (a tunnel's), as `Host` has them.
    most_clients, idle_s    connections at once; seconds without a message after which one is closed.
    port             0 for any that is free; `url` says which.
    on_trouble       is told, in one line, what a client was answered with an error for.

    `asks` is what a client's cell must be opened with, beside its cameras.

    Raises TaktError for a worker that is not there, that needs privileged state, a port that is taken, or a host that
    other machines reach without a key.
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
        names: Sequence[str] = (),
        most_clients: int = MOST_CLIENTS,
        idle_s: float = IDLE_S,
        seed: int = 0,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        if not is_loopback(host) and not key:
            raise TaktError(f"whoever reaches {host} could use the worker; give a key: --key-env NAME")
        self._make: Callable[[], Worker]
        if isinstance(worker, str):
            self.name = worker
            self._make = lambda: open_worker(worker, "nutcell", **dict(worker_options or {}))
        else:
            self.name = getattr(worker, "__name__", type(worker).__name__)
            self._make = lambda: as_worker(worker(**dict(worker_options or {})))
        first = self._make()
        self._idle = [first]  # workers whose client has gone: the next one need not load the network again
        asks = {**getattr(first, "station_options", {}), **dict(station_options or {})}
        if asks.get("privileged"):
            raise TaktError(f"{self.name} works from privileged state, which no client can send; serve another worker")
        self.asks = {key: value for key, value in asks.items() if key not in ("cameras", "privileged")}
        station = open_station("nutcell", **asks)
        self.spec: StationSpec = station.spec
        self.observation_space: Space[Any] = station.observation_space
        self.action_space: Space[Any] = station.action_space
        station.close()
        self._largest = LONGEST_TEXT + 2 * _bytes_of(self.observation_space)
        self._most, self._idle_s = most_clients, idle_s
        self._names = {*LOOPBACK, host, *names} if is_loopback(host) else set(names)
        self._busy = threading.Lock()
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
                max_size=self._largest,
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
        if any(len(request.headers.get_all(name)) > 1 for name in ("Host", "Origin", "Authorization")):
            return connection.respond(http.HTTPStatus.BAD_REQUEST, "a header is there twice\n")
        if self._names and _host_of(request.headers.get("Host", "")) not in self._names:
            return connection.respond(http.HTTPStatus.FORBIDDEN, "this server is not called so\n")  # DNS rebinding
        if "Origin" in request.headers:  # only pages in a browser send one, and no page is a client here
            return connection.respond(http.HTTPStatus.FORBIDDEN, "no page may call this server\n")
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if self._key and not hmac.compare_digest(given, f"Api-Key {self._key}".encode()):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "a key is due: Authorization: Api-Key KEY\n")
        return None

    def _served(self, connection: Any) -> None:
        """One client, until it goes or something goes wrong."""
        from websockets.exceptions import ConnectionClosed

        worker: Worker | None = None
        with self._busy:
            full = len(self._open) >= self._most
            if not full:
                self._open.add(connection)
        if full:
            connection.close(1013, "there are as many clients as may be")
            return
        try:
            connection.send(encode(self.metadata))
            worker = self._taken()
            worker.begin(self.spec, self._seed)
            took = 0.0
            while True:
                message = connection.recv(self._idle_s)
                before = time.perf_counter()
                request = _decoded(message)
                if request.pop("endpoint", "infer") == "reset":  # RoboArena's dialect
                    worker.end()
                    worker.begin(self.spec, self._seed)
                    connection.send(encode({"status": "reset"}))
                    continue
                answer = self._answer(worker, request)
                infer_ms = 1e3 * (time.perf_counter() - before)
                answer["server_timing"] = {"infer_ms": infer_ms, "prev_total_ms": took}
                connection.send(encode(answer))
                took = 1e3 * (time.perf_counter() - before)
        except ConnectionClosed:
            pass
        except TimeoutError:
            with contextlib.suppress(Exception):
                connection.close(1001, f"no message for {self._idle_s:g} s")
        except Exception as error:  # whatever a worker may raise: the client is told, as openpi's server does
            told = str(error) if isinstance(error, (TaktError, BrokenPlan)) else one_line(error)
            self._on_trouble(told)
            with contextlib.suppress(Exception):
                connection.send(told)
                connection.close(1011, "see the text before")
            if worker is not None:  # in whatever state it is now: the next client gets another
                with contextlib.suppress(Exception):
                    worker.end()
                worker = None
        finally:
            if worker is not None:
                with contextlib.suppress(Exception):
                    worker.end()
                    self._idle.append(worker)
            self._open.discard(connection)

    def _taken(self) -> Worker:
        """A worker that nobody has: one that is idle, or a new one."""
        with self._busy:
            if self._idle:
                return self._idle.pop()
        return self._make()

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


def _bytes_of(space: Space[Any]) -> int:
    """Bytes of an observation as a client sends it, from above: floats as 64 bits, and its names."""
    assert isinstance(space, spaces.Dict)
    sizes = [(1 if part.dtype == np.uint8 else 8) * math.prod(part.shape or ()) for part in space.values()]
    return sum(sizes) + 4096 * (len(sizes) + 1)


def _host_of(header: str) -> str:
    """A `Host` header's name without the port."""
    return header.rpartition(":")[0] if re.search(r":\d*$", header) else header


def _decoded(message: Any) -> dict[str, Any]:
    if isinstance(message, str):
        raise TaktError("a text where a msgpack map is due")
    try:
        return decode(message)
    except ValueError as error:
        raise TaktError(str(error)) from error
