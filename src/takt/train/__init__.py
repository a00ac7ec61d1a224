"""Training a language model on shifts: `takt train STATION`. Needs the extra `train`. docs/train-llm.md says how.

data(...)          works a teacher's shifts and exports them
ready.py           looks at what a training needs, before anything long begins
sft.finetune(...)  transformers' Trainer on what was exported
grpo.py            the station as TRL's environment
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from takt.contract.station import TaktError
from takt.distribution import install
from takt.export.trl import export_trl
from takt.ledger import Ledger
from takt.ledger.trust import Named
from takt.shift import resume_shift, run_shift

NEEDS = ("torch", "transformers", "trl", "datasets", "accelerate")


def needs_extra() -> None:
    """Raise TaktError if what the extra `train` installs is not there."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise TaktError(f"training needs the extra `train` ({', '.join(missing)} missing): {install('train')}")


def data(
    station: str,
    teacher: str,
    seeds: Sequence[int],
    folder: str | os.PathLike[str],
    *,
    hours: float | None = None,
    units: int | None = None,
    clock: str = "lockstep",
    station_options: Mapping[str, Any] | None = None,
    view: str = "full",
    good_only: bool = False,
) -> Path:
    """Work the teacher's shifts of these seeds into `folder`, one ledger each, and export them as conversations.

    What is there already is read, and a shift that was cut off is gone on with. Returns the file of conversations.
    Raises TaktError if a ledger that is there is another shift.
    """
    folder, ledgers, options = Path(folder), list[Path](), dict(station_options or {})
    whole = all_options(station, options)
    for seed in seeds:
        path = folder / re.sub(r"[^\w.-]+", "-", f"{teacher}-seed{seed}.takt")
        if path.exists():
            same = {"station": station, "worker": teacher, "seed": seed, "hours": hours, "units": units}
            if not finished(path, {**same, "clock": clock}, whole):
                resume_shift(path, named=Named(teacher, {}, options))
        else:
            run_shift(
                station, teacher, seed=seed, hours=hours, units=units, clock=clock, ledger=path, station_options=options
            )
        ledgers.append(path)
    in_a_row = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    which = f"{teacher}-{view}{'-good' if good_only else ''}-{len(seeds)}-from-{seeds[0]}"
    which += "" if in_a_row else f"-{sha256(repr(list(seeds)).encode()).hexdigest()[:8]}"
    out = folder / re.sub(r"[^\w.-]+", "-", f"conversations-{which}.jsonl")
    of = "".join(f"{digest}\n" for digest in map(_digest, ledgers))
    note = out.with_suffix(".of")  # which shifts these conversations are of
    if not (out.is_file() and note.is_file() and note.read_text(encoding="utf-8") == of):
        note.unlink(missing_ok=True)
        export_trl(ledgers, out, view=view, good_only=good_only)
        note.write_text(of, encoding="utf-8")
    return out


def check_model(
    model: str, template: str, station: str, station_options: Mapping[str, Any] | None = None, view: str = "full"
) -> Any:
    """The model's tokenizer. Raises TaktError, in one line, if it cannot be taught this station: its files are cut off,
    its tokenizer has no end token, its chat template shows no tools. Asked before a teacher works for it."""
    from takt.contract.station import open_station
    from takt.train.weights import check_template, open_tokenizer
    from takt.workers.llm.talk import Talk

    tokenizer = open_tokenizer(model, template)
    here = open_station(station, **dict(station_options or {}))
    try:
        check_template(tokenizer, Talk(here.spec, view, 8192, 8192).tools)
    finally:
        here.close()
    return tokenizer


def finished(path: Path, wanted: Mapping[str, Any], station_options: Mapping[str, Any]) -> bool:
    """Whether a shift that is there has ended. Raises TaktError if it is another shift: of these values in what defines
    it, or of these options."""
    with Ledger.open(path) as book:
        meta, ended = book.meta, book.finished
    for key, value in wanted.items():
        if meta[key] != value:
            raise TaktError(f"{path} is a shift with {key} {meta[key]!r}, not {value!r}; move it away")
    for key, value in meta["options"].items():
        if station_options.get(key, value) != value:
            raise TaktError(f"{path} is a shift with {key}={value!r}, not {station_options[key]!r}; move it away")
    return bool(ended)


def all_options(station: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A station's options as a ledger has them: those that were not given, too."""
    from takt.contract.station import open_station

    here = open_station(station, **given)
    try:
        known: dict[str, Any] = json.loads(json.dumps(dict(here.spec.options)))
        return known
    finally:
        here.close()


def _digest(path: Path) -> str:
    with Ledger.open(path) as book:
        return book.digest()
