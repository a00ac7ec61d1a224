"""Examples in the docstrings of a history's code: which there are, and which a commit wrote or changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from takt.stations.codedesk.collecting import DOCSTRINGS
from takt.stations.codedesk.examples import docstrings
from takt.stations.codedesk.layouts import FILES, as_imported, roots_of
from takt.stations.codedesk.mining.history import History
from takt.stations.codedesk.mining.runner import Runner
from takt.stations.codedesk.tickets import as_text
from takt.stations.codedesk.trees import source_text

Names = Mapping[str, tuple[str, str]]  # of a tree: path -> (mode, blob)


def examples_in(history: History, names: Names, paths: Iterable[str], runner: Runner) -> dict[str, str]:
    """The examples of these files of code, as they are laid: where -> text."""
    code = {path: names[path] for path in paths if path in names and path.endswith(".py") and not runner.belongs(path)}
    found: dict[str, str] = {}
    said = history.files({path: names[path] for path in FILES if path in names}) if code else {}
    lie = roots_of({path: text for path, text in said.items() if isinstance(text, str)}, names)
    for path, file in history.files(code).items():
        found |= docstrings(as_imported(path, lie), as_text(source_text(file)))
    return found


def examples_changed(
    history: History, before: Names, after: Names, paths: Collection[str], runner: Runner
) -> dict[str, str]:
    """Those of these files that are not what they were; {} where docstrings are no tests."""
    if not runner.docstrings:
        return {}
    was = examples_in(history, before, paths, runner)
    return {where: text for where, text in examples_in(history, after, paths, runner).items() if was.get(where) != text}


def where_examples_are(history: History, names: Names, laid: Collection[str], runner: Runner) -> Collection[str]:
    """Where the examples of a tree would be laid; none are looked for where none are laid so far."""
    any_laid = any(path.startswith(DOCSTRINGS) for path in laid)
    return examples_in(history, names, names, runner) if any_laid else ()
