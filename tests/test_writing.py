"""What may be written where: nothing of another kind is replaced, and nothing half-written stays."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from takt import TaktError, run_shift
from takt.cli import main
from takt.ledger import Ledger
from takt.writing import (
    CHALLENGE,
    CONVERSATIONS,
    FILM,
    JSON,
    PAGE,
    PNG,
    SVG,
    Numbered,
    check_folder,
    claim_folder,
    place_new,
    table,
    whole_file,
)

CART = {"id": "CartPole-v1", "takt_s": 0.5}
MINE = {
    ".html": b'<html><p class="over">Takt comparison</p>',
    ".mp4": b"\0\0\0\x20ftypisom",
    ".jsonl": b'{"messages": []}\n',
    ".json": b'{"a": 1}',
    ".svg": b"<?xml?><svg>",
    ".png": b"\x89PNG\r\n",
}
KINDS = {".html": PAGE, ".mp4": FILM, ".jsonl": CONVERSATIONS, ".json": JSON, ".svg": SVG, ".png": PNG}


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shift in a ledger."""
    path = tmp_path_factory.mktemp("shift") / "a.takt"
    run_shift("gym", "idle", units=2, station_options={**CART, "success": "return>=1000"}, ledger=path)
    return path


@pytest.fixture
def there(tmp_path: Path, worked: Any) -> Any:
    """Things that are no output of Takt's, by what they are called."""
    (tmp_path / "code.py").write_text("print('mine')\n")
    (tmp_path / "own.html").write_text("<html>my own page</html>")
    shutil.copy(worked, tmp_path / "other.takt")
    shutil.copy(worked, tmp_path / "ledger-by-another-name")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "not there")
    (tmp_path / "to-code").symlink_to(tmp_path / "code.py")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    return tmp_path


THERE = ["code.py", "own.html", "other.takt", "ledger-by-another-name", "folder", "nowhere", "to-code", "notes.csv"]


def state(folder: Any) -> dict[str, Any]:
    """What is in a folder: names, kinds, contents and links."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def commands(ledger: Any, out: Any) -> dict[str, Any]:
    """Every command that writes one file, writing it to `out`."""
    cart = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5"]
    return {
        "run": ["run", "gym", "--worker", "idle", "--units", "1", *cart, "--out", out],
        "repeat": ["repeat", ledger, "--out", out],
        "report": ["report", ledger, "--no-pictures", "--out", out],
        "replay": ["replay", ledger, "--unit", "0", "--out", out],
        "compare": ["compare", ledger, ledger.parent / "b.takt", "--out", out],
        "export trl": ["export", ledger, out, "--format", "trl"],
        "export lerobot": ["export", ledger, out, "--format", "lerobot"],
    }


@pytest.mark.parametrize("what", THERE)
@pytest.mark.parametrize("command", list(commands(Path("x"), Path("y"))))
def test_no_command_replaces_what_is_of_another_kind(
    command: Any, what: Any, there: Any, worked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(there)
    arguments = commands(worked, there / what)[command]
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1, err
    assert state(there) == before


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null", "/dev/stdout"])
@pytest.mark.parametrize("command", list(commands(Path("x"), Path("y"))))
def test_a_device_is_written_through_or_refused_and_stays(
    command: Any, device: Any, worked: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.lstat(device)
    code = main([str(argument) for argument in commands(worked, Path(device))[command]])
    after = os.lstat(device)
    assert (after.st_ino, stat.S_IFMT(after.st_mode)) == (before.st_ino, stat.S_IFMT(before.st_mode))
    out, err = capfd.readouterr()
    if command == "report" and device != "/dev/full":
        assert code == 0 and ("</html>" in out) == (device == "/dev/stdout")
    else:
        assert code == 2 and err.startswith("takt: ") and err.count("\n") == 1


@pytest.mark.parametrize("words", [["report", "--no-pictures"], ["units", "--csv"], ["units", "--parquet"]])
def test_stdout_by_its_name_is_what_was_asked_for_and_nothing_else(
    words: list[str], worked: Any, tmp_path: Path
) -> None:
    """A shell's `> FILE` too, which would be written from its beginning by whoever opens /dev/stdout anew."""
    command, *more = words
    to = [sys.executable, "-m", "takt.program", command, str(worked), *more, "--out"]
    asked, sent = tmp_path / "asked", tmp_path / "sent"
    subprocess.run([*to, str(asked)], check=True, capture_output=True)
    with sent.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        told = subprocess.run([*to, "/dev/stdout"], check=True, stdout=file, stderr=subprocess.PIPE)
    assert sent.read_bytes() == b"before\n" + asked.read_bytes() and told.stderr.endswith(b": /dev/stdout\n")


@pytest.mark.parametrize("name", MINE)
def test_what_is_of_the_same_kind_is_replaced_whole_or_not_at_all(name: Any, tmp_path: Path) -> None:
    out = tmp_path / f"x{name}"
    for before in (MINE[name], b""):
        out.write_bytes(before)
        with pytest.raises(RuntimeError), whole_file(out) as new:
            new.write_text("half")
            raise RuntimeError
        assert out.read_bytes() == before
        with whole_file(out, KINDS[name]) as new:
            new.write_text("new")
        assert out.read_text() == "new" and list(tmp_path.iterdir()) == [out]


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "deep" / "page.html", tmp_path / "link.html"
    target.parent.mkdir()
    target.write_bytes(MINE[".html"])
    link.symlink_to(target)
    with whole_file(link) as new:
        new.write_text("new")
    assert link.is_symlink() and target.read_text() == "new" and not target.is_symlink()


def test_a_table_is_replaced_only_if_it_has_the_same_columns(tmp_path: Path) -> None:
    out = tmp_path / "flights.csv"
    out.write_text("year,month,day\n2013,1,1\n")
    with pytest.raises(TaktError, match="is no table"), whole_file(out, table(("date", "flight"))):
        pass
    out.write_text("date,flight\n2013-01-01,1\n")
    with whole_file(out, table(("date", "flight"))) as new:
        new.write_text("date,flight\n")
    assert out.read_text() == "date,flight\n"


def test_the_files_of_the_challenge_are_known_by_how_they_end(tmp_path: Path) -> None:
    assert CHALLENGE.is_one(b"1 ORY CDG 10:00 11:00 #\n#\n") and not CHALLENGE.is_one(b"a,b\n1,2\n")
    out = tmp_path / "sol_itineraries.csv"
    for rows in (1, 200_000, 200_000, 1):  # a plan is written again and again while it gets better; this one has 4 MB
        with whole_file(out, CHALLENGE) as new:
            new.write_text("1 A 312.5 1 cancelled\n" * rows + "#\n")
    out.write_text("date,flight\n" * 200_000)
    with pytest.raises(TaktError, match="is no table of ROADEF 2009"), whole_file(out, CHALLENGE):
        pass


def test_an_instance_is_never_made_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "flights.csv").write_text("year,month,day\n")
    assert main(["flightdesk", "generate", str(tmp_path)]) == 2
    assert "flights.csv: it is there already; choose another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["flights.csv"]


def test_a_folder_is_filled_again_only_if_takt_filled_it(tmp_path: Path) -> None:
    check_folder(tmp_path, ["index.html", "map.png"], PAGE, "index.html")
    (tmp_path / "map.png").write_bytes(b"my own map")
    with pytest.raises(TaktError, match=r"map.png: it is there already, and not by Takt"):
        check_folder(tmp_path, ["index.html", "map.png"], PAGE, "index.html")
    (tmp_path / "index.html").write_bytes(MINE[".html"])
    check_folder(tmp_path, ["index.html", "map.png"], PAGE, "index.html")
    with pytest.raises(TaktError, match="it is no folder"):
        check_folder(tmp_path / "map.png", [], PAGE, "index.html")


def test_a_folder_that_is_filled_over_time_is_a_new_one_or_the_same(tmp_path: Path) -> None:
    claim_folder(tmp_path / "new", "note")
    claim_folder(tmp_path / "new", "note")
    (tmp_path / "other").mkdir()
    claim_folder(tmp_path / "other", "note")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "checkpoint-1").mkdir()
    (tmp_path / "file").touch()
    for name in ("full", "file"):
        with pytest.raises(TaktError, match="not made by this"):
            claim_folder(tmp_path / name, "note")


def test_of_many_shifts_at_once_each_gets_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ready = threading.Barrier(8)

    def make(_: Any) -> str:
        name = Numbered(Path("shifts/a.takt"))
        ready.wait()
        Ledger.create(name, {"seed": 0}).close()
        return str(name)

    with ThreadPoolExecutor(8) as pool:
        names = sorted(pool.map(make, range(8)))
    assert names == sorted(["shifts/a.takt", *(f"shifts/a-{n}.takt" for n in range(2, 9))])
    assert sorted(str(path) for path in Path("shifts").iterdir()) == names


def test_a_new_file_is_made_where_there_are_no_hard_links_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    place_new(tmp_path / "a", b"mine")
    with pytest.raises(FileExistsError):
        place_new(tmp_path / "a", b"other")
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"mine"


@pytest.mark.parametrize(("command", "beside"), [(["report"], "a.html"), (["replay", "--unit", "1"], "a-u1.mp4")])
def test_a_link_where_a_page_goes_by_itself_is_not_followed(
    command: Any, beside: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever made the folder put it there; a link that the user names is followed, as always."""
    run_shift("gym", "idle", units=2, station_options=CART, ledger=tmp_path / "a.takt")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch()
    (tmp_path / beside).symlink_to(elsewhere)
    assert main([command[0], str(tmp_path / "a.takt"), *command[1:]]) == 2
    err = capsys.readouterr().err
    assert "is a link" in err and "--out" in err and err.count("\n") == 1
    assert elsewhere.read_bytes() == b"" and (tmp_path / beside).is_symlink()
