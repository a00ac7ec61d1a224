"""What is registered: stations and workers by entry points, named without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from takt.contract.foreign import foreign
from takt.distribution import NAME
from takt.errors import TaktError
from takt.meant import meant

CHECKOUT = Path(__file__).resolve().parents[3] / "pyproject.toml"
SEED_BITS = 128  # the most that a shift's seed can have: nobody finds one of so many by trying


def entry_points(group: str) -> Any:
    """What is registered in a group of entry points. In a checkout Takt's own are those that its pyproject.toml has:
    what an installation of it knows is from the day on which it was made."""
    from importlib.metadata import EntryPoint, EntryPoints  # which `takt --help` can do without
    from importlib.metadata import entry_points as registered

    points, ours = registered(group=group), _of_checkout(CHECKOUT)
    if ours is None:
        return points
    others = [point for point in points if point.dist is None or point.dist.name != NAME]
    mine = [EntryPoint(name, value, group) for name, value in ours.get(group, {}).items()]
    return EntryPoints([*others, *mine])


@cache
def _of_checkout(file: Path) -> Mapping[str, Mapping[str, str]] | None:
    """Takt's entry points by group and name, as its checkout says them; None where it was installed from a package."""
    import tomllib

    try:
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        return project["entry-points"] if project["name"] == NAME else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def stations() -> dict[str, Any]:
    """The registered stations, by name (entry-point group `takt.stations`), not yet imported."""
    return {point.name: point for point in sorted(entry_points(group="takt.stations"), key=lambda point: point.name)}


def registered_station(name: str) -> Any:
    """The entry point of the station registered as `name`. Raises TaktError if there is none of that name."""
    known = stations()
    if name not in known:
        raise TaktError(f"no station named {name!r}{meant(name, known)}; the stations here are: {', '.join(known)}")
    return known[name]


def workers(station: str | None = None) -> dict[str, Any]:
    """The registered workers, by name (entry-point group `takt.workers`), not yet imported.

    A name with a dot, `nutcell.expert`, belongs to one station; there it answers to `expert`. With `station`, only the
    workers that can work there, by their short names.
    """
    points = {point.name: point for point in sorted(entry_points(group="takt.workers"), key=lambda point: point.name)}
    if station is None:
        return points
    own = {name.split(".", 1)[1]: point for name, point in points.items() if name.startswith(f"{station}.")}
    return own | {name: point for name, point in points.items() if "." not in name and name not in own}


def loaded(point: Any) -> Any:
    """What an entry point names, imported. Raises TaktError if it cannot be, whatever the module raises."""
    what = point.group.removeprefix("takt.").removesuffix("s")
    with foreign(f"cannot import the {what} {point.name!r}"):
        return point.load()


def accounts(point: Any) -> bool:
    """Whether the station of an entry point may have more to say of a shift than units tell (`Accounting`, `Costing`).

    False if the module that the entry point names has `ACCOUNTS = False`. A station that takes long to import says so
    in its package, which is light: then `takt kpis` of its shifts need not import it to learn that there is nothing.
    """
    with foreign(f"cannot import the station {point.name!r}"):
        return getattr(import_module(point.module), "ACCOUNTS", True) is not False
