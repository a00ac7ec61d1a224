"""The flight desk as a station: disrupted passengers come, and the clock runs."""

from takt.stations.flightdesk.desk.station import FlightDesk

__all__ = ["FlightDesk"]
