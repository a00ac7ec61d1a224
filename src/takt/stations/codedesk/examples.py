"""Doctests: a text in which one answer is another, so that right code fails it (`altering.py` says what for); and the
examples in the docstrings of a package's own code as such texts, which can be laid over a tree without that code.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from random import Random

from takt.stations.codedesk.collecting import DOCSTRINGS, EXAMPLE

OWN_NAMES = "    >>> globals().update(vars(__import__({module!r}, fromlist=['*'])))\n"
SKIPS = doctest.SKIP, doctest.IGNORE_EXCEPTION_DETAIL


def node_of(path: str) -> str:
    """The node id of a text's examples: pytest has one test for all of them."""
    return f"{path}::{PurePosixPath(path).name}"


def altered_examples(text: str, rng: Random) -> str:
    """The text with another answer expected of one of its examples; as it is where none can be."""
    try:
        found = [one for one in doctest.DocTestParser().get_examples(text) if _is_asked(one)]
    except ValueError:
        return text
    if not found:
        return text
    one = rng.choice(found)
    last = one.lineno + one.source.count("\n") + one.want.count("\n") - 1
    lines = text.expandtabs().splitlines(keepends=True)
    lines[last] = f"{lines[last].rstrip()} {rng.randrange(10, 99)}\n"
    return "".join(lines)


def _is_asked(one: doctest.Example) -> bool:
    return bool(one.want.strip()) and one.exc_msg is None and not any(one.options.get(flag) for flag in SKIPS)


def docstrings(path: str, text: str) -> dict[str, str]:
    """The docstrings of a file of code that have examples, each as a text of its own: path -> text. Names are the
    module's own, as they are where pytest runs its docstrings (`--doctest-modules`)."""
    if EXAMPLE not in text:
        return {}
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    module = re.sub(r"(^|\.)__init__$", "", path.removeprefix("src/").removesuffix(".py").replace("/", "."))
    found = {}
    for name, said in _documented(tree, ()):
        if EXAMPLE in said and module:
            what = ".".join((module, *name))
            where = f"{DOCSTRINGS}{module}/{'.'.join(name) or '-'}.txt"
            found[where] = f"{what}, by its docstring\n\n{OWN_NAMES.format(module=module)}\n{inspect.cleandoc(said)}\n"
    return found


def _documented(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Docstrings of a module, its classes, functions and methods, as doctest finds them, by name."""
    if said := ast.get_docstring(node, clean=False):
        yield name, said
    for one in node.body:
        if isinstance(one, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            yield from _documented(one, (*name, one.name))
