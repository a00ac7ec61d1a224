"""Every page of docs/ is in the site's navigation, and the navigation names no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    assert set(re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)) == {p.name for p in (ROOT / "docs").glob("*.md")}
