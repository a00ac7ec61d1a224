"""Functions without end: small drawn functions that a family's package can always be asked for one more of."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from takt.stations.codedesk.families import drawn, words
from takt.stations.codedesk.families.drawn import Drawn
from takt.stations.codedesk.families.state import Ask, Model, Offer, Question, State

NEW, AGAIN = "new", "again"
KIND = {"number": "int", "text": "str", "list": "list"}


@dataclass(frozen=True)
class Library:
    """How a family speaks of its functions, and asks them.

    first      of a function that is new, or that is otherwise from now on (NEW, AGAIN): how its ticket begins.
    undefined  what is said of arguments that it has no answer for.
    draw       a question that asks it, in the state after.
    file       of the package where it is, without ending; also the file of its tests, where `area` is "".
    by_hand, otherwise    how a user would put it: that there is none yet, that it is to be another.
    """

    first: Callable[[Drawn, str], str]
    undefined: Callable[[State], str]
    draw: Callable[[State, Drawn, Model, Random], Question]
    file: Callable[[Drawn], str] = lambda one: "library"
    area: str = ""
    noun: str = "function"
    by_hand: str = "We compute {name} by hand."
    otherwise: str = "We compute {name} by hand."
    weights: tuple[float, float] = (2.0, 0.5)  # of a new one, of one that is otherwise

    def offers(
        self,
        state: State,
        stream: Random,
        patterns: Sequence[str],
        taken: Collection[str],
        new_weight: float | None = None,
    ) -> list[Offer]:
        """A new one, those that are wrong, and one that shall do it otherwise."""
        pattern = stream.choice(patterns)
        name = stream.choice(drawn.PATTERNS[pattern].nouns)
        if name in taken:
            name = words.fresh(stream, [f"{name}_{word}" for word in words.WORDS], sorted(taken))
        new = drawn.draw(stream, name, pattern)
        wrong = frozenset([new.defect]) if new.can_be_wrong and stream.random() < 0.35 else frozenset[str]()
        found = [self._offer(state, new, wrong, NEW, self.weights[0] if new_weight is None else new_weight)]
        found += [self._mend(state, one) for one in state.drawn if one.defect in state.wrong]
        settled = [one for one in state.drawn if one.defect not in state.wrong]
        if settled:
            old = stream.choice(settled)
            other = drawn.draw(stream, old.name, old.pattern)
            if other != old:
                found.append(self._offer(state, other, frozenset(), AGAIN, self.weights[1]))
        return found

    def _offer(self, state: State, one: Drawn, wrong: frozenset[str], how: str, weight: float) -> Offer:
        rest = tuple(other for other in state.drawn if other.name != one.name)
        after = replace(state, drawn=tuple(sorted((*rest, one), key=lambda d: d.name)), wrong=state.wrong | wrong)
        spoken = one.name.replace("_", " ")
        return self._of(
            one,
            after,
            key=one.name if how == NEW else f"{one.name}_again",
            title=f"A {self.noun} `{one.name}`" if how == NEW else f"`{one.name}` shall do it otherwise",
            vague=(self.by_hand if how == NEW else self.otherwise).format(name=spoken, called=one.name),
            said=(self.first(one, how), *one.tell(), self.undefined(state)),
            weight=weight,
        )

    def _mend(self, state: State, one: Drawn) -> Offer:
        offer = self._of(
            one,
            state.mended(one.defect),
            key=f"mend.{one.name}",
            title=f"`{one.name}` is wrong",
            vague=f"About `{one.name}`: {one.of.defect}.",
            said=(
                f"`{one.name}` does not do what README.md says: {one.of.defect}. Make it do so.",
                *(f"~{line}" for line in one.tell()),
            ),
            weight=1.6,
        )
        return replace(offer, kind="defect", mends=one.defect)

    def _of(
        self, one: Drawn, after: State, *, key: str, title: str, vague: str, said: tuple[str, ...], weight: float
    ) -> Offer:
        file = self.file(one)
        return Offer(
            key,
            "feature",
            title,
            vague,
            said,
            after,
            lambda model, stream: self.draw(after, one, model, stream),
            (f"{after.facts['pkg']}/{file}.py",),
            (one.name,),
            self.area or file,
            weight,
            1,
            about=one.name,
        )


def rows_of(state: State, undefined: str) -> list[dict[str, Any]]:
    """The functions of a state, as the templates of a library write them."""
    return [
        {
            "name": one.name, "kind": KIND[one.of.takes[0]], "python": f"{one.name}_", "doc": one.tell()[0].replace('"', "'")[:100].partition(". ")[0],
            "body": textwrap.indent(one.code(one.defect in state.wrong).replace("UNDEFINED", undefined), "    "),
        }
        for one in state.drawn
    ]  # fmt: skip


def answer_of(known: Mapping[str, Drawn], name: str, value: Any, note: Callable[[str], None]) -> tuple[str, Any]:
    """What a function makes of a value, behind ""; or what is wrong: "missing", "kind" or "undefined"."""
    kinds: Mapping[str, type] = {"number": int, "text": str, "list": list}
    if name not in known:
        note("no such function")
        return "missing", None
    if type(value) is not kinds[known[name].of.takes[0]]:
        note(f"{name} of {type(value).__name__}")
        return "kind", None
    note(f"calls {name}")
    try:
        return "", known[name].answer(lambda what: note(what if what.startswith("drawn.") else f"{name} {what}"), value)
    except drawn.Undefined:
        return "undefined", None


def given_back(register: str, kind: str) -> Ask:
    """Whether what puts functions into the library, standing above one, gives it back."""
    library = "importlib.import_module(PKG.__name__ + '.library')"
    return Ask(
        "name", ("def given(value):", "    return value", f"return {library}.{register}(name, {kind})(given) is given")
    )


def by_name(noun: str, command: str, error: str, by_hand: str) -> Library:
    """Functions that are all asked by one, `command(NAME, value)`; what is undefined raises the fact `error`."""

    def first(one: Drawn, how: str) -> str:
        kind = one.of.takes[0]
        takes = f"a {kind}{' of numbers' if kind == 'list' else ''}"
        new = f"`{one.name}` is a {noun} of {takes}:"
        return new if how == NEW else f"The {noun} `{one.name}` shall do this from now on:"

    def ask(_state: State, one: Drawn, _model: Model, stream: Random) -> Question:
        given = one.arguments(stream)
        given = tuple(given) if isinstance(given, list) else given
        odd = [("x",), "x", 3, True] if one.of.takes[0] != "list" else ["x", 3, True]
        return (command, one.name, given if stream.random() < 0.92 else stream.choice(odd))

    return Library(
        first,
        lambda state: f"What is undefined raises {state.facts[error]}.",
        ask,
        noun=noun,
        by_hand=by_hand,
        otherwise=by_hand,
    )
