"""Whether a plan has nothing left to do, seen without importing what its stations and workers are made of.

A plan that is done is run again every night by somebody's cron, and is to cost nothing then. What it came to is noted
with all that it depends on: the plan's text, Takt's version and rules, and every file that it names or was read from.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takt.distribution import version
from takt.fleet.plan import LEDGERS, Plan
from takt.fleet.text import named, text_of

if TYPE_CHECKING:
    from takt.fleet.standing import FleetStanding

DONE = "done.json"


def remember(plan: Plan, found: FleetStanding) -> None:
    """Note that this plan is done, if it is; forget it if it is not."""
    from takt.fleet.store import Ledgers

    note = plan.folder / DONE
    note.unlink(missing_ok=True)
    if not plan.text or "://" in plan.store or not found.done or found.refused:
        return
    ledgers = Ledgers(plan.store)
    of = {name for shift in plan.shifts if (name := ledgers.name(shift)) is not None}
    texts, workers = _options(plan), [arm.worker for arm in plan.arms]
    made_of = {name: had for arm in plan.arms for name, had in arm.definition["from"].items() if name != "takt"}
    told = {
        "depends": _depends(plan.text, workers, texts, made_of),
        "ledgers": {name: seen for name, seen in _ledgers(Path(plan.store)).items() if name in of},
        "store": str(Path(plan.store).resolve()),
        "shifts": len(plan.shifts),
        "workers": workers,
        "texts": texts,
        "from": sorted(made_of),
    }
    note.write_text(json.dumps(told), encoding="utf-8")


def nothing_to_do(path: os.PathLike[str]) -> dict[str, Any] | None:
    """What there is to say of a plan, or of its folder, that is done; None if it is not surely so."""
    import tomllib

    if not isinstance(path, Path):
        return None
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, PackageNotFoundError):
        text = (path / "fleet.toml" if path.is_dir() else path).read_text(encoding="utf-8")
        told = tomllib.loads(text)
        name = told.get("name", path.stem)
        own = Path(told.get("folder", f"shifts/{name}"))
        folder = path if path.is_dir() else own
        note = json.loads((folder / DONE).read_text(encoding="utf-8"))
        store = _store(told, own, folder)
        if note["store"] != str(store.resolve()) or not note["ledgers"].items() <= _ledgers(store).items():
            return None
        versions = {one: installed(one) for one in note["from"]}
        if note["depends"] == _depends(text_of(named(told, name)), note["workers"], note["texts"], versions):
            done = len(note["ledgers"])
            spared = note["shifts"] - done
            more = f" ({spared} of the plan were not needed)" if spared else ""
            return {
                "fleet": name,
                "folder": str(folder),
                "shifts": note["shifts"],
                "ended": done,
                "began": 0,
                "told": f"nothing is left to do: {done} shifts are there{more}; `takt fleet status {folder}` says more",
            }
    return None


def _store(told: Mapping[str, Any], own: Path, folder: Path) -> Path:
    """Where the ledgers are to be, as `takt.fleet.toml` reads it. KeyError, ValueError if that is no folder."""
    given = told.get("store", str(own))
    given = os.environ[given["env"]] if isinstance(given, Mapping) else given
    if "://" in given:
        raise ValueError("it is in a database")
    return folder if Path(given) == own else Path(given)


def _depends(text: str, workers: list[str], texts: list[str], versions: Mapping[str, str]) -> str:
    """A hash of all that what is left to do depends on.

    texts      of options, which may name files, or come to name some.
    versions   of the distributions that stations and workers come from.
    """
    from takt.shift.definition import RULES

    told = [text, version(), RULES, os.getcwd(), sorted(set(workers)), sorted(versions.items())]
    found = hashlib.sha256(json.dumps(told).encode())
    modules = [worker.partition(":")[0] for worker in workers if ":" in worker]
    for module in sorted(set(modules)):
        texts = [*texts, *origin_of(module)]
    for one in texts:
        with suppress(OSError, ValueError):  # too long for a path, and so none
            for file in _all(Path(one)):
                status = file.stat()
                found.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def origin_of(module: str) -> list[str]:
    """The file of a module, also of one in the current folder; [] if there is none."""
    if os.getcwd() not in sys.path:  # as whoever imports a worker has it (`takt.contract.station`)
        sys.path.append(os.getcwd())
    with suppress(ImportError, ValueError):
        spec = find_spec(module)
        return [spec.origin] if spec is not None and spec.origin else []
    return []


def _options(plan: Plan) -> list[str]:
    """What may be a file or folder among the options of all arms."""
    options = [one for arm in plan.arms for one in (arm.station_options, arm.worker_options)]
    return sorted({text for one in options for text in _texts(one) if text and "://" not in text})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)


def _all(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _ledgers(store: Path) -> dict[str, str]:
    """The ledgers that are there, with their sizes in bytes and when they were written."""
    try:
        found = {entry.name: entry.stat() for entry in os.scandir(store / LEDGERS)}
        return {name: f"{status.st_size} {status.st_mtime_ns}" for name, status in found.items()}
    except OSError:
        return {}
