"""Workers of the code desk that need no model."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable
from typing import Any, Literal

from takt.contract.station import StationSpec, TaktError
from takt.contract.tools import WAIT, tool_call
from takt.contract.worker import Plan
from takt.ledger.pack import pack, unpack
from takt.stations.codedesk.model import Cap

LONGEST_LINE = 15_000  # characters of a command, or of a line that an agent reads, as they stand in a call
CUT = "\n[... the rest of the ticket is too long to be handed over]"
PAUSE = 600  # control periods to wait at most when no ticket is open


class _InOrder:
    """Takes the ticket that waits longest, does what `work` says, and submits it."""

    def begin(self, spec: StationSpec, seed: int) -> None:
        self._seed, self._spec = seed, spec

    def end(self) -> None: ...

    def save(self) -> bytes:
        return pack([])

    def load(self, state: bytes) -> None:
        unpack(state)

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["tickets"]:
            return self.pause(observation)
        return Plan(
            [*self.work(observation["tickets"][0]), tool_call("submit", ticket=observation["tickets"][0]["ticket"])]
        )

    def pause(self, observation: dict[str, Any]) -> Plan:
        """Wait until the next ticket can fall due, on the beat: to ask again and again would be told as thinking."""
        if "pause" in observation:  # a shift by older rules
            return Plan([WAIT] * observation["pause"])
        now_s, takt_s = observation["now_s"], self._spec.takt_s
        left_s = takt_s * (math.floor(now_s / takt_s + 1e-9) + 1) - now_s
        return Plan([WAIT] * min(PAUSE, max(1, math.ceil(left_s / self._spec.control_s - 1e-6))))

    def work(self, row: dict[str, Any]) -> list[str]:
        raise NotImplementedError


class Reference(_InOrder):
    """Plays the known solutions. A ticket at which it fails is no ticket: the station refuses the series."""

    station_options = {"privileged": True}  # noqa: RUF012

    def work(self, row: dict[str, Any]) -> list[str]:
        return [tool_call("solve", ticket=row["ticket"])]


class Saboteur(_InOrder):
    """Plays solutions with one plausible defect each, each on the reference's own tree. What share of them is found is
    the strength of the tickets' tests: 1 minus the good rate. A solution without a place for a defect is handed over.
    """

    station_options = {"privileged": True, "reset": "each"}  # noqa: RUF012

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["tickets"]:
            return self.pause(observation)
        number, result = observation["tickets"][0]["ticket"], observation["result"]
        if result.get("tool") != "solve":
            return Plan([tool_call("solve", ticket=number, mutant=self._seed % 100_000)])
        if "error" in result:
            return Plan([tool_call("help", ticket=number, why=result["error"]["message"])])
        return Plan([tool_call("submit", ticket=number)])


class Command(_InOrder):
    """Any command-line agent, as it is, in the sandbox.

    command    the line for the shell; {ticket} becomes the ticket's text (quoted), {number} its number, {last} what
               was said to the submission before (JSON, quoted): whether it was good, which tickets are broken.
    once       `ticket`: it is started for each ticket, which is submitted when it ends. `shift`: it is started once,
               reads tickets, a JSON object a line, and says {"submit": NUMBER} or {"help": NUMBER, "why": ...} in a
               line of its output when it is done with one; between tickets it stands still (docs/codedesk.md).
    model      the endpoint that it may reach, and nothing else: the station forwards and meters.
    key_env    the environment variable that has its key; the agent never sees it.
    ticket_tokens, shift_tokens, ticket_money, shift_money, price_in, price_out   what it may spend there (`CodeDesk`).
    programs   folders of this machine that hold the agent, separated by colons.
    keep_home  whether its home is kept from ticket to ticket, for agents that can go on with a session.
    """

    def __init__(
        self,
        command: str | None = None,
        model: str | None = None,
        key_env: str = "OPENAI_API_KEY",
        programs: str | None = None,
        keep_home: bool = False,
        once: Literal["ticket", "shift"] = "ticket",
        ticket_tokens: float | None = None,
        shift_tokens: float | None = None,
        ticket_money: float | None = None,
        shift_money: float | None = None,
        price_in: float | None = None,
        price_out: float | None = None,
    ) -> None:
        if not command:
            raise TaktError("worker 'command' needs the line of an agent, such as -w command='qwen -p {ticket}'")
        if "{ticket}" not in command and once == "ticket":
            raise TaktError(
                f"command={command[:100]!r} has no {{ticket}}, which becomes the ticket's title and text, quoted; "
                "without it the agent would not know what to do: -w command='qwen -p {ticket}' ({number} and {last} "
                "may stand there too)"
            )
        if once == "shift" and any(place in command for place in ("{ticket}", "{number}", "{last}")):
            raise TaktError("an agent that is started once a shift reads its tickets: command has no place for them")
        Cap(
            ticket_tokens, shift_tokens, ticket_money, shift_money, price_in or 0, price_out or 0
        )  # which looks at them
        self._command, self._stays = command, once == "shift"
        asked: dict[str, Any] = {"model": model, "programs": programs, "keep_home": keep_home or None} | (
            {"key_env": key_env} if model else {}
        )
        asked |= {"ticket_tokens": ticket_tokens, "shift_tokens": shift_tokens, "ticket_money": ticket_money}
        asked |= {
            "session": self._stays or None,
            "shift_money": shift_money,
            "price_in": price_in,
            "price_out": price_out,
        }
        self.station_options = {name: value for name, value in asked.items() if value is not None}

    def begin(self, spec: StationSpec, seed: int) -> None:
        super().begin(spec, seed)
        self._last = ""

    def save(self) -> bytes:
        return pack([self._last])

    def load(self, state: bytes) -> None:
        (self._last,) = unpack(state)

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["tickets"]:
            return self.pause(observation)
        row, result = observation["tickets"][0], observation["result"]
        if result.get("tool") == "submit":
            self._last = json.dumps({name: value for name, value in result.items() if name != "tool"})
        if self._stays and result.get("tool") == "hand" and "error" not in result:
            word = result.get("word") or {}
            if "help" in word:
                return Plan([tool_call("help", ticket=row["ticket"], why=word.get("why") or "it did not say")])
            return Plan([tool_call("submit", ticket=row["ticket"])])
        if result.get("tool") == "ticket" and result.get("ticket") == row["ticket"] and self._stays:
            about = {name: result[name] for name in ("ticket", "title", "text", "kind", "named", "left_s")}
            about |= {"waiting": observation["waiting"] - 1, "last": json.loads(self._last or "null")}
            line = fitted(result["text"], lambda text: json.dumps(about | {"text": text}))
            until_s = max(10, int(row["left_s"]) - 2)
            return Plan([tool_call("hand", ticket=row["ticket"], command=self._command, line=line, timeout_s=until_s)])
        if result.get("tool") == "ticket" and result.get("ticket") == row["ticket"]:
            line = self._command.replace("{number}", str(row["ticket"])).replace("{last}", shlex.quote(self._last))
            place, title = line, result["title"]
            line = fitted(result["text"], lambda text: place.replace("{ticket}", shlex.quote(f"{title}\n\n{text}")))
            return Plan(
                [
                    tool_call("run", command=line, timeout_s=max(10, int(row["left_s"]) - 1)),
                    tool_call("submit", ticket=row["ticket"]),
                ]
            )
        return Plan([tool_call("ticket", ticket=row["ticket"])])


def fitted(text: str, line: Callable[[str], str]) -> str:
    """The line that hands a ticket over, its text cut where it is too long for a call; then it says so."""
    made, kept = line(text), len(text)
    while len(json.dumps(made)) > LONGEST_LINE and kept:
        kept = kept * 9 // 10
        made = line(text[:kept] + CUT)
    return made
