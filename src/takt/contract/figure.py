"""One figure of a shift, ready to print. `kpi` makes them of any shift; a station may add its own (`station.py`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table. `value` is text ("-" if undefined), `unit` may be empty, `source` says where it is from."""

    name: str
    label: str
    value: str
    unit: str
    source: str
