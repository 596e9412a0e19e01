"""What the parts of an audit share: the facts they ask about, how nulls shuffle, what they are attributed to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from doxa.data.facts import Fact
from doxa.study import Source

if TYPE_CHECKING:
    import polars as pl

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


def permuted(rows: pl.DataFrame, within: Sequence[str], columns: Sequence[str], seed: int) -> pl.DataFrame:
    """Rows with `columns` permuted together among the rows that agree in `within`; groups follow one another."""
    import polars as pl

    rng = np.random.default_rng(seed)
    parts = [
        part.with_columns(part.select(columns)[rng.permutation(len(part))])
        for _, part in rows.group_by(within, maintain_order=True)
    ]
    return pl.concat(parts) if parts else rows
