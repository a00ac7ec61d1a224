"""A shift in the forms that hosted CI shows: Markdown for a job's summary, JUnit XML for its test report."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405  # it writes, and reads none

from takt.contract.figure import Figure
from takt.draw.words import hms
from takt.judge.verdict import notes
from takt.printable import printable
from takt.shift import Shift
from takt.show.happened import meanwhile
from takt.show.reasons import in_words
from takt.show.view import ShiftView
from takt.writing import Kind

MARKDOWN = Kind("summary of Takt's", lambda head: head.startswith(b"### ") and b"of station time" in head)
JUNIT = Kind("JUnit report of Takt's", lambda head: b"<testsuite " in head[:300] and b"takt." in head)
SIGNS = {"accept": "✅", "reject": "❌", "undecided": "➖"}
MOST_UNITS = 50  # bad units that are listed


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
    bad = [unit for unit in view.units if unit.good is False]
    if bad:
        lines += ["", "| bad unit | at | why |", "| ---: | --- | --- |"]
        for unit in bad[:MOST_UNITS]:
            found = meanwhile(view.events, unit.number, station)
            there = found and f" Meanwhile: {found}."
            lines.append(f"| {unit.number} | {hms(unit.ended_s or 0.0)} | {_plain(_why(station, unit.data) + there)} |")
        if len(bad) > MOST_UNITS:
            lines.append(f"\nand {len(bad) - MOST_UNITS} more")
    return "\n".join(lines) + "\n"


def junit(shift: Shift, view: ShiftView) -> str:
    """A test case for the verdict and one for each unit; a bad unit is a failure, an open one is skipped."""
    judged, station = view.judged, str(shift.meta["station"])
    name = f"{shift.meta['worker']} at {station}, seed {shift.meta['seed']}"
    units = [unit for unit in view.units]
    failed = sum(unit.good is False for unit in units) + (judged.decision == "reject")
    skipped = sum(unit.good is None for unit in units) + (judged.decision == "undecided")
    suite = Element(
        "testsuite",
        name=_xml(name),
        tests=str(len(units) + 1),
        failures=str(failed),
        skipped=str(skipped),
        errors="0",
        time=f"{view.now_s:.3f}",
    )
    of = _xml(f"takt.{station}.{shift.meta['worker']}")
    case = SubElement(suite, "testcase", classname=of, name="verdict", time="0")
    if judged.decision != "accept":
        SubElement(case, "failure" if judged.decision == "reject" else "skipped", message=_xml(judged.why))
    for unit in units:
        took = f"{unit.cycle_s or 0.0:.3f}"
        case = SubElement(suite, "testcase", classname=of, name=f"unit {unit.number}", time=took)
        if unit.good is None:
            SubElement(case, "skipped", message="open when the shift ended")
        elif not unit.good:
            reasons = [str(one) for one in unit.data.get("reasons") or ["unstated"]]
            failure = SubElement(case, "failure", type=_xml(reasons[0]), message=_xml(", ".join(reasons)))
            failure.text = _xml(_why(station, unit.data))
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _why(station: str, data: Any) -> str:
    return " ".join(in_words(station, str(reason)) for reason in data.get("reasons") or ["unstated"])


def _plain(value: object) -> str:
    """Text as Markdown shows it: on one line, and none of it markup, a link or a row of the table."""
    text = " ".join(printable(str(value)).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~&!])", r"\\\1", text).replace("://", ":\u200b//").replace("@", "@\u200b")


def _xml(value: object) -> str:
    """Text without what XML 1.0 has no room for."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", printable(str(value)))
