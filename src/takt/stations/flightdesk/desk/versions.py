"""By which rules (`takt.shift.RULES`) the desk works a shift: a ledger of before goes on as it was begun."""

from __future__ import annotations

RULES = 7  # the newest of `reset`'s options["rules"]
CHECKED = 6  # since which `check` has the last word on flights, and no generated maintenance is out of reach
# Since which a desk with authority is told only what is known by then, and what is in store for a flight comes whatever
# the desk does to it; a changed flight breaks the trips that it breaks and no others. And since which a booking costs
# what it comes to, delays that are not known yet too, and fares stay paid that a group flew for before it came back.
AS_KNOWN = 7
