"""takt train inspection: light until it is called."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from takt.cli.working import left_by_signal
from takt.distribution import install
from takt.errors import TaktError
from takt.show import terminal


def train(
    folder: Annotated[Path, typer.Option("--out", help="The folder for all of it; the same command goes on with it.")],
    smoke: Annotated[bool, typer.Option("--smoke", help="A small run of minutes that learns a little.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=1000, help="What all randomness of the training comes from.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of PyTorch.")] = 1,
) -> None:
    """Train the trained inspector from nothing: docs/inspection.md.

    takt train inspection --out runs/inspector
    """
    if find_spec("torch") is None or find_spec("onnx") is None:
        raise TaktError(f"training needs PyTorch and ONNX: {install('train')}")
    from takt.stations.nutcell.vla.progress import shown

    with (
        left_by_signal(lambda: "interrupted; the same command goes on with what is there"),
        shown(terminal.err()) as say,
    ):
        from takt.stations.inspection.net.learn import SMOKE, Recipe
        from takt.stations.inspection.net.learn import train as trained

        made = trained(folder, replace(SMOKE if smoke else Recipe(), seed=seed), threads, say)
    print(f"inspector: {made}; takt run inspection --worker trained -w model={made}")
