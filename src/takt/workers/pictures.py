"""The pictures of an observation, for workers that are told the rest of it as text: the newest only, as PNG.

A conversation of pictures would soon be longer than any context, and what a camera showed a minute ago is no longer
so. Chat APIs take them as parts of a user's message (OpenAI's `image_url` with a data URL), MCP as image content.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

TOKENS = 1000  # that a picture is taken to be, of a request: more than a 480 x 480 one is to the models we know


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as PNG, and the observation's key of it."""

    name: str
    png: bytes
    size: tuple[int, int]  # width, height; pixels

    @property
    def base64(self) -> str:
        return base64.b64encode(self.png).decode()

    @property
    def told(self) -> dict[str, Any]:
        """What a record keeps of it: the picture itself can be drawn again from the shift."""
        return {"name": self.name, "size": list(self.size), "sha256": hashlib.sha256(self.png).hexdigest()}


def is_picture(value: Any) -> bool:
    """Whether it is an RGB picture, (height, width, 3) uint8."""
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3


def pictures_of(observation: Mapping[str, Any]) -> list[Picture]:
    """The arrays of an observation that are RGB pictures, (height, width, 3) uint8, in their order."""
    from PIL import Image

    found = []
    for name, value in observation.items():
        if is_picture(value):
            file = io.BytesIO()
            Image.fromarray(value).save(file, "PNG")
            found.append(Picture(name, file.getvalue(), (value.shape[1], value.shape[0])))
    return found


def shown(messages: list[dict[str, Any]], pictures: list[Picture]) -> list[dict[str, Any]]:
    """Messages of a chat with pictures at their end: within the last one, if that is the user's, for some templates
    refuse two of a user's in a row."""
    if not pictures:
        return messages
    parts: list[dict[str, Any]] = []
    for picture in pictures:
        parts.append({"type": "text", "text": f"What is seen now ({picture.name}):"})
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture.base64}"}})
    last = messages[-1]
    if last["role"] == "user":
        return [*messages[:-1], {**last, "content": [{"type": "text", "text": last["content"]}, *parts]}]
    return [*messages, {"role": "user", "content": parts}]
