"""What an inspection's process has told, as far as it is whole: it comes from where strangers' code runs."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from takt.printable import whole_texts
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
        self.missing: dict[tuple[str, int], str] = {}  # parts of files that cannot be run (`statements.py`), and why
        self.drawn: dict[str, str] = {}  # where what draws stood when all tests were collected
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
                wrong = "" if isinstance(expected, Paced) else verdict(self.answers.get(node), expected)
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
        if "items" in said:
            self.items = [str(node) for node in said["items"]]
            self.drawn = {str(name): str(state) for name, state in said.get("drawn", {}).items()}
        elif "test" in said:
            node, passes = str(said["test"]), said["outcome"] == "passed"
            if said["when"] == "call" and node in calls:
                raise ValueError("twice")
            calls |= {node} if said["when"] == "call" else set()
            self.outcomes[node] = self.outcomes.get(node, True) and passes
            self.skipped |= {node} if said.get("skipped") is True else set()
            if "answer" in said:
                self.answers[node] = said["answer"]
            if not passes:
                self.messages.setdefault(node, str(said["message"]))
        elif "noticed" in said:
            self.touched = [*self.touched, str(said["noticed"])[:200]][:MOST_TOUCHED]
        elif "gave_out" in said:
            self.gave_out = self.gave_out or str(said["gave_out"])
        elif "unbegun" in said:
            self.unbegun = str(said["unbegun"]) or NOT_BEGUN
        elif "missing" in said:
            self.missing = {(str(path), int(place)): str(why)[:300] for path, place, why in said["missing"]}
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
