"""Ledgers that a stranger could have made, and a reader of pages that finds what should not be in them."""

from __future__ import annotations

import json
import re
import sqlite3
from html.parser import HTMLParser
from typing import Any

from takt import Event, Ledger
from takt.contract.events import FAULT, HELP_CALLED, SAID, SHIFT_STARTED, THOUGHT, UNIT_BAD, UNIT_DUE, UNIT_GOOD

NASTY = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&{{7*7}}{%x%}</title></style><!--"
META = {
    "station": NASTY,
    "options": {NASTY[:40]: NASTY},
    "worker": NASTY,
    "worker_options": {"model": NASTY},
    "seed": 7,
    "clock": NASTY,
    "faults": [],
    "hours": 1.0,
    "units": None,
    "stop_early": False,
    "begun_utc": NASTY,
    "machine": {"platform": NASTY},
    "packages": {NASTY[:40]: NASTY},
}


def nasty_ledger(path: Any) -> Any:
    """Every text that a ledger can hold is NASTY."""
    started = {
        **{key: META[key] for key in ("station", "worker", "seed", "clock", "hours", "units")},
        "takt_s": 10.0,
        "control_s": 0.1,
        "acceptance": {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95},
        "parts": [NASTY],
    }
    part = {"good": False, "why": NASTY, NASTY[:30]: NASTY}
    bad = {"cycle_s": 5.0, "parts": {NASTY: part}, "reasons": [NASTY, NASTY], NASTY[:30]: NASTY}
    said = {
        "number": 0,
        "added": [{"role": NASTY, "content": NASTY}, {"role": "tool", "tool_call_id": NASTY, "content": NASTY}],
        "text": NASTY,
        "reasoning": NASTY,
        "calls": [[NASTY, NASTY]],
        "odd": [NASTY],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        "price": 0.1,
        "took_s": 1.0,
        "failed": [{"kind": NASTY, "text": NASTY}],
        "message": None,
    }
    events = [
        Event(0.0, SHIFT_STARTED, None, started),
        Event(0.0, UNIT_DUE, 0, {NASTY: NASTY}),
        Event(1.0, SAID, 0, said),
        Event(1.0, SAID, 0, {NASTY: NASTY}),
        Event(2.0, FAULT, 0, {"name": NASTY, "origin": "station", "stops": True, "error": NASTY}),
        Event(2.0, FAULT, 0, {"name": "worker_raised", "origin": "worker", "stops": True, "error": NASTY}),
        Event(3.0, HELP_CALLED, 0, {"why": NASTY}),
        Event(4.0, NASTY[:90], 0, {"x": NASTY}),
        Event(10.0, UNIT_BAD, 0, bad),
        Event(10.0, THOUGHT, 0, {"calls": 1, "seconds": 1.0}),
        Event(10.0, UNIT_DUE, 1, {}),
        Event(20.0, UNIT_GOOD, 1, {"cycle_s": 5.0, "parts": {}, "first_time": True}),
    ]
    with Ledger.create(path, META) as book:
        book.commit(events, None, None)
    return path


def long_ledger(path: Any, units: Any) -> Any:
    """A shift of very many units."""
    with Ledger.create(path, {**META, "station": "toy", "worker": "w", "clock": "lockstep", "begun_utc": ""}) as book:
        events = [
            Event(
                0.0,
                SHIFT_STARTED,
                None,
                {"takt_s": 1.0, "acceptance": {"good_rate": 0.9, "cycle_s": None, "quantile": 0.95}, "pace": "beat"},
            )
        ]
        for unit in range(units):
            events.append(Event(float(unit), UNIT_DUE, unit, {}))
            kind, more = (UNIT_GOOD, {}) if unit % 11 else (UNIT_BAD, {"reasons": ["spoiled"]})
            events.append(Event(unit + 1.0, kind, unit, {"cycle_s": 0.5, "parts": {}, **more}))
        book.commit(events, None, None)
    return path


def broken_ledgers(folder: Any, good: Any) -> Any:
    """Files that are no ledgers, or no sound ones, made from a sound one."""
    made = []

    def put(name: Any, data: Any) -> None:
        (folder / name).write_bytes(data)
        made.append(folder / name)

    whole = good.read_bytes()
    put("text.takt", b"not a ledger\n")
    put("empty.takt", b"")
    put("cut.takt", whole[: len(whole) // 2])
    put("zeros.takt", whole[:100] + bytes(len(whole) - 100))
    (folder / "folder.takt").mkdir()
    made.append(folder / "folder.takt")
    changes = (
        ("no-meta", "DELETE FROM meta", ()),
        ("odd-meta", "UPDATE meta SET value = ? WHERE key = 'worker'", (json.dumps([1]),)),
        ("odd-started", "UPDATE events SET data = ? WHERE kind = 'shift_started'", (json.dumps({"takt_s": "x"}),)),
        ("no-started", "DELETE FROM events WHERE kind = 'shift_started'", ()),
        ("odd-unit", "UPDATE events SET data = ? WHERE kind = 'unit_good'", (json.dumps({"parts": [1]}),)),
        ("no-events", "DELETE FROM events", ()),
    )
    for name, change, values in changes:
        put(f"{name}.takt", whole)
        database = sqlite3.connect(folder / f"{name}.takt")
        database.execute(change, values)
        database.commit()
        database.close()
    return made


class Page(HTMLParser):
    """A page, read: its tags, its texts, and where it leads."""

    def __init__(self, text: Any) -> None:
        super().__init__(convert_charrefs=True)
        self.tags, self.texts = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: Any, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_startendtag(self, tag: Any, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: Any) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self) -> list[Any]:
        return [
            value
            for _, given in self.tags
            for key, value in given.items()
            if key in ("href", "src", "action") and value
        ]


def check_harmless(text: Any) -> Any:
    """Nothing in a page is a stranger's markup: no script but ours, no handler, no inline style, no outside address."""
    page = Page(text)
    for tag, given in page.tags:
        assert tag not in ("iframe", "object", "embed", "base", "style"), tag
        assert tag != "img" or re.match(r"/shift/\d+/", given["src"]), given  # what the board itself had made
        if tag == "script":
            assert given["src"] in ("/static/board.js",) and "defer" in given
        assert not any(key.startswith("on") or key == "style" for key in given), (tag, given)
    for link in page.links:
        assert link == "data:," or link.startswith(("/", "#")) or "://" not in link, link
        assert not link.lower().startswith(("javascript:", "//")), link
    return page
