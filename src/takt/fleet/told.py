"""What was kept as JSON becomes what it was: the fields of a dataclass, each looked at, for it may be a stranger's."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (int, float), "bool": (bool,),
    "float | None": (int, float, type(None)), "int | None": (int, type(None)),
    "Mapping[str, int]": (dict,), "Mapping[str, Any]": (dict,), "Sequence[str]": (list, tuple),
    "Sequence[float | None]": (list, tuple),
}  # fmt: skip
_INSIDE: Mapping[str, tuple[type, ...]] = {
    "Mapping[str, int]": (int,), "Sequence[str]": (str,), "Sequence[float | None]": (int, float, type(None)),
}  # fmt: skip


def read_as(kind: type[T], told: Any) -> T:
    """A `kind` (a dataclass) from its JSON values. Raises TypeError or ValueError if they are another's."""
    if not isinstance(told, Mapping):
        raise TypeError(f"no {kind.__name__}")
    for one in fields(kind):  # type: ignore[arg-type]
        if one.name not in told:
            continue
        value, what = told[one.name], str(one.type)
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
        if not _fits(value, _KINDS[what]) or (what in _INSIDE and not _all_fit(inside, _INSIDE[what])):
            raise ValueError(f"{one.name} of a {kind.__name__} is no {what}")
    return kind(**told)


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds or object in kinds
    return isinstance(value, kinds) and not (isinstance(value, float) and not math.isfinite(value))


def _all_fit(values: Collection[Any], kinds: tuple[type, ...]) -> bool:
    """By the set of their types, which is quick: a fleet has a million cycle times. JSON makes no subclasses."""
    return set(map(type, values)) <= set(kinds) and all(math.isfinite(one) for one in values if type(one) is float)
