"""The address of a ledger in a database, and what of it may be shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from takt.errors import TaktError
from takt.secret import DATABASES, is_unclear, masked_address

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
        if scheme.lower() not in DATABASES or not found:
            raise TaktError(
                f"{masked_address(text)} is no place for a ledger; give a path, or postgresql://HOST/DATABASE#SHIFT"
            )
        if not rest.startswith("/"):  # pathlib makes one slash of two
            text = f"{scheme}://{rest}"
        try:
            parts = urlsplit(text)
            port, unclear = parts.port, is_unclear(scheme, text.partition("://")[2])
        except ValueError:  # whose words may have a part of the password in them
            port, unclear = None, True
        if unclear or (port is not None and not port):
            raise TaktError(
                f"{masked_address(text)} is no address: its host or port cannot be read; in a user, a password or a "
                "name, write %2F for /, %23 for #, %3F for ? and %40 for @"
            )
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
        return masked_address(self.full)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Address) and (self.uri, self.name) == (other.uri, other.name)

    def __hash__(self) -> int:
        return hash((self.uri, self.name))

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)
