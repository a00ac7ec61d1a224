"""The pictures of what is seen at a station of tools: each by the digest of its pixels, as PNG, when a page asks.

They are what an agent with eyes is sent (workers/pictures.py), and of the newest observations only.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from takt.workers.pictures import is_picture, pictures_of

KEPT = 8  # pictures: those that a page may still ask for


@dataclass(frozen=True, slots=True)
class Still:
    """A picture by its name, the address's last part, and its size in pixels."""

    name: str
    digest: str
    width: int
    height: int


class Stills:
    """Pictures by digest. For threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, np.ndarray]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, observation: Any) -> list[Still]:
        """The pictures of an observation, if it has any; they can be asked for from now on."""
        if not isinstance(observation, Mapping):
            return []
        found = []
        for name, value in observation.items():
            if is_picture(value):
                digest = hashlib.sha256(value.tobytes()).hexdigest()[:16]
                found.append(Still(str(name), digest, value.shape[1], value.shape[0]))
                with self._lock:
                    self._kept[digest] = str(name), value
                    self._kept.move_to_end(digest)
                    while len(self._kept) > KEPT:
                        self._kept.popitem(last=False)
        return found

    def png(self, digest: str) -> bytes | None:
        with self._lock:
            kept = self._kept.get(digest)
        return None if kept is None else pictures_of(dict([kept]))[0].png
