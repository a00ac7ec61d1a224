"""Mutated files of airlines: flight statuses, fares, overflights, schedules, bookings, instances; and archives of them.

Each begins as a file that is read, and is changed in a few places, so that a good part of them is read still and what
is wrong is met late as well as early.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import random
import shutil
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fuzz_watch import FAULTS, MOST_BYTES, MOST_S, built_once, forget_peak, peak_bytes

CELLS = ("", "NULL", "-", "0", "-1", "7", "2026-03-02", "2026-02-30", "08:00", "2400", "25:99", "2026-03-01T08:00:00Z")
CELLS = (*CELLS, "cancelled", "JFK", "=1+1", "@SUM(A1)", "-2+3", '"', "\x1b[2J", "\ufffd", "9" * 400, "1e999", "NaN")
CELLS = (*CELLS, "\x00", "a,b", "a;b", "<script>", "[red]", "'; DROP TABLE flights; --", "read_csv('/etc/passwd')")
OWN_BYTES = 300 * 2**20  # what Takt holds with its libraries, before it reads anything
SITUATION = ["flightdesk", "situation"]
MARCH = ["--from", "2026-03-01", "--to", "2026-03-03", "--weeks", "1"]


@cache
def sources() -> dict[str, dict[str, bytes]]:
    """Files that are read, by what they are."""
    from takt.stations.flightdesk.airline.generate import generate
    from takt.stations.flightdesk.airline.imports.exported import Exported
    from takt.stations.flightdesk.airline.recipes import two_hubs
    from takt.stations.flightdesk.airline.written import write_instance

    days, hours = range(1, 4), ("600", "0705", "1230", "1810")
    statuses = ["date,flight,origin,dest,sched_dep_time,dep_time,status"]
    statuses += [
        f"2026-03-{day:02},TK{i}{hour},{'XY'[i % 2]}XX,{'ABC'[i % 3]}AA,{hour},{hour if i % 3 else ''},"
        f"{'departed' if i % 3 else 'cancelled'}"
        for day in days
        for i, hour in enumerate(hours * 2)
    ]
    fares = ["seen,flight,carrier,origin,destination,departure,corridor,seats,fare,currency"]
    fares += [
        f"2026-03-{seen:02}T08:00,CA{i},CA,MAD,PEK,2026-03-{10 + i:02}T11:30,{'north' if i % 2 else 'south'},{i},"
        f"{17000 + 250 * i * seen},CNY"
        for seen in days
        for i in range(6)
    ]
    overflights = ["entry_date,country_icao_code,country_name,flt_o"]
    overflights += [
        f"2026-{month}-{day:02},{code},{name},{100 + day}"
        for month, most in (("02", 28), ("03", 3))
        for day in range(1, most + 1)
        for code, name in (("UG", "Georgia"), ("UD", "Armenia"), ("LC", "Cyprus"))
    ]
    instance = generate(two_hubs(flights=40, aircraft=8, bookings=60), 1)
    with tempfile.TemporaryDirectory() as folder:
        write_instance(instance, Path(folder))
        written = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    exported = {name: text.encode() for name, text in Exported(instance, "TK", False).files(bare=False).items()}
    return {
        "status": {"flights.csv": "\n".join(statuses).encode() + b"\n"},
        "fares": {"fares.csv": "\n".join(fares).encode() + b"\n"},
        "overflights": {"daio.csv": "\n".join(overflights).encode() + b"\n"},
        "schedule": exported,
        "instance": written,
    }


def changed(rng: random.Random, raw: bytes) -> bytes:
    """The same file with something in it that is something else."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        lines = raw.split(b"\n")
        at = rng.randrange(len(lines))
        separator = b";" if lines[0].count(b";") > lines[0].count(b",") else b"," if b"," in lines[0] else b" "
        cells = lines[at].split(separator)
        how = rng.randrange(12)
        if how < 4:
            cells[rng.randrange(len(cells))] = rng.choice(CELLS).encode()
        elif how == 4:  # like its neighbour
            cells[rng.randrange(len(cells))] = rng.choice(rng.choice(lines).split(separator))
        elif how == 5:
            cells += [rng.choice(CELLS).encode()] * rng.choice([1, 1, 30])
        elif how == 6:
            del cells[rng.randrange(len(cells))]
        lines[at] = separator.join(cells)
        if how == 7:
            lines.insert(rng.randrange(len(lines)), lines[at])
        elif how == 8 and len(lines) > 1:
            del lines[at]
        elif how == 9:
            lines[at] = lines[at].replace(b"0", rng.choice([b"1", b"2", b"9"]), 1)
        raw = b"\n".join(lines)
        if how == 10 and raw:
            place = rng.randrange(len(raw))
            raw = raw[:place] + bytes([rng.randrange(256)]) + raw[place + 1 :]
        elif how == 11:
            raw = rng.choice([raw.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + raw, raw[: rng.randrange(len(raw) + 1)]])
    return raw


def _told(words: list[str]) -> bool:
    """Whether it was read; else one line said why. Several lines may name what is wrong in which line of which file."""
    from takt.cli import main

    said, err = io.StringIO(), io.StringIO()
    before = time.process_time()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(err), warnings.catch_warnings():
            code = main(words)
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    lines = err.getvalue().splitlines()
    assert code in (0, 2) and not any(word in err.getvalue() for word in FAULTS), f"{code} {lines[-3:]}"
    assert code == 0 or (lines and all(line.startswith("takt: ") for line in lines)), f"{lines[-3:]}"
    shown = err.getvalue() + said.getvalue()
    assert not any(ord(mark) < 32 and mark not in "\n\t" for mark in shown), "orders to a terminal"
    assert time.process_time() - before < MOST_S, f"over {MOST_S:g} s"
    return code == 0


def _each(
    one: Callable[[random.Random, Path], str], what: str, seed: object, count: int, folder: Path, start: int
) -> Counter[str]:
    """So many of them, all of them, and then what went wrong."""
    told: Counter[str] = Counter()
    failed = peak = 0
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "victim").write_text("two years of work")
    for number in range(start, start + count):
        try:
            others = max(0, forget_peak() - OWN_BYTES)  # held before, by whatever else this process has done
            with built_once():
                told[one(random.Random(f"{what}/{seed}/{number}"), folder)] += 1
            assert (folder / "victim").read_text() == "two years of work", "the victim is gone"
            used = peak_bytes() - others
            peak = max(peak, used)
            assert used < MOST_BYTES, f"{used / 1e9:.2f} GB"
        except AssertionError as error:
            print(f"{what} {number}: {error}", flush=True)
            failed += 1
    assert not failed, f"{failed} failed"
    told["peak MB"] = peak // 10**6
    return told


def flights(seed: object, count: int, folder: Path, start: int = 0) -> Counter[str]:
    """Flight files through `situation`, its three boards; schedules through `import`; instances through `show`."""
    return _each(_flights, "flights", seed, count, folder, start)


def _flights(rng: random.Random, folder: Path) -> str:
    known = sources()
    what = rng.choice(["status", "status", "fares", "overflights", "schedule", "instance"])
    into, board = folder / "files", folder / "board"
    for old in (into, board):
        shutil.rmtree(old, ignore_errors=True)
    into.mkdir()
    files = dict(known[what])
    name = rng.choice(sorted(files))
    files[name] = changed(rng, files[name])
    for file, raw in files.items():
        (into / file).write_bytes(raw)
    drawn = ["--out", str(board)] if rng.random() < 0.04 else []
    first = str(into / name)
    words = {
        "status": [*SITUATION, first, *drawn],
        "fares": [*SITUATION, "--fares", first, *drawn],
        "overflights": [*SITUATION, "--overflights", first, *MARCH, *drawn],
        "instance": ["flightdesk", "show", str(into)],
    }
    if what == "schedule":
        given = [word for file in files for word in (f"--{file.partition('.')[0]}", str(into / file))]
        words[what] = [
            "flightdesk",
            "import",
            str(board),
            *given,
            "--from",
            "2026-01-07T12:00Z",
            "--to",
            "2026-01-08T05:00Z",
        ]
    opened = _told(words[what])
    assert opened or not board.exists(), "half is written"
    for table in board.glob("*.csv") if drawn else ():
        cells = [cell for line in table.read_text(encoding="utf-8").splitlines() for cell in line.split(",")]
        assert not any(cell.strip('"').startswith(("=", "@", "\t")) for cell in cells), "a formula"
    return f"{what}: {'read' if opened else 'refused'}"


# --- archives ---------------------------------------------------------------------------------------------------------

PACKERS = (gzip.compress, bz2.compress, lzma.compress)


@cache
def _bomb() -> bytes:
    return gzip.compress(b"a,b\n" + bytes(2**27), 9)


def _packed(rng: random.Random, folder: Path) -> bytes:
    content = sources()["status"]["flights.csv"]
    if rng.random() < 0.3:
        content = changed(rng, content)
    elsewhere = ["../victim", "/etc/passwd", str(folder / "victim"), "a/../../victim.csv", ".x.csv", "b.csv", "read.me"]
    if rng.random() < 0.5:
        raw = rng.choice(PACKERS)(content)
    else:
        made = io.BytesIO()
        names = ["flights.csv", *rng.sample(elsewhere, rng.choice([0, 0, 1, 2]))]
        if rng.random() < 0.2:
            names = rng.sample(elsewhere, 2)
        packing = rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        with warnings.catch_warnings(), zipfile.ZipFile(made, "w", packing) as archive:
            warnings.simplefilter("ignore")
            for name in names:
                archive.writestr(name, content if name == "flights.csv" else rng.choice([content, b"", b"x"]))
        raw = made.getvalue()
    if rng.random() < 0.1:
        raw = rng.choice([_bomb(), gzip.compress(_bomb())])
    if rng.random() < 0.2:
        raw = rng.choice(PACKERS)(raw)
    if rng.random() < 0.3:
        damaged = bytearray(raw)
        for _ in range(rng.choice([1, 1, 4])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        raw = bytes(damaged[: rng.choice([len(damaged)] * 3 + [rng.randrange(len(damaged))])])
    return raw


def archives(seed: object, count: int, folder: Path, start: int = 0) -> Counter[str]:
    """Zip, gzip, bzip2 and xz, cut, inside one another, with names that lead elsewhere, and bombs: `situation`."""
    return _each(_archives, "archives", seed, count, folder, start)


def _archives(rng: random.Random, folder: Path) -> str:
    path = folder / rng.choice(["f.zip", "f.csv", "f.gz", "f.csv.xz"])
    path.write_bytes(_packed(rng, folder))
    opened = _told([*SITUATION, str(path)])
    there = sorted(file.name for file in folder.rglob("*") if file.is_file())
    assert there == sorted(["victim", path.name]), there
    path.unlink()
    return "read" if opened else "refused"
