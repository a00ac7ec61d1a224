"""Strangers' files and messages: 2,000 of each kind.

    python benchmarks/fuzz_files.py                              2,000 of each kind, from seed 0
    python benchmarks/fuzz_files.py --only ledgers --count 200 --seed 7 --start 1000
    python benchmarks/fuzz_files.py --only cells --count 40      ledgers of the nut cell, whose films take long

Kinds: ledgers (`fuzz_ledgers`: each through every command that reads one), messages (of policy servers and clients),
bodies (of MCP over HTTP), answers (of model servers, whole and streamed), flights and archives (`fuzz_flights`).

Whatever comes: one line or a right answer, no code run, nothing changed outside the ledger's own folder, no command
over 10 s (of the processor's time), no process over 1 GB: `fuzz_watch`. Each file is made from seed and number alone,
so that number 1234 of seed 7 is `--seed 7 --start 1234 --count 1`, and parts can be run side by side.
`tests/test_fuzz_files.py` runs a few of each.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz_flights import archives, flights
from fuzz_ledgers import TEXTS, VALUES, cells, json_changed, ledgers
from fuzz_watch import MOST_S

# --- messages, bodies, answers ----------------------------------------------------------------------------------------


def _value(rng: random.Random, depth: int = 3) -> Any:
    if depth and rng.random() < 0.5:
        if rng.random() < 0.5:
            return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
        keys = ("name", "arguments", "actions", "shape", "dtype", "data", "nd", "type", "__ndarray__", "__npgeneric__")
        keys = (*keys, "__tuple__", "__int__", "__numpy__", "x", "group", "id", "params", "method")
        return {rng.choice(keys): _value(rng, depth - 1) for _ in range(rng.randrange(5))}
    return rng.choice(VALUES)


def _packable(value: Any) -> Any:
    """Numbers as they can be packed, texts as they can be written."""
    if isinstance(value, dict):
        return {_packable(key): _packable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_packable(part) for part in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if not isinstance(value, int) or abs(value) < 2**63 else 0


def messages(seed: object, count: int, folder: Path, start: int = 0) -> Counter[str]:
    """Policy messages: what the server and its client read from the socket."""
    import msgpack
    import numpy as np

    from takt.ledger.pack import pack
    from takt.workers.policy.wire import decode

    told: Counter[str] = Counter()
    for number in range(start, start + count):
        rng = random.Random(f"messages/{seed}/{number}")
        how = rng.randrange(5)
        if how == 0:
            sent = bytearray(pack({"actions": np.zeros((3, 4), np.float32), "n": np.float64(1)}))
            for _ in range(rng.choice([1, 1, 3])):
                sent[rng.randrange(len(sent))] = rng.randrange(256)
        elif how == 1:
            sent = bytearray(rng.randbytes(rng.randrange(200)))
        elif how == 2:  # right, but for what is in it
            right = {"actions": np.full((rng.randrange(4), 4), rng.choice([0.0, np.nan, 1e300])), "more": _value(rng)}
            sent = bytearray(pack(_packable(right)))
        else:
            kind = rng.choice(
                ["<f4", "<f4", "<f8", "|b1", "<i8", "|O", "|V8", "|S1", "<U1", "f4,f4", 7, None, "x" * 99]
            )
            data = rng.choice([bytes(8), bytes(8), bytes(4), b"", bytes(9), 7, 2 * 10**9, "text", None, [1], 1.5])
            shape = rng.choice([[1], [2], [2, 1], [], [-1], [10**12], ["x"], None, 7, [0] * 50])
            keys = rng.choice([(b"__ndarray__", b"dtype", b"data", b"shape"), (b"nd", b"type", b"data", b"shape")])
            odd = {keys[0]: True, keys[1]: kind, keys[2]: data, keys[3]: shape}
            if how == 4:
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


def bodies(seed: object, count: int, folder: Path, start: int = 0) -> Counter[str]:
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
        for number in range(start, start + count):
            rng = random.Random(f"bodies/{seed}/{number}")
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


CALL = {"name": "queue", "arguments": '{"limit": 3}'}
ANSWER = {
    "id": "a",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "I look at the queue.",
                "reasoning_content": "Who waits?",
                "tool_calls": [{"id": "c", "type": "function", "function": CALL}],
            },
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
DELTA = {
    "id": "a",
    "object": "chat.completion.chunk",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": None,
            "delta": {"role": "assistant", "content": "I", "tool_calls": [{"index": 0, "id": "c", "function": CALL}]},
        }
    ],
}


def answers(seed: object, count: int, folder: Path, start: int = 0) -> Counter[str]:
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
        endpoint = OpenAiCompatible(f"http://127.0.0.1:{server.server_address[1]}/v1", "", timeout_s=MOST_S / 2)
        for number in range(start, start + count):
            rng = random.Random(f"answers/{seed}/{number}")
            whole = json.dumps(ANSWER)
            for _ in range(rng.choice([0, 1, 1, 2])):
                whole = json_changed(rng, whole)
            raw = whole.encode()
            if rng.random() < 0.2:
                raw = json.dumps(_value(rng, 4)).encode()
            streams = rng.random() < 0.5
            if streams:
                body = raw.decode()
                delta = json_changed(rng, json.dumps(DELTA)) if rng.random() < 0.5 else json.dumps(DELTA)
                raw = b"".join(b"data: " + rng.choice([delta, delta, body]).encode() + b"\n\n" for _ in range(3))
                raw += rng.choice([b"data: [DONE]\n\n", b"", b"data: {\n\n"])
            if rng.random() < 0.1:
                raw = raw[: rng.randrange(len(raw) + 1)]
            right = b"text/event-stream" if streams else b"application/json"
            kind = rng.choice([right] * 9 + [b"application/json", b"text/event-stream", b"text/html", b""])
            more = rng.choice(
                [b""] * 20 + [b"Content-Encoding: gzip\r\n", b"X: \xff\r\n", b"Location: http://127.0.0.1:9\r\n"]
            )
            status = rng.choice([b"200 OK"] * 20 + [b"307 Away", b"500 No", b"429 Later", b"999 ?", b"x"])
            say[0] = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\n" + more
            say[0] += b"Connection: close\r\n\r\n" + raw
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


KINDS: dict[str, Callable[..., Counter[str]]] = {
    "ledgers": ledgers,
    "cells": cells,
    "messages": messages,
    "bodies": bodies,
    "answers": answers,
    "flights": flights,
    "archives": archives,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=KINDS, nargs="*", default=[kind for kind in KINDS if kind != "cells"])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first")
    given = parser.parse_args()
    for kind in given.only:
        with tempfile.TemporaryDirectory() as folder:
            before = time.perf_counter()
            told = KINDS[kind](given.seed, given.count, Path(folder, "fuzz"), given.start)
            took_s = time.perf_counter() - before
            shown = ", ".join(f"{name} {n}" for name, n in sorted(told.items()))
            what = f"{given.count} from number {given.start} of seed {given.seed}"
            print(f"{kind}: {what} in {took_s:.0f} s: {shown}", flush=True)


if __name__ == "__main__":
    main()
