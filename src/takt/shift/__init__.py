"""The shift: one worker at one station for a length of station time.

A shift is a pure function: (station, worker, seed, clock, faults, length) -> events. Read `loop.py` first: one control
period, who acts, and when the worker is asked. `work.py` turns control periods into a ledger until the shift is over;
`again.py` works a shift, or one unit of it, once more by that same loop.
"""

from takt.shift.again import repeat_shift as repeat_shift
from takt.shift.again import steps_of_unit as steps_of_unit
from takt.shift.definition import RULES as RULES
from takt.shift.definition import reset_as as reset_as
from takt.shift.result import Progress as Progress
from takt.shift.result import Shift as Shift
from takt.shift.work import resume_shift as resume_shift
from takt.shift.work import run_shift as run_shift
