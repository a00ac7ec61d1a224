"""Tests are not timed: Hypothesis's own deadline is off, for a machine may be busy."""

from hypothesis import settings

settings.register_profile("takt", deadline=None)
settings.load_profile("takt")
