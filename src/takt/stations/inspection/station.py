"""`inspection`: a unit is a fixture of the nut cell at the end of its takt, and whether an inspector judges it rightly.

An action is a tool call, a JSON text (`tools.py`); it takes `control_s`, and a look `look_s`. An observation is what
the inspector knows: the time, the question, and the last picture. Nothing is reset: what was let go comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np

from takt.contract.events import HELP_CALLED, UNIT_DUE, UNIT_GOOD, Event, unit_ended
from takt.contract.faults import Active
from takt.contract.options import Limit, wrong_number
from takt.contract.station import Acceptance, Account, FaultKind, StationSpec, TaktError
from takt.contract.tools import WAIT, Calls, Json, Refused, refusals
from takt.ledger.pack import pack, unpack
from takt.meant import meant
from takt.stations.inspection.account import COMPLAINT, JUDGED, LOOKED
from takt.stations.inspection.eyes import BOTH, HARD, Eyes, View
from takt.stations.inspection.fixtures import SIDES, Fixtures
from takt.stations.inspection.tools import PRIVILEGED, TOOLS
from takt.stations.inspection.words import BRIEF, LANGUAGES, SHORT, question
from takt.stations.nutcell import variation
from takt.stations.nutcell.layout import IMAGES

PICTURE = IMAGES + "eyes"  # the observation's key of the picture: (size, size, 3) uint8 RGB
CAMERA_DARK = "camera_dark"

LATER = (5, 25)  # fixtures after which an escaped one comes back
WORLD = 1
LIMITS: tuple[Limit, ...] = (
    ("bad_share", 0, 1, False),
    ("takt_s", 5, 86_400, False),
    ("look_s", 0.5, 600, False),
    ("complaint_s", 0, 600, False),
    ("control_s", 0.1, 60, False),
    ("good_rate", 0.001, 1, False),
    ("image_size", 64, 480, True),
)


class InspectionStation(gymnasium.Env[Any, Any]):
    """An inspector with a camera on the head, at the end of the nut cell's takt.

    difficulty   nominal, plant or harsh: how much pins and light differ, and how hard it is to see (eyes.py).
    bad_share    of the pins, how many are meant to be bad.
    takt_s       seconds from one fixture to the next; the nut cell's by default.
    look_s       seconds that a look takes.
    complaint_s  seconds that a complaint takes of the time for another fixture.
    language     of the question: en, zh or both.
    image_size   of a picture, pixels.
    privileged   whether the truth can be asked for.
    control_s    seconds that another tool call takes.
    good_rate    what the job asks.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        difficulty: str = "plant",
        bad_share: float = 0.12,
        takt_s: float = 76.0,
        look_s: float = 3.0,
        complaint_s: float = 30.0,
        language: str = "both",
        image_size: int = 224,
        privileged: bool = False,
        control_s: float = 1.0,
        good_rate: float = 0.97,
        render_mode: str | None = None,
    ) -> None:
        self.render_mode = render_mode
        numbers: dict[str, Any] = {"bad_share": bad_share, "takt_s": takt_s, "look_s": look_s}
        numbers |= {"complaint_s": complaint_s, "control_s": control_s, "good_rate": good_rate}
        if wrong := wrong_number({**numbers, "image_size": image_size}, LIMITS):
            raise TaktError(wrong)
        for name, given, known in (("difficulty", difficulty, HARD), ("language", language, LANGUAGES)):
            if given not in known:
                raise TaktError(f"no {name} is called {given!r}{meant(given, known)}; there are: {', '.join(known)}")
        if takt_s < max(look_s, complaint_s) + 5 * control_s:
            raise TaktError(f"takt_s={takt_s:g} leaves no time beside a look ({look_s:g} s) or a complaint")
        options = {"difficulty": difficulty, **{name: float(number) for name, number in numbers.items()}}
        options |= {"language": language, "image_size": int(image_size), "privileged": bool(privileged)}
        allowed = (PRIVILEGED,) if privileged else ()
        self._allowed, self._language, self._size = allowed, language, int(image_size)
        self._spec = StationSpec(
            id="takt/Inspection-v0",
            entry_point="takt.stations.inspection.station:InspectionStation",
            kwargs=dict(options),
            station="inspection",
            takt_s=float(takt_s),
            control_s=float(control_s),
            faults={CAMERA_DARK: FaultKind("the camera on the head shows nothing", 120.0, False)},
            acceptance=Acceptance(good_rate=float(good_rate)),
            parts=SIDES,
            options=options,
            brief=BRIEF.format(takt_s=takt_s, look_s=look_s, complaint_s=complaint_s),
            tools=tuple(TOOLS.openai_tools(allowed)),
            looks=tuple(tool.name for tool in TOOLS.offered(allowed) if not tool.changes),
            short=SHORT,
            pace="beat",
            privileged=bool(privileged),
            packages=("mujoco",),
            world=WORLD,
            unit_life_s=float(takt_s),
        )
        self.spec: StationSpec = self._spec  # which `gymnasium.make` replaces by an EnvSpec
        self.observation_space, self.action_space = Json(), Calls(TOOLS)
        self._periods = round(takt_s / control_s)
        self._coming: dict[int, list[int]] = {}  # by unit: the escaped ones that come back then
        self._result: dict[str, Any] = {}
        self._told: list[Event] = []
        self._shown: np.ndarray | None = None
        self._noted: list[tuple[str, str]] = []  # for `noted`; of this fixture only
        self._fixtures = Fixtures(difficulty, float(bad_share))
        self._eyes = Eyes(self._fixtures, difficulty, self._size)
        self._faults = Active()
        self._seed = 0
        self._start()

    # --- the contract -----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self._step * self._spec.control_s

    @property
    def hold(self) -> Any:
        return WAIT

    @property
    def busy(self) -> int:
        """Control periods until the inspector has looked, or is back from a complaint."""
        return max(0, self._free_at - self._step)

    @property
    def unit(self) -> int:
        """The fixture that is here."""
        return self._step // self._periods

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._faults = Active.of(self._spec, options)
        self._seed = int(self.np_random.integers(2**31)) if seed is None else int(seed)
        self._start()
        happened = self._faults.events(self.now, self._spec) + self._begin_unit()
        return self._observation(), {"events": happened}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one call, then let `control_s` pass."""
        self._told = []
        if action != WAIT and not self.busy:
            self._result = TOOLS.call(self, action, self._allowed)
            self._told += refusals(self.now, self._result)
        self._step += 1
        happened = self._told
        happened += self._faults.events(self.now, self._spec)
        if self._step % self._periods == 0:
            happened += self._end_unit() + self._begin_unit()
        reward = float(sum(event.kind == UNIT_GOOD for event in happened))
        return self._observation(), reward, False, False, {"events": happened}

    @staticmethod
    def account(events: Sequence[Event]) -> Account:
        """Escapes and false alarms with bounds, looks a unit, complaints."""
        from takt.stations.inspection.account import account_of

        return account_of(events)

    def render(self) -> np.ndarray:
        """What the inspector sees."""
        return self._picture()

    def closeup(self) -> np.ndarray:
        """What the inspector saw last, and below it both pins as they are: (1.5 size, size, 3) uint8.

        At the moment at which a fixture comes, of the one that has just left without a verdict; of that, what was seen
        last is not known any more, so it is the pins alone, above black.
        """
        left = 1 if self._step and self._step % self._periods == 0 and not self._judged else 0
        seen = np.zeros((self._size, self._size, 3), np.uint8) if left else self._picture()
        pins = [self._eyes.plain(self._seed, self.unit - left, side) for side in SIDES]
        below = np.concatenate([pin[: self._size // 2 * 2 : 2, : self._size // 2 * 2 : 2] for pin in pins], axis=1)
        return np.concatenate([seen[:, : below.shape[1]], below], axis=0)

    def noted(self) -> list[tuple[str, str]]:
        """The looks since it was asked last: at which side ("" is both), and how."""
        noted, self._noted = self._noted, []
        return noted

    def gauges(self) -> dict[str, tuple[float, str]]:
        """How near the camera is, and how often it looked."""
        return {"distance of the eyes": (self._view.distance_m, "m"), "looks": (float(self._nth), "")}

    def save(self) -> bytes:
        view = [self._view.at, self._view.nearer, self._view.aside, self._nth, self._dark]
        done = [self._judged, {str(unit): escaped for unit, escaped in self._coming.items()}, self._complaints]
        return pack([self._seed, self._step, self._free_at, view, done, self._faults.save(), self._result])

    def load(self, state: bytes) -> None:
        self._seed, self._step, self._free_at, view, done, faults, self._result = unpack(state)
        self._view, self._nth, self._dark = View(*view[:3]), view[3], view[4]
        self._judged, self._complaints = done[0], done[2]
        self._coming = {int(unit): list(escaped) for unit, escaped in done[1].items()}
        self._faults.load(faults)
        self._shown, self._told, self._noted = None, [], []

    def close(self) -> None:
        self._eyes.close()
        self._fixtures.close()

    # --- what the tools do ------------------------------------------------------------------------------------------

    def need_fixture(self) -> None:
        """Raise Refused if the fixture has left."""
        if self._judged:
            left_s = (self.unit + 1) * self._spec.takt_s - self.now
            raise Refused("no_fixture", f"fixture {self.unit} has left; the next one comes in {left_s:g} s")

    def truth(self) -> Mapping[str, Mapping[str, Any]]:
        return self._fixtures.show(self._seed, self.unit)

    def look_at(self, where: str) -> dict[str, Any]:
        view = self._view
        if where in (*SIDES, BOTH):
            self._view = View(where)
        elif where == "closer":
            self._view = View(view.at, min(view.nearer + 1, 2), view.aside)
        else:
            self._view = View(view.at, view.nearer, view.aside + 1)
        self._see()
        self._busy(self._spec.options["look_s"])
        self._told.append(Event(self.now, LOOKED, self.unit, {"where": where}))
        seen = self._words().removeprefix(self._view.at).strip(", ")
        self._noted.append(("" if self._view.at == BOTH else self._view.at, f"seen {seen}".strip()))
        return {"unit": self.unit, "view": self._words()}

    def say(self, said: Mapping[str, str], why: str) -> dict[str, Any]:
        truth = self.truth()
        parts, reasons = {}, []
        for side in SIDES:
            good, called = bool(truth[side]["good"]), said[side] == "good"
            parts[side] = {"good": good == called, "said": said[side], "is": truth[side]["class"]}
            if good != called and (reason := "escape" if called else "false_alarm") not in reasons:
                reasons.append(reason)
        if "escape" in reasons:
            reasons.sort()  # the worse first, as it happens
            rng = variation.stream(self._seed, self.unit, "complaint")
            self._coming.setdefault(self.unit + int(rng.integers(*LATER)), []).append(self.unit)
        named = {one["class"] for one in truth.values()} - {"good"} or {""}
        data = {"said": dict(said), "why": why, "class_right": why in named}
        self._told.append(Event(self.now, JUDGED, self.unit, data))
        self._conclude(reasons, parts)
        return {"unit": self.unit, "said": dict(said)}

    def call_help(self, why: str) -> dict[str, Any]:
        self._told.append(Event(self.now, HELP_CALLED, self.unit, {"why": why}))
        self._conclude(["help"], {})
        return {"unit": self.unit}

    # --- within a shift ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._step, self._free_at = 0, 0
        self._coming, self._complaints = {}, 0
        self._result, self._told = {"tool": "wait"}, []
        self._new_view()

    def _new_view(self) -> None:
        self._view, self._nth, self._judged = View(), -1, False
        self._noted = []
        self._see()

    def _see(self) -> None:
        """Another picture; it is drawn when somebody asks for it."""
        self._nth += 1
        self._dark = self._faults.there(CAMERA_DARK)
        self._shown = None

    def _busy(self, seconds: float) -> None:
        self._free_at = self._step + max(1, round(seconds / self._spec.control_s))

    def _begin_unit(self) -> list[Event]:
        self._new_view()
        happened = [Event(self.now, UNIT_DUE, self.unit, {"question": self._question()})]
        for escaped in self._coming.pop(self.unit, []):
            self._complaints += 1
            self._busy(self._spec.options["complaint_s"])
            happened.append(Event(self.now, COMPLAINT, None, {"of": escaped}))
        return happened

    def _end_unit(self) -> list[Event]:
        """Of a fixture that leaves now: it goes on unjudged."""
        return [] if self._judged else [unit_ended(self.now, self.unit - 1, ["late"], None)]

    def _conclude(self, reasons: Sequence[str], parts: Mapping[str, Any]) -> None:
        self._judged = True
        cycle_s = self.now + self._spec.control_s - self.unit * self._spec.takt_s
        self._told.append(unit_ended(self.now, self.unit, reasons, cycle_s, parts))

    def _question(self) -> str:
        return question(self._seed, self.unit, self._language)

    def _words(self) -> str:
        """The view, for those who cannot see it."""
        near = ("", ", closer", ", as near as can be")[self._view.nearer]
        return f"{self._view.at}{near}{', from another angle' if self._view.aside else ''}"

    def _picture(self) -> np.ndarray:
        if self._shown is None:
            shape = (self._size, self._size, 3)
            self._shown = (
                np.zeros(shape, np.uint8)
                if self._dark
                else self._eyes.picture(self._seed, self.unit, self._nth, self._view)
            )
        return self._shown

    def _observation(self) -> dict[str, Any]:
        here = not self._judged
        return {
            "now_s": self.now,
            "unit": self.unit,
            "waiting": int(here),
            "left_s": (self.unit + 1) * self._spec.takt_s - self.now,
            "question": self._question() if here else "",
            "view": self._words() if here else "",
            "looks": self._nth,
            "complaints": self._complaints,
            "result": self._result,
            PICTURE: self._picture().copy(),
        }
