"""Tests that have another name since a commit: that lie in another file, or are called otherwise."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from takt.stations.codedesk.collecting import Rules


def carried(before: Mapping[str, str], after: Mapping[str, str], rules: Rules) -> dict[str, str]:
    """Of files of tests before and after: node id -> node id, of tests that are gone and have come elsewhere. A test
    goes on in one that asks the same; one of a file that is gone, in the only one of its name that has come as well.
    `path::?` stands for all of a file that is gone."""
    gone, come = _gone(before, after, rules), _gone(after, before, rules)
    found: dict[str, str] = {}
    for node, asks in gone.items():
        path, _, name = node.partition("::")
        same = [one for one, other in come.items() if other == asks]
        called = [one for one in come if one.partition("::")[2] == name]
        alike = [one for one in same if one in called] or ([] if path in after else called) or same
        if len(alike) == 1:
            found[node] = alike[0]
            del come[alike[0]]
    for path in {node.partition("::")[0] for node in found} - after.keys():
        to = Counter(new.partition("::")[0] for node, new in found.items() if node.startswith(f"{path}::"))
        found[f"{path}::?"] = f"{to.most_common(1)[0][0]}::?"
    return found


def _gone(before: Mapping[str, str], after: Mapping[str, str], rules: Rules) -> dict[str, int]:
    """Tests that one has and the other has not: node id -> what they ask."""
    found: dict[str, int] = {}
    for path, text in before.items():
        if path.endswith(".py") and after.get(path) != text:
            left = _tests(after.get(path, ""), rules)
            found |= {f"{path}::{name}": asks for name, asks in _tests(text, rules).items() if name not in left}
    return found


@lru_cache(maxsize=512)
def _tests(text: str, rules: Rules) -> Mapping[str, int]:
    """The tests of a file, and what each asks: all but what it is called."""
    return {
        one.name: hash(tuple(ast.dump(part) for part in (one.node.args, *one.node.decorator_list, *one.node.body)))
        for one in rules.tests(text)
    }
