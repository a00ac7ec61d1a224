"""Control groups, where this machine lets us make one: the kernel's own limit on the memory and processes of a sandbox.

Root can on machines with version 1 and in most containers; others can where systemd has delegated (version 2). Where
none can be made, the limits of each process and the sandbox's own watch are what there is (`inside.py`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

OLD_S = 600.0  # a group that is made is joined at once
FILES = Path("/sys/fs/cgroup")


class Group:
    """A control group of its own; `join` is what a process writes its number into, one path for each hierarchy."""

    def __init__(self, memory: int, processes: int) -> None:
        self.folders: list[Path] = []
        for controller, limits in (
            ("memory", (("memory.limit_in_bytes", memory), ("memory.memsw.limit_in_bytes", memory))),
            ("pids", (("pids.max", processes),)),
        ):
            with suppress(OSError):
                self._make(_own_v1(controller), limits)
        if not self.folders:
            with suppress(OSError):
                parent = _own_v2()
                has = (parent / "cgroup.subtree_control").read_text().split()
                if "memory" in has and "pids" in has:
                    self._make(parent, (("memory.max", memory), ("memory.swap.max", 0), ("pids.max", processes)))

    @property
    def join(self) -> list[str]:
        return [str(folder / "cgroup.procs") for folder in self.folders]

    @property
    def ran_out(self) -> bool:
        """Whether memory has run out in it."""
        for folder in self.folders:
            with suppress(OSError):
                for line in (folder / "memory.oom_control").read_text().splitlines():
                    if line.startswith("oom_kill ") and line != "oom_kill 0":
                        return True
            with suppress(OSError):
                for line in (folder / "memory.events").read_text().splitlines():
                    if line.startswith("oom_kill ") and line != "oom_kill 0":
                        return True
        return False

    def close(self) -> None:
        """Remove it; nothing runs in it any more."""
        for folder in self.folders:
            with suppress(OSError):
                folder.rmdir()

    def _make(self, parent: Path, limits: tuple[tuple[str, int], ...]) -> None:
        for left in parent.glob("takt-*"):  # of processes that were killed; one with processes in it stays
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > OLD_S:
                    left.rmdir()
        folder = parent / f"takt-{os.getpid()}-{token_hex(4)}"
        folder.mkdir()
        try:
            for number, (name, value) in enumerate(limits):
                try:
                    (folder / name).write_text(str(value))
                except OSError:
                    if number == 0:  # swap is not counted everywhere
                        raise
            if not os.access(folder / "cgroup.procs", os.W_OK):
                raise PermissionError
        except OSError:
            folder.rmdir()
            raise
        self.folders.append(folder)


def counts_memory(folders: Sequence[Path]) -> bool:
    """Whether in these groups the kernel holds all memory to a limit."""
    return any((folder / name).exists() for folder in folders for name in ("memory.limit_in_bytes", "memory.max"))


def _own(controller: str) -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path.lstrip("/")
    raise FileNotFoundError(controller)


def _own_v1(controller: str) -> Path:
    return FILES / controller / _own(controller)


def _own_v2() -> Path:
    """The group above ours: one that holds processes cannot have groups below it that are limited."""
    path = _own("")
    return (FILES / path).parent if path else FILES
