"""State to files: templates of the reference's source, and the tests, README and change log beside it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takt.stations.codedesk.families.state import Ask, Family, Posed, Raises, State

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
HEADER = '''\
"""{title}"""

import copy
import importlib
import sys
import warnings
from fractions import Fraction

import pytest

PKG = importlib.import_module("{package}")


class Raises:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"an error of {{self.name}}"


def plain(value):
    if isinstance(value, bool) or value is None:
        return [type(value).__name__, value]
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {{key: plain(one) for key, one in value.items()}}
    return value


BEGIN = ("start_new_thread", "fork", "forkpty", "posix_spawn", "posix_spawnp", "fork_exec", "system")


def steps(call):
    """Lines of Python that a call goes through, in whatever file. There is no end to them where the count was put out,
    or threads and processes were begun to do the work."""
    counted = entered = left = begun = 0

    def within(frame, event, arg):
        nonlocal counted, left
        counted += event == "line"
        left += event == "return"
        return within

    def trace(frame, event, arg):
        nonlocal entered
        entered += 1
        return within

    def profile(frame, event, arg):
        nonlocal begun
        begun += event == "c_call" and arg.__name__ in BEGIN

    before = sys.gettrace(), sys.getprofile()
    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        call()
    finally:
        kept = sys.gettrace() is trace and sys.getprofile() is profile
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return counted if kept and left >= entered and not begun else float("inf")


def outgrows(make, call, count):
    """Whether more takes steps out of proportion. What is spent alike on little and on much does not hide it."""
    given = [make(number) for number in (count // 3, count // 2, count, 2 * count)]  # the first, for what is done once
    _, half, once, twice = (steps(lambda: call(one)) for one in given)
    return max(half, once, twice) > 20_000 + 2_000 * count or twice - once > 2.7 * max(once - half, 50)


def check(call, arguments, expected):
    arguments = copy.deepcopy(arguments)
    if isinstance(expected, Raises):
        with pytest.raises(getattr(PKG, expected.name)):
            call(*arguments)
    else:
        assert plain(call(*arguments)) == plain(expected)
'''


@cache
def environment(family: str) -> Environment:
    """The family's templates: a line that begins with `#%` is the template's own, `<<name>>` is replaced."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def load(name: str) -> str:
        text = (TEMPLATES / family / name).read_text(encoding="utf-8")
        return re.sub(r"^[ \t]*#%[ \t]*(.*)$", r"<% \1 %>", text, flags=re.MULTILINE)

    return Environment(  # nosec B701: what is written is Python, not HTML
        loader=FunctionLoader(load),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )


def fill(family: str, template: str, state: State, **more: Any) -> str:
    """A template as this state fills it, with at most two empty lines in a row and one newline at the end."""
    text = (
        environment(family)
        .get_template(template)
        .render(**state.facts, on=_Features(dict.fromkeys(state.on, True)), bad=state.wrong, state=state, **more)
    )
    return tidy(text)


class _Features(dict[str, bool]):
    """Features by name; one that is not there is off."""

    def __missing__(self, key: str) -> bool:
        return False


def tidy(text: str) -> str:
    """Lines without spaces at their end; never more than two empty lines in a row, none at either end."""
    lines: list[str] = []
    for line in text.splitlines():
        line = line.rstrip()
        if line or (lines and (lines[-1] or len(lines) < 2 or lines[-2])):
            lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n" if lines else ""


def whole_tree(family: Family, state: State) -> dict[str, str]:
    """Sources, the package's own tests, README and change log."""
    tree = family.tree(state)
    model = family.model(state)
    tests: dict[str, list[str]] = {}
    for area, name, questions in state.own:
        posed = [one for one in map(model.pose, questions) if one is not None and not one.notes & state.wrong]
        tests.setdefault(area, []).extend(_own_test(family.asks(state.facts), state.facts["pkg"], name, posed))
    for area, lines in tests.items():
        tree[f"tests/test_{area}.py"] = _own_file(area, state.facts["pkg"], lines)
    tree["README.md"] = readme(family, state)
    tree["CHANGELOG.md"] = tidy("# Changes\n\n" + "\n".join(f"- {line}" for line in reversed(state.log)) + "\n")
    tree["pyproject.toml"] = _packaging(state)
    return dict(sorted(tree.items()))


def readme(family: Family, state: State) -> str:
    """What the package does, a section for each thing that was asked for."""
    model = family.model(state)
    parts = [f"# {state.facts['pkg']}\n\n{state.facts['summary']}\n\nGeneral rules: docs/conventions.md.\n"]
    for told in state.told.values():
        parts.append(f"## {told.title}\n\n" + "\n".join(textwrap.fill(line, 100) for line in told.lines) + "\n")
        shown = examples(family.asks(state.facts), state, filter(None, map(model.pose, told.examples)))
        if shown:
            parts.append("\n".join(f"    {line}" for line in shown) + "\n")
    return tidy("\n".join(parts))


def examples(asks: Mapping[str, Ask], state: State, posed: Iterable[Posed]) -> list[str]:
    """Questions with their answers, as one would read them."""
    shown = []
    for one in posed:
        call = asks[one.ask].example(state.facts["pkg"], one.given)
        if call is not None and not one.notes & state.wrong and len(call) < 150:
            ends = f"raises {one.expected.error}" if isinstance(one.expected, Raises) else f"gives {one.expected!r}"
            shown.append(f"{call}  {ends}")
    return shown


def _own_test(asks: Mapping[str, Ask], package: str, name: str, posed: list[Posed]) -> list[str]:
    lines = []
    for one in posed:
        call = asks[one.ask].example(package, one.given)
        if call is None:
            continue
        if isinstance(one.expected, Raises):
            lines += [f"    with pytest.raises({package}.{one.expected.error}):", f"        {call}"]
        elif isinstance(one.expected, bool) or one.expected is None:
            call = f"({call})" if re.search(r" (is|==|<|and) ", call) else call
            lines.append(f"    assert {call} is {one.expected!r}")
        else:
            lines.append(f"    assert {call} == {one.expected!r}")
    return ["", "", f"def test_{name}():", *lines] if lines else []


def _own_file(area: str, package: str, lines: list[str]) -> str:
    text = "\n".join(lines)
    imports = [f"import {name}" for name in ("copy", "importlib", "sys", "warnings") if f"{name}." in text]
    imports += ["from fractions import Fraction"] if "Fraction(" in text else []
    imports += [""] if imports else []
    if "pytest." in text:
        imports += ["import pytest", ""]
    return tidy("\n".join([f'"""{area.capitalize()}."""', "", *imports, f"import {package}", text]) + "\n")


def _packaging(state: State) -> str:
    package, root = state.facts["pkg"], state.facts["root"]
    where = f'where = ["{root or "."}"]\ninclude = ["{package}*"]'
    return (
        '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{package.replace("_", "-")}"\nversion = "0.1.0"\n'
        f'description = "{state.facts["summary"]}"\nrequires-python = ">=3.9"\n\n'
        f"[tool.setuptools.packages.find]\n{where}\n\n"
        f'[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["{root or "."}"]\n'
    )


def settings(state: State) -> dict[str, str]:
    """Test configuration of every generated ticket."""
    root = state.facts["root"] or "."
    return {
        "pytest.ini": f"[pytest]\npythonpath = {root}\naddopts = -p no:cacheprovider\n",
        "conftest.py": "",
        "tests/conftest.py": "",
    }


def hidden_path(number: int) -> str:
    return f"tests/hidden/test_ticket_{number:04}.py"


def hidden_file(asks: Mapping[str, Ask], package: str, title: str, posed: list[Posed]) -> str:
    """The text of a pytest file that asks these questions. A test's id is the question's place in the list."""
    title = title.replace('"', "'").replace("\\", "/")
    parts = [HEADER.format(title=title, package=package)]
    for name in dict.fromkeys(one.ask for one in posed):
        ask = asks[name]
        body = "\n".join(f"    {line}" for line in ask.body)
        rows = "\n".join(
            f'        pytest.param({one.given!r}, {one.expected!r}, id="c{place}"),'
            for place, one in enumerate(posed)
            if one.ask == name
        )
        parts.append(
            f"\n\ndef {name}({ask.parameters}):\n{body}\n\n\n"
            f'@pytest.mark.parametrize(\n    ("arguments", "expected"),\n    [\n{rows}\n    ],\n)\n'
            f"def test_{name}(arguments, expected):\n    check({name}, arguments, expected)\n"
        )
    return "".join(parts)


def node(number: int, ask: str, place: int) -> str:
    """The node id of a hidden test."""
    return f"{hidden_path(number)}::test_{ask}[c{place}]"
