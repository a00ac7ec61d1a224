"""A board over a database: the shifts of a PostgreSQL store, live, and no password anywhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from asking import TOKEN, asked

from takt import Event, Ledger
from takt.board import feed
from takt.board.exported import export_pages
from takt.board.feed import number_of
from takt.board.server import Server
from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_DUE, UNIT_GOOD
from takt.ledger.store import place_of

META = {"station": "written", "options": {}, "worker": "writer", "worker_options": {}, "seed": 0, "clock": "lockstep"}
META |= {"faults": [], "hours": 1.0, "units": None, "stop_early": False}
ASKS = {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}


def unit(number: int) -> list[Event]:
    due, ended = 10.0 * number, 10.0 * number + 8
    return [Event(due, UNIT_DUE, number, {}), Event(ended, UNIT_GOOD, number, {"cycle_s": 8.0, "parts": {}})]


def test_a_shift_in_a_database_is_on_the_board_while_it_is_written_and_after(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK_S", 0.1)
    monkeypatch.setattr(feed, "STORE_S", 0.1)
    secret = server.uri.replace("takt@", "takt:hush-hush@")  # the server trusts everybody: no password is asked
    place = place_of(secret) / "board/one"
    number, path = number_of(place), f"/shift/{number_of(place)}"

    def shows(good: int, state: str) -> str:
        wanted = f'data-cursor="{1 + 2 * good + (state == "over")}"', f'data-state="{state}"'
        for _ in range(300):
            answer = asked(board, f"{path}/wall")
            if answer.status == 200 and all(text in answer.text for text in wanted):
                return answer.text
            time.sleep(0.1)
        raise AssertionError(f"the wall never showed {good} good units, {state}: {answer.status} {answer.text[-500:]}")

    with Ledger.create(place, META) as book, Server([place_of(secret), tmp_path], "127.0.0.1", 0, TOKEN) as board:
        book.commit([Event(0.0, SHIFT_STARTED, None, {"takt_s": 10.0, "acceptance": ASKS, "pace": "beat"})], None, None)
        for n in range(3):
            book.commit(unit(n), None, None)
        texts = [shows(3, "waiting"), asked(board, "/").text, asked(board, f"{path}/unit/1").text]
        assert "running" in texts[1] and "board/one" in texts[1]
        book.commit([*unit(3), Event(40.0, SHIFT_ENDED, None, {"reason": "time"})], None, None)
        texts += [shows(4, "over"), asked(board, f"{path}/station").text, asked(board, "/metrics").text]
        assert asked(board, f"{path}/unit/1/replay", method="POST").status == 404  # no film from a database
        assert not any("hush" in text for text in texts) and str(number) in texts[1]
    pages = export_pages([place], tmp_path / "pages").parent
    assert "board/one" in (pages / "index.html").read_text() and (pages / f"shift/{number}/unit-2.html").is_file()
    assert not any("hush" in file.read_text() for file in pages.rglob("*.html"))
