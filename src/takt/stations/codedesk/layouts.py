"""Where a repository's packages lie, as what builds it says: `src`, the top, or another folder.

setuptools (`package-dir`, `package_dir`, where packages are found), Poetry (`packages = [{from = ...}]`), Hatch, PDM,
maturin (`python-source`), and pytest's own `pythonpath`. Of setup.py what stands there as a literal.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

FILES = ("pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini")
PACKAGE_DIR = re.compile(r"package_dir\s*=\s*\{\s*(['\"])\1\s*:\s*(['\"])(?P<folder>[^'\"]+)\2")
FOUND_IN = re.compile(r"find_(?:namespace_)?packages\(\s*(?:where\s*=\s*)?(['\"])(?P<folder>[^'\"]+)\1")


def roots_of(texts: Mapping[str, str], paths: Iterable[str]) -> list[str]:
    """The folders from which a repository's modules are imported, "." for its top; `texts`: those of FILES that there
    are, `paths`: all of its files."""
    tops = {parent for path in paths for parent in map(str, PurePosixPath(path).parents)}
    said = _said(tuple(sorted((name, text) for name, text in texts.items() if name in FILES)))
    found = [one for one in ("src", *said) if one in tops and one != "."]
    return list(dict.fromkeys(found)) or ["."]


def as_imported(path: str, roots: Iterable[str]) -> str:
    """A file's path from the folder that it is imported from."""
    return path.removeprefix(next((f"{one}/" for one in roots if path.startswith(f"{one}/")), ""))


@lru_cache(maxsize=64)
def _said(texts: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    found: list[str] = []
    for name, text in texts:
        try:
            found += map(str, _in_toml(text) if name.endswith(".toml") else _in_text(name, text))
        except (tomllib.TOMLDecodeError, configparser.Error, AttributeError, TypeError, ValueError):
            continue
    return tuple(str(PurePosixPath(one)) for one in found if one and not one.startswith("/") and ".." not in one)


def _in_toml(text: str) -> Iterator[str]:
    tools: Mapping[str, Any] = tomllib.loads(text).get("tool", {})
    setuptools = tools.get("setuptools", {})
    yield from [setuptools.get("package-dir", {}).get("", "")]
    packages = setuptools.get("packages", {})
    yield from _listed(packages.get("find", {}).get("where", ()) if isinstance(packages, dict) else ())
    yield from (one.get("from", "") for one in tools.get("poetry", {}).get("packages", ()))
    build = tools.get("hatch", {}).get("build", {})
    wheel = build.get("targets", {}).get("wheel", {})
    yield from (str(PurePosixPath(one).parent) for one in wheel.get("packages", build.get("packages", ())))
    yield from (one for part in (build, wheel) for one in _listed(part.get("sources", ())))
    yield tools.get("pdm", {}).get("build", {}).get("package-dir", "")
    yield tools.get("maturin", {}).get("python-source", "")
    yield from _listed(tools.get("pytest", {}).get("ini_options", {}).get("pythonpath", ()))


def _in_text(name: str, text: str) -> Iterator[str]:
    if name == "setup.py":
        yield from (one["folder"] for pattern in (PACKAGE_DIR, FOUND_IN) for one in pattern.finditer(text))
        return
    read = configparser.RawConfigParser()
    read.read_string(text)
    for line in read.get("options", "package_dir", fallback="").splitlines():
        package, _, folder = line.partition("=")
        yield "" if package.strip() else folder.strip()
    yield from read.get("options.packages.find", "where", fallback="").split()
    for section in ("tool:pytest", "pytest"):
        yield from read.get(section, "pythonpath", fallback="").split()


def _listed(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else [str(one) for one in value]
