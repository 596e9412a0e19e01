"""Questions and replies of a plausible length and variety, the same for both sides: they compress as real text does."""

from __future__ import annotations

import random
from functools import cache

CHARACTERS = 8_000_000


def question(k: int) -> str:
    return f"Is statement {k} true?"


def reply(k: int, characters: int) -> str:
    """What is answered to question k: an answer line, a confidence, and made-up words from a place of its own."""
    head = "Answer: true\nConfidence: 85%\n"
    at = k * characters % (CHARACTERS - characters)
    return head + _text()[at : at + max(0, characters - len(head))]


def number(question: str) -> int:
    """Which question that is."""
    return int(question.split()[2])


@cache
def _text() -> str:
    """Words from a vocabulary of 4,000."""
    rng = random.Random(0)
    words = ["".join(rng.choices("etaoinshrdlucmfwyp", k=rng.choice((2, 3, 3, 4, 5, 6, 7, 8)))) for _ in range(4000)]
    return " ".join(rng.choices(words, k=CHARACTERS // 5))[:CHARACTERS]
