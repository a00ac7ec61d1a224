"""What has been said, kept inside the model's context.

The policy, in full. The system message (the job, and how to work) is kept. All else is exchanges: an answer of the
model, what its calls returned, and what else it was told until its next answer. When the next request and its answer
would not fit into `context_tokens`, the oldest whole exchanges are dropped until the request fills half of the room at
most: every drop costs the server its prefix cache, so drops are rare and large. One line tells the model how many are
gone, and what is there now is shown again. The exchange under way is never dropped; if it alone is too long, its
longest texts are cut in half until it fits. A result of more than `context_tokens` characters, a quarter of the room,
is cut at once.

A token is as many characters as in the last request whose tokens the server counted; before that, four.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from takt.ledger import canonical
from takt.workers.llm.form import RESULT

CHARS_A_TOKEN = 4.0
LEAST_CUT = 200  # characters; what is shorter is not worth cutting
CUT = " ...[cut: {} characters more]"


class History:
    """`seal` is a hash of everything that was said so far, link by link: what a request is known by."""

    def __init__(
        self, system: str, fixed_chars: int, room_tokens: int, longest_result: int, result_as: str = "tool"
    ) -> None:
        """`result_as`: the role of what a call returned, `tool` or `user`."""
        self.system = {"role": "system", "content": system}
        self.result_as = result_as
        self.examples: list[dict[str, Any]] = []  # what is shown before the shift's own
        self.chars = self.fixed_chars = fixed_chars + len(system)  # of all that is sent; of system message and tools
        self.room_tokens, self.longest_result = room_tokens, longest_result
        self.turns: list[list[dict[str, Any]]] = [
            []
        ]  # what came before the first answer, whole exchanges, and the one under way
        self.note: dict[str, Any] | None = None  # what is told of those dropped
        self.dropped = 0
        self.added: list[dict[str, Any]] = [self.system]  # since the last request; the seal is over these
        self.fresh: list[dict[str, Any]] = [self.system]  # what the next request has and the last had not, as it is
        self.seal = ""
        self.chars_a_token = CHARS_A_TOKEN

    def messages(self) -> list[dict[str, Any]]:
        return [
            self.system,
            *self.examples,
            *([self.note] if self.note else []),
            *(m for turn in self.turns for m in turn),
        ]

    def show_examples(self, messages: list[dict[str, Any]]) -> None:
        """Messages that stand before all others, from now on. Before the first request only."""
        self.examples = messages
        self.fixed_chars += sum(map(_chars, messages))
        self.chars += sum(map(_chars, messages))
        self.added[1:1] = messages
        self.fresh[1:1] = messages

    def tell(self, text: str) -> None:
        """Something for the model to read."""
        self._add({"role": "user", "content": text})

    def answered(self, message: dict[str, Any]) -> None:
        """What the model said: a new exchange, to which the results of its calls belong."""
        self.turns.append([message])
        self.chars += _chars(message)

    def result(self, call_id: str, text: str) -> int:
        """The result of one of its calls; how many characters of it were cut."""
        cut = max(0, len(text) - self.longest_result)
        if cut:
            text = text[: self.longest_result] + CUT.format(cut)
        if self.result_as == "tool":
            self._add({"role": "tool", "tool_call_id": call_id, "content": text})
        else:
            self._add({"role": self.result_as, "content": RESULT + text})
        return cut

    def counted(self, prompt_tokens: int) -> None:
        """The server says how many tokens the request had, as it is now."""
        if prompt_tokens > 0:
            self.chars_a_token = self.chars / prompt_tokens

    def tokens(self, chars: int) -> int:
        return round(chars / self.chars_a_token)

    def fit(self, now: str, all_of_it: bool = False) -> dict[str, int]:
        """Drop and cut, if the next request is too long (or `all_of_it`); what was, or nothing. `now` is told again."""
        if not all_of_it and self.tokens(self.chars) <= self.room_tokens:
            return {}
        before, gone, so_far = self.chars, 0, self.dropped
        most = 0 if all_of_it else self.room_tokens // 2
        while gone < len(self.turns) - 1 and self.tokens(self.chars) > most:
            self.chars -= sum(_chars(message) for message in self.turns[gone])
            gone += 1
        if gone:
            self.dropped += sum(turn[0]["role"] == "assistant" for turn in self.turns[:gone] if turn)
            self.turns = self.turns[gone:]
            many = "1 earlier exchange is" if self.dropped == 1 else f"{self.dropped} earlier exchanges are"
            self.chars -= _chars(self.note) if self.note else 0
            self.fresh = [message for message in self.fresh if message != self.note]
            self.note = {"role": "user", "content": f"({many} left out here.) Now: {now}"}
            self.fresh.append(self.note)
            self.chars += _chars(self.note)
        cut = self._cut()
        self._link({"dropped": self.dropped, "note": self.note, "cut": cut})
        return {
            "dropped": self.dropped - so_far,
            "dropped_in_all": self.dropped,
            "cut_chars": cut,
            "chars": before - self.chars,
        }

    def forget(self) -> int:
        """Drop all exchanges, without a word about them; how many."""
        gone = sum(turn[0]["role"] == "assistant" for turn in self.turns if turn)
        self.turns, self.note, self.dropped = [[]], None, 0
        unsent = 1 + len(self.examples)
        self.fresh = self.fresh[:unsent] if self.fresh[:1] == [self.system] else []
        self.chars = self.fixed_chars
        self._link({"forgotten": gone})
        return gone

    def sealed(self, settings: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """What the request is known by, and what is new in it: each message that the last had not, as it is sent.

        What was dropped or forgotten before it could be sent is not there, what was cut is there as it was cut, once
        more if it has been sent whole; what the model is told of those dropped is there. The model's own answers are
        not.
        """
        self._link({"added": self.added, "settings": settings})
        sent = sorted(self.fresh, key=self.messages().index)
        self.added, self.fresh = [], []
        return self.seal, sent

    def state(self) -> dict[str, Any]:
        return {
            "turns": self.turns,
            "note": self.note,
            "dropped": self.dropped,
            "added": self.added,
            "fresh": self.fresh,
            "seal": self.seal,
            "chars_a_token": self.chars_a_token,
            **({"examples": self.examples} if self.examples else {}),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.turns, self.note, self.dropped = state["turns"], state["note"], state["dropped"]
        self.added, self.seal, self.chars_a_token = state["added"], state["seal"], state["chars_a_token"]
        self.fresh = state.get("fresh", self.added[state.get("forgotten", 0) :])  # which older snapshots have
        if state.get("examples"):
            self.examples = state["examples"]
            self.fixed_chars += sum(map(_chars, self.examples))
        own = self.messages()[1 + len(self.examples) :]
        self.chars = self.fixed_chars + sum(_chars(message) for message in own)

    def _add(self, message: dict[str, Any]) -> None:
        self.turns[-1].append(message)
        self.chars += _chars(message)
        self.added.append(message)
        self.fresh.append(message)

    def _cut(self) -> int:
        """Cut the longest texts of the exchange under way until all of it fits."""
        cut, turn = 0, self.turns[-1]
        while self.tokens(self.chars) > self.room_tokens:
            told = [i for i, message in enumerate(turn) if message["role"] != "assistant"]
            longest = max(told, key=lambda i: len(turn[i]["content"]), default=-1)
            if longest < 0 or len(turn[longest]["content"]) <= LEAST_CUT:
                break
            text = turn[longest]["content"]
            shorter = {**turn[longest], "content": text[: len(text) // 2]}
            if turn[longest] in self.fresh:
                self.fresh.remove(turn[longest])
            self.fresh.append(shorter)  # also where the longer one has been sent, in an earlier request
            turn[longest] = shorter
            cut += len(text) - len(text) // 2
            self.chars -= len(text) - len(text) // 2
        return cut

    def _link(self, what: dict[str, Any]) -> None:
        self.seal = hashlib.sha256(f"{self.seal}\n{canonical(what)}".encode()).hexdigest()


def _chars(message: dict[str, Any]) -> int:
    """Characters of a message, with those that are written around it."""
    return 20 + sum(len(v) if isinstance(v, str) else len(json.dumps(v, ensure_ascii=False)) for v in message.values())
