"""Names that are drawn: packages, functions, labels. None is a Python keyword or a name of the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

PACKAGES = tuple(
    "brindle quillon tarnish fennelly larkspur osprey kestrelle marram sorrel tamarin borage cinder dunlin ember_kit "
    "foxglove gannet harrier juniper knapweed lapwing mallow nuthatch oxlip pintail quarrel redstart siskin teasel "
    "umbel vetchling whinchat yarrow zinnia alder_box bracken cobnut dogwood elderfly furrow gorse hazelnut ironbark".split()
)
WORDS = tuple(
    "amber basalt cedar delta ember flint grove harbor indigo jasper krill lagoon mosaic nickel opal prairie quartz "
    "ridge saffron timber umber velvet willow yonder zephyr anchor beacon canyon drift estuary fjord glade hollow islet "
    "juncture knoll ledge meadow narrows outcrop plateau quarry rapids summit thicket upland valley wharf".split()
)


def one(name: str) -> str:
    """A name with the article before it, by the letter that it begins with."""
    return f"{'an' if name[:1].lower() in tuple('aeiou') else 'a'} {name}"


def distinct(stream: Random, stock: Sequence[str], count: int, taken: Sequence[str] = ()) -> list[str]:
    """`count` names of the stock, none that is taken; past its end they are numbered."""
    free = [word for word in stock if word not in set(taken)]
    names = stream.sample(free, min(count, len(free)))
    number = 2
    while len(names) < count:
        name = f"{stream.choice(stock)}{number}"
        if name not in names and name not in taken:
            names.append(name)
        number += 1
    return names


def fresh(stream: Random, stock: Sequence[str], taken: Sequence[str]) -> str:
    """One name that is not taken."""
    return distinct(stream, stock, 1, taken)[0]
