"""Shifts as conversations with tool calls and rewards, a JSON object a line: what TRL's trainers read.

A shift is worked again from what is recorded of it, and must be the same. A shift of the worker `llm` is written down
as the model saw it. Any other worker's is told in the words of `llm`: what a model would have been shown, and the calls
that were made. docs/train-llm.md has the fields.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from takt.contract.events import UNIT_ENDED, UNIT_GOOD, Event
from takt.contract.station import Costing, Station, StationSpec, TaktError
from takt.export.corrected import Corrections
from takt.ledger import Ledger
from takt.ledger.store import place_of
from takt.ledger.trust import NOTHING, Named, open_station_of
from takt.meant import meant
from takt.shift import repeat_shift, reset_as
from takt.workers.calls import as_text
from takt.workers.llm.options import Options
from takt.workers.llm.talk import VIEWS, Talk, ends
from takt.workers.llm.worker import Llm
from takt.writing import CONVERSATIONS, whole_file

KINDS = ("sft", "prompts", "dpo")


def export_trl(
    shifts: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    view: str | None = None,
    kind: str = "sft",
    context_tokens: int = Options.context_tokens,
    good_only: bool = False,
    corrected_by: str = "",
    named: Named = NOTHING,
) -> dict[str, Any]:
    """Write the conversations of one shift or several, one a line; returns how many of what there are.

    view            full, short or terse, as the worker `llm`; its own shifts have theirs.
    kind            sft: whole conversations. prompts: what they begin with, and the state of the station there.
    context_tokens  of a conversation, four characters each; a longer one is cut as `llm` does.
                    dpo: with corrected_by, what both read, the teacher's answer (chosen) and the model's (rejected).
    good_only       only conversations all of whose units were good.
    corrected_by    a worker of the station: instead, the bad units of a model's shift, put right by it (corrected.py).
    named           what of the ledgers the user has named again (trust.py).
    """
    if kind not in KINDS:
        raise TaktError(f"the format trl has no kind {kind!r}; it has: {', '.join(KINDS)}")
    if kind == "dpo" and not corrected_by:
        raise TaktError("pairs for DPO are a model's answer and a teacher's: name the teacher, --corrected-by WORKER")
    if kind == "prompts" and corrected_by:
        raise TaktError(
            "kind=prompts begins where units begin, and corrections begin where a call was wrong; leave one out"
        )
    if view not in (None, *VIEWS):
        raise TaktError(f"there is no view {view!r}{meant(view, VIEWS)}; there are: {', '.join(VIEWS)}")
    out, shifts = Path(out), [shifts] if isinstance(shifts, str | os.PathLike) else list(shifts)
    count = {"conversations": 0, "calls": 0, "good": 0}
    with (
        whole_file(out, CONVERSATIONS, [place_of(shift) for shift in shifts]) as new,
        new.open("w", encoding="utf-8", errors="replace") as file,
    ):
        for row in (row for shift in shifts for row in _rows(shift, view, context_tokens, corrected_by, kind, named)):
            if good_only and row["reward"] != 1.0:
                continue
            count["conversations"] += 1
            told = row["messages"] if "messages" in row else [*row["chosen"], *row["rejected"]]
            count["calls"] += sum(len(message.get("tool_calls", ())) for message in told)
            count["good"] += row["reward"] == 1.0
            file.write(json.dumps(_prompt(row) if kind == "prompts" else row, ensure_ascii=False) + "\n")
    if corrected_by and not count["conversations"]:
        return {
            "written": str(out),
            **count,
            "note": f"nothing to correct: there is no bad unit at which {corrected_by} would have made another call",
        }
    return {"written": str(out), **count}


def corrections(
    shift: str | os.PathLike[str], teacher: str, kind: str = "sft", named: Named = NOTHING
) -> Iterator[dict[str, Any]]:
    """A model's bad units, each put right from its first wrong call on: as conversations, or as pairs for DPO.

    Raises TaktError if the shift is no model's, there is no such worker, or it never has a call to make.
    """
    with Ledger.open(shift) as book:
        meta, digest = book.meta, book.digest()
    if meta["worker"] != "llm":
        raise TaktError(f"{shift} was worked by {meta['worker']!r}; a teacher corrects a language model's (worker llm)")
    station = open_station_of(shift, meta, named)
    recorded = {name: value for name, value in meta["worker_options"].items() if name != "replay"}
    model = _Corrected(replay=str(shift), **recorded)
    shoulder = _Shoulder(station)

    def copy() -> Station:
        other = open_station_of(shift, meta, named)
        reset_as(other, meta)
        return other

    model.began = lambda talk: shoulder.look_on(Corrections(teacher, station, copy, meta["seed"], talk))
    model.heard = shoulder
    try:
        again = repeat_shift(shift, station=shoulder, worker=model)
        if again.digest != digest:
            raise TaktError(f"{shift} does not come out as it is recorded; it was worked by another version of takt?")
        shoulder.close_all()
    finally:
        station.close()
    looked = shoulder.corrections
    if looked and looked.asked and not looked.answered:
        raise TaktError(
            f"{teacher!r} can correct nothing here: at none of {looked.asked} calls of the model it would have "
            "made one itself; name a worker that knows the work"
        )
    for row in looked.rows if looked else ():
        prompt, after = ([_spoken(message) for message in row.pop(part)] for part in ("prompt", "after"))
        about = {**row, "shift": str(shift), "seed": meta["seed"], "worker": meta["worker"]}
        if kind == "dpo":
            name, arguments = row["corrected"]["said"]["name"], row["corrected"]["said"]["arguments"]
            if not isinstance(arguments, Mapping) or not row["tools"]:
                continue  # what is no call of a tool cannot be written as one
            call = {"type": "function", "function": {"name": name, "arguments": arguments}}
            rejected = [{"role": "assistant", "content": "", "tool_calls": [call]}]
            yield {"prompt": prompt, "chosen": after[:1], "rejected": rejected, **about}
        else:
            while after and after[-1]["role"] != "assistant":
                after.pop()
            yield {"messages": [*prompt, *after], **about}


def _rows(
    shift: str | os.PathLike[str], view: str | None, context_tokens: int, teacher: str, kind: str, named: Named
) -> Iterator[dict[str, Any]]:
    if teacher:
        return corrections(shift, teacher, kind, named)
    return conversations(shift, view, context_tokens, named)


def conversations(
    shift: str | os.PathLike[str],
    view: str | None = None,
    context_tokens: int = Options.context_tokens,
    named: Named = NOTHING,
) -> Iterator[dict[str, Any]]:
    """The conversations of a finished shift, in order. Raises TaktError if it does not come out as recorded."""
    with Ledger.open(shift) as book:
        meta, digest = book.meta, book.digest()
    station = open_station_of(shift, meta, named)
    try:
        if not station.spec.tools:
            raise TaktError(f"the format trl is for stations that offer tools, and {meta['station']!r} offers none")
        watched: _Watched
        if meta["worker"] == "llm":
            recorded = {name: value for name, value in meta["worker_options"].items() if name != "replay"}
            model = _Heard(replay=str(shift), **recorded)
            if view not in (None, model.options.view):
                raise TaktError(f"{shift} was worked with view={model.options.view}, and cannot be told in another")
            watched = _Watched(station)
            model.heard = watched
            again = repeat_shift(shift, station=watched, worker=model)
            model.close()
        else:
            watched = _Retold(station, view or "full", context_tokens)
            again = repeat_shift(shift, station=watched, named=named)
            watched.close()
        if again.digest != digest:
            raise TaktError(f"{shift} does not come out as it is recorded; it was worked by another version of takt?")
    finally:
        station.close()
    costs = station.unit_costs(again.events) if isinstance(station, Costing) else None
    for row in watched.rows:
        cost = None if costs is None else round(sum(costs.get(unit["unit"], 0.0) for unit in row["units"]), 2)
        about = {"shift": str(shift), "seed": meta["seed"], "worker": meta["worker"]}
        yield {**row, "cost": cost, "currency": station.spec.currency, **about}


class _Watched:
    """A station, and who looks on: which units end by the calls that are made."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.rows: list[dict[str, Any]] = []
        self._ended: list[Event] = []  # by calls since the last conversation was closed
        self._last_unit = -1  # that ended, by a call or not
        self._after_unit: int | None = None  # the last that had ended when the conversation began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._station, name)

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        self._observation, info = self._station.reset(**given)
        return self._observation, info

    def step(self, action: Any) -> Any:
        before = self._observation
        self._observation, *_, info = stepped = self._station.step(action)
        units = [e for e in info["events"] if e.kind in UNIT_ENDED]
        if action != self._station.hold:
            if self._after_unit is None:
                self._after_unit = self._last_unit
            self._ended += [e for e in units if e.data.get("cycle_s") is not None]  # not those that gave up waiting
            self.called(before, action, self._observation)
        self._last_unit = units[-1].unit if units else self._last_unit
        return stepped

    def called(self, before: Mapping[str, Any], call: str, after: Mapping[str, Any]) -> None: ...

    def emit(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> None:
        """A conversation is over."""
        units: list[dict[str, Any]] = [
            {"unit": e.unit, "good": e.kind == UNIT_GOOD, "reasons": list(e.data.get("reasons", ()))}
            for e in self._ended
        ]
        reward = sum(unit["good"] for unit in units) / len(units) if units else None
        self._ended = []
        spoken = [_spoken(message) for message in messages]
        while spoken and spoken[-1]["role"] == "user":  # asked, and never answered
            spoken.pop()
        if any(message["role"] == "assistant" for message in spoken):
            row: dict[str, Any] = {
                "messages": spoken,
                "tools": list(tools),
                "reward": reward,
            }
            self.rows.append({**row, "units": units, "after_unit": self._after_unit})
        self._after_unit = None


class _Retold(_Watched):
    """The calls of a worker that is no model, told as a model would have been: from what the station shows to it."""

    def __init__(self, station: Station, view: str, context_tokens: int) -> None:
        super().__init__(station)
        self._talk = Talk(station.spec, view, context_tokens, context_tokens)
        self._number, self._fresh = 0, True
        offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in self._talk.tools}
        self._arguments = {name: set(schema.get("properties", ())) for name, schema in offered.items()}

    def called(self, before: Mapping[str, Any], call: str, after: Mapping[str, Any]) -> None:
        said = json.loads(call)
        if said["name"] not in self._arguments:  # it looked at what a model of this view would not
            return
        given = {key: value for key, value in said["arguments"].items() if key in self._arguments[said["name"]]}
        if self._fresh:
            self._talk.show(before)
        self._fresh = False
        dropped = self._talk.history.messages()
        if self._talk.history.fit(self._talk.everything(before)).get("dropped"):
            self.emit(dropped, self._talk.tools)
        [[call_id, _]] = self._talk.answered(self._number, "", [(said["name"], as_text(given))])
        self._number += 1
        self._talk.result(call_id, after)
        short = self._station.spec.short  # what ends a piece of work is known in the full view as well
        if self._talk.over(call, after) or (short is not None and ends(short, call, after)):
            self.close()

    def close(self) -> None:
        self.emit(self._talk.history.messages(), self._talk.tools)
        self._talk.begin_anew()
        self._fresh = True


class _Heard(Llm):
    """A model's shift worked again, and each of its conversations written down before it is forgotten."""

    heard: _Watched

    def close(self) -> None:
        self.heard.emit(self._history.messages(), self._talk.tools)

    def _begin_anew(self) -> None:
        self.close()
        super()._begin_anew()

    def _tell(self, observation: Mapping[str, Any]) -> None:
        before, said = self._history.messages(), len(self._said)
        super()._tell(observation)
        if any(record.get("dropped") for record in self._said[said:]):
            self.heard.emit(before, self._talk.tools)


class _Shoulder(_Watched):
    """A station at which a teacher looks over the model's shoulder."""

    corrections: Corrections | None = None

    def look_on(self, corrections: Corrections) -> None:
        self.corrections = corrections

    def step(self, action: Any) -> Any:
        by_model = action != self._station.hold
        if by_model and self.corrections is not None:
            self.corrections.before(self._observation, action)
        stepped = super().step(action)
        if by_model and self.corrections is not None:
            ended = [event for event in stepped[-1]["events"] if event.kind in UNIT_ENDED]
            self.corrections.after(action, self._observation, ended)
        return stepped

    def emit(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> None:
        if self.corrections is not None:
            self.corrections.over()

    def close_all(self) -> None:
        if self.corrections is not None:
            self.corrections.close()


class _Corrected(_Heard):
    """A model's shift worked again, which says when its conversation is there to be looked at."""

    began: Callable[[Talk], None]

    def begin(self, spec: StationSpec, seed: int) -> None:
        super().begin(spec, seed)
        self.began(self._talk)


def _spoken(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as templates and TRL take it: arguments as objects, not as texts."""
    spoken = dict(message)
    if "tool_calls" in spoken:
        calls = [call["function"] for call in spoken["tool_calls"]]
        spoken["tool_calls"] = [
            {"type": "function", "function": {"name": c["name"], "arguments": json.loads(c["arguments"])}}
            for c in calls
        ]
    spoken.pop("tool_call_id", None)
    return spoken


def _prompt(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a conversation begins with, for a trainer that lets the model go on itself (GRPO)."""
    first = next(i for i, message in enumerate(row["messages"]) if message["role"] == "assistant")
    kept = {key: row[key] for key in ("tools", "shift", "seed", "after_unit")}
    return {"prompt": row["messages"][:first], **kept}
