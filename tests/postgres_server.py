"""A PostgreSQL server of the tests' own, in a temporary folder, on a free port of the loopback: Debian's, or the one on
the path. `binaries()` is None where there is none, and `WHY` says so."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

WHY = "no PostgreSQL server here (on Debian: apt-get install postgresql), or no psycopg (the extra `fleet`)"


def binaries() -> Path | None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return None
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda at: int(at.parts[-3]))
    here = shutil.which("initdb")
    return found[-1].parent if found else Path(here).parent if here else None


class Server:
    """Started, it takes connections at `uri`, from this machine alone. `kill` is SIGKILL of all of it; `start` again
    recovers what was on its disk."""

    def __init__(self) -> None:
        bin_ = binaries()
        assert bin_ is not None
        self._bin = bin_
        self._as = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="takt-pg-"))
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"postgresql://takt@127.0.0.1:{self.port}/postgres"
        self._run(
            "initdb", "--auth=trust", "--username=takt", "--no-sync", "--encoding=UTF8", "--locale=C", "-D", self._data
        )
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        options = f"-p {self.port} -c unix_socket_directories='' -c listen_addresses=127.0.0.1"
        options += " -c shared_buffers=16MB -c max_connections=50"
        self._run(
            "pg_ctl", "-D", self._data, "-l", str(self._folder / "log"), "-o", options, "-w", "-t", "120", "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """As a machine that loses its power loses it: nothing is said, and what was not written is gone."""
        pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for one in (pid, *children):
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until = time.monotonic() + 60
        while (
            any(Path(f"/proc/{one}").exists() and _lives(one) for one in (pid, *children)) and time.monotonic() < until
        ):
            time.sleep(0.02)
        # Where nobody collects the dead, the next server would take this one for alive.
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            subprocess.run(  # type: ignore[call-overload]
                [self._bin / "pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop"],
                capture_output=True,
                **self._as,
            )
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(  # type: ignore[call-overload]
            [str(self._bin / program), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would not end
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            check=False,
            **self._as,
        )
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(f"{program} failed: {log.read_text()[-500:] if log.exists() else done.returncode}")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
