"""`--worker person`: a shift that somebody works through a page. The page is served here, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takt.distribution import install
from takt.errors import TaktError
from takt.program import complain

if TYPE_CHECKING:
    from takt.contract.clock import Clock
    from takt.contract.station import Station
    from takt.ledger.trust import Named
    from takt.workers.person import Person

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


@contextmanager
def at_work(
    station: str, options: Mapping[str, Any], page: Page, clock: Clock | None = None, again: bool = False
) -> Iterator[tuple[Station, Person]]:
    """The station, and the person at its page, once somebody has opened it: the shift's clock begins then.

    again   whether it goes on with a shift, which its options are of: the station is opened with all of them.
    """
    from takt.contract.clock import Live
    from takt.contract.station import Files, open_station
    from takt.contract.steering import RendersApart, Steering, steering_of
    from takt.listening import check_host, token_of
    from takt.workers.person import Person
    from takt.workers.person.hatch import Hatch

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
        shown: Mapping[str, Any] = dict(steering.shown) if isinstance(steering, RendersApart) else {}
        if steering is not None:
            own = options if again else {key: value for key, value in options.items() if key not in shown}
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
                wanted = {key: options.get(key, value) for key, value in shown.items()}
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
            complain(f"work at {server.url}?token={token}")
            if not hatch.wait_started(FIRST_PAGE_S):
                raise TaktError("nobody has opened the page; nothing was written")
            yield here, Person(hatch, beside)
    finally:
        here.close()


def check_page(page: Page, worker: str) -> None:
    """TaktError if something about a page is said of a worker that has none."""
    from takt.listening import is_loopback

    if worker != NAME and page != Page():
        raise TaktError(
            "--practice, --editor, --host, --port and --allow-host are of a person's page; "
            "use them with --worker person"
        )
    if page.practice and not is_loopback(page.host):
        raise TaktError("practice is for whoever sits here; leave --host out")


def person_options(path: Path, named: Named) -> tuple[str, Mapping[str, Any]] | None:
    """Station and options of a person's shift that has not ended; None if the ledger is none of that."""
    from contextlib import suppress

    from takt.ledger import Ledger
    from takt.ledger.intact import Unfinished
    from takt.ledger.trust import check_named

    meta: Mapping[str, Any] = {}
    with suppress(Unfinished), Ledger.open(path) as book:
        meta = {} if book.finished else book.meta
    if meta.get("worker") != NAME:
        return None
    check_named(path, meta, named, station=True, worker=False, asks=False)
    return str(meta["station"]), meta["options"]


def lag_line(meta: Mapping[str, Any], path: Path | None) -> str:
    """What is said of a live shift whose station was late; "" if it was not."""
    lag_s, wall_s = float(meta.get("lag_s") or 0.0), float(meta.get("wall_s") or 0.0)
    if lag_s < 1.0:
        return ""
    share = f", {100 * lag_s / wall_s:.0f} % of it" if wall_s > 0 else ""
    late = f"station time was {lag_s:.0f} s late in all{share}"
    return f"this machine was too slow: {late}, so {path or 'the shift'} ran in slow motion"
