"""Which files beside code a commit's tests read, by the words in them: nobody could write those from a ticket's text.

Tests name a file by its name, by a path, by a pattern (an f-string's or a glob's), or by a folder that holds no code.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import PurePosixPath

from takt.stations.codedesk.tickets import as_bytes, file_of
from takt.stations.codedesk.trees import Link, parsed

Tree = Mapping[str, str | bytes]
LONGEST_WORD = 300  # characters; longer constants are no paths
MOST_TOLD, MOST_OF_ONE = 4000, 1500  # characters of files' texts in a ticket


def named_by(tests: Iterable[str | bytes], among: Iterable[str], tree: Tree) -> list[str]:
    """Files of `among` that these tests name; code is never one of them."""
    code = {parent for path in tree if path.endswith(".py") for parent in PurePosixPath(path).parents}
    words = {word for text in tests for word in _words(text)}
    return [path for path in among if not path.endswith(".py") and any(_means(word, path, code) for word in words)]


def _words(text: str | bytes) -> Iterator[tuple[str, ...]]:
    """Constants of a file that may be paths, as their parts; what an f-string fills in is `*`."""
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        word = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value
        elif isinstance(node, ast.JoinedStr):
            word = "".join(str(one.value) if isinstance(one, ast.Constant) else "*" for one in node.values)
        parts = tuple(part for part in word.split("/") if part not in ("", ".", ".."))
        if parts and len(word) <= LONGEST_WORD and word.isprintable():
            yield parts


def _means(word: tuple[str, ...], path: str, code: set[PurePosixPath]) -> bool:
    where = PurePosixPath(path)
    if not any(one.isalnum() for one in word[-1]):  # `*` means all and says nothing
        return False
    if _ends(where, word):
        return True
    return any(folder not in code and folder.name and _ends(folder, word) for folder in where.parents)


def _ends(path: PurePosixPath, word: tuple[str, ...]) -> bool:
    last = path.parts[-len(word) :]
    return len(last) == len(word) and all(fnmatch(part, one) for part, one in zip(last, word, strict=True))


def resolved(tree: Tree, path: str) -> str | bytes | None:
    """A file, or the one that a link leads to; None where there is none."""
    for _ in range(10):
        file = tree.get(path)
        if not isinstance(file, Link):
            return file
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.decode(errors="replace")))
    return None


def told_of(files: Mapping[str, str]) -> str:
    """A paragraph for a ticket: what tests read, and what it holds, as far as there is room; "" for none."""
    if not files:
        return ""
    parts, left = ["Its tests read these files, which are laid for them as they are here:"], MOST_TOLD
    for path, text in files.items():
        if isinstance(file_of(text), bytes):
            parts.append(f"- {path}, {len(as_bytes(text)):,} bytes that are no text")
            continue
        shown = text[: min(left, MOST_OF_ONE)]
        left -= len(shown)
        cut = f", the first {len(shown):,} of {len(text):,} characters" if len(shown) < len(text) else ""
        body = "\n".join(f"    {line}" for line in shown.splitlines())
        parts.append(f"- {path}{cut}" + (f":\n\n{body}" if body.strip() else ""))
    return "\n\n".join(parts)
