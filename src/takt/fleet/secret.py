"""What must not stand in a plan, for a plan is copied, mailed and stored: passwords and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# A name with a word for a secret at its end, whatever joins its words: api_key, X-Api-Key, clientSecret, access.token.
_NAME = r"(pass|passwd|password|passphrase|pwd|secret|key|token|auth|authorization|bearer|credentials?|signature|sig)"
IN_URL = re.compile(
    r"://[^/@\s:]*:[^/@\s]+@|"  # user:password@
    r"(?<!postgresql)(?<!postgres)://[^/@\s]+@|"  # a database's user is no secret; what else stands there is a token
    rf"[?&;]([\w.-]*[_.-])?(api|access|client|shared|subscription)?{_NAME}=[^&#\s]",
    re.I,
)
NAMES = re.compile(
    r"(^|[_.\s-])(pass|passwd|password|passphrase|pwd|secret|(api|access|client|private|secret|subscription)[_.\s-]?key|"
    r"auth|authorization|bearer|credentials?|(client)?secret|token)$",
    re.I,
)
VALUES = re.compile(
    r"(authorization|x-api-key|api-key)\s*[:=]\s*\S|\b(bearer|basic)\s+[\w.~+/-]{8,}=*(\s|$)|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|"
    r"(?<![\w-])(sk-[\w-]{16}|sk_(live|test)_\w{8}|hf_\w{8}|gh[opsur]_\w{8}|github_pat_\w{8}|glpat-[\w-]{8}|"
    r"xox[abeprs]-\w{4}|AKIA\w{8}|AIza[\w-]{20}|eyJ[\w-]{10,}\.)",
    re.I,
)


def secrets_in(value: Any, where: str = "") -> Iterator[str]:
    """Where in a plan there is a secret, as "worker[0].options.api_key". The secret itself is never repeated."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if _secret(str(key)):
                yield f"a key of {where or 'the plan'}"
                continue
            place = f"{where}.{key}" if where else str(key)
            if NAMES.search(_words(str(key))) and _says(one):
                yield place
            else:
                yield from secrets_in(one, place)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from secrets_in(one, f"{where}[{number}]")
    elif isinstance(value, str) and _secret(value):
        yield where


def _secret(text: str) -> bool:
    return bool(IN_URL.search(text) or VALUES.search(text))


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _says(value: Any) -> bool:
    """Whether this may be a secret, under the name of one: a text, or a list that has some."""
    return (isinstance(value, str) and bool(value)) or (isinstance(value, list) and any(map(_says, value)))
