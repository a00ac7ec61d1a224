"""takt train flightdesk: a language model learns the desk from a teacher's shifts."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from takt.cli.options import Json, StationOption, numbers_in, options_in
from takt.cli.printing import print_json
from takt.cli.working import left_by_signal
from takt.program import complain


def train(
    model: Annotated[
        str,
        typer.Option(help="A causal model: a .gguf file, or a name or a folder of transformers.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="The folder to save the trained model to.", show_default=False)],
    template: Annotated[
        str,
        typer.Option(
            "--chat-template",
            help="In place of the model's: a file, or one of TRL's by name.",
            show_default="the model's",
        ),
    ] = "",
    worker: Annotated[str, typer.Option("--worker", help="The teacher, whose shifts it learns from.")] = "planner",
    seeds: Annotated[str, typer.Option(help="The teacher's shifts: 1000-1004 or 0,3,7")] = "1000-1004",
    held_out: Annotated[
        str,
        typer.Option(help="Shifts that it does not learn from: its decisions are measured there.", show_default="none"),
    ] = "",
    hours: Annotated[float | None, typer.Option(help="Length of each, in hours.", show_default="8")] = None,
    units: Annotated[int | None, typer.Option(help="Or in units.")] = None,
    view: Annotated[
        str, typer.Option(help="What the model is shown: full, short or terse, as by the worker `llm`.")
    ] = "full",
    good_only: Annotated[bool, typer.Option("--good-only", help="Learn only from units that were good.")] = False,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Instead: conversations of `takt export --format trl`, one file or several.", show_default="none"
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=10_000_000, help="Optimiser steps.")] = 400,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Conversations in each.")] = 16,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Peak learning rate.")] = 2e-5,
    lora: Annotated[int, typer.Option(min=0, max=4096, help="Rank of LoRA adapters; 0 trains all weights.")] = 0,
    freeze: Annotated[
        int, typer.Option(min=0, max=10_000, help="Lower layers that stay as they are, with the embedding: faster.")
    ] = 0,
    max_tokens: Annotated[int, typer.Option(min=16, max=10_000_000, help="Tokens of a conversation.")] = 8192,
    decision_weight: Annotated[
        float, typer.Option(min=0.01, max=1000, help="Weight of the tokens of a tool's name; the others weigh 1.")
    ] = 8.0,
    balance: Annotated[
        float, typer.Option(min=0, max=1, help="0: conversations as they come; 1: rare kinds as often as any.")
    ] = 0.5,
    short: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of lessons that end with the last tool that had to be chosen: half as long."
        ),
    ] = 0.0,
    corrected: Annotated[
        float,
        typer.Option(
            "--corrected-share",
            min=0,
            max=1,
            help="Of each step's lessons, if some are corrections (`takt export --corrected-by`).",
        ),
    ] = 0.5,
    short_shift: Annotated[
        int, typer.Option(min=0, max=10_000, help="Units of the shift that it works after each quarter; 0: none.")
    ] = 0,
    short_seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The seed of that shift.")] = 900,
    bf16: Annotated[
        bool, typer.Option("--bf16", help="Multiply in 16 bits on a CPU, too: faster where it can.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, max=1024, help="Of PyTorch.", show_default="all cores")] = 0,
    gguf: Annotated[
        str,
        typer.Option(help="Also write OUT/model.gguf: q8_0 or f16. The model must be from one.", show_default="none"),
    ] = "",
    rounds: Annotated[
        int, typer.Option(min=0, max=100, help="Then so many times: it works, the teacher corrects it, it learns.")
    ] = 0,
    round_seeds: Annotated[
        str,
        typer.Option(help="The shifts that it works for that, shared among the rounds; a round works those it needs."),
    ] = "1960-1999",
    round_units: Annotated[int, typer.Option(min=1, max=100_000, help="Units of each.")] = 12,
    round_steps: Annotated[
        int, typer.Option(min=0, max=10_000_000, help="Optimiser steps of each.", show_default="a half")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the training.")] = 0,
    option: StationOption = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a language model on a teacher's shifts (extra `train`): docs/train-llm.md.

    takt train flightdesk --model Qwen/Qwen3.5-0.8B --worker planner --seeds 1000-1019 --out desk-0.8b

    takt train flightdesk --model SmolLM2.gguf --chat-template qwen3-instruct-2507 --gguf q8_0 --view short --out desk
    """
    from takt import train as training

    training.needs_extra()
    given = options_in("option", option)
    with (
        left_by_signal(lambda: "interrupted; the same command goes on from the last quarter"),
        redirect_stdout(sys.stderr),
    ):
        if not data:  # whose conversations say which tools there are
            training.check_model(model, template, "flightdesk", given, view)
        shifts = out.with_name(f"{out.name}-shifts")
        length = 8.0 if hours is None and units is None else hours

        def worked(numbers: str) -> Path:
            return training.data(
                "flightdesk",
                worker,
                numbers_in(numbers),
                shifts,
                hours=length,
                units=units,
                station_options=given,
                view=view,
                good_only=good_only,
            )

        lessons = list(data) if data else [worked(seeds)]
        unseen = worked(held_out) if held_out else None
        if threads:
            import torch

            torch.set_num_threads(threads)
        from takt.train.sft import finetune

        try_out = None
        if short_shift:
            from takt.train.answering import short_shift as working

            try_out = working("flightdesk", short_seed, short_shift, view, given)
        common: dict[str, Any] = {
            "batch": batch,
            "lora": lora,
            "freeze": freeze,
            "max_tokens": max_tokens,
            "seed": seed,
            "held_out": unseen,
            "decision_weight": decision_weight,
            "balance": balance,
            "short": short,
            "corrected": corrected,
            "gguf": gguf,
            "bf16": bf16,
            "short_shift": try_out,
        }
        told = finetune(model, lessons, out, steps=steps, rate=rate, template=template, say=complain, **common)
        if rounds:
            from takt.train.rounds import rounds as worked_again

            told = worked_again(
                told,
                "flightdesk",
                worker,
                rounds,
                numbers_in(round_seeds),
                round_units,
                lessons=lessons,
                out=out,
                shifts=shifts,
                view=view,
                station_options=given,
                steps=round_steps or max(1, steps // 2),
                training={**common, "rate": rate / 2, "gguf_from": model if gguf else None},
                say=complain,
            )
    if as_json:
        print_json(told)
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items() if key != "measured"))
        if gguf:
            print(f"serve it: llama-server -m {told['gguf']} --jinja -c 8192")
