"""The first process of a sandbox: it runs commands there, one at a time, and tells what they changed.

    python3 -I -S inside.py KEYCTL FILTER       the number of that system call, and `syscalls.program` in hexadecimal

It needs nothing but the standard library, for it is all of Takt that a sandbox holds. It is process 1 of its PID
namespace, so nothing there can kill it, and it is not dumpable, so nothing there can read or trace it. A message, both
ways, is the length of a header (4 bytes, big-endian), the header (JSON) and the blobs whose lengths it lists.
Who reads its answers believes nothing of them: what runs beside it is a stranger's.

Long because: it is all of Takt that a sandbox holds, and must be one file.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, BinaryIO

WORK = "/work"
SCRATCH = ("/tmp", "/home/agent", "/dev/shm")  # nosec B108: the sandbox's own, nobody else writes there
LOOK_S = 0.05  # between two looks at memory, processes and disk
FLOOD = 64 << 20  # bytes of output after which a command is ended
MOST_RECORDS = 4 << 20  # bytes of what comes over the channel of records
LONGEST_LINE = 1 << 16  # bytes of a line in which a command that lives on may say that it is done
LONGEST_PATH, DEEPEST = 1000, 50  # bytes of a path of the tree, and its parts (`trees.fits`)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
KEYCTL_JOIN_SESSION_KEYRING, SECCOMP_MODE_FILTER = 1, 2
IPC_RMID = 0
TICK_S = time.clock_getres(5)  # CLOCK_REALTIME_COARSE, by which a kernel may tell when a file was changed
PAGE = os.sysconf("SC_PAGE_SIZE")
BUSY_S = [0.0]  # processor time of the dead since the last command began

Entry = tuple[str, int, int, int, int]  # kind, mode, size, and what changes with a file: mtime and ctime, ns


def main() -> None:
    shut(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))
    os.umask(0o022)
    wire_in, wire_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    seen = scan()[0]
    living: list[Command] = []
    send(wire_out, {"ready": os.getpid()}, [])
    while (message := receive(wire_in)) is not None:
        header, blobs = message
        if header["op"] == "put":
            try:
                put(header["delete"], header["files"], blobs)
                seen = settled(scan()[0])
            except (OSError, ValueError, RecursionError) as error:  # a tree that is half there is not to be used
                send(wire_out, {"failed": said_of(error)}, [])
                return
            send(wire_out, {"done": True}, [])
            continue
        answer, out = turn(living, header, blobs) if header["op"] == "turn" else run(header, blobs)
        try:
            if header["op"] == "run":
                clean()
            after, odd = scan()
            settled(after)
        except (OSError, RecursionError, MemoryError) as error:  # this sandbox is not to be used again
            send(wire_out, {**answer, "unclean": said_of(error), "files": [], "deleted": [], "odd": []}, out)
            return
        changed = [path for path, entry in after.items() if seen.get(path) != entry]
        deleted = [path for path in seen if path not in after]
        files, contents, size = [], [], 0
        for path in changed:
            kind, mode, length, _, _ = after[path]
            size += length
            if size > header["effect"]:
                answer["too_much"] = True
                break
            files.append([path, kind, mode])
            contents.append(content(path, kind))
        else:
            seen = after
        if answer.get("too_much"):
            files, contents, deleted = [], [], []
        answer |= {"files": files, "deleted": deleted, "odd": odd}
        send(wire_out, answer, [*out, *contents])


class Filter(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_void_p)]


def shut(keyctl: int, program: bytes) -> None:
    """Before anything runs here: nobody may look into this process; it has a key ring of its own, where there are any,
    with which none of the machine's can be found; and from now on neither it nor what it starts can make the calls
    that the filter refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_DUMPABLE, 0)
    libc.syscall(keyctl, KEYCTL_JOIN_SESSION_KEYRING, None)
    held = ctypes.create_string_buffer(program, len(program))
    made = Filter(len(program) // 8, ctypes.addressof(held))
    zero = ctypes.c_ulong(0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(made), zero, zero):
        raise SystemExit(f"this kernel takes no filter of system calls: {os.strerror(ctypes.get_errno())}")


def said_of(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]


def receive(wire: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """The next message, None at the end."""
    head = wire.read(4)
    if len(head) < 4:
        return None
    header = json.loads(wire.read(int.from_bytes(head)))
    return header, [wire.read(length) for length in header["blobs"]]


def send(wire: BinaryIO, header: dict[str, Any], blobs: list[bytes]) -> None:
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    wire.write(len(text).to_bytes(4) + text)
    for blob in blobs:
        wire.write(blob)
    wire.flush()


# --- the tree ---------------------------------------------------------------------------------------------------------


def put(delete: list[str], files: list[list[Any]], blobs: list[bytes]) -> None:
    """Delete these paths and write these files below WORK. Nobody else runs meanwhile."""
    for path in sorted(delete, reverse=True):
        remove(os.path.join(WORK, path))
    for (path, kind, mode), blob in zip(files, blobs, strict=True):
        where = os.path.join(WORK, path)
        if kind == "d":
            if os.path.islink(where) or not os.path.isdir(where):
                remove(where)
                os.makedirs(where, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(where), exist_ok=True)
        remove(where)
        if kind == "l":
            os.symlink(os.fsdecode(blob), where)
        else:
            with open(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(blob)
            os.chmod(where, mode)


def remove(path: str) -> None:
    """Remove what is there, whatever it is. OSError if it cannot be.

    Folders in it may be such as nobody may list, and deeper than a path can be long: they are lifted up, one by one, to
    where they can be reached.
    """
    if not os.path.lexists(path):
        return
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    lifted, number = os.path.join(path, os.urandom(8).hex()), 0
    while inside := list(os.scandir(path)):
        for one in inside:
            if not one.is_dir(follow_symlinks=False):
                os.unlink(one.path)
                continue
            os.chmod(one.path, 0o700)
            for below in list(os.scandir(one.path)):
                if not below.is_dir(follow_symlinks=False):
                    os.unlink(below.path)
                    continue
                os.chmod(below.path, 0o700)  # a folder that is moved is written to
                number += 1
                os.rename(below.path, f"{lifted}-{number}")
            os.rmdir(one.path)
    os.rmdir(path)


def scan() -> tuple[dict[str, Entry], list[list[str]]]:
    """What lies below WORK, by path; and what cannot be kept, and was removed: why, and where it was.

    Modes become those that are kept, so that a tree that is laid anew is this one.
    """
    found: dict[str, Entry] = {}
    odd: list[list[str]] = []
    plain(WORK, os.stat(WORK).st_mode, 0o755)
    folders = [""]
    while folders:
        folder = folders.pop()
        for one in sorted(os.scandir(os.path.join(WORK, folder)), key=lambda one: one.name):
            path, where = os.path.join(folder, one.name), os.path.join(WORK, folder, one.name)
            about = one.stat(follow_symlinks=False)
            kind = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}.get(stat.S_IFMT(about.st_mode), "")
            if why := odd_of(path, kind):
                odd.append([why, os.fsencode(path[:200]).decode(errors="backslashreplace")])
                remove(where)
                continue
            mode = 0o755 if kind == "d" or about.st_mode & 0o100 else 0o644
            if kind != "l" and plain(where, about.st_mode, mode):
                about = os.stat(where, follow_symlinks=False)
            if kind == "d":
                folders.append(path)
                found[path] = ("d", 0o755, 0, 0, 0)
            else:
                found[path] = (kind, mode, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    return dict(sorted(found.items())), odd


def settled(found: dict[str, Entry]) -> dict[str, Entry]:
    """The same, once the clock has gone on since the last change: what changes next cannot have the same time."""
    newest = max((entry[4] for entry in found.values()), default=0) / 1e9
    time.sleep(min(2 * TICK_S, max(0.0, newest + 2 * TICK_S - time.time())))
    return found


def odd_of(path: str, kind: str) -> str:
    """Why something cannot be kept in a tree, "" if it can."""
    if not kind:
        return "no file, folder or link"
    try:
        long = len(path.encode()) > LONGEST_PATH
    except UnicodeEncodeError:
        return "a name that is no UTF-8"
    return "a path that is too long or too deep" if long or path.count("/") >= DEEPEST else ""


def plain(where: str, has: int, mode: int) -> bool:
    """See that a file or folder has this mode; whether it had another."""
    if stat.S_IMODE(has) == mode:
        return False
    os.chmod(where, mode)
    return True


def content(path: str, kind: str) -> bytes:
    where = os.path.join(WORK, path)
    if kind == "d":
        return b""
    if kind == "l":
        return os.fsencode(os.readlink(where))
    with open(os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read()


def clean() -> None:
    """Leave nothing of a command but the tree."""
    with open("/proc/self/mounts") as file:
        shown = [line.split()[1].replace("\\040", " ") for line in file]
    for folder in SCRATCH:
        plain(folder, os.stat(folder).st_mode, 0o755)
        empty(folder, shown)
    libc = ctypes.CDLL(None)
    for name, end in (("shm", libc.shmctl), ("msg", libc.msgctl), ("sem", libc.semctl)):
        with suppress(FileNotFoundError), open(f"/proc/sysvipc/{name}") as file:
            for line in file.readlines()[1:]:  # what processes share by System V outlives them
                end(int(line.split()[1]), *((0,) if name == "sem" else ()), IPC_RMID, None)


def empty(folder: str, shown: list[str]) -> None:
    """Remove what is in a folder, but for what of the machine is shown there."""
    for name in os.listdir(folder):
        where = os.path.join(folder, name)
        if where in shown:
            continue
        if any(one.startswith(f"{where}/") for one in shown):
            os.chmod(where, 0o700)
            empty(where, shown)
        else:
            remove(where)


# --- commands ---------------------------------------------------------------------------------------------------------


def run(asked: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Run one command to its end, or to the limit that it comes to first; then kill whatever it has left behind."""
    try:
        command = Command(asked)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return not_started(asked, error)
    ended_by = command.attend(asked["limits"], blobs[0] if blobs else b"", closing=True)
    return command.end(ended_by)


def turn(living: list[Command], asked: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Let the command that lives here go on, with a line to read, until it says that it is done with what that line
    asks for, `asked["ticket"]`, or comes to an end or a limit. Then all of it stands still until its next turn.

    It says so by a line of its output that is a JSON object with `submit` or `help` and the ticket's number.
    """
    if not living:
        try:
            living.append(Command(asked))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return not_started(asked, error)
    (command,) = living
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGCONT)
    ended_by = command.attend(asked["limits"], blobs[0], until=asked["ticket"])
    if ended_by in ("said", "time") and stand_still():
        return command.told(ended_by)
    living.clear()
    return command.end("gone" if ended_by in ("said", "time") else ended_by)


def not_started(asked: dict[str, Any], error: Exception) -> tuple[dict[str, Any], list[bytes]]:
    said = f"{asked['argv'][0]}: {getattr(error, 'strerror', None) or error}\n"
    return {"code": 127, "seconds": 0.0, "ended_by": "exit"}, [b"", said.encode(), b""]


class Command:
    """A command that runs, and what it has said since it was last told."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.output, BUSY_S[0] = asked["limits"]["output"], 0.0
        self.records, channel = os.pipe()
        try:
            self.child = subprocess.Popen(  # nosec B603: running strangers' commands is what this process is for
                asked["argv"],
                cwd=os.path.join(WORK, asked["cwd"]),
                env=asked["env"] | {"TAKT_RECORDS": str(channel)} if asked["records"] else asked["env"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(channel,) if asked["records"] else (),
                start_new_session=True,
                preexec_fn=lambda: bounded(asked["limits"]),
            )
        except BaseException:
            os.close(self.records)
            raise
        finally:
            os.close(channel)
        assert self.child.stdin and self.child.stdout and self.child.stderr
        self.numbers = (self.child.stdout.fileno(), self.child.stderr.fileno(), self.records)
        self.look = selectors.DefaultSelector()
        for number in self.numbers:
            os.set_blocking(number, False)
            self.look.register(number, selectors.EVENT_READ)
        os.set_blocking(self.child.stdin.fileno(), False)
        self.line, self.word, self.seconds = b"", dict[str, Any](), 0.0
        self.empty()

    def empty(self) -> None:
        most = (self.output, self.output, MOST_RECORDS)
        self.kept = {number: Kept(one) for number, one in zip(self.numbers, most, strict=True)}

    def attend(self, limit: dict[str, Any], given: bytes, closing: bool = False, until: int | None = None) -> str:
        """Give it this to read, and read what it says, until it ends or comes to a limit: which. `until`: or until it
        has said that it is done with this ticket."""
        began = time.monotonic()
        pending, stdin = memoryview(given), self.child.stdin
        assert stdin
        self.word = {}
        ended_by = ""
        while not ended_by:
            for key, _ in self.look.select(LOOK_S):
                try:
                    came = os.read(key.fd, 1 << 16)
                except OSError:
                    continue
                if came:
                    self.kept[key.fd].take(came)
                    if until is not None and key.fd == self.numbers[0]:
                        self.hear(came, until)
                else:
                    self.look.unregister(key.fd)
            if not stdin.closed and (pending or closing):
                try:
                    pending = pending[os.write(stdin.fileno(), pending[:65536]) :] if pending else pending
                    if not pending and closing:
                        stdin.close()
                except BlockingIOError:
                    pass
                except OSError:
                    stdin.close()
            if reap(self.child):
                ended_by = "exit"
            elif self.word:
                ended_by = "said"
            elif time.monotonic() - began > limit["wall_s"]:
                ended_by = "time"
            elif sum(one.total for one in self.kept.values()) > FLOOD:
                ended_by = "output"
            else:
                ended_by = over(limit)
            if not self.look.get_map() and not ended_by:
                time.sleep(0.002)
        self.seconds = time.monotonic() - began
        return ended_by

    def hear(self, came: bytes, ticket: int) -> None:
        """Look for its word among the lines that it prints."""
        *lines, rest = (self.line + came).split(b"\n")
        self.line = rest[-LONGEST_LINE:]
        for line in lines:
            if line.lstrip().startswith(b"{") and not self.word:
                try:
                    said = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                for name in ("submit", "help"):
                    if type(said.get(name)) is int and said[name] == ticket:
                        self.word = {name: ticket, "why": str(said.get("why") or "")[:500]}

    def told(self, ended_by: str) -> tuple[dict[str, Any], list[bytes]]:
        """What came of its turn."""
        out = [one.text() for one in self.kept.values()]
        self.empty()
        return {"code": 0, "seconds": self.seconds, "ended_by": ended_by, "word": self.word}, out

    def end(self, ended_by: str) -> tuple[dict[str, Any], list[bytes]]:
        """Kill it, and all that it has left behind; what came of it."""
        left = kill_all(self.child)
        for number, one in self.kept.items():  # what lies in the pipes still
            try:
                while one.total <= FLOOD and (came := os.read(number, 1 << 16)):
                    one.take(came)
            except OSError:
                pass
        os.close(self.records)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        code = self.child.returncode
        answer, out = self.told(ended_by)
        return answer | {"code": code if code >= 0 else 128 - code, "left": left, "busy_s": BUSY_S[0]}, out


class Kept:
    """Output as far as it is kept: its beginning and its end."""

    def __init__(self, most: int) -> None:
        self.most, self.head, self.tail, self.total = most, b"", b"", 0

    def take(self, came: bytes) -> None:
        self.total += len(came)
        room = self.most // 2 - len(self.head)
        self.head += came[: max(0, room)]
        self.tail = (self.tail + came[max(0, room) :])[-(self.most - self.most // 2) :]

    def text(self) -> bytes:
        cut = self.total - len(self.head) - len(self.tail)
        return self.head + (b"\n[... %d bytes not kept ...]\n" % cut if cut > 0 else b"") + self.tail


def bounded(limit: dict[str, Any]) -> None:
    """The limits that a process has for itself. Those of all together are watched (`over`)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    memory = limit["memory"]
    for what, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, limit["disk"]),
        (resource.RLIMIT_NPROC, limit["processes"] + 2),
        (resource.RLIMIT_CPU, limit["cpu_s"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_MEMLOCK, 1 << 16),
        (resource.RLIMIT_MSGQUEUE, 0),  # a queue of messages would outlive its command
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def over(limit: dict[str, Any]) -> str:
    """Which limit all processes together have passed, "" if none."""
    pages, processes, there = 0, 0, others()
    for pid in there:
        try:
            with open(f"/proc/{pid}/statm") as file:
                pages += int(file.read().split()[1])
            processes += len(os.listdir(f"/proc/{pid}/task"))
        except (OSError, IndexError):
            continue
    if pages * PAGE > limit["memory"]:
        return "memory"
    if processes > limit["processes"] or (limit["alone"] and len(there) > 1):
        return "processes"
    for folder, most in ((WORK, limit["entries"]), *((one, limit["scratch"]) for one in SCRATCH)):
        disk = os.statvfs(folder)
        if disk.f_files - disk.f_ffree > most:
            return "disk"
    return ""


def others() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def stand_still() -> bool:
    """Stop all but this process; whether they do stand, all of them."""
    for _ in range(500):
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGSTOP)
        if all(stands(pid) for pid in others()):
            return True
        time.sleep(0.002)
    return False


def stands(pid: int) -> bool:
    """Whether a process is stopped, or dead, or waits for one that is (in vfork: it stops on its return)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "TtZXD"
    except (OSError, IndexError):
        return True


def reap(child: subprocess.Popen[bytes]) -> bool:
    """Bury the dead, as process 1 must; whether the command is one of them."""
    try:
        while (dead := os.wait4(-1, os.WNOHANG))[0]:
            BUSY_S[0] += dead[2].ru_utime + dead[2].ru_stime
            if dead[0] == child.pid:
                child.returncode = os.waitstatus_to_exitcode(dead[1])
    except ChildProcessError:
        pass
    return child.returncode is not None


def kill_all(child: subprocess.Popen[bytes]) -> int:
    """Kill all but this process; how many the command has left behind."""
    left = len([pid for pid in others() if pid != child.pid])
    while True:
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        if reap(child) and not others():
            return left
        time.sleep(0.001)


if __name__ == "__main__":
    main()
