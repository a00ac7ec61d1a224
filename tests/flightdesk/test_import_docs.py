"""The worked example of docs/flightdesk-import.md: its commands run, and print what it says."""

from __future__ import annotations

import os
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from takt.cli import main
from takt.stations.flightdesk.airline.imports.problems import Problems
from takt.stations.flightdesk.airline.imports.ssim import text_of
from takt.stations.flightdesk.airline.imports.ssim_read import parse

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "flightdesk-import.md"


def blocks() -> list[Any]:
    parts = PAGE.read_text(encoding="utf-8").split("```")[1::2]
    return [part.partition("\n")[2] for part in parts]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder from where docs/ is seen as from the project's."""
    os.symlink(ROOT / "docs", tmp_path / "docs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_commands_run_and_print_what_the_page_says(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    commands, printed, *_ = blocks()
    first, *others = [shlex.split(line) for line in commands.splitlines()]
    assert main(first[1:]) == 0
    assert capsys.readouterr().out == printed
    assert len(others) == 3
    for takt, *words in others:
        shorter = ["--bound", "1"] if "recover" in words else []  # not the 20 s that it takes unless told
        assert takt == "takt" and main([*words, *shorter]) == 0, words
    out = capsys.readouterr().out
    assert "A319#1 unavailable" in out and "report: plan/report.html" in out and "\nvalid\n" in out


def test_the_examples_broken_lines_are_as_the_page_shows(here: Any, capsys: pytest.CaptureFixture[str]) -> None:
    command, *_ = blocks()
    broken = (here / "docs/flightdesk-import/disruptions.csv").read_text().replace("2026-01-07,", "7 January,")
    (here / "disruptions.csv").write_text(broken)
    words = shlex.split(command.splitlines()[0].replace("docs/flightdesk-import/disruptions.csv", "disruptions.csv"))
    assert main(words[1:]) == 2
    said = capsys.readouterr().err
    shown, counted = blocks()[2].split("...\n")
    assert said.startswith(shown) and said.endswith(counted) and len(said.splitlines()) == 6
    assert not (here / "day").exists()


def test_the_examples_schedule_is_written_as_it_was_read_and_its_defaults_are_the_files(here: Any) -> None:
    schedule = (ROOT / "docs/flightdesk-import/schedule.ssim").read_text()
    problems = Problems()
    assert text_of(parse(schedule, "schedule.ssim", problems)) == schedule and not problems.found
    shown = next(block for block in blocks() if block.startswith("[types]"))
    assert tomllib.loads(shown) == tomllib.loads((ROOT / "docs/flightdesk-import/own.toml").read_text())
