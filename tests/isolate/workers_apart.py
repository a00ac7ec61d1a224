"""Workers for the tests of isolation, opened by name in a process of their own."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from takt.contract.worker import Finished, Plan


class Counting:
    """Pushes by its own seed and memory, and says how often it was asked."""

    def __init__(self, every: int = 5) -> None:
        self.every = every

    def begin(self, spec: Any, seed: int) -> None:
        self.rng, self.asked, self.said = np.random.default_rng(seed), 0, []

    def act(self, observation: Any) -> Plan:
        self.asked += 1
        self.said = [{"asked": self.asked, "pile": float(observation["pile"][0])}]
        print("for people, not for the shift")
        if self.asked % 7 == 0:
            raise ValueError(f"cannot do {self.asked}")
        return Plan(self.rng.uniform(-1, 1, (self.every, 2)).astype(np.float32))

    def end(self) -> None: ...

    def save(self) -> bytes:
        return repr((self.asked, self.rng.bit_generator.state)).encode()

    def load(self, state: bytes) -> None:
        self.asked, self.rng.bit_generator.state = eval(state)

    def keep_in(self, journal: Any) -> None:
        self.journal = journal

    def records(self) -> list[Any]:
        said, self.said = self.said, []
        for record in said:
            number = record["asked"]
            if self.journal.recall(number) is None:
                self.journal.note(number, record)
        return said


class Leaving:
    """Ends its process in the third call, as a segmentation fault would."""

    def begin(self, spec: Any, seed: int) -> None:
        self.asked = 0

    def act(self, observation: Any) -> Any:
        self.asked += 1
        if self.asked == 3:
            os._exit(11)
        return [np.ones(2, np.float32)]

    def end(self) -> None: ...


class Exiting(Leaving):
    def act(self, observation: Any) -> Any:
        sys.exit(0)


class Done(Leaving):
    def act(self, observation: Any) -> Any:
        raise Finished("enough", failed=True)


class Answering(Leaving):
    """Answers with what no plan is."""

    def __init__(self, what: str = "mapping") -> None:
        self.what = what

    def act(self, observation: Any) -> Any:
        return {"mapping": {"a": 1}, "none": None, "object": object(), "nan": [[float("nan"), 0.0]]}[self.what]


class Lying(Leaving):
    """Writes into the pipe what its honest end never would."""

    def act(self, observation: Any) -> Any:
        from takt.isolate.wire import send
        from takt.ledger.pack import pack

        send(int(sys.argv[2]), pack(["journal", ["meta", None]]))
        return [np.ones(2, np.float32)]
