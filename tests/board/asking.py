"""Asking a board, as a program would."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Any

TOKEN = "a-token-for-tests-0123"


@dataclass
class Answer:
    status: int
    headers: dict
    text: str


def asked(
    board: Any,
    path: Any,
    token: Any = TOKEN,
    method: Any = "GET",
    body: Any = None,
    headers: Any = None,
    most: Any = None,
) -> Any:
    """One request; of a stream (`most`) only the beginning is read."""
    connection = http.client.HTTPConnection(board.url.split("/")[2], timeout=60)
    try:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body, given | (headers or {}))
        answer = connection.getresponse()
        stream = "event-stream" in answer.headers.get("content-type", "")
        text = "" if stream and most else answer.read().decode("utf-8", "replace")
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)
    finally:
        connection.close()
