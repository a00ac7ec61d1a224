"""Shifts in a folder, a row each: what a table on a terminal or on the board says of every one."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from takt.contract.events import SAID, SHIFT_ENDED, Event, stopping_early
from takt.errors import TaktError
from takt.judge.outcomes import MAY, Outcomes
from takt.judge.verdict import Verdict, verdict
from takt.ledger import Ledger
from takt.ledger.address import Address
from takt.ledger.store import Place, shifts_in
from takt.meant import near_file
from takt.show.costs import cost_of

SUFFIX = ".takt"
MOST_FOUND = 10_000  # ledgers of a folder
CLOCKS_S = 60.0  # that two machines' clocks may differ
LOCKS = Path("/proc/locks")
RUNNING, CUT_OFF, ENDED, BROKEN = "running", "interrupted", "ended", "unreadable"


@dataclass(frozen=True, slots=True)
class Row:
    """One shift in a table.

    state          RUNNING: a process is writing it. CUT_OFF: none is, and it has not ended. ENDED. BROKEN: it cannot be
                   read, and `why` says why; all else is then empty.
    good, units    that are judged; beside them the end cuts off `cut_off`, of which `cut_off_finished` ended all the
                   same; or has, or will, or may (`cut_is`, Outcomes).
    open           that fell due, are judged or may yet be, and have not ended.
    cost           of all units, judged or not, so far, in `currency`; None where the station does not say.
    price          of what its worker asked a model; None where there is none.
    begun_utc      when it was begun, ISO 8601; "" if unknown.
    """

    path: Place
    state: str
    why: str = ""
    worker: str = ""
    station: str = ""
    seed: int = 0
    good: int = 0
    units: int = 0
    rate: float | None = None
    lower: float = 0.0
    upper: float = 1.0
    required: float = 1.0
    decision: str = ""
    cost: float | None = None
    currency: str = ""
    price: float | None = None
    open: int = 0
    cut_off: int = 0
    cut_off_finished: int = 0
    cut_is: str = ""
    begun_utc: str = ""

    def age_s(self, now_s: float | None = None) -> float | None:
        """Seconds since it was begun; None if that is unknown, or not yet by this machine's clock."""
        try:
            begun = datetime.fromisoformat(self.begun_utc)
        except ValueError:
            return None
        begun = begun if begun.tzinfo else begun.replace(tzinfo=UTC)
        since_s = (time.time() if now_s is None else now_s) - begun.timestamp()
        return max(0.0, since_s) if since_s > -CLOCKS_S else None

    @property
    def beside(self) -> str:
        """What of its units is in no rate, in words; "" if nothing."""
        told = [f"{self.open} open"] if self.open else []
        cut = [f"{'up to ' if self.cut_is == MAY else ''}{self.cut_off} cut off"] if self.cut_off else []
        return ", ".join([*told, *cut])

    @property
    def money(self) -> str:
        """What it cost, in words; "" where nobody says. A price is in the currency that the model's was given in."""
        told = [] if self.cost is None else [f"{self.cost:,.{0 if abs(self.cost) >= 1000 else 2}f} {self.currency}"]
        return " + ".join([*told, *([] if self.price is None else [f"{self.price:,.4g}"])])


def ledgers_in(places: Iterable[Place]) -> list[Place]:
    """The ledgers that are named, and those in folders that are named, in order of their names; none twice."""
    found: dict[Place, Place] = {}
    for place in places:
        mine: list[Place]
        if isinstance(place, Address):
            mine = shifts_in(place) if place.is_dir() else [place]
        elif place.is_dir():
            mine = [*sorted(_in_folder(place))]
        elif place.exists():
            mine = [place]
        else:
            raise TaktError(f"there is no {place}{near_file(place)}; give a ledger or a folder of ledgers")
        for path in mine:
            found.setdefault(path.resolve(), path)
        if len(found) > MOST_FOUND:
            raise TaktError(f"there are more than {MOST_FOUND:,} ledgers in {place}; name a smaller folder")
    return list(found.values())


def _in_folder(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at, name) for name in names if name.endswith(SUFFIX))


def row_of(path: Place) -> Row:
    """What a ledger says of its shift, in a row. Whatever is wrong with the file is in the row, too."""
    try:
        with Ledger.open(path) as book:
            meta, events = book.meta, book.follow().events  # the unit under way, too
        return row(path, meta, events, being_written(path))
    except (TaktError, LookupError, TypeError, ValueError, AttributeError) as error:
        return Row(path, BROKEN, " ".join(str(error).split()))


def row(
    path: Place,
    meta: Mapping[str, Any],
    events: Sequence[Event],
    writing: bool,
    judged: Verdict | None = None,
    is_open: int | None = None,
) -> Row:
    """What a row says; `judged` is the verdict on these events, and `is_open` how many units are open, if known."""
    if judged is None or is_open is None:
        seen = [event for event in stopping_early(events, meta) if event.kind != SAID]
        judged, is_open = verdict(seen), Outcomes.of(seen).open
    ended = str(events[-1].data["reason"]) if events and events[-1].kind == SHIFT_ENDED else ""
    price = sum(float(e.data["price"]) for e in events if e.kind == SAID and _is_number(e.data.get("price")))
    cost, currency = cost_of(events)
    return Row(
        path=path,
        state=ENDED if ended else RUNNING if writing else CUT_OFF,
        why=ended,
        worker=str(meta["worker"]),
        station=str(meta["station"]),
        seed=int(meta["seed"]),
        good=judged.good,
        units=judged.units,
        rate=judged.good_rate,
        lower=judged.lower,
        upper=judged.upper,
        required=judged.required,
        decision=judged.decision,
        cost=cost,
        currency=currency,
        price=price or None,
        open=is_open,
        cut_off=judged.cut_off,
        cut_off_finished=judged.cut_off_finished,
        cut_is=judged.cut_is,
        begun_utc=str(meta.get("begun_utc", "")),
    )


def being_written(path: Place, held: Collection[int] | None = None) -> bool:
    """Whether a process has this ledger open to write it: it holds a lock on the file as long as it lives.

    held   the files that are locked (`locked_files`), if that was asked just now.

    To try for the lock instead would, for that instant, keep a shift from starting.
    """
    if isinstance(path, Address):
        from takt.ledger.postgres_store import is_held

        return is_held(path)
    held = locked_files() if held is None else held
    if held is None:
        return _written_lately(path)
    try:
        return path.stat().st_ino in held
    except OSError:
        return False


def locked_files() -> set[int] | None:
    """The inodes of the files that some process has locked for itself, as Linux says it; None where nothing does."""
    try:
        held = LOCKS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    lines = (line.split() for line in held.splitlines())
    found = (words[5].rsplit(":", 1)[-1] for words in lines if len(words) > 5 and words[1::2][:2] == ["FLOCK", "WRITE"])
    return {int(number) for number in found if number.isdigit()}


def _written_lately(path: Path) -> bool:
    """Where nobody says which locks there are: whether there is a write-ahead log that has grown in the last minute."""
    try:
        return time.time() - Path(f"{path}-wal").stat().st_mtime < 60
    except OSError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
