"""Reads an order by rules of its own, not by the grammar that wrote it: what a reader of either language would do."""

from __future__ import annotations

import re

# What a piece of text names, in this order: longer pieces before those that are part of them. P and F: a plain nut, a
# flanged one; L and R: sides; B both, O the other one.
NAMED = [
    ("P", r"(plain |small |不带法兰的|普通|小号)?m6( without flange| plain| nut|平?螺母)?"),
    ("P", r"the (small|black) one|小的|黑色的"),
    ("F", r"(flanged |large |带法兰的|法兰|大号)?m8(f\b| with flange| flanged|(法兰)?(螺母)?)"),
    ("F", r"the (large|yellow) one|大的|黄色的"),
    ("P", r"no flange|without flange|不带法兰|不要法兰"),
    ("F", r"(with )?flange|[带要]?法兰"),
    ("O", r"(the )?other side|另一[侧边]"),
    ("B", r"both( sides)?|either side|两[侧边个]"),
    ("L", r"\bleft(-hand)?( side)?\b|\bl\b|左(侧|边|手边)?"),
    ("R", r"\bright(-hand)?( side)?\b|\br\b|右(侧|边|手边)?"),
]


def read(text: str) -> tuple[int, int]:
    """(left, right): 0 a plain nut, 1 a flanged one. ValueError if the text does not say."""
    marked = text.lower()
    for name, pattern in NAMED:
        marked = re.sub(pattern, f" <{name}> ", marked)
    said = re.findall(r"<([PFLRBO])>", marked)
    sides, nuts = [s for s in said if s in "LRBO"], [s for s in said if s in "PF"]
    meant: dict[str, str] = {}
    if len(nuts) == 1 and ("B" in sides or {"L", "R"} <= set(sides)):
        meant = {"L": nuts[0], "R": nuts[0]}
    elif len(nuts) == 2 and len(sides) == 2:  # in the same order
        meant = dict(zip(sides, nuts, strict=True))
    elif len(sides) == 1 and len(nuts) == 2:  # the side has the nut named after it
        own = said[said.index(sides[0]) + 1]
        meant = {sides[0]: own, "O": nuts[0] if nuts[1] == own else nuts[1]}
    elif len(sides) == 1 and len(nuts) == 1 and ("only" in marked or "只" in marked):
        meant = {sides[0]: nuts[0], "O": "P" if nuts[0] == "F" else "F"}
    rest = meant.get("O", meant.get("B"))
    left, right = meant.get("L", rest), meant.get("R", rest)
    if left is None or right is None:
        raise ValueError(f"cannot read the order {text!r}: {said}")
    return int(left == "F"), int(right == "F")
