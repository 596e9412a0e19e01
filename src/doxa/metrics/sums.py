"""Intervals of functions of sums over items (means, ratios, F1, binned gaps): the bootstrap in one sweep."""

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
    return proportion_clustered(np.asarray(hits, dtype=np.float64), groups) if np.size(hits) else NOTHING
