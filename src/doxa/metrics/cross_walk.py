"""How several readings of the same confidences relate: each by itself, and each two on the answers that both read.

A table of readings has one row per reading: item, answer, rung (how it was read), confidence (null: not read), correct,
and optionally group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics.calibration_interval import bootstrap_ece
from doxa.metrics.correlation_interval import spearman_interval
from doxa.metrics.discrimination import auroc
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.means import mean_interval

if TYPE_CHECKING:
    import polars as pl

NONE = Interval(NAN, NAN, NAN, 0, "nothing to compare")


@dataclass(frozen=True)
class RungLine:
    """One rung: how many readings, how many without a number, and what the others are worth.

    accuracy, confidence  of the readings with a confidence and a known truth; auroc: nan for one class
    """

    rung: str
    n: int
    unread: int
    accuracy: float
    confidence: float
    ece: Interval
    auroc: float


@dataclass(frozen=True)
class PairLine:
    """Two rungs on the answers that both read.

    spearman    rank correlation, and its interval as if groups were single items
    difference  mean of the first confidence minus the second: how far one is to be moved to stand for the other
    distance    mean absolute difference
    """

    rung: str
    other: str
    n: int
    spearman: Interval
    difference: Interval
    distance: Interval


@dataclass(frozen=True)
class CrossWalk:
    """Lines of the rungs, in the order asked for, and of each two of them."""

    rungs: tuple[RungLine, ...]
    pairs: tuple[PairLine, ...]


def cross_walk(
    rows: pl.DataFrame, rungs: Sequence[str] | None = None, *, bins: int = 10, resamples: int = 1000, seed: int = 0
) -> CrossWalk:
    """Rung by rung: calibration error of each, rank correlation and mean difference of each two.

    rows      readings, see above; `confidence` null or nan counts as unread, `correct` null as an unknown truth
    rungs     names in the order wanted; None: in order of appearance
    returns   undefined numbers are nan: a rung without readings, two rungs that read no answer in common
    raises    ValueError: a missing column, two readings of one answer to one item on one rung, no such rung

    >>> import polars as pl
    >>> rows = pl.DataFrame({"item": ["a", "b", "c"] * 2, "answer": ["x"] * 6, "rung": ["words"] * 3 + ["samples"] * 3,
    ...     "confidence": [0.9, 0.8, 0.4, 0.7, 0.6, 0.2], "correct": [True, True, False] * 2})
    >>> walk = cross_walk(rows, resamples=100)
    >>> round(walk.pairs[0].difference.value, 3), walk.pairs[0].spearman.value
    (0.2, 1.0)
    """
    import polars as pl

    _check(rows)
    names = list(rungs) if rungs is not None else rows["rung"].unique(maintain_order=True).to_list()
    if unknown := set(names) - set(rows["rung"]):
        raise ValueError(f"there are no readings of {sorted(unknown)}; the rows have {sorted(set(rows['rung']))}")
    if "group" not in rows.columns:
        rows = rows.with_columns(group=pl.col("item"))
    rows = rows.with_columns(pl.col("confidence").fill_nan(None), pl.col("group").fill_null(pl.col("item")))
    by_rung = {name: rows.filter(pl.col("rung") == name) for name in names}
    return CrossWalk(
        tuple(_line(name, part, bins, resamples, seed) for name, part in by_rung.items()),
        tuple(_pair(a, b, by_rung[a], by_rung[b]) for a, b in combinations(names, 2)),
    )


def _check(rows: pl.DataFrame) -> None:
    missing = {"item", "answer", "rung", "confidence", "correct"} - set(rows.columns)
    if missing:
        raise ValueError(f"the rows have no column {', '.join(sorted(missing))}; there are {', '.join(rows.columns)}")
    if rows.is_empty():
        raise ValueError("there are no rows (n = 0), so nothing can be compared. Check the filter before.")
    keys = rows.select("item", "answer", "rung")
    if (twice := keys.filter(keys.is_duplicated())).height:
        raise ValueError(f"read {twice.row(0)} (item, answer, rung) is there more than once; keep one reading of each")


def _line(name: str, rows: pl.DataFrame, bins: int, resamples: int, seed: int) -> RungLine:
    unread = rows["confidence"].null_count()
    read = rows.drop_nulls(["confidence", "correct"])
    if read.is_empty():
        return RungLine(name, len(rows), unread, NAN, NAN, NONE, NAN)
    c, y = read["confidence"].to_numpy(), read["correct"].to_numpy().astype(float)
    error = bootstrap_ece(c, y, bins=bins, groups=read["group"].to_numpy(), resamples=resamples, seed=seed)
    return RungLine(name, len(rows), unread, float(y.mean()), float(c.mean()), error, auroc(c, y))


def _pair(a: str, b: str, rows_a: pl.DataFrame, rows_b: pl.DataFrame) -> PairLine:
    other = rows_b.select("item", "answer", other="confidence")
    both = rows_a.join(other, on=["item", "answer"], how="inner", maintain_order="left", nulls_equal=True)
    both = both.drop_nulls(["confidence", "other"])
    if both.is_empty():
        return PairLine(a, b, 0, NONE, NONE, NONE)
    x, y, groups = both["confidence"].to_numpy(), both["other"].to_numpy(), both["group"].to_numpy()
    difference = mean_interval(x - y, groups=groups, bounds=(-1, 1))
    distance = mean_interval(np.abs(x - y), groups=groups, bounds=(0, 1))
    return PairLine(a, b, len(both), spearman_interval(x, y), difference, distance)
