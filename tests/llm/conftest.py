import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # fake_server.py, scripts.py


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    """Nobody's real key is ever used by a test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
