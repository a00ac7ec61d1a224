"""Strangers' files and messages: mutated ledgers through every command that reads one, and 2,000 of each other kind.

    python benchmarks/fuzz_files.py                              2,000 of each kind, from seed 0
    python benchmarks/fuzz_files.py --only ledgers --count 200 --seed 7

Kinds: ledgers (schema, rows, snapshots, headers, journals beside them), messages (of policy servers and clients),
bodies (of MCP over HTTP), answers (of model servers, whole and streamed), flights (flight files), archives (of them).

Whatever comes: one line or a right answer, no code run, nothing changed outside the ledger's own folder, no command
over 10 s (of the processor's time), no process over 1 GB. While a ledger is read, every program that would be started,
every import by its name, every connection and every file changed outside its folder is caught by an audit hook (PEP
578).
`tests/test_fuzz_files.py` runs a few of each.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import random
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_S, MOST_BYTES = 10.0, 10**9
FAULTS = ("Traceback", "a fault of Takt's own", "not enough memory")
COMMANDS = (
    ["kpis"],
    ["kpis", "--json"],
    ["report", "--no-pictures"],
    ["report"],
    ["ledger", "show"],
    ["ledger", "digest"],
    ["ledger", "events"],
    ["bill"],
    ["verify"],
    ["verify", "--work-again"],
    ["repeat"],
    ["resume"],
    ["replay", "--unit", "1"],
    ["export", "--format", "trl"],
    ["compare"],
)
TEXTS = ("x", "", "\ud800", "\x1b[2J", "[red]", "os:system", "stranger:Env-v0", "a" * 5000, "=1+1", "../../x", "$(id)")
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(None, True, 0, -1, 1, 7, 10**6, 10**12, 2**63, 1e300, -1e300, 0.5, [], {}, [[]], {"a": 1}, [1, "x"]),
)


class Escaped(Exception):
    """Something was done that no file may bring about."""


class Watch:
    """An audit hook: while `on`, nothing is started, connected to, deleted or written outside `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.seen = str(folder), False, list[str]()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "socket.connect"):
            self._escaped(f"{event} {args[:1]}")
        if event in ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree", "os.mkdir", "os.symlink", "os.chmod"):
            self._path(event, args[0])
        if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            self._path(event, args[0])
        if event == "import" and str(args[0]).startswith("stranger"):
            self._escaped(f"import {args[0]}")

    def _path(self, event: str, path: Any) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            real = os.path.realpath(os.fsdecode(path))
            own = (self.folder, "/dev", *(str(Path.home() / name) for name in (".cache", ".config/matplotlib")))
            if not real.startswith(own):
                self._escaped(f"{event} {real}")

    def _escaped(self, what: str) -> None:
        self.seen.append(what)
        raise Escaped(what)


# --- ledgers ----------------------------------------------------------------------------------------------------------


def made(folder: Path) -> list[Path]:
    """Ledgers as they are: finished, cut off, of an environment and of the desk."""
    from takt import run_shift

    folder.mkdir(parents=True, exist_ok=True)
    cart = {"id": "CartPole-v1", "takt_s": 0.5, "success": "return>=10"}
    desk = {"scenario": "two-hubs", "flights": 60, "aircraft": 10, "bookings": 200}
    run_shift("gym", "idle", units=4, seed=1, station_options=cart, ledger=folder / "cart.takt")
    run_shift("flightdesk", "queue", units=3, seed=1, station_options=desk, ledger=folder / "desk.takt")
    shutil.copy(folder / "cart.takt", folder / "cut.takt")
    with sqlite3.connect(folder / "cut.takt") as book:
        book.execute("DELETE FROM events WHERE kind = 'shift_ended'")
    book.close()
    return sorted(folder.glob("*.takt"))


def _json_changed(rng: random.Random, text: str) -> str:
    """A JSON value with something in it that is something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # changed before, in this same ledger
        return text
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(sorted(value))
        if rng.random() < 0.2:
            del value[key]
        elif isinstance(value[key], (dict, list)) and value[key] and rng.random() < 0.6:
            value[key] = json.loads(_json_changed(rng, json.dumps(value[key])))
        else:
            value[key] = rng.choice(VALUES)
    elif isinstance(value, list) and value:
        value[rng.randrange(len(value))] = rng.choice(VALUES)
    else:
        value = rng.choice(VALUES)
    text = json.dumps(value)
    return rng.choice(
        [text] * 8 + [text[:-1], text.replace("0", "NaN"), "[" * 3000 + "]" * 3000, text.replace("1", "9" * 99)]
    )


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
            book.execute("UPDATE meta SET value = ? WHERE key = ?", (_json_changed(rng, value), key))
            continue
        seq, data = rng.choice(book.execute("SELECT seq, data FROM events").fetchall())
        column = rng.choice(["data", "data", "data", "t_s", "unit", "kind", "seq", "twice"])
        if column == "data":
            book.execute("UPDATE events SET data = ? WHERE seq = ?", (_json_changed(rng, data), seq))
        elif column == "twice":
            book.execute(
                "INSERT INTO events SELECT (SELECT max(seq) + 1 FROM events), t_s, kind, unit, data FROM events "
                "WHERE seq = ?",
                (seq,),
            )
        else:
            kinds = ["unit_good", "unit_bad", "unit_due", "fault", "said", "shift_started", "shift_ended", "thought"]
            value = rng.choice([*kinds, "x", b"\xff", None, -1, 10**12, 1e300, "0; touch x", rng.randrange(9)])
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


def mutated(rng: random.Random, source: Path, path: Path, victim: Path) -> str:
    """A copy of a ledger with something wrong, and what that is."""
    shutil.copy(source, path)
    kind = rng.choice(["schema", "rows", "rows", "rows", "snapshots", "bytes", "beside"])
    if kind in ("bytes", "beside"):
        _bytes(rng, path) if kind == "bytes" else _beside(rng, path, victim)
        return kind
    book = sqlite3.connect(path, isolation_level=None)
    {"schema": _schema, "rows": _rows, "snapshots": _snapshots}[kind](rng, book)
    book.close()
    return kind


def _words(command: list[str], path: Path, own: Path, other: Path) -> list[str]:
    words = [command[0], *([command[1], str(path)] if command[0] == "ledger" else [str(path), *command[1:]])]
    if command[0] == "export":
        return [*words, str(own / "out.jsonl")]
    if command[0] == "replay":
        return [*words, "--out", str(own / "out.mp4")]
    return ["compare", str(path), str(other)] if command[0] == "compare" else words


def _asked(words: list[str], watch: Watch, victim: Path) -> int:
    """The exit code of a command, if it did nothing that it must not do."""
    from takt.cli import main

    out, err = io.StringIO(), io.StringIO()
    before = time.process_time()
    watch.on = True
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            code = main(words)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    finally:
        watch.on = False
    took_s = time.process_time() - before
    lines = [line for line in err.getvalue().splitlines() if not line.startswith("takt: warning:")]
    seen, watch.seen = watch.seen, []
    assert not seen, seen
    assert victim.read_text() == "two years of work", "the victim is gone"
    assert code in (0, 1, 2), f"exit code {code}"
    assert code != 2 or lines, "refused in silence"
    assert not any(word in err.getvalue() for word in FAULTS), err.getvalue()
    assert code == 0 or all(line.startswith("takt: ") for line in lines), lines
    assert took_s < MOST_S, f"{took_s:.1f} s"
    return code


def peak_bytes() -> int:
    """The most memory that this process has held. Not `ru_maxrss` where it can be helped: that begins with what the
    process had which started this one."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ledgers(rng: random.Random, count: int, folder: Path, commands: int = 2) -> Counter[str]:
    """Each mutated ledger through so many commands, chosen at random; those that draw, less often."""
    import typer.main

    from takt.cli import app

    built = typer.main.get_command(app)  # once, and not for each of thousands
    typer.main.get_command = lambda _: built
    sources = made(folder / "sources")
    victim = folder / "victim"
    victim.write_text("two years of work")
    own = folder / "own"
    watch = Watch(own)
    told: Counter[str] = Counter()
    failed: list[str] = []
    os.environ |= {"XDG_STATE_HOME": str(own / "state"), "XDG_CONFIG_HOME": str(own / "config")}
    for number in range(count):
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        path = own / "a.takt"
        kind = mutated(rng, rng.choice(sources), path, victim)
        if number and number % 100 == 0:
            print(f"{number} ledgers, {sum(told.values())} commands, {len(failed)} failed", file=sys.stderr, flush=True)
        drawing = [command[0] in ("report", "replay", "compare") for command in COMMANDS]
        for command in rng.choices(COMMANDS, [0.25 if slow else 1.0 for slow in drawing], k=commands):
            words = _words(command, path, own, sources[0])
            try:
                code = _asked(words, watch, victim)
                told[f"{kind}: {'refused' if code else 'read'}"] += 1
            except AssertionError as error:
                failed.append(f"ledger {number} ({kind}): takt {' '.join(words)}: {error}")
                print(failed[-1], flush=True)
    assert not failed, f"{len(failed)} failed"
    peak = peak_bytes()
    assert peak < MOST_BYTES, f"{peak / 1e9:.2f} GB"
    told["peak MB"] = peak // 10**6
    return told


# --- messages, bodies, answers ----------------------------------------------------------------------------------------


def _value(rng: random.Random, depth: int = 3) -> Any:
    if depth and rng.random() < 0.5:
        if rng.random() < 0.5:
            return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
        keys = ("name", "arguments", "actions", "shape", "dtype", "data", "nd", "type", "__ndarray__", "__npgeneric__")
        keys = (*keys, "__tuple__", "__int__", "__numpy__", "x", "group", "id", "params", "method")
        return {rng.choice(keys): _value(rng, depth - 1) for _ in range(rng.randrange(5))}
    return rng.choice(VALUES)


def messages(rng: random.Random, count: int, folder: Path) -> Counter[str]:
    """Policy messages: what the server and its client read from the socket."""
    import msgpack
    import numpy as np

    from takt.pack import pack
    from takt.workers.policy.wire import decode

    told: Counter[str] = Counter()
    for number in range(count):
        how = rng.randrange(4)
        if how == 0:
            sent = bytearray(pack({"actions": np.zeros((3, 4), np.float32), "n": np.float64(1)}))
            for _ in range(rng.choice([1, 3, 9])):
                sent[rng.randrange(len(sent))] = rng.randrange(256)
        elif how == 1:
            sent = bytearray(rng.randbytes(rng.randrange(200)))
        else:
            kind = rng.choice(["|O", "|V8", "|S1", "<U1", "<f4", "<f8", "f4,f4", "<i8", 7, None, "x" * 99])
            data = rng.choice([b"", bytes(8), bytes(9), 7, 2 * 10**9, "text", None, [1], 1.5])
            shape = rng.choice([[], [1], [2], [-1], [10**12], ["x"], None, 7, [0] * 50])
            keys = rng.choice([(b"__ndarray__", b"dtype", b"data", b"shape"), (b"nd", b"type", b"data", b"shape")])
            odd = {keys[0]: True, keys[1]: kind, keys[2]: data, keys[3]: shape}
            if how == 3:
                odd = {b"__npgeneric__": True, b"dtype": kind, b"data": data}
            sent = bytearray(msgpack.packb({"a": odd, "b": 1}, unicode_errors="surrogatepass"))
        before = time.process_time()
        try:
            decode(bytes(sent))
            told["read"] += 1
        except ValueError as error:
            assert "\n" not in str(error), f"message {number}: {error}"
            told["refused"] += 1
        assert time.process_time() - before < MOST_S
    return told


def bodies(rng: random.Random, count: int, folder: Path) -> Counter[str]:
    """MCP bodies, over HTTP, with the token: whatever they are, the server goes on to answer."""
    import httpx2

    from takt import open_station
    from takt.workers.mcp.server import server_of
    from takt.workers.mcp.transports import Http
    from takt.workers.mcp.window import Window

    station = open_station("flightdesk", scenario="two-hubs", flights=60, aircraft=10, bookings=200)
    window = Window()
    window.shut("The shift is over.")
    token = "a-token-for-the-fuzz"
    told: Counter[str] = Counter()
    hello: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
    info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "0"}}
    headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    with Http(server_of(station.spec, window, token), "127.0.0.1", 0, token, ()) as http, httpx2.Client() as client:
        told_hello = client.post(http.url, json={**hello, "params": info}, headers=headers)
        session = {
            **headers,
            "mcp-session-id": told_hello.headers["mcp-session-id"],
            "content-type": "application/json",
        }
        for number in range(count):
            call = {"jsonrpc": "2.0", "id": number, "method": "tools/call"}
            how = rng.randrange(4)
            body: Any = {**call, "params": {"name": rng.choice([*TEXTS, "queue", "book"]), "arguments": _value(rng)}}
            if how == 1:
                body = {**call, rng.choice(["id", "method", "params", "jsonrpc"]): _value(rng)}
            elif how == 2:
                body = _value(rng)
            raw = json.dumps(body).encode()
            if how == 3:
                raw = raw[: rng.randrange(len(raw) + 1)] + rng.choice([b"", b"\xff", b"[" * 9999])
            answer = client.post(http.url, content=raw, headers=session, timeout=MOST_S)
            told[f"HTTP {answer.status_code}"] += 1
            assert answer.status_code < 500 and token not in answer.text, f"body {number}: {answer.status_code} {raw!r}"
    station.close()
    return told


def answers(rng: random.Random, count: int, folder: Path) -> Counter[str]:
    """Answers of model servers, whole and streamed, through the wire to the end."""
    import socketserver
    import threading

    from takt.workers.llm.endpoint import NoAnswer, OpenAiCompatible

    say = [b""]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.settimeout(2.0)
                while self.rfile.readline().strip():
                    pass
                self.request.sendall(say[0])

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    told: Counter[str] = Counter()
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for number in range(count):
            message = {"role": "assistant", "content": rng.choice(VALUES), "tool_calls": _value(rng)}
            body: Any = {"choices": [{"message": message, "finish_reason": rng.choice(VALUES)}], "usage": _value(rng)}
            if rng.random() < 0.3:
                body = _value(rng, 4)
            raw = json.dumps(body).encode()
            streams = rng.random() < 0.5
            if streams:
                delta = {"choices": [{"delta": _value(rng), "index": 0}]}
                raw = b"".join(b"data: " + json.dumps(rng.choice([delta, body])).encode() + b"\n\n" for _ in range(3))
                raw += rng.choice([b"data: [DONE]\n\n", b"", b"data: {\n\n"])
            if rng.random() < 0.2:
                raw = raw[: rng.randrange(len(raw) + 1)]
            kind = rng.choice([b"application/json", b"text/event-stream", b"text/html", b""])
            more = rng.choice(
                [b""] * 6 + [b"Content-Encoding: gzip\r\n", b"X: \xff\r\n", b"Location: http://127.0.0.1:9\r\n"]
            )
            status = rng.choice([b"200 OK"] * 6 + [b"307 Away", b"500 No", b"429 Later", b"999 ?", b"x"])
            say[0] = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\n" + more
            say[0] += b"Connection: close\r\n\r\n" + raw
            endpoint = OpenAiCompatible(f"http://127.0.0.1:{server.server_address[1]}/v1", "", timeout_s=MOST_S / 2)
            before = time.process_time()
            try:
                reply = endpoint.ask([], [], {"model": "m", "stream": streams})
                json.dumps([reply.text, reply.reasoning, reply.raw], ensure_ascii=False).encode()
                told["read"] += 1
            except NoAnswer as failure:
                failure.text.encode()
                told[failure.kind] += 1
            assert time.process_time() - before < MOST_S, f"answer {number}"
        server.shutdown()
    return told


# --- flight files -----------------------------------------------------------------------------------------------------


def _flights(rng: random.Random) -> bytes:
    cells = ("2026-03-01", "EK203", "DXB", "JFK", "08:00", "2026-03-01T08:00:00Z", "cancelled", "NULL", "", "-", "=1+1")
    cells = (*cells, '"', "\x1b[2J", "\ud800x".encode("utf-8", "replace").decode(), "9" * 400, "1e999", "\x00", "a,b")
    names = ["date", "flight", "origin", "destination", "scheduled", "actual", "status", "airline", "x", "date"]
    header = rng.sample(names, rng.randrange(3, len(names)))
    rows = [",".join(rng.choice(cells) for _ in range(len(header) + rng.choice([0, 0, 0, 1, -1]))) for _ in range(20)]
    text = rng.choice([",", ",", ";", "\t"]).join(header) + "\n" + "\n".join(rows)
    raw = bytearray(text.encode("utf-8", "replace"))
    for _ in range(rng.choice([0, 0, 1, 5])):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def _situation(path: Path, out: Path, where: str) -> bool:
    """Whether it was read; else one line said why."""
    from takt.cli import main

    shutil.rmtree(out, ignore_errors=True)
    said, err = io.StringIO(), io.StringIO()
    before = time.process_time()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(err), warnings.catch_warnings():
            code = main(["flightdesk", "situation", str(path), "--out", str(out)])
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    lines = err.getvalue().splitlines()
    assert code in (0, 2) and not any(word in err.getvalue() for word in FAULTS), f"{where}: {code} {lines}"
    assert code == 0 or (lines and all(line.startswith("takt: ") for line in lines)), f"{where}: {lines}"
    assert time.process_time() - before < MOST_S, where
    for table in out.glob("*.csv"):
        cells = [cell for line in table.read_text(encoding="utf-8").splitlines() for cell in line.split(",")]
        assert not any(cell.strip('"').startswith(("=", "@", "\t")) for cell in cells), f"{where}: a formula"
    return code == 0


def flights(rng: random.Random, count: int, folder: Path) -> Counter[str]:
    told: Counter[str] = Counter()
    for number in range(count):
        path = folder / "flights.csv"
        path.write_bytes(_flights(rng))
        told["read" if _situation(path, folder / "board", f"flights {number}") else "refused"] += 1
    return told


def archives(rng: random.Random, count: int, folder: Path) -> Counter[str]:
    """Zip and gzip, cut, inside one another, with names that lead elsewhere, and bombs."""
    from takt import TaktError
    from takt.stations.flightdesk.situation.unpack import unpacked

    told: Counter[str] = Counter()
    bomb = b"a,b\n" + bytes(2**27)
    packed_bomb = gzip.compress(bomb, 9)
    (folder / "victim").write_text("two years of work")
    for number in range(count):
        content = _flights(rng)
        names = [
            "flights.csv",
            "../victim",
            "/etc/passwd",
            str(folder / "victim"),
            "a/../../victim.csv",
            ".x.csv",
            "b.csv",
        ]
        if rng.random() < 0.6:
            made_of = io.BytesIO()
            with warnings.catch_warnings(), zipfile.ZipFile(made_of, "w", zipfile.ZIP_DEFLATED) as archive:
                warnings.simplefilter("ignore")
                for name in rng.sample(names, rng.choice([1, 1, 2, 3])):
                    archive.writestr(name, rng.choice([content, content, b"", packed_bomb]))
            raw = bytearray(made_of.getvalue())
        else:
            raw = bytearray(rng.choice([gzip.compress(content), gzip.compress(content), packed_bomb]))
        for _ in range(rng.choice([0, 0, 0, 1, 4])):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < 0.2:
            raw = bytearray(gzip.compress(bytes(raw)))
        path = folder / rng.choice(["f.zip", "f.csv", "f.gz"])
        path.write_bytes(bytes(raw[: rng.choice([len(raw)] * 4 + [rng.randrange(len(raw))])]))
        before = time.process_time()
        try:
            with unpacked(path) as plain:
                assert plain.stat().st_size <= 2**26
            told["read"] += 1
        except TaktError as error:
            assert "\n" not in str(error), f"archive {number}: {error}"
            told["refused"] += 1
        assert time.process_time() - before < MOST_S, f"archive {number}"
        assert (folder / "victim").read_text() == "two years of work"
    return told


KINDS: dict[str, Callable[[random.Random, int, Path], Counter[str]]] = {
    "ledgers": ledgers,
    "messages": messages,
    "bodies": bodies,
    "answers": answers,
    "flights": flights,
    "archives": archives,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=KINDS, nargs="*", default=list(KINDS))
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for kind in given.only:
        with tempfile.TemporaryDirectory() as folder:
            before = time.perf_counter()
            told = KINDS[kind](random.Random(f"{kind}/{given.seed}"), given.count, Path(folder))
            took_s = time.perf_counter() - before
            shown = ", ".join(f"{name} {n}" for name, n in sorted(told.items()))
            print(f"{kind}: {given.count} from seed {given.seed} in {took_s:.0f} s: {shown}", flush=True)


if __name__ == "__main__":
    main()
