"""Asking again: exponential back-off with jitter, so that a fleet of shifts does not come back all at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from takt.contract import exchange
from takt.workers.llm.answer import Reply
from takt.workers.llm.refusals import NoAnswer

LONGEST_WAIT_S = 60.0  # of our own accord
LONGEST_TOLD_S = 600.0  # if the server says when to come back


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that came to nothing, and how long was waited after it."""

    failure: NoAnswer
    waited_s: float


def ask_patiently(
    ask: Callable[[], Reply], retries: int, backoff_s: float, rng: random.Random, first: bool = False
) -> tuple[Reply | None, list[Attempt]]:
    """The answer, or None when it has been asked for `retries` times more; and what failed before.

    first    of a shift: a server that cannot be reached was never started, or is another, and is not waited for.
    """
    failed: list[Attempt] = []
    while True:
        try:
            return ask(), failed
        except NoAnswer as failure:
            if failure.hopeless or len(failed) >= retries or (first and failure.kind == "connection"):
                return None, [*failed, Attempt(failure, 0.0)]
            own_s = exchange.backoff_s(len(failed), backoff_s, LONGEST_WAIT_S, rng)
            wait_s = round(max(own_s, min(failure.retry_after_s, LONGEST_TOLD_S)), 3)
            failed.append(Attempt(failure, wait_s))
            time.sleep(wait_s)
