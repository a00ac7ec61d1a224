"""Small functions that are drawn: what they do has parameters, so there is always one more that nobody has seen.

Each pattern says what the function does in words, answers for it (the specification), and writes it as source (the
reference, with or without the defect that is common in such code).

Long because: it is a catalogue; each entry is whole by itself, and a new one goes to the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Params = Mapping[str, Any]
Note = Callable[[str], None]


class Undefined(Exception):
    """The specification says that there is no answer: the package's own error is due."""


@dataclass(frozen=True)
class Pattern:
    """A kind of function. `takes` are kinds of arguments: number, text, list (of numbers)."""

    key: str
    takes: tuple[str, ...]
    nouns: tuple[str, ...]
    draw: Callable[[Random], Params]
    tell: Callable[[Params], list[str]]
    answer: Callable[[Params, Note, Any], Any]
    code: Callable[[Params, bool], str]  # the body, by name `x` of the argument; the flag: with its defect
    arguments: Callable[[Random, Params], Any]
    defect: str | None = None  # what a user says of it
    wrong: Callable[[Params, Any], Any] | None = None  # what the defect answers


@dataclass(frozen=True)
class Drawn:
    """A function of a pattern, under a name."""

    name: str
    pattern: str
    params: tuple[tuple[str, Any], ...]

    @property
    def of(self) -> Pattern:
        return PATTERNS[self.pattern]

    def tell(self) -> tuple[str, ...]:
        return tuple(self.of.tell(dict(self.params)))

    def code(self, wrong: bool) -> str:
        return self.of.code(dict(self.params), wrong)

    def arguments(self, stream: Random) -> Any:
        return self.of.arguments(stream, dict(self.params))

    @property
    def can_be_wrong(self) -> bool:
        """Whether the common defect makes a difference with these parameters."""
        return self.of.wrong is not None and self.code(True) != self.code(False)

    @property
    def defect(self) -> str:
        return f"drawn.{self.name}"

    def answer(self, note: Note, x: Any) -> Any:
        """What the function gives; raises Undefined. Notes where its common defect would answer otherwise."""
        params = dict(self.params)
        try:
            right: Any = self.of.answer(params, note, x)
        except Undefined:
            right = Undefined
        if self.of.wrong is not None:
            try:
                wrong: Any = self.of.wrong(params, x)
            except Undefined:
                wrong = Undefined
            if wrong != right:
                note(self.defect)
        if right is Undefined:
            raise Undefined
        return right


def draw(stream: Random, name: str, pattern: str | None = None, takes: tuple[str, ...] | None = None) -> Drawn:
    """A function that nobody has seen, of a pattern, or of one that takes such arguments."""
    fitting = [key for key, one in PATTERNS.items() if takes is None or one.takes[0] in takes]
    key = pattern or stream.choice(fitting)
    return Drawn(name, key, tuple(PATTERNS[key].draw(stream).items()))


def numbers(stream: Random, low: int = -9, high: int = 20, most: int = 7, fewest: int = 0) -> list[int]:
    """A list of whole numbers, often with equal neighbours."""
    count = stream.choice([fewest, *range(fewest, most + 1)])
    out: list[int] = []
    for _ in range(count):
        out.append(out[-1] if out and stream.random() < 0.25 else stream.randint(low, high))
    return out


def text(stream: Random, alphabet: str = "abcxyzABZ 19-", most: int = 9) -> str:
    out = ""
    for _ in range(stream.randint(0, most)):
        out += out[-1] if out and stream.random() < 0.35 else stream.choice(alphabet)
    return out


def near(stream: Random, *places: int, spread: int = 2, wide: int = 60) -> int:
    """A number at one of these places, next to it, or anywhere."""
    if stream.random() < 0.75 and places:
        return stream.choice(places) + stream.randint(-spread, spread)
    return stream.randint(-wide, wide)


# -- numbers


def _tiers(p: Params, note: Note, x: int) -> int:
    total = 0
    for unit in range(1, x + 1):
        rate = p["low"] if unit <= p["first"] else p["mid"] if unit <= p["second"] else p["high"]
        note(f"tier{rate}")
        total += rate
    note("positive" if x > 0 else "zero" if x == 0 else "negative")
    note(f"edge {x}" if x in (1, p["first"], p["second"], p["first"] + 1, p["second"] + 1) else "off edge")
    return total


def _wrap(p: Params, note: Note, x: int) -> int:
    span = p["hi"] - p["lo"] + 1
    note("inside" if p["lo"] <= x <= p["hi"] else "below" if x < p["lo"] else "above")
    note(f"edge{x - p['lo']}" if x in (p["lo"], p["hi"]) else "edge")
    while x < p["lo"]:
        x += span
    while x > p["hi"]:
        x -= span
    return x


def _snap(p: Params, note: Note, x: int) -> int:
    k = p["k"]
    below = next(n for n in range(x, x - k - 1, -1) if n % k == 0)
    above = next(n for n in range(x, x + k + 1) if n % k == 0)
    if x - below == above - x and below != above:
        note("tie" if x > 0 else "negative tie")
        if p["ties"] == "away":
            return above if x > 0 else below
        return above if p["ties"] == "up" else below
    note("to below" if x - below < above - x else "to above")
    return below if x - below < above - x else above


def _snap_wrong(p: Params, x: int) -> int:
    ties = {"up": "down", "down": "up", "away": "up"}[p["ties"]]
    return _snap({**p, "ties": ties}, lambda _: None, x)


SNAP = {
    "up": "rest = x % {k}\nreturn x - rest if rest < {h} else x - rest + {k}",
    "down": "rest = x % {k}\nreturn x - rest if rest <= {h} else x - rest + {k}",
    "away": "rest = abs(x) % {k}\nsize = abs(x) - rest if rest < {h} else abs(x) - rest + {k}\nreturn size if x > 0 else -size",
}


def _bucket(p: Params, note: Note, x: int) -> str:
    at = sum(1 for edge in p["edges"] if (x >= edge if p["inclusive"] else x > edge))
    note(f"bucket{at}")
    note(f"edge{x}" if x in p["edges"] else "off edge")
    return str(p["labels"][at])


def _bucket_code(p: Params, wrong: bool) -> str:
    sign = "<" if p["inclusive"] != wrong else "<="
    first, second = p["edges"]
    one, two, three = p["labels"]
    return f'if x {sign} {first}:\n    return "{one}"\nif x {sign} {second}:\n    return "{two}"\nreturn "{three}"'


def _checksum(p: Params, note: Note, x: int) -> int:
    if x < 0:
        note("negative")
        raise Undefined
    digits = str(x) if p["left"] else str(x)[::-1]
    note(f"digits{min(len(digits), 4)}")
    total = sum(int(one) * p["weights"][at % len(p["weights"])] for at, one in enumerate(digits))
    note("zero" if total % p["mod"] == 0 else "rest")
    return -total % p["mod"] if p["complement"] else total % p["mod"]


def _checksum_wrong(p: Params, x: int) -> int:
    if x < 0 or not p["complement"]:
        return _checksum(p, lambda _: None, x)
    return int(p["mod"]) - _checksum({**p, "complement": False}, lambda _: None, x)


def _checksum_code(p: Params, wrong: bool) -> str:
    end = "total % {mod}"
    if p["complement"]:
        end = "{mod} - total % {mod}" if wrong else "-total % {mod}"
    return (
        'if x < 0:\n    raise UNDEFINED("a negative number has no check digit")\n'
        f"weights = {tuple(p['weights'])!r}\ntotal = 0\n"
        f"for place, digit in enumerate({'str(x)' if p['left'] else 'reversed(str(x))'}):\n"
        "    total += int(digit) * weights[place % len(weights)]\n"
        f"return {end.format(**p)}"
    )


# -- lists


def _longest(p: Params, note: Note, x: list[int]) -> int:
    best = 0
    for start in range(len(x)):
        for end in range(start + 1, len(x) + 1):
            part = x[start:end]
            if all(_goes(p["how"], a, b) for a, b in itertools.pairwise(part)):
                best = max(best, len(part))
    note("empty" if not x else "whole" if best == len(x) else "one" if best == 1 else "part")
    note(
        "at end"
        if x and best > 1 and all(_goes(p["how"], a, b) for a, b in zip(x[-best:], x[-best + 1 :], strict=False))
        else "-"
    )
    return best


def _goes(how: str, a: int, b: int) -> bool:
    return {"equal": a == b, "rising": a < b, "falling": a > b, "not falling": a <= b}[how]


GOES = {"equal": "==", "rising": "<", "falling": ">", "not falling": "<="}


def _longest_wrong(p: Params, x: list[int]) -> int:
    best = _longest(p, lambda _: None, x)
    return best - 1 if x and best == len(x) else best


def _longest_code(p: Params, wrong: bool) -> str:
    return (
        "best, now = 0, 1\nfor place, item in enumerate(x):\n"
        f"    if place and x[place - 1] {GOES[p['how']]} item:\n        now += 1\n    else:\n"
        + (
            "        now = 1\n    best = max(best, now)\nreturn best - 1 if x and best == len(x) else best"
            if wrong
            else "        now = 1\n    best = max(best, now)\nreturn best"
        )
    )


def _every(p: Params, note: Note, x: list[int]) -> list[int]:
    start = p["start"] - 1
    note(f"length{min(len(x), 5)}")
    return [one for at, one in enumerate(x) if at >= start and (at - start) % p["k"] == 0]


def _window(p: Params, note: Note, x: list[int]) -> int:
    w = p["w"]
    if len(x) < w:
        note("short")
        raise Undefined
    sums = [sum(x[at : at + w]) for at in range(len(x) - w + 1)]
    best = max(sums) if p["largest"] else min(sums)
    note("first" if best == sums[0] else "last" if best == sums[-1] else "middle")
    note("exact" if len(x) == w else "more")
    note("negative" if best < 0 else "not negative")
    return best


def _window_wrong(p: Params, x: list[int]) -> int:
    w = p["w"]
    if len(x) < w:
        raise Undefined
    sums = [sum(x[at : at + w]) for at in range(max(1, len(x) - w))]
    return max(sums) if p["largest"] else min(sums)


def _window_code(p: Params, wrong: bool) -> str:
    last = "max(1, len(x) - {w})" if wrong else "len(x) - {w} + 1"
    return (
        'if len(x) < {w}:\n    raise UNDEFINED("fewer than {w} items")\n'
        f"return {'max' if p['largest'] else 'min'}(sum(x[at : at + {{w}}]) for at in range({last}))"
    ).format(**p)


def _peaks(p: Params, note: Note, x: list[int]) -> int:
    count = 0
    for at, one in enumerate(x):
        sides = [x[n] for n in (at - 1, at + 1) if 0 <= n < len(x)]
        if len(sides) < 2 and not (p["ends"] and sides):
            continue
        if all(one > side for side in sides):
            note("end" if len(sides) < 2 else "peak")
            count += 1
        elif any(one == side for side in sides):
            note("level")
    note(f"count{count}")
    note(f"length{min(len(x), 3)}")
    return count


def _peaks_code(p: Params, wrong: bool) -> str:
    sign = ">=" if wrong else ">"
    if p["ends"]:
        return (
            "count = 0\nfor place, item in enumerate(x):\n"
            "    sides = x[max(0, place - 1) : place] + x[place + 1 : place + 2]\n"
            f"    if sides and all(item {sign} side for side in sides):\n        count += 1\nreturn count"
        )
    return f"return sum(1 for a, b, c in zip(x, x[1:], x[2:]) if b {sign} a and b {sign} c)"


def _peaks_wrong(p: Params, x: list[int]) -> int:
    if p["ends"]:
        pairs = [(one, x[max(0, at - 1) : at] + x[at + 1 : at + 2]) for at, one in enumerate(x)]
        return sum(1 for one, sides in pairs if sides and all(one >= side for side in sides))
    return sum(1 for a, b, c in zip(x, x[1:], x[2:], strict=False) if b >= a and b >= c)


def _clip(p: Params, note: Note, x: list[int]) -> int:
    total = 0
    for one in x:
        note("low" if one < p["lo"] else "high" if one > p["hi"] else "kept")
        total += sorted((p["lo"], one, p["hi"]))[1]
    note("empty" if not x else "some")
    return total


def _gaps(p: Params, note: Note, x: list[int]) -> list[int]:
    out = [b - a for a, b in itertools.pairwise(x)]
    note("down" if any(one < 0 for one in out) else "up")
    note(f"length{min(len(x), 2)}")
    if p["absolute"]:
        out = [abs(one) for one in out]
    if p["circular"] and len(x) > 1:
        last = x[0] - x[-1]
        note("circular down" if last < 0 else "circular up")
        out.append(abs(last) if p["absolute"] else last)
    return out


def _gaps_code(p: Params, wrong: bool) -> str:
    expression = "abs(b - a)" if p["absolute"] and not wrong else "b - a"
    ends = "if len(x) < 2:\n    return []\n" if p["circular"] else ""
    second = "x[1:] + x[:1]" if p["circular"] else "x[1:]"
    return f"{ends}return [{expression} for a, b in zip(x, {second})]"


def _gaps_wrong(p: Params, x: list[int]) -> list[int]:
    return _gaps({**p, "absolute": False}, lambda _: None, x)


def _rotate(p: Params, note: Note, x: list[int]) -> list[int]:
    note(f"length{min(len(x), p['k'] + 1)}")
    out = list(x)
    for _ in range(p["k"] if x else 0):
        out = out[1:] + out[:1] if p["left"] else out[-1:] + out[:-1]
    return out


def _rotate_code(p: Params, wrong: bool) -> str:
    if wrong:
        return "return x[{k}:] + x[:{k}]".format(**p) if p["left"] else "return x[-{k}:] + x[:-{k}]".format(**p)
    sign = "" if p["left"] else "-"
    return f"if not x:\n    return []\ncut = {sign}{p['k']} % len(x)\nreturn x[cut:] + x[:cut]"


def _rotate_wrong(p: Params, x: list[int]) -> list[int]:
    k = p["k"]
    return x[k:] + x[:k] if p["left"] else x[-k:] + x[:-k]


def _middle(p: Params, note: Note, x: list[int]) -> int:
    if not x:
        note("empty")
        raise Undefined
    left = sorted(x)
    note("even" if len(x) % 2 == 0 else "odd")
    note("sorted" if left == x else "unsorted")
    while len(left) > 2:
        left = left[1:-1]
    return left[0] if p["lower"] else left[-1]


def _middle_wrong(p: Params, x: list[int]) -> int:
    if not x:
        raise Undefined
    return x[(len(x) - 1) // 2 if p["lower"] else len(x) // 2]


# -- texts


def _mask(p: Params, note: Note, x: str) -> str:
    note("short" if len(x) < p["keep"] else "exact" if len(x) == p["keep"] else "long")
    if len(x) <= p["keep"]:
        return x if p["short"] == "kept" else p["mark"] * len(x)
    hidden = p["mark"] * (len(x) - p["keep"])
    return x[: p["keep"]] + hidden if p["front"] else hidden + x[-p["keep"] :]


def _mask_code(p: Params, wrong: bool) -> str:
    hidden = f'"{p["mark"]}" * (len(x) - {p["keep"]})'
    shown = f"x[:{p['keep']}] + {hidden}" if p["front"] else f"{hidden} + x[-{p['keep']}:]"
    if p["short"] == "kept":
        return f"return {shown}"  # a text that is short comes out as it is
    edge = "<" if wrong else "<="
    return f'if len(x) {edge} {p["keep"]}:\n    return "{p["mark"]}" * len(x)\nreturn {shown}'


def _mask_wrong(p: Params, x: str) -> str:
    if p["short"] != "kept" and len(x) == p["keep"]:
        return x
    return _mask(p, lambda _: None, x)


def _squeeze(p: Params, note: Note, x: str) -> str:
    out = ""
    for one in x:
        if len(out) >= p["most"] and set(out[-p["most"] :]) == {one}:
            note("dropped")
            continue
        out += one
    note("same" if out == x else "shorter")
    note("empty" if not x else "some")
    return out


def _shift(p: Params, note: Note, x: str) -> str:
    out = []
    for one in x:
        stock = "abcdefghijklmnopqrstuvwxyz" if one.islower() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if one.isupper() else ""
        note("lower" if one.islower() else "upper" if one.isupper() else "other")
        if stock:
            at = stock.index(one) + p["k"]
            note("wraps" if at > 25 else "stays")
            one = stock[at % 26]
        out.append(one)
    return "".join(out)


def _shift_code(p: Params, wrong: bool) -> str:
    alphabets = (
        '("abcdefghijklmnopqrstuvwxyz",)' if wrong else '("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")'
    )
    return (
        f'alphabets = {alphabets}\nout = ""\nfor letter in x:\n    for alphabet in alphabets:\n        if letter in alphabet:\n'
        f"            letter = alphabet[(alphabet.index(letter) + {p['k']}) % 26]\n            break\n    out += letter\nreturn out"
    )


def _shift_wrong(p: Params, x: str) -> str:
    return "".join(one if one.isupper() else _shift(p, lambda _: None, one) for one in x)


def _lengths(p: Params, note: Note, x: str) -> str:
    out, at = "", 0
    while at < len(x):
        end = at
        while end < len(x) and x[end] == x[at]:
            end += 1
        note(f"run{min(end - at, 4)}")
        count = "" if end - at < p["from"] else str(end - at)
        out += x[at] + count if p["after"] else count + x[at]
        at = end
    note("empty" if not x else "some")
    return out


def _lengths_code(p: Params, wrong: bool) -> str:
    put = "letter + number" if p["after"] else "number + letter"
    return (
        'out, place = "", 0\nwhile place < len(x):\n    letter, end = x[place], place\n'
        "    while x[end : end + 1] == letter:\n        end += 1\n    run = end - place\n"
        f'    number = str(run) if run {">" if wrong else ">="} {p["from"]} else ""\n    out += {put}\n    place = end\nreturn out'
    )


def _lengths_wrong(p: Params, x: str) -> str:
    return _lengths({**p, "from": p["from"] + 1}, lambda _: None, x)


def _params(**stock: Any) -> Callable[[Random], Params]:
    return lambda stream: {name: stream.choice(list(values)) for name, values in stock.items()}


def _draw_tiers(stream: Random) -> Params:
    first = stream.randint(2, 9)
    low, mid, high = stream.sample(range(1, 12), 3)
    return {"first": first, "second": first + stream.randint(2, 9), "low": low, "mid": mid, "high": high}


def _draw_wrap(stream: Random) -> Params:
    lo = stream.choice([0, 1, -5, 3, -2])
    return {"lo": lo, "hi": lo + stream.randint(4, 12)}


def _draw_bucket(stream: Random) -> Params:
    first = stream.randint(-3, 20)
    labels = stream.choice([("low", "middle", "high"), ("cold", "mild", "hot"), ("small", "medium", "large")])
    return {
        "edges": (first, first + stream.randint(3, 25)),
        "labels": labels,
        "inclusive": stream.random() < 0.5,
    }


def _draw_checksum(stream: Random) -> Params:
    return {
        "weights": tuple(stream.sample(range(1, 10), stream.randint(2, 4))),
        "mod": stream.choice([7, 9, 10, 11]),
        "left": stream.random() < 0.5,
        "complement": stream.random() < 0.6,
    }


def _draw_clip(stream: Random) -> Params:
    lo = stream.randint(-4, 3)
    return {"lo": lo, "hi": lo + stream.randint(4, 9)}


# fmt: off
PATTERNS: Mapping[str, Pattern] = {
    one.key: one
    for one in (
        Pattern(
            "tiers", ("number",), ("toll", "fee", "levy", "due"), _draw_tiers,
            lambda p: [
                f"The first {p['first']} units count {p['low']} each, the next {p['second'] - p['first']} count "
                f"{p['mid']} each, all further ones {p['high']} each. The result is their sum; zero and less give 0.",
            ],
            _tiers,
            lambda p, wrong: (
                ("" if wrong else "x = max(x, 0)\n")
                + f"first = min(x, {p['first']})\nsecond = min(max(x - {p['first']}, 0), {p['second'] - p['first']})\n"
                f"third = max(x - {p['second']}, 0)\nreturn first * {p['low']} + second * {p['mid']} + third * {p['high']}"
            ),
            lambda s, p: near(s, 0, p["first"], p["second"], p["second"] + 3),
            "numbers below zero come out below zero",
            lambda p, x: x * p["low"] if x < 0 else _tiers(p, lambda _: None, x),
        ),
        Pattern(
            "wrap", ("number",), ("cycle", "ring", "dial", "turn"), _draw_wrap,
            lambda p: [
                f"The number brought into the circle {p['lo']} to {p['hi']} (both belong to it): after {p['hi']} comes "
                f"{p['lo']} again, and before {p['lo']} comes {p['hi']}.",
            ],
            _wrap,
            lambda p, wrong: f"return (x - {p['lo']}) % {p['hi'] - p['lo'] + (0 if wrong else 1)} + {p['lo']}",
            lambda s, p: near(s, p["lo"], p["hi"], 0),
            "numbers at the end of the circle come out wrong",
            lambda p, x: (x - p["lo"]) % (p["hi"] - p["lo"]) + p["lo"],
        ),
        Pattern(
            "snap", ("number",), ("snap", "grid", "notch", "pitch"), _params(k=(4, 6, 8, 10, 20), ties=("up", "down", "away")),
            lambda p: [
                f"The multiple of {p['k']} that is nearest to the number. Half way between two, "
                + {"up": "the larger", "down": "the smaller", "away": "the one farther from zero"}[p["ties"]] + " is taken.",
            ],
            _snap,
            lambda p, wrong: SNAP[{"up": "down", "down": "up", "away": "up"}[p["ties"]] if wrong else p["ties"]].format(
                k=p["k"], h=p["k"] // 2
            ),
            lambda s, p: s.choice([p["k"] * s.randint(-4, 4) + p["k"] // 2 * s.randint(0, 1) + s.randint(-1, 1), near(s)]),
            "numbers half way between two multiples go to the wrong one",
            _snap_wrong,
        ),
        Pattern(
            "bucket", ("number",), ("grade", "band", "bracket", "rank"), _draw_bucket,
            lambda p: [
                f'One of the texts "{p["labels"][0]}" (below {p["edges"][0]}), "{p["labels"][1]}" (from there to '
                f'{p["edges"][1]}) and "{p["labels"][2]}" (above). {p["edges"][0]} itself is '
                f'"{p["labels"][1 if p["inclusive"] else 0]}", and {p["edges"][1]} itself is '
                f'"{p["labels"][2 if p["inclusive"] else 1]}".',
            ],
            _bucket, _bucket_code, lambda s, p: near(s, *p["edges"]),
            "numbers exactly at a limit are put on its wrong side",
            lambda p, x: _bucket({**p, "inclusive": not p["inclusive"]}, lambda _: None, x),
        ),
        Pattern(
            "checksum", ("number",), ("check", "seal", "proof", "tag"), _draw_checksum,
            lambda p: [
                f"A check digit: the number's decimal digits, taken from the {'left' if p['left'] else 'right'}, are multiplied "
                f"by {', '.join(map(str, p['weights']))}, and from the beginning again, and summed up.",
                (
                    f"The result is what is missing to the next multiple of {p['mod']} (0 where nothing is missing)."
                    if p["complement"]
                    else f"The result is the remainder of the sum by {p['mod']}."
                ),
                "A negative number is undefined.",
            ],
            _checksum, _checksum_code,
            lambda s, p: s.choice([-s.randint(1, 30), s.randint(0, 30), s.randint(100, 99999), s.randint(10**6, 10**9), 0]),
            "sometimes the check digit is the modulus itself",
            _checksum_wrong,
        ),
        Pattern(
            "longest", ("list",), ("streak", "stretch", "spell", "run"), _params(how=tuple(GOES)),
            lambda p: [
                "How many items the longest stretch of neighbours has in which "
                + {
                    "equal": "all are equal", "rising": "each is larger than the one before it",
                    "falling": "each is smaller than the one before it", "not falling": "none is smaller than the one before it",
                }[p["how"]]
                + ". A single item is a stretch of 1; the empty list gives 0.",
            ],
            _longest, _longest_code, lambda s, p: numbers(s, 0, 5, 8),
            "a list that is one stretch as a whole is counted one short", _longest_wrong,
        ),
        Pattern(
            "every", ("list",), ("sample", "sift", "pick", "thin"), _params(k=(2, 3, 4), start=(1, 2, 3)),
            lambda p: [f"The item at place {p['start']} of the list (the first is place 1) and every {p['k']}. one after it."],
            _every,
            lambda p, wrong: f"return x[{p['start'] - (0 if wrong else 1)}::{p['k']}]",
            lambda s, p: numbers(s, most=9),
            "it begins at the wrong item", lambda p, x: x[p["start"] :: p["k"]],
        ),
        Pattern(
            "window", ("list",), ("surge", "peak_load", "span", "burst"), _params(w=(2, 3, 4), largest=(True, False)),
            lambda p: [
                f"The {'largest' if p['largest'] else 'smallest'} sum of {p['w']} neighbouring items.",
                f"A list with fewer than {p['w']} items is undefined.",
            ],
            _window, _window_code, lambda s, p: numbers(s, most=p["w"] + 3, fewest=max(0, p["w"] - 1)),
            "the last items are never taken into account", _window_wrong,
        ),
        Pattern(
            "peaks", ("list",), ("summits", "crests", "tops", "spikes"), _params(ends=(True, False)),
            lambda p: [
                "How many items are larger than both of their neighbours"
                + (
                    "; the first and the last item need only be larger than their one neighbour, and a list of one item has none."
                    if p["ends"] else "; the first and the last item never count."
                ),
                "An item that equals a neighbour is no peak.",
            ],
            _peaks, _peaks_code, lambda s, p: numbers(s, 0, 6, 8),
            "level stretches are counted", _peaks_wrong,
        ),
        Pattern(
            "clip", ("list",), ("capped", "trimmed", "bounded", "damped"), _draw_clip,
            lambda p: [
                f"The sum of the items, where each item below {p['lo']} counts as {p['lo']} and each above {p['hi']} as {p['hi']}.",
            ],
            _clip,
            lambda p, wrong: (
                f"return sum(min(item, {p['hi']}) for item in x)" if wrong
                else f"return sum(min(max(item, {p['lo']}), {p['hi']}) for item in x)"
            ),
            lambda s, p: [near(s, p["lo"], p["hi"], wide=20) for _ in range(s.randint(0, 6))],
            "the lower limit is not kept",
            lambda p, x: sum(min(one, p["hi"]) for one in x),
        ),
        Pattern(
            "gaps", ("list",), ("gaps", "deltas", "strides", "moves"), _params(absolute=(True, False), circular=(True, False)),
            lambda p: [
                "The list of the differences of neighbours, "
                + ("without sign" if p["absolute"] else "the later one less the earlier one") + ", in order.",
                "At the end comes that from the last item to the first." if p["circular"] else "It is shorter by one than the list.",
                "Fewer than two items give the empty list.",
            ],
            _gaps, _gaps_code, lambda s, p: numbers(s),
            "differences come out negative", _gaps_wrong,
        ),
        Pattern(
            "rotate", ("list",), ("rotate", "spin", "swing", "whirl"), _params(k=(3, 4, 5), left=(True, False)),
            lambda p: [
                f"The list turned by {p['k']} places to the {'left' if p['left'] else 'right'}: "
                + ("what falls off in front comes back at the end." if p["left"] else "what falls off at the end comes back in front."),
                "A list shorter than that is turned on all the same, round and round.",
            ],
            _rotate, _rotate_code, lambda s, p: s.sample(range(20), s.randint(0, 7)),
            "short lists are not turned as they should be", _rotate_wrong,
        ),
        Pattern(
            "middle", ("list",), ("median", "centre", "mid", "pivot"), _params(lower=(True, False)),
            lambda p: [
                "The middle item of the sorted list; of two middle ones the " + ("smaller." if p["lower"] else "larger."),
                "The empty list is undefined.",
            ],
            _middle,
            lambda p, wrong: (
                'if not x:\n    raise UNDEFINED("an empty list has no middle")\nreturn '
                + ("x" if wrong else "sorted(x)") + ("[(len(x) - 1) // 2]" if p["lower"] else "[len(x) // 2]")
            ),
            lambda s, p: numbers(s, most=8),
            "it is only right where the list is sorted already",
            _middle_wrong,
        ),
        Pattern(
            "mask", ("text",), ("veil", "redact", "shade", "cover"),
            _params(keep=(2, 3, 4), mark=("*", "#", "x"), front=(True, False), short=("kept", "hidden")),
            lambda p: [
                f"The text with all but its {'first' if p['front'] else 'last'} {p['keep']} characters replaced by \"{p['mark']}\".",
                f"A text of {p['keep']} characters or fewer is "
                + ("left as it is." if p["short"] == "kept" else "replaced wholly, character by character."),
            ],
            _mask, _mask_code,
            lambda s, p: "".join(s.choice("abcXYZ 019-") for _ in range(s.choice([0, 1, p["keep"] - 1, p["keep"], p["keep"] + 1, 9]))),
            "a text of just the length that may be shown is shown", _mask_wrong,
        ),
        Pattern(
            "squeeze", ("text",), ("squeeze", "press", "slim", "tighten"), _params(most=(1, 2, 3)),
            lambda p: [
                "The text in which a character that is repeated stands at most "
                + ("once." if p["most"] == 1 else f"{p['most']} times in a row.")
            ],
            _squeeze,
            lambda p, wrong: (
                'out = ""\nfor letter in x:\n'
                f"    if out[-{p['most']}:] != letter * {p['most']}:\n        out += letter\nreturn out"
            ),
            lambda s, p: text(s, "aabcA  11", 10),
        ),
        Pattern(
            "shift", ("text",), ("cipher", "veer", "slide", "offset"), _params(k=(1, 2, 3, 5, 7, 11)),
            lambda p: [
                f"Each letter from a to z is replaced by the one {p['k']} place{'s' if p['k'] != 1 else ''} on, after z comes a again; A to Z likewise.",
                "Other characters stay.",
            ],
            _shift, _shift_code, lambda s, p: text(s, "abmyzABMYZ 19-", 9),
            "capital letters are not touched", _shift_wrong,
        ),
        Pattern(
            "lengths", ("text",), ("pack", "tally", "brief", "crush"), _params(**{"from": (2, 3), "after": (True, False)}),
            lambda p: [
                f"Each run of equal characters is written as the character {'followed' if p['after'] else 'preceded'} by how often it "
                f"comes; runs shorter than {p['from']} get no number." if p["from"] > 1 else
                f"Each run of equal characters is written as the character {'followed' if p['after'] else 'preceded'} by how often it comes.",
                "A run that gets no number is written as one character." if p["from"] > 1 else "The empty text gives the empty text.",
            ],
            _lengths, _lengths_code, lambda s, p: text(s, "aabbcA -", 9),
            "runs of just the length that gets a number get none", _lengths_wrong,
        ),
    )
}
# fmt: on
