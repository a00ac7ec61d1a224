"""The hosted CI runs what `make` runs here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORKFLOW = (ROOT / ".github/workflows/ci.yml").read_text()


def test_every_python_that_takt_says_it_runs_on_is_in_the_matrix() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = [found[1] for text in project["classifiers"] if (found := re.search(r"Python :: (3\.\d+)$", text))]
    matrix = re.search(r"python: \[(.*)\]", WORKFLOW)
    assert matrix and re.findall(r"3\.\d+", matrix[1]) == said
    assert project["requires-python"] == f">={said[0]}"


def test_it_calls_targets_that_the_makefile_has() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"make (\w+)$", WORKFLOW, re.MULTILINE))
    assert called == {"test", "lint", "docs", "check"} <= targets
