"""What users are told is wrong. Imports nothing, so that every part of Takt can raise it."""

from __future__ import annotations


class TaktError(Exception):
    """Something the user gave is wrong. Its text is one line that names the thing and the fix; the CLI exits with 2."""


class Busy(TaktError):
    """Another process works on this shift just now; try again when it has ended, or died."""


class Lost(Busy):
    """This process worked on a shift, was not heard of for too long, and another has taken the shift over."""


class Unwritable(TaktError):
    """A ledger cannot be written: its disk is full, or its server is gone. What was written before is whole."""


class Unserved(TaktError):
    """A worker's server gave no answer, whatever it tried. The shift is left at its last unit's end, to go on later."""


class Unseen(TaktError):
    """A station was loaded with a state that it cannot draw; it must work the unit again to show it."""


class Leave(BaseException):
    """Ends the work on a shift from inside, to go on later. No error: nothing that a worker did."""


class Different(UserWarning):
    """What was worked again did not come out as it was."""
