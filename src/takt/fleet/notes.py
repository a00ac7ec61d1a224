"""What is known of a fleet beside its ledgers: a record of each shift, faults of machines, and where it is driven.

Only ledgers count: records are derived from them, and made again where they are lost. The notes lie where the ledgers
do: in the fleet's folder, or in the database of its store, so that a fleet is seen, stopped and gone on with from
whatever machine reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from takt.fleet.crew import MachineFault
from takt.fleet.plan import Plan
from takt.fleet.record import Record
from takt.ledger.store import Place, place_of


class Notes(Protocol):
    """The notes of one fleet. One process drives it (`drive`), and writes; any may read."""

    def records(self) -> dict[str, Record]:
        """Of the fleet's shifts, by id; what cannot be read is left out."""
        ...

    def stamps(self) -> dict[str, int]:
        """Of the ledgers that the records are of (`store.stamp_of`), by id of the shift."""
        ...

    def put(self, records: Iterable[tuple[str, Record]], stamps: Mapping[str, int]) -> None:
        """Keep records, each with the name of its arm, and the stamps of their ledgers. Raises Unwritable."""
        ...

    def drop(self, ids: Iterable[str]) -> None:
        """Forget the records of shifts whose ledgers are gone."""
        ...

    def add_fault(self, fault: MachineFault) -> None: ...

    def faults(self) -> Sequence[MachineFault]:
        """All faults of machines, in order."""
        ...

    def drive(self, text: str, made: str = "") -> None:
        """Become the fleet's one driver, until `close` or the process's end, and keep the text of its plan with what
        it comes to. Whoever asked for a stop before asked another one. Raises Busy if somebody drives it."""
        ...

    def plan_text(self) -> str:
        """The text of the plan by which it was driven last; "" if there is no such fleet."""
        ...

    def made(self) -> str:
        """What its plan came to when it was driven last (`takt.fleet.made`); "" if that is not known."""
        ...

    def say(self, told: Mapping[str, Any]) -> None:
        """What the driver says of itself and of what runs. Raises Lost if another one drives it by now."""
        ...

    def said(self) -> Mapping[str, Any]:
        """What the driver said last; {} if there was none."""
        ...

    def driven(self) -> bool:
        """Whether somebody drives it now."""
        ...

    def ask_to_stop(self) -> None:
        """Ask the driver to leave every shift at its unit's end."""
        ...

    def asked_to_stop(self) -> bool: ...

    def close(self) -> None: ...


def notes_of(plan: Plan) -> Notes:
    """The notes of a plan's fleet. Nothing is opened before it is asked for."""
    place = place_of(plan.store)
    return notes_at(plan.folder if isinstance(place, Path) else place)


def notes_at(place: Place) -> Notes:
    """The notes of the fleet in a folder, or of this name in a database."""
    if isinstance(place, Path):
        from takt.fleet.notes_in_folder import FolderNotes

        return FolderNotes(place)
    from takt.fleet.notes_in_postgres import PostgresNotes

    return PostgresNotes(place)


def machine_faults(plan: Plan) -> Sequence[MachineFault]:
    """All faults of machines of a plan's fleet, in order."""
    notes = notes_of(plan)
    try:
        return notes.faults()
    finally:
        notes.close()
