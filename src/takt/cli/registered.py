"""Commands that are registered by entry points: a station's own, and those of anybody's package.

`takt.commands` are commands of `takt`, `takt.trainers` of `takt train`. Each names a function with Typer's annotations,
or a `typer.Typer` of several. It is imported when it is called, and for the line of it in `takt --help`: its heavy
imports stand within.

What a command is given is read from its annotations only when it is called, also for those of the core: that is most of
what a short command takes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo, TyperInfo

from takt.errors import TaktError

HELP = ["-h", "--help"]


class Commands(TyperGroup):
    """A group of commands to which the entry points of `group` add theirs; a command of the core keeps its name.

    core    its own commands, by name, that are not built before they are asked for
    """

    group = "takt.commands"
    core: Mapping[str, CommandInfo] = {}
    _listing = False

    @cached_property
    def _points(self) -> dict[str, Any]:
        from takt.contract.registry import entry_points

        points = sorted(entry_points(self.group), key=lambda point: point.name)
        return {point.name: point for point in points if point.name not in {*self.core, *self.commands}}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(dict.fromkeys([*self.core, *self.commands, *self._points]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            if cmd_name in self.core:
                found: Any = self.core[cmd_name]
            elif cmd_name in self._points:
                found = _found(self._points[cmd_name])
            else:
                return None
            if self._listing:
                return _line(cmd_name, found)
            self.commands[cmd_name] = _command(cmd_name, found)
        return self.commands[cmd_name]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


class Trainers(Commands):
    group = "takt.trainers"


def group_of(app: typer.Typer) -> Any:
    """The program's group, none of its commands built."""
    known, app.registered_commands = app.registered_commands, []
    try:
        group: Any = typer.main.get_command(app)
    finally:
        app.registered_commands = known
    group.core = {
        one.name or typer.main.get_command_name(str(one.callback and one.callback.__name__)): one for one in known
    }
    return group


def all_loaded(command: Any) -> Any:
    """A command with all below it imported, as `takt --help` has it."""
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        all_loaded(command.get_command(None, name))
    return command


def _found(point: Any) -> Any:
    """What the entry point names; for what cannot be imported, a function that says so, in its help and when called."""
    from takt.contract.registry import loaded

    try:
        return loaded(point)
    except TaktError as error:
        return _lost(error)


def _line(name: str, found: Any) -> Any:
    """A command's line in a list of commands."""
    if isinstance(found, typer.Typer):
        return TyperCommand(name, help=typer.main.solve_typer_info_help(TyperInfo(found)))
    return TyperCommand(name, help=inspect.getdoc(found.callback if isinstance(found, CommandInfo) else found))


def _command(name: str, found: Any) -> Any:
    """What was found, as a command with all that it is given. Raises TaktError if it cannot be one."""
    from takt.contract.foreign import foreign

    # Typer makes commands of programs only: one of its own, with a callback so that a single command stays a command.
    program = typer.Typer()
    program.callback()(lambda: None)
    with foreign(f"what is registered as the command {name!r} is none"):
        if isinstance(found, CommandInfo):
            program.registered_commands.append(found)
        elif isinstance(found, typer.Typer):
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
