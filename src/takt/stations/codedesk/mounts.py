"""What a sandbox holds of the machine: the system's programs, a Python with pytest, and what is named; read-only.

Of the Python that Takt runs with, packages are left out, above all Takt itself: it makes the tickets' hidden tests. In
their place are pytest and what it needs.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import cache_from_source
from pathlib import Path

import takt
from takt.errors import TaktError

INSIDE = "/opt/takt/inside.py"
EXAMINE = "/opt/takt/examine.py"
PRISTINE = "/opt/takt/pristine.py"  # a part of it
LIBRARIES = "/opt/takt/libraries.py"  # another
MEASURE = "/opt/takt/measure.py"
FORWARD = "/opt/takt/forward.py"
OFTEN = (INSIDE, EXAMINE, PRISTINE, LIBRARIES)
OURS = (*OFTEN, MEASURE, FORWARD)
PACKAGES = "/opt/takt/packages"  # pytest, and what it needs
PYTHON = "/opt/takt/bin"  # where `python3` is the tests' own, unless that is of a virtual environment
OWN_PLACES = ("/work", "/tmp", "/home/agent", "/dev", "/proc", "/sys", "/etc", "/run/takt", "/opt/takt")  # nosec B108
SYSTEM = ("/usr",)
LINKED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/ssl/certs",
)
OWN_ETC = ("passwd", "group", "hosts", "nsswitch.conf")  # ours: they name nobody of this machine


@dataclass(frozen=True)
class Mounts:
    """`shown`: paths of this machine and where they are in the sandbox; `hidden`: folders that are empty there, but for
    `site`, where our Python finds pytest."""

    shown: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    site: str


@cache
def own_python() -> Path:
    """The program of the Python that Takt runs with, not of a virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def mounts(programs: Sequence[str] = ()) -> Mounts:
    """What every sandbox holds, and these programs: files, or folders with all that is in them.

    Of a virtual environment (`pyvenv.cfg`) the Python that it is of comes with it. TaktError for what is not there.
    """
    shown = [(path, path) for path in SYSTEM]
    links = []
    for name in LINKED:
        path = Path("/", name)
        if path.is_symlink():
            links.append((str(path.readlink()), str(path)))
        elif path.is_dir():
            shown.append((str(path), str(path)))
    shown += [(path, path) for path in ETC if Path(path).exists()]
    base = Path(sys.base_prefix).resolve()
    named = [base, *(folder for name in programs for folder in program_folders(name))]
    for folder in dict.fromkeys(map(str, named)):
        if not any(Path(folder).is_relative_to(above) for _, above in shown):
            shown.append((folder, folder))
    here = Path(__file__).parent
    shown += [(str(here / "etc" / name), f"/etc/{name}") for name in OWN_ETC]
    shown += [(str(here / Path(path).name), path) for path in OURS]
    shown += bytecode()
    shown += packages()
    below = [where for _, where in shown]
    own = {str(folder) for folder in site_folders(base)} | {str(Path(takt.__file__).resolve().parent)}
    own |= {str(folder) for above in (*below, "/usr/local") for folder in other_takts(Path(above))}
    hidden = [path for path in sorted(own) if any(Path(path).is_relative_to(above) for above in below)]
    site = next((str(folder) for folder in site_folders(base) if str(folder) in hidden), "")
    return Mounts(tuple(shown), tuple(links), tuple(hidden), site)


def other_takts(folder: Path) -> Iterator[Path]:
    """Takt's package wherever else it may be installed there: whoever has it can make the hidden tests of a seed."""
    for pattern in (
        "takt",
        "lib*/python3*/*-packages/takt",
        "envs/*/lib/python3*/*-packages/takt",
        "*-packages/takt",
        "src/takt",
    ):
        for found in folder.glob(pattern):
            if (found / "stations" / "codedesk").is_dir():
                yield found.resolve()


def lies_at(name: str | Path) -> Path:
    """An absolute path without `..`: in a sandbox nothing can be shown at another. Links are kept, but for those before
    a `..`, which may lead elsewhere."""
    path = Path(name).absolute()
    if ".." not in path.parts:
        return path
    return path.resolve() if path.name == ".." else path.parent.resolve() / path.name


def program_folders(name: str) -> Iterator[Path]:
    """The folders that a program needs: its own, and that of the Python of its virtual environment."""
    path = lies_at(name)
    if not path.exists():
        raise TaktError(f"there is no program or folder {name!r} to show in the sandbox")
    if above := next((place for place in OWN_PLACES if Path(place).is_relative_to(path.resolve())), ""):
        raise TaktError(f"programs={name} cannot be shown: {above} is the sandbox's own; name the program's own folder")
    if Path.home().resolve().is_relative_to(path.resolve()):
        raise TaktError(
            f"programs={name} is a home folder, or holds one, of which the sandbox shows nothing; "
            "name the program's own folder"
        )
    yield path
    config = path / "pyvenv.cfg"
    if config.is_file():
        home = re.search(r"^home\s*=\s*(.+)$", config.read_text(errors="replace"), re.MULTILINE)
        if home:
            yield Path(home[1].strip()).resolve().parent


def named_python(command: Sequence[str]) -> str:
    """The program of the Python that a series names, "" for our own."""
    name = command[0] if command else ""
    if "/" in name:
        return str(lies_at(name))
    return "" if name in ("", "python3", "python") else shutil.which(name) or ""


def python_folders(python: str) -> tuple[str, ...]:
    """What a sandbox must show of a Python: its virtual environment, or where it is installed."""
    folder = Path(python).parent.parent
    return (str(folder),) if python and folder != Path("/") else ()


def bin_of(python: str) -> str:
    """The folder in which a Python is `python3`: that of its virtual environment, or one with links to it."""
    folder = Path(python).parent
    return str(folder) if python and (folder.parent / "pyvenv.cfg").is_file() else PYTHON


def site_folders(base: Path) -> Iterator[Path]:
    """Folders of installed packages of the Python that Takt runs with."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for above in (
        base / "lib" / version,
        base / "local/lib" / version,
        base / "lib/python3",
        Path("/usr/local/lib") / version,
    ):
        for name in ("site-packages", "dist-packages"):
            if (above / name).is_dir():
                yield (above / name).resolve()
    for entry in sys.path:
        if Path(entry).name in ("site-packages", "dist-packages") and Path(entry).is_dir():
            yield Path(entry).resolve()


def started(path: str) -> tuple[str, str]:
    """What has a Python run one of our files as its program, by its bytecode where that is shown and is its own."""
    run = f"exec(m.SourceFileLoader('__main__', {path!r}).get_code('__main__'))"
    return "-c", f"import importlib.machinery as m, sys; sys.argv[0] = {path!r}; {run}"


@cache
def bytecode() -> tuple[tuple[str, str], ...]:
    """Where the bytecode of our files lies, as far as there is any, and where in the sandbox: to compile them each time
    takes longer than to open a sandbox."""
    found = []
    for path in OFTEN:
        source = str(Path(__file__).with_name(Path(path).name))
        SourceFileLoader("takt", source).get_code("takt")  # which writes it, if it can
        cached = Path(cache_from_source(source))
        if cached.is_file():
            found.append((str(cached), f"{Path(path).parent}/__pycache__/{cached.name}"))
    return tuple(found)


@cache
def packages() -> tuple[tuple[str, str], ...]:
    """Where pytest and what it needs lie, and where in the sandbox. TaktError if they are not installed."""
    found: dict[str, str] = {}
    left, done = ["pytest", "lizard"], set()
    while left:
        name = left.pop()
        if name in done:
            continue
        done.add(name)
        try:
            one = distribution(name)
        except PackageNotFoundError:
            if name != "pytest":
                continue
            raise TaktError("codedesk needs pytest: pip install 'run-at-rate[codedesk]'") from None
        for top in _tops(one):
            found[str(one.locate_file(top))] = f"{PACKAGES}/{top}"
        for asks in one.requires or ():
            if "extra ==" not in asks and not ("platform" in asks and "win32" in asks):
                left.append(re.split(r"[^\w.-]", asks, maxsplit=1)[0])
    return tuple(sorted(found.items()))


def _tops(one: Distribution) -> set[str]:
    """Top-level packages, modules and metadata of a distribution."""
    parts = {file.parts[0] for file in one.files or () if not file.is_absolute()}
    return {part for part in parts if part not in ("..", "__pycache__") and Path(str(one.locate_file(part))).exists()}
