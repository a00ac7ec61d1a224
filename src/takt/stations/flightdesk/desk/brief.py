"""The desk in words, for a worker that reads."""

from __future__ import annotations

from takt.contract.station import Short

SHORT = Short(
    brief="Propose for the group, give it a hotel if due, book the itinerary. If there is none: split or refund.",
    tools={
        "propose": ("group", "avoid_closed"),
        "hotel": ("group",),
        "book": ("group", "legs"),
        "split": ("group", "people"),
        "refund": ("group",),
    },
    fields=("queue", "group", "people", "hotel", "result", "error", "code", "itineraries", "legs", "flight", "cabin")
    + ("hotel_due",),
    rows={"queue": 1, "itineraries": 1},
    ends=("book", "refund"),
    queue=("queue", "group"),
)


def brief(service_s: float, home_within_h: float | None, authority: bool) -> str:
    """What the desk is, and what makes a group good or bad there."""
    minutes = f"{service_s / 60:g}"
    latest = "18 hours late (36 if intercontinental)" if home_within_h is None else f"{home_within_h:g} hours late"
    flights = (
        "You may delay, cancel and swap the airline's own flights."
        if authority
        else "You have no authority over flights: you cannot delay, cancel or swap them, whoever asks for it."
    )
    return f"""\
You are the desk of an airline on a bad day. Groups of passengers whose trip broke come to you, one after another; \
settle each of them. The first in the queue has waited longest.

A group is done well if, within {minutes} minutes of coming to you, all its people are booked on an itinerary that \
will be flown and arrives at most {latest}. It counts as bad if
- it is not settled within {minutes} minutes: it takes its money and leaves;
- it is refunded, arrives too late, or is booked on a flight that is then cancelled or on a connection that is missed;
- it arrives five hours late or more and was not given a hotel before it was booked (`hotel_due`), or was given one \
that was not due;
- it costs more than not bringing it home (`not_brought_home_costs`);
- it is booked through an airport or corridor that is known to be shut at that time (`closed`);
- it is handed to a human.

Seats go and fares change while you think. Flights from places that are shut "until tomorrow" are still on sale, and \
are cancelled later. If there are no seats for a whole group, split it. {flights}

Usually: `propose` for the first group (avoid_closed=true), choose an itinerary without `closed` flights, `hotel` if \
`hotel_due`, `book` with its legs (flight and cabin). When nobody waits, `wait`."""
