"""What is taken where a planner's files say nothing: `defaults.toml`, and a planner's own file over it.

What was taken is told to `Notes`, so that an import can name it, but for what no other file says: prices of the
objective, and flying times between airports that the schedule does not connect.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.station import TaktError
from takt.plainly import plainly
from takt.stations.flightdesk.airline.imports.continents import CONTINENT
from takt.stations.flightdesk.airline.instance import Prices

OPEN = {"types", "airports"}  # tables whose names a planner may add to
TYPE = {"family": str, "seats": list, "range": int, "hour_cost": float, "turn": int, "transit": int}
MOST = 2**31 - 1
DEGREES = {"lat": 90, "lon": 180}
CONTINENTS = sorted(set(CONTINENT.values()))
DIRECTIONS = ("outbound", "inbound")
AIRPORT = {"departures": int, "arrivals": int, "lat": float, "lon": float, "country": str, "continent": str}


class Notes:
    """What was missing and what was taken instead: a line each, with how often."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def take(self, what: str, count: int = 1) -> None:
        if count:
            self.taken[what] += count

    def lines(self) -> list[str]:
        return [f"{what}: {count:,}" for what, count in self.taken.items()]


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults; `values` as in the file, `airports` those that are named."""

    values: Mapping[str, Any]
    airports: Mapping[str, Mapping[str, Any]]

    def type(self, code: str) -> Mapping[str, Any]:
        """What is known of an aircraft type; nothing, perhaps."""
        return self.values["types"].get(code, {})

    def surface(self, code: str) -> bool:
        return code in self.values["surface"]["types"]

    def cabin(self, letter: str) -> int | None:
        """0, 1, 2 for the letter of a compartment or booking class; None if it is none."""
        cabins = self.values["cabins"]
        for i, name in enumerate(("first", "business", "economy")):
            if letter and letter in cabins[name]:
                return i
        return None

    def prices(self) -> Prices:
        costs = self.values["costs"]
        downgrade = np.zeros((3, 3, 3))
        downgrade[0, 1], downgrade[0, 2] = costs["first_to_business"], costs["first_to_economy"]
        downgrade[1, 2] = costs["business_to_economy"]
        alpha, beta, gamma = (float(weight) for weight in costs["weights"])
        return Prices(
            delay=np.array(costs["delay"], dtype=np.float64),
            outbound=np.array(costs["outbound_cancelled"], dtype=np.float64),
            inbound=np.array(costs["inbound_cancelled"], dtype=np.float64),
            downgrade=downgrade,
            family=float(costs["family"]),
            model=float(costs["model"]),
            configuration=float(costs["configuration"]),
            weights=(alpha, beta, gamma),
        )


def shipped() -> str:
    """The file that comes with Takt."""
    return files(__package__).joinpath("defaults.toml").read_text(encoding="utf-8")


def read_defaults(path: str | PathLike[str] | None) -> Defaults:
    """The shipped defaults, with those of a file in their place. Raises TaktError with one line if it is wrong."""
    values = tomllib.loads(shipped())
    if path is not None:
        path = Path(path)
        try:
            own = tomllib.loads(path.read_bytes().decode("utf-8"))
        except OSError as error:
            raise TaktError(f"cannot read {path}: {error.strerror or error}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TaktError(f"{path.name}: {plainly(error)}") from None
        _merge(values, own, path.name)
    airports = {code: said for code, said in values["airports"].items() if isinstance(said, dict)}
    return Defaults(values, airports)


def _merge(values: dict[str, Any], own: Mapping[str, Any], file: str) -> None:
    for table, said in own.items():
        if table not in values:
            raise TaktError(f"{file}, [{table}] is unknown; there are {', '.join(values)}")
        if not isinstance(said, dict):
            raise TaktError(f"{file}, {table}: is a table; write [{table}]")
        for name, value in said.items():
            where, listed = f"{file}, [{table}] {name}", values[table].get(name)
            if table in OPEN and not isinstance(listed, (int, float)) and (listed or isinstance(value, dict)):
                values[table][name] = {**(listed or {}), **_checked(value, where, table)}
            elif listed is None:
                raise TaktError(f"{where} is unknown; there are {', '.join(list(values[table])[:12])}")
            else:
                _like(value, listed, where)
                _allowed(name, value, where)
                values[table][name] = value


def _checked(value: Any, where: str, table: str) -> Mapping[str, Any]:
    """What is said of an aircraft type or an airport."""
    known = TYPE if table == "types" else AIRPORT
    if not isinstance(value, dict):
        raise TaktError(f"{where}: {value!r} is not a table; write it as {{ {next(iter(known))} = ... }}")
    for name, said in value.items():
        if name not in known:
            raise TaktError(f"{where}, {name} is unknown; there are {', '.join(known)}")
        kind = known[name]
        _like(said, [0, 0, 0] if kind is list else kind(), f"{where}, {name}")
        _allowed(name, said, f"{where}, {name}")
        if kind is str and (not said or not said.isascii() or any(letter.isspace() for letter in said)):
            raise TaktError(f"{where}, {name}: {said!r} is not a plain word without blanks")
    return value


def _allowed(name: str, value: Any, where: str) -> None:
    """Whether a value of the right kind is one that the name can have."""
    if name == "direction" and value not in DIRECTIONS:
        raise TaktError(f"{where}: {value!r} is no direction; there are outbound and inbound")
    if name == "km_per_hour" and value < 1:
        raise TaktError(f"{where}: cannot be {value}; give 1 or more")
    if name == "continent" and value not in CONTINENTS:
        raise TaktError(f"{where}: {value!r} is no continent; there are {', '.join(CONTINENTS)}")
    if name in DEGREES:
        most = DEGREES[name]
        if not -most <= value <= most:
            raise TaktError(f"{where}: cannot be {value}; give degrees, -{most} to {most}")


def _like(value: Any, default: Any, where: str) -> None:
    """Whether a value is of the default's kind, and not below zero."""
    if isinstance(default, list):
        if not isinstance(value, list) or (isinstance(default[0], (int, float, list)) and len(value) != len(default)):
            raise TaktError(f"{where}: give a list like {default}")
        for i, item in enumerate(value):
            _like(item, default[min(i, len(default) - 1)], where)
        return
    if isinstance(default, str):
        good, want = isinstance(value, str), "a text in quotes"
    elif isinstance(default, float):
        good, want = isinstance(value, (int, float)) and not isinstance(value, bool), "a number"
    else:
        good, want = isinstance(value, int) and not isinstance(value, bool), "a whole number"
    if not good:
        raise TaktError(f"{where}: {value!r} is not {want}")
    if isinstance(value, (int, float)) and not 0 <= value <= MOST and where.rpartition(" ")[2] not in DEGREES:
        raise TaktError(f"{where}: cannot be {value}; give {f'{MOST} or less' if value > MOST else '0 or more'}")
