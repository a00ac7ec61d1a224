"""Ledgers in PostgreSQL: the same shift as in a file, one writer at a time, and a server that may be killed.

All of this is by a real server (postgres_server.py), and is skipped, with words, where there is none.
"""

from __future__ import annotations

import datetime
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from postgres_server import Server
from takt import Event, Ledger, TaktError, repeat_shift, resume_shift, run_shift
from takt.cli import main
from takt.errors import Busy, Lost, Unwritable
from takt.ledger import Cursor
from takt.ledger.address import Address
from takt.ledger.copying import copy
from takt.ledger.store import place_of, shifts_in
from takt.secret import masked

CART = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}
META = {"station": "toy", "worker": "push", "seed": 3, "hours": 1.0}
LEDGERS = Path(__file__).parents[1] / "ledgers"
# Digests that an older Takt said of them; tests/test_old_ledgers.py.
DESK_LLM = "51a29b363192d97c72430eac5e40f104268f886aea78cda2d846c4cddac59c78"
DESK = "b73b3cf226fefaf4872339315716bc791cd823d095d1460dc05f2efc6424718b"


def event(number: int) -> Event:
    return Event(float(number), "step", number, {"number": number, "text": "\u0000 \u4f60\u597d"})


@pytest.fixture
def store(server: Any, request: pytest.FixtureRequest) -> Address:
    return place_of(server.uri) / request.node.name[:80]


def alone(units: Any = 40) -> Any:
    return run_shift("gym", "idle", units=units, seed=1, station_options=CART).digest


def test_a_shift_is_the_same_as_in_a_file_and_every_command_takes_its_address(
    store: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = store / "one"
    words = ["-o", "id=CartPole-v1", "-o", "takt_s=0.5", "-o", "success=return>=10"]
    assert main(["run", "gym", "--worker", "idle", "--units", "12", "--seed", "1", *words, "--out", str(place)]) == 0
    with Ledger.open(place) as book:
        assert book.digest() == alone(12) and book.finished and book.faults() == []
        assert book.follow().events == book.events() and book.follow(book.follow().cursor).events == []
    for command in (
        ["kpis"],
        ["verdict"],
        ["verify", "--work-again"],
        ["ledger", "show"],
        ["ledger", "digest"],
        ["report"],
    ):
        assert main([command[0], *command[1:], str(place)]) == 0, command
    assert (tmp_path / "one.html").exists()
    assert main(["repeat", str(place), "--out", str(store / "again")]) == 0
    capsys.readouterr()
    assert main(["ls", str(store), "--json"]) == 0
    assert [row["worker"] for row in json.loads(capsys.readouterr().out)["shifts"]] == ["idle", "idle"]
    assert shifts_in(store) == [store / "again", store / "one"]
    assert main(["run", "gym", "--worker", "idle", "--units", "1", *words, "--out", str(place)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_ledgers_are_copied_into_a_store_and_back_with_their_digests_and_go_on_there(
    store: Any, server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = tmp_path / "files" / "deep"
    files.mkdir(parents=True)
    for name in ("desk-llm", "desk-greedy-cut", "gym-cartpole"):
        shutil.copy(LEDGERS / f"{name}.takt", files)
    assert main(["ledger", "copy", str(tmp_path / "files"), str(store)]) == 0
    server.kill()  # what was told to be copied is on its disk
    server.start()
    with Ledger.open(store / "deep/desk-llm") as there, Ledger.open(files / "desk-llm.takt") as here:
        assert there.digest() == here.digest() == DESK_LLM and there.seal() == here.seal()
    assert repeat_shift(store / "deep/desk-llm").digest == DESK_LLM
    assert resume_shift(store / "deep/desk-greedy-cut").digest == DESK
    back = list(copy(store, tmp_path / "back"))
    assert len(back) == 3 and {one.digest for one in back} > {DESK, DESK_LLM}
    assert all(not one.new for one in copy(store, tmp_path / "back")), "what is there is left alone"
    with Ledger.open(tmp_path / "back" / "deep" / "desk-greedy-cut.takt") as book:
        assert book.digest() == DESK and book.last_snapshot() is not None
    with pytest.raises(TaktError, match="is there already, and is not"):
        list(copy(files / "gym-cartpole.takt", store / "deep/desk-llm"))


def test_two_never_append_to_one_shift(store: Any) -> None:
    place = store / "a"
    with Ledger.create(place, META) as ledger:
        with pytest.raises(Busy, match="another process is working on"):
            Ledger.resume(place)
        ledger.commit([event(0)], b"x", None)
    with Ledger.resume(place) as ledger:
        assert ledger.events() == [event(0)]


def test_of_many_who_come_first_to_an_empty_database_one_makes_the_tables(server: Any) -> None:
    import psycopg

    with psycopg.connect(server.uri, autocommit=True) as by_hand:
        by_hand.execute("CREATE DATABASE empty")
    store, made, barrier = place_of(server.uri.replace("/postgres", "/empty")), [], threading.Barrier(6)

    def make(number: Any) -> None:
        barrier.wait()
        with Ledger.create(store / str(number), META) as ledger:
            made.append(ledger.path.name)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [one.name for one in shifts_in(store)] == list("012345")


def expire(server: Any, place: Any) -> None:
    """Let the lease run out, as by a heartbeat that is heard of no more."""
    import psycopg

    with psycopg.connect(server.uri, autocommit=True) as by_hand:
        past = "UPDATE takt.shifts SET until = clock_timestamp() - interval '1 s' WHERE name = %s"
        by_hand.execute(past, (place.name,))


def test_who_lost_his_lease_writes_nothing_whatever_he_tries(store: Any, server: Any) -> None:
    place = store / "a"
    late = Ledger.create(place, META)
    late.commit([event(0)], b"x" * 5000, None)
    expire(server, place)
    with Ledger.resume(place) as ledger:
        ledger.commit([event(1)], b"y" * 5000, 0)
        for attempt in (
            lambda: late.commit([event(1)], b"z" * 5000, 0),
            lambda: late.show([event(1)], 1.0),
            lambda: late.note(7, {"paid": True}),
        ):
            with pytest.raises(Lost, match="this one has stopped"):
                attempt()  # type: ignore[no-untyped-call]
        ledger.commit([event(2)], b"y" * 5001, 1)
        late.close()  # gives back nothing, for it has nothing
        with pytest.raises(Busy):
            Ledger.resume(place)
        assert ledger.events() == [event(0), event(1), event(2)] and ledger.recall(7) is None
        assert ledger.faults() == [] and ledger.last_snapshot().state == b"y" * 5001


def test_who_woke_late_may_go_on_if_nobody_took_his_place(store: Any, server: Any) -> None:
    with Ledger.create(store / "a", META) as ledger:
        expire(server, store / "a")
        ledger.commit([event(0)], b"x", None)
        with pytest.raises(Busy):
            Ledger.resume(store / "a")


def test_of_many_who_want_a_dead_ones_shift_one_gets_it(store: Any, server: Any) -> None:
    place = store / "a"
    Ledger.create(place, META)._store._over.set()  # type: ignore[attr-defined]  # dead: its heartbeat has ended, and it never said so
    expire(server, place)
    got, barrier = [], threading.Barrier(8)

    def want() -> None:
        barrier.wait()
        try:
            got.append(Ledger.resume(place))
        except Busy:
            got.append(None)

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [ledger for ledger in got if ledger is not None]
    assert len(got) == 8 and len(winners) == 1
    winners[0].close()


def test_a_lease_lasts_while_a_worker_thinks_for_longer_than_it(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAKT_LEASE_S", "1")
    with Ledger.create(store / "a", META) as ledger:
        time.sleep(2.5)
        with pytest.raises(Busy):
            Ledger.resume(store / "a")
        ledger.commit([event(0)], b"x", None)


@pytest.mark.parametrize("wrong_s", [-1e9, 1e9])
def test_a_clock_that_is_wrong_by_years_changes_nothing(
    store: Any, server: Any, monkeypatch: pytest.MonkeyPatch, wrong_s: Any
) -> None:
    class Wrong(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.datetime.fromtimestamp(real() + wrong_s, tz)

    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + wrong_s)
    monkeypatch.setattr(datetime, "datetime", Wrong)
    place = store / "a"
    late = Ledger.create(place, META)
    with pytest.raises(Busy):
        Ledger.resume(place)
    expire(server, place)
    with Ledger.resume(place) as ledger, pytest.raises(Lost):
        ledger.commit([event(0)], b"x", None)
        late.commit([event(0)], b"x", None)
    late.close()


WORKS = """
import sys
from takt import resume_shift, run_shift
from takt.errors import Lost
try:
    if sys.argv[2] == "run":
        run_shift("gym", "idle", units=%d, seed=1, ledger=sys.argv[1], station_options=%r)
    else:
        resume_shift(sys.argv[1])
except Lost:
    sys.exit(7)
"""


def works(place: Any, what: Any = "run", units: Any = 4000) -> Any:
    env = {**os.environ, "TAKT_LEASE_S": "1"}
    return subprocess.Popen([sys.executable, "-c", WORKS % (units, CART), place.full, what], env=env)


def until(found: Any, process: Any = None) -> Any:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        try:
            if value := found():
                return value
        except TaktError:
            pass
        assert process is None or process.poll() in (None, 0)
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def events_of(place: Any) -> int:
    with Ledger.open(place) as book:
        return len(book.events())


def taken(place: Any) -> Any:
    def attempt() -> Any:
        try:
            return Ledger.resume(place)
        except Busy:
            return None

    return until(attempt)


def test_a_process_that_was_stopped_and_wakes_late_stops_before_it_writes(store: Any) -> None:
    place = store / "a"
    late = works(place)
    try:
        until(lambda: events_of(place) > 30, late)
        os.kill(late.pid, signal.SIGSTOP)
        ledger = taken(place)
        seen = events_of(place)
        os.kill(late.pid, signal.SIGCONT)
        assert late.wait(240) == 7, "it was told, and ended"
        assert events_of(place) == seen
        ledger.close()
        with Ledger.open(place) as book:
            assert book.faults() == []
    finally:
        late.kill()
        late.wait()


def test_killed_again_and_again_a_shift_ends_with_the_digest_of_the_whole_one(store: Any) -> None:
    """The worker is killed six times at random instants (seed 5), and taken up by another process each time."""
    place, rng, units = store / "a", random.Random(5), 400
    whole = alone(units)
    for turn in range(7):
        process = works(place, "resume" if turn else "run", units)
        if turn == 6:
            assert process.wait(240) == 0
            break
        before = 0 if not turn else events_of(place)
        far = before + rng.randrange(60)
        until(lambda far=far, process=process: process.poll() is not None or events_of(place) > far)
        process.kill()
        process.wait()
        if turn < 6:
            taken(place).close()
    with Ledger.open(place) as book:
        assert book.finished and book.digest() == whole and book.faults() == []


def test_a_server_that_is_killed_under_a_shift_costs_it_nothing(server: Any) -> None:
    """SIGKILL of all of it, three times at random (seed 6), and started again: the worker goes on by itself."""
    rng = random.Random(6)
    with Server() as mortal:
        place = place_of(mortal.uri) / "a"
        process = works(place, "run", 3000)
        try:
            for _ in range(3):
                until(lambda: events_of(place) > 10, process)
                time.sleep(rng.random() / 2)
                mortal.kill()
                mortal.start()
            assert process.wait(300) == 0
            with Ledger.open(place) as book:
                assert book.finished and book.digest() == alone(3000) and book.faults() == []
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("known", [True, False])
def test_what_the_server_lost_of_what_it_had_taken_is_appended_once_more_or_said(
    store: Any, server: Any, known: Any
) -> None:
    """As after a power cut at the server: its disk knows less than it had said."""
    import psycopg

    with Ledger.create(store / "a", META) as ledger:
        kept, append = [], ledger._store._append  # type: ignore[attr-defined]
        ledger._store._append = lambda batch: kept.append((batch, None)) or append(batch)  # type: ignore[attr-defined]
        for number in range(3):
            ledger.commit([event(number)], bytes([number]) * 5000, number)
        with psycopg.connect(server.uri, autocommit=True) as by_hand:
            (shift,) = by_hand.execute("SELECT id FROM takt.shifts WHERE name = %s", ((store / "a").name,)).fetchone()
            by_hand.execute("DELETE FROM takt.events WHERE shift = %s AND seq >= 1", (shift,))
            by_hand.execute("DELETE FROM takt.snapshots WHERE shift = %s AND seq >= 2", (shift,))
            by_hand.execute("UPDATE takt.shifts SET events = 1 WHERE id = %s", (shift,))
        ledger._store._not_on_disk = deque(kept if known else ())  # type: ignore[attr-defined]  # what it had said of its disk was not so
        if known:
            ledger.commit([event(3)], b"z" * 5000, 3)
            assert ledger.events() == [event(n) for n in range(4)] and ledger.faults() == []
            assert ledger.snapshot_after(2).state == bytes([2]) * 5000
        else:
            with pytest.raises(Unwritable, match="has lost units"):
                ledger.commit([event(3)], b"z" * 5000, 3)


def test_a_viewer_sees_the_unit_under_way(store: Any) -> None:
    with Ledger.create(store / "a", META) as ledger, Ledger.open(store / "a") as reader:
        ledger.commit([event(0)], b"x", None)
        ledger.show([event(1)], 1.5)
        ledger.show([event(1), event(2)], 2.5)
        news = reader.follow()
        assert news.events == [event(0), event(1), event(2)] and news.cursor[1:] == (1, 3)
        assert reader.running().now_s == 2.5 and reader.events() == [event(0)]
        ledger.commit([event(1), event(2), event(3)], b"x", 0)
        assert reader.follow(Cursor.of(str(news.cursor))).events == [event(3)]


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://takt:hush-hush@127.0.0.1:1/postgres#a",
        "postgresql://takt@127.0.0.1:1/postgres?password=hush-hush#a",
        "postgres://takt:hush-hush@127.0.0.1:1/postgres?sslmode=nonsense#a",
        "mysql://takt:hush-hush@127.0.0.1/db#a",
        "postgresql://takt:hush-hush@127.0.0.1:1/postgres",
        "postgresql://takt:hush-hush@[::1/postgres#a",
        "postgresql://takt:hush-hush@127.0.0.1:99999999/postgres#a",
        "postgresql://takt:hush%2Dhush@127.0.0.1:1/postgres#a",
        "postgresql://takt:hush/hush@127.0.0.1:1/postgres#a",
        "postgresql://takt:12#hush@127.0.0.1:1/postgres",
        "postgresql://takt@127.0.0.1:1/postgres?sslmode=disable&sslpassword=hush",
        "mysql://takt:hush?hush@127.0.0.1/db",
        "host=127.0.0.1 port=1 password=hush dbname=postgres",
    ],
)
def test_a_password_is_never_printed(
    address: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (
        ["kpis"],
        ["ledger", "show"],
        ["resume"],
        ["ledger", "copy", str(LEDGERS / "gym-cartpole.takt")],
        ["ls"],
    ):
        assert main([*words, address]) == 2
        out, err = capsys.readouterr()
        assert err.count("\n") == 1 and "hush" not in (out + err).replace("%2D", "-")
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_off_this_machine_a_connection_is_encrypted_and_the_server_known(monkeypatch: pytest.MonkeyPatch) -> None:
    import takt.ledger.postgres_connection as module

    asked = []

    class Connection:
        def execute(self, *_: Any) -> Any:
            return self

    monkeypatch.setattr(module.needed(), "connect", lambda uri, **options: asked.append(options) or Connection())
    monkeypatch.delenv("PGSSLMODE", raising=False)
    for address in (
        "postgresql://db.plant/takt#a",
        "postgresql://db.plant/takt?sslmode=require&password=plant#a",
        "postgresql:///takt?password=correct-horse#a",
    ):
        module.connected(Address.of(address))
    assert [one.get("sslmode") for one in asked] == ["verify-full", None, None]
    assert masked("by correct-horse of plant") == "by *** of plant", (
        "what it was given is hidden from then on, whoever says it"
    )


def test_an_address_has_a_name_and_shows_no_password() -> None:
    place = Address.of("postgresql://u:secret@h:5/d?application_name=x#fleet/one.takt")
    assert place.name == "fleet/one" and place == Address.of("postgresql:/u:secret@h:5/d?application_name=x#fleet/one")
    for text in (str(place), repr(place), f"{place}", os.fspath(place)):
        assert "secret" not in text
    assert "secret" in place.full and place.with_suffix(".html") == Path("one.html")
    assert (place.named("") / "a" / "b.takt").name == "a/b"
    assert str(place_of("shifts/a.takt")) == "shifts/a.takt" and place_of("file:///x/a%20b.takt") == Path("/x/a b.takt")
