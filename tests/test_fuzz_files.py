"""A few mutated ledgers, messages, bodies, answers, flight files and archives; benchmarks/fuzz_files.py has 2,000."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
FEW = {"messages": 300, "bodies": 25, "answers": 25, "archives": 60}


@pytest.mark.parametrize("kind", FEW)
def test_a_stranger_gets_one_line_or_a_right_answer(kind, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from fuzz_files import KINDS

    assert sum(KINDS[kind](random.Random(f"{kind}/tests"), FEW[kind], tmp_path).values()) >= FEW[kind]


@pytest.mark.parametrize(("kind", "count"), [("ledgers", 8), ("flights", 4)])
def test_a_strangers_file_runs_nothing_and_changes_nothing(kind, count):
    """In a process of its own: the audit hook that watches cannot be taken off again."""
    words = [sys.executable, str(BENCHMARKS / "fuzz_files.py"), "--only", kind, "--count", str(count), "--seed", "99"]
    told = subprocess.run(words, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr[-2000:]
