"""Serve a station to MCP clients: the shift runs in this thread, as any shift does, the server in another."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from takt.contract.clock import parse_clock
from takt.contract.station import Station, TaktError
from takt.judge.verdict import verdict
from takt.ledger import Ledger
from takt.ledger.trust import Named, open_station_of, same_option
from takt.shift import Progress, Shift, resume_shift, run_shift
from takt.shift.opened import NO_LENGTH, all_units, may_count
from takt.workers.mcp.server import server_of
from takt.workers.mcp.transports import Http, Stdio, check_host, token_of
from takt.workers.mcp.window import Window
from takt.workers.mcp.worker import Left, Mcp
from takt.writing import Numbered

STOPPED = "The station is being closed; the shift can go on later. Stop here: no call does anything now."


@dataclass(frozen=True, slots=True)
class Work:
    """The shift to work, as `run_shift` takes it. What is None or empty is as the ledger has it, if there is one."""

    station: str
    options: Mapping[str, Any]
    path: Path | Numbered
    seed: int | None = None
    hours: float | None = None
    units: int | None = None
    clock: str | None = None
    faults: Sequence[str] = ()
    stop_early: bool = False
    patience_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Where:
    """Where clients come from. `port` is None for standard input and output."""

    host: str = "127.0.0.1"
    port: int | None = None
    names: tuple[str, ...] = ()
    grace_s: float = 60.0


def serve(
    work: Work,
    where: Where,
    *,
    pause: bool = False,
    said: Callable[[str], None],
    on_progress: Callable[[Progress], None] | None = None,
    on_shift: Callable[[Shift], None] = lambda shift: None,
) -> Shift | None:
    """Work a shift by whoever calls, from the start or from where the ledger is. None if it is to go on later.

    said       is told, line by line, where to call and with which token.
    on_shift   is given the shift when it is over, while the server still answers.
    """
    check_host(where.host, where.names)
    meta = _meta(work)
    token = "" if where.port is None else token_of(os.environ, said)
    window = Window()
    here = open_station_of(work.path, {"worker": "mcp", **meta}, Named(station_options=work.options))
    try:
        if work.hours is None and work.units is None and not work.path.exists():
            all_units(here)
        if not here.spec.tools:
            raise TaktError(f"station {work.station!r} offers no tools, and an MCP server has nothing else")
        server = server_of(here.spec, window, token)
        if where.port is None:
            return _served(work, meta, here, window, Stdio(server, window), where, pause, said, on_progress, on_shift)
        http = Http(server, where.host, where.port, token, where.names)
        said(f"listening on {http.url}")
        return _served(work, meta, here, window, http, where, pause, said, on_progress, on_shift)
    finally:
        here.close()


def _served(
    work: Work,
    meta: Mapping[str, Any],
    here: Station,
    window: Window,
    transport: Stdio | Http,
    where: Where,
    pause: bool,
    said: Callable[[str], None],
    on_progress: Callable[[Progress], None] | None,
    on_shift: Callable[[Shift], None],
) -> Shift | None:
    with transport:
        try:
            shift = _worked(work, meta, here, window, pause, on_progress)
        except Left as left:
            window.shut(STOPPED)
            said(f"the client has left: {left}; the same command goes on with {work.path}")
            return None
        except BaseException:
            window.shut(STOPPED)
            raise
        window.shut(over(shift))
        said(f"{work.path} is finished")
        with suppress(KeyboardInterrupt):  # all is written
            on_shift(shift)
            window.wait_gone(None if isinstance(transport, Stdio) else where.grace_s)
    return shift


def over(shift: Shift) -> str:
    """What every call is answered once the shift is over."""
    judged = verdict(shift.seen)
    return f"The shift is over. Verdict: {judged.decision}: {judged.why}. Stop here: no call does anything any more."


def _meta(work: Work) -> Mapping[str, Any]:
    """What defines the shift: of the ledger, if there is one, which must then be of the shift that is asked for."""
    if not work.path.exists():
        if work.hours is None and work.units is None and not may_count(work.station):
            raise TaktError(NO_LENGTH)
        new = {"station": work.station, "options": dict(work.options)}
        return {**new, "clock": parse_clock(work.clock or "measured").text, "worker_options": _options(work)}
    with Ledger.open(work.path) as book:
        meta = book.meta
    if meta["worker"] != "mcp":
        raise TaktError(
            f"{work.path} is a shift of worker {meta['worker']!r}, not of an MCP client; give another --out"
        )
    asked: dict[str, Any] = {"station": work.station, "seed": work.seed, "units": work.units, "hours": work.hours}
    asked |= {**work.options, "clock": None if work.clock is None else parse_clock(work.clock).text}
    has = {key: meta["options"].get(key) if key in work.options else meta[key] for key in asked}
    other = [
        f"{key}={has[key]}, not {value}"
        for key, value in asked.items()
        if value is not None and not same_option(has[key], value)
    ]
    if other:
        raise TaktError(
            f"{work.path} is a shift with {' and '.join(other)}; leave that out to go on with it, or give another --out"
        )
    return meta


def _options(work: Work) -> dict[str, Any]:
    if not 0 < work.patience_s < 1e9:
        raise TaktError(f"patience is {work.patience_s:g} s; it must be above 0")
    return {"patience_s": float(work.patience_s), "paced": parse_clock(work.clock or "measured").measures}


def _worked(
    work: Work,
    meta: Mapping[str, Any],
    here: Station,
    window: Window,
    pause: bool,
    on_progress: Callable[[Progress], None] | None,
) -> Shift:
    worker = Mcp(window=window, pause=pause, **meta["worker_options"])
    if work.path.exists():
        return resume_shift(work.path, station=here, worker=worker, on_progress=on_progress)
    return run_shift(
        here,
        worker,
        seed=work.seed or 0,
        hours=work.hours,
        units=work.units,
        clock=meta["clock"],
        faults=work.faults,
        ledger=work.path,
        stop_early=work.stop_early,
        on_progress=on_progress,
        worker_name="mcp",
        worker_options=meta["worker_options"],
    )
