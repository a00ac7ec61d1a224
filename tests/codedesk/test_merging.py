"""A known solution's change on a tree that an agent wrote: what it changes is there, and nothing of earlier commits."""

from __future__ import annotations

import pytest

from takt.stations.codedesk.merging import by_name, with_change

BASE = "import a\n\n\ndef f():\n    return 1\n\n\ndef _old(x):\n    return x\n"
THEIRS = BASE.replace("import a\n", "import a\nfrom b import c\n") + "\n\ndef g():\n    return _old(c)\n"


def test_what_a_commit_defines_is_put_in_and_what_the_agent_wrote_otherwise_stays() -> None:
    ours = 'import a\n\n\ndef f():\n    """Mine."""\n    return 1\n'  # which never had _old
    text, sure = by_name(ours.encode(), BASE.encode(), THEIRS.encode())
    assert sure and text.decode().startswith("import a\nfrom b import c\n") and b'"""Mine."""' in text
    assert b"def g" in text and b"def _old" not in text


@pytest.mark.parametrize(
    ("ours", "base", "theirs", "sure", "holds"),
    [
        ("def f():\n    return 2\n", "def f():\n    return 1\n", "def f():\n    return 3\n", False, ["return 3"]),
        ("x = 1\n", "x = 1\ny = 2\n", "x = 1\ny = 3\n", False, ["x = 1", "y = 3"]),  # which the agent never wrote
        ("x = 1\nz = 1\n", "x = 1\n", "x = 1\nz = 2\n", False, ["z = 2"]),
        ("x = 1\nw = 1\n", "x = 1\ny = 2\n", "x = 1\n", True, ["w = 1"]),
        ("from m import a, mine\n", "from m import a\n", "from m import a, new\n", True, ["a, mine", "import new"]),
        ("broken (\n", "x = 1\n", "x = 2\n", False, ["x = 2"]),
        ("x = 1; y = 2\n", "x = 1\n", "x = 2\n", False, ["x = 2"]),
        (
            "class A(B):\n    z = 1\n\n    def f(self):\n        return 7\n",
            "class A(B):\n    def f(self):\n        return 1\n",
            "class A(B):\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n",
            True,
            ["z = 1", "return 7", "    def g(self):\n        return 2"],
        ),
    ],
)
def test_definitions_that_both_changed_are_the_commits_and_said_to_be_unsure(
    ours: str, base: str, theirs: str, sure: bool, holds: list[str]
) -> None:
    text, certain = by_name(ours.encode(), base.encode(), theirs.encode())
    assert certain is sure and all(one in text.decode() for one in holds), text.decode()


def test_files_that_one_side_alone_changed_need_no_merging_and_others_are_asked_for() -> None:
    tree = {path: ("f644", text) for path, text in {"same": b"1", "mine.py": b"7", "both": b"7", "doc": b"7"}.items()}
    before = dict.fromkeys(["same", "gone.py", "both", "doc"], "1")
    change = {"same": "2", "new": "2", "gone.py": "2", "both": "2", "doc": "2", "mine.py": "2"}
    asked = []

    def merge(*sides: bytes) -> bytes | None:
        asked.append(sides)
        return b"both" if len(asked) == 1 else None

    laid = with_change(tree, before, change, merge)
    assert {path: file[1] for path, file in laid.tree.items()} == {
        **dict.fromkeys(["same", "new", "gone.py", "mine.py"], b"2"), "both": b"both", "doc": b"7"
    }  # fmt: skip
    assert laid.unsure == ("gone.py", "mine.py") and laid.kept == ("doc",) and asked == [(b"7", b"1", b"2")] * 2
    other = with_change(tree, before, change, merge, texts_too=True)
    assert other.kept == ("both", "doc") and other.tree["doc"][1] == other.tree["both"][1] == b"2"
