"""A shift in the forms that hosted CI shows: Markdown for a job's summary, JUnit XML for its test report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405  # it writes, and reads none

from takt.contract.events import Event
from takt.contract.figure import Figure
from takt.draw.words import hms
from takt.judge.outcomes import Unit
from takt.judge.verdict import notes
from takt.printable import printable
from takt.shift import Shift
from takt.show.cases import by_unit, whys
from takt.show.happened import meanwhile
from takt.show.view import ShiftView
from takt.writing import Kind

MARKDOWN = Kind("summary of Takt's", lambda head: head.startswith(b"### ") and b"of station time" in head)
JUNIT = Kind("JUnit report of Takt's", lambda head: b"<testsuite " in head[:300] and b"takt." in head)
SIGNS = {"accept": "✅", "reject": "❌", "undecided": "➖"}
MOST_UNITS = 50  # bad units that are listed
CASES = BY_VERDICT, ALWAYS, NONE = "verdict", "always", "none"


def markdown(shift: Shift, view: ShiftView, rows: list[Figure]) -> str:
    """The verdict, the figures and the bad units. What a ledger says is text, whatever Markdown it was to be."""
    judged, station = view.judged, str(shift.meta["station"])
    lines = [
        f"### {SIGNS[judged.decision]} {judged.decision}: {_plain(shift.meta['worker'])} at {_plain(station)}",
        "",
        f"{_plain(judged.why)}.",
        *(f"{_plain(note)}" for note in notes(judged)),
        "",
        f"Seed {shift.meta['seed']}, clock {_plain(shift.meta['clock'])}, {hms(view.now_s)} of station time, "
        f"{'ended by ' + _plain(shift.ended) if shift.ended else 'not ended'}; digest `{shift.digest[:16]}`.",
        *(f"- broken: {_plain(line)}" for line in shift.broken[:5]),
        "",
        "| figure | | | source |",
        "| --- | ---: | --- | --- |",
        *(f"| {_plain(r.label)} | {_plain(r.value)} | {_plain(r.unit)} | {_plain(r.source)} |" for r in rows),
    ]
    bad = [unit for unit in judged_units(view) if unit.good is False]
    if bad:
        mine = by_unit(view.events)
        lines += ["", "| bad unit | at | why |", "| ---: | --- | --- |"]
        for unit in bad[:MOST_UNITS]:
            found = meanwhile(view.events, unit.number, station)
            there = found and f" Meanwhile: {found}."
            lines.append(
                f"| {unit.number} | {hms(unit.ended_s or 0.0)} | {_plain(_why(station, unit, mine) + there)} |"
            )
        if len(bad) > MOST_UNITS:
            lines.append(f"\nand {len(bad) - MOST_UNITS} more")
    return "\n".join(lines) + "\n"


def junit(shift: Shift, view: ShiftView, cases: str = BY_VERDICT) -> str:
    """A test case for the verdict, which fails if it rejects and is skipped while it is undecided; and by `cases`
    (CASES) one for each unit. A job allows bad units: by the verdict one is a failure only if that rejects, and else
    skipped, with its reason; `always` makes each a failure. What is not judged is skipped, whatever became of it."""
    judged, station = view.judged, str(shift.meta["station"])
    name = f"{shift.meta['worker']} at {station}, seed {shift.meta['seed']}"
    suite, of = Element("testsuite", name=_xml(name)), _xml(f"takt.{station}.{shift.meta['worker']}")
    properties = SubElement(suite, "properties")
    figures = view.kpis
    for key in ("units", "good", "bad", "open", "cut_off", "cut_off_finished"):
        SubElement(properties, "property", name=key, value=str(getattr(view if key == "open" else figures, key)))
    case = SubElement(suite, "testcase", classname=of, name="verdict", time="0")
    if judged.decision != "accept":
        SubElement(case, "failure" if judged.decision == "reject" else "skipped", message=_xml(judged.why))
    mine = by_unit(view.events)
    fails = cases == ALWAYS or (cases == BY_VERDICT and judged.decision == "reject")
    for place, unit in enumerate(() if cases == NONE else view.units[: view.due + view.not_judged]):
        took = f"{unit.cycle_s or 0.0:.3f}"
        case = SubElement(suite, "testcase", classname=of, name=f"unit {unit.number}", time=took)
        became = "open" if unit.good is None else "good" if unit.good else "bad"
        why = "" if unit.good is not False else ", ".join(str(one) for one in unit.data.get("reasons") or ["unstated"])
        if place >= judged.units:
            cut = f"{judged.cut_is and f'{judged.cut_is} be '}cut off by the end of the shift"
            told = cut if place >= view.due else "not ended"
            told = f"not judged: {told} ({became}{': ' + why if why else ''})"
            skipped = SubElement(case, "skipped", message=_xml(told))
            skipped.text = _xml(_why(station, unit, mine)) if why else None
        elif unit.good is None:
            SubElement(case, "skipped", message="open")
        elif not unit.good:
            reason = str((unit.data.get("reasons") or ["unstated"])[0])
            if fails:
                SubElement(case, "failure", type=_xml(reason), message=_xml(why)).text = _xml(_why(station, unit, mine))
            else:
                skipped = SubElement(case, "skipped", message=_xml(f"bad: {why}; the verdict is {judged.decision}"))
                skipped.text = _xml(_why(station, unit, mine))
    suite.attrib |= {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "errors": "0",
        "time": f"{view.now_s:.3f}",
    }
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def judged_units(view: ShiftView) -> list[Unit]:
    return list(view.units[: view.judged.units])


def _why(station: str, unit: Unit, mine: Mapping[int, Sequence[Event]]) -> str:
    reasons = [str(reason) for reason in unit.data.get("reasons") or ["unstated"]]
    return whys(station, reasons, mine.get(unit.number, ()))


def _plain(value: object) -> str:
    """Text as Markdown shows it: on one line, and none of it markup, a link or a row of the table."""
    text = " ".join(printable(str(value)).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~&!])", r"\\\1", text).replace("://", ":\u200b//").replace("@", "@\u200b")


def _xml(value: object) -> str:
    """Text without what XML 1.0 has no room for."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", printable(str(value)))
