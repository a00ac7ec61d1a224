"""What took seconds, remembered by all that it is worked out from: a shift is looked at more often than worked.

In the user's own cache (`~/.cache/takt`, or `$XDG_CACHE_HOME/takt`), the newest few: `bounds` of hindsight and `worlds`
of scenarios. What cannot be read, or not be written, is worked out.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from takt.errors import TaktError
from takt.ledger.pack import pack, unpack
from takt.private import private_folder
from takt.stations.flightdesk.desk.seats import Assigned, Share, Wish
from takt.stations.flightdesk.desk.world import World

BOUNDS, WORLDS = 200, 16  # that are kept; a world of gulf-2026 is 1.4 MB
FEW = 5000  # bookings: a world of fewer is made at once

Made = TypeVar("Made")


def remembered(of: Sequence[Any], wishes: Sequence[Wish], make: Callable[[], Assigned]) -> Assigned:
    """What `make` gives; it is a function of `of` and of the groups' `wishes`, and of nothing else."""

    def key() -> str:
        return hashlib.sha256(_sources() + pack(_told(of, wishes))).hexdigest()[:40]

    return _kept("bounds", key, make, lambda made: pack(_plain(made)), lambda kept: _assigned(unpack(kept)), BOUNDS)


def remembered_world(of: Sequence[Any], bookings: int, make: Callable[[], World]) -> World:
    """The same for a world of so many bookings, which is a function of `of`, of Takt's own sources and of NumPy's and
    the airports' versions."""
    if bookings < FEW:
        return make()

    def key() -> str:
        versions = [version(name) for name in ("numpy", "airportsdata")]
        return hashlib.sha256(_sources() + pack([*versions, *of])).hexdigest()[:40]

    def read(kept: bytes) -> World:
        found = pickle.loads(zlib.decompress(kept))  # nosec B301  # nobody else can have written there
        if not isinstance(found, World):
            raise TypeError(f"{type(found).__name__} is no world")
        return found

    return _kept("worlds", key, make, lambda made: zlib.compress(pickle.dumps(made), 1), read, WORLDS)


def _kept(
    folder: str,
    key: Callable[[], str],
    make: Callable[[], Made],
    write: Callable[[Made], bytes],
    read: Callable[[bytes], Made],
    most: int,
) -> Made:
    try:
        file = _folder(folder) / key()
    except (TaktError, OSError):  # others could write there, or nobody can
        return make()
    with suppress(Exception):  # damaged: what reading raises then is anything
        found = read(file.read_bytes())
        os.utime(file)
        return found
    made = make()
    with suppress(OSError):
        new = file.with_name(f"{file.name}.{os.getpid()}")
        new.write_bytes(write(made))
        new.replace(file)
        for old in sorted(file.parent.iterdir(), key=lambda one: one.stat().st_mtime)[:-most]:
            old.unlink(missing_ok=True)
    return made


def _folder(name: str) -> Path:
    above = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "takt"
    private_folder(above)
    return private_folder(above / name)


@cache
def _sources() -> bytes:
    """Everything that could decide what comes out, in short: the desk and the airline."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        found.update(path.read_bytes())
    return found.digest()


def _told(of: Sequence[Any], wishes: Sequence[Wish]) -> list[Any]:
    tables: dict[int, int] = {}  # of prices and of landings, which groups share
    told: list[Any] = [*of]
    for wish in wishes:
        for table in (wish.price, wish.lands):
            if id(table) not in tables:
                tables[id(table)] = len(tables)
                told.append(table)
        row = (wish.people, wish.start, wish.goal, wish.ready, wish.due, wish.latest, wish.minute, wish.meal_after)
        told.append([*row, wish.stays, tables[id(wish.price)], tables[id(wish.lands)]])
    return told


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
