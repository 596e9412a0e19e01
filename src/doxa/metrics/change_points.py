"""Has a series of dated figures changed, when, and is it drifting? With false alarms held to a stated share.

Each test reshuffles the series as if its dates meant nothing. Figures that follow the one before (the same documents on
two days, say) look like changes to it: reshuffle them in `block`s as long as they hold together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import cochran_armitage
from doxa.metrics.inputs import Floats, numbers, open_unit, same_length, whole
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.tails import t_quantile

SHUFFLES = 999
ROUNDING = 1e-9
CELLS = 2**22  # shuffled values held at once


@dataclass(frozen=True)
class ChangePoint:
    """Where a series most likely changed, and whether it did.

    index, date    of the first value after the change
    before, after  the level on either side, of the stretch that was tested: means, or shares of successes
    statistic      largest cumulated distance from the overall level, in standard deviations of one value times sqrt(n)
    p              share of shuffled series that reach the statistic; 1 if all values are equal
    level          the level of the test; n: values tested
    """

    index: int
    date: Any
    before: float
    after: float
    statistic: float
    p: float
    level: float
    n: int

    @property
    def found(self) -> bool:
        """Whether the change is significant."""
        return self.p <= self.level


@dataclass(frozen=True)
class Drift:
    """A straight line through the series: slope per unit of time, with interval, and p of no slope."""

    slope: Interval
    p: float


def cusum(values: ArrayLike, totals: ArrayLike | None = None) -> Floats:
    """Cumulated distance (n,) from the overall level; the last is 0.

    values  (n,) numbers in order of time; with totals, how many of the totals (n,) were successes
    source  Page 1954, Biometrika 41

    >>> cusum([0, 0, 0, 1, 1, 1]).tolist()
    [-0.5, -1.0, -1.5, -1.0, -0.5, 0.0]
    """
    value, total = _checked(values, totals)
    return np.asarray(np.cumsum(value - total * (value.sum() / total.sum())).round(12) + 0.0)


def change_point(
    values: ArrayLike,
    totals: ArrayLike | None = None,
    *,
    dates: Sequence[Any] | None = None,
    level: float = 0.05,
    shortest: int = 1,
    block: int = 1,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> ChangePoint:
    """The likeliest single change of level, and a test of no change.

    The test is exact whatever the distribution: of figures, if under no change their order means nothing; of counts,
    if every answer has the same chance of success. Where days differ by more than that, give shares without totals.

    values    (n,) figures in order of time; with totals, how many of the totals (n,) were successes
    dates     (n,) ascending; None: positions
    shortest  values that must lie on either side
    block     values in a row that are shuffled together; not with totals
    shuffles  shuffled series; p is at least 1 / (shuffles + 1)
    returns   the first of equally likely changes; p of 1 where nothing varies
    raises    ValueError: fewer than 2 * shortest values, unequal lengths, dates that do not ascend, counts above
              totals, nan or infinite values, a level that so few shuffles cannot reach
    source    Page 1954; by shuffles: Taylor 2000, Change-Point Analysis; Good 2005, ch. 3

    >>> found = change_point([0, 0, 0, 1, 1, 1])
    >>> found.index, found.before, found.after
    (3, 0.0, 1.0)
    """
    value, total = _checked(values, totals)
    when = _dates(dates, len(value))
    if len(value) < 2 * whole("shortest", shortest):
        raise ValueError(f"there are {len(value)} values; a change with {shortest} on either side needs more")
    if block > 1 and totals is not None:
        raise ValueError(f"block is {block}, and totals are given: counts are shuffled answer by answer. Give shares")
    if 1 / (whole("shuffles", shuffles) + 1) > open_unit("level", level):
        raise ValueError(f"{shuffles} shuffles give no p below {1 / (shuffles + 1):.2g}; the level is {level:.2g}")
    rng = np.random.default_rng(seed)
    inner = slice(shortest - 1, len(value) - shortest)
    sizes = np.abs(_cusums(value[None], total))[0, inner]
    best = int(np.argmax(sizes > sizes.max() - ROUNDING * max(1.0, sizes.max()))) + shortest
    parts = slice(None, best), slice(best, None)
    before, after = (_level(value[part], total[part]) for part in parts)
    spread = _spread(value, total, totals is not None)
    if spread <= ROUNDING * max(1.0, float(np.abs(value).max())):
        return ChangePoint(best, when[best], before, after, 0.0, 1.0, level, len(value))
    reached, step = 0, max(1, CELLS // len(value))
    for first in range(0, shuffles, step):
        moved = _shuffled(value, total, totals is not None, whole("block", block), min(step, shuffles - first), rng)
        most = np.abs(_cusums(moved, total))[:, inner].max(axis=1)
        reached += int((most >= sizes.max() - ROUNDING * spread).sum())
    statistic = float(sizes.max()) / spread
    return ChangePoint(best, when[best], before, after, statistic, (1 + reached) / (1 + shuffles), level, len(value))


def change_points(
    values: ArrayLike,
    totals: ArrayLike | None = None,
    *,
    dates: Sequence[Any] | None = None,
    level: float = 0.05,
    shortest: int = 2,
    block: int = 1,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> tuple[ChangePoint, ...]:
    """All changes of level, in order of time: where one is found, both sides are searched, each at half its level.

    Without a change the series is declared changed with probability `level`, as by one test. After true changes, false
    ones come with at most `level` for each depth of the search. A side whose level the shuffles cannot reach, or with
    fewer than 2 * shortest values, is searched no further. Two changes that cancel (up and down again) can hide.

    the arguments are those of `change_point`; before and after are levels next to the change
    source  binary segmentation: Scott and Knott 1974, Biometrics 30(3); Vostrikova 1981

    >>> [c.index for c in change_points([0.0, 0.1] * 10 + [1.0, 1.1] * 10 + [0.0, 0.1] * 10)]
    [20, 40]
    """
    value, total = _checked(values, totals)
    when = _dates(dates, len(value))
    found: dict[int, ChangePoint] = {}

    def search(start: int, stop: int, at: float) -> None:
        if stop - start < 2 * shortest or 1 / (shuffles + 1) > at:
            return
        part = slice(start, stop)
        of = None if totals is None else total[part]
        change = change_point(
            value[part],
            of,
            dates=when[part],
            level=at,
            shortest=shortest,
            block=block,
            shuffles=shuffles,
            seed=seed,
        )
        if change.found:
            middle = start + change.index
            found[middle] = change
            search(start, middle, at / 2)
            search(middle, stop, at / 2)

    search(0, len(value), open_unit("level", level))
    edges = [0, *sorted(found), len(value)]
    levels = [_level(value[a:b], total[a:b]) for a, b in pairwise(edges)]
    return tuple(
        replace(found[index], index=index, before=before, after=after)
        for index, (before, after) in zip(sorted(found), pairwise(levels), strict=True)
    )


def drift(
    times: ArrayLike,
    values: ArrayLike,
    totals: ArrayLike | None = None,
    *,
    level: float = 0.95,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> Drift:
    """Linear drift: the slope of figures over time, and a test of none.

    A step gives a slope, too: look at the series before calling it a drift.

    times   (n,) numbers, e.g. days
    values  (n,) figures, or with totals counts of successes, whose shares are weighted by their totals
    returns slope per unit of time; its limits by Student's t from how the figures scatter about the line, nan below 3;
            p of figures by shuffles, of counts that of `cochran_armitage`; nan where times or values do not vary
    raises  ValueError: unequal lengths, n = 0, counts above totals, nan or infinite values

    >>> found = drift([0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4])
    >>> round(found.slope.value, 6)
    0.1
    """
    time = numbers("times", times)
    value, total = _checked(values, totals)
    n = same_length(times=time, values=value)
    share = np.divide(value, total, out=np.zeros_like(value), where=total > 0)
    centred = time - (total @ time) / total.sum()
    square = float(total @ centred**2)
    if np.ptp(time[total > 0]) == 0:
        return Drift(Interval(NAN, NAN, NAN, n, "all at one time"), NAN)
    mean = float(value.sum() / total.sum())
    slope = float(total @ (centred * (share - mean))) / square
    residual = share - mean - slope * centred
    told = int((total > 0).sum())
    error = math.sqrt(float(total @ residual**2) / (told - 2) / square) if told > 2 else NAN
    half = t_quantile(level, told - 2) * error
    return Drift(
        Interval(slope, slope - half, slope + half, n, "weighted least squares, t"),
        _slope_p(centred, value, total, totals is not None, shuffles, seed),
    )


def _slope_p(centred: Floats, value: Floats, total: Floats, counted: bool, shuffles: int, seed: int) -> float:
    if counted:
        return cochran_armitage(value, total, scores=centred).p
    if np.ptp(value) == 0:
        return NAN
    rng, seen = np.random.default_rng(seed), abs(float(centred @ value))
    moved = rng.permuted(np.broadcast_to(value, (whole("shuffles", shuffles), len(value))), axis=1)
    reached = int((np.abs(moved @ centred) >= seen * (1 - ROUNDING)).sum())
    return (1 + reached) / (1 + shuffles)


# --- common ground ---------------------------------------------------------------------------------------------------


def _checked(values: ArrayLike, totals: ArrayLike | None) -> tuple[Floats, Floats]:
    """Values (n,) with their weights: counts and totals, or figures that count as one each."""
    value = numbers("values", values)
    total = np.ones(len(value)) if totals is None else numbers("totals", totals)
    same_length(values=value, totals=total)
    if totals is None:
        return value, total
    bad = (value < 0) | (value > total) | (value != value.round()) | (total != total.round())
    if bad.any() or not total.any():
        at = int(bad.argmax())
        raise ValueError(
            f"values[{at}] is {value[at]:g} of totals[{at}] = {total[at]:g}; with totals, values count successes: "
            "whole numbers, 0 to the total, and some total is above 0"
        )
    return value, total


def _dates(dates: Sequence[Any] | None, n: int) -> list[Any]:
    when = list(range(n)) if dates is None else list(dates)
    same_length(values=np.empty(n), dates=np.empty(len(when)))
    for k, (a, b) in enumerate(pairwise(when)):
        if not a < b:
            raise ValueError(
                f"dates[{k + 1}] is {b}, after {a}; dates ascend, one figure for each. Sort, and pool days"
            )
    return when


def _level(value: Floats, total: Floats) -> float:
    """Mean, or share of successes; nan where nothing was counted."""
    return float(value.sum() / total.sum()) if total.any() else NAN


def _cusums(moved_rn: Floats, total: Floats) -> Floats:
    level = moved_rn.sum(axis=1, keepdims=True) / total.sum()
    return np.asarray(np.cumsum(moved_rn - level * total, axis=1))


def _spread(value: Floats, total: Floats, counted: bool) -> float:
    """Standard deviation of the whole sum, were its parts drawn independently."""
    if counted:
        share = float(value.sum() / total.sum())
        return math.sqrt(float(total.sum()) * share * (1 - share))
    return float(value.std()) * math.sqrt(len(value))


def _shuffled(value: Floats, total: Floats, counted: bool, block: int, rows: int, rng: np.random.Generator) -> Floats:
    """Series (rows, n) as they would be if the order of figures, or the day of each success, meant nothing."""
    if counted:
        drawn = rng.multivariate_hypergeometric(total.astype(np.int64), int(value.sum()), rows, method="marginals")
        return drawn.astype(np.float64)
    if block == 1:
        return rng.permuted(np.broadcast_to(value, (rows, len(value))), axis=1)
    starts = np.arange(0, len(value), block)
    pieces = [value[start : start + block] for start in starts]
    return np.stack([np.concatenate([pieces[k] for k in rng.permutation(len(pieces))]) for _ in range(rows)])
