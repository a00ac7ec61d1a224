"""A few hundred of what `benchmarks/fuzz.py` makes ten thousand of."""

from __future__ import annotations

from collections import Counter

import fuzz
import pytest


@pytest.mark.parametrize(("job", "examples"), [("answers", 400), ("tool_calls", 200), ("environments", 200)])
def test_random_input_from_strangers_is_answered_refused_or_one_line(job: str, examples: int) -> None:
    count = Counter[str]()
    fuzz.JOBS[job](examples, 18, count)
    assert sum(count.values()) >= examples * 0.9 and len(count) > 1, "Hypothesis leaves out what it has had"
