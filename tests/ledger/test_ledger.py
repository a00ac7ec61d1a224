from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import TaktError
from takt.ledger import Ledger, canonical

META = {"station": "toy", "worker": "push", "seed": 3, "hours": 1.0, "begun_utc": "today"}
START = [Event(0.0, SHIFT_STARTED, None, {"a": 1}), Event(0.0, UNIT_DUE, 0)]
UNIT_0 = [Event(10.0, UNIT_GOOD, 0, {"cycle_s": 0.1 + 0.2, "parts": {}}), Event(10.0, UNIT_DUE, 1)]
UNIT_1 = [Event(20.0, UNIT_BAD, 1, {"cycle_s": None, "reasons": ["late"]}), Event(20.0, UNIT_DUE, 2)]
END = [Event(21.0, SHIFT_ENDED, None, {"reason": "time"})]


@pytest.fixture
def path(tmp_path: Path) -> Any:
    path = tmp_path / "a dir" / "shift?#1.takt"
    with Ledger.create(path, META) as ledger:
        ledger.commit(START, b"start", None)
        ledger.commit(UNIT_0, b"zero", 0, wall_s=1.5)
        ledger.commit(UNIT_1, b"one", 1)
    return path


def sha(path: Any) -> Any:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_written_is_read(path: Any) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.meta == META | {"wall_s": 1.5}
        assert ledger.events() == START + UNIT_0 + UNIT_1
        assert ledger.events(after=4) == UNIT_1
        assert not ledger.finished
        assert ledger.last_snapshot() == (1, 6, b"one")
        assert ledger.path == path


def test_a_snapshot_is_from_before_its_unit_fell_due(path: Any) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.snapshot(0) == (-1, 2, b"start")
        assert ledger.snapshot(1) == (0, 4, b"zero")
        assert ledger.snapshot(2) == (1, 6, b"one")
        assert ledger.snapshot(9) == (1, 6, b"one")


def test_of_units_that_overlap_the_snapshot_is_from_before_the_earlier_one_ended() -> None:
    with Ledger.create(None, META) as ledger:
        ledger.commit([*START, Event(0.0, UNIT_DUE, 0)], b"start", None)
        ledger.commit([Event(5.0, UNIT_DUE, 1), Event(10.0, UNIT_GOOD, 0)], b"zero", 0)
        assert ledger.snapshot(1) == (-1, 3, b"start")


def test_a_closed_ledger_is_one_file_and_reading_leaves_it_alone(path: Any) -> None:
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    before = sha(path), path.stat().st_mtime_ns
    with Ledger.open(path) as ledger:
        ledger.events(), ledger.digest()
        with pytest.raises(TaktError, match="it may not be written"):
            ledger.commit(END, None, None)
    assert (sha(path), path.stat().st_mtime_ns) == before
    assert [other.name for other in path.parent.iterdir()] == [path.name]


def test_reading_goes_on_while_it_is_written(path: Any) -> None:
    with Ledger.resume(path) as ledger, Ledger.open(path) as reader:
        seen = len(reader.events())
        ledger.commit(END, None, None)
        assert reader.events(after=seen) == END and reader.finished
    copy = path.with_name("copy.takt")
    shutil.copy(path, copy)  # closed while a reader had it open: still complete
    with Ledger.open(copy) as ledger:
        assert ledger.finished


def test_a_commit_is_all_or_nothing(path: Any) -> None:
    with Ledger.resume(path) as ledger:
        with pytest.raises(TaktError, match="an event 'x' has what cannot be written down"):
            ledger.commit([*END, Event(22.0, "x", None, {"nan": float("nan")})], b"two", 2)
        with pytest.raises(TypeError):
            ledger.commit(END, "not bytes", 2)  # type: ignore[arg-type]  # fails in the middle of the transaction
        assert ledger.events() == START + UNIT_0 + UNIT_1
        ledger.commit(END, None, None)
        assert ledger.finished


def test_the_digest_is_of_the_shift_alone(path: Any, tmp_path: Path) -> None:
    with Ledger.open(path) as ledger:
        digest = ledger.digest()
    with Ledger.create(None, {**META, "begun_utc": "tomorrow", "machine": {"cores": 64}}) as other:
        other.commit(START + UNIT_0, None, None)
        other.commit(UNIT_1, b"another state", 1, wall_s=9.9)
        assert other.digest() == digest
        other.commit(END, None, None)
        assert other.digest() != digest
    with Ledger.create(None, {**META, "seed": 4}) as other:
        other.commit(START + UNIT_0 + UNIT_1, None, None)
        assert other.digest() != digest


def test_canonical_json_has_one_spelling() -> None:
    assert canonical({"b": (1, 2), "a": np.float64(0.1), "c": np.array([1, 2])}) == '{"a":0.1,"b":[1,2],"c":[1,2]}'
    with pytest.raises(ValueError):
        canonical(float("inf"))


def test_an_existing_ledger_is_not_overwritten(path: Any) -> None:
    with pytest.raises(TaktError, match="exists already"):
        Ledger.create(path, META)


@pytest.mark.parametrize("what", ["missing", "empty", "folder", "text", "another database", "cut", "newer"])
def test_what_is_not_a_ledger_is_one_line(path: Any, tmp_path: Path, what: Any) -> None:
    if what == "missing":
        path = tmp_path / "nowhere.takt"
    elif what == "empty":
        path.write_bytes(b"")
    elif what == "folder":
        path = tmp_path
    elif what == "text":
        path.write_text("this is not a ledger, it is text " * 100)
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:50])
    elif what == "newer":
        sqlite3.connect(path, isolation_level=None).execute("PRAGMA user_version = 99")
    else:
        path = tmp_path / "other.db"
        sqlite3.connect(path, isolation_level=None).execute("CREATE TABLE t (x)")
    for opening in (Ledger.open, Ledger.resume):
        with pytest.raises(TaktError) as error:
            opening(path)
        assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_damage_inside_is_one_line(path: Any) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with Ledger.open(path) as ledger, pytest.raises(TaktError, match="is damaged") as error:
        ledger.events()
    assert "\n" not in str(error.value)


def _refused(path: Any, answer: Any) -> None:
    try:
        Ledger.resume(path)
        answer.put("")
    except TaktError as error:
        answer.put(str(error))


def test_a_shift_is_not_worked_twice_at_once(path: Any) -> None:
    fork = multiprocessing.get_context("fork")
    answer = fork.SimpleQueue()
    with Ledger.resume(path):
        other = fork.Process(target=_refused, args=(path, answer))
        other.start()
        assert "another process is working on" in answer.get()
        other.join()
        with pytest.raises(TaktError, match="another process"):
            Ledger.resume(path)
    Ledger.resume(path).close()


def test_a_file_that_was_half_written_when_killed_is_read_as_it_was_before(path: Any, tmp_path: Path) -> None:
    with Ledger.open(path) as ledger:
        digest = ledger.digest()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA cache_size = 1")  # so that the transaction spills into the file before it is done
    database.execute("BEGIN")
    database.executemany("INSERT INTO events VALUES (?, 1.0, 'x', 0, ?)", [(i, "x" * 5000) for i in range(100, 150)])
    for name in (path.name, path.name + "-journal"):
        shutil.copy(path.with_name(name), tmp_path / name)
    database.execute("ROLLBACK")
    with pytest.raises(TaktError, match="takt resume"):  # a reader would have to write to undo that
        Ledger.open(tmp_path / path.name)
    with Ledger.resume(tmp_path / path.name) as ledger:
        assert ledger.digest() == digest


def test_a_ledger_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TaktError, match="cannot write the ledger") as error:
        Ledger.create(tmp_path / "file" / "a.takt", META)
    assert "\n" not in str(error.value)
