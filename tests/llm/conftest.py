from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's real key is ever used by a test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
