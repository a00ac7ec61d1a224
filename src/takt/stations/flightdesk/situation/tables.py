"""Fares and seats as tables to read: a row a travel date or a corridor, a column a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takt.stations.flightdesk.situation.fares import Fare, Seats
from takt.stations.flightdesk.situation.overflights import ORDER

COLUMNS = 8  # days that a table has side by side
ROWS = 40  # rows that a table has


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are read. The first `words` columns say what a row is; `left_out` says what is not shown, or ''."""

    head: list[str]
    words: int
    rows: list[list[str]]
    left_out: str


def routes(found: Sequence[Fare]) -> dict[str, list[Fare]]:
    """The fares by route and currency, named like `MAD-PEK, CNY`."""
    groups: dict[str, list[Fare]] = {}
    for fare in found:
        groups.setdefault(f"{fare.route}, {fare.currency}", []).append(fare)
    return groups


def fares(found: Sequence[Fare]) -> Table:
    """The fares of one route: a row a travel date (and flight, if they are by flight), a column a day seen."""
    amount = {(fare.flight, fare.travel, fare.seen): fare.fare for fare in found}
    keys = sorted({(fare.flight or "", fare.travel) for fare in found})
    seen = sorted({fare.seen for fare in found})
    rows = []
    for flight, travel in keys[:ROWS]:
        cells = [_fare(amount.get((flight or None, travel, day))) for day in seen[-COLUMNS:]]
        rows.append([*([flight] if flight else []), f"{travel}", *cells])
    words = ["flight", "travel"] if found[0].flight else ["travel"]
    head = [*words, *(f"{day:%m-%d}" for day in seen[-COLUMNS:])]
    return Table(head, len(words), rows, _left_out(len(keys) - ROWS, "rows", len(seen) - COLUMNS, "earlier days seen"))


def seats(found: Sequence[Seats]) -> Table:
    """Seats left as seen on the last day: a row a corridor, a column a travel date."""
    last = max(left.seen for left in found)
    count = {(left.corridor, left.travel): left.seats for left in found if left.seen == last}
    travel = sorted({on for _, on in count})
    rows = [
        [name, *(f"{count[name, on]:,}" if (name, on) in count else "–" for on in travel[:COLUMNS])]
        for name in sorted({name for name, _ in count}, key=by_corridor)
    ]
    head = ["corridor", *(f"{on:%m-%d}" for on in travel[:COLUMNS])]
    return Table(head, 1, rows, _left_out(0, "rows", len(travel) - COLUMNS, "later travel dates"))


def by_corridor(name: str) -> tuple[int, str]:
    """The order of corridors: those that overflights have first."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _fare(amount: float | None) -> str:
    if amount is None:
        return "–"
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.2f}"


def _left_out(rows: int, what: str, columns: int, which: str) -> str:
    return " and ".join(f"{count} {name}" for count, name in ((rows, what), (columns, which)) if count > 0)
