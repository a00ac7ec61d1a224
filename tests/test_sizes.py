"""Files and classes stay small enough to read: what does not says why, in its docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

SRC = Path(__file__).parents[1] / "src/takt"
FILE, CLASS = 400, 300  # lines
REASON = re.compile(r"^Long because: .{20}", re.MULTILINE)


def test_a_file_of_more_than_400_lines_says_why_in_its_head() -> None:
    texts = {path.relative_to(SRC): path.read_text() for path in SRC.rglob("*.py")}
    long = {path: text for path, text in texts.items() if text.count("\n") > FILE}
    without = [f"{path}: {text.count(chr(10))}" for path, text in long.items() if not _says_why(ast.parse(text))]
    assert not without
    assert len(texts) > 100


def test_a_class_of_more_than_300_lines_says_why() -> None:
    found = []
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and (lines := (node.end_lineno or 0) - node.lineno + 1) > CLASS:
                found += [] if _says_why(node) else [f"{path.relative_to(SRC)}: class {node.name}, {lines} lines"]
    assert not found


def _says_why(there: ast.Module | ast.ClassDef) -> bool:
    return bool(REASON.search(ast.get_docstring(there) or ""))
