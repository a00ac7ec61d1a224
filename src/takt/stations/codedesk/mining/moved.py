"""Tests that lie elsewhere now: those of an accepted ticket hold on, at their new place."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def moved(gone: Mapping[str, str], come: Mapping[str, str | bytes]) -> dict[str, tuple[str, str]]:
    """Of files that are gone, those that came at another path: old path -> new path and text. They are the same but
    for comments and what they import; of several such, the one of the same name, or else the first."""
    left = {path: text for path, text in sorted(come.items()) if isinstance(text, str)}
    found: dict[str, tuple[str, str]] = {}
    for path, text in sorted(gone.items()):
        asks = _asks(text)
        same = [new for new, other in left.items() if asks and _asks(other) == asks]
        if same:
            new = min(same, key=lambda one: one.rpartition("/")[2] != path.rpartition("/")[2])
            found[path] = (new, left.pop(new))
    return found


def _asks(text: str) -> str:
    """What a file of tests says beside its imports, "" if it cannot be read."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    tree.body = [one for one in tree.body if not isinstance(one, (ast.Import, ast.ImportFrom))]
    return ast.dump(tree)
