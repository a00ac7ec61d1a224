"""What an inspection's process has told, as far as it is whole: it comes from where strangers' code runs."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from takt.printable import whole_texts
from takt.stations.codedesk.counting import outgrew, slower
from takt.stations.codedesk.sealing import Paced, verdict

MOST_TOUCHED = 200
NOT_BEGUN = "the tests could not be begun"
HEALTH = ("lines", "files", "functions", "complexity", "most_complex")


class Told:
    """The records of an inspection. `wrong` says what is wrong with them."""

    def __init__(self, records: bytes, word: str) -> None:
        self.items: list[str] = []
        self.outcomes: dict[str, bool] = {}
        self.messages: dict[str, str] = {}
        self.uncollected: list[str] = []
        self.syntax: list[str] = []
        self.touched: list[str] = []
        self.health: dict[str, float] = {}
        self.answers: dict[str, Any] = {}
        self.skipped: set[str] = set()
        self.passed_over: set[str] = set()  # files that were skipped as they were imported
        self.counted: dict[str, list[tuple[int, int | None]]] = {}  # by test: sizes, and steps counted
        self.counting: list[tuple[int, int | None]] = []  # of the test that runs
        self.timed: dict[str, list[list[list[int]]]] = {}  # by test: processor time of two sizes, at each try
        self.timing: list[list[list[int]]] = []
        self.traced = False  # whether steps were told, and the trace is to be put off next
        self.ended, self.wrong, self.unbegun, self.gave_out = False, "", "", ""
        calls: set[str] = set()
        for line in records.splitlines():
            try:
                said = whole_texts(json.loads(line))
                if said.pop("word") != word:
                    raise ValueError("not its word")
                self._take(said, calls)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                self.wrong = self.wrong or "records came that are not ours"

    def lost(self, path: str, alone: bool = True) -> bool:
        """Whether a file of tests could not be collected: by itself (if `alone` counts), with its folder, or because
        none could, for what the tests' configuration imports cannot be imported."""
        folders = [one for one in self.uncollected if not one.endswith(".py")]
        within = any(one in ("", ".") or path.startswith(f"{one.rstrip('/')}/") for one in folders)
        return bool(self.unbegun) or within or (alone and path in self.uncollected)

    def message_of(self, path: str) -> str:
        """What is said of a file that could not be collected."""
        for one in (path, *(one for one in self.uncollected if not one.endswith(".py"))):
            if one in self.messages:
                return self.messages[one]
        return self.unbegun

    def compare(self, answers: Mapping[str, Any]) -> None:
        """Tests that only told what came have passed if that is what was expected."""
        for node, expected in answers.items():
            if self.outcomes.get(node):
                if isinstance(expected, Paced):
                    wrong = outgrew(self.counted.get(node, []), expected.count)
                    wrong = wrong or slower(self.timed.get(node, []), expected.count)
                else:
                    wrong = verdict(self.answers.get(node), expected)
                self.outcomes[node] = not wrong
                if wrong:
                    self.messages.setdefault(node, f"{node}\n{wrong}")

    def add(self, other: Told, paths: Collection[str], nodes: Collection[str]) -> None:
        """Take over what another run told of these files, and of these tests in them."""
        self.items = list(dict.fromkeys([*self.items, *nodes]))
        self.outcomes |= {node: other.outcomes[node] for node in nodes if node in other.outcomes}
        self.uncollected += [one for one in other.uncollected if one in paths or not one.endswith(".py")]
        self.messages |= other.messages
        self.passed_over |= other.passed_over

    def only_skips(self, may_skip: frozenset[str]) -> None:
        """Tests that were skipped, or failed as was expected, and are not among these, have not passed."""
        for node in self.skipped - may_skip:
            self.outcomes[node] = False
            self.messages.setdefault(node, f"{node} was skipped, or is expected to fail, and is not with right code")
        for path in self.passed_over - may_skip:
            self.uncollected.append(path)
            self.messages.setdefault(path, f"{path} was skipped as it was imported, and is not with right code")

    def _take(self, said: dict[str, Any], calls: set[str]) -> None:
        if self.ended or ("items" in said and self.items):
            raise ValueError("after the end")
        if self.traced and said.get("noticed") != "sys.settrace":
            self.touched.append("steps were counted by nobody")
        if "noticed" in said:
            what, own = str(said["noticed"])[:200], self.traced and said["noticed"] == "sys.settrace"
            self.touched += [] if own or what in self.touched else [what]
        self.traced = "counted" in said
        if "counted" in said:
            lines = said["counted"]
            self.counting.append((int(said["size"]), None if lines is None else int(lines)))
        elif "took" in said:
            self.timing.append([[int(size), int(ns)] for size, ns in said["took"]])
            if len(self.timing[-1]) != 2:
                raise ValueError("two sizes are compared")
        elif "items" in said:
            self.items = [str(node) for node in said["items"]]
        elif "test" in said:
            node, passes = str(said["test"]), said["outcome"] == "passed"
            if self.counting:
                self.counted[node], self.counting = self.counting, []
            if self.timing:
                self.timed[node], self.timing = self.timing, []
            if said["when"] == "call" and node in calls:
                raise ValueError("twice")
            calls |= {node} if said["when"] == "call" else set()
            self.outcomes[node] = self.outcomes.get(node, True) and passes
            self.skipped |= {node} if said.get("skipped") is True else set()
            if "answer" in said:
                self.answers[node] = said["answer"]
            if not passes:
                self.messages.setdefault(node, str(said["message"]))
        elif "gave_out" in said:
            self.gave_out = self.gave_out or str(said["gave_out"])
        elif "unbegun" in said:
            self.unbegun = str(said["unbegun"]) or NOT_BEGUN
        elif "passed_over" in said:
            self.passed_over.add(str(said["passed_over"]))
        elif "uncollected" in said:
            self.uncollected.append(str(said["uncollected"]))
            self.messages.setdefault(str(said["uncollected"]), str(said["message"]))
        elif "health" in said:
            if self.items or self.health:
                raise ValueError("too late")
            self.health = {name: float(said["health"][name]) for name in HEALTH if name in said["health"]}
            self.health = {name: value for name, value in self.health.items() if math.isfinite(value)}
            self.syntax = [str(one) for one in said["syntax"]]
        elif "end" in said:
            self.ended, self.touched = (
                True,
                [*self.touched, *(str(one)[:200] for one in said["touched"])][:MOST_TOUCHED],
            )
