"""A worker of your own: anything with `begin`, `act` and `end`, here one that balances a pole (Gymnasium's CartPole).

`act` answers with a plan, a short sequence of actions. A worker with a memory adds `save` and `load`, so that a shift
that was killed can be resumed. A plain function `observation -> action` would do as well.
Run it to see what thinking costs: as good as can be when the world waits, and worthless when it does not.
"""

from takt import Plan, run_shift


class Balancer:
    def begin(self, spec, seed):
        print(f"at {spec.station}: a unit every {spec.takt_s:g} s")

    def act(self, observation):
        _, speed, angle, spin = observation
        push_right = 3 * angle + spin + 0.1 * speed > 0
        return Plan([int(push_right)])

    def end(self):
        pass


if __name__ == "__main__":
    for clock in ("lockstep", "fixed:0.02"):
        shift = run_shift("gym", Balancer(), units=10, clock=clock, station_options={"id": "CartPole-v1"})
        print(f"{clock}: {sum(event.kind == 'unit_good' for event in shift.events)} of 10 units good")
