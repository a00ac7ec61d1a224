"""docs/design.md's table of rooms is what the imports are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import grimp
import pytest

PAGE = (Path(__file__).parents[1] / "docs/design.md").read_text()


def table() -> list[tuple[list[str], list[str]]]:
    """Of each row, the rooms and what they may import."""
    text = PAGE[PAGE.index("| room | owns | may import |") :].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    return [(re.findall(r"`(\S+)`", rooms), re.findall(r"\w[\w.]*", may.replace("`", ""))) for rooms, _, may in cells]


ROWS = table()
FOUNDATION = ROWS[0][0]
MAY: Mapping[str, list[str]] = {room: may for rooms, may in ROWS for room in rooms}


def room_of(module: str) -> str:
    """The room of a module of Takt, "" if it is in none. The longest name decides."""
    name = module.removeprefix("takt.")
    found = [room for room in MAY if re.match(room.replace(".", r"\.").replace("*", r"[^.]+") + r"(\.|$)", name)]
    return max(found, key=lambda room: room.count("."), default="")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("takt", exclude_type_checking_imports=True, cache_dir=None)


def test_every_module_is_in_a_room_and_every_room_is_there(graph: grimp.ImportGraph) -> None:
    modules = graph.modules - {"takt"}
    assert not [module for module in modules if not room_of(module)]
    assert {room_of(module) for module in modules} == MAY.keys()


def test_no_room_imports_what_the_table_forbids(graph: grimp.ImportGraph) -> None:
    wrong = []
    for module in graph.modules - {"takt"}:
        room = room_of(module)
        for other in graph.find_modules_directly_imported_by(module) - {"takt"}:
            to = room_of(other)
            row = next(rooms for rooms, _ in ROWS if room in rooms)
            if to not in row and to not in FOUNDATION and MAY[room] != ["all"] and to not in MAY[room]:
                wrong.append(f"{module} imports {other}: {room} may not import {to}")
    assert not wrong, "\n".join(sorted(wrong))
    assert len(graph.modules) > 100


def test_the_table_permits_no_import_that_nobody_makes(graph: grimp.ImportGraph) -> None:
    used = {
        (room_of(module), room_of(other))
        for module in graph.modules - {"takt"}
        for other in graph.find_modules_directly_imported_by(module) - {"takt"}
    }
    unused = [f"{room}: {to}" for room, may in MAY.items() for to in may if to != "all" and (room, to) not in used]
    assert not unused
