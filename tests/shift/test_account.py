"""What a station has to say of a shift beside its units: printed after the KPIs, and never in the way."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from takt import Fault, Shift, run_shift
from takt.cli import main
from takt.contract.events import UNIT_GOOD
from takt.contract.station import Account, Accounting, Figure, Section
from takt.draw import plots
from takt.shift.account import account_of, costs_at, sections_of
from takt.show.report import write_report
from toy import Toy, push


class Counting(Toy):
    """Tells how many units were good, and with which seed and faults it was reset."""

    def account(self, events: Any) -> Any:
        good = sum(event.kind == UNIT_GOOD for event in events)
        told = f"seed {self.seed}, {len(self.faults)} faults, {self.now:g} s"
        return Account([Figure("pushed", "Levers pushed", str(good), "", told)], {"pushed": good}, self.sections)

    def sections(self) -> list[Any]:
        drawn = plots.plot("levers", 100, lambda figure, wide: figure.text(0.5, 0.5, "a lever <i>"))
        return [Section("Levers & piles", "As they were <pushed>.", drawn)]


class Failing(Counting):
    def account(self, events: Any) -> None:
        raise ValueError("no\npencil")


class Undrawn(Counting):
    def sections(self) -> None:
        raise ValueError("no paint")


class Silent(Toy):
    """Has nothing to say, and need not be opened to find that out."""

    def __init__(self, **options: Any) -> None:
        if "asked" in options:
            raise AssertionError
        super().__init__(**options)


def made(**options: Any) -> Any:
    """A station that is registered as a function."""
    return Counting(**options)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Any:
    def register(name: Any) -> None:
        points = [EntryPoint("toy", f"test_account:{name}", "takt.stations")]
        monkeypatch.setattr("takt.contract.registry.entry_points", lambda group: points)

    return register


def worked(tmp_path: Path, station: Any = None) -> Any:
    fog = Fault("fog", 12.0, 3.0)
    return run_shift(station or Toy(), push, units=6, seed=7, faults=[fog], ledger=tmp_path / "a.takt")


def test_a_station_says_more_after_the_kpis(
    tmp_path: Path, registered: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    registered("Counting")
    shift = worked(tmp_path)
    good = sum(event.kind == UNIT_GOOD for event in shift.events)
    assert main(["kpis", str(shift.path)]) == 0
    out, err = capsys.readouterr()
    assert out.index("Run@Rate") < out.index("Levers pushed") < out.index("takt report") and err == ""
    assert "seed 7, 1 faults, 0 s" in out, "it was reset with the shift's seed and faults, and nothing more was done"
    assert main(["kpis", str(shift.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["account"] == {"pushed": good}


def test_the_report_has_its_figures_and_sections(tmp_path: Path, registered: Any) -> None:
    registered("Counting")
    text = write_report(worked(tmp_path).path, pictures=False).read_text()
    order = ["Cycle times against the takt", "Levers &amp; piles", "a lever &lt;i&gt;", "All figures", "Levers pushed"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert text.count("<svg") == 10 and "As they were &lt;pushed&gt;." in text


def test_a_station_registered_as_a_function_is_asked_too(tmp_path: Path, registered: Any) -> None:
    registered("made")
    account = account_of(worked(tmp_path))
    assert isinstance(Counting(), Accounting) and account is not None and account.values["pushed"] > 0


def test_a_station_with_nothing_to_say_changes_nothing_and_is_not_even_opened(
    tmp_path: Path, registered: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    registered("Silent")
    shift = worked(tmp_path)
    shift.meta["options"]["asked"] = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert account_of(shift) is None and sections_of(None) == ()
    assert main(["kpis", str(shift.path), "--json"]) == 0
    assert "account" not in json.loads(capsys.readouterr().out)
    assert write_report(shift.path, pictures=False).read_text().count("<svg") == 8


def test_a_station_whose_module_says_that_it_has_none_is_not_even_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quiet(ModuleType):
        ACCOUNTS = False

        def __getattr__(self, name: Any) -> None:
            raise AssertionError(f"{name} was asked for")

    monkeypatch.setitem(sys.modules, "quiet", Quiet("quiet"))
    points = [EntryPoint("toy", "quiet:Station", "takt.stations")]
    monkeypatch.setattr("takt.contract.registry.entry_points", lambda group: points)
    shift = worked(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert account_of(shift) is None and costs_at("toy") is None


def test_figures_of_a_shift_at_the_nut_cell_import_no_physics() -> None:
    code = (
        "import sys; from takt.shift.account import costs_at; from takt.contract.registry import accounts, stations\n"
        "assert costs_at('nutcell') is None and not accounts(stations()['nutcell'])\n"
        "import takt.judge.kpi, takt.judge.verdict\n"
        "print(*{'mujoco', 'mink', 'scipy.stats'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_a_station_that_is_not_registered_has_no_account(tmp_path: Path) -> None:
    assert account_of(worked(tmp_path, Counting())) is None


@pytest.mark.parametrize("name", ["Failing", "NotThere"])
def test_an_account_that_fails_is_one_warning_and_the_result_stands(
    tmp_path: Path, registered: Any, capsys: pytest.CaptureFixture[str], name: Any
) -> None:
    registered(name)
    shift = worked(tmp_path)
    assert main(["kpis", str(shift.path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["kpis"]["units"] == 6 and "account" not in json.loads(out)
    assert err.startswith("takt: warning: no account of station 'toy': ") and err.count("\n") == 1
    assert main(["report", str(shift.path), "--no-pictures"]) == 0
    assert "no account of station" in capsys.readouterr().err


def test_sections_that_cannot_be_drawn_leave_the_figures(tmp_path: Path, registered: Any) -> None:
    registered("Undrawn")
    with pytest.warns(UserWarning, match="sections cannot be drawn: ValueError: no paint"):
        text = write_report(worked(tmp_path).path, pictures=False).read_text()
    assert "Levers pushed" in text and text.count("<svg") == 8


def test_a_shift_still_running_has_an_account_too(tmp_path: Path, registered: Any) -> None:
    registered("Counting")
    shift = worked(tmp_path)
    cut = Shift(shift.events[:4], shift.meta, shift.path, [], "")
    account = account_of(cut)
    assert account is not None and account.values["pushed"] <= 1
