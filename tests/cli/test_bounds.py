"""No number without an end: every option of stations, workers and commands has a least and a most that make sense."""

from __future__ import annotations

import inspect
import itertools
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import takt.cli
from takt import TaktError, open_station, open_worker, run_shift
from takt.cli import main
from takt.cli.registered import all_loaded
from takt.contract.options import usual_options
from takt.contract.registry import loaded, stations, workers
from takt.workers.llm.options import Options as OfLlm
from takt.workers.policy.options import Options as OfPolicy

ODD = [1e308, -1, float("nan"), 10**12, float("inf"), 5e-324]  # the last is a number that some take
SMALL: dict[str, Any] = {
    "flightdesk": {"scenario": "two-hubs", "flights": 120, "aircraft": 20, "bookings": 600},
    "gym": {"takt_s": 0.5},
}
NEEDED = {
    "llm": {"model": "m"},
    "nutcell.policy": {"url": "ws://127.0.0.1:9"},
    "codedesk.command": {"command": "agent {ticket}"},
}
HUNG_S = 60  # wall time after which it counts as hung, and not as slow


@contextmanager
def not_forever() -> Iterator[Any]:
    def hung(*_: Any) -> None:
        raise AssertionError("it goes on without an end")

    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(HUNG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def numbers_of(make: Any, dataclass: Any = None) -> list[Any]:
    """Names of the options that are numbers, or may be."""
    of = dataclass or make
    hints = {name: str(p.annotation) for name, p in inspect.signature(of).parameters.items()}
    usual = usual_options(of)
    return [
        name
        for name in usual
        if ("int" in hints[name].split("[")[0] or "float" in hints[name]) and not isinstance(usual[name], bool)
    ]


def test_every_number_of_every_station_is_refused_or_starts_at_once() -> None:
    for name, point in stations().items():
        found = numbers_of(loaded(point))
        assert len(found) >= 3, name
        for option, value in itertools.product(found, ODD):
            with not_forever():
                try:
                    here = open_station(name, **{**SMALL.get(name, {}), option: value})
                except TaktError as error:
                    said = str(error)
                    assert option in said and "\n" not in said and "own" not in said, said
                    continue
                try:  # it takes it: then a shift begins, and comes to its end
                    run_shift(here, "idle", hours=0.001, clock="lockstep")
                finally:
                    here.close()
                assert value in (-1, 5e-324) or isinstance(value, int), f"{name} takes {option}={value}"


BELOW_ZERO = {("presence_penalty", -1)}  # from -2 to 2


def test_every_number_of_every_worker_is_refused() -> None:
    every = {"llm": OfLlm, "nutcell.policy": OfPolicy}
    for name, point in workers().items():
        for option, value in itertools.product(numbers_of(loaded(point), every.get(name)), ODD[:-1]):
            station, _, short = name.rpartition(".")
            if (option, value) in BELOW_ZERO:
                continue
            with not_forever(), pytest.raises(TaktError) as refused:
                open_worker(short, station or "flightdesk", **{**NEEDED.get(name, {}), option: value})
            assert "\n" not in str(refused.value)
            assert option in str(refused.value), refused.value


def numbers_of_commands() -> Iterator[Any]:
    def walk(group: Any, words: Any) -> Iterator[Any]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, [*words, name])
            else:
                yield from ((" ".join([*words, name]), p) for p in command.params)

    yield from walk(all_loaded(takt.cli.typer.main.get_command(takt.cli.app)), [])


# What is checked where it is used, for Python as well (`run_shift`), or has a reading of its own.
CHECKED = {"--hours", "--units", "--seed"}
SHIFTS = {"run", "serve", "compare", "train flightdesk"}


def test_every_number_of_every_command_has_two_ends(capsys: pytest.CaptureFixture[str]) -> None:
    without, seen = [], 0
    for command, param in numbers_of_commands():
        kind = str(param.type_descriptor.annotation)
        if "int" not in kind and "float" not in kind:
            continue
        seen += 1
        if (param.min is None or param.max is None) and not (command in SHIFTS and param.opts[0] in CHECKED):
            without.append((command, param.opts[0]))
    assert not without and seen > 30, without


@pytest.mark.parametrize("value", ["1e308", "-1", "nan", "1000000000000", "x"])
@pytest.mark.parametrize("option", ["--hours", "--units", "--seed"])
def test_the_length_and_the_seed_of_a_shift_have_ends(
    option: Any, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    length = ["--units", "1"] if option == "--seed" else []
    command = ["run", "gym", "--worker", "idle", "-o", "id=CartPole-v1", "-o", "takt_s=0.5", *length, option, value]
    with not_forever():
        code = main(command)
    err = capsys.readouterr().err
    if option == "--seed" and value == "1000000000000":
        assert code == 0, "a seed has 128 bits"
    else:
        assert code == 2 and err.count("\n") == 1 and err.startswith("takt: "), err
