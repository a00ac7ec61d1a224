"""Nothing that a stranger's ledger names is opened: each case is a ledger made to run code, send a secret or delete."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from takt import Ledger, TaktError, open_worker, repeat_shift, resume_shift, run_shift, steps_of_unit
from takt.cli import main
from takt.contract.events import Event
from takt.export import export
from takt.ledger.trust import Named, NotNamed, check_named, same_option, words_again
from takt.shift.result import Shift
from takt.show.report import write_report
from takt.show.report.pictures import pictures_of

CART = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}


class Mine:
    """A worker by import: `made` counts how often it was opened."""

    made = 0

    def __init__(self) -> None:
        Mine.made += 1

    def begin(self, spec: Any, seed: Any) -> None: ...

    def act(self, observation: Any) -> list[Any]:
        return [0]

    def end(self) -> None: ...


def altered(path: Any, **meta: Any) -> Any:
    """The ledger with another meta, as a stranger would write it."""
    with sqlite3.connect(path) as book:
        for key, value in meta.items():
            book.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(value), key))
    book.close()
    return path


def cut(path: Any) -> Any:
    """As if it had been killed: it can be resumed."""
    with sqlite3.connect(path) as book:
        book.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")
    book.close()
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=3, seed=1, station_options=CART, ledger=path)
    return path


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module on the path that leaves a file when it is imported, and an environment's name that imports it."""
    folder = tmp_path / "modules"
    folder.mkdir()
    ran = tmp_path / "ran"
    (folder / "stranger.py").write_text(
        f"open({str(ran)!r}, 'w').close()\ndef work(observation): return 0\nclass Work: ...\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    yield ran
    sys.modules.pop("stranger", None)


EVERY_WAY = ["resume", "repeat", "replay", "report", "report --work-again", "kpis", "show", "export", "unit", "serve"]


def by(way: Any, path: Any) -> Any:
    """Every command that reads a ledger, as the user of the command line calls it. Returns its exit code."""
    out = path.parent / "out"
    commands = {
        "resume": ["resume", str(cut(path)) if way == "resume" else str(path)],
        "repeat": ["repeat", str(path)],
        "replay": ["replay", str(path), "--unit", "1", "--out", f"{out}.mp4"],
        "report": ["report", str(path), "--out", f"{out}.html"],
        "report --work-again": ["report", str(path), "--work-again", "--out", f"{out}.html"],
        "kpis": ["kpis", str(path)],
        "show": ["ledger", "show", str(path)],
        "export": ["export", str(path), f"{out}.jsonl", "--format", "trl"],
        "serve": ["serve", "gym", "--mcp", "--out", str(path)],
    }
    if way == "unit":
        with pytest.raises(TaktError):
            list(steps_of_unit(path, 1))
        return 2
    return main(commands[way])


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("worker", ["subprocess:Popen", "stranger:work", "stranger:Work", "os:system"])
def test_a_worker_that_a_ledger_names_by_import_is_never_opened(
    ledger: Any, marker: Any, way: Any, worker: Any
) -> None:
    options = {"args": ["touch", str(marker)]} if "Popen" in worker else {}
    altered(ledger, worker=worker, worker_options=options)
    assert by(way, ledger) in ((0, 2) if way in ("kpis", "show", "report", "report --work-again") else (2,))
    assert not marker.exists() and "stranger" not in sys.modules


@pytest.mark.parametrize("way", EVERY_WAY)
def test_an_environment_that_a_ledger_names_by_import_is_never_opened(ledger: Any, marker: Any, way: Any) -> None:
    altered(ledger, options={**CART, "id": "stranger:Env-v0"})
    assert by(way, ledger) in ((0, 2) if way in ("kpis", "show", "report", "report --work-again") else (2,))
    assert not marker.exists()


@pytest.mark.parametrize("value", ["/etc/hostname", "../x.xml", "model.xml", "a:b", {"a": ["x:y"]}])
def test_a_path_for_an_environment_is_named_again(ledger: Any, value: Any) -> None:
    altered(cut(ledger), options={**CART, "xml_file": value})
    with pytest.raises(NotNamed, match=r"-o '?xml_file="):
        resume_shift(ledger)


@pytest.mark.parametrize("way", ["kpis", "show", "report"])
def test_reading_opens_no_worker_at_all(ledger: Any, monkeypatch: pytest.MonkeyPatch, way: Any) -> None:
    def opened(*given: Any, **more: Any) -> None:
        raise AssertionError("a worker was opened")

    monkeypatch.setattr("takt.contract.worker.made_by", opened)
    assert by(way, ledger) == 0


def test_what_is_named_again_is_opened_and_only_as_the_ledger_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.takt"
    whole = run_shift("gym", "test_trust:Mine", units=4, seed=1, station_options=CART, ledger=path)
    before = Mine.made
    with pytest.raises(NotNamed, match="name it again: --worker test_trust:Mine"):
        repeat_shift(path)
    with pytest.raises(TaktError, match="of worker 'test_trust:Mine', not of 'idle'"):
        repeat_shift(path, worker="idle")
    assert Mine.made == before
    assert repeat_shift(path, worker="test_trust:Mine").digest == whole.digest
    assert repeat_shift(path, named=Named(trust=True)).digest == whole.digest
    assert Mine.made == before + 2
    cut(path)
    assert main(["resume", str(path)]) == 2
    assert "name it again: --worker test_trust:Mine (or --trust)" in capsys.readouterr().err
    assert main(["resume", str(path), "--worker", "test_trust:Mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == whole.digest


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The meta of a shift of an agent at a code desk, begun with the folders `tickets` and `agents` of this folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("tickets", "agents", "others"):
        (tmp_path / name).mkdir()
    options = {"tickets": f"{tmp_path}/tickets", "programs": f"{tmp_path}/agents", "takt_s": 60.0}
    of_worker = {"command": "a {ticket}", "programs": "agents"}
    return {"station": "codedesk", "options": options, "worker": "command", "worker_options": of_worker}


@pytest.mark.parametrize(
    ("station", "worker"),
    [
        ({"tickets": "tickets", "programs": "agents"}, {}),
        ({"tickets": "./tickets/"}, {"programs": "agents"}),  # the command that began it, once more
        ({"tickets": "others/../tickets", "takt_s": 60}, {"programs": "agents/", "command": "a {ticket}"}),
    ],
)
def test_a_folder_named_again_is_the_same_however_it_is_written(desk: Any, station: Any, worker: Any) -> None:
    named = Named(worker_options=worker, station_options=station)
    check_named("a.takt", desk, named, station=True, worker=True, asks=True)


def test_all_that_is_missing_or_different_is_said_at_once(desk: Any) -> None:
    """... with the words that name it; also with --trust, and of options that lead nowhere."""

    def check(**named: Any) -> None:
        check_named("a.takt", desk, Named(**named), station=True, worker=True, asks=True)

    with pytest.raises(NotNamed, match=r"-o tickets=/\S+/tickets -o programs=/\S+/agents"):
        check()
    given = {"station_options": {"tickets": "others", "takt_s": 30}, "worker_options": {"command": "b {ticket}"}}
    for trust in (False, True):
        with pytest.raises(TaktError) as raised:
            check(**given, trust=trust)
        said = str(raised.value)
        assert all(f"{one}, not " in said for one in ("command='a {ticket}'", "/tickets'", "takt_s=60.0"))
        assert ("-o programs=" in said) is not trust


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (60.0, 60, True), (True, 1, False), ("60", 60, False), ("agents:tickets", "./agents:tickets/.", True),
        ("agents", "agents:tickets", False), ("agents", "no/such", False), ("no/such", "no/./such", False),
        ("http://a/v1", "http://b/v1", False), (["agents"], ["agents/"], False),
    ],
)  # fmt: skip
def test_options_are_the_same_by_number_and_by_place_and_else_word_for_word(
    desk: Any, one: Any, other: Any, same: bool
) -> None:
    assert same_option(one, other) is same_option(other, one) is same


def test_a_registered_worker_opens_as_before(ledger: Any) -> None:
    with Ledger.open(ledger) as book:
        digest = book.digest()
    assert repeat_shift(ledger).digest == digest
    assert resume_shift(cut(ledger)).digest == digest
    assert sum(1 for _ in steps_of_unit(ledger, 1)) > 0


@pytest.mark.parametrize("name", ["subprocess:Popen", "os:system", "builtins:exec", "pathlib:Path", "json:decoder"])
def test_what_is_no_worker_is_not_called_even_if_the_user_names_it(name: Any) -> None:
    with pytest.raises(TaktError, match="is not a worker"):
        open_worker(name, "gym")


def test_the_current_folder_shadows_nothing_and_is_looked_at_only_for_what_the_user_names(tmp_path: Path) -> None:
    """A `jinja2.py` that lies beside a ledger does not run when its report is made."""
    for name in ("jinja2", "matplotlib", "numpy", "stranger"):
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()\n")
    (tmp_path / "mine.py").write_text("def work(observation): return 0\n")
    takt = [str(Path(sys.executable).with_name("takt"))]
    options = [word for key, value in CART.items() for word in ("-o", f"{key}={value}")]
    run = [*takt, "run", "gym", "--worker", "mine:work", "--units", "2", *options, "--out", "a.takt"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([*takt, "report", "a.takt"], cwd=tmp_path, check=True, capture_output=True)
    assert list(tmp_path.glob("ran-*")) == [] and (tmp_path / "a.html").exists()


def test_an_export_opens_as_resume_does(ledger: Any, marker: Any) -> None:
    altered(ledger, worker="stranger:work")
    for form in ("trl", "lerobot"):
        with pytest.raises(TaktError):
            export(ledger, ledger.parent / "out", form)
    assert not marker.exists()


def test_a_report_says_how_its_missing_pictures_are_made(ledger: Any) -> None:
    altered(ledger, options={**CART, "success": "return>=1000"})
    with sqlite3.connect(ledger) as book:
        book.execute("UPDATE events SET kind = 'unit_bad' WHERE kind = 'unit_good'")
    book.close()
    assert "--work-again" in write_report(ledger).read_text()
    assert "<img" in write_report(ledger, work_again=True).read_text()


def test_the_commands_that_a_shift_ends_with_name_again_what_they_lead_to(desk: Any, tmp_path: Path) -> None:
    import takt.stations.codedesk.station

    folder = shlex.quote(str(tmp_path))
    assert words_again(desk) == f" -o tickets={folder}/tickets -o programs={folder}/agents"
    words = shlex.split(words_again(desk))[1::2]
    named = Named(station_options=dict(word.split("=", 1) for word in words))
    check_named("a.takt", desk, named, station=True, worker=True, asks=True)
    other = {**desk, "options": {"tickets": "generated"}, "worker": "test_trust:Mine"}
    assert words_again(other) == " --worker test_trust:Mine" and words_again({}) == ""
    asks = {**other, "worker": "llm", "worker_options": {"base_url": "https://gpu-box/v1"}}
    import takt.workers.llm.worker  # noqa: F401

    assert "-w base_url=https://gpu-box/v1" in words_again(asks, asks=True) and words_again(asks) == ""


def test_a_report_of_mined_tickets_says_in_a_line_how_its_pictures_are_had(desk: Any, tmp_path: Path) -> None:
    path = tmp_path / "a b.takt"
    started = Event(0.0, "shift_started", None, {"station": "codedesk", "takt_s": 60.0})
    shift = Shift((started, Event(1.0, "unit_bad", 0, {"reasons": ["late"]})), desk, path, [], "units")
    found = pictures_of(SimpleNamespace(path=path), shift, False)  # type: ignore[arg-type]
    assert not found.by_unit and found.note.endswith(
        f"On yours it is: takt report '{path}' -o tickets={tmp_path}/tickets -o programs={tmp_path}/agents"
    )
