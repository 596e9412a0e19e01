"""The bootstrap: an interval for any statistic of items, by drawing the items (or their groups) anew.

The same rows in another order give the same interval: rows are sorted before units are numbered.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.metrics.inputs import Floats, Ints, codes, one_of, open_unit, same_length, whole
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.tails import t_quantile

BootstrapMethod = Literal["bca", "percentile"]

CELLS = 2**21  # resamples x items held at once
JACKKNIFE_BLOCKS = 200


def bootstrap(
    statistic: Callable[..., float],
    *arrays: ArrayLike,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    method: BootstrapMethod = "bca",
    level: float = 0.95,
    max_undefined: float = 0.05,
) -> Interval:
    """Interval of statistic(*arrays) from resampled items, or resampled groups of items.

    "bca" corrects for bias and skew; "percentile" takes the resamples as they fall. Both are widened for few units
    (Student's t instead of the normal quantile, sd with n - 1), for the plain bootstrap is too narrow by
    sqrt(1 - 1/n) and more. 95 % coverage for means of normal and skewed values: .93 to .96 from 20 units on, .87 to .94
    with 5 to 10.

    statistic      called with the arrays, each resampled alike; must not depend on the order of rows
    arrays         one or more, first axis n; their other axes are free
    groups         (n,) labels; whole groups are drawn, so items that stand or fall together stay together
    resamples      draws; 1,000 fix the limits to a few per cent of the interval's width
    max_undefined  the share of resamples in which the statistic may be nan (one class only, say) before no interval is
                   given; up to it they are left out and counted in `method`
    returns        Interval; low and high are nan when the statistic is nan, there is one unit, too many resamples are
                   undefined, or all agree (nothing varied: not certainty. For shares use `proportion_clustered`)
    raises         ValueError: arrays of unequal lengths, n = 0, a missing group; whatever the statistic raises
    source         Efron 1987, J. American Statistical Ass. 82; widening: Hesterberg 2015, The American Statistician
                   69(4), sec. 4; groups: Davison and Hinkley 1997, sec. 3.8

    >>> interval = bootstrap(np.mean, [0.1, 0.2, 0.2, 0.4, 0.6, 0.9], method="percentile")
    >>> round(interval.value, 2), interval.low < 0.4 < interval.high
    (0.4, True)
    """
    columns = [np.asarray(array) for array in arrays]
    if not columns:
        raise ValueError("bootstrap got no arrays to resample. Pass them after the statistic.")
    n = same_length(**{f"arrays[{k}]": column for k, column in enumerate(columns)})
    if n == 0:
        raise ValueError("arrays are empty (n = 0), so nothing can be resampled. Check what the filter before dropped.")
    units = _Units.of(columns, groups)

    def at(rows: Ints) -> float:
        return float(statistic(*(column[rows] for column in columns)))

    value = at(units.rows)
    rng = np.random.default_rng(seed)
    if units.count == 1 or math.isnan(value):
        return _no_interval(value, n, method, "one unit" if units.count == 1 else "the statistic is undefined")
    draws = np.array([at(units.drawn(row)) for row in unit_draws(rng, units.count, whole("resamples", resamples))])
    blocks = jackknife_blocks(rng, units.count) if method == "bca" else None
    left_out = None if blocks is None else np.array([at(units.without(blocks == b)) for b in range(blocks.max() + 1)])
    grouped = groups is not None
    return interval_from_draws(value, draws, left_out, n, units.count, method, level, max_undefined, grouped=grouped)


def paired_difference(
    statistic: Callable[..., float],
    a_arrays: Sequence[ArrayLike],
    b_arrays: Sequence[ArrayLike],
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    method: BootstrapMethod = "bca",
    level: float = 0.95,
    max_undefined: float = 0.05,
) -> Interval:
    """Interval of statistic(*a_arrays) - statistic(*b_arrays) on the same items; each resample draws the same ones.

    a_arrays, b_arrays  tuples of arrays, first axis n, row i of both being item i
    groups and the rest as `bootstrap`; for shares correct with few changes use `paired_proportions`
    raises              ValueError: a bare array in place of a tuple, unequal lengths, n = 0

    >>> accuracy = lambda correct: correct.mean()
    >>> before, after = np.array([0, 0, 1, 0, 1, 0, 0, 1]), np.array([1, 0, 1, 1, 1, 0, 1, 1])
    >>> paired_difference(accuracy, (after,), (before,)).value
    0.375
    """
    for name, arrays in (("a_arrays", a_arrays), ("b_arrays", b_arrays)):
        if not isinstance(arrays, (tuple, list)) or not len(arrays) or np.ndim(arrays[0]) == 0:
            raise ValueError(
                f"{name} must be a tuple of arrays, one per argument of the statistic, such as (correct,)."
            )
    split = len(a_arrays)

    def difference(*columns: NDArray[Any]) -> float:
        return float(statistic(*columns[:split])) - float(statistic(*columns[split:]))

    return bootstrap(
        difference,
        *a_arrays,
        *b_arrays,
        groups=groups,
        resamples=resamples,
        seed=seed,
        method=method,
        level=level,
        max_undefined=max_undefined,
    )


def bootstrap_weighted(
    statistic: Callable[[Floats], Floats],
    units: int,
    *,
    n: int | None = None,
    cells_per_unit: float = 1.0,
    resamples: int = 1000,
    seed: int = 0,
    method: BootstrapMethod = "bca",
    level: float = 0.95,
    max_undefined: float = 0.05,
) -> Interval:
    """`bootstrap` for a statistic that can use weights, many resamples at a time, several times faster.

    A resample is how often each unit was drawn. A statistic that treats those counts as weights computes a block of
    resamples in one sweep; `ece_of_weights` and `auroc_of_weights` make such statistics, and a difference of two, on
    the same units, is a paired difference.

    statistic       weights (r, units) to values (r,); a row of ones must give the plain value
    units           items, or groups of items
    n               items, for the result; None: units
    cells_per_unit  items per unit, so that memory stays bounded when units are groups
    returns, raises as `bootstrap`

    >>> values = np.array([0.1, 0.2, 0.2, 0.4, 0.6, 0.9])
    >>> interval = bootstrap_weighted(lambda weights: weights @ values / weights.sum(axis=1), 6)
    >>> round(interval.value, 2), interval.low < 0.4 < interval.high
    (0.4, True)
    """
    n = units if n is None else n
    value = float(statistic(np.ones((1, whole("units", units))))[0])
    if units == 1 or math.isnan(value):
        return _no_interval(value, n, method, "one unit" if units == 1 else "the statistic is undefined")
    rng = np.random.default_rng(seed)
    weights = weight_draws(rng, units, whole("resamples", resamples), cells_per_unit)
    draws = np.concatenate([statistic(block) for block in weights])
    left_out = None
    if method == "bca":
        left_out = np.concatenate([statistic(block) for block in _jackknife_weights(rng, units, cells_per_unit)])
    grouped = n != units
    return interval_from_draws(value, draws, left_out, n, units, method, level, max_undefined, grouped=grouped)


def rows_at_once(units: int, cells_per_unit: float = 1.0) -> int:
    """How many resamples of so many units fit into the memory allowed."""
    return max(1, int(CELLS / (units * max(1.0, cells_per_unit))))


def unit_draws(rng: np.random.Generator, units: int, resamples: int) -> Iterator[Ints]:
    """Numbers (units,) of the units drawn, once per resample."""
    for _ in range(resamples):
        yield rng.integers(0, units, units)


def weight_draws(rng: np.random.Generator, units: int, resamples: int, cells_per_unit: float = 1.0) -> Iterator[Floats]:
    """Blocks (r, units) of how often each unit was drawn, `resamples` rows in all; the block size changes no number."""
    step = rows_at_once(units, cells_per_unit)
    for first in range(0, resamples, step):
        rows = min(step, resamples - first)
        drawn = rng.integers(0, units, (rows, units))
        drawn += units * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)


def jackknife_blocks(rng: np.random.Generator, units: int) -> Ints:
    """Block (units,) each unit is left out with: its own, or beyond 200 units one of 200 blocks drawn at random."""
    return (rng.permutation(units) % min(units, JACKKNIFE_BLOCKS)).astype(np.int64)


def jackknife(
    statistic: Callable[[Floats], Floats], units: int, *, cells_per_unit: float = 1.0, seed: int = 0
) -> Floats:
    """Values (b,) of a statistic of weights without each unit in turn, or beyond 200 units each of 200 random blocks.

    >>> sorted(jackknife(lambda weights: weights @ np.array([1.0, 2.0, 6.0]) / weights.sum(axis=1), 3).tolist())
    [1.5, 3.5, 4.0]
    """
    rng = np.random.default_rng(seed)
    return np.concatenate([statistic(block) for block in _jackknife_weights(rng, units, cells_per_unit)])


def draws_of_weights(
    statistics: Sequence[Callable[[Floats], Floats]],
    units: int,
    *,
    cells_per_unit: float = 1.0,
    resamples: int = 1000,
    seed: int = 0,
) -> Floats:
    """Values (k, resamples) of k statistics of weights on the same resamples of the units."""
    weights = weight_draws(np.random.default_rng(seed), units, whole("resamples", resamples), cells_per_unit)
    return np.concatenate([np.stack([of(block) for of in statistics]) for block in weights], axis=1)


def interval_from_draws(
    value: float,
    draws: Floats,
    left_out: Floats | None,
    n: int,
    units: int,
    method: BootstrapMethod,
    level: float,
    max_undefined: float,
    *,
    grouped: bool = False,
) -> Interval:
    """The interval that resampled values (resamples,), and for "bca" jackknife values, give around `value`."""
    one_of("method", method, ("bca", "percentile"))
    open_unit("level", level)
    defined = draws[~np.isnan(draws)]
    lost = len(draws) - len(defined)
    note = method + (f", clustered: {units} groups" if grouped else "")
    if lost:
        note += f", {lost} of {len(draws)} resamples undefined"
    if lost > max_undefined * len(draws) or not len(defined):
        return _no_interval(value, n, note, f"more than {max_undefined:g} of them")
    if np.ptp(defined) <= 1e-12 * max(1.0, abs(value)):
        return _no_interval(value, n, note, "all resamples equal")
    quantile = -NormalDist().inv_cdf(tail_probability(level, units))
    bias, skew = (0.0, 0.0) if left_out is None else (_bias(value, defined), _acceleration(left_out))
    if math.isinf(bias):
        return _no_interval(value, n, note, "all resamples on one side of the value; take method='percentile'")
    tails = [_tail(bias, skew, sign * quantile) for sign in (-1, 1)]
    low, high = np.quantile(defined, tails)
    return Interval(value, float(low), float(high), n, note)


def tail_probability(level: float, units: int) -> float:
    """Probability beyond each limit, lowered for few units: that of a mean then is as wide as Student's t."""
    quantile = t_quantile(level, units - 1) * math.sqrt(units / (units - 1))
    return max(NormalDist().cdf(-quantile), 1e-12)


def _no_interval(value: float, n: int, method: str, why: str) -> Interval:
    return Interval(value, NAN, NAN, n, f"{method} (no interval: {why})")


def _bias(value: float, draws: Floats) -> float:
    """Normal quantile of the share of draws below the value, ties counting half; infinite when all lie on one side."""
    below = float(np.mean(draws < value) + np.mean(draws == value) / 2)
    return NormalDist().inv_cdf(below) if 0 < below < 1 else math.copysign(math.inf, below - 0.5)


def _acceleration(left_out: Floats) -> float:
    """Skewness of the jackknife values over 6; undefined ones (a whole class was left out) are dropped."""
    values = left_out[~np.isnan(left_out)]
    pull = values.mean() - values if len(values) else values
    scale = float((pull**2).sum())
    return float((pull**3).sum()) / (6 * scale**1.5) if scale > 0 else 0.0


def _tail(bias: float, skew: float, quantile: float) -> float:
    shifted = bias + quantile
    shrink = 1 - skew * shifted
    # Beyond this pole the corrected quantile has run off the end of the distribution.
    return NormalDist().cdf(bias + shifted / shrink) if shrink > 0 else float(shifted > 0)


def _jackknife_weights(rng: np.random.Generator, units: int, cells_per_unit: float) -> Iterator[Floats]:
    blocks = jackknife_blocks(rng, units)
    step = rows_at_once(units, cells_per_unit)
    for first in range(0, int(blocks.max()) + 1, step):
        left = np.arange(first, min(first + step, int(blocks.max()) + 1))
        yield (blocks[None, :] != left[:, None]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Units:
    """What is drawn: rows, or groups of rows. rows holds all row numbers, those of a unit next to each other."""

    rows: Ints  # (n,)
    starts: Ints  # (units,) where each unit begins in rows
    sizes: Ints  # (units,)

    @property
    def count(self) -> int:
        return len(self.sizes)

    @classmethod
    def of(cls, columns: list[NDArray[Any]], groups: ArrayLike | None) -> "_Units":
        order = _canonical_order(columns)
        if groups is None:
            return cls(order, np.arange(len(order)), np.ones(len(order), dtype=np.int64))
        group_n, held = codes("groups", groups)
        same_length(arrays=columns[0], groups=group_n)
        sizes = np.bincount(group_n, minlength=held).astype(np.int64)
        rows = order[np.argsort(group_n[order], kind="stable")]
        return cls(rows, np.cumsum(sizes) - sizes, sizes)

    def drawn(self, units: Ints) -> Ints:
        """Row numbers of the drawn units, one unit after the other."""
        if self.count == len(self.rows):
            return self.rows[units]
        sizes = self.sizes[units]
        ends = np.cumsum(sizes)
        return self.rows[np.repeat(self.starts[units] - (ends - sizes), sizes) + np.arange(ends[-1])]

    def without(self, left_out: NDArray[np.bool_]) -> Ints:
        return self.drawn(np.flatnonzero(~left_out))


def _canonical_order(columns: list[NDArray[Any]]) -> Ints:
    """Rows sorted by content, so that shuffled rows are drawn alike; as they stand if the content has no order."""
    keys = [key for column in columns for key in np.atleast_2d(column.reshape(len(column), -1).T)]
    if any(key.dtype == object for key in keys):
        return np.arange(len(columns[0]))
    return np.lexsort(keys[::-1]).astype(np.int64)
