"""`flightdesk`: the disruption desk of an airline. So far its engine: an instance, a plan, its validity and its cost.

instance = read_instance("A01")
solution = greedy_delay(instance)
assert not check(instance, solution)
print(cost(instance, solution).total)
"""

from takt.stations.flightdesk.airline.check import Rule, Violation, check
from takt.stations.flightdesk.airline.cost import Cost, cost
from takt.stations.flightdesk.airline.format import read_instance, write_instance
from takt.stations.flightdesk.airline.instance import Instance
from takt.stations.flightdesk.airline.recovery.baseline import do_nothing, greedy_delay
from takt.stations.flightdesk.airline.solution import Solution, read_solution, write_solution

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
