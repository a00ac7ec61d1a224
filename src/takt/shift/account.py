"""What the station itself has to say of a shift, if it has (`station.Accounting`). Nothing here knows which does.

A shift's result does not depend on it: whatever goes wrong is a warning of one line.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from takt.contract.events import Event
from takt.contract.foreign import is_stop, one_line
from takt.contract.registry import accounts, loaded, registered_station, stations
from takt.ledger.trust import open_station_of
from takt.shift.result import Shift

if TYPE_CHECKING:
    from takt.contract.station import Account, Section, Table


def account_of(shift: Shift) -> Account | None:
    """The account of the station that the shift was worked at. None if it has none, or is not registered."""
    name = shift.meta["station"]
    if name not in stations():
        return None
    try:
        point = registered_station(name)
        if not accounts(point):  # importing one can take longer than all the figures
            return None
        from takt.contract.station import Accounting
        from takt.shift.definition import reset_as

        make = loaded(point)
        if isinstance(make, type) and not issubclass(make, Accounting):  # opening one can take seconds
            return None
        if isinstance(getattr_static(make, "account", None), staticmethod):  # it needs the events alone
            told: Account = make.account(shift.seen)
            return told
        station = open_station_of(shift.path or "the shift", shift.meta)
        try:
            if not isinstance(station, Accounting):
                return None
            reset_as(station, shift.meta)
            return station.account(shift.seen)
        finally:
            station.close()
    except BaseException as error:
        if is_stop(error):
            raise
        warnings.warn(f"no account of station {name!r}: {one_line(error)}", stacklevel=2)
        return None


def costs_at(station: str) -> Callable[[Sequence[Event]], Mapping[int, float]] | None:
    """How the station of this name says what units cost. None if it does not, or is not registered."""
    if station not in stations() or not accounts(registered_station(station)):
        return None
    from takt.contract.station import Costing

    make = loaded(registered_station(station))
    return make.unit_costs if isinstance(make, type) and issubclass(make, Costing) else None


def sections_of(account: Account | None) -> Sequence[Section]:
    """An account's sections, drawn."""
    if account is None:
        return ()
    found: Sequence[Section] = _told(lambda: tuple(account.sections()), (), "sections cannot be drawn")
    return found


def bad_table_of(account: Account | None) -> Table | None:
    """An account's table of the bad units, if it has one."""
    if account is None or account.bad is None:
        return None
    found: Table | None = _told(account.bad, None, "bad units cannot be told")
    return found


def _told(tell: Callable[[], Any], otherwise: Any, what: str) -> Any:
    try:
        return tell()
    except BaseException as error:
        if is_stop(error):
            raise
        warnings.warn(f"the station's {what}: {one_line(error)}", stacklevel=2)
        return otherwise
