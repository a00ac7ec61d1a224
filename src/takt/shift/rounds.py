"""Rounds: paired shifts, worked one seed after the other until it is certain which worker is better.

A round is one seed: every worker works the same shift, each into a ledger of its own in a folder. What is there already
is read, what was cut off is gone on with, so the same call after an interruption goes on where it was.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from takt.contract.clock import parse_clock
from takt.contract.events import UNIT_ENDED, Event
from takt.contract.station import TaktError
from takt.contract.worker import usual_clock_of
from takt.judge.compare import compare
from takt.judge.comparison import Comparison
from takt.ledger import Ledger
from takt.ledger.trust import Named
from takt.plainly import plainly
from takt.shift import Progress, Shift, resume_shift, run_shift
from takt.shift.account import costs_at

NOTE = "comparison.json"  # in the folder: what all its shifts have in common
LOOK_SHARE = 0.05  # of the wall time, at most, goes into looks during a shift
Watching = Callable[[str, int], AbstractContextManager[Callable[[Progress], None] | None]]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A worker of the comparison: what it is called there and in the folder, and how it is opened."""

    name: str
    worker: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What has been worked: the comparison, the shifts by worker, and the ledgers' folder."""

    comparison: Comparison
    shifts: Mapping[str, Sequence[Shift]]
    folder: Path


class Ahead(Protocol):
    """Whoever works the shifts of rounds ahead of their being read (`takt.fleet.ahead`)."""

    def prepare(self, rounds: Sequence[Sequence[tuple[Contestant, int, Path]]]) -> None:
        """The rounds that may come: worker, seed and ledger of each shift."""
        ...

    def ready(self, number: int) -> None:
        """Return when every shift of this round has ended."""
        ...


def work_rounds(
    station: str,
    workers: Sequence[Contestant],
    seeds: Sequence[int],
    folder: str | os.PathLike[str],
    *,
    hours: float | None = None,
    units: int | None = None,
    clock: str | None = None,
    faults: Sequence[str] = (),
    station_options: Mapping[str, Any] | None = None,
    alpha: float = 0.05,
    margin: float | None = None,
    by: str = "auto",
    every_seed: bool = False,
    watching: Watching = lambda worker, seed: nullcontext(),
    on_round: Callable[[Comparison], None] | None = None,
    ahead: Ahead | None = None,
) -> Rounds:
    """Work shifts as `run_shift` would, for each seed by each worker, until every two of them are decided.

    Looks are after each round; by unit, also after units of the last worker's shift, which is then cut off. What the
    workers ask of their station themselves (`Worker.station_options`) may differ between them, nothing else.

    every_seed  work all seeds to their end, certain or not; otherwise the bound of the cost is not waited for.
    watching   opened around each shift with (name, seed): gives what is called with its progress.
    on_round   called with the comparison after each round.
    ahead      works shifts several at a time, before they are read here. Looks are then after whole rounds only.
    """
    folder = Path(folder)
    clock = None if clock is None else parse_clock(clock).text
    if len(set(seeds)) < len(seeds) or not seeds:
        raise TaktError("give each seed once, and at least one")
    given = dict(station_options or {})
    clock = _one_clock(station, workers) if clock is None else clock
    asked = {"station": station, "options": given, "clock": clock, "faults": list(faults)}
    _claim(folder, {**asked, "hours": hours, "units": units})
    costs = costs_at(station)
    done: dict[str, list[Shift]] = {worker.name: [] for worker in workers}
    cut_short = not every_seed and (by == "unit" or (by == "auto" and len(seeds) == 1))

    def looked(running: Sequence[Event] = ()) -> Comparison:
        """The comparison so far; `running` is the last worker's shift that goes on."""
        events = {name: [shift.events for shift in shifts] for name, shifts in done.items()}
        if running:
            events[workers[-1].name].append(tuple(running))
        known = {option for shifts in done.values() for shift in shifts for option in shift.meta["options"]}
        senses = known - set(given)  # what was not given here can only differ because a worker asked for it
        return compare(
            events, alpha=alpha, margin=margin, by=by, several=len(seeds) > 1, may_differ=senses, costs=costs
        )

    def path_of(worker: Contestant, seed: int) -> Path:
        return folder / f"{_file_name(worker.name)}-seed{seed}.takt"

    if ahead is not None:
        ahead.prepare([[(worker, seed, path_of(worker, seed)) for worker in workers] for seed in seeds])
    for number, seed in enumerate(seeds):
        if ahead is not None:
            try:
                ahead.ready(number)
            except TaktError:
                _leave(folder)
                raise
        for worker in workers:
            path = path_of(worker, seed)
            with watching(worker.name, seed) as on_progress:
                look = _Looking(looked if cut_short and worker is workers[-1] else None)
                try:
                    if not path.exists():
                        shift = run_shift(
                            station,
                            worker.worker,
                            seed=seed,
                            hours=hours,
                            units=units,
                            clock=clock,
                            faults=faults,
                            ledger=path,
                            on_progress=on_progress,
                            leave=look,
                            station_options=station_options,
                            worker_options=worker.options,
                        )
                    elif _same_worker(path, worker) and look.back(path):
                        with Ledger.open(path) as book:
                            shift = Shift.of(book)
                    else:
                        shift = resume_shift(path, on_progress=on_progress, leave=look, named=_given(worker, given))
                except TaktError:
                    _leave(folder)
                    raise
            done[worker.name].append(shift)
        found = looked()
        if on_round is not None:
            on_round(found)
        if found.decided and not every_seed:
            break
    return Rounds(found, done, folder)


def _one_clock(station: str, workers: Sequence[Contestant]) -> str:
    """The clock of a comparison that is given none: what each worker is judged by, if that is the same for all."""
    clocks = {worker.name: usual_clock_of(worker.worker, station) for worker in workers}
    if len(set(clocks.values())) > 1:
        each = ", ".join(f"{name} by {clock}" for name, clock in clocks.items())
        raise TaktError(f"these workers are judged by different clocks, {each}; say one for all with --clock")
    return next(iter(clocks.values()))


class _Looking:
    """Whether a running shift can be left, for nothing that it could still show is needed: a look now and then."""

    def __init__(self, look: Callable[[Sequence[Event]], Comparison] | None) -> None:
        self._look = look
        self._events: list[Event] = []
        self._look_after = 0.0

    def back(self, path: Path) -> bool:
        """Whether a shift that was left because all was certain need not go on."""
        if self._look is None:
            return False
        with Ledger.open(path) as book:
            return not book.finished and self._look(book.events()).decided

    def __call__(self, written: Sequence[Event]) -> bool:
        self._events += written
        before = time.perf_counter()
        if self._look is None or before < self._look_after or not any(e.kind in UNIT_ENDED for e in self._events):
            return False
        certain = self._look(self._events).decided
        after = time.perf_counter()
        self._look_after = after + (after - before) / LOOK_SHARE
        return certain


def _claim(folder: Path, asked: Mapping[str, Any]) -> None:
    """The folder is for shifts of one kind, which it says itself. TaktError names what differs from an older call."""
    note = folder / NOTE
    if not note.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(asked) + "\n", encoding="utf-8")
        except OSError as error:
            raise TaktError(f"cannot write {note}: {error.strerror or error}") from error
        return
    try:
        before = json.loads(note.read_text(encoding="utf-8"))
        if not isinstance(before, dict):
            raise ValueError("it is no note of a comparison")
    except (OSError, ValueError) as error:
        raise TaktError(f"cannot read {note}: {plainly(error)}; give another --ledgers") from error
    for key, value in json.loads(json.dumps(asked)).items():
        if before.get(key) != value:
            was, now = json.dumps(before.get(key)), json.dumps(value)
            raise TaktError(
                f"{folder} has shifts of another comparison: {key} was {was}, now {now}; give another --ledgers"
            )


def _leave(folder: Path) -> None:
    """Nothing could be worked: a folder that was made for nothing goes."""
    if [file.name for file in folder.iterdir()] == [NOTE]:
        (folder / NOTE).unlink()
        folder.rmdir()


def _same_worker(path: Path, worker: Contestant) -> bool:
    with Ledger.open(path) as book:
        meta = book.meta
    if (meta["worker"], meta["worker_options"]) != (worker.worker, dict(worker.options)):
        raise TaktError(f"{path} is of worker {meta['worker']} with other options; give another --ledgers")
    return True


def _given(worker: Contestant, station_options: Mapping[str, Any]) -> Named:
    """What the user has named for this worker's shifts; nothing else is opened, whatever its ledger has become."""
    return Named(worker.worker, worker.options, station_options)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.=-]+", "-", name)
