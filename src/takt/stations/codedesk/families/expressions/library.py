"""The stock of functions that tickets ask for: what each does in words, as specification and as source.

Long because: it is a catalogue; each entry is whole by itself, and a new one goes to the end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from takt.stations.codedesk.families.drawn import Undefined, near, numbers, text


@dataclass(frozen=True)
class Builtin:
    """A function of the library. `takes` are kinds, `|` between alternatives; `more`: the last can come again."""

    key: str
    group: str
    names: tuple[str, ...]
    takes: tuple[str, ...]
    tell: str
    parameters: str
    body: str
    answer: Callable[..., Any]  # of the Meaning and the arguments
    draw: Callable[[Random], tuple[Any, ...]]
    more: bool = False
    needs: tuple[str, ...] = ()


def _undefined(when: bool) -> None:
    if when:
        raise Undefined


def _sign(m: Any, x: Any) -> int:
    m.note("negative" if x < 0 else "zero" if x == 0 else "positive")
    return (x > 0) - (x < 0)


def _clamp(m: Any, x: Any, low: Any, high: Any) -> Any:
    _undefined(low > high)
    m.note("below" if x < low else "above" if x > high else "within")
    m.note("edge" if x in (low, high) else "off edge")
    return sorted((low, x, high))[1]


def _gcd(m: Any, a: Any, b: Any) -> int:
    _whole(a, b)
    m.note("zero" if 0 in (a, b) else "some")
    return math.gcd(a, b)


def _whole(*values: Any) -> None:
    _undefined(any(not isinstance(one, int) for one in values))


def _root(m: Any, x: Any) -> int:
    _whole(x)
    _undefined(x < 0)
    root = 0
    while (root + 1) ** 2 <= x:
        root += 1
    m.note("square" if root * root == x else "not square")
    return root


def _digits(m: Any, x: Any) -> list[int]:
    _whole(x)
    m.note("negative" if x < 0 else f"digits{min(3, len(str(x)))}")
    return [int(one) for one in str(abs(x))]


def _factorial(m: Any, x: Any) -> int:
    _whole(x)
    _undefined(x < 0 or x > 50)
    m.note(f"{x}" if x in (0, 1, 50) else "more")
    product = 1
    for factor in range(2, x + 1):
        product *= factor
    return product


def _choose(m: Any, n: Any, k: Any) -> int:
    _whole(n, k)
    for name, out in (("first below", n < 0), ("second below", k < 0), ("first above", n > 100)):
        if out and (n < 0) + (k < 0) + (n > 100) == 1:  # that alone is wrong
            m.note(name)
        _undefined(out)
    m.note(
        f"zero of {min(n, 1)}"
        if k == 0
        else f"one of {min(n, 2)}"
        if k == 1
        else "none"
        if k > n
        else "all"
        if k == n
        else "some"
    )
    m.note(f"n {n}" if n in (0, 100) else "n")
    row = [1]
    for _ in range(n):
        row = [1, *(a + b for a, b in itertools.pairwise(row)), 1]
    return row[k] if k <= n else 0


def _pad(m: Any, t: str, width: Any, fill: str) -> str:
    _whole(width)
    _undefined(len(fill) != 1 or width > 50)
    m.note("shorter" if len(t) < width else "not shorter")
    while len(t) < width:
        t = fill + t
    return t


def _repeat(m: Any, t: str, n: Any) -> str:
    _whole(n)
    _undefined(n < 0 or n > 40)
    m.note(f"times{min(n, 2)}")
    return t * n


def _replace(m: Any, t: str, old: str, new: str) -> str:
    _undefined(not old)
    m.note(f"found{min(2, t.count(old))}")
    return new.join(t.split(old))


def _number(m: Any, t: str) -> int:
    body = t.strip(" ")
    sign = body[:1] == "-"
    body = body[1:] if sign else body
    _undefined(not body or any(one not in "0123456789" for one in body))
    m.note("negative" if sign else "positive")
    m.note("spaces" if t != t.strip(" ") else "tight")
    return -int(body) if sign else int(body)


def _words(m: Any, t: str) -> list[str]:
    words = [one for one in t.split(" ") if one]
    m.note(f"words{min(2, len(words))}")
    m.note("spaces" if "  " in t or t != t.strip() else "tidy")
    return words


def _join(m: Any, items: list[Any], between: str) -> str:
    for one in items:
        m.need(one, "text")
    m.note(f"items{min(2, len(items))}")
    return between.join(items)


def _sum(m: Any, items: list[Any]) -> Any:
    for one in items:
        m.need(one, "number")
    m.note(f"items{min(2, len(items))}")
    return sum(items)


def _ordered(m: Any, items: list[Any]) -> list[Any]:
    for one in items:
        m.need(one, "number")
    m.note("ordered" if items == sorted(items) else "not ordered")
    out: list[Any] = []
    for one in items:
        at = 0
        while at < len(out) and out[at] <= one:
            at += 1
        out.insert(at, one)
    return out


def _first(m: Any, items: list[Any]) -> Any:
    _undefined(not items)
    return items[0]


def _last(m: Any, items: list[Any]) -> Any:
    _undefined(not items)
    return items[len(items) - 1]


def _unique(m: Any, items: list[Any]) -> list[Any]:
    keys: list[Any] = []
    out: list[Any] = []
    for one in items:
        if m.key(one) not in keys:
            keys.append(m.key(one))
            out.append(one)
        else:
            m.note("again")
    m.note(f"items{min(2, len(items))}")
    return out


def _take(m: Any, items: Any, n: Any) -> Any:
    _whole(n)
    _undefined(n < 0)
    m.note("all" if n >= len(items) else "none" if n == 0 else "some")
    return items[0:n]


def _drop(m: Any, items: Any, n: Any) -> Any:
    _whole(n)
    _undefined(n < 0)
    m.note("all" if n >= len(items) else "none" if n == 0 else "some")
    return items[n:]


def _flat(m: Any, items: list[Any]) -> list[Any]:
    out: list[Any] = []
    for one in items:
        m.note("nested" if isinstance(one, list) else "plain")
        out.extend(one if isinstance(one, list) else [one])
    return out


def _zip(m: Any, a: list[Any], b: list[Any]) -> list[Any]:
    m.note("same length" if len(a) == len(b) else "first longer" if len(a) > len(b) else "second longer")
    return [[a[at], b[at]] for at in range(min(len(a), len(b)))]


def _count(m: Any, items: list[Any], one: Any) -> int:
    found = sum(1 for item in items if m.key(item) == m.key(one))
    m.note(f"found{min(2, found)}")
    return found


def _map(m: Any, items: list[Any], function: Any) -> list[Any]:
    m.note(f"items{min(2, len(items))}")
    return [m.apply(function, [one]) for one in items]


def _filter(m: Any, items: list[Any], function: Any) -> list[Any]:
    kept = []
    for one in items:
        answer = m.apply(function, [one])
        if not isinstance(answer, bool):
            m.note("filter_truth")
        if m.need(answer, "truth"):
            kept.append(one)
        m.note(f"kept {answer}")
    return kept


def _fold(m: Any, items: list[Any], start: Any, function: Any) -> Any:
    m.note(f"items{min(2, len(items))}")
    for one in items:
        start = m.apply(function, [start, one])
    return start


def _max(m: Any, *values: Any) -> Any:
    m.note("first" if values[0] == max(values) else "later")
    return max(values)


def _min(m: Any, *values: Any) -> Any:
    m.note("first" if values[0] == min(values) else "later")
    return min(values)


def _reverse(m: Any, x: Any) -> Any:
    m.note(f"length{min(2, len(x))}")
    out = [x[at] for at in range(len(x) - 1, -1, -1)]
    return "".join(out) if isinstance(x, str) else out


def _length(m: Any, x: Any) -> int:
    m.note(type(x).__name__)
    return len(x)


def _position(m: Any, items: list[Any], one: Any) -> int:
    for at, item in enumerate(items):
        if m.key(item) == m.key(one):
            m.note("found first" if at == 0 else "found")
            return at + int(m.facts["index_base"])
    raise Undefined


def _n(stream: Random) -> int:
    return stream.choice([0, 1, -1, stream.randint(-9, 20), stream.randint(-9, 20), stream.randint(2, 200)])


def _t(stream: Random) -> str:
    return text(stream, "abAB  xyz1", 7)


def _l(stream: Random) -> list[int]:
    return numbers(stream, 0, 6, 6)


def _some_text(stream: Random) -> str:
    return stream.choice(["a", "b", "ab", "", "x", "-", "aa"])


WHOLE = "if not isinstance({0}, int):\n    raise UNDEFINED({0!r} + ' must be whole')\n"
# fmt: off
LIBRARY: tuple[Builtin, ...] = (
    Builtin("abs", "base", ("abs", "size"), ("number",), "The number without its sign.", "x", "return abs(x)",
            lambda m, x: x if x >= 0 else -x, lambda s: (_n(s),)),
    Builtin("min", "base", ("min", "least"), ("number",), "The smallest of the numbers.", "*values", "return min(values)",
            _min, lambda s: tuple(_n(s) for _ in range(s.randint(1, 4))), more=True),
    Builtin("max", "base", ("max", "most"), ("number",), "The largest of the numbers.", "*values", "return max(values)",
            _max, lambda s: tuple(_n(s) for _ in range(s.randint(1, 4))), more=True),
    Builtin("sign", "numbers", ("sign", "signum"), ("number",), "-1, 0 or 1 by the sign of the number.", "x",
            "if x > 0:\n    return 1\nreturn -1 if x < 0 else 0", _sign, lambda s: (_n(s),)),
    Builtin("clamp", "numbers", ("clamp", "limit", "bounded_by"), ("number", "number", "number"),
            "The first number, brought between the second and the third. A second one above the third is undefined.", "x, low, high",
            'if low > high:\n    raise UNDEFINED("the lower limit is above the upper one")\nreturn min(max(x, low), high)', _clamp,
            lambda s: (lambda low: (near(s, low, low + 4), low, low + s.choice([4, 0, -1, 9])))(s.randint(-5, 5))),
    Builtin("gcd", "numbers", ("gcd", "common"), ("number", "number"),
            "The greatest common divisor of two whole numbers, never negative; of 0 and 0 it is 0. A number with a fraction is undefined.", "a, b",
            "WHOLE(a, b)\na, b = abs(a), abs(b)\nwhile b:\n    a, b = b, a % b\nreturn a", _gcd,
            lambda s: (s.choice([0, 12, -18, 30, 7, 100]), s.choice([0, 18, 24, -5, 75, 7]))),
    Builtin("root", "numbers", ("isqrt", "root", "whole_root"), ("number",),
            "The square root of a whole number, rounded down. A negative number, or one with a fraction, is undefined.", "x",
            'WHOLE(x)\nif x < 0:\n    raise UNDEFINED("the root of a negative number")\nroot = x\n'
            "while root * root > x:\n    root = (root + x // root) // 2\nreturn root", _root,
            lambda s: (s.choice([0, 1, 2, 3, 4, 8, 9, 10, 99, 100, 2500, 2499, -4]),)),
    Builtin("digits", "numbers", ("digits", "figures"), ("number",),
            "The list of the decimal digits of a whole number, without its sign. A number with a fraction is undefined.", "x",
            "WHOLE(x)\nreturn [int(one) for one in str(abs(x))]", _digits, lambda s: (_n(s) * s.choice([1, 37, -101]),), needs=("lists",)),
    Builtin("factorial", "numbers", ("factorial", "fact"), ("number",),
            "The product of the whole numbers from 1 to the number; of 0 it is 1. A negative number, one with a fraction, and one above 50 are undefined.",
            "x", 'WHOLE(x)\nif x < 0 or x > 50:\n    raise UNDEFINED("a factorial is of 0 to 50")\nproduct = 1\nfor factor in range(2, x + 1):\n'
            "    product *= factor\nreturn product", _factorial, lambda s: (s.choice([0, 1, 2, 3, 5, 10, -1, 51, 20, 50]),)),
    Builtin("choose", "numbers", ("choose", "binomial"), ("number", "number"),
            "In how many ways the second number of things is taken out of the first; 0 if there are not so many. "
            "Negative numbers, numbers with a fraction, and a first number above 100 are undefined.", "n, k",
            'WHOLE(n, k)\nif n < 0 or k < 0 or n > 100:\n    raise UNDEFINED("out of range")\nresult = 1\nfor step in range(k):\n'
            "    result = result * (n - step) // (step + 1)\nreturn result", _choose,
            lambda s: (s.choice([0, 1, 4, 5, 6, 10, -1, 100, 101]), s.choice([0, 0, 1, 2, 3, 4, 5, 6, -1, 101]))),
    Builtin("upper", "texts", ("upper", "capitals"), ("text",), "The text in capital letters.", "x", "return x.upper()",
            lambda m, x: "".join(one.upper() for one in x), lambda s: (_t(s),), needs=("strings",)),
    Builtin("trim", "texts", ("trim", "strip"), ("text",), "The text without the spaces at its ends.", "x", 'return x.strip(" ")',
            lambda m, x: x.strip(" "), lambda s: (" " * s.randint(0, 2) + _t(s) + " " * s.randint(0, 2),), needs=("strings",)),
    Builtin("repeat", "texts", ("repeat", "times"), ("text", "number"),
            "The text as many times in a row as the number says. A negative number, one with a fraction, and one above 40 are undefined.", "x, count",
            'WHOLE(count)\nif count < 0 or count > 40:\n    raise UNDEFINED("that many times is not possible")\nreturn x * count', _repeat,
            lambda s: (s.choice(["ab", "", "x"]), s.choice([0, 1, 2, 3, -1, 40, 41])), needs=("strings",)),
    Builtin("replace", "texts", ("replace", "swap"), ("text", "text", "text"),
            "The first text with every occurrence of the second replaced by the third, from left to right. An empty second text is undefined.",
            "x, old, new", 'if not old:\n    raise UNDEFINED("nothing to replace")\nreturn x.replace(old, new)', _replace,
            lambda s: (text(s, "aabx", 8), s.choice(["a", "b", "a", "aa", "ab", ""]), _some_text(s)), needs=("strings",)),
    Builtin("starts", "texts", ("starts", "begins"), ("text", "text"), "Whether the first text begins with the second.", "x, part",
            "return x.startswith(part)", lambda m, x, part: x[: len(part)] == part,
            lambda s: (s.choice(["abc", "ab", "", "xab"]), _some_text(s)), needs=("strings", "logic")),
    Builtin("pad", "texts", ("pad", "fill", "align"), ("text", "number", "text"),
            "The first text, filled up at its left with the third to as many characters as the number says. A third text that is not "
            "one character, a number with a fraction, and one above 50 are undefined.", "x, width, fill",
            'WHOLE(width)\nif len(fill) != 1 or width > 50:\n    raise UNDEFINED("one character fills, up to 50")\nreturn x.rjust(width, fill)', _pad,
            lambda s: (s.choice(["", "7", "ab", "abcd"]), s.choice([0, 2, 4, 5, -1, 50, 51]), s.choice(["0", " ", "0", "", "xy"])), needs=("strings",)),
    Builtin("number", "texts", ("number", "as_number"), ("text",),
            "The whole number that the text writes in decimal digits, perhaps with a minus before them and spaces around. Any other text is undefined.",
            "x", 'body = x.strip(" ")\ndigits = body[1:] if body.startswith("-") else body\nif not digits or not set(digits) <= set("0123456789"):\n'
            '    raise UNDEFINED(f"{x!r} is no number")\nreturn int(body)', _number,
            lambda s: (s.choice(["12", " 7", "-5 ", "", "-", "1.5", "--3", "a1", "0", " -0", "1 2", "+4", "007"]),), needs=("strings",)),
    Builtin("words", "texts", ("words", "split_words"), ("text",), "The list of the parts of the text between spaces; empty parts are left out.",
            "x", 'return [part for part in x.split(" ") if part]', _words, lambda s: (text(s, "ab  ", 9),), needs=("strings", "lists")),
    Builtin("join", "texts", ("join", "glue"), ("list", "text"), "The texts of the list in a row, with the second argument between them.",
            "items, between", 'return between.join(need(item, "text") for item in items)', _join,
            lambda s: ([s.choice(["a", "b", "", "cd"]) for _ in range(s.randint(0, 4))] + ([3] if s.random() < 0.12 else []), s.choice([", ", "", "-"])),
            needs=("strings", "lists")),
    Builtin("length", "lists", ("length", "len", "count_of"), ("list|text",), "How many items a list has, or characters a text.", "x",
            "return len(x)", _length, lambda s: (s.choice([_l(s), _t(s)]),), needs=("lists", "strings")),
    Builtin("sum", "lists", ("sum", "total"), ("list",), "The sum of the numbers of a list; 0 of an empty one.", "items",
            'return sum(need(item, "number") for item in items)', _sum, lambda s: (_l(s) + (["a"] if s.random() < 0.1 else []),), needs=("lists",)),
    Builtin("first", "lists", ("first", "head"), ("list",), "The first item of a list. The empty list is undefined.", "items",
            'if not items:\n    raise UNDEFINED("an empty list")\nreturn items[0]', _first, lambda s: (_l(s),), needs=("lists",)),
    Builtin("last", "lists", ("last", "final"), ("list",), "The last item of a list. The empty list is undefined.", "items",
            'if not items:\n    raise UNDEFINED("an empty list")\nreturn items[-1]', _last, lambda s: (_l(s),), needs=("lists",)),
    Builtin("sort", "lists", ("sort", "ordered"), ("list",), "The numbers of a list, the smallest first.", "items",
            'return sorted(need(item, "number") for item in items)', _ordered, lambda s: (numbers(s, -5, 9, 7) + (["b"] if s.random() < 0.08 else []),),
            needs=("lists",)),
    Builtin("unique", "lists", ("unique", "distinct"), ("list",), "The items of a list, each once, in the order in which they come first.", "items",
            "UNIQUE", _unique, lambda s: (_l(s) + ([[1], [1]] if s.random() < 0.2 else []),), needs=("lists", "compare")),
    Builtin("take", "lists", ("take", "front"), ("list|text", "number"),
            "As many items (or characters) from the beginning as the number says, all if there are not so many. A negative number, or one with a "
            "fraction, is undefined.", "items, count",
            'WHOLE(count)\nif count < 0:\n    raise UNDEFINED("fewer than none")\nreturn items[:count]', _take,
            lambda s: (s.choice([_l(s), _t(s)]), s.choice([0, 1, 2, 3, 9, -1])), needs=("lists", "strings")),
    Builtin("drop", "lists", ("drop", "skip", "without"), ("list|text", "number"),
            "What is left when as many items (or characters) as the number says are taken off the beginning. A negative number, or one with a "
            "fraction, is undefined.", "items, count",
            'WHOLE(count)\nif count < 0:\n    raise UNDEFINED("fewer than none")\nreturn items[count:]', _drop,
            lambda s: (s.choice([_l(s), _t(s)]), s.choice([0, 1, 2, 3, 9, -1])), needs=("lists", "strings")),
    Builtin("flat", "lists", ("flat", "flatten"), ("list",), "The list in which items that are lists are replaced by their items, one level deep.",
            "items", "out = []\nfor item in items:\n    if isinstance(item, list):\n        out.extend(item)\n    else:\n        out.append(item)\nreturn out",
            _flat, lambda s: ([s.choice([1, 2, [3, 4], [], [[5]]]) for _ in range(s.randint(0, 4))],), needs=("lists",)),
    Builtin("zip", "lists", ("zip", "pairs"), ("list", "list"), "The list of pairs (lists of two) of items at the same place, as far as both lists go.",
            "a, b", "return [[one, other] for one, other in zip(a, b)]", _zip, lambda s: (_l(s), _l(s)), needs=("lists",)),
    Builtin("reverse", "lists", ("reverse", "backwards"), ("list|text",), "The list, or the text, from its end to its beginning.", "x",
            "return x[::-1]", _reverse, lambda s: (s.choice([_l(s), _t(s)]),), needs=("lists", "strings")),
    Builtin("count", "lists", ("count", "how_often"), ("list", "any"), "How often an item is in a list.", "items, item",
            "wanted = key_of(item)\nreturn sum(1 for one in items if key_of(one) == wanted)", _count, lambda s: (_l(s), s.randint(0, 6)),
            needs=("lists", "compare")),
    Builtin("position", "lists", ("position", "find", "where"), ("list", "any"),
            "At which index the item comes first, counted as indexes are. An item that is not there is undefined.", "items, item",
            "wanted = key_of(item)\nfor place, one in enumerate(items):\n    if key_of(one) == wanted:\n        return placeBASE\n"
            'raise UNDEFINED("there is no such item")', _position, lambda s: (_l(s), s.randint(0, 6)), needs=("lists", "compare")),
    Builtin("map", "functions", ("map", "each"), ("list", "function"), "The list of what the function makes of each item.", "items, call",
            "return [call(item) for item in items]", _map, lambda s: (_l(s),), needs=("lambdas",)),
    Builtin("filter", "functions", ("filter", "keep", "where_true"), ("list", "function"),
            "The items for which the function gives true; a result that is no truth is of the wrong kind.", "items, call",
            "FILTER", _filter, lambda s: (_l(s),), needs=("lambdas", "logic")),
    Builtin("fold", "functions", ("fold", "reduce"), ("list", "any", "function"),
            "The function of two applied from the left: to the second argument and the first item, then to the result and the next item, and so on; "
            "the second argument where the list is empty.", "items, start, call",
            "for item in items:\n    start = call(start, item)\nreturn start", _fold, lambda s: (_l(s),), needs=("lambdas",)),
)
# fmt: on
BY_KEY = {one.key: one for one in LIBRARY}
