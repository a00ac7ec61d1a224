"""The flight desk at size: whole shifts of its workers, how long a search takes, how the bound grows; three tables.

    python benchmarks/desk.py                 about 15 minutes of one core
    python benchmarks/desk.py --quick         the same, small: under a minute
    python benchmarks/desk.py --only search   one of desk, search, bound

desk     a shift of 5 days at `gulf-2026`: about 5,000 flights of the airline's own, a group every 144 s, so about 3,000
         groups of three to four people. Every worker in a process of its own. `call` is the wall time of the worker's
         `act`, `tool` that of a step of the station in which it does a call; `unit` all of both from one unit's end to
         the next one's: planning, when that falls into it, is there. `events` are the ledger's; `memory` is resident
         at most, `ledger` what is on disk.
search   the tools `connections` (6 ways) and `propose` (8 ways by arrival, as greedy asks; 40 by cost, as the planner
         does), asked as a worker does it, JSON in and a dictionary out, each at a minute of its own, of an office in
         the middle of its second day. `all flights` are the airline's and the market's. The exponent is the slope of a
         straight line through the logarithms of the medians: 1 is linear.
bound    `hindsight` and the planner's linear program for the first so many groups: gap between what the program with
         the ways found costs and what is proved that nobody can do without.

Compiled code is kept for the next run; it is compiled before anything is timed.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import math
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from takt import open_worker, run_shift
from takt.contract.events import UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import StationSpec
from takt.contract.worker import Plan, Worker
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import gulf_2026
from takt.stations.flightdesk.desk import FlightDesk, planner, tools
from takt.stations.flightdesk.desk.account import hindsight
from takt.stations.flightdesk.desk.office import Office
from takt.stations.flightdesk.desk.planner import Planner
from takt.stations.flightdesk.desk.world import World, world_of

WORKERS = ("planner", "greedy", "queue", "idle")
TAKT_S = 144.0
FLIGHTS_A_DAY = 2  # of an aircraft: most are to another continent
DAYS = 5
DAY_S = 86_400.0
LONG_S = 1e8  # a service time that nobody exceeds
ASKED_FROM_S = 1.5 * DAY_S
WAITING = 300  # groups at the desk that is asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small: under a minute")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="desk,search,bound", help="which tables, separated by commas")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(shift_of(asked.one, asked.quick, asked.seed)))
        return
    tables = {"desk": desk, "search": search, "bound": bound}
    for name in asked.only.split(","):
        if name not in tables:
            parser.error(f"there is no table {name!r}; there are: {', '.join(tables)}")
    warm()
    for name in asked.only.split(","):
        tables[name](asked.quick, asked.seed)


def sizes(quick: bool) -> dict[str, int]:
    """Of the airline. So many bookings that one has three to four people."""
    flights, days = (500, 1) if quick else (5000, DAYS)
    aircraft = flights // (FLIGHTS_A_DAY * days)
    return {"flights": flights, "aircraft": aircraft, "bookings": 42 * flights, "days": days}


def warm() -> None:
    """Compile, if that was not done before."""
    office = office_of(300, 0)
    tools.call(office, json.dumps({"name": "connections", "arguments": {"origin": "MAD", "destination": "PEK"}}))


# --- whole shifts -----------------------------------------------------------------------------------------------------


class TimedWorker:
    """Another worker, with the wall time of each of its calls."""

    def __init__(self, worker: Worker) -> None:
        self.worker: Any = worker
        self.act_s: list[float] = []

    def begin(self, spec: StationSpec, seed: int) -> None:
        self.worker.begin(spec, seed)

    def act(self, observation: Any) -> Plan:
        began = time.perf_counter()
        plan: Plan = self.worker.act(observation)
        self.act_s.append(time.perf_counter() - began)
        return plan

    def end(self) -> None:
        self.worker.end()

    def save(self) -> bytes:
        return self.worker.save() if hasattr(self.worker, "save") else b""

    def load(self, state: bytes) -> None:
        raise NotImplementedError


class TimedDesk(FlightDesk):
    """The desk, with the wall time of each tool call, and of all calls and thinking between one unit's end and the
    next one's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.tool_s: list[float] = []
        self.unit_s: list[float] = []
        self._since = (0, 0)  # tool calls, and calls of the worker
        self.worker: TimedWorker | None = None

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        began = time.perf_counter()
        stepped = super().step(action)
        if action != self.hold:
            self.tool_s.append(time.perf_counter() - began)
        if any(event.kind in ("unit_good", "unit_bad") for event in stepped[4]["events"]):
            tool, act = self._since
            acted = self.worker.act_s if self.worker else []
            self.unit_s.append(sum(self.tool_s[tool:]) + sum(acted[act:]))
            self._since = len(self.tool_s), len(acted)
        return stepped


def shift_of(name: str, quick: bool, seed: int) -> dict[str, Any]:
    """One shift, in a process of its own."""
    size, hours = sizes(quick), 8 if quick else 24 * DAYS
    station = TimedDesk(scenario="gulf-2026", takt_s=TAKT_S, **size)
    worker = TimedWorker(open_worker(name, "flightdesk"))
    station.worker = worker
    began = time.perf_counter()
    station.reset(seed=seed)
    made_s = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shift.takt"
        began = time.perf_counter()
        shift = run_shift(station, worker, seed=seed, hours=hours, ledger=path, worker_name=name)
        wall_s = time.perf_counter() - began
        ledger = path.stat().st_size
    if shift.broken:
        raise RuntimeError(shift.broken[0])
    due = [event for event in shift.events if event.kind == UNIT_DUE]
    ends = [event for event in shift.events if event.kind in (UNIT_GOOD, "unit_bad")]
    market = len(station.office.world.name) - station.office.world.own
    return {
        "flights": station.office.world.own,
        "market": market,
        "bookings": size["bookings"],
        "made_s": made_s,
        "groups": len({event.data["group"] for event in due}),
        "people": sum({event.data["group"]: event.data["people"] for event in due}.values()),
        "units": len(ends),
        "good": sum(event.kind == UNIT_GOOD for event in ends),
        "events": len(shift.events),
        "wall_s": wall_s,
        "hours": hours,
        "calls": len(worker.act_s),
        "act": spread(worker.act_s),
        "tool": spread(station.tool_s),
        "unit": spread(station.unit_s),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "ledger": ledger / 2**20,
    }


def desk(quick: bool, seed: int) -> None:
    shifts = []
    for name in WORKERS:
        command = [sys.executable, __file__, "--one", name, "--seed", str(seed), *(["--quick"] if quick else [])]
        shifts.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
    first = shifts[0]
    print(
        f"The big desk: {first['people']:,} people in {first['groups']:,} groups, one every {TAKT_S:g} s, over "
        f"{first['flights']:,} own flights and {first['market']:,} of the market, {first['hours']} hours (seed {seed}; "
        f"{first['bookings']:,} bookings; the world is made in {first['made_s']:.1f} s)"
    )
    rows: list[tuple[str, str, list[float]]] = [
        ("wall time, s", ".1f", [done["wall_s"] for done in shifts]),
        ("units that ended", ",", [done["units"] for done in shifts]),
        ("units a second", ".1f", [done["units"] / done["wall_s"] for done in shifts]),
        ("events", ",", [done["events"] for done in shifts]),
        ("events a second", ".1f", [done["events"] / done["wall_s"] for done in shifts]),
        ("good, %", ".1f", [100 * done["good"] / max(1, done["units"]) for done in shifts]),
        ("calls of the worker", ",", [done["calls"] for done in shifts]),
    ]
    for part, title in (("act", "a call of the worker"), ("tool", "a tool call"), ("unit", "all for a unit")):
        for i, which in enumerate(("median", "p99", "worst")):
            rows.append((f"{title}, ms: {which}", ",.2f", [1000 * done[part][i] for done in shifts]))
    rows.append(("peak memory, MiB", ",.0f", [done["memory"] for done in shifts]))
    rows.append(("ledger, MiB", ",.1f", [done["ledger"] for done in shifts]))
    print(f"{'':34}" + "".join(f"{name:>12}" for name in WORKERS))
    for title, shape, values in rows:
        print(f"{title:34}" + "".join(f"{value:>12{shape}}" for value in values))
    within = ("yes" if done["unit"][2] <= TAKT_S else "NO" for done in shifts)
    print(f"{'worst within the takt':34}" + "".join(f"{answer:>12}" for answer in within))
    print(flush=True)


def spread(seconds: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and worst."""
    return (statistics.median(seconds), float(np.percentile(seconds, 99)), max(seconds)) if seconds else (0.0, 0.0, 0.0)


# --- searches ---------------------------------------------------------------------------------------------------------


def office_of(flights: int, seed: int) -> Office:
    """Over five days. What a search takes is up to the flights, so there are fewer bookings, of more people."""
    instance = generate(gulf_2026(flights, flights // (FLIGHTS_A_DAY * DAYS), 8 * flights, DAYS), seed)
    return Office(world_of(instance, seed, (), 60.0, 96.0), LONG_S, False)


def questions(office: Office, kind: str, count: int, rng: np.random.Generator) -> list[str]:
    """Calls as a worker makes them, of groups that wait and between airports at random."""
    codes, calls = office.world.instance.airports.code, []
    for _ in range(count):
        if kind == "connections":
            start, goal = rng.choice(len(codes), 2, replace=False).tolist()
            arguments: dict[str, Any] = {"origin": codes[start], "destination": codes[goal]}
            arguments["after"] = office.world.clock(office.minute + int(rng.integers(24 * 60)))
            arguments |= {"people": int(rng.integers(1, 5)), "avoid_closed": True}
        else:
            arguments = {"group": office.queue[int(rng.integers(len(office.queue)))], "avoid_closed": True}
            limit = int(kind.split()[1])
            arguments |= {"limit": limit, "by": "arrival" if limit < 20 else "cost"}
        name = kind.split()[0]
        calls.append(json.dumps({"name": name, "arguments": arguments}))
    return calls


def asked_of(office: Office, calls: list[str]) -> list[float]:
    """Milliseconds of each call; the clock goes on by a minute before each."""
    took = []
    for call in calls:
        office.advance(office.now_s + 60.0)
        began = time.perf_counter()
        answer = tools.call(office, call)
        took.append(1000 * (time.perf_counter() - began))
        assert "error" not in answer, answer
    return took


def search(quick: bool, seed: int) -> None:
    grown = (300, 1200) if quick else (300, 600, 1200, 2400, 5000, 10_000)
    count, kinds = (100 if quick else 300), ("connections", "propose 8", "propose 40")
    print(f"Search: {count} random calls each (seed {seed}), milliseconds")
    titles = "".join(f"{kind + ': median':>22}{'p99':>8}" for kind in kinds)
    print(f"{'own flights':>12}{'all flights':>13}{titles}")
    medians: dict[str, list[float]] = {kind: [] for kind in kinds}
    totals: list[int] = []
    for flights in grown:
        rng = np.random.default_rng(np.random.SeedSequence([seed, flights]))
        office = office_of(flights, seed)
        office.advance(ASKED_FROM_S)
        del office.queue[WAITING:]
        row = f"{office.world.own:>12,}{len(office.world.name):>13,}"
        totals.append(len(office.world.name))
        for kind in kinds:
            took = asked_of(office, questions(office, kind, count, rng))
            medians[kind].append(statistics.median(took))
            row += f"{medians[kind][-1]:>22.2f}{np.percentile(took, 99):>8.2f}"
        print(row, flush=True)
    print(
        "grows with all flights to the power of "
        + ", ".join(f"{power(totals, medians[kind]):.2f} ({kind})" for kind in kinds)
    )
    slow = [kind for kind in kinds if medians[kind][-1] > 5.0]
    for kind in slow:
        explain(office, kind, questions(office, kind, count, rng))
    print()


PARTS = {  # functions, and what they are for
    "fares and seats of the market": ("market.py", ("fares", "left")),
    "seats (all flights, copied)": ("office.py", ("seats",)),
    "price (all flights, new)": ("office.py", ("price",)),
    "flights avoided or shut": ("tools.py", ("_avoided",)),
    "network in order of time": ("paths.py", ("network_of",)),
    "lateness": ("paths.py", ("lateness",)),
    "the sweep": ("paths.py", ("_sweep",)),
    "search around the sweep": ("paths.py", ("cheapest",)),
    "quotes, all in all": ("office.py", ("quote",)),
    "rows of the answer": ("tools.py", ("_leg", "_quoted")),
}


def explain(office: Office, kind: str, calls: list[str]) -> None:
    """Where the time of these calls goes: parts overlap."""
    profile = cProfile.Profile()
    office.advance(office.now_s + 60.0)
    for call in calls:
        office.advance(office.now_s + 60.0)
        profile.enable()
        tools.call(office, call)
        profile.disable()
    stats: Any = pstats.Stats(profile)
    print(f"where the time of {kind} goes at {office.world.own:,} flights, ms a call (profiled: slower than above)")
    print(f"    {'all':34}{1000 * stats.total_tt / len(calls):>9.2f}")
    for part, (file, functions) in PARTS.items():
        rows = [
            (key, row) for key, row in stats.stats.items() if key[0].endswith("/desk/" + file) and key[2] in functions
        ]
        if rows:
            took = sum(row[3] for _, row in rows)
            times = sum(row[1] for _, row in rows) / len(calls)
            print(f"    {part:34}{1000 * took / len(calls):>9.2f}{times:>9.1f} times")


def power(sizes: list[int], values: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


# --- the bound --------------------------------------------------------------------------------------------------------


@contextmanager
def recorded(module: Any) -> Iterator[list[Any]]:
    """What `assign` answers when this module calls it."""
    answers: list[Any] = []
    real = module.assign

    def assign(*args: Any, **options: Any) -> Any:
        answers.append(real(*args, **options))
        return answers[-1]

    module.assign = assign
    try:
        yield answers
    finally:
        module.assign = real


def bound(quick: bool, seed: int) -> None:
    size, groups = sizes(quick), (30, 100, 300) if quick else (100, 300, 1000, 3000)
    instance = generate(gulf_2026(**size), seed)
    world = world_of(instance, seed, (), TAKT_S, 96.0)
    print(f"The linear program, {len(world.name):,} flights (seed {seed})")
    print(
        f"{'groups':>8}{'hindsight, s':>14}{'rounds':>8}{'value, EUR':>14}{'gap, %':>9}"
        f"{'planner, s':>12}{'rounds':>8}{'value, EUR':>14}{'gap, %':>9}"
    )
    grown: dict[str, list[float]] = {"hindsight": [], "planner": []}
    counts = [count for count in groups if count <= len(world.units)]
    for count in counts:
        events = [Event(t_s, UNIT_DUE, unit, {}) for unit, (t_s, _) in enumerate(world.units[:count])]
        began = time.perf_counter()
        found = hindsight(world, events)
        grown["hindsight"].append(time.perf_counter() - began)
        row = f"{count:>8}{grown['hindsight'][-1]:>14.2f}{found.rounds:>8}{found.value:>14,.0f}{gap(found):>9.3f}"
        plan_s, found = planned(world, count)
        grown["planner"].append(plan_s)
        row += f"{plan_s:>12.2f}{found.rounds:>8}{found.value:>14,.0f}{gap(found):>9.3f}"
        print(row, flush=True)
    print(
        "grows with groups to the power of "
        + ", ".join(f"{power(counts, took):.2f} ({who})" for who, took in grown.items())
    )
    print()


def gap(found: Any) -> float:
    return 100 * (found.value - found.bound) / max(1.0, abs(found.value))


def planned(world: World, groups: int) -> tuple[float, Any]:
    """Seconds that the planner takes to plan for so many groups once it has read the board, and what came of it."""
    office = Office(world, LONG_S, False)
    office.advance(0.25 * DAY_S)
    worker = Planner()
    worker.begin(StationSpec("desk-v0", takt_s=TAKT_S), 0)
    rows: dict[str, list[Any]] = {"board": [], "disrupted": []}
    for tool, key, most in (("board", "flights", math.inf), ("disrupted", "groups", groups)):
        after: int | None = 0
        while after is not None and len(rows[tool]) < most:
            limit = int(min(500, most - len(rows[tool])))
            arguments = {"after": after, "limit": limit}
            answer = tools.call(office, json.dumps({"name": tool, "arguments": arguments}))
            rows[tool] += answer[key]
            after = answer["next"]
    with recorded(planner) as answers:
        began = time.perf_counter()
        worker._plan({"now": world.clock(office.minute)}, rows["board"], rows["disrupted"])
        took_s = time.perf_counter() - began
    return took_s, answers[0]


if __name__ == "__main__":
    main()
