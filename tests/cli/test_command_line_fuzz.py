"""Random flight rows and command lines: no traceback, no silent success, no lost unit. TAKT_FUZZ says how many of each.

`python benchmarks/fuzz_lines.py --count 10000 --seed 0` is the long form of this.
"""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from takt import Ledger
from takt.cli import main
from takt.contract.events import UNIT_BAD, UNIT_GOOD

pytest.importorskip("duckdb")

COUNT = int(os.environ.get("TAKT_FUZZ", "40"))
ROWS = 25  # flights in a file
HOW = settings(
    max_examples=max(1, COUNT // ROWS), deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
LINES = settings(max_examples=COUNT, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SEED = int(os.environ.get("TAKT_FUZZ_SEED", "0"))

MISSING = st.sampled_from(["", "NULL", "nan", "NaT", "N/A", "n/a", "#N/A", "-", "--", "\\N", "None", "<NA>", " null "])
TIME = st.sampled_from(
    ["600", "0605", "2359", "6:05", "06:05:00", "605.0", "2026-03-01 06:05", "6:05 AM", "1583050200"]
)
GARBAGE = st.sampled_from(["soon", "9999", "25:00", "Cancelled", "1e3", "FRA", "-3", "0x10", "6:5:4:3", "\u0665"])
AIRPORT = st.one_of(st.sampled_from(["FRA", "JFK", "eddf", "B"]), MISSING)
STATUS = {"Cancelled": (1, 0), "Departed": (0, 1), "Landed 08:12": (0, 1), "Scheduled": (0, 0), "CNX": (1, 0)}


def run(*arguments: Any) -> Any:
    """Exit code, stdout and stderr of a command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return code, out.getvalue(), err.getvalue()


def sound(code: Any, out: Any, err: Any) -> None:
    """What holds for every command whatever it is given."""
    assert code in (0, 1, 2, 130)
    assert "Traceback" not in err and "fault of Takt's own" not in err, err
    if code == 2:
        assert err.strip(), "a silent failure"
    else:
        assert out.strip() or err.strip(), "a silent success"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("fuzz")


@seed(SEED)
@HOW
@given(
    st.lists(
        st.tuples(AIRPORT, AIRPORT, st.one_of(TIME, TIME, TIME, MISSING), st.one_of(TIME, MISSING, MISSING | TIME)),
        min_size=ROWS,
        max_size=ROWS,
    ),
    st.one_of(st.none(), st.none(), GARBAGE),
)
def test_flight_rows_are_counted_as_they_are_or_refused_with_their_line(folder: Any, rows: Any, garbage: Any) -> None:
    """The oracle counts what the words mean; a time that cannot be read must be refused, and never counted."""
    if garbage is not None:
        rows = [*rows, ("FRA", "JFK", "600", garbage)]
    path = folder / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "origin", "dest", "sched_dep_time", "dep_time"])
        writer.writerows([("2026-03-01", *row) for row in rows])
    code, out, err = run("flightdesk", "situation", path, "--json")
    sound(code, out, err)
    gone = {"", "null", "nan", "nat", "n/a", "#n/a", "-", "--", "\\n", "none", "<na>"}

    def there(text: Any) -> Any:
        return text.strip().lower() not in gone

    counted = [row for row in rows if there(row[2]) and there(row[0]) and there(row[1])]
    if garbage is not None or not counted:
        assert code == 2, (garbage, rows)
        return
    flown = sum(there(row[3]) for row in counted)
    (day,) = json.loads(out)["days"]
    assert (day["scheduled"], day["flown"], day["cancelled"]) == (len(counted), flown, len(counted) - flown)


@seed(SEED)
@HOW
@given(st.lists(st.sampled_from(list(STATUS)), min_size=ROWS, max_size=ROWS))
def test_statuses_are_counted_as_they_say(folder: Any, states: Any) -> None:
    path = folder / "states.csv"
    path.write_text("date,origin,dest,status\n" + "".join(f"2026-03-01,A,B,{state}\n" for state in states))
    code, out, err = run("flightdesk", "situation", path, "--json")
    sound(code, out, err)
    (day,) = json.loads(out)["days"]
    cancelled, flown = (sum(STATUS[state][n] for state in states) for n in (0, 1))
    assert (day["scheduled"], day["cancelled"], day["flown"]) == (len(states), cancelled, flown)


WORDS = [
    "run", "resume", "kpis", "report", "compare", "ledger", "show", "digest", "events", "stations", "workers", "repeat",
    "bill", "verdict", "plan", "export", "gym", "nutcell", "idle", "nobody", "a.takt", "text", "folder", "missing", "",
    "--worker", "--units", "--hours", "--seed", "--seeds", "--clock", "--fault", "--out", "--json", "--option", "-o",
    "-w", "--help", "--stop-early", "--unit", "--format", "--kind", "--station", "--rate", "--call-timeout", "--no",
    "1", "0", "-1", "2", "1e300", "nan", "inf", "0-99999999999", "fixed:1e308", "fixed:0.1", "lockstep", "measured",
    "id=CartPole-v1", "id=", "takt_s=1e300", "takt_s=0.5", "x~999999999/h", "jam@00:00:01", "random", "trl", "\x1b[2J"
]  # fmt: skip
FAST = ["run", "gym", "--worker", "idle", "-o", "id=CartPole-v1", "-o", "takt_s=0.5", "--units", "2"]


@seed(SEED)
@LINES
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.booleans())
def test_a_command_line_is_done_or_refused_and_loses_nothing(folder: Any, words: Any, after_a_run: Any) -> None:
    here = Path.cwd()
    os.chdir(folder)
    try:
        if not Path("a.takt").exists():
            assert run(*FAST, "--out", "a.takt")[0] == 0
            Path("text").write_text("mine\n")
            Path("folder").mkdir()
        before = Path("a.takt").read_bytes()
        arguments = [*FAST, *words] if after_a_run else words
        if words[0] in ("serve", "serve-policy", "train", "nutcell") or ("nutcell" in words and "run" in words):
            return
        sound(*run(*arguments))
        assert Path("text").read_text() == "mine\n" and Path("folder").is_dir()
        with Ledger.open("a.takt") as book:
            assert book.finished and sum(e.kind in (UNIT_GOOD, UNIT_BAD) for e in book.events()) == 2
        assert Path("a.takt").read_bytes() == before
    finally:
        os.chdir(here)
