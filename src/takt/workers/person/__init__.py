"""A person at work: whoever acts through a page in a browser, under the same contract as any worker. docs/person.md."""

from __future__ import annotations

from takt.workers.person.worker import Person

__all__ = ["Person"]
