"""What goes on at the code desk: tickets fall due, commands run, submissions are inspected, and what is done stays.

Whatever cannot be done twice the same, a command or an inspection, is a numbered record. It is in the journal as soon
as it is done, and among the shift's events; a shift that is resumed or repeated reads it, and runs nothing again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from takt.contract.events import HELP_CALLED, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.tools import Refused
from takt.contract.worker import Journal
from takt.errors import TaktError
from takt.stations.codedesk.breakage import moved, number_of, reckoned, whole
from takt.stations.codedesk.bubblewrap import MIB
from takt.stations.codedesk.changes import in_git
from takt.stations.codedesk.grading import committed, graded
from takt.stations.codedesk.model import Door, Spent
from takt.stations.codedesk.repository import MOST_EFFECT, Repository, as_text, dates, files_of, imported_from, of_text
from takt.stations.codedesk.sandbox import Ran
from takt.stations.codedesk.session import Session
from takt.stations.codedesk.suites import no_longer, retired_by
from takt.stations.codedesk.terms import (
    BROKEN_BUILD,
    HELP,
    INSPECTED,
    KEPT,
    LATE,
    NO_CHANGE,
    RAN,
    READY,
    REGRESSION,
    TAMPERED,
    WRONG,
    Due,
    Terms,
    record_of,
)
from takt.stations.codedesk.tickets import REPOSITORY, Series, Ticket, changed
from takt.stations.codedesk.trees import File, as_file

SHOWN = ("code", "ended_by", "took_s", "output", "errors", "left_running", "started", "word")


@dataclass
class Desk:
    """The desk. `events` are those since they were last taken.

    Long because: a ticket's life, from due to mended again, is one state machine over one repository.
    """

    series: Series
    repository: Repository
    terms: Terms
    door: Door | None = None
    journal: Journal | None = None
    periods: int = 0  # control periods since the shift began
    busy_periods: int = 0  # until the last command is done
    number: int = 0  # of the next record
    changes: int = 0  # how often the tree was changed
    next_due: int = 0
    open: dict[int, Due] = field(default_factory=dict)
    accepted: list[int] = field(default_factory=list)
    ended: int = 0
    shell_down: bool = False
    broken: dict[str, list[Any]] = field(default_factory=dict)  # test -> its ticket, the unit that broke it, when (s)
    spent: Spent = field(default_factory=Spent)  # at the model's endpoint
    events: list[Event] = field(default_factory=list)
    _reference: tuple[int, dict[str, str | bytes] | None] = (0, None)

    def __post_init__(self) -> None:
        self.session = Session(self.repository)

    def close(self) -> None:
        self.session.close()
        self.repository.close()

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.periods * self.terms.control_s

    @property
    def busy(self) -> float:
        """Seconds until the last command is done."""
        return self.busy_periods * self.terms.control_s

    @property
    def privileged(self) -> bool:
        return self.terms.privileged

    def advance(self) -> None:
        """What comes by itself: tickets whose time is over, and new ones."""
        for due in list(self.open.values()):
            if self.now >= due.deadline_s - 1e-9:
                self._inspected(due, submitted=False)
        while self.next_due * self.terms.takt_s <= self.now + 1e-9 and self._has(self.next_due):
            self._fall_due(self.next_due)
            self.next_due += 1

    def _has(self, number: int) -> bool:
        return self.series.length is None or number < self.series.length

    def _fall_due(self, number: int) -> None:
        ticket, at_s = self.series.ticket(number), number * self.terms.takt_s
        if self.terms.each:
            self.repository.replace(files_of(self.reference(number)))
            self.repository.before.begin()
            self.accepted, self.broken = list(range(number)), {}
            self.changes += 1
        due = Due(number, at_s, at_s + self.terms.service_s, self.changes, tree=self.repository.mark)
        self.open[number] = due
        data = {"ticket": number, "title": ticket.title, "kind": ticket.kind, "level": ticket.level}
        self.events.append(Event(at_s, UNIT_DUE, number, data))

    # --- what tools do ------------------------------------------------------------------------------------------------

    def due(self, number: int) -> Due:
        """A ticket that is open; Refused otherwise."""
        if number not in self.open:
            known = ", ".join(map(str, self.open)) or "none"
            why = "is not due yet or does not exist" if number >= self.next_due else "has ended"
            raise Refused("not_open", f"ticket {number} {why}; open are: {known}")
        return self.open[number]

    def row(self, due: Due) -> dict[str, Any]:
        ticket = self.series.ticket(due.number)
        left_s = round(due.deadline_s - self.now, 3)
        return {"ticket": due.number, "title": ticket.title, "kind": ticket.kind, "left_s": left_s}

    def shown(self, number: int) -> dict[str, Any]:
        """A ticket as its text has it."""
        due = self.due(number)
        ticket = self.series.ticket(number)
        return {**self.row(due), "text": ticket.text, "named": list(ticket.named)}

    def command(self, kind: str, said: str, *argv: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """Run a command on the tree, or read what it came to; it keeps the station busy."""

        def run(line: Sequence[str], wall_s: float, env: Mapping[str, str]) -> tuple[Ran, dict[str, Any]]:
            return self.repository.run(line, wall_s=wall_s, env=env), {}

        return self._ran(kind, said, self._current(), argv, timeout_s, run)

    def hand(self, number: int, command: str, line: str, timeout_s: float) -> dict[str, Any]:
        """A ticket for the agent that lives through the shift: it goes on until it says that it is done with it."""
        self.due(number)

        def turn(argv: Sequence[str], wall_s: float, env: Mapping[str, str]) -> tuple[Ran, dict[str, Any]]:
            ran, started = self.session.turn(argv, line.encode(), number, wall_s=wall_s, env=env)
            return ran, {"started": started, "word": dict(ran.word)}

        return self._ran("hand", command, number, ("sh", "-c", command), timeout_s, turn)

    def _ran(
        self,
        kind: str,
        said: str,
        unit: int | None,
        argv: Sequence[str],
        timeout_s: float,
        do: Callable[..., tuple[Ran, dict[str, Any]]],
    ) -> dict[str, Any]:
        if self.shell_down:
            raise Refused("shell_down", "no command can be run now; files can be read and edited")
        left_s = min((due.deadline_s for due in self.open.values()), default=math.inf) - self.now
        wall_s = min(timeout_s, self.terms.command_s, math.inf if self.terms.fixed else max(1.0, left_s))

        def run() -> dict[str, Any]:
            ready = self._ready()
            if self.door is not None:
                self.door.begin(self.spent.of(unit), self.spent.in_all())
            line = list(argv) if self.door is None else self.door.command(argv)
            if self.terms.keep_home:
                line = ["sh", "-c", f'mkdir -p {KEPT}; exec "$@"', "sh", *line]
            ran, more = do(line, wall_s, dates(self.now) | self._environment())
            asked = {} if self.door is None else self.door.told()
            return (
                record_of(self.terms, kind, said, ran, ready, self.door is not None)
                | more
                | ({"model": asked} if asked else {})
            )

        record = self._recorded(RAN, unit, run)
        self.spent.add(unit, record.get("model") or {})
        self.busy_periods = max(0, math.ceil(record["busy_s"] / self.terms.control_s - 1e-9) - 1)
        shown = {name: record.get(name, "") for name in SHOWN}
        return {
            name: value for name, value in shown.items() if value not in ("", 0, "exit") or name in ("code", "output")
        }

    def submit(self, number: int) -> dict[str, Any]:
        """Commit and inspect what is there."""
        due = self.due(number)
        return self._inspected(due, submitted=True)

    def help(self, number: int, why: str) -> dict[str, Any]:
        """Hand a ticket over."""
        due = self.due(number)
        self.events.append(Event(self.now, HELP_CALLED, number, {"why": why}))
        self._end(due, [HELP])
        return {"ticket": number, "handed_over": True}

    def solve(self, number: int, mutant: int) -> dict[str, Any]:
        """Put a known solution into the tree, or one of its mutants."""
        due = self.due(number)
        change: Mapping[str, str | bytes | None] = self.series.ticket(number).reference
        if mutant >= 0:
            from takt.stations.codedesk.sabotage import sabotaged

            found = sabotaged(self.series, number, self.reference(number), mutant)
            if found is None:
                raise Refused("no_mutant", f"the solution of ticket {number} has no mutant")
            change = found
        files: dict[str, File | None] = {}
        for path, file in change.items():
            there, new = self.repository.tree.get(path), None if file is None else as_file(file)
            keeps = self.series.length is None and there and there[0].startswith("f")  # it has no modes of its own
            files[path] = (there[0], new[1]) if keeps and there and new else new
        self.change(files)
        due.solved = mutant
        return {"ticket": number, "files": len(files)}

    def change(self, files: Mapping[str, File | None]) -> None:
        """Write and delete files of the tree."""
        self.repository.change(files)
        self.changes += 1

    # --- commands -----------------------------------------------------------------------------------------------------

    def _recorded(self, kind: str, unit: int | None, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The next record: from the journal, with what it changed, or made now."""
        number, self.number = self.number, self.number + 1
        record: Mapping[str, Any] | None = None if self.journal is None else self.journal.recall(number)
        if record is None:
            record = {"record": number, **make()}
            if self.journal is not None:
                self.journal.note(number, record)
        else:
            try:
                self.repository.replay(of_text(record["effect"]))
            except (ValueError, KeyError) as error:
                raise TaktError(f"record {number} of the station is damaged: {error}") from None
        if record["touched"]:
            self.changes += 1
        self.events.append(Event(self.now, kind, unit, dict(record)))
        return dict(record)

    def _ready(self) -> dict[str, File | None]:
        """See that git is there, with the tree as it was at the start as its first commit; what that changed."""
        self.repository.beside = 0
        if any(in_git(path) for path in self.repository.tree):
            return {}
        tree = self.repository.tree
        self.repository.replace(files_of(self.reference(self.next_due - 1) if self.terms.each else self.series.base()))
        self.repository.run(("sh", "-c", READY), wall_s=60.0, env=dates(0.0), effect_mb=MOST_EFFECT // MIB)
        made = {path: file for path, file in self.repository.tree.items() if in_git(path)}
        self.repository.replace({**tree, **made})
        self.repository.beside = sum(len(content) for _, content in made.values())
        return dict(made)

    def _environment(self) -> dict[str, str]:
        source = {} if self.series.length is None else imported_from(self.repository.tree)
        home = source | ({"HOME": KEPT} if self.terms.keep_home else {})
        return home if self.door is None else self.door.environment | home

    def _current(self) -> int | None:
        """The ticket that waits longest: what is not about a certain one is about it."""
        return min(self.open, default=None)

    def _unchanged(self, due: Due) -> bool:
        """Whether the tree is as it was when this ticket fell due: what was done and undone, and what tests leave
        behind, is no change."""
        return self.changes == due.changes or self.repository.mark == due.tree

    # --- inspection ---------------------------------------------------------------------------------------------------

    def _inspected(self, due: Due, submitted: bool) -> dict[str, Any]:
        """Commit, inspect, judge."""
        ticket = self.series.ticket(due.number)
        if self.changes == 0 or (self.terms.each and self._unchanged(due)):  # nobody has done anything, ever
            return self._end(due, [NO_CHANGE])
        record = self._recorded(INSPECTED, due.number, lambda: self._inspect(due, ticket))
        self.repository.before.begin()
        self.broken = moved(self.broken, record.get("moved", {}))
        seen = {number_of(word): list(tests) for word, tests in record["broken"].items()}
        reasons = [TAMPERED] if record["tampered"] else []
        found = sorted({was[0] for was in self.broken.values()})
        if not record["tampered"]:
            unknown = record.get("unknown")
            retired = no_longer(self.series, {test: int(was[0]) for test, was in self.broken.items()}, self.next_due)
            before = record.get("before", ())
            self.broken, told, breaks = reckoned(self.broken, due.number, self.now, seen, unknown, retired, before)
            self.events += told
            if record["build"] and (record["failed"] or breaks):
                reasons.append(BROKEN_BUILD)
            elif record["failed"]:
                reasons.append(NO_CHANGE if self._unchanged(due) else WRONG)
            if breaks:
                reasons.append(REGRESSION)
        if reasons and not submitted:
            reasons.insert(0, LATE)
        if reasons and due.solved == -1 and record["pure"]:
            why = record["tampered"] or record["build"] or record["message"] or ", ".join(record["failed"][:3])
            raise TaktError(
                f"the tickets are refused: the known solution of ticket {due.number} ({ticket.title}) is not accepted: "
                f"{' '.join(why.split())[-300:]}"
            )
        still = {self.broken[test][0] for test in record.get("unknown", ()) if test in self.broken}
        return self._end(due, reasons, {*seen, *still}, found)

    def _inspect(self, due: Due, ticket: Ticket) -> dict[str, Any]:
        ready = self._ready()
        title = f"Ticket {due.number}: {ticket.title}"
        made, uncommitted = committed(self.repository, title, self.now)
        retired = retired_by(self.series, ticket, self.accepted, self.next_due)
        reach = not self.terms.each
        ended = max((one for one in range(self.next_due) if one not in self.open), default=-1)
        told = graded(self.series, self.repository, ticket, self.accepted, retired, reach, self.broken, ended)
        told["unknown"] = [test for test in self.broken if {test, whole(test)} & set(told["unknown"])]
        told["pure"] = self.repository.worktree() == files_of(self.reference(due.number + 1))
        diff = self.repository.before.diff(self.repository.tree)
        told |= {"uncommitted": uncommitted} if uncommitted else {}
        return {**told, "diff": diff, "touched": False, "effect": as_text({**ready, **made})}

    def _end(
        self,
        due: Due,
        reasons: list[str],
        broken: Collection[int] = (),
        found: Sequence[int] = (),
    ) -> dict[str, Any]:
        """The unit has ended. Accepted tickets that are `broken` now, and those `found` so when it was inspected, the
        repository among them."""
        del self.open[due.number]
        self.ended += 1
        cycle_s = round(min(self.now, due.deadline_s) - due.due_s, 6)
        data: dict[str, Any] = {"cycle_s": cycle_s, "parts": {}, **_told("found_broken", found)}
        if reasons:
            self.events.append(Event(self.now, UNIT_BAD, due.number, {**data, "reasons": reasons}))
        else:
            self.accepted.append(due.number)
            self.events.append(Event(self.now, UNIT_GOOD, due.number, {**data, "first_time": True}))
        answer: dict[str, Any] = {"ticket": due.number, "good": not reasons, "reasons": reasons}
        return answer | _told("broken_tickets", broken)

    def reference(self, number: int) -> dict[str, str | bytes]:
        """The reference's own tree before a ticket. The last one is kept, for they are asked for in order."""
        at, tree = self._reference
        if tree is None or at > number:
            at, tree = 0, dict(self.series.base())
        while at < number:
            tree = changed(tree, self.series.ticket(at).reference)
            at += 1
        self._reference = (at, tree)
        return dict(tree)

    # --- state --------------------------------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        """All of it but what follows from the series and the terms."""
        counts = [self.periods, self.busy_periods, self.number, self.changes, self.next_due, self.ended]
        rows = [[d.number, d.due_s, d.deadline_s, d.changes, d.solved, d.tree] for d in self.open.values()]
        return [
            counts,
            rows,
            list(self.accepted),
            self.broken,
            sorted([p, *f] for p, f in self.repository.tree.items()),
            self.spent.state(),
            self.repository.before.state(),
        ]

    def restore(self, state: list[Any]) -> None:
        counts, rows, self.accepted, self.broken, tree, *later = state
        self.spent = Spent(later[0] if later else ())
        self.repository.before.restore(later[1] if len(later) > 1 else [])
        self.periods, self.busy_periods, self.number, self.changes, self.next_due, self.ended = counts
        self.open = {row[0]: Due(*row) for row in rows}
        self.events = []
        self.session.close()
        self.repository.replace({path: (kind, content) for path, kind, content in tree})


def _told(name: str, owners: Collection[int]) -> dict[str, Any]:
    """Whose tests are broken: of which tickets, and whether some of the repository's own are."""
    tickets = sorted(one for one in owners if one != REPOSITORY)
    return ({name: tickets} if tickets else {}) | ({"broken_repository": True} if REPOSITORY in owners else {})
