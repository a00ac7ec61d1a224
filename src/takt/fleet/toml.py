"""fleet.toml -> a plan, checked whole before anything runs; whatever is wrong is one line that names the place.

What a plan can say is in docs/fleets.md. Products are counted before they are made, so that a slip of the pen is a
sentence and not a billion shifts.

Long because: one reader knows the place of each word of a plan, to name it where it is wrong.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NoReturn

from takt.contract.clock import parse_clock
from takt.contract.faults import check_text
from takt.contract.options import numbers_in, wrong_option
from takt.contract.registry import SEED_BITS, loaded, registered_station, workers
from takt.contract.worker import made_by, usual_clock
from takt.errors import TaktError
from takt.fleet.endpoints import ENDPOINT, endpoint_of, named_in
from takt.fleet.identity import definition_of, id_of
from takt.fleet.notes_in_folder import NOTE
from takt.fleet.plan import Arm, Budget, Endpoint, Limits, Plan, Planned, Stop
from takt.fleet.presets import PRESETS
from takt.fleet.text import named, text_of
from takt.judge.compared_shifts import BY
from takt.ledger import canonical
from takt.ledger.address import Address
from takt.ledger.store import place_of
from takt.meant import meant
from takt.secret import secrets_in
from takt.shift.definition import MOST_HOURS, MOST_UNITS

MOST_SHIFTS = 1_000_000
LEAST_SILENT_S = 5.0
MOST_S = 604_800.0  # of whatever is waited for: a week
MOST_RETRIES = 10_000
LEAST_CORES = 0.05
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # all but tab and the ends of lines
LEAST_MEMORY_GB = 0.05  # Python, Takt and NumPy with a station of toys take 0.046
TOP = ("name", "store", "folder", "seeds", "hours", "units", "clock", "faults", "accept")
TABLES = ("station", "worker", "exclude", "endpoint", "budget", "stop", "limits")
STATION = ("name", "label", "options", "vary", "seeds", "hours", "units", "clock", "faults")
WORKER = (
    "name",
    "label",
    "at",
    "options",
    "vary",
    "cores",
    "gpus",
    "memory_gb",
    "isolate",
    "call_timeout_s",
    "endpoint",
)


def read_plan(path: str | os.PathLike[str], whole: bool = True) -> Plan:
    """The plan that a file has, or that a fleet was worked by, in a folder or at postgresql://HOST/DATABASE#FLEET.

    whole   else without arms and shifts, for which stations and workers are imported (`takt.fleet.made`).

    Raises TaktError for what is wrong with it."""
    path = place_of(path)
    if not isinstance(path, Path):
        from takt.fleet.store import text_of

        place, text = text_of(path)
        return plan_of(text, str(place), place.full, whole)
    if path.is_dir():
        if not (path / NOTE).is_file():
            raise TaktError(f"{path} is no fleet's folder: it has no {NOTE}")
        plan = read_plan(path / NOTE, whole)
        return replace(plan, folder=path, source="", store=str(path) if plan.store == str(plan.folder) else plan.store)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise TaktError(f"cannot read the plan {path}: {why}") from error
    return replace(plan_of(text, path.name, whole=whole), source=str(path.resolve()))


def plan_of(text: str, called: str = "fleet.toml", store: str | None = None, whole: bool = True) -> Plan:
    """The plan that a text has; `called` is what errors call it, `store` where its ledgers are, whatever it says.

    What is kept of the text is what it says, not what stands in it: a password in a comment has been seen."""
    try:
        told = tomllib.loads(text)
        if store is None:
            return _Reader(told, called).plan(whole)
        told.pop("store", None)  # perhaps in an environment variable of another machine's
        if isinstance(place := place_of(store), Address):
            told = dict(named(told, place.name.rpartition("/")[2]))
        return replace(_Reader(told, called).plan(whole), store=store)
    except tomllib.TOMLDecodeError as error:
        raise TaktError(f"{called} is no TOML: {' '.join(str(error).split())}") from error


def plan_from(told: Mapping[str, Any], called: str, store: Address | None = None) -> Plan:
    """The plan that these values say, as if they were read from a file; `store` is where its ledgers are, else in its
    folder."""
    from takt.fleet.store import store_of

    plan = _Reader(told, called).plan()
    return plan if store is None else replace(plan, store=store_of(store.full, plan.name))


class _Reader:
    """One plan, as it is read.

    Long because: one reader knows the place of each word of a plan, to name it where it is wrong."""

    def __init__(self, told: Mapping[str, Any], called: str) -> None:
        self.told, self.called = told, called

    def wrong(self, where: str, why: str) -> NoReturn:
        raise TaktError(f"{self.called}: {where} {why}")

    def plan(self, whole: bool = True) -> Plan:
        for place in secrets_in(self.told):
            self.wrong(place, "has a password or key in it; a plan is copied and stored: name an environment variable")
        for place in _controls_in(self.told):
            self.wrong(place, "has a control character in it, which no name or text needs")
        for place in _times_in(self.told):
            self.wrong(place, "is a date or time; write it as a text, in quotes")
        self.keys("", self.told, (*TOP, *TABLES))
        name = self.text("name", self.told, Path(self.called).stem)
        if not re.fullmatch(r"[\w.-]{1,80}", name) or not name.strip("."):
            self.wrong("name", f"is {name!r}; it must be letters, digits, '.', '_' or '-', at most 80, not dots alone")
        folder = Path(self.filled("folder", self.told, "folder", f"shifts/{name}"))
        endpoints = self.endpoints()
        arms, seeds = self.arms(endpoints) if whole else ([], [])
        accept = self.text("accept", self.told, "")
        if accept and accept not in PRESETS:
            self.wrong("accept", f"is {accept!r}{meant(accept, PRESETS)}; it can be: {', '.join(PRESETS)}")
        return Plan(
            name=name,
            folder=folder,
            store=self.store(folder, name),
            arms=arms,
            shifts=self.shifts(arms, seeds) if whole else [],
            endpoints=endpoints,
            budget=self.budget(),
            stop=self.stop(),
            limits=self.limits(),
            accept=accept,
            text=text_of(named(self.told, name)),
        )

    def budget(self) -> Budget:
        """Of nothing a fleet would never begin, whatever is done to go on with it."""
        found = self.numbers("budget", Budget)
        for key, value in found.items():
            if not value:
                self.wrong(f"budget.{key}", "is 0; it must be above 0, or left out")
        return Budget(**found)

    def limits(self) -> Limits:
        limits = Limits(**self.numbers("limits", Limits, whole=("retries",)))
        if limits.silent_s < LEAST_SILENT_S:
            self.wrong(
                "limits.silent_s", f"is {limits.silent_s:g}; a process needs {LEAST_SILENT_S:g} s to begin and speak"
            )
        for key in ("silent_s", "backoff_s", "grace_s"):
            self.at_most(f"limits.{key}", getattr(limits, key), MOST_S)
        self.at_most("limits.retries", limits.retries, MOST_RETRIES)
        return limits

    def at_most(self, where: str, value: float, most: float) -> None:
        if value > most:
            self.wrong(where, f"is {value:g}; {most:,.0f} is the most")

    def store(self, folder: Path, name: str) -> str:
        """The folder, a URI, or what an environment variable has: `store = {env = "TAKT_STORE"}`."""
        from takt.fleet.store import store_of

        given = self.told.get("store", str(folder))
        if isinstance(given, Mapping):
            self.keys("store", given, ("env",))
            variable = self.text("env", given, "")
            given = os.environ.get(variable, "")
            if not given:
                self.wrong("store", f"is in the environment variable {variable!r}, and there is none")
        if not isinstance(given, str) or not given.strip():
            self.wrong("store", 'must be a folder, a URI, or {env = "VARIABLE"}')
        return str(self.said("store", partial(store_of, given, name)))

    def endpoints(self) -> dict[str, Endpoint]:
        found = {}
        tables = self.told.get("endpoint", {})
        if not isinstance(tables, Mapping):
            self.wrong("endpoint", "must be tables, one for each server: [endpoint.NAME]")
        for name, table in tables.items():
            where = f"endpoint.{name}"
            self.keys(where, table, ("url", "slots"))
            url, slots = self.text("url", table, ""), self.whole(f"{where}.slots", table, "slots", 1)
            found[name] = self.said(where, partial(endpoint_of, name, url, slots))
        return found

    def arms(self, endpoints: Mapping[str, Endpoint]) -> tuple[list[Arm], list[list[int]]]:
        stations, hands = self.tables("station", STATION), self.tables("worker", WORKER)
        self.count(stations, hands)
        arms, seeds = [], []
        of_plan = [station["name"] for _, station in stations]
        for where, hand in hands:
            for at in self.names(f"{where}.at", hand.get("at", [])):
                if at not in of_plan:
                    self.wrong(f"{where}.at", f"names no station of the plan: {at!r}{meant(at, of_plan)}")
            if not any(self.works_at(where, hand, station["name"]) for _, station in stations):
                self.unknown_worker(where, hand["name"], [station["name"] for _, station in stations])
        for place, station in stations:
            name = station["name"]
            point = self.said(place, partial(registered_station, name))
            make, varied = loaded(point), _varied(station)
            of = self.seeds(place, station)
            for options in varied:
                self.options(place, f"station {name!r}", make, options)
                here = 0
                for where, hand in hands:
                    if not self.works_at(where, hand, name):
                        continue
                    here += 1
                    for theirs in _varied(hand):
                        arms.append(self.arm(place, station, options, where, hand, theirs, endpoints))
                        seeds.append(of)
                if not here:
                    self.wrong(place, f"{name!r} has no worker: none of the plan's works there")
        twice = next((name for name, count in Counter(arm.name for arm in arms).items() if count > 1), None)
        if twice is not None:
            self.wrong("worker", f"two arms are both called {twice!r}; tell them apart with label = ...")
        return arms, seeds

    def arm(
        self,
        place: str,
        station: Mapping[str, Any],
        options: Mapping[str, Any],
        where: str,
        hand: Mapping[str, Any],
        theirs: Mapping[str, Any],
        endpoints: Mapping[str, Endpoint],
    ) -> Arm:
        name, worker = station["name"], hand["name"]
        made = self.said(where, lambda: made_by(worker, name))
        if isinstance(made, type):
            self.options(where, f"worker {worker!r}", made, theirs)
        elif theirs:
            self.wrong(where, f"worker {worker!r} has no options")
        hours, units = self.length(place, station)
        clock = station.get("clock", self.told.get("clock"))
        clock = usual_clock(made) if clock is None else str(clock)
        clock = self.said(f"{place}.clock", lambda: parse_clock(clock).text)
        faults = self.faults(place, station.get("faults", self.told.get("faults", [])))
        uses = [*self.names(f"{where}.endpoint", hand.get("endpoint", [])), *named_in(theirs)]
        for one in uses:
            if one not in endpoints:
                self.wrong(
                    where, f"asks the endpoint {one!r}{meant(one, endpoints)}; the plan has: {_listed(endpoints)}"
                )
        timeout = self.above_0(f"{where}.call_timeout_s", hand, "call_timeout_s")
        self.at_most(f"{where}.call_timeout_s", timeout or 0.0, MOST_S)
        what, ours = _called(station), {f"{key}": options[key] for key in station.get("vary", {})}
        who, their = _called(hand), {f"{key}": theirs[key] for key in hand.get("vary", {})}
        work, person = " ".join([what, *_words(ours)]), " ".join([who, *_words(their)])
        definition = self.said(
            where,
            lambda: definition_of(
                name,
                options,
                worker,
                theirs,
                hours=hours,
                units=units,
                clock=clock,
                faults=faults,
                call_timeout_s=timeout,
            ),
        )
        clash = {key: f"worker_{key}" if key in ours else key for key in their}
        return Arm(
            name=f"{person} @ {work}",
            work=work,
            who=person,
            columns={"station": what, **ours, "worker": who, **{clash[key]: value for key, value in their.items()}},
            station=name,
            station_options=dict(options),
            worker=worker,
            worker_options={key: _addressed(value, endpoints) for key, value in theirs.items()},
            hours=hours,
            units=units,
            clock=clock,
            faults=faults,
            isolate=self.flag(f"{where}.isolate", hand, "isolate"),
            call_timeout_s=timeout,
            cores=self.cores(f"{where}.cores", hand),
            gpus=self.number(f"{where}.gpus", hand, "gpus", 0.0) or 0.0,
            memory_gb=self.memory(f"{where}.memory_gb", hand),
            endpoints=tuple(dict.fromkeys(uses)),
            definition=definition,
        )

    def count(self, stations: Sequence[tuple[str, Any]], hands: Sequence[tuple[str, Any]]) -> None:
        """Raise TaktError if the product is more than anybody means, before a list of it is made."""
        ways = [
            sum(_ways(table) * self.how_many_seeds(place, table) for place, table in stations),
            sum(_ways(table) for _, table in hands),
        ]
        if math.prod(ways) > MOST_SHIFTS:
            self.wrong(
                "the plan", f"comes to up to {math.prod(ways):,} shifts; {MOST_SHIFTS:,} are the most: vary less"
            )

    def how_many_seeds(self, place: str, station: Mapping[str, Any]) -> int:
        return len(self.seeds(place, station))

    def seeds(self, place: str, station: Mapping[str, Any]) -> list[int]:
        given = station.get("seeds", self.told.get("seeds", "0"))
        where = f"{place}.seeds" if "seeds" in station else "seeds"
        if isinstance(given, bool) or not isinstance(given, (str, int, list)):
            self.wrong(where, f'is {given!r}; write "0-9", or [0, 3, 7]')
        if isinstance(given, list):
            if not given or any(isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in given):
                self.wrong(where, "must be whole numbers, 0 or more, and at least one")
            found = list(given)
        else:
            found = self.said(where, lambda: numbers_in(str(given), MOST_SHIFTS))
        if len(set(found)) < len(found):
            self.wrong(where, "names a seed twice")
        if found and max(found) >= 2**SEED_BITS:
            self.wrong(where, f"has one of {max(found).bit_length():,} bits; a seed has {SEED_BITS} at most")
        return found

    def shifts(self, arms: Sequence[Arm], seeds: Sequence[Sequence[int]]) -> list[Planned]:
        """Seed by seed, so that arms can be compared early; without what is excluded, and each shift once."""
        rules = [(place, table, [0]) for place, table in self.tables("exclude", None, least=0)]
        rules = [(place, self.excluding(place, table), hits) for place, table, hits in rules]
        found: dict[str, Planned] = {}
        for turn in range(max(map(len, seeds), default=0)):
            for arm, mine in zip(arms, seeds, strict=True):
                if turn < len(mine) and not self.excluded(arm, mine[turn], rules):
                    one = Planned(id_of(arm.definition, mine[turn]), arm, mine[turn])
                    if one.id in found:
                        self.wrong(
                            "worker", f"{arm.name!r} and {found[one.id].arm.name!r} are the same shifts; drop one"
                        )
                    found[one.id] = one
        for place, _, hits in rules:
            if not hits[0]:
                self.wrong(place, "excludes nothing; is a name in it misspelt?")
        if not found:
            self.wrong("the plan", "has no shift left: all are excluded")
        return list(found.values())

    def excluding(self, place: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is excluded, checked, with its seeds as a set of numbers."""
        if not table:
            self.wrong(place, "is empty, and would exclude everything")
        if "seeds" not in table:
            return table
        given = table["seeds"]
        if isinstance(given, str):
            given = self.said(f"{place}.seeds", partial(numbers_in, given, MOST_SHIFTS))
        numbers = given if isinstance(given, list) else [given]
        if not numbers or any(isinstance(one, bool) or not isinstance(one, int) for one in numbers):
            self.wrong(f"{place}.seeds", f'is {given!r}; write "0-9", or whole numbers: [0, 3, 7]')
        return {**table, "seeds": frozenset(numbers)}

    def excluded(self, arm: Arm, seed: int, rules: Sequence[tuple[str, Mapping[str, Any], list[int]]]) -> bool:
        columns = {**arm.station_options, **arm.worker_options, **arm.columns}
        for _, table, hits in rules:
            fits = True
            for key, value in table.items():
                if key == "seeds":
                    fits &= seed in value
                    continue
                mine = [columns.get(key)]
                mine += [arm.worker] if key == "worker" else [arm.station] if key == "station" else []
                fits &= any(
                    canonical(one) in map(canonical, value if isinstance(value, list) else [value]) for one in mine
                )
            if fits:
                hits[0] += 1
                return True
        return False

    # --- parts ---

    def tables(self, key: str, keys: Sequence[str] | None, least: int = 1) -> list[tuple[str, Mapping[str, Any]]]:
        given = self.told.get(key, [])
        if not isinstance(given, list) or any(not isinstance(one, Mapping) for one in given):
            self.wrong(key, f"must be written as [[{key}]], once for each")
        if len(given) < least:
            self.wrong("the plan", f"has no [[{key}]]")
        found = [(f"{key}[{number}]", table) for number, table in enumerate(given)]
        for place, table in found:
            if keys is not None:
                self.keys(place, table, keys)
                if not isinstance(table.get("name"), str):
                    self.wrong(place, "has no name")
                self.filled(f"{place}.label", table, "label", table["name"])
                self.check_varied(place, table)
        return found

    def check_varied(self, place: str, table: Mapping[str, Any]) -> None:
        for key in ("options", "vary"):
            if not isinstance(table.get(key, {}), Mapping):
                self.wrong(f"{place}.{key}", f"must be a table, as in {key} = {{...}}")
        for key, values in table.get("vary", {}).items():
            if not isinstance(values, list) or not values:
                self.wrong(f"{place}.vary.{key}", "must be a list of the values that it takes in turn")
            if key in table.get("options", {}):
                self.wrong(f"{place}.vary.{key}", "stands in options, too")
            if len({canonical(one) for one in values}) < len(values):
                self.wrong(f"{place}.vary.{key}", "has a value twice")

    def works_at(self, where: str, hand: Mapping[str, Any], station: str) -> bool:
        at, name = hand.get("at"), hand["name"]
        if at is not None:
            if station not in self.names(f"{where}.at", at):
                return False
            self.said(where, lambda: made_by(name, station))
            return True
        return ":" in name or name in workers(station)

    def unknown_worker(self, where: str, name: str, stations: Sequence[str]) -> NoReturn:
        known = sorted({one for station in stations for one in workers(station)})
        self.wrong(
            where, f"no worker named {name!r} at {', '.join(stations)}{meant(name, known)}; there: {', '.join(known)}"
        )

    def options(self, where: str, what: str, make: Any, options: Mapping[str, Any]) -> None:
        why = wrong_option(make, {key: value for key, value in options.items() if not _is_endpoint(value)})
        if why:
            self.wrong(where, f"{what} {why}")

    def length(self, place: str, station: Mapping[str, Any]) -> tuple[float | None, int | None]:
        own = "hours" in station or "units" in station
        table, where = (station, place) if own else (self.told, "the plan")
        hours = self.number(f"{where}.hours", table, "hours", None)
        units = self.whole(f"{where}.units", table, "units", 0) or None
        if hours is None and units is None:
            self.wrong(place, "has no length: give hours or units")
        if hours is not None and not 0 < hours <= MOST_HOURS:
            self.wrong(f"{where}.hours", f"is {hours:g}; it must be above 0, and at most {MOST_HOURS:,}")
        if units is not None and units > MOST_UNITS:
            self.wrong(f"{where}.units", f"is {units:,}; {MOST_UNITS:,} are the most")
        return hours, units

    def faults(self, place: str, given: Any) -> tuple[str, ...]:
        found = self.names(f"{place}.faults", given)
        for one in found:
            self.said(f"{place}.faults", partial(check_text, one))
        return tuple(found)

    def stop(self) -> Stop:
        table = self.told.get("stop", {})
        self.keys("stop", table, ("verdict", "compare", "by", "alpha", "margin"))
        compare, by = self.text("compare", table, ""), self.text("by", table, "")
        if compare not in ("", "pairs", "best"):
            self.wrong("stop.compare", f'is {compare!r}; it can be "pairs" or "best"')
        if ("by" in table and not by) or by not in ("", *BY) or by == "auto":
            self.wrong("stop.by", f'is {by!r}; it can be "shift", "free" or "unit"')
        alpha, margin = (
            self.number("stop.alpha", table, "alpha", 0.05),
            self.number("stop.margin", table, "margin", None),
        )
        for where, value in (("stop.alpha", alpha), ("stop.margin", margin)):
            if value is not None and not 0 < value < 1:
                self.wrong(where, f"is {value:g}; it must lie between 0 and 1")
        return Stop(self.flag("stop.verdict", table, "verdict"), compare, by, alpha or 0.05, margin)

    def numbers(self, where: str, kind: type, whole: Sequence[str] = ()) -> dict[str, Any]:
        table = self.told.get(where, {})
        names = list(kind.__dataclass_fields__)  # type: ignore[attr-defined]
        self.keys(where, table, names)
        return {key: (self.whole if key in whole else self.number)(f"{where}.{key}", table, key, 0) for key in table}

    def keys(self, where: str, table: Any, known: Sequence[str]) -> None:
        if not isinstance(table, Mapping):
            self.wrong(where, "must be a table")
        for key in table:
            if key not in known:
                place = f"{where} has" if where else "there is"
                raise TaktError(
                    f"{self.called}: {place} no {key!r}{meant(key, known)}; it can have: {', '.join(known)}"
                )

    def text(self, key: str, table: Mapping[str, Any], usual: str) -> str:
        value = table.get(key, usual)
        if not isinstance(value, str):
            self.wrong(key, f"is {value!r}; it must be a text")
        return value

    def filled(self, where: str, table: Mapping[str, Any], key: str, usual: str) -> str:
        value = table.get(key, usual)
        if not isinstance(value, str) or not value.strip():
            self.wrong(where, f"is {value!r}; it must be a text that is not empty")
        return value

    def above_0(self, where: str, table: Mapping[str, Any], key: str) -> float | None:
        value = self.number(where, table, key, None)
        if value is not None and not value:
            self.wrong(where, "is 0; it must be above 0, or left out")
        return value

    def memory(self, where: str, hand: Mapping[str, Any]) -> float | None:
        found = self.above_0(where, hand, "memory_gb")
        if found is not None and found < LEAST_MEMORY_GB:
            self.wrong(
                where,
                f"is {found:g}, in 10^9 bytes; a process takes {LEAST_MEMORY_GB:g} before it works: give it more, "
                "or leave it out",
            )
        return found

    def number(self, where: str, table: Mapping[str, Any], key: str, usual: float | None) -> float | None:
        value = table.get(key, usual)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            self.wrong(where, f"is {value!r}; it must be a number, 0 or more")
        return float(value)

    def whole(self, where: str, table: Mapping[str, Any], key: str, usual: int) -> int:
        value = table.get(key, usual)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.wrong(where, f"is {value!r}; it must be a whole number, 0 or more")
        return value

    def cores(self, where: str, hand: Mapping[str, Any]) -> float:
        cores = self.number(where, hand, "cores", 1.0) or 0.0
        if cores < LEAST_CORES:
            self.wrong(
                where,
                f"is {cores:g}; a shift is a process, and {LEAST_CORES:g} of a core is the least that one takes: limit "
                "how many ask a server at a time by its slots",
            )
        return cores

    def flag(self, where: str, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.wrong(where, f"is {value!r}; it must be true or false")
        return value

    def names(self, where: str, given: Any) -> list[str]:
        found = [given] if isinstance(given, str) else given
        if not isinstance(found, list) or any(not isinstance(one, str) for one in found):
            self.wrong(where, f"is {given!r}; it must be a text, or a list of them")
        return found

    def said(self, where: str, work: Callable[[], Any]) -> Any:
        """What `work` returns; what it finds wrong is said of this place."""
        try:
            return work()
        except TaktError as error:
            raise TaktError(f"{self.called}: {where}: {error}") from error


def _times_in(value: Any, where: str = "") -> Iterator[str]:
    """Where there are dates and times, which TOML has and no option takes."""
    if isinstance(value, (date, time)):
        yield where
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _times_in(one, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _times_in(one, f"{where}[{number}]")


def _controls_in(value: Any, where: str = "") -> Iterator[str]:
    """Where a text or a key has characters that are none of a text's: no database keeps them, and a terminal obeys."""
    if isinstance(value, str) and _CONTROLS.search(value):
        yield where
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if _CONTROLS.search(str(key)):
                yield f"a key of {where or 'the plan'}"
            else:
                yield from _controls_in(one, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _controls_in(one, f"{where}[{number}]")


def _varied(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options of a table, once for each combination of what varies."""
    vary, options = table.get("vary", {}), table.get("options", {})
    return [{**options, **dict(zip(vary, values, strict=True))} for values in product(*vary.values())]


def _ways(table: Mapping[str, Any]) -> int:
    return math.prod(len(values) for values in table.get("vary", {}).values())


def _called(table: Mapping[str, Any]) -> str:
    return str(table.get("label", table["name"]))


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    return (f"{key}={value if isinstance(value, str) else canonical(value)}" for key, value in options.items())


def _is_endpoint(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(ENDPOINT)


def _addressed(value: Any, endpoints: Mapping[str, Endpoint]) -> Any:
    return endpoints[value.removeprefix(ENDPOINT)].url if _is_endpoint(value) else value


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "none"
