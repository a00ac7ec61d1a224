"""What a seat costs: a ladder of booking classes, of which demand opens the lowest that it lets the airline open.

    fare = usual fare of the route x multiple of the lowest open class

A class is open as long as more seats are left than are protected for those who would pay more. How many those are is
EMSR-b (Belobaba 1992), which is Littlewood's rule (1972) with all dearer classes taken as one: of the demand still to
come for a departure, the part that would pay more than this class is about normal with mean and variance mu, and the
seat after the y-th is worth keeping while

    P(dearer demand > y) >= fare of this class / mean fare of the dearer ones,   so   y = mu + z sqrt(mu)

Somebody would pay m times the usual fare with probability exp(-(m - 1) / PATIENCE). The top class is always open, and
its fare is quoted even if no seat is left. Demand is forecast anew every midnight UTC; in between a fare changes only
when a seat goes, so fewer seats at the same moment never make it lower.

Calibrated to the one article we have. Madrid - Beijing one way, lowest economy fare, as seen on 1 March 2026, two days
after the Gulf's hubs shut. The article's numbers:

    travel on the 3rd 16,007 CNY, 4th to 7th 22,550, after the 8th under 10,000, in mid-March 5,780

5,780 is taken as the usual fare, 22,550 as full fare, 16,007 as the class below it, so those are exact by choice of
the ladder. All else is ours and fitted to them: the classes in between (after the 8th we have 9,248), PATIENCE, BUSY,
CROWD, HUMP and STILL_TO_COME, and how a usual fare grows with the distance. They make the article's fares for a flight
with 20 seats left, a usual demand still to come of BUSY times that and a crowd, at its peak, of CROWD times that.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from takt.stations.flightdesk.airline.instance import Floats, Ints

CNY = 8.0  # to a EUR, rounded by us

USUAL_CNY, NEXT_TO_FULL_CNY, FULL_CNY = 5780.0, 16007.0, 22550.0  # the article's
LADDER = np.array([1.0, 1.25, 1.6, 2.1, NEXT_TO_FULL_CNY / USUAL_CNY, FULL_CNY / USUAL_CNY])
PATIENCE = 2.0
WOULD_PAY = np.exp(-(LADDER - 1) / PATIENCE)  # share of the demand, by class

MADRID_BEIJING_KM = 9203.8  # great circle MAD - PEK by `airportsdata`, on `corridors.py`'s sphere
TAPER = 0.8  # fares grow more slowly than distance

BUSY, CROWD = 0.75, 5.0  # persons for each seat left
# Of those who lost their flight, who wants to travel so many days from now, over the most that do: hardly anybody can
# leave within two days, most want to within six, then other ways and refunds take over.
HUMP = np.array([0.2, 0.35, 0.5, 0.95, 1.0, 1.0, 0.95, 0.15, 0.14, 0.12, 0.1, 0.08, 0.06, 0.03, 0.0])
# Share of a flight's usual demand that is still to come so many days ahead: most book in the last week or two.
STILL_TO_COME = 1 - np.exp(-(np.arange(120) + 1) / 7)


def _margins(ladder: Floats, would_pay: Floats) -> Floats:
    """EMSR-b's z of each class but the top one."""
    alone = would_pay - np.append(would_pay[1:], 0.0)  # would pay for this class and for none above
    dearer = [np.average(ladder[at:], weights=alone[at:]) for at in range(1, len(ladder))]
    return np.array([NormalDist().inv_cdf(1 - own / mean) for own, mean in zip(ladder, dearer, strict=False)])


MARGIN = _margins(LADDER, WOULD_PAY)


def usual_fare(km: ArrayLike) -> Floats:
    """EUR per person one way, lowest economy, when nothing is wrong, by great-circle km. MAD - PEK: 5,780 CNY."""
    return USUAL_CNY / CNY * (np.asarray(km, dtype=np.float64) / MADRID_BEIJING_KM) ** TAPER


def demand_to_come(usual: ArrayLike, crowd: ArrayLike, days: ArrayLike) -> Floats:
    """Persons who will still want this departure, at any fare.

    usual   persons that its whole booking period brings when nothing is wrong.
    crowd   persons who lost their flight and would take this one, if it left on the day that suits most.
    days    from today to the day of departure, 0 or more.
    """
    ahead = np.asarray(days, dtype=np.int64)
    return (
        np.asarray(usual) * STILL_TO_COME[np.minimum(ahead, len(STILL_TO_COME) - 1)]
        + np.asarray(crowd) * HUMP[np.minimum(ahead, len(HUMP) - 1)]
    )


def lowest_open(demand: ArrayLike, left: ArrayLike) -> Ints:
    """The lowest open class, as an index into LADDER, by demand to come (persons) and seats left."""
    persons, seats = np.broadcast_arrays(np.asarray(demand, dtype=np.float64), np.asarray(left))
    lowest = np.full(persons.shape, len(LADDER) - 1, dtype=np.int64)
    for level in range(len(LADDER) - 2, -1, -1):
        dearer = persons * WOULD_PAY[level + 1]
        lowest[seats > np.maximum(dearer + MARGIN[level] * np.sqrt(dearer), 0)] = level
    return lowest


def fare(usual: ArrayLike, demand: ArrayLike, left: ArrayLike) -> Floats:
    """EUR per person now, by the route's usual fare, demand to come and seats left."""
    return np.asarray(usual) * LADDER[lowest_open(demand, left)]
