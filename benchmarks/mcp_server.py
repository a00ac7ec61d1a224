"""What the MCP server costs beside the client and its model: time per tool call, and memory over many.

    python benchmarks/mcp_server.py

The client writes bare JSON-RPC lines to the server's standard input and reads its answers: it costs next to nothing
itself. Three servers: the SDK's alone, with a tool that answers at once; Takt's, at a station that is a counter; and
Takt's flight desk, as `takt serve` runs it. All that the second adds to the first is Takt: the shift's loop, two
threads, the call's record in the ledger and its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"}}
DESK = "serve flightdesk --mcp --scenario two-hubs -o flights=300 -o aircraft=45 -o bookings=2000 -o days=1 --pause"
HERE = Path(__file__).resolve()


class Bare:
    """A client without a library. `call` is one tool call and its answer, as text."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.number = 0
        self.send("initialize", HELLO)
        self.write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def write(self, message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def send(self, method: str, params: Any) -> Any:
        self.number += 1
        self.write({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        assert answer["id"] == self.number, answer
        return answer["result"]

    def call(self, name: str, **arguments: Any) -> str:
        return str(self.send("tools/call", {"name": name, "arguments": arguments})["content"][0]["text"])

    def rss_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Processor time of the server so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.communicate()


def sdk_alone() -> None:
    """The SDK's server with a tool that answers at once."""
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    async def call(_: Any, params: Any) -> types.CallToolResult:
        text = json.dumps({"now_s": params.arguments["seen"], "result": {"count": 1}})
        return types.CallToolResult(content=[types.TextContent(text=text)])

    async def run() -> None:
        server: Server[Any] = Server("alone", on_call_tool=call)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(run())


def counter(ledger: str, calls: int) -> None:
    """Takt's server at a station that is a counter."""
    sys.path.insert(0, str(HERE.parent))
    from llm import CALLS_A_UNIT, Counter
    from takt import run_shift
    from takt.workers.mcp import Mcp
    from takt.workers.mcp.server import server_of
    from takt.workers.mcp.transports import Stdio
    from takt.workers.mcp.window import Window

    station, window = Counter(), Window()
    with Stdio(server_of(station.spec, window), window):
        worker = Mcp(patience_s=900.0, paced=False, window=window)
        run_shift(station, worker, units=calls // CALLS_A_UNIT + 1, ledger=ledger, clock="lockstep")


def measured(
    command: list[str], name: str, calls: int, every: int, **arguments: Any
) -> tuple[float, float, list[float]]:
    """Seconds a call and the server's processor time of it, and its resident memory after every so many of them."""
    client = Bare(command)
    client.call(name, **arguments, seen=0)  # imports, and the station's world
    memory, took_s, cpu_s = [], 0.0, client.cpu_s()
    for done in range(0, calls, every):
        began = time.perf_counter()
        for n in range(done, done + every):
            client.call(name, **arguments, seen=n + 1)
        took_s += time.perf_counter() - began
        memory.append(client.rss_mib())
    cpu_s = client.cpu_s() - cpu_s
    client.close()
    return took_s / calls, cpu_s / calls, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--serve", choices=("alone", "counter"), help=argparse.SUPPRESS)
    parser.add_argument("--ledger", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve == "alone":
        return sdk_alone()
    if args.serve == "counter":
        return counter(args.ledger, args.calls)
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        me = [sys.executable, str(HERE), "--calls", str(args.calls), "--serve"]
        takt = [sys.executable, "-m", "takt.cli", *DESK.split(), "--hours", "1000", "--out", f"{folder}/desk.takt"]
        every = max(1, args.calls // 10)
        table = Table("server", "calls", "ms a call", "of the server's CPU", "MiB after a tenth", "half", "all")
        for label, command, name, arguments in (
            (f"mcp {version('mcp')} alone", [*me, "alone"], "add", {}),
            ("takt, a counter", [*me, "counter", "--ledger", f"{folder}/counter.takt"], "add", {"after": 1}),
            ("takt, the flight desk, `queue`", takt, "queue", {"limit": 1}),
        ):
            each, cpu, memory = measured(command, name, args.calls, every, **arguments)
            sizes = [f"{memory[i]:.1f}" for i in (0, len(memory) // 2, -1)]
            table.add_row(label, f"{args.calls}", f"{1e3 * each:.2f}", f"{1e3 * cpu:.2f}", *sizes)
        Console(width=120).print(table)


if __name__ == "__main__":
    main()
