"""A generated series worked by its own reference, in this process: what fails where nothing may."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from takt.stations.codedesk.families.series import Generated
from takt.stations.codedesk.families.trial import Trial, lines_changed
from takt.stations.codedesk.tickets import Ticket, changed


@dataclass
class Worked:
    """What came out, ticket by ticket."""

    tickets: list[Ticket] = field(default_factory=list)
    trees: list[dict[str, str | bytes]] = field(default_factory=list)  # before each ticket, and after the last
    wrong: list[str] = field(default_factory=list)


def worked(series: Generated, count: int, package: str | None = None) -> Worked:
    """The first tickets. `wrong`: a line for each test that the reference fails, and for each ticket done before."""
    done = Worked()
    tree = dict(series.base())
    package = package or package_of(tree)
    hidden: dict[str, str] = {}
    retired: set[str] = set()
    for number in range(count):
        ticket = series.ticket(number)
        done.tickets.append(ticket)
        done.trees.append(tree)
        if all(not said for said in Trial(tree, package).run(ticket.hidden).values()):
            done.wrong.append(f"{number}: the tree before passes")
        tree = changed(tree, ticket.reference)
        retired |= set(ticket.retires)
        hidden |= ticket.hidden
        for node, said in Trial(tree, package).run(hidden, skip=frozenset(retired)).items():
            if said:
                done.wrong.append(f"after {number}: {node}: {said[:200]}")
    done.trees.append(tree)
    return done


def package_of(tree: dict[str, str | bytes]) -> str:
    found = re.search(r'^name = "(.*)"$', str(tree["pyproject.toml"]), flags=re.M)
    assert found is not None
    return found[1].replace("-", "_")


def size_of(ticket: Ticket, before: dict[str, str | bytes]) -> int:
    """Lines that the reference change writes."""
    return sum(
        len(lines_changed(str(before.get(path, "")), str(text)))
        for path, text in ticket.reference.items()
        if text is not None
    )
