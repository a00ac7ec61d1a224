"""A viewer follows a running shift: behind by a moment and not by a unit, nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from takt import Event, Ledger, TaktError, repeat_shift, resume_shift, run_shift
from takt.cli import main
from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD
from takt.ledger import Cursor
from takt.ledger.intact import TABLES
from takt.show.listing import row_of

META = {"station": "toy", "worker": "push", "seed": 3, "hours": 1.0}
CART = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}
OLD = Path(__file__).parents[1] / "ledgers" / "desk-greedy-cut.takt"


def event(number: int) -> Event:
    return Event(float(number), "step", number // 3, {"number": number})


def seen_by(viewer: Any, ledger: Any, cursor: Any) -> Any:
    """One look: what the viewer has afterwards, and where it goes on."""
    news = ledger.follow(cursor)
    assert news.first <= len(viewer), "nothing is left out"
    return [*viewer[: news.first], *news.events], news.cursor


def test_the_unit_under_way_is_seen_and_is_no_part_of_the_shift(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    with Ledger.create(path, META) as ledger, Ledger.open(path) as reader:
        ledger.commit([event(0)], b"state", None)
        digest, seal = reader.digest(), reader.seal()
        ledger.show([event(1)], 1.5)
        ledger.show([event(1), event(2)], 2.5)
        assert reader.events() == [event(0)] and (reader.digest(), reader.seal()) == (digest, seal)
        running = reader.running()
        assert running.events == [event(1), event(2)] and running.now_s == 2.5 and running.at_utc > "2026"
        viewer, cursor = seen_by([], reader, Cursor())
        assert viewer == [event(0), event(1), event(2)] and (cursor.final, cursor.seen) == (1, 3)
        ledger.commit([event(1), event(2), event(3)], b"state", 0)
        assert reader.follow(cursor).events == [event(3)] and reader.running().events == []
        assert reader.follow(reader.follow(cursor).cursor).events == []
    with Ledger.open(path) as reader:
        assert reader.running().events == []


def test_a_viewer_of_a_shift_that_is_killed_and_gone_on_with_ends_with_its_events(tmp_path: Path) -> None:
    """Of 100 random histories of showing, committing, killing and looking (seed 0) none may end otherwise."""
    rng = random.Random(0)
    for turn in range(100):
        path = tmp_path / f"{turn}.takt"
        Ledger.create(path, META).close()
        viewer, cursor, committed, attempt = [], Cursor(), 0, 0
        with Ledger.open(path) as reader:
            ledger = Ledger.resume(path)
            pending = []
            for _ in range(40):
                what = rng.choice(["happen", "happen", "show", "commit", "look", "die"])
                if what == "happen":  # after a crash the same unit may come out otherwise: a model answers anew
                    pending.append(Event(1.0, "step", attempt, {"number": committed + len(pending)}))
                elif what == "show":
                    ledger.show(pending, 1.0)
                elif what == "commit" and pending:
                    ledger.commit(pending, b"state", 0)
                    committed, pending = committed + len(pending), []
                elif what == "look":
                    viewer, cursor = seen_by(viewer, reader, Cursor.of(str(cursor)))
                    assert viewer[:committed] == reader.events()
                elif what == "die":
                    ledger._store._database.close()  # type: ignore[attr-defined]  # as a kill: nothing is cleared
                    os.close(ledger._store._lock)  # type: ignore[attr-defined]
                    ledger, pending, attempt = Ledger.resume(path), [], attempt + 1
            if pending:  # the shift ends
                ledger.commit(pending, b"state", 0)
                committed += len(pending)
            ledger.close()
            viewer, cursor = seen_by(viewer, reader, cursor)
            assert viewer == reader.events() and cursor.seen == cursor.final == committed


@pytest.mark.parametrize("text", ["", "x", "1.2", "1.2.3.4", "1.-2.3", "1.9.3", "9" * 100, "1.²."])
def test_a_cursor_that_is_none_begins_at_the_beginning(text: Any) -> None:
    assert Cursor.of(text) == Cursor() and Cursor.of("2.7.9") == Cursor(2, 7, 9)


SHOWS = """
import sys, time
from takt import run_shift

asked = 0
def slow(observation):
    global asked
    asked += 1
    time.sleep(600 if asked == 8 else 0.2)  # a long call, in the middle of the first unit
    return 1

run_shift("gym", slow, units=3, seed=1, ledger=sys.argv[1], clock="lockstep",
          station_options={"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=1"})
"""


def test_while_a_worker_thinks_for_long_what_happened_before_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.takt"
    shift = subprocess.Popen([sys.executable, "-c", SHOWS, str(path)])
    try:
        until = time.monotonic() + 120
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.05)
        with Ledger.open(path) as reader:
            while not (reader.running().now_s or 0) and time.monotonic() < until:
                time.sleep(0.05)
            assert reader.running().now_s and not [e for e in reader.events() if e.kind in (UNIT_GOOD, UNIT_BAD)]
    finally:
        shift.kill()
        shift.wait()


def test_commands_see_the_unit_under_way_as_the_board_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was said of it stands in the journal, too, and is told once."""
    path, meta = tmp_path / "a.takt", run_shift("gym", "idle", units=1, seed=1, station_options=CART).meta
    record = {"number": 0, "say": "hello there"}
    with Ledger.create(path, {key: meta[key] for key in meta if key not in ("wall_s", "signatures")}) as ledger:
        ledger.commit([Event(0.0, "shift_started", None, {"station": "gym", "worker": "idle"})], b"state", None)
        ledger.note(0, record)
        ledger.show([Event(1.0, "unit_due", 0), Event(1.5, "said", 0, record)], 1.5)
        assert row_of(path).open == 1
        assert main(["units", str(path), "--json"]) == 0
        assert '"outcome":"open"' in capsys.readouterr().out
        assert main(["transcript", str(path), "--unit", "0"]) == 0
        told = capsys.readouterr().out
        assert main(["report", str(path), "--format", "junit"]) == 0
        told_too = capsys.readouterr().out
        assert '<property name="open" value="1" />' in told_too and 'time="1.500"' in told_too, told_too
        assert main(["kpis", str(path)]) == 0
        assert "1 unit open: the figures are of those that have ended" in capsys.readouterr().out
        assert "unit 0" in told and told.count("hello there") == 1 and "when is not known" not in told, told
    with Ledger.open(path) as reader:  # let go of, as by Ctrl-C: seen as if the shift had been killed
        assert reader.running().now_s == 1.5 and len(reader.follow().events) == 3 and len(reader.events()) == 1
        digest, cursor = reader.digest(), reader.follow().cursor
    with Ledger.resume(path) as ledger:  # worked again from the last unit that ended
        assert ledger.running() == (2, [], None, None) and ledger.follow(cursor).first == 1
        assert (ledger.digest(), row_of(path).open) == (digest, 0)


def test_a_shift_that_is_looked_at_has_the_digest_of_one_that_is_not(tmp_path: Path) -> None:
    alone = run_shift("gym", "idle", units=30, seed=1, station_options=CART)
    path = tmp_path / "a.takt"
    viewer, cursor = [], Cursor()

    def look(_: Any) -> None:
        nonlocal viewer, cursor
        with Ledger.open(path) as reader:
            viewer, cursor = seen_by(viewer, reader, cursor)

    shift = run_shift("gym", "idle", units=30, seed=1, station_options=CART, ledger=path, on_progress=look)
    look(None)
    assert shift.digest == alone.digest and tuple(viewer) == shift.events


def test_a_ledger_of_format_1_is_followed_and_becomes_one_of_format_2_when_it_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "old.takt"
    shutil.copy(OLD, path)
    with Ledger.open(path) as reader:
        assert reader.follow().events == reader.events() and reader.running() == (0, [], None, None)
        shift = resume_shift(path)
        assert reader.follow(Cursor(0, 5, 5)).events == list(shift.events[5:])
    with sqlite3.connect(path) as book:
        assert book.execute("PRAGMA user_version").fetchone() == (2,)
    book.close()
    assert repeat_shift(path).digest == shift.digest


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE running SET kind = x'00'",
        "UPDATE running SET data = '[]'",
        "UPDATE shown SET attempt = 'x'",
        "UPDATE shown SET attempt = -1",
        "UPDATE shown SET now_s = 'soon'",
        "UPDATE shown SET now_s = 1.0, at_utc = NULL",
        "UPDATE running SET t_s = -1.0",
    ],
)
def test_what_a_stranger_says_of_the_unit_under_way_is_looked_at(
    tmp_path: Path, statement: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.takt"
    with Ledger.create(path, META) as ledger:
        ledger.commit([event(0), Event(1.0, UNIT_DUE, 0)], b"state", None)
    with sqlite3.connect(path) as book:
        book.execute("INSERT INTO running VALUES (2, 2.0, 'step', 0, '{}')")
        book.execute("UPDATE shown SET now_s = 2.0, at_utc = '2026-11-29'")
        book.execute(statement)
    book.close()
    with Ledger.open(path) as reader, pytest.raises(TaktError, match="is damaged"):
        reader.follow()
        reader.running()
    with Ledger.open(path) as reader:
        assert len(reader.events()) == 2, "the shift itself is whole"


@pytest.mark.parametrize("table", ["running", "shown", "blobs"])
def test_the_new_tables_are_ours_word_for_word(tmp_path: Path, table: Any) -> None:
    path = tmp_path / "a.takt"
    Ledger.create(path, META).close()
    with sqlite3.connect(path) as book:
        book.execute(f"DROP TABLE {table}")
        book.execute(TABLES[table].replace(")", ", more TEXT)"))
    book.close()
    for opening in (Ledger.open, Ledger.resume):
        with pytest.raises(TaktError, match="none of ours"):
            opening(path)
    assert main(["kpis", str(path)]) == 2
