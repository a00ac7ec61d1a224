"""What a generated package is at one moment, what can be asked of it, and what may come next."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Protocol

from takt.stations.codedesk.tickets import Kind

Question = tuple[Any, ...]  # a family's own; the first item says what kind of question it is


@dataclass(frozen=True)
class Raises:
    """The expected end of a call: an error of the package's own, by the name of its class."""

    error: str

    def __repr__(self) -> str:
        return f"Raises({self.error!r})"


@dataclass(frozen=True)
class Posed:
    """A question as a test asks it, and what the specification answers. Arguments and answer are literals."""

    ask: str
    given: tuple[Any, ...]
    expected: Any
    notes: frozenset[str] = field(
        default=frozenset(), compare=False
    )  # what of the specification the answer went through

    @property
    def key(self) -> tuple[str, str]:
        return self.ask, repr(self.given)


class Model(Protocol):
    """The specification of the package in one state, executable. It shares no code with any reference."""

    def pose(self, question: Question) -> Posed | None:
        """The question with its answer; None where it means nothing in this state."""
        ...


@dataclass(frozen=True)
class Ask:
    """How a test puts a question: a function of the test file, with `PKG` for the package."""

    parameters: str
    body: tuple[str, ...]

    def example(self, package: str, given: tuple[Any, ...]) -> str | None:
        """The call as one would type it, or None where it takes more than one line."""
        if len(self.body) != 1 or not self.body[0].startswith("return "):
            return None
        shown = self.body[0].removeprefix("return ").replace("PKG", package)
        for name, value in reversed(list(zip(self.parameters.split(", "), given, strict=True))):
            if value in ({}, None) and f", {name})" in shown:
                shown = shown.replace(f", {name})", ")")
            else:
                shown = _replace_name(shown, name, repr(value))
        return shown


def _replace_name(text: str, name: str, by: str) -> str:
    return re.sub(rf"(?<![\w.'\"]){name}(?![\w'\"=])", lambda _: by, text)


@dataclass(frozen=True)
class Told:
    """A section of the README."""

    title: str
    lines: tuple[str, ...]
    examples: tuple[Question, ...] = ()


@dataclass(frozen=True)
class State:
    """A package at one moment. Its tree and its model are functions of this alone."""

    facts: Mapping[str, Any]  # names, syntax and meanings; a ticket that changes its mind replaces some
    on: tuple[str, ...] = ()  # features in the order in which they came
    wrong: frozenset[str] = frozenset()  # defects that the reference has now
    drawn: tuple[Any, ...] = ()  # functions, rules or checks drawn from a stock that does not end
    own: tuple[tuple[str, str, tuple[Question, ...]], ...] = ()  # the package's own tests: file, name, questions
    told: Mapping[str, Told] = field(default_factory=dict)
    log: tuple[str, ...] = ()

    def has(self, feature: str) -> bool:
        return feature in self.on

    def plus(self, *features: str, wrong: frozenset[str] = frozenset(), **facts: Any) -> State:
        """This state with features, defects and facts more."""
        return replace(self, on=self.on + features, wrong=self.wrong | wrong, facts={**self.facts, **facts})

    def mended(self, defect: str) -> State:
        return replace(self, wrong=self.wrong - {defect})


@dataclass(frozen=True)
class Offer:
    """A ticket that could be next. `said` is all that a right solution must know, `vague` how a user would put it.

    A sentence of `said` that begins with `~` is in docs/conventions.md as well: `hard` leaves it out.
    """

    key: str
    kind: Kind
    title: str
    vague: str
    said: tuple[str, ...]
    after: State
    draw: Callable[[Model, Random], Question]
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    area: str = "basics"  # the file of the package's own tests
    weight: float = 1.0
    reach: int = 1  # source files that must be read or changed
    mends: str | None = None  # the defect that is reported
    about: str | None = None  # the README's section, where it is another's
    amends: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # sections that it makes say something else: title, lines


class Family(Protocol):
    """A kind of package. Everything is a function of what it is given."""

    name: str

    def asks(self, facts: Mapping[str, Any]) -> Mapping[str, Ask]:
        """How tests of a package with these names put its questions."""
        ...

    def start(self, stream: Random) -> State:
        """The package before the first ticket; names and meanings are drawn."""
        ...

    def first_questions(self, model: Model, stream: Random) -> Question:
        """A question that the first version answers; its own tests are drawn from these."""
        ...

    def offers(self, state: State, stream: Random) -> list[Offer]:
        """What could be asked for next; never empty."""
        ...

    def tree(self, state: State) -> dict[str, str]:
        """The source files of the reference, without tests, README and change log."""
        ...

    def model(self, state: State) -> Model: ...
