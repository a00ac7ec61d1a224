"""Where a fleet's ledgers are: a folder, one SQLite file for each shift; or a database, by URI."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from takt.errors import TaktError
from takt.fleet.plan import ID_DIGITS, LEDGERS, Plan, Planned, id_end
from takt.ledger import Ledger
from takt.ledger.address import LONGEST_NAME, Address
from takt.ledger.store import Place, place_of

LONGEST = LONGEST_NAME - 1 - 140  # of a fleet's name in a store; a shift's file is called by up to 139


def store_of(given: str, fleet: str) -> str:
    """The store that a plan names, for a fleet of this name. Raises TaktError with what is wrong with it.

    In a database a fleet has its name before those of its shifts: postgresql://HOST/DATABASE#FLEET.
    """
    place = place_of(given)
    if isinstance(place, Path):
        if place.exists() and not place.is_dir():
            raise TaktError(f"it is {place}, and that is no folder")
        return str(place)
    place = place if place.name else place.named(fleet)
    if len(place.name) > LONGEST:
        raise TaktError(f"{place} has a long name; {LONGEST} characters are the most that a fleet's has in a store")
    return place.full


def ledger_of(store: str, shift: Planned, name: str | None = None) -> str:
    """Where the ledger of a planned shift is begun; of a database with the password that its address has.

    name   what it is called there, if not as its arm is called now (`Ledgers`)."""
    place, name = place_of(store), name or shift.file
    return str(place / LEDGERS / name) if isinstance(place, Path) else (place / name).full


def ledgers_in(store: str) -> set[str]:
    """The names of the ledgers that are there, as `Planned.file`."""
    return set(stamps_in(store))


def stamps_in(store: str) -> dict[str, int]:
    """The ledgers that are there, by their names (`Planned.file`), with their stamps (`stamp_of`)."""
    place = place_of(store)
    if isinstance(place, Path):
        try:
            entries = [entry for entry in os.scandir(place / LEDGERS) if entry.name.endswith(".takt")]
        except FileNotFoundError:
            return {}
        return {entry.name: stamp_of(entry.path) for entry in entries}
    from takt.ledger.postgres_store import names

    return {f"{name[len(place.name) + 1 :]}.takt": 0 for name in names(place)}


def stamp_of(ledger: str) -> int:
    """By what is seen, without reading it, that a ledger's file is another one or was written since: its size and when
    it was written, in one number. 0 in a database, or if there is none."""
    place = place_of(ledger)
    try:
        status = place.stat() if isinstance(place, Path) else None
    except OSError:
        return 0
    return 0 if status is None else (status.st_mtime_ns << 20 ^ status.st_size) % 2**61 | 2**61


def is_size(noted: int | None, ledger: str) -> bool:
    """Whether what was noted is the size of this ledger, as Takt noted before it had stamps."""
    return 0 < (noted or 0) < 2**61 and Path(ledger).stat().st_size == noted


class Ledgers:
    """The ledgers of a store as they are now, by what their shifts are: a shift whose arm is called otherwise by now
    (a label, an option that varies) has its ledger where it was begun."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.stamps = stamps_in(store)
        self.names = self.stamps.keys()
        self._of = {name[-len(id_end("")) - ID_DIGITS :]: name for name in sorted(self.names)}

    def name(self, shift: Planned) -> str | None:
        """What this shift's ledger is called there; None if there is none."""
        return shift.file if shift.file in self.names else self._of.get(id_end(shift.id))

    def of(self, shift: Planned) -> str:
        """Where this shift's ledger is, or is to be, as `ledger_of` says it."""
        return ledger_of(self._store, shift, self.name(shift))


def exists(location: str) -> bool:
    return place_of(location).exists()


def shown(location: str) -> str:
    """A store or ledger as it may be shown: without a password."""
    return str(place_of(location))


def check_not_given_up(location: str, meta: Mapping[str, Any]) -> None:
    """Raises TaktError if the ledger with this meta says that its shift counts as nothing, with why."""
    if why := meta.get("given_up"):
        raise TaktError(f"{shown(location)} {why}")


def is_gone(error: TaktError) -> bool:
    """Whether it says that a database, or the way to it, is gone: it may be there again soon."""
    if type(error.__cause__).__module__.partition(".")[0] != "psycopg":
        return False
    from takt.ledger.postgres_connection import is_gone as gone

    return gone(error)


def home(plan: Plan) -> Place:
    """Where a fleet is seen, stopped and gone on with: its folder, or its address in a database."""
    place = place_of(plan.store)
    return plan.folder if isinstance(place, Path) else place


def quoted(plan: Plan) -> str:
    """`home` as a word of a command line."""
    return shlex.quote(str(home(plan)))


def read(location: str, look: Callable[[Ledger], Any]) -> Any:
    """What `look` finds in a ledger, opened to read, or to be mended first if a write was cut short."""
    from takt.ledger.intact import Unfinished

    try:
        with Ledger.open(location) as book:
            return look(book)
    except Unfinished:
        with Ledger.resume(location) as book:
            return look(book)


def text_of(place: Address) -> tuple[Address, str]:
    """The fleet at this address, or the only one in this store, and the text of its plan. Raises TaktError."""
    from takt.fleet.notes_in_postgres import PostgresNotes, fleets_in

    if not place.name:
        there = fleets_in(place)
        if len(there) != 1:
            told = f"it has: {', '.join(there)}" if there else "it has none"
            raise TaktError(f"{place} is a store; name the fleet in it: '{place}#NAME' ({told})")
        place = place.named(there[0])
    notes = PostgresNotes(place)
    try:
        text = notes.plan_text()
    finally:
        notes.close()
    if not text:
        raise TaktError(f"there is no fleet {place}; `takt fleet run PLAN` begins one")
    return place, text
