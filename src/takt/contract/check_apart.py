"""`takt check` in a process of its own: a station that ends its process, or crashes it, ends no check in silence.

What the process found comes back line by line, as JSON, by a pipe that nobody else knows of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from typing import Any

from takt.contract.check import RULES, Finding, check_station
from takt.contract.check_worker import WORKER_RULES, check_worker
from takt.contract.foreign import foreign
from takt.contract.station import station_maker
from takt.errors import TaktError
from takt.shift.opened import check_names

ENDS_S = 10.0  # wall time that a process has to end when it is told to


def check_apart(
    station: str,
    station_options: Mapping[str, Any],
    worker: str | None = None,
    worker_options: Mapping[str, Any] | None = None,
    units: int = 2,
    quiet: bool = False,
) -> Iterator[Finding]:
    """Look at every rule of a station, and of a worker there, both given by name, in a process of its own.

    quiet   what the process prints is not for stdout.

    A process that is gone breaks the rule that it was looking at, and that is the last finding. Raises TaktError if the
    station cannot be opened.
    """
    rules = [*RULES, *(WORKER_RULES if worker else ())]
    job = json.dumps([station, dict(station_options), worker, dict(worker_options or {}), units])
    read, write = os.pipe()
    path = os.pathsep.join(place for place in sys.path if place)
    command = [sys.executable, "-P", "-m", "takt.contract.check_apart", str(write), job]
    try:
        process = subprocess.Popen(  # nosec B603: this Python, our module
            command, pass_fds=(write,), stdout=2 if quiet else None, env={**os.environ, "PYTHONPATH": path}
        )
    finally:
        os.close(write)
    done = 0
    try:
        with open(read, encoding="utf-8") as lines:
            for line in lines:
                told = json.loads(line)
                if told is None:
                    return
                if isinstance(told, str):
                    raise TaktError(told)
                done += 1
                yield Finding(**told)
        code = process.wait()
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        yield Finding(
            rules[min(done, len(rules) - 1)],
            False,
            f"the process ended here ({how}), after {done} of {len(rules)} rules: something that it calls exits or "
            "crashes; raise an exception instead",
        )
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_S)
        process.kill()
        process.wait()


def _check(
    station: str, given: dict[str, Any], worker: str | None, theirs: dict[str, Any], units: int
) -> Iterator[Finding | str | None]:
    """The findings, then None; or the one line that says why there are none."""
    try:
        make = station_maker(station)
        if worker is not None:
            check_names(station, given, worker, theirs)
        opened = make(**given)
        with foreign(f"cannot close the station {station!r}"):
            opened.close()
    except TaktError as error:
        yield str(error)
        return
    findings = check_station(lambda **more: make(**{**given, **more}))
    if worker is not None:
        findings = chain(findings, check_worker(station, worker, units, given, theirs))
    yield from findings
    yield None


def _main(write: int, job: str) -> None:
    with open(write, "w", encoding="utf-8") as out, suppress(KeyboardInterrupt, BrokenPipeError):
        for told in _check(*json.loads(job)):
            print(json.dumps(asdict(told) if isinstance(told, Finding) else told), file=out, flush=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
