"""What the worker `policy` is told, `-w url=ws://gpu-box:8000 -w profile=pi05`. All is in the ledger; no key is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from takt.contract.options import Limit, wrong_number
from takt.contract.station import TaktError
from takt.keys import check_address
from takt.meant import meant
from takt.workers.policy.profiles import LAYOUTS, PROFILES, Profile, rekeyed

NO_ORDER = "Put one nut on the left pin and one nut on the right pin."


@dataclass(frozen=True)
class Options:
    """
    url            where the server listens: ws://HOST:PORT, or HOST:PORT.
    profile        what it calls things, see profiles.py.
    keys           other names: {"head": "observation/image", "left_wrist": null, "actions": "action"}.
    layout         what an action is: "cell", "ee14", "joint16"; by default the profile's.
    prompt         what it is told; {order} stands for the unit's order, at the mixed line.
    horizon        how many actions of an answer are used; by default all.
    execute        after how many of them it is asked again, while the rest goes on; by default after all.
    aligned        "arrival" or "observation": what moment the first action is for (worker.py, `Plan`).
    hz             actions a second; by default the profile's.
    image_size     of the pictures, pixels, square; by default the profile's.
    grip_closed    whether a grip of 1 is closed; at the cell, 1 is open.
    key_env        the environment variable that has the server's key; "" for none.
    timeout_s      of an answer; first_timeout_s, of the first one, for which a server may have to compile.
    retries, backoff_s    connections tried more after one that failed; the first wait between two, doubled each time.
    hold_s, longest_hold_s    station time that the arms hold after a call that came to nothing, doubled each time.
    outages        calls in a row that come to nothing: the shift ends.
    """

    url: str = ""
    profile: str = "takt"
    keys: Mapping[str, Any] = field(default_factory=dict)
    layout: str = ""
    prompt: str = "{order}"
    horizon: int | None = None
    execute: int | None = None
    aligned: str = ""
    hz: float | None = None
    image_size: int | None = None
    grip_closed: bool = False
    key_env: str = ""
    timeout_s: float = 10.0
    first_timeout_s: float = 120.0
    retries: int = 3
    backoff_s: float = 0.5
    hold_s: float = 0.5
    longest_hold_s: float = 30.0
    outages: int = 20

    def __post_init__(self) -> None:
        if not self.url or not isinstance(self.url, str):
            raise TaktError("worker 'policy' needs a server: -w url=ws://HOST:PORT")
        check_address("url", self.url)
        try:
            parts = urlsplit(self.address)
            bad = parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0
        except ValueError:
            bad = True
        if bad:
            raise TaktError(f"url is {self.url!r}; it must be ws://HOST:PORT, wss://HOST:PORT or HOST:PORT")
        if self.profile not in PROFILES:
            near = meant(self.profile, PROFILES)
            raise TaktError(f"worker 'policy' has no profile {self.profile!r}{near}; it has: {', '.join(PROFILES)}")
        if self.layout and self.layout not in LAYOUTS:
            near = meant(self.layout, LAYOUTS)
            raise TaktError(f"worker 'policy' has no layout {self.layout!r}{near}; it has: {', '.join(LAYOUTS)}")
        if self.aligned not in ("", "arrival", "observation"):
            raise TaktError(f"aligned is {self.aligned!r}; it must be arrival or observation")
        if self.key_env and not re.fullmatch(r"[A-Za-z_]\w*", str(self.key_env)):  # perhaps the key: not repeated
            raise TaktError("key_env is not the name of an environment variable; put the key there, not here")
        if not isinstance(self.keys, Mapping):
            raise TaktError('keys is not an object, as in -w \'keys={"head": "observation/image"}\'')
        if not isinstance(self.prompt, str):
            raise TaktError(f"prompt is {self.prompt!r}; it must be a text")
        if not isinstance(self.grip_closed, bool):
            raise TaktError(f"grip_closed is {self.grip_closed!r}; it must be true or false")
        wrong = wrong_number(self, LIMITS, optional=("horizon", "execute", "hz", "image_size"))
        if wrong:
            raise TaktError(wrong)
        if self.execute is not None and self.horizon is not None and self.execute > self.horizon:
            raise TaktError(f"execute is {self.execute}: more than the horizon, {self.horizon}")
        try:
            rekeyed(PROFILES[self.profile], self.keys)
        except ValueError as error:
            raise TaktError(f"worker 'policy': {error}") from error

    @property
    def address(self) -> str:
        return self.url if "://" in self.url else f"ws://{self.url}"

    @property
    def names(self) -> Profile:
        """The profile, with everything that was told differently."""
        profile = rekeyed(PROFILES[self.profile], self.keys)
        other = {"layout": self.layout or profile.layout, "hz": self.hz or profile.hz}
        return Profile(**{**vars(profile), **other, "size": self.image_size or profile.size})

    def told(self, order: str) -> str:
        """What the policy is told of a unit."""
        return self.prompt.replace("{order}", order or NO_ORDER)


LIMITS: tuple[Limit, ...] = (
    ("horizon", 1, 10_000, True),
    ("execute", 1, 10_000, True),
    ("hz", 0.1, 1000, False),
    ("image_size", 16, 4096, True),
    ("timeout_s", 0.01, 86_400, False),
    ("first_timeout_s", 0.01, 86_400, False),
    ("retries", 0, 100, True),
    ("backoff_s", 0, 3600, False),
    ("hold_s", 0.02, 3600, False),
    ("longest_hold_s", 0.02, 86_400, False),
    ("outages", 1, 1_000_000, True),
)
