"""Where a fleet's ledgers are: a folder, one SQLite file for each shift; or a server, by URI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from takt.fleet.plan import LEDGERS, Planned
from takt.ledger import Ledger


def check_store(store: str) -> str:
    """What is wrong with where a plan wants its ledgers; "" if nothing is."""
    if "://" in store:
        return f"is {store.partition('://')[0]}://...; a folder is the only store there is"
    if Path(store).exists() and not Path(store).is_dir():
        return f"is {store}, and that is no folder"
    return ""


def ledger_of(store: str, shift: Planned) -> str:
    """Where the ledger of a planned shift is, or is to be."""
    return str(Path(store) / LEDGERS / shift.file)


def ledgers_in(store: str) -> set[str]:
    """The names of the ledgers that are there."""
    import os

    try:
        return {entry.name for entry in os.scandir(Path(store) / LEDGERS) if entry.name.endswith(".takt")}
    except FileNotFoundError:
        return set()


def exists(location: str) -> bool:
    return Path(location).exists()


def read(location: str, look: Callable[[Ledger], Any]) -> Any:
    """What `look` finds in a ledger, opened to read, or to be mended first if a write was cut short."""
    from takt.ledger.intact import Unfinished

    try:
        with Ledger.open(location) as book:
            return look(book)
    except Unfinished:
        with Ledger.resume(location) as book:
            return look(book)
