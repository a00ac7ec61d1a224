from __future__ import annotations

from collections.abc import Iterator

import pytest

from postgres_server import WHY, Server, binaries


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip(WHY)
    with Server() as running:
        yield running
