"""How the recovery's cost, time and memory grow with the airline, from 300 to 10,000 flights; a table and a plot.

    python benchmarks/scaling.py                                  300, 1,000, 3,000 and 10,000 flights, 60 s each
    python benchmarks/scaling.py --flights 2200 --aircraft 618 --bookings 29000      the size of an X instance

Made airlines (`takt flightdesk generate --scenario two-hubs`), a seventh as many aircraft as flights and three times as
many bookings unless given. `first` is when the first valid plan was there, `within 5 %` when the cost was no more than
5 % above the best of the run: so a longer run moves it. `memory` is resident at most: the process that asks and, for
each searcher, what the largest of them had; reading is in it. The solver's first run on a machine compiles; run it once
before.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from takt.stations.flightdesk import check, read_instance, write_instance
from takt.stations.flightdesk.airline.generate import generate
from takt.stations.flightdesk.airline.recipes import two_hubs
from takt.stations.flightdesk.airline.recovery.recover import SEARCHERS, recover

History = list[tuple[float, float]]  # seconds, EUR


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flights", default="300,1000,3000,10000", help="sizes, separated by commas")
    parser.add_argument("--aircraft", type=int)
    parser.add_argument("--bookings", type=int)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--searchers", type=int, default=SEARCHERS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path, help="a .png to write")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        alone(asked)
        return
    print(
        f"{'flights':>8}{'aircraft':>10}{'bookings':>10}{'read, s':>9}{'first, s':>10}{'first plan':>16}"
        f"{'best plan':>16}{'within 5 %, s':>15}{'moves':>9}{'memory, MiB':>13}"
    )
    histories: dict[int, History] = {}
    for flights in map(int, asked.flights.split(",")):
        size = {
            "flights": flights,
            "aircraft": asked.aircraft or flights // 7,
            "bookings": asked.bookings or 3 * flights,
        }
        with tempfile.TemporaryDirectory() as folder:
            write_instance(generate(two_hubs(**size), asked.seed), folder)
            command = [sys.executable, __file__, "--one", folder, "--seconds", str(asked.seconds)]
            command += ["--searchers", str(asked.searchers), "--seed", str(asked.seed)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        read_s, moves, memory = map(float, said[0].split())
        history = [(float(s), float(eur)) for s, eur in (line.split() for line in said[1:])]
        histories[flights] = history
        print(
            f"{flights:>8}{size['aircraft']:>10}{size['bookings']:>10}{read_s:>9.2f}{history[0][0]:>10.2f}"
            f"{history[0][1]:>16,.0f}{cheapest(history):>16,.0f}{near_s(history):>15.1f}{moves:>9.0f}{memory:>13.0f}",
            flush=True,
        )
    if asked.plot:
        draw(histories, asked.plot)


def alone(asked: argparse.Namespace) -> None:
    """One instance in a process of its own, so that its memory can be told."""
    began = time.perf_counter()
    instance = read_instance(asked.one)
    read_s = time.perf_counter() - began
    history, moves, last = [], 0, None
    for found in recover(instance, asked.seconds, seed=asked.seed, searchers=asked.searchers):
        moves, last = found.tried, found
        if found.better:
            history.append((found.seconds, found.cost.total))
    assert last is not None and not check(instance, last.solution)
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = own.ru_maxrss + asked.searchers * children.ru_maxrss
    print(read_s, moves, memory / 1024)
    for seconds, eur in history:
        print(seconds, eur)


def cheapest(history: History) -> float:
    return min(eur for _, eur in history)


def near_s(history: History) -> float:
    """When the cost was no more than 5 % above the best."""
    best = cheapest(history)
    return next(s for s, eur in history if eur - best <= 0.05 * abs(best))


def draw(histories: dict[int, History], path: Path) -> None:
    """Cost over time, as a share of the first plan's; and times over size."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = list(histories)
    for flights, history in histories.items():
        left.step(
            [s for s, _ in history],
            [100 * eur / history[0][1] for _, eur in history],
            where="post",
            label=f"{flights:,}",
        )
    left.set(xscale="log", xlabel="seconds", ylabel="cost, % of the first plan's", title="flights")
    left.axhline(0, color="0.8", linewidth=0.8)
    left.legend(frameon=False)
    near = [near_s(history) for history in histories.values()]
    right.loglog(sizes, [history[0][0] for history in histories.values()], "o-", label="first valid plan")
    right.loglog(sizes, near, "s-", label="within 5 % of the best of the run")
    right.set(xlabel="flights", ylabel="seconds")
    right.set_xticks(sizes, [f"{size:,}" for size in sizes])
    right.minorticks_off()
    right.legend(frameon=False)
    FigureCanvasAgg(figure).print_png(str(path), metadata={"Software": None})


if __name__ == "__main__":
    main()
