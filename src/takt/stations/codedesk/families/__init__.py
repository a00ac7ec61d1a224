"""Families of generated tickets, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from takt.errors import TaktError

if TYPE_CHECKING:
    from takt.stations.codedesk.tickets import Series


def families() -> tuple[str, ...]:
    """The names of the families there are."""
    return ()


def generate(family: str | None, level: str, seed: int) -> Series:
    """The series of a family, or of one drawn from the seed."""
    raise TaktError("there are no generated tickets yet: name a folder that `takt mine` wrote")
