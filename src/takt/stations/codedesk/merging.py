"""The known solution's own change, laid over a tree that an agent wrote: the ticket, solved where it stands.

Three ways, as `git merge-file` does (the parent commit's file, the agent's, the commit's), and where lines conflict, by
what a Python file defines: a function, a class's method, a name, an import. Whole files are never laid where the agent
has one of its own, for the commit's files bring what earlier commits wrote, and the agent may have written otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from takt.stations.codedesk.trees import File, Tree, as_file, laid_over

Merge = Callable[[bytes, bytes, bytes], bytes | None]  # ours, base and theirs to one text; None where lines conflict
Key = tuple[str, str, int]
Import = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Merged:
    """A tree with a change in it.

    unsure   files of code in which agent and commit changed the same; they are the commit's there.
    kept     files that are no code, of which that is so; they are the agent's, or the commit's if that was asked for.
    """

    tree: Mapping[str, File]
    unsure: tuple[str, ...]
    kept: tuple[str, ...]


def with_change(
    tree: Tree,
    before: Mapping[str, str | bytes],
    change: Mapping[str, str | bytes | None],
    merge: Merge,
    texts_too: bool = False,
) -> Merged:
    """The tree with what a change does to `before` done to it. `change` is path -> whole file, None where deleted.
    `texts_too`: of files that are no code the commit's is taken too, where lines conflict."""
    new: dict[str, File | None] = {}
    unsure: list[str] = []
    kept: list[str] = []
    for path, after in change.items():
        ours, base = tree.get(path), as_file(before[path]) if path in before else None
        theirs = None if after is None else as_file(after)
        if ours == theirs or (ours is not None and theirs is not None and ours[1] == theirs[1]):
            continue
        if (ours and ours[1]) == (base and base[1]):
            new[path] = theirs
            continue
        both = ours and base and theirs and not any(one[0] == "l" for one in (ours, base, theirs))
        text, sure = None, False
        if both and ours and base and theirs:  # and not on one side alone, or a link
            text = merge(ours[1], base[1], theirs[1])
            sure = text is not None
            if text is None and path.endswith(".py"):
                text, sure = by_name(ours[1], base[1], theirs[1])
        if not sure:
            (unsure if path.endswith(".py") else kept).append(path)
        if sure or texts_too or path.endswith(".py"):
            new[path] = theirs if text is None or theirs is None else (theirs[0], text)
    return Merged(laid_over(tree, new), tuple(unsure), tuple(kept))


def by_name(ours: bytes, base: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """A Python file with what was changed from `base` to `theirs` done to `ours`, definition by definition; and whether
    `ours` had left all of those as they were. What it had not is theirs now, and so is all of a file that is no
    Python."""
    try:
        pieces = [Pieces.of(file.decode("utf-8-sig")) for file in (ours, base, theirs)]
        text, sure = _by_name(*pieces)
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return theirs, False
    return text.encode(), sure


@dataclass(frozen=True)
class Pieces:
    """The statements of a module or a class with their lines; what stands before the first, and after the last."""

    head: str
    texts: dict[Key, str]
    nodes: dict[Key, ast.stmt]
    tail: str

    @classmethod
    def of(cls, text: str) -> Pieces:
        """Of a module. SyntaxError where it is none, ValueError where two statements share a line."""
        lines = text.split("\n")
        return cls.among(ast.parse(text).body, lines, 0, len(lines))

    @classmethod
    def among(cls, body: list[ast.stmt], lines: list[str], at: int, end: int) -> Pieces:
        texts: dict[Key, str] = {}
        nodes: dict[Key, ast.stmt] = {}
        for node in body:
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) - 1
            last = node.end_lineno or node.lineno
            if first < at:
                raise ValueError("two statements share a line")
            kind, name = _name(node)
            key = next(key for nth in range(len(body)) if (key := (kind, name, nth)) not in texts)
            texts[key], nodes[key], at = "\n".join(lines[at:last]), node, last
        return cls("", texts, nodes, "\n".join(lines[at:end]))


def _name(node: ast.stmt) -> tuple[str, str]:
    """By what a statement is known: a name that it defines, or all that it says."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return "name", node.name
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return "name", ", ".join(map(ast.unparse, targets))
    if isinstance(node, ast.ImportFrom):
        return "from", f"{'.' * node.level}{node.module or ''}"
    return "says", ast.dump(node)


def _by_name(ours: Pieces, base: Pieces, theirs: Pieces) -> tuple[str, bool]:
    texts, sure = dict(ours.texts), True
    before: Key | None = None
    for key, node in theirs.nodes.items():
        there, was = ours.nodes.get(key), base.nodes.get(key)
        if not (_same(was, node) or _same(there, node)):
            if there is None:
                sure = sure and was is None
                texts = _put(texts, key, theirs.texts[key], before)
            elif _same(there, was):
                texts[key] = theirs.texts[key]
            elif isinstance(node, ast.ImportFrom) and isinstance(there, ast.ImportFrom):
                texts[key] = f"{ours.texts[key]}\n{_new_names(node, was, there)}"
            else:
                texts[key], certain = _inside(ours, base, theirs, key)
                sure = sure and certain
        before = key if key in texts else before
    for key, node in base.nodes.items():
        if key not in theirs.nodes:
            there = ours.nodes.get(key)
            sure = sure and (_same(there, node) or (there is None and key[0] == "name"))
            texts.pop(key, None)
    return "\n".join([*texts.values(), ours.tail]), sure


def _inside(ours: Pieces, base: Pieces, theirs: Pieces, key: Key) -> tuple[str, bool]:
    """A class that was changed on both sides, by what is defined in it; anything else is theirs."""
    classes = [side.nodes.get(key) for side in (ours, base, theirs)]
    if not all(isinstance(one, ast.ClassDef) for one in classes):
        return theirs.texts[key], False
    heads, parts = set(), list[Pieces]()
    for side, node in zip((ours, base, theirs), classes, strict=True):
        assert isinstance(node, ast.ClassDef)
        heads.add(ast.dump(ast.ClassDef(node.name, node.bases, node.keywords, [], node.decorator_list)))
        lines = side.texts[key].split("\n")
        shift = (node.end_lineno or node.lineno) - len(lines)
        inner = node.body[0]
        first = min([inner.lineno, *(one.lineno for one in getattr(inner, "decorator_list", ()))]) - 1 - shift
        if first <= node.lineno - 1 - shift:
            return theirs.texts[key], False
        padded = [""] * shift + lines
        part = Pieces.among(node.body, padded, first + shift, len(padded))
        parts.append(Pieces("\n".join(lines[:first]), part.texts, part.nodes, part.tail))
    if len(heads) > 1:
        return theirs.texts[key], False
    text, sure = _by_name(*parts)
    return f"{parts[0].head}\n{text.removesuffix(chr(10))}", sure


def _put(texts: dict[Key, str], key: Key, text: str, before: Key | None) -> dict[Key, str]:
    """A new statement behind the one that it stands behind in the commit's file, or first."""
    names = list(texts)
    at = names.index(before) + 1 if before in texts else 0
    while before is None and at < len(names) and names[at][0] in ("from", "says"):  # docstring and imports
        at += 1
    return {one: text if one == key else texts[one] for one in [*names[:at], key, *names[at:]]}


def _new_names(node: ast.ImportFrom, was: ast.stmt | None, there: ast.ImportFrom) -> str:
    """Of an import that both have changed: what the commit imports that was not imported before."""
    had = {ast.dump(one) for side in (was, there) if isinstance(side, ast.ImportFrom) for one in side.names}
    names = [one for one in node.names if ast.dump(one) not in had]
    return ast.unparse(ast.ImportFrom(node.module, names, node.level)) if names else ""


def _same(one: ast.stmt | None, other: ast.stmt | None) -> bool:
    return one is not None and other is not None and ast.dump(one) == ast.dump(other)
