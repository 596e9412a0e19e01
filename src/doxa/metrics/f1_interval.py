"""Intervals of F1, which is a share in disguise, and of the mean of the F1 of yes and of no."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, codes, outcomes, same_length
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.resampling import draws_of_weights
from doxa.metrics.sums import average, correlation, divided


def f1_interval(
    said: ArrayLike, happened: ArrayLike, groups: ArrayLike, *, positive: bool = True, zero_division: float = NAN
) -> Interval:
    """F1 of yes (or of no) from the exact mid-p interval of a share.

    F1 is 2 s / (1 + s), s the share of hits among the items that are yes by what was said or by what is true; it rises
    with s, so limits of s are limits of F1. 95 % coverage in 22 settings (F1 .3 to .96, 20 to 300 items) .94 to .99,
    that of the percentile bootstrap .40 to .97: without an error nothing varies.

    said, happened  (n,) 1 for yes, 0 for no
    groups          (n,) labels of items that stand or fall together
    zero_division   the value, without limits, if nothing was said or is true to be yes (no)
    raises          ValueError: unequal lengths, n = 0, values other than 0 and 1, missing groups
    source          Hand, Christen and Kirielle 2021, Machine Learning 110(3) (F1 as a share)

    >>> found = f1_interval([1, 1, 1, 0], [1, 1, 0, 0], [1, 2, 3, 4])    # s = 2/3
    >>> found.value, found.n
    (0.8, 4)
    """
    side = 1.0 if positive else 0.0
    said_n, true_n = outcomes("said", said) == side, outcomes("happened", happened) == side
    n = same_length(said=said_n, happened=true_n, groups=np.asarray(groups))
    either = said_n | true_n
    if not either.any():
        return Interval(zero_division, NAN, NAN, n, "no such answer, no such case")
    of = proportion_clustered((said_n & true_n)[either].astype(np.float64), np.asarray(groups)[either], method="mid-p")
    value, low, high = (2 * s / (1 + s) for s in (of.value, of.low, of.high))
    return Interval(value, low, high, n, of.method)


def macro_f1_interval(
    said: ArrayLike,
    happened: ArrayLike,
    groups: ArrayLike,
    *,
    zero_division: float = NAN,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Mean of the F1 of yes and of no, from their own intervals and from how far resampling moves both alike.

    95 % coverage in 22 settings (20 to 300 items, shares of yes .1 to .5) .94 to .99.

    said, happened, groups, zero_division: as `f1_interval`
    raises  ValueError as `f1_interval`
    source  Zou 2007, Psychological Methods 12(4) (limits of sums from limits)

    >>> round(macro_f1_interval([1, 1, 1, 0], [1, 1, 0, 0], [1, 2, 3, 4]).value, 4)    # (4/5 + 2/3) / 2
    0.7333
    """
    yes, no = (f1_interval(said, happened, groups, positive=p, zero_division=zero_division) for p in (True, False))
    said_n, true_n = outcomes("said", said), outcomes("happened", happened)
    unit_n, units = codes("groups", groups)
    cells = [np.bincount(unit_n, (said_n == s) & (true_n == t), minlength=units) for s, t in ((1, 1), (0, 0))]
    missed = np.bincount(unit_n, said_n != true_n, minlength=units)

    def f1_of(hits: np.ndarray) -> Callable[[Floats], Floats]:
        return lambda weights: divided(2 * (weights @ hits), 2 * (weights @ hits) + weights @ missed)

    drawn = draws_of_weights([f1_of(hits) for hits in cells], units, resamples=resamples, seed=seed)
    return average(yes, no, correlation=correlation(*drawn, unknown=1.0))
