"""Training a language model on shifts: `takt train STATION`. Needs the extra `train`. docs/train-llm.md says how.

data(...)          works a teacher's shifts and exports them
sft.finetune(...)  TRL's SFTTrainer on what was exported
grpo.py            the station as TRL's environment
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
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
    folder, ledgers = Path(folder), []
    for seed in seeds:
        path = folder / re.sub(r"[^\w.-]+", "-", f"{teacher}-seed{seed}.takt")
        if path.exists():
            same = {"station": station, "worker": teacher, "seed": seed, "hours": hours, "units": units}
            if not _finished(path, same, station_options or {}):
                resume_shift(path, named=Named(teacher, {}, station_options or {}))
        else:
            options = dict(station_options or {})
            run_shift(
                station, teacher, seed=seed, hours=hours, units=units, clock=clock, ledger=path, station_options=options
            )
        ledgers.append(path)
    which = f"{teacher}-{view}{'-good' if good_only else ''}-{len(seeds)}-from-{seeds[0]}"
    out = folder / re.sub(r"[^\w.-]+", "-", f"conversations-{which}.jsonl")
    newest = max(path.stat().st_mtime_ns for path in ledgers)
    if not (out.is_file() and out.stat().st_mtime_ns > newest):
        export_trl(ledgers, out, view=view, good_only=good_only)
    return out


def check_model(
    model: str, template: str, station: str, station_options: Mapping[str, Any] | None = None, view: str = "full"
) -> None:
    """Raise TaktError, in one line, if a model cannot be taught this station: its files are cut off, its tokenizer has
    no end token, its chat template shows no tools. Asked before a teacher works for it."""
    from takt.contract.station import open_station
    from takt.train.weights import check_template, open_tokenizer
    from takt.workers.llm.talk import Talk

    tokenizer = open_tokenizer(model, template)
    here = open_station(station, **dict(station_options or {}))
    try:
        check_template(tokenizer, Talk(here.spec, view, 8192, 8192).tools)
    finally:
        here.close()


def _finished(path: Path, wanted: Mapping[str, Any], station_options: Mapping[str, Any]) -> bool:
    """Whether a shift that is there has ended. Raises TaktError if it is another shift."""
    with Ledger.open(path) as book:
        meta, finished = book.meta, book.finished
    for key, value in wanted.items():
        if meta[key] != value:
            raise TaktError(f"{path} is a shift with {key} {meta[key]!r}, not {value!r}; move it away")
    for key, value in station_options.items():
        if meta["options"].get(key) != value:
            raise TaktError(f"{path} is a shift with {key}={meta['options'].get(key)!r}, not {value!r}; move it away")
    return bool(finished)
