"""What must not stand in a plan, for a plan is copied, mailed and stored: passwords and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

IN_URL = re.compile(
    r"://[^/@\s:]*:[^/@\s]+@|"
    r"://\S*[?&](\w*pass(word|wd)?|\w*secret|api_?key|key|access_token|token|auth|sig)=[^&#\s]",
    re.I,
)
NAMES = re.compile(
    r"(^|_)(pass|passwd|password|passphrase|secret|api_?key|access_key|access_token|auth|bearer|token)$", re.I
)
VALUES = re.compile(r"^(Bearer\s+\S{8}|sk-[\w-]{8}|hf_\w{8}|gh[pousr]_\w{8}|xox[abp]-\w{4}|AKIA\w{8}|eyJ[\w-]{10,}\.)")


def secrets_in(value: Any, where: str = "") -> Iterator[str]:
    """Where in a plan there is a secret, as "worker[0].options.api_key". The secret itself is never repeated."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            place = f"{where}.{key}" if where else str(key)
            if NAMES.search(str(key)) and isinstance(one, str) and one:
                yield place
            else:
                yield from secrets_in(one, place)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from secrets_in(one, f"{where}[{number}]")
    elif isinstance(value, str) and (IN_URL.search(value) or VALUES.search(value)):
        yield where
