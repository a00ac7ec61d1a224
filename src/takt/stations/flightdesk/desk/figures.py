"""The desk's account of a shift (`takt.Account`): passengers home, EUR by part, and the regret in hindsight.

`values_of` has the numbers, `figures_of` puts them into a table, `plots.py` draws them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from takt.contract.events import UNIT_DUE, Event
from takt.contract.figure import counted
from takt.contract.station import Account, Figure, Table
from takt.judge.outcomes import Outcomes
from takt.stations.flightdesk.airline.cost import tariff
from takt.stations.flightdesk.desk.account import PARTS, Tally, hindsight, parties_of, settled, tally, unit_costs
from takt.stations.flightdesk.desk.corridors import CORRIDORS
from takt.stations.flightdesk.desk.seats import Assigned
from takt.stations.flightdesk.desk.served import causes_of, not_served, table_of
from takt.stations.flightdesk.desk.versions import RULES
from takt.stations.flightdesk.desk.world import World

PART_SOURCES = {
    "fare": "seats bought of other carriers",
    "delay": "per minute late, ROADEF 2009 tariff",
    "care": "meals and nights of those home late",
    "downgrading": "a lower cabin than booked",
    "hotel_not_due": "nights given without need",
    "not_brought_home": "ticket, compensation, tariff of a lost trip",
}


FIRST = ("home_rate", "cost_per_home_eur", "regret_rate")  # what a desk is asked for before any plant's figures


def account_of(world: World, authority: bool, events: Sequence[Event], rules: int = RULES) -> Account:
    """The whole of it, of a shift by these rules. The bound takes seconds, and is worked out once."""
    log = settled(events)
    sums, bound, bad = tally(log), hindsight(world, log, rules), not_served(log)
    causes = causes_of(world, bad)
    values = values_of(world, authority, log, sums, bound)
    values["waiting"] = sum(e.kind == UNIT_DUE for e in events) - sum(e.kind == UNIT_DUE for e in log)
    values["not_home_causes"] = dict(sorted(Counter(causes.values()).items()))

    def sections() -> Any:
        from takt.stations.flightdesk.desk.plots import sections  # Matplotlib takes a second to import

        return sections(world, authority, events, bound)

    def table() -> Table:
        return table_of(world, log, bad, bound)

    return Account(figures_of(values), values, sections, FIRST, causes, table)


def values_of(world: World, authority: bool, events: Sequence[Event], sums: Tally, bound: Assigned) -> dict[str, Any]:
    """EUR, people and hours; None where undefined. With authority over flights there is no regret: no bound holds."""
    least = round(bound.bound, 2)
    regret = None if authority else round(sums.cost - least, 2)
    costs, judged = unit_costs(events), {unit.number for unit in Outcomes.of(events).judged}
    return {
        "units": len(costs),
        "judged": len(judged),
        "cost_judged_eur": round(sum(cost for unit, cost in costs.items() if unit in judged), 2),
        "people": sums.people,
        "home": sums.home,
        "home_rate": sums.home / sums.people if sums.people else None,
        "home_by_corridor": {name: sums.home_by_corridor.get(name, 0) for name in CORRIDORS},
        "delay_h": sums.late_min / 60 if sums.home else None,
        "cost_eur": round(sums.cost, 2),
        "cost_per_home_eur": sums.cost / sums.home if sums.home else None,
        "cost_parts_eur": {part: round(sums.parts[part], 2) for part in PARTS},
        "compensation_eur": round(_compensation(world, events), 2),
        "bound_eur": least,
        "bound_holds": not authority,
        "bound_home": round(sums.people - float(bound.stays.sum()), 2),
        "regret_eur": regret,
        "regret_rate": regret / least if regret is not None and least > 0 else None,
        "refused": dict(sorted(sums.refused.items())),
    }


def figures_of(values: Mapping[str, Any]) -> list[Figure]:
    """The table, in the order in which a desk reads it."""
    holds = values["bound_holds"]
    judged = f"of {counted(values['judged'])}"
    no_bound = "no bound: this desk may change flights"
    waiting = values.get("waiting") or 0
    who = f"those who came; {counted(waiting, 'group')} more still wait" if waiting else "units are groups of them"
    units = counted(values["units"])
    units = f"{units} settled so far" if waiting else f"all {units}" if values["units"] > 1 else units
    cost_of = f"of {units}; ROADEF 2009, passengers' parts, and fares"
    table = [
        Figure("people", "Passengers who came", f"{values['people']:,}", "", who),
        Figure("home", "Passengers home", f"{values['home']:,}", "", "settled on flights that are flown"),
        Figure("home_rate", "Passengers home, share", _number(values["home_rate"], 1, 100), "%", "home / came"),
    ]
    for name, people in values["home_by_corridor"].items():
        table.append(Figure(f"home_{name}", f"Home, {name} corridor", f"{people:,}", "", "of the whole trip"))
    table += [
        Figure("delay_h", "Delay of those home, mean", _number(values["delay_h"], 1), "h", "at the destination"),
        Figure("cost_eur", "Cost", _number(values["cost_eur"]), "EUR", cost_of),
        Figure("cost_judged_eur", "... of it of judged units", _number(values["cost_judged_eur"]), "EUR", judged),
        Figure("cost_per_home_eur", "Cost per passenger home", _number(values["cost_per_home_eur"]), "EUR", "all cost"),
    ]
    for part, eur in values["cost_parts_eur"].items():
        label = f"Cost: {part.replace('_', ' ')}"
        table.append(Figure(f"cost_{part}_eur", label, _number(eur), "EUR", PART_SOURCES[part]))
    least = "the least, all known beforehand" if holds else no_bound
    paid = _number(values["compensation_eur"])
    table += [
        Figure("compensation_eur", "... of it compensation", paid, "EUR", "(EC) 261/2004"),
        Figure("bound_eur", "Cost in hindsight, bound", _number(values["bound_eur"]), "EUR", least),
        Figure("bound_home", "Home in hindsight", _number(values["bound_home"]), "", "at that least cost"),
        Figure("regret_eur", "Regret", _number(values["regret_eur"]), "EUR", "cost - bound" if holds else no_bound),
        Figure("regret_rate", "Regret, share", _number(values["regret_rate"], 1, 100), "%", "(cost - bound) / bound"),
        Figure("refused", "Refused calls", str(sum(values["refused"].values())), "", "nothing changed by them"),
    ]
    for code, count in values["refused"].items():
        table.append(Figure(f"refused_{code}", f"Refused: {code}", str(count), "", "code of the error"))
    return table


def _compensation(world: World, events: Sequence[Event]) -> float:
    """EUR of those not home: what they get beside the price of their ticket."""
    bookings, weight = world.instance.bookings, world.instance.prices.weights[0]
    each = weight * (tariff(world.instance).refund - bookings.price)
    index = {str(number): b for b, number in enumerate(bookings.number.tolist())}
    parties = parties_of(events).items()
    return sum((p.people * float(each[index[name.split(".")[0]]]) for name, p in parties if not p.home), 0.0)


def _number(value: float | None, digits: int = 0, times: float = 1) -> str:
    return "-" if value is None else f"{times * value:,.{digits}f}"
