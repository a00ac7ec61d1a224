"""The worker `policy`: the nut cell worked by a policy that a server holds, pi0.5 or another, by openpi's protocol.

    takt run nutcell --worker policy -w url=ws://gpu-box:8000 -w profile=pi05 -o line=mixed --hours 3

It sends what the cell's public observation has, and does the chunk of actions that comes back. Whatever the server
does, the shift goes on: a call that comes to nothing is a fault (`policy_timeout`, `policy_not_finite`), counted, and
the arms hold their last set-points until one comes to something. Every answer is a record (`said` in the ledger): a
shift is repeated, replayed and resumed from them, and no server is asked again.
"""

from __future__ import annotations

import base64
import json
import random
import time
import zlib
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from takt.contract.events import FAULT, FAULT_CLEARED
from takt.contract.exchange import Recorder, backoff_s, exchanged
from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Finished, Plan
from takt.keys import key_for, led_elsewhere
from takt.printable import printable
from takt.workers.policy.connection import Attempt, Connection, NoAnswer
from takt.workers.policy.options import Options
from takt.workers.policy.profiles import CAMERAS, LAYOUTS, at_control_rate, cell_actions, chunk_of, request_of

OURS = ("not_finite", "shape", "not_an_answer", "server_error")  # of the policy; the others are of its server
TRIED_AGAIN = ("connect", "dropped")  # at once: the server may be starting anew
HOPELESS = ("refused",)
LONGEST_WAIT_S = 10.0  # wall time between two attempts


class Policy(Recorder):
    """A policy behind a websocket server, by openpi's protocol: -w url=ws://HOST:PORT. See docs/policies.md.

    options    see `Options`.
    """

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        self.profile = self.options.names
        cameras = [camera for camera in CAMERAS if self.profile.raw or camera in self.profile.images]
        self.station_options: dict[str, Any] = {"cameras": cameras}
        if 32 <= self.profile.size <= 480 and self.profile.size != 96:
            self.station_options["camera_size"] = self.profile.size
        control = LAYOUTS[self.profile.layout][1]
        if control is not None:
            self.station_options["control"] = control
        variable = self.options.key_env
        key = key_for(self.options.address, variable) if variable else ""
        if variable and not key:
            raise TaktError(f"worker 'policy': the environment has no {self.options.key_env}")
        self._connection = Connection(self.options.address, key)
        self._answered = False  # by this process: a server's first answer may take its compiler's time

    @staticmethod
    def asked_if_named(options: Mapping[str, Any]) -> dict[str, Any]:
        """The server and the key's variable, which a ledger alone is not believed (trust.py)."""
        return led_elsewhere(str(options.get("url", "")), {name: options.get(name) for name in ("url", "key_env")})

    def begin(self, spec: StationSpec, seed: int) -> None:
        if spec.station != "nutcell":
            raise TaktError(f"worker 'policy' works the station nutcell, not {spec.station!r}")
        self._control, self._control_s = str(spec.options["control"]), spec.control_s
        width, wanted = LAYOUTS[self.profile.layout]
        if wanted not in (None, self._control):
            raise TaktError(
                f"layout {self.profile.layout} needs the cell with control={wanted}, and it has control={self._control}"
            )
        lacks = [camera for camera in self.profile.images if camera not in spec.options["cameras"]]
        if lacks:
            raise TaktError(
                f"the policy looks through {', '.join(lacks)}, and the cell has no such camera open; add it with "
                "--cameras, or leave it out: -w 'keys={\"" + lacks[0] + "\": null}'"
            )
        self._width = width or (15 if self._control == "ee" else 17)
        self._seed = seed
        self._nothing_said()
        self._number = 0  # of the next question
        self._fault = ""  # that there is now
        self._failures = 0  # in a row

    def end(self) -> None:
        self._connection.close()

    def save(self) -> bytes:
        return json.dumps([self._number, self._fault, self._failures]).encode()

    def load(self, state: bytes) -> None:
        self._number, self._fault, self._failures = json.loads(state)

    def act(self, observation: Mapping[str, Any]) -> Plan:
        prompt = self.options.told(str(observation.get("order", "")))
        request = request_of(self.profile, observation, prompt, self.profile.size)
        record = dict(self._exchange(request))
        took_s = record.pop("took_s", 0.0)  # in the journal only: a shift on a fixed clock has the same digest again
        first = self._number == 0
        self._number += 1
        failed = record["failed"][-1] if record["failed"] and "actions" not in record else None
        record["faults"] = self._faults("" if failed is None else f"policy_{failed['kind']}")
        self._said.append(record)
        if failed is None:
            self._failures = 0
            return self._plan(record, took_s)
        self._failures += 1
        if failed["kind"] in HOPELESS or (first and failed["kind"] != "not_finite"):
            raise Finished(f"the policy gives no action: {failed['text']}", failed=True)
        if self._failures >= self.options.outages:
            raise Finished(f"the policy gave no action {self._failures} times in a row: {failed['text']}", failed=True)
        hold_s = min(self.options.longest_hold_s, self.options.hold_s * 2.0 ** min(self._failures - 1, 30))
        return Plan([], ask_after=max(1, round(hold_s / self._control_s)), took_s=took_s)

    def _plan(self, record: Mapping[str, Any], took_s: float) -> Plan:
        """The chunk that a record holds, at the cell's rate."""
        flat = np.frombuffer(zlib.decompress(base64.b64decode(record["actions"])), np.float32)
        chunk = flat.reshape(record["shape"])
        actions = cell_actions(chunk, self.profile.layout, self._control, self.options.grip_closed)
        actions = at_control_rate(actions, self.profile.hz, self._control_s, self._control)
        execute, aligned = self.options.execute, self.options.aligned or record.get("aligned") or "arrival"
        ask_after: int | None = record.get("ask_after")
        if execute is not None:
            ask_after = max(1, round(min(execute, len(chunk)) / self.profile.hz / self._control_s))
        return Plan(list(actions), ask_after=ask_after, aligned=aligned, took_s=took_s)

    def _exchange(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to this question, from the journal if it was asked before."""
        seal = _seal(request)
        assert self._journal is not None
        return exchanged(self._journal, self._number, lambda: {"request": seal, **self._answer(request)}, seal)[0]

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask, again where that may help."""
        o, failed = self.options, list[Attempt]()
        rng = random.Random(f"{self._seed}/{self._number}")
        before = time.perf_counter()
        found: dict[str, Any] = {}
        while True:
            try:
                found = self._usable(
                    self._connection.ask(request, o.timeout_s if self._answered else o.first_timeout_s)
                )
                self._answered = True
                break
            except NoAnswer as failure:
                again = failure.kind in TRIED_AGAIN and len(failed) < o.retries
                wait_s = backoff_s(len(failed), o.backoff_s, LONGEST_WAIT_S, rng) if again else 0.0
                failed.append(Attempt(failure.kind, failure.text, round(wait_s, 3)))
                if not again:
                    break
                time.sleep(wait_s)
        if self._number == 0:
            found["server"] = _in_short(self._connection.metadata)
        told = [{"kind": one.kind, "text": one.text, "waited_s": one.waited_s} for one in failed]
        return {**found, "failed": told, "took_s": round(time.perf_counter() - before, 6)}

    def _usable(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What an answer comes to. Raises NoAnswer if no arm should do it."""
        try:
            chunk = chunk_of(self.profile, answer)
        except KeyError as error:
            has = ", ".join(sorted(map(str, answer))[:10]) or "nothing"
            raise NoAnswer("not_an_answer", f"the answer lacks {error.args[0]!r}; it has: {has}") from error
        except (ValueError, TypeError) as error:
            raise NoAnswer("shape", f"the answer's actions are no numbers of one shape: {error}") from error
        if chunk.shape[1] != self._width:
            raise NoAnswer(
                "shape",
                f"the answer's actions have shape {chunk.shape}; layout {self.profile.layout} takes {self._width}",
            )
        chunk = chunk[: self.options.horizon]
        if not np.isfinite(chunk).all():
            which = int(np.argwhere(~np.isfinite(chunk))[0, 0])
            raise NoAnswer("not_finite", f"NaN or infinity in action {which} of {len(chunk)}")
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(chunk).tobytes(), 1)).decode()
        found: dict[str, Any] = {"actions": packed, "shape": list(chunk.shape)}
        if self.profile.raw:  # Takt's own servers say more of a plan than openpi's
            ask_after, aligned = answer.get("ask_after"), answer.get("aligned")
            if isinstance(ask_after, int) and 1 <= ask_after <= 10**6:
                found["ask_after"] = ask_after
            if aligned in ("arrival", "observation"):
                found["aligned"] = aligned
        return found

    def _faults(self, name: str) -> list[dict[str, Any]]:
        """What begins and clears now that this is the fault that there is ("": none)."""
        before, self._fault = self._fault, name
        if before == name:
            return []
        changes = [(FAULT_CLEARED, before), (FAULT, name)]
        return [{"kind": kind, "name": one, "origin": _origin(one), "stops": True} for kind, one in changes if one]


def _origin(fault: str) -> str:
    return "worker" if fault.removeprefix("policy_") in OURS else "harness"


def _seal(request: Mapping[str, Any]) -> str:
    """Of what is asked. Without the pictures, which another machine's OpenGL draws a little differently."""
    digest = sha256()

    def add(value: Any) -> None:
        if isinstance(value, Mapping):
            for key in value:
                digest.update(str(key).encode())
                add(value[key])
        elif isinstance(value, np.ndarray):
            if value.dtype != np.uint8:
                digest.update(value.tobytes())
        else:
            digest.update(repr(value).encode())

    add(request)
    return digest.hexdigest()[:16]


def _in_short(metadata: Mapping[str, Any]) -> str:
    """What the server says about itself, as a text, whatever keys it has."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {printable(str(key)): plain(value[key]) for key in sorted(value, key=str)}
        if isinstance(value, (list, tuple)):
            return [plain(part) for part in value]
        if isinstance(value, str):
            return printable(value)
        return value if isinstance(value, (bool, int, float, type(None))) else f"<{type(value).__name__}>"

    return json.dumps(plain(metadata))[:1000]
