import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # clients.py
sys.path.insert(0, str(Path(__file__).parents[1] / "llm"))  # fake_server.py


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    """Nobody's real token is ever used by a test."""
    monkeypatch.delenv("TAKT_TOKEN", raising=False)
