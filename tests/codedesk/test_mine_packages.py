"""`takt mine` on packages as they are: metadata that only an installation has, caches, data that are no text."""

from __future__ import annotations

from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest

from takt.stations.codedesk.judging import Inspection
from takt.stations.codedesk.mining.litter import is_litter
from takt.stations.codedesk.mining.metadata import made_for
from takt.stations.codedesk.mining.outcomes import ended
from takt.stations.codedesk.mining.reading import told_of
from takt.stations.codedesk.tickets import Ticket, as_bytes, as_text, ticket_as_json, ticket_of

ASKS = "from importlib.metadata import version\n__version__ = version('a-b')\n"
PROJECT = '[project]\nname = "a-b"\n'
POETRY = '[tool.poetry]\nname = "a-b"\nversion = "{}"\n'
SETUP = "from setuptools import setup\nNAME = 'a-b'\nsetup(name=NAME, version={}, entry_points={{'g': ['n = a:b']}})\n"


@pytest.mark.parametrize(
    ("tree", "version"),
    [
        ({"pyproject.toml": PROJECT + 'version = "1.2"\n'}, "1.2"),
        ({"pyproject.toml": POETRY.format("1.3")}, "1.3"),
        ({"setup.cfg": "[metadata]\nname = a-b\nversion = 1.4\n"}, "1.4"),
        ({"setup.cfg": "[metadata]\nname = a-b\nversion = attr: a_b.v.V\n", "a_b/v.py": "V: str = '1.5'\n"}, "1.5"),
        ({"setup.cfg": "[metadata]\nname = a-b\nversion = file: V\n", "V": "1.6\n"}, "1.6"),
        ({"setup.py": SETUP.format("'1.7'")}, "1.7"),
        ({"setup.py": SETUP.format("read()"), "a_b.py": "__version__ = '1.8'\n"}, "1.8"),
        ({"PKG-INFO": "Metadata-Version: 2.1\nName: a-b\nVersion: 1.9\n\nName: of the text\n"}, "1.9"),
        ({"pyproject.toml": '[tool.flit.module]\nname = "a_b"\n', "src/a_b.py": "__version__ = '2.0'\n"}, "2.0"),
        (
            {
                "pyproject.toml": PROJECT + 'dynamic = ["version"]\n[tool.hatch.version]\npath = "src/a_b/about.py"\n',
                "src/a_b/about.py": '__version__ = "2.1"\n',
            },
            "2.1",
        ),
        (
            {
                "pyproject.toml": PROJECT + '[tool.setuptools.dynamic]\nversion = {attr = "a_b.__version__"}\n',
                "src/a_b/__init__.py": '__version__ = "2.2"\n',
            },
            "2.2",
        ),
        ({"pyproject.toml": PROJECT + '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n'}, "3.1.4"),  # the tag
        ({"pyproject.toml": PROJECT + "[tool.setuptools_scm]\n", "a_b.py": "__version__ = '0'\n"}, "3.1.4"),
        ({"pyproject.toml": POETRY.format("0.0.0") + "[tool.poetry-dynamic-versioning]\n"}, "3.1.4"),
        ({"setup.py": "setup(name='a-b', use_scm_version=True)\n"}, "3.1.4"),
    ],
)  # fmt: skip
def test_metadata_are_what_an_installation_would_have_whatever_builds_the_project(
    tree: dict[str, str], version: str, tmp_path: Path
) -> None:
    made = made_for({"src/asks.py": ASKS, **tree}, lambda: "release-v3.1.4")
    assert {path.rpartition("/")[0] for path in made} == {"src/a_b.egg-info"}
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    there = PathDistribution(tmp_path / "src/a_b.egg-info")
    assert (there.metadata["Name"].replace("_", "-"), there.version) == ("a-b", version)
    assert [one.value for one in there.entry_points] == (["a:b"] if "entry_points" in str(tree) else [])


def test_metadata_are_made_only_where_the_code_asks_and_nobody_has_them() -> None:
    project = {"pyproject.toml": PROJECT + 'version = "1"\n'}
    assert made_for({"a.py": "1\n", **project}, str) == {}, "no code asks"
    assert made_for({"a.py": ASKS}, str) == {}, "there is no project"
    for there in ("a_b.egg-info/PKG-INFO", "src/A_B-1.dist-info/METADATA"):
        assert made_for({"a.py": ASKS, there: "Name: a-b\n", **project}, str) == {}
    assert set(made_for({"a.py": ASKS, **project}, str)) == {"a_b.egg-info/PKG-INFO", "a_b.egg-info/requires.txt"}
    odd: dict[str, Any] = {
        "a.py": ASKS,
        "setup.py": "def (",
        "pyproject.toml": "[",
        "setup.cfg": "x",
        "PKG-INFO": b"\xff",
    }
    assert made_for(odd, str) == {}
    odd = {
        "a.py": ASKS,
        "pyproject.toml": '[project]\nname = "a"\nurls = 1\nauthors = [1]\nscripts = "x"\nlicense = {}\n',
    }
    assert "Version: 0.0\n" in made_for(odd, str)["a.egg-info/PKG-INFO"]


@pytest.mark.parametrize(
    "said",
    [
        '[tool.setuptools_scm]\nwrite_to = "src/a_b/_version.py"\n',
        '[tool.setuptools_scm]\nversion_file = "src/a_b/_version.py"\n',
        '[tool.hatch.build.hooks.vcs]\nversion-file = "src/a_b/_version.py"\n',
    ],
)
def test_a_file_that_the_build_writes_the_version_into_is_there_and_no_file_elsewhere(said: str) -> None:
    tree = {"pyproject.toml": PROJECT + said, "src/a_b/__init__.py": "from ._version import version\n"}
    made = made_for(tree, lambda: "v1.2.3")
    names: dict[str, Any] = {}
    exec(made.pop("src/a_b/_version.py"), names)
    assert (names["__version__"], names["version_tuple"], made) == ("1.2.3", (1, 2, 3), {})
    assert made_for({**tree, "src/a_b/_version.py": "V = 1\n"}, str) == {}
    for out in ("/etc/x.py", "../x.py", "a/../../x.py"):
        assert made_for({"pyproject.toml": PROJECT + said.replace("src/a_b/_version.py", out)}, str) == {}


def test_where_metadata_could_not_be_made_the_line_says_what_makes_them() -> None:
    missing = "E   importlib.metadata.PackageNotFoundError: No package metadata was found for a-b"
    reason, detail = ended(Inspection(failed=("tests/test_a.py::?",), message=missing))
    assert (
        reason == "fails after"
        and """--install 'python3 -c "import setuptools; setuptools.setup()" -q egg_info'""" in detail
    )


@pytest.mark.parametrize(
    ("path", "litter"),
    [
        ("tests/__pycache__/test_a.cpython-311.pyc", True), ("pkg/a.pyc", True), ("tests/data/only.pyc", False),
        (".pytest_cache/README.md", True), (".mypy_cache/3.11/a.json", True), ("docs/.DS_Store", True),
        ("pkg/a.py~", True), ("pkg/.a.py.swp", True), (".#a.py", True), ("._a.py", True), (".idea/misc.xml", True),
        ("Thumbs.db", True), ("pkg/a.py", False), ("a_b.egg-info/PKG-INFO", False), ("tests/data/a.orig", False),
        ("tests/__pycache__.py", False), ("pkg/__init__.py", False), (".github/x.yml", False), ("._/a", False),
    ],
)  # fmt: skip
def test_caches_compiled_files_and_what_editors_leave_are_no_part_of_a_tree(path: str, litter: bool) -> None:
    assert is_litter(path, {"pkg/a.py", path}) is litter


def test_test_data_that_are_no_text_are_kept_byte_by_byte_and_told_by_their_size() -> None:
    data = bytes(range(256)) + b"\xed\xa0\x80 \xc3\xa9\n"
    hidden = {"tests/data/a.bin": as_text(data), "tests/test_a.py": "def test_a(): ...\n"}
    ticket = Ticket(0, "t", "", "feature", (), hidden, {}, {}, (), "plain")
    read = ticket_of(ticket_as_json(ticket))
    assert read.hidden == hidden and as_bytes(read.hidden["tests/data/a.bin"]) == data
    said = told_of(hidden)
    assert "tests/data/a.bin, 263 bytes that are no text" in said and said.encode()
