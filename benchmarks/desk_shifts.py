r"""Whole shifts of models at the desk, asked in this process (no server), one row each, and all of them together.

    python benchmarks/desk_shifts.py desk desk-round1 --seeds 3000-3009 --hours 1 -o scenario=two-hubs \
        -o home_within_h=96

Beside the units (as `takt kpis` counts them) it counts what was called when the first itinerary had a hotel due that
was not given yet, had none due, and when there was none. A ledger of each shift lies in OUT; a shift whose ledger
is there is not worked again.
docs/train-llm.md has the figures. Temperature 0; the models' time as of a server that reads 400 and writes 40 tokens/s.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from scipy.stats import beta

from takt.cli.options import options_in
from takt.contract.options import numbers_in
from takt.judge.kpi import kpis
from takt.ledger import Ledger
from takt.shift import run_shift
from takt.train.answering import InProcess
from takt.train.weights import open_tokenizer, open_weights
from takt.workers.llm import Llm


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("models", nargs="+")
    words.add_argument("--seeds", default="3000-3009")
    words.add_argument("--hours", type=float)
    words.add_argument("--units", type=int)
    words.add_argument("-o", dest="options", action="append", default=[])
    words.add_argument("--view", default="short", help="as the model was taught: short or terse")
    words.add_argument("--template", default="")
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--out", type=Path, default=Path("desk-shifts"))
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(exist_ok=True)
    options = options_in("o", given.options)
    for model in given.models:
        tokenizer = open_tokenizer(model, given.template)
        asked = InProcess(open_weights(model, tokenizer).causal.eval().bfloat16(), tokenizer, 192)
        rows = []
        for seed in numbers_in(given.seeds):
            began = time.process_time()
            path = given.out / re.sub(r"[^\w.-]+", "-", f"{model}-{seed}.takt")
            if not path.exists():
                of: dict[str, Any] = {"model": model, "view": given.view, "max_tokens": 192, "context_tokens": 4096}
                of |= {"tokens_per_s": 40.0, "prompt_tokens_per_s": 400.0}
                run_shift(
                    "flightdesk",
                    Llm(endpoint=asked, **of),
                    seed=seed,
                    hours=given.hours,
                    units=given.units,
                    clock="measured",
                    ledger=path,
                    station_options=options,
                    worker_name="llm",
                    worker_options=of,
                )
            rows.append(told(path))
            print(json.dumps({"model": model, "seed": seed, **rows[-1], "cpu_s": round(time.process_time() - began)}))
        together = {name: sum(row[name] for row in rows) for name in ("units", "good", "written")}
        lowest, highest = clopper_pearson(together["good"], together["units"])
        print(json.dumps({"model": model, **together, "bounds_95": [round(lowest, 3), round(highest, 3)]}), flush=True)


def told(path: Path) -> dict[str, Any]:
    """Of a shift that has ended: units that were due in time, tokens, and what was called at each kind of proposal."""
    with Ledger.open(path) as book:
        events = list(book.events())
    figures = kpis(events)
    said = [event.data for event in events if event.kind == "said" and "added" in event.data]
    called: dict[str, Counter[str]] = {"hotel due": Counter(), "none due": Counter(), "no way": Counter()}
    for one in said:
        try:
            ways = json.loads(one["added"][-1]["content"])["result"]["itineraries"]
        except (IndexError, KeyError, TypeError, ValueError):
            continue
        kind = "no way" if not ways else "hotel due" if ways[0].get("hotel_due") else "none due"
        called[kind][one["calls"][0][0] if one["calls"] else "no call"] += 1
    return {
        "units": figures.units,
        "good": figures.good,
        "written": sum(one["usage"].get("completion_tokens", 0) for one in said),
        "called": {kind: dict(counts) for kind, counts in called.items()},
    }


def clopper_pearson(good: int, units: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a share; of one look, and of units that do not depend on each other, which is not quite so."""
    rest = (1.0 - confidence) / 2
    lowest = beta.ppf(rest, good, units - good + 1) if good else 0.0
    return float(lowest), float(beta.ppf(1.0 - rest, good + 1, units - good) if good < units else 1.0)


if __name__ == "__main__":
    main()
