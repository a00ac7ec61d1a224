"""Commands that packages bring by entry points."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
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
