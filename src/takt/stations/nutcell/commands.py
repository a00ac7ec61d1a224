"""takt serve-policy, takt train nutcell: light until one of them is called."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.options import WorkerOption, options_in
from takt.cli.working import left_by_signal
from takt.distribution import install
from takt.errors import TaktError
from takt.program import complain
from takt.show import terminal


def serve_policy(
    place: Annotated[str | None, typer.Argument(hidden=True)] = None,
    worker: Annotated[
        str | None,
        typer.Option(
            "--worker",
            help="A worker of the nut cell, my_module:MyWorker, or a policy's .onnx file.",
            show_default=False,
        ),
    ] = None,
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
        typer.Option("--option", "-o", help="KEY=VALUE, what the cell is opened with; JSON, otherwise text."),
    ] = None,
    worker_option: WorkerOption = None,
) -> None:
    """Serve a worker of the nut cell by openpi's websocket protocol, until Ctrl-C.

    takt serve-policy --worker vla
    """
    from takt.workers.policy.server import PolicyServer, serve_until_interrupted

    if place is not None:
        raise TaktError(f"the worker of `takt serve-policy` is given by name now: --worker {place}")
    if worker is None:
        raise TaktError(
            "`takt serve-policy` needs --worker: a worker of the nut cell, my_module:MyWorker, or an .onnx file"
        )
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


def train(
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
