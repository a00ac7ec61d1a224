"""The shift: one worker at one station for a length of station time.

A shift is a pure function: (station, worker, seed, clock, faults, length) -> events. Read `loop.py` first: one control
period, who acts, and when the worker is asked. `work.py` turns control periods into a ledger until the shift is over;
`again.py` works a shift, or one unit of it, once more by that same loop. Its names are imported when they are asked
for: who reads a shift (`Shift`) needs nothing of what works one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from takt.late import late

if TYPE_CHECKING:
    from takt.shift.again import repeat_shift, steps_of_unit
    from takt.shift.definition import RULES, reset_as
    from takt.shift.result import Progress, Shift
    from takt.shift.work import resume_shift, run_shift

__all__ = ["RULES", "Progress", "Shift", "repeat_shift", "reset_as", "resume_shift", "run_shift", "steps_of_unit"]

__getattr__ = late(
    __name__,
    {
        "again": "repeat_shift steps_of_unit",
        "definition": "RULES reset_as",
        "result": "Progress Shift",
        "work": "resume_shift run_shift",
    },
)
