from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import by_hand
import pytest

from takt.cli import main


@pytest.fixture
def paths(tmp_path: Path) -> Any:
    return str(by_hand.write(tmp_path / "day", alt_flights="8 01/01/08 15")), str(by_hand.write_plan(tmp_path / "plan"))


def test_show_says_what_the_airline_is_and_what_happened(paths: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flightdesk", "show", paths[0]]) == 0
    out = capsys.readouterr().out
    assert "01/01 08:00 to 02/01 04:00" in out and "flights delayed: 1, by 15 min" in out and "any number" in out
    assert main(["flightdesk", "show", paths[0], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["airline"]["passengers"] == 17 and len(told["happened"]) == 1


def test_check_names_violations_and_prices_the_plan(paths: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flightdesk", "check", *paths]) == 0
    out = capsys.readouterr().out
    assert "not valid: 1 violation" in out and "flight 8 of 01/01 was delayed to 01/01 22:45" in out and "total" in out
    assert main(["flightdesk", "check", *paths, "--json", "--require-valid"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (
        not told["valid"] and told["violations"][0]["rule"] == "given_delay" and told["violations"][0]["minute"] == 1350
    )
    assert told["cost"]["total"] == 0.0 and len(told["cost"]) == 11


@pytest.mark.parametrize("by", ["do-nothing", "greedy-delay"])
def test_a_baseline_is_written_and_checked(
    paths: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], by: Any
) -> None:
    out = str(tmp_path / "out")
    assert main(["flightdesk", "baseline", paths[0], "--by", by, "--out", out, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["valid"]
    assert main(["flightdesk", "check", paths[0], out, "--json", "--require-valid"]) == 0
    assert json.loads(capsys.readouterr().out) == made


def test_what_is_wrong_is_one_line(paths: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["flightdesk", "show", "nowhere"]) == 2
    assert main(["flightdesk", "check", paths[0], "nowhere"]) == 2
    (tmp_path / "plan" / "sol_itineraries.csv").write_text("99 A 100.0 4 cancelled\n#\n")
    assert main(["flightdesk", "check", *paths]) == 2
    (tmp_path / "plan" / "sol_itineraries.csv").write_text("1 A 100.0 4\n#\n")
    assert main(["flightdesk", "check", *paths]) == 2
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == "" and len(lines) == 4 and all(line.startswith("takt: ") for line in lines)
    assert "sol_itineraries.csv, line 1, booking: 99 is unknown" in lines[2] and "there are none" in lines[3]
