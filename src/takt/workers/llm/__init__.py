"""A language model at work, at any station that offers tools. docs/llm.md says how."""

from __future__ import annotations

from takt.workers.llm.worker import Llm

__all__ = ["Llm"]
