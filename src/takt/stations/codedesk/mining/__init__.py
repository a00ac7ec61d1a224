"""Tickets from a repository's own history: what `takt mine` does."""

from takt.stations.codedesk.mining.found import Mining
from takt.stations.codedesk.mining.mine import mine

__all__ = ["Mining", "mine"]
