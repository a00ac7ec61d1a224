"""README.md and README.zh-CN.md say the same: the same commands, the same figures, the same pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ENGLISH, CHINESE = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
COMMAND = re.compile(r"(?:takt|make|pip install|python) (?:(?!  )[\x20-\x7e])+")  # up to two spaces, or to other words


def blocks(text: str, language: str) -> list[str]:
    """The lines of the code blocks of this language."""
    return [
        line
        for opening, *lines in (block.split("\n") for block in text.split("```")[1::2] if "\n" in block)
        if opening == language
        for line in lines
    ]


def commands(text: str) -> list[str]:
    return [command.strip() for line in blocks(text, "") for command in COMMAND.findall(line)]


def tables(text: str) -> list[list[list[str]]]:
    """Of each table with figures, of each row, the figures, sorted: languages put them in another order."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [[sorted(re.findall(r"\d[\d,.]*\d|\d", row)) for row in table.splitlines()] for table in found]
    return [table for table in rows if any(figures for figures in table)]


def python(text: str) -> list[str]:
    return [line.partition("  #")[0].rstrip() for line in blocks(text, "python")]


@pytest.mark.parametrize("of", [commands, tables, python])
def test_both_languages_have_the_same_commands_code_and_figures(of: Any) -> None:
    assert of(ENGLISH) == of(CHINESE)
    assert len(of(ENGLISH)) >= 3


def test_every_link_of_both_languages_leads_somewhere() -> None:
    for text in (ENGLISH, CHINESE):
        links = set(re.findall(r"\]\((?!http)([^)#]+)", text))
        assert len(links) > 20 and not [link for link in links if not (ROOT / link).exists()]
    assert set(re.findall(r"\]\((docs/[^)#]+)", ENGLISH)) == set(re.findall(r"\]\((docs/[^)#]+)", CHINESE))
