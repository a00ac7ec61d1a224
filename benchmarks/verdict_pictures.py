"""The pictures of docs/reading-a-verdict.md, from three simulated shifts: the plots that a shift's report has.

    python benchmarks/verdict_pictures.py docs/images

The shifts are of the nut cell's shape (142 units, one every 76 s, 90.2 % asked), drawn with seed 0: a worker at 99.5 %,
one at 91 %, and one that is at 99.5 % until it breaks after 60 units. Nothing is worked, so it takes seconds.
"""

from __future__ import annotations

import sys
from itertools import accumulate
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from takt.contract.events import SHIFT_ENDED, SHIFT_STARTED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.draw.plots import save
from takt.judge.capability import capability, times_of
from takt.judge.outcomes import Outcomes
from takt.judge.verdict import bounds_over_time, notes, verdict
from takt.show.report import plots

TAKT_S, UNITS = 76.0, 142


def shift(chances: np.ndarray, seed: int) -> list[Event]:
    """A shift whose units are good with these chances (units,)."""
    rng = np.random.default_rng(seed)
    asks = {"good_rate": 0.902, "cycle_s": None, "quantile": 0.95}
    log = [Event(0.0, SHIFT_STARTED, None, {"acceptance": asks, "takt_s": TAKT_S, "control_s": 0.02, "parts": []})]
    for unit, chance in enumerate(chances):
        good, cycle_s = bool(rng.random() < chance), float(rng.gamma(16.0, 14.0 / 16.0))
        data = {"cycle_s": cycle_s if good else None, "parts": {}}
        log.append(Event(unit * TAKT_S, UNIT_DUE, unit))
        log.append(Event((unit + 1) * TAKT_S, UNIT_GOOD if good else UNIT_BAD, unit, data))
    return [*log, Event(UNITS * TAKT_S, SHIFT_ENDED, None, {"reason": "time"})]


def main(folder: Path) -> None:
    shifts = {
        "accept": shift(np.full(UNITS, 0.995), 0),
        "undecided": shift(np.full(UNITS, 0.91), 0),
        "reject": shift(np.where(np.arange(UNITS) < 60, 0.995, 0.5), 0),
    }
    for name, events in shifts.items():
        judged = verdict(events)
        units = Outcomes.of(events).judged
        rate = [good / (i + 1) for i, good in enumerate(accumulate(unit.good is True for unit in units))]
        bounds = bounds_over_time(events)
        ends = [float(unit.ended_s or 0.0) for unit in units]

        def draw(
            figure: Figure, wide: bool, ends: list[float] = ends, rate: list[float] = rate, bounds: list = bounds
        ) -> None:
            plots.draw_good_rate(
                figure, wide, ends, rate, [b.lower for b in bounds], [b.upper for b in bounds], 0.902, UNITS * TAKT_S
            )

        save(f"{judged.decision.upper()}: {judged.why}", 300, draw, folder / f"verdict-{name}.png")
        print(f"verdict-{name}.png: {judged.decision}: {judged.why}. {' '.join(notes(judged))}")
    units = Outcomes.of(shifts["accept"]).judged
    levels = capability(times_of(units))

    def held(figure: Figure, wide: bool) -> None:
        plots.draw_capability(figure, wide, [("", times_of(units), levels)], TAKT_S)

    save("What cycle time it holds, worked at a takt of 76 s", 300, held, folder / "verdict-capability.png")
    for level in levels:
        print(f"verdict-capability.png: {100 * level.level:g} %: seen {level.seen_s}, holds {level.holds_s}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
