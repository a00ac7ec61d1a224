"""Who comes to the desk, what becomes of them, and what an itinerary would be."""

from __future__ import annotations

from dataclasses import dataclass, field

WAITING, SETTLED, REFUNDED, WITH_HUMAN, LEFT = "waiting", "settled", "refunded", "with a human", "left"
LATE_SERVICE, NOT_HOME, RULE_BROKEN, OVERPAID = "late_service", "not_home", "rule_broken", "overpaid"
CLOSED_AIRSPACE, HELP = "sent_into_closed_airspace", "help"


@dataclass(slots=True)
class Party:
    """People of one booking who are settled together. Plain values only: it is packed as it stands.

    due_s      when it came to the desk, the last time.
    flown      legs flown so far, `legs` those it is booked on, as (flight, cabin).
    breaks     the minute at which the legs break, by what will happen; -1 if they do not.
    held       legs held for it, until `held_until` (s).
    fares      EUR per person of each of `legs`, as bought.
    """

    name: str
    unit: int
    booking: int
    people: int
    at: int
    ready: float
    due_s: float
    status: str = WAITING
    flown: list[list[int]] = field(default_factory=list)
    legs: list[list[int]] = field(default_factory=list)
    hotel: bool = False
    breaks: float = -1.0
    held: list[list[int]] = field(default_factory=list)
    held_until: float = 0.0
    fares: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Unit:
    """A unit so far: when it fell due, which parties it is, why it is bad, and whether it has ended."""

    due_s: float
    parties: list[str]
    reasons: list[str] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """What an itinerary would be: EUR for all the people, minutes late, and what the desk should know.

    cost       of `fare`, `delay` (minutes late), `care` (meals and nights) and `downgrading`.
    care_due   a hotel must be given. `shut`: flights that are known to run into a shut airport or corridor.
    """

    legs: list[list[int]]
    arrives: int
    late: int
    fare: float
    delay: float
    care: float
    downgrading: float
    care_due: bool
    shut: list[str]

    @property
    def cost(self) -> float:
        return self.fare + self.delay + self.care + self.downgrading
