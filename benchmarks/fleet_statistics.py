"""How often a fleet's tests err, looked at after every shift, and how many units they save against fixed designs.

    python benchmarks/fleet_statistics.py [--paths 1000] [--seed 24] [--only pooled|together|steady|saved]

Units of a shift are a two-state chain of stickiness 0, 0.3 and 0.5; shifts differ by 0 or 4 points (beta). Errors are
of fleets in which anything false was ever said; promised are 5 %. With shifts that differ, `unit` speaks of these units
and not of the worker, and is shown so that one sees what it costs to take one for the other.
"""

from __future__ import annotations

import argparse
import math
from itertools import combinations

import numpy as np
from scipy.stats import beta, binom, norm

from takt.fleet.sample import bounds_along, decided_at, drawn, log_e_along
from takt.judge.bets import accepts
from takt.judge.sequences import closed

REQUIRED, UNITS, ALPHA = 0.902, 40, 0.05
RHOS, SPREADS = (0.0, 0.3, 0.5), (0.0, 0.04)
DESIGNS = (  # required, units of a shift, standard deviation between shifts' own rates: as much as is believed, or less
    (0.9, 10, 0.04),
    (0.902, 20, 0.04),
    (0.902, 100, 0.04),
    (0.95, 12, 0.04),
    (0.95, 400, 0.04),
    (0.97, 40, 0.02),
    (0.97, 200, 0.02),
    (0.985, 400, 0.015),
    (0.99, 40, 0.01),
    (0.99, 400, 0.01),
    (0.99, 1000, 0.01),
    (0.99, 100, 0.02),  # twice as much as is believed
    (0.902, 100, 0.08),
)
STEADY = (
    (0.9, 40, 0.04),
    (0.96, 1000, 0.04),
    (0.985, 1000, 0.015),
    (0.99, 400, 0.01),
    (0.99, 1000, 0.01),
    (0.99, 400, 0.02),
)
SAVED = ((0.902, 40, 0.95), (0.902, 40, 0.97), (0.902, 40, 0.99), (0.99, 100, 0.999), (0.99, 400, 0.999))


def pooled_errors(paths: int, rng: np.random.Generator) -> None:
    print(f"\nVerdict of an arm at exactly {100 * REQUIRED:.1f} %, {UNITS} units a shift: wrong at any look")
    print("| stickiness | shifts differ by | by | shifts | accept | reject |\n| --- | --- | --- | --- | --- | --- |")
    for spread in SPREADS:
        for rho in RHOS:
            for by, shifts in (("unit", 40), ("shift", 40), ("free", 60)):
                good = drawn(REQUIRED, spread, rho, shifts, UNITS, paths, rng)
                yes, no = decided_at(good, REQUIRED, ALPHA, by)
                told = f"{errors(yes <= shifts)} | {errors(no <= shifts)}"
                print(f"| {rho} | {100 * spread:.0f} points | {by} | {shifts} | {told} |", flush=True)
    print(
        "\nOther jobs and shifts, by shift, 40 shifts; and what a t-test of the shifts alone would do: accept falsely"
    )
    print("| required | units | stickiness | shifts differ by | by shift | t-test |")
    print("| --- | --- | --- | --- | --- | --- |")
    for required, units, spread in DESIGNS:
        for rho in RHOS:
            good = drawn(required, spread, rho, 40, units, paths, rng)
            yes, _ = decided_at(good, required, ALPHA, "shift")
            by_unit = accepts(good.sum(2).cumsum(1), (~good).sum(2).cumsum(1), required, ALPHA)
            low, _ = bounds_along(good.mean(2), ALPHA)
            alone = ((low >= required) & by_unit).any(1)
            told = f"{errors(yes <= 40)} | {errors(alone)}"
            print(f"| {100 * required:g} % | {units} | {rho} | {100 * spread:g} points | {told} |", flush=True)


def errors(wrong: np.ndarray) -> str:
    """In how many fleets, with the exact 95 % interval of the simulation itself (Clopper & Pearson, 1934)."""
    n, k = len(wrong), int(wrong.sum())
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return f"{100 * k / n:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def together_errors(paths: int, rng: np.random.Generator) -> None:
    print("\nFive equal arms of 85 %, ten pairs, 20 shifts: any false word, at any look")
    print("| stickiness | shifts differ by | by | together | each pair by itself |\n| --- | --- | --- | --- | --- |")
    arms, shifts = 5, 20
    for spread in SPREADS:
        for rho in RHOS:
            good = [drawn(0.85, spread, rho, shifts, 20, paths, rng).astype(int) for _ in range(arms)]
            for by in ("unit", "shift", "free"):
                logs = np.concatenate([log_e_along(good[a] - good[b], by) for a, b in combinations(range(arms), 2)])
                together, single = closed(logs, ALPHA).any((0, 2)), (logs >= math.log(2 / ALPHA)).any((0, 2))
                told = f"{errors(together)} | {errors(single)}"
                print(f"| {rho} | {100 * spread:.0f} points | {by} | {told} |", flush=True)


def one_steady(paths: int, rng: np.random.Generator) -> None:
    print(
        "\nTwo equal arms, by shift, 30 shifts of independent units; one's shifts are alike, the other's skewed (beta)"
    )
    print("| both | units | the other's shifts differ by | any false word |\n| --- | --- | --- | --- |")
    for rate, units, spread in STEADY:
        a, b = (drawn(rate, one, 0.0, 30, units, paths, rng).astype(int) for one in (0.0, spread))
        wrong = closed(log_e_along(b - a, "shift"), ALPHA).any((0, 2))
        print(f"| {100 * rate:g} % | {units} | {100 * spread:g} points | {errors(wrong)} |", flush=True)


def saved(paths: int, rng: np.random.Generator) -> None:
    print("\nUnits until an accept, by shift and by unit; and of the exact test of fixed size (90 % power)")
    print("| required | units a shift | true rate | mean units | in 80 % of fleets by | by unit, mean | fixed size |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for required, units, true in SAVED:
        most = 60
        good = drawn(true, 0.0, 0.0, most, units, paths, rng)
        yes, unit = (np.minimum(decided_at(good, required, ALPHA, by)[0], most + 1) for by in ("shift", "unit"))
        late = (yes > most).mean()
        more = f" ({100 * late:.1f} % not by {most * units})" if late else ""
        told = f"{units * yes.mean():.0f}{more} | {units * int(np.quantile(yes, 0.8))} | {units * unit.mean():.0f}"
        print(f"| {100 * required:g} % | {units} | {100 * true:g} % | {told} | {fixed_size(required, true)} |")
    print("\nFive arms, one of 93 % and four of 85 %, 40 units a shift, by shift: units until the best is known")
    arms, shifts = 5, 60
    good = [drawn(0.93 if arm == 0 else 0.85, 0.02, 0.0, shifts, UNITS, paths, rng).astype(int) for arm in range(arms)]
    pairs = list(combinations(range(arms), 2))
    sure = closed(np.concatenate([log_e_along(good[a] - good[b], "shift") for a, b in pairs]), ALPHA)
    beats = np.array([sure[2 * n] for n, (a, _) in enumerate(pairs) if a == 0])  # (others, paths, shifts)
    at = np.where(beats.any(2), beats.argmax(2) + 1, shifts)  # an arm that is beaten is worked no more
    units = UNITS * (at.sum(0) + at.max(0))
    z = norm.ppf(1 - ALPHA / 4) + norm.ppf(0.9)
    n = math.ceil(z**2 * (0.93 * 0.07 + 0.85 * 0.15 + 2 * UNITS * 0.02**2) / 0.08**2)
    unknown = (~beats.any(2).all(0)).mean()
    print(
        f"mean {units.mean():.0f}, in 80 % of fleets by {np.quantile(units, 0.8):.0f}; not known after {shifts} shifts"
    )
    print(f"in {100 * unknown:.1f} %. Fixed size, Bonferroni over four, 90 % power for each: {arms * n}")


def fixed_size(required: float, true: float) -> int:
    """Units of the least exact binomial test of size 5 % that has 90 % power at `true`."""
    n = 20
    while True:
        least = int(binom.ppf(1 - ALPHA, n, required)) + 1
        if binom.sf(least - 1, n, true) >= 0.9:
            return n
        n += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=24)
    parser.add_argument("--only", default="", choices=("pooled", "together", "steady", "saved"))
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    print(f"{given.paths} fleets each, seed {given.seed}; error at 5 %: {100 * math.sqrt(0.0475 / given.paths):.1f}")
    tables = {"pooled": pooled_errors, "together": together_errors, "steady": one_steady, "saved": saved}
    for name, table in tables.items():
        if given.only in ("", name):
            table(given.paths, rng)


if __name__ == "__main__":
    main()
