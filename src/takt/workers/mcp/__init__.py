"""An MCP client at work: whoever calls a station's tools over the Model Context Protocol. docs/mcp.md says how."""

from __future__ import annotations

from takt.workers.mcp.worker import Mcp

__all__ = ["Mcp"]
