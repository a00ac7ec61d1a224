"""`python -m takt.board.held MODULE WORDS...`: a module as a program that ends when whoever began it does, however that
ends: standard input is a pipe that nothing is written to, and its end is the end of the whole group of processes.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def main(words: list[str]) -> None:
    """Must be the leader of its group (a session of its own): all of the group is killed."""
    held = os.dup(0)  # not inherited, unlike 0
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    threading.Thread(target=_watch, args=(held,), daemon=True, name="held").start()
    sys.argv = [words[0], *words[1:]]
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _watch(held: int) -> None:
    while os.read(held, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
