"""Facts with options and sums in turn: the questions of studies that ask for a letter or a number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from doxa.data.facts import facts
from doxa.data.generated import arithmetic
from doxa.data.published_questions import SET
from doxa.data.render import choice_item
from doxa.records import DoxaError, Item

LEVELS = (2, 3, 4, 5)  # difficulties of the sums
FACTS, SUMS = "facts", "sums"


def facts_and_sums(n: int, *, seed: int = 0) -> list[Item]:
    """n items, facts and sums in turn, so that any first part holds both; `fields["set"]` is "facts" or "sums".

    Facts are at even distances in popularity, sums of four difficulties, both in random order.

    raises  DoxaError: n below 1, or above twice the number of facts

    >>> [item.kind for item in facts_and_sums(3)]
    ['choice', 'number', 'choice']
    """
    bank, half = facts(), (n + 1) // 2
    if not 1 <= n <= 2 * len(bank):
        raise DoxaError(f"{n} questions asked; the bank gives 1 to {2 * len(bank)}. For more, bring a set of your own")
    about = [choice_item(bank[i * len(bank) // half], seed=seed) for i in range(half)]
    sums = [item for level in LEVELS for item in arithmetic(-(-half // len(LEVELS)), level, seed)]
    pairs = zip(_shuffled(about, seed), _shuffled(sums, seed), strict=False)
    return [of_set(item, name) for pair in pairs for item, name in zip(pair, (FACTS, SUMS), strict=True)][:n]


def of_set(item: Item, name: str) -> Item:
    """The item with the name of its set among its fields."""
    return replace(item, fields={**item.fields, SET: name})


def _shuffled(items: Sequence[Item], seed: int) -> list[Item]:
    order = list(items)
    random.Random(f"mixture/{seed}").shuffle(order)
    return order
