"""Can a classifier tell rows of one source from rows of another? Accuracy of boosted trees over several splits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np

from doxa.metrics.inputs import Ints
from doxa.metrics.intervals import Interval

Limits = dict[str, tuple[float, float, float]]
SEEDS, TEST_SHARE = 10, 0.2
OWN_SEED = 10_000  # of a subgroup's rows; those of the rest have the seeds of the splits
FEWEST = 50  # rows of each source: of fewer, trees with 20 rows in a leaf cannot learn
DEFAULTS = "histogram gradient boosting of scikit-learn: 100 rounds, learning rate 0.1, 31 leaves, 20 rows a leaf"


@dataclass(frozen=True)
class ToldApart:
    """Accuracies (s,) on held-out rows, one for each split; majority: the share of the larger source; n: rows."""

    accuracies: tuple[float, ...]
    majority: float
    n: int

    @property
    def share(self) -> Interval:
        """What guessing the larger source gives."""
        return Interval(self.majority, math.nan, math.nan, self.n, "share of the larger source")

    def interval(self) -> Interval:
        """Mean accuracy with 2 standard deviations of one split either way (so more than 95 % for the mean)."""
        if not self.accuracies:
            return Interval(math.nan, math.nan, math.nan, self.n, "too few rows")
        values = np.array(self.accuracies)
        # Splits of the same rows vary less than rows do: no narrower than one split's binomial error.
        mean, tested = float(values.mean()), max(1.0, TEST_SHARE * self.n)
        sd = max(float(values.std(ddof=1)) if len(values) > 1 else 0.0, math.sqrt(mean * (1 - mean) / tested))
        low, high = max(0.0, mean - 2 * sd), min(1.0, mean + 2 * sd)
        return Interval(mean, low, high, self.n, f"mean of {len(values)} splits, 2 SD of one")


NOT_TOLD = ToldApart((), math.nan, 0)


def available() -> bool:
    """Whether scikit-learn is installed."""
    return find_spec("sklearn") is not None


def told_apart(rows_nq: Ints, others: Callable[[int], Ints], *, seeds: int = SEEDS) -> ToldApart:
    """How well boosted trees tell rows from as many others, drawn anew for each seed; 80 % train, 20 % test, by source.

    rows_nq  (n, q) answers as numbers, 0: none
    others   seed -> (m, q) rows of the other source
    returns  no accuracies for fewer than 50 rows of either
    raises   ImportError: scikit-learn is not installed
    source   arXiv 2306.07951 (XGBoost there; unstratified split)
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import train_test_split

    found, majority, n = [], math.nan, len(rows_nq)
    for seed in range(seeds):
        other = others(seed)
        if min(len(rows_nq), len(other)) < FEWEST:
            return ToldApart((), math.nan, n)
        x = np.concatenate([rows_nq, other]).astype(np.float64)
        y = np.repeat([1, 0], [len(rows_nq), len(other)])
        majority, n = max(y.mean(), 1 - y.mean()), len(y)
        split = train_test_split(x, y, test_size=TEST_SHARE, random_state=seed, stratify=y)
        model = HistGradientBoostingClassifier(random_state=seed).fit(split[0], split[2])
        found.append(float(model.score(split[1], split[3])))
    return ToldApart(tuple(found), float(majority), n)


def limits(accuracies: Mapping[str, ToldApart], rows: Sequence[tuple[str, float, float, float, int]]) -> Limits:
    """Accuracy and its interval by name: of rows for YARDSTICK, and of what else was told apart."""
    found = {name: (value, low, high) for name, value, low, high, _ in rows}
    for name, told in accuracies.items():
        if told.accuracies:
            interval = told.interval()
            found[name] = (interval.value, interval.low, interval.high)
    return found


YARDSTICK = ("subgroup", "accuracy", "low", "high", "rows")


def yardstick(
    parts: Sequence[str], draw: Callable[[str, bool, int], Ints], *, seeds: int = SEEDS
) -> list[tuple[str, float, float, float, int]]:
    """Rows for YARDSTICK: each subgroup told from the rest.

    draw  subgroup, whether all but it are wanted, seed -> rows
    """
    rows = []
    for place, part in enumerate(parts):
        others = partial(draw, part, True)
        found = told_apart(draw(part, False, OWN_SEED + place), others, seeds=seeds).interval()
        rows.append((part, found.value, found.low, found.high, found.n))
    return rows
