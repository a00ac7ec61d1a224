"""CONTRIBUTING.md alone: its station, its worker and its command, registered as it says, checked, and worked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from takt import Ledger, kpis
from takt.cli import main

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()


def blocks(language: str) -> list[str]:
    parts = [block.partition("\n") for block in PAGE.split("```")[1::2]]
    return [code for opening, _, code in parts if opening == language]


PROJECT = tomllib.loads(blocks("toml")[0])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's modules with the metadata that its pyproject.toml asks for, in a folder on Python's path.

    setuptools is not in every environment of developers, so the entry points are written as it would write them.
    """
    station, worker = blocks("python")
    (tmp_path / "parcels.py").write_text(station)
    (tmp_path / "clerk.py").write_text(worker)
    project = PROJECT["project"]
    about = tmp_path / f"{project['name']}-{project['version']}.dist-info"
    about.mkdir()
    named = f"Name: {project['name']}\nVersion: {project['version']}\n"
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\n{named}")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (about / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_station_has_two_tools_and_a_fault_in_under_sixty_lines() -> None:
    station = blocks("python")[0]
    assert len(station.splitlines()) < 60
    assert station.count("@TOOLS.tool(") == 2 and station.count("FaultKind(") == 1


def test_the_page_prints_all_of_the_pyproject_that_pip_needs() -> None:
    assert PROJECT["project"].keys() == {"name", "version", "entry-points"}
    saved = re.findall(r"Save (?:it|this) as `(\w+)\.py`", PAGE)
    assert PROJECT["tool"]["setuptools"]["py-modules"] == saved == ["parcels", "clerk"]
    modules = dict(zip(saved, blocks("python"), strict=True))
    for points in PROJECT["project"]["entry-points"].values():
        for module, _, name in (value.partition(":") for value in points.values()):
            assert re.search(rf"^(?:class|def) {name}\b", modules[module], re.MULTILINE)
    assert "python -m pip install --no-deps --editable .\n" in blocks("")


def test_the_pages_commands_check_it_and_work_a_shift_there(installed: Path, capsys: pytest.CaptureFixture) -> None:
    commands = [line.split()[1:] for line in blocks("")[-1].splitlines()]
    assert [words[0] for words in commands] == ["check", "run", "parcels"]
    check, run, postage = commands
    assert main(check) == 0
    told = capsys.readouterr().out
    assert "BROKEN" not in told
    assert "kept    it goes on: interrupted after 1 of 2 units" in told, "no rule is left out for want of units"
    assert main([*run, "--out", "a.takt"]) == 0
    with Ledger.open("a.takt") as ledger:
        figures = kpis(ledger.events())
    assert figures.units == figures.good == 20 and figures.faults_by_name == {"scale_down": 1}
    capsys.readouterr()
    assert main(postage) == 0
    assert capsys.readouterr().out == "3\n"
