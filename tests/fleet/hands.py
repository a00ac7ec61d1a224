"""Workers at CartPole for tests of fleets; child processes import them from here."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

from takt.contract.worker import Finished


class Right:
    """Pushes to the right: no unit is good."""

    def begin(self, spec: Any, seed: Any) -> None: ...

    def act(self, observation: Any) -> list[Any]:
        return [1]

    def end(self) -> None: ...


class Balances(Right):
    def act(self, observation: Any) -> list[Any]:
        return [int(observation[2] + observation[3] > 0)]


class Sometimes(Right):
    """Balances, but for a share of the units that depends on the seed."""

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def act(self, observation: Any) -> Any:
        return [int(observation[2] + observation[3] > 0)] if abs(observation[0] * 1e4) % 1 < self.share else [1]


class Dies(Balances):
    """Takes its process with it, by SIGKILL, after so many calls; `once`, only where the mark is not there yet."""

    def __init__(self, mark: str = "", calls: int = 200) -> None:
        self.mark, self.calls = mark, calls

    def begin(self, spec: Any, seed: Any) -> None:
        self.left = self.calls

    def act(self, observation: Any) -> Any:
        self.left -= 1
        if not self.left and not (self.mark and Path(self.mark).exists()):
            if self.mark:
                Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().act(observation)


class Unheard(Dies):
    """Its server gives no answer after so many calls; not where the mark is, which it leaves."""

    def act(self, observation: Any) -> Any:
        self.left -= 1
        if not self.left and not Path(self.mark).exists():
            Path(self.mark).touch()
            raise Finished("the endpoint gives no answer with its retries", failed=True)
        return Balances.act(self, observation)


class Hangs(Dies):
    """Answers no more after so many calls."""

    def act(self, observation: Any) -> list[Any]:
        self.left -= 1
        if not self.left:
            time.sleep(600)
        return [1]


class Tells(Balances):
    """Says in one way or another what it was not to say."""

    def __init__(self, how: str, what: str) -> None:
        self.how, self.what = how, what

    def act(self, observation: Any) -> Any:
        if self.how == "answers":
            return [self.what]
        raise Finished(self.what, failed=True) if self.how == "ends" else RuntimeError(self.what)


class Grows(Balances):
    """Takes 4 MB more with every call, of 10 ms."""

    def begin(self, spec: Any, seed: Any) -> None:
        self.kept = []

    def act(self, observation: Any) -> Any:
        self.kept.append(bytes([1]) * (4 << 20))
        time.sleep(0.01)
        return super().act(observation)


class Fills(Balances):
    """Works where no file can grow above 100 kB, as on a disk that is full; not where the mark is."""

    def __init__(self, mark: str = "mark") -> None:
        if not Path(mark).exists():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))


class Slow(Balances):
    """Takes its time, so that something can happen meanwhile."""

    def act(self, observation: Any) -> Any:
        time.sleep(0.002)
        return super().act(observation)


class Policy(Balances):
    """Balances so often as a file says, into which the second one of its process writes another share in its shift."""

    made = 0

    def __init__(self, path: str, then: str) -> None:
        Policy.made += 1
        self.path, self.share, self.then = Path(path), float(Path(path).read_text()), then
        self.left = 20 if Policy.made == 2 else 0

    def act(self, observation: Any) -> Any:
        self.left -= 1
        if not self.left:
            self.path.write_text(self.then)
        return super().act(observation) if abs(observation[0] * 1e4) % 1 < self.share else [1]
