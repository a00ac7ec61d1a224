"""A few mutated ledgers, messages, bodies, answers, flight files and archives; benchmarks/fuzz_files.py has 2,000."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
FEW = {"messages": 300, "bodies": 25, "answers": 25, "archives": 20, "flights": 20}


@pytest.mark.parametrize("kind", FEW)
def test_a_stranger_gets_one_line_or_a_right_answer(kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from fuzz_files import KINDS

    assert sum(KINDS[kind]("tests", FEW[kind], tmp_path / "fuzz").values()) >= FEW[kind]


def test_a_strangers_ledger_runs_nothing_and_changes_nothing_by_any_command() -> None:
    """In a process of its own, from which it forks one for each ledger: no thread of a test runner must be in it."""
    words = [sys.executable, str(BENCHMARKS / "fuzz_files.py"), "--only", "ledgers", "--count", "3", "--seed", "99"]
    told = subprocess.run(words, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr[-2000:]
