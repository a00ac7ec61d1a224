"""What Takt itself costs, in two checkouts in turn: a control period, a call, a unit, a report, a comparison,
figures of a ledger, a start.

    git worktree add /tmp/before REV
    python benchmarks/overheads.py --before /tmp/before --rounds 5

CPU time of processes of their own, one checkout after the other in each round, so that a busy machine is busy for both;
the least of all rounds is what counts. Both run in this Python, with this one's libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SAID = {
    "import": "import takt, ms",
    "help": "takt --help, ms",
    "period": "a control period, us",
    "call": "a call of the worker, us",
    "unit": "a unit: events, snapshot, transaction, us",
    "report": "a report of 300 units, ms",
    "compare": "a comparison of two shifts of 300 units, ms",
    "kpis": "figures and verdict of a ledger of 300 units, ms",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measured()))
        return
    sides = {"before": given.before, "now": HERE} if given.before else {"now": HERE}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(given.rounds):
        for name, checkout in sides.items():
            found[name].append(of(checkout))
    print(f"{'':<48}" + "".join(f"{name:>10}" for name in sides))
    for key, label in SAID.items():
        print(f"{label:<48}" + "".join(f"{min(one[key] for one in found[name]):>10.1f}" for name in sides))


def of(checkout: Path) -> dict[str, float]:
    """All of it in one checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    told = subprocess.run([sys.executable, __file__, "--child"], env=environment, capture_output=True, check=True)
    found: dict[str, float] = json.loads(told.stdout)
    for key, words in (("import", ["-c", "import takt"]), ("help", ["-m", "takt.program", "--help"])):
        before = os.times()
        subprocess.run([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, check=True)
        now = os.times()
        took = now.children_user - before.children_user + now.children_system - before.children_system
        found[key] = 1e3 * took
    return found


def measured() -> dict[str, float]:
    """What is measured within a process."""
    import numpy as np

    import takt
    from takt import Plan, compare, kpis, run_shift, verdict
    from takt.shift import Shift

    sys.path.insert(0, str(Path(takt.__file__).parents[2] / "tests"))  # the toy station of that checkout
    from toy import Toy

    class Planner:
        """Answers with the same plan of `length` actions."""

        def __init__(self, length: int) -> None:
            self.plan = Plan([np.ones(2, np.float32)] * length)

        def begin(self, spec: Any, seed: int) -> None: ...

        def act(self, observation: Any) -> Plan:
            return self.plan

        def end(self) -> None: ...

    def cpu_s(work: Callable[[], Any]) -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    with tempfile.TemporaryDirectory() as folder:

        def shift(name: str, units: int, periods: int, length: int) -> float:
            """CPU seconds of a shift with so many control periods a unit, and plans of so many. In memory without a
            name: in a file, what is under way is shown to readers, for 50 ms a shift and 0.5 % of its time at most.
            """
            worker, station, path = Planner(length), Toy(takt_s=0.1 * periods), Path(folder, name) if name else None
            return cpu_s(lambda: run_shift(station, worker, units=units, clock="lockstep", ledger=path))

        shift("warm.takt", 20, 10, 1)
        took = [shift("", 5, 8000, 8000), shift("", 5, 4000, 1), shift("units.takt", 1500, 1, 1)]
        counts = np.array([[40_000, 5, 5], [20_000, 20_000, 5], [1500, 1500, 1500]])  # periods, calls, units
        period, call, unit = (1e6 * np.linalg.solve(counts, np.array(took))).tolist()
        for name in ("a", "b"):
            shift(f"{name}.takt", 300, 10, 5)
        write_report, ledger = (
            _first_of("takt.show.report", "takt.report").write_report,
            _first_of("takt.ledger").Ledger,
        )
        with ledger.open(Path(folder, "a.takt")) as a, ledger.open(Path(folder, "b.takt")) as b:
            logs = {"a": [list(a.events())], "b": [list(b.events())]}

        def figures() -> None:
            """What `takt kpis` does once all is imported."""
            with ledger.open(Path(folder, "a.takt")) as book:
                read = Shift.of(book)
            kpis(read.events), verdict(read.events)

        pages = [(Path(folder, f"{name}.takt"), Path(folder, f"{name}.html")) for name in "ab"]
        reports = [cpu_s(partial(write_report, *page)) for page in pages]
        return {
            "period": period,
            "call": call,
            "unit": unit,
            "report": 1e3 * min(reports),
            "compare": 1e3 * min(cpu_s(lambda: (compare(logs), kpis(logs["a"][0]))) for _ in range(3)),
            "kpis": 1e3 * min(cpu_s(figures) for _ in range(3)),
        }


def _first_of(*names: str) -> Any:
    for name in names:
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise SystemExit(f"none of {', '.join(names)} is there")


if __name__ == "__main__":
    main()
