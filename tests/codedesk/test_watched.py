"""What is looked at where tests run: how the steps of tickets about speed are counted, and what decides outcomes."""

from __future__ import annotations

import _thread
import builtins
import os
import sys
import threading
import types
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _pytest.python
import _pytest.reports
import _pytest.runner
import pytest

from takt.stations.codedesk import pristine
from takt.stations.codedesk.families.writing import HEADER

NAMES: dict[str, Any] = {}
exec(compile(HEADER.format(title="x", package="json"), "hidden.py", "exec"), NAMES)


def slow(items: list[int]) -> list[int]:
    found: list[int] = []
    for one in items:
        for other in found:
            if other == one:
                break
        else:
            found.append(one)
    return found


ELSEWHERE: dict[str, Any] = {}
exec(
    compile(
        "def slow(items):\n    for one in items:\n        for other in items:\n            one += other\n",
        "/usr/lib/python3/re.py",
        "exec",
    ),
    ELSEWHERE,
)


def in_a_thread(items: list[int]) -> None:
    one = threading.Thread(target=slow, args=(items,))
    one.start()
    one.join()


def in_a_thread_of_no_class(items: list[int]) -> None:
    done = threading.Event()
    _thread.start_new_thread(lambda: (slow(items), done.set()), ())
    done.wait()


def in_a_process(items: list[int]) -> None:
    pid = os.fork()
    if pid == 0:
        sys.settrace(None)
        slow(items)
        os._exit(0)
    os.waitpid(pid, 0)


def count_put_out(items: list[int]) -> None:
    sys.settrace(None)
    slow(items)


def lines_put_out(items: list[int]) -> None:
    sys._getframe().f_trace = None
    for one in items:
        for _ in items:
            one += 1


def padded(items: list[int]) -> None:
    for _ in range(40_000):
        pass
    slow(items)


def made(number: int) -> list[int]:
    return list(range(number))


@pytest.mark.parametrize(
    "call",
    [slow, ELSEWHERE["slow"], in_a_thread, in_a_thread_of_no_class, in_a_process, count_put_out, lines_put_out, padded],
    ids=["plain", "under another file's name", "in a thread", "in a thread of no class", "in another process",
         "the count put out", "the count of a frame put out", "with much beside it"],
)  # fmt: skip
def test_work_that_grows_with_the_square_is_told_wherever_it_is_done(call: Callable[[list[int]], Any]) -> None:
    assert NAMES["outgrows"](made, call, 60)
    assert sys.gettrace() is None or "trace" not in repr(sys.gettrace())


@pytest.mark.parametrize("count", [40, 150])
def test_work_in_proportion_is_right_also_with_the_library_and_when_it_is_remembered(count: int) -> None:
    import copy
    from functools import cache

    remembered = cache(lambda number: [copy.copy(one) for one in range(number)])
    for call in (
        lambda items: list(dict.fromkeys(items)),
        lambda items: copy.deepcopy([[one] for one in items]),
        lambda items: sorted(items, key=lambda one: -one),
        lambda items: [str(one) for one in items for _ in range(12)],
        lambda items: remembered(len(items)),
    ):
        assert not NAMES["outgrows"](made, call, count)


def test_what_decides_outcomes_is_seen_to_change_and_what_libraries_leave_behind_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = pristine.Pristine()
    assert table.touched() == []
    monkeypatch.setattr(builtins, "__SOME_LIBRARY_S_OWN", 1, raising=False)
    monkeypatch.setattr(_pytest.runner, "_a_value", 1, raising=False)
    assert table.touched() == []
    for owner, name, value in (
        (unittest.TestCase, "assertEqual", lambda *_: None), (unittest.TestCase, "assertOnly", lambda *_: None),
        (_pytest.python.Function, "obj", property(lambda _: None)), (_pytest.runner, "isinstance", isinstance),
        (_pytest.runner.CallInfo, "from_call", classmethod(lambda *_: None)), (builtins, "len", lambda _: 0),
        (vars(_pytest.reports.TestReport)["from_item_and_call"].__func__, "__code__", (lambda: None).__code__),
    ):  # fmt: skip
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, value, raising=False)
            seen = table.touched()
        assert len(seen) == 1, (name, seen)
    assert table.touched() == []


OWN = """
import os.path as where
from json import dumps as made
def helper(): return 1
try:
    def both(): pass
except ImportError:
    both = None
with open(where.devnull) as file:
    for index, len in enumerate("ab"):
        pass
if (size := 3): pytest_generate_tests = None
"""


def test_names_that_decide_and_stand_in_no_file_of_tests_are_told(tmp_path: Path) -> None:
    path = tmp_path / "test_x.py"
    path.write_text(OWN)
    module = types.ModuleType("test_x")
    exec(compile(OWN, str(path), "exec", dont_inherit=True), vars(module))
    names, codes = pristine.names_bound(str(path)), pristine.codes(str(path), lambda _: compile("", "", "exec"))
    assert pristine.injected(module, names, codes) == [] and list(codes) == ["helper"]
    vars(module).update(some_value=1, __warningregistry__={}, setup_module=None, isinstance=len, pytestmark=[])
    vars(module).update(given=pytest.fixture(lambda: 1), helper=lambda: 2)
    found = pristine.injected(module, names, codes)
    assert sorted(found) == ["given", "helper", "isinstance", "pytestmark", "setup_module"]
    for text in (
        "from os import *\n",
        "globals()['setup_module'] = None\n",
        "import sys\nsys.modules[__name__].x = 1\n",
    ):
        path.write_text(OWN + text)
        assert pristine.names_bound(str(path)) is None, "that cannot be told from the text"
