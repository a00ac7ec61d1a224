"""Airlines that never were: what kinds there are, and their numbers. `generate` makes instances of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from takt.stations.flightdesk.airline.instance import (
    DAY,
    Prices,
)

FRANCE = (
    "NCE 14 LYS 10 MRS 10 TLS 9 BOD 7 NTE 6 BIQ 1 MPL 2 LIL 2 SXB 1 BES 1 RNS 1 AJA 2 BIA 2 CFE 1 PUF 1 TLN 1 ETZ 1"
)
EUROPE = (
    "LHR 84 AMS 67 FRA 62 MAD 66 BCN 55 MUC 42 FCO 49 LGW 43 DUB 34 ZRH 31 CPH 30 LIS 35 VIE 32 ATH 32 BRU 24 DUS 20 "
    "MXP 29 OSL 26 ARN 22 HEL 16 GVA 18 PRG 16 WAW 21 BUD 17 HAM 15 MAN 31 EDI 16 VCE 12 NAP 16 OPO 15 AGP 25 PMI 34 "
    "LIN 11 STR 9 CGN 10 BER 25 OTP 16 SOF 8 BEG 8 ZAG 4 TIA 10 MLA 9 KEF 8 BLQ 11 CTA 12 IBZ 9 ALC 18 VLC 11 SVQ 9"
)
GULF_SPOKES = (
    "LHR 84 CDG 70 AMS 67 FRA 62 MAD 66 MUC 42 FCO 49 ZRH 31 VIE 32 ATH 32 CPH 30 MXP 29 BRU 24 WAW 21 BCN 55 MAN 31 "
    "HKG 53 SIN 67 BKK 62 KUL 57 NRT 40 ICN 70 PVG 76 PEK 67 CAN 76 MNL 50 SGN 41 CGK 54 HAN 30 TPE 45 KIX 30 "
    "DEL 78 BOM 55 BLR 40 CMB 9 DAC 12"
)
LONG_HAUL = "JFK 63 BOS 43 YUL 22 DKR 3 ALG 9 TUN 7 CMN 10 CAI 29 TLV 14 DXB 92 GRU 43"


@dataclass(frozen=True, slots=True)
class Type:
    """A model of aircraft. Range and turn-round in minutes, cost in EUR per flight hour."""

    model: str
    family: str
    seats: tuple[tuple[int, int, int], ...]
    range: int
    hour_cost: float
    turn: int
    transit: int


SHORT_FLEET = (
    Type("A318", "AirbusSmall", ((0, 0, 123), (0, 10, 108)), 450, 1800.0, 30, 30),
    Type("A319", "AirbusSmall", ((0, 0, 142), (0, 28, 51)), 510, 1850.0, 35, 35),
    Type("A320", "AirbusSmall", ((0, 0, 165), (0, 10, 150)), 420, 2000.0, 40, 40),
    Type("A321", "AirbusSmall", ((0, 0, 206), (0, 12, 188)), 300, 2100.0, 40, 40),
    Type("CRJ100", "CRJ", ((0, 0, 50),), 210, 1000.0, 25, 20),
    Type("CRJ700", "CRJ", ((0, 0, 72),), 225, 1100.0, 25, 20),
    Type("ERJ145", "ERJ", ((0, 0, 50),), 190, 1000.0, 25, 20),
)
WIDE_FLEET = (
    Type("A330", "AirbusWide", ((0, 30, 220), (0, 40, 208)), 760, 4800.0, 60, 45),
    Type("B777", "Boeing", ((8, 42, 260), (0, 52, 300)), 960, 6000.0, 60, 45),
)
PRICES = Prices(
    delay=np.array([[1.25, 1.25, 1.25], [0.8, 0.85, 0.9], [0.05, 0.15, 0.25]]),
    outbound=np.array([[2500.0, 2750.0, 3000.0], [1500.0, 1750.0, 2000.0], [250.0, 600.0, 1000.0]]),
    inbound=np.array([[7500.0, 8250.0, 9000.0], [4500.0, 5250.0, 6000.0], [750.0, 1500.0, 3000.0]]),
    downgrade=np.array(
        [
            [[0.0, 0.0, 0.0], [150.0, 400.0, 750.0], [200.0, 500.0, 1500.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [150.0, 400.0, 750.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        ]
    ),
    family=20000.0,
    model=5000.0,
    configuration=1000.0,
    weights=(1.0, 1.0, 1.0),
)
COACH = Type("Coach", "Coach", ((-1, -1, -1),), 600, 0.0, 15, 15)
COACH_SEATS = 50  # that are sold, of a coach that takes any number
COACH_MINUTES = 75  # between two hubs
CONNECT = (40, 360)  # minutes that passengers plan for changing planes: at least, at most
LOAD = 0.8  # of the seats, about


@dataclass(frozen=True, slots=True)
class Step:
    """Part of what hubs take, from one minute to another."""

    share: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """An airline and what goes wrong with it.

    hubs       code -> share of the fleet that is based there; `spokes` are "code millions code millions ...".
    flights    on all days together, about; `bookings` exactly, if there are seats for so many.
    first      when aircraft begin their day, from and to (minutes of the day, UTC).
    day        minutes from an aircraft's first departure to its last landing, at most.
    start      of the recovery period, and its end: minutes after the midnight of `epoch`.
    late       share of the flights before the recovery period that are late, apart from whom they make late.
    serviced   share of the aircraft that have a maintenance ahead; about as many are in one as the recovery begins.
    cuts       what the hubs of `cut` take meanwhile. What is in the air then, and would land where nothing may, has
               turned back: the disruption has cancelled it.
    coaches    surface transport between the first two hubs.
    """

    name: str
    hubs: dict[str, float]
    spokes: str
    fleet: tuple[Type, ...]
    aircraft: int
    flights: int
    bookings: int
    days: int
    first: tuple[int, int]
    day: int
    epoch: date
    start: int
    end: int
    late: float = 0.0
    cancelled: int = 0
    grounded: int = 0
    serviced: float = 0.0
    cut: tuple[str, ...] = ()
    cuts: tuple[Step, ...] = ()
    coaches: int = 0


def two_hubs(flights: int = 600, aircraft: int = 85, bookings: int = 1900, days: int = 1) -> Recipe:
    """A short-haul airline at the two airports of Paris: delays, cancellations, one airport at half of its slots."""
    return Recipe(
        name="two-hubs",
        hubs={"CDG": 0.6, "ORY": 0.4},
        spokes=f"{FRANCE} {EUROPE}" + (f" {LONG_HAUL}" if aircraft >= 300 else ""),
        fleet=SHORT_FLEET + (WIDE_FLEET if aircraft >= 300 else ()),
        aircraft=aircraft,
        flights=flights,
        bookings=bookings,
        days=days,
        first=(300, 600),
        day=1140,
        epoch=date(2026, 1, 7),
        start=12 * 60,
        end=days * DAY + 5 * 60,
        late=0.15,
        cancelled=max(1, flights // 300),
        grounded=1,
        serviced=0.1,
        cut=("ORY",),
        cuts=(Step(0.5, 15 * 60, 19 * 60),),
        coaches=4,
    )


def gulf_2026(flights: int = 2400, aircraft: int = 220, bookings: int = 12000, days: int = 6) -> Recipe:
    """Europe - the Gulf - East Asia; the Gulf's hubs shut on 28 February 2026 at 09:00 UTC, and open again in steps."""
    shut = 9 * 60
    return Recipe(
        name="gulf-2026",
        hubs={"DXB": 0.45, "DOH": 0.25, "AUH": 0.15, "IST": 0.15},
        spokes=GULF_SPOKES,
        fleet=WIDE_FLEET,
        aircraft=aircraft,
        flights=flights,
        bookings=bookings,
        days=days,
        first=(0, DAY),
        day=1380,
        epoch=date(2026, 2, 28),
        start=shut,
        end=(days + 1) * DAY,
        cut=("DXB", "DOH", "AUH"),
        cuts=(
            Step(0.0, shut, shut + 2 * DAY),
            Step(0.25, shut + 2 * DAY, shut + 3 * DAY),
            Step(0.5, shut + 3 * DAY, shut + 4 * DAY),
            Step(0.75, shut + 4 * DAY, (days + 1) * DAY),
        ),
    )


RECIPES = {"two-hubs": two_hubs, "gulf-2026": gulf_2026}
