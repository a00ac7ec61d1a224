"""takt export, train, serve-policy: what becomes of shifts and workers elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.app import app, train_app
from takt.cli.options import Again, Json, ShiftPath, Trust, named_again, numbers_in, options_in
from takt.cli.printing import print_json, quiet
from takt.cli.working import left_by_signal
from takt.distribution import install
from takt.errors import TaktError
from takt.program import complain
from takt.show import terminal
from takt.writing import one_out


@app.command("serve-policy")
def serve_policy(
    worker: Annotated[
        str,
        typer.Argument(
            metavar="WORKER", help="A worker of the nut cell, my_module:MyWorker, or a policy's .onnx file."
        ),
    ],
    host: Annotated[str, typer.Option(help="Where to listen; other machines reach 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    key_env: Annotated[
        str, typer.Option(help="The environment variable with the key that clients must send; needed off the loopback.")
    ] = "",
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Another name by which clients call it (a tunnel's).")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="KEY=VALUE, what the cell is opened with; JSON, else text."),
    ] = None,
    worker_option: Annotated[
        list[str] | None, typer.Option("--worker-option", "-w", help="KEY=VALUE for the worker; JSON, else text.")
    ] = None,
) -> None:
    """Serve a worker of the nut cell by openpi's websocket protocol, until Ctrl-C."""
    from takt.workers.policy.server import PolicyServer, serve_until_interrupted

    key = os.environ.get(key_env, "") if key_env else ""
    if key_env and not key:
        raise TaktError(f"the environment has no {key_env}")
    given = options_in("worker-option", worker_option)
    if worker.endswith(".onnx"):
        if not Path(worker).is_file():
            raise TaktError(f"there is no model {worker}")
        worker, given = "vla", {"model": worker, **given}
    server = PolicyServer(
        worker,
        station_options=options_in("option", option),
        worker_options=given,
        host=host,
        port=port,
        key=key,
        names=allow_host or (),
        on_trouble=complain,
    )
    asks = "".join(f" -o {key}={value}" for key, value in server.asks.items())
    told = f"; Ctrl-C ends it{asks and f'. A client opens the cell with{asks}'}"
    serve_until_interrupted(server, lambda url: print(f"serving {worker} at {url}{told}", flush=True))


@app.command("export")
def export_shift(
    path: ShiftPath,
    form: Annotated[str, typer.Option("--format", help="lerobot, trl", show_default=False)],
    place: Annotated[Path | None, typer.Argument(metavar="[OUT]", help="Short for --out.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="What to write.", show_default=False)] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-x", help="KEY=VALUE for the format; JSON, else text.")
    ] = None,
    worker: Again = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write a shift in another format.

    takt export SHIFT --format lerobot FOLDER

    takt export SHIFT --format trl OUT.jsonl
    """
    from takt.export import export

    with quiet(as_json):
        told = export(
            path,
            one_out(place, out),
            form,
            named=named_again(worker, None, None, trust),
            **options_in("option", option),
        )
    if as_json:
        print_json(dict(told))
    else:
        print(", ".join(f"{key}: {value}" for key, value in told.items()))


@train_app.command("flightdesk")
def train_flightdesk(
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


@train_app.command("nutcell")
def train_nutcell(
    folder: Annotated[Path, typer.Option("--out", help="The folder for all of it; the same command goes on with it.")],
    stage: Annotated[
        list[str] | None, typer.Option(help="Only this: demos, clone, dagger, export.", show_default="all")
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="A small run of 15 minutes that learns a little.")] = False,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="What all randomness of the training comes from.")
    ] = 0,
    processes: Annotated[int, typer.Option(min=1, max=256, help="Processes that roll out.")] = 2,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of PyTorch.")] = 1,
    device: Annotated[str, typer.Option(help="Of PyTorch: cpu, cuda.")] = "cpu",
) -> None:
    """Train the cell's learned worker, `vla`, from nothing: docs/learned.md.

    takt train nutcell --out runs/vla
    """
    if find_spec("torch") is None or find_spec("onnx") is None:
        raise TaktError(f"training needs PyTorch and ONNX: {install('train')}")
    from takt.stations.nutcell.vla.progress import shown

    with (
        left_by_signal(lambda: "interrupted; the same command goes on with what is there"),
        shown(terminal.err()) as say,
    ):
        from takt.stations.nutcell.vla.train import train as trained

        made = trained(
            folder, stage or (), smoke=smoke, seed=seed, processes=processes, threads=threads, device=device, say=say
        )
    print(f"policy: {made}" if made.exists() else f"in {folder}, and no policy yet: --stage export makes it")
