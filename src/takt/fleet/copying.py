"""Fleets copied with their ledgers (takt.ledger.copying): plan, what it came to, and faults of machines.

Records, tables and pages are derived, and are made again. In a folder a fleet's ledgers lie in `ledgers`, in a database
under its name.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from takt.errors import TaktError
from takt.fleet.made import Kept, difference, kept_in, other_fleet
from takt.fleet.notes import Notes, notes_at
from takt.fleet.notes_in_folder import NOTE
from takt.fleet.plan import LEDGERS
from takt.fleet.text import text_of
from takt.ledger.address import Address
from takt.ledger.copying import Copied
from takt.ledger.copying import copy as copy_ledgers
from takt.ledger.store import Place, place_of


class CopiedFleet(NamedTuple):
    """A fleet that is in the other place now, with so many faults of machines; and, in words, how its plan differs from
    the one that was there, "" if there was none, or it does not."""

    source: Place
    target: Place
    faults: int
    changed: str


def copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Iterator[Copied | CopiedFleet]:
    """Copy a ledger, or all of a folder or store, with the fleets there: each ledger first, then each fleet.

    Raises TaktError for what `takt.ledger.copying.copy` does, and if another fleet is in the target; Busy if a driver
    works on a fleet there.
    """
    here, there = place_of(source), place_of(target)
    fleets = _fleets(here)
    if "" in fleets and isinstance(there, Address) and not there.name:
        own = here.name if isinstance(here, Address) else here.resolve().name
        there = there.named(own.rpartition("/")[2])

    def named(name: str) -> str:
        """Of a ledger, relative to the place, as the other kind of place has it."""
        fleet, _, file = name.rpartition("/")
        if isinstance(here, Path) and fleet.rpartition("/")[2] == LEDGERS:
            fleet = fleet.rpartition("/")[0] if fleet.rpartition("/")[0] in fleets else fleet
            inside = LEDGERS if fleet in fleets else ""
        else:
            inside = LEDGERS if isinstance(here, Address) and fleet in fleets else ""
        return "/".join(part for part in (fleet, inside if isinstance(there, Path) else "", file) if part)

    changed = {fleet: _check(_under(here, fleet), _under(there, fleet)) for fleet in fleets}
    yield from copy_ledgers(here, there, named)
    for fleet in fleets:
        old, new = _under(here, fleet), _under(there, fleet)
        yield CopiedFleet(old, new, _noted(notes_at(old), notes_at(new)), changed[fleet])


def _fleets(place: Place) -> list[str]:
    """The fleets in a place, by their names there; "" is the place itself."""
    if isinstance(place, Path):
        return sorted(
            "" if file.parent == place else file.parent.relative_to(place).as_posix()
            for file in place.rglob(NOTE)
            if (file.parent / LEDGERS).is_dir()
        )
    from takt.fleet.notes_in_postgres import fleets_in

    inside = [name for name in fleets_in(place) if f"{name}/".startswith(f"{place.name}/") or not place.name]
    return [name[len(place.name) :].lstrip("/") for name in inside]


def _under(place: Place, name: str) -> Place:
    return place / name if name else place


def _check(old: Place, new: Place) -> str:
    """How the plan in the old place differs from the one in the new (`made.difference`). Raises TaktError if there is
    another fleet in the new one."""
    copied, there = _kept(old), _kept(new)
    if other := other_fleet(copied, there):
        called = f"copy {copied.name} to another place"
        raise TaktError(f"{new} has another fleet, {other}, whose plan would be lost: {called}")
    return difference(copied, there)


def _kept(place: Place) -> Kept:
    notes = notes_at(place)
    try:
        return kept_in(notes)
    finally:
        notes.close()


def _noted(old: Notes, new: Notes) -> int:
    """The notes of one fleet become those of the other, too; how many faults it has."""
    try:
        told = tomllib.loads(old.plan_text())
        text = text_of({key: value for key, value in told.items() if key != "store"})  # that is where it is copied to
        made, faults = old.made(), old.faults()
        seen: set[tuple[str, int]] = set()
        new.drive(text, made)
        there = set(new.faults())
        for fault in faults:
            if (fault.id, fault.attempt) in seen:  # of another run of its driver
                new.close()
                new.drive("")
                seen = set()
            seen.add((fault.id, fault.attempt))
            if fault not in there:
                new.add_fault(fault)
        return len(faults)
    finally:
        old.close()
        new.close()
