"""`flightdesk`: the disruption desk of an airline. `desk` is the station; `airline`, its engine, can do without it:

instance = read_instance("A01")
solution = greedy_delay(instance)
assert not check(instance, solution)
print(cost(instance, solution).total)
"""

from typing import TYPE_CHECKING

from takt.late import late

if TYPE_CHECKING:
    from takt.stations.flightdesk.airline.check import check
    from takt.stations.flightdesk.airline.cost import Cost, cost
    from takt.stations.flightdesk.airline.format import read_instance
    from takt.stations.flightdesk.airline.instance import Instance
    from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
    from takt.stations.flightdesk.airline.rules import Rule, Violation
    from takt.stations.flightdesk.airline.solution import Solution, read_solution, write_solution
    from takt.stations.flightdesk.airline.written import write_instance

__all__ = [
    "Cost",
    "Instance",
    "Rule",
    "Solution",
    "Violation",
    "check",
    "cost",
    "do_nothing",
    "greedy_delay",
    "read_instance",
    "read_solution",
    "write_instance",
    "write_solution",
]

__getattr__ = late(
    __name__,
    {
        "airline.check": "check",
        "airline.cost": "Cost cost",
        "airline.format": "read_instance",
        "airline.instance": "Instance",
        "airline.recovery.baseline": "do_nothing greedy_delay",
        "airline.rules": "Rule Violation",
        "airline.solution": "Solution read_solution write_solution",
        "airline.written": "write_instance",
    },
)
