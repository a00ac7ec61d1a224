"""Every command with what goes wrong around it: documented exit codes (docs/cli.md), one line, nothing lost or left."""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import by_hand
import pytest

import takt.cli
from takt import run_shift
from takt.cli import main
from takt.cli.registered import all_loaded

CART = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5"]
CODES = (0, 1, 2, 130)

DAYS = ["--from", "2026-01-07T15:00Z", "--to", "2026-01-08T15:00Z"]
MADE_OF = ["--schedule", "{}", "--aircraft", "{}", "--bookings", "{}"]

# Every command that reads a file or folder, with "{}" where that goes.
READS = {
    "check": ["check", "{}"],
    "resume": ["resume", "{}"],
    "repeat": ["repeat", "{}"],
    "bill": ["bill", "{}"],
    "kpis": ["kpis", "{}"],
    "watch": ["watch", "{}"],
    "transcript": ["transcript", "{}"],
    "units": ["units", "{}"],
    "report": ["report", "{}"],
    "replay": ["replay", "{}", "--unit", "0"],
    "export": ["export", "{}", "out.jsonl", "--format", "trl"],
    "compare": ["compare", "{}", "{}"],
    "verdict": ["verdict", "{}"],
    "verify": ["verify", "{}"],
    "mine": ["mine", "{}", "--out", "mined"],
    "sign": ["sign", "{}", "--key", "text"],
    "flightdesk import": [
        *["flightdesk", "import", "imported", "--from", "2026-01-07T15:00Z", "--to", "2026-01-08T15:00Z"],
        *MADE_OF,
    ],
    "flightdesk export": ["flightdesk", "export", "{}", "exported"],
    "fleet run": ["fleet", "run", "{}"],
    "fleet resume": ["fleet", "resume", "{}"],
    "fleet plan": ["fleet", "plan", "{}"],
    "fleet status": ["fleet", "status", "{}"],
    "fleet watch": ["fleet", "watch", "{}"],
    "fleet stop": ["fleet", "stop", "{}"],
    "fleet table": ["fleet", "table", "{}"],
    "fleet page": ["fleet", "page", "{}"],
    "query": ["query", "SELECT 1", "{}"],
    "ledger show": ["ledger", "show", "{}"],
    "ledger digest": ["ledger", "digest", "{}"],
    "ledger events": ["ledger", "events", "{}"],
    "flightdesk show": ["flightdesk", "show", "{}"],
    "flightdesk check": ["flightdesk", "check", "{}", "{}"],
    "flightdesk baseline": ["flightdesk", "baseline", "{}"],
    "flightdesk bound": ["flightdesk", "bound", "{}"],
    "flightdesk recover": ["flightdesk", "recover", "{}", "--out", "plan", "--seconds", "1"],
    "flightdesk situation": ["flightdesk", "situation", "{}"],
    "flightdesk situation --fares": ["flightdesk", "situation", "{}", "--fares"],
    "flightdesk situation --overflights": [
        *["flightdesk", "situation", "{}", "--overflights", "--from", "2026-02-28", "--to", "2026-03-01"]
    ],
}
RECOVER = ["flightdesk", "recover", "day", "--seconds", "0", "--searchers", "1", "--bound", "0"]
IMPORT = [
    *["flightdesk", "import", "--from", "2008-01-01T08:00Z", "--to", "2008-01-02T04:00Z", "--schedule"],
    *["files/schedule.ssim", "--aircraft", "files/aircraft.csv", "--bookings", "files/bookings.csv"],
]
# Every command that writes where the user says, with "{}" where that goes; nothing of the user's may be there after it.
WRITES = {
    "run": ["run", "gym", "--worker", "idle", "--units", "1", *CART, "--out", "{}"],
    "serve": ["serve", "flightdesk", "--mcp", "--units", "1", "--out", "{}"],
    "repeat": ["repeat", "a.takt", "--out", "{}"],
    "report": ["report", "a.takt", "--no-pictures", "--out", "{}"],
    "report --format": ["report", "a.takt", "--format", "junit", "--out", "{}"],
    "units": ["units", "a.takt", "--csv", "--out", "{}"],
    "units --parquet": ["units", "a.takt", "--parquet", "--out", "{}"],
    "replay": ["replay", "a.takt", "--unit", "0", "--out", "{}"],
    "export": ["export", "a.takt", "{}", "--format", "trl"],
    "compare": ["compare", "a.takt", "c.takt", "--out", "{}"],
    "flightdesk generate": [
        "flightdesk",
        "generate",
        "{}",
        "--flights",
        "120",
        "--aircraft",
        "20",
        "--bookings",
        "600",
    ],
    "flightdesk baseline": ["flightdesk", "baseline", "day", "--out", "{}"],
    "flightdesk recover": [*RECOVER, "--out", "{}"],
    "flightdesk import": [*IMPORT, "--out", "{}"],
    "flightdesk export": ["flightdesk", "export", "day", "--out", "{}"],
    "flightdesk situation": ["flightdesk", "situation", "flights.csv", "--out", "{}"],
    "train flightdesk": ["train", "flightdesk", "--model", "none", "--data", "text", "--out", "{}"],
    "train nutcell": ["train", "nutcell", "--out", "{}", "--smoke"],
    "train inspection": ["train", "inspection", "--out", "{}", "--smoke"],
}
# Those that print, and need nothing but the ledger a.takt.
PRINTS = {
    "stations": ["stations"],
    "stations NAME": ["stations", "gym"],
    "workers": ["workers"],
    "--version": ["--version"],
    "version": ["version"],
    "--help": ["--help"],
    "run": ["run", "gym", "--worker", "idle", "--units", "1", *CART, "--out", "b.takt"],
    "resume": ["resume", "a.takt"],
    "repeat": ["repeat", "a.takt"],
    "kpis": ["kpis", "a.takt"],
    "kpis --json": ["kpis", "a.takt", "--json"],
    "ls": ["ls", "."],
    "watch": ["watch", "a.takt"],
    "transcript": ["transcript", "a.takt"],
    "units": ["units", "a.takt"],
    "report --format": ["report", "a.takt", "--format", "markdown"],
    "report": ["report", "a.takt", "--no-pictures"],
    "compare": ["compare", "a.takt", "c.takt"],
    "verdict": ["verdict", "a.takt"],
    "plan": ["plan", "--rate", "90.2%"],
    "check": ["check", "gym", *CART],
    "check --worker": ["check", "gym", *CART, "--worker", "idle", "--units", "1", "--json"],
    "verify": ["verify", "a.takt"],
    "bill": ["bill", "a.takt"],
    "flightdesk show": ["flightdesk", "show", "day"],
    "flightdesk check": ["flightdesk", "check", "day", "plan"],
    "flightdesk baseline": ["flightdesk", "baseline", "day"],
    "flightdesk baseline --out": ["flightdesk", "baseline", "day", "--out", "made", "--json"],
    "flightdesk bound": ["flightdesk", "bound", "day", "--rounds", "0"],
    "flightdesk recover": [*RECOVER, "--out", "made"],
    "flightdesk import": [*IMPORT, "--out", "made"],
    "flightdesk import --show-defaults": ["flightdesk", "import", "--show-defaults"],
    "flightdesk export": ["flightdesk", "export", "day", "--out", "made"],
    "flightdesk situation": ["flightdesk", "situation", "flights.csv"],
    "flightdesk situation --json": ["flightdesk", "situation", "flights.csv", "--json"],
    "ledger show": ["ledger", "show", "a.takt"],
    "ledger digest": ["ledger", "digest", "a.takt"],
    "ledger events": ["ledger", "events", "a.takt"],
}


def every_command() -> list[Any]:
    """The words of every command that there is, from the program's own tree: a new one cannot be forgotten."""

    def walk(group: Any, words: Any) -> Iterator[Any]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, [*words, name])
            else:
                yield " ".join([*words, name])

    return sorted(walk(all_loaded(takt.cli.typer.main.get_command(takt.cli.app)), []))


EVERY = every_command()


FLIGHTS = """date,origin,dest,sched_dep_time,dep_time
2026-03-01,A,B,600,601
2026-03-01,A,C,700,
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the commands read, made once: two short shifts, an airline's day with a plan and its files, flights."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("a", "c"):
        options = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=1"}
        path = folder / f"{name}.takt"
        run_shift("gym", "idle", units=2, station_options=options, ledger=path, worker_name=None)
    by_hand.write(folder / "day")
    by_hand.write_plan(folder / "plan")
    assert main(["flightdesk", "export", str(folder / "day"), "--out", str(folder / "files")]) == 0
    (folder / "flights.csv").write_text(FLIGHTS)
    (folder / "folder").mkdir()
    (folder / "text").write_text("not what is read\n")
    (folder / "locked").write_text("x")
    return folder


@pytest.fixture(autouse=True)
def here(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


MINE = ("config.csv", "config.json", "sol_rotations.csv", "schedule.ssim", "index.html")


class Broken(io.TextIOWrapper):
    """A stdout that takes nothing any more: full, or a pipe whose reader has left."""

    def __init__(self, number: Any) -> None:
        read_end, write_end = os.pipe() if number == 32 else (-1, os.open(os.devnull, os.O_WRONLY))
        if number == 32:
            os.close(read_end)
        super().__init__(io.BufferedWriter(io.FileIO(write_end, "w")), encoding="utf-8")
        self.number = number

    def write(self, text: Any) -> None:
        raise OSError(self.number, os.strerror(self.number))


def state() -> dict[str, Any]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path().rglob("*")}


@pytest.mark.parametrize("what", ["missing", "folder", "text", "/dev/null"])
@pytest.mark.parametrize("command", READS)
def test_what_is_no_such_file_is_one_line_and_nothing_is_written(
    command: Any, what: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state()
    assert main([argument.format(what) for argument in READS[command]]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("takt: ") and err.count("\n") == 1, err
    assert "fault of Takt's own" not in err and Path(what).name in err, err
    assert state() == before


@pytest.mark.parametrize("number", [28, 32], ids=["full disk", "closed pipe"])
@pytest.mark.parametrize("command", PRINTS)
def test_a_stdout_that_takes_nothing_is_exit_code_2_and_one_whose_reader_left_is_no_error(
    command: Any, number: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(number))
    code = main(PRINTS[command])
    monkeypatch.undo()
    err = capsys.readouterr().err
    assert "Traceback" not in err and "fault of Takt's own" not in err
    if number == 32:  # as SIGPIPE would have ended it
        assert code == 141 and "cannot write" not in err, err
    else:
        assert code == 2 and f"takt: cannot write to stdout: {os.strerror(number)}" in err, err


@pytest.mark.parametrize("number", [28, 32], ids=["full disk", "closed pipe"])
@pytest.mark.parametrize("words", EVERY)
def test_no_help_goes_to_a_stdout_that_takes_nothing(
    words: Any, number: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*words.split(), "--help"]
    monkeypatch.setattr(sys, "argv", ["takt", *arguments])
    monkeypatch.setattr(sys, "stdout", Broken(number))
    code = main(arguments)
    monkeypatch.undo()
    err = capsys.readouterr().err
    expected = (0, "") if number == 32 else (2, f"takt: cannot write to stdout: {os.strerror(number)}\n")
    assert (code, err) == expected, err


@pytest.mark.parametrize("what", ["text", "folder", "/dev/full"])
@pytest.mark.parametrize("command", WRITES)
def test_what_is_there_and_is_not_takts_is_not_written_over(
    command: Any, what: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file or a device where a folder is due, a folder where a file is due, a file of another kind."""
    if (
        what == "folder"
    ):  # an empty one is what some of them need: the user's own files are in it, by the names of theirs
        for name in MINE:
            (Path("folder") / name).write_text("mine")
    before = state()
    assert main([argument.format(what) for argument in WRITES[command]]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith("takt: "), err
    assert "fault of Takt's own" not in err and "Traceback" not in err
    after = state()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("room", [0, 4096], ids=["full", "full soon"])
@pytest.mark.parametrize("command", [name for name in WRITES if not name.startswith(("serve", "train"))])
def test_a_disk_that_is_full_is_exit_code_2_and_leaves_nothing_half_written(
    command: Any, room: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file may grow beyond `room` bytes (RLIMIT_FSIZE), as if the disk were full there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = state()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        code = main([argument.format("new") for argument in WRITES[command]])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    err = capsys.readouterr().err
    if code == 0 and room:  # all that it writes is small
        assert {name: data for name, data in state().items() if not name.startswith("new")} == before
        return
    assert code == 2 and err.splitlines()[-1].startswith("takt: "), err
    assert "fault of Takt's own" not in err and "Traceback" not in err
    if command == "flightdesk recover" and Path("new").exists():  # a plan that is whole stays, without its report
        assert main(["flightdesk", "check", "day", "new", "--require-valid"]) == 0
        shutil.rmtree("new")
    assert state() == before


BUSY = {  # commands that work for a while, by what they write
    "check": ["check", "gym", *CART],
    "report": ["report", "a.takt", "--no-pictures", "--out", "made.html"],
    "export": ["export", "a.takt", "made.jsonl", "--format", "trl"],
    "flightdesk generate": [*WRITES["flightdesk generate"][:2], "made", *WRITES["flightdesk generate"][3:]],
    "flightdesk check": ["flightdesk", "check", "day", "plan"],
    "flightdesk baseline": ["flightdesk", "baseline", "day", "--out", "made"],
    "flightdesk bound": ["flightdesk", "bound", "day", "--rounds", "0"],
    "flightdesk recover": [*RECOVER, "--out", "made"],
    "flightdesk import": [*IMPORT, "--out", "made"],
    "flightdesk export": ["flightdesk", "export", "day", "--out", "made"],
    "flightdesk situation": ["flightdesk", "situation", "flights.csv", "--out", "made"],
}


def interrupted_after(calls: Any, words: Any) -> Any:
    """The exit code of a command that Ctrl-C comes to after so many calls of Takt's own functions; how many came."""
    made = 0

    def look(frame: Any, event: Any, _: Any) -> None:
        nonlocal made
        if event == "call" and "/src/takt/" in frame.f_code.co_filename:
            made += 1
            if made == calls:
                sys.setprofile(None)
                signal.raise_signal(signal.SIGINT)

    sys.setprofile(look)
    try:
        return main(words), made
    finally:
        sys.setprofile(None)


@pytest.fixture
def heeds_interrupts() -> Iterator[Any]:
    """A shell lets what it starts in the background ignore SIGINT, and this whole suite may be started so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("command", BUSY)
def test_an_interrupt_in_the_middle_is_exit_code_130_and_nothing_half_written(
    command: Any, heeds_interrupts: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def undo() -> None:
        for path in Path().glob("made*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    interrupted_after(-1, BUSY[command])  # imports are behind us then
    undo()
    before = state()
    _, calls = interrupted_after(-1, BUSY[command])
    whole = state()
    for share in (0.3, 0.9):
        undo()
        capsys.readouterr()
        code, _ = interrupted_after(int(share * calls), BUSY[command])
        err = capsys.readouterr().err
        assert code == 130 and err.splitlines()[-1].startswith("takt: interrupted"), err
        assert "Traceback" not in err and "fault of Takt's own" not in err
        after = state()
        assert {name: after[name] for name in before} == before
        assert not [name for name in after if name not in whole], "something was left that no whole run leaves"


@pytest.mark.parametrize("command", EVERY)
def test_an_interrupt_is_exit_code_130_and_one_line(
    command: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signal comes when the command has been found and is about to begin: as early as it can be told apart."""
    begin = takt.cli.typer.main.get_command

    def interrupted(app: Any) -> Any:
        program = begin(app)
        monkeypatch.setattr(program, "make_context", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
        return program

    monkeypatch.setattr(takt.cli.typer.main, "get_command", interrupted)
    before = state()
    assert main(command.split()) == 130
    assert capsys.readouterr().err == "takt: interrupted\n" and state() == before


def test_every_command_there_is_is_walked() -> None:
    """Help and interrupts walk the tree. A command that reads, writes or prints belongs into the tables above."""
    known = {name.split(" --")[0].split(" NAME")[0] for name in [*READS, *WRITES, *PRINTS]} - {"--version", "--help"}
    # board serves, check-model asks a server, ledger copy has stores: tests of their own. serve-policy has a folder for
    # a file below; the last take no file.
    others = {"check-model", "board", "serve-policy", "ledger copy", "flightdesk world", "flightdesk compile"}
    assert set(EVERY) - known - others == set() and known <= set(EVERY)


@pytest.mark.parametrize("what", ["missing.onnx", "folder.onnx"])
def test_a_policy_that_is_no_file_is_not_served(what: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder.onnx").mkdir()
    assert main(["serve-policy", "--worker", what]) == 2 and what in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["compare", "--station", "gym", "--workers", "idle,idle"], "--worker"),
        (["compare", "--station", "gym", "--worker", "idle", "--folder=x"], "--ledgers"),
        (["export", "a.takt", "out.jsonl", "--format", "trl", "--option", "kind=prompts"], "--format-option"),
        (["serve", "flightdesk", "--mcp", "--ledger=a.takt"], "--out"),
        (["train", "nutcell", "--folder", "x"], "--out"),
        (["train", "flightdesk", "--model", "m", "--out", "x", "--teacher", "greedy"], "--worker"),
        (["flightdesk", "generate", "x", "--preset", "two-hubs"], "--scenario"),
    ],
)
def test_an_option_by_its_old_name_is_refused_by_a_line_that_names_the_new(
    old: Any, new: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(old) == 2
    err = capsys.readouterr().err
    assert err.endswith(f"is called {new} now: a name means the same in every command\n") and err.count("\n") == 1


def test_the_worker_of_serve_policy_is_given_by_name_as_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve-policy", "expert"]) == 2
    assert "is given by name now: --worker expert" in capsys.readouterr().err
    assert main(["serve-policy"]) == 2 and "needs --worker" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (["run", "gym", "--worker", "idle", *CART, "--out", ""], "--out"),
        (["run", "gym", "--worker", "idle", *CART, "--out="], "--out"),
        (["run", "gym", "--worker", " ", "--units", "1"], "--worker"),
        (["kpis", ""], "kpis"),
        (["report", "a.takt", "--out", ""], "--out"),
        (["flightdesk", "recover", "", "--out", "plan"], "recover"),
        (["compare", "a.takt", ""], "a.takt"),
    ],
)
def test_an_empty_word_is_no_path_and_no_name(words: Any, after: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What is left of a variable that is not set: as a path, it would be the folder one is in."""
    before = state()
    assert main(words) == 2 and state() == before
    assert (
        capsys.readouterr().err == f"takt: there is nothing after {after} but an empty word; is a variable not set?\n"
    )


def test_what_was_given_fills_no_screen(capsys: pytest.CaptureFixture[str]) -> None:
    digits = "9" * 5000
    for words in (
        ["run", "gym", "--worker", "idle", "--seed", digits],
        ["run", "gym", "--worker", "idle", "--seed", f"x{digits}"],
        ["run", "gym", "--worker", "idle", "--seed", f"-{digits}"],
        ["run", "gym", "--worker", "idle", "--units", digits],
        ["run", "gym", "--worker", digits, "--units", "1", *CART],
        ["run", "gym", "--worker", "idle", "--units", "1", *CART, "--fault", f"x~{digits}/h"],
        ["run", "gym", "--worker", "idle", "--units", "1", "-o", f"id={digits}"],
        ["compare", "--station", "gym", "--worker", "idle,idle", "--seeds", digits],
        ["plan", "--rate", digits],
        ["stations", digits],
        ["kpis", digits],
        [digits],
    ):
        assert main(words) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and len(err) < 1500, (words[:-1], len(err))


NAMES = {  # what is written to, and who works, is called so in every command that has it
    "--out": {
        "run",
        "serve",
        "repeat",
        "report",
        "replay",
        "export",
        "compare",
        "train flightdesk",
        "train inspection",
        "train nutcell",
        "units",
        "mine",
        "fleet table",
        "fleet page",
    }
    | {f"flightdesk {name}" for name in ("generate", "import", "export", "world", "baseline", "recover", "situation")},
    "--option": {"run", "check", "resume", "repeat", "verify", "report", "replay", "compare", "serve", "serve-policy"}
    | {"train flightdesk"},
    "--worker": {"run", "check", "serve-policy", "resume", "repeat", "verify", "report", "replay", "export", "compare"}
    | {"transcript"}
    | {"train flightdesk"},
}
OTHER_NAMES = {
    "--output",
    "--output-dir",
    "--dir",
    "--folder",
    "--to-file",
    "--ledger",
    "--workers",
    "--teacher",
    "--preset",
}


def commands() -> Iterator[Any]:
    program = all_loaded(takt.cli.typer.main.get_command(takt.cli.app))
    for words in EVERY:
        command = program
        for word in words.split():
            command = command.commands[word]
        yield words, command


def test_the_same_thing_has_the_same_name_in_every_command() -> None:
    named = {words: {name for param in command.params for name in param.opts} for words, command in commands()}
    for name, having in NAMES.items():
        assert {words for words, names in named.items() if name in names} == having
    assert not [(words, names & OTHER_NAMES) for words, names in named.items() if names & OTHER_NAMES]


def test_a_place_to_write_to_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "a.takt", "--format", "trl"]) == 2
    assert "say where to write to: --out" in capsys.readouterr().err
    assert main(["export", "a.takt", "x", "--out", "y", "--format", "trl"]) == 2
    assert "both x and --out y are given" in capsys.readouterr().err
    assert main(["flightdesk", "generate", "--out", "made", "--flights", "120", "--aircraft", "20"]) == 0
    assert Path("made/config.csv").exists()


def test_flags_are_shown_as_flags(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["run"], ["flightdesk", "recover"]):
        assert main([*words, "--help"]) == 0
        out = capsys.readouterr().out
        assert "bool" not in out and ("--json" in out or not words)
    assert main(["stations", "gym"]) == 0
    assert "privileged=false  (a flag: true or false)" in " ".join(capsys.readouterr().out.split(" "))
