"""takt train flightdesk: a language model learns the desk from a teacher's shifts."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.options import Json, numbers_in, options_in
from takt.cli.printing import print_json
from takt.cli.working import left_by_signal


def train(
    model: Annotated[str, typer.Option(help="A causal model: a name or a folder of transformers.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to save the trained model to.", show_default=False)],
    worker: Annotated[str, typer.Option("--worker", help="The teacher, whose shifts it learns from.")] = "planner",
    seeds: Annotated[str, typer.Option(help="The teacher's shifts: 1000-1004 or 0,3,7")] = "1000-1004",
    hours: Annotated[float | None, typer.Option(help="Length of each, in hours.", show_default="8")] = None,
    units: Annotated[int | None, typer.Option(help="Or in units.")] = None,
    view: Annotated[str, typer.Option(help="What the model is shown: full or short, as by the worker `llm`.")] = "full",
    good_only: Annotated[bool, typer.Option("--good-only", help="Learn only from units that were good.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Instead: conversations of `takt export --format trl`.", show_default="none")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=10_000_000, help="Optimiser steps.")] = 400,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Conversations in each.")] = 16,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Peak learning rate.")] = 2e-5,
    lora: Annotated[int, typer.Option(min=0, max=4096, help="Rank of LoRA adapters; 0 trains all weights.")] = 0,
    max_tokens: Annotated[int, typer.Option(min=16, max=10_000_000, help="Tokens of a conversation.")] = 8192,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the training.")] = 0,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the station; JSON, else text.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a language model on a teacher's shifts (extra `train`): docs/train-llm.md.

    takt train flightdesk --model Qwen/Qwen3.5-0.8B --worker planner --seeds 1000-1019 --out desk-0.8b
    """
    from takt import train as training

    training.needs_extra()
    with left_by_signal(lambda: "interrupted; the teacher's finished shifts are kept"), redirect_stdout(sys.stderr):
        if data is None:
            length = 8.0 if hours is None and units is None else hours
            shifts = out.with_name(f"{out.name}-shifts")
            data = training.data(
                "flightdesk",
                worker,
                numbers_in(seeds),
                shifts,
                hours=length,
                units=units,
                station_options=options_in("option", option),
                view=view,
                good_only=good_only,
            )
        from takt.train.sft import finetune

        told = finetune(
            model, data, out, steps=steps, batch=batch, rate=rate, lora=lora, max_tokens=max_tokens, seed=seed
        )
    if as_json:
        print_json(told)
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items()))
