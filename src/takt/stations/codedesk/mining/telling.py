"""What a mined ticket says: the commit's message, and the public names that its tests will look for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from takt.printable import printable
from takt.stations.codedesk.tickets import Kind
from takt.stations.codedesk.trees import parsed

Tree = Mapping[str, str | bytes]
KINDS: tuple[tuple[Kind, str], ...] = (
    ("defect", r"\b(fix(e[sd])?|bugs?|regression|crash(es)?|wrong|broken|error|issue)\b"),
    ("speed", r"\b(speed|faster|performance|perf|optimi[sz]e[sd]?|quicker|slow)\b"),
    (
        "refactoring",
        r"\b(refactor(ed|ing|s)?|renam(e[sd]?|ing)|move[sd]?|clean(ed|s)?[ -]?up|simplif(y|ied)|split|tidy)\b",
    ),
)
MOST_NAMES = 40
MOST_TEXT = 6000  # characters of a message
LATER = re.compile(
    r"^\s*(signed-off-by|co-authored-by|reviewed-by|change-id|cherry[- ]picked|\(cherry picked|see merge request|"
    r"approved-by|closes? merge request|# ?conflicts|conflicts:|#?\t\S+$).*$",
    re.I | re.M,
)
MERGE = re.compile(  # what git, GitHub, GitLab, Bitbucket and Gerrit call a merge: it does not say of what
    r"^(merge (pull request|branch|branches|remote-tracking branch|commit|tag|changes)\b|merge \S+ into \S+$|"
    r"merged in \S+ \(pull request|merged? (pr|mr) ?[#!]?\d+|auto(matic)? ?merge|merge$)",
    re.I,
)


def kind_of(message: str) -> Kind:
    """The kind of a change, by the words of its message's first line, then of the rest."""
    for text in (message.splitlines()[0] if message else "", message):
        for kind, words in KINDS:
            if re.search(words, text, flags=re.I):
                return kind
    return "feature"


def without_merge(message: str) -> str:
    """The message without a first line that only says that something was merged, and without what tools add."""
    said = LATER.sub("", printable_lines(message)).strip()
    first, _, rest = said.partition("\n")
    return without_merge(rest) if MERGE.match(first.strip()) else said


def title_of(message: str, merged: Sequence[str] = ()) -> str:
    """What a commit is about, in a line: its message's first that says so, else one of what it merged, else ""."""
    first = without_merge(message).partition("\n")[0].strip()
    if first:
        return first
    others = [one for one in map(title_of, reversed(merged)) if one]
    return f"{others[0]} (and {len(others) - 1} more)" if len(others) > 1 else "".join(others)


def text_of(
    message: str, between: Sequence[str], before: Tree, after: Tree, tests: Tree, title: str = ""
) -> tuple[str, tuple[str, ...]]:
    """The ticket's text, and the names in it; its title, which stands above it, is not said again if there is more to
    say. `between`: subjects of the commits since the last ticket."""
    said = without_merge(message)[:MOST_TEXT].strip()
    first, _, rest = said.partition("\n")
    said = rest.strip() if first.strip() == title else said
    parts = [said] if said else []
    if between := [one for one in between if one != title]:
        parts.append(
            "Part of it, or done before it without tests of their own:\n"
            + "\n".join(f"- {printable(one)[:160]}" for one in between[-12:])
        )
    new, gone, other = changed_names(before, after)
    named = [name for name, _ in [*new, *other]]
    for above, names in (("New public names", new), ("Changed", other)):
        if names:
            parts.append(f"{above}:\n" + "\n".join(f"- {shown}" for _, shown in names[:MOST_NAMES]))
    if gone:
        parts.append("No longer there:\n" + "\n".join(f"- {name}" for name in gone[:MOST_NAMES]))
    asked = [one for one in imports_of(tests, before, after) if one not in named]
    if asked:
        parts.append("Its tests import, too:\n" + "\n".join(f"- {one}" for one in asked[:MOST_NAMES]))
    return "\n\n".join(parts or [title]) + "\n", tuple([*named, *asked][:MOST_NAMES])


def printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.splitlines())


def changed_names(before: Tree, after: Tree) -> tuple[list[tuple[str, str]], list[str], list[tuple[str, str]]]:
    """New public names, those that are gone, and those whose signature is another: as name, and as it is shown."""
    paths = sorted({*before, *after})
    old: dict[str, str] = {}
    now: dict[str, str] = {}
    for path in paths:
        if path.endswith(".py") and before.get(path) != after.get(path):
            old |= public_names(path, before.get(path, ""))
            now |= public_names(path, after.get(path, ""))
    new = [(name, shown) for name, shown in now.items() if name not in old]
    gone = [name for name in old if name not in now]
    other = [(name, f"{shown} (was {old[name]})") for name, shown in now.items() if name in old and old[name] != shown]
    return new, gone, other


def module_of(path: str) -> str:
    """The dotted name by which a file is imported."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def public_names(path: str, text: str | bytes) -> dict[str, str]:
    """Functions, classes, methods and constants of a file that do not begin with `_`, with their signatures."""
    try:
        body = parsed(text).body
    except (SyntaxError, ValueError, RecursionError):
        return {}
    module, found = module_of(path), dict[str, str]()
    for node in body:
        for name, shown in _names_of(node):
            if not name.startswith("_"):
                found[f"{module}.{name}"] = f"{module}.{shown}"
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                for name, shown in _names_of(inner):
                    if name == "__init__" or not name.startswith("_"):
                        found[f"{module}.{node.name}.{name}"] = f"{module}.{node.name}.{shown}"
    return found


def _names_of(node: ast.stmt) -> Iterable[tuple[str, str]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, f"{node.name}({ast.unparse(node.args)})"
    elif isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        yield node.name, f"{node.name}({bases})" if bases else node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target.id, target.id


def imports_of(tests: Tree, before: Tree, after: Tree) -> list[str]:
    """What tests import of the repository's own modules, and the tree before has not."""
    modules = {module_of(path) for path in after if path.endswith(".py")}
    there: set[str] = set()
    for path, text in before.items():
        if path.endswith(".py"):
            there |= {module_of(path), *_all_names(path, text)}
    found: list[str] = []
    for text in tests.values():
        try:
            tree = parsed(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in modules and not node.level:
                found += [f"{node.module}.{one.name}" for one in node.names]
            elif isinstance(node, ast.Import):
                found += [one.name for one in node.names if one.name in modules]
    return sorted({one for one in found if one not in there and not one.endswith(".*")})


def _all_names(path: str, text: str | bytes) -> set[str]:
    """All that can be imported of a file, also what it has imported itself."""
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError, RecursionError):
        return set()
    module = module_of(path)
    names = {name for node in tree.body for name, _ in _names_of(node)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(one.asname or one.name).split(".")[0] for one in node.names}
    return {f"{module}.{name}" for name in names}
