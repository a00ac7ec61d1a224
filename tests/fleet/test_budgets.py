"""What ends a fleet, and what it may ask of servers; by an executor that works nothing."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_plans import few, hand
from rich.console import Console

from takt.cli.fleets import executor_for
from takt.fleet.crew import Crew
from takt.fleet.drive import Driver, job_of
from takt.fleet.estimate import arms_of
from takt.fleet.found import Found
from takt.fleet.job import BUSY, ENDED, LEFT, PROGRESS, Job, Message
from takt.fleet.plan import Endpoint, Limits
from takt.fleet.record import Record
from takt.fleet.shown import estimate_lines
from takt.fleet.spending import Spending
from takt.fleet.standing import ArmStanding, FleetStanding
from takt.fleet.toml import plan_of

PLAN = few("0-9", 10)
HAND = hand("Balances")
ASKED = {"good_rate": 0.9, "cycle_s": None}


class Paper:
    """Each look is a unit of every shift, at a price; a shift has three, and is left at a unit's end."""

    def __init__(self, jobs: int, money: float = 0.0, tokens: int = 0, begun: Mapping[str, int] | None = None) -> None:
        self.jobs, self.money, self.tokens = jobs, money, tokens
        self.begun = begun or {}  # units of shifts that were left, by id
        self.units: Counter[Job] = Counter()
        self.leaving: set[Job] = set()
        self.most = 0  # at a time

    def never(self, job: Job) -> str:
        return ""

    def room(self, job: Job) -> bool:
        return len(self.units) < self.jobs

    def start(self, job: Job) -> None:
        self.units[job] = self.begun.get(job.id, 0)
        self.most = max(self.most, len(self.units))

    def wait(self, timeout_s: float) -> list[Message]:
        return [self._unit(job) for job in list(self.units)]

    def _unit(self, job: Job) -> Message:
        self.units[job] += 1
        units, left = self.units[job], job in self.leaving
        spent = {"money": units * self.money, "tokens": units * self.tokens}
        if units < 3 and not left:
            return Message(job, PROGRESS, {"units": units, "good": units, "wall_s": float(units), **spent})
        del self.units[job]
        ended = "" if units < 3 else "units"
        wall_s = float(units)
        outcomes = ("g" * units, 0, "1" * units, "0" * 6 * units, [1.0] * units)
        told = Record(job.id, job.seed, ended, "", *outcomes, wall_s, wall_s, "", "", acceptance=ASKED)
        told = replace(told, money=units * self.money, tokens=units * self.tokens)
        return Message(job, LEFT if not ended else ENDED, told.told())

    def leave(self, job: Job) -> None:
        self.leaving.add(job)

    def kill(self, job: Job) -> None:
        self.units.pop(job, None)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("money = 7.0", "the budget of money is used up: 7 of 7"),
        ("tokens = 7e3", "the budget of tokens is used up: 7,000 of 7,000"),
        ("machine_hours = 0.001", "the budget of machine hours is used up"),
        ("hours = 1e-12", "the budget of hours is used up"),
    ],
)
def test_a_budget_that_is_used_up_ends_every_shift_at_its_units_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    paper = Paper(2, money=0.5, tokens=500)
    done = Driver(plan_of(PLAN + HAND + f"[budget]\n{budget}\n"), lambda: paper).run()
    assert done.why == "budget" and words in done.told and done.ended < 10 and not done.lost
    assert not paper.units, "nothing goes on"
    key = budget.partition(" ")[0]  # hours are of one run, and here too few to begin; the next has no more of any
    assert done.needs == f"it goes on once the plan's [budget] has more {key}"
    spent = sum(record.money for record in done.records.values())
    if "money" in budget:
        assert 7.0 <= spent <= 7.0 + 2 * 0.5, "at most the unit that each shift had under way comes on top"
        assert any(not record.ended for record in done.records.values()) or done.ended == 5


def test_asked_to_stop_when_the_last_shifts_end_anyway_nothing_is_left_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seeds, why, ended in (("0-1", "worked", 2), ("0-9", "stopped", 2)):
        plan = plan_of(PLAN.replace("0-9", seeds).replace("few", f"few{seeds}") + HAND)
        driver, paper = Driver(plan, lambda: paper), Paper(2)  # noqa: B023
        paper.leave = lambda job: None  # type: ignore[method-assign]  # each is at its last unit
        monkeypatch.setattr(driver._notes, "asked_to_stop", lambda: bool(paper.units))  # noqa: B023
        done = driver.run()
        assert (done.why, done.ended, bool(done.told)) == (why, ended, why == "stopped")


def test_what_the_last_driver_said_is_not_said_where_it_is_so_no_more() -> None:
    plan = plan_of(PLAN + HAND)
    (arm,) = plan.arms
    figures: Any = (0, 0, 0, 0, 0, 0, 0.0, 0, 0.0, 0.0, None, [], [])
    for over, told, ended, said in (
        ("worked", "nothing is left to do", 9, "nothing works on it"),  # a ledger was emptied, or a seed is new
        ("stopped", "it was asked to stop", 9, "it was asked to stop"),
        ("budget", "the budget of hours is used up", 10, "nothing is left to do"),
    ):
        one = ArmStanding(arm, 10, ended, *figures)
        assert FleetStanding(plan, [one], [], {}, "", over, told).state == said


def test_more_cores_than_are_used_here_are_said_when_the_fleet_is_begun(capsys: pytest.CaptureFixture[str]) -> None:
    for cores, said in ((900, True), (2, False)):
        executor_for(plan_of(f"{PLAN}{HAND}cores = {cores}\n"), "local", 2)
        assert ("is 900, and 2 are to be used here (--jobs)" in capsys.readouterr().err) == said


def test_what_is_to_be_worked_says_how_much_of_it_is_begun() -> None:
    plan = plan_of(PLAN + HAND)
    figures: Any = (10, 4, 3, 0, 0, 0, 0, 0, 0.0, 0, 0.0, 0.0, None, [], [])
    found = FleetStanding(plan, [ArmStanding(plan.arms[0], *figures)], [], {}, "", "", "")
    (one,) = arms_of(found)
    assert (one.there, one.begun, one.left) == (4, 3, 6)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(*estimate_lines(found, [one], [], 2))
    told = " ".join(console.export_text().split())
    assert "4, 3 begun" in told and "4 there, 6 to work (3 of them begun)" in told


def test_a_fleet_without_a_budget_is_worked_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = Driver(plan_of(PLAN + HAND), lambda: Paper(3, money=0.5)).run()
    assert done.why == "worked" and done.ended == 10 and sum(r.money for r in done.records.values()) == 15.0


def test_a_shift_that_was_left_and_is_gone_on_with_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight shifts were left after two units, at 0.5 and 1 s each; all ten to their end cost 15."""
    monkeypatch.chdir(tmp_path)
    plan = plan_of(PLAN + HAND + "[budget]\nmoney = 15.1\nmachine_hours = 0.0084\n")
    begun = [shift for shift in plan.shifts if shift.seed < 8]
    bare = ("", "", "gg", 0, "11", "0" * 12, [1.0] * 2, 2.0, 2.0, "", "", 1.0)
    left = {shift.id: Record(shift.id, shift.seed, *bare, acceptance=ASKED) for shift in begun}
    monkeypatch.setattr("takt.fleet.drive.found_in", lambda *given: Found(dict(left), {}, 0))
    done = Driver(plan, lambda: Paper(3, money=0.5, begun=dict.fromkeys(left, 2))).run()
    assert (done.why, done.ended) == ("worked", 10) and sum(r.money for r in done.records.values()) == 15.0
    told = Spending()
    for said in ({"wall_s": 3, "money": 1}, {"wall_s": 4, "money": 1.5}, {}, {"wall_s": 3.5, "money": 1.5}):
        told.say("a", said)  # the third is of a process that died
    assert (told["wall_s"], told["money"]) == (4, 1.5)


def test_a_server_is_never_asked_by_more_shifts_than_it_has_slots_and_others_go_on() -> None:
    """Ten places, a server of two slots and another of three: at most two and three of their shifts at a time."""
    slots = {"gpu": 2, "llm": 3}
    ends = {name: Endpoint(name, "http://127.0.0.1:9", count) for name, count in slots.items()}
    paper = Paper(10)
    crew = Crew(paper, Limits(), ends)
    of = {"gpu": ["gpu"], "llm": ["llm"], "both": ["gpu", "llm"], "none": []}
    waiting = [Job("", name, "gym", "w", n, "", endpoints=ask) for n in range(5) for name, ask in of.items()]
    most: Counter[str] = Counter()
    ended = 0
    while waiting or not crew.idle:
        for job in [one for one in waiting if crew.room(one)]:
            if crew.room(job):
                waiting.remove(job)
                crew.start(job)
        for name in slots:
            most[name] = max(most[name], sum(name in job.endpoints for job in crew.running))
        ended += sum(message.kind == ENDED for message in crew.wait(0.0))
    assert most == slots and ended == 20 and paper.most > 5


def test_what_a_job_asks_is_what_its_plan_says() -> None:
    asks = '[endpoint.gpu]\nurl = "http://127.0.0.1:9/v1"\nslots = 2\n'
    plan = plan_of(PLAN + HAND + 'endpoint = "gpu"\ncores = 2\nmemory_gb = 3\n' + asks)
    job = job_of(plan, plan.shifts[0])
    assert (job.cores, job.memory_gb, job.endpoints) == (2.0, 3.0, ["gpu"]) and plan.endpoints["gpu"].slots == 2


def test_a_shift_that_another_process_has_is_waited_for_and_why_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a worker in a database was killed: its lease lasts half a minute."""
    monkeypatch.setattr("takt.fleet.crew.BUSY_S", 0.0)
    job, told = job_of(plan := plan_of(PLAN + HAND), plan.shifts[0]), []

    class Waits(Paper):
        def wait(self, timeout_s: float) -> list[Message]:
            return [Message(job, BUSY, {"why": "another process has it"})]

    crew = Crew(Waits(1), Limits(), on_busy=lambda job, why: told.append((job.arm, why)))
    crew.start(job)
    for _ in range(4):
        assert crew.wait(0.0) == [] and not crew.idle
    assert told == [(job.arm, "another process has it")]
