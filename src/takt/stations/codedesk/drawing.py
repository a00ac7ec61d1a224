"""A picture of the desk: the tickets so far along time, and how large the repository is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from takt.stations.codedesk.desk import Desk

WIDTH, HEIGHT, MARGIN, ROW = 960, 540, 24, 20
PAPER, INK, MUTED, GOOD, OPEN, BAD = "#ffffff", "#1f2328", "#8a919a", "#2a7f4f", "#b7791f", "#b3342c"


def picture(desk: Desk) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    files = desk.repository.worktree()
    hours, rest = divmod(int(desk.now), 3600)
    size = sum(len(content) for _, content in files.values()) / 1024
    head = f"{hours:02}:{rest // 60:02}:{rest % 60:02}   {len(files)} files, {size:,.0f} KiB"
    draw.text((MARGIN, MARGIN), f"{head}   {len(desk.broken)} accepted tests broken", fill=INK)
    first = max(0, desk.next_due - (HEIGHT - 4 * MARGIN) // ROW)
    for place, number in enumerate(range(first, desk.next_due)):
        y = 3 * MARGIN + place * ROW
        state, color = "bad", BAD
        if number in desk.open:
            state, color = f"{max(0.0, desk.open[number].deadline_s - desk.now):,.0f} s left", OPEN
        elif number in desk.accepted:
            state, color = "accepted", GOOD
        title = desk.series.ticket(number).title.encode("ascii", "replace").decode()
        draw.rectangle((MARGIN, y + 3, MARGIN + 10, y + 13), fill=color)
        draw.text((MARGIN + 22, y + 2), f"{number:4}  {title[:90]}", fill=INK)
        draw.text((WIDTH - 160, y + 2), state, fill=MUTED)
    return np.asarray(image)
