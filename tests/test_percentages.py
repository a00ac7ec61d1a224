"""A share is told in percent in one way everywhere: 100 % is said of nothing less, and 0 % of nothing more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from takt.contract.figure import per_cent

SRC = Path(__file__).parents[1] / "src/takt"
BY_HAND = re.compile(r""":[+,]?\.\d(?:%\}|f\}["']? ?%)|"%\.\df" \| format\(100 \*""")
ENDS = re.compile(r"100 \* (?:\w+\.)?low\b")  # of a line that is drawn from a multiple of 10 % to 100 %


@pytest.mark.parametrize(
    "share, decimals, told",
    [
        (0.9997, 1, "99.97"),
        (0.0004, 1, "0.04"),
        (0.003, 0, "0.3"),
        (0.995, 0, "99.5"),
        (1.0, 1, "100.0"),
        (0.0, 0, "0"),
    ],
)
def test_a_share_that_is_not_all_or_nothing_is_not_rounded_to_it(share: float, decimals: int, told: str) -> None:
    assert per_cent(share, decimals=decimals) == told


def test_no_page_or_line_rounds_a_share_by_itself() -> None:
    files = [path for kind in ("py", "j2", "js") for path in SRC.rglob(f"*.{kind}") if "families" not in path.parts]
    lines = [(path.relative_to(SRC), line) for path in files for line in path.read_text().splitlines()]
    assert len(lines) > 40_000
    assert not [(path, line) for path, line in lines if BY_HAND.search(line) and not ENDS.search(line)]
