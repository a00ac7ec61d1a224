"""The person's pages: what an agent may see, as HTML; and what comes back from the station."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from takt.board.pages import Prefs, environment
from takt.board.person.forms import Form, filling
from takt.board.words import word
from takt.contract.station import StationSpec
from takt.contract.steering import Steering

MOST_ROWS = 60  # of a table
JPEG_QUALITY = 80


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
        self._environment.globals["most_rows"] = MOST_ROWS
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
        )

    def state(self, observation: Any, prefs: Prefs, over: str | None, lag_s: float) -> str:
        """How things stand, and what there is: all of the observation but the last result and pictures."""
        if not isinstance(observation, Mapping):
            return ""
        seen = {key: value for key, value in observation.items() if key != "result"}
        return self._made("state.html.j2", prefs, seen=seen, over=over, lag_s=lag_s)

    def answer(self, name: str, arguments: str, answer: Any, prefs: Prefs) -> tuple[str, bool]:
        """What a call came to, and whether it was done."""
        result = (
            answer.get("result") if isinstance(answer, Mapping) else {"error": {"code": "", "message": str(answer)}}
        )
        wrong = isinstance(result, Mapping) and isinstance(result.get("error"), Mapping)
        now_s = answer.get("now_s") if isinstance(answer, Mapping) else None
        html = self._made(
            "answer.html.j2", prefs, name=name, arguments=arguments, result=result, wrong=wrong, now_s=now_s
        )
        return html, not wrong

    def login(self, prefs: Prefs, wrong: bool = False) -> str:
        return self._made("login.html.j2", prefs, wrong=wrong)

    def _keys(self) -> str:
        """The keys for the page's script, as JSON."""
        if self.steering is None:
            return "[]"
        return json.dumps([[key.code, key.control, key.value, key.toggles] for key in self.steering.keys])

    def _made(self, template: str, prefs: Prefs, **told: Any) -> str:
        return self._environment.get_template(template).render(
            t=lambda key: word(key, prefs.language),
            prefs=prefs,
            here="/",
            stream="",
            exported=False,
            home="/",
            static="/static/",
            zh=prefs.language == "zh",
            **told,
        )


def frame(steering: Steering, observation: Any, stamp: float | None, lag_s: float, over: str | None) -> bytes:
    """Pictures and gauges of one moment: 4 bytes of length, JSON, then the JPEGs one after the other."""
    from PIL import Image

    pictures = steering.pictures(observation)
    parts = []
    for picture in pictures.values():
        written = io.BytesIO()
        Image.fromarray(picture).save(written, "JPEG", quality=JPEG_QUALITY)
        parts.append(written.getvalue())
    head = {
        "pictures": [[name, len(part)] for name, part in zip(pictures, parts, strict=True)],
        "gauges": [[g.name, round(g.value, 2), g.most, g.unit] for g in steering.gauges(observation)],
        "facts": dict(steering.facts(observation)),
        "stamp": stamp,
        "lag_s": round(lag_s, 2),
        "over": over,
    }
    said = json.dumps(head, ensure_ascii=False).encode()
    return len(said).to_bytes(4, "big") + said + b"".join(parts)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
