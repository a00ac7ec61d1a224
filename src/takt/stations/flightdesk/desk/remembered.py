"""A bound that took seconds, remembered by all that it is worked out from: a shift is looked at more often than worked.

In the user's own cache (`~/.cache/takt/bounds`, or `$XDG_CACHE_HOME/takt/bounds`), the newest few. What cannot be read,
or not be written, is worked out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from takt.errors import TaktError
from takt.ledger.pack import pack, unpack
from takt.private import private_folder
from takt.stations.flightdesk.desk.seats import Assigned, Share, Wish

FEW = 60  # groups: fewer are served at once
KEPT = 40  # bounds
_SOURCES = ("seats.py", "paths.py", "remembered.py")  # what is in them decides what comes out


def remembered(of: Sequence[Any], wishes: Sequence[Wish], make: Callable[[], Assigned]) -> Assigned:
    """What `make` gives; it is a function of `of` and of the groups' `wishes`, and of nothing else."""
    if len(wishes) < FEW:
        return make()
    try:
        file = _folder() / _key(of, wishes)
    except (TaktError, OSError):  # others could write there, or nobody can
        return make()
    with suppress(OSError, ValueError, TypeError, KeyError, IndexError):
        found = _assigned(unpack(file.read_bytes()))
        os.utime(file)
        return found
    made = make()
    with suppress(OSError):
        new = file.with_name(f"{file.name}.{os.getpid()}")
        new.write_bytes(pack(_plain(made)))
        new.replace(file)
        for old in sorted(file.parent.iterdir(), key=lambda one: one.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    return made


def _folder() -> Path:
    above = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "takt"
    private_folder(above)
    return private_folder(above / "bounds")


def _key(of: Sequence[Any], wishes: Sequence[Wish]) -> str:
    tables: dict[int, int] = {}  # of prices, which groups share
    told: list[Any] = [*of]
    for wish in wishes:
        if id(wish.price) not in tables:
            tables[id(wish.price)] = len(tables)
            told.append(wish.price)
        row = (wish.people, wish.start, wish.goal, wish.ready, wish.due, wish.latest, wish.minute, wish.meal_after)
        told.append([*row, wish.stays, tables[id(wish.price)]])
    sources = b"".join(Path(__file__).with_name(name).read_bytes() for name in _SOURCES)
    return hashlib.sha256(pack(told) + sources).hexdigest()[:40]


def _plain(made: Assigned) -> list[Any]:
    shares = [[[share.people, share.legs, share.cost] for share in mine] for mine in made.shares]
    return [made.value, made.bound, made.seat, made.stays, made.rounds, shares]


def _assigned(plain: Any) -> Assigned:
    value, bound, seat, stays, rounds, shares = plain
    told = tuple(
        tuple(Share(people, tuple((int(f), int(cabin)) for f, cabin in legs), cost) for people, legs, cost in mine)
        for mine in shares
    )
    return Assigned(float(value), float(bound), seat, stays, int(rounds), told)
