import pytest


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    """Nobody's real token is ever used by a test."""
    monkeypatch.delenv("TAKT_TOKEN", raising=False)
