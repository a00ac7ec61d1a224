"""The command line that opens a sandbox: what it sees, what it may use, and what it lacks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from takt.stations.codedesk import syscalls
from takt.stations.codedesk.mounts import INSIDE, PACKAGES, PYTHON, Mounts, bin_of, mounts, own_python, started

if TYPE_CHECKING:
    from takt.stations.codedesk.sandbox import Sandbox


MIB = 1 << 20
NOBODY = "65534"
WORK, HOME = "/work", "/home/agent"
# Files of /proc that tell of the whole machine.
MACHINES_OWN = ("keys", "key-users", "cmdline", "kcore", "timer_list", "sched_debug", "latency_stats")
TMP, SHM = "/tmp", "/dev/shm"  # nosec B108: the sandbox's own, nobody else writes there


def environment(sandbox: Sandbox) -> dict[str, str]:
    """All that a command's environment holds."""
    first = (bin_of(sandbox.python), *sandbox.path, str(own_python().parent))
    path = (*first, "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")
    return {
        "PATH": ":".join(path),
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "agent",
        "GIT_AUTHOR_EMAIL": "agent@takt.invalid",
        "GIT_COMMITTER_NAME": "agent",
        "GIT_COMMITTER_EMAIL": "agent@takt.invalid",
    }


def command_line(sandbox: Sandbox, counted: bool = True) -> list[str]:
    """What starts a sandbox. `counted`: whether a control group counts its memory."""
    seen = mounts(sandbox.programs)
    ends = [str(own_python()), "-I", "-S", *started(INSIDE)]
    ends += [str(syscalls.keyctl()), syscalls.program(counted=counted).hex()]
    if os.geteuid() != 0:
        return [*unshared(seen, sandbox), "--", *ends]
    aliases = replace(seen, shown=tuple((f"/show/{i}", where) for i, (_, where) in enumerate(seen.shown)))
    sockets = {inside: f"/sockets/{i}" for i, inside in enumerate(sandbox.sockets)}
    outer = ["bwrap", "--bind", "/proc", "/proc", "--dev", "/dev", "--tmpfs", TMP]
    for folder in ("/show", "/sockets"):
        outer += ["--perms", "0755", "--dir", folder]
    for i, (source, _) in enumerate(seen.shown):
        outer += ["--ro-bind", source, f"/show/{i}"]
    for i, source in enumerate(sandbox.sockets.values()):
        outer += ["--bind", source, f"/sockets/{i}"]
    outer += ["--ro-bind", "/usr", "/usr"]
    for target, path in seen.links:
        outer += ["--symlink", target, path]
    for source, where in seen.shown:
        if where in {f"/{name}" for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")}:
            outer += ["--ro-bind", source, where]
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    drop += ["--bounding-set=-all", "--no-new-privs"]
    tree = None
    if sandbox.tree is not None:
        tree = Path("/show/tree")
        outer += ["--ro-bind", str(sandbox.tree), str(tree)]
    inner = unshared(aliases, replace(sandbox, sockets=sockets, tree=tree))
    return [*outer, "--die-with-parent", "--", *drop, *inner, "--", *ends]


def unshared(seen: Mounts, sandbox: Sandbox) -> list[str]:
    """The bubblewrap that makes the sandbox itself."""
    limits = sandbox.limits
    size, scratch = str(limits.disk_mb * MIB), str(max(16, limits.disk_mb // 2) * MIB)
    line = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"]
    line += [
        "--hostname",
        "desk",
        "--clearenv",
        "--new-session",
        "--die-with-parent",
        "--as-pid-1",
        "--cap-drop",
        "ALL",
    ]
    line += ["--size", scratch, "--tmpfs", TMP, "--size", scratch, "--tmpfs", HOME]
    for source, where in seen.shown:
        line += ["--ro-bind", source, where]
    for target, path in seen.links:
        line += ["--symlink", target, path]
    linked = sandbox.python if sandbox.python and bin_of(sandbox.python) == PYTHON else str(own_python())
    for name in ("python3", "python"):
        line += ["--symlink", linked, f"{PYTHON}/{name}"]
    for folder in seen.hidden:
        line += ["--size", "65536", "--tmpfs", folder]
    for source, where in seen.shown:
        if seen.site and where.startswith(f"{PACKAGES}/"):
            line += ["--ro-bind", source, seen.site + where.removeprefix(PACKAGES)]
    for folder in seen.hidden:
        line += ["--remount-ro", folder]
    line += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--size",
        scratch,
        "--tmpfs",
        SHM,
    ]
    for path in (f"/proc/{name}" for name in MACHINES_OWN):
        line += ["--ro-bind", "/dev/null", path] if os.path.exists(path) else []
    tree = ["--size", size, "--tmpfs"] if sandbox.tree is None else ["--ro-bind", str(sandbox.tree)]
    line += [*tree, WORK]
    for inside, source in sandbox.sockets.items():
        line += ["--bind", source, inside]
    return [*line, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
