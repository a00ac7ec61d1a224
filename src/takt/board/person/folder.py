"""A person's own editor: the files of a station of tools as a folder, and what is saved there as calls of its tools.

The folder is what the tools show (`Files`); a file that is saved, made or removed becomes a call of `write` or
`delete`, as from the page, and is recorded like any other. What calls change (a command that was run, say) is written
to the folder. Where both changed a file, what was saved last in the folder is what counts.

Hidden files and those that end with ~ are an editor's own and stay where they are, unless the station has them too.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from takt.contract.station import Files
from takt.errors import TaktError
from takt.plainly import plainly
from takt.workers.person.hatch import Hatch

LOOK_S = 0.3  # wall time between two looks at the folder
LONGEST_CALL_S = 600.0  # wall time until a call is given up
LARGEST = 1 << 20  # bytes of a file that is sent
Sign = tuple[int, int]  # of a file on disk: when it was changed, ns, and its size


class Folder:
    """Keeps `root` and the station's files alike while one is within it. TaktError if `root` holds anything yet.

    said   is told, in a line, what the station refused.
    """

    def __init__(self, hatch: Hatch, station: Files, root: Path, said: Callable[[str], None]) -> None:
        self._hatch, self._station, self._root, self._said = hatch, station, root, said
        try:
            root.mkdir(parents=True, exist_ok=True)
            if any(root.iterdir()):
                raise TaktError(f"{root} is not empty; --editor takes an empty one, or one that is not there yet")
        except OSError as error:
            raise TaktError(f"cannot keep files in {root}: {plainly(error)}") from error
        self._lock = threading.Lock()
        self._files: Mapping[str, bytes] = {}  # the station's, as they were last handed over
        self._there: dict[str, bytes] = {}  # what is in the folder as far as the station knows
        self._signs: dict[str, Sign] = {}
        self._left: set[str] = set()  # what was said to stay in the folder
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True, name="folder")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(10.0)

    def hand_over(self) -> None:
        """The station's files as they are now. Called by the shift at each look, before a call is answered."""
        files = {path: content for path, content in self._station.files.items() if _within(path)}
        with self._lock:
            self._files = files

    def _follow(self) -> None:
        while not self._closed.is_set() and self._hatch.over is None:
            try:
                self._send()
                self._receive()
            except OSError as error:
                self._said(f"the folder: {plainly(error)}")
            self._closed.wait(LOOK_S)

    def _receive(self) -> None:
        """Write what the station has and the folder has not."""
        with self._lock:
            files = dict(self._files)
        for path in [*files, *(one for one in self._there if one not in files)]:
            new = files.get(path)
            at = self._root / path
            if new == self._there.get(path) or _sign(at) != self._signs.get(path):
                continue  # nothing has changed, or somebody has just saved it: that is sent first
            if new is None:
                at.unlink(missing_ok=True)
                del self._there[path], self._signs[path]
            else:
                at.parent.mkdir(parents=True, exist_ok=True)
                at.write_bytes(new)
                self._there[path], self._signs[path] = new, _sign(at) or (0, 0)

    def _send(self) -> None:
        """Call `write` and `delete` for what was changed in the folder."""
        found = {}
        for at, folders, names in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in [*names, *folders]:
                path = (Path(at) / name).relative_to(self._root).as_posix()
                own = name.startswith(".") or name.endswith("~")
                if not own and _leads_elsewhere(Path(at) / name):
                    self._leave(path, "is no file of its own, but a link or a device")
                elif (sign := _sign(Path(at) / name)) is not None and (not own or path in self._there):
                    found[path] = sign
        for path, sign in found.items():
            if sign != self._signs.get(path):
                self._signs[path] = sign
                self._write(path)
        for path in [one for one in self._there if one not in found and _sign(self._root / one) is None]:
            del self._there[path], self._signs[path]
            self._call("delete", path)

    def _write(self, path: str) -> None:
        at = self._root / path
        content = at.read_bytes()
        if content == self._there.get(path):
            return  # saved as it was
        try:
            if len(content) > LARGEST:
                raise ValueError
            text = content.decode()
        except ValueError:
            self._left.discard(path)  # each time that it is saved
            self._leave(path, f"is no text, or longer than {LARGEST:,} bytes")
            return
        if self._call("write", path, text=text):
            self._there[path] = content
        elif path in self._files:  # what was refused stays in the folder, until it is saved again
            self._there[path] = self._files[path]

    def _leave(self, path: str, why: str) -> None:
        """Say, once, that it is not sent: here and at the page."""
        if path in self._left:
            return
        self._left.add(path)
        told = f"{path} {why}: it stays in the folder only"
        self._said(told)
        self._hatch.remark("editor", told)

    def _call(self, tool: str, path: str, **more: Any) -> bool:
        """Whether it was done."""
        try:
            answer = self._hatch.ask(tool, json.dumps({"path": path, **more})).result(LONGEST_CALL_S)
        except TimeoutError:
            answer = "no answer"
        result = answer.get("result") if isinstance(answer, Mapping) else {"error": {"message": str(answer)}}
        wrong = result.get("error") if isinstance(result, Mapping) else None
        if wrong and self._hatch.over is None:
            self._said(f"{tool} {path}: {wrong['message']}")
        return not wrong


def _within(path: str) -> bool:
    """Whether it stays in the folder, whoever named the file."""
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")


def _leads_elsewhere(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir())


def _sign(path: Path) -> Sign | None:
    """None for what is no regular file: links lead elsewhere, and are neither read nor written."""
    try:
        seen = path.lstat()
    except OSError:
        return None
    return (seen.st_mtime_ns, seen.st_size) if path.is_file() and not path.is_symlink() else None
