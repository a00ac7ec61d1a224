"""Options of stations and workers, as the user gave them: are there such, and are they of the right kind?"""

from __future__ import annotations

import inspect
import math
import re
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from takt.errors import TaktError
from takt.meant import meant
from takt.printable import shortened

MOST_SEEDS = 10_000  # of a comparison, or of a teacher's shifts
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def wrong_option(make: Any, options: Mapping[str, Any]) -> str:
    """What is wrong with calling `make` with these options, by its signature, to follow its name; "" if nothing is.

    Only plain annotations say what a value must be: those of KINDS, Literal, and unions of them.
    """
    parameters = _parameters(make)
    if parameters is None:
        return ""
    told_by = getattr(make, "__init__" if isinstance(make, type) else "func", make)  # `func` of a partial
    try:
        hints = typing.get_type_hints(told_by)
    except Exception:  # an annotation that cannot be resolved here is no concern of the user
        hints = {}
    named = [name for name, parameter in parameters.items() if parameter.kind is not parameter.VAR_KEYWORD]
    for name, value in options.items():
        if name not in named:
            if len(named) < len(parameters):
                continue
            return no_option(name, named)
        wanted = _wanted(hints.get(name, Any), value)
        if wanted:
            return f"has {name}={value!r}; it must be {wanted}"
    return ""


def no_option(name: str, known: Collection[str]) -> str:
    """That there is no option of this name, what was meant, and which there are; to follow what has none."""
    if not known:
        return "has no options"
    return f"has no option {name!r}{meant(name, known)}; its options are: {', '.join(known)}"


def takes(make: Any, option: str) -> bool:
    """Whether `make` can be called with an option of this name."""
    parameters = _parameters(make)
    return parameters is None or option in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def usual_options(make: Any) -> dict[str, Any]:
    """The options that `make` has, with their defaults; without `render_mode`, which is for those who draw."""
    parameters = _parameters(make) or {}
    plain = [p for p in parameters.values() if p.kind is not p.VAR_KEYWORD and p.name != "render_mode"]
    return {p.name: None if p.default is p.empty else p.default for p in plain}


Limit = tuple[str, float, float, bool]  # of a number: its name, the least and the most that it can be, whether whole


def wrong_number(options: Any, limits: Iterable[Limit], optional: Collection[str] = ()) -> str:
    """What is wrong with the numbers among these attributes or items, "" if nothing is.

    limits     each has an end on both sides: a number without one is a shift, or a program, without an end.
    optional   names of those that may be None.
    """
    for name, least, most, whole in limits:
        value: Any = options[name] if isinstance(options, Mapping) else getattr(options, name)
        if value is None and name in optional:
            continue
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
        if not least <= number <= most or (whole and not isinstance(value, int)):
            kind = "whole number" if whole else "number"
            return f"{name} is {value!r}; it must be a {kind} from {least:,.10g} to {most:,.10g}"
    return ""


def _parameters(make: Any) -> Mapping[str, inspect.Parameter] | None:
    """None for what was made elsewhere than in Python: it must say for itself."""
    try:
        return inspect.signature(make).parameters
    except (TypeError, ValueError):
        return None


def _wanted(hint: Any, value: Any) -> str:
    """What a value of this annotation must be; "" if this one is, or if that is not to be said."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        if value is None and type(None) in typing.get_args(hint):
            return ""
        wanted = [_wanted(one, value) for one in typing.get_args(hint) if one is not type(None)]
        return " or ".join(wanted) if all(wanted) else ""
    if typing.get_origin(hint) is typing.Literal:
        can = typing.get_args(hint)
        near = meant(value, [one for one in can if isinstance(one, str)]) if isinstance(value, str) else ""
        return "" if value in can else " or ".join(map(repr, can)) + near
    if hint not in KINDS:
        return ""
    kind = (int, float) if hint is float else hint
    fits = isinstance(value, kind) and (hint is bool or not isinstance(value, bool))
    if fits and hint is float and not math.isfinite(value):
        return "a finite number"
    return "" if fits else KINDS[hint]


def numbers_in(text: str, most: int = MOST_SEEDS) -> list[int]:
    """Seeds as in 0-9 or 0,3,5-7, at most so many."""
    if not re.fullmatch(r"\d{1,39}(-\d{1,39})?(,\d{1,39}(-\d{1,39})?)*", text):
        raise TaktError(f"cannot read the seeds {shortened(text)!r}; write them as 0-9 or 0,3,5-7")
    spans = [[int(end) for end in span.split("-")] for span in text.split(",")]
    backwards = next((span for span in spans if span[-1] < span[0]), None)
    if backwards:
        raise TaktError(f"the seeds {backwards[0]}-{backwards[-1]} are none; write the lower one first")
    many = sum(span[-1] - span[0] + 1 for span in spans)
    if many > most:
        raise TaktError(f"{text!r} are {many:,} seeds; {most:,} are the most that make sense")
    return [number for span in spans for number in range(span[0], span[-1] + 1)]
