"""One aircraft under several flight numbers: a flight is counted once, where the file says which of them is flown."""

from __future__ import annotations

from takt.stations.flightdesk.situation import files
from takt.stations.flightdesk.situation.status import NO, YES


def merge(sheet: files.Sheet, when: str, departed: str) -> int:
    """Leave out of the sheet what is another number of a flight that it has; how many rows that were.

    when, departed   SQL for the day of a flight, and whether it departed.

    Where no column says which number is flown, rows that look like one flight are only noted: two airlines do leave for
    the same place at the same minute.
    """
    has, db = sheet.named, sheet.db
    before = _count(sheet)
    for key, drop in (("operating", NO), ("codeshare", YES)):
        if key not in has:
            continue
        texts = {text.lower() for (text,) in db.execute(f"SELECT DISTINCT {key} FROM {files.SHEET}").fetchall() if text}
        if texts <= {*YES, *NO}:
            db.execute(f"DELETE FROM {files.SHEET} WHERE lower({key}) IN {drop}")
        elif "flight" in has:
            _keep_one(sheet, when, f"coalesce({key}, flight)", f"coalesce({key} = flight, true)")
    if {"flight", "carrier"} <= set(has):
        _keep_one(sheet, when, "carrier || ' ' || flight", "true")  # the same row again
    _note_alike(sheet, when, departed)
    return before - _count(sheet)


def _keep_one(sheet: files.Sheet, when: str, flown: str, first: str) -> None:
    """Of rows of the same flight `flown` at the same time, keep the one that is it."""
    time = _time(sheet) or "''"
    key = f"{when}, upper(origin), upper(dest), {time}, {flown}"
    sheet.db.execute(
        f"DELETE FROM {files.SHEET} WHERE number NOT IN (SELECT arg_min(number, (NOT ({first}), number)) "
        f"FROM {files.SHEET} GROUP BY {key}) AND ({flown}) IS NOT NULL"
    )


def _note_alike(sheet: files.Sheet, when: str, departed: str) -> None:
    """Note rows of different numbers that leave for the same place at the same minute, by one aircraft if known."""
    has, time = sheet.named, _time(sheet)
    if "flight" not in has or time is None or {"operating", "codeshare"} & set(has):
        return
    number = "concat_ws(' ', carrier, flight)" if "carrier" in has else "flight"
    tail = "tail" if "tail" in has else "''"
    moment = "departure" if "departure" in has else departed
    query = f"""
SELECT count(*), sum(rows) FROM (
  SELECT count(*) AS rows FROM {files.SHEET} WHERE {time} IS NOT NULL AND {tail} IS NOT NULL
  GROUP BY {when}, upper(origin), upper(dest), {time}, {moment}, {tail} HAVING count(DISTINCT {number}) > 1
)"""
    groups, rows = sheet.db.execute(query).fetchone() or (0, 0)
    if groups:
        sheet.notes.append(
            f"{rows:,} rows look like {groups:,} flight{'s' if groups > 1 else ''} under several numbers, and each row "
            "is counted; --columns operating=NAME says which number is flown"
        )


def _time(sheet: files.Sheet) -> str | None:
    return next((key for key in ("scheduled", "departure") if key in sheet.named), None)


def _count(sheet: files.Sheet) -> int:
    (count,) = sheet.db.execute(f"SELECT count(*) FROM {files.SHEET}").fetchone() or (0,)
    return int(count)
