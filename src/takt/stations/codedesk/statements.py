"""Files of tests statement by statement: what of one cannot be run on a tree, and the file without that.

A statement that may fail as its file is imported is a part: each name of an import, a definition with what is worked
out as it is made (decorators, bases, defaults), and any other statement at the top or in a class. Parts are numbered as
they stand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from takt.stations.codedesk.collecting import Rules
from takt.stations.codedesk.trimming import Defined, Import, first_line, local_name, parsed, shares_lines

NOTED = "takt_missing"  # where in `sys` it is kept what could not be run (`examine.py`)
Place = tuple[str, int]  # a file, and which of its parts


@dataclass(frozen=True)
class Part:
    """`name`: of a definition or assignment, with the classes that it is in (`TestA.test_x`); "" for anything else.
    `alias`: of an import, which of its names. `beside`: the statements of the same block."""

    node: ast.stmt
    beside: tuple[ast.stmt, ...]
    name: str = ""
    alias: ast.alias | None = None

    @property
    def called(self) -> str:
        """What it binds, "" if nothing of one name."""
        return local_name(self.alias) if self.alias is not None else self.name.rpartition(".")[2]


@lru_cache(maxsize=256)
def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of a file, none where it is no Python."""
    tree = parsed(text)
    return () if tree is None else tuple(_parts(tree.body, ""))


def tolerant(text: str, path: str = "") -> str:
    """The file, but that a part that cannot be run is passed over: so it is seen which of its tests need what is not
    there. With `path` it is noted which (`NOTED`: path, number, why)."""
    tree = parsed(text)
    if tree is None:
        return text
    numbers = iter(range(len(parts_of(text))))

    def caught(node: ast.stmt) -> ast.stmt:
        place = next(numbers)
        if not path:
            return ast.Try([node], [ast.ExceptHandler(ast.Name("Exception"), None, [ast.Pass()])], [], [])
        why = "f'{type(takt_error).__name__}: {takt_error}'"
        noted = f"__import__('sys').__dict__.setdefault({NOTED!r}, []).append([{path!r}, {place}, {why}])"
        handler = ast.ExceptHandler(ast.Name("Exception"), "takt_error", ast.parse(noted).body)
        return ast.Try([node], [handler], [], [])

    body = _caught(tree.body, caught)
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"


def without(text: str, places: Collection[int], instead: Mapping[int, str] | None = None) -> str:
    """The file without these parts, or with others in their place (`binding`). All else stays in its
    lines, but for what is below a longer definition."""
    lines, parts = text.split("\n"), parts_of(text)
    edits: dict[int, tuple[int, int, list[str]]] = {}
    imports: dict[int, tuple[list[ast.alias], list[str]]] = {}
    last_of: dict[int, tuple[int, list[str]]] = {}
    for place in sorted(places):
        part = parts[place]
        node, first, last = part.node, first_line(part.node), part.node.end_lineno or part.node.lineno
        if shares_lines(node, part.beside):
            continue
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        older = (instead or {}).get(place, "")
        new = older.split("\n") if len(older) - len(older.lstrip()) == len(indent) and older else [f"{indent}pass"]
        if part.alias is not None:
            gone, olds = imports.setdefault(id(node), ([], []))
            gone.append(part.alias)
            olds += [older.strip()] if older and "\n" not in older else []
            assert isinstance(node, Import)
            left = [one for one in node.names if one not in gone]
            said = [ast.unparse(_of_names(node, left))] if left else []
            new = [indent + "; ".join([*said, *olds] or ["pass"])]
        edits[id(node)] = first, last, new + [""] * (last - first - len(new))
    done = 0
    for first, last, new in sorted(edits.values(), key=lambda one: one[:2]):
        if first >= done:  # or it lies in a class that goes as a whole
            last_of[first], done = (last, new), last
    for first, (last, new) in sorted(last_of.items(), reverse=True):
        lines[first:last] = new
    made = "\n".join(lines)
    return made if parsed(made) is not None else text


@dataclass(frozen=True)
class Binding:
    """What binds a name: the lines of a definition with its decorators, of an assignment, or an import of that name
    alone; where they stand, and the statement."""

    name: str
    lines: str
    first: int
    last: int
    node: ast.stmt


def binding(text: str, name: str) -> str:
    """The lines by which a file binds a name (`test_x`, `TestA.test_x`); "" if there are none or several."""
    found = [one.lines for one in bindings(text) if one.name == name]
    return found[0] if len(found) == 1 else ""


@lru_cache(maxsize=256)
def bindings(text: str) -> tuple[Binding, ...]:
    """What a file binds at its top and in classes."""
    tree, lines = parsed(text), text.split("\n")

    def within(body: list[ast.stmt], above: str) -> Iterator[Binding]:
        for node in body:
            first, last = first_line(node), node.end_lineno or node.lineno
            if isinstance(node, Import):
                for one in node.names:
                    yield Binding(above + local_name(one), ast.unparse(_of_names(node, [one])), first, last, node)
            elif (name := _name_of(node)) and not shares_lines(node, body):
                yield Binding(above + name, "\n".join(lines[first:last]), first, last, node)
                if isinstance(node, ast.ClassDef):
                    yield from within(node.body, f"{above}{name}.")

    return () if tree is None else tuple(within(tree.body, ""))


def with_imports(lines: str, text: str, was: str) -> str:
    """Lines of a file as it was, at its top, with what they need of its imports and the file has no longer."""
    tree = None if lines[:1].isspace() else parsed(lines)
    used = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)} if tree else set()
    used -= {one.name for one in bindings(text)}
    return "\n".join(
        [*(one.lines for one in bindings(was) if isinstance(one.node, Import) and one.name in used), lines]
    )


def unchanged(text: str, was: str, came: str, rules: Rules) -> str:
    """A file without what a change (`was`, `came`) did to what its tests share: what it binds beside imports and tests
    is as it was, if it was there; what is new is out if it is used without being named (fixtures, pytest's hooks)."""
    lines, names = text.split("\n"), [one.name for one in bindings(text)]
    for one in reversed(bindings(text)):
        name, older = one.name.rpartition(".")[2], binding(was, one.name)
        test = isinstance(one.node, (*Import, ast.ClassDef)) or rules.is_function(name) or name.startswith("test")
        if test or names.count(one.name) > 1 or not one.lines == binding(came, one.name) != older:
            continue
        if older:
            lines[one.first : one.last] = with_imports(older, text, was).split("\n")
        elif name.startswith("pytest_") or "autouse=True" in one.lines:
            lines[one.first : one.last] = [one.lines[: len(one.lines) - len(one.lines.lstrip())] + "pass"]
    made = "\n".join(lines)
    return made if parsed(made) is not None else text


def _name_of(node: ast.stmt) -> str:
    """What a definition, or an assignment to one name, binds; "" for anything else."""
    if isinstance(node, Defined):
        return node.name
    to = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else getattr(node, "target", None)
    return to.id if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(to, ast.Name) else ""


def _parts(body: list[ast.stmt], above: str) -> Iterator[Part]:
    beside = tuple(body)
    for place, node in enumerate(body):
        if _harmless(node, place):
            continue
        if isinstance(node, Import):
            yield from (Part(node, beside, alias=one) for one in node.names)
        else:
            name = _name_of(node)
            yield Part(node, beside, name and above + name)
            if isinstance(node, ast.ClassDef):
                yield from _parts(node.body, f"{above}{name}.")


def _caught(body: list[ast.stmt], caught: Callable[[ast.stmt], ast.stmt]) -> list[ast.stmt]:
    """A block with each part passed over where it fails, in the order of `_parts`."""
    found: list[ast.stmt] = []
    for place, node in enumerate(body):
        if _harmless(node, place):
            found.append(node)
        elif isinstance(node, Import):
            found += [caught(_of_names(node, [one])) for one in node.names]
        else:
            found.append(caught(node))
            if isinstance(node, ast.ClassDef):
                node.body = _caught(node.body, caught)
    return found


def _harmless(node: ast.stmt, place: int) -> bool:
    """Whether a statement cannot fail: a docstring, a definition that works out nothing, an import from the future."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return True
    if isinstance(node, ast.Pass) or (
        not place and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        return True
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.decorator_list:
        return False
    asks = node.args
    notes = [
        one.annotation for one in (*asks.posonlyargs, *asks.args, *asks.kwonlyargs, asks.vararg, asks.kwarg) if one
    ]
    return not any((*asks.defaults, *asks.kw_defaults, *notes, node.returns))


def _of_names(node: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> ast.Import | ast.ImportFrom:
    return ast.Import(names) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, names, node.level)
