"""The worker `person`: whoever sits at the page. The clock is live, so the world goes on whether they act or not.

It is asked every few control periods and never waits. All that a person does is a numbered record (`said` in the
ledger), in the journal before it is done: a call of a tool, controls that changed, a page that was opened or closed.
`idle` is how many times it was asked since the last record, so that the same shift comes out when it is repeated. What
a call came to is a record as well (`answer`, `of` the call's number), so that a transcript has it.
Every second the journal is told how long nothing has been done (`so_far`, which the next record takes the place of, and
which is no event): whoever is interrupted gets no time back for it. No name is in any record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from takt.contract.exchange import Recorder, answered
from takt.contract.station import StationSpec
from takt.contract.steering import Steering, steering_of
from takt.contract.worker import SO_FAR, Finished, Plan
from takt.errors import TaktError
from takt.ledger.journal import Told
from takt.ledger.pack import pack, unpack
from takt.workers.calls import LONGEST_CALL, as_text, read_call
from takt.workers.person.hatch import Call, Hatch

ASK_S = 0.04  # station time between two looks at what is wanted, where the station has periods as short as that
NOTED_S = 1.0  # station time after which it is noted that nothing was done
LONGEST_NAME = 200  # characters of a tool's name
OPENED, CLOSED = "opened", "closed"
OVER = "The shift is over."
INTERRUPTED = "The shift was interrupted; `takt resume` goes on with it, and this page comes back."
FAILED = "The shift cannot go on: "
START = "a person works through a page: `takt run STATION --worker person` opens it"


class Person(Recorder):
    """A person at a page in a browser: `takt run STATION --worker person`. See docs/person.md.

    hatch    where the page is; none where a shift is only repeated.
    beside   called at each look: what goes to those beside the page, unread, such as what pictures of the station as it
             is now are made from.
    """

    clock = "live"
    is_recalling = False

    def __init__(
        self,
        hatch: Hatch | None = None,
        beside: Callable[[], bytes | None] | None = None,
        arrive: Callable[[], None] | None = None,
    ) -> None:
        self._hatch, self._beside, self._arrive = hatch, beside, arrive

    def begin(self, spec: StationSpec, seed: int) -> None:
        self._steering: Steering | None = None if spec.tools else steering_of(spec)
        check_can_work(spec, self._steering)
        self._names = {tool["function"]["name"] for tool in spec.tools}
        self._every = 1 if spec.tools else max(1, round(ASK_S / spec.control_s))
        self._noted_every = max(1, round(NOTED_S / (self._every * spec.control_s)))
        self._nothing_said()
        self._number, self._idle = 0, 0  # of the next record; times asked since the last
        self._controls: dict[str, float] = {}
        self._present = False
        self.is_recalling = False  # whether what comes next is recorded: nobody is waited for
        self._doing: Call | None = None
        self._called: tuple[int, str] | None = None  # the call that is being done: its number, and which tool's
        self._stamp: float | None = None  # of the controls in force; for the page, and in no record
        if self._arrive is not None:
            self._arrive()

    def end(self) -> None:
        if self._doing is not None:  # it ended the shift, and what comes after it is seen by nobody
            self._doing.answer.set_result(OVER)
            self._doing = None
        if self._hatch is not None:
            self._hatch.end(OVER)

    def ready(self) -> None:
        """Asked when somebody has to be there."""
        if self._hatch is None:
            raise TaktError(START)

    def save(self) -> bytes:
        return pack([self._number, self._idle, self._controls, self._present, self._called])

    def load(self, state: bytes) -> None:
        self._number, self._idle, self._controls, self._present, *called = unpack(state)
        self._called = tuple(called[0]) if called and called[0] else None  # an older state has none

    def act(self, observation: Any) -> Plan:
        if self._hatch is not None:
            self._hatch.show(observation, self._stamp, None if self._beside is None else self._beside())
            if self._doing is not None:
                self._doing.answer.set_result(observation)
        self._doing = None
        self._answer(observation)
        record = self._record()
        if record is None:
            self._idle += 1
            self._note_idle()
        else:
            self._said.append(record)
            self._number, self._idle = self._number + 1, 0
        return self._plan({} if record is None else record)

    def _answer(self, observation: Any) -> None:
        """Record what the last call came to; in a shift of before that was not, and is not when it is repeated."""
        (of, tool), self._called = self._called or (0, ""), None
        if not tool or not isinstance(observation, Mapping):
            return
        assert self._journal is not None
        live = self._hatch is not None and not isinstance(self._journal, Told)
        record = answered(self._journal, self._number, of, tool, as_text(observation.get("result")), live)
        if record is not None:
            self._said.append(record)
            self._number += 1

    def _note_idle(self) -> None:
        recalls = self.is_recalling or self._hatch is None or isinstance(self._journal, Told)
        if not recalls and self._idle % self._noted_every == 0:
            assert self._journal is not None
            self._journal.note(self._number, {"number": self._number, "idle": self._idle, SO_FAR: True})

    def _plan(self, record: Mapping[str, Any]) -> Plan:
        if self._steering is None:
            if "call" not in record:
                return Plan([], ask_after=1)
            name, arguments = record["call"]
            self._called = record["number"], str(name)
            return Plan([read_call(str(name), str(arguments), self._names).text])
        if "controls" in record:
            self._controls = self._steering.read(record["controls"])
        return Plan([self._steering.action(self._controls)] * self._every)

    def _record(self) -> Mapping[str, Any] | None:
        """What is done now: as it was recorded, or as it comes in; None if nothing is."""
        recorded = self._recalled()
        if recorded is not None and recorded.get(SO_FAR) and not self._idle < recorded["idle"]:
            recorded = None  # nothing was done until here, and here it goes on
        self.is_recalling = recorded is not None
        if self._hatch is not None:
            self._hatch.again = self.is_recalling
        if recorded is not None:
            now = recorded.get("idle") == self._idle and not recorded.get(SO_FAR)
            if now and self._hatch is not None and self._steering is None and "call" in recorded:
                self._doing = self._hatch.done_again(*map(str, recorded["call"]))
            return recorded if now else None
        if self._hatch is None or isinstance(self._journal, Told):
            return None
        come = self._come()
        if come is None:
            return None
        assert self._journal is not None
        record = {"number": self._number, "idle": self._idle, **come}
        self._journal.note(self._number, record)
        return record

    def _recalled(self) -> Mapping[str, Any] | None:
        assert self._journal is not None
        try:
            return self._journal.recall(self._number)
        except Finished:
            return None  # nothing more was done until the end

    def _come(self) -> dict[str, Any] | None:
        assert self._hatch is not None
        present = self._hatch.pages > 0
        if present != self._present:
            self._present = present
            return {"page": OPENED if present else CLOSED}
        if self._steering is None:
            call = self._hatch.next_call()
            if call is None:
                return None
            self._doing = call
            return {"call": [call.name[:LONGEST_NAME], call.arguments[: LONGEST_CALL + 1]]}
        held, self._stamp = self._hatch.held()
        controls = self._steering.read(held)
        return {"controls": controls} if controls != self._controls else None


def check_can_work(spec: StationSpec, steering: Steering | None) -> None:
    """TaktError if no page could be made of this station."""
    if not spec.tools and steering is None:
        raise TaktError(
            f"a person cannot work at {spec.station!r}: it offers no tools, and nobody says how to steer it "
            "(entry points `takt.steering`; after an update, install Takt once more)"
        )
