"""Which lesson comes when: what was measured on the way, and the draw of each step's lessons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from takt.train.lessons import Lesson, balanced, forks, rare, upto_fork

CORRECTED = 0.5  # of a step's lessons, where there are corrections: as many of a learner's own as of the teacher's


class Curve:
    """What was measured on the way, a JSON object a line: `step`, and what is known of the model then."""

    def __init__(self, path: Path, begun: int) -> None:
        """`begun`: the step that training goes on from; what was measured later than that is measured again."""
        self._path, self.rows = path, list[dict[str, Any]]()
        if path.is_file():
            kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            self.rows = [row for row in kept if row["step"] <= begun and begun]

    def add(self, row: dict[str, Any]) -> None:
        self.rows = [known for known in self.rows if known["step"] != row["step"]] + [row]
        self._path.write_text("".join(json.dumps(known) + "\n" for known in self.rows), encoding="utf-8")

    def wrong_before(self, step: int) -> dict[str, float]:
        """The shares of wrong calls by kind, as last measured before a step; {} if never."""
        known = [row for row in self.rows if row["step"] < step and "held_out" in row]
        if not known:
            return {}
        return {kind: 1.0 - call / many for kind, (many, _, call) in known[-1]["held_out"]["by_kind"].items()}


class Order(torch.utils.data.Dataset[Lesson]):
    """Which lesson comes when: drawn anew for each step, rare kinds and those that go wrong more often.

    A step's lessons are drawn evenly over the kinds (systematic sampling: one point, and as many more at equal
    distances), so that each step has of each kind what it should, rounded up or down. Drawn each by itself, a step has
    now more of one kind and now of another, and what a small model learns first is which came last.

    Corrections (`takt export --corrected-by`) have a share of each step, whatever their number: drawn with the others
    they would drown. Kinds of error are balanced among them as kinds of conversation are.

    A place's lesson follows from the seed and the curve alone, so that a resumed training goes on alike. Errors
    measured after a step count from the second batch after it: the next one has been fetched by then.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        places: int,
        batch: int,
        balance: float,
        seed: int,
        curve: Curve,
        short: float,
        corrected: float = CORRECTED,
    ) -> None:
        self._lessons, self._places, self._batch, self._balance = lessons, places, batch, balance
        self._seed, self._curve, self._share = seed, curve, corrected
        self._own = torch.tensor([lesson.corrected for lesson in lessons])
        self._for, self._drawn, self._cut = -1, list[int](), set[int]()
        self._short, self._forks = short, forks(lessons) if short else frozenset[str]()
        self._rare = rare(lessons) if short else frozenset[str]()

    def __len__(self) -> int:
        return self._places

    def __getitem__(self, place: int) -> Lesson:
        step = place // self._batch
        if step != self._for:
            self._for, self._drawn = step, self._step(step)
            self._cut = self._shortened(self._drawn)
        at = place % self._batch
        lesson = self._lessons[self._drawn[at]]
        return upto_fork(lesson, self._forks) if at in self._cut else lesson

    def _shortened(self, drawn: Sequence[int]) -> set[int]:
        """The places of a step whose lessons end early: the rare kinds last, and a correction never, which is wrong
        most often in what a call says."""
        lessons = [self._lessons[at] for at in drawn]
        places = [at for at, lesson in enumerate(lessons) if not lesson.corrected]
        places.sort(key=lambda at: lessons[at].kinds in self._rare)
        return set(places[: round(self._short * len(places))])

    def _step(self, step: int) -> list[int]:
        """The lessons of a step, in an order that is drawn too."""
        rng = torch.Generator().manual_seed(self._seed * 1_000_003 + step)
        chances = torch.tensor(
            balanced(self._lessons, self._balance, self._curve.wrong_before(step)), dtype=torch.float64
        )
        shuffled = torch.randperm(len(self._lessons), generator=rng).tolist()
        own = self._own
        if self._share and own.any() and not own.all():  # the corrections, which are few, have a share of their own
            chances[own] *= self._share / chances[own].sum()
            chances[~own] *= (1.0 - self._share) / chances[~own].sum()
        beside = sorted(shuffled, key=lambda at: (bool(own[at]), self._lessons[at].kinds))  # stable: else as shuffled
        upto = chances[beside].cumsum(0)
        points = (torch.arange(self._batch) + torch.rand(1, generator=rng)) / self._batch * upto[-1]
        drawn = torch.searchsorted(upto, points, right=True).clamp(max=len(beside) - 1)
        mixed = torch.randperm(self._batch, generator=rng)
        return [beside[at] for at in drawn[mixed].tolist()]
