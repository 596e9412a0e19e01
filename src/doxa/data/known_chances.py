"""Items with a known chance: that an answer to them is right, or that an event happens. For planting a truth in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from doxa.data.facts import facts
from doxa.data.mixture import facts_and_sums
from doxa.data.render import choice_item
from doxa.records import Item

CHANCE, PROBABILITY = "chance", "probability"  # entries of Item.fields
GOLDEN = (math.sqrt(5) - 1) / 2


def with_chances(items: Iterable[Item], low: float = 0.0, high: float = 1.0) -> list[Item]:
    """Items with fields["chance"], evenly spread over [low, high) and in no order: steps of the golden ratio.

    >>> [round(item.fields["chance"], 3) for item in with_chances([Item("a", "?"), Item("b", "?"), Item("c", "?")])]
    [0.0, 0.618, 0.236]
    """
    spread = ((item, low + (high - low) * (i * GOLDEN % 1)) for i, item in enumerate(items))
    return [replace(item, fields={**item.fields, CHANCE: chance}) for item, chance in spread]


def questions(n: int, options: int = 0) -> list[Item]:
    """n questions of the bank `with_chances`: facts and sums in turn, or only facts with so many options."""
    bank = facts()
    asked = [choice_item(bank[i * len(bank) // n], options) for i in range(n)] if options else facts_and_sums(n)
    return with_chances(asked)


def belief(item: Item, firmness: float = 1.0, options: int = 4) -> float:
    """In the favourite of so many options: even, and moved toward 1 by firmness times the item's chance.

    >>> belief(Item("a", "?", fields={"chance": 0.8})), belief(Item("a", "?", fields={"chance": 0.8}), 0.5, 2)
    (0.8500000000000001, 0.7)
    """
    return 1 / options + firmness * (1 - 1 / options) * float(item.fields[CHANCE])


def beliefs(items: Sequence[Item], firmness: float = 1.0, options: int = 4) -> np.ndarray:
    """`belief` of each item and the even rest in each other option, (n, options)."""
    first = np.array([belief(item, firmness, options) for item in items])
    return np.column_stack([first, *[(1 - first) / (options - 1)] * (options - 1)])


def events(n: int, *, a: float = 1.2, b: float = 1.8, seed: int = 0) -> list[Item]:
    """Made-up events that happen with probability fields["probability"], drawn from Beta(a, b); `answer` is yes or no.

    source  the planted events of arXiv 2512.16030's re-analysis: yes at the rate of the published sample, 40 %
    """
    rng = np.random.default_rng(seed)
    chances = rng.beta(a, b, n)
    happened = rng.random(n) < chances
    return [
        Item(f"event-{i}", f"Will event {i} happen?", answer="yes" if y else "no", fields={PROBABILITY: float(q)})
        for i, (q, y) in enumerate(zip(chances, happened, strict=True))
    ]
