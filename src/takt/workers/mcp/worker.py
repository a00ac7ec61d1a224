"""The worker `mcp`: it does what an MCP client asks for, and lets the station's clock run while nobody asks.

Everything that comes from outside is a numbered record (`said` in the ledger), in the journal before anything is done
with it: a call, a span in which none came, that the client left; and what each call came to (`answer`). What is done
depends on nothing but the records.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from takt.contract.exchange import answered, exchanged
from takt.contract.station import StationSpec, TaktError
from takt.contract.worker import Gone, Journal, Plan
from takt.errors import Leave
from takt.ledger.journal import Told
from takt.ledger.pack import pack, unpack
from takt.workers.calls import LONGEST_CALL, answer_of, as_text, plan_of, read_call, refused
from takt.workers.mcp.window import Answer, Asked, Window
from takt.workers.pictures import pictures_of

WAIT = "wait"  # the tool by which a worker says that it waits
MOST_PATIENCE_S = 31_536_000  # a year
IDLE_S = 5.0  # station time between two looks at whether somebody waits
LONGEST_WAIT_S = 600.0  # station time until a call of `wait` is answered, if nobody comes
SPAN_S = 5.0  # wall time without a call after which the station's clock is moved on
LONGEST_NAME = 200  # characters of a tool's name
SILENT = "no call for {:g} s"


class Left(Leave):
    """The client has left, and the shift is to go on later: it stays as it is."""


class Mcp:
    """A client of the Model Context Protocol: put to work by `takt serve STATION --mcp`. See docs/mcp.md.

    patience_s   wall time without a call after which the client counts as gone.
    paced        whether station time passes while the client thinks: the clock `measured`.
    window       where its calls come in; none where a shift is only repeated.
    pause        whether a client that is gone leaves the shift as it is, to go on later.
    """

    def __init__(
        self, patience_s: float | None = None, paced: bool = True, window: Window | None = None, pause: bool = False
    ) -> None:
        if patience_s is None:
            raise TaktError("worker 'mcp' is put to work by `takt serve STATION --mcp`")
        if not 0 < patience_s <= MOST_PATIENCE_S:
            raise TaktError(f"patience_s is {patience_s:g}; it must be above 0 and at most {MOST_PATIENCE_S:,} s")
        self._patience_s, self._paced, self._window, self._pause = float(patience_s), bool(paced), window, pause

    def begin(self, spec: StationSpec, seed: int) -> None:
        if not spec.tools:
            raise TaktError(f"worker 'mcp' works by tool calls, and station {spec.station!r} offers no tools")
        self._names = {tool["function"]["name"] for tool in spec.tools}
        self._control_s = spec.control_s
        self._idle = max(1, round(IDLE_S / spec.control_s))
        self._journal: Journal | None = None
        self._said: list[Mapping[str, Any]] = []
        self._number = 0  # of the next record
        self._client = ""  # who called last
        self._doing, self._of = "", 0  # the name of the call that is being done, and its number
        self._waited = 0  # control periods that it has been held back, because nobody waits
        self._gone = False  # whether the client has left for good
        self._since = -1.0  # wall time that is charged up to here; negative before the first call of this process

    def end(self) -> None: ...

    def keep_in(self, journal: Journal) -> None:
        if self._window is None and not isinstance(journal, Told) and not self._is_gone(journal):
            raise TaktError("only its client can go on with this shift: `takt serve STATION --mcp --out SHIFT`")
        self._journal = journal

    def _is_gone(self, journal: Journal) -> bool:
        """Whether the client has left for good: then there is nothing to wait for, and anybody can end the shift."""
        number, gone = self._number, self._gone
        while (record := journal.recall(number)) is not None:
            number, gone = number + 1, "gone" in record
        return gone

    def records(self) -> list[Mapping[str, Any]]:
        said, self._said = self._said, []
        return said

    def save(self) -> bytes:
        return pack([self._number, self._client, self._doing, self._waited, self._gone, self._of])

    def load(self, state: bytes) -> None:
        self._number, self._client, self._doing, self._waited, self._gone, *of = unpack(state)
        self._of = of[0] if of else self._number - 1  # an older state has none

    def act(self, observation: Mapping[str, Any]) -> Plan:
        if self._doing:
            if self._doing == WAIT and self._in_vain(observation):
                self._waited += self._idle
                return Plan([], ask_after=self._idle, took_s=0.0)
            tool, self._doing, self._waited = self._doing, "", 0
            self._answer(observation)
            self._note_answer(tool, observation)
        record = self._record()
        self._said.append(record)
        if "gone" in record:
            self._gone = True
            raise Gone(record["gone"])
        if "call" not in record:
            return self._passing(record.get("periods", 0))
        self._client = record.get("client", self._client)
        name, arguments = record["call"]
        self._doing, self._of = name, record["number"]
        return plan_of(read_call(name, arguments, self._names).text, record.get("took_s"))

    def _in_vain(self, observation: Mapping[str, Any]) -> bool:
        """Whether a call of `wait` would be answered with nothing new."""
        nobody = observation.get("waiting") == 0
        return nobody and not refused(observation) and self._waited * self._control_s < LONGEST_WAIT_S

    def _answer(self, observation: Mapping[str, Any]) -> None:
        if self._window is not None:
            self._window.answer(Answer(answer_of(observation), tuple(pictures_of(observation))))
            if self._since >= 0:
                self._since = time.monotonic()

    def _note_answer(self, tool: str, observation: Mapping[str, Any]) -> None:
        assert self._journal is not None
        live = self._window is not None and not isinstance(self._journal, Told)
        result = as_text(observation.get("result"))
        record = answered(self._journal, self._number, self._of, tool, result, live)
        if record is not None:
            self._said.append(record)
            self._number += 1

    def _passing(self, periods: int) -> Plan:
        """So many control periods of thinking; the last is that of the plan that does nothing."""
        return Plan([], ask_after=1, took_s=max(0, periods - 1) * self._control_s)

    def _record(self) -> Mapping[str, Any]:
        """The next record: from the journal, or what comes in."""
        assert self._journal is not None
        record, new = exchanged(self._journal, self._number, self._come)
        if new and "left" in record:
            raise Left(record["left"])
        self._number += 1
        return record

    def _come(self) -> dict[str, Any]:
        """Wait for what comes next: a call, the end of a span without one, or the end of all calls."""
        assert self._window is not None
        began = self._since >= 0
        while True:
            asked = self._window.next(self._wait_s() if began else None)
            if asked is not None:
                return self._call(asked)
            silent_s = time.monotonic() - self._asked_last if began else 0.0
            why = self._window.gone or (SILENT.format(self._patience_s) if silent_s >= self._patience_s else "")
            if why and not began:
                raise Left(why)  # it never came: nothing is lost, and nothing is counted
            if why:
                return {"left" if self._pause else "gone": why}
            periods = int((time.monotonic() - self._since) / self._control_s)
            if self._paced and periods:
                self._since += periods * self._control_s
                return {"periods": periods}

    def _wait_s(self) -> float:
        """How long to wait for a call: until a span is over, or the client's time is."""
        span_s = max(SPAN_S, self._control_s) if self._paced else self._patience_s
        left_s = self._asked_last + self._patience_s - time.monotonic()
        return max(0.0, min(span_s, left_s))

    def _call(self, asked: Asked) -> dict[str, Any]:
        thought_s = max(0.0, asked.at_s - self._since) if self._since >= 0 else 0.0
        self._since = max(asked.at_s, self._since)
        self._asked_last = time.monotonic()
        name, arguments = asked.name[:LONGEST_NAME], asked.arguments[: LONGEST_CALL + 1]  # enough to see what is wrong
        record: dict[str, Any] = {"call": [name, arguments]}
        if self._paced:
            record["took_s"] = round(thought_s, 6)
        if asked.client != self._client:
            record["client"] = asked.client
        odd = read_call(name, arguments, self._names).odd
        return {**record, "odd": list(odd)} if odd else record
