"""What is wrong with a command line, in our words, from what Typer raises. For `takt.cli.command`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from takt.plainly import wrong_value
from takt.printable import printable

RENAMED = {  # options: old names, and the new one, which is the first of these that the command has
    "--workers": ("--worker",),
    "--teacher": ("--worker",),
    "--ledger": ("--out",),
    "--folder": ("--ledgers", "--out"),
    "--preset": ("--scenario",),
    "--option": ("--format-option",),
}


def wrong_usage(error: Any) -> str:
    """One line for a Typer exception: what is wrong, and what would be right."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "takt"
    param = getattr(error, "param", None)
    kind = type(error).__name__
    if kind == "NoSuchOption":
        known = _options(context)
        new = next((name for name in RENAMED.get(error.option_name, ()) if name in known), "")
        if new:
            return f"{error.option_name} of `{command}` is called {new} now: a name means the same in every command"
        if argument := _argument(error.option_name, context):
            return f"{argument} has no name before it: `{command} {argument}`, without {error.option_name}"
        near = _meant(error.option_name, _options(context))
        return f"{_shown(error.option_name)} is no option of `{command}`{near or f'; `{command} --help` lists them'}"
    if kind == "BadOptionUsage":
        takes = "not take" not in error.message
        return f"{error.option_name} {'needs a value after it' if takes else 'is a flag and takes no value'}"
    if kind == "MissingParameter" and param is not None:
        return f"`{command}` needs {_name(param)}{_about(param)}"
    if kind == "BadParameter" and param is not None:
        return f"{_name(param)} {_wrong_value(error, param)}"
    if error.message.startswith("Missing command"):
        return f"`{command}` needs a command: {', '.join(_commands(context))}"
    if found := re.match(r"No such command '(.*)'\.", error.message, re.DOTALL):
        known = _commands(context)
        near = _meant(found[1], known)
        return f"`{command}` has no command {_shown(found[1])!r}{near or '; it has: ' + ', '.join(known)}"
    if found := re.match(r"Got unexpected extra argument\(s\) \((.*)\)", error.message, re.DOTALL):
        return f"{_shown(found[1])!r} is too much for `{command}`; `{command} --help` says what it takes"
    return str(error.format_message())


def _wrong_value(error: Any, param: Any) -> str:
    """By Pydantic's error, which Typer keeps as the cause."""
    cause = error.__cause__
    if type(cause).__name__ != "ValidationError":
        return str(error.message)
    first = cause.errors(include_url=False)[0]
    given = first.get("input")
    choices = re.search(r"is not one of (.+?)\.?$", first["msg"])
    if choices:
        known = re.findall(r"'([^']*)'", choices[1])
        return f"is {_shown(str(given))!r}{_meant(str(given), known)}; it must be one of: {', '.join(known)}"
    bounds = first.get("ctx", {})
    if str(getattr(param, "help", "")).startswith("Seconds"):
        bounds = {
            name: f"{bound:,.10g} s" if isinstance(bound, (int, float)) else bound for name, bound in bounds.items()
        }
    return wrong_value(first["type"], bounds, given)


def _name(param: Any) -> str:
    """--worker of an option, SHIFT of an argument."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name.upper())


def _about(param: Any) -> str:
    text = " ".join(str(getattr(param, "help", "") or "").split()).rstrip(".,")
    return f": {text[:1].lower()}{text[1:]}" if text and not text[1:2].isupper() else f": {text}" if text else ""


def _argument(option: str, context: Any) -> str:
    """The argument of a command that a word like --plan means; "" if it means none."""
    params = context.command.params if context is not None else ()
    names = [_name(param) for param in params if param.param_type_name == "argument"]
    return next((name for name in names if name.rstrip(".").lower() == option.strip("-").lower()), "")


def _options(context: Any) -> list[str]:
    if context is None:
        return []
    return [name for param in context.command.params for name in param.opts if name.startswith("--")]


def _commands(context: Any) -> list[str]:
    return list(context.command.list_commands(context)) if context is not None else []


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _shown(text: str) -> str:
    return printable(text if len(text) <= 80 else text[:77] + "...")
