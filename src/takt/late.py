"""Names of a package that are imported when they are asked for, so that the package itself is light (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def late(package: str, names_of: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of `package`: `names_of` has, by module below it, the names that it gets from there."""
    where = {name: module for module, names in names_of.items() for name in names.split()}

    def get(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{where[name]}"), name)

    return get
