"""A tiny series of tickets, written as `takt mine` writes one: each asks for one more function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from takt.stations.codedesk.tickets import Ticket, ticket_as_json, tree_as_json

BASE = {
    "pkg/__init__.py": "",
    "pkg/m.py": "def f0():\n    return 0\n",
    "README.md": "A package.\n",
    "tests/test_own.py": "from pkg.m import f0\n\n\ndef test_f0():\n    assert f0() == 0\n",
}


def hidden(k: int) -> str:
    value = f"def test_value():\n    assert m.f{k}() == {k}\n"
    return f"from pkg import m\n\n\n{value}\n\ndef test_kind():\n    assert type(m.f{k}()) is int\n"


def code(tickets: int, **instead: str) -> str:
    """The module after so many tickets; `f2="0"` has that function return something else."""
    text = BASE["pkg/m.py"] if "f0" not in instead else f"def f0():\n    return {instead['f0']}\n"
    for k in range(1, tickets + 1):
        body = instead.get(f"f{k}", f"f{k - 1}() + 1")
        text += f"\n\ndef f{k}():\n    return {body}\n"
    return text


def growing(k: int) -> str:
    """A file of tests that grows with each ticket, as most do: of f0 to f{k}, all imported at its top."""
    tests = "".join(f"\n\ndef test_f{one}():\n    assert f{one}() == {one}\n" for one in range(k + 1))
    return f"from pkg.m import {', '.join(f'f{one}' for one in range(k + 1))}\n{tests}"


def write_growing(folder: Path, tickets: int) -> Path:
    """A folder of format 2, whose tests are all in one file: each ticket has one, and the repository had one before."""
    write_series(folder, tickets)
    about = json.loads((folder / "series.json").read_text())
    (folder / "series.json").write_text(json.dumps({**about, "format": 2}))
    (folder / "base.json").write_text(json.dumps(tree_as_json({**BASE, "tests/test_m.py": growing(0)})))
    for i in range(tickets):
        path = folder / "tickets" / f"{i:04}.json"
        owners = {f"tests/test_m.py::test_f{i + 1}": i} | ({} if i else {"tests/test_m.py::test_f0": -1})
        own = {"tests/test_m.py": growing(i + 1)}
        read = json.loads(path.read_text())
        told = {**read, "hidden": own, "owners": owners, "reference": {**read["reference"], **own}}
        path.write_text(json.dumps(told))
    return folder


def write_series(
    folder: Path, tickets: int = 20, reference: Mapping[int, str] | None = None, retires: int = -1
) -> Path:
    """The folder. `reference` replaces solutions; ticket `retires` retires the tests of the one before."""
    (folder / "tickets").mkdir(parents=True)
    about = {"format": 1, "name": "tiny", "tickets": tickets, "python": ["python3"]}
    (folder / "series.json").write_text(json.dumps(about))
    (folder / "base.json").write_text(json.dumps(tree_as_json(BASE)))
    for i in range(tickets):
        ticket = Ticket(
            number=i,
            title=f"Add f{i + 1}",
            text=f"pkg.m needs f{i + 1}, one more than f{i}: f{i + 1}() is {i + 1}.",
            kind="feature",
            named=("pkg/m.py",),
            hidden={f"tests/test_hidden_{i + 1}.py": hidden(i + 1)},
            settings={},
            reference={"pkg/m.py": (reference or {}).get(i, code(i + 1))},
            retires=(f"tests/test_hidden_{i}.py",) if i == retires else (),
            level="plain",
        )
        (folder / "tickets" / f"{i:04}.json").write_text(json.dumps(ticket_as_json(ticket)))
    return folder
