"""Commands that packages bring by entry points."""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
import typer

from takt.cli import main
from takt.contract import registry

BOTH = typer.Typer(help="Two of them.")


@BOTH.command("one")
def one() -> None:
    """The first."""
    print("one of both")


@BOTH.command("two")
def two() -> None:
    """The second."""


def greet(name: str, loudly: bool = False) -> None:
    """Greet somebody."""
    print(f"hello {name.upper() if loudly else name}")


def odd(name: NoSuchType) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Cannot be called."""


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = {name.lower(): f"{__name__}:{name}" for name in ("greet", "BOTH", "odd")}
    commands |= {"gone": "no_such_module:x", "run": "os:abort"}
    points = {
        "takt.commands": [EntryPoint(name, value, "takt.commands") for name, value in commands.items()],
        "takt.trainers": [EntryPoint("bell", f"{__name__}:greet", "takt.trainers")],
    }
    ours = registry.entry_points
    monkeypatch.setattr(registry, "entry_points", lambda group: [*ours(group), *points.get(group, [])])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["greet", "you"], "hello you"),
        (["greet", "you", "--loudly"], "hello YOU"),
        (["both", "one"], "one of both"),
        (["train", "bell", "you"], "hello you"),
    ],
)
def test_a_registered_command_runs_like_one_of_the_core(
    registered: None, words: list[str], said: str, capsys: Any
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == said


def test_help_lists_registered_commands_also_those_that_cannot_be_imported_or_called(
    registered: None, capsys: Any
) -> None:
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "greet Greet somebody." in shown and "both Two of them." in shown
    assert "cannot import the command 'gone'" in shown and "odd Cannot be called." in shown
    assert main(["train", "--help"]) == 0
    assert "bell" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gone"], "cannot import the command 'gone'"),
        (["gone", "--option", "x"], "cannot import the command 'gone'"),
        (["odd", "you"], "what is registered as the command 'odd' is none: NameError: name 'NoSuchType'"),
    ],
)
def test_a_command_that_cannot_be_imported_or_called_is_one_line(
    registered: None, words: list[str], says: str, capsys: Any
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"takt: {says}") and error.count("\n") == 1


def test_a_command_of_the_core_keeps_its_name_and_the_wrong_word_is_met_with_all_names(
    registered: None, capsys: Any
) -> None:
    assert main(["run", "--help"]) == 0
    assert main(["greed", "you"]) == 2
    assert "did you mean greet?" in capsys.readouterr().err
    assert "no_such_module" not in sys.modules


def test_a_checkout_knows_what_came_to_it_since_it_was_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An environment from before a station could be steered, by a person for one: no installing anew."""
    stranger = EntryPoint("theirs", "somewhere:Else", "takt.steering")
    monkeypatch.setattr(metadata, "entry_points", lambda group: EntryPoints([stranger]))
    assert {point.name for point in registry.entry_points("takt.steering")} == {"theirs", "nutcell", "gym"}
    assert "flightdesk" in registry.stations() and registry.entry_points("takt.nothing").names == {"theirs"}
    monkeypatch.setattr(registry, "CHECKOUT", tmp_path / "pyproject.toml")  # a package: as installed
    assert {point.name for point in registry.entry_points("takt.steering")} == {"theirs"}
    monkeypatch.setattr(registry, "CHECKOUT", tmp_path / "anothers.toml")
    (tmp_path / "anothers.toml").write_text("[project]\nname = 'another'\n")
    assert registry.entry_points("takt.steering").names == {"theirs"}
