from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from takt import Ledger, run_shift
from takt.cli import main
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.judge.verdict import verdict
from takt.ledger.pack import pack, unpack
from takt.show.screen import Gauge
from takt.show.watch import Watch
from toy import Toy, push

CART = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5", "-o", "success=return>=10"]  # half of idle's units are good


class Sways:
    """Pushes at random, with a memory that is saved; takes `sleep_s` to think about it, or what SLEEP_S says."""

    def __init__(self, sleep_s: Any = 0.0) -> None:
        self.sleep_s = sleep_s

    def begin(self, spec: Any, seed: Any) -> None:
        self.rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> list[Any]:
        time.sleep(float(os.environ.get("SLEEP_S", self.sleep_s)))
        return [int(self.rng.integers(2))]

    def end(self) -> None: ...

    def save(self) -> Any:
        return pack(self.rng.bit_generator.state)

    def load(self, state: Any) -> None:
        self.rng.bit_generator.state = unpack(state)


class Raises(Sways):
    """Raises at every ninth call, and prints where JSON is to be."""

    calls = 0

    def act(self, observation: Any) -> Any:
        print("thinking")
        self.calls += 1
        if self.calls % 9 == 0:
            raise ValueError("no\nidea")
        return super().act(observation)


def loud(observation: Any) -> Any:
    print("by python")
    os.write(1, b"by the file\n")
    subprocess.run(["echo", "by a process"], check=True)
    return right(observation)


def nan(observation: Any) -> Any:
    return float("nan")


def wrong_shape(observation: Any) -> list[Any]:
    return [0, 1]


def right(observation: Any) -> int:
    return 1


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def shift(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["run", "gym", "--worker", "test_cli:Sways", "--units", "8", *CART, "--out", "a.takt"]) == 0
    capsys.readouterr()
    return "a.takt"


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """What was printed as JSON, and to stderr."""
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    return json.loads(out), err


def units(path: Any) -> Any:
    with Ledger.open(path) as book:
        return sum(event.kind in (UNIT_GOOD, UNIT_BAD) for event in book.events())


def started(*arguments: Any, sleep_s: Any = 0.0, **given: Any) -> Any:
    """The program in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "SLEEP_S": str(sleep_s)}
    command = [sys.executable, "-m", "takt.cli", *map(str, arguments)]
    given["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored in a shell's background
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **pipes, **given)


# --- what is printed --------------------------------------------------------------------------------------------------


def test_a_shift_says_its_verdict_first_then_the_figures_then_what_to_do_next(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("takt.shift.work.PROGRESS_S", 0.0)
    assert main(["run", "gym", "--worker", "test_cli:right", "--units", "40", *CART[:-1], "success=return>=12"]) == 0
    out, err = capsys.readouterr()
    path = "shifts/gym-test_cli-right-seed0.takt"
    order = ["REJECT", "required 90.0 %", "Run@Rate", path, f"takt report {path}", f"takt replay {path} --unit "]
    assert [out.index(text) for text in order] == sorted(out.index(text) for text in order)
    assert "\x1b" not in out + err and max(len(line) for line in out.splitlines()) <= 80
    assert 10 <= len(err.splitlines()) <= 20 and re.search(r"^0:00:\d\d  2 of 40 units, \d good", err)
    assert "40 of 40 units" in err.splitlines()[-1] and "bound" in err.splitlines()[-1]


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--units", "8", "--seed", "5", *CART, "--json"]
    assert main(["run", "gym", "--worker", "test_cli:Raises", *arguments]) == 2
    shift, err = told(capsys)
    assert shift["ledger"] == "shifts/gym-test_cli-Raises-seed5.takt" and shift["ended"] == "units"
    assert shift["kpis"]["units"] == shift["verdict"]["units"] == 8 and shift["verdict"]["decision"] == "undecided"
    assert shift["broken"] and all("raised ValueError: no idea" in line for line in shift["broken"])
    assert "takt: worker 'test_cli:Raises' raised ValueError: no idea (at" in err
    assert main(["kpis", shift["ledger"], "--json"]) == 2
    assert told(capsys)[0] == shift


def test_json_is_alone_on_stdout_whatever_a_worker_writes_there_and_however() -> None:
    done = started("run", "gym", "--worker", "test_cli:loud", "--units", "2", *CART, "--json")
    out, err = done.communicate(timeout=120)
    assert json.loads(out)["ended"] == "units" and done.returncode == 0
    assert all(way in err for way in ("by python", "by the file", "by a process"))


def test_a_ledger_is_never_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    for number in ("", "-2", "-3"):
        assert main(["run", "gym", "--worker", "idle", "--units", "1", *CART, "--json"]) == 0
        assert told(capsys)[0]["ledger"] == f"shifts/gym-idle-seed0{number}.takt"
    before = Path("shifts/gym-idle-seed0.takt").read_bytes()
    taken = ["--out", "shifts/gym-idle-seed0.takt"]
    assert main(["run", "gym", "--worker", "idle", "--units", "1", *CART, *taken]) == 2
    assert "exists already; resume it with `takt resume" in capsys.readouterr().err
    assert Path("shifts/gym-idle-seed0.takt").read_bytes() == before


def test_options_and_defaults_are_in_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-o", "hold=1", "-w", "sleep_s=0", "--seed", "3", "--hours", "0.001", "--units", "3"]
    assert main(["run", "gym", "--worker", "test_cli:Sways", *CART, *options, "--out", "a.takt"]) == 0
    capsys.readouterr()
    assert main(["ledger", "show", "a.takt", "--json"]) == 0
    meta, _ = told(capsys)
    assert (
        meta["options"]["success"] == "return>=10" and meta["options"]["takt_s"] == 0.5 and meta["options"]["hold"] == 1
    )
    assert meta["worker_options"] == {"sleep_s": 0} and meta["clock"] == "fixed:0.08" and meta["seed"] == 3
    assert meta["units"] == 3 and meta["hours"] == 0.001 and meta["units_ended"] == 3 and meta["ended"] == "units"
    assert main(["ledger", "show", "a.takt"]) == 0
    assert "fixed:0.08" in capsys.readouterr().out


def test_exit_codes_of_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    easy = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5", "-o", "success=return>=1", "--hours", "1", "--stop-early"]
    assert main(["run", "gym", "--worker", "idle", *easy, "--require-accept", "--json"]) == 0
    shift, _ = told(capsys)
    assert shift["verdict"]["decision"] == "accept" and shift["ended"] == "verdict"
    assert main(["run", "gym", "--worker", "idle", *CART, "--units", "30", "--require-accept", "--json"]) == 1
    shift, _ = told(capsys)
    assert shift["verdict"]["decision"] == "reject"
    assert main(["kpis", shift["ledger"], "--json"]) == 0
    assert main(["kpis", shift["ledger"], "--json", "--require-accept"]) == 1
    assert main(["resume", shift["ledger"], "--json", "--require-accept"]) == 1


def test_stations_and_workers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stations"]) == 0
    out = capsys.readouterr().out
    assert "nutcell" in out and "Any Gymnasium environment as a station" in out
    assert main(["stations", "--json"]) == 0
    assert {"gym", "nutcell"} <= {station["name"] for station in told(capsys)[0]["stations"]}
    assert main(["stations", "gym", "--json"]) == 0
    station = told(capsys)[0]
    assert main(["stations", "nutcell", "--json"]) == 0
    assert told(capsys)[0]["options"]["line"] == "single", "also those that a plain shift's ledger leaves out"
    assert station["takt_s"] == 10 and station["options"]["id"] == "CartPole-v1" and station["faults"] == {}
    assert main(["stations", "gym"]) == 0
    assert "id=CartPole-v1" in capsys.readouterr().out
    assert main(["workers", "--json"]) == 0
    assert "nutcell.expert" in [worker["name"] for worker in told(capsys)[0]["workers"]]
    assert main(["workers", "nutcell"]) == 0
    out = capsys.readouterr().out
    assert re.search("^expert ", out, re.MULTILINE) and re.search("^idle ", out, re.MULTILINE)
    assert main(["workers", "gym", "--json"]) == 0
    assert [worker["name"] for worker in told(capsys)[0]["workers"]] == ["idle", "llm", "mcp", "person"]


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"takt \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)
    assert main(["version"]) == 0
    assert re.match(r"takt \d+\.\d+\.\d+\S*, Python 3\.\d+\.\d+, .*\nextras: .*nutcell", capsys.readouterr().out)
    assert main(["version", "--json"]) == 0
    assert told(capsys)[0]["extras"]["nutcell"] is True
    for arguments in ([], ["--help"], ["run", "--help"], ["ledger", "-h"], ["replay", "-h"]):
        assert main(arguments) == 0
        assert "Usage: takt" in capsys.readouterr().out


def test_the_ledger_is_looked_into(shift: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(shift) as book:
        events, digest = book.events(), book.digest()
    assert main(["ledger", "digest", shift]) == 0
    assert capsys.readouterr().out == digest + "\n"
    assert main(["ledger", "digest", shift, "--json"]) == 0
    assert told(capsys)[0] == {"digest": digest}
    assert main(["ledger", "events", shift, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["t_s"], line["kind"], line["unit"]) for line in lines] == [(e.t_s, e.kind, e.unit) for e in events]
    assert main(["ledger", "events", shift, "--unit", "3"]) == 0
    assert capsys.readouterr().out.split()[:3] == ["1.50", "3", "unit_due"]
    assert main(["ledger", "events", shift, "--kind", "shift_ended"]) == 0
    assert capsys.readouterr().out.split() == [f"{events[-1].t_s:.2f}", "shift_ended", '{"reason":"units"}']


def test_report_and_replay(shift: Any, capsys: pytest.CaptureFixture[str]) -> None:
    mine = ["--worker", "test_cli:Sways"]
    assert main(["report", shift, "--work-again", *mine]) == 0
    assert capsys.readouterr() == ("report: a.html\n", "") and Path("a.html").read_text().count("<img") > 0
    assert main(["report", shift, "--out", "b.html", "--no-pictures", "--json"]) == 0
    assert told(capsys)[0] == {"report": "b.html"} and Path("b.html").read_text().count("<img") == 0
    assert main(["replay", shift, "--unit", "2", "--out", "u2.mp4", "--speed", "0.5", *mine]) == 0
    assert re.match(r"replay: u2.mp4 \([\d.]+ s, \d+ pictures\)", capsys.readouterr().out) and Path("u2.mp4").exists()
    assert main(["replay", shift, "--unit", "3", *mine, "--json"]) == 0
    film, _ = told(capsys)
    assert film["path"] == "a-u3.mp4" and film["same"] is True and film["frames"] > 0
    assert sorted(path.name for path in Path().iterdir()) == ["a-u3.mp4", "a.html", "a.takt", "b.html", "u2.mp4"]


# --- what is given wrong ----------------------------------------------------------------------------------------------

IDLE = ["run", "gym", "--worker", "idle"]
DESK = ["run", "flightdesk", "--worker", "idle", "--units", "1"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "nowhere", "--worker", "idle", "--units", "1"], "no station named 'nowhere'; the stations here are: "),
        (["run", "gym", "--worker", "nobody", "--units", "1"], "no worker named 'nobody' for station 'gym'"),
        (["run", "gym", "--worker", "no_such:Worker", "--units", "1"], "cannot import the worker 'no_such:Worker'"),
        (["run", "gym", "--worker", "test_cli:none", "--units", "1"], "cannot import the worker 'test_cli:none'"),
        (["run", "gym", "--worker", "test_cli:CART", "--units", "1"], "is not a worker"),
        (IDLE, "a shift needs a length: give hours or units"),
        ([*IDLE, "--hours", "-3"], "a shift cannot last -3 hours"),
        ([*IDLE, "--hours", "nan"], "a shift cannot last nan hours"),
        ([*IDLE, "--hours", "three"], "--hours"),
        ([*IDLE, "--units", "0"], "a shift cannot have 0 units"),
        ([*IDLE, "--units", "1.5"], "--units"),
        ([*IDLE, "--units", "1", "--seed", "-1"], "the seed cannot be -1"),
        ([*IDLE, "--units", "1", "--clock", "sundial"], "no clock is called 'sundial'"),
        ([*IDLE, "--units", "1", "--fault", "flood~1/h"], "cannot have the fault 'flood'"),
        ([*IDLE, "--units", "1", "-o", "id"], "--option 'id' is not KEY=VALUE"),
        ([*IDLE, "--units", "1", "-o", "id=Nope-v0"], "cannot open the environment 'Nope-v0'"),
        ([*IDLE, "--units", "1", "-w", "size=3"], "worker 'idle' has no options"),
        ([*DESK, "-o", "flights=ten"], "station 'flightdesk' has flights='ten'; it must be a whole number"),
        ([*DESK, "-o", "authority=maybe"], "station 'flightdesk' has authority='maybe'; it must be true or false"),
        ([*DESK, "-o", "takt_s=null"], "station 'flightdesk' has takt_s=None; it must be a number"),
        ([*DESK, "-o", "scenario=7"], "station 'flightdesk' has scenario=7; it must be a text"),
        ([*DESK, "-o", "flight=7"], "no option 'flight', did you mean 'flights'?; its options are: scenario, "),
        (
            [*IDLE, "--units", "1", "--difficulty", "hellish"],
            "station 'gym' with CartPole-v1 has no option 'difficulty'",
        ),
        (
            [*IDLE, "--units", "1", "-o", "idd=CartPole-v1"],
            "no option 'idd', did you mean 'id'?; its options are: id, ",
        ),
        ([*IDLE, "--units", "1", "-o", "sutton_barto_rewards=1"], "did you mean 'sutton_barto_reward'?"),
        ([*IDLE, "--units", "1", "-o", "id=A", "-o", "id=B"], "--option gives id twice, 'A' and 'B'; give it once"),
        ([*IDLE, "--units", "1", "-w", "a=1", "-w", "a=2"], "--worker-option gives a twice, '1' and '2'; give it once"),
        (
            ["compare", "--station", "gym", "--worker", "idle,idle", "-w", "2:a=1", "-w", "2:a=1", "--units", "1"],
            "gives a twice",
        ),
        (["run", "gym", "--worker", "idel"], "no worker named 'idel' for station 'gym', did you mean 'idle'?"),
        ([*IDLE, "--call-timeout", "1e300"], "--call-timeout must be 31,536,000 s at most, not '1e300'"),
        ([*IDLE, "-w", "size=3"], "worker 'idle' has no options"),
        ([*DESK, "--scenario", "gulf-2062"], "did you mean 'gulf-2026'?"),
        (
            ["run", "gym", "--worker", "llm", "--units", "1", "-w", "modle=x"],
            "did you mean 'model'?; its options are: mo",
        ),
        (["kpis", "note.txt"], "there is no ledger note.txt, did you mean notes.txt?"),
        (
            ["flightdesk", "situation", "note.txt"],
            "cannot read note.txt: No such file or directory, did you mean notes",
        ),
        (["fleet", "run", "--plan", "x.toml"], "PLAN has no name before it: `takt fleet run PLAN`, without --plan"),
        ([*IDLE, "--units", "1", "--out", "notes.txt/a.takt"], "cannot write the ledger"),
        (["run", "gym", "--units", "1"], "--worker"),
        (["run"], "STATION"),
        (["rum"], "rum"),
        (["run", "gym", "--wroker", "idle"], "--wroker"),
        (["stations", "nowhere"], "no station named 'nowhere'"),
        (["workers", "nowhere"], "no station named 'nowhere'"),
        (["resume", "none.takt"], "there is no ledger none.takt"),
        (["resume", "notes.txt"], "notes.txt is not a ledger"),
        (["kpis", "notes.txt"], "notes.txt is not a ledger"),
        (["report", "notes.txt"], "notes.txt is not a ledger"),
        (["replay", "notes.txt", "--unit", "1"], "notes.txt is not a ledger"),
        (["ledger", "digest", "."], "there is no ledger ."),
        (["ledger", "events", "none.takt"], "there is no ledger none.takt"),
        (["ledger"], "ommand"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_given_wrong_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: Any, line: Any, as_json: Any
) -> None:
    Path("notes.txt").write_text("not a ledger, but long enough to look like a file of some kind\n" * 20)
    assert main([*arguments, "--json"] if as_json and len(arguments) > 1 else arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("takt: ") and err.count("\n") == 1 and line in err, err
    assert [path.name for path in Path().iterdir()] == ["notes.txt"]


def test_a_workers_file_that_is_no_python_is_named_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("unfinished.py").write_text("import os\ndef (:\n")
    assert main(["run", "gym", "--worker", "unfinished:Worker", "--units", "1"]) == 2
    err = capsys.readouterr().err
    assert "cannot import the worker 'unfinished:Worker': unfinished.py, line 2 is no Python: " in err
    assert err.count("\n") == 1


def test_a_unit_that_is_not_there_and_a_film_that_is_no_mp4(shift: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", shift, "--unit", "99"]) == 2
    assert "unit 99 has not ended in a.takt; it has units 0 to 7" in capsys.readouterr().err
    assert main(["replay", shift, "--unit", "1", "--out", "u.gif"]) == 2
    assert "call it u.mp4" in capsys.readouterr().err
    assert main(["report", shift, "--out", shift]) == 2
    assert "cannot write a.takt: it is what is read" in capsys.readouterr().err


@pytest.mark.parametrize(("worker", "said"), [("nan", "nan"), ("wrong_shape", "[0, 1]")])
def test_a_worker_that_breaks_its_contract_ends_the_shift_and_the_ledger_is_readable(
    capsys: pytest.CaptureFixture[str], worker: Any, said: Any
) -> None:
    assert main(["run", "gym", "--worker", f"test_cli:{worker}", "--units", "3", *CART, "--out", "a.takt"]) == 2
    err = capsys.readouterr().err
    assert (
        err.startswith(f"takt: worker 'test_cli:{worker}' answered with action 0 of 1 that is not in") and said in err
    )
    assert err.count("\n") == 1
    assert main(["kpis", "a.takt", "--json"]) == 2
    assert told(capsys)[0]["ended"] == "broken_plan"


def test_a_worker_that_raises_is_down_and_the_shift_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "gym", "--worker", "test_cli:Raises", "--hours", "0.1", *CART, "--out", "a.takt"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("takt: ")]
    assert len(lines) == 4 and lines[0].startswith("takt: worker 'test_cli:Raises' raised ValueError: no idea (at ")
    assert re.fullmatch(r"takt: and \d+ more times", lines[3])
    assert main(["kpis", "a.takt", "--json"]) == 2
    shift, _ = told(capsys)
    assert shift["ended"] == "time" and shift["kpis"]["units"] == 720 and shift["kpis"]["downtime_s"] > 100


# --- cut off ----------------------------------------------------------------------------------------------------------

CUT = ["--worker", "test_cli:Sways", "--units", "60", "--seed", "2", *CART, "--out", "cut.takt"]


def begun(units_ended: Any = 3) -> Any:
    """A shift in a process of its own that has got so far."""
    process = started("run", "gym", *CUT, sleep_s=0.02)
    while not Path("cut.takt").exists() or units("cut.takt") < units_ended:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


def whole_digest() -> Any:
    """Of the same shift, not cut off."""
    options = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}
    given: dict[str, Any] = {"clock": "fixed:0.08", "station_options": options}
    return run_shift("gym", "test_cli:Sways", units=60, seed=2, **given).digest


GO_ON = "takt resume cut.takt --worker test_cli:Sways"  # a worker by import is named again


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_shift_says_how_to_go_on(how: Any, capsys: pytest.CaptureFixture[str]) -> None:
    process = begun()
    process.send_signal(how)
    out, err = process.communicate(timeout=20)
    ended = units("cut.takt")
    assert process.returncode == 130 and out == "" and 3 <= ended < 60
    assert err.splitlines()[-1] == f"takt: interrupted after {ended} units; go on with `{GO_ON}`"
    assert "Traceback" not in err and [path.name for path in Path().iterdir()] == ["cut.takt"]
    assert main(["kpis", "cut.takt"]) == 0
    assert GO_ON in capsys.readouterr().out
    assert main([*GO_ON.split()[1:], "--json"]) == 0
    assert told(capsys)[0]["digest"] == whole_digest()


def test_a_shift_killed_twice_goes_on_to_the_same_digest(capsys: pytest.CaptureFixture[str]) -> None:
    process = begun()
    process.kill()
    process.communicate()
    process = started(*GO_ON.split()[1:])
    while units("cut.takt") < 10:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert units("cut.takt") < 60
    process = started(*GO_ON.split()[1:])
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "60 of 60 units" in err
    assert main(["ledger", "digest", "cut.takt"]) == 0
    assert capsys.readouterr().out.strip() == whole_digest()


def test_two_cannot_work_on_one_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    process = begun()
    try:
        assert main(["resume", "cut.takt"]) == 2
        assert "another process is working on cut.takt" in capsys.readouterr().err
        assert main(["kpis", "cut.takt", "--json"]) == 0, "but it can be read"
    finally:
        process.kill()
        process.communicate()


# --- the screen -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 140])
def test_a_running_shift_on_a_terminal(width: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("takt.shift.work.PROGRESS_S", 0.0)
    monkeypatch.setattr("takt.draw.live.DRAW_S", 0.0)
    calls = iter(range(10**6))
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    with Watch(console) as watch:
        seen = []

        def show(progress: Any) -> None:
            seen.append(progress)
            if next(calls) % 100 == 50:
                new = [event for one in seen for event in one.new_events]
                watch(type(progress)(progress.now_s, progress.now_s / 20, progress.units, progress.good, new))
                seen.clear()

        run_shift(Toy(), push, units=30, faults=["jam@00:01:00"], on_progress=show)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    last = text[text.rindex("╭") :]
    assert {len(line) for line in last.replace("\r", "").splitlines() if line} == {min(width, 110)}, (
        "nothing is wrapped"
    )
    for said in (
        "push at toy, seed 0",
        "29 of 30 units",
        "takt left   4.9 s",
        "20.0",
        "x real time",
        "required 70.0 %",
    ):
        assert said in last
    assert "bad: spoiled" in last and "fault: jam" in text and re.search(r"about 0:00:0\d left", last)


def test_the_gauge_shows_where_the_bound_is() -> None:
    shift = run_shift(Toy(spoil=0.0), push, units=20)
    out = StringIO()
    judged = verdict(shift.events)
    Console(file=out, width=60, color_system=None).print(Gauge(judged))
    low, line, high = re.fullmatch(r"(\d+ %) (.*) (100 %)\n", out.getvalue()).groups()
    lower = float(low[:-2]) / 100
    required = round((0.7 - lower) / (1 - lower) * (len(line) - 1))
    assert line[required] == "┃" and line[-1] == "●" and set(line) <= set("─━●┃") and len(low + line + high) + 2 == 60


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = StringIO()
    with Watch(Console(file=out, width=80, force_terminal=True)) as watch:
        run_shift(Toy(), push, units=3, on_progress=watch)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", out.getvalue())


# --- what is imported -------------------------------------------------------------------------------------------------


def test_the_core_imports_no_heavy_packages() -> None:
    heavy = [
        "torch",
        "mujoco",
        "scipy.stats",
        "matplotlib",
        "av",
        "PIL",
        "jinja2",
        "pygame",
        "jax",
        "tensorflow",
        "pandas",
    ]
    code = f"import sys, takt, takt.cli; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def _children_s() -> Any:
    """Processor time of the processes that were waited for: what else the machine does hardly counts in it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["stations"], ["workers"]])
def test_it_answers_at_once(arguments: Any) -> None:
    took = []
    for _ in range(3):
        before = _children_s()
        started(*arguments).communicate()
        took.append(_children_s() - before)
    assert min(took) < 1.5, "about 0.5 s"
