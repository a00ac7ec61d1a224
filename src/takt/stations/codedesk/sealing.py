"""Hidden tests without their answers: what is expected never comes near the code under test.

The tests of a generated ticket put questions, each with what is expected. Where they are laid over a tree, the expected
values are taken out: a test tells what came, and whether that is right is judged here, outside the sandbox. Code that
looks into the tests while they run, or that takes over the process that runs them, can then only answer; it cannot
look up what would be right.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from takt.stations.codedesk.families.state import Raises

CHECK = '''def check(call, arguments, expected):
    """What comes is told. What is expected is not here: it is judged elsewhere."""
    arguments = copy.deepcopy(arguments)
    try:
        came, value = "value", call(*arguments)
    except Exception as error:
        came, value = "error", error
    sys.modules["__main__"].answered(PKG, came, value)
'''
OUTGROWS = '''def outgrows(make, call, count):
    """It is done once. What much of it takes is measured elsewhere (`pacing.py`)."""
    call(make(count))
    return False
'''
MOST_SHOWN = 300  # characters of a value in a message


@dataclass(frozen=True)
class Paced:
    """Expected of a call: that its time grows in proportion, with so many things and more."""

    count: int


@lru_cache(maxsize=512)
def sealed(text: str) -> tuple[str, Mapping[str, Any]]:
    """A generated test file without its answers, and the answers by the test's name (`test_x[c3]`). A file of another
    make stays as it is, without any."""
    body = ast.parse(text).body
    functions = {one.name: one for one in body if isinstance(one, ast.FunctionDef)}
    rows = {name: list(_rows(one)) for name, one in functions.items() if name.startswith("test_")}
    if "check" not in functions or not all(rows.values()):
        return text, {}
    counts = {name for name, one in functions.items() if "return not outgrows(" in ast.unparse(one)}
    answers, cuts = dict[str, Any](), list[tuple[tuple[int, int], tuple[int, int], str]]()
    for name, found in rows.items():
        for given, expected, place in found:
            answers[f"{name}[{place}]"] = _value(expected)
            if name.removeprefix("test_") in counts:
                answers[f"{name}[{place}]"] = Paced(_value(given)[0])
            cuts.append((*extent(expected), "None"))
    cuts.append((*extent(functions["check"]), CHECK.rstrip("\n")))
    if "outgrows" in functions:
        cuts.append((*extent(functions["outgrows"]), OUTGROWS.rstrip("\n")))
    return cut(text, cuts), answers


def _rows(function: ast.FunctionDef) -> list[tuple[ast.expr, ast.expr, str]]:
    """What is given, what is expected, and the id, of each `pytest.param(given, expected, id=...)` above a test."""
    found = []
    for mark in function.decorator_list:
        for call in ast.walk(mark):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.param" and len(call.args) == 2:
                (place,) = [one.value for one in call.keywords if one.arg == "id"]
                found.append((call.args[0], call.args[1], str(ast.literal_eval(place))))
    return found


def _value(expected: ast.expr) -> Any:
    """The value of a literal of our own, with what `families/writing.py` uses beside Python's."""
    names = {"__builtins__": {}, "Raises": Raises, "Fraction": Fraction}
    return eval(compile(ast.Expression(expected), "expected", "eval"), names)  # nosec B307: text that we have written


def extent(node: ast.expr | ast.stmt) -> tuple[tuple[int, int], tuple[int, int]]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def cut(text: str, cuts: list[tuple[tuple[int, int], tuple[int, int], str]]) -> str:
    """The text with each extent (line from 1, column in bytes) replaced."""
    data = text.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for (first, begin), (last, end), new in sorted(cuts, reverse=True):
        data = data[: starts[first - 1] + begin] + new.encode() + data[starts[last - 1] + end :]
    return data.decode()


def verdict(said: Any, expected: Any) -> str:
    """What is wrong with what a test told (`examine.answered`), "" if nothing. Anything may be in it: a stranger's code
    runs beside what tells."""
    try:
        if "raised" in said:
            names, came = [str(one) for one in said["raised"]], str(said["message"])
            if isinstance(expected, Raises):
                return "" if expected.error in names else f"{expected!r} was due, and there came {came}"
            return f"{_shown(expected)} was due, and there came {came}"
        value = opened(said["value"])
        if not isinstance(expected, Raises) and plain(value) == plain(expected):
            return ""
        return f"{_shown(expected)} was due, and there came {_shown(value)}"
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError, RecursionError):
        return f"{_shown(expected)} was due, and nothing came that could be read: {_shown(said)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


class Odd:
    """A value of a kind that no answer has. It equals nothing."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


OPENED: Mapping[str, Callable[[Any], Any]] = {
    "none": lambda value: None,
    "bool": lambda value: _of(value, bool),
    "int": lambda value: int(_of(value, str), 16),
    "float": lambda value: _of(value, float, int) * 1.0,
    "str": lambda value: _of(value, str),
    "bytes": lambda value: bytes.fromhex(value),
    "fraction": lambda value: Fraction(int(value[0], 16), int(value[1], 16)),
    "decimal": lambda value: Decimal(_of(value, str)),
    "list": lambda value: [opened(one) for one in _of(value, list)],
    "tuple": lambda value: tuple(opened(one) for one in _of(value, list)),
    "set": lambda value: {opened(one) for one in _of(value, list)},
    "dict": lambda value: {opened(key): opened(one) for key, one in _of(value, list)},
    "odd": lambda value: Odd(str(value)),
}


def opened(told: Any) -> Any:
    """A value as `examine.as_told` wrote it. ValueError, TypeError or the like for what it never wrote."""
    kind, value = told
    return OPENED[kind](value)


def _of(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise ValueError("another kind")
    return value


def plain(value: Any) -> Any:
    """As the hidden tests compare (`families/writing.py`): 1 is not True, and a tuple may stand for a list."""
    if isinstance(value, bool) or value is None:
        return [type(value).__name__, value]
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value
