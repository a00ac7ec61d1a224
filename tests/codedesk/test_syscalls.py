"""What the kernel keeps once for all: key rings, its log, and others. No sandbox leaves anything there, or finds it."""

from __future__ import annotations

import ctypes
import json
import struct
from types import SimpleNamespace
from typing import cast

import pytest
from series import BASE, hidden

from takt.stations.codedesk import syscalls
from takt.stations.codedesk.cgroups import Group
from takt.stations.codedesk.inspection import Suite, inspect
from takt.stations.codedesk.repository import files_of
from takt.stations.codedesk.sandbox import Limits, Room, Sandbox
from takt.stations.codedesk.syscalls import MACHINES, REFUSED, SOCKETS, UNCOUNTED
from takt.stations.codedesk.tickets import Series, Ticket

ALLOWED, KILLED = ("allowed", 0), ("killed", 0)
JOIN, SEARCH, READ, SESSION = 1, 10, 11, -3  # of keyctl


def judged(program: bytes, audit: int, number: int, *arguments: int) -> tuple[str, int]:
    """What a filter says of a system call: as the kernel reads it (linux/filter.h, linux/seccomp.h)."""
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, audit, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    lines = list(struct.iter_unpack("=HBBI", program))
    at, held = 0, 0
    while True:
        code, so, otherwise, constant = lines[at]
        at += 1
        if code == 0x20:
            held = int.from_bytes(data[constant : constant + 4], "little")
        elif code == 0x54:
            held &= constant
        elif code in (0x15, 0x35):
            at += so if (held == constant if code == 0x15 else held >= constant) else otherwise
        else:
            what = {0x7FFF: "allowed", 0x5: "error", 0x8000: "killed"}[constant >> 16]
            return what, constant & 0xFFFF


@pytest.mark.parametrize("name", MACHINES)
def test_the_filter_refuses_what_is_the_machines_and_nothing_else(name: str) -> None:
    machine, program = MACHINES[name], syscalls.program(name)
    refused = {row[machine.column] for row in REFUSED.values()}
    sockets = {row[machine.column] for row in SOCKETS.values()}
    assert len(refused) == len(REFUSED) and not refused & sockets
    for number in range(600):
        wanted = ("error", 38) if number in refused else ("error", 97) if number in sockets else ALLOWED
        assert judged(program, machine.audit, number, 40) == wanted
    for socket in sockets:
        families = {family for family in range(60) if judged(program, machine.audit, socket, family, 1) == ALLOWED}
        assert families == {1, 2, 10, 16}
        assert judged(program, machine.audit, socket, 16, 3, 15) == ("error", 93), "netlink, but not its routes"
        for family in (2, 10):
            made = {t for t in range(16) if judged(program, machine.audit, socket, family, t | 0o2000000) == ALLOWED}
            spoken = {p for p in range(300) if judged(program, machine.audit, socket, family, 1, p) == ALLOWED}
            assert (made, spoken) == ({1, 2}, {0, 1, 6, 17, 58}), "no SCTP, no DCCP, no MPTCP"
        high = 1 << 32 | 40
        assert judged(program, machine.audit, socket, high) == ("error", 97), "the kernel looks at 32 bits as well"
    for other in (0x40000003, 0x40000028, *({one.audit for one in MACHINES.values()} - {machine.audit})):
        assert judged(program, other, 0) == KILLED
    more = {row[machine.column] for row in UNCOUNTED.values()}
    held = {number for number in range(600) if judged(syscalls.program(name, counted=False), machine.audit, number, 1)
            != judged(program, machine.audit, number, 1)}  # fmt: skip
    assert held == more and len(more) == 3 and not more & refused
    assert judged(program, machine.audit, 0x40000000 | 250) == (("error", 38) if machine.x32 else ALLOWED)


HOLD = """
import ctypes, os
try:
    os.memfd_create("x")
except OSError as error:
    print(error.errno)
print(ctypes.CDLL(None).shmget(0, ctypes.c_size_t(1 << 20), 0o1600))
"""


def test_where_no_control_group_counts_it_no_memory_can_be_had_that_is_no_processs(
    works: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Group, "_make", lambda *_: None)
    with Sandbox(limits=Limits(disk_mb=16, memory_mb=64)).open() as room:
        assert room.run(["python3", "-c", HOLD]).stdout.split() == [b"38", b"-1"]


PROBE = f"""
import ctypes, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)

def call(*given):
    came = libc.syscall(*given)
    return came if came >= 0 else -ctypes.get_errno()

machine = {list(MACHINES)}.index(os.uname().machine)
said = {{name: call(row[machine], 0, 0, 0, 0, 0) for name, row in {REFUSED}.items()}}
said["found"] = call({REFUSED["keyctl"]}[machine], {SEARCH}, {SESSION}, b"user", b"takt-machine", 0)
said["left"] = call({REFUSED["add_key"]}[machine], b"user", b"takt-sandbox", b"x", 1, {SESSION})
for family, *more in ((40,), (38,), (31,), (17,), (2, 1, 132)):
    try:
        said[family] = socket.socket(family, *(more or [1])).fileno()
    except OSError as error:
        said[family] = -error.errno
try:
    said["keys"] = open("/proc/keys").read() + open("/proc/cmdline").read()
except OSError as error:
    said["keys"] = ""
said["names"] = len(socket.if_nameindex()) and socket.getaddrinfo("localhost", 80)[0][4][1]
for kind in (1, 2):
    socket.socket(2, kind | socket.SOCK_CLOEXEC).bind(("127.0.0.1", 0))
a, b = socket.socketpair()
a.send(b"x")
"""
WANTED: dict[str, object] = dict.fromkeys([*REFUSED, "found", "left"], -38)
WANTED |= dict.fromkeys(["40", "38", "31", "17"], -97)
WANTED |= {"keys": "", "names": 80, "2": -93}


@pytest.fixture(scope="module")
def keys() -> ctypes.CDLL:
    """The machine's key ring, with a key in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(syscalls.keyctl(), JOIN, None) < 0:
        pytest.skip("this machine or container has no key rings")
    add = REFUSED["add_key"][MACHINES["x86_64" if syscalls.keyctl() == 250 else "aarch64"].column]
    assert libc.syscall(add, b"user", b"takt-machine", b"secret", 6, SESSION) > 0
    return libc


@pytest.mark.parametrize(
    "way", ["a command", "an agent that lives on", "an inspection", "an inspection of a mined one"]
)
def test_no_key_crosses_a_sandbox_in_or_out_and_no_call_reaches_past_it(
    works: None, keys: ctypes.CDLL, way: str
) -> None:
    limits = Limits(wall_s=60, disk_mb=16)
    if way.startswith("an inspection"):
        looks = f"wrong = [k for k, v in {WANTED}.items() if {{str(a): b for a, b in said.items()}}[k] != v]"
        module = f"{PROBE}\n\ndef f1():\n    {looks}\n    assert not wrong, wrong\n    return 1\n"
        series = cast(Series, SimpleNamespace(length=9 if "mined" in way else None, python=("python3",)))
        path, ticket = "tests/test_hidden_1.py", cast(Ticket, SimpleNamespace(number=0))
        tree = files_of({**BASE, "pkg/m.py": module})
        seen = inspect(Sandbox(limits=limits), tree, Suite({path: hidden(1)}, {path: 0}, {}), ticket, series)
        assert seen.own_pass, seen.message
    else:
        with Sandbox(limits=limits).open() as room:
            argv = ["python3", "-c", PROBE + "print(json.dumps(said))"]
            ran = room.run(argv) if way == "a command" else room.turn(argv, b"{}", 0, wall_s=60)
        assert ran.stdout, ran.stderr
        assert json.loads(ran.stdout) == WANTED
    assert keys.syscall(syscalls.keyctl(), SEARCH, SESSION, b"user", b"takt-machine", 0) > 0
    assert keys.syscall(syscalls.keyctl(), SEARCH, SESSION, b"user", b"takt-sandbox", 0) == -1


def test_what_processes_share_by_system_v_or_in_queues_does_not_outlive_their_command(shared_room: Room) -> None:
    makes = (
        "import ctypes\nl = ctypes.CDLL(None)\n"
        "assert min(l.shmget(7, 4096, 0o1600), l.msgget(7, 0o1600), l.semget(7, 1, 0o1600)) >= 0\n"
        "print(l.mq_open(b'/q', 0o102, 0o600, None))\n"
    )
    made = shared_room.run(["sh", "-c", f'python3 -c "{makes}"; cat /proc/sysvipc/* | wc -l'])
    assert made.stdout.split() == [b"-1", b"6"], made.stderr
    assert shared_room.run(["sh", "-c", "cat /proc/sysvipc/* | wc -l"]).stdout.split() == [b"3"], "no more than titles"
