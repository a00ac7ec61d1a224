"""`--worker person`: a shift that somebody works through a page. The page is served here, in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takt.contract.events import BEAT, HELP_CALLED, SAID, UNIT_DUE, UNIT_ENDED, Event
from takt.contract.figure import counted, per_cent
from takt.distribution import install
from takt.errors import TaktError
from takt.program import complain

if TYPE_CHECKING:
    from takt.contract.clock import Clock
    from takt.contract.station import Station
    from takt.contract.steering import Steering
    from takt.ledger.trust import Named
    from takt.shift import Progress, Shift
    from takt.workers.person import Person
    from takt.workers.person.hatch import Hatch

NAME = "person"
PORT = 8710
FIRST_PAGE_S = 3600.0  # how long the first page is waited for


@dataclass(frozen=True, slots=True)
class Page:
    """Where the page is served, and to whom. `practice`: no ledger is written. `folder`: for somebody's own editor."""

    host: str = "127.0.0.1"
    port: int = PORT
    names: tuple[str, ...] = ()
    practice: bool = False
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class AtWork:
    """A station, the person at its page, and what the page is told of the shift besides. `units`: as many as it is to
    have, or None."""

    station: Station
    person: Person
    hatch: Hatch
    clock: Clock | None
    units: int | None

    def follow(self, on_progress: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
        """`on_progress`, with the page told as well."""
        from takt.workers.person.hatch import HELP, NOTHING_OPEN, Standing

        speed, spec = float(getattr(self.clock, "speed", 1.0)), self.station.spec
        self.hatch.standing = Standing(speed, 0, self.units)
        is_open: dict[int | None, float] = {}  # units that fell due and have not ended: when they did
        helped: set[int | None] = set()  # those that help was called for
        last = [0.0]  # when one fell due

        def follow(progress: Progress) -> None:
            for event in progress.new_events:
                if event.kind == UNIT_DUE:
                    is_open[event.unit] = last[0] = event.t_s
                elif event.kind in UNIT_ENDED:
                    is_open.pop(event.unit, None)
                elif event.kind == HELP_CALLED:
                    helped.add(event.unit)
            idle = NOTHING_OPEN if not is_open else HELP if is_open.keys() <= helped else ""
            on_beat = spec.pace == BEAT and spec.takt_s
            next_s = max(0.0, last[0] + spec.takt_s - progress.now_s) if on_beat else None
            self.hatch.standing = Standing(speed, progress.units, self.units, idle, next_s)
            if on_progress is not None:
                on_progress(progress)

        return follow

    def recall(self, events: Iterable[Event]) -> None:
        """Have the page show what was done before, as these events of a shift that is gone on with tell it."""
        from takt.show.transcript import STATION, WORKER, transcript
        from takt.workers.person.hatch import KEPT

        said = [
            line
            for line in transcript(event for event in events if event.kind == SAID)
            if line.who in (WORKER, STATION)
        ]
        calls = [(one, then) for one, then in pairwise(said) if (one.who, then.who) == (WORKER, STATION)]
        for call, answer in calls[-KEPT:]:
            with suppress(ValueError, RecursionError):  # in a ledger of a stranger's
                told = {"result": json.loads(answer.text), "now_s": answer.t_s}
                self.hatch.recorded(call.what, call.text, told)

    def conclude(self, shift: Shift) -> None:
        """Tell the page how it came out."""
        from takt.judge.verdict import verdict

        judged = verdict(shift.seen)
        outcome = {"accept": "accepted", "reject": "rejected"}.get(judged.decision, "undecided")
        came_out = f": {judged.good} of {counted(judged.units)} good, {outcome}."
        self.hatch.end(f"The shift is over{came_out if judged.units else ', and no unit was judged.'}")


@contextmanager
def at_work(
    station: str,
    options: Mapping[str, Any],
    page: Page,
    clock: Clock | None,
    units: int | None,
    again: Mapping[str, Any] | None = None,
) -> Iterator[AtWork]:
    """The station, and a person who is waited for when the shift begins, which is when its clock does, too.

    again   where it goes on with a shift, which `options` are of, with all of which the station is opened: what else
            the page is to be shown by, if anything. Pictures are no part of a shift.
    """
    from takt.contract.clock import Live
    from takt.contract.station import Files, open_station
    from takt.contract.steering import RendersApart, steering_of
    from takt.listening import check_host, token_of
    from takt.workers.person import Person
    from takt.workers.person.hatch import Hatch
    from takt.workers.person.worker import FAILED, INTERRUPTED, OVER, check_can_work

    try:
        from takt.board.person.folder import Folder
        from takt.board.person.pictures import Apart
        from takt.board.person.server import PersonServer
    except ModuleNotFoundError as error:
        raise TaktError(f"a person's page needs the extra `board`: {install('board')}") from error
    check_host(page.host, page.names)
    here = open_station(station, **options)
    try:
        steering: Steering | None = None if here.spec.tools else steering_of(here.spec)
        check_can_work(here.spec, steering)
        shown: Mapping[str, Any] = dict(steering.shown) if isinstance(steering, RendersApart) else {}
        if steering is not None:
            check_decided(steering, again is not None)
            begun = again is not None
            own = options if begun else {key: value for key, value in options.items() if key not in shown}
            asked = {**steering.station_options, **own}
            if asked != options:
                here.close()
                here = open_station(station, **asked)
                steering = steering_of(here.spec)
        hatch = Hatch()
        live = clock if isinstance(clock, Live) else None

        def lag_s() -> float:
            return 0.0 if live is None else live.lag_s

        token = token_of(os.environ, lambda said: None)
        with ExitStack() as there:
            pictures: Apart | None = None
            beside: Callable[[], bytes | None] | None = None
            if isinstance(steering, RendersApart):
                asked = options if again is None else again  # a ledger's own say what its station showed: nothing
                wanted = {key: asked.get(key, value) for key, value in shown.items()}
                pictures = there.enter_context(Apart(hatch, station, here.spec.options, wanted))
                beside = partial(steering.scene_state, here)
            if page.folder is not None:
                if not isinstance(here, Files):
                    raise TaktError(f"station {station!r} has no files; --editor is for one that has, as codedesk")
                beside = there.enter_context(Folder(hatch, here, page.folder, complain)).hand_over
            server = PersonServer(
                hatch, here.spec, steering, page.host, page.port, token, page.names, page.practice, lag_s, pictures
            )
            there.enter_context(server)

            def arrive() -> None:
                complain(f"work at {server.url}?token={token}")
                if not hatch.wait_started(FIRST_PAGE_S):
                    raise TaktError("nobody has opened the page; nothing was written")

            try:
                yield AtWork(here, Person(hatch, beside, arrive), hatch, clock, units)
            except TaktError as error:
                hatch.end(f"{FAILED}{error}")
                raise
            except KeyboardInterrupt:
                hatch.end(OVER if page.practice else INTERRUPTED, comes_back=not page.practice)
                raise
    finally:
        here.close()


def check_decided(steering: Steering, begun: bool) -> None:
    """TaktError if somebody has to say first what the station does while nothing is pressed; of a shift that has begun,
    it is as it was."""
    from takt.contract.steering import Idles

    if isinstance(steering, Idles) and steering.undecided and not begun:
        raise TaktError(steering.undecided)


def check_page(page: Page, worker: str, clock: str | None) -> None:
    """TaktError if something about a page is said of a worker that has none, or of a clock that no person works by."""
    from takt.contract.clock import Live, parse_clock
    from takt.listening import is_loopback

    if worker == NAME and clock is not None and not isinstance(parse_clock(clock), Live):
        raise TaktError(
            f"a person works by the wall's clock: --clock live, or live:0.5 for half as fast, and not {clock}"
        )

    if worker != NAME and page != Page():
        raise TaktError(
            "--practice, --editor, --host, --port and --allow-host are of a person's page; "
            "use them with --worker person"
        )
    if page.practice and not is_loopback(page.host):
        raise TaktError("practice is for whoever sits here; leave --host out")


def persons_shift(path: Path, named: Named) -> Mapping[str, Any] | None:
    """The meta of a person's shift that has not ended; None if the ledger is none of that."""
    from takt.ledger import Ledger
    from takt.ledger.intact import Unfinished
    from takt.ledger.trust import check_named

    meta: Mapping[str, Any] = {}
    with suppress(Unfinished), Ledger.open(path) as book:
        meta = {} if book.finished else book.meta
    if meta.get("worker") != NAME:
        return None
    check_named(path, meta, named, station=True, worker=False, asks=False)
    return meta


def lag_line(meta: Mapping[str, Any], path: Path | None) -> str:
    """What is said of a live shift whose station was late; "" if it was not."""
    lag_s, wall_s = float(meta.get("lag_s") or 0.0), float(meta.get("wall_s") or 0.0)
    if lag_s < 1.0:
        return ""
    share = f", {per_cent(lag_s / wall_s, decimals=0)} % of it" if wall_s > 0 else ""
    late = f"station time was {lag_s:.0f} s late in all{share}"
    return f"this machine was too slow: {late}, so {path or 'the shift'} ran in slow motion"
