"""Families of generated tickets, by name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from takt.errors import TaktError

if TYPE_CHECKING:
    from takt.stations.codedesk.families.series import Generated
    from takt.stations.codedesk.families.state import Family


def _expressions() -> Family:
    from takt.stations.codedesk.families.expressions import Expressions

    return Expressions()


def _tariffs() -> Family:
    from takt.stations.codedesk.families.tariffs import Tariffs

    return Tariffs()


def _queries() -> Family:
    from takt.stations.codedesk.families.queries import Queries

    return Queries()


def _records() -> Family:
    from takt.stations.codedesk.families.records import Records

    return Records()


def _inventory() -> Family:
    from takt.stations.codedesk.families.inventory import Inventory

    return Inventory()


MAKERS: dict[str, Callable[[], Family]] = {
    "expressions": _expressions,
    "tariffs": _tariffs,
    "queries": _queries,
    "records": _records,
    "inventory": _inventory,
}


def families() -> tuple[str, ...]:
    """The names of the families there are."""
    return tuple(MAKERS)


def generate(family: str | None, level: str, seed: int) -> Generated:
    """The series of a family, or of one drawn from the seed."""
    from takt.stations.codedesk.families.series import Generated
    from takt.stations.codedesk.tickets import LEVELS

    name = family if family is not None else Random(f"takt/codedesk/family/{seed}").choice(families())
    known = {one: one for one in LEVELS}
    if name not in MAKERS or level not in known:
        raise TaktError(f"no family {name!r} at level {level!r}; there are {', '.join(MAKERS)} at {', '.join(LEVELS)}")
    return Generated(MAKERS[name](), known[level], seed)
