"""Tests are not timed: Hypothesis's own deadline is off, for a machine may be busy. And a server that several share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from postgres_server import WHY, Server, binaries

settings.register_profile("takt", deadline=None)
settings.load_profile("takt")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip(WHY)
    with Server() as running:
        yield running
