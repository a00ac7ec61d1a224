"""`codedesk`: tickets at one repository that is never reset. A unit is a ticket.

An action is a tool call, a JSON text (`tools.py`); it takes `control_s`, and a command as long as it took. An
observation is what is on the desk: the time, the tickets that are open, and the answer to the last call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import gymnasium

from takt.contract.events import REFUSED, UNIT_GOOD, Event
from takt.contract.faults import Active
from takt.contract.options import Limit, wrong_number
from takt.contract.station import Acceptance, Account, FaultKind, StationSpec, TaktError
from takt.contract.tools import WAIT, Calls, Json
from takt.contract.worker import Journal
from takt.ledger.pack import pack, unpack
from takt.stations.codedesk.brief import SHORT, brief
from takt.stations.codedesk.desk import Desk
from takt.stations.codedesk.families import families
from takt.stations.codedesk.model import CAPPED, INSIDE, Cap, Door
from takt.stations.codedesk.mounts import lies_at, mounts, named_python, python_folders
from takt.stations.codedesk.repository import Repository, files_of, unfit
from takt.stations.codedesk.sandbox import Limits, Sandbox, check_works
from takt.stations.codedesk.terms import Terms
from takt.stations.codedesk.tickets import GENERATED, Series, open_series
from takt.stations.codedesk.tools import TOOLS, allowed, call

SHELL_DOWN = "shell_down"
SHOWN = 10  # tickets in an observation
WAITS = 5  # rules (`takt.shift.RULES`) since which workers wait for the beat; before, so many control periods (`pause`)
WORLD = 4  # the version of generated tickets
LIMITS: tuple[Limit, ...] = (  # a ledger may ask for any number
    ("takt_s", 1, 1e6, False),
    ("service_s", 1, 1e6, False),
    ("command_s", 1, 86_400, False),
    ("control_s", 0.1, 600, False),
    ("good_rate", 0.001, 1, False),
    ("memory_mb", 64, 65_536, True),
    ("processes", 8, 4096, True),
    ("disk_mb", 16, 16_384, True),
    ("output_kb", 1, 1024, True),
)


def is_folder(tickets: str) -> bool:
    """Whether this names a folder of tickets; a family's name never does, whatever lies in the current folder."""
    return tickets not in (GENERATED, *families())


class CodeDesk(gymnasium.Env[Any, Any]):
    """A desk for coding agents: work the tickets of one repository, on the beat, on what was written before.

    tickets       generated (a family drawn from the seed), a family's name, or a folder that `takt mine` wrote.
    level         of generated tickets: easy, plain, hard.
    takt_s        seconds between two tickets.
    service_s     seconds from falling due to the last moment of being submitted; by default two takts.
    command_s     seconds that a command may take at most; by default the service limit.
    prices        measured: a command takes the time that it took; fixed: a time by its kind, the same on every machine.
    reset         never; or each: every ticket begins at the known solutions of those before, for comparison.
    model         an endpoint that commands may reach at http://127.0.0.1:8765/v1, such as http://127.0.0.1:8000/v1.
    key_env       the environment variable that has its key.
    ticket_tokens, shift_tokens   what commands may spend there: tokens read and written, for a ticket and in the shift.
    ticket_money, shift_money     the same in money, by price_in and price_out.
    price_in, price_out           of a million tokens read and written there.
    programs      folders of this machine that commands see, read-only, separated by colons: an agent's installation.
    session       whether a command may live through the shift, for an agent that is started once (`Session`).
    keep_home     whether what a command leaves in its home is there for the next: an agent's session goes on.
    memory_mb, processes, disk_mb, output_kb   limits of a command.
    privileged    whether the known solutions can be asked for.
    control_s     seconds that a tool call takes.
    good_rate     what the job asks.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        tickets: str = GENERATED,
        level: Literal["easy", "plain", "hard"] = "plain",
        takt_s: float = 1200.0,
        service_s: float | None = None,
        command_s: float | None = None,
        prices: Literal["measured", "fixed"] = "measured",
        reset: Literal["never", "each"] = "never",
        model: str | None = None,
        key_env: str = "OPENAI_API_KEY",
        ticket_tokens: float | None = None,
        shift_tokens: float | None = None,
        ticket_money: float | None = None,
        shift_money: float | None = None,
        price_in: float = 0.0,
        price_out: float = 0.0,
        programs: str | None = None,
        memory_mb: int = 2048,
        processes: int = 256,
        disk_mb: int = 512,
        output_kb: int = 64,
        keep_home: bool = False,
        session: bool = False,
        privileged: bool = False,
        control_s: float = 1.0,
        good_rate: float = 0.8,
        render_mode: str | None = None,
    ) -> None:
        self.render_mode = render_mode
        each = reset == "each"
        service_s = (takt_s if each else 2 * takt_s) if service_s is None else service_s
        command_s = service_s if command_s is None else command_s
        numbers = {"takt_s": takt_s, "service_s": service_s, "command_s": command_s, "control_s": control_s}
        numbers |= {"good_rate": good_rate, "memory_mb": memory_mb, "processes": processes, "disk_mb": disk_mb}
        if wrong := wrong_number({**numbers, "output_kb": output_kb}, LIMITS):
            raise TaktError(wrong)
        cap = Cap(ticket_tokens, shift_tokens, ticket_money, shift_money, price_in, price_out)
        caps = {name: value for name, value in asdict(cap).items() if value or (name in CAPPED and value is not None)}
        if caps and model is None:
            raise TaktError(f"{next(iter(caps))} is about what a model's endpoint takes, and none is given: model=...")
        if cap.on_money and not cap.priced:
            raise TaktError("a cap on money needs price_in and price_out, for a million tokens read and written")
        if each and service_s > takt_s:
            raise TaktError(f"with reset=each one ticket is open at a time: service_s is {takt_s:g} at most")
        shown = tuple(str(lies_at(part)) for part in (programs or "").split(":") if part)
        self._series_of = (str(tickets), str(level))
        self._opened: tuple[int, Series] | None = None
        self._fixed_series = open_series(str(tickets), str(level), 0) if is_folder(str(tickets)) else None
        self._terms = Terms(
            takt_s=float(takt_s),
            service_s=float(service_s),
            command_s=float(command_s),
            control_s=float(control_s),
            fixed=prices == "fixed",
            each=each,
            privileged=bool(privileged),
            keep_home=bool(keep_home),
            session=bool(session),
        )
        self._door = None if model is None else Door(model, key_env, float(service_s), cap)
        self._sandbox = Sandbox(
            programs=shown + python_folders(self._python()),
            path=tuple(
                dict.fromkeys(str(Path(part) / name) for part in shown for name in ("bin", "node_modules/.bin"))
            ),
            python=self._python(),
            sockets={} if self._door is None else {INSIDE: self._door.path},
            limits=Limits(float(command_s), memory_mb, processes, output_kb, disk_mb),
        )
        named = str(tickets) if self._fixed_series is None else str(Path(str(tickets)).resolve())
        options: dict[str, Any] = {"tickets": named, "level": level, **numbers, "output_kb": output_kb}
        options |= {"prices": prices, "reset": reset, "privileged": bool(privileged), "keep_home": bool(keep_home)}
        options |= {} if model is None else {"model": model, "key_env": key_env, **caps}
        options |= {} if programs is None else {"programs": ":".join(shown)}  # from wherever it is gone on with
        options |= {"session": True} if session else {}
        also = allowed(bool(privileged), bool(session))
        self._spec = StationSpec(
            id="takt/CodeDesk-v0",
            entry_point="takt.stations.codedesk.station:CodeDesk",
            kwargs=dict(options),
            station="codedesk",
            takt_s=float(takt_s),
            control_s=float(control_s),
            faults={SHELL_DOWN: FaultKind("no command can be run; files can be read and edited", 900.0, False)},
            acceptance=Acceptance(good_rate=float(good_rate)),
            options=options,
            brief=brief(takt_s, service_s, self._python()),
            tools=tuple(TOOLS.openai_tools(also)),
            looks=tuple(tool.name for tool in TOOLS.offered(also) if not tool.changes),
            short=SHORT,
            pace="beat",
            privileged=bool(privileged),
            world=None if self._fixed_series is not None else WORLD,
            unit_life_s=float(service_s) + float(control_s),
        )
        self.spec: StationSpec = self._spec  # which `gymnasium.make` replaces by an EnvSpec
        self.observation_space, self.action_space = Json(), Calls(TOOLS)
        self._desk: Desk | None = None
        self._journal: Journal | None = None

    @staticmethod
    def opened_if_named(options: Mapping[str, Any]) -> dict[str, Any]:
        """A folder of tickets, programs and an endpoint, which a ledger alone is not believed (ledger/trust.py)."""
        tickets = str(options.get("tickets", GENERATED))
        named = {"tickets": tickets} if is_folder(tickets) else {}
        return named | {name: options[name] for name in ("model", "programs", "key_env") if options.get(name)}

    def ready(self) -> None:
        """Raise TaktError, in one line, where no command could be run: no sandbox, or no such programs. Whoever only
        reads a shift, or repeats one from its records, need not have them."""
        mounts(self._sandbox.programs)
        check_works()

    @property
    def now(self) -> float:
        return 0.0 if self._desk is None else self._desk.now

    @property
    def hold(self) -> Any:
        return WAIT

    @property
    def busy(self) -> int:
        """Control periods until the last command is done (`takt.contract.station.Busy`)."""
        return 0 if self._desk is None else self._desk.busy_periods

    @property
    def all_units(self) -> int | None:
        """How many tickets a folder has; those from seeds do not end (`takt.contract.station.Counted`)."""
        return None if self._fixed_series is None else self._fixed_series.length

    @property
    def exhausted(self) -> str:
        """That all tickets of a series have ended (`takt.contract.station.Finite`)."""
        if self._desk is None or (most := self.desk.series.length) is None or self.desk.ended < most:
            return ""
        return f"the series has {most} ticket{'' if most == 1 else 's'}, and all have ended"

    @property
    def desk(self) -> Desk:
        """What is behind the desk. No worker sees it."""
        assert self._desk is not None
        return self._desk

    @property
    def files(self) -> dict[str, bytes]:
        """What is in the tree, but for links, folders and git's own (`takt.contract.station.Files`)."""
        tree = {} if self._desk is None else self._desk.repository.worktree()
        return {path: content for path, (kind, content) in tree.items() if kind != "l"}

    def keep_in(self, journal: Journal) -> None:
        """Where records of commands and inspections are kept (`takt.contract.worker.Journaled`)."""
        self._journal = journal
        if self._desk is not None:
            self._desk.journal = journal

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._faults = Active.of(self._spec, options)
        self._pause = {"pause": 10} if (options or {}).get("rules", WAITS) < WAITS else {}
        drawn = int(self.np_random.integers(2**31)) if seed is None else int(seed)
        series = self._series(drawn)
        if self._desk is not None:
            self._desk.close()
        base = series.base()
        if why := unfit(base, self._sandbox.limits.disk_mb):
            raise TaktError(f"no shift can begin with the repository of {series.name!r}: {why}")
        repository = Repository(self._sandbox, files_of(base))
        self._desk = Desk(series, repository, self._terms, self._door, self._journal)
        self._calls = 0
        self._result: dict[str, Any] = {"tool": "wait"}
        self._coming: dict[str, Any] | None = None
        happened = self._advance()
        return self._observation(), {"events": happened}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one call, which takes `control_s`, or as long as its command took; then look at what is on the desk."""
        desk = self.desk
        was_busy = desk.busy_periods
        if action != WAIT:
            self._calls += 1
            result = call(desk, action)
            if "error" in result:
                told = {"tool": result["tool"], "code": result["error"]["code"]}
                desk.events.append(Event(self.now, REFUSED, None, told))
            self._result = result
            if desk.busy_periods and not was_busy:
                self._coming, self._result = result, {"tool": result["tool"], "running": True}
        desk.busy_periods = was_busy - 1 if was_busy else desk.busy_periods
        desk.periods += 1
        if not desk.busy_periods and self._coming is not None:
            self._result, self._coming = self._coming, None
        happened = self._advance()
        reward = float(sum(e.kind == UNIT_GOOD for e in happened))
        return self._observation(), reward, False, False, {"events": happened}

    def unit_of(self, action: Any) -> int | None:
        """The ticket that a call names."""
        try:
            number = json.loads(action)["arguments"]["ticket"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return number if isinstance(number, int) and number in self.desk.open else None

    @staticmethod
    def account(events: Sequence[Event]) -> Account:
        """Tickets, regressions and what became of the code."""
        from takt.stations.codedesk.account import account_of

        return account_of(events)

    def render(self) -> Any:
        """A picture of the tickets so far."""
        from takt.stations.codedesk.drawing import picture

        return picture(self.desk)

    def save(self) -> bytes:
        return pack([self.desk.state(), self._calls, self._faults.save(), self._result, self._coming])

    def load(self, state: bytes) -> None:
        desk, self._calls, faults, self._result, self._coming = unpack(state)
        self._faults.load(faults)
        self.desk.restore(desk)

    def close(self) -> None:
        if self._desk is not None:
            self._desk.close()
        if self._door is not None:
            self._door.close()

    def _series(self, seed: int) -> Series:
        if self._fixed_series is not None:
            return self._fixed_series
        if self._opened is None or self._opened[0] != seed:
            self._opened = seed, open_series(*self._series_of, seed)
        return self._opened[1]

    def _python(self) -> str:
        """The Python that a mined series was mined with, "" for our own."""
        return "" if self._fixed_series is None else named_python(self._fixed_series.python)

    def _advance(self) -> list[Event]:
        desk = self.desk
        desk.events += self._faults.events(self.now, self._spec)
        desk.shell_down = self._faults.there(SHELL_DOWN)
        desk.advance()
        happened, desk.events = desk.events, []
        return happened

    def _observation(self) -> dict[str, Any]:
        desk = self.desk
        return {
            "now_s": self.now,
            "waiting": len(desk.open),
            "tickets": [desk.row(due) for due in list(desk.open.values())[:SHOWN]],
            "calls": self._calls,
            "result": self._result,
            **({} if desk.open else self._pause),
        }
