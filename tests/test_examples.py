from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env

from takt import Ledger, resume_shift, run_shift

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_own_worker(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "own_worker.py"), run_name="__main__")
    assert "lockstep: 10 of 10 units good" in capsys.readouterr().out


def test_own_station(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "own_station.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert "careful: 72 bottles good, 0 bad" in out and "blind: 7 bottles good, 65 bad" in out


@pytest.mark.filterwarnings("ignore")  # the checker has opinions on bounds and on render modes
def test_own_station_is_a_gymnasium_environment_that_can_be_resumed(tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "own_station.py"))
    station, careful = example["Filling"](), example["careful"]
    station.spec.entry_point = example["Filling"]  # the checker makes another one
    check_env(station, skip_render_check=True)
    whole = run_shift(station, careful, units=6)

    class Interrupted(example["Filling"]):  # type: ignore[misc, name-defined, valid-type]
        def step(self, action: Any) -> Any:
            if self.periods == 210:
                raise KeyboardInterrupt
            return super().step(action)

    with pytest.raises(KeyboardInterrupt):
        run_shift(Interrupted(), careful, units=6, ledger=tmp_path / "a.takt")
    with Ledger.open(tmp_path / "a.takt") as ledger:
        assert not ledger.finished
    assert resume_shift(tmp_path / "a.takt", station=station, worker=careful).digest == whole.digest
