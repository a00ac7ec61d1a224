"""The other process: opens the worker that it is told to, and answers for it until nobody asks any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from takt.contract.station import Acceptance, FaultKind, Short, StationSpec
from takt.contract.worker import Plan, Recording, Resumable, Worker, open_worker
from takt.isolate.wire import Closed, receive, send
from takt.ledger.pack import pack, unpack


def main(asked: int, told: int) -> None:
    os.dup2(2, 1)  # what a worker prints is for people
    worker: Worker | None = None

    def ask(number: int, record: Mapping[str, Any] | None) -> Any:
        send(told, pack(["journal", [number, None if record is None else dict(record)]]))
        return unpack(receive(asked))

    while True:
        try:
            what, about = unpack(receive(asked))
        except Closed:
            return
        try:
            if what == "open":
                sys.path[:] = about["path"]
                worker = open_worker(about["name"], about["station"], **about["options"])
                answer: Any = {
                    "resumable": isinstance(worker, Resumable),
                    "recording": isinstance(worker, Recording),
                    "station_options": dict(getattr(worker, "station_options", {})),
                    "clock": getattr(worker, "clock", None),
                }
            else:
                assert worker is not None
                answer = _done(worker, what, about, ask)
            packed = _packed(answer)
        except BaseException as error:  # a SystemExit, too, is what the worker did, and not the end of this process
            failed = bool(getattr(error, "failed", False))
            packed = pack(["raised", [type(error).__name__, " ".join(str(error).split()), failed]])
        try:
            send(told, packed)
        except Closed:
            return


def _done(worker: Any, what: str, about: Any, ask: Callable[[int, Mapping[str, Any] | None], Any]) -> Any:
    if what == "begin":
        return worker.begin(spec_of(about["spec"]), about["seed"])
    if what == "act":
        return _plan(worker.act(about))
    if what == "keep_in":
        return worker.keep_in(_Journal(ask))
    if what == "load":
        return worker.load(about)
    assert what in ("save", "records", "end")
    return getattr(worker, what)()


class _Journal:
    """The shift's, over there."""

    def __init__(self, ask: Callable[[int, Mapping[str, Any] | None], Any]) -> None:
        self._ask = ask

    def recall(self, number: int) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._ask(number, None)
        return found

    def note(self, number: int, record: Mapping[str, Any]) -> None:
        self._ask(number, record)


def _plan(answer: Any) -> Any:
    """A plan as plain values; `takt.contract.plan.checked` judges it on the other side, as it does everybody's."""
    if isinstance(answer, Plan):
        told = {"actions": answer.actions, "ask_after": answer.ask_after, "aligned": answer.aligned}
        return {"kind": "plan", **told, "took_s": answer.took_s}
    if isinstance(answer, Mapping):
        return {"kind": "mapping"}
    if answer is None or isinstance(answer, (str, bytes, int, float)):
        return answer
    return {"kind": "sequence", "actions": answer}


def _packed(answer: Any) -> bytes:
    try:
        return pack(["answer", answer])
    except TypeError:
        pass
    if isinstance(answer, dict) and "actions" in answer:
        import numpy as np

        try:  # a tensor of another library's
            return pack(["answer", {**answer, "actions": np.asarray(answer["actions"])}])
        except Exception:
            return pack(["answer", {"kind": "foreign", "name": type(answer["actions"]).__name__}])
    return pack(["answer", {"kind": "foreign", "name": type(answer).__name__}])


def spec_of(plain: Mapping[str, Any]) -> StationSpec:
    faults = {name: FaultKind(**kind) for name, kind in plain["faults"].items()}
    short = plain["short"]
    if short is not None:
        tools = {name: tuple(arguments) for name, arguments in short["tools"].items()}
        short = Short(short["brief"], tools, tuple(short["fields"]), short["rows"], tuple(short["ends"]))
    lists: dict[str, Any] = {name: tuple(plain[name]) for name in ("parts", "tools", "looks")}
    given = {name: value for name, value in plain.items() if name not in (*lists, "faults", "acceptance", "short")}
    return StationSpec(**given, **lists, faults=faults, acceptance=Acceptance(**plain["acceptance"]), short=short)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
