"""The address of a ledger in a database, and what of it may be shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from takt.errors import TaktError

SCHEMES = ("postgresql", "postgres")
SECRET = ("password", "sslpassword", "oauth_client_secret")
HIDDEN = "***"
LONGEST_NAME = 200


class Address(os.PathLike[str]):
    """postgresql://USER@HOST:PORT/DATABASE?PARAMETERS#SHIFT, as libpq has it; what is missing comes from the
    environment (PGHOST, PGPASSWORD, ~/.pgpass). Without #SHIFT it is the store, and `store / "a"` one of its shifts.
    A shift's name has no .takt at its end: `store / "a.takt"` is the same shift.

    Its text never shows a password; only `uri` and `full` have it, for a connection and for another process. Beyond
    that it has of a Path what is asked of a ledger's place; `with_suffix` and `with_name` are of files, in the folder
    where one works.
    """

    suffix = ".takt"

    def __init__(self, uri: str, name: str) -> None:
        self.uri = uri  # without the shift
        self.name = name.removesuffix(".takt")

    @classmethod
    def of(cls, text: str) -> Address:
        """TaktError if it is none, or of a kind that keeps no ledgers."""
        scheme, found, rest = text.partition(":/")
        if scheme.lower() not in SCHEMES or not found:
            raise TaktError(
                f"{masked(text)} is no place for a ledger; give a path, or postgresql://HOST/DATABASE#SHIFT"
            )
        if not rest.startswith("/"):  # pathlib makes one slash of two
            text = f"{scheme}://{rest}"
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError as error:
            raise TaktError(f"{masked(text)} is no address: {error}") from None
        name = unquote(parts.fragment)
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise TaktError(f"the name of a shift is printable, and at most {LONGEST_NAME} characters long")
        return cls(f"postgresql{text[len(scheme) :].partition('#')[0]}", name)

    def named(self, name: str) -> Address:
        """The shift with this name in the same store."""
        return Address(self.uri, name)

    def __truediv__(self, name: str | os.PathLike[str]) -> Address:
        """The shift of this name under this one's, as of a folder."""
        return self.named(f"{self.name.rstrip('/')}/{os.fspath(name)}".lstrip("/"))

    @property
    def stem(self) -> str:
        """The name, as a file may be called."""
        last = self.name.rpartition("/")[2]
        return re.sub(r"[^\w.-]+", "-", last).strip("-.") or "shift"

    @property
    def parent(self) -> Path:
        return Path()

    def with_suffix(self, suffix: str) -> Path:
        return Path(f"{self.stem}{suffix}")

    def with_name(self, name: str) -> Path:
        return Path(name)

    def resolve(self) -> Address:
        return self

    def exists(self) -> bool:
        """Whether there is such a shift; a store is there."""
        from takt.ledger.postgres_store import exists

        return not self.name or exists(self)

    def is_dir(self) -> bool:
        """Whether it is a store, or the beginning of the names of shifts there, and no shift."""
        from takt.ledger.postgres_store import exists, names

        return not self.name or (not exists(self) and bool(names(self)))

    @property
    def full(self) -> str:
        """The address with its password: not for messages, and not for a command line, which others can read."""
        return f"{self.uri}#{quote(self.name)}" if self.name else self.uri

    def __fspath__(self) -> str:  # where it is taken for a file by mistake, that is said without the password too
        return str(self)

    def __str__(self) -> str:
        return masked(self.full)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Address) and (self.uri, self.name) == (other.uri, other.name)

    def __hash__(self) -> int:
        return hash((self.uri, self.name))

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)


def masked(text: str) -> str:
    """An address as it may be shown: without passwords, wherever they stand in it."""
    try:
        parts = urlsplit(text)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return re.sub(r"//[^/]*@", f"//{HIDDEN}@", text)
    user, found, host = parts.netloc.rpartition("@")
    who, colon, _ = user.partition(":")
    if colon:
        text = text.replace(parts.netloc, f"{who}:{HIDDEN}{found}{host}", 1)
    if any(key.lower() in SECRET for key, _ in query):
        shown = [(key, HIDDEN if key.lower() in SECRET else value) for key, value in query]
        text = text.replace(parts.query, urlencode(shown, safe="*/"), 1)
    return text


def without_secrets(text: str, uri: str) -> str:
    """A text of somebody else's, without the passwords of this address."""
    parts = urlsplit(uri)
    secrets = {value for key, value in parse_qsl(parts.query) if key.lower() in SECRET and value}
    if parts.password:
        secrets |= {parts.password, unquote(parts.password)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
