"""Does once, in a process of its own, what a test of a ticket about speed does: so much of it, and nothing else.

What it takes is what the sandbox's first process is told of it by the kernel, and what came is judged outside
(`pacing.py`). So nothing here need be believed, and there is nothing to be found: no answer, no limit, no word. Nothing
but the standard library.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import json
import os
import sys
import types
from typing import Any

WORK = "/work"
EXAMINE = "/opt/takt/examine.py"


def main() -> None:
    order = json.load(sys.stdin)
    sys.path[:] = [entry for entry in sys.path if entry and not entry.startswith("/opt/takt")]
    sys.path += [os.path.join(WORK, folder) for folder in order["folders"]]
    spec = importlib.util.spec_from_file_location("takt_examine", EXAMINE)
    assert spec and spec.loader
    examine = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(examine)
    pytest: Any = types.ModuleType("pytest")  # takes longer to import than what is measured
    pytest.param = lambda *_, **__: None
    pytest.mark = types.SimpleNamespace(parametrize=lambda *_, **__: lambda function: function)
    sys.modules["pytest"] = pytest
    path = os.path.join(WORK, order["path"])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    names: dict[str, Any] = {"__name__": "hidden"}
    exec(compile(text, path, "exec", dont_inherit=True), names)  # nosec B102: the hidden test
    came: list[Any] = []

    def outgrows(make: Any, call: Any, count: int) -> bool:
        for size in order["sizes"]:
            came[:] = [examine.as_told(call(make(size)))]
        return False

    names["outgrows"] = outgrows
    gc.disable()  # what it goes through is all that there is, and that grows with the square
    names[order["ask"]](order["count"])
    told = json.dumps([plain(one) for one in came]).encode()
    print(json.dumps({"answer": hashlib.sha256(told).hexdigest()}))


def plain(told: Any) -> Any:
    """What `as_told` made of a value, alike for what is compared as equal: a tuple and a list, 1 and 1.0."""
    kind, value = told
    if kind in ("list", "tuple"):
        return ["list", [plain(one) for one in value]]
    if kind == "set":
        return ["set", sorted(json.dumps(plain(one)) for one in value)]
    if kind == "dict":
        return ["dict", sorted([json.dumps(plain(key)), json.dumps(plain(one))] for key, one in value)]
    if kind == "float" and float(value).is_integer():
        return ["int", f"{int(value):x}"]
    return [kind, value]


if __name__ == "__main__":
    main()
