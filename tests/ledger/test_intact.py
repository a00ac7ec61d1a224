"""A ledger's file made by a stranger: to delete, to write elsewhere, to hang, to flood, to say two things. Each of
these did so, and is now one line."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest

from takt import Event, Ledger, TaktError, kpis, resume_shift, run_shift, verdict
from takt.cli import main
from takt.contract.events import SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.ledger import intact, wellformed
from takt.ledger.intact import Unfinished, unzipped
from takt.ledger.pack import pack, unpack

META = {"station": "toy", "worker": "push", "seed": 3, "hours": 1.0}
CART = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}


@pytest.fixture
def path(tmp_path: Path) -> Any:
    path = tmp_path / "ledgers" / "a.takt"
    with Ledger.create(path, META) as ledger:
        ledger.commit([Event(0.0, UNIT_DUE, 0), Event(1.0, UNIT_GOOD, 0, {"cycle_s": 1.0})], b"state", 0)
    return path


def changed(path: Any, *statements: Any) -> Any:
    database = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.close()
    return path


def hot_journal(path: Any, super_journal: Any = b"") -> None:
    """The ledger and its journal as they lie there in the middle of a write; the journal names a super-journal."""
    journal = Path(f"{path}-journal")
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA cache_size = 1")
    database.execute("BEGIN")
    database.executemany("INSERT INTO events VALUES (?, 1.0, 'x', 0, ?)", [(i, "x" * 5000) for i in range(100, 150)])
    kept = path.read_bytes(), journal.read_bytes()
    database.execute("ROLLBACK")
    database.close()
    path.write_bytes(kept[0])
    tail = b""
    if super_journal:
        size, check = len(super_journal).to_bytes(4, "big"), sum(super_journal).to_bytes(4, "big")
        tail = (2**30 // 4096 + 1).to_bytes(4, "big") + super_journal + size + check + bytes.fromhex("d9d505f920a163d7")
    journal.write_bytes(kept[1] + tail)


# --- reading writes nothing, and deletes nothing ----------------------------------------------------------------------


def test_a_journal_that_names_a_file_does_not_delete_it(
    path: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = tmp_path / "thesis.txt"
    victim.write_text("two years of work")
    hot_journal(path, str(victim).encode())
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    for command in (["kpis"], ["report"], ["ledger", "show"], ["ledger", "digest"], ["resume"]):
        assert main([*command, str(path)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "names another file to be deleted" in err
        assert victim.read_text() == "two years of work"
        assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    with pytest.raises(TaktError, match="names another file to be deleted"):
        Ledger.resume(path)
    assert victim.exists()


def test_a_ledger_left_in_the_middle_of_a_write_is_mended_by_resume_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    whole = run_shift("gym", "idle", units=3, seed=1, station_options=CART, ledger=path)
    hot_journal(path)
    with pytest.raises(Unfinished, match="`takt resume"):
        Ledger.open(path)
    assert resume_shift(path).digest == whole.digest
    with Ledger.open(path) as book:
        assert book.digest() == whole.digest


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "pipe", "folder"])
def test_what_lies_beside_a_ledger_must_be_a_plain_file(path: Any, tmp_path: Path, suffix: Any, kind: Any) -> None:
    """SQLite would write through a link, and wait at a pipe."""
    victim, beside = tmp_path / "victim", Path(f"{path}{suffix}")
    if kind != "dangling link":
        victim.write_bytes(b"mine")
    make = {"pipe": os.mkfifo, "folder": os.mkdir, "hard link": lambda to: os.link(victim, to)}
    make.get(kind, lambda to: os.symlink(victim, to))(beside)
    for opening in (Ledger.open, Ledger.resume):
        with pytest.raises(TaktError, match="no plain file"):
            opening(path)
    assert victim.read_bytes() == b"mine" if victim.exists() else kind == "dangling link"


def test_a_new_ledger_replaces_nothing_and_follows_no_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    for name in ("a.takt", ".a.takt.new"):
        (tmp_path / name).symlink_to(victim)
    with pytest.raises(TaktError, match="there already"):
        Ledger.create(tmp_path / "a.takt", META)
    (tmp_path / "a.takt").unlink()
    Ledger.create(tmp_path / "a.takt", META).close()
    assert not victim.exists() and not (tmp_path / "a.takt").is_symlink()
    assert sorted(file.name for file in tmp_path.iterdir()) == [".a.takt.new", "a.takt"]


# --- only our tables, as we write them --------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 1.0, 'x', 1, '{}' FROM n"
SCHEMAS = {
    "a view that never ends": ["DROP TABLE events", f"CREATE VIEW events(seq, t_s, kind, unit, data) AS {ENDLESS}"],
    "a view that floods": [
        "DROP TABLE meta",
        "CREATE VIEW meta(key, value) AS SELECT 'station', '\"' || hex(zeroblob(400000000)) || '\"'",
    ],
    "a view that says something else each time": [
        "ALTER TABLE events RENAME TO hidden",
        "CREATE VIEW events(seq, t_s, kind, unit, data) AS SELECT seq, t_s, kind, unit, "
        "json_object('cycle_s', abs(random() % 100)) FROM hidden",
    ],
    "a trigger that turns bad units good": [
        "CREATE TRIGGER good AFTER INSERT ON events BEGIN UPDATE events SET kind = 'unit_good' "
        "WHERE kind = 'unit_bad'; END"
    ],
    "a generated column": [
        "DROP TABLE events",
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, t_s REAL NOT NULL, kind TEXT NOT NULL, unit INTEGER, "
        "data TEXT AS (kind || t_s) NOT NULL)",
    ],
    "an index on an expression": ["CREATE INDEX i ON events (hex(zeroblob(seq)))"],
    "a table of somebody else's": ["CREATE TABLE sqlar (name TEXT)"],
    "a virtual table": ["CREATE VIRTUAL TABLE f USING fts3(x)"],
    "a table too few": ["DROP TABLE snapshots"],
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_only_our_own_tables_are_accepted(path: Any, what: Any, capsys: pytest.CaptureFixture[str]) -> None:
    changed(path, *SCHEMAS[what])
    for opening in (Ledger.open, Ledger.resume):
        with pytest.raises(TaktError) as error:
            opening(path)
        assert "\n" not in str(error.value) and str(path) in str(error.value)
    assert main(["kpis", str(path)]) == 2 and capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("text", [b"CREATE TABLE events", b"CREATE TABLE meta"])
def test_a_schema_that_is_no_text_is_one_line(path: Any, text: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """SQLite quotes it in its own error, and Python's sqlite3 cannot decode that."""
    data = path.read_bytes()
    assert text in data
    path.write_bytes(data.replace(text, text.replace(b"TABLE", b"TABL\xc5"), 1))
    for command in ("kpis", "resume", "verify", "report"):
        assert main([command, str(path)]) == 2
        assert capsys.readouterr().err == f"takt: {path} is not a ledger: what it says is no UTF-8 text\n"


def test_pages_that_lead_back_into_themselves_have_an_end(tmp_path: Path) -> None:
    """A tree of pages whose branches are all the same few leaves: 4,000 rows become more than any memory holds."""
    path = tmp_path / "a.takt"
    with Ledger.create(path, META) as ledger:
        ledger.commit([Event(float(i), "x", None, {"text": "y" * 700}) for i in range(40_000)], None, None)
    raw = bytearray(path.read_bytes())
    for at in range(0, len(raw), 4096):  # every interior page of a table: all its children are its first
        if raw[at] == 5 and at:
            cells = int.from_bytes(raw[at + 3 : at + 5], "big")
            pointers = [int.from_bytes(raw[at + 12 + 2 * i : at + 14 + 2 * i], "big") for i in range(cells)]
            first = bytes(raw[at + pointers[0] : at + pointers[0] + 4])
            for pointer in pointers:
                raw[at + pointer : at + pointer + 4] = first
    path.write_bytes(raw)
    with Ledger.open(path) as ledger:
        try:
            assert len(ledger.events()) <= 40_000
        except TaktError as error:
            assert "is damaged" in str(error)


# --- what is in them --------------------------------------------------------------------------------------------------

ROWS = {
    "a unit that is a command": "UPDATE events SET unit = '0; touch /tmp/owned'",
    "a time that is a text": "UPDATE events SET t_s = 'soon'",
    "a time before the shift": "UPDATE events SET t_s = -1e300",
    "a kind that is bytes": "UPDATE events SET kind = x'ff00'",
    "a kind with a terminal's orders in it": "UPDATE events SET kind = 'x' || char(27) || '[2J'",
    "data that are bytes": "UPDATE events SET data = x'7b7d'",
    "data that are no JSON": "UPDATE events SET data = '{'",
    "data that are a list": "UPDATE events SET data = '[]'",
    "a cycle that is no number": "UPDATE events SET data = '{\"cycle_s\": NaN}'",
    "a cycle that is endless": "UPDATE events SET data = '{\"cycle_s\": 1e999}'",
    "a cycle that is a text": 'UPDATE events SET data = \'{"cycle_s": "7"}\'',
    "parts that are a list": "UPDATE events SET data = '{\"parts\": [1]}'",
    "data too deep to be walked through": "UPDATE events SET data = '{\"a\":' || "
    "replace(hex(zeroblob(3000)), '00', '[') || replace(hex(zeroblob(3000)), '00', ']') || '}'",
    "a number of a million digits": "UPDATE events SET data = '{\"a\":1' || hex(zeroblob(500000)) || '}'",
    "text that is not UTF-8": "UPDATE events SET data = CAST(x'7b2261223a22ff227d' AS TEXT)",
    "text of 40 MB": "UPDATE events SET data = '{\"a\":\"' || hex(zeroblob(20000000)) || '\"}'",
}


@pytest.mark.parametrize("what", ROWS)
def test_events_are_of_the_kind_that_they_must_be(path: Any, what: Any) -> None:
    changed(path, ROWS[what])
    with Ledger.open(path) as ledger, pytest.raises(TaktError) as error:
        ledger.events()
    assert "\n" not in str(error.value) and "is damaged" in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "3"),
        ("seed", -1),
        ("seed", 1.5),
        ("hours", "1"),
        ("hours", -1.0),
        ("units", 0.5),
        ("options", []),
        ("worker", None),
        ("worker_options", "x"),
        ("faults", [{"name": "x"}]),
        ("faults", [{"name": "x", "at_s": 1.0, "for_s": 1.0, "more": 1}]),
        ("clock", {}),
        ("packages", 3),
    ],
)
def test_the_meta_is_of_the_kinds_that_it_must_be(
    tmp_path: Path, key: Any, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, seed=1, station_options=CART, ledger=path)
    with sqlite3.connect(path) as book:
        book.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(value), key))
    book.close()
    for command in (["kpis"], ["report"], ["repeat"], ["ledger", "show"], ["ledger", "digest"], ["resume"]):
        assert main([*command, str(path)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and f"the meta has a {key} that cannot be" in err


@pytest.mark.parametrize("key", ["station", "worker", "seed", "clock", "options", "worker_options", "faults", "hours"])
def test_a_meta_that_lacks_something_is_one_line(tmp_path: Path, key: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, seed=1, station_options=CART, ledger=path)
    changed(path, f"DELETE FROM meta WHERE key = '{key}'", "DELETE FROM events WHERE kind = 'shift_ended'")
    for command in (["resume"], ["replay", "--unit", "0", "--out", str(tmp_path / "u.mp4")]):
        assert main([command[0], str(path), *command[1:]]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and (f"lacks {key!r}" in err or "is not what" in err), err
        assert str(path) in err, "which ledger"


def test_a_page_of_a_meta_that_lacks_almost_all_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, seed=1, station_options=CART, ledger=path)
    changed(path, "DELETE FROM meta WHERE key <> 'station'")
    assert main(["report", str(path), "--no-pictures"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "is damaged" in err and "it lacks" in err, err
    assert not path.with_suffix(".html").exists()


def test_a_ledger_that_says_it_is_of_the_cell_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, seed=1, station_options=CART, ledger=path)
    for options in ("{}", '{"control": 7, "cameras": []}', json.dumps(CART)):
        with sqlite3.connect(path) as book:
            book.execute("UPDATE meta SET value = '\"nutcell\"' WHERE key = 'station'")
            book.execute("UPDATE meta SET value = ? WHERE key = 'options'", (options,))
        book.close()
        assert main(["export", str(path), str(tmp_path / "out"), "--format", "lerobot"]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and f"{path} is damaged" in err and not (tmp_path / "out").exists()


def test_figures_are_of_events_or_one_line_says_what_is_missing(path: Any) -> None:
    changed(path, "UPDATE events SET data = '{}'")
    with Ledger.open(path) as ledger:
        assert kpis(ledger.events()) and verdict(ledger.events())


# --- what unpacks to more than it is ----------------------------------------------------------------------------------


def test_a_snapshot_that_unpacks_to_gigabytes_is_one_line(path: Any) -> None:
    bomb = zlib.compress(bytes(200 * 2**20), 9)
    with sqlite3.connect(path) as book:
        book.execute("UPDATE snapshots SET state = ?", (bomb,))
    book.close()
    with Ledger.open(path) as ledger, pytest.raises(TaktError, match="larger than 64 MiB"):
        ledger.last_snapshot()
    for cut in (b"", b"x", zlib.compress(b"x" * 99)[:-6]):
        with pytest.raises(ValueError, match="snapshot"):
            unzipped(cut)


def array(dtype: Any, data: Any, shape: Any = (1,)) -> Any:
    return msgpack.packb({b"__ndarray__": True, b"dtype": dtype, b"data": data, b"shape": list(shape)})


def scalar(dtype: Any, data: Any) -> Any:
    return msgpack.packb({b"__npgeneric__": True, b"dtype": dtype, b"data": data})


@pytest.mark.parametrize(
    "packed",
    [
        scalar("|S1", 2 * 10**9),  # np.bytes_(2 * 10**9): 60 bytes that cost 2 GB
        scalar("<f8", "7"),
        scalar("<i8", 2.5),
        scalar("<f8", True),
        scalar("|O", 1),
        array("|O", bytes(8)),
        array("|V8", bytes(8)),
        array("<f4,<f4", bytes(8)),
        array("<f8", bytes(8), (-1,)),
        array("<f8", bytes(8), (10**12,)),
        array("<f8", bytes(9)),
        array("<f8", "text"),
        array("<f8", b"", (0,) * 40),
        msgpack.packb([[]] * 600_000),
        b"\xc7\x08\x05" + bytes(8),  # an extension type
        b"\xdd\xff\xff\xff\xff",  # a list of four thousand million
        b"\x81\x90\x01",  # a map with a list for a key
    ],
)
def test_packed_values_cost_what_they_are(packed: Any) -> None:
    with pytest.raises(ValueError):
        unpack(packed)


def test_from_a_socket_only_numbers_come_as_arrays_or_maps_that_another_reads() -> None:
    assert unpack(pack({"a": [1.5]}), numeric=True) == {"a": [1.5]}
    text = array("<U1", "a".encode("utf-32-le"))
    with pytest.raises(ValueError, match="type"):
        unpack(text, numeric=True)
    assert isinstance(unpack(text, numeric=True, arrays=False), dict)


def test_a_snapshot_of_something_else_does_not_end_in_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.takt"
    run_shift("gym", "idle", units=2, seed=1, station_options=CART, ledger=path)
    for state in (b"", pack([]), pack({"loop": (1, 2, 3), "observation": 0}), pack({"loop": [0] * 7})):
        with sqlite3.connect(path) as book:
            book.execute("UPDATE snapshots SET state = ?", (zlib.compress(state),))
        book.close()
        assert main(["replay", str(path), "--unit", "1", "--out", str(tmp_path / "u.mp4")]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and str(path) in err and "Error" not in err, "in our words"


def test_ledgers_from_before_are_read_as_they_were(tmp_path: Path) -> None:
    """One of format 1, by the first version: no journal table, no newer keys in the meta."""
    path = tmp_path / "old.takt"
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(
        """
PRAGMA application_id = 1413565268;
PRAGMA user_version = 1;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE events (seq INTEGER PRIMARY KEY, t_s REAL NOT NULL, kind TEXT NOT NULL, unit INTEGER, data TEXT NOT NULL);
CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, unit INTEGER NOT NULL, t_s REAL NOT NULL, state BLOB NOT NULL);
"""
    )
    database.execute("INSERT INTO meta VALUES ('seed', '3')")
    started = json.dumps({"takt_s": 10.0, "acceptance": {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}})
    bad = json.dumps({"cycle_s": None, "parts": {"left": {"good": False, "peak_n": 3}}, "reasons": ["late"]})
    database.execute("INSERT INTO events VALUES (0, 0, ?, NULL, ?)", (SHIFT_STARTED, started))
    database.execute("INSERT INTO events VALUES (1, 9.5, ?, 0, ?)", (UNIT_BAD, bad))
    database.close()
    with Ledger.open(path) as ledger:
        assert ledger.meta == {"seed": 3} and len(ledger.events()) == 2
    shutil.copy(path, tmp_path / "copy.takt")
    Ledger.resume(tmp_path / "copy.takt").close()


@pytest.mark.parametrize("sizes", [{"bookings": 10**8}, {"flights": 10**7}, {"aircraft": 10**6}, {"days": 10**5}])
def test_a_ledger_cannot_ask_for_an_airline_without_end(sizes: Any) -> None:
    with pytest.raises(TaktError, match="it must be a whole number from 1 to"):
        run_shift("flightdesk", "idle", units=1, station_options={"scenario": "two-hubs", **sizes})


def test_a_writer_may_go_on_for_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of SQLite's machine are counted for a query, so that a file without end ends; not over a writer's life."""
    for name, value in (("BETWEEN", 50), ("LEAST_STEPS", 2_000), ("STEPS_A_BYTE", 0)):
        monkeypatch.setattr(intact, name, value)
    meta = {"station": "written", "worker": "w", "seed": 0, "options": {}, "clock": "lockstep", "units": 1}
    with Ledger.create(tmp_path / "a.takt", meta) as book:
        for unit in range(300):
            book.show([Event(float(unit), UNIT_DUE, unit, {})], unit + 0.5)
            book.commit([Event(float(unit), UNIT_DUE, unit, {})], None, None)
    monkeypatch.undo()
    with Ledger.open(tmp_path / "a.takt") as book:
        assert len(book.events()) == 300


def test_an_event_may_be_as_large_as_a_value_of_the_file() -> None:
    """The first record of a code desk has all that git made of the repository."""
    assert wellformed.LONGEST_TEXT == intact.LONGEST_VALUE
    assert len(wellformed.read_record('{"effect": "' + "x" * (12 << 20) + '"}')["effect"]) == 12 << 20
