"""What a fleet's shifts have used of its budgets: each shift once, however often it was left, lost and gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPENT = ("money", "tokens", "wall_s")


class Spending:
    """Sums over shifts of the most that was said of each: all that is said of a shift is since it was begun."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, float]] = {}
        self._sums = dict.fromkeys(SPENT, 0.0)

    def say(self, shift: str, told: Mapping[str, Any]) -> None:
        """What a record, or a sign of life, says of the shift with this id."""
        mine = self._of.setdefault(shift, dict.fromkeys(SPENT, 0.0))
        for key in SPENT:
            more = float(told.get(key) or 0.0) - mine[key]
            if more > 0:
                mine[key] += more
                self._sums[key] += more

    def __getitem__(self, key: str) -> float:
        return self._sums[key]
