"""Shares and means of grouped items with their intervals, and differences and averages of such figures."""

import math

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import pearson
from doxa.metrics.inputs import Floats, codes
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.means import mean_interval

# Of the mean size of pure noise resampling shows sqrt(2) times as much: .41 more than chance has added already.
REPEATED = 1 / (math.sqrt(2) - 1)

NOTHING = Interval(NAN, NAN, NAN, 0, "nothing to measure")


def divided(part: Floats, whole: Floats, undefined: float = NAN) -> Floats:
    """part / whole, `undefined` where whole is 0."""
    return np.divide(part, whole, out=np.full_like(part, undefined), where=whole > 0)


def mean(values: ArrayLike, groups: ArrayLike, *, bounds: tuple[float, float] | None = None) -> Interval:
    """`mean_interval` of values (n,) in groups (n,); nan without items."""
    return mean_interval(values, groups=groups, bounds=bounds) if np.size(values) else NOTHING


def share(hits: ArrayLike, groups: ArrayLike) -> Interval:
    """Share of hits (n,) with its mid-p interval, groups kept together; nan without items."""
    if not np.size(hits):
        return NOTHING
    return proportion_clustered(np.asarray(hits, dtype=np.float64), groups, method="mid-p")


def difference(
    a: Interval, b: Interval, *, correlation: float = 0.0, raised: tuple[float, float] = (0.0, 0.0)
) -> Interval:
    """a - b from their own limits, so that it holds for shares of 0 and 1, and for errors near 0, too.

    correlation  of the two estimates, e.g. by `correlation` of their resampled values; 0: independent
    raised       by how much resampling raises each estimate. Chance has raised it before, by up to 2.4 times that
                 (`REPEATED`), so each limit takes that end of the estimates so corrected which lies farther out
    source       Newcombe 1998, Statistics in Medicine 17(8), 873-890, method 10; Zou 2007, Psychological Methods 12(4)

    >>> found = difference(share([1, 1, 1, 1], [*"abcd"]), share([1, 1, 1, 1], [*"efgh"]))
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.0, -0.53, 0.53)
    """
    (a_least, a_most), (b_least, b_most) = (_corrected(i, up) for i, up in zip((a, b), raised, strict=True))
    low = a_least - b_most - _apart(a_least - a.low, b.high - b_most, correlation)
    high = a_most - b_least + _apart(a.high - a_most, b_least - b.low, correlation)
    return Interval(a.value - b.value, low, high, a.n + b.n, "newcombe")


def average(a: Interval, b: Interval, *, correlation: float) -> Interval:
    """(a + b) / 2 of two figures of the same n items, from their own limits.

    source  Zou 2007, Psychological Methods 12(4)
    """
    value = (a.value + b.value) / 2
    below = _apart(a.value - a.low, b.value - b.low, -correlation) / 2
    above = _apart(a.high - a.value, b.high - b.value, -correlation) / 2
    return Interval(value, value - below, value + above, a.n, f"mean of limits, {a.method}")


def correlation(a: ArrayLike, b: ArrayLike, *, unknown: float = 0.0) -> float:
    """Correlation of the resampled values (r,) of two estimates; `unknown` if either does not vary, or is undefined."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3 or min(np.ptp(first[both]), np.ptp(second[both])) < 1e-12:
        return unknown
    return pearson(first[both], second[both])


def _corrected(i: Interval, raised: float) -> tuple[float, float]:
    """The estimate with and without what chance may have raised it by, inside its limits."""
    corrected = min(max(i.value - REPEATED * raised, i.low), i.high)
    return min(i.value, corrected), max(i.value, corrected)


def _apart(x: float, y: float, correlation: float) -> float:
    return math.sqrt(max(0.0, x**2 + y**2 - 2 * correlation * x * y))


def above_chance(rate: Interval, chance: float) -> Interval:
    """(rate - chance) / (1 - chance): 0 for guessing, 1 for always; chance is taken as known.

    >>> round(above_chance(share([1, 1, 0, 0], [*"abcd"]), 0.25).value, 4)
    0.3333
    """
    value, low, high = ((x - chance) / (1 - chance) for x in (rate.value, rate.low, rate.high))
    return Interval(value, low, high, rate.n, rate.method)


def permuted_within(values: ArrayLike, groups: ArrayLike, *, seed: int = 0) -> np.ndarray:
    """Values (n,) shuffled among those of one group (n,): what is left when their order means nothing.

    >>> permuted_within([1, 2, 3], ["a", "b", "b"]).tolist() in ([1, 2, 3], [1, 3, 2])
    True
    """
    moved, (group, held), rng = np.array(values), codes("groups", groups), np.random.default_rng(seed)
    for label in range(held):
        moved[group == label] = rng.permutation(moved[group == label])
    return moved
