"""The way to a PostgreSQL server: connections, leases' length, and what goes wrong in one line without a password."""

from __future__ import annotations

import os
import socket
from typing import Any

from takt.distribution import install
from takt.errors import Lost, TaktError, Unwritable
from takt.ledger.address import Address
from takt.ledger.postgres_schema import LOST, check_version
from takt.secret import keep, passwords_of, without_secrets

LEASE_S = 30.0  # for so long a shift is a worker's after it was last heard of; TAKT_LEASE_S says otherwise
PATIENCE_S = 60.0  # a server that is gone is waited for
LOOPBACK = ("", "localhost", "127.0.0.1", "::1")


def check_named(place: Address) -> None:
    if not place.name:
        raise TaktError(f"{place} is a store; name the shift in it: '{place}#NAME'")


def shift_of(connection: Any, place: Address) -> int:
    found = None
    if check_version(connection, place):
        found = connection.execute("SELECT id FROM takt.shifts WHERE name = %s", (place.name,)).fetchone()
    if found is None:
        raise TaktError(f"there is no ledger {place}")
    return int(found[0])


def needed() -> Any:
    try:
        import psycopg
    except ImportError:
        raise TaktError(f"a ledger in PostgreSQL needs the extra `fleet`: {install('fleet')}") from None
    return psycopg


def connected(place: Address) -> Any:
    """A connection. Off this machine it is encrypted and the server's name is checked, unless the address says
    otherwise (sslmode=, as libpq has it)."""
    psycopg = needed()
    given = psycopg.conninfo.conninfo_to_dict(place.uri)
    host = str(given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST") or "")
    options: dict[str, Any] = {"connect_timeout": 10, "application_name": "takt", "keepalives_idle": 30}
    if not all(one in LOOPBACK or one.startswith(("/", "@")) for one in host.split(",")):
        if "sslmode" not in given and "PGSSLMODE" not in os.environ:
            options["sslmode"] = "verify-full"
            if "sslrootcert" not in given and "PGSSLROOTCERT" not in os.environ and psycopg.pq.version() >= 160000:
                options["sslrootcert"] = "system"
        options["tcp_user_timeout"] = 60_000
    shown = str(place)  # what stands in it, a user takt with the password takt, is no secret as a word
    keep(one for one in passwords_of(place.uri) if one not in shown)
    connection = psycopg.connect(place.uri, autocommit=True, **{k: v for k, v in options.items() if k not in given})
    given_it = getattr(getattr(connection, "info", None), "password", "")  # perhaps of ~/.pgpass, or the environment
    keep([given_it] if given_it not in shown else [])
    connection.execute("SET synchronous_commit = off")
    return connection


def lease_s() -> float:
    """How long a lease is: LEASE_S, or what TAKT_LEASE_S says, from 1 s to an hour."""
    text = os.environ.get("TAKT_LEASE_S", "")
    try:
        return min(3600.0, max(1.0, float(text))) if text else LEASE_S
    except ValueError:
        raise TaktError(f"TAKT_LEASE_S is a number of seconds, not {text!r}") from None


def holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:200]


def taken_over(place: Address) -> Lost:
    return Lost(f"another process works on {place} by now; this one has stopped, and wrote nothing more")


def is_gone(error: BaseException) -> bool:
    """Whether a TaktError of `at` says that the server, or the way to it, is gone: it may be there again soon."""
    cause, psycopg = error.__cause__, needed()
    full = str(getattr(cause, "sqlstate", None)) in ("53100", "53200")  # its disk, its memory
    return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)) and not full


class at:
    """What the server or the way to it raises, as one line that names the place, and no password."""

    def __init__(self, place: Address, kind: type[TaktError], what: str = "ledger") -> None:
        self._place, self._kind, self._what = place, kind, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, TaktError) or not isinstance(error, needed().Error):
            return
        if getattr(error, "sqlstate", None) == LOST:
            raise Lost(
                f"another process works on {self._place} by now; this one has stopped, and wrote nothing"
            ) from error
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = without_secrets(lines[0] if lines else type(error).__name__, self._place.uri)
        what = "write" if self._kind is Unwritable else "read"
        raise self._kind(f"cannot {what} the {self._what} {self._place}: {why}") from error


class closed_if_fails:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._connection.close()
