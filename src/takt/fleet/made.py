"""A plan as it was worked last, kept with its fleet's notes: its arms with all that their shifts were made of.

Who looks at a fleet needs neither its stations nor its workers, and sees it as it was worked, whatever has become of
Takt, of packages and of files since. Who works it reads the plan anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from takt.distribution import version
from takt.fleet.identity import content_of_module, id_of
from takt.fleet.notes import notes_of
from takt.fleet.plan import Arm, Plan, Planned
from takt.fleet.text import text_of
from takt.fleet.told import read_as
from takt.fleet.toml import read_plan
from takt.shift.definition import RULES


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


def made_of(plan: Plan) -> str:
    """What is to be kept of a plan; "" of one that has no text."""
    if not plan.text:
        return ""
    number = {arm.name: n for n, arm in enumerate(plan.arms)}
    shifts = [[number[shift.arm.name], shift.seed] for shift in plan.shifts]
    told = {"text": _hash(plan.text), "source": plan.source, "arms": [asdict(arm) for arm in plan.arms]}
    return json.dumps({**told, "shifts": shifts})


def other_source(plan: Plan, kept: str) -> str:
    """The file of another plan by which the fleet was worked before, if it is still there and says something else; ""
    if there is none."""
    with suppress(ValueError, TypeError, KeyError, AttributeError, OSError):
        before = str(json.loads(kept)["source"])
        if before and plan.source and before != plan.source:
            return before if _hash(Path(before).read_text(encoding="utf-8")) != _hash(plan.text) else ""
    return ""


def other_fleet(text: str, source: str, name: str, kept: str, kept_made: str) -> str:
    """What another fleet is called whose plan is kept (`kept`, and what it came to) where that of this one is to be;
    "" if none is, or it is the same fleet, perhaps with a plan that has changed since.

    name   of this one, whose plan says `text` and was read from the file `source`; "" for those that are not known."""
    with suppress(ValueError, TypeError, AttributeError):
        if not kept or not text or _hash(kept) == _hash(text):
            return ""
        had = _source(kept_made)
        other = name_of(kept, kept_made)
        if name and other and other != name:
            return other
        if had and not source and name and Path(had).is_file():  # `takt run --seeds` over what a file says
            return f"{other} by {had}"
    return ""


def name_of(text: str, made: str) -> str:
    """What the fleet is called whose plan is kept; "" if that is not known."""
    with suppress(ValueError):
        return str(tomllib.loads(text).get("name", Path(_source(made)).stem))
    return ""


def _source(made: str) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(made)["source"])
    return ""


def changed(arms: Sequence[Arm]) -> list[str]:
    """What of that by which these arms' shifts were made is another one by now, in words; seen without an import."""
    return list(dict.fromkeys(word for arm in arms for word in _changed(arm)))


def _changed(arm: Arm) -> Iterator[str]:
    made_from, content = arm.definition.get("from"), arm.definition.get("content")
    for name, had in made_from.items() if isinstance(made_from, Mapping) else ():
        try:
            has = version() if name == "takt" else installed(name)
        except PackageNotFoundError:
            has = "not installed"
        if has != had:
            yield f"{name} was {had}, and is {has}"
    if arm.definition.get("rules") != RULES:
        yield "Takt's rules of a shift are others"
    if "." in arm.worker.partition(":")[0]:  # its package would be imported to find it
        return
    if isinstance(content, Mapping) and content and content_of_module(arm.worker) not in (content, {}):
        yield f"the file of {arm.worker} is another one"


def _hash(text: str) -> str:
    """Of what a plan says, but for the place of its store, which the address of a fleet says."""
    told = tomllib.loads(text)
    return hashlib.sha256(text_of({key: value for key, value in told.items() if key != "store"}).encode()).hexdigest()
