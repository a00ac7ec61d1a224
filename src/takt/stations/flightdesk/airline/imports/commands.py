"""`takt flightdesk import` and `export`: what they read, write and print."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from takt.contract.station import TaktError
from takt.stations.flightdesk.airline.format import read_instance
from takt.stations.flightdesk.airline.imports.airline import Files, import_airline, numbers_text
from takt.stations.flightdesk.airline.imports.exported import Exported
from takt.stations.flightdesk.airline.imports.problems import SHOWN, BrokenFiles
from takt.stations.flightdesk.airline.imports.tables import moment
from takt.stations.flightdesk.airline.instance import DAY, Instance, clock
from takt.stations.flightdesk.airline.rows import FILES
from takt.stations.flightdesk.airline.written import write_instance
from takt.writing import NOTHING, check_folder, whole_files

NUMBERS = "numbers.csv"
NOT_EXPORTED = (
    "what airports take an hour, all prices of the objective, where aircraft are wanted at the end, "
    "flying times that no flight has, the recovery period"
)


def run_import(out: Path, files: Files, start: str, end: str, as_json: bool) -> None:
    """Import into a folder, and say what was missing."""
    check_folder(out, [*(f"{name}.csv" for name in FILES), NUMBERS], NOTHING, "config.csv")
    try:
        found = import_airline(out.resolve().name, files, _moment("--from", start), _moment("--to", end))
    except BrokenFiles as error:
        for line in error.shown:
            print(f"takt: {line}", file=sys.stderr)
        shown = "all shown" if len(error.shown) < SHOWN else f"the first {SHOWN} shown"
        raise TaktError(f"{error.summary}, {shown}; nothing was written") from None
    with whole_files(out) as new:
        write_instance(found.instance, new)
        read_instance(new)  # what cannot be read does not come out
        (new / NUMBERS).write_text(numbers_text(found.numbers), encoding="utf-8")
    i = found.instance
    counts = {
        "flights": len(i.flights.number),
        "aircraft": len(i.aircraft.name),
        "bookings": len(i.bookings.number),
        "passengers": int(i.bookings.passengers.sum()),
    }
    if as_json:
        told: dict[str, Any] = {"path": str(out), **counts, "missing": list(found.missing)}
        print(json.dumps({**told, "start": i.clock(i.start), "end": i.clock(i.end)}))
        return
    print(f"instance: {out} ({', '.join(f'{count} {name}' for name, count in counts.items())})")
    print(f"recovery period: {_with_year(i, i.start)} to {_with_year(i, i.end)} UTC")
    print("missing in the files, and what was taken instead:" if found.missing else "nothing was missing in the files")
    for line in found.missing:
        print(f"  {line}")


def run_export(instance: Path, out: Path, airline: str, local: bool, bare: bool, as_json: bool) -> None:
    """Write an instance as the files that an import reads."""
    if not (2 <= len(airline) <= 3 and airline.isascii() and airline.isalnum() and airline.isupper()):
        raise TaktError(f"--airline {airline!r} is no airline designator; write it as AF")
    texts = Exported(read_instance(instance), airline, local).files(bare)
    check_folder(out, list(texts), NOTHING, "schedule.ssim")
    with whole_files(out) as new:
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="")
    if as_json:
        print(json.dumps({**{name: str(out / name) for name in texts}, "not_exported": NOT_EXPORTED}))
    else:
        print("\n".join(f"{_what(name)}: {out / name}" for name in texts))
        print(f"not in these files: {NOT_EXPORTED}; import takes these from its options, --defaults and the schedule")


def _with_year(instance: Instance, minute: int) -> str:
    return f"{instance.epoch + timedelta(days=minute // DAY)} {clock(minute % DAY)}"


def _what(name: str) -> str:
    return name.partition(".")[0]


def _moment(option: str, text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise TaktError(f"{option}: {error}") from None
