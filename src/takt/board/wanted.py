"""How somebody wants the board's pages, which shifts of a folder, and where pages lie."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from takt.board.words import LANGUAGES
from takt.show.listing import BROKEN, Row

LIGHTS = ("auto", "day", "night")
SORTS = ("worker", "station", "seed", "state", "units", "rate", "verdict", "cost", "age")
MOST_ROWS = 2_000  # of the table of shifts
AHEAD_S = 86_400.0  # that another machine's clock may be ahead


@dataclass(frozen=True, slots=True)
class Prefs:
    """How somebody wants the pages."""

    language: str = "en"
    light: str = "auto"

    @classmethod
    def of(cls, language: str | None, light: str | None, accepted: str = "") -> Prefs:
        if language not in LANGUAGES:
            language = "zh" if accepted.strip().lower().startswith("zh") else "en"
        return cls(language, light if light in LIGHTS else "auto")


@dataclass(frozen=True, slots=True)
class Query:
    """Which shifts of a folder are shown, and in which order."""

    q: str = ""
    state: str = ""
    verdict: str = ""
    sort: str = "age"
    down: bool = True

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Query:
        sort = given.get("sort", "age")
        return cls(
            q=given.get("q", "")[:100],
            state=given.get("state", "")[:20],
            verdict=given.get("verdict", "")[:20],
            sort=sort if sort in SORTS else "age",
            down=given.get("down", "1") != "0",
        )

    def sorted_by(self, key: str) -> str:
        """The address of the same table, sorted by this; the other way round if it is so already."""
        return "/?" + urlencode(replace(self, sort=key, down=not self.down if key == self.sort else True).words())

    def words(self) -> dict[str, str]:
        return {
            "q": self.q,
            "state": self.state,
            "verdict": self.verdict,
            "sort": self.sort,
            "down": str(int(self.down)),
        }

    def of_rows(self, rows: Iterable[tuple[int, Row]]) -> list[tuple[int, Row]]:
        words = self.q.lower().split()
        kept = [
            (number, row)
            for number, row in rows
            if all(one in f"{row.worker} {row.station} {row.seed} {row.path.name}".lower() for one in words)
            and self.state in ("", row.state)
            and self.verdict in ("", row.decision)
        ]
        keys: dict[str, Any] = {
            "worker": lambda row: row.worker,
            "station": lambda row: row.station,
            "seed": lambda row: row.seed,
            "state": lambda row: row.state,
            "units": lambda row: row.units,
            "rate": lambda row: -1.0 if row.rate is None else row.rate,
            "verdict": lambda row: row.decision,
            "cost": lambda row: (-1.0 if row.cost is None else row.cost, row.price or 0.0),
            "age": lambda row: _begun_s(row.begun_utc),
        }
        readable = [one for one in kept if one[1].state != BROKEN]
        readable.sort(key=lambda one: (keys[self.sort](one[1]), one[0]), reverse=self.down)
        return [*readable, *(one for one in kept if one[1].state == BROKEN)][:MOST_ROWS]


def _begun_s(told: str) -> float:
    """When that was, since the epoch; long ago for what is no time, or one to come: it is whatever a ledger says."""
    try:
        begun = datetime.fromisoformat(told)
        begun_s = (begun if begun.tzinfo else begun.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return -math.inf
    return begun_s if begun_s < time.time() + AHEAD_S else -math.inf


class Links:
    """Where pages lie: on the server, or in a folder of static pages (`exported`), seen from the page at `depth`."""

    def __init__(self, exported: bool = False, depth: int = 0) -> None:
        self._exported, self._up = exported, "../" * depth

    @property
    def home(self) -> str:
        return f"{self._up}index.html" if self._exported else "/"

    @property
    def static(self) -> str:
        return f"{self._up}static/" if self._exported else "/static/"

    def shift(self, number: int) -> str:
        return f"{self._up}shift/{number}/index.html" if self._exported else f"/shift/{number}"

    def wall(self, number: int) -> str:
        return f"{self._up}shift/{number}/wall.html" if self._exported else f"/shift/{number}/wall"

    def unit(self, number: int, unit: int) -> str:
        return f"{self._up}shift/{number}/unit-{unit}.html" if self._exported else f"/shift/{number}/unit/{unit}"
