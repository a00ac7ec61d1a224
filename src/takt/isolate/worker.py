"""The shift's side of an isolated worker: looks to the loop like any other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Finished, Gone, Journal, Plan, Worker
from takt.isolate.wire import Closed, receive, received, send
from takt.ledger.pack import pack

LEAVING_S = 5.0  # wall time that a worker has to end before its process is
LONGEST_TEXT = 2000  # characters of what a worker raised


class Foreign:
    """What a worker answered with and cannot be sent; as a plan it is refused by the name of its kind."""


def isolated(name: str, station: str, **options: Any) -> Worker:
    """The worker that answers to `name` at `station`, opened in a process of its own. TaktError as by `open_worker`."""
    asked = {"name": name, "station": station, "options": options, "path": list(sys.path)}
    process = _Process()
    try:
        opened = process.ask("open", asked)
        kind = _KINDS[bool(opened["resumable"]), bool(opened["recording"])]
        worker = kind(name, process)
        if isinstance(opened["station_options"], dict):
            worker.station_options = {str(key): value for key, value in opened["station_options"].items()}
        worker.clock = opened["clock"] if isinstance(opened["clock"], str) else None
    except TaktError:
        process.close()
        raise
    except Exception as error:  # its process ended, or what came from it makes no sense
        process.close()
        raise TaktError(f"cannot open the worker {name!r} in a process of its own: {error}") from error
    return worker


class Isolated:
    """A worker in another process. `begin`, `act` and `end` are asked there."""

    station_options: Mapping[str, Any] = {}
    clock: str | None = None

    def __init__(self, name: str, process: _Process) -> None:
        self._name, self._process = name, process
        self._state: bytes | None = None

    def begin(self, spec: StationSpec, seed: int) -> None:
        try:
            self._process.ask("begin", {"spec": spelled(spec), "seed": seed})
        except Gone as gone:
            raise TaktError(f"worker {self._name!r} is gone: {gone}") from gone

    def act(self, observation: Any) -> Any:
        answer = self._process.ask("act", observation)
        if not isinstance(answer, dict) or "kind" not in answer:
            return answer
        if answer["kind"] == "plan":
            return Plan(answer["actions"], answer["ask_after"], answer["aligned"], answer["took_s"])
        if answer["kind"] == "sequence":
            return answer["actions"]
        if answer["kind"] == "mapping":
            return {}
        return type(_identifier(answer.get("name")), (Foreign,), {})()

    def end(self) -> None:
        with suppress(Gone):
            self._process.ask("end", None)
        self.close()

    def close(self) -> None:
        """End the process, if it has not ended."""
        self._process.close()


class _Resumable(Isolated):
    def save(self) -> bytes | None:
        """A worker that is gone has the state that it had when it was last asked for it."""
        with suppress(Gone):
            state = self._process.ask("save", None)
            if not isinstance(state, bytes):
                raise TypeError(f"a state is bytes, not a {type(state).__name__}")
            self._state = state
        return self._state

    def load(self, state: bytes | None) -> None:
        self._state = state
        if state is not None:
            self._process.ask("load", state)


class _Recording(Isolated):
    def keep_in(self, journal: Journal) -> None:
        self._process.journal = journal
        self._process.ask("keep_in", None)

    def records(self) -> list[Mapping[str, Any]]:
        try:
            records = self._process.ask("records", None)
        except Gone:
            return []
        return [_json(record) for record in records]


class _Both(_Resumable, _Recording):
    pass


_KINDS: dict[tuple[bool, bool], type[Isolated]] = {
    (False, False): Isolated,
    (True, False): _Resumable,
    (False, True): _Recording,
    (True, True): _Both,
}


class _Process:
    """The other process, and the questions to it. Its standard output is this one's standard error."""

    def __init__(self) -> None:
        self.journal: Journal | None = None
        down_there, self._down = os.pipe()
        self._up, up_there = os.pipe()
        try:
            self._process = subprocess.Popen(  # nosec B603  # this Python, our module
                [sys.executable, "-P", "-m", "takt.isolate.child", str(down_there), str(up_there)],
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=(down_there, up_there),
                start_new_session=True,  # an interrupt at the terminal is for the shift, which then ends the worker
            )
        except OSError as error:
            self._down_closed()
            raise TaktError(f"no process can be started for the worker: {error}") from error
        finally:
            os.close(down_there)
            os.close(up_there)

    def ask(self, what: str, about: Any) -> Any:
        """What the worker answers. Raises what it raised, and Gone if its process has ended."""
        if self._up < 0:
            raise Gone("its process was ended")
        try:
            send(self._down, pack([what, about]))
            while True:
                told = received(receive(self._up))
                if not isinstance(told, list) or len(told) != 2:
                    raise ValueError("an answer that is none")
                kind, value = told
                if kind != "journal":
                    return _answered(kind, value)
                send(self._down, pack(self._journaled(value)))
        except (Closed, ValueError) as error:
            if isinstance(error, ValueError):
                self._process.kill()  # what it says next would be taken for the answer to something else
            raise Gone(self._epitaph(error)) from error
        except BaseException as error:
            if not isinstance(error, Exception):  # cut off in the middle: what it says next is no answer to anything
                self._process.kill()
            raise

    def _journaled(self, asked: Any) -> Any:
        """A worker reads and writes its own journal, and nothing else of the ledger."""
        number, record = asked
        if self.journal is None or not isinstance(number, int) or isinstance(number, bool):
            raise ValueError("a journal's entry without a number")
        if record is None:
            known = self.journal.recall(number)
            return None if known is None else dict(known)
        self.journal.note(number, _json(record))
        return None

    def close(self) -> None:
        if self._up < 0:
            return
        self._down_closed()
        try:
            self._process.wait(LEAVING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(OSError):
            os.close(self._up)
        self._up = -1

    def _down_closed(self) -> None:
        with suppress(OSError):
            os.close(self._down)
        self._down = -1

    def _epitaph(self, error: Exception) -> str:
        with suppress(subprocess.TimeoutExpired):
            return f"its process ended with exit code {self._process.wait(LEAVING_S)}"
        return f"its process says {error}"


def spelled(spec: StationSpec) -> dict[str, Any]:
    """What of a spec a worker may know, as plain values."""
    faults = {name: asdict(kind) for name, kind in spec.faults.items()}
    short = None if spec.short is None else asdict(spec.short)
    plain = {"id": spec.id, "station": spec.station, "takt_s": spec.takt_s, "control_s": spec.control_s}
    plain |= {"parts": list(spec.parts), "privileged": spec.privileged, "options": dict(spec.options)}
    plain |= {"brief": spec.brief, "tools": [dict(tool) for tool in spec.tools], "looks": list(spec.looks)}
    return {**plain, "faults": faults, "acceptance": asdict(spec.acceptance), "short": short}


def _answered(kind: Any, value: Any) -> Any:
    if kind == "answer":
        return value
    if kind != "raised" or not isinstance(value, list) or len(value) != 3:
        raise ValueError("an answer that is none")
    name, text, failed = _identifier(value[0]), str(value[1])[:LONGEST_TEXT], bool(value[2])
    if name == "Finished":
        raise Finished(text, failed)
    if name == "Gone":
        raise Gone(text)
    if name == "TaktError":
        raise TaktError(text)
    raise type(name, (Exception,), {})(text)  # so that it reads as it would without a process of its own


def _identifier(name: Any) -> str:
    return re.sub(r"\W", "_", str(name))[:80] or "Exception"


def _json(record: Any) -> dict[str, Any]:
    """A record, if it is one: JSON values, no NaN."""
    if not isinstance(record, dict):
        raise TypeError(f"a record is an object, not a {type(record).__name__}")
    plain: dict[str, Any] = json.loads(json.dumps(record, allow_nan=False))
    return plain
