"""The outermost boundary of the program `takt`: whatever happens inside, one line on stderr and a documented exit code.

Imports nothing heavy, so that Ctrl-C is understood from the first moment on.
"""

from __future__ import annotations

import os
import re
import select
import sys
from collections.abc import Callable
from contextlib import suppress

COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # others' words may have them
LONGEST_WORD, LONGEST_LINE = 1024, 4096  # characters of a complaint; a path may have so many
INTERRUPTED = 130
UNREAD = 141  # 128 + SIGPIPE, as a shell says it of others
WRONG = 2
TRACEBACK = "TAKT_TRACEBACK"  # an environment variable: fault reports with all of it


def main() -> int:
    """The program; returns its exit code."""

    def work() -> int:
        from takt.cli import command

        return command(sys.argv[1:])

    return bounded(work)


def bounded(work: Callable[[], int]) -> int:
    """Do it, and return its exit code. What it raises is one line on stderr and the exit code for that."""
    if not _streams():
        complain("stdout is closed, and results go there; for none of them: > /dev/null")
        return WRONG
    try:
        from takt.contract.foreign import stops
        from takt.show.console import write_anything

        write_anything()
        with stops():
            code = work()
            sys.stdout.flush()
            return code
    except BaseException as error:
        code, text = _told(error)
        if os.environ.get(TRACEBACK):
            import traceback

            traceback.print_exc()
        if text:
            complain(text)
        return code


def complain(text: str) -> None:
    """One line on stderr; nothing if that cannot be written either."""
    with suppress(OSError, ValueError):
        from takt.printable import printable, shortened

        text = COLOURS.sub("", text)
        # What was given, or a server said, is in many a line: none of it may fill a screen.
        line = " ".join(word if len(word) <= LONGEST_WORD else shortened(word) for word in text.split())
        print(f"takt: {printable(shortened(line, LONGEST_LINE))}", file=sys.stderr, flush=True)


def _told(error: BaseException) -> tuple[int, str]:
    """The exit code for an exception, and the line."""
    if isinstance(error, KeyboardInterrupt) or _was_a_stop(error):
        _lost_stdout()
        return INTERRUPTED, "interrupted"
    unread, lost = _reader_left(), _lost_stdout()  # in this order: what is lost leads nowhere afterwards
    if _of_rich(error) or (unread and isinstance(error, BrokenPipeError)):
        # Whoever reads has read enough of it (`| head`): as if SIGPIPE had ended it, but that all was put away.
        return (0 if {"-h", "--help"} & set(sys.argv[1:]) else UNREAD), ""
    if lost and not unread:
        return WRONG, f"cannot write to stdout: {lost}"
    from takt.contract.foreign import one_line, where
    from takt.distribution import lacking
    from takt.errors import TaktError

    if isinstance(error, TaktError):
        return WRONG, str(error) + _nearly(error.__cause__ or error.__context__, str(error))
    if missing := lacking(error):
        return WRONG, missing
    if isinstance(error, OSError):
        # An output that is flushed loses what it holds when that fails, so it cannot be tried again.
        what = f"read or write {error.filename}" if error.filename else "write to stdout"
        return WRONG, f"cannot {what}: {error.strerror or error}{_nearly(error)}"
    if isinstance(error, MemoryError):
        return WRONG, "there is not enough memory for this"
    at = where(error) or f" ({_last_of_ours(error)})"
    if isinstance(error, (SystemExit, GeneratorExit)):
        return WRONG, f"something that was imported or called ended the program: {one_line(error)}{at}"
    return WRONG, f"a fault of Takt's own: {one_line(error)}{at}; {TRACEBACK}=1 shows all of it, please report it"


def _nearly(error: BaseException | None, said: str = "") -> str:
    """The file that was meant, where an error is that there is none of its name."""
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str) or "did you mean" in said:
        return ""
    from takt.meant import near_file

    return near_file(error.filename)


def _was_a_stop(error: BaseException) -> bool:
    """Whether a library has made something else of a Ctrl-C that came in the middle of its work."""
    from takt.contract.foreign import asked_to_stop
    from takt.errors import TaktError

    return asked_to_stop() and not isinstance(error, TaktError)


def _of_rich(error: BaseException) -> bool:
    """Whether rich ended the program because a pipe is closed; help is printed by a console that is not ours."""
    if not isinstance(error, SystemExit):
        return False
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and at.tb_frame.f_code.co_name == "on_broken_pipe"


def _last_of_ours(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at is not None else "?"


def _reader_left() -> bool:
    """Whether stdout is a pipe that nobody reads any more."""
    try:
        asked = select.poll()
        asked.register(sys.stdout.fileno(), 0)
        return any(told & (select.POLLERR | select.POLLHUP) for _, told in asked.poll(0))
    except (OSError, ValueError, AttributeError):  # it is no file; or this is Windows, which has no poll
        return False


def _lost_stdout() -> str:
    """Why stdout cannot be written, "" if it can. What is left to be written there goes nowhere then."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or str(error)
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        return told
    return ""


def _streams() -> bool:
    """Whether there is a stdout. Those that are closed lead nowhere then: else the next file would take their place."""
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if name in closed:
            try:
                os.fstat(number)
            except OSError:
                os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    return "stdout" not in closed


if __name__ == "__main__":
    sys.exit(main())
