"""Tickets from a repository's own history: what `takt mine` does."""

from takt.stations.codedesk.mining.mine import Mining, mine

__all__ = ["Mining", "mine"]
