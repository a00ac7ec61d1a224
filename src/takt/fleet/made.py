"""A plan as it was worked last, kept with its fleet's notes: its arms with all that their shifts were made of.

Who looks at a fleet needs neither its stations nor its workers, and sees it as it was worked, whatever has become of
Takt, of packages and of files since. Who works it reads the plan anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from takt.errors import TaktError
from takt.fleet.changes import changes
from takt.fleet.identity import id_of
from takt.fleet.notes import Notes, notes_of
from takt.fleet.plan import Arm, Plan, Planned
from takt.fleet.store import home, quoted
from takt.fleet.text import text_of
from takt.fleet.told import read_as
from takt.fleet.toml import read_plan

COMMAND = "takt run"  # the source of a plan that a command line says


def plan_as_worked(path: str | os.PathLike[str]) -> Plan:
    """The plan of a file, a folder or an address (`read_plan`), to look at. Raises TaktError for what is wrong with it.

    As long as its text is that by which it was worked last, nothing is imported and nothing written."""
    plan = read_plan(path, whole=False)
    notes = notes_of(plan)
    try:
        kept = notes.made()
    finally:
        notes.close()
    with suppress(ValueError, TypeError, KeyError, IndexError, AttributeError):
        told = json.loads(kept)
        if told["text"] == _hash(plan.text):
            arms = [read_as(Arm, one) for one in told["arms"]]
            shifts = [Planned(id_of(arms[arm].definition, seed), arms[arm], int(seed)) for arm, seed in told["shifts"]]
            return replace(plan, arms=arms, shifts=shifts)
    return read_plan(path)


class Kept(NamedTuple):
    """A plan as it is kept with its fleet: what it says, and what that came to (`kept_of`); "" where nothing is."""

    text: str
    made: str

    @property
    def source(self) -> str:
        """The file that it was read from, or COMMAND; "" if that is not known."""
        return str(self._told("source") or "")

    @property
    def name(self) -> str:
        """What the fleet is called; "" if that is not known."""
        with suppress(ValueError):
            return str(tomllib.loads(self.text).get("name", ""))
        return ""

    @property
    def shifts(self) -> set[str] | None:
        """The ids of its shifts; None if they are not known."""
        with suppress(ValueError, TypeError, KeyError, IndexError):
            arms = [one["definition"] for one in self._told("arms")]
            return {id_of(arms[arm], int(seed)) for arm, seed in self._told("shifts")}
        return None

    def _told(self, key: str) -> Any:
        with suppress(ValueError, TypeError, AttributeError):
            return json.loads(self.made).get(key)
        return None


NOTHING = Kept("", "")


def kept_in(notes: Notes) -> Kept:
    """What is kept of the plan by which the fleet of these notes was worked last."""
    return Kept(notes.plan_text(), notes.made())


def kept_of(plan: Plan, before: Kept = NOTHING) -> Kept:
    """What is to be kept of a plan, all "" of one that has no text. Gone on with from the fleet alone it is of the file
    that it was of `before`."""
    if not plan.text:
        return NOTHING
    number = {arm.name: n for n, arm in enumerate(plan.arms)}
    shifts = [[number[shift.arm.name], shift.seed] for shift in plan.shifts]
    source = plan.source or before.source
    told = {"text": _hash(plan.text), "source": source, "arms": [asdict(arm) for arm in plan.arms], "shifts": shifts}
    return Kept(plan.text, json.dumps(told))


def other_fleet(new: Kept, there: Kept) -> str:
    """What the fleet is called whose plan is kept where `new` is to be, if it is another fleet; "" if it is the same,
    whatever its plan says by now, or there is none.

    A fleet is known by its place and its plan's name; by the file, too, where that has changed the name. What a file
    says is nothing that a command line changes."""
    with suppress(ValueError):
        if not new.text or not there.text or _hash(new.text) == _hash(there.text):
            return ""
    if new.source == COMMAND and there.source not in ("", COMMAND):
        return f"{there.name} by {there.source}"
    if not new.name or not there.name or new.name == there.name or new.source == there.source != "":
        return ""
    return there.name


def difference(new: Kept, there: Kept) -> str:
    """In words, how the plan `new` differs from the one that is kept where it is to be; "" if the shifts are the same
    and, as far as is known, the file is."""
    with suppress(ValueError):
        if not new.text or not there.text or _hash(new.text) == _hash(there.text):
            return ""
    other = there.source if "" != there.source != new.source != "" else ""
    told = f"its plan is another one than it was worked by last{f' ({other})' if other else ''}"
    before, now = there.shifts, new.shifts
    if before is None or now is None:
        return told
    if before == now:
        return f"{told}; its shifts are the same" if other else ""
    more, fewer = len(now - before), len(before - now)
    counted = [f"{more} new shift{'s' * (more != 1)}"] * bool(more)
    counted += [f"{fewer} that {'are' if fewer != 1 else 'is'} of it no more, whose ledgers stay"] * bool(fewer)
    return f"{told}: {', and '.join(counted)}"


def other_source(new: Kept, there: Kept) -> str:
    """The file of another plan by which the fleet was worked before, if it is still there and says something else; ""
    if there is none."""
    before = there.source
    with suppress(ValueError, OSError):
        if before and new.source and before != new.source:
            return before if _hash(Path(before).read_text(encoding="utf-8")) != _hash(new.text) else ""
    return ""


def begun_over(plan: Plan, there: Kept) -> str:
    """What is to be said, in a line, before this plan is worked where that one is kept; "" if there is nothing. Raises
    TaktError if that is another fleet."""
    new, place = kept_of(plan, there), home(plan)
    if fleet := other_fleet(new, there):
        raise TaktError(
            f"{place} has another fleet, {fleet}, whose plan would be lost: give {plan.name} another place (folder, "
            f"--out or #NAME), or go on with that one: `takt fleet resume {quoted(plan)}`"
        )
    told = f"{place}: {word}" if (word := difference(new, there)) else ""
    if other := other_source(new, there):
        too = f"the fleet {place} is that of {other}, too; give one of them another name"
        told = f"{told}; {too}" if told else too
    return told


def changed(arms: Sequence[Arm]) -> list[str]:
    """What of that by which these arms' shifts were made is another one by now, in words; seen without an import."""
    seen = (_changed(arm) for arm in arms)
    return list(dict.fromkeys(word for words in seen for word in words))


def _changed(arm: Arm) -> Iterator[str]:
    options = (arm.station, arm.station_options, arm.worker, arm.worker_options)
    return changes(arm.definition, *options, imports=False)


def _hash(text: str) -> str:
    """Of what a plan says, but for the place of its store, which the address of a fleet says."""
    told = tomllib.loads(text)
    return hashlib.sha256(text_of({key: value for key, value in told.items() if key != "store"}).encode()).hexdigest()
