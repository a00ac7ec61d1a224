"""A comparison as one HTML page: who is better, the bound over the units, and what was compared."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from takt.contract.events import Event
from takt.draw import plots
from takt.draw.pages import templates
from takt.judge.compare import curve
from takt.judge.compared_shifts import times
from takt.judge.comparison import Comparison, Pair, comparison_notes, decision, points, promise
from takt.judge.side_by_side import differing, only_one, reasons
from takt.show.report.plots import capability
from takt.writing import PAGE, whole_file

MOST_ROWS = 40  # reasons, and units that only one did


def write_comparison(
    found: Comparison,
    shifts: Mapping[str, Sequence[Iterable[Event]]],
    out: str | os.PathLike[str],
    standing: Mapping[str, str] | None = None,
) -> Path:
    """Write the comparison of these shifts (the events that `compare` was given) to `out`, and return its path.

    standing   what stands behind each ledger's figures (`takt.shift.verification`).
    """
    drawn = [
        (pair, difference(pair, *curve(shifts, pair.a, pair.b, found.each_alpha), found.margin)) for pair in found.pairs
    ]
    took = times(shifts)
    curves = [(one.worker, took[one.worker], one.capability) for one in found.standings if one.capability]
    held = capability(curves) if any(math.isfinite(t) for _, of, _ in curves for t in of) else None
    page = templates(Path(__file__).parent).get_template("comparison.html.j2")
    with whole_file(Path(out), PAGE) as new:
        text = page.render(
            found=found,
            drawn=drawn,
            held=held,
            notes=comparison_notes,
            promise=promise(found),
            points=points,
            decision=decision,
            standing=standing or {},
            reasons=reasons(shifts)[:MOST_ROWS],
            only={(pair.a, pair.b): only_one(shifts, pair.a, pair.b) for pair in found.pairs},
            differing=differing(shifts),
            most=MOST_ROWS,
        )
        new.write_text(text, encoding="utf-8")
    return Path(out)


def difference(
    pair: Pair, mean: Sequence[float], lower: Sequence[float], upper: Sequence[float], margin: float | None
) -> plots.Plot:
    """The difference in good rate so far with its bound by unit, after each unit; at the right end the verdict's."""
    units = range(1, len(mean) + 1)

    def draw(figure: Figure, wide: bool) -> None:
        axes = figure.add_axes((0.065 if wide else 0.16, 0.13, 0.9 if wide else 0.78, 0.83))
        axes.fill_between(units, lower, upper, step="post", color=plots.ACCENT, alpha=0.16, linewidth=0)
        axes.step(units, mean, where="post", color=plots.ACCENT, linewidth=2)
        axes.axhline(0.0, color=plots.INK, linewidth=1.2, dashes=(4, 3))
        for level in (-margin, margin) if margin else ():
            axes.axhline(level, color=plots.MUTED, linewidth=1.0, dashes=(1, 3))
        end = max(len(mean), 1)
        axes.plot(
            [end, end], [pair.lower, pair.upper], color=plots.INK, linewidth=3, solid_capstyle="butt", clip_on=False
        )
        settled = slice(len(mean) // 8, None)
        low = min([-0.05, pair.lower, *lower[settled]])
        high = max([0.05, pair.upper, *upper[settled]])
        axes.set_xlim(0, end)
        axes.set_ylim(low - 0.03, high + 0.03)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.0f}" if value else "0"))

    return plots.plot(f"{pair.a} minus {pair.b}", 300, draw)
