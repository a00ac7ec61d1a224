"""Mutated ledgers, each through every command that reads one: schema, rows, snapshots, bytes, journals beside them, and
metas that name what must not be opened.

Each ledger is worked on in a process of its own (`fuzz_watch`). The commands that only read come first, and must leave
the ledger as it is; those that write get it as it came, each of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from fuzz_watch import MOST_BYTES, MOST_S, Grounds, Watch, asked, built_once, forget_peak, forked, peak_bytes

# One of each line, drawn for each ledger.
READ = (
    ("kpis SHIFT", "kpis SHIFT --json"),
    ("verdict SHIFT", "verdict SHIFT --json"),
    ("report SHIFT --out OWN/out.html", "report SHIFT --work-again", "report SHIFT --no-pictures"),
    ("ledger show SHIFT", "ledger show SHIFT --json"),
    ("ledger digest SHIFT",),
    ("ledger events SHIFT", "ledger events SHIFT --json"),
    ("bill SHIFT", "bill SHIFT --json"),
    ("verify SHIFT", "verify SHIFT --json"),
    ("verify SHIFT --work-again",),
    ("repeat SHIFT", "repeat SHIFT --out OWN/again.takt"),
    ("replay SHIFT --unit 0 --out OWN/out.mp4 --speed 200", "replay SHIFT --unit 1 --out OWN/out.mp4 --speed 200"),
    ("export SHIFT OWN/out.jsonl --format trl",),
    ("export SHIFT OWN/out --format lerobot",),
    ("compare SHIFT SOURCE", "compare SHIFT SOURCE --json", "compare SHIFT SOURCE --out OWN/compare.html"),
)
WRITE = (
    ("sign SHIFT --key KEY",),
    ("serve STATION --mcp --out SHIFT",),
    ("resume SHIFT", "resume SHIFT --json"),
)
WRITERS = tuple(forms[0].split()[0] for forms in WRITE)
FILMS, FILM_S = ("replay", "export"), 60.0  # of the cell, whose films are by honest work as long as the unit in them
STATIONS = {"cart": "gym", "cut": "gym", "desk": "flightdesk", "over": "flightdesk", "cell": "nutcell"}
SHARES = {"cart": 43, "cut": 43, "desk": 7, "over": 7}  # in a hundred ledgers
TEXTS = ("x", "", "\ud800", "\x1b[2J", "[red]", "os:system", "stranger:Env-v0", "a" * 5000, "=1+1", "../../x", "$(id)")
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(None, True, 0, -1, 1, 7, 10**6, 10**12, 2**63, 1e300, -1e300, 0.5, [], {}, [[]], {"a": 1}, [1, "x"]),
)
NAMED: tuple[dict[str, Any], ...] = (
    {"worker": "stranger:work"},
    {"worker": "os:system", "worker_options": {}},
    {"worker": "subprocess:Popen", "worker_options": {"args": ["touch", "ran"]}},
    {"worker": "llm", "worker_options": {"model": "m", "base_url": "https://192.0.2.1/v1", "key_env": "FUZZ_SECRET"}},
    {"worker": "llm", "worker_options": {"model": "m", "base_url": "http://192.0.2.1/v1"}},
    {"worker": "policy", "worker_options": {"url": "ws://192.0.2.1:8000", "key_env": "FUZZ_SECRET"}},
    {"worker": "vla", "worker_options": {"model": "/etc/hostname"}},
    {"worker": "mcp", "worker_options": {}},
    {"options": {"id": "stranger:Env-v0"}},
    {"options": {"id": "CartPole-v1", "takt_s": 0.5, "xml_file": "/etc/passwd"}},
    {"options": {"instance": "/etc"}},
    {"options": {"scenario": "two-hubs", "flights": 10**7, "bookings": 10**8}},
    {"station": "os:system"},
    {"station": "nutcell"},
)


def made(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    """Ledgers as they are: finished, cut off; of an environment, the desk and the cell."""
    from takt import run_shift

    folder.mkdir(parents=True, exist_ok=True)
    cart = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}
    desk = {"scenario": "two-hubs", "flights": 60, "aircraft": 10, "bookings": 200}
    shifts: dict[str, tuple[str, str, int, dict[str, Any]]] = {
        "cart": ("gym", "idle", 4, cart),
        "cut": ("gym", "idle", 4, cart),
        "desk": ("flightdesk", "queue", 3, desk),
        "over": ("flightdesk", "queue", 2, desk),
        "cell": ("nutcell", "idle", 1, {}),
    }
    for name in names:
        station, worker, units, options = shifts[name]
        run_shift(station, worker, units=units, seed=1, station_options=options, ledger=folder / f"{name}.takt")
        if name in ("cut", "over"):
            with contextlib.closing(sqlite3.connect(folder / f"{name}.takt")) as book, book:
                book.execute("DELETE FROM events WHERE kind = 'shift_ended'")
    return {name: folder / f"{name}.takt" for name in names}


def _near(rng: random.Random, value: Any) -> Any:
    """Another value of the same kind, which may be a right one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + rng.choice([1, -1, 0.5, 1000])
    return rng.choice(TEXTS) if isinstance(value, str) else value


def _value_changed(rng: random.Random, value: Any) -> Any:
    """A JSON value with something in it that is something else."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        places = sorted(value) if isinstance(value, dict) else range(len(value))
        at = rng.choice(places)
        if isinstance(value, dict) and rng.random() < 0.2:
            del value[at]
        elif isinstance(value[at], (dict, list)) and value[at] and rng.random() < 0.6:
            value[at] = _value_changed(rng, value[at])
        else:
            value[at] = _near(rng, value[at]) if rng.random() < 0.5 else rng.choice(VALUES)
        return value
    return _near(rng, value) if rng.random() < 0.5 else rng.choice(VALUES)


def json_changed(rng: random.Random, text: str) -> str:
    """The same for the text of one, which may then be no JSON any more, or more than a parser takes."""
    try:
        text = json.dumps(_value_changed(rng, json.loads(text)))
    except (ValueError, RecursionError):  # changed before
        return text
    odd = [text[:-1], text.replace("0", "NaN"), "[" * 3000 + "]" * 3000, text.replace("1", "9" * 99)]
    return rng.choice([text] * 16 + odd)


def _schema(rng: random.Random, book: sqlite3.Connection) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
    table = rng.choice(["meta", "events", "snapshots", "journal"])
    columns = {
        "meta": "key, value",
        "events": "seq, t_s, kind, unit, data",
        "snapshots": "seq, unit, t_s, state",
        "journal": "number, record",
    }[table]
    count = columns.count(",") + 1
    statements = rng.choice(
        [
            [f"DROP TABLE {table}", f"CREATE VIEW {table}({columns}) AS {endless} {', '.join(['i'] * count)} FROM n"],
            [f"ALTER TABLE {table} RENAME TO t", f"CREATE VIEW {table} AS SELECT * FROM t"],
            [f"CREATE TRIGGER g AFTER INSERT ON {table} BEGIN DELETE FROM events; END"],
            [f"CREATE TRIGGER g INSTEAD OF DELETE ON {table} BEGIN SELECT 1; END"],
            [f"ALTER TABLE {table} ADD COLUMN more TEXT AS (hex(zeroblob(100000000)))"],
            [f"DROP TABLE {table}"],
            [f"CREATE INDEX i ON {table} (hex({columns.split(',')[0]}))"],
            ["CREATE TABLE more (x)"],
            ["PRAGMA user_version = 7"],
            ["PRAGMA application_id = 7"],
            ["PRAGMA encoding = 'UTF-16'", "VACUUM"],
            ["PRAGMA journal_mode = WAL"],
            ["PRAGMA page_size = 512", "VACUUM"],
        ]
    )
    for statement in statements:
        with contextlib.suppress(sqlite3.Error):
            book.execute(statement)


def _rows(rng: random.Random, book: sqlite3.Connection) -> None:
    for _ in range(rng.choice([1, 1, 1, 3])):
        if rng.random() < 0.5:
            key, value = rng.choice(book.execute("SELECT key, value FROM meta").fetchall())
            book.execute("UPDATE meta SET value = ? WHERE key = ?", (json_changed(rng, value), key))
            continue
        seq, data = rng.choice(book.execute("SELECT seq, data FROM events").fetchall())
        column = rng.choice(["data", "data", "data", "t_s", "unit", "kind", "seq", "twice"])
        if column == "data":
            book.execute("UPDATE events SET data = ? WHERE seq = ?", (json_changed(rng, data), seq))
        elif column == "twice":
            book.execute(
                "INSERT INTO events SELECT (SELECT max(seq) + 1 FROM events), t_s, kind, unit, data FROM events "
                "WHERE seq = ?",
                (seq,),
            )
        else:
            kinds = ["unit_good", "unit_bad", "unit_due", "fault", "said", "shift_started", "shift_ended", "thought"]
            odd = ["x", b"\xff", None, -1, 10**12, 1e300, "0; touch x"]
            right = {"kind": kinds, "t_s": [1.0, 2.5], "unit": [0, 1, 2, None], "seq": [900, 901]}[column]
            value = rng.choice(right if rng.random() < 0.5 else odd)
            with contextlib.suppress(sqlite3.Error):
                book.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (value, seq))


def _snapshots(rng: random.Random, book: sqlite3.Connection) -> None:
    rows = book.execute("SELECT seq, state FROM snapshots").fetchall()
    seq, state = rng.choice(rows)
    plain = bytearray(zlib.decompress(state))
    for _ in range(rng.choice([1, 3, 20])):
        plain[rng.randrange(len(plain))] = rng.randrange(256)
    bomb = zlib.compress(bytes(2**27), 9)
    state = rng.choice([zlib.compress(bytes(plain)), zlib.compress(bytes(plain)), bytes(plain), state[:-3], b"", bomb])
    column, value = rng.choice(
        [("state", state), ("state", state), ("unit", rng.choice([-1, 99, 2**40])), ("seq", 999)]
    )
    book.execute(f"UPDATE OR REPLACE snapshots SET {column} = ? WHERE seq = ?", (value, seq))


def _bytes(rng: random.Random, path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 2, 8, 64])):
        at = rng.randrange(rng.choice([100, 4096, len(raw)]))
        raw[at : at + 1] = rng.choice([bytes([rng.randrange(256)]), b"\xff\xff", b""])
    path.write_bytes(raw[: rng.choice([len(raw)] * 6 + [rng.randrange(len(raw))])])


def _beside(rng: random.Random, path: Path, victim: Path) -> None:
    beside = Path(f"{path}{rng.choice(['-journal', '-wal', '-shm'])}")
    how = rng.randrange(5)
    if how == 0:
        beside.symlink_to(victim)
    elif how == 1:
        os.link(victim, beside)
    elif how == 2:
        beside.write_bytes(rng.randbytes(rng.choice([0, 10, 5000])))
    else:
        journal = Path(f"{path}-journal")
        book = sqlite3.connect(path, isolation_level=None)
        book.execute("PRAGMA cache_size = 1")
        book.execute("BEGIN")
        book.executemany("INSERT INTO events VALUES (?, 1, 'x', 0, ?)", [(i, "x" * 5000) for i in range(900, 940)])
        kept = path.read_bytes(), journal.read_bytes()
        book.execute("ROLLBACK")
        book.close()
        name = str(victim).encode()
        tail = (2**18 + 1).to_bytes(4, "big") + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
        path.write_bytes(kept[0])
        journal.write_bytes(kept[1] + (tail + bytes.fromhex("d9d505f920a163d7") if how == 3 else b""))


def _named(rng: random.Random, book: sqlite3.Connection) -> None:
    """A meta, and mostly a first event as well, that names what is not opened because a file says so."""
    told = rng.choice(NAMED)
    for key, value in told.items():
        book.execute("UPDATE meta SET value = ? WHERE key = ?", (json.dumps(value), key))
    if rng.random() < 0.7:
        (data,) = book.execute("SELECT data FROM events WHERE seq = 0").fetchone()
        book.execute("UPDATE events SET data = ? WHERE seq = 0", (json.dumps({**json.loads(data), **told}),))
    if rng.random() < 0.5:
        book.execute("DELETE FROM events WHERE kind = 'shift_ended'")


def mutated(rng: random.Random, source: Path, path: Path, victim: Path) -> str:
    """A copy of a ledger with something wrong, and what that is."""
    shutil.copy(source, path)
    kind = rng.choice(["schema", "rows", "rows", "rows", "named", "snapshots", "bytes", "beside"])
    if kind in ("bytes", "beside"):
        _bytes(rng, path) if kind == "bytes" else _beside(rng, path, victim)
        return kind
    book = sqlite3.connect(path, isolation_level=None)
    {"schema": _schema, "rows": _rows, "named": _named, "snapshots": _snapshots}[kind](rng, book)
    book.close()
    return kind


# --- through the commands ---------------------------------------------------------------------------------------------


def _words(command: str, path: Path, source: Path, grounds: Grounds) -> list[str]:
    stands = {"SHIFT": path, "SOURCE": source, "STATION": STATIONS[source.stem], "KEY": grounds.folder / "key"}
    return [str(stands.get(word, word.replace("OWN", str(grounds.own)))) for word in command.split()]


def _plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and file.stat().st_nlink == 1


def _files(path: Path) -> dict[Path, bytes]:
    """The ledger and its journal, where they are plain files."""
    both = (path, Path(f"{path}-journal"))
    return {file: file.read_bytes() for file in both if _plain(file)}


def _worked_on(
    grounds: Grounds, source: Path, commands: Sequence[str], first: int, tell: Callable[[Any], None]
) -> None:
    """The commands from the `first` on, in this process, which was forked for them."""
    path = grounds.own / "a.takt"
    watch, was, outside = Watch(grounds.own), _files(path), grounds.outside()
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    for number, command in enumerate(commands[first:], start=first):
        tell({"begun": number})
        forget_peak()
        told: dict[str, Any] = {"command": number}
        try:
            films = source.stem == "cell" and command.split()[0] in FILMS
            told["code"] = asked(_words(command, path, source, grounds), watch, FILM_S if films else MOST_S)
            assert grounds.outside() == outside, "a file elsewhere is not as it was"
            assert command.split()[0] in WRITERS or _files(path) == was, "reading has changed the ledger"
            assert peak_bytes() < MOST_BYTES, f"{peak_bytes() / 1e9:.2f} GB"
        except AssertionError as error:
            told["failed"] = str(error)
        tell({**told, "peak": peak_bytes()})
        if command.split()[0] in WRITERS:
            for beside in ("-wal", "-shm"):
                file = Path(f"{path}{beside}")
                if _plain(file):
                    file.unlink()
            for file, raw in was.items():
                file.write_bytes(raw)


def _key(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.generate()
    path.write_bytes(made.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()))


def ready(folder: Path, names: tuple[str, ...] = tuple(SHARES)) -> tuple[Grounds, dict[str, Path]]:
    """The grounds, and ledgers as they are. Most commands have been asked once then: what they import is there."""
    from takt.cli import main

    # matplotlib makes its cache in the home when it is first imported, whatever the ledger says
    for module in (
        "takt.workers.mcp.serve",
        "takt.workers.mcp.server",
        "takt.workers.mcp.transports",
        "matplotlib.font_manager",
    ):
        import_module(module)
    grounds = Grounds(folder)
    sources = made(grounds.folder / "sources", names)
    _key(grounds.folder / "key")
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        for source in sources.values():
            for form in (form for forms in READ for form in forms[:1] if source.stem != "cell"):
                grounds.fresh()
                shutil.copy(source, grounds.own / "a.takt")
                main(_words(form, grounds.own / "a.takt", source, grounds))
    return grounds, sources


def ledgers(
    seed: object, count: int, folder: Path, start: int = 0, names: tuple[str, ...] = tuple(SHARES)
) -> Counter[str]:
    """So many mutated ledgers from number `start` on, each through every command that reads one."""
    with built_once():
        return _ledgers(seed, count, folder, start, names)


def _ledgers(seed: object, count: int, folder: Path, start: int, names: tuple[str, ...]) -> Counter[str]:
    grounds, sources = ready(folder, names)
    told: Counter[str] = Counter()
    failed: list[str] = []
    peak = 0
    for number in range(start, start + count):
        rng = random.Random(f"ledgers/{seed}/{number}")
        grounds.fresh()
        source = sources[rng.choices(names, [SHARES.get(name, 1) for name in names])[0]]
        kind = mutated(rng, source, grounds.own / "a.takt", grounds.victim)
        commands = [rng.choice(forms) for forms in (*READ, *WRITE)]
        first = 0
        while first < len(commands):
            begun = first
            values, ended = forked(partial(_worked_on, grounds, source, commands, first))
            for value in values:
                begun = value.get("begun", begun)
                if "code" in value:
                    told[f"{kind}: {'refused' if value['code'] else 'read'}"] += 1
                if "failed" in value:
                    failed.append(
                        f"ledger {number} ({kind} of {source.stem}): takt {commands[begun]}: {value['failed']}"
                    )
                peak = max(peak, value.get("peak", 0))
            if ended:
                failed.append(f"ledger {number} ({kind} of {source.stem}): takt {commands[begun]}: {ended}")
            first = begun + 1 if ended else len(commands)
        for line in failed[told["failed"] :]:
            print(line, flush=True)
        told["failed"] = len(failed)
        if (number + 1) % 100 == 0:
            print(f"{number + 1} ledgers, {len(failed)} failed", file=sys.stderr, flush=True)
    assert not failed, f"{len(failed)} failed"
    told["commands"] = count * len((*READ, *WRITE))
    told["peak MB"] = peak // 10**6
    return told


def cells(seed: object, count: int, folder: Path, start: int = 0) -> Counter[str]:
    """The same of the nut cell alone. Its films, by honest work as long as the unit in them, have 60 s."""
    return ledgers(f"cells/{seed}", count, folder, start, ("cell",))
