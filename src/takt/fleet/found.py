"""What is there of a plan's shifts: records by its notes, as far as the ledgers are still those that they are of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from takt.errors import Busy, TaktError, Unwritable
from takt.fleet.notes import Notes
from takt.fleet.plan import Plan, Planned
from takt.fleet.record import Record
from takt.fleet.store import Ledgers, check_not_given_up, is_gone, is_size, read, shown
from takt.ledger import Ledger
from takt.shift import Shift


class Found(NamedTuple):
    """records     of shifts that have ended or were left, by id.
    unreadable   why the ledger of a shift tells nothing, by id: it is damaged, emptied, or another one's.
    others       ledgers there that are of no shift of the plan: of an earlier one, of another Takt, of another worker.
    damaged      of `unreadable`, those whose shifts had ended: whatever is there now is no end of theirs.
    """

    records: dict[str, Record]
    unreadable: Mapping[str, str]
    others: int
    damaged: Collection[str] = ()


def found_in(plan: Plan, notes: Notes, ledgers: Ledgers) -> Found:
    """What is there: from the notes, and from ledgers that they do not have, or not as they are now.

    The notes are brought up to date where they can be written; a record whose ledger is gone is forgotten, and the
    shift is worked again.
    """
    known, stamps = notes.records(), notes.stamps()
    found = Found({}, unreadable := {}, len(ledgers.names - {ledgers.name(shift) for shift in plan.shifts}))
    new: list[tuple[str, Record]] = []
    new_stamps: dict[str, int] = {}
    gone: list[str] = []
    damaged: set[str] = set()
    for shift in plan.shifts:
        record, name = known.get(shift.id), ledgers.name(shift)
        if name is None:
            gone += [] if record is None else [shift.id]
            continue
        if record is not None and not record.ended:
            record = None
        noted = stamps.get(shift.id)
        if record is not None and (noted == ledgers.stamps[name] or is_size(noted, ledgers.of(shift))):
            found.records[shift.id] = record
            continue
        try:
            fresh = _read(shift, ledgers.of(shift))
            if record is not None and fresh.digest != record.digest:
                was, now = record.digest[:12], fresh.digest[:12]
                why = f"is not what it was when its shift ended: its digest was {was}, and is {now}"
                raise TaktError(f"{shown(ledgers.of(shift))} {why}")
        except Busy:
            continue
        except TaktError as error:
            if is_gone(error):
                raise
            unreadable[shift.id] = " ".join(str(error).split())
            damaged |= set() if record is None else {shift.id}
            continue
        found.records[shift.id] = fresh
        if fresh.ended:  # else it is read again, and might be kept over what its driver says of its end meanwhile
            new.append((shift.arm.name, fresh))
            new_stamps[shift.id] = ledgers.stamps[name]
    with suppress(Unwritable):  # who only looks may not be allowed to write; what he found is derived
        if new:
            notes.put(new, new_stamps)
        if gone:
            notes.drop(gone)
    return found._replace(damaged=damaged)


def _read(shift: Planned, ledger: str) -> Record:
    def look(book: Ledger) -> Record:
        found = Shift.of(book)
        check_not_given_up(ledger, found.meta)
        if found.meta.get("shift_id") != shift.id:
            raise TaktError(f"{shown(ledger)} is another shift than its name says")
        return Record.of(found, shift.id)

    record = read(ledger, look)
    assert isinstance(record, Record)
    return record
