import pytest


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    """Nobody's real key is ever used by a test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
