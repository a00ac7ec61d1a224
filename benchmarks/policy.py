"""The learned worker's speed: milliseconds a call, a shift's wall time with cameras, and what latency costs the work.

    python benchmarks/policy.py                                   calls, and a quarter of an hour of a shift
    python benchmarks/policy.py --hours 3 --seed 26               a whole shift
    python benchmarks/policy.py --latencies 0,0.08,0.2,0.4 --units 40

With latencies, each is worked with asynchronous chunks and without: then the hands stand while the worker thinks.
Bounds are Clopper and Pearson's, 95 %.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from scipy.stats import beta

from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.shift import run_shift
from takt.stations.nutcell import NutCell
from takt.stations.nutcell.vla.worker import Vla


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--hours", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=26)
    parser.add_argument("--latencies", default="", help="seconds a call, with commas; then this and nothing else")
    parser.add_argument("--units", type=int, default=20, help="for each latency")
    parser.add_argument("--model", default="")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    if asked.latencies:
        latencies(asked)
        return
    calls(asked)
    began = time.perf_counter()
    shift = run_shift(
        "nutcell", "vla", seed=asked.seed, hours=asked.hours, clock="fixed:0.08", worker_options=_model(asked)
    )
    wall = time.perf_counter() - began
    good, units = counted(shift.events)
    print(
        f"a shift of {asked.hours:g} h: {wall / 60:.1f} min of wall time, "
        f"3 h would be {3 / asked.hours * wall / 60:.1f} min"
    )
    print(f"{good} of {units} units good")


def calls(asked: argparse.Namespace) -> None:
    """Wall time of `act`, pictures not counted: they are the station's."""
    for threads in (1, 2):
        vla = Vla(threads=threads, **_model(asked))
        cell = NutCell(**vla.station_options)
        seen, _ = cell.reset(seed=asked.seed)
        vla.begin(cell.spec, asked.seed)
        took = []
        for _ in range(asked.calls + 20):
            began = time.perf_counter()
            vla.act(seen)
            took.append(1e3 * (time.perf_counter() - began))
        cell.close()
        p50, p99 = np.quantile(took[20:], [0.5, 0.99])
        print(f"{threads} thread{'s' if threads > 1 else ''}: a call takes {p50:.1f} ms (p50), {p99:.1f} ms (p99)")


def latencies(asked: argparse.Namespace) -> None:
    jobs = [(float(s), chunks) for s in asked.latencies.split(",") for chunks in (True, False)]
    print(f"{'latency, s':>10}  {'chunks':<14}{'good':>10}{'95 % bound':>18}{'cycle p50, s':>14}{'p95, s':>8}")
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(worked, s, chunks, asked.seed, asked.units, asked.model) for s, chunks in jobs]
        for (latency, chunks), job in zip(jobs, work, strict=True):
            good, units, cycles = job.result()
            low, high = bound(good, units)
            p50, p95 = np.quantile(cycles, [0.5, 0.95]) if cycles else (np.nan, np.nan)
            rate = f"{100 * low:.1f} to {100 * high:.1f} %"
            how = "asynchronous" if chunks else "synchronous"
            print(f"{latency:>10g}  {how:<14}{f'{good}/{units}':>10}{rate:>18}{p50:>14.1f}{p95:>8.1f}", flush=True)


def worked(latency: float, chunks: bool, seed: int, units: int, model: str) -> tuple[int, int, list[float]]:
    options = {"asynchronous": chunks} | ({"model": model} if model else {})
    clock = "lockstep" if latency == 0 else f"fixed:{latency:g}"
    station = {"camera_hz": 2.5 if latency in (0, 0.08) and chunks else 10}
    shift = run_shift(
        "nutcell", "vla", seed=seed, units=units, clock=clock, worker_options=options, station_options=station
    )
    cycles = [e.data["cycle_s"] for e in shift.events if e.kind == UNIT_GOOD]
    return *counted(shift.events), cycles


def counted(events: object) -> tuple[int, int]:
    kinds = [event.kind for event in events]  # type: ignore[attr-defined]
    return kinds.count(UNIT_GOOD), kinds.count(UNIT_GOOD) + kinds.count(UNIT_BAD)


def bound(good: int, units: int) -> tuple[float, float]:
    """Clopper and Pearson's interval, 95 %."""
    low = beta.ppf(0.025, good, units - good + 1) if good else 0.0
    high = beta.ppf(0.975, good + 1, units - good) if good < units else 1.0
    return float(low), float(high)


def _model(asked: argparse.Namespace) -> dict[str, str]:
    return {"model": asked.model} if asked.model else {}


if __name__ == "__main__":
    main()
