"""Random flight rows and command lines, many of them: the long form of tests/cli/test_command_line_fuzz.py.

    python benchmarks/fuzz_lines.py --count 10000 --seed 0

So many rows, so many statuses and so many command lines; says the seed, and fails as the test does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

TEST = Path(__file__).parents[1] / "tests/cli/test_command_line_fuzz.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="of each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="tests whose name has this: rows, statuses, command_line")
    args = parser.parse_args()
    environment = {**os.environ, "TAKT_FUZZ": str(args.count), "TAKT_FUZZ_SEED": str(args.seed)}
    before = time.perf_counter()
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", str(TEST), "-k", args.only], env=environment)
    said = "nothing found" if ran.returncode == 0 else "a fault was found"
    print(f"{args.count:,} of each, seed {args.seed}, {time.perf_counter() - before:.0f} s: {said}")
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
