"""Intervals of functions of sums over items (means, ratios, F1, binned gaps): the bootstrap in one sweep."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, codes, same_length
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.resampling import BootstrapMethod, bootstrap_weighted

NOTHING = Interval(NAN, NAN, NAN, 0, "nothing to measure")

Statistic = Callable[[Floats], Floats]


def of_sums(
    statistic: Statistic,
    columns: Sequence[ArrayLike],
    groups: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    method: BootstrapMethod = "percentile",
) -> Interval:
    """Interval of a function of the columns' sums over items; whole groups are resampled. All nan without items.

    statistic  sums (r, columns) to values (r,), so that all resamples are done in one sweep
    columns    (n,) each
    groups     (n,) labels
    raises     ValueError: unequal lengths, missing groups

    >>> interval = of_sums(ratio, [[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]], ["a", "b", "c", "d"])
    >>> interval.value, interval.low < 0.75 <= interval.high
    (0.75, True)
    """
    if not np.size(columns[0]):
        return NOTHING
    group, held = codes("groups", groups)
    arrays = [np.asarray(column, dtype=np.float64) for column in columns]
    for array in arrays:
        same_length(columns=array, groups=group)
    totals = np.stack([np.bincount(group, array, minlength=held) for array in arrays], axis=1)
    return bootstrap_weighted(
        lambda weights: statistic(weights @ totals), held, n=len(group), resamples=resamples, seed=seed, method=method
    )


def ratio(sums: Floats) -> Floats:
    """First sum over the second (r,); nan where that is 0."""
    return divided(sums[:, 0], sums[:, 1])


def divided(part: Floats, whole: Floats, undefined: float = NAN) -> Floats:
    """part / whole, `undefined` where whole is 0."""
    return np.divide(part, whole, out=np.full_like(part, undefined), where=whole > 0)


def mean(values: ArrayLike, groups: ArrayLike, *, resamples: int = 1000) -> Interval:
    """Mean of values (n,) with a percentile interval over whole groups; nan without items."""
    column = np.asarray(values, dtype=np.float64)
    return of_sums(ratio, [column, np.ones(len(column))], groups, resamples=resamples)


def share(hits: ArrayLike, groups: ArrayLike) -> Interval:
    """Share of hits (n,) with Wilson's interval, groups kept together; nan without items."""
    if not np.size(hits):
        return NOTHING
    return proportion_clustered(np.asarray(hits, dtype=np.float64), groups, method="wilson")


def difference(a: Interval, b: Interval) -> Interval:
    """a - b of two independent shares, from their own limits, so that it holds for shares of 0 and 1 too.

    source  Newcombe 1998, Statistics in Medicine 17(8), 873-890, method 10

    >>> found = difference(share([1, 1, 1, 1], [*"abcd"]), share([1, 1, 1, 1], [*"efgh"]))
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.0, -0.49, 0.49)
    """
    value, below, above = a.value - b.value, (a.value - a.low, b.high - b.value), (a.high - a.value, b.value - b.low)
    return Interval(value, value - math.hypot(*below), value + math.hypot(*above), a.n + b.n, "newcombe")


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
