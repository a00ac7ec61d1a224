"""A generated series: which ticket comes when, what its text says at each level, and its hidden tests."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from takt.stations.codedesk.families import writing
from takt.stations.codedesk.families.state import Family, Model, Offer, Posed, Question, Raises, State, Told
from takt.stations.codedesk.families.trial import lines_changed
from takt.stations.codedesk.tickets import Level, Ticket

DRAWS = 400  # questions drawn for a ticket, of which the hidden tests are chosen
FEWEST, MOST = 6, 40  # hidden tests of a ticket
REACH: Mapping[Level, tuple[float, float, float]] = {  # how likely a ticket that reaches through 1, 2, 3 files is
    "easy": (1.0, 0.3, 0.1),
    "plain": (1.0, 1.0, 0.7),
    "hard": (0.4, 1.0, 1.5),
}
UPDATED = 6  # the package's own tests that a change of meaning brings up to date
SHARE = {"value": 2.5}  # of the hidden tests, where questions are of several kinds: the main kind's, others have 1
EXAMPLES: Mapping[Level, int] = {"easy": 4, "plain": 2, "hard": 0}


@dataclass(frozen=True)
class Step:
    """A ticket with what it was made from."""

    ticket: Ticket
    after: State
    questions: tuple[tuple[Question, Posed], ...]
    key: str


class Generated:
    """The series of a family, a level and a seed. Tickets are made in order, as far as they are asked for."""

    length: int | None = None
    python: tuple[str, ...] = ("python3",)

    def __init__(self, family: Family, level: Level, seed: int) -> None:
        self.family, self.level, self.seed = family, level, seed
        self.name = family.name
        self._start = family.start(self._stream("start"))
        self._start = self._with_first_tests(self._start)
        self._common = self._first_notes()
        self._steps: list[Step] = []
        self._tree = writing.whole_tree(family, self._start)
        self._first_tree = self._tree
        self._noted: Counter[str] = Counter()  # how many tickets' tests went through a part of the specification
        self._asked: dict[str, tuple[Question, Posed]] = {}  # node id -> question of tests that hold

    def base(self) -> Mapping[str, str | bytes]:
        return dict(self._first_tree)

    def ticket(self, number: int) -> Ticket:
        return self.step(number).ticket

    def step(self, number: int) -> Step:
        """Ticket `number` and what it was made from."""
        if number < 0:
            raise IndexError(number)
        while len(self._steps) <= number:
            self._add()
        return self._steps[number]

    def faults(self, number: int) -> Mapping[str, frozenset[int]]:
        """Lines of the reference's files after ticket `number` that are defects of its own, of which nobody has been
        told yet: as they are with a defect, and are not without it."""
        state = self.step(number).after
        found: dict[str, set[int]] = {}
        tree = self.family.tree(state)
        for defect in state.wrong:
            right = self.family.tree(state.mended(defect))
            for path, text in tree.items():
                if text != right.get(path):
                    found.setdefault(path, set()).update(lines_changed(right.get(path, ""), text))
        return {path: frozenset(lines) for path, lines in found.items()}

    def _stream(self, *what: object) -> Random:
        return Random("/".join(map(str, ("takt", "codedesk", self.family.name, self.seed, *what))))

    def _with_first_tests(self, state: State) -> State:
        model, stream = self.family.model(state), self._stream("own")
        draw = self.family.first_questions
        posed = _pool(model, lambda: draw(model, stream), state, 60)
        chosen = tuple(question for question, _ in _spread(posed, 24, stream))
        own = tuple(("basics", f"it_works_{number + 1}", chosen[number::6]) for number in range(6) if chosen[number::6])
        return replace(state, own=own, log=("The first version",))

    def _first_notes(self) -> frozenset[str]:
        """What questions to the first version come across."""
        model, stream = self.family.model(self._start), self._stream("common")
        pool = _pool(model, lambda: self.family.first_questions(model, stream), self._start, 200)
        return frozenset(note for _, posed in pool for note in posed.notes)

    def _add(self) -> None:
        number = len(self._steps)
        before = self._steps[-1].after if self._steps else self._start
        stream = self._stream(self.level, number)
        offers = self.family.offers(before, stream)
        recent = {step.ticket.kind for step in self._steps[-2:] if step.ticket.kind != "feature"}
        while offers:
            weights = [
                one.weight * REACH[self.level][one.reach - 1] * (0.4 if one.kind in recent else 1) for one in offers
            ]
            offer = self._harmless(offers.pop(stream.choices(range(len(offers)), weights)[0]), before)
            chosen = self._questions(offer, before, stream)
            if chosen:
                self._steps.append(self._make(number, offer, before, chosen, stream))
                return
        raise AssertionError(f"{self.family.name}, seed {self.seed}: nothing can follow ticket {number - 1}")

    def _harmless(self, offer: Offer, before: State) -> Offer:
        """The offer without those of its defects that a hidden test that holds would find."""
        brought = offer.after.wrong - before.wrong
        if not brought:
            return offer
        model = self.family.model(offer.after)
        found: set[str] = set()
        for question, _ in self._asked.values():
            posed = model.pose(question)
            found |= (posed.notes if posed is not None else frozenset()) & brought
        return replace(offer, after=replace(offer.after, wrong=offer.after.wrong - found)) if found else offer

    def _questions(self, offer: Offer, before: State, stream: Random) -> list[tuple[Question, Posed]]:
        """Hidden tests: new behaviour first, spread over what the specification distinguishes; [] where too few are new."""
        model, old = self.family.model(offer.after), self.family.model(before)
        pool = _pool(model, lambda: offer.draw(model, stream), offer.after, DRAWS)
        new = [one for one in pool if _is_new(one, old, offer, before)]
        asked = {posed.key for _, posed in new}
        want = stream.randint(30, 36)
        chosen = _spread(new, want, stream, self._common)
        if len(chosen) < min(FEWEST, 3):
            return []
        chosen += _spread(
            [one for one in pool if one[1].key not in asked],
            min(MOST - len(chosen), 8 if offer.kind in ("feature", "defect") else 18),
            stream,
            self._common,
        )
        return chosen if len(chosen) >= FEWEST else []

    def _make(
        self, number: int, offer: Offer, before: State, chosen: list[tuple[Question, Posed]], stream: Random
    ) -> Step:
        after = self._documented(offer, stream)
        tree = writing.whole_tree(self.family, after)
        title = offer.title
        posed = [one for _, one in chosen]
        retires = self._retire(self.family.model(after), after)
        hidden = writing.hidden_file(self.family.asks(after.facts), after.facts["pkg"], title, posed)
        ticket = Ticket(
            number=number,
            title=title,
            text=self._text(offer, after, posed),
            kind=offer.kind,
            named=offer.files + offer.names if self.level == "easy" else offer.names,
            hidden={writing.hidden_path(number): hidden},
            settings=writing.settings(after),
            reference=_difference(self._tree, tree),
            retires=retires,
            level=self.level,
        )
        self._tree = tree
        self._noted.update({note for one in posed for note in one.notes})
        self._common |= {note for note, number in self._noted.items() if number >= 3}
        for place, (question, one) in enumerate(chosen):
            self._asked[writing.node(number, one.ask, place)] = (question, one)
        return Step(ticket, after, tuple(chosen), offer.key)

    def _documented(self, offer: Offer, stream: Random) -> State:
        """The state with a README section, a line in the change log and tests of its own."""
        state = offer.after
        model = self.family.model(state)
        pool = _pool(model, lambda: offer.draw(model, stream), state, 40)
        own = tuple(question for question, _ in _spread(pool, 5, stream))
        name = offer.key.replace(".", "_").replace("-", "_")
        taken = {test for _, test, _ in state.own}
        name = next(one for one in (name, *(f"{name}_{again}" for again in range(2, 99))) if one not in taken)
        state = replace(state, own=self._kept_tests(state, model))
        told = dict(state.told)
        for key, title, said in offer.amends:
            if key in told:
                told[key] = replace(told[key], title=title, lines=tuple(line.removeprefix("~") for line in said))
        if offer.kind == "feature":
            lines = tuple(line.removeprefix("~") for line in offer.said)
            told[offer.about or offer.key] = Told(offer.title, lines, own[:2])
        return replace(
            state,
            own=(*state.own, (offer.area, name, own)) if own else state.own,
            told=told,
            log=(*state.log, offer.title),
        )

    def _kept_tests(self, state: State, model: Model) -> tuple[tuple[str, str, tuple[Question, ...]], ...]:
        """The package's own tests without most of those whose answers change: a few are brought up to date, others go."""
        old = self.family.model(self._steps[-1].after if self._steps else self._start)
        kept, left = [], UPDATED
        for area, name, questions in state.own:
            some = []
            for question in questions:
                same = old.pose(question) == model.pose(question)
                left -= not same
                if same or left >= 0:
                    some.append(question)
            if some:
                kept.append((area, name, tuple(some)))
        return tuple(kept)

    def _text(self, offer: Offer, after: State, posed: list[Posed]) -> str:
        said = [line.removeprefix("~") for line in offer.said if self.level != "hard" or not line.startswith("~")]
        text = "\n".join([offer.vague, "", *said])
        shown = writing.examples(self.family.asks(after.facts), after, posed)[: EXAMPLES[self.level]]
        if shown:
            text += "\n\nFor instance:\n" + "\n".join(f"    {line}" for line in shown)
        if self.level == "easy" and offer.files:
            text += "\n\nWhere: " + ", ".join(offer.files) + "."
        if self.level == "hard":
            text += "\nWhat is not said here is in README.md and docs/conventions.md."
        return text + "\n"

    def _retire(self, model: Model, after: State) -> tuple[str, ...]:
        """Node ids of earlier tests whose question the specification answers otherwise now; whole files where all are.

        Withdrawn is as well what comes upon a defect of the reference only now: nobody has been told of that yet.
        """
        gone = []
        for node, (question, posed) in self._asked.items():
            now = model.pose(question)
            if now is None or _differ(now, posed) or now.notes & after.wrong:
                gone.append(node)
        for node in gone:
            del self._asked[node]
        files = {node.partition("::")[0] for node in gone}
        held = {node.partition("::")[0] for node in self._asked}
        whole = sorted(files - held)
        return (*whole, *(node for node in gone if node.partition("::")[0] not in whole))


def _pool(model: Model, draw: object, state: State, count: int) -> list[tuple[Question, Posed]]:
    """Questions drawn and posed, each once, none that goes through a defect that the reference has."""
    assert callable(draw)
    found: dict[tuple[str, str], tuple[Question, Posed]] = {}
    for _ in range(count):
        question = draw()
        posed = model.pose(question)
        if posed is not None and not posed.notes & state.wrong:
            found.setdefault(posed.key, (question, posed))
    return list(found.values())


def _is_new(one: tuple[Question, Posed], old: Model, offer: Offer, before: State) -> bool:
    """Whether the tree before answers this question otherwise, or not at all."""
    question, posed = one
    if offer.mends is not None:
        return offer.mends in posed.notes
    former = old.pose(question)
    return former is None or _differ(former, posed) or bool(former.notes & before.wrong)


def _differ(one: Posed, other: Posed) -> bool:
    """Whether two answers are different; 1 and True are."""
    return one != other or repr(one.expected) != repr(other.expected)


def _spread(
    pool: list[tuple[Question, Posed]], count: int, stream: Random, common: frozenset[str] = frozenset()
) -> list[tuple[Question, Posed]]:
    """Up to `count` of the pool, so that every branch of the specification is asked for, those first that are not `common`.

    Kinds of questions take turns, and no more than two in five are of errors while there are others.
    """
    left = list(pool)
    stream.shuffle(left)
    left.sort(key=lambda one: len(repr(one[1].given)) > 160)  # long ones only where they are needed
    often = Counter(note for _, posed in left for note in posed.notes)
    worth = {  # what is noted rarely is worth more, and what any question notes is worth little
        note: (0.02 if note in common else 1.0) / (1 + number / len(left) * 4) for note, number in often.items()
    }
    seen: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    chosen: list[tuple[Question, Posed]] = []
    while left and len(chosen) < count:
        if sum(isinstance(posed.expected, Raises) for _, posed in chosen) * 5 > count * 2:
            left = [one for one in left if not isinstance(one[1].expected, Raises)] or left
        fewest = min(kinds[kind] / SHARE.get(kind, 1) for kind in {question[0] for question, _ in left})
        best, most = -1, -1.0
        for at, (question, posed) in enumerate(left):
            if kinds[question[0]] / SHARE.get(question[0], 1) > fewest:
                continue
            gain = math.fsum(worth[note] / 5 ** seen[note] for note in posed.notes)  # in any order the same
            if gain > most:
                best, most = at, gain
        one = left.pop(best)
        chosen.append(one)
        kinds[one[0][0]] += 1
        seen.update(one[1].notes)
    return chosen


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | bytes | None]:
    changed: dict[str, str | bytes | None] = {path: text for path, text in after.items() if before.get(path) != text}
    changed.update({path: None for path in before if path not in after})
    return dict(sorted(changed.items()))
