"""What all families' offers have in common: a feature as data, defects that come with one, functions without end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from takt.stations.codedesk.families.state import Model, Offer, Question, State
from takt.stations.codedesk.tickets import Kind

Draw = Callable[[State, Model, Random], Question]


@dataclass(frozen=True)
class Feature:
    """Something that a package can have or not have. Texts are filled with the state's facts (`{name}`)."""

    key: str
    title: str
    vague: str
    said: tuple[str, ...]
    draw: Draw
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    area: str = "basics"
    reach: int = 2
    kind: Kind = "feature"
    brings: Mapping[str, float] = field(default_factory=dict)  # defects, and how likely the reference brings each
    brings_if: Callable[[State, str], bool] = lambda state, defect: True
    weight: float = 1.0
    if_: Callable[[State], bool] = lambda state: True

    def offer(self, state: State, stream: Random) -> Offer | None:
        """The ticket that asks for it; None where it is there already or cannot be yet."""
        if state.has(self.key) or not set(self.needs) <= set(state.on) or not self.if_(state):
            return None
        drawn = {defect: stream.random() < chance for defect, chance in self.brings.items()}
        wrong = frozenset(defect for defect, yes in drawn.items() if yes and self.brings_if(state, defect))
        after = state.plus(self.key, wrong=wrong)
        return Offer(
            self.key, self.kind, self.title.format(**state.facts), self.vague.format(**state.facts),
            tuple(line.format(**state.facts) for line in self.said), after, lambda model, s: self.draw(after, model, s),
            tuple(one.format(**state.facts) for one in self.files), tuple(one.format(**state.facts) for one in self.names),
            self.area, self.weight, self.reach,
        )  # fmt: skip


@dataclass(frozen=True)
class Defect:
    """Something that is wrong in the reference for a while."""

    key: str
    title: str
    vague: str
    said: tuple[str, ...]
    draw: Draw
    files: tuple[str, ...] = ()
    area: str = "defects"
    reach: int = 1
    weight: float = 1.6

    def offer(self, state: State) -> Offer | None:
        if self.key not in state.wrong:
            return None
        after = state.mended(self.key)
        return Offer(
            f"mend.{self.key}", "defect", self.title.format(**state.facts), self.vague.format(**state.facts),
            tuple(line.format(**state.facts) for line in self.said), after, lambda model, s: self.draw(after, model, s),
            tuple(one.format(**state.facts) for one in self.files), (), self.area, self.weight, self.reach, self.key,
        )  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A meaning that was so and shall be otherwise. `to` gives the facts that change."""

    key: str
    title: str
    vague: str
    said: tuple[str, ...]
    to: Callable[[State, Random], Mapping[str, Any] | None]
    draw: Draw
    files: tuple[str, ...] = ()
    area: str = "changes"
    reach: int = 2
    weight: float = 0.6

    def offer(self, state: State, stream: Random, worded: Callable[[State], State]) -> Offer | None:
        """None where it makes no sense, or was asked for before. `worded`: facts that are sentences on other facts."""
        done = f"change.{self.key}"
        facts = None if state.has(done) else self.to(state, stream)
        if facts is None:
            return None
        after = worded(state.plus(done, **facts))
        words = {**after.facts, **{f"old_{name}": value for name, value in state.facts.items()}}
        return Offer(
            done, "feature", self.title.format(**words), self.vague.format(**words),
            tuple(line.format(**words) for line in self.said), after, lambda model, s: self.draw(after, model, s),
            tuple(one.format(**words) for one in self.files), (), self.area, self.weight, self.reach,
        )  # fmt: skip


def gather(
    state: State,
    stream: Random,
    features: Sequence[Feature],
    defects: Sequence[Defect],
    changes: Sequence[Change],
    worded: Callable[[State], State] = lambda state: state,
) -> list[Offer]:
    """What of these can be asked for now."""
    found: list[Offer | None] = [one.offer(state, stream) for one in features]
    found += [one.offer(state) for one in defects]
    changed = [one for one in (change.offer(state, stream, worded) for change in changes) if one is not None]
    found += [replace(one, amends=_amended(features, state, one.after)) for one in changed]
    return [one for one in found if one is not None]


def _amended(features: Sequence[Feature], before: State, after: State) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """What the README says otherwise of what there is already, where a change gives it another meaning."""
    there = [one for one in features if before.has(one.key)]
    told = [(one, [text.format(**after.facts) for text in (one.title, *one.said)]) for one in there]
    return tuple(
        (one.key, title, tuple(lines))
        for one, (title, *lines) in told
        if [title, *lines] != [text.format(**before.facts) for text in (one.title, *one.said)]
    )
