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
from two_hands import TwoHands

from takt import Ledger, repeat_shift, run_shift
from takt.board.person.server import PersonServer
from takt.contract.station import StationSpec
from takt.workers.person import Person
from takt.workers.person.hatch import HELP, Hatch, Standing
from takt.workers.person.worker import INTERRUPTED


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
        page.locator("#history .answer:focus").wait_for()  # whoever called it is at the answer
        page.keyboard.press("u")
        page.keyboard.press("Enter")  # the first row fills the forms, and leads to what the one that takes it lacks
        assert page.evaluate("document.activeElement.name") == "to"
        assert page.locator("form[data-call=send] [name=parcel]").input_value() == "P0"
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.name") == "parcel"
        page.keyboard.press("Enter")  # where to is not chosen yet: nothing is called, and that is what has the focus
        assert page.evaluate("[document.activeElement.name, document.activeElement.value]") == ["to", ""]
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
        wrong.wait_for()  # the first of this tool's
        assert page.locator("#history .answer").count() == 2
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
        hatch.remark("editor", "a link stays in the folder only")
        hatch.ask("send", '{"parcel":"P1","to":"south","stamps":[{"value":3}]}')
        page.locator("#history .answer code", has_text="P1").wait_for()  # as an editor's call: every page shows it
        page.locator("#history", has_text="a link stays in the folder only").wait_for()
        shift.join(120)
        hatch.end("The shift is over: 2 of 2 units good, undecided.")
    page.locator("#state", has_text="2 of 2 units good").wait_for()
    page.wait_for_timeout(1500)  # and longer than it takes to see that the server has gone
    assert page.locator("#link").is_hidden() and page.locator("form[data-call=look] > button").is_disabled()
    assert page.evaluate("[...document.forms].every((form) => form.inert || !form.dataset.call)")
    page.evaluate("document.querySelector('form[data-call=look]').requestSubmit()")  # which asks nobody
    watched.close()
    with Ledger.open(path) as book:
        events, digest = book.events(), book.digest()
    assert [e.kind for e in events if e.unit == 0 and e.kind.startswith("unit_")] == ["unit_due", "unit_good"]
    assert repeat_shift(path, station=Counter(), worker=Person()).digest == digest


PADS = """() => {
  window.pad = { id: "two sticks", mapping: "standard", axes: [0, 0, 0, 0],
                 buttons: Array.from({ length: 17 }, () => ({ pressed: false })) };
  navigator.getGamepads = () => [null, window.pad];
  const found = new Event("gamepadconnected");
  found.gamepad = window.pad;
  window.dispatchEvent(found);
}"""
MOUSE_3D = "() => { window.pad.mapping = ''; window.pad.axes = [0.5, -0.25, 0, 0, -1, 0.05]; }"


def test_hands_are_steered_by_keys_a_gamepad_and_a_3d_mouse_and_the_page_passes_axe(running: Any) -> None:
    """The browser's Gamepad API with a pad of ours; what comes out is what is held at the hatch."""
    hatch, steering = Hatch(), TwoHands()
    spec = StationSpec(id="takt/TwoHands-v0", station="hands", takt_s=10.0, control_s=0.02)

    def held(**controls: float) -> None:
        """Wait until exactly this is held."""
        wanted = {name.replace("_", "."): value for name, value in controls.items()}
        for _ in range(600):
            if {name: value for name, value in hatch.held()[0].items() if value} == wanted:
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"held is {hatch.held()[0]}, not {wanted}")

    with PersonServer(hatch, spec, steering, "127.0.0.1", 0, TOKEN) as server:
        watched = Watched(running)
        page = watched.page
        page.goto(f"{server.url}?token={TOKEN}")
        page.goto(f"{server.url}?language=zh")
        assert hatch.wait_started(60)
        for value in (10, 200):
            hatch.show(value, None)
        page.locator("canvas[data-eye=head]").wait_for()
        page.locator(".gauges b", has_text="200.0 N").wait_for()
        assert violations(page) == []
        hatch.show(100, page.evaluate("performance.now()") - 9_000.0)  # another page's stamp, or none of a key's
        page.locator(".gauges b", has_text="100.0 N").wait_for()
        assert page.inner_text("#late") == "–"
        page.keyboard.down("KeyW")
        held(left_x=1.0)
        hatch.show(10, hatch.held()[1])
        page.locator("#late", has_text="ms").wait_for()
        page.keyboard.up("KeyW")
        page.keyboard.press("Space")
        held(left_grip=1.0)
        page.reload()  # as another browser that takes over: what a hand has, it keeps
        page.locator("canvas[data-eye=head]").wait_for()
        page.wait_for_timeout(300)
        held(left_grip=1.0)
        page.keyboard.press("Space")
        held()
        page.evaluate(PADS)
        assert page.inner_text("#pad") == "two sticks"
        page.evaluate("() => { pad.axes = [0.5, 0.05, 0, -1]; pad.buttons[5].pressed = true; }")
        held(left_y=-0.5, right_x=1.0, right_z=1.0)  # what trembles is nothing; a stick away from one is away
        page.evaluate(
            "() => { pad.axes = [0, 0, 0, 0]; pad.buttons[5].pressed = false; pad.buttons[1].pressed = true; }"
        )
        held(right_grip=1.0)
        page.evaluate("() => { pad.buttons[1].pressed = false; }")
        page.evaluate(MOUSE_3D)
        held(left_y=-0.5, left_x=0.25, left_tip=1.0, right_grip=1.0)
        watched.check()
        hatch.standing = Standing(0.5, 1, 8, HELP, 61.4)
        page.locator("#standing", has_text="0.5 倍速 · 已完成 1 / 8 个单元").wait_for()
        told = "已呼叫协助：此单元作废 · 61 秒后下一单元"
        page.locator("#idle", has_text=told).wait_for()  # what comes later is in the language of the page, too
        box, eyes = page.locator("#idle").bounding_box(), page.locator(".eyes").bounding_box()
        assert box["y"] + box["height"] <= eyes["y"], "it is read where one looks"
        hatch.end(INTERRUPTED)
    page.locator("#told", has_text="班次被中断").wait_for()
    page.wait_for_timeout(1500)
    assert page.locator("#link").is_hidden()
    watched.close()
    assert hatch.held()[0] == {"right.grip": 1.0}, "a page that is closed holds nothing but what a grip holds"


def test_when_the_program_is_gone_the_page_says_how_to_go_on_and_comes_back_to_the_next_ones_login(
    running: Any,
) -> None:
    spec = StationSpec(id="takt/TwoHands-v0", station="hands", takt_s=10.0, control_s=0.02)
    for station, steering in ((Counter().spec, None), (spec, TwoHands())):
        for interrupted in (False, True):
            came_back(running, station, steering, interrupted)


def came_back(running: Any, station: StationSpec, steering: TwoHands | None, interrupted: bool) -> None:
    """Killed, or by Ctrl-C, of which the page is told before."""
    page, hatch = running.new_page(), Hatch()
    with PersonServer(hatch, station, steering, "127.0.0.1", 0, TOKEN) as server:
        page.goto(f"{server.url}?token={TOKEN}")
        page.wait_for_timeout(500)
        if interrupted:
            hatch.show({} if steering is None else 7, None)
            hatch.end(INTERRUPTED, comes_back=True)
    page.locator("#told, #state .alert" if interrupted else "#link", has_text="takt resume").wait_for()
    with PersonServer(Hatch(), station, steering, "127.0.0.1", server.port, f"{TOKEN}-of-another"):
        page.locator("input[name=token]").wait_for()
    page.close()
