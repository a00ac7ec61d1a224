from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's real token is ever used by a test."""
    monkeypatch.delenv("TAKT_TOKEN", raising=False)
