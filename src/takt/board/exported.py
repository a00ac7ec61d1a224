"""The board as static pages: the same, without server, forms and streams. A folder to be mailed or hosted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from takt.board.feed import Feed, standing_of
from takt.board.pages import Pages
from takt.board.wanted import Prefs, Query
from takt.errors import TaktError
from takt.ledger import Ledger
from takt.ledger.store import Place
from takt.show.listing import BROKEN, ledgers_in

MARK = "takt-board"  # a file that says that a folder is a board's, and may be written over
MOST_UNITS = 1_000  # pages of units of one shift
OURS = re.compile(r"shift/[0-9]{1,20}/(index|wall|unit-[0-9]{1,20})\.html", re.ASCII)  # what may be taken away again


def export_pages(places: Sequence[Place], out: Path, prefs: Prefs | None = None) -> Path:
    """Write the board of these ledgers into the folder `out`; returns its first page. What an export wrote there before
    and this one does not goes. TaktError if the folder is somebody's."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).is_file())):
        raise TaktError(f"{out} is there already and is no board of Takt's; choose another folder")
    prefs = prefs or Prefs()
    pages, feeds = Pages(exported=True), [Feed(path) for path in ledgers_in(places)]
    out.mkdir(parents=True, exist_ok=True)
    before, written = _listed(out / MARK), set[str]()
    _list(out / MARK, before)
    shutil.copytree(Path(__file__).parent / "static", out / "static", dirs_exist_ok=True)
    for feed in feeds:
        feed.look(standing=standing_of(feed.path))
        if feed.row.state == BROKEN:
            continue
        shown, folder = feed.shown(), out / "shift" / str(feed.number)
        folder.mkdir(parents=True, exist_ok=True)
        made = {"index": pages.shift(feed.number, shown, prefs), "wall": pages.wall(feed.number, shown, prefs)}
        with Ledger.open(feed.path) as book:
            events = book.follow().events  # the unit under way, too
        for unit in shown.view.units[:MOST_UNITS]:
            made[f"unit-{unit.number}"] = pages.unit(feed.number, shown, events, unit.number, prefs)
        for name, text in made.items():
            (folder / f"{name}.html").write_text(text, encoding="utf-8")
            written.add(f"shift/{feed.number}/{name}.html")
        _list(out / MARK, before | written)
    rows = [(feed.number, feed.row) for feed in feeds]
    (out / "index.html").write_text(pages.folder(rows, Query(), prefs), encoding="utf-8")
    for gone in sorted(before - written):
        (out / gone).unlink(missing_ok=True)
        with suppress(OSError):  # something else lies there, and stays
            (out / gone).parent.rmdir()
    _list(out / MARK, written)
    return out / "index.html"


def _listed(mark: Path) -> set[str]:
    """The pages that an export has written here before. A list that says anything else is not followed."""
    try:
        lines = mark.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {line for line in lines if OURS.fullmatch(line)}


def _list(mark: Path, pages: set[str]) -> None:
    mark.write_text("\n".join(["pages of `takt board --export`", *sorted(pages), ""]), encoding="utf-8")
