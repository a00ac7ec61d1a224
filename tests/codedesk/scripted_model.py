"""A model with a script, behind the chat API: it adds the function that a ticket of `series.py` asks for."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHELLS = ("bash", "run_shell_command")
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def at_the_desk(request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The call that the script has for a worker by the desk's own tools, by what it was last told."""
    told = [str(message.get("content")) for message in request["messages"] if message["role"] in ("tool", "user")]
    number = next(m[1] for text in reversed(told) if (m := re.search(r'"ticket": ?(\d+)', text)))
    last = told[-1]
    if "needs f" in last:
        return "read", {"path": "pkg/m.py"}
    if '"lines"' in last:
        line = next(line for line in re.findall(r"return (\d+)", last)[::-1])
        old, k = f"    return {line}\n", int(number) + 1
        return "edit", {"path": "pkg/m.py", "old": old, "new": f"{old}\n\ndef f{k}():\n    return {k}\n"}
    if '"line"' in last:
        return "submit", {"ticket": int(number)}
    return "ticket", {"ticket": int(number)}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The message that the script has for a request."""
    if any(tool["function"]["name"] == "submit" for tool in request.get("tools") or ()):
        name, given = at_the_desk(request)
        call = {"name": name, "arguments": json.dumps(given)}
        calls = [{"id": f"call_{len(request['messages'])}", "index": 0, "type": "function", "function": call}]
        return {"role": "assistant", "content": "", "tool_calls": calls}
    said = json.dumps(request["messages"])
    asked = re.search(r"needs f(\d+)", said)
    offered = [tool["function"]["name"] for tool in request.get("tools") or ()]
    shell = next((name for name in SHELLS if name in offered), None)
    done = sum(message["role"] == "tool" for message in request["messages"])
    if shell is None or asked is None or (done and shell != "bash") or done > 1:
        return {"role": "assistant", "content": "Done."}
    k = asked[1]
    line = f"printf '\\n\\ndef f{k}():\\n    return {k}\\n' >> pkg/m.py"
    if done:
        line = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
    arguments = {"command": line} | ({"is_background": False, "description": "Add it."} if shell != "bash" else {})
    call = {"name": shell, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": "I add it.",
        "tool_calls": [{"id": f"call_{done}", "index": 0, "type": "function", "function": call}],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Model

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append({"path": self.path, "authorization": self.headers.get("Authorization"), **request})
        message = answer(request)
        end = "tool_calls" if message.get("tool_calls") else "stop"
        about: dict[str, Any] = {"id": "x", "created": 0, "model": request.get("model", "scripted")}
        if not request.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": end}
            body = {**about, "object": "chat.completion", "choices": [choice], "usage": USAGE}
            self._send("application/json", json.dumps(body).encode())
            return
        chunks = [
            {"choices": [{"index": 0, "delta": message, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": end}]},
            {"choices": [], "usage": USAGE},
        ]
        lines = [json.dumps({**about, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]  # type: ignore[dict-item]
        self._send("text/event-stream", "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode())

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Model(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


@contextmanager
def scripted_model() -> Iterator[Model]:
    model = Model()
    thread = threading.Thread(target=model.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.shutdown()
        model.server_close()
