"""A whole shift by a language model over a real server, on any machine: killed, resumed, and repeated without it.

    python benchmarks/tiny_desk.py                      needs pip install 'run-at-rate[llm,train]'; minutes on two cores
    python benchmarks/tiny_desk.py --model FOLDER       by another model, `takt train`'s for one

Makes a tiny Qwen 3.5 with random weights (examples/tiny_qwen.py) unless a model is given, has it served by
`transformers serve`, and works 8 hours of gulf-2026 in the short view. Thinking costs tokens at a fixed rate, so that
the shift does not depend on the machine, and how long it takes is bounded: hours x 3600 x rate tokens. Half-way the
shift is killed (SIGKILL) and resumed; then the server is stopped, and the shift is repeated to the same digest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from takt import kpis
from takt.contract.events import SAID
from takt.contract.station import TaktError
from takt.ledger import Ledger
from takt.workers.llm.bill import bill, troubles

BIN = Path(sys.executable).parent
READY_S = 300.0


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def served(model: Path, log: Path) -> Iterator[str]:
    """`transformers serve` with this model, which it calls by its folder's name, offline; its base_url."""
    port = free_port()
    command = [str(BIN / "transformers"), "serve", model.name, "--device", "cpu", "--port", str(port)]
    with log.open("w") as out:
        offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
        server = subprocess.Popen(command, stdout=out, stderr=out, env=offline, cwd=model.resolve().parent)
    try:
        until = time.monotonic() + READY_S
        while True:
            try:
                urllib.request.urlopen(f"http://localhost:{port}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                if server.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"transformers serve does not come up:\n{log.read_text()[-2000:]}") from None
                time.sleep(1)
        yield f"http://localhost:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def command(url: str, model: str, ledger: Path, hours: float, seed: int, rate: float) -> list[str]:
    """The shift, as anybody would work it."""
    given = {
        "profile": "transformers",
        "model": model,
        "base_url": url,
        "view": "short",
        "context_tokens": 2048,
        "max_tokens": 128,
        "tokens_per_s": rate,
        "extra_body": json.dumps({"temperature": 0}),
    }
    words = [word for key, value in given.items() for word in ("-w", f"{key}={value}")]
    length = ["--hours", str(hours), "--seed", str(seed), "--clock", "measured", "--out", str(ledger)]
    return [str(BIN / "takt"), "run", "flightdesk", "--scenario", "gulf-2026", "--worker", "llm", *words, *length]


def kill_at(process: subprocess.Popen[bytes], ledger: Path, at_s: float) -> int:
    """Kill a running shift when its ledger has reached `at_s`; how many exchanges it has by then."""
    while process.poll() is None:
        time.sleep(1)
        try:
            with Ledger.open(ledger) as book:
                events = book.events()
        except TaktError:
            continue
        if events and events[-1].t_s >= at_s:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return sum(event.kind == SAID and "number" in event.data for event in events)
    raise SystemExit("the shift ended before it could be killed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a folder of transformers; by default a tiny Qwen is made")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1.0, help="tokens a second of station time")
    parser.add_argument("--out", type=Path, help="keep the ledger here")
    args = parser.parse_args()
    rows: list[tuple[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder, model = Path(scratch), args.model
        began = time.perf_counter()
        if model is None:
            sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
            from tiny_qwen import make

            model = folder / "tiny-qwen"
            rows.append(("parameters", f"{make(model):,}"))
            rows.append(("making the model", f"{time.perf_counter() - began:.0f} s"))
        ledger = folder / "shift.takt"
        began = time.perf_counter()
        with served(model, folder / "serve.log") as url:
            rows.append(("until the server answers", f"{time.perf_counter() - began:.0f} s"))
            began = time.perf_counter()
            running = subprocess.Popen(
                command(url, model.name, ledger, args.hours, args.seed, args.rate), stderr=subprocess.DEVNULL
            )
            before = kill_at(running, ledger, args.hours * 1800)
            rows.append(("killed after", f"{time.perf_counter() - began:.0f} s, {before} exchanges"))
            resumed = subprocess.run([str(BIN / "takt"), "resume", str(ledger)], capture_output=True, text=True)
            if resumed.returncode:
                raise SystemExit(resumed.stderr)
            rows.append(("the whole shift", f"{time.perf_counter() - began:.0f} s"))
        began = time.perf_counter()
        again = subprocess.run([str(BIN / "takt"), "repeat", str(ledger)], capture_output=True, text=True)
        rows.append(("repeated without the server", f"{time.perf_counter() - began:.0f} s, {again.stdout.strip()}"))
        with Ledger.open(ledger) as book:
            events = book.events()
        total, figures = bill(events), kpis(events)
        rows.append(
            ("exchanges, tokens written, read", f"{total.exchanges}, {total.completion_tokens}, {total.prompt_tokens}")
        )
        rows.append(("good units", f"{total.good} of {total.units}"))
        rows.append(("bad", ", ".join(f"{n} {why}" for why, n in figures.failures_by_class.items()) or "none"))
        rows.append(("troubles", ", ".join(f"{n} {kind}" for kind, n in troubles(events).items()) or "none"))
        if args.out:
            shutil.copy(ledger, args.out)
    table = Table(show_header=False)
    for name, value in rows:
        table.add_row(name, str(value))
    Console().print(table)
    if again.returncode:
        raise SystemExit(again.stderr)


if __name__ == "__main__":
    main()
