"""Conversations as lessons: what the model reads, what it is to say, and which of its words decide.

A lesson is a list of tokens, exactly as the model meets them at work: each answer follows the prompt that its chat
template makes of all that was before. Where a template writes the past otherwise than the present (Qwen 3 leaves out
old thinking), a conversation is several lessons, one for each answer that does not follow on from the last.

A *decision* is one answer: which tool, with which arguments. Its kind is the tool before and the call now, with the
lengths of lists in it ("propose > hotel", "hotel > book[3]"): what a teacher does next in one kind of situation. Two
entries and three are two kinds, for a model that saw three once in two hundred times leaves the third out. Nothing here
knows a station.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from takt.errors import TaktError
from takt.train.weights import rendered

START = "start"  # in the place of the tool before the first
RARE = 0.05  # of all lessons; kinds that are fewer are rare


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer in a lesson, as positions of tokens: [first, last), of which [naming, named) are the tool's name."""

    kind: str
    first: int
    naming: int
    named: int
    last: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """Tokens, and the decisions in them. `kinds` is the whole conversation's, by which lessons are balanced; of one
    that puts a model's call right (`corrected`) that call's, too."""

    ids: tuple[int, ...]
    decisions: tuple[Decision, ...]
    kinds: str
    corrected: bool = False


def read_conversations(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """The rows of a file of `takt export --format trl`. Raises TaktError for what is no such file."""
    if not Path(path).is_file():
        raise TaktError(f"there are no conversations in {path}")
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                assert isinstance(row["messages"], list) and isinstance(row["tools"], list)
            except (ValueError, KeyError, TypeError, AssertionError) as error:
                raise TaktError(f"line {number} of {path} is no conversation of `takt export --format trl`") from error
            yield row


def lessons_of(row: Mapping[str, Any], tokenizer: Any, max_tokens: int) -> list[Lesson]:
    """The lessons that a conversation is. What is longer than `max_tokens` loses its end, by whole answers."""
    made: list[Lesson] = []
    text, ids, decisions, before = "", list[int](), list[Decision](), START
    kinds, corrected = kinds_of(row), "corrected" in row

    def close() -> None:
        if decisions:
            made.append(Lesson(tuple(ids), tuple(decisions), kinds, corrected))

    for at, message in enumerate(row["messages"]):
        if message["role"] != "assistant":
            continue
        prompt, said = _turn(row, at, tokenizer)
        calls = [call["function"] for call in message.get("tool_calls", ())]
        if not text or not prompt.startswith(text):
            close()
            text, ids, decisions = "", [], []
        read = tokenizer(prompt[len(text) :], add_special_tokens=False)["input_ids"]
        spoken = tokenizer(said, add_special_tokens=False, return_offsets_mapping=True)
        first = len(ids) + len(read)
        last = first + len(spoken["input_ids"])
        if last > max_tokens:
            break
        tool = calls[0]["name"] if calls else "no call"
        kind = f"{before} > {kind_of(calls[0]) if calls else tool}"
        begins = said.find(tool) if calls else -1
        upto = begins + len(tool) if begins >= 0 else len(said)
        naming = first + sum(end <= max(0, begins) for _, end in spoken["offset_mapping"])
        named = first + sum(start < upto for start, _ in spoken["offset_mapping"])
        ids += [*read, *spoken["input_ids"]]
        decisions.append(Decision(kind, first, naming, named, last))
        text, before = prompt + said, tool
    close()
    return made


def kinds_of(row: Mapping[str, Any]) -> str:
    """The calls that a conversation has, in order, each once: "propose hotel book[2]". One that was put right
    begins with what the model called: "not book[2]: propose hotel book[3]"."""
    calls = [call["function"] for message in row["messages"] for call in message.get("tool_calls", ())]
    said = (row.get("corrected") or {}).get("said")
    wrong = f"not {kind_of(said)}: " if isinstance(said, Mapping) and "name" in said else ""
    return wrong + " ".join(dict.fromkeys(map(kind_of, calls)))


def kind_of(call: Mapping[str, Any]) -> str:
    """A call's tool, and how many entries the lists among its arguments have: "book[2]"."""
    given = call.get("arguments")
    lists = [part for part in given.values() if isinstance(part, list)] if isinstance(given, Mapping) else []
    return str(call["name"]) + "".join(f"[{len(part)}]" for part in lists)


def mixture(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """At most so many conversations: of each kind as many as the root of how many there are, one at least."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        kinds.setdefault(kinds_of(row), []).append(row)
    if len(rows) <= most:
        return list(rows)
    queues = sorted(kinds.values(), key=len, reverse=True)
    share = most / sum(math.sqrt(len(queue)) for queue in queues)
    many = [max(1, round(share * math.sqrt(len(queue)))) for queue in queues]
    while sum(many) > max(most, len(queues)):  # the rarest have one, at the cost of the most frequent
        many[many.index(max(many))] -= 1
    return [row for queue, number in zip(queues, many, strict=True) for row in queue[:number]][:most]


def balanced(lessons: Sequence[Lesson], power: float, wrong: Mapping[str, float] | None = None) -> list[float]:
    """How likely each lesson is to be drawn, in any unit.

    power   0: as they come. 1: each kind of conversation as often as any other. Between: between.
    wrong   shares of decisions that were wrong lately, by kind of decision: a lesson that has such a decision is drawn
            up to five times as often.
    """
    many = Counter(lesson.kinds for lesson in lessons)
    wrong = wrong or {}
    return [
        many[lesson.kinds] ** -power
        * (1.0 + 4.0 * max((wrong.get(d.kind, 0.0) for d in lesson.decisions), default=0.0))
        for lesson in lessons
    ]


def forks(lessons: Sequence[Lesson]) -> frozenset[str]:
    """The tools after which more than one tool comes in these lessons (`start`: at the beginning)."""
    after = {decision.kind.partition("[")[0] for lesson in lessons for decision in lesson.decisions}
    many = Counter(kind.partition(" > ")[0] for kind in after)
    return frozenset(tool for tool, kinds in many.items() if kinds > 1)


def rare(lessons: Sequence[Lesson]) -> frozenset[str]:
    """The kinds of conversation that are few."""
    many = Counter(lesson.kinds for lesson in lessons)
    return frozenset(kind for kind, number in many.items() if number < RARE * len(lessons))


def upto_fork(lesson: Lesson, forked: frozenset[str]) -> Lesson:
    """A lesson that ends with the tool's name at its last fork: what follows needs no choice. Whole if it has none."""
    at = max((at for at, d in enumerate(lesson.decisions) if d.kind.partition(" > ")[0] in forked), default=-1)
    if at < 0:
        return lesson
    last = replace(lesson.decisions[at], last=lesson.decisions[at].named)
    return replace(lesson, ids=lesson.ids[: last.named], decisions=(*lesson.decisions[:at], last))


def _turn(row: Mapping[str, Any], at: int, tokenizer: Any) -> tuple[str, str]:
    """What the model reads before message `at`, an answer, and what it is to say, up to its end token."""
    messages, tools = row["messages"], row["tools"]
    prompt = rendered(tokenizer, messages[:at], tools, True)
    whole = rendered(tokenizer, messages[: at + 1], tools, False)
    if whole.startswith(prompt):
        said = whole[len(prompt) :]
    else:  # the words after which it speaks are not those that stay: thinking that is opened and closed, for one
        plain = rendered(tokenizer, messages[:at], tools, False)
        if not whole.startswith(plain):
            raise TaktError("the chat template writes an answer in front of what it answers; it cannot be taught from")
        opened, answer = prompt[len(plain) :], whole[len(plain) :]
        alike = next((i for i, (a, b) in enumerate(zip(opened, answer, strict=False)) if a != b), len(opened))
        said = answer[alike:]
    end = said.find(tokenizer.eos_token)
    return prompt, said[: end + len(tokenizer.eos_token)] if end >= 0 else said + tokenizer.eos_token
