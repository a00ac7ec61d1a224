"""What the code desk's own machinery costs, and whether it holds: known solutions, kills, a long shift.

    python benchmarks/codedesk.py solutions --seeds 20 --tickets 20     known solutions accepted, idle, every family
    python benchmarks/codedesk.py cost --tickets 20                     sandbox start, inspection, a tool call
    python benchmarks/codedesk.py kills --kills 20                      SIGKILL at random instants, resumed
    python benchmarks/codedesk.py strength --seeds 2 --tickets 25       what share of mutants the hidden tests catch
    python benchmarks/codedesk.py speed --seeds 12 --beside 2           speed tickets: right code refused, slow passed
    python benchmarks/codedesk.py long --hours 4 --takt 240             a scripted agent against its own count
    python benchmarks/codedesk.py calls --seeds 10                      random calls, gone on with from a snapshot
    python benchmarks/codedesk.py cheats                                code that is wrong and has mined tests pass

Each prints its table. `solutions` and `cost` say the wall time; `kills` compares every resumed shift with one that was
never killed, at fixed prices.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.contract.station import open_station
from takt.contract.tools import tool_call
from takt.contract.worker import Plan
from takt.ledger import Ledger
from takt.ledger.trust import Named
from takt.shift import resume_shift, run_shift
from takt.stations.codedesk import grading
from takt.stations.codedesk.account import values_of
from takt.stations.codedesk.families import families, generate
from takt.stations.codedesk.families.trial import Trial
from takt.stations.codedesk.inspection import inspect
from takt.stations.codedesk.repository import files_of
from takt.stations.codedesk.sabotage import saboteurs
from takt.stations.codedesk.sandbox import Sandbox
from takt.stations.codedesk.suites import suite_of
from takt.stations.codedesk.tickets import changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    whats = ("solutions", "cost", "kills", "strength", "long", "calls", "cheats", "speed", "work")
    parser.add_argument("what", choices=whats)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--tickets", type=int, default=8)
    parser.add_argument("--families", default="", help="names, with commas; all by default")
    parser.add_argument("--level", default="plain")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--mutants", type=int, default=3, help="of `strength`: mutants of each ticket")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--takt", type=float, default=240.0)
    parser.add_argument("--most", type=int, default=0, help="of `cheats`: so many, from --first on; all by default")
    parser.add_argument("--beside", type=int, default=0, help="of `speed`: so many busy loops beside it")
    parser.add_argument("--ledger", help="of `work`: the shift to work or resume")
    asked = parser.parse_args()
    if asked.what != "work":
        print(f"{platform.node()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}")
    {
        "solutions": solutions,
        "cost": cost,
        "kills": kills,
        "strength": strength,
        "long": long,
        "calls": calls,
        "cheats": cheats,
        "speed": speed,
        "work": work,
    }[asked.what](asked)


def strength(asked: argparse.Namespace) -> None:
    """Mutants of reference changes against the ticket's hidden tests and all earlier ones that hold; lists the rest. A
    ticket whose reference fails them is listed and has no mutants: all would be caught (--mutants 0: nothing else).

    In this process (`families/trial.py`): what runs is Takt's own code, and mutants of it.
    """
    caught = total = right = tickets = 0
    began = time.perf_counter()
    for family in asked.families.split(",") if asked.families else families():
        for seed in range(asked.first, asked.first + asked.seeds):
            series = generate(family, asked.level, seed)
            tree, earlier, retired = dict(series.base()), dict[str, str](), set[str]()
            package = next(path for path in tree if path.endswith("/__init__.py")).split("/")[-2]
            for number in range(asked.tickets):
                ticket = series.ticket(number)
                retired |= set(ticket.retires)
                stream, faults = random.Random(f"{family}/{seed}/{number}"), series.faults(number)
                known = Trial(changed(tree, ticket.reference), package, wall_s=20.0)
                fails = {
                    node: said
                    for node, said in known.run({**ticket.hidden, **earlier}, frozenset(retired)).items()
                    if said
                }
                tickets, right = tickets + 1, right + (not fails)
                for node, said in list(fails.items())[:1]:
                    print(f"the reference fails: {family} {seed}/{number} {ticket.title}: {node} {said[:200]}")
                for mutant in saboteurs(ticket, tree, stream, asked.mutants, faults) if not fails else ():
                    trial = Trial(changed(tree, mutant.files), package, wall_s=2.0)
                    results = trial.run({**ticket.hidden, **earlier}, frozenset(retired), stop=True)
                    total += 1
                    caught += any(results.values())
                    if not any(results.values()):
                        was, now = (str(files[mutant.path]).splitlines() for files in (ticket.reference, mutant.files))
                        print(f"missed: {family} {seed}/{number} {mutant.path}:{mutant.line} {mutant.what}")
                        for lines in (was, now):
                            print(f"  {lines[mutant.line - 1].strip() if len(lines) >= mutant.line else ''}")
                tree = changed(tree, ticket.reference)
                earlier |= ticket.hidden
        share, wall_s = caught / max(1, total), time.perf_counter() - began
        known_ones = f"{right} of {tickets} references right"
        print(
            f"up to {family}: caught {caught} of {total} mutants, {share:.1%}, {known_ones}, {wall_s:.0f} s", flush=True
        )


def solutions(asked: argparse.Namespace) -> None:
    """Known solutions accepted, and what idling comes to."""
    print(f"{'family':16}{'seeds':>7}{'tickets':>9}{'accepted':>10}{'idle good':>11}{'lines':>14}{'wall s':>9}")
    for family in asked.families.split(",") if asked.families else families():
        began, good, idle, ended = time.perf_counter(), 0, 0, 0
        lines: list[float] = []
        for seed in range(asked.first, asked.first + asked.seeds):
            options = {"tickets": family, "level": asked.level}
            shift = run_shift("codedesk", "reference", units=asked.tickets, seed=seed, station_options=options)
            good += sum(event.kind == UNIT_GOOD for event in shift.events)
            ended += sum(event.kind in (UNIT_GOOD, UNIT_BAD) for event in shift.events)
            lines.append(values_of(shift.events)["health_last"]["lines"])
            rest = run_shift("codedesk", "idle", units=2, seed=seed, station_options=options)
            idle += sum(event.kind == UNIT_GOOD for event in rest.events)
        wall_s = time.perf_counter() - began
        size = f"{min(lines):,.0f} to {max(lines):,.0f}"
        print(f"{family:16}{asked.seeds:>7}{ended:>9}{good:>10}{idle:>11}{size:>14}{wall_s:>9.0f}", flush=True)


def cost(asked: argparse.Namespace) -> None:
    """Milliseconds of wall time."""
    starts = timed(20, lambda: Sandbox().open().close())
    told("sandbox, start and end", starts)
    inspections: list[float] = []
    inspect = grading.inspect

    def watched(*arguments: Any, **named: Any) -> Any:
        before = time.perf_counter()
        seen = inspect(*arguments, **named)
        inspections.append(1000 * (time.perf_counter() - before))
        return seen

    grading.inspect = watched
    for family in asked.families.split(",") if asked.families else families():
        run_shift("codedesk", "reference", units=asked.tickets, seed=asked.first, station_options={"tickets": family})
    told(f"inspection, {asked.tickets} tickets of each family", inspections)
    with closing(open_station("codedesk", tickets=families()[0])) as station:
        station.reset(seed=0)
        path = sorted(station.desk.repository.worktree())[0]  # type: ignore[attr-defined]
        for name, call in (
            ("read", tool_call("read", path=path)),
            ("list", tool_call("list")),
            ("search", tool_call("search", text="def ")),
            ("write", tool_call("write", path="note.txt", text="x" * 1000)),
        ):
            told(f"tool call: {name}", timed(200, lambda call=call: station.step(call)))

        def run(line: str) -> None:
            station.step(tool_call("run", command=line))
            while station.busy:  # type: ignore[attr-defined]
                station.step(station.hold)

        told("tool call: run, `true`", timed(20, lambda: run("true")))
        told("tool call: run, `python3 -c pass`", timed(20, lambda: run("python3 -c pass")))


def kills(asked: argparse.Namespace) -> None:
    """Each shift killed once, at a random instant of its wall time, and resumed; against one that was never killed."""
    rng = random.Random(asked.first)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.takt")
        began = time.perf_counter()
        worked(whole)
        length_s = time.perf_counter() - began
        with Ledger.open(whole) as book:
            digest = book.digest()
        same = twice = 0
        for number in range(asked.kills):
            path = Path(folder, f"{number}.takt")
            command = [sys.executable, __file__, "work", "--ledger", str(path)]
            with subprocess.Popen(command, start_new_session=True) as process:
                while not path.exists() and process.poll() is None:
                    time.sleep(0.01)
                time.sleep(rng.uniform(0, 0.95 * length_s))
                process.send_signal(signal.SIGKILL)
            worked(path)
            with Ledger.open(path) as book:
                same += book.digest() == digest
                records = [event.data["record"] for event in book.events() if "record" in event.data]
            twice += len(records) - len(set(records))
    print(f"{asked.kills} kills within {length_s:.1f} s: {same} resumed to the same digest, {twice} records twice")


class Steady:
    """Known solutions, with commands between: at fixed prices two shifts of it are the same."""

    station_options = {"privileged": True}  # noqa: RUF012

    def begin(self, spec: Any, seed: int) -> None: ...

    def end(self) -> None: ...

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["tickets"]:
            return Plan([tool_call("wait")] * 5)
        number = observation["tickets"][0]["ticket"]
        return Plan(
            [
                tool_call("solve", ticket=number),
                tool_call("run", command=f"echo {number} >> untracked.txt; git add -A; sleep 0.3; cat untracked.txt"),
                tool_call("run", command="python3 -m pytest -q"),
                tool_call("diff"),
                tool_call("submit", ticket=number),
            ]
        )


def worked(path: Path) -> None:
    """Work the shift of `kills`, or go on with it."""
    if path.exists():
        resume_shift(path, worker=Steady(), named=Named(trust=True))
        return
    options = {"prices": "fixed", "takt_s": 60.0}
    run_shift("codedesk", Steady(), units=5, station_options={**Steady.station_options, **options}, ledger=path)


def work(asked: argparse.Namespace) -> None:
    worked(Path(asked.ledger))


class Patchy:
    """Right in 70 % of tickets, and in 10 % breaks what was accepted before; mends that two tickets later.

    What it does is drawn from the seed. `good` is its own count, by the rule of the job: the ticket is right, and
    breaks nothing that was accepted. What was broken before counts against the ticket that broke it.
    """

    station_options = {"privileged": True}  # noqa: RUF012

    def begin(self, spec: Any, seed: int) -> None:
        self.rng = random.Random(seed)
        self.good: list[int] = []
        self.broke = 0
        self.mend_at = -1  # the ticket with which what is broken is mended
        self.accepted: list[int] = []

    def end(self) -> None: ...

    def act(self, observation: dict[str, Any]) -> Plan:
        if not observation["tickets"]:
            return Plan([tool_call("wait")] * 5)
        number = observation["tickets"][0]["ticket"]
        right, breaks = self.rng.random() < 0.7, self.rng.random() < 0.1
        text = self.text(number, right, breaks)
        return Plan([tool_call("write", path="pkg/m.py", text=text), tool_call("submit", ticket=number)])

    def text(self, number: int, right: bool, breaks: bool) -> str:
        if self.mend_at == number:
            self.mend_at = -1
        breaks = breaks and self.mend_at < 0 and bool(self.accepted)
        if breaks:
            self.mend_at = number + 2
            self.victim = self.accepted[0]
            self.broke += 1
        if right and not breaks:
            self.good.append(number)
            self.accepted.append(number)
        values = {k: str(k) for k in range(number + 2)}
        if not right:
            values[number + 1] = "-1"
        if self.mend_at >= 0:
            values[self.victim + 1] = "-2"
        return "\n\n".join(f"def f{k}():\n    return {value}\n" for k, value in values.items())


def long(asked: argparse.Namespace) -> None:
    """A shift of so many hours, with memory and ledger by ticket."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "codedesk"))
    from series import write_series  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        tickets = write_series(Path(folder, "series"), round(asked.hours * 3600 / asked.takt) + 2)
        path, worker = Path(folder, "long.takt"), Patchy()
        options = {"tickets": str(tickets), "takt_s": asked.takt, "prices": "fixed", "privileged": True}
        sizes: list[tuple[int, float, int]] = []

        def look(progress: Any) -> None:
            size = sum(one.stat().st_size for one in Path(folder).glob("long.takt*"))
            sizes.append((progress.units, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size))

        began = time.perf_counter()
        shift = run_shift(
            "codedesk",
            worker,
            hours=asked.hours,
            seed=asked.first,
            station_options=options,
            ledger=path,
            on_progress=look,
        )
        wall_s = time.perf_counter() - began
        good = [event.unit for event in shift.events if event.kind == UNIT_GOOD]
        values = values_of(shift.events)
        ended = sum(event.kind in (UNIT_GOOD, UNIT_BAD) for event in shift.events)
        print(f"{asked.hours:g} h, {ended} tickets, {wall_s:.0f} s of wall time")
        print(f"good: {len(good)}, the script's own count {len(worker.good)}, the same ones: {good == worker.good}")
        print(f"regressions: {values['regressions']}, the script's own count {worker.broke}")
        for share in (0.25, 0.5, 0.75, 1.0):
            units, mib, size = next(one for one in sizes if one[0] >= share * sizes[-1][0])
            print(f"after {units:4} tickets: {mib:6.0f} MiB at most, ledger {size / 2**20:6.2f} MiB")


LINES = (
    "git add -A; git commit -qm x; git log --oneline | wc -l",
    "rm -rf .git",
    "git checkout -q -b other; ls",
    "git stash -uq; git stash list",
    "git reset -q --hard; git clean -fdq",
    "mkdir -p a/b/c; ln -sf ../x a/l; chmod +x README.md",
    "rm -rf tests; echo x > tests",
    "mv tests t2; ls t2",
    "printf x >> README.md; date > /tmp/x; ls /tmp ~",
    "mkfifo pipe; ln -s loop loop; ln -s . here; mkdir \"$(printf 'n\\377')\"; printf x > \"$(printf 'a\\nb')\"; ls",
    "python3 -c \"import os\nfor _ in range(1200): os.mkdir('deep'); os.chdir('deep')\"; find . | wc -l",
    "mkdir -p shut/in; echo x > shut/in/f; chmod 0 shut/in/f; chmod 400 shut/in; chmod 0 shut; umask 77; echo > mine",
    "ls -lR | grep -v total | cut -c1-10 | sort | uniq -c; cat shut/in/f mine; readlink here",
    "cd tests && git init -q . && git add -A && git commit -qm inner; git -C .. status --short",
    "touch .coverage; mkdir -p __pycache__; touch __pycache__/x.pyc; python3 -m pytest -q | tail -1",
    "for i in $(seq 3000); do echo > f$i; done; ls | wc -l; rm -f f*",
)


def calls(asked: argparse.Namespace) -> None:
    """Random calls, on trees that they wreck; from a snapshot in their midst the rest must come out the same."""
    same = 0
    for seed in range(asked.first, asked.first + asked.seeds):
        rng = random.Random(seed)
        drawn = [drawn_call(rng) for _ in range(25)]
        cut = rng.randrange(5, 20)
        with closing(open_station("codedesk", takt_s=15.0, prices="fixed")) as station:
            station.reset(seed=seed)
            begin = done(station, drawn[:cut]) and station.save()
            rest, end = done(station, drawn[cut:]), station.save()
        with closing(open_station("codedesk", takt_s=15.0, prices="fixed")) as station:
            station.reset(seed=seed)
            station.load(bytes(begin))
            same += done(station, drawn[cut:]) == rest and station.save() == end
    print(f"{asked.seeds} shifts of 25 random calls: {same} the same from a snapshot on")


def drawn_call(rng: random.Random) -> str:
    paths = ("README.md", "tests", "a", "a/b", "a/q", "new/x.txt", "z")
    kind = rng.choices(("run", "write", "move", "delete", "diff", "submit"), (9, 3, 2, 2, 2, 2))[0]
    arguments: dict[str, Any] = {
        "run": {"command": rng.choice(LINES)},
        "write": {"path": rng.choice(paths), "text": f"x = {rng.random()}\n"},
        "move": {"path": rng.choice(paths), "to": rng.choice(paths)},
        "delete": {"path": rng.choice(paths)},
        "diff": {},
        "submit": {"ticket": rng.randrange(4)},
    }[kind]
    return tool_call(kind, **arguments)


def done(station: Any, actions: list[str]) -> list[Any]:
    """What was seen and told after each."""
    seen = []
    for action in actions:
        shown, _, _, _, info = station.step(action)
        told = list(info["events"])
        while station.busy:
            shown, _, _, _, info = station.step(station.hold)
            told += info["events"]
        seen.append((shown, told))
    return seen


def cheats(asked: argparse.Namespace) -> None:
    """Each of `tests/codedesk/cheats.py` against the tests of a mined ticket, and right code in its place."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "codedesk"))
    from cheats import CHEATS, tried  # type: ignore[import-not-found]

    taken = right = 0
    some = list(CHEATS)[asked.first : asked.first + asked.most] if asked.most else list(CHEATS)
    for name in some:
        seen = tried(name)
        taken += seen.own_pass
        right += tried(name, right=True).own_pass
        said = "TAKEN FOR RIGHT" if seen.own_pass else "tampered" if seen.tampered else "wrong"
        print(f"{said:16}{name}", flush=True)
    print(f"{taken} of {len(some)} taken for right; right code in their place: {right} of {len(some)}")


def speed(asked: argparse.Namespace) -> None:
    """Tickets whose tests measure how time grows: the tree with the known solution, which is right, and the tree
    without, which is slow, inspected with the ticket's tests alone."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(asked.beside)]
    try:
        for family in asked.families.split(",") if asked.families else families():
            found = refused = missed = 0
            for seed in range(asked.first, asked.first + asked.seeds):
                series = generate(family, asked.level, seed)
                tree = dict(series.base())
                for number in range(asked.tickets):
                    ticket = series.ticket(number)
                    known = changed(tree, ticket.reference)
                    if any("return not outgrows(" in str(text) for text in ticket.hidden.values()):
                        right, slow = (alone(series, ticket, one, known) for one in (known, tree))
                        seen = any("grows" in node for node in slow.failed)
                        found, refused, missed = found + 1, refused + (not right.own_pass), missed + (not seen)
                        if not (right.own_pass and seen):
                            print(f"{family} {seed}/{number} {ticket.title}: {right.message or 'slow code passed'}")
                    tree = known
            load = f"load {os.getloadavg()[0]:.1f}"
            print(f"{family:12}{found:4} tickets: {refused} right refused, {missed} slow passed, {load}", flush=True)
    finally:
        for one in loops:
            one.kill()
            one.wait()


def alone(series: Any, ticket: Any, tree: Any, known: Any) -> Any:
    """A tree inspected with a ticket's tests, and no others."""
    suite = suite_of(series, ticket, [], [])
    return inspect(Sandbox(), files_of(tree), suite, ticket, series, solution=lambda: files_of(known))


def timed(times: int, do: Callable[[], Any]) -> list[float]:
    """Milliseconds that each of so many took."""
    took = []
    for _ in range(times):
        before = time.perf_counter()
        do()
        took.append(1000 * (time.perf_counter() - before))
    return took


def told(name: str, took: list[float]) -> None:
    median, p99 = np.percentile(took, [50, 99])
    print(f"{name:44}{median:9.1f} ms median{p99:10.1f} ms p99{len(took):7} times", flush=True)


if __name__ == "__main__":
    main()
