"""The order's words in a picture, for people. Chinese needs a font that has it; without one, English says it."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE, BAR = 22, 34  # pixels: of the letters, and of the bar at the picture's lower edge
# Families with Chinese, as Debian, Windows and macOS name them; on Debian: apt-get install fonts-wqy-microhei
CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Unifont"),
    *("Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Arial Unicode MS"),
)


def captioned(picture: np.ndarray, words: str, meaning: str) -> np.ndarray:
    """A picture (h, w, 3) with the words over its lower edge; with what they mean if no font here has their letters."""
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont | None = ImageFont.load_default(SIZE)
    if not words.isascii():
        font = chinese_font()
        if font is None:
            words, font = f"({meaning})", ImageFont.load_default(SIZE)
    drawn = Image.fromarray(picture)
    height, width, _ = picture.shape
    drawn.paste((19, 21, 24), (0, height - BAR, width, height))
    pen = ImageDraw.Draw(drawn)
    pen.text((12, height - BAR // 2), words, fill=(233, 234, 236), font=font, anchor="lm")
    return np.asarray(drawn)


@cache
def chinese_font() -> ImageFont.FreeTypeFont | None:
    """A font with Chinese that is on this machine, or None."""
    from matplotlib.font_manager import FontProperties, findfont

    for family in CHINESE:
        try:
            return ImageFont.truetype(findfont(FontProperties(family=family), fallback_to_default=False), SIZE)
        except (ValueError, OSError):  # not here, or not a file that Pillow reads
            continue
    return None
