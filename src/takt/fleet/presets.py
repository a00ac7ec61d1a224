"""Acceptance by citation: what somebody published of a robot at work, as a job that a worker here can be judged by.

Each says where it stands and what it was: a figure *achieved* over a stated time, or a *target* that was set. A verdict
against one says that a worker here meets that number at its own station; the published machine was at another one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A job: `good_rate` of the units within `cycle_s`.

    kind     "achieved", "target", or "press" (said to a newspaper, with no number of units).
    """

    good_rate: float
    cycle_s: float | None
    kind: str
    source: str

    @property
    def words(self) -> str:
        limit = "" if self.cycle_s is None else f" within {self.cycle_s:g} s"
        return f"{100 * self.good_rate:g} % good{limit} ({self.kind})"


PRESETS = {
    "xiaomi-2026": Preset(
        0.902,
        76.0,
        "achieved",
        "Xiaomi's humanoid at a self-tapping-nut station: both sides seated in 90.2 % of units over three hours, 76 s "
        "the line's fastest beat; the number of units is not disclosed (Xiaomi, 2026)",
    ),
    "figure-bmw": Preset(
        0.99,
        84.0,
        "target",
        "Figure 02 loading sheet metal at BMW Spartanburg: 84 s a cycle and over 99 % a shift were the targets; "
        "1,250 h of running are reported, a rate achieved is not (Figure, 2025)",
    ),
    "agibot-longcheer": Preset(
        0.985,
        18.0,
        "press",
        "AgiBot G2 at Longcheer's tablet line: 18 s a cycle, over 98.5 % (company to the press, 2026)",
    ),
}
