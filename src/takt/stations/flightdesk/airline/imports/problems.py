"""What is wrong with a planner's files: every broken line is counted, and the first few are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from takt.contract.station import TaktError

SHOWN = 5


class BrokenFiles(TaktError):
    """Files are wrong in several places: `summary` counts them, `shown` are the first few, a line each."""

    def __init__(self, summary: str, shown: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"{summary}:", *shown]))
        self.summary, self.shown = summary, tuple(shown)


class Broken(ValueError):
    """A line is wrong: `column` says where in it, `problem` what."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(column, problem)
        self.column, self.problem = column, problem


@dataclass(frozen=True, slots=True)
class Problem:
    file: str
    line: int
    column: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.text}"


class Problems:
    """Broken lines, as they are found. Nothing is written while there is one."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, file: str, line: int, error: Broken) -> None:
        self.found.append(Problem(file, line, error.column, error.problem))

    def stop_if_any(self) -> None:
        """Raises TaktError: one line for one problem; else BrokenFiles: how many lines, and the first five."""
        if not self.found:
            return
        if len(self.found) == 1:
            raise TaktError(str(self.found[0]))
        lines = len({(problem.file, problem.line) for problem in self.found})
        raise BrokenFiles(f"{lines} broken lines", [str(problem) for problem in self.found[:SHOWN]])
