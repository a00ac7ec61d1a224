"""What airports' boards call the state of a flight: cancelled, gone, still to go, or not said."""

from __future__ import annotations

import re

YES, NO = ("1", "1.0", "1.00", "true", "t", "yes", "y"), ("0", "0.0", "0.00", "false", "f", "no", "n")
CANCELLED, GONE, TO_GO, OTHER = "cancelled", "gone", "to go", "other"

# Diverted and returned flights left, but for those that returned to the gate; whether they reached where they were to
# go is not what is asked. `on time` and `delayed` are said of flights before they leave, and in many collections of
# flights that flew: they say neither.
_WORDS = {
    CANCELLED: "cancelled canceled cancellation cancel cancld cncl cnx cxl cxld cnl annulled cancelado cancelada "
    "annule annulé annullato gestrichen annulliert",
    GONE: "departed dep departure|departed landed land arrived arr gate|arrival active airborne en|route enroute "
    "in|air in|flight inflight flying flown flew took|off takeoff taken|off off|block taxiing diverted redirected "
    "returned completed operated approach final|approach landing baggage bags|delivered",
    TO_GO: "scheduled sched planned expected estimated est boarding board checkin check|in gate gate|open "
    "gate|closed gate|closing go|to|gate final|call last|call waiting not|departed filed proposed pending new|time "
    "return|to|gate returned|to|gate gate|return returned|to|stand return|to|stand",
    OTHER: "on|time ontime delayed delay late early not|cancelled not|canceled",
}
MEANS = {word.replace("|", " "): state for state, words in _WORDS.items() for word in words.split()}


def means(text: str) -> str | None:
    """What a status says, by the words it begins with: `Landed 12:05`, `Scheduled / Delayed`. None if it is unknown."""
    said = " ".join(re.findall(r"[^\W\d_]+", text.lower()))
    words = said.split()
    for count in range(len(words), 0, -1):
        state = MEANS.get(" ".join(words[:count]))
        if state is not None:
            return CANCELLED if state != OTHER and _also_cancelled(words[count:]) else state
    return None


def _also_cancelled(rest: list[str]) -> bool:
    """Whether words that follow say that it was cancelled all the same: `Scheduled - Cancelled`."""
    return any(MEANS.get(word) == CANCELLED for word in rest) and "not" not in rest
