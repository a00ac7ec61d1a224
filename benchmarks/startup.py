"""How long the program takes to answer: `import takt`, `takt --help` and two small commands, in processes of their own.

    python benchmarks/startup.py --times 10

The best of so many is what the program itself takes; the median is what this machine makes of it now.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

PROGRAM = [sys.executable, "-m", "takt.program"]
COMMANDS = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "import takt": ([sys.executable, "-c", "import takt"], 0.2),
    "takt --help": ([*PROGRAM, "--help"], 0.3),
    "takt stations": ([*PROGRAM, "stations"], None),
    "takt flightdesk --help": ([*PROGRAM, "flightdesk", "--help"], None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="how often each")
    times = parser.parse_args().times
    print(f"{'':<24}{'best':>8}{'median':>8}{'wanted':>8}   (s)")
    for name, (command, wanted) in COMMANDS.items():
        took = []
        for _ in range(times):
            before = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            took.append(time.perf_counter() - before)
        print(f"{name:<24}{min(took):>8.2f}{statistics.median(took):>8.2f}{wanted or '':>8}")


if __name__ == "__main__":
    main()
