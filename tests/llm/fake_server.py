"""An OpenAI-compatible endpoint by script, over real HTTP on loopback, that can misbehave in every way known to us."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any


@dataclass
class Say:
    """One answer. `calls` are (name, arguments), arguments as a text or as what becomes one.

    status    of an error; `text` is then its message.
    silent_s  of silence before it.
    broken    the connection is cut after so many pieces of a stream.
    body      of an error, in place of OpenAI's form.
    junk      a body that is no JSON.
    details   of the tokens read: `prompt_tokens_details`.
    """

    calls: list[tuple[str, Any]] = field(default_factory=list)
    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: tuple[int, int] | None = (100, 20)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silent_s: float = 0.0
    broken: int | None = None
    body: str | None = None
    junk: bool = False
    details: dict[str, Any] | None = None


class FakeServer:
    """`script(body, n)` is what to say to request n (from 0). `requests` are the bodies, `keys` their headers.

    tells    what it says of itself: JSON by path.
    """

    def __init__(
        self, script: Callable[[dict[str, Any], int], Say], tells: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or every answer waits 40 ms for an acknowledgement

            def log_message(self, *_: Any) -> None: ...

            def do_GET(self) -> None:
                known = self.path in tells
                body = json.dumps(tells.get(self.path, {"error": "no such path"})).encode()
                with contextlib.suppress(OSError):
                    self.send(200 if known else 404, body, {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                n = len(fake.requests)
                fake.requests.append(body)
                fake.keys.append(self.headers.get("authorization", ""))
                say = script(body, n)
                time.sleep(say.silent_s)
                with contextlib.suppress(OSError):  # the client has given up, as it should
                    self.answer(body, n, say)

            def answer(self, body: dict[str, Any], n: int, say: Say) -> None:
                if say.junk:
                    return self.send(200, b"<html>Bad gateway</html>", {})
                if say.body is not None:
                    return self.send(say.status, say.body.encode(), say.headers)
                if say.status != 200:
                    error = {"error": {"message": say.text, "type": "error", "code": say.status}}
                    return self.send(say.status, json.dumps(error).encode(), say.headers)
                message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
                if say.reasoning:
                    message["reasoning_content"] = say.reasoning
                if say.calls:
                    message["tool_calls"] = [
                        {
                            "id": f"random-{time.time_ns()}-{i}",
                            "type": "function",
                            "function": {"name": name, "arguments": a if isinstance(a, str) else json.dumps(a)},
                        }
                        for i, (name, a) in enumerate(say.calls)
                    ]
                finish = say.finish or ("tool_calls" if say.calls else "stop")
                usage = say.usage and {
                    "prompt_tokens": say.usage[0],
                    "completion_tokens": say.usage[1],
                    "total_tokens": sum(say.usage),
                    **({"prompt_tokens_details": say.details} if say.details else {}),
                }
                head = {"id": f"x{time.time_ns()}", "created": int(time.time()), "model": body["model"]}
                if body.get("stream"):
                    return self.stream(head, message, finish, usage, say)
                choice = {"index": 0, "message": message, "finish_reason": finish}
                whole = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
                return self.send(200, json.dumps(whole).encode(), {})

            def stream(self, head: Any, message: Any, finish: str, usage: Any, say: Say) -> None:
                deltas: list[dict[str, Any]] = [{"role": "assistant"}]
                for key in ("reasoning_content", "content"):
                    deltas += [{key: word + " "} for word in (message.get(key) or "").split()]
                for i, call in enumerate(message.get("tool_calls") or ()):
                    arguments = call["function"]["arguments"]
                    start = {**call, "index": i, "function": {"name": call["function"]["name"], "arguments": ""}}
                    size = 9 + len(arguments) // 20
                    pieces = [arguments[j : j + size] for j in range(0, len(arguments), size)]
                    deltas.append({"tool_calls": [start]})
                    deltas += [{"tool_calls": [{"index": i, "function": {"arguments": piece}}]} for piece in pieces]
                chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
                chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
                chunks.append({"choices": [], "usage": usage})
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for chunk in chunks[: say.broken]:
                    self.piece({**head, "object": "chat.completion.chunk", **chunk})
                if say.broken is not None:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.piece(None)
                self.wfile.write(b"0\r\n\r\n")

            def piece(self, data: Any) -> None:
                line = f"data: {'[DONE]' if data is None else json.dumps(data)}\n\n".encode()
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                self.wfile.flush()

            def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None: ...  # connections that break are the point

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def seen(body: dict[str, Any]) -> dict[str, Any]:
    """What the last message of a request tells: an observation, or the answer to a call. {} if it is a nudge."""
    try:
        told = json.loads(body["messages"][-1]["content"])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
