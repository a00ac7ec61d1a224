"""What the learned worker's senses and words are worth: the same units without touch, a camera, the words, or DAgger.

    python benchmarks/ablation.py --units 20 --difficulties nominal,plant,harsh --clone runs/vla/round-000.onnx
    python benchmarks/ablation.py --words --units 40             other words than the station meant: what gets done?

A sense is taken away at run time, from the network that had it in training: nothing is felt, a picture is dark, the
text is empty. That asks what this network leans on, not what one trained without could do. `without DAgger` is the
policy after cloning. Bounds are Clopper and Pearson's, 95 %.
"""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from policy import bound
from takt.contract.events import UNIT_BAD, UNIT_GOOD
from takt.shift import run_shift
from takt.stations.nutcell import orders
from takt.stations.nutcell.line import MIXED
from takt.stations.nutcell.vla.worker import WITHOUT, Vla


class Misled(Vla):
    """Hears, in words held out of training, the opposite of what the station ordered on each side."""

    def __init__(self, language: str = "en", **options: Any) -> None:
        super().__init__(**options)
        self.language, self.told, self.heard = language, "", ""

    def act(self, observation: dict[str, Any]) -> Any:
        if observation["order"] != self.told:
            self.told = observation["order"]
            self.heard = opposite(self.told, self.language)
        return super().act(observation | {"order": self.heard})


def opposite(text: str, language: str) -> str:
    """A text, held out of training, that asks for the other nut on both sides."""
    meant = next(o for o in (orders.order(SEED[0], unit) for unit in range(10_000)) if o.text == text).parts
    drawn = (orders.order(990_000, unit, language, "held_out") for unit in range(len(text), 10_000))
    return next(order.text for order in drawn if order.parts == (1 - meant[0], 1 - meant[1]))


SEED = [31]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=20, help="for each row")
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--difficulties", default="plant")
    parser.add_argument("--phrasings", default="train")
    parser.add_argument("--clone", default="", help="the policy after cloning, to show what DAgger adds")
    parser.add_argument("--model", default="")
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    base = {"model": asked.model} if asked.model else {}
    if asked.words:
        with ProcessPoolExecutor(2 if asked.processes > 1 else 1, mp_context=get_context("spawn")) as pool:
            jobs = {tongue: pool.submit(followed, tongue, asked.seed, asked.units, base) for tongue in ("en", "zh")}
            for tongue, job in jobs.items():
                heard, meant, seated = job.result()
                low, high = bound(heard, seated)
                print(
                    f"{tongue}: {seated} sides seated, {heard} with the nut that the words asked for "
                    f"({100 * low:.1f} to {100 * high:.1f} %), {meant} with the one that was ordered"
                )
        return
    rows: list[tuple[str, dict[str, Any]]] = [("all of it", base)]
    rows += [(f"without {what}", {**base, "without": what}) for what in WITHOUT]
    rows += [("without DAgger", {"model": asked.clone})] if asked.clone else []
    print(f"{'':<18}{'':<10}{'good':>8}{'95 % bound':>18}  failures")
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        work = [
            (name, hard, pool.submit(worked, hard, options, asked.seed, asked.units, asked.phrasings))
            for hard in asked.difficulties.split(",")
            for name, options in rows
        ]
        for name, hard, job in work:
            good, units, failures = job.result()
            low, high = bound(good, units)
            rate = f"{100 * low:.1f} to {100 * high:.1f} %"
            why = ", ".join(f"{reason} {count}" for reason, count in failures.most_common())
            print(f"{name:<18}{hard:<10}{f'{good}/{units}':>8}{rate:>18}  {why}", flush=True)


def worked(
    difficulty: str, options: dict[str, Any], seed: int, units: int, phrasings: str
) -> tuple[int, int, Counter[str]]:
    station = {"difficulty": difficulty, "phrasings": phrasings}
    shift = run_shift(
        "nutcell", "vla", seed=seed, units=units, clock="fixed:0.08", worker_options=options, station_options=station
    )
    bad = [event for event in shift.events if event.kind == UNIT_BAD]
    good = sum(event.kind == UNIT_GOOD for event in shift.events)
    return good, good + len(bad), Counter(reason for event in bad for reason in event.data["reasons"])


def followed(language: str, seed: int, units: int, options: dict[str, Any]) -> tuple[int, int, int]:
    """Of the sides seated: how many have the nut that the words asked for, and how many the one that was ordered."""
    SEED[0] = seed
    shift = run_shift(
        "nutcell",
        Misled(language, **options),
        seed=seed,
        units=units,
        clock="fixed:0.08",
        station_options=Vla.station_options,
    )
    heard = meant = seated = 0
    names = [variant.name for variant in MIXED.variants]
    for event in shift.events:
        for part in event.data.get("parts", {}).values() if event.kind in (UNIT_GOOD, UNIT_BAD) else ():
            if part["why"] in (None, "wrong_part"):
                seated += 1
                meant += part["part"] == part["ordered"]
                heard += part["part"] == names[1 - names.index(part["ordered"])]
    return heard, meant, seated


if __name__ == "__main__":
    main()
