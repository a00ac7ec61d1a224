"""Whether a plan has nothing left to do, seen without importing what its stations and workers are made of.

A plan that is done is run again every night by somebody's cron, and is to cost nothing then. What it came to is noted
with all that it depends on: the plan's text, Takt's version and rules, and every file that it names or was read from.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takt.distribution import version
from takt.fleet.plan import LEDGERS, Plan

if TYPE_CHECKING:
    from takt.fleet.standing import FleetStanding

DONE = "done.json"


def remember(plan: Plan, found: FleetStanding) -> None:
    """Note that this plan is done, if it is; forget it if it is not."""
    note = plan.folder / DONE
    from takt.fleet.store import Ledgers

    note.unlink(missing_ok=True)
    if not plan.text or "://" in plan.store or not found.done or found.refused:
        return
    ledgers = Ledgers(plan.store)
    told = {
        "depends": _depends(plan.text, [arm.worker for arm in plan.arms], _files(plan)),
        "ledgers": sorted(name for shift in plan.shifts if (name := ledgers.name(shift)) is not None),
        "store": str(Path(plan.store).resolve()),
        "shifts": len(plan.shifts),
        "workers": [arm.worker for arm in plan.arms],
        "files": _files(plan),
    }
    note.write_text(json.dumps(told), encoding="utf-8")


def nothing_to_do(path: os.PathLike[str]) -> dict[str, Any] | None:
    """What there is to say of a plan, or of its folder, that is done; None if it is not surely so."""
    import tomllib

    if not isinstance(path, Path):
        return None
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, tomllib.TOMLDecodeError):
        text = (path / "fleet.toml" if path.is_dir() else path).read_text(encoding="utf-8")
        told = tomllib.loads(text)
        name = told.get("name", path.stem)
        folder = path if path.is_dir() else Path(told.get("folder", f"shifts/{name}"))
        note = json.loads((folder / DONE).read_text(encoding="utf-8"))
        if note["depends"] == _depends(text, note["workers"], note["files"]) and set(note["ledgers"]) <= _ledgers(
            Path(note["store"])
        ):
            done = len(note["ledgers"])
            spared = note["shifts"] - done
            more = f" ({spared} of the plan were not needed or are lost)" if spared else ""
            return {
                "fleet": name,
                "folder": str(folder),
                "shifts": note["shifts"],
                "ended": done,
                "began": 0,
                "told": f"nothing is left to do: {done} shifts are there{more}; `takt fleet status {folder}` says more",
            }
    return None


def _depends(text: str, workers: list[str], files: list[str]) -> str:
    """A hash of all that what is left to do depends on."""
    from takt.shift.definition import RULES

    found = hashlib.sha256(json.dumps([text, version(), RULES, os.getcwd(), sorted(set(workers))]).encode())
    modules = [worker.partition(":")[0] for worker in workers if ":" in worker]
    for module in sorted(set(modules)):
        spec = find_spec(module)
        files = [*files, str(spec.origin)] if spec is not None else files
    for file in files:
        for one in _all(Path(file)):
            status = one.stat()
            found.update(f"{one}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _files(plan: Plan) -> list[str]:
    """The files and folders that options name."""
    found = set()
    for arm in plan.arms:
        for value in (*_texts(arm.station_options), *_texts(arm.worker_options)):
            with suppress(OSError):
                if ("/" in value or Path(value).suffix) and Path(value).exists():
                    found.add(value)
    return sorted(found)


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


def _ledgers(store: Path) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(store / LEDGERS)}
    except OSError:
        return set()
