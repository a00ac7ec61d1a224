"""What a model is told and what it answers, as messages: the words of the worker `llm`, and of `takt export`, which
tells any other worker's shift in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from takt.contract.station import Short, StationSpec, TaktError
from takt.workers.calls import LEARNT, LONGEST_CALL, as_text, in_short, read_call, refused
from takt.workers.llm.form import response_format, told
from takt.workers.llm.history import History

VIEWS = ("full", "short", "terse")
REFUSALS = 2  # in a conversation of the short view; then it begins anew

HOW = f"""
You work through tools only: every answer is one or more tool calls, and nothing else is read. Time passes while you \
think and with every call. {LEARNT}"""
HOW_SHORT = "Every answer is a tool call."
NUDGES = {
    "no_call": "That was no tool call, so nothing happened (reminder {n}). Answer with a tool call. Now: {now}",
    "lost_call": "Your tool call was inside your thinking or your text and was lost (reminder {n}). Make it again, "
    "after thinking, as a tool call. Now: {now}",
    "repeated": "You have made the same call {times} times in a row (reminder {n}). Unless you are waiting on purpose, "
    "do something else. Now: {now}",
}


class Talk:
    """One shift's conversation. `history` is what is sent; `tools` is what the model is offered.

    view         "full": the station's brief, all tools, all that an observation has. "short": what `spec.short` says.
                 "terse": the same, and what is false is left out: a model that is small sees sooner that a word is
                 there than which of two words stands beside it.
    room_tokens, longest_result    see `History`.
    calls        tools, schema or text: see form.py. `tools` is empty but for the first.
    system       more words of the user's for the system message.
    """

    def __init__(
        self,
        spec: StationSpec,
        view: str,
        room_tokens: int,
        longest_result: int,
        calls: str = "tools",
        system: str = "",
    ) -> None:
        self.short = None if view == "full" else spec.short
        if view != "full" and self.short is None:
            raise TaktError(f"station {spec.station!r} has no short view; leave out view={view}")
        offered = self.short.tools if self.short else [tool["function"]["name"] for tool in spec.tools]
        shown = [
            _plain(tool, self.short, view == "terse") for tool in spec.tools if tool["function"]["name"] in offered
        ]
        self.names = {tool["function"]["name"] for tool in shown}
        brief, how = (self.short.brief, HOW_SHORT) if self.short else (spec.brief, HOW)
        self.view, self.calls, self.offered = view, calls, shown
        self.tools = shown if calls == "tools" else []
        self.form = {"response_format": response_format(shown, spec.tools)} if calls == "schema" else {}
        words = [brief, how if calls == "tools" else told(shown), system]
        self.tools_chars = len(as_text(self.tools)) if self.tools else 0
        as_role = "tool" if calls == "tools" else "user"
        text = "\n".join(part for part in words if part).strip()
        self.history = History(text, self.tools_chars, room_tokens, longest_result, as_role)
        self.refusals = 0  # in this conversation
        self.aside: dict[str, int] = {}  # pieces of work that were given up, and how often
        self.at_work = ""  # the piece of work that this conversation is about

    def afresh(self, spec: StationSpec) -> Talk:
        """A conversation of the same form, of which nothing was said yet."""
        other = Talk(spec, self.view, self.history.room_tokens, self.history.longest_result, self.calls)
        other.aside, other.at_work = dict(self.aside), self.at_work
        return other

    def spelled(self, call: Mapping[str, Any]) -> str:
        """A call as the text of an answer, where calls are text; else ""."""
        return "" if self.calls == "tools" else as_text({"name": call["name"], "arguments": call["arguments"]})

    def everything(self, observation: Mapping[str, Any]) -> str:
        """All that is there now, but for the answer to the last call."""
        return as_text({key: value for key, value in self._seen(observation).items() if key != "result"})

    def in_brief(self, observation: Mapping[str, Any]) -> str:
        """The same, told beside something else."""
        return as_text(self._beside(observation))

    def show(self, observation: Mapping[str, Any]) -> None:
        """Tell the model all that is there, and what to do first."""
        if self.view == "terse":
            self.at_work = self.at_work or next(iter(self._names(self.in_turn(observation))), "")
        self.history.tell(self.everything(observation))

    def nudge(self, kind: str, number: int, times: int, observation: Mapping[str, Any]) -> None:
        """Tell it that its answer was of no use."""
        self.history.tell(NUDGES[kind].format(n=number, times=times, now=self.in_brief(observation)))

    def result(self, call_id: str, observation: Mapping[str, Any]) -> int:
        """Tell it what came of a call; how many characters of that were cut."""
        return self.history.result(call_id, self.outcome(observation))

    def outcome(self, observation: Mapping[str, Any]) -> str:
        """What came of the last call, and what else there is to know."""
        result = self._seen({"result": observation.get("result")}).get("result")
        return as_text({**self._beside(observation), "result": result})

    def answered(
        self, number: int, text: str, calls: Iterable[Sequence[str]], thought: Mapping[str, str] | None = None
    ) -> list[list[str]]:
        """The model's answer number `number`, each call as name and arguments (a JSON text, if all is well).

        Returns for each call its id, and what the station is given.
        """
        message: dict[str, Any] = {"role": "assistant", "content": text, **(thought or {})}
        made, to_do = [], []
        for i, (name, arguments) in enumerate(calls):
            call = read_call(name, arguments, self.names)
            call_id = f"call_{number}_{i}"
            to_do.append([call_id, call.text])
            # Templates take nothing but an object here, and servers fail at what is no JSON.
            back = as_text(call.arguments if call.arguments is not None else {"malformed": arguments[:LONGEST_CALL]})
            if self.calls != "tools":
                continue
            made.append({"id": call_id, "type": "function", "function": {"name": name, "arguments": back}})
        if made:
            message["tool_calls"] = made
        self.history.answered(message)
        return to_do

    def over(self, call: str, observation: Mapping[str, Any]) -> bool:
        """Whether a conversation begins anew after a call (what the station was given), in the short views only.

        It does when the call ended a piece of work; and when it is `given_up`: calls were refused REFUSALS times, and a
        small model makes the same mistakes again as long as it has them before its eyes.
        """
        if self.short is None:
            return False
        self.refusals += refused(observation)
        return self.given_up or ends(self.short, call, observation)

    @property
    def given_up(self) -> bool:
        return self.refusals >= REFUSALS

    def set_aside(self, observation: Mapping[str, Any]) -> bool:
        """A conversation was given up in the view terse: what it was about goes behind all that waits, for else one
        piece of work that the model cannot do would hold up every other. Returns whether nothing else waits."""
        waiting = self._names(observation)
        if self.view != "terse" or self.at_work not in waiting:
            return False
        self.aside = {name: times for name, times in self.aside.items() if name in waiting}
        self.aside[self.at_work] = self.aside.get(self.at_work, 0) + 1
        return len(self.aside) == len(waiting)

    def in_turn(self, observation: Mapping[str, Any]) -> Mapping[str, Any]:
        """What there is, with those pieces of work last that were given up most often, and in front of all others the
        one that this conversation is about, as long as it waits."""
        if not self.aside or self.short is None:
            return observation
        rows = observation.get(self.short.queue[0])
        if not isinstance(rows, (list, tuple)):
            return observation
        often = [(name != self.at_work, self.aside.get(name, 0)) for name in self._names(observation)]
        turned = [rows[at] for at in sorted(range(len(rows)), key=often.__getitem__)]
        return {**observation, self.short.queue[0]: turned}

    def _names(self, observation: Mapping[str, Any]) -> list[str]:
        """Of the pieces of work that wait, in order."""
        rows, name = self.short.queue if self.short is not None else ("", "")
        return [str(row.get(name)) if isinstance(row, Mapping) else "" for row in observation.get(rows) or ()]

    def begin_anew(self) -> int:
        """Nothing was said yet; how many exchanges are forgotten."""
        self.refusals, self.at_work = 0, ""
        return self.history.forget()

    def _seen(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        observation = self.in_turn(observation)
        told = {key: value for key, value in observation.items() if not hasattr(value, "dtype")}  # pictures are no text
        return told if self.short is None else _shortened(told, self.short, self.view == "terse")

    def _beside(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """Beside a result or a nudge: numbers and short texts; all of it where all of it is short."""
        if self.short is not None:
            return {key: value for key, value in self._seen(observation).items() if key != "result"}
        return in_short(observation)


def ends(short: Short, call: str, observation: Mapping[str, Any]) -> bool:
    """Whether a call was one of those that end a piece of work, and was not refused."""
    answered = isinstance(observation.get("result"), Mapping)
    return json.loads(call)["name"] in short.ends and answered and not refused(observation)


def _shortened(value: Any, short: Short, terse: bool, rows: int | None = None) -> Any:
    """Only the fields named, without those that are false if `terse`, and of a list only the first `rows`."""
    if isinstance(value, Mapping):
        kept = {k: part for k, part in value.items() if k in short.fields and not (terse and part is False)}
        return {k: _shortened(part, short, terse, short.rows.get(k)) for k, part in kept.items()}
    if isinstance(value, (list, tuple)):
        return [_shortened(part, short, terse) for part in value[:rows]]
    return value


def _plain(tool: Mapping[str, Any], short: Short | None, terse: bool) -> dict[str, Any]:
    """A tool as the model is offered it; in short: its name, and names and kinds of the arguments that suffice.

    In the terse view it has a description, of no words: llama.cpp writes one where there is none, and what a model
    reads at work would not be what it was taught.
    """
    if short is None:
        return dict(tool)
    function, schema = tool["function"], tool["function"]["parameters"]
    enough = short.tools[function["name"]]
    kinds = {name: {"type": schema["properties"][name]["type"]} for name in enough}
    parameters = {"type": "object", "properties": kinds, "required": list(enough)}
    described = {"description": ""} if terse else {}
    return {"type": "function", "function": {"name": function["name"], **described, "parameters": parameters}}
