"""Where the program prints. A pipe that is closed is an error like any other, and not the end of the process."""

from __future__ import annotations

import errno
import os

from rich.console import Console

from takt.show.console import PlainConsole


class Terminal(PlainConsole):
    """A console of rich's. Rich itself ends the process when a pipe is closed, in the middle of a shift, too."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def out() -> Console:
    """For results."""
    return Terminal()


def err(quiet: bool = False) -> Console:
    """For progress; drawn in place on a terminal unless `quiet`."""
    return Terminal(stderr=True, force_terminal=False if quiet else None)
