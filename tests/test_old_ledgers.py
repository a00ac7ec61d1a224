"""Ledgers that an older Takt wrote (format 1, commit 4c4f4fe, November 2026) are read, worked again and gone on with.

The nut cell's physics may differ in the last bit on another processor, so there only what is read is compared.
"""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from takt import kpis, repeat_shift, resume_shift, steps_of_unit
from takt.cli import main
from takt.errors import Different
from takt.ledger import Ledger
from takt.shift import Shift

LEDGERS = Path(__file__).parent / "ledgers"
# What the older Takt said of them: digest, units, good ones.
SAID = {
    "gym-cartpole": ("af6ed40f3128884fb091be04cae1580d16a3fde6a352666b30815246009ece22", 5, 0),
    "desk-greedy": ("b73b3cf226fefaf4872339315716bc791cd823d095d1460dc05f2efc6424718b", 12, 11),
    "desk-llm": ("51a29b363192d97c72430eac5e40f104268f886aea78cda2d846c4cddac59c78", 6, 6),
    "desk-mcp": ("a7b3b4e0cc094a163e4e46ec9bb79972d1bb7ab177493d76353be2a9f3d6ff26", 4, 4),
    "nutcell-expert-faults": ("75fdca41158da2dfb46be86b8441115a106598ef8168f9e6bd4e1cd690222b3e", 3, 3),
    "nutcell-expert-mixed": ("cde8a428a9656aa5d35b09daef23372df7a3eeb1d3d9da863fa280542e35128d", 2, 1),
}


def of(name: str) -> Shift:
    with Ledger.open(LEDGERS / f"{name}.takt") as book:
        return Shift.of(book)


@pytest.mark.parametrize("name", SAID)
def test_it_is_read_as_it_was_and_every_command_that_reads_takes_it(name: str, tmp_path: Path) -> None:
    digest, units, good = SAID[name]
    shift = of(name)
    figures = kpis(shift.events)
    assert (shift.digest, figures.units, figures.good) == (digest, units, good)
    path = tmp_path / f"{name}.takt"
    shutil.copy(LEDGERS / path.name, path)
    for words in (["kpis"], ["verdict"], ["verify"], ["ledger", "show"], ["report", "--out", str(tmp_path / "a.html")]):
        assert main([*words, str(path)]) == 0


@pytest.mark.parametrize("name", [name for name in SAID if not name.startswith("nutcell")])
def test_it_is_worked_again_to_the_same_digest(name: str) -> None:
    assert repeat_shift(LEDGERS / f"{name}.takt").digest == SAID[name][0]


def test_one_that_was_cut_off_is_gone_on_with_to_the_digest_of_the_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "cut.takt"
    shutil.copy(LEDGERS / "desk-greedy-cut.takt", path)
    assert resume_shift(path).digest == SAID["desk-greedy"][0]


@pytest.mark.parametrize("name", ["nutcell-expert-faults", "nutcell-expert-mixed"])
def test_a_snapshot_of_the_nut_cell_is_gone_on_from(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Different)
        ends = [event.kind for _, events in steps_of_unit(LEDGERS / f"{name}.takt", 1) for event in events]
    assert ends.count("unit_good") + ends.count("unit_bad") == 1
