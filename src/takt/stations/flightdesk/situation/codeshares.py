"""One aircraft under several flight numbers: a flight is counted once, where the file says which of them is flown."""

from __future__ import annotations

from takt.stations.flightdesk.situation import files
from takt.stations.flightdesk.situation.status import NO, YES


def merge(sheet: files.Sheet, when: str, departed: str, marked: str) -> int:
    """Leave out of the sheet what is another number of a flight that it has; how many rows that were.

    when, departed, marked   SQL for the day of a flight, whether it departed, and whether it is called cancelled.

    Where no column says which number is flown, rows that look like one flight are only noted: two airlines do leave for
    the same place at the same minute.
    """
    has, db = sheet.named, sheet.db
    before = _count(sheet)
    state = f"CASE WHEN {departed} AND NOT coalesce({marked}, false) THEN 0 WHEN {marked} THEN 1 ELSE 2 END"
    for key, drop in (("operating", NO), ("codeshare", YES)):
        if key not in has:
            continue
        texts = {text.lower() for (text,) in db.execute(f"SELECT DISTINCT {key} FROM {files.SHEET}").fetchall() if text}
        if texts <= {*YES, *NO}:
            db.execute(f"DELETE FROM {files.SHEET} WHERE lower({key}) IN {drop}")
        elif "flight" in has:
            _by_number(sheet, when, key, state)
    if {"flight", "carrier"} <= set(has):
        _keep_one(sheet, when, "carrier || ' ' || flight", "true", state)  # the same row again
    _note_alike(sheet, when, departed)
    return before - _count(sheet)


def _by_number(sheet: files.Sheet, when: str, key: str, state: str) -> None:
    """Merge the rows whose column `key` has the same flight number, and note where it has none that the file knows."""
    alone, flown = _plain("flight"), _plain(key)
    full = f"CASE WHEN regexp_full_match({alone}, '[0-9]+[A-Z]?') THEN upper(carrier) || {alone} ELSE {alone} END"
    own = full if "carrier" in sheet.named else alone
    first = f"coalesce({flown} IN ({alone}, {own}), true)"
    query = f"""
SELECT count({key}), count({key}) FILTER (regexp_full_match({flown}, '{_NUMBER}|[0-9]+[A-Z]?')),
  bool_or({flown} IN (SELECT {alone} FROM {files.SHEET} UNION SELECT {own} FROM {files.SHEET})),
  bool_and(regexp_full_match({flown}, '[0-9]+[A-Z]?')), any_value({key})
FROM {files.SHEET}"""
    filled, numbers, known, bare, example = sheet.db.execute(query).fetchone() or (0, 0, False, False, "")
    if not filled:
        return
    if not known:
        what = "rows with the same are counted as one flight" if numbers else "each row is counted"
        sheet.notes.append(
            f"column {sheet.named[key]}: no value, as {example!r}, is a flight number that the file has; {what}"
        )
    if numbers:
        mine = alone if bare else own
        one = f"CASE WHEN regexp_full_match({flown}, '{_NUMBER}|[0-9]+[A-Z]?') THEN {flown} ELSE {mine} END"
        _keep_one(sheet, when, one, first, state)


_AS_FLOWN = "as the row of the number that is flown says"
_AS_DEPARTED = "as departed if one of them says so, else as cancelled"
_NUMBER = "([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z])[0-9]+[A-Z]?"  # after IATA or ICAO, without what is between


def _plain(column: str) -> str:
    """SQL for a flight number as all write it: `lh 0400` and `LH-400` are LH400, 400.0 is 400."""
    text = f"regexp_replace(regexp_replace(upper({column}), '[.]0+$', ''), '[^A-Z0-9]', '', 'g')"
    return f"regexp_replace({text}, '^([A-Z]{{3}}|[A-Z][A-Z0-9]|[0-9][A-Z])?0*([0-9]+[A-Z]?)$', '\\1\\2')"


def _keep_one(sheet: files.Sheet, when: str, flown: str, first: str, state: str) -> None:
    """Of rows of the same flight `flown` at the same time, keep the one that is it.

    Where none is, one that departed goes before one that did not: a number that is only sold often has no times. Rows
    that tell different things of one flight are noted.
    """
    group = f"{when}, upper(origin), upper(dest), {flown}"
    if "scheduled" in sheet.named:
        group += ", scheduled"
    elif "departure" in sheet.named:
        time = "departure"
        if first != "true":  # another number without a time beside one with a time is that flight
            time = f"coalesce(departure, min(departure) OVER (PARTITION BY {group}))"
        sheet.db.execute(f"CREATE OR REPLACE TEMP TABLE times AS SELECT number, {time} AS time FROM {files.SHEET}")
        group += f", (SELECT time FROM times WHERE times.number = {files.SHEET}.number)"
    sheet.db.execute(
        f"CREATE OR REPLACE TEMP TABLE kept AS SELECT arg_min(number, (NOT ({first}), {state}, number)) AS number, "
        f"count(DISTINCT {state}) > 1 AS contrary, count(DISTINCT {state}) FILTER ({first}) = 1 AS flown, "
        f"any_value({flown}) AS name, any_value({when}) AS day "
        f"FROM {files.SHEET} WHERE ({flown}) IS NOT NULL GROUP BY {group}"
    )
    sheet.db.execute(
        f"DELETE FROM {files.SHEET} WHERE number NOT IN (SELECT number FROM kept) AND ({flown}) IS NOT NULL"
    )
    for its_own, how in ((True, _AS_FLOWN), (False, _AS_DEPARTED)):
        query = "SELECT count(*), arg_min(name, number), arg_min(day, number) FROM kept WHERE contrary AND flown = ?"
        count, name, day = sheet.db.execute(query, [its_own]).fetchone() or (0, "", "")
        if count:
            many = f"{count:,} flights" if count > 1 else "1 flight"
            sheet.notes.append(f"{many}, {name} on {day} for one: its rows contradict each other; counted {how}")


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
