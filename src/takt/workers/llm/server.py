"""What a server says of itself, where it says anything: which program it is, its models, its context, its template.

Each program has its own way: llama.cpp's `/props`, `max_model_len` of vLLM's and SGLang's `/v1/models`, Ollama's
`/api/version` and `/api/ps`, LM Studio's `/api/v0/models`, `context_length` of OpenRouter's `/v1/models`. All are
looked at, for a server is often not the one that it is taken for. Nothing here raises: what is not said is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Get = Callable[[str], Any]  # the JSON at a path of the server's root, None if there is none
HOSTS = {"openrouter.ai": "openrouter", "aliyuncs.com": "alibaba"}  # whose name says what they are
OWNERS = {"llamacpp": "llamacpp", "vllm": "vllm", "sglang": "sglang", "library": "ollama"}
MOST_CONTEXT = 10**9

# Characters that a token can stand for at least and at most in English, Chinese and JSON, by which it is judged whether
# a server read what it was sent. Fewer tokens than the last one says are no count of this request.
DENSEST, THINNEST, NO_COUNT = 1.5, 6.0, 12.0


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says. `kind` is a name of PROFILES, or ""; `tools` whether its chat template has tools."""

    kind: str = ""
    version: str = ""
    models: tuple[str, ...] = ()
    context: int | None = None
    tools: bool | None = None


def look(url: str, get: Get, model: str = "") -> Server:
    """Ask a server what it is. `url` is its base_url; the context is that of `model`, or of its only model."""
    host = (urlsplit(url).hostname or "").lower()
    kind = next((name for end, name in HOSTS.items() if host == end or host.endswith(f".{end}")), "")
    base = urlsplit(url).path.rstrip("/")
    listed = _rows(get(f"{base}/models"), "data")
    models = tuple(str(row["id"]) for row in listed if isinstance(row.get("id"), str))
    mine = next((row for row in listed if row.get("id") == model), listed[0] if len(listed) == 1 else {})
    context = _count(mine, "max_model_len", "context_length")
    kind = kind or next((OWNERS[row["owned_by"]] for row in listed if row.get("owned_by") in OWNERS), "")
    version, tools = "", None
    if kind == "openrouter":
        known = mine.get("supported_parameters")
        tools = "tools" in known if isinstance(known, list) else None
    elif kind not in ("alibaba", "vllm", "sglang"):
        props = get("/props") if kind in ("", "llamacpp") else None
        if isinstance(props, Mapping):
            kind, version = "llamacpp", _word(props.get("build_info"))
            context = _count(props.get("default_generation_settings"), "n_ctx") or context
            caps = props.get("chat_template_caps", props)
            known = caps.get("supports_tools") if isinstance(caps, Mapping) else None
            tools = known if isinstance(known, bool) else None
    if kind in ("vllm", "ollama", ""):
        told = get("/version" if kind == "vllm" else "/api/version")
        version = _word(told.get("version")) if isinstance(told, Mapping) else ""
        if version and not kind:
            kind = "ollama"
        if kind == "ollama":
            loaded = [row for row in _rows(get("/api/ps"), "models") if model in (row.get("name"), row.get("model"))]
            context = _count(loaded[0], "context_length") if loaded else None
    if kind == "":
        studio = _rows(get("/api/v0/models"), "data")
        if any("loaded_context_length" in row or "max_context_length" in row for row in studio):
            kind = "lmstudio"
            mine = next((row for row in studio if row.get("id") == model), {})
            context = _count(mine, "loaded_context_length")
    return Server(kind, version, models, context, tools)


def tools_dropped(read: int, chars: int, tools_chars: int) -> str:
    """Why a server that read so many tokens of a request of so many characters cannot have shown the model its tools,
    which are `tools_chars` of them; "" if nothing speaks for that."""
    rest = chars - tools_chars
    alone = rest / NO_COUNT <= read <= rest / DENSEST
    if read and alone and read < chars / THINNEST:
        return f"it read {read} tokens of a request of {chars} characters, {tools_chars} of them the tools"
    return ""


def _rows(told: Any, key: str) -> list[Mapping[str, Any]]:
    rows = told.get(key) if isinstance(told, Mapping) else told
    return [row for row in rows if isinstance(row, Mapping)][:10_000] if isinstance(rows, list) else []


def _count(told: Any, *names: str) -> int | None:
    for name in names:
        number = told.get(name) if isinstance(told, Mapping) else None
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < MOST_CONTEXT:
            return number
    return None


def _word(told: Any) -> str:
    return " ".join(told.split())[:100] if isinstance(told, str) else ""
