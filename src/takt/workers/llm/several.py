"""Several servers of the same model, as one: the shift's own first, and the others where that one does not answer.

A shift stays at one server, for that has read its conversation (prefix cache); which one follows from the seed, so that
shifts of many seeds spread over all. Where it fails, the next is asked at once, and stays the shift's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from takt.errors import TaktError
from takt.workers.llm.answer import Reply
from takt.workers.llm.endpoint import OpenAiCompatible
from takt.workers.llm.options import Options
from takt.workers.llm.profiles import PROFILES
from takt.workers.llm.refusals import NoAnswer
from takt.workers.llm.server import Server


class Several:
    """An `Endpoint` that is any of these."""

    def __init__(self, servers: Sequence[OpenAiCompatible]) -> None:
        self._servers, self._at = list(servers), 0

    @property
    def shown_url(self) -> str:
        return self._servers[self._at].shown_url

    @property
    def alone(self) -> list[OpenAiCompatible]:
        """Each of them."""
        return list(self._servers)

    @property
    def first_s(self) -> float:
        return self._servers[self._at].first_s

    @property
    def refusal(self) -> TaktError | None:
        return next((server.refusal for server in self._servers if server.refusal is not None), None)

    def begin(self, seed: int) -> None:
        """A shift of this seed begins."""
        self._at = seed % len(self._servers)

    def says(self, model: str = "", with_key: bool = False) -> Server:
        return self._servers[self._at].says(model, with_key)

    def ask(self, messages: Sequence[Any], tools: Sequence[Any], settings: Mapping[str, Any]) -> Reply:
        """Ask the shift's own server, then each of the others. Raises the last one's NoAnswer."""
        for left in reversed(range(len(self._servers))):
            try:
                return self._servers[self._at].ask(messages, tools, settings)
            except NoAnswer as failure:
                if failure.hopeless or not left:
                    raise
                self._at = (self._at + 1) % len(self._servers)
        raise AssertionError("there is a server at least")


def urls_of(options: Options) -> list[str]:
    """The addresses of the servers: one, or several with commas between them."""
    given = options.base_url or PROFILES[options.profile].base_url
    return [url.strip() for url in given.split(",") if url.strip()]


def endpoint_of(options: Options) -> Several:
    """What answers to a worker of these options."""
    return Several([OpenAiCompatible(url, options.key_env, options.timeout_s) for url in urls_of(options)])
