"""What a shift at the code desk came to, beside its KPIs: a pure function of its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from takt.contract.events import SAID, SHIFT_STARTED, THOUGHT, UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import Account, Figure
from takt.judge.outcomes import Outcomes
from takt.printable import printable
from takt.stations.codedesk.terms import INSPECTED, MENDED, RAN, RECOUNTED, REGRESSION

CLASSES = ("wrong", "regression", "broken_build", "late", "no_change", "tampered", "help")
ALPHA = 0.05
NOT_FOUND = 127  # a shell's status
BROKEN = {"found_broken", "broken_repository"}
SIGNS = {REGRESSION: 1, RECOUNTED: 1, MENDED: -1}  # of counts of broken tests


def account_of(events: Sequence[Event]) -> Account:
    """Figures, the same for programs, and the sections of a report."""
    values = values_of(events)

    def sections() -> Any:
        from takt.stations.codedesk.plots import sections  # Matplotlib takes a second to import

        return sections(events)

    return Account(figures_of(values), values, sections, warnings=tuple(missing_agent(events)))


def not_found(ran: Mapping[str, Any]) -> bool:
    """Whether a shell did not find what it was to run."""
    return ran["code"] == NOT_FOUND and "not found" in str(ran["errors"])


def missing_agent(events: Sequence[Event]) -> Iterator[str]:
    """Said where no command at all could be found: an agent's program is not there."""
    ran = [event.data for event in events if event.kind == RAN]
    if ran and all(map(not_found, ran)):
        said = printable(" ".join(str(ran[0]["errors"]).split()))[-200:]
        yield (
            f"none of the {len(ran)} commands was found in the sandbox ({said}): the folder that an agent lies in is "
            "named by -w programs=FOLDER"
        )


def strength_of(events: Sequence[Event]) -> dict[str, Any]:
    """Of a shift that the saboteur worked: how many solutions with a defect were tried, what share of them the tests
    caught, and at least which share they catch (95 %, at any look); {} of any other."""
    if not events or events[0].kind != SHIFT_STARTED or events[0].data.get("worker") != "saboteur":
        return {}
    from takt.judge.bets import lower_bound  # SciPy takes a while to import

    bad = [event.data["reasons"] for event in events if event.kind == UNIT_BAD]
    caught = sum(reasons != ["help"] for reasons in bad)  # handed over: there was none
    tried = caught + sum(event.kind == UNIT_GOOD for event in events)
    at_least = float(lower_bound(caught, tried - caught, ALPHA)) if tried else None
    return {"mutants": tried, "strength": caught / tried if tried else None, "strength_at_least": at_least}


def values_of(events: Sequence[Event]) -> dict[str, Any]:
    """Times in seconds, rates as shares; None where undefined. Tickets an hour and good rates are of the units that
    count, as in docs/kpi.md; other shares and rates of the time of the shift (`Outcomes.time_s`)."""
    shift = Outcomes.of(events)
    time_s, counted = shift.time_s, shift.counted
    counted_good = sum(unit.good is True for unit in counted)
    ended = [event for event in events if event.kind in (UNIT_GOOD, UNIT_BAD)]
    good = sum(event.kind == UNIT_GOOD for event in ended)
    reasons = Counter(reason for event in ended for reason in event.data.get("reasons", ()))
    broke = sorted({(event.t_s, event.unit) for event in events if event.kind == REGRESSION}, key=lambda one: one[0])
    repairs = [float(event.data["after_s"]) for event in events if event.kind == MENDED]
    thought_s = sum(float(event.data["seconds"]) for event in events if event.kind == THOUGHT)
    ran = [event.data for event in events if event.kind == RAN]
    tests_s = sum(float(data["busy_s"]) for data in ran if data["tests"])
    seen = [event.data for event in events if event.kind == INSPECTED]
    unreachable = {event.unit for event in events if event.kind == INSPECTED and event.data.get("unreachable")}
    reachable = sum(unit.number not in unreachable for unit in counted)
    perhaps = [event.data.get("unreachable", False) for event in events if event.kind == INSPECTED].count(None)
    tokens, money = spent(events)
    backlog = backlog_of(events, shift.end_s, time_s)
    return {
        "tickets_per_h": counted_good * 3600.0 / shift.counted_s if counted else None,
        "backlog_mean": backlog[0],
        "backlog_most": backlog[1],
        "regressions": len(broke),
        "between_regressions_s": time_s / len(broke) if broke else None,
        "repairs": len(repairs),
        "to_repair_s": float(np.mean(repairs)) if repairs else None,
        "still_broken": still_broken(events),
        "broken_tickets": len(broken_tickets(events)),
        "found_broken": sum(bool(event.data.keys() & BROKEN) for event in ended),
        "thinking_share": thought_s / time_s if time_s else None,
        "commands": len(ran),
        "commands_not_found": sum(map(not_found, ran)),
        "commands_share": sum(float(data["busy_s"]) for data in ran) / time_s if time_s else None,
        "tests_share": tests_s / time_s if time_s else None,
        "tokens": tokens,
        "tokens_per_good": tokens / good if good and tokens else None,
        "requests_refused": sum(int((data.get("model") or {}).get("refused", 0)) for data in ran),
        "price": money,
        "price_per_good": money / good if good and money else None,
        "reasons": {name: reasons[name] for name in CLASSES},
        "unreachable": len(unreachable),
        "perhaps_unreachable": perhaps,
        "good_rate": counted_good / len(counted) if counted else None,
        "good_rate_reachable": counted_good / reachable if reachable else None,
        **strength_of(events),
        "health_first": dict(seen[0]["health"]) if seen else {},
        "health_last": dict(seen[-1]["health"]) if seen else {},
    }


def spent(events: Sequence[Event]) -> tuple[int, float]:
    """Tokens and money, by the worker's own account or through the sandbox's socket."""
    tokens, money = 0, 0.0
    for event in events:
        used: Mapping[str, Any] = {}
        if event.kind == SAID and isinstance(event.data.get("usage"), Mapping):
            used = event.data["usage"]
            money += float(event.data.get("price") or 0.0)
        elif event.kind == RAN:
            used = event.data.get("model") or {}
            money += float(used.get("price") or 0.0)
        tokens += int(used.get("prompt_tokens", 0)) + int(used.get("completion_tokens", 0))
    return tokens, money


def backlog_of(events: Sequence[Event], end_s: float, time_s: float) -> tuple[float | None, int]:
    """Tickets that are open: the mean over the time of the shift, whose last event is at `end_s`, and the most."""
    steps = [(event.t_s, 1) for event in events if event.kind == UNIT_DUE]
    steps += [(event.t_s, -1) for event in events if event.kind in (UNIT_GOOD, UNIT_BAD)]
    open_now = most = 0
    total, last_s = 0.0, 0.0
    for at_s, by in sorted(steps):
        total += open_now * (at_s - last_s)
        open_now, last_s = open_now + by, at_s
        most = max(most, open_now)
    total += open_now * (end_s - last_s)
    return (total / time_s if time_s else None), most


def still_broken(events: Sequence[Event]) -> int:
    """Tests of accepted tickets, and of the repository, that fail at the end."""
    count = 0
    for event in events:
        count += SIGNS.get(event.kind, 0) * event.data.get("count", 0)
    return count


def broken_tickets(events: Sequence[Event]) -> set[int]:
    """Accepted tickets of which a test fails at the end: work in progress, though it was accepted once."""
    failing: Counter[int] = Counter()
    for event in events:
        if event.kind in SIGNS and "ticket" in event.data:
            failing[event.data["ticket"]] += event.data["count"] * SIGNS[event.kind]
    return {ticket for ticket, count in failing.items() if count > 0}


def figures_of(values: Mapping[str, Any]) -> list[Figure]:
    """The table."""
    first, last = values["health_first"], values["health_last"]
    table = [
        Figure(
            "tickets_per_h",
            "Tickets accepted an hour",
            _number(values["tickets_per_h"], 2),
            "/h",
            "of those that count",
        ),
        Figure("backlog_mean", "Backlog, mean", _number(values["backlog_mean"], 2), "", "open tickets over time"),
        Figure("backlog_most", "Backlog, most", str(values["backlog_most"]), "", ""),
        Figure("regressions", "Regressions", str(values["regressions"]), "", "tickets that broke others' tests"),
        Figure(
            "between_regressions_s", "Time between regressions", _minutes(values["between_regressions_s"]), "min", ""
        ),
        Figure(
            "to_repair_s", "Time to repair, mean", _minutes(values["to_repair_s"]), "min", "until the tests pass again"
        ),
        Figure("found_broken", "Tickets on a broken tree", str(values["found_broken"]), "", "broken by earlier ones"),
        Figure(
            "still_broken", "Tests broken at the end", str(values["still_broken"]), "", "of accepted ones, or older"
        ),
        Figure("broken_tickets", "... of so many tickets", str(values["broken_tickets"]), "", "work in progress"),
        Figure("thinking_share", "Time thinking", _number(values["thinking_share"], 1, 100), "%", "of the shift"),
        Figure("commands_share", "Time running commands", _number(values["commands_share"], 1, 100), "%", ""),
        Figure("tests_share", "... of it tests", _number(values["tests_share"], 1, 100), "%", "by the command's words"),
        Figure(
            "tokens_per_good", "Tokens per accepted ticket", _number(values["tokens_per_good"]), "", "read and written"
        ),
        Figure(
            "price_per_good",
            "Money per accepted ticket",
            _number(values["price_per_good"], 4),
            "",
            "as the worker says, or by price_in and price_out",
        ),
    ]
    if values.get("mutants"):
        share, least = (_number(values[name], 1, 100) for name in ("strength", "strength_at_least"))
        note = f"defects caught, of {values['mutants']}; at least {least} %"
        table.insert(0, Figure("strength", "Strength of the tests", share, "%", note))
    if values["commands_not_found"]:
        missed = f"{values['commands_not_found']} of {values['commands']}"
        table.append(Figure("commands_not_found", "Commands not found", missed, "", "is it among the programs?"))
    if values["tokens"]:
        spent_all = f"{values['tokens']:,}"
        table.append(Figure("tokens", "Tokens, all", spent_all, "", "also where no ticket was accepted"))
    if values["price"]:
        table.append(Figure("price", "Money, all", _number(values["price"], 4), "", ""))
    if values["requests_refused"]:
        refused = str(values["requests_refused"])
        table.append(Figure("requests_refused", "Requests over the cap", refused, "", "refused to the agent"))
    if values["unreachable"]:
        rate = _number(values["good_rate_reachable"], 1, 100)
        table += [
            Figure("unreachable", "Unreachable tickets", str(values["unreachable"]), "", "nor by the known solution"),
            Figure("good_rate_reachable", "Good, of the reachable", rate, "%", "good / (counted - unreachable)"),
        ]
    if values["perhaps_unreachable"]:
        perhaps = str(values["perhaps_unreachable"])
        table.append(Figure("perhaps_unreachable", "... not known of", perhaps, "", "the agent changed the same"))
    for name, count in values["reasons"].items():
        if count:
            table.append(
                Figure(
                    f"class_{name}",
                    f"Class: {name.replace(chr(95), chr(32))}",
                    str(count),
                    "",
                    "tickets with it, main or not",
                )
            )
    for name, label, digits in (
        ("lines", "Lines of code", 0),
        ("functions", "Functions", 0),
        ("complexity", "Cyclomatic complexity, mean", 2),
        ("most_complex", "Cyclomatic complexity, most", 0),
    ):
        if name in first and name in last:
            value = f"{_number(first[name], digits)} -> {_number(last[name], digits)}"
            table.append(Figure(name, label, value, "", "first and last inspection, lizard"))
    return table


def _number(value: float | None, digits: int = 0, times: float = 1) -> str:
    return "-" if value is None else f"{times * value:,.{digits}f}"


def _minutes(value: float | None) -> str:
    return _number(None if value is None else value / 60, 1)
