"""The plan that tests of fleets begin from, as a text: CartPole in short units, by workers of hands.py."""

from __future__ import annotations


def few(seeds: str, units: int, more: str = "") -> str:
    """Without a worker; `more` are lines before its tables."""
    return f"""
name = "few"
seeds = "{seeds}"
units = {units}
clock = "lockstep"
{more}
[[station]]
name = "gym"
options = {{ id = "CartPole-v1", takt_s = 0.5, success = "return>=15" }}
"""


def hand(name: str, more: str = "") -> str:
    """A worker of hands.py, with more lines."""
    return f'\n[[worker]]\nname = "hands:{name}"\n{more}'
