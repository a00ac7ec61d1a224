"""How fast: simulated seconds per wall second, of the nut cell and of two peers, on this machine in this run.

    python benchmarks/speed.py --peer-python /tmp/peer-venv/bin/python      the table (about 5 minutes)
    python benchmarks/speed.py --memory                                     resident memory along a shift of 142 units

The peers pin other versions of NumPy and MuJoCo than Takt needs, so they live in an environment of their own:

    python3.11 -m venv /tmp/peer-venv
    /tmp/peer-venv/bin/pip install gym-aloha==0.1.5 robosuite==1.5.2

What is compared. The nut cell is worked by its expert through `run_shift`: contacts, the expert's thinking,
inspection and ledger are all in its time, and so is the waiting for the next unit, nine tenths of a shift. "Hands
only" leaves the waiting out: the time from a unit falling due until the expert has finished it, stepped without the
loop. A peer (gym-aloha's AlohaInsertion, robosuite's TwoArmPegInHole) is only stepped; its resets and its policy are
left out. Idle: small random actions about its starting pose. At work, for contacts cost time and an arm in the air
has none: the recorded actions of an insertion. "As shipped" is what the peer draws by default, with every step; "3 of
96 x 96 at 10 Hz" are as many pictures for everyone. Each case is a process of its own that stays alive; rounds go
through all cases in turn, so that a slow minute of the machine hits all of them alike. Printed: the median over the
rounds, and the range.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAMERAS, SIZE, HZ = 3, 96, 10
SAME = f"{CAMERAS} of {SIZE} x {SIZE} at {HZ} Hz"
INSTALL = "python3.11 -m venv /tmp/peer-venv && /tmp/peer-venv/bin/pip install gym-aloha==0.1.5 robosuite==1.5.2"

Measure = Callable[[], dict[str, float]]  # -> simulated_s, wall_s, steps


@dataclass(frozen=True)
class Case:
    """`make(draw, args)` sets it up, in its own process, and gives back what measures one round."""

    who: str
    drawn: str
    make: Callable[[str, argparse.Namespace], Measure]
    peer: bool = False


# --- the cases; each runs in a process of its own, a peer's without takt ---------------------------------------------


def nutcell(drawn: str, args: argparse.Namespace) -> Measure:
    from takt import open_station, open_worker, run_shift

    cameras = ["head", "left_wrist", "right_wrist"] if drawn else []
    station = open_station("nutcell", difficulty="plant", cameras=cameras, camera_hz=HZ, privileged=True)
    worker = open_worker("expert", "nutcell")

    def measure() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            before = time.perf_counter()
            shift = run_shift(station, worker, units=args.units, worker_name="expert", ledger=f"{folder}/speed.takt")
            wall_s = time.perf_counter() - before
        if shift.broken:
            raise RuntimeError(shift.broken[0])
        good = sum(event.kind == "unit_good" for event in shift.events)
        simulated_s = shift.events[-1].t_s
        return {
            "simulated_s": simulated_s,
            "wall_s": wall_s,
            "steps": simulated_s / station.spec.control_s,
            "good": good,
        }

    return measure


def nutcell_hands(drawn: str, args: argparse.Namespace) -> Measure:
    """Only while the hands work. The rest of each unit is stepped, but not timed."""
    from takt import open_station
    from takt.stations.nutcell.expert import Expert

    cameras = ["head", "left_wrist", "right_wrist"] if drawn else []
    station = open_station("nutcell", difficulty="plant", cameras=cameras, camera_hz=HZ, privileged=True)
    worker = Expert()

    def measure() -> dict[str, float]:
        observation, _ = station.reset(seed=0)
        worker.begin(station.spec, 0)
        wall_s, steps = 0.0, 0
        while station.now < args.units * station.spec.takt_s:
            before = time.perf_counter()
            plan = worker.act(observation)
            for action in plan.actions:
                observation = station.step(action)[0]
            if not all(arm.finished for arm in worker.arms):
                wall_s += time.perf_counter() - before
                steps += len(plan.actions)
        return {"simulated_s": steps * station.spec.control_s, "wall_s": wall_s, "steps": steps}

    return measure


def aloha(drawn: str, args: argparse.Namespace, at_work: bool = False) -> Measure:
    """gym-aloha's insertion. Its task draws three cameras of 480 x 640 for every observation, whatever is asked for."""
    import gym_aloha  # noqa: F401  (registers the environment)
    import gymnasium
    import numpy as np

    env: Any = gymnasium.make("gym_aloha/AlohaInsertion-v0", obs_type="pixels_agent_pos").unwrapped
    physics = env._env.physics
    draw, blank, last, period = physics.render, np.zeros((480, 640, 3), np.uint8), {}, 0

    def draw_same(height: int, width: int, camera_id: str) -> Any:
        if camera_id not in last or period % round(50 / HZ) == 0:
            last[camera_id] = draw(height=SIZE, width=SIZE, camera_id=camera_id)
        return last[camera_id]

    if not drawn:
        physics.render = lambda **_: blank
    elif drawn == SAME:
        physics.render = draw_same
    rng = np.random.default_rng(0)
    home = np.array([0, -0.96, 1.16, 0, -0.3, 0, 0.5] * 2)  # gym_aloha.constants.START_ARM_POSE, grippers half open
    actions = _insertion() if at_work else home + rng.normal(0, 0.02, (300, 14))

    def reset() -> None:
        nonlocal period
        env.reset(seed=0)
        period = 0

    def step() -> None:
        nonlocal period
        env.step(actions[period % len(actions)])
        period += 1

    return _stepped(step, reset, 1 / 50, len(actions), args.seconds)


def _insertion() -> Any:
    """The actions that take peg and socket and put one into the other: those of the worker in the examples."""
    import numpy as np

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))
    from aloha_insertion import Inserter, aloha_insertion

    env, worker, actions = aloha_insertion(), Inserter(), []
    observation, _ = env.reset(seed=0)
    worker.begin(None, 0)
    for _ in range(400):
        actions += worker.act(observation)
        observation, _, terminated, _, _ = env.step(actions[-1])
        if terminated:
            return np.array(actions)
    raise RuntimeError("the worker of examples/aloha_insertion.py did not insert the peg here")


def aloha_at_work(drawn: str, args: argparse.Namespace) -> Measure:
    return aloha(drawn, args, at_work=True)


def robosuite(drawn: str, args: argparse.Namespace) -> Measure:
    import numpy as np
    import robosuite as suite

    pictures: dict[str, Any] = {"has_offscreen_renderer": bool(drawn), "use_camera_obs": bool(drawn)}
    names = ["agentview", "robot0_eye_in_hand", "robot1_eye_in_hand"]
    if drawn == SAME:
        pictures |= {"camera_names": names, "camera_heights": SIZE, "camera_widths": SIZE}
    robots = ["Panda", "Panda"]
    env = suite.make("TwoArmPegInHole", robots=robots, has_renderer=False, ignore_done=True, **pictures)
    if drawn == SAME:
        for name in names:
            env.modify_observable(f"{name}_image", "sampling_rate", HZ)
    rng = np.random.default_rng(0)
    low, high = env.action_spec
    step = lambda: env.step(0.1 * rng.uniform(low, high))  # noqa: E731
    return _stepped(step, env.reset, 1 / env.control_freq, 300, args.seconds)


def _stepped(
    step: Callable[[], Any], reset: Callable[[], Any], control_s: float, episode: int, for_s: float
) -> Measure:
    """Measures by stepping for `for_s` seconds, episodes of `episode` steps; resets and a first few steps untimed."""
    reset()
    for _ in range(10):  # just-in-time compilers, shader caches
        step()

    def measure() -> dict[str, float]:
        wall_s, steps = 0.0, 0
        while wall_s < for_s:
            reset()
            before = time.perf_counter()
            for _ in range(episode):
                step()
                steps += 1
                if wall_s + time.perf_counter() - before >= for_s:
                    break
            wall_s += time.perf_counter() - before
        return {"simulated_s": steps * control_s, "wall_s": wall_s, "steps": steps}

    return measure


CASES = [
    Case("Takt nutcell, expert at work", "", nutcell),
    Case("Takt nutcell, expert at work", SAME, nutcell),
    Case("Takt nutcell, hands only", "", nutcell_hands),
    Case("Takt nutcell, hands only", SAME, nutcell_hands),
    Case("gym-aloha, at work", SAME, aloha_at_work, peer=True),
    Case("gym-aloha, at work", "", aloha_at_work, peer=True),
    Case("gym-aloha, idle", "", aloha, peer=True),
    Case("gym-aloha, idle", SAME, aloha, peer=True),
    Case("gym-aloha, idle", "as shipped: 3 of 480 x 640 at 50 Hz", aloha, peer=True),
    Case("robosuite, idle", "", robosuite, peer=True),
    Case("robosuite, idle", SAME, robosuite, peer=True),
    Case("robosuite, idle", "as shipped: 1 of 256 x 256 at 20 Hz", robosuite, peer=True),
]


# --- one process for each --------------------------------------------------------------------------------------------


class Child:
    """A case in its own process: a line in is a round, a line of JSON out its result."""

    def __init__(self, number: int, case: Case, args: argparse.Namespace) -> None:
        python = args.peer_python if case.peer else sys.executable
        command = [python, __file__, "--child", str(number), "--units", str(args.units), "--seconds", str(args.seconds)]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed in `close`)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=_environment()
        )
        self.case = case
        self.rounds: list[dict[str, float]] = []
        self.failed = ""
        self._take("ready")

    def round(self) -> None:
        if not self.failed and self.process.stdin:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            self._take("simulated_s")

    def close(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait()
        self.log.close()

    def _take(self, key: str) -> None:
        line = self.process.stdout.readline() if self.process.stdout else ""
        result = json.loads(line) if line else {}
        if key in result:
            self.rounds += [result] if key != "ready" else []
            return
        self.log.seek(0)
        lines = [line for line in self.log.read().splitlines() if line.strip()] or ["it ended without a word"]
        self.failed = result.get("missing") or lines[-1]


def _environment() -> dict[str, str]:
    return {"MUJOCO_GL": "egl", "PYOPENGL_PLATFORM": "egl", **os.environ}


def child(args: argparse.Namespace) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a package prints is for the log
    case = CASES[args.child]
    try:
        measure = case.make(case.drawn, args)
    except ImportError as error:
        missing = f"not installed in {sys.executable} ({error})"
        print(json.dumps({"missing": missing}), file=out, flush=True)
        return
    print(json.dumps({"ready": True}), file=out, flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure()), file=out, flush=True)


# --- what the loop itself costs --------------------------------------------------------------------------------------


def loop_cost() -> dict[str, float]:
    """Seconds per control period, per call of a worker and per unit, at a station that does nothing.

    Solved from three shifts: long units and long plans (periods), the same with a call each period (calls), and units
    of one period (units: events, snapshot and transaction, in a ledger on disk).
    """
    import numpy as np

    from takt import Plan, run_shift

    class Planner:
        """Answers with the same plan of `length` actions."""

        def __init__(self, length: int) -> None:
            self.plan = Plan([np.zeros(14, np.float32)] * length)

        def begin(self, spec: Any, seed: int) -> None: ...

        def act(self, observation: Any) -> Plan:
            return self.plan

        def end(self) -> None: ...

    def wall_s(units: int, periods: int, plan: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            before = time.perf_counter()
            run_shift(null_station(periods), Planner(plan), units=units, ledger=f"{folder}/null.takt")
            return time.perf_counter() - before

    wall_s(10, 10, 10)
    period = statistics.median(wall_s(2, 20_000, 1_000) for _ in range(3)) / 40_000
    call = statistics.median(wall_s(2, 5_000, 1) for _ in range(3)) / 10_000 - period
    unit = statistics.median(wall_s(1_000, 1, 1) for _ in range(3)) / 1_000 - period - call
    return {"period": period, "call": call, "unit": unit}


def null_station(periods: int) -> Any:
    """A station whose `step` does nothing; a unit of `periods` control periods of 20 ms ends good."""
    import gymnasium
    import numpy as np

    from takt import Event, StationSpec
    from takt.contract.events import UNIT_DUE, UNIT_GOOD
    from takt.ledger.pack import pack, unpack

    class Null(gymnasium.Env[Any, Any]):
        observation_space = gymnasium.spaces.Box(-1, 1, (14,))
        action_space = gymnasium.spaces.Box(-1, 1, (14,))
        hold = np.zeros(14, np.float32)
        nothing = np.zeros(14, np.float32)

        def __init__(self) -> None:
            self.spec: StationSpec = StationSpec("takt/Null-v0", station="null", takt_s=periods * 0.02, control_s=0.02)

        @property
        def now(self) -> float:
            return self.period * 0.02

        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            self.period = 0
            return self.nothing, {"events": [Event(0.0, UNIT_DUE, 0)]}

        def step(self, action: Any) -> Any:
            self.period += 1
            happened = []
            if self.period % periods == 0:
                unit = self.period // periods
                data = {"cycle_s": 1.0, "parts": {}, "first_time": True}
                happened = [Event(self.now, UNIT_GOOD, unit - 1, data), Event(self.now, UNIT_DUE, unit)]
            return self.nothing, 0.0, False, False, {"events": happened}

        def save(self) -> bytes:
            return pack(self.period)

        def load(self, state: bytes) -> None:
            self.period = unpack(state)

    return Null()


# --- memory ----------------------------------------------------------------------------------------------------------


def memory(args: argparse.Namespace) -> None:
    """Resident memory at the end of each unit of one shift of the nut cell, and what a line through it says."""
    import numpy as np

    from takt import open_station, open_worker, run_shift

    seen: list[tuple[float, float]] = []  # station time in hours, MiB

    def look(progress: Any) -> None:
        if progress.units > len(seen):
            status = Path("/proc/self/status").read_text()
            kib = int(status.split("VmRSS:")[1].split()[0])
            seen.extend([(progress.now_s / 3600, kib / 1024)] * (progress.units - len(seen)))

    station = open_station("nutcell", difficulty="plant", privileged=True)
    worker = open_worker("expert", "nutcell")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/memory.takt"
        run_shift(station, worker, units=args.memory_units, ledger=path, worker_name="expert", on_progress=look)
        ledger_mib = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
    hours, mib = np.array(seen).T
    late = slice(len(mib) // 5, None)  # the first fifth fills caches
    slope = float(np.polyfit(hours[late], mib[late], 1)[0]) if len(mib[late]) > 1 else float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"Resident memory over {len(mib)} units ({hours[-1]:.2f} h of station time):")
    for unit in sorted({0, len(mib) // 5, len(mib) // 2, len(mib) - 1}):
        print(f"  after unit {unit:4d}  {mib[unit]:7.1f} MiB")
    print(f"  slope after the first fifth {slope:+.2f} MiB per hour of station time; peak {peak:.1f} MiB")
    print(f"  ledger on disk {ledger_mib:.1f} MiB")


# --- the table -------------------------------------------------------------------------------------------------------


def table(args: argparse.Namespace) -> None:
    chosen = [(n, case) for n, case in enumerate(CASES) if args.only in f"{case.who} {case.drawn}"]
    children = []
    for number, case in chosen:
        print(f"setting up: {case.who} ({case.drawn or 'undrawn'})", file=sys.stderr)
        children.append(Child(number, case, args))
    for number in range(args.rounds):
        for one in children:
            print(f"round {number + 1}: {one.case.who} ({one.case.drawn or 'undrawn'})", file=sys.stderr)
            one.round()
    for one in children:
        one.close()
    cost = loop_cost() if not args.only else {}
    if args.json:
        rows = [{"who": c.case.who, "drawn": c.case.drawn, "rounds": c.rounds, "failed": c.failed} for c in children]
        print(json.dumps({"cases": rows, "loop_s": cost, "cores": os.cpu_count()}, indent=2))
        return
    print(f"Simulated seconds per wall second, {args.rounds} rounds in turn, {os.cpu_count()} cores, {_drawer()}\n")
    print(f"{'':30}{'drawn':38}{'median':>8}  {'range':<14}{'steps/s':>9}")
    for one in children:
        head = f"{one.case.who:30}{one.case.drawn or 'nothing':38}"
        if one.failed:
            print(f"{head}{'-':>8}  {one.failed}")
            continue
        speeds = sorted(result["simulated_s"] / result["wall_s"] for result in one.rounds)
        steps = statistics.median(result["steps"] / result["wall_s"] for result in one.rounds)
        spread = f"{speeds[0]:.3g} - {speeds[-1]:.3g}"
        print(f"{head}{statistics.median(speeds):>8.3g}  {spread:<14}{steps:>9.4g}")
    if any(one.failed for one in children if one.case.peer):
        print(f"\nThe peers are installed with\n  {INSTALL}\nand found with --peer-python /tmp/peer-venv/bin/python")
    if cost:
        print("\nThe loop's own cost (a station that does nothing, 14 joints, ledger on disk):")
        print(f"  {cost['period'] * 1e6:8.1f} us for each control period")
        print(f"  {cost['call'] * 1e6:8.1f} us for each call of the worker, its answer checked")
        print(f"  {cost['unit'] * 1e6:8.1f} us for each unit: events, snapshot, transaction")


def _drawer() -> str:
    return f"MUJOCO_GL={_environment()['MUJOCO_GL']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has gym-aloha and robosuite")
    parser.add_argument("--units", type=int, default=3, help="units of the nut cell in a round")
    parser.add_argument("--seconds", type=float, default=10.0, help="wall seconds that a peer is stepped in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only the cases that have this in their name")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--memory", action="store_true", help="memory along a shift instead of speed")
    parser.add_argument("--memory-units", type=int, default=142)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if shutil.which(args.peer_python) is None:
        parser.error(f"no Python at {args.peer_python}; make one with: {INSTALL}")
    if args.child is not None:
        child(args)
    elif args.memory:
        memory(args)
    else:
        table(args)


if __name__ == "__main__":
    main()
