"""The outermost boundary: documented exit codes and one line, whatever happens inside."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from takt import Ledger, TaktError, run_shift
from takt.cli import main
from takt.contract.events import FAULT, UNIT_BAD, UNIT_GOOD
from takt.program import bounded
from toy import Toy, push

CART = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5"]
RUN = ["run", "gym", "--units", "3", *CART]


def exits(observation: Any) -> None:
    sys.exit(0)


def interrupts(observation: Any) -> None:
    raise KeyboardInterrupt


def closes(observation: Any) -> None:
    raise GeneratorExit


def recurses(observation: Any) -> Any:
    return recurses(observation)


class Exiting(BaseException):
    pass


def leaves(observation: Any) -> None:
    raise Exiting("and out")


class Hangs:
    """Does not come back from its third call; a class of the last resort catches whatever it can."""

    def begin(self, spec: Any, seed: Any) -> None:
        self.calls = 0

    def act(self, observation: Any) -> list[Any]:
        self.calls += 1
        if self.calls == 3:
            with suppress(Exception):
                time.sleep(60)
        return [0]

    def end(self) -> None: ...


class RaisesIn:
    """Raises what `kind` says where `where` says."""

    def __init__(self, where: Any = "begin", kind: Any = "SystemExit") -> None:
        self.where, self.kind = where, kind

    def _now(self, where: Any) -> None:
        if where == self.where:
            raise {
                "SystemExit": SystemExit(0),
                "KeyboardInterrupt": KeyboardInterrupt(),
                "ValueError": ValueError("no"),
            }[self.kind]

    def begin(self, spec: Any, seed: Any) -> None:
        self._now("begin")

    def act(self, observation: Any) -> list[Any]:
        return [0]

    def records(self) -> Any:
        self._now("records")
        return [{"odd": {1, 2}}] if self.where == "what is said" else []

    def keep_in(self, journal: Any) -> None:
        self._now("keep_in")

    def save(self) -> bytes:
        self._now("save")
        return b""

    def load(self, state: Any) -> None:
        self._now("load")

    def end(self) -> None:
        self._now("end")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])


def units(path: Any) -> Any:
    with Ledger.open(path) as book:
        return sum(event.kind in (UNIT_GOOD, UNIT_BAD) for event in book.events())


# --- what foreign code raises -------------------------------------------------------------------------------------


@pytest.mark.parametrize("worker", ["exits", "interrupts", "closes", "leaves", "recurses"])
def test_whatever_a_worker_raises_is_a_fault_that_is_told_and_the_shift_goes_on(
    worker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*RUN, "--worker", f"test_program:{worker}", "--out", "a.takt"]) == 2
    err = capsys.readouterr().err
    assert f"takt: worker 'test_program:{worker}' raised " in err and "test_program.py:" in err
    with Ledger.open("a.takt") as book:
        (fault,) = [event for event in book.events() if event.kind == FAULT]
        assert fault.data["name"] == "worker_raised" and "in " + worker in fault.data["traceback"]
        assert book.finished and units("a.takt") == 3


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt", "ValueError"])
@pytest.mark.parametrize("where", ["begin", "keep_in", "records", "save", "what is said"])
def test_whatever_a_worker_raises_elsewhere_is_one_line_and_not_the_end_in_silence(
    where: Any, kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["-w", f"where={where}", "-w", f"kind={kind}"]
    assert main([*RUN, "--worker", "test_program:RaisesIn", *options, "--out", "a.takt"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "fault of Takt's own" not in err
    assert ("cannot be written down" if where == "what is said" else f"raised in {where}: {kind}") in err


def test_what_a_worker_raises_at_its_end_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--worker", "test_program:RaisesIn", "-w", "where=end", "--out", "a.takt"]) == 0
    assert "raised in end: SystemExit" in capsys.readouterr().err and units("a.takt") == 3


@pytest.mark.parametrize(
    "raises", ["raise SystemExit(0)", "raise KeyboardInterrupt", "1/0", "import no_such_module", "x ="]
)
def test_a_module_that_raises_on_import_is_one_line(
    raises: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "odd_module.py").write_text(raises)
    sys.modules.pop("odd_module", None)
    assert main([*RUN, "--worker", "odd_module:Mine"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("takt: cannot import the worker 'odd_module:Mine': ") and err.count("\n") == 1


def test_a_station_that_raises_ends_the_shift_with_one_line_and_keeps_what_is_finished(tmp_path: Path) -> None:
    class Broken(Toy):
        def step(self, action: Any) -> Any:
            if self.period == 250:
                raise SystemExit(0)
            return super().step(action)

    with pytest.raises(TaktError, match=r"station 'toy' raised in step: SystemExit: 0 \(test_program.py:\d+\)"):
        run_shift(Broken(), push, units=9, ledger=tmp_path / "a.takt")
    assert units(tmp_path / "a.takt") == 2


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A distribution beside ours, whose station and worker cannot be imported, or are not even there."""
    folder = tmp_path / "plug-ins"
    about = folder / "odd_plugin-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[takt.stations]\nodd = odd_plugin:Station\ntorn = torn_plugin:Station\ngone = gone_plugin:Station\n"
        "[takt.workers]\nodd_one = odd_plugin:Worker\ntorn_one = torn_plugin:Worker\n"
    )
    (folder / "odd_plugin.py").write_text('"""Raises."""\nimport sys\nsys.exit(0)\n')
    (folder / "torn_plugin.py").write_text("def broken(:\n")
    monkeypatch.syspath_prepend(str(folder))
    for name in ("odd_plugin", "torn_plugin"):
        sys.modules.pop(name, None)


def test_plug_ins_that_raise_on_import_are_named_in_lists_and_one_line_elsewhere(
    plug_ins: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stations"]) == 0 and main(["workers"]) == 0
    out, err = capsys.readouterr()
    assert "Raises" in out and "torn  " in out and "cannot be read" in out and "nutcell" in out and err == ""
    for arguments in (
        ["stations", "odd"],
        ["run", "odd", "--worker", "idle", "--units", "1"],
        ["run", "torn", "--worker", "idle", "--units", "1"],
        ["stations", "gone"],
        [*RUN, "--worker", "odd_one"],
    ):
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and "cannot import" in err, err


# --- a worker that does not answer --------------------------------------------------------------------------------


def test_a_worker_that_does_not_answer_is_said_to_and_is_a_fault_if_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("takt.shift.calls.SILENT_S", 0.1)
    assert main([*RUN, "--worker", "test_program:Hangs", "--call-timeout", "0.5", "--out", "a.takt"]) == 2
    err = capsys.readouterr().err
    assert "has not answered for 0.1 s\n" in err
    assert "takt: worker 'test_program:Hangs' gave no answer within 0.5 s (at " in err
    with Ledger.open("a.takt") as book:
        assert book.finished and [event.data["name"] for event in book.events() if event.kind == FAULT] == [
            "worker_raised"
        ]
    assert main([*RUN, "--worker", "idle", "--call-timeout", "0"]) == 2
    assert "--call-timeout must be 0.001 s or more" in capsys.readouterr().err


def test_a_worker_apart_that_does_not_answer_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--isolate", "--call-timeout", "0.5", "--out", "a.takt"]
    assert main([*RUN, "--worker", "test_program:Hangs", *arguments]) == 2
    assert "gave no answer within 0.5 s (at " in capsys.readouterr().err and units("a.takt") == 3


# --- the boundary itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (TaktError("this is wrong"), 2, "this is wrong"),
        (TaktError("\x1b[33mthis\x1b[0m is wrong"), 2, "this is wrong"),
        (OSError(28, "No space left on device", "a.html"), 2, "cannot read or write a.html: No space left on device"),
        (MemoryError(), 2, "there is not enough memory"),
        (SystemExit(0), 2, "ended the program: SystemExit: 0"),
        (ZeroDivisionError("x\ny"), 2, "a fault of Takt's own: ZeroDivisionError: x y (test_program.py:"),
    ],
)
def test_what_comes_out_of_a_command_is_one_line_and_a_documented_code(
    error: Any, code: Any, says: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise error

    assert bounded(work) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("takt: ") and err.count("\n") == 1 and says in err


def takt(*arguments: Any, **given: Any) -> Any:
    """The program in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "takt.program", *map(str, arguments)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        **given,
    )


def test_a_stdout_that_is_full_or_not_there_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, station_options={"id": "CartPole-v1", "takt_s": 0.5}, ledger=path)
    full = os.open("/dev/full", os.O_WRONLY)
    waiting = {
        "full": takt("ledger", "events", path, stdout=full),
        "closed": takt("kpis", path, preexec_fn=lambda: os.close(1)),
    }
    said = {"full": "cannot write to stdout: No space left"}
    for what, process in waiting.items():
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 2 and err.count("\n") == 1 and said.get(what, "stdout is closed") in err, (
            what,
            err,
        )


@pytest.mark.parametrize(
    "read, arguments, code",
    [
        (0, ["--help"], 0),  # as a page by rich
        (1, ["run", "--help"], 0),  # of which some is read, and the rest is flushed at the end
        (0, ["kpis", "a.takt"], 141),
        (0, ["ls", "a.takt"], 141),
        (0, ["ledger", "events", "a.takt", "--json"], 141),  # by print
        (0, ["kpis", "no.takt"], 2),  # what is wrong is said all the same
    ],
)
def test_output_that_is_read_as_far_as_wanted_is_no_error(
    read: int, arguments: list[str], code: int, tmp_path: Path
) -> None:
    run_shift("gym", "idle", units=2, station_options={"id": "CartPole-v1", "takt_s": 0.5}, ledger=tmp_path / "a.takt")
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)  # so that it cannot all be written before the reader leaves
    process = takt(*arguments, stdout=write_end)
    os.close(write_end)
    assert not read or os.read(read_end, read)
    os.close(read_end)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == code and err.count("\n") == (code == 2), err


def test_ctrl_c_at_any_moment_is_exit_code_130_and_one_line(tmp_path: Path) -> None:
    def default() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored in a shell's background

    at = [0.15, 0.4, 0.8]  # s after the start: among the imports, most likely
    arguments = ["run", "gym", "--worker", "idle", "--hours", "50", *CART, "--out"]
    began = [
        takt(*arguments, tmp_path / f"{n}.takt", stdout=subprocess.PIPE, preexec_fn=default) for n in range(len(at))
    ]
    start = time.monotonic()
    for wait_s, process in zip(at, began, strict=True):
        time.sleep(max(0.0, start + wait_s - time.monotonic()))
        process.send_signal(signal.SIGINT)
    for process in began:
        err = process.communicate(timeout=60)[1]
        # Before the first line of the program, Python itself ends by the signal.
        assert (
            process.returncode == 130 and "Traceback" not in err and "interrupted" in err
        ) or process.returncode == -2


# --- how fast it is there -----------------------------------------------------------------------------------------


def test_neither_the_package_nor_the_help_imports_what_is_heavy() -> None:
    """What costs the time, and not the time, which depends on the machine: benchmarks/startup.py prints that."""
    heavy = "{'numpy', 'scipy', 'gymnasium', 'mujoco', 'matplotlib', 'duckdb', 'pydantic', 'numba'} & set(sys.modules)"
    code = f"import sys, takt; first = {heavy}; from takt.cli import main; main(['--help']); print(first, {heavy})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.stdout.splitlines()[-1] == "set() set()" and "flightdesk" in ran.stdout, ran.stderr


def test_a_name_that_there_is_not_is_met_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {
        ("stations", "nutcel"): "no station named 'nutcel', did you mean 'nutcell'?",
        (
            "run",
            "gym",
            "--worker",
            "idel",
            "--units",
            "1",
        ): "no worker named 'idel' for station 'gym', did you mean 'idle'?",
        ("run", "gym", "--wroker", "idle"): "did you mean --worker?",
        ("reprot", "a.takt"): "did you mean report?",
    }
    for arguments, says in wrong.items():
        assert main([*arguments]) == 2
        err = capsys.readouterr().err
        assert says in err and err.count("\n") == 1, err


# --- what it is like ----------------------------------------------------------------------------------------------


def test_on_forty_columns_every_figure_is_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([*RUN, "--worker", "idle", "--out", "a.takt"]) == 0
    capsys.readouterr()
    assert main(["kpis", "a.takt", "--json"]) == 0
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["kpis", "a.takt"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 40 and "\u2026" not in out
    assert '"units": 3' in wide and "Takt attainment" in out and "bound" in out


def test_a_worker_that_breaks_its_contract_at_once_gets_a_line_and_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--worker", "test_cli:wrong_shape", "--out", "a.takt"]) == 2
    out, err = capsys.readouterr()
    assert out == "no unit has ended; ledger: a.takt\n" and err.count("answered with") == 1


def test_the_bill_of_a_shift_without_a_model_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--worker", "idle", "--out", "a.takt"]) == 0
    capsys.readouterr()
    assert main(["bill", "a.takt"]) == 0
    assert capsys.readouterr().out == "no model was asked in this shift, so there is no bill\n"
