"""`takt flightdesk` and `takt train flightdesk`: thin, and light until one of them is called.

What is imported at the top here is imported for `takt --help` as well, so the engine is imported within the commands.
"""

# `takt flightdesk --help` lists them in this order.
# isort: off
from takt.stations.flightdesk.commands import plans, making, situation  # noqa: F401

# isort: on
from takt.stations.flightdesk.commands.app import app
from takt.stations.flightdesk.commands.training import train

__all__ = ["app", "train"]
