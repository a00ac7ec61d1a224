"""Chinese pages are in Chinese: what is left of other letters are names, and what stands in a table has its twin."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import takt
from takt.board.chinese import said
from takt.board.feed import Feed
from takt.board.pages import Pages
from takt.board.person.forms import forms_of
from takt.board.telling import drawn_for
from takt.board.wanted import Prefs, Query
from takt.errors import TaktError
from takt.ledger import Ledger
from takt.show.happened import field_name
from takt.show.reasons import in_words

LEDGERS = sorted((Path(__file__).parents[1] / "ledgers").glob("*.takt"))
SOURCE = Path(takt.__file__).parent
CHINESE, WORD = Prefs("zh", "day"), re.compile(r"[A-Za-z]{3,}")
# Names: of Takt and its worlds, of standards and tests, of what is typed, of airports, and the other language's own.
NAMES = re.compile(
    r"Takt|English|Run@Rate|ISO 22400-2|SEMI E10|GM GP-\d|MTBFp?|MTTR|ADOT|MCBF|PQ/AOET|Fisher|Theil–Sen|Yule|UTC|EUR"
    r"|FPY|lizard|`[^`]*`|选项 \w+|调用 \w+ \(.*?\)|“.*?”|\b[A-Z]{3}\b|https?:\S+|(fixed|live):\S+|\S*/2026-\S*"
    r"|\w+_\w+"
)


class Texts(HTMLParser):
    """What a page says: its texts but for those in <pre>, and what is said of pictures and parts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._pre = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._pre += tag in ("pre", "details")
        self.texts += [value for key, value in attrs if value and key in ("aria-label", "title", "alt", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        self._pre -= tag in ("pre", "details")

    def handle_data(self, data: str) -> None:
        self.texts += [] if self._pre or not data.strip() else [data.strip()]


def names_of(meta: Any) -> list[str]:
    """What the shift's own definition holds: names that somebody gave."""
    values = [meta["worker"], meta["station"], meta["clock"], *meta["options"].values()]
    values += [*meta.get("worker_options", {}).values(), *meta.get("packages", {}), *meta.get("machine", {})]
    return [str(one) for one in [*values, *meta.get("machine", {}).values()] if WORD.search(str(one))]


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.stem)
def test_what_is_left_of_other_letters_on_a_chinese_page_are_names(ledger: Path) -> None:
    pages, feed = Pages(), Feed(ledger)
    feed.look()
    shown = feed.shown()
    with Ledger.open(ledger) as book:
        events = book.events()
    made = {
        "wall": pages.wall(1, shown, CHINESE),
        "shift": pages.shift(1, shown, CHINESE),
        "folder": pages.folder([(1, feed.row)], Query(), CHINESE),
        "compare": pages.compare([(1, shown), (2, shown)], CHINESE),
    }
    bad = next((unit.number for unit in shown.view.units if unit.good is False), shown.view.units[0].number)
    made["unit"] = pages.unit(1, shown, events, bad, CHINESE, can_replay=True, can_open=True)
    names = sorted([ledger.name, ledger.stem, *names_of(shown.meta)], key=len, reverse=True)
    for name, page in made.items():
        for text in Texts(page).texts:
            rest = text
            for one in names:
                rest = rest.replace(one, "")
            rest = NAMES.sub("", rest)
            if name == "unit" and (text.startswith("{") or text in ("propose", "book", "queue")):
                continue  # what was said, as it was, and the tools' names
            assert not WORD.search(rest), f"{name}: {text[:200]}"


@pytest.mark.parametrize(
    ("path", "station"),
    [
        ("judge/kpi_table.py", ""),
        ("stations/flightdesk/desk/figures.py", "flightdesk"),
        ("stations/flightdesk/desk/plots.py", "flightdesk"),
        ("stations/codedesk/account.py", "codedesk"),
        ("stations/codedesk/plots.py", "codedesk"),
        ("stations/inspection/account.py", "inspection"),
    ],
)
def test_every_figure_and_section_has_its_chinese(path: str, station: str) -> None:
    seen = 0
    for node in ast.walk(ast.parse((SOURCE / path).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Figure", "Section"):
            places = (1, 4) if node.func.id == "Figure" else (0,)  # type: ignore[attr-defined]
            for text in filter(None, (_text(node.args[place]) for place in places if place < len(node.args))):
                seen += 1
                found = NAMES.sub("", said(text, "zh", station))
                assert not re.search(r"[a-z]{3,}", found.replace("seven", "")), text
    assert seen >= 1


def _text(node: ast.expr) -> str:
    """A literal text; what is put in is a reason's name, left as it is."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "seven" for one in node.values)
    return ""


def test_sentences_are_put_together_from_their_parts() -> None:
    assert said("3 of 4 good, 1 open; the rate is at most 74.1 %, required 95 %", "zh") == (
        "4 件中 3 件合格，1 件进行中；合格率至多 74.1 %，要求 95 %"
    )
    assert said("Bad: not_home", "zh", "flightdesk") == "不合格：未到家"
    assert said("2 by A1 E, 1009/2026-03-01 B, 935 EUR each; 1 stays: no way home is worth it", "zh", "flightdesk") == (
        "2 人经 A1 E, 1009/2026-03-01 B，每人 935 欧元；1 人留下：没有值得的回家航线"
    )
    assert (
        said("nobody's words {a}; and more.", "zh") == "nobody's words {a}; and more."
        and said("Units", "en") == "Units"
    )
    drawn = drawn_for('<svg><text x="1">bound 1.9 k</text><text>&lt;b&gt;</text></svg>', "day", "zh", "flightdesk")
    assert ">下界 1.9 k<" in drawn and "<text>&lt;b&gt;</text>" in drawn


def test_what_a_stranger_writes_takes_no_time_to_look_up() -> None:
    parts = (" good in x of y units, only ", " - ", ": ", ", known ", " h after it was booked", " has ", "; ", ", ")
    for part in parts:
        for head in ("only a", "Cost, a", "2 by", ""):
            for many in (20, 130, 3_000):
                assert said(head + part * many, "zh", "flightdesk"), "the test's own limit of time is what would end it"


def test_what_is_refused_is_said_in_chinese() -> None:
    for line in (SOURCE / "board/server.py").read_text().splitlines():
        for text in re.findall(r'TaktError\("([^"]+)"\)', line):
            assert said(text, "zh") != text, text
    page = unescape(Pages().gone(CHINESE, str(TaktError("there is no such shift on this board"))))
    assert "看板上没有这个班次" in page


def test_every_reason_is_told_in_chinese() -> None:
    stations = {"nutcell": "nutcell", "desk": "flightdesk", "codedesk": "codedesk", "inspection": "inspection"}
    for path in sorted(SOURCE.rglob("reasons.toml")):
        for reason in tomllib.loads(path.read_text(encoding="utf-8")):
            station = stations.get(path.parent.name, "gym")
            assert not WORD.search(in_words(station, reason, "zh")), reason


@pytest.mark.parametrize(
    ("module", "station", "names"),
    [
        ("takt.stations.flightdesk.desk.tools", "flightdesk", None),
        ("takt.stations.codedesk.tools", "codedesk", None),
        ("takt.stations.inspection.tools", "inspection", ("wait", "look", "verdict", "help")),
    ],
)
def test_a_persons_tools_and_their_help_are_in_chinese(module: str, station: str, names: Any) -> None:
    tools = importlib.import_module(module)
    asked = names or tools.allowed(*([True] if station == "flightdesk" else [False, False]))
    forms = forms_of(tools.TOOLS.openai_tools(asked), ())
    assert len(forms) > 3
    for form in forms:
        fields = [*form.fields, *(inner for one in form.fields for inner in one.fields)]
        for name in (form.name, *(one.name for one in fields)):
            assert not WORD.search(field_name(name, station, "zh")), name
        for text in (form.about, *(one.about for one in fields)):
            assert not text or re.search("[\u4e00-\u9fff]", said(text, "zh", station)), text
