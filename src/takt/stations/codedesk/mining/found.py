"""What came of mining: tickets and rejected commits, and the folder that they are written into."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from takt.errors import TaktError
from takt.printable import printable
from takt.stations.codedesk.tickets import FORMAT, REPOSITORY, SERIES_FILE, Ticket, ticket_as_json, tree_as_json

Tree = Mapping[str, str | bytes]
LARGE = "too large"
NOT_RUN = "not pytest's tests"
REASONS = (
    "the first commit",
    "no test",
    "tests only",
    NOT_RUN,
    LARGE,
    "does not install",
    "fails after",
    "passes before",
    "says nothing",
    "flaky",
    "takes too long",
)


@dataclass(frozen=True)
class Rejected:
    """A commit that is no ticket, and why."""

    commit: str
    subject: str
    reason: str  # one of REASONS
    detail: str = ""


@dataclass
class Mining:
    """What came of mining. It is a series of its own while it grows."""

    name: str
    python: tuple[str, ...]
    start: Tree = field(default_factory=dict)
    tickets: list[Ticket] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    commits: int = 0
    seconds: float = 0.0
    elsewhere: list[str] = field(default_factory=list)  # where packages may lie, if it is no ticket and not the top
    left_out: dict[int, list[str]] = field(default_factory=dict)  # tests and files that were a ticket's, by its number
    suite: str = ""  # which test files are asked for, in words

    @property
    def length(self) -> int | None:
        return len(self.tickets)

    def base(self) -> Tree:
        return self.start

    def ticket(self, number: int) -> Ticket:
        return self.tickets[number]

    def owned(self) -> tuple[int, int]:
        """How many tests are a ticket's, and how many the repository's, of those that are asked for first or last."""
        owners: dict[str, int] = {}
        for ticket in self.tickets:
            owners |= {name: owner for name, owner in (ticket.owners or {}).items() if owner is not None}
        repository = sum(owner == REPOSITORY for owner in owners.values())
        return len(owners) - repository, repository

    def counts(self) -> dict[str, int]:
        """How many commits were rejected, by reason, in the order of REASONS."""
        found = Counter(one.reason for one in self.rejected)
        return {reason: found[reason] for reason in REASONS if found[reason]}


def write(found: Mining, out: Path) -> None:
    """The series as a folder, whole or not at all. TaktError where there is something already, or no ticket."""
    if not found.tickets:
        where = f"; a package lies in {', '.join(map(printable, found.elsewhere[:3]))}: name it by --root"
        lacks = next((f"; {one.detail}" for one in found.rejected if "--python" in one.detail), "")
        raise TaktError(
            f"none of the {found.commits} commits of {found.name} is a ticket: "
            f"{told_of(found) or 'there is none'}{where if found.elsewhere else ''}{lacks}"
        )
    if out.exists():
        raise TaktError(f"{out} is there already; name a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        about = {"format": FORMAT, "name": found.name, "tickets": len(found.tickets), "python": list(found.python)}
        about |= {"suite": found.suite}
        _write(folder / SERIES_FILE, about)
        _write(folder / "base.json", tree_as_json(found.start))
        (folder / "tickets").mkdir()
        for ticket in found.tickets:
            _write(folder / "tickets" / f"{ticket.number:04}.json", ticket_as_json(ticket))
        rejected = [
            {"commit": one.commit, "subject": one.subject, "reason": one.reason, "detail": one.detail}
            for one in found.rejected
        ]
        left_out = {str(number): names for number, names in found.left_out.items()}
        _write(folder / "rejected.json", {"commits": found.commits, "rejected": rejected, "left_out": left_out})
        folder.chmod(0o755)
        os.rename(folder, out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def told_of(found: Mining) -> str:
    """The reasons with their counts, in words; why a tree is too large, by the first that is."""
    large = next((f" ({one.detail})" for one in found.rejected if one.reason == LARGE), "")
    return ", ".join(f"{count} {reason}{large if reason == LARGE else ''}" for reason, count in found.counts().items())


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
