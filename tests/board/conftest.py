from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import TOKEN


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A board of the folder `tmp_path / shifts`, served; closed after the test."""
    from takt.board import feed
    from takt.board.server import Server

    monkeypatch.setattr(feed, "SCAN_S", 0.2)
    monkeypatch.setattr(feed, "LOOK_S", 0.1)

    folder = tmp_path / "shifts"
    folder.mkdir(exist_ok=True)
    with Server([folder], "127.0.0.1", 0, TOKEN) as server:
        server.folder = folder
        yield server
    assert not any(thread.name == "board" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAKT_TOKEN", raising=False)
    assert os.environ.get("TAKT_TOKEN") is None
