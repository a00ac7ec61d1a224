"""Large states are kept once, and as what is new in them; and a stranger's are no bombs."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from takt import Event, Ledger, TaktError
from takt.cli import main
from takt.ledger.blobs import BY_NAME, CHAIN, SMALL, Folding, Unfolding, _packed, zstd

META = {"station": "toy", "worker": "push", "seed": 3, "hours": 1.0}


def states(count: int, size: int = 60_000, seed: int = 0) -> Iterator[Any]:
    """A state that changes in a few places from unit to unit, grows, and cannot be made smaller by itself."""
    rng = random.Random(seed)
    state = bytearray(rng.randbytes(size))
    for _ in range(count):
        for _ in range(4):
            at = rng.randrange(len(state))
            state[at : at + 8] = rng.randbytes(8)
        state += rng.randbytes(20)
        yield bytes(state)


@pytest.fixture
def path(tmp_path: Path) -> Any:
    path = tmp_path / "a.takt"
    with Ledger.create(path, META) as ledger:
        ledger.commit([], b"small", None)
        for unit, state in enumerate(states(150)):
            ledger.commit([Event(float(unit), "step", unit)], state, unit)
    return path


def test_every_state_comes_back_as_it_was_at_a_fraction_of_its_size(path: Any) -> None:
    with Ledger.open(path) as ledger:
        for unit, state in enumerate(states(150)):
            assert ledger.snapshot_after(unit).state == state
        assert ledger.snapshot_after(-1).state == b"small" and ledger.faults() == []
    assert path.stat().st_size < 150 * 60_000 / 20


def test_states_go_on_from_the_last_one_when_a_shift_is_gone_on_with(path: Any) -> None:
    size = path.stat().st_size
    with Ledger.resume(path) as ledger:
        assert ledger.last_snapshot().unit == 149
        for unit, state in enumerate(states(160)):
            if unit >= 150:
                ledger.commit([Event(float(unit), "step", unit)], state, unit)
        assert ledger.faults() == [] and ledger.last_snapshot().state == state
    assert path.stat().st_size < size + 30_000


def test_a_state_that_comes_again_is_kept_once_and_no_chain_is_longer_than_can_be_read(tmp_path: Path) -> None:
    """States that come back, seed 1: the blob that is there may itself be packed against many others."""
    rng, few = random.Random(1), list(states(12, SMALL))
    path = tmp_path / "a.takt"
    with Ledger.create(path, META) as ledger:
        for unit in range(40 * CHAIN):
            ledger.commit([], rng.choice(few) if rng.random() < 0.5 else rng.randbytes(SMALL), unit)
            ledger.commit([Event(float(unit), "step", unit)], None, None)
    with Ledger.open(path) as ledger:
        assert ledger.faults() == []
        for unit in rng.sample(range(40 * CHAIN), 200):
            assert len(ledger.snapshot_after(unit).state) >= SMALL


def changed(path: Any, statement: Any, *values: Any) -> None:
    with sqlite3.connect(path) as book:
        book.execute(statement, values)
    book.close()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM blobs", "is not there"),
        ("UPDATE blobs SET base = name", "without end"),
        ("UPDATE blobs SET base = NULL", "cannot be unpacked|not the one|cut off"),
        ("UPDATE blobs SET size = 1000000000000", "larger than 64 MiB"),
        ("UPDATE blobs SET size = size + 1", "larger than it is said"),
        ("UPDATE blobs SET size = size - 1", "larger than it is said"),
        ("UPDATE blobs SET size = 'x'", "larger than 64 MiB"),
        ("UPDATE blobs SET data = x'00'", "cannot be unpacked"),
        ("UPDATE blobs SET data = ''", "larger than 64 MiB"),
        ("UPDATE blobs SET base = 7", "is not there"),
        ("UPDATE blobs SET data = CAST(data || x'00' AS BLOB)", "larger than it is said"),
    ],
)
def test_a_strangers_states_are_one_line(
    path: Any, statement: Any, why: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(path, statement)
    with Ledger.open(path) as ledger:
        with pytest.raises(TaktError, match=f"is damaged: .*({why})"):
            ledger.last_snapshot()
        assert ledger.faults()
    assert main(["verify", str(path)]) == 2
    assert main(["replay", str(path), "--unit", "149"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_another_state_under_a_states_name_is_not_believed(path: Any) -> None:
    other = bytes(60_000)
    changed(path, "UPDATE blobs SET base = NULL, size = ?, data = ?", len(other), _packed(other, b""))
    with Ledger.open(path) as ledger, pytest.raises(TaktError, match="not the one that it is said to be"):
        ledger.last_snapshot()


def test_a_state_that_unpacks_to_gigabytes_takes_no_more_memory_than_it_says(path: Any) -> None:
    bomb = zstd.compress(bytes(2**28), 19)
    assert len(bomb) < 50_000
    changed(path, "UPDATE blobs SET base = NULL, size = 4096, data = ?", bomb)
    with Ledger.open(path) as ledger, pytest.raises(TaktError, match="larger than it is said"):
        ledger.last_snapshot()


def test_a_repository_that_grows_is_kept_at_what_is_new(tmp_path: Path) -> None:
    """Four states of 20 MB, random bytes, each 30 kB longer and with 20 kB put in somewhere."""
    rng = random.Random(2)
    state, folding, blobs = rng.randbytes(20_000_000), Folding(), {}
    stored, kept = [], []
    for _ in range(4):
        at = rng.randrange(len(state))
        state = state[:at] + rng.randbytes(20_000) + state[at:] + rng.randbytes(30_000)
        name, blob = folding.fold(state)
        blobs[blob.name] = blob[1:]
        stored.append(name)
        kept.append(state)
    assert sum(len(data) for _, _, data in blobs.values()) < 21_000_000
    reading = Unfolding(blobs.get)
    assert all(
        reading.unfold(name) == (state, depth) for depth, (name, state) in enumerate(zip(stored, kept, strict=True))
    )
    assert stored[0].startswith(BY_NAME)


def test_a_large_state_of_an_older_ledger_is_read_where_it_lies(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "a.takt"
    with Ledger.create(path, META) as ledger:
        ledger.commit([Event(0.0, "step", 0)], b"x" * SMALL, 0)
    changed(path, "UPDATE snapshots SET state = ?", zlib.compress(b"y" * 100_000))
    with Ledger.resume(path) as ledger:
        assert ledger.last_snapshot().state == b"y" * 100_000
        ledger.commit([Event(1.0, "step", 1)], b"y" * 100_001, 1)
        assert ledger.last_snapshot().state == b"y" * 100_001
    assert Path(path).exists()
