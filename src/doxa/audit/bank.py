"""Which facts of the bank an audit asks about, and what its parts are attributed to."""

from __future__ import annotations

import random
from collections.abc import Sequence

from doxa.data.facts import Fact
from doxa.study import Source

SOURCE = Source("Doxa's audit of one model on its fact bank", 2026)
SEED = 7


def spread(facts: Sequence[Fact], n: int, *, shuffled: bool = False) -> list[Fact]:
    """`n` facts at even distances in popularity (all, when there are no more); `shuffled`: in random order."""
    ordered = sorted(facts, key=lambda f: -f.popularity)
    step = max(len(ordered) / max(n, 1), 1.0)
    chosen = [ordered[int(i * step)] for i in range(min(n, len(ordered)))]
    if shuffled:
        random.Random(f"audit/{SEED}").shuffle(chosen)
    return chosen
