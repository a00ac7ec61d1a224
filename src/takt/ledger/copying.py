"""A ledger, or all of a store, copied to another: backup and restore, and from files into a database and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from takt.errors import TaktError
from takt.ledger.base import Batch, Blob, Rows
from takt.ledger.blobs import BY_NAME
from takt.ledger.book import Ledger
from takt.ledger.store import Place, created, place_of, removed, shifts_in


class Copied(NamedTuple):
    """A shift that is in the other place now; `new` is False if it was there already, the same."""

    source: Place
    target: Place
    digest: str
    events: int
    new: bool


def copy(
    source: str | os.PathLike[str], target: str | os.PathLike[str], named: Callable[[str], str] = str
) -> Iterator[Copied]:
    """Copy a ledger, or each of a folder or store, row by row. Digest and seal are the same, or TaktError is raised.

    named   what a ledger of a folder or store, by its name there, is called in the target.

    What is in the target already is left alone, and must be the same shift. Of a damaged ledger nothing is made.
    """
    here, there = place_of(source), place_of(target)
    if not here.is_dir():
        if there.is_dir():
            there = there / here.name
        yield _one(here, there)
        return
    for one in sorted(here.rglob("*.takt")) if isinstance(here, Path) else shifts_in(here):
        if isinstance(here, Path):
            name = Path(one).relative_to(here).as_posix()
        else:
            name = one.name[len(here.name.rstrip("/")) + 1 if here.name else 0 :] + ".takt"
        if isinstance(there, Path) and (".." in name.split("/") or name.startswith("/")):
            raise TaktError(f"{one} has a name that leads out of {there}; copy it by itself")
        yield _one(one, there / named(name))


def _one(here: Place, there: Place) -> Copied:
    if here == there:
        raise TaktError(f"{there} is what is to be copied; choose another place")
    with Ledger.open(here) as book:
        digest, seal, (events, _) = book.digest(), book.seal(), book._store.end()
        wrong = book.faults()
        if wrong:
            raise TaktError(f"{here} is damaged, and is not copied: {wrong[0]}")
        if there.exists():
            with Ledger.open(there) as other:
                if other.digest() == digest and other.seal() == seal:
                    return Copied(here, there, digest, events, False)
            raise TaktError(f"{there} is there already, and is not {here}; choose another place")
        rows = created(there, [(str(key), str(value)) for key, value in book._store.meta()])
        try:
            with Ledger(rows) as copied:
                _rows_into(book._store, rows)
                if (copied.digest(), copied.seal()) != (digest, seal):
                    raise TaktError(f"{here} changed while it was copied; copy it again when its shift has ended")
        except BaseException:
            removed(there)
            raise
    return Copied(here, there, digest, events, True)


def _rows_into(source: Rows, target: Rows) -> None:
    """Unit by unit, as they were appended; the snapshots before the first event that is not copied yet come with it."""
    events, done = source.events(0), 0
    for seq, unit, t_s in source.snapshots():
        state, blob = source.state(seq), None
        if isinstance(state, bytes) and state.startswith(BY_NAME):
            found = source.blob(state[len(BY_NAME) :])
            blob = None if found is None else Blob(state[len(BY_NAME) :], *found)
        target.append(Batch(done, [row[1:] for row in events[done:seq]], (), (unit, t_s, state), blob))
        done = seq
    if events[done:]:
        target.append(Batch(done, [row[1:] for row in events[done:]]))
    for number, record in source.journal():
        target.note(number, record)
