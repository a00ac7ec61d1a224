"""`policy`: a policy behind a websocket works the nut cell, by openpi's protocol; Takt's workers serve by it too."""

from takt.workers.policy.worker import Policy

__all__ = ["Policy"]
