"""Options that several commands share, and what their words mean."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from takt.contract.clock import DEFAULT_CLOCK
from takt.contract.options import numbers_in as numbers_in
from takt.contract.registry import SEED_BITS
from takt.errors import TaktError
from takt.ledger.store import place_of
from takt.printable import shortened
from takt.program import complain

if TYPE_CHECKING:
    from takt.ledger.trust import Named
    from takt.shift import Shift

LEAST_S, MOST_S = 0.001, 31_536_000  # seconds that an option can have: a millisecond, a year
MOST_UNIT = 10_000_000
CLOCKS = f"{DEFAULT_CLOCK}; measured for a language model"  # where none is said
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines; no progress.")]
ShiftPath = Annotated[
    Path,
    typer.Argument(
        metavar="SHIFT",
        help="The shift's ledger: a .takt file, or postgresql://HOST/DATABASE#SHIFT.",
        show_default=False,
        parser=place_of,
    ),
]
SEED_HELP = "What all randomness of the shift comes from: a number, or `random` for 128 bits that nobody can guess."
StationOption = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, otherwise text.")
]
WorkerOption = Annotated[
    list[str] | None, typer.Option("--worker-option", "-w", help="KEY=VALUE for the worker; JSON, otherwise text.")
]
RequireAccept = Annotated[bool, typer.Option("--require-accept", help="Exit with 1 if the verdict is not accept.")]


def seed_in(text: str | int) -> int:
    """A shift's seed as it is given: a number, or `random`."""
    if text == "random":
        import secrets

        return secrets.randbits(SEED_BITS)
    digits = str(text).strip()
    if digits.isdigit() and len(digits.lstrip("0")) > len(str(2**SEED_BITS)):
        raise TaktError(f"the seed has {len(digits):,} digits; the largest is {2**SEED_BITS - 1}, of {SEED_BITS} bits")
    try:
        return int(text)
    except ValueError:
        raise TaktError(
            f"the seed is {shortened(digits)!r}; it must be a whole number, 0 or more, or: random"
        ) from None


Again = Annotated[
    str | None,
    typer.Option(
        "--worker", help="The shift's worker once more, where it is not of `takt workers`.", show_default=False
    ),
]
AgainWorker = Annotated[
    list[str] | None,
    typer.Option("--worker-option", "-w", help="KEY=VALUE of its worker once more: where it asks a server."),
]
AgainStation = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE of its station once more: what leads to code.")
]
Trust = Annotated[
    bool, typer.Option("--trust", help="The ledger is mine: open all that it names, and ask the server it names.")
]


def shares_in(flag: str, text: str, most: int = 20) -> list[float]:
    """Shares as in 95%,97% or 0.95; each between 0 and 1."""
    found = []
    for word in text.split(","):
        number = word.strip().removesuffix("%").strip()
        try:
            value = float(number) / (100.0 if word.strip().endswith("%") else 1.0)
        except ValueError:
            value = math.nan
        if not 0 < value < 1:
            raise TaktError(f"--{flag} {word.strip()!r} is no share between 0 and 1; write it as 97% or 0.97")
        found.append(round(value, 12))
    if len(found) > most:
        raise TaktError(f"--{flag} takes {'one share' if most == 1 else f'at most {most} shares'}, not {len(found)}")
    return found


def options_of_worker(number: int, given: Sequence[str] | None) -> dict[str, Any]:
    """The options of worker `number`, counted from 1: those for all, and its own, as in 2:KEY=VALUE."""
    own = [re.fullmatch(r"(?:(\d+):)?(.*)", text, re.DOTALL) for text in given or ()]
    for_all = [match[2] for match in own if match and match[1] is None]
    mine = [match[2] for match in own if match and match[1] == str(number)]
    return options_in("worker-option", for_all) | options_in("worker-option", mine)


def options_in(flag: str, given: Sequence[str] | None) -> dict[str, Any]:
    """KEY=VALUE words as options; a value that is not JSON is text."""
    found: dict[str, Any] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise TaktError(f"--{flag} {shortened(text)!r} is not KEY=VALUE")
        if key in found:
            raise TaktError(f"--{flag} gives {key} twice, {_said(found[key])} and {shortened(value)!r}; give it once")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _said(value: Any) -> str:
    return repr(shortened(value if isinstance(value, str) else json.dumps(value)))


def named_again(
    worker: str | None, worker_option: Sequence[str] | None, option: Sequence[str] | None, trust: bool
) -> Named:
    """What the user has named again of a ledger."""
    from takt.ledger.trust import Named

    return Named(worker, options_in("worker-option", worker_option), options_in("option", option), trust)


def confirmed(work: Callable[[Named], Shift], named: Named, as_json: bool) -> Shift:
    """Work as named. At a terminal, what the ledger names besides is shown, and done if the user says yes."""
    from takt.ledger.trust import NotNamed

    try:
        return work(named)
    except NotNamed as missing:
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        complain(f"the ledger names: {' '.join(missing.wanted)}")
        if not typer.confirm("Is that yours, and to be opened?", err=True):
            raise
        return work(replace(named, trust=True))
