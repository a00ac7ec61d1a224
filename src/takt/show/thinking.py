"""What a worker's thinking came to: calls and time of any, and of a language model its tokens, price and troubles.

A pure function of the events; records of workers that say nothing of it are passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from takt.contract.events import REFUSED, SAID, Event
from takt.judge.thinking import Thinking

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")
MOST_TROUBLES = 12  # kinds that are named


def spent(events: Iterable[Event], worker_options: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """Name and value, row by row; [] if there is nothing to say."""
    log = list(events)
    thought = Thinking.of(log)
    said = [event.data for event in log if event.kind == SAID]
    rows = []
    if thought.units:
        rows = [("thinking, s", f"{thought.every.seconds:,.1f}"), ("times asked", f"{thought.every.calls:,}")]
        if thought.waiting is not None and thought.waiting.calls:
            rows.append(("thinking with no unit open, s", f"{thought.waiting.seconds:,.1f}"))
            rows.append(("times asked with no unit open", f"{thought.waiting.calls:,}"))
    usage = [one["usage"] for one in said if isinstance(one.get("usage"), Mapping)]
    if not usage:
        return rows
    model = (worker_options or {}).get("model")
    rows += [("model", str(model))] if model else []
    rows.append(("exchanges", f"{len(usage):,}"))
    for key in TOKENS:
        total = sum(_number(one.get(key)) for one in usage)
        rows += [(key.replace("_", " "), f"{total:,.0f}")] if total else []
    rows.append(("price", f"{sum(_number(one.get('price')) for one in said):.6g}"))
    return rows + [(f"trouble: {kind}", f"{count:,}") for kind, count in troubles(log)]


def troubles(events: Iterable[Event]) -> list[tuple[str, int]]:
    """How often what went wrong between model, server and station, the most frequent first."""
    counted: Counter[str] = Counter()
    for event in events:
        if event.kind == REFUSED:
            counted[f"refused, {event.data.get('code')}"] += 1
        elif event.kind == SAID:
            counted.update(str(one) for one in _list(event.data.get("odd")))
            counted.update(str(one.get("kind")) for one in _list(event.data.get("failed")) if isinstance(one, Mapping))
            counted["nudged, " + str(event.data.get("nudge"))] += bool(event.data.get("nudge"))
    return [(kind.replace("_", " "), count) for kind, count in counted.most_common(MOST_TROUBLES) if count]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
