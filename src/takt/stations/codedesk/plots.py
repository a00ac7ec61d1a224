"""The code desk's sections of a shift's report: tickets along time, what became of the code, what bad tickets did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from takt.contract.events import UNIT_BAD, UNIT_DUE, UNIT_GOOD, Event
from takt.contract.station import Section
from takt.draw import plots
from takt.stations.codedesk.breakage import number_of
from takt.stations.codedesk.terms import INSPECTED, MENDED, RAN, REGRESSION

TICKETS_HEIGHT, CODE_HEIGHT = 380, 340  # CSS pixels
MOST_OUTPUT = 1500  # characters of a command's output
MOST_TOLD = 40  # bad tickets whose diffs are on the page


def sections(events: Sequence[Event]) -> list[Section]:
    """The sections; none if no ticket fell due."""
    due = {event.unit: event for event in events if event.kind == UNIT_DUE and event.unit is not None}
    if not due:
        return []
    end_s = max(event.t_s for event in events)
    ended = {event.unit: event for event in events if event.kind in (UNIT_GOOD, UNIT_BAD) and event.unit is not None}
    broke = [event for event in events if event.kind == REGRESSION]
    mended = [event for event in events if event.kind == MENDED]
    note = (
        "A bar is a ticket from falling due to its end: accepted, bad in red, open in grey. A line leads from the "
        "ticket that broke something down to the one whose tests it broke; a ring is where a break was mended."
    )
    found = [Section("Tickets", note, _tickets(due, ended, broke, mended, end_s), _bad(events, due, ended))]
    seen = [event for event in events if event.kind == INSPECTED and event.data["health"]]
    if len(seen) > 1:
        note = "At each inspection: lines of code (left) and the mean cyclomatic complexity of a function (right)."
        found.append(Section("Growth and health of the code", note, _code(seen, end_s)))
    return found


def _tickets(due: Any, ended: Any, broke: Sequence[Event], mended: Sequence[Event], end_s: float) -> plots.Plot:
    def draw(figure: Figure, wide: bool) -> None:
        axes = plots.axes_over_time(figure, end_s, wide)
        axes.set_ylim(max(due) + 0.6, min(due) - 0.6)
        axes.yaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))  # a ticket's number is whole
        axes.set_ylabel("ticket" if wide else "")
        for number, event in due.items():
            end = ended.get(number)
            color = plots.MUTED if end is None else plots.GOOD if end.kind == UNIT_GOOD else plots.BAD
            until_s = end_s if end is None else end.t_s
            axes.broken_barh([(event.t_s, max(until_s - event.t_s, end_s / 400))], (number - 0.4, 0.8), facecolor=color)
        for event in broke:
            whose = event.data.get("ticket", event.unit)  # at the ticket itself, if it broke the repository's own
            axes.plot([event.t_s] * 2, [event.unit, whose], color=plots.BAD, linewidth=1.2)
            axes.plot([event.t_s], [whose], "o", color=plots.BAD, markersize=5)
        for event in mended:
            axes.plot(
                [event.t_s],
                [event.data.get("ticket", event.unit)],
                "o",
                color=plots.GOOD,
                markersize=8,
                fillstyle="none",
            )

    return plots.plot("tickets", TICKETS_HEIGHT, draw)


def _code(seen: Sequence[Event], end_s: float) -> plots.Plot:
    def draw(figure: Figure, wide: bool) -> None:
        axes = plots.axes_over_time(figure, end_s, wide, right=0.93)
        times = [event.t_s for event in seen]
        axes.plot(times, [event.data["health"]["lines"] for event in seen], color=plots.ACCENT, label="lines of code")
        axes.set_ylim(bottom=0)
        other = axes.twinx()
        other.grid(False)
        complexity = [event.data["health"]["complexity"] for event in seen]
        other.plot(times, complexity, color=plots.WARN, label="complexity, mean")
        other.set_ylim(bottom=0)
        lines = [*axes.get_lines(), *other.get_lines()]
        axes.legend(lines, [str(line.get_label()) for line in lines], loc="lower right", frameon=False)

    return plots.plot("code", CODE_HEIGHT, draw)


def _bad(events: Sequence[Event], due: Any, ended: Any) -> list[tuple[str, str]]:
    """What each bad ticket came to: its classes, the tests' message, what it broke and its diff."""
    seen = {event.unit: event.data for event in events if event.kind == INSPECTED}
    texts: list[tuple[str, str]] = []
    for number, event in sorted(ended.items()):
        if event.kind != UNIT_BAD or len(texts) >= MOST_TOLD:
            continue
        data = seen.get(number, {})
        parts = [f"Tests that failed: {', '.join(data['failed'])}"] if data.get("failed") else []
        parts += [
            f"Tests of {f'ticket {one}' if number_of(one) >= 0 else 'the repository'} that fail: {', '.join(tests)}"
            for one, tests in data.get("broken", {}).items()
        ]
        parts += [str(data[name]) for name in ("tampered", "build", "message") if data.get(name)]
        parts += [data["diff"]] if data.get("diff") else []
        parts += [_told(event.data) for event in events if event.kind == RAN and event.unit == number]
        if data.get("unreachable"):
            parts.insert(
                0, "Unreachable: the known solution's change, made where the agent stood before, does not pass either."
            )
        why = ", ".join(event.data["reasons"]).replace("_", " ")
        title = f"Ticket {number}, {why}: {due[number].data['title']}"
        texts.append((title, "\n\n".join(parts) or "Nothing was done."))
    return texts


def _told(ran: Mapping[str, Any]) -> str:
    """A command and what it printed."""
    output = (str(ran["output"]) + str(ran["errors"])).strip()
    cut = output if len(output) <= MOST_OUTPUT else f"[...] {output[-MOST_OUTPUT:]}"
    return f"$ {ran['said']}\n{cut}\n[{ran['ended_by']} {ran['code']}, {ran['busy_s']:g} s]"
