"""Keys of servers: which key goes where. A key is for a host; no option of a ledger sends it to another.

- A key is read from an environment variable, and never crosses a network in the clear: https or wss, or the loopback.
- The variables of well-known services (KNOWN) go to these services' own hosts and to the loopback.
- `TAKT_KEY_HOSTS`, an environment variable of the user's, allows more: "OPENAI_API_KEY=proxy.example.org".
- Which server is asked, and with which key, a ledger alone is not believed: `led_elsewhere`, and trust.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from takt.errors import TaktError
from takt.listening import is_loopback

KNOWN: Mapping[str, tuple[str, ...]] = {  # variable -> hosts; a name with a dot before it stands for all below it
    "OPENAI_API_KEY": ("api.openai.com", ".api.openai.com"),
    "DASHSCOPE_API_KEY": (".aliyuncs.com",),
    "ANTHROPIC_API_KEY": ("api.anthropic.com",),
    "GEMINI_API_KEY": ("generativelanguage.googleapis.com",),
    "MISTRAL_API_KEY": ("api.mistral.ai",),
    "GROQ_API_KEY": ("api.groq.com",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
    "TOGETHER_API_KEY": ("api.together.xyz", "api.together.ai"),
    "DEEPSEEK_API_KEY": ("api.deepseek.com",),
    "HF_TOKEN": ("huggingface.co", ".huggingface.co", ".huggingface.cloud"),
}
MORE_FROM = "TAKT_KEY_HOSTS"
OPENAI = "OPENAI_API_KEY"
SECURE = ("https", "wss")


def key_for(url: str, variable: str, environment: Mapping[str, str] | None = None) -> str:
    """The key that goes to `url`: of the variable, or, if it is "", of OPENAI_API_KEY to OpenAI itself; "" for none.

    Raises TaktError, which names the variable and never the key, if that key may not go there.
    """
    environment = os.environ if environment is None else environment
    parts = urlsplit(url)
    if not variable:
        own = parts.scheme in SECURE and _among(parts.hostname or "", KNOWN[OPENAI])
        return environment.get(OPENAI, "") if own else ""
    key, host = environment.get(variable, ""), parts.hostname or ""
    here = is_loopback(host)
    if not key:
        return ""
    if parts.scheme not in SECURE and not here:
        raise TaktError(f"the key of {variable} would cross the network in the clear to {host}; use https or wss")
    if variable in KNOWN and not here and not _among(host, (*KNOWN[variable], *_allowed(variable, environment))):
        raise TaktError(
            f"the key of {variable} is for {KNOWN[variable][0].lstrip('.')}, not for {host}; "
            f"if it is for both, say so: {MORE_FROM}={variable}={host}"
        )
    return key


def led_elsewhere(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What of these options (those that are given) the user must name again, for a shift that goes on at `url`: nothing
    if that is this machine and no key goes there; else all."""
    given = {name: value for name, value in options.items() if value}
    try:
        parts = urlsplit(url if "://" in url else f"ws://{url}")
        here = is_loopback(parts.hostname or "")
    except ValueError:
        here = False
    return {} if here and not given.get("key_env") else given


def check_address(name: str, url: str) -> None:
    """Raise TaktError, which does not repeat it, for an address that would put a secret into the ledger."""
    if "@" in url:
        raise TaktError(f"{name} has a user or password in it, and would be written down; use key_env")
    if "?" in url or "#" in url:
        raise TaktError(f"{name} has a query in it, and would be written down; use key_env for a key")


def _among(host: str, hosts: tuple[str, ...]) -> bool:
    return any(host.endswith(name) if name.startswith(".") else host == name for name in hosts)


def _allowed(variable: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    pairs = [pair.strip().partition("=") for pair in environment.get(MORE_FROM, "").split(",")]
    return tuple(host for name, _, host in pairs if name == variable and host)
