"""Files of tests statement by statement: what of one cannot be run on a tree, and the file without that.

A statement that may fail as its file is imported is a part: each name of an import, a definition with what is worked
out as it is made (decorators, bases, defaults), and any other statement at the top or in a class. Parts are numbered as
they stand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from takt.stations.codedesk.trimming import Defined, Import, first_line, local_name, parsed, shares_lines

NOTED = "takt_missing"  # where in `sys` it is kept what could not be run (`examine.py`)
Place = tuple[str, int]  # a file, and which of its parts


@dataclass(frozen=True)
class Part:
    """`name`: of a definition, with the classes that it is in (`TestA.test_x`); "" for anything else. `alias`: of an
    import, which of its names. `beside`: the statements of the same block."""

    node: ast.stmt
    beside: tuple[ast.stmt, ...]
    name: str = ""
    alias: ast.alias | None = None

    @property
    def called(self) -> str:
        """What an import or a definition binds, "" for anything else."""
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
    """The file without these parts, or with other definitions in their place (lines of text). All else stays in its
    lines, but for what is below a longer definition."""
    lines, parts = text.split("\n"), parts_of(text)
    edits: dict[int, tuple[int, int, list[str]]] = {}
    imports: dict[int, list[ast.alias]] = {}
    last_of: dict[int, tuple[int, list[str]]] = {}
    for place in sorted(places):
        part = parts[place]
        node, first, last = part.node, first_line(part.node), part.node.end_lineno or part.node.lineno
        if shares_lines(node, part.beside):
            continue
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        new = [f"{indent}pass"]
        if part.alias is not None:
            gone = imports.setdefault(id(node), [])
            gone.append(part.alias)
            assert isinstance(node, Import)
            left = [one for one in node.names if one not in gone]
            new = [indent + ast.unparse(_of_names(node, left))] if left else new
        elif (older := (instead or {}).get(place, "")) and len(older) - len(older.lstrip()) == len(indent):
            new = older.split("\n")
        edits[id(node)] = first, last, new + [""] * (last - first - len(new))
    done = 0
    for first, last, new in sorted(edits.values(), key=lambda one: one[:2]):
        if first >= done:  # or it lies in a class that goes as a whole
            last_of[first], done = (last, new), last
    for first, (last, new) in sorted(last_of.items(), reverse=True):
        lines[first:last] = new
    made = "\n".join(lines)
    return made if parsed(made) is not None else text


def definition(text: str, name: str) -> str:
    """The lines of a definition (`test_x`, `TestA.test_x`) with its decorators, "" if there is none or several."""
    tree = parsed(text)
    found = [] if tree is None else [node for node in _named(tree.body, "") if node[0] == name]
    if len(found) != 1:
        return ""
    node = found[0][1]
    return "\n".join(text.split("\n")[first_line(node) : node.end_lineno])


def _named(body: Iterable[ast.stmt], above: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, Defined):
            yield above + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _named(node.body, f"{above}{node.name}.")


def _parts(body: list[ast.stmt], above: str) -> Iterator[Part]:
    beside = tuple(body)
    for place, node in enumerate(body):
        if _harmless(node, place):
            continue
        if isinstance(node, Import):
            yield from (Part(node, beside, alias=one) for one in node.names)
        else:
            name = above + node.name if isinstance(node, Defined) else ""
            yield Part(node, beside, name)
            if isinstance(node, ast.ClassDef):
                yield from _parts(node.body, f"{name}.")


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
