"""Tests of others that fail, run once more before anybody is charged with them: a repository's own may fail by chance
(time, ports, a busy machine), and each inspection asks them all."""

from __future__ import annotations

from collections.abc import Callable, Collection

from takt.stations.codedesk.laying import Laid, Run, Suite, laid
from takt.stations.codedesk.tickets import Ticket

TIMES = 2


def run_again(
    first: Run, run: Callable[[Laid], Run], suite: Suite, ticket: Ticket, broken: Collection[str] = ()
) -> tuple[str, ...]:
    """Run the files in which tests of other tickets or of the repository fail up to twice more, with the ticket's own,
    and take those that pass then for passed. They are given back: in code that is right, or wrong, each time alike,
    there are none. Those that were `broken` before are charged to nobody now, and not run for themselves."""
    told, flaky = first.told, list[str]()
    own = {path for path in suite.files if ticket.number in suite.tickets(path)}
    for _ in range(TIMES):
        failing = [
            node
            for node in first.items()
            if told.outcomes.get(node) is False and (asked := suite.asked(node)) and asked[1] != ticket.number
            and asked[0] not in broken
        ]  # fmt: skip
        if not failing:
            break
        more = run(laid(suite, sealing=False, only=own | {node.partition("::")[0] for node in failing}))
        told.wrong = told.wrong or more.tampering()
        if more.stopped or more.unlaid:
            break
        passed = [node for node in failing if more.told.outcomes.get(node)]
        told.outcomes |= dict.fromkeys(passed, True)
        flaky += passed
    return tuple(sorted(flaky))
