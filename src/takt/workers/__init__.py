"""The workers that serve any station. Each is a package or module of its own, imported when it is opened.

`takt.workers()`, what is registered, can be asked for also when this package has taken that name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    def __call__(self, station: str | None = None) -> dict[str, Any]:
        from takt.contract.registry import workers

        return workers(station)


sys.modules[__name__].__class__ = _Package
