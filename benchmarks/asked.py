"""Decisions of a model that is served: at a teacher's situations in worlds it never learned from, is its call the same?

    python benchmarks/asked.py CONVERSATIONS.jsonl --url http://localhost:8080/v1 --each 2 [--only 'book[3]']

Each decision is asked once, with the conversation before it as the teacher had it, by the settings of a shift. This is
what `benchmarks/decisions.py` looks at as a shift meets it: calls are held to the tools' schema, if the server does
that, and drawn at the temperature. By kind ("hotel > book[3]"): how many, at how many the tool is the teacher's, at how
many the whole call is, with bounds for the share of wrong calls (Clopper and Pearson, 95 %). `--out` writes each.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from desk_shifts import clopper_pearson

from takt.train.lessons import START, kind_of, read_conversations
from takt.workers.calls import as_text
from takt.workers.llm.endpoint import OpenAiCompatible
from takt.workers.llm.profiles import PROFILES, settings


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("data", help="a teacher's, of `takt export --format trl` or out of `takt train`'s OUT-shifts")
    words.add_argument("--url", required=True)
    words.add_argument("--model", default="desk")
    words.add_argument("--profile", default="llamacpp")
    words.add_argument("--temperature", type=float, default=0.3)
    words.add_argument("--max-tokens", type=int, default=128, help="of an answer; a call that is longer is cut")
    words.add_argument("--each", type=int, default=2, help="decisions of a kind of each world, the first")
    words.add_argument("--only", default="", help="only kinds that end so: 'book[3]'")
    words.add_argument("--out", default="", help="a file for what was called")
    given = words.parse_args()
    endpoint = OpenAiCompatible(given.url, "", 600.0)
    told: dict[str, list[int]] = {}
    with open(given.out or "/dev/null", "w", encoding="utf-8") as kept:
        for number, (kind, seed, before, tools, wanted) in enumerate(situations(given.data, given.each, given.only)):
            named = {"temperature": given.temperature}
            how = settings(PROFILES[given.profile], given.model, False, given.max_tokens, number, False, {}, named)
            reply = endpoint.ask(before, tools, how)
            said = [{"name": call.name, "arguments": arguments_of(call.arguments)} for call in reply.calls[:1]]
            tool = bool(said) and said[0]["name"] == wanted["name"]
            counted = told.setdefault(kind, [0, 0, 0])
            for at, right in enumerate((True, tool, said == [wanted])):
                counted[at] += right
            kept.write(json.dumps({"kind": kind, "seed": seed, "wanted": wanted, "said": said}) + "\n")
    for kind, (many, tool, call) in sorted(told.items()):
        low, high = clopper_pearson(many - call, many)
        print(f"{kind}: {many}, tool right {tool}, call right {call}; wrong {low:.1%} to {high:.1%}")


def situations(path: str, each: int, only: str) -> Any:
    """Kind, seed, what was said before, tools, and the teacher's call: the first of each kind and world."""
    had: Counter[tuple[str, int]] = Counter()
    for row in read_conversations(path):
        before = START
        for at, message in enumerate(row["messages"]):
            if message["role"] != "assistant":
                continue
            call = message["tool_calls"][0]["function"]
            kind = f"{before} > {kind_of(call)}"
            before = call["name"]
            key = (only or kind, row["seed"])
            if kind.endswith(only) and had[key] < each:
                had[key] += 1
                yield kind, row["seed"], [spoken(m) for m in row["messages"][:at]], row["tools"], call


def spoken(message: dict[str, Any]) -> dict[str, Any]:
    """A message as the protocol has it: arguments as text, and each call with an id that its result names."""
    if "tool_calls" in message:
        function = message["tool_calls"][0]["function"]
        call = {"name": function["name"], "arguments": as_text(function["arguments"])}
        return {**message, "tool_calls": [{"id": "call", "type": "function", "function": call}]}
    return {**message, "tool_call_id": "call"} if message["role"] == "tool" else message


def arguments_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
