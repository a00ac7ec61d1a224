"""The board's pages: what was read of ledgers, as HTML. Every text in it may be a stranger's; all of it is escaped.

A page is made of `Shown` and of how somebody wants it (`Prefs`, `Query`); nothing here reads a file or a clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, UndefinedError

from takt.board import drawing
from takt.board.chinese import said
from takt.board.comparing import compare_address, comparison_of
from takt.board.feed import Shown
from takt.board.telling import asked_percent, broken_of, in_a_row, own_of_unit, percent, ran_as, sentence, spaced
from takt.board.wanted import Links, Prefs, Query
from takt.board.words import LANGUAGES, word
from takt.contract.events import Event
from takt.draw.words import hms, short
from takt.errors import TaktError
from takt.judge.kpi_table import rows as kpi_rows
from takt.judge.outcomes import Unit
from takt.judge.verdict import notes
from takt.printable import printable
from takt.show.cases import by_unit, why
from takt.show.happened import field_name, meanwhile, name_of, story, value_in_words
from takt.show.listing import CUT_OFF, Row
from takt.show.sections import Own
from takt.show.steps import Steps
from takt.show.thinking import spent
from takt.show.transcript import EVENT, Line, is_unanswered, of_unit, transcript

TILES = ("good_rate", "takt_attainment", "cycle_p50_s", "cycle_p95_s", "help_calls_per_h", "mtbf_s")
WATCH = "watch"  # a stream that says only whether the ledger is still there
MOST_UNITS = 500  # in the row of them: the last
MOST_LINES = 500  # of a unit's transcript and of its events


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    filters: dict[str, Any] = {"hms": hms, "plain": spaced, "short": short, "told": in_a_row}
    made.filters |= filters
    made.globals |= {
        "percent": percent,
        "asked_percent": asked_percent,
        "ring_of": drawing.ring,
        "gauge_of": drawing.gauge,
        "languages": LANGUAGES,
    }
    return made


class Pages:
    """Makes pages. `exported`: as files that stand alone, without forms, scripts and streams."""

    def __init__(self, exported: bool = False) -> None:
        self._environment = environment()
        self._exported = exported

    def folder(
        self,
        rows: Sequence[tuple[int, Row]],
        query: Query,
        prefs: Prefs,
        live: bool = False,
        fleets: Mapping[int, Path] = MappingProxyType({}),
        ticked: Collection[str] | None = None,
    ) -> str:
        """`ticked`: the numbers of those that somebody wanted to compare, and which were not two."""
        kept, here = query.of_rows(rows), f"/?{urlencode(query.words())}"
        inner = self._made("folder", prefs, 0, True, here, "", rows=kept, query=query)
        if live:
            return inner
        stream = "/stream?" + urlencode({**query.words(), "after": fingerprint(inner)})
        if ticked is not None:
            inner = self._made("folder", prefs, 0, True, here, "", rows=kept, query=query, ticked=ticked)
        return self._made("folder", prefs, 0, False, here, stream, rows=kept, query=query, inner=inner, fleets=fleets)

    def wall(self, number: int, shown: Shown, prefs: Prefs, live: bool = False, follows: bool = False) -> str:
        """`follows`: the wall of no certain shift, which goes on to the next one."""
        state = shown.row.state if shown.row.state == CUT_OFF else shown.view.state
        title = f"{word(state, prefs.language)} {short(shown.meta['worker'], 60)} · Takt"
        link = {"shift": Links(self._exported, 2).shift(number)}
        here = "/wall" if follows else f"/shift/{number}/wall"
        stream = f"/wall/stream?after={number}.{shown.id}" if follows else _stream(number, "wall", shown)
        return self._made("wall", prefs, 2, live, here, stream, shown=shown, link=link, title=title)

    def empty_wall(self, prefs: Prefs) -> str:
        """The wall before the first shift."""
        return self._made("wall", prefs, 0, False, "/wall", "/wall/stream", shown=None, title="Takt")

    def shift(self, number: int, shown: Shown, prefs: Prefs, live: bool = False) -> str:
        view = shown.view
        table = kpi_rows(view.kpis)
        station = str(shown.meta["station"])
        by_reason: dict[str, list[Unit]] = {}
        judged = view.units[: view.judged.units]
        units = view.units[: view.due + view.not_judged]  # not what fell due as the shift ended
        cut = {unit.number for unit in units[view.due :]}
        for unit in judged:
            if unit.good is False:
                by_reason.setdefault(str((unit.data.get("reasons") or ["unstated"])[0]), []).append(unit)
        mine = by_unit(view.events) if by_reason else {}
        bad = [
            (reason, sentence(station, reason, prefs.language, [mine.get(unit.number, []) for unit in units]), units)
            for reason, units in sorted(by_reason.items(), key=lambda one: -len(one[1]))[:20]
        ]
        both = (drawing.WIDE, drawing.NARROW)
        return self._made(
            "shift",
            prefs,
            2,
            live,
            f"/shift/{number}",
            _stream(number, "shift", shown),
            number=number,
            shown=shown,
            broken=broken_of(shown.events),
            notes=notes(view.judged),
            tiles=[row for name in TILES for row in table if row.name == name],
            curves=[drawing.curve(view, width) for width in both],
            times=[drawing.timeline(view, shown.events, width) for width in both],
            took=[drawing.cycles(view, width) for width in both],
            bad=bad,
            units=units[-MOST_UNITS:],
            cut=cut,
            figures=table,
            bill=spent(shown.events, shown.meta.get("worker_options")),
            ran=ran_as(shown.meta, prefs.language),
        )

    def unit(
        self,
        number: int,
        shown: Shown,
        events: Sequence[Event],
        unit_number: int,
        prefs: Prefs,
        film: str = "",
        making: bool = False,
        replay_error: str = "",
        can_replay: bool = False,
        steps: Steps | None = None,
        step: int = 0,
        answers: Sequence[Line] | None = None,
        answers_making: bool = False,
        answers_wrong: str = "",
        own: Own | None = None,
        own_making: bool = False,
        own_wrong: str = "",
        can_open: bool = False,
    ) -> str:
        """`events` are the ledger's, with what was said in full. TaktError if there is no such unit."""
        units = {unit.number: place for place, unit in enumerate(shown.view.units)}
        if unit_number not in units:
            raise TaktError(f"there is no unit {unit_number} in this shift")
        place = units[unit_number]
        unit = shown.view.units[place]
        station = str(shown.meta["station"])
        around = shown.view.units[max(0, place - 1) : place + 2]
        recorded = of_unit(transcript(events), events, unit_number)
        said = [line for line in (recorded if answers is None else answers) if line.who != EVENT]
        noted = [(one.t_s, what) for one in (steps.steps if steps else ()) for what in one.noted]
        cut = shown.view.due <= place < shown.view.due + shown.view.not_judged
        reasons = [str(one) for one in unit.data.get("reasons") or (["unstated"] if unit.good is False else [])]
        mine = [event for event in shown.view.events if event.unit == unit_number]
        parts = {str(k): v for k, v in (unit.data.get("parts") or {}).items() if isinstance(v, Mapping)}
        curves, marks = ((), []) if steps is None else (steps.curves, [one.t_s for one in steps.steps])
        known = {"cycle_s", "parts", "reasons", "first_time"}
        return self._made(
            "unit",
            prefs,
            2,
            False,
            f"/shift/{number}/unit/{unit_number}",
            f"/shift/{number}/stream?page={WATCH}&after={shown.shift}",
            number=number,
            shown=shown,
            unit=unit,
            kind="open" if unit.good is None else "good" if unit.good else "bad",
            before=around[0].number if place else None,
            after=around[-1].number if place + 1 < len(shown.view.units) else None,
            reasons=[(one, why(station, one, mine, prefs.language)) for one in reasons],
            cut=f"cut off {shown.view.cut}" if cut else "",
            there=meanwhile(events, unit_number, station, prefs.language) if unit.good is False else "",
            parts=parts,
            own_said=own_of_unit(own, unit_number),
            own_making=own_making,
            own_wrong=own_wrong,
            can_open=can_open and (own is None or unit.ended_s is None or own.now_s < unit.ended_s),
            part_columns=list(dict.fromkeys(key for part in parts.values() for key in part))[:20],
            measured=[
                (field_name(key, station, prefs.language), value_in_words(value, station, prefs.language))
                for key, value in unit.data.items()
                if key not in known
            ][:40],
            field=lambda key: field_name(key, station, prefs.language),
            cell=lambda value: value_in_words(value, station, prefs.language),
            story=story(events, unit_number, station, prefs.language, noted)[:MOST_LINES],
            said=said[:MOST_LINES],
            unanswered=is_unanswered(said),
            answers_making=answers_making,
            answers_wrong=answers_wrong,
            film=film,
            making=making,
            replay_error=replay_error,
            can_replay=can_replay,
            steps=steps,
            step=max(0, min(step, len(marks) - 1)),
            curves=[drawing.measured(curves, marks, width) for width in (drawing.WIDE, drawing.NARROW)],
        )

    def station(
        self, number: int, shown: Shown, own: Own | None, prefs: Prefs, making: bool, wrong: str, can_open: bool
    ) -> str:
        """What the station itself has to say of the shift, if that was made."""
        return self._made(
            "station",
            prefs,
            2,
            False,
            f"/shift/{number}/station",
            f"/shift/{number}/stream?page={WATCH}&after={shown.shift}",
            number=number,
            shown=shown,
            own=own,
            making=making,
            wrong=wrong,
            can_open=can_open,
        )

    def compare(self, chosen: Sequence[tuple[int, Shown]], prefs: Prefs, may_differ: Sequence[str] = ()) -> str:
        """Two shifts side by side, and by the pairs of their units if they are of the same work. `may_differ`: options
        of the station's that need not be the same."""
        here = compare_address([number for number, _ in chosen], may_differ)
        return self._made("compare", prefs, 0, False, here, "", **comparison_of(chosen, may_differ, prefs.language))

    def login(self, prefs: Prefs, wrong: bool = False) -> str:
        return self._made("login", prefs, 0, False, "/login", "", wrong=wrong)

    def gone(self, prefs: Prefs, why: str = "") -> str:
        return self._made("gone", prefs, 0, False, "/", "", why=why)

    def _made(self, name: str, prefs: Prefs, depth: int, live: bool, here: str, stream: str, **told: Any) -> str:
        links = Links(self._exported, depth)
        shown = told.get("shown")
        station = str(told.get("station", "")) if shown is None else str(shown.meta["station"])
        template = self._environment.get_template(f"{name}_live.html.j2" if live else f"{name}.html.j2")
        try:
            return template.render(
                t=lambda key: word(key, prefs.language),
                s=lambda text: said(str(text), prefs.language, station),
                named=lambda key: name_of(key, station, prefs.language),
                prefs=prefs,
                here=here,
                stream=stream,
                exported=self._exported,
                links=links,
                home=links.home,
                static=links.static,
                **told,
            )
        except (UndefinedError, LookupError, TypeError, ValueError, AttributeError) as error:
            if name == "gone":
                raise
            return self.gone(prefs, f"no page can be made of this ledger: {type(error).__name__}: {error}")


def fingerprint(html: str) -> str:
    """What a page is known by, so that a viewer is not sent what it has."""
    return hashlib.sha256(html.encode()).hexdigest()[:16]


def _stream(number: int, page: str, shown: Shown) -> str:
    return f"/shift/{number}/stream?page={page}&after={shown.id}"
