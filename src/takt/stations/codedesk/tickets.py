"""Tickets and where they come from: a series is a repository at its start and the changes asked of it, in order.

A series is a pure function of (family, level, seed) where it is generated, and a folder that `takt mine` wrote where it
was mined. Nothing here runs a ticket's code.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol, get_args

from takt.errors import TaktError
from takt.stations.codedesk.trees import Link, Program, ProgramBytes

Kind = Literal["feature", "defect", "refactoring", "speed"]
Level = Literal["easy", "plain", "hard"]
LEVELS: tuple[Level, ...] = get_args(Level)
GENERATED = "generated"
SERIES_FILE = "series.json"
FORMAT = 2
FORMATS = (1, FORMAT)  # that are read; in 1 a test is of the ticket that laid its file last
REPOSITORY = -1  # whose a test is that passed before the first ticket
LARGEST_FILE = 64 << 20  # bytes of one file of a mined series


@dataclass(frozen=True)
class Ticket:
    """One change asked for. `hidden` are pytest files; paths are relative, with `/`."""

    number: int  # 0, 1, 2 ... in the order in which they fall due
    title: str
    text: str  # what the agent reads
    kind: Kind
    named: tuple[str, ...]  # files or public names that the text names
    hidden: Mapping[
        str, str
    ]  # path -> text of the hidden test files that are laid over the tree at inspection (`as_text`)
    settings: Mapping[str, str]  # path -> text of test configuration that replaces the tree's own
    reference: Mapping[str, str | bytes | None]  # path -> whole file after the reference change (None: deleted)
    retires: tuple[str, ...]  # hidden files or node ids of earlier tickets that no longer hold
    level: Level
    touches: tuple[str, ...] = ()  # what tests of the known solution's own tree change of Python and of pytest
    again: tuple[str, ...] = ()  # node ids in its hidden files that were retired, and are others now: they hold
    moved: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # earlier tickets' hidden files: where, and text
    # Of a mined ticket: whose tests are from now on, as far as that is new (`suites.py`): a node id, or one without its
    # parameters for all that have no owner of their own -> the ticket, REPOSITORY, or None where it is not asked. Where
    # this is None, tests are of the ticket whose file they are in, and `hidden` has its own files alone.
    owners: Mapping[str, int | None] | None = None


class Series(Protocol):
    """A repository at its start and its tickets. Asked twice, it answers the same."""

    @property
    def name(self) -> str:
        """The family, or the mined repository's name."""
        ...

    @property
    def length(self) -> int | None:
        """How many tickets there are; None: as many as are asked for."""
        ...

    @property
    def python(self) -> tuple[str, ...]:
        """The command that runs Python in the sandbox."""
        ...

    def base(self) -> Mapping[str, str | bytes]:
        """The tree at the start: path -> file."""
        ...

    def ticket(self, number: int) -> Ticket:
        """Ticket `number`; IndexError past the end."""
        ...


def open_series(tickets: str, level: str, seed: int) -> Series:
    """`generated` (the family is drawn from the seed), a family's name, or a folder that `takt mine` wrote."""
    if level not in LEVELS:
        raise TaktError(f"no level {level!r}; there are {', '.join(LEVELS)}")
    from takt.stations.codedesk.families import families, generate

    if tickets == GENERATED or tickets in families():
        return generate(None if tickets == GENERATED else tickets, level, seed)
    folder = Path(tickets)
    if not folder.is_dir():
        raise TaktError(
            f"no tickets {tickets!r}: name a folder that `takt mine` wrote, {GENERATED}, or a family "
            f"({', '.join(families())})"
        )
    if not (folder / SERIES_FILE).exists() and ((folder / ".git").exists() or (folder / "HEAD").is_file()):
        raise TaktError(
            f"{folder} is a repository and no folder of tickets: takt mine {folder} --out TICKETS makes one"
        )
    return Mined.read(folder)


def tree_before(series: Series, number: int) -> dict[str, str | bytes]:
    """The reference's own tree before ticket `number`: the base and all reference changes up to there."""
    tree = dict(series.base())
    for earlier in range(number):
        tree = changed(tree, series.ticket(earlier).reference)
    return tree


def changed(tree: Mapping[str, str | bytes], change: Mapping[str, str | bytes | None]) -> dict[str, str | bytes]:
    """The tree after a change; the one given stays as it is."""
    after = {path: text for path, text in tree.items() if path not in change}
    after.update({path: text for path, text in change.items() if text is not None})
    return dict(sorted(after.items()))


@dataclass(frozen=True)
class Mined:
    """A series in a folder: `series.json`, `base.json`, `tickets/0000.json` ...A file is read when asked for."""

    folder: Path
    name: str
    length: int
    python: tuple[str, ...]
    by_test: bool = False  # whether it is known of each test whose it is

    @classmethod
    def read(cls, folder: Path) -> Mined:
        """The folder's series; TaktError where it is none."""
        about = _read_json(folder / SERIES_FILE)
        if about.get("format") not in FORMATS:
            reads = " and ".join(map(str, FORMATS))
            raise TaktError(
                f"{folder}: format {about.get('format')!r} of tickets, and this version reads {reads}; mine it again"
            )
        name, length, python = about.get("name"), about.get("tickets"), about.get("python")
        if not isinstance(name, str) or not isinstance(length, int) or not _strings(python):
            raise TaktError(f"{folder / SERIES_FILE} lacks name, tickets or python; mine the repository again")
        if length < 1:
            raise TaktError(f"{folder} has no ticket; mine the repository again")
        return cls(folder, name, length, tuple(map(str, python or ())), about["format"] > 1)

    def base(self) -> Mapping[str, str | bytes]:
        return tree_of(_read_json(self.folder / "base.json"))

    def ticket(self, number: int) -> Ticket:
        if not 0 <= number < self.length:
            raise IndexError(number)
        path = self.folder / "tickets" / f"{number:04}.json"
        try:
            return ticket_of(_read_json(path))
        except (KeyError, TypeError, ValueError) as error:
            raise TaktError(f"{path} is no ticket ({error!r}); mine the repository again") from None


def ticket_of(read: Mapping[str, Any]) -> Ticket:
    """A ticket from what `ticket_as_json` made. KeyError, TypeError or ValueError where it is none."""
    kind, level = read["kind"], read["level"]
    if kind not in get_args(Kind) or level not in LEVELS:
        raise ValueError(f"kind {kind!r}, level {level!r}")
    return Ticket(
        number=int(read["number"]),
        title=str(read["title"]),
        text=str(read["text"]),
        kind=kind,
        named=tuple(map(str, read["named"])),
        hidden={path: as_text(_file(path, text)) for path, text in read["hidden"].items()},
        settings={path: _text(path, text) for path, text in read["settings"].items()},
        reference={path: None if text is None else _file(path, text) for path, text in read["reference"].items()},
        retires=tuple(map(str, read["retires"])),
        level=level,
        touches=tuple(map(str, read.get("touches", ()))),
        again=tuple(map(str, read.get("again", ()))),
        moved={path: (safe(new), _text(new, text)) for path, (new, text) in read.get("moved", {}).items()},
        owners=None if read.get("owners") is None else {str(k): _owner(one) for k, one in read["owners"].items()},
    )


def ticket_as_json(ticket: Ticket) -> dict[str, Any]:
    """What a mined folder keeps of a ticket (`tree_as_json`)."""
    return {
        "number": ticket.number,
        "title": ticket.title,
        "text": ticket.text,
        "kind": ticket.kind,
        "named": list(ticket.named),
        "hidden": tree_as_json({path: file_of(text) for path, text in ticket.hidden.items()}),
        "settings": dict(ticket.settings),
        "reference": tree_as_json(ticket.reference),
        "retires": list(ticket.retires),
        "level": ticket.level,
        "touches": list(ticket.touches),
        **({"again": list(ticket.again)} if ticket.again else {}),
        **({"moved": {path: list(one) for path, one in ticket.moved.items()}} if ticket.moved else {}),
        **({} if ticket.owners is None else {"owners": dict(ticket.owners)}),
    }


def tree_as_json(tree: Mapping[str, str | bytes | None]) -> dict[str, Any]:
    """Files as JSON: text as it is, bytes as `{"base64": ...}`, deleted as null. What can be run is `{"text" or
    "base64": ..., "runs": true}`, a link `{"link": where it leads}`."""
    return {path: _as_json(file) for path, file in tree.items()}


def tree_of(read: Mapping[str, Any]) -> dict[str, str | bytes]:
    """Files from what `tree_as_json` made, none of them deleted."""
    return {path: _file(path, text) for path, text in read.items()}


def as_text(file: str | bytes) -> str:
    """A file of tests as a text; bytes that are no UTF-8 as surrogates (PEP 383): `as_bytes` has them back."""
    return str(file) if isinstance(file, str) else file.decode(errors="surrogateescape")


def as_bytes(text: str) -> bytes:
    """What lies on a disk of such a text."""
    return text.encode(errors="surrogateescape")


def file_of(text: str) -> str | bytes:
    """Such a text as a file of a tree: text if it is one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return as_bytes(text)
    return text


def _as_json(file: str | bytes | None) -> Any:
    if isinstance(file, Link):
        return {"link": os.fsdecode(file)}
    told = {"base64": base64.b64encode(file).decode()} if isinstance(file, bytes) else {"text": file}
    if isinstance(file, (Program, ProgramBytes)):
        return told | {"runs": True}
    return told if isinstance(file, bytes) else file


def safe(path: str) -> str:
    """The path, if it lies in the tree and is no part of git's own; ValueError otherwise."""
    parts = PurePosixPath(path).parts
    wrong = not parts or path.startswith("/") or "\\" in path or "\0" in path or path != "/".join(parts)
    if wrong or ".." in parts or any(part.lower() == ".git" for part in parts):
        raise ValueError(f"the path {path!r} leaves the tree")
    return path


def _file(path: str, read: Any) -> str | bytes:
    safe(path)
    if not isinstance(read, dict):
        return _text(path, read)
    if "link" in read:
        return Link(os.fsencode(_text(path, read["link"])))
    file = _text(path, read["text"]) if "text" in read else base64.b64decode(read["base64"], validate=True)
    if not read.get("runs"):
        return file
    return Program(file) if isinstance(file, str) else ProgramBytes(file)


def _text(path: str, read: Any) -> str:
    safe(path)
    if not isinstance(read, str):
        raise ValueError(f"{path!r} has no text")
    return read


def _owner(read: Any) -> int | None:
    if read is not None and (not isinstance(read, int) or read < REPOSITORY):
        raise ValueError(f"{read!r} owns no test")
    return read


def _strings(read: Any) -> bool:
    return isinstance(read, list) and bool(read) and all(isinstance(one, str) for one in read)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise TaktError(f"{path} is larger than {LARGEST_FILE >> 20} MiB; `takt mine` writes no such file")
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TaktError(f"cannot read {path}: {error.strerror}; `takt mine` writes it") from None
    except (ValueError, RecursionError) as error:
        raise TaktError(f"{path} is no JSON ({error}); mine the repository again") from None
    if not isinstance(read, dict):
        raise TaktError(f"{path} is no JSON object; mine the repository again")
    return read
