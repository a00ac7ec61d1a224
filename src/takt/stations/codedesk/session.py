"""An agent that lives through the shift: one process that gets tickets as they come, in a sandbox of its own.

Between its turns it stands still. Its tree is the shift's: before a turn it gets what has changed, and what it changes
is taken over after it. If it ends, or is lost with its sandbox, it is started anew at the next ticket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from takt.stations.codedesk.repository import Repository
from takt.stations.codedesk.sandbox import Ran, Room
from takt.stations.codedesk.trees import File, Unlaid

LIVES_ON = ("said", "time")


class Session:
    """The agent of a repository. `close` it, and it is gone."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._room: Room | None = None
        self._known: dict[str, File] = {}

    def close(self) -> None:
        if self._room is not None:
            self._room.close()
        self._room = None

    def turn(
        self, argv: Sequence[str], line: bytes, ticket: int, *, wall_s: float, env: Mapping[str, str]
    ) -> tuple[Ran, bool]:
        """Its turn at a ticket (`Room.turn`), and whether it was started for it."""
        tree, started = self.repository.tree, self._room is None or self._room.lost
        if started:
            self.close()
            self._room = self.repository.sandbox.open()
            self._known = {}
        assert self._room is not None
        paths = sorted(tree.keys() | self._known.keys())
        news = {path: tree.get(path) for path in paths if tree.get(path) != self._known.get(path)}
        try:
            self._room.put(news)
        except Unlaid as error:
            self.close()
            return Ran(126, b"", f"{error}\n".encode(), 0.0, "gone"), started
        ran = self._room.turn(argv, line, ticket, wall_s=wall_s, env=env)
        lost = self._room.lost
        ran = self.repository.taken(ran, lost, elsewhere=True)
        self._known = dict(self.repository.tree)
        if ran.too_much or lost or ran.ended_by not in LIVES_ON:
            self.close()
        return ran, started
