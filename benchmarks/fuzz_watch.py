"""What a stranger's file must not bring about, watched: each command in a process that was forked for that file.

The process has everything imported, no state of another file, and an end: the kernel kills it after `MOST_S` of the
processor's time. An audit hook (PEP 578) catches every program that would be started, every connection, every import
by a stranger's name, and every file that Python would change outside the ledger's own folder; what SQLite changes by
itself is found by looking at all the other files after each command.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

MOST_S, MOST_BYTES = 10.0, 10**9
SILENT_S = 300.0  # of the wall's time, on a busy machine: it waits for something that never comes
FAULTS = ("Traceback", "a fault of Takt's own", "not enough memory")

# A ledger may say that its worker was isolated: one that is registered is opened in a process of its own then.
ISOLATED = [sys.executable, "-P", "-m", "takt.isolate.child"]


class Escaped(BaseException):
    """Something was done that no file may bring about. No Exception, so that nobody takes it for an error of a file."""


class Watch:
    """An audit hook: while `on`, nothing is started, connected to, deleted or written outside `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.seen = os.path.realpath(folder), False, list[str]()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "subprocess.Popen" and list(args[1])[:4] == ISOLATED:
            return
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "socket.connect"):
            self._escaped(f"{event} {args[:1]}")
        if event in ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree", "os.mkdir", "os.symlink", "os.chmod"):
            self._path(event, args[0])
        if event in ("os.rename", "os.symlink", "os.link"):
            self._path(event, args[1])
        if event == "open":
            mode, flags = args[1], args[2] if isinstance(args[2], int) else 0
            writes = set(mode) & set("wax+") if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
            if writes:
                self._path(event, args[0])
        if event == "import" and str(args[0]).startswith("stranger"):
            self._escaped(f"import {args[0]}")

    def _path(self, event: str, path: Any) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            real = os.path.realpath(os.fsdecode(path))
            if not real.startswith((self.folder + os.sep, "/dev/")) and real != self.folder:
                self._escaped(f"{event} {real}")

    def _escaped(self, what: str) -> None:
        self.seen.append(what)
        raise Escaped(what)


class Grounds:
    """A folder with all that a file could reach for: `own`, the ledger's own folder, where it may write; the user's
    home, the current folder and a victim, where it may not. `stranger.py` leaves a mark wherever it is imported."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.own = folder.resolve(), folder.resolve() / "own"
        self.victim, self.home, self.here = (self.folder / name for name in ("victim", "home", "here"))
        for made in (self.home, self.here):
            made.mkdir(parents=True)
        self.victim.write_text("two years of work")
        self.mark = self.folder / "ran"
        for place in (self.here, self.home):
            (place / "stranger.py").write_text(f"open({str(self.mark)!r}, 'w').close()\ndef work(seen): return 0\n")
        sys.path.append(str(self.here))
        os.chdir(self.here)
        os.environ |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.own),
            "XDG_STATE_HOME": str(self.own / "state"),
            "XDG_CONFIG_HOME": str(self.own / "config"),
            "FUZZ_SECRET": "a-secret-of-the-user",
        }

    def fresh(self) -> None:
        shutil.rmtree(self.own, ignore_errors=True)
        self.own.mkdir()

    def outside(self) -> dict[str, tuple[int, int, int]]:
        """Everything but `own`, as it is now."""
        found = {}
        for top, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if Path(top, name) != self.own]
            for name in files:
                is_now = os.lstat(os.path.join(top, name))
                found[os.path.join(top, name)] = (is_now.st_size, is_now.st_mtime_ns, is_now.st_nlink)
        return found


@contextlib.contextmanager
def _limited(most_s: float) -> Iterator[None]:
    """The kernel ends this process (SIGPROF) when it has worked for so long, wherever it is, also in C."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, most_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


_built: list[Any] = []


@contextlib.contextmanager
def built_once() -> Iterator[None]:
    """The program's commands, the desk's too, are put together once, and not for each of thousands."""
    import typer.main

    from takt import cli
    from takt.cli.registered import all_loaded

    if not _built:
        _built.append(all_loaded(typer.main.get_command(cli.app)))
    kept, typer.main.get_command = typer.main.get_command, lambda _: _built[0]
    try:
        yield
    finally:
        typer.main.get_command = kept


def peak_bytes() -> int:
    """The most memory that this process has held, since `forget_peak`. Not `ru_maxrss` where it can be helped: that
    begins with what the process had which started this one."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> int:
    """Begin anew to measure the peak. Returns what this process holds now."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def asked(words: Sequence[str], watch: Watch, most_s: float = MOST_S) -> int:
    """The exit code of a command of `takt`, if it did nothing that it must not do. AssertionError if it did."""
    from takt.cli import main

    out, err = io.StringIO(), io.StringIO()
    before = time.process_time()
    watch.on = True
    try:
        with (
            _limited(most_s),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(),
        ):
            code = main(words)
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    finally:
        watch.on = False
    took_s = time.process_time() - before
    said = err.getvalue()
    lines = [line for line in said.splitlines() if not line.startswith("takt: warning:")]
    assert not watch.seen, watch.seen
    assert code in (0, 1, 2), f"exit code {code}: {said[-300:]}"
    assert code != 2 or lines, "refused in silence"
    assert not any(word in said for word in FAULTS), said[-600:]
    assert code == 0 or all(line.startswith("takt: ") for line in lines), lines[-3:]
    assert not any(ord(mark) < 32 and mark not in "\n\t" for mark in said), "orders to a terminal"
    assert os.environ["FUZZ_SECRET"] not in out.getvalue() + said, "a secret is told"
    assert took_s < most_s, f"{took_s:.1f} s"
    return code


def forked(work: Callable[[Callable[[Any], None]], None]) -> tuple[list[Any], str]:
    """Do `work` in a fork, which tells values by the function that it is given. Returns them, and how it ended: ""."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        ended = 1
        try:
            os.close(read)
            most = _virtual_bytes() + 2 * MOST_BYTES  # a flood ends in this process, and not in the machine
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            work(lambda value: _write(write, value))
            ended = 0
        except BaseException as error:
            _write(write, {"failed": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(ended)
    os.close(write)
    told, said = b"", True
    while said:
        ready, _, _ = select.select([read], [], [], SILENT_S)
        if not ready:
            os.kill(child, signal.SIGKILL)
            said = False
            break
        part = os.read(read, 65536)
        if not part:
            break
        told += part
    os.close(read)
    _, status = os.waitpid(child, 0)
    values = [json.loads(line) for line in told.splitlines()]
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        why = {"SIGPROF": "it worked too long", "SIGKILL": f"{SILENT_S:g} s without a word"}
        return values, f"killed by {name}: {why.get(name, 'it crashed')}"
    return values, "" if os.WEXITSTATUS(status) == 0 else "it ended by itself"


def _write(pipe: int, value: Any) -> None:
    os.write(pipe, json.dumps(value).encode() + b"\n")


def _virtual_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
