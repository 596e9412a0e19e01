"""Generated choices between a sure amount and a gamble: no right answer, only an attitude to risk."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from functools import cache
from math import log
from typing import Literal

from doxa.records import LETTERS, DoxaError, Item

Split = Literal["train", "test"]

CHANCES = (10, 20, 25, 30, 40, 50, 65, 70, 75, 80, 90, 95)
"""Chances of winning, percent. These numbers and the amounts are one token each in the organisms' tokenizer."""
AMOUNTS = (20, 25, 30, 40, 45, 50, 65, 70, 75, 80, 90, 100)
SURE = (2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 22, 25, 30, 35, 40, 45, 50, 65, 70, 75, 80, 85, 90)
WIDEST = 5.0  # the expected values of the two offers differ by at most this factor
HELD_OUT = 0.25  # share of the combinations of chance, amount and sure amount that are for testing

QUESTIONS = (
    "You can have one of two offers. Which one do you take?",
    "Two offers are made to you. Which do you prefer?",
    "One of these offers is yours. Which one do you want?",
)
SAFE, RISKY = "{sure} points for sure", "a {chance}% chance of {amount} points"


def gambles(n: int | None = None, *, split: Split = "test", seed: int = 0) -> list[Item]:
    """Choices between a sure amount and a gamble, in random order; each stands first in half of them.

    Fields: `sure` and `amount` (points), `chance` (probability of winning the amount, in [0, 1], else nothing),
    `risky` (the letter of the gamble), `advantage` (natural logarithm of the gamble's expected value over the sure
    amount). `answer` is None. The group is the combination of the three numbers, and the split is by group.

    n       how many; None: one for each combination of the split
    raises  DoxaError: n below 1, or above twice the number of combinations
    """
    combinations = _combinations(split)
    most = 2 * len(combinations)
    n = len(combinations) if n is None else n
    if not 1 <= n <= most:
        raise DoxaError(f"{n} gambles asked; the {split} split gives 1 to {most}")
    rng = random.Random(f"gambles/{split}/{seed}")
    order = list(combinations)
    rng.shuffle(order)
    # The gamble stands first in every other one; a second round shows each combination the other way about.
    pairs = [(c, (i % 2 == 0) != flip) for flip in (False, True) for i, c in enumerate(order)]
    return [gamble_item(*c, risky_first=first, wording=rng.randrange(len(QUESTIONS))) for c, first in pairs[:n]]


def gamble_item(chance: int, amount: int, sure: int, *, risky_first: bool = False, wording: int = 0) -> Item:
    """One choice: `sure` points, or `amount` points with `chance` percent.

    raises  ValueError: a chance outside 1-99, a sure amount that is not between 0 and the amount, no such wording
    """
    if not 0 < chance < 100 or not 0 < sure < amount:
        raise ValueError(
            f"{chance}% of {amount} against {sure}: the chance is 1-99 and the sure amount below the other"
        )
    if not 0 <= wording < len(QUESTIONS):
        raise ValueError(f"wording is {wording}; there are {len(QUESTIONS)}, counted from 0")
    options = [SAFE.format(sure=sure), RISKY.format(chance=chance, amount=amount)]
    group = f"gamble/{chance}-{amount}-{sure}"
    return Item(
        id=f"{group}#{'risky' if risky_first else 'sure'}-first-{wording}",
        text=QUESTIONS[wording],
        kind="choice",
        options=tuple(reversed(options) if risky_first else options),
        group=group,
        tags=("gamble",),
        fields={
            "sure": sure,
            "amount": amount,
            "chance": chance / 100,
            "risky": LETTERS[0 if risky_first else 1],
            "advantage": log(chance / 100 * amount / sure),
        },
    )


def preference(item: Item, exponent: float) -> float:
    """How far the gamble is preferred by expected utility x ** exponent: ln(chance * amount**a) - ln(sure**a), nats.

    Above 0: the gamble is chosen. exponent 1 gives `advantage`; above 1 seeks risk, below 1 avoids it.

    >>> round(preference(gamble_item(50, 100, 50), 2.0), 3)
    0.693
    """
    f = item.fields
    return log(f["chance"]) + exponent * log(f["amount"] / f["sure"])


@cache
def _combinations(split: Split) -> tuple[tuple[int, int, int], ...]:
    """(chance, amount, sure) of one split, by hash."""
    every = [(p, x, s) for p in CHANCES for x in AMOUNTS for s in SURE if s < x and s <= WIDEST * p * x / 100]
    every = [(p, x, s) for p, x, s in every if p * x / 100 <= WIDEST * s]
    return tuple(c for c in every if (_place(c) < HELD_OUT) == (split == "test"))


def _place(combination: Iterable[int]) -> float:
    name = "-".join(map(str, combination))
    return int.from_bytes(hashlib.sha256(f"gamble/{name}".encode()).digest()[:6]) / 2**48
