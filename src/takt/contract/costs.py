"""What units cost: in the currency that the station names, and in `shift_started` for whoever compares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from takt.contract.station import StationSpec

FIRST = "EUR"  # of the ledgers from before stations named a currency, and of those that name none


def told(spec: StationSpec) -> dict[str, Any]:
    """What `shift_started` says of a station's costs. In the first currency it is said as the first ledgers said it."""
    ends = None if spec.cost_range is None else list(spec.cost_range)
    return {"cost_range_eur": ends} if spec.currency in ("", FIRST) else {"cost_range": ends, "currency": spec.currency}


def currency_of(started: Mapping[str, Any]) -> str:
    """The currency (ISO 4217) of a shift's costs, by its `shift_started`."""
    return str(started.get("currency", FIRST))


def range_of(started: Mapping[str, Any]) -> list[float] | None:
    """The least and the most that a unit can cost, if the station declared them."""
    ends: list[float] | None = started.get("cost_range", started.get("cost_range_eur"))
    return ends
