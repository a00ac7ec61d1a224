"""What a shift of an inspector came to, beside its KPIs: a pure function of its events.

An escape is a bad pin called good, a false alarm a good one called bad. Their rates are of the pins that were judged;
bounds are Clopper-Pearson's (1934), 95 %, of one look at the shift's end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from scipy.special import betaincinv

from takt.contract.events import UNIT_ENDED, Event
from takt.contract.figure import per_cent
from takt.contract.station import Account, Figure

LOOKED, JUDGED, COMPLAINT = "looked", "judged", "complaint"


def account_of(events: Sequence[Event]) -> Account:
    """Figures, and the same for programs."""
    ended = [event for event in events if event.kind in UNIT_ENDED]
    pins = [part for event in ended for part in event.data["parts"].values()]
    bad, good = [pin for pin in pins if pin["is"] != "good"], [pin for pin in pins if pin["is"] == "good"]
    escapes = Counter(pin["is"] for pin in bad if pin["said"] == "good")
    alarms = sum(pin["said"] == "bad" for pin in good)
    defects = {event.unit for event in ended if any(part["is"] != "good" for part in event.data["parts"].values())}
    named = [event.data["class_right"] for event in events if event.kind == JUDGED and event.unit in defects]
    looks = sum(event.kind == LOOKED for event in events)
    values: dict[str, Any] = {
        "escapes": escapes.total(),
        "bad_pins": len(bad),
        "escape_rate": _rate(escapes.total(), len(bad)),
        "escapes_by_class": dict(sorted(escapes.items())),
        "false_alarms": alarms,
        "good_pins": len(good),
        "false_alarm_rate": _rate(alarms, len(good)),
        "looks_per_unit": looks / len(ended) if ended else None,
        "class_right": sum(named) / len(named) if named else None,
        "complaints": sum(event.kind == COMPLAINT for event in events),
        "unjudged": sum("late" in event.data.get("reasons", ()) for event in ended),
    }
    by_class = ", ".join(f"{name} {count}" for name, count in escapes.most_common(3))
    figures = [
        Figure("escape_rate", "Escapes", *_shown(values["escape_rate"]), f"of {len(bad)} bad pins {by_class}".strip()),
        Figure("false_alarm_rate", "False alarms", *_shown(values["false_alarm_rate"]), f"of {len(good)} good pins"),
        Figure("looks_per_unit", "Looks per unit", _number(values["looks_per_unit"], 2), "", "after the first view"),
        Figure(
            "class_right", "Defect named rightly", _percent(values["class_right"]), "%", "of verdicts on bad fixtures"
        ),
        Figure("complaints", "Complaints", str(values["complaints"]), "", "escaped fixtures that came back"),
        Figure("unjudged", "Left unjudged", str(values["unjudged"]), "", "no verdict within the takt"),
    ]
    return Account(figures, values)


def _rate(count: int, of: int) -> dict[str, float] | None:
    """With its exact interval at 95 % (Clopper and Pearson 1934)."""
    if not of:
        return None
    lower = float(betaincinv(count, of - count + 1, 0.025)) if count else 0.0
    upper = float(betaincinv(count + 1, of - count, 0.975)) if count < of else 1.0
    return {"rate": count / of, "lower": lower, "upper": upper}


def _shown(rate: dict[str, float] | None) -> tuple[str, str]:
    if rate is None:
        return "-", "%"
    return f"{per_cent(rate['rate'])} ({per_cent(rate['lower'])} to {per_cent(rate['upper'])})", "%"


def _percent(share: float | None) -> str:
    return "-" if share is None else per_cent(share)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
