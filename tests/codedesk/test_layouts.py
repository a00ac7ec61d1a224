"""Where packages lie, by what builds them."""

from __future__ import annotations

import pytest

from takt.stations.codedesk.layouts import roots_of
from takt.stations.codedesk.repository import files_of, imported_from

PATHS = ["lib/p/__init__.py", "src/q.py", "setup.py", "tests/test_p.py"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.setuptools]\npackage-dir = {"" = "lib"}\n'),
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["lib", "no", "/etc", "../x"]\n'),
        ("pyproject.toml", '[tool.poetry]\npackages = [{include = "p", from = "lib"}]\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\npackages = ["lib/p"]\n'),
        ("pyproject.toml", '[tool.hatch.build]\nsources = ["lib"]\n'),
        ("pyproject.toml", '[tool.pdm.build]\npackage-dir = "lib"\n'),
        ("pyproject.toml", '[tool.maturin]\npython-source = "lib"\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = "lib ./lib"\n'),
        ("pytest.ini", "[pytest]\npythonpath = lib\n"),
        ("setup.cfg", "[options]\npackage_dir =\n    q = other\n    = lib\n"),
        ("setup.cfg", "[options.packages.find]\nwhere = lib\n"),
        ("setup.py", "setup(package_dir={'': 'lib'}, packages=x)\n"),
        ("setup.py", "setup(packages=find_packages('lib'))\n"),
        ("setup.py", 'setup(packages=find_namespace_packages(where="lib"))\n'),
    ],
)  # fmt: skip
def test_packages_are_found_where_what_builds_them_says(name: str, text: str) -> None:
    assert roots_of({name: text}, PATHS) == ["src", "lib"] and roots_of({name: text}, PATHS[:1]) == ["lib"]
    assert imported_from(files_of({name: text, "lib/p.py": ""})) == {"PYTHONPATH": "/work/lib"}


def test_without_a_word_it_is_src_or_the_top_and_nonsense_says_nothing() -> None:
    assert roots_of({}, PATHS) == ["src"] and roots_of({}, ["p/__init__.py", "setup.py"]) == ["."]
    for name, text in (("pyproject.toml", "["), ("pyproject.toml", "tool = 1"), ("setup.cfg", "x"), ("setup.py", "(")):
        assert roots_of({name: text, "README": "package_dir = {'': 'lib'}"}, PATHS[:1]) == ["."]
    assert imported_from(files_of({"p.py": ""})) == {"PYTHONPATH": "/work"}
