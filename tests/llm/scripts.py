"""A desk that is small, the worker's options for it, and a model's part that serves it well."""

from __future__ import annotations

from typing import Any

from fake_server import Say, seen

from takt import run_shift

DESK = {"scenario": "two-hubs", "flights": 300, "aircraft": 45, "bookings": 2000, "days": 1, "takt_s": 120.0}
CLOCKED = {"model": "scripted", "tokens_per_s": 10.0, "prompt_tokens_per_s": 1000.0, "backoff_s": 0.01, "retries": 2}


def serve(body: Any, n: Any = 0) -> Any:
    """Propose for the first in the queue, then book the first itinerary, with a hotel if due, or refund."""
    told = seen(body)
    result = told.get("result") or {}
    if result.get("tool") == "propose" and "error" not in result:
        ways = [way for way in result["itineraries"] if not way["closed"]]
        if not ways:
            return Say([("refund", {"group": result["group"]})])
        legs = [{"flight": leg["flight"], "cabin": leg["cabin"]} for leg in ways[0]["legs"]]
        hotel = [("hotel", {"group": result["group"]})] if ways[0]["hotel_due"] else []
        return Say([*hotel, ("book", {"group": result["group"], "legs": legs})])
    if result.get("tool") == "queue" and result.get("groups"):
        return Say([("propose", {"group": result["groups"][0]["group"], "avoid_closed": True})])
    if told.get("queue"):
        return Say([("propose", {"group": told["queue"][0]["group"], "avoid_closed": True})])
    return Say([("queue", {"limit": 1})])


def shift(
    url: Any,
    *,
    ledger: Any = None,
    units: Any = 6,
    seed: Any = 1,
    clock: Any = "measured",
    desk: Any = None,
    **options: Any,
) -> Any:
    return run_shift(
        "flightdesk",
        "llm",
        seed=seed,
        units=units,
        clock=clock,
        ledger=ledger,
        station_options={**DESK, **(desk or {})},
        worker_options={**CLOCKED, **({"base_url": url} if url else {}), **options},
    )


def said(shift: Any) -> list[Any]:
    return [event for event in shift.events if event.kind == "said" and "number" in event.data]
