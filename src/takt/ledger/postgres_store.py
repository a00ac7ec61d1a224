"""What a PostgreSQL store has: its shifts by name, and how they stand, without reading an event."""

from __future__ import annotations

from typing import NamedTuple

from takt.errors import TaktError, Unwritable
from takt.ledger.address import Address
from takt.ledger.postgres_connection import at, connected
from takt.ledger.postgres_schema import check_version


class Standing(NamedTuple):
    """A shift in a store, without its events. `holder` works on it now, or "" if nobody does."""

    name: str
    events: int
    units: int
    good: int
    ended: bool
    holder: str
    now_s: float | None


def names(store: Address) -> list[str]:
    """The shifts under an address, by name: all of the store, or those whose names begin as its name does."""
    return [one.name for one in standings(store)]


def standings(store: Address) -> list[Standing]:
    """How the shifts under an address stand, by name, without reading an event."""
    with at(store, TaktError):
        connection = connected(store)
        with connection:
            if not check_version(connection, store):
                return []
            prefix = f"{store.name.rstrip('/')}/" if store.name else ""
            rows = connection.execute(
                "SELECT name, events, units, good, ended, "
                "CASE WHEN until > clock_timestamp() THEN coalesce(holder, '') ELSE '' END, now_s "
                'FROM takt.shifts WHERE starts_with(name, %s) ORDER BY name COLLATE "C"',
                (prefix,),
            ).fetchall()
    return [Standing(*row) for row in rows]


def is_held(place: Address) -> bool:
    """Whether somebody has the lease of this shift now."""
    with at(place, TaktError):
        connection = connected(place)
        with connection:
            query = "SELECT exists(SELECT FROM takt.shifts WHERE name = %s AND until > clock_timestamp())"
            return bool(connection.execute(query, (place.name,)).fetchone()[0])


def exists(place: Address) -> bool:
    """Whether there is a shift of this name."""
    with at(place, TaktError):
        connection = connected(place)
        with connection:
            if not check_version(connection, place):
                return False
            query = "SELECT exists(SELECT FROM takt.shifts WHERE name = %s)"
            return bool(connection.execute(query, (place.name,)).fetchone()[0])


def removed(place: Address) -> None:
    """Take a shift out of the store, if nobody works on it."""
    with at(place, Unwritable):
        connection = connected(place)
        with connection:
            connection.execute("DELETE FROM takt.shifts WHERE name = %s AND until IS NULL", (place.name,))
