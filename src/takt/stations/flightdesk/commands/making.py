"""takt flightdesk generate, import, export, world: instances and worlds, from files and to files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from takt.errors import TaktError
from takt.meant import meant
from takt.stations.flightdesk.commands.app import InstancePath, Json, Out, Place, app
from takt.writing import NOTHING, check_folder, one_out


@app.command("generate")
def generate_(
    place: Place = None,
    out: Out = None,
    scenario: Annotated[
        str, typer.Option(help="The kind of airline and what goes wrong: two-hubs, gulf-2026.")
    ] = "two-hubs",
    flights: Annotated[
        int | None, typer.Option(min=1, max=200_000, help="Flights on all days, about.", show_default=False)
    ] = None,
    aircraft: Annotated[int | None, typer.Option(min=1, max=20_000, help="Aircraft.", show_default=False)] = None,
    bookings: Annotated[
        int | None, typer.Option(min=1, max=2_000_000, help="Bookings, each a group.", show_default=False)
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=60, help="Days.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="What all randomness comes from.")] = 0,
    as_json: Json = False,
) -> None:
    """Make an instance of any size, from real airports."""
    from takt.stations.flightdesk.airline.generate import generate
    from takt.stations.flightdesk.airline.recipes import RECIPES
    from takt.stations.flightdesk.airline.rows import FILES
    from takt.stations.flightdesk.airline.written import write_instance
    from takt.stations.flightdesk.commands.printing import describe, disruptions

    folder = one_out(place, out)
    if scenario not in RECIPES:
        raise TaktError(f"no scenario named {scenario!r}{meant(scenario, RECIPES)}; there are: {', '.join(RECIPES)}")
    sizes = {"flights": flights, "aircraft": aircraft, "bookings": bookings, "days": days}
    check_folder(folder, [f"{name}.csv" for name in FILES], NOTHING, "config.csv")
    recipe = RECIPES[scenario](**{name: size for name, size in sizes.items() if size is not None})
    instance = generate(recipe, seed)
    write_instance(instance, folder)
    if as_json:
        print(json.dumps({"path": str(folder), "airline": describe(instance), "happened": disruptions(instance)}))
    else:
        f, b, coaches = (
            len(instance.flights.number),
            len(instance.bookings.number),
            int(instance.aircraft.surface.sum()),
        )
        surface = f", {coaches} of surface transport" if coaches else ""
        print(
            f"instance: {folder} ({f} flights, {len(instance.aircraft.name) - coaches} aircraft{surface}, {b} bookings)"
        )


@app.command("import")
def import_(
    place: Place = None,
    out: Out = None,
    schedule: Annotated[
        Path | None, typer.Option(help="An IATA SSIM chapter 7 file, 200 columns.", show_default=False)
    ] = None,
    aircraft: Annotated[Path | None, typer.Option(help="aircraft.csv.", show_default=False)] = None,
    bookings: Annotated[Path | None, typer.Option(help="bookings.csv.", show_default=False)] = None,
    rotations: Annotated[
        Path | None,
        typer.Option(help="rotations.csv: who flies what.", show_default="first in, first out by type"),
    ] = None,
    disruptions: Annotated[Path | None, typer.Option(help="disruptions.csv.", show_default="none")] = None,
    defaults: Annotated[
        Path | None, typer.Option(help="A TOML file over the shipped defaults.", show_default=False)
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="When recovery starts: 2026-01-07T12:00Z.", show_default=False)
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="When it must be over.", show_default=False)] = None,
    show_defaults: Annotated[
        bool, typer.Option("--show-defaults", help="Print the shipped defaults, and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an instance from what airlines have: an SSIM schedule and CSV files. See docs/flightdesk-import.md."""
    from takt.stations.flightdesk.airline.imports.airline import Files
    from takt.stations.flightdesk.airline.imports.commands import run_import
    from takt.stations.flightdesk.airline.imports.defaults import shipped

    if show_defaults:
        print(shipped(), end="")
        return
    out = None if place is None and out is None else one_out(place, out)
    given = {"--out": out, "--schedule": schedule, "--aircraft": aircraft, "--bookings": bookings}
    missing = [name for name, value in {**given, "--from": start, "--to": end}.items() if value is None]
    if missing or out is None or schedule is None or aircraft is None or bookings is None:
        raise TaktError(f"an import needs {', '.join(missing)} too")
    assert start is not None and end is not None
    run_import(out, Files(schedule, aircraft, bookings, rotations, disruptions, defaults), start, end, as_json)


@app.command("export")
def export_(
    path: InstancePath,
    place: Place = None,
    out: Out = None,
    airline: Annotated[str, typer.Option(help="The airline's designator.")] = "TK",
    local: Annotated[bool, typer.Option("--local", help="The schedule in local time, not in UTC.")] = False,
    bare: Annotated[
        bool, typer.Option("--bare", help="No rotations; aircraft without ranges, times and costs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write an instance as an SSIM schedule and CSV files, as import reads them."""
    from takt.stations.flightdesk.airline.imports.commands import run_export

    run_export(path, one_out(place, out), airline, local, bare, as_json)


@app.command("world")
def world_(
    place: Place = None,
    out: Out = None,
    scenario: Annotated[str | None, typer.Option(help="gulf-2026, two-hubs.", show_default="gulf-2026")] = None,
    instance: Annotated[str | None, typer.Option(help="Or a folder with an instance.", show_default=False)] = None,
    days: Annotated[int | None, typer.Option(min=1, max=1000, help="Days that are over.", show_default="all")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="What all randomness comes from.")] = 0,
    as_json: Json = False,
) -> None:
    """Write what happens in the desk's world for the situation board: flights.csv, fares.csv."""
    from takt.stations.flightdesk.airline.instance import DAY
    from takt.stations.flightdesk.desk import FlightDesk
    from takt.stations.flightdesk.desk.files import write_world

    folder = one_out(place, out)
    desk = FlightDesk(scenario=scenario, instance=instance)
    desk.reset(seed=seed)
    world = desk.office.world
    last = -(-world.instance.end // DAY)
    if days is not None and not 1 <= days <= last:
        raise TaktError(f"--days is {days}; this world has 1 to {last}")
    paths = write_world(world, folder, days or last)
    if as_json:
        print(json.dumps({"flights": str(paths[0]), "fares": str(paths[1])}))
    else:
        print(f"flights: {paths[0]} ({len(world.name)})\nfares: {paths[1]}")
