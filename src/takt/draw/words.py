"""How times and names are written."""

from __future__ import annotations

import math


def hms(seconds: float) -> str:
    """Station time as 1:02:03."""
    whole = math.floor(seconds + 0.5)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def short(text: object, most: int = 200) -> str:
    """A text of at most so many characters."""
    text = str(text)
    return text if len(text) <= most else text[: most - 1] + "…"
