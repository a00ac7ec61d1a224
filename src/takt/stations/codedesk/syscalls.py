"""System calls that a sandbox does not have: what reaches past its namespaces, for the kernel keeps it once for all.

A filter of the kernel's own (seccomp, classic BPF: `man 2 seccomp`, Documentation/userspace-api/seccomp_filter.rst) is
laid over the first process of a sandbox before a command runs there, and holds for all that come after it:

- key rings (add_key, request_key, keyctl): a key outlives its command and its sandbox, and the machine's can be read;
- the kernel's log (syslog), where a crash leaves words of its own choosing for whoever reads it later;
- BPF, performance counters, userfaultfd, kernel modules and kexec, files by handle: they are the machine's;
- io_uring, which does all of this past the filter;
- where no control group counts memory, what a process can hold without having it mapped (memfd_create, memfd_secret,
  shmget): neither its own limits nor a look at all processes would find it;
- sockets other than of Unix, TCP, UDP and ICMP (there is a loopback and nothing else), and of netlink's routes, where
  the C library reads addresses: VSOCK leads to the machine below, ALG, CAN, Bluetooth and others to the kernel, and a
  protocol that is asked for is loaded into it for good.

A refused call says that this kernel has no such call (ENOSYS), as programs expect that look for one. Calls of another
architecture than the machine's own, among them 32-bit ones, end the process: their numbers mean something else.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass

# From the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl, and include/uapi/asm-generic/unistd.h for aarch64.
REFUSED = {
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "syslog": (103, 116),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
UNCOUNTED = {  # memory that is no process's: refused where no control group counts it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
}
SOCKETS = {"socket": (41, 198), "socketpair": (53, 199)}
UNIX, INTERNET = 1, (2, 10)  # AF_UNIX; AF_INET, AF_INET6
TYPES, PROTOCOLS = (1, 2), (0, 1, 6, 17, 58)  # SOCK_STREAM, SOCK_DGRAM; by the type, ICMP, TCP, UDP, ICMPv6
NETLINK, ROUTE = 16, 0  # AF_NETLINK; NETLINK_ROUTE: getifaddrs and getaddrinfo
TYPE_MASK = 0xF  # SOCK_TYPE_MASK: the rest are flags
X32 = 0x40000000  # of a system call's number (x86_64): arguments of 32 bits
ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT = 38, 97, 93, 94
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # where they lie in struct seccomp_data; an argument has 8 bytes
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K
AND = 0x54  # BPF_ALU|AND|K


@dataclass(frozen=True)
class Machine:
    """An architecture: its place in the tables, its word in an audit (AUDIT_ARCH_*), and whether it has x32 beside."""

    column: int
    audit: int
    x32: bool


MACHINES = {"x86_64": Machine(0, 0xC000003E, True), "aarch64": Machine(1, 0xC00000B7, False)}


def known() -> bool:
    """Whether the calls of this machine are known."""
    return platform.machine() in MACHINES


def keyctl() -> int:
    """The number of the call for key rings, on this machine."""
    return REFUSED["keyctl"][MACHINES[platform.machine()].column]


def program(name: str | None = None, counted: bool = True) -> bytes:
    """The filter for a machine, by default this one: instructions of 8 bytes (struct sock_filter). `counted`: whether a
    control group counts all memory."""
    machine = MACHINES[name or platform.machine()]
    lines: list[tuple[int, int, str, str]] = []  # code, constant, and where to go on if so and if not; "" is below
    lines.append((LOAD, ARCHITECTURE, "", ""))
    lines.append((EQUAL, machine.audit, "", "kill"))
    lines.append((LOAD, NUMBER, "", ""))
    if machine.x32:
        lines.append((AT_LEAST, X32, "none", ""))
    refused = REFUSED if counted else {**REFUSED, **UNCOUNTED}
    lines += [(EQUAL, row[machine.column], "none", "") for row in refused.values()]
    lines += [(EQUAL, row[machine.column], "family", "") for row in SOCKETS.values()]
    places: dict[str, int] = {}
    for place, part in (
        ("allow", [(RETURN, ALLOW, "", "")]),
        ("none", [(RETURN, ERROR | ENOSYS, "", "")]),
        ("kill", [(RETURN, KILL, "", "")]),
        (
            "family",
            [
                (LOAD, ARGUMENTS, "", ""),
                (EQUAL, UNIX, "yes", ""),
                *((EQUAL, one, "internet", "") for one in INTERNET),
                (EQUAL, NETLINK, "netlink", ""),
                (RETURN, ERROR | EAFNOSUPPORT, "", ""),
            ],
        ),
        (
            "internet",
            [
                (LOAD, ARGUMENTS + 8, "", ""),
                (AND, TYPE_MASK, "", ""),
                *((EQUAL, one, "protocol", "") for one in TYPES),
                (RETURN, ERROR | ESOCKTNOSUPPORT, "", ""),
            ],
        ),
        (
            "protocol",
            [
                (LOAD, ARGUMENTS + 16, "", ""),
                *((EQUAL, one, "yes", "") for one in PROTOCOLS),
                (RETURN, ERROR | EPROTONOSUPPORT, "", ""),
            ],
        ),
        ("netlink", [(LOAD, ARGUMENTS + 16, "", ""), (EQUAL, ROUTE, "yes", "")]),
        ("other", [(RETURN, ERROR | EPROTONOSUPPORT, "", "")]),
        ("yes", [(RETURN, ALLOW, "", "")]),
    ):
        places[place] = len(lines)
        lines += part
    made = b""
    for at, (code, constant, so, otherwise) in enumerate(lines):
        jumps = [places[one] - at - 1 if one else 0 for one in (so, otherwise)]
        made += struct.pack("=HBBI", code, *jumps, constant)
    return made
