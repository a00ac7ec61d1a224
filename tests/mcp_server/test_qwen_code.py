"""A client that nobody here wrote: Qwen Code from npm, headless, at a stub of its model that reacts to what it reads.

It is found by the environment variable TAKT_QWEN (the path of its program `qwen`, with a `node` of 22 or newer on the
PATH or beside it), or on the PATH. Where it is not, the test skips. To have it:

    npm install @qwen-code/qwen-code@0.24.4        and Node 22, which npm has as the package `node`, too
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from clients import WORKED
from fake_server import FakeServer, Say

from takt.judge.kpi import kpis
from takt.ledger import Ledger
from takt.shift import Shift

SERVER = "desk"
UNITS = 6


def found() -> tuple[str, dict[str, str]]:
    """The program, and an environment in which it runs; a skip if there is none."""
    program = os.environ.get("TAKT_QWEN") or shutil.which("qwen")
    if not program or not Path(program).exists():
        pytest.skip("Qwen Code is not here: npm install @qwen-code/qwen-code, and set TAKT_QWEN to its `qwen`")
    beside = [Path(program).parent, *Path(program).parent.parent.glob("node-*/bin")]  # npm's own packages of Node
    path = os.pathsep.join([*map(str, reversed(beside)), os.environ.get("PATH", "")])
    node = shutil.which("node", path=path)
    told = node and subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    if not told or int(told.strip().lstrip("v").split(".")[0]) < 22:
        pytest.skip(f"Qwen Code needs Node 22 or newer, and there is {told or 'none'}")
    return program, {"PATH": path}


def model(body: Any, n: Any) -> Any:
    """What a model says that serves the desk well, given the last thing it was told."""
    tools = {tool["function"]["name"] for tool in body.get("tools", ())}

    def say(*calls: Any) -> Any:
        return Say([(f"mcp__{SERVER}__{name}", arguments) for name, arguments in calls])

    if not any(name.startswith(f"mcp__{SERVER}__") for name in tools):
        return Say(text="There are no tools.")  # a side question of the client's own
    last = body["messages"][-1]
    text = last["content"] if isinstance(last["content"], str) else "".join(p.get("text", "") for p in last["content"])
    if last["role"] == "user":
        return say(("queue", {"limit": 1, "seen": 0}))
    if "The shift is over" in text:
        return Say(text=text)
    told = json.loads(text)
    result, seen = told["result"], told["now_s"]
    if "error" in result:
        return say(("wait", {"seen": seen}))
    if result["tool"] == "queue" and result["groups"]:
        return say(("propose", {"group": result["groups"][0]["group"], "avoid_closed": True}))
    if result["tool"] == "propose":
        if not result["itineraries"]:
            return say(("refund", {"group": result["group"]}))
        way = result["itineraries"][0]
        hotel = [("hotel", {"group": result["group"]})] if way["hotel_due"] else []
        legs = [{"flight": leg["flight"], "cabin": leg["cabin"]} for leg in way["legs"]]
        return say(*hotel, ("book", {"group": result["group"], "legs": legs}))
    if told["waiting"]:
        return say(("queue", {"limit": 1, "seen": seen}))
    return say(("wait", {"seen": seen}))


def test_qwen_code_works_a_shift(tmp_path: Path) -> None:
    program, environment = found()
    ledger, home = tmp_path / "s.takt", tmp_path / "home"
    home.mkdir()
    arguments = ["-m", "takt.cli", "serve", "flightdesk", "--mcp", *WORKED, "--units", str(UNITS), "--seed", "1"]
    server = {"command": sys.executable, "args": [*arguments, "--out", str(ledger)], "alwaysLoadTools": True}
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {SERVER: server}}))
    options = ["--bare", "--auth-type", "openai", "--approval-mode", "yolo", "--output-format", "text"]
    options += ["--mcp-config", "mcp.json"]
    with FakeServer(model) as stub:
        environment |= {"HOME": str(home), "OPENAI_BASE_URL": stub.url, "OPENAI_API_KEY": "none"}
        environment |= {"OPENAI_MODEL": "stub", "NO_COLOR": "1"}
        done = subprocess.run(
            [program, *options, "-p", "Work the shift with the tools of the MCP server `desk` until it is over."],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "The shift is over. Verdict: " in done.stdout
        asked = stub.requests
    with Ledger.open(ledger) as book:
        shift = Shift.of(book)
    assert shift.ended == "units" and not shift.broken
    figures = kpis(shift.events)
    assert figures.units == UNITS and figures.good >= 3
    calls = [event.data for event in shift.events if event.kind == "said"]
    assert calls[0]["client"].startswith("qwen-")
    assert shift.meta["clock"] == "measured" and sum(call["took_s"] for call in calls) > 0
    print(f"{len(asked)} requests of the model, {len(calls)} calls, {figures.good} of {figures.units} good")
    print(Counter(call["call"][0] for call in calls if "call" in call))
