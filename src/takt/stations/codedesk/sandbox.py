"""A sandbox for commands of strangers, by bubblewrap: what runs in it reaches nothing of this machine.

    sandbox = Sandbox()
    ran = sandbox.run(["python3", "-m", "pytest"], tree=Path("project"), wall_s=60)
    with sandbox.open() as room: room.put({"a.py": b"..."}); room.run(["python3", "a.py"])

It has namespaces of its own (user, mount, PID, network, IPC, UTS, cgroup), a read-only system, an empty environment, no
capability, no way to further namespaces, no system call that reaches past them (`syscalls`), and a user that owns
nothing. Its tree, `/work`, `/tmp` and home lie in memory
(tmpfs) of a limited size: no file of this machine is written. Limits: memory, processes, disk and files, processor and
wall time, output; a control group as well, where there can be one. When a command ends, all that it has left behind is
killed. Where a machine has no bubblewrap, or forbids user namespaces, a sandbox is refused: there is no other way.

Root drops to nobody first: another bubblewrap around the one that unshares shows it what only root can reach.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, get_args

from takt.errors import TaktError
from takt.printable import printable
from takt.stations.codedesk import syscalls
from takt.stations.codedesk.bubblewrap import MIB, command_line, environment
from takt.stations.codedesk.cgroups import Group, counts_memory
from takt.stations.codedesk.trees import File, Tree, Unlaid, checked, mode_of, read_tree

Ended = Literal["exit", "time", "memory", "processes", "disk", "output", "gone", "said"]
CPU_OF_A_LIFE_S = 1_000_000  # processor time of a command that lives through a shift
GRACE_S = 30.0  # beyond a command's limit, until a sandbox that gives no answer is given up
WITHOUT_END = 1 << 60
FIX = {
    "bwrap": "codedesk runs commands in a sandbox of bubblewrap, which is not installed: apt-get install bubblewrap",
    "linux": "codedesk runs commands in a sandbox of bubblewrap, which is for Linux only",
    "machine": "codedesk's sandbox is for x86_64 and aarch64 machines: it refuses system calls by their numbers there",
    "setpriv": "codedesk's sandbox drops root's rights by setpriv, which is not installed: apt-get install util-linux",
}


@dataclass(frozen=True)
class Limits:
    """What a command may use. `effect_mb` is how much of the tree it may change, `entries` files and folders in it."""

    wall_s: float = 600.0
    memory_mb: int = 1024
    processes: int = 128
    output_kb: int = 64
    disk_mb: int = 256
    effect_mb: int = 16
    entries: int = 50_000


@dataclass(frozen=True)
class Ran:
    """What came of a command.

    code       its exit status; 128 and the signal's number if a signal ended it.
    ended_by   "exit", or the limit that it came to; "gone" if the sandbox was lost, with all that was done in it.
    left       processes that it left running, and that were killed.
    changed    files that it wrote, by path, with None for deleted ones; empty if `too_much` of them.
    records    what came over the channel of records.
    left_out   what a command made that cannot be kept, in words, "" if nothing: no file, folder or link, a name that is
               no UTF-8, a path that is too long or too deep.
    busy_s     processor time of all its processes that have ended, by the kernel's account.
    word       what a command said at the end of a turn (`Room.turn`): {"submit" or "help": the ticket, "why"}.
    """

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    ended_by: Ended
    left: int = 0
    changed: Mapping[str, File | None] = field(default_factory=dict)
    too_much: bool = False
    records: bytes = b""
    left_out: str = ""
    word: Mapping[str, Any] = field(default_factory=dict)
    busy_s: float = 0.0


@dataclass(frozen=True)
class Sandbox:
    """How sandboxes are made. `programs` are shown in it (`mounts`); `path` goes before the system's PATH, and before
    that the Python (its program's path; "" for our own) that is `python3` there; `sockets`
    are Unix sockets of this machine, by the path that they have inside: the only ways out. `tree` is a folder of this
    machine that is the tree, read-only, in place of one that is `put` there."""

    programs: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    python: str = ""
    sockets: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    tree: Path | None = None

    def run(
        self,
        argv: Sequence[str],
        *,
        tree: Path | Tree,
        wall_s: float = 600.0,
        memory_mb: int = 1024,
        processes: int = 128,
        output_kb: int = 64,
        disk_mb: int = 256,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        records: bool = False,
    ) -> Ran:
        """Run one command in a sandbox of its own, in a copy of the tree (`Ran.changed`)."""
        limits = Limits(wall_s, memory_mb, processes, output_kb, disk_mb, disk_mb)
        with replace(self, limits=limits).open() as room:
            room.put(read_tree(tree) if isinstance(tree, Path) else tree)
            return room.run(argv, env=env, stdin=stdin, records=records)

    def open(self) -> Room:
        """A sandbox with an empty tree, until it is closed."""
        check_works()
        return Room(self)


class Room:
    """One sandbox, as long as it is open. The commands that run in it, one by one, share the tree and nothing else."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        limits = sandbox.limits
        self._group = Group((limits.memory_mb + 2 * limits.disk_mb + 64) * MIB, limits.processes + 16)
        argv = command_line(sandbox, counts_memory(self._group.folders))
        if self._group.join:
            joins = "; ".join(f'echo $$ > "{path}"' for path in self._group.join)
            argv = ["sh", "-c", f'{joins}; exec "$@"', "sh", *argv]
        self._process = subprocess.Popen(  # nosec B603: our own words, and paths that the user has named
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True,
        )
        self.lost = False
        try:
            if not self._receive(GRACE_S)[0].get("ready"):
                raise Lost
        except Lost:
            said = b""
            if self._process.stderr:
                with suppress(OSError):
                    self._process.kill()
                    said = self._process.stderr.read()
            self.close()
            text = " ".join(said.decode(errors="replace").split())[-300:] or "it said nothing"
            raise TaktError(f"codedesk's sandbox does not start: {text}") from None

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it, and all that runs in it: with process 1 the kernel ends its whole PID namespace."""
        self.lost = True
        process = self._process
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        for _ in range(200):
            self._group.close()
            if not any(folder.exists() for folder in self._group.folders):
                break
            time.sleep(0.01)

    def put(self, files: Tree | Mapping[str, File | None]) -> None:
        """Write these files into the tree; None deletes. Unlaid if they do not fit, or cannot be there: then it is
        closed."""
        gone = [path for path, file in files.items() if file is None]
        there = [(path, file) for path, file in files.items() if file is not None]
        header = {"op": "put", "delete": gone, "files": [[path, file[0][0], mode_of(file)] for path, file in there]}
        try:
            self._send(header, [file[1] for _, file in there])
            answer = self._receive(GRACE_S + len(there) / 100)[0]
            if answer.get("done"):
                return
            why = printable(str(answer.get("failed")))[:200]
        except Lost:
            why = f"has it more than {self.sandbox.limits.disk_mb} MiB?"
        self.close()
        raise Unlaid(f"the tree could not be laid in the sandbox: {why}")

    def run(
        self,
        argv: Sequence[str],
        *,
        wall_s: float | None = None,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        records: bool = False,
        effect_mb: int | None = None,
        alone: bool = False,
    ) -> Ran:
        """Run a command to its end, or to its limit. It never raises for what a command does; a room that is `lost`
        thereby takes no further one. `effect_mb`: how much of the tree it may change, where that is not as usual.
        `alone`: it may have threads, and start no other process."""
        effect = MIB * (self.sandbox.limits.effect_mb if effect_mb is None else effect_mb)
        header = {"op": "run", "cwd": cwd, "records": records, "effect": effect, "alone": alone}
        return self._do(header, argv, wall_s, env, stdin)

    def turn(
        self, argv: Sequence[str], line: bytes, ticket: int, *, wall_s: float, env: Mapping[str, str] | None = None
    ) -> Ran:
        """Let the one command that lives here, started now if it was not, read a line, and go on until it says that it
        is done with the ticket (`Ran.word`), or comes to its end, or to a limit. After "said" and "time" it lives on,
        and stands still until its next turn; /tmp and its home are kept. Such a room is for this command alone."""
        effect = MIB * self.sandbox.limits.effect_mb
        header = {"op": "turn", "cwd": "", "records": False, "ticket": ticket, "effect": effect}
        return self._do(header, argv, wall_s, env, line.rstrip(b"\n") + b"\n")

    def _do(
        self, op: dict[str, Any], argv: Sequence[str], wall_s: float | None, env: Mapping[str, str] | None, stdin: bytes
    ) -> Ran:
        limits = self.sandbox.limits
        wall_s = limits.wall_s if wall_s is None else min(wall_s, limits.wall_s)
        header = {
            **op,
            "argv": list(argv),
            "env": environment(self.sandbox) | dict(env or {}),
            "limits": {
                "wall_s": wall_s,
                "cpu_s": int(wall_s) + 5 if op["op"] == "run" else CPU_OF_A_LIFE_S,
                "memory": limits.memory_mb * MIB,
                "processes": limits.processes,
                "alone": bool(op.get("alone")),
                "output": limits.output_kb * 1024,
                "disk": limits.disk_mb * MIB,
                "entries": limits.entries if self.sandbox.tree is None else WITHOUT_END,
                "scratch": limits.entries,
            },
        }
        began = time.monotonic()
        try:
            self._send(header, [stdin])
            answer, blobs = self._receive(wall_s + GRACE_S)
            return self._ran(answer, blobs)
        except Lost:
            ended: Ended = "memory" if self._group.ran_out else "gone"
            self.close()
            return Ran(137, b"", b"", time.monotonic() - began, ended)

    def _ran(self, answer: dict[str, Any], blobs: list[bytes]) -> Ran:
        """What a sandbox answers, as far as it can be believed."""
        try:
            out, err, records, *contents = blobs
            if answer.get("unclean"):
                self.close()
            changed: dict[str, File | None] = {checked(path): None for path in answer["deleted"]}
            for (path, kind, mode), content in zip(answer["files"], contents, strict=True):
                if kind not in ("f", "l", "d"):
                    raise ValueError(kind)
                named = f"f{'755' if int(mode) & 0o100 else '644'}" if kind == "f" else kind
                changed[checked(path)] = (named, content)
            ended: Ended = answer["ended_by"]
            if ended not in get_args(Ended):
                raise ValueError(ended)
            if ended == "exit" and self._group.ran_out:
                ended = "memory"
            return Ran(
                int(answer["code"]),
                out,
                err,
                float(answer["seconds"]),
                ended,
                int(answer.get("left", 0)),
                changed,
                bool(answer.get("too_much") or answer.get("unclean")),
                records,
                odd_of(answer.get("odd") or []),
                worded(answer.get("word") or {}),
                float(answer.get("busy_s", 0.0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Lost from error

    def _send(self, header: dict[str, Any], blobs: Sequence[bytes]) -> None:
        if self.lost:
            raise Lost
        assert self._process.stdin
        text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
        try:
            self._process.stdin.write(b"".join((len(text).to_bytes(4), text, *blobs)))
            self._process.stdin.flush()
        except OSError:
            raise Lost from None

    def _receive(self, within_s: float) -> tuple[dict[str, Any], list[bytes]]:
        until = time.monotonic() + within_s
        most = 4 * self.sandbox.limits.disk_mb * MIB + 64 * MIB
        length = int.from_bytes(self._read(4, until))
        if length > 64 * MIB:
            raise Lost
        try:
            header = json.loads(self._read(length, until))
            blobs = header["blobs"]
            if not all(isinstance(one, int) and one >= 0 for one in blobs) or sum(blobs) > most:
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Lost from None
        return header, [self._read(one, until) for one in blobs]

    def _read(self, length: int, until: float) -> bytes:
        assert self._process.stdout
        number, parts = self._process.stdout.fileno(), []
        with selectors.DefaultSelector() as look:
            look.register(number, selectors.EVENT_READ)
            while length:
                if not look.select(max(0.0, until - time.monotonic())):
                    raise Lost
                part = os.read(number, min(length, MIB))
                if not part:
                    raise Lost
                parts.append(part)
                length -= len(part)
        return b"".join(parts)


def worded(word: Any) -> dict[str, Any]:
    """What a command said of its ticket, as far as it can be believed. ValueError for what is no such thing."""
    if not isinstance(word, dict):
        raise ValueError("no word")
    why = str(word.get("why", "")).encode(errors="replace").decode()[:500]
    said = {name: int(word[name]) for name in ("submit", "help") if type(word.get(name)) is int}
    return {**said, "why": why} if said else {}


def odd_of(rows: Any) -> str:
    """What could not be kept, in words, as far as it can be believed. ValueError for what is no such thing."""
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise ValueError("no rows")
    reasons: dict[str, list[str]] = {}
    for why, path in rows:
        reasons.setdefault(printable(str(why))[:60], []).append(printable(str(path))[:80])
    return "; ".join(f"{len(paths)} of {why}, as {paths[0]!r}" for why, paths in list(reasons.items())[:5])


class Lost(Exception):
    """A sandbox that answers no more, or nonsense."""


@cache
def check_works() -> None:
    """Raise TaktError, in one line, where no sandbox can be made."""
    if not Path("/proc/self/ns").is_dir():
        raise TaktError(FIX["linux"])
    if not syscalls.known():
        raise TaktError(FIX["machine"])
    if shutil.which("bwrap") is None:
        raise TaktError(FIX["bwrap"])
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        raise TaktError(FIX["setpriv"])
    try:
        Room(Sandbox(limits=Limits(disk_mb=16, memory_mb=64, processes=8))).close()
    except TaktError as error:
        why = str(error).removeprefix("codedesk's sandbox does not start: ")
        raise TaktError(
            "codedesk needs user namespaces for its sandbox, which this machine or container does not allow "
            f"({why}); there is no other way to run it"
        ) from None
