"""What defines a shift, what its first event says of it, and when and with what it was worked."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from takt.contract import costs
from takt.contract.clock import Clock, Live, Lockstep, Recorded, parse_clock
from takt.contract.events import BEAT, Event
from takt.contract.faults import merged, schedule
from takt.contract.foreign import one_line, where
from takt.contract.station import Fault, Station, StationSpec, TaktError, check_faults
from takt.contract.worker import worker_seed
from takt.distribution import version as installed
from takt.ledger import DEFINITION

MOST_HOURS, MOST_UNITS = 100_000, 10_000_000  # of a shift: eleven years, or three of a unit every ten seconds
HOW_COUNTED = (
    "pace",
    "unit_life_s",
    "planned_cycle_s",
    "cost_range_eur",
    "cost_range",
    "currency",
)  # in `shift_started` since November 2026


# By which rules a shift is worked, kept in its ledger, so that one of an older version goes on by the old ones. No part
# of the digest. 1, or none: the worker is handed the shift's own seed. 2: one derived from it. 3: `said` is filed under
# the unit that the action names. 4: the desk says what is wrong with a call in its own words. 5: workers of the code
# desk wait for the beat, and no longer ask every ten control periods. 6: at a flight desk with authority the recovery's
# rules have the last word, and no generated maintenance is out of its aircraft's reach. 7: the flight desk says no more
# than is known by then (its `versions.py`). A station is told them at `reset` and may have had other ways of its own.
RULES = 7
FIRST_SAID = 2  # the version of a made-up world in a ledger that does not say one; by rules 1 it is the first


def seed_of_worker(shift: Mapping[str, Any]) -> int:
    seed: int = shift["seed"]
    return worker_seed(seed) if rules_of(shift) > 1 else seed


def rules_of(shift: Mapping[str, Any]) -> int:
    rules: int = shift.get("rules", 1)
    return rules


def reset_as(station: Station, shift: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Start at a station the shift that `shift` (a ledger's meta) defines. TaktError if its world is made no more."""
    check_world(station, shift)
    faults = tuple(Fault(**fault) for fault in shift["faults"])
    return station.reset(seed=shift["seed"], options={"faults": faults, "rules": rules_of(shift)})


def check_world(station: Station, shift: Mapping[str, Any]) -> None:
    """Worked in another world, a shift would differ from its first units on, and its figures would be of no day."""
    now = getattr(station.spec, "world", None)
    was = shift.get("world", now and (1 if rules_of(shift) == 1 else FIRST_SAID))
    if was != now:
        raise TaktError(
            f"this shift's world is of version {was}, and {shift['station']!r} makes version {now} from a seed now: "
            "the shift can be read and judged, but worked again only by the Takt that made it"
        )


def clock_of(meta: Mapping[str, Any], events: Sequence[Event]) -> Clock:
    """The clock of a shift whose `events` are worked again."""
    if meta["clock"] == "measured":
        return Recorded(events)
    clock = parse_clock(meta["clock"])
    return Lockstep(clock.text) if isinstance(clock, Live) else clock  # worked again, nothing waits for the wall


def not_taken_up(of: object, what: str, error: BaseException | None) -> TaktError:
    """A ledger's snapshot is damaged, or of another version of what is to go on from it."""
    why = "" if error is None else f": {one_line(error)}{where(error)}"
    return TaktError(f"{of} cannot be gone on with: its snapshot is none that {what} can take up{why}")


def as_told_by(started: Event, before: Event) -> Event:
    """`shift_started` without what an older Takt did not write there: how units are to be counted is no difference."""
    data = {key: value for key, value in started.data.items() if key not in HOW_COUNTED or key in before.data}
    return Event(started.t_s, started.kind, started.unit, data)


def started_data(shift: Mapping[str, Any], spec: StationSpec) -> dict[str, Any]:
    """What `shift_started` says: all that figures and verdict need to know beside the events themselves."""
    cycle_s = spec.acceptance.cycle_s
    acceptance = {**asdict(spec.acceptance), "cycle_s": cycle_s if math.isfinite(cycle_s) else None}  # JSON has no inf
    if acceptance["stands_to"] is None:
        del acceptance["stands_to"]
    # Only what a station says: what it leaves at rest is not written, so shifts of older ledgers keep their digests.
    told = {
        "pace": None if spec.pace == BEAT else spec.pace,
        "unit_life_s": spec.unit_life_s,
        "planned_cycle_s": spec.planned_cycle_s,
        **costs.told(spec),
    }
    return {
        **{key: shift[key] for key in DEFINITION},
        "takt_s": spec.takt_s,
        "control_s": spec.control_s,
        "acceptance": acceptance,
        "parts": list(spec.parts),
        "privileged": spec.privileged,
        "stops": [name for name, kind in spec.faults.items() if kind.stops],
        **{key: value for key, value in told.items() if value is not None},
    }


def scheduled(faults: Sequence[str | Fault], spec: StationSpec, seed: int, length_s: float) -> tuple[Fault, ...]:
    given = [fault for fault in faults if isinstance(fault, Fault)]
    check_faults(spec, given)
    return merged([*given, *schedule([fault for fault in faults if isinstance(fault, str)], spec, seed, length_s)])


def circumstances(spec: StationSpec) -> dict[str, Any]:
    """When and with what the shift was worked. In the ledger, but no part of the shift (not in its digest)."""
    packages = {"takt": installed(), **{name: version(name) for name in ("numpy", "gymnasium", *spec.packages)}}
    machine = {"platform": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    return {"begun_utc": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine, "packages": packages}
