"""takt train flightdesk: a language model learns the desk from a teacher's shifts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any
from warnings import filterwarnings

import typer

from takt.cli.options import Json, StationOption, numbers_in, options_in
from takt.cli.printing import print_json
from takt.cli.working import left_by_signal
from takt.errors import TaktError
from takt.meant import meant
from takt.program import complain
from takt.writing import check_claim


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
        typer.Option(
            help="Shifts that it does not learn from, none of --seeds: its decisions are measured there.",
            show_default="none",
        ),
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
    short_seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="The seed of that shift, at a world in no lesson.")
    ] = 900,
    bf16: Annotated[
        bool, typer.Option("--bf16", help="Multiply in 16 bits on a CPU, too: faster where it can.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, max=1024, help="Of PyTorch.", show_default="all cores")] = 0,
    gguf: Annotated[
        str,
        typer.Option(help="Also write OUT/model.gguf: q8_0 or f16. The model must be from one.", show_default="none"),
    ] = "",
    rounds: Annotated[
        int,
        typer.Option(
            min=0, max=100, help="Then so many times: it works, the teacher corrects it, it learns, at half the --rate."
        ),
    ] = 0,
    round_seeds: Annotated[
        str,
        typer.Option(
            help="The shifts that it works for that, shared among the rounds: one each at least, none of --held-out."
        ),
    ] = "1960-1999",
    round_units: Annotated[int, typer.Option(min=1, max=100_000, help="Units of each of these shifts.")] = 12,
    round_steps: Annotated[
        int,
        typer.Option(
            min=0, max=10_000_000, help="Optimiser steps of each round's learning.", show_default="half of --steps"
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the training.")] = 0,
    option: StationOption = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a language model on a teacher's shifts (extra `train`): docs/train-llm.md.

    takt train flightdesk --model Qwen/Qwen3.5-0.8B --worker planner --seeds 1000-1019 --out desk-0.8b

    The same command goes on after an interrupt; other options over the same --out are refused.

    takt train flightdesk --model SmolLM2.gguf --chat-template qwen3-instruct-2507 --gguf q8_0 --view short --out desk
    """
    from takt import train as training
    from takt.shift.opened import check_names
    from takt.workers.llm.talk import VIEWS

    training.needs_extra()
    given = options_in("option", option)
    if view not in VIEWS:
        raise TaktError(f"there is no view {view!r}{meant(view, VIEWS)}; there are: {', '.join(VIEWS)}")
    learned, unseen = [] if data else numbers_in(seeds), numbers_in(held_out) if held_out else []
    again = numbers_in(round_seeds) if rounds else []
    with (
        left_by_signal(lambda: "interrupted; the same command goes on from the last quarter"),
        redirect_stdout(sys.stderr),
    ):
        import torch
        from transformers.utils.logging import disable_progress_bar

        from takt.train.answering import ShortShift
        from takt.train.begun import NAMES, OF_A_ROUND, asked_for, check_begun
        from takt.train.ready import check_data, check_seeds, open_ready
        from takt.train.rounds import folder_of
        from takt.train.rounds import rounds as worked_again
        from takt.train.sft import MARK, finetune

        disable_progress_bar()  # of loading weights, between our own lines
        filterwarnings("ignore", category=FutureWarning, module="transformers")  # by which it warns itself
        if threads:
            torch.set_num_threads(threads)
        common: dict[str, Any] = {
            "batch": batch,
            "lora": lora,
            "freeze": freeze,
            "max_tokens": max_tokens,
            "seed": seed,
            "decision_weight": decision_weight,
            "balance": balance,
            "short": short,
            "gguf": gguf,
            "bf16": bf16,
            "short_shift": None,
        }
        if short_shift:
            common["short_shift"] = ShortShift("flightdesk", short_seed, short_shift, view, dict(sorted(given.items())))
        first: dict[str, Any] = {"template": template, "steps": steps, "rate": rate}
        every: dict[str, Any] = {
            "steps": round_steps or max(1, steps // 2),
            "rate": rate / 2,
            "gguf_from": model if gguf else None,
        }

        # Whatever can be wrong is looked at before the teacher works for hours, and the model learns for hours.
        check_seeds(learned, unseen, rounds, again, short_seed if short_shift else None)
        if learned or unseen or rounds:
            check_names("flightdesk", given, worker, {})
        tokenizer: Any = None
        if not data or rounds or short_shift:  # else the conversations say which tools there are
            tokenizer = training.check_model(model, template, "flightdesk", given, view)
        tokenizer = check_data(data or (), model, template, tokenizer)
        done = False
        for number in range(rounds, -1, -1):
            place, asked = (folder_of(out, number), every) if number else (out, {"model": model, **first})
            check_claim(place, MARK)
            done = check_begun(place, asked_for({**common, **asked}), OF_A_ROUND if number else NAMES)
        opened = None if done else open_ready(model, gguf=gguf, freeze=freeze, lora=lora, tokenizer=tokenizer)
        if set(learned) & set(again):
            complain("some of --round-seeds are in --seeds, too: there it works at worlds that it has learned from")

        shifts = out.with_name(f"{out.name}-shifts")

        def worked(numbers: Sequence[int]) -> Path:
            return training.data(
                "flightdesk",
                worker,
                numbers,
                shifts,
                hours=8.0 if hours is None and units is None else hours,
                units=units,
                station_options=given,
                view=view,
                good_only=good_only,
            )

        lessons = list(data) if data else [worked(learned)]
        common |= {"corrected": corrected, "held_out": worked(unseen) if held_out else None}
        told = finetune(model, lessons, out, opened=opened, say=complain, **first, **common)
        if rounds:
            told = worked_again(
                told,
                "flightdesk",
                worker,
                rounds,
                again,
                round_units,
                lessons=lessons,
                out=out,
                shifts=shifts,
                view=view,
                station_options=given,
                training={**common, **every},
                say=complain,
            )
    if as_json:
        print_json(told)
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items() if key != "measured"))
        if gguf:  # the view says how long a conversation gets: of a short one some hundred tokens, and room for more
            context = max_tokens if view == "full" else 4096
            print(f"serve it with any server of llama.cpp's: llama-server -m {told['gguf']} --jinja -c {context}")
