"""What a shift by a model cost, and what went wrong on the way: pure functions of its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from takt.contract.events import REFUSED, SAID, UNIT_ENDED, UNIT_GOOD, Event


@dataclass(frozen=True, slots=True)
class Bill:
    """Sums over a shift. `price` is in the currency of `price_in` and `price_out`; `thought_s` is what was charged.
    `cached_tokens` are those of `prompt_tokens` that the server says it had read before.

    The shares of a unit are None if there is no unit to share among.
    """

    exchanges: int
    prompt_tokens: int
    completion_tokens: int
    price: float
    thought_s: float
    units: int
    good: int
    tokens_a_unit: float | None
    tokens_a_good_unit: float | None
    price_a_unit: float | None
    price_a_good_unit: float | None
    cached_tokens: int = 0


def bill(events: Iterable[Event]) -> Bill:
    """The bill of a shift; all zero if no model worked it."""
    exchanges, read, cached, written, units, good = 0, 0, 0, 0, 0, 0
    price, thought_s = 0.0, 0.0
    for event in events:
        units += event.kind in UNIT_ENDED
        good += event.kind == UNIT_GOOD
        if event.kind == SAID and "usage" in event.data:
            usage: Mapping[str, int] = event.data["usage"]
            exchanges += 1
            read += usage.get("prompt_tokens", 0)
            cached += usage.get("cached_tokens", 0)
            written += usage.get("completion_tokens", 0)
            price += event.data["price"]
            thought_s += event.data["took_s"]

    def share(total: float, among: int) -> float | None:
        return total / among if among else None

    tokens = read + written
    return Bill(
        exchanges,
        read,
        written,
        price,
        thought_s,
        units,
        good,
        share(tokens, units),
        share(tokens, good),
        share(price, units),
        share(price, good),
        cached,
    )


def troubles(events: Iterable[Event]) -> dict[str, int]:
    """How often what went wrong, by kind, the most frequent first.

    Of the server: the kinds of `NoAnswer`, one for each attempt. Of the model: what is odd about an answer, `repeated`
    calls, and `refused: CODE` for the calls that the station refused. Of us: `dropped` exchanges and `cut` results.
    """
    counts: Counter[str] = Counter()
    for event in events:
        data = event.data
        if event.kind == REFUSED:
            counts[f"refused: {data['code']}"] += 1
        elif event.kind == SAID:
            counts.update(data.get("odd", ()))
            counts.update(attempt["kind"] for attempt in data.get("failed", ()))
            counts["repeated"] += data.get("nudge") == "repeated"
            counts["dropped"] += data.get("dropped", 0)
            counts["cut"] += data.get("cut_chars", 0) > 0
    return {kind: count for kind, count in counts.most_common() if count}
