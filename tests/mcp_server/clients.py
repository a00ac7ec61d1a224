"""A small desk, a shift there that waits for calls, and the part of a client that serves it well."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from takt import open_station, resume_shift, run_shift
from takt.workers.mcp import Mcp
from takt.workers.mcp.serve import over
from takt.workers.mcp.server import server_of
from takt.workers.mcp.window import Window

DESK = {"scenario": "two-hubs", "flights": 300, "aircraft": 45, "bookings": 2000, "days": 1, "takt_s": 120.0}
WORKED = [word for key, value in DESK.items() for word in ("-o", f"{key}={value}")]


class Working:
    """A shift in a thread of its own; `done` is its result when it is over."""

    def __init__(self, window: Window, worker: Mcp, station: Any, shift: dict[str, Any]) -> None:
        self.window, self.done, self.failed = window, None, None

        def work() -> None:
            try:
                if "resume" in shift:
                    self.done = resume_shift(shift["resume"], station=station, worker=worker)
                else:
                    self.done = run_shift(station, worker, worker_name="mcp", **shift)
                window.shut(over(self.done))
            except BaseException as error:
                self.failed = error
                window.shut("broken")

        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def ended(self) -> Any:
        self.thread.join(120)
        assert not self.thread.is_alive(), "the shift hangs"
        return self.done


@contextmanager
def working(
    *,
    patience_s: Any = 60.0,
    pause: Any = False,
    desk: Any = None,
    clock: Any = "fixed:1",
    seed: Any = 1,
    secret: Any = "",
    **shift: Any,
) -> Iterator[Any]:
    """A server of the small desk, and the shift behind it."""
    window, station = Window(), open_station("flightdesk", **{**DESK, **(desk or {})})
    told = {"patience_s": patience_s, "paced": clock == "measured"}
    worker = Mcp(window=window, pause=pause, **told)
    told = {"units": 4, "seed": seed, "clock": clock, "worker_options": told, **shift}
    run = Working(window, worker, station, told)
    try:
        yield server_of(station.spec, window, secret), run
    finally:
        window.leave("the test is over")
        run.ended()


def program(*words: str, out: Any, **environment: str) -> Any:
    """`takt serve` at the small desk, as a client starts it."""
    arguments = ["-m", "takt.cli", "serve", "flightdesk", "--mcp", *WORKED, "--seed", "1", "--out", str(out), *words]
    return stdio_client(StdioServerParameters(command=sys.executable, args=arguments, env=environment))


class Desk:
    """A client's tools, with what the last answer said."""

    def __init__(self, client: Client) -> None:
        self.client, self.seen, self.over, self.calls = client, 0.0, "", 0

    async def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What a tool returned; {} once the shift is over."""
        self.calls += 1
        answer = await self.client.call_tool(name, arguments)
        text = answer.content[0].text  # type: ignore[union-attr]
        if not text.startswith("{"):
            self.over = text
            return {}
        told = json.loads(text)
        self.seen = told["now_s"]
        assert answer.is_error == ("error" in told["result"])
        return told["result"]

    async def serve(self, groups: int = 1_000) -> int:
        """Serve groups until so many are done or the shift is over; how many were."""
        for done in range(groups):
            while not self.over and not (await self.call("queue", limit=1, seen=self.seen)).get("groups"):
                await self.call("wait", seen=self.seen)
            if self.over:
                return done
            first = await self.call("queue", limit=1, seen=self.seen)
            name = first["groups"][0]["group"]
            ways = (await self.call("propose", group=name, avoid_closed=True)).get("itineraries")
            if not ways:
                await self.call("refund", group=name)
                continue
            if ways[0]["hotel_due"]:
                await self.call("hotel", group=name)
            legs = [{"flight": leg["flight"], "cabin": leg["cabin"]} for leg in ways[0]["legs"]]
            await self.call("book", group=name, legs=legs)
        return groups
