"""Rounds of work, correct, train: a model works the desk, a teacher puts its bad units right, and it learns from that.

Each round has a folder and ledgers of its own, so that what is there is not done again: OUT-round1, OUT-round2, ...
and, in OUT-shifts, round1-seed1960.takt and round1-seed1960-lessons.jsonl. The model works in this process
(`InProcess`); its shifts are ledgers of the worker `llm` like any other, and are repeated and exported as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from takt.contract.events import UNIT_ENDED, UNIT_GOOD
from takt.errors import TaktError
from takt.export.trl import export_trl
from takt.ledger import Ledger
from takt.shift import run_shift
from takt.train import all_options, finished
from takt.train.answering import InProcess
from takt.train.begun import weights_of
from takt.train.lessons import read_conversations
from takt.train.ready import check_seeds
from takt.train.sft import finetune
from takt.train.weights import open_tokenizer, open_weights
from takt.workers.llm import Llm
from takt.writing import place_new

ENOUGH = 24  # different corrections: a round works no further shift when it has so many


def rounds(
    first: Mapping[str, Any],
    station: str,
    teacher: str,
    many: int,
    seeds: Sequence[int],
    units: int,
    *,
    lessons: Sequence[Path],
    out: Path,
    shifts: Path,
    view: str,
    station_options: Mapping[str, Any],
    training: Mapping[str, Any],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Work, correct and train `many` times, from what `finetune` returned of the first training on.

    seeds, units   the model's shifts: as many of the seeds for each round, none twice; units of each. A round works
                   them in order until it has ENOUGH different corrections.
    lessons        the teacher's own conversations, which stay among the lessons; so do earlier rounds' corrections.
    training       options of `finetune` for each round's, its `steps` among them.

    Returns what the last training returned, with `rounds`: units, good ones and lessons of each.
    """
    check_seeds((), (), many, seeds)
    told, each, known = dict(first), list[dict[str, Any]](), list[Path]()
    share, half = len(seeds) // many, bool(training.get("bf16"))
    for number in range(1, many + 1):
        mine = seeds[(number - 1) * share : number * share]
        folder = folder_of(out, number)
        ledgers, found = list[Path](), set[str]()
        for ledger in _worked(told["model"], station, mine, units, shifts, number, view, station_options, half):
            corrected = ledger.with_name(f"{ledger.stem}-lessons.jsonl")
            export_trl(ledger, corrected, corrected_by=teacher)
            ledgers.append(ledger)
            known.append(corrected)
            found |= {json.dumps(row["messages"]) for row in read_conversations(corrected)}
            if len(found) >= ENOUGH:
                break
        good, ended = _counted(ledgers)
        each.append({"round": number, "units": ended, "good": good, "lessons": len(found)})
        say(f"round {number}: {good} of {ended} units good, {len(found)} different lessons from the others")
        if not found:
            say("there is nothing to correct: what was bad, the teacher would have done as well")
            break
        told = dict(finetune(told["model"], [*lessons, *known], folder, say=say, **training))
    return {**told, "rounds": each}


def folder_of(out: Path, number: int) -> Path:
    """Where a round's model goes."""
    return out.with_name(f"{out.name}-round{number}")


def _worked(
    model: str,
    station: str,
    seeds: Sequence[int],
    units: int,
    folder: Path,
    number: int,
    view: str,
    station_options: Mapping[str, Any],
    half: bool,
) -> Iterator[Path]:
    """The model's shifts of a round: each is worked when it is asked for, or there already. `half`: the weights in 16
    bits, which is faster."""
    paths = [folder / f"round{number}-seed{seed}.takt" for seed in seeds]
    # By its weights: a folder of the same name may hold others.
    name = f"{Path(model).name}@{weights_of(model).rpartition('@')[2][:12]}"
    options: dict[str, Any] = {"model": name, "view": view, "tokens_per_s": 50.0, "max_tokens": 128}
    whole, opened = all_options(station, station_options), None
    for path, seed in zip(paths, seeds, strict=True):
        if path.exists():
            same = {"station": station, "worker": "llm", "worker_options": options, "seed": seed, "units": units}
            if finished(path, same, whole):
                yield path
                continue
            raise TaktError(f"{path} has not ended, and is none of this command's; move it away")
        if opened is None:
            tokenizer = open_tokenizer(model)
            causal = open_weights(model, tokenizer).causal.eval()
            opened = InProcess(causal.bfloat16() if half else causal, tokenizer)
        worker = Llm(endpoint=opened, **options)
        part = path.with_suffix(".part.takt")
        part.unlink(missing_ok=True)
        run_shift(
            station,
            worker,
            seed=seed,
            units=units,
            clock="measured",
            ledger=part,
            station_options=dict(station_options),
            worker_name="llm",
            worker_options=options,
        )
        place_new(path, part.read_bytes())
        part.unlink()
        yield path


def _counted(ledgers: Sequence[Path]) -> tuple[int, int]:
    kinds = []
    for path in ledgers:
        with Ledger.open(path) as book:
            kinds += [event.kind for event in book.events() if event.kind in UNIT_ENDED]
    return sum(kind == UNIT_GOOD for kind in kinds), len(kinds)
