"""Commands that are registered by entry points: a station's own, and those of anybody's package.

`takt.commands` are commands of `takt`, `takt.trainers` of `takt train`. Each names a function with Typer's annotations,
or a `typer.Typer` of several. It is imported when it is called, and for `takt --help`: its heavy imports stand within.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperGroup

from takt.errors import TaktError

HELP = ["-h", "--help"]


class Commands(TyperGroup):
    """A group of commands to which the entry points of `group` add theirs; a command of the core keeps its name."""

    group = "takt.commands"

    @cached_property
    def _points(self) -> dict[str, Any]:
        from takt.contract.registry import entry_points

        points = sorted(entry_points(self.group), key=lambda point: point.name)
        return {point.name: point for point in points if point.name not in self.commands}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(dict.fromkeys([*self.commands, *self._points]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in self._points:
            self.commands[cmd_name] = _command(cmd_name, self._points[cmd_name])
        return self.commands.get(cmd_name)


class Trainers(Commands):
    group = "takt.trainers"


def all_loaded(command: Any) -> Any:
    """A command with all below it imported, as `takt --help` has it."""
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        all_loaded(command.get_command(None, name))
    return command


def _command(name: str, point: Any) -> Any:
    """What the entry point names, as a command. One that cannot be imported says so in help, and where it is called."""
    from takt.contract.registry import loaded

    try:
        found = loaded(point)
    except TaktError as error:
        found = _lost(error)
    # Typer makes commands of programs only: one of its own, with a callback so that a single command stays a command.
    program = typer.Typer()
    program.callback()(lambda: None)
    if isinstance(found, typer.Typer):
        program.add_typer(found, name=name)
    else:
        any_words = {"allow_extra_args": True, "ignore_unknown_options": True} if found.__name__ == "lost" else None
        program.command(name, context_settings=any_words)(found)
    command = typer.main.get_group(program).commands[name]
    flags_as_flags(command)
    return command


def flags_as_flags(command: Any) -> None:
    """In help a flag has no kind of value after it, for it takes none."""
    for param in command.get_params(typer.Context(command, help_option_names=HELP)):
        if getattr(param, "is_flag", False):
            param.metavar = ""
    for one in getattr(command, "commands", {}).values():
        flags_as_flags(one)


def _lost(error: TaktError) -> Callable[[], None]:
    def lost() -> None:
        raise error

    lost.__doc__ = str(error)
    return lost
