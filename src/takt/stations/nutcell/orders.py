"""The mixed line's orders: which nut goes on which side of a unit, and the words that say so.

What a unit needs, and how it is said, is drawn by (seed, unit) alone. Of every four units from a multiple of four on,
each pair of nuts is asked for once, in an order drawn anew: no side, nut or pair is more frequent than another, so a
worker that does not read gets a quarter of the units right. The words come from sentences with gaps. A part of the
sentences is held out: it is only used by `phrasings="held_out"`, to ask whether a worker reads or has learned by
heart. Held-out sentences are made of the names, sides and turns of phrase that the others use too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from takt.stations.nutcell.variation import stream

LANGUAGES = ("both", "en", "zh")
PHRASINGS = ("train", "held_out")
PLAIN, FLANGED = 0, 1  # the variants of line.MIXED
PAIRS = ((PLAIN, PLAIN), (PLAIN, FLANGED), (FLANGED, PLAIN), (FLANGED, FLANGED))  # (left, right)
MAX_CHARACTERS = 128

# The names of each variant, and the words for left and right that belong together.
NAMES = {
    "en": (
        ("M6", "M6 plain", "plain M6", "M6 nut", "small M6", "M6 without flange", "the small one", "the black one"),
        ("M8", "M8 flanged", "flanged M8", "M8F", "large M8", "M8 with flange", "the large one", "the yellow one"),
    ),
    "zh": (
        ("M6", "M6平螺母", "普通M6", "M6螺母", "小号M6", "不带法兰的M6", "小的", "黑色的"),
        ("M8", "M8法兰", "法兰M8", "M8法兰螺母", "大号M8", "带法兰的M8", "大的", "黄色的"),
    ),
}
SIDES = {
    "en": (("left", "right"), ("left side", "right side"), ("left-hand side", "right-hand side"), ("L", "R")),
    "zh": (("左侧", "右侧"), ("左边", "右边"), ("左", "右"), ("左手边", "右手边")),
}

# Sentences, by language and by the pairs that they can say. Gaps: {l} {r} the sides and {a} {b} the nuts left and
# right; {x} either side with its nut {p}, the other nut {q}; {f} the side with the flange, {n} the one without.
# "both": the same nut twice, {p}; "one": two different nuts; "plain" and "flanged": that nut twice, without its name.
SENTENCES: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "train": {
        "en": {
            "any": (
                "{l} {a}, {r} {b}",
                "{r} {b}, {l} {a}",
                "{l}: {a}; {r}: {b}",
                "{l} {a} / {r} {b}",
                "{a} on the {l}, {b} on the {r}",
                "{b} on the {r}, {a} on the {l}",
                "please put {a} on the {l} and {b} on the {r}",
                "could you fit {b} on the {r} and {a} on the {l}, thanks",
                "the {l} gets {a}, the {r} gets {b}",
                "next unit: {l} {a}, {r} {b}",
                "we need {a} on the {l} and {b} on the {r}",
                "left and right: {a} and {b}",
                "right, then left: {b}, then {a}",
            ),
            "both": (
                "{p} on both sides",
                "both sides {p}",
                "{p} left and right",
                "both {p}, please",
                "we need {p} on both sides, thanks",
            ),
            "one": (
                "{x} {p}, other side {q}",
                "{p} on the {x}, {q} on the other side",
                "both {q}, except the {x}: {p}",
                "{q}, only on the {x} {p}",
                "flange only on the {f}",
                "no flange on the {n}, flange on the {f}",
            ),
            "plain": ("no flange on either side", "both without flange"),
            "flanged": ("flange on both sides", "both with flange"),
        },
        "zh": {
            "any": (
                "{l}{a}，{r}{b}",
                "{l}{a},{r}{b}",
                "{r}{b}，{l}{a}",
                "{l}：{a}；{r}：{b}",
                "{l}{a} {r}{b}",
                "{l}装{a}，{r}装{b}",
                "请在{l}装{a}，{r}装{b}",
                "{a}放{l}，{b}放{r}",
                "麻烦{r}放{b}，{l}放{a}，谢谢",
                "{l}要{a}，{r}要{b}",
                "下一件：{l}{a}，{r}{b}",
                "左右分别是{a}和{b}",
                "先右后左：{b}、{a}",
            ),
            "both": ("两侧都是{p}", "两边都装{p}", "左右都要{p}", "两个都用{p}，谢谢"),
            "one": (
                "{x}{p}，另一侧{q}",
                "{p}放{x}，另一边放{q}",
                "除了{x}用{p}，都用{q}",
                "只有{f}带法兰",
                "法兰只放{f}",
                "{n}不带法兰，{f}带法兰",
            ),
            "plain": ("两侧都不带法兰", "左右都不要法兰"),
            "flanged": ("两侧都带法兰", "左右都要法兰"),
        },
    },
    "held_out": {
        "en": {
            "any": (
                "{r}: {b}; {l}: {a}",
                "please put {b} on the {r} and {a} on the {l}",
                "the {r} gets {b}, the {l} gets {a}",
                "next unit: {r} {b}, {l} {a}",
                "we need {b} on the {r}, then {a} on the {l}",
                "right and left: {b} and {a}",
                "could you put {a} on the {l}, {b} on the {r}, please",
            ),
            "both": ("please fit {p} on both sides", "left and right: both {p}"),
            "one": ("only the {x} gets {p}, the other side {q}", "the flange on the {f} only, thanks"),
            "plain": ("without flange left and right",),
            "flanged": ("with flange left and right",),
        },
        "zh": {
            "any": (
                "{r}：{b}；{l}：{a}",
                "{b}放{r}，{a}放{l}",
                "请在{r}装{b}，{l}装{a}",
                "{r}要{b}，{l}要{a}，谢谢",
                "下一件：{r}{b}，{l}{a}",
                "右左分别是{b}和{a}",
                "麻烦在{l}放{a}，{r}放{b}",
            ),
            "both": ("请在两侧都装{p}", "左右两个都是{p}"),
            "one": ("{x}装{p}，另一侧装{q}", "都用{q}，除了{x}用{p}", "法兰只在{f}要"),
            "plain": ("左边右边都不带法兰",),
            "flanged": ("左边右边都带法兰",),
        },
    },
}


@dataclass(frozen=True, slots=True)
class Order:
    """What goes on the left and on the right pin (indices into line.MIXED.variants), and the words that ask for it."""

    parts: tuple[int, int]
    text: str
    language: str


def order(seed: int, unit: int, language: str = "both", phrasings: str = "train") -> Order:
    """The order of `unit`. Neither `language` nor `phrasings` changes which nuts it asks for."""
    block = stream(seed, unit // len(PAIRS), "orders").permutation(len(PAIRS))
    parts = PAIRS[int(block[unit % len(PAIRS)])]
    rng = stream(seed, unit, "words")
    tongue = ("en", "zh")[int(rng.integers(2))]
    if language != "both":
        tongue = language
    sentences = sentences_for(parts, tongue, phrasings)
    sentence = sentences[int(rng.integers(len(sentences)))]
    sides, plain, flanged = (int(n) for n in rng.integers([len(SIDES[tongue]), *map(len, NAMES[tongue])]))
    names = NAMES[tongue][PLAIN][plain], NAMES[tongue][FLANGED][flanged]
    text = fill(sentence, parts, SIDES[tongue][sides], names, odd=int(rng.integers(2)))
    case = rng.uniform()
    if case < 0.2:
        text = text.lower()
    elif case < 0.3:
        text = text.upper()
    return Order(parts, text, tongue)


def sentences_for(parts: tuple[int, int], language: str, phrasings: str) -> tuple[str, ...]:
    """The sentences that can say this pair."""
    known = SENTENCES[phrasings][language]
    if parts[0] != parts[1]:
        return known["any"] + known["one"]
    return known["any"] + known["both"] + known["flanged" if parts[0] == FLANGED else "plain"]


def fill(sentence: str, parts: tuple[int, int], sides: tuple[str, str], names: tuple[str, str], odd: int) -> str:
    """A sentence with its gaps filled. `odd` is the side that {x} names: 0 left, 1 right."""
    flanged = parts.index(FLANGED) if FLANGED in parts else 0
    return sentence.format(
        l=sides[0],
        r=sides[1],
        a=names[parts[0]],
        b=names[parts[1]],
        x=sides[odd],
        p=names[parts[odd]],
        q=names[parts[1 - odd]],
        f=sides[flanged],
        n=sides[1 - flanged],
    )


def every_text(language: str, phrasings: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every text that can be drawn, before its letters' case, and what it asks for. The same text may come twice."""
    for parts in PAIRS:
        for sentence in sentences_for(parts, language, phrasings):
            for sides, plain, flanged, odd in product(SIDES[language], *NAMES[language], range(2)):
                yield fill(sentence, parts, sides, (plain, flanged), odd), parts


def charset() -> str:
    """The characters that an order can have: printable ASCII, and the Chinese ones of the sentences."""
    ascii_ = {chr(code) for code in range(32, 127)}
    words = [*SIDES["zh"], *NAMES["zh"]]
    for phrasings in PHRASINGS:
        words += SENTENCES[phrasings]["zh"].values()
    return "".join(sorted(ascii_.union(*(set(text) for group in words for text in group))))
