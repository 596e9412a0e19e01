"""Tables of answers with their truth: equal answers spelt alike, each one right or wrong, the truth shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from doxa.elicit.grading import is_correct
from doxa.elicit.samples import merged
from doxa.records import Item, Kind

if TYPE_CHECKING:
    import polars as pl


def graded(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with equal answers (and guesses) under one spelling, the first to come, and with the columns

      correct          whether `answer` is right; null: there is none, or the truth is not known
      guesses_correct  the same for each of the `guesses`, a list
      known            whether the truth is known

    rows  columns kind (of the item), answer, guesses (a list, may be null) and truth (right answers; empty: not known)
    """
    import polars as pl

    said = [value for value in dict.fromkeys((*rows["answer"], *rows["guesses"].explode())) if value is not None]
    same = dict(zip(said, merged(said), strict=True))
    spelt = rows.with_columns(
        pl.col("answer").replace(same), pl.col("guesses").list.eval(pl.element().replace(same)).fill_null([])
    )
    right = cache(_right)
    marks = [
        [right(kind, value, tuple(truth or ())) for value in (answer, *guesses)]
        for kind, answer, guesses, truth in spelt.select("kind", "answer", "guesses", "truth").iter_rows()
    ]
    return spelt.with_columns(
        pl.Series("correct", [first for first, *_ in marks], dtype=pl.Boolean),
        pl.Series("guesses_correct", [others for _, *others in marks], dtype=pl.List(pl.Boolean)),
        known=pl.col("truth").list.len().fill_null(0) > 0,
    )


def _right(kind: Kind, value: str | None, truth: tuple[str, ...]) -> bool | None:
    if value is None or not truth:
        return None
    return is_correct(value, Item("", "", kind, answer=truth[0], accepted=truth[1:]))


def shuffled_within(rows: pl.DataFrame, seed: int, *, by: Sequence[str] = ("kind", "options")) -> pl.DataFrame:
    """Rows with `truth` permuted between items that agree in the columns `by`, so that a letter stays among letters.

    Rows of one item keep one truth, and rows keep their order.
    """
    import polars as pl

    rng = np.random.default_rng(seed)
    items = rows.group_by("item", maintain_order=True).agg(pl.col(*by, "truth").first())
    moved = [
        part.select("item", part["truth"][rng.permutation(len(part))])
        for _, part in items.group_by(*by, maintain_order=True)
    ]
    if not moved:
        return rows
    return rows.drop("truth").join(pl.concat(moved), on="item", how="left", maintain_order="left").select(rows.columns)
