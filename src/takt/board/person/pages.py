"""The person's pages: what an agent may see, as HTML; and what comes back from the station."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from takt.board.chinese import said, short_texts
from takt.board.pages import environment
from takt.board.person.forms import Form, filling
from takt.board.person.pictures import Frame
from takt.board.person.stills import Still
from takt.board.telling import in_a_row, spaced
from takt.board.wanted import Prefs
from takt.board.words import word
from takt.contract.station import StationSpec
from takt.contract.steering import Idles, Steering
from takt.show.happened import field_name, name_of
from takt.workers.person.hatch import Standing

MOST_ROWS = 60  # of a table
MOST_IN_TILE = 40  # characters; a longer text stands below, whole
LONGEST_TEXT = 40_000  # characters of one with lines, such as a file
LONGEST_ARGUMENTS = 2_000  # characters, above the answer


def person_environment() -> Environment:
    """The board's templates, and these before them."""
    made = environment()
    here = Path(__file__).parent / "templates"
    made.loader = FileSystemLoader([here, Path(__file__).parents[1] / "templates"])
    return made


class PersonPages:
    """Makes the pages of one station. `practice`: nothing is recorded."""

    def __init__(self, spec: StationSpec, forms: Sequence[Form], steering: Steering | None, practice: bool) -> None:
        self._environment = person_environment()
        self.spec, self.forms, self.steering, self.practice = spec, forms, steering, practice
        self._tools = person_tools = forms
        self._environment.globals["fill"] = lambda row, around: filling(row, around, person_tools)
        self._environment.globals |= {"most_rows": MOST_ROWS, "longest_text": LONGEST_TEXT}
        self._environment.globals["longest_arguments"] = LONGEST_ARGUMENTS
        self._environment.globals["most_in_tile"] = MOST_IN_TILE
        self._environment.tests["rows"] = _is_rows

    def page(self, prefs: Prefs, state: str, history: Sequence[str]) -> str:
        name = "tools.html.j2" if self.steering is None else "cell.html.j2"
        return self._made(
            name,
            prefs,
            spec=self.spec,
            forms=self.forms,
            steering=self.steering,
            practice=self.practice,
            state=state,
            history=history,
            keys=self._keys(),
            idle=self.steering.idle[prefs.language == "zh"] if isinstance(self.steering, Idles) else "",
        )

    def state(
        self,
        observation: Any,
        prefs: Prefs,
        over: str | None,
        lag_s: float,
        stills: Sequence[Still] = (),
        standing: Standing | None = None,
    ) -> str:
        """How things stand, and what there is: all of the observation but the last result. `stills`: its pictures."""
        if not isinstance(observation, Mapping):
            observation = {}
        apart = {"result", *(one.name for one in stills)}
        seen = {key: value for key, value in observation.items() if key not in apart}
        return self._made(
            "state.html.j2",
            prefs,
            seen=seen,
            stills=stills,
            over=over,
            lag_s=lag_s,
            standing=self.standing(prefs, standing),
            idle=[] if over else self.idle(prefs, standing),
        )

    def standing(self, prefs: Prefs, standing: Standing | None) -> str:
        """How far the shift is, in words: what came of its units is no agent's to see, and not said."""
        if standing is None:
            return ""
        key = "units done" if standing.of is None else "units of"
        told = [word("speed", prefs.language).format(n=f"{standing.speed:g}")]
        told.append(word(key, prefs.language).format(n=standing.units, of=standing.of))
        return " · ".join(told)

    def idle(self, prefs: Prefs, standing: Standing | None) -> list[str]:
        """Why there is nothing to do, and until when; [] if there is."""
        if standing is None or not standing.idle:
            return []
        why = word(standing.idle, prefs.language)
        told = [why[:1].upper() + why[1:]]
        if standing.next_s is not None:
            told.append(word("next in", prefs.language).format(n=f"{standing.next_s:.0f}"))
        return told

    def over(self, prefs: Prefs, text: str | None) -> str | None:
        """What is said of the shift to whoever is at a page, in their language."""
        return None if text is None else said(text, prefs.language, self.spec.station)

    def answer(self, name: str, arguments: str, answer: Any, prefs: Prefs, number: int = 0) -> tuple[str, bool]:
        """What a call came to, and whether it was done. `number` is the answer's, by which a page knows it."""
        result = (
            answer.get("result") if isinstance(answer, Mapping) else {"error": {"code": "", "message": str(answer)}}
        )
        wrong = isinstance(result, Mapping) and isinstance(result.get("error"), Mapping)
        now_s = answer.get("now_s") if isinstance(answer, Mapping) else None
        told = {"name": name, "arguments": arguments, "result": result, "now_s": now_s}
        return self._made("answer.html.j2", prefs, wrong=wrong, answered=number, **told), not wrong

    def login(self, prefs: Prefs, wrong: bool = False) -> str:
        return self._made("login.html.j2", prefs, wrong=wrong)

    def _keys(self) -> str:
        """The keys for the page's script, as JSON."""
        if self.steering is None:
            return "[]"
        return json.dumps([[key.code, key.control, key.value, key.toggles] for key in self.steering.keys])

    def _made(self, template: str, prefs: Prefs, **told: Any) -> str:
        station, language = self.spec.station, prefs.language
        return self._environment.get_template(template).render(
            t=lambda key: word(key, language),
            s=lambda text: said(str(text), language, station),
            f=lambda key: spaced(key) if language == "en" else field_name(str(key), station, language),
            named=lambda key: name_of(str(key), station, language),
            v=lambda value: said(value, language, station) if isinstance(value, str) else in_a_row(value, "", language),
            words=json.dumps(short_texts(station), ensure_ascii=False) if language == "zh" else "{}",
            prefs=prefs,
            here="/",
            stream="",
            exported=False,
            home="/",
            static="/static/",
            zh=prefs.language == "zh",
            **told,
        )


def wired(steering: Steering, frame: Frame, stamp: float | None, lag_s: float, **how: Any) -> bytes:
    """Pictures and gauges of one moment: 4 bytes of length, JSON, then the JPEGs one after the other. `how` things
    stand beside: `over`, `ended`, `standing` and `idle`, and in the first that a page is told what is `held`."""
    observation = frame.seen.observation
    head = {
        "pictures": [[name, len(part)] for name, part in frame.jpegs.items()],
        "gauges": [[g.name, round(g.value, 2), g.most, g.unit] for g in steering.gauges(observation)],
        "facts": dict(steering.facts(observation)),
        "stamp": stamp,
        "lag_s": round(lag_s, 2),
        **how,
    }
    said = json.dumps(head, ensure_ascii=False).encode()
    return len(said).to_bytes(4, "big") + said + b"".join(frame.jpegs.values())


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
