"""How long the program takes to answer: `import takt`, `takt --help` and small commands, in processes of their own.

    python benchmarks/startup.py --times 10 --shift SHIFT      of three hours, for `takt kpis`

CPU time (user and system, of the process and its children): the best of so many is what the program itself takes. The
median of the wall time is what this machine makes of it now. Each is run once before, uncounted, so that its bytecode
is written, as an installation has it, also where the environment says to write none.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

PROGRAM = [sys.executable, "-m", "takt.program"]
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "import takt": ([sys.executable, "-c", "import takt"], 0.2),
    "takt --help": ([*PROGRAM, "--help"], 0.3),
    "takt --version": ([*PROGRAM, "--version"], None),
    "takt run --help": ([*PROGRAM, "run", "--help"], None),
    "takt stations": ([*PROGRAM, "stations"], None),
    "takt flightdesk --help": ([*PROGRAM, "flightdesk", "--help"], None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="how often each")
    parser.add_argument("--shift", help="a ledger of a shift of three hours, for `takt kpis`")
    given = parser.parse_args()
    times, commands = given.times, dict(COMMANDS)
    if given.shift:
        commands["takt kpis SHIFT"] = ([*PROGRAM, "kpis", given.shift], 0.5)
    print(f"{'':<24}{'CPU':>8}{'wanted':>8}{'wall':>8}   (s)")
    with tempfile.TemporaryDirectory() as bytecode:
        surroundings = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        for name, (command, wanted) in commands.items():
            took, cost = [], []
            for _ in range(times + 1):
                before, began = os.times(), time.perf_counter()
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=surroundings)
                took.append(time.perf_counter() - began)
                after = os.times()
                cost.append(after.children_user + after.children_system - before.children_user - before.children_system)
            print(f"{name:<24}{min(cost[1:]):>8.2f}{wanted or '':>8}{statistics.median(took[1:]):>8.2f}")


if __name__ == "__main__":
    main()
