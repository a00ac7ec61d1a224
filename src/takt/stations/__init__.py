"""The stations that come with Takt. Each is a package or module of its own, imported when it is opened.

`takt.stations()`, what is registered, can be asked for also when this package has taken that name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    def __call__(self) -> dict[str, Any]:
        from takt.contract.registry import stations

        return stations()


sys.modules[__name__].__class__ = _Package
