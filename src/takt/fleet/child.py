"""A process that works shifts, one after the other, as another one tells it: `python -m takt.fleet.child`.

Lines of JSON: jobs come on stdin, `{"leave": true}` among them for the one under way; what becomes of them goes out on
the file that was stdout. What stations and workers print goes to stderr, which is a log. When stdin ends, whoever
started it is gone, and so is it, at once: no shift is worked for nobody.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any, TextIO

from takt.fleet.job import BUSY, FAULT, HARNESS, MEMORY, PROGRESS, REFUSED, SERVER, STORE, Job

PARENT_GONE = 3


def main() -> int:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    leave = threading.Event()
    threading.Thread(target=_listen, args=(jobs, leave), daemon=True).start()
    _say(out, {"ready": os.getpid()})
    while True:
        job = jobs.get()
        leave.clear()
        _say(out, _done(job, out, leave))


def _listen(jobs: queue.SimpleQueue[Job], leave: threading.Event) -> None:
    try:
        for line in sys.stdin:
            told = json.loads(line)
            if told.get("leave"):
                leave.set()
            else:
                jobs.put(Job(**told))
    finally:
        os._exit(PARENT_GONE)


def _done(job: Job, out: TextIO, leave: threading.Event) -> dict[str, Any]:
    from takt.contract.foreign import one_line
    from takt.errors import Busy, TaktError, Unserved, Unwritable
    from takt.fleet.changes import Changed
    from takt.fleet.store import is_gone, shown
    from takt.fleet.work import work
    from takt.secret import masked

    print(f"--- {job.arm}, seed {job.seed} ({job.id or shown(job.ledger)})", file=sys.stderr, flush=True)
    try:
        kind, record = work(job, lambda told: _say(out, {"kind": PROGRESS, "data": told}), leave.is_set)
        return {"kind": kind, "data": record.told()}
    except Busy as error:
        return {"kind": BUSY, "data": {"why": str(error)}}
    except TaktError as error:
        why = masked(" ".join(str(error).split()))
        if isinstance(error, Unserved) or is_gone(error):
            return {"kind": FAULT, "data": {"kind": SERVER, "why": why}}
        if isinstance(error, Unwritable):
            return {"kind": FAULT, "data": {"kind": STORE, "why": why}}
        return {"kind": REFUSED, "data": {"why": why, "arm": masked(error.arm) if isinstance(error, Changed) else ""}}
    except MemoryError:
        return {"kind": FAULT, "data": {"kind": MEMORY, "why": "there is not enough memory"}}
    except BaseException as error:
        import traceback

        print(masked(traceback.format_exc()), file=sys.stderr, end="", flush=True)
        return {"kind": FAULT, "data": {"kind": HARNESS, "why": one_line(error)}}


def _say(out: TextIO, told: dict[str, Any]) -> None:
    try:
        out.write(json.dumps(told) + "\n")
        out.flush()
    except OSError:
        os._exit(PARENT_GONE)


if __name__ == "__main__":
    sys.exit(main())
