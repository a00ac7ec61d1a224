"""What others have written is text: to a terminal, to a spreadsheet, to a file, to the stations."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.panel import Panel
from rich.table import Table

from takt import TaktError, open_station, run_shift
from takt.cli import main
from takt.printable import cell, printable, whole_texts
from takt.private import private_folder
from takt.show.console import PlainConsole
from takt.workers.calls import read_call

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m[link=file:///etc/passwd]x[/link] \u202egnp.exe \ud800"
CART = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}


def test_a_table_of_strangers_text_gives_a_terminal_no_orders() -> None:
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=True, color_system=None, width=200)
    table = Table(title=EVIL)
    table.add_column(EVIL)
    table.add_row(EVIL)
    console.print(table)
    console.print(Panel(EVIL, title="x"))
    console.print(EVIL)
    shown = out.getvalue()
    assert "owned" in shown and "[link=" in shown, "it is shown, as text"
    assert not any(order in shown for order in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\u202e", "\ud800"))


@given(st.text())
def test_what_is_printed_is_never_an_order(text: Any) -> None:
    assert printable(text).isprintable() or set(printable(text)) - set("\n\t") == {
        mark for mark in printable(text) if mark not in "\n\t"
    }
    assert not any(ord(mark) < 32 and mark not in "\n\t" for mark in printable(text))
    printable(text).encode()


@pytest.mark.parametrize("command", [["kpis"], ["ledger", "show"], ["ledger", "events"], ["report"], ["resume"]])
def test_a_ledgers_texts_reach_no_terminal_as_orders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: Any
) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, seed=1, station_options=CART, ledger=path)
    with sqlite3.connect(path) as book:
        for key in ("worker", "clock", "begun_utc"):
            book.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(EVIL), key))
        told = json.dumps({"reason": EVIL, "error": EVIL})
        book.execute("UPDATE events SET data = ? WHERE kind = 'shift_ended'", (told,))
    book.close()
    assert main([*command, str(path)]) in (0, 2)
    out, err = capsys.readouterr()
    assert not any(order in out + err for order in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\u202e"))
    if command == ["report"]:
        page = (tmp_path / "a.html").read_text(encoding="utf-8")
        assert "default-src 'none'" in page


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1", "\r=1"])
def test_a_cell_is_no_formula(text: Any) -> None:
    assert cell(text).startswith("'")
    assert cell("-2.5e3") == "-2.5e3" and cell("+7") == "+7" and cell(-3) == -3 and cell("EK-203") == "EK-203"


HALVES = ['{"group": "\\ud800"}', '{"\\udfff": [{"x": "a\\ud800"}]}', '"{\\"group\\": \\"\\\\ud800\\"}"', "\ud800"]


@pytest.mark.parametrize("arguments", HALVES)
def test_half_a_surrogate_pair_ends_no_shift(arguments: Any) -> None:
    """It cannot be stored: a call that had one ended the shift, and every resume of it."""
    call = read_call("look\ud800", arguments, ["look"])
    call.text.encode()
    assert json.dumps(call.arguments)
    station = open_station("flightdesk", scenario="two-hubs", flights=60, aircraft=10, bookings=200)
    station.reset(seed=1)
    raw = json.dumps({"name": "find_party\ud800", "arguments": {"group": "\ud800", "\ud801": ["\udc00"]}})
    for action in (call.text, raw):
        _, _, _, _, info = station.step(action)
        station.load(station.save())
        json.dumps([event.data for event in info["events"]], ensure_ascii=False).encode()


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_whole_texts_can_always_be_written(value: Any) -> None:
    json.dumps(whole_texts(value), ensure_ascii=False).encode()


# --- archives and folders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["gz", "zip", "zip in gz"])
def test_an_archive_that_unpacks_to_a_disk_full_is_one_line(tmp_path: Path, form: Any) -> None:
    from takt.stations.flightdesk.situation.unpack import unpacked

    plain = b"a,b\n" + bytes(100 * 2**20).replace(b"\0", b"1")
    path = tmp_path / "flights.csv"
    packed = io.BytesIO()
    if form == "gz":
        packed.write(gzip.compress(plain, 9))
    else:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("flights.csv", plain)
    path.write_bytes(gzip.compress(packed.getvalue()) if form == "zip in gz" else packed.getvalue())
    with pytest.raises(TaktError, match="unpacks to more than 64 MiB"), unpacked(path):
        pass


@pytest.mark.parametrize("form", ["xz", "zip by LZMA"])
def test_an_archive_that_asks_for_gigabytes_of_memory_is_one_line(tmp_path: Path, form: Any) -> None:
    """Its head says how much a reader must set aside; `lzma.open` and `zipfile` do so."""
    from takt.stations.flightdesk.situation.unpack import unpacked

    path = tmp_path / "flights.csv"
    if form == "xz":
        path.write_bytes(lzma.compress(b"a,b\n", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**30}]))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("flights.csv", "a,b\n")
    with pytest.raises(TaktError, match=r"asks for more memory|packed by LZMA"), unpacked(path):
        pass


def test_an_xz_file_is_unpacked_stream_by_stream(tmp_path: Path) -> None:
    from takt.stations.flightdesk.situation.unpack import unpacked

    plain = b"a,b\n" + bytes(range(48, 58)) * 300_000
    packed = lzma.compress(plain[:1000], preset=9) + bytes(8) + lzma.compress(plain[1000:])
    (tmp_path / "f.xz").write_bytes(packed)
    with unpacked(tmp_path / "f.xz") as found:
        assert found.read_bytes() == plain
    (tmp_path / "f.xz").write_bytes(packed[:-20])
    with pytest.raises(TaktError, match="it ends too soon"), unpacked(tmp_path / "f.xz"):
        pass


def test_a_folder_for_machine_code_is_the_users_own(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "deep" / "cache")
    assert made.stat().st_mode & 0o777 == 0o700
    made.chmod(0o755)
    assert private_folder(made).stat().st_mode & 0o777 == 0o700
    made.chmod(0o777)
    with pytest.raises(TaktError, match="others can write in"):
        private_folder(made)
    (tmp_path / "link").symlink_to(made)
    with pytest.raises(TaktError, match="is a link"):
        private_folder(tmp_path / "link")
    assert os.path.islink(tmp_path / "link") and Path(made).is_dir()
