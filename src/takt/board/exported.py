"""The board as static pages: the same, without server, forms and streams. A folder to be mailed or hosted."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from takt.board.feed import Feed, standing_of
from takt.board.pages import Pages, Prefs, Query
from takt.errors import TaktError
from takt.ledger import Ledger
from takt.ledger.store import Place
from takt.show.listing import BROKEN, ledgers_in

MARK = "takt-board"  # a file that says that a folder is a board's, and may be written over
MOST_UNITS = 1_000  # pages of units of one shift


def export_pages(places: Sequence[Place], out: Path, prefs: Prefs | None = None) -> Path:
    """Write the board of these ledgers into the folder `out`; returns its first page. TaktError if it is somebody's."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).is_file())):
        raise TaktError(f"{out} is there already and is no board of Takt's; choose another folder")
    prefs = prefs or Prefs()
    pages, feeds = Pages(exported=True), [Feed(path) for path in ledgers_in(places)]
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("pages of `takt board --export`\n", encoding="utf-8")
    shutil.copytree(Path(__file__).parent / "static", out / "static", dirs_exist_ok=True)
    for feed in feeds:
        feed.look(standing=standing_of(feed.path))
        if feed.row.state == BROKEN:
            continue
        shown, folder = feed.shown(), out / "shift" / str(feed.number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(pages.shift(feed.number, shown, prefs), encoding="utf-8")
        (folder / "wall.html").write_text(pages.wall(feed.number, shown, prefs), encoding="utf-8")
        with Ledger.open(feed.path) as book:
            events = book.events()
        for unit in shown.view.units[:MOST_UNITS]:
            text = pages.unit(feed.number, shown, events, unit.number, prefs)
            (folder / f"unit-{unit.number}.html").write_text(text, encoding="utf-8")
    rows = [(feed.number, feed.row) for feed in feeds]
    (out / "index.html").write_text(pages.folder(rows, Query(), prefs), encoding="utf-8")
    return out / "index.html"
