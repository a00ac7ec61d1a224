"""A station of your own: a tap that fills a bottle every five seconds. Run it to see two workers' shifts at it.

A station is a `gymnasium.Env` with a `spec`, `now`, `hold`, events and an exact snapshot (`save`, `load`).
"""

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from takt import Acceptance, Event, StationSpec, run_shift
from takt.ledger.pack import pack, unpack


class Filling(gymnasium.Env):
    spec = StationSpec(
        "filling-v0", "own_station:Filling", station="filling", takt_s=5, control_s=0.1, acceptance=Acceptance(0.95)
    )
    observation_space = Box(0, np.inf, (1,))  # litres in the bottle
    action_space = Box(0, 1, (1,))  # how far the tap is open; at 1 it gives about half a litre a second
    hold = np.zeros(1, np.float32)
    now = property(lambda self: self.periods * 0.1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seed, self.periods, self.litres = seed or 0, 0, np.zeros(1, np.float32)
        return self.litres, {"events": [Event(0.0, "unit_due", 0)]}

    def step(self, action):
        unit, events = self.periods // 50, []
        pressure = np.random.default_rng([self.seed, unit]).uniform(0.8, 1.2)  # by unit, never by what the worker does
        self.litres = self.litres + np.float32(0.05 * pressure) * np.clip(action, 0, 1)
        self.periods += 1
        if self.periods % 50 == 0:
            kind = "unit_good" if abs(self.litres[0] - 1) < 0.02 else "unit_bad"
            data = {"cycle_s": 5.0, "parts": {}, "first_time": True, "reasons": ["level"]}
            events = [Event(self.now, kind, unit, data), Event(self.now, "unit_due", unit + 1)]
            self.litres = np.zeros(1, np.float32)
        return self.litres, 0.0, False, False, {"events": events}

    def save(self):
        return pack([self.periods, self.litres])

    def load(self, state):
        self.periods, self.litres = unpack(state)


def careful(litres):
    """Opens the tap as far as is still missing."""
    return np.minimum(1, 20 * (1 - litres))


def blind(litres):
    """Leaves the tap open as far as is right at the nominal pressure, and never looks."""
    return [0.4]


if __name__ == "__main__":
    for worker in (careful, blind):
        shift = run_shift(Filling(), worker, hours=0.1, clock="lockstep")
        kinds = [event.kind for event in shift.events]
        print(f"{worker.__name__}: {kinds.count('unit_good')} bottles good, {kinds.count('unit_bad')} bad")
