"""What was compiled is known for the sources that it was compiled from, and for no others."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

from takt.stations.flightdesk.airline.recovery import compiled


def at(folder: Path, name: str = "compiled") -> Any:
    """The module as it lies in another folder."""
    spec = spec_from_file_location(f"{name}_elsewhere", folder / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_another_checkout_and_another_installation_are_not_taken_for_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba keeps machine code by the path and the time of its source; else a searcher would compile in its time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = Path(compiled.__file__).parent
    for name in ("one", "two"):
        for file in (*source.glob("*.py"), *source.parent.glob("*.py")):
            to = tmp_path / name / file.relative_to(source.parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to)
    first, second = (tmp_path / name / source.name for name in ("one", "two"))
    one, two = at(first), at(second)
    assert one.FOLDER == two.FOLDER, "of the same contents"
    one.FOLDER.mkdir(parents=True)
    one.mark_kept()
    assert one.kept() and at(first).kept() and not two.kept()
    written = (first / "search.py").stat()
    os.utime(first / "search.py", ns=(written.st_atime_ns, written.st_mtime_ns + 10**9))
    assert not one.kept(), "installed anew"
    shorter = (second.parent / "instance.py").read_text(encoding="utf-8").replace("CONNECTION = 30", "CONNECTION = 20")
    (second.parent / "instance.py").write_text(shorter, encoding="utf-8")
    assert at(second).FOLDER != one.FOLDER, "a number that is built in"


def test_where_numba_is_told_to_keep_code_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    here = at(Path(compiled.__file__).parent)
    assert here.FOLDER.parent == tmp_path / "numba" and not here.kept()
    assert here._folder() == here.FOLDER
    here.mark_kept()
    assert here.kept()


@pytest.mark.parametrize("asked", [["--cold"], ["--cold", "--seconds", "15"]])
def test_the_benchmark_from_an_empty_cache_compiles_before_it_stops_what_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Any
) -> None:
    """Else "searching" is compiling, on a machine where nobody has compiled."""
    benchmark, done = at(Path(__file__).parents[2] / "benchmarks", "recovery"), []
    monkeypatch.setattr(benchmark.subprocess, "run", lambda command, **_: done.append(command[-1]))
    monkeypatch.setattr(benchmark, "cold", lambda *_: done.append("cold"))
    monkeypatch.setattr(sys, "argv", ["recovery.py", str(tmp_path), *asked])
    benchmark.main()
    assert done == ["compile", "cold"]


def test_code_for_another_processor_is_not_taken_for_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container's image, or a home that two machines share."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = Path(compiled.__file__).parent
    here = at(source)
    here.FOLDER.mkdir(parents=True)
    here.mark_kept()
    assert at(source).kept()
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert not at(source).kept()
