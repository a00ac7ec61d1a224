"""Code that is not ours, workers, stations, plug-ins: whatever it raises is told, and ends nothing in silence.

A worker may call `sys.exit(0)`, or raise KeyboardInterrupt, GeneratorExit or whatever else: that is what it did, and
not the end of the program. Only the user's own Ctrl-C and SIGTERM are, which is known while it watches for them.
"""

from __future__ import annotations

import re
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from takt.distribution import lacking
from takt.errors import Leave, TaktError
from takt.secret import masked

OURS = str(Path(__file__).parents[1])
LONGEST_TRACE = 4000  # characters that are kept
_watching = False
_asked = False


@contextmanager
def stops() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt in here, and it is known that they came. For the main thread."""
    global _watching, _asked
    if _watching or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        global _asked
        _asked = True
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # in the background of a shell, or under nohup: it stays so
            signal.signal(number, stop)
    _watching, _asked = True, False
    try:
        yield
    finally:
        _watching = False
        for number, handler in before.items():
            signal.signal(number, handler)


def check_stop() -> None:
    """Raise KeyboardInterrupt if the user asked to stop, and others' code has swallowed it."""
    if _watching and _asked:
        raise KeyboardInterrupt


def asked_to_stop() -> bool:
    """Whether the user has asked to stop since this program began to watch for it."""
    return _asked


def is_stop(error: BaseException) -> bool:
    """Whether an exception out of others' code is the user's wish to stop or a leave, and not what that code did."""
    if isinstance(error, KeyboardInterrupt):
        return _asked or not _watching
    return isinstance(error, Leave)


@contextmanager
def foreign(doing: str) -> Iterator[None]:
    """Others' code runs in here. What it raises becomes a TaktError that says what it was `doing`; TaktErrors stay."""
    try:
        yield
    except TaktError:
        raise
    except BaseException as error:
        if is_stop(error):
            raise
        if isinstance(error, SyntaxError) and error.filename:
            at = f"{Path(error.filename).name}, line {error.lineno}"
            raise TaktError(f"{doing}: {at} is no Python: {error.msg}") from error
        raise TaktError(f"{doing}: {lacking(error) or one_line(error) + where(error)}") from error


def one_line(error: BaseException) -> str:
    """An exception in one line that is the same on every run (an object's address is not), without secrets."""
    try:
        text = masked(_same(" ".join(str(error).split())))
    except BaseException as worse:  # its own __str__ is others' code too
        if is_stop(worse):
            raise
        text = "(it cannot say what)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def where(error: BaseException) -> str:
    """Where in others' code it was raised, to follow `one_line`: " (my_module.py:12)"; "" if it was in ours."""
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(OURS)]
    return f" ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else ""


def trace(error: BaseException) -> str:
    """The traceback from where our code was left, the same on every run, without secrets; its end, if it is long."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((n for n, frame in enumerate(frames) if not frame.filename.startswith(OURS)), len(frames))
    text = "".join([*traceback.format_list(frames[first:]), *_last_lines(error)])
    return masked(_same(text)).strip()[-LONGEST_TRACE:]


def _last_lines(error: BaseException) -> list[str]:
    try:
        return traceback.format_exception_only(error)
    except BaseException as worse:
        if is_stop(worse):
            raise
        return [one_line(error)]


def _same(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)
