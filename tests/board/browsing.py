"""A real browser: Debian's Chromium, driven by Playwright. Tests are skipped, with words, where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000  # generous: the machine may be busy


@contextmanager
def browser() -> Iterator[Any]:
    """A browser that runs, or the test is skipped."""
    sync = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -e '.[dev]'")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with sync.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield running
        finally:
            running.close()


class Watched:
    """A page, and what went wrong in it: errors on the console, requests to anywhere but the loopback."""

    def __init__(self, running: Any, **context: Any) -> None:
        self.context = running.new_context(**{"viewport": {"width": 1280, "height": 800}, **context})
        self.context.set_default_timeout(WAIT_MS)
        self.errors, self.outside = [], []
        self.page = self.context.new_page()
        self.page.on(
            "console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._requested)

    def _requested(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.outside.append(request.url)

    def check(self) -> None:
        assert not self.errors and not self.outside, (self.errors, self.outside)

    def close(self) -> None:
        self.context.close()


def violations(page: Any) -> list[Any]:
    """What axe-core finds wrong in a page: contrast, names of links and fields, order of headings, and the like."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[dev]'")
    found = axe.Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:160] for node in one["nodes"]][:5]) for one in found]
