"""One figure of a shift, ready to print. `kpi` makes them of any shift; a station may add its own (`station.py`)."""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = 15  # of a share: what a float of 64 bits has


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table. `value` is text ("-" if undefined), `unit` may be empty, `source` says where it is from."""

    name: str
    label: str
    value: str
    unit: str
    source: str


def per_cent(share: float, exact: bool = False, decimals: int = 1) -> str:
    """A share in percent, without the sign: so many decimals, and more only where it would read 0 or 100 and is not.

    exact   as it was given, for what a job asks: 90.2, 99.99.
    """
    if exact:
        return f"{100 * share:.{DIGITS}g}"
    text = f"{100 * share:.{decimals}f}"
    while 0 < share < 1 and float(text) in (0, 100) and decimals < DIGITS:
        decimals += 1
        text = f"{100 * share:.{decimals}f}"
    return text


def asked_in_percent(share: float) -> str:
    """What a job asks in percent, without the sign: as it was given, and with a decimal at least."""
    exact = per_cent(share, exact=True)
    return exact if "." in exact else per_cent(share)


def counted(number: int, what: str = "unit") -> str:
    """So many of something: 1 unit, 12 units."""
    return f"{number} {what}{'' if number == 1 else 's'}"
