"""A person's page in a real browser: a unit worked through the forms with the keyboard alone; contrast and names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import TOKEN
from browsing import Watched, browser, violations
from counter import Counter

from takt import Ledger, repeat_shift, run_shift
from takt.board.person.server import PersonServer
from takt.workers.person import Person
from takt.workers.person.hatch import Hatch


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


def test_units_are_worked_through_the_forms_with_the_keyboard_alone(running: Any, tmp_path: Path) -> None:
    hatch, station, path = Hatch(), Counter(), tmp_path / "p.takt"
    with PersonServer(hatch, station.spec, None, "127.0.0.1", 0, TOKEN) as server:
        watched = Watched(running)
        page = watched.page
        page.goto(f"{server.url}?token={TOKEN}")
        assert hatch.wait_started(60)

        def work() -> None:
            run_shift(station, Person(hatch), units=2, seed=1, clock="live:2", ledger=path, worker_name="person")

        shift = threading.Thread(target=work, daemon=True)
        shift.start()
        page.locator("#state td", has_text="P0").wait_for()

        page.keyboard.press("1")  # the first tool, `look`, has no argument: its button has the focus
        page.keyboard.press("Enter")
        page.locator("#history .answer").nth(0).wait_for()
        use = page.locator("#history .use").first
        use.focus()
        page.keyboard.press("Enter")  # the row fills the forms
        page.keyboard.press("2")
        assert page.evaluate("document.activeElement.name") == "parcel"
        assert page.locator("form[data-call=send] [name=parcel]").input_value() == "P0"
        page.keyboard.press("Tab")
        page.keyboard.type("n")  # north
        page.keyboard.press("Tab")  # the button for one more row of stamps
        page.keyboard.press("Enter")
        page.keyboard.type("2")
        more = page.locator("form[data-call=send] [data-more]")
        more.focus()
        page.keyboard.press("Enter")
        page.keyboard.type("2")
        page.keyboard.press("Enter")
        wrong = page.locator("#history .answer.wrong")
        wrong.wait_for()
        assert "three in worth" in wrong.inner_text()
        last = page.locator("form[data-call=send] .row input[name=value]").last
        last.focus()
        last.fill("1")
        page.keyboard.press("Enter")
        page.locator("#history .answer.done", has_text="sent").wait_for()  # `look` has another word
        assert violations(page) == []
        page.reload()
        assert page.locator("#history .answer").count() == 3  # whoever comes later sees what was done
        watched.check()
        page.locator("#state td", has_text="P1").wait_for()  # the second goes the short way
        hatch.ask("send", '{"parcel":"P1","to":"south","stamps":[{"value":3}]}')
        shift.join(120)
        page.locator("#state", has_text="The shift is over").wait_for()
        watched.close()
    with Ledger.open(path) as book:
        events, digest = book.events(), book.digest()
    assert [e.kind for e in events if e.unit == 0 and e.kind.startswith("unit_")] == ["unit_due", "unit_good"]
    assert repeat_shift(path, station=Counter(), worker=Person()).digest == digest
