"""A module as a program of its own, for the board, which opens no station and no worker (`takt.board.held`)."""

from __future__ import annotations

import sys
from collections.abc import Callable

from takt.errors import TaktError


def exit_code(work: Callable[[], object]) -> int:
    """Do it. 0; or 2, with a line on stderr, where it cannot be done."""
    try:
        work()
    except (TaktError, OSError) as error:
        print(f"takt: {error}", file=sys.stderr)
        return 2
    return 0
