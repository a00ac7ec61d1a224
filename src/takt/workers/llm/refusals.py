"""What a server says instead of an answer: in one line, and whether it is worth asking again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

LONGEST_WORDS = 500  # characters of what a server said that go into a failure
LOOKED_AT = 20_000  # characters of it that are read; they are cut only once the key is out of them
MEANT_WITHIN = 2000  # characters in which it is looked what they mean: what is further on may be an echo
TOO_LONG = re.compile(
    r"context.{0,30}(size|length|window|limit|exceed|full|overflow)|exceed.{0,60}context|context_length_exceeded"
    r"|(prompt|input|request|messages?)\b.{0,60}(too long|too large|too many tokens)"
    r"|(prompt|input|request|messages?)\b.{0,60}exceed(s|ed)?\b.{0,40}(tokens?|length|limit)"
    r"|(range|maximum|limit) of (the )?(input|prompt) (tokens?|length)"
    r"|\binputs?\W{0,2} (tokens\b.{0,30})?must (be|have) (<|less)"
    r"|keep the first \d+ tokens|tokens to keep from the initial prompt"
    r"|maximum (sequence|input|prompt|model) length|reduce the length of|max_model_len|max_input_len|n_ctx\b"
    r"|上下文.{0,20}(超|长度)|(输入|提示).{0,12}(超长|过长)",
    re.IGNORECASE | re.DOTALL,
)
TOO_OFTEN = re.compile(  # what is exceeded is no length, unless this one request is more than ever goes through
    r"rate.?limit|quota|credits?\b|\b[RT]P[MD]\b|per (second|min|hour|day|month)|daily|monthly|throttl"
    r"|too many requests",
    re.IGNORECASE,
)
TOO_LARGE = re.compile(r"request too large\b", re.IGNORECASE)


class NoAnswer(Exception):
    """An attempt that came to nothing. `hopeless`: the same request will not be answered another time either.

    kind   timeout, connection, broken_stream, rate_limited, server_error, not_an_answer, refused, too_long
    """

    def __init__(
        self, kind: str, text: str, status: int | None = None, retry_after_s: float = 0.0, hopeless: bool = False
    ) -> None:
        super().__init__(text)
        self.kind, self.text, self.status, self.retry_after_s, self.hopeless = (
            kind,
            text,
            status,
            retry_after_s,
            hopeless,
        )


def refusal(text: str, status: int | None, retry_after_s: float = 0.0) -> NoAnswer:
    """What an error of a server means, by its words and its code, wherever it told them. A context that is full is
    known by its words whatever the code: servers have sent it with 400, 404, 413, 422, 429, 500, and within 200."""
    words = text[:MEANT_WITHIN]
    too_often = TOO_OFTEN.search(words) and (status == 429 or "context" not in words.lower())
    if status == 413 or TOO_LARGE.search(words) or (not too_often and TOO_LONG.search(words)):
        return NoAnswer("too_long", text, status, hopeless=True)
    if status == 429:
        return NoAnswer("rate_limited", text, status, retry_after_s)
    if status is None or status >= 500 or status in (408, 409, 425) or status < 400:
        return NoAnswer("server_error", text, status)
    return NoAnswer("refused", text, status, hopeless=True)


def of_status(body: str, status: int, retry_after_s: float = 0.0) -> NoAnswer:
    """What an answer with an error's status means, whatever its body is: JSON of any form, plain words, a page."""
    told: Any = body
    try:
        told = json.loads(body, parse_constant=str)
    except (ValueError, RecursionError):
        if re.match(r"\s*<(!doctype|html|\?xml|h1)", body, re.IGNORECASE):  # a gateway's page
            told = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body[:LOOKED_AT], flags=re.DOTALL | re.IGNORECASE)
    if isinstance(told, list):  # Gemini's
        told = next((part for part in told if isinstance(part, Mapping)), told)
    if isinstance(told, Mapping):
        error = told.get("error") or _own_form(told, True) or dict(told)
        words = _read(told, error)[0]
    else:
        words = words_of("" if told is None else told)
    words = f"HTTP {status}: {words}" if words.strip("{}[] ") else f"HTTP {status}, without a word"
    failure = refusal(words, status, retry_after_s)
    failure.text = words
    return failure


def no_error(told: Mapping[str, Any], alone: bool = False) -> None:
    """Raise what a server told as an error, though its status was 200.

    alone   there is no answer beside it, so that words are enough: every gateway and framework has a form of its own.
    """
    error = told.get("error")
    if not error and told.get("finish_reason") == "error":
        error = {"message": "the server ends the answer with an error, and does not say which"}
    if not error and not told.get("choices") and "finish_reason" not in told:
        error = _own_form(told, alone)
    if not error:
        return
    words, meant, code = _read(told, error)
    by_name = next((status for pattern, status in _BY_NAME if re.search(pattern, meant, re.IGNORECASE)), None)
    failure = refusal(words or "the server tells an error without a word", code or by_name)
    failure.status = code
    raise failure


def _read(told: Mapping[str, Any], error: Any) -> tuple[str, str, int | None]:
    """The words of an error, what kind it is by name, and its code; `told` is the object that it came in."""
    mine = {_plain(key): value for key, value in told.items()}
    if isinstance(error, Mapping):
        mine |= {_plain(key): value for key, value in error.items()}
    words, meant = words_of(error), ""
    said = next((mine[key] for key in _SAID if isinstance(mine.get(key), str) and mine[key].strip()), None)
    if said is not None:
        names = [error if isinstance(error, str) else None, *(mine.get(key) for key in ("type", "code", "errorcode"))]
        meant = next((name for name in names if isinstance(name, str)), "")
        meant = "" if meant == "error" or _http(meant) else meant
        words = words_of(said)
        if isinstance(mine.get("loc"), list):  # FastAPI's: which field it is about
            words = f"{'.'.join(map(str, mine['loc']))}: {words}"
        raw = mine["metadata"].get("raw") if isinstance(mine.get("metadata"), Mapping) else None
        words += f": {words_of(raw)}" if isinstance(raw, str) and raw.strip() else ""  # OpenRouter's, of its provider
        words = f"{words} ({words_of(meant)})" if meant and meant not in words else words
    code = next((n for key in _CODES if (n := _http(mine.get(key)))), None)
    return words, meant, code


# What servers say an error in, by key, in small letters and without what is between words.
_SAID = (
    "message",
    "msg",
    "errormessage",
    "errormsg",
    "errmsg",
    "statusmsg",
    "detail",
    "errordescription",
    "faultstring",
    "error",
)
_CODES = ("code", "status", "statuscode", "errorcode", "errcode", "httpstatus", "httpcode")
_FAILED = ("error", "fail", "failed", "failure")
_BY_NAME = (  # of errors that are named and have no number
    (r"auth|api.?key|token.?(expired|invalid)", 401),
    (r"permission|forbidden|denied|quota|billing|balance|arrear", 403),
    (r"not.?found", 404),
    (r"rate.?limit|throttl|too.?many", 429),
    (r"invalid.?(request|param)", 400),
)


def _own_form(told: Mapping[str, Any], alone: bool) -> Any:
    """The error that an object without an answer tells without calling it `error`; None if it tells none."""
    mine = {_plain(key): value for key, value in told.items()}
    for key in ("error", "errors", "fault", "baseresp", "detail", "response"):
        inner = mine.get(key)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, Mapping) and (found := _own_form(inner, True)):
            return {**told, **found}
    failed = mine.get("success") is False or mine.get("ok") is False
    failed |= any(str(mine.get(key)).lower() in _FAILED for key in ("status", "object", "type", "result", "event"))
    failed |= any((_http(mine.get(key)) or 0) >= 400 for key in _CODES)
    said = any(isinstance(mine.get(key), str) and mine[key].strip() for key in _SAID)
    return dict(told) if failed or (alone and said) else None


def _plain(key: Any) -> str:
    return re.sub(r"[^a-z]", "", str(key).lower())


def _http(value: Any) -> int | None:
    """A status of HTTP, if it is one."""
    if isinstance(value, str) and re.fullmatch(r"[1-5]\d\d", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600 else None


def words_of(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return " ".join(text[:LOOKED_AT].split())
