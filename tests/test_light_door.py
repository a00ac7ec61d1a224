"""The core is light: what is missing is said in one line, with the extra that has it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from takt.distribution import install, lacking

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
HEAVY = (
    "mujoco",
    "mink",
    "qpsolvers",
    "onnxruntime",
    "numba",
    "airportsdata",
    "duckdb",
    "openai",
    "mcp",
    "pyarrow",
    "av",
)
# Runs takt with these packages gone, as after a plain install.
LIGHT = """
import sys
from importlib.abc import MetaPathFinder
class Gone(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in %r:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone())
from takt.program import main
sys.exit(main())
"""


def light(*words: str) -> subprocess.CompletedProcess[str]:
    code = [sys.executable, "-c", LIGHT % (HEAVY,), *words]
    return subprocess.run(code, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("station", ["nutcell", "flightdesk"])
def test_a_station_whose_extra_is_missing_names_it_in_one_line(station: str) -> None:
    done = light("run", station, "--worker", "idle", "--units", "1")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"this needs the extra `{station}`: {install(station)}" in done.stderr


def test_a_shift_its_figures_and_its_report_need_the_core_only(tmp_path: Path) -> None:
    ledger = str(tmp_path / "a.takt")
    for words in (
        ("run", "gym", "--worker", "idle", "--units", "3", "--clock", "lockstep", "--out", ledger),
        ("kpis", ledger),
        ("report", ledger),
        ("verify", ledger),
        ("check", "gym"),
        ("workers",),
        ("stations",),
    ):
        done = light(*words)
        assert done.returncode == 0, (words, done.stderr)


def test_a_film_without_its_encoder_names_the_extra(tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    ledger = str(tmp_path / "a.takt")
    assert light("run", "gym", "--worker", "idle", "--units", "1", "--out", ledger).returncode == 0
    done = light("replay", ledger, "--unit", "0", "--out", str(tmp_path / "a.mp4"))
    assert done.returncode == 2 and f"this needs the extra `export`: {install('export')}" in done.stderr
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(("module", "extra"), [("duckdb", "situation"), ("mcp.server", "llm"), ("pyarrow", "export")])
def test_the_hint_is_read_from_what_we_are_distributed_with(module: str, extra: str) -> None:
    assert lacking(ModuleNotFoundError(name=module)) == f"this needs the extra `{extra}`: {install(extra)}"


def test_a_module_that_no_extra_has_is_no_hint() -> None:
    assert lacking(ModuleNotFoundError(name="somebodys_own")) == "" == lacking(ImportError("partially initialised"))


def test_all_is_all_that_a_user_may_want() -> None:
    named = set(EXTRAS["all"][0].partition("[")[2].rstrip("]").split(","))
    assert named == EXTRAS.keys() - {"all", "dev", "bench", "docs"}


def test_what_is_registered_can_be_asked_for_also_when_a_package_has_taken_the_name() -> None:
    """`takt.stations` is a function and a package, and so is `takt.workers`."""
    code = (
        "import takt.stations.gym as g, takt.workers.idle as i\n"
        "from takt import stations, workers\n"
        "assert 'gym' in stations() and 'idle' in workers('gym') and 'nutcell.vla' in workers()\n"
        "assert g.GymStation and i.Idle and takt.stations.gym is g"
    )
    subprocess.run([sys.executable, "-c", "import takt\n" + code], check=True)
    subprocess.run([sys.executable, "-c", "import takt\ntakt.stations()\n" + code], check=True)
