"""Every page of docs/ is in the site's navigation, and the navigation names no other; what pages cite is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    assert set(re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)) == {p.name for p in (ROOT / "docs").glob("*.md")}


def test_every_test_that_a_page_cites_is_there() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    cited = {
        (page.name, path.rstrip("."))
        for page in pages
        if page.name != "CHANGELOG.md"
        for path in re.findall(r"\btests/[\w/.*-]*", page.read_text())
    }
    assert len(cited) > 20
    assert not [(page, path) for page, path in sorted(cited) if not list(ROOT.glob(path))]
