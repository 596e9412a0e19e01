"""Intervals of calibration errors, whose bias makes the plain bootstrap miss the truth."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.binning import Binning, Closed, bin_items
from doxa.metrics.calibration import ece_debiased
from doxa.metrics.inputs import Floats, Ints, codes, one_of, open_unit, outcomes, probabilities, same_length, whole
from doxa.metrics.intervals import NAN, Interval, proportion_clustered, proportion_limits
from doxa.metrics.resampling import interval_from_draws, weight_draws
from doxa.metrics.tails import t_quantile

STEPS = 16  # halvings of the bracket around a limit
FARTHEST = 64.0  # standard errors beyond which no limit is sought
SAME = 1e-12


def bootstrap_ece(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
    groups: ArrayLike | None = None,
    debiased: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    method: Literal["inverted", "percentile"] = "inverted",
    level: float = 0.95,
) -> Interval:
    """Interval of `ece` that a calibrated respondent's holds 0, see `gap_interval`.

    confidence, correct, bins, binning, closed: as `ece`; bins of equal mass are taken as given by these data
    groups    (n,) labels of items that stand or fall together
    debiased  the value is `ece_debiased`; the interval is the same, for both estimate the same error, and is stretched
              to hold a value below 0
    method    "inverted": 95 % coverage of the binned ECE of the population .93 to 1.00 in 44 settings (calibrated or
              not, 10 to 300 items) and .95 to .99 in 12 with groups, highest where the error is small but not 0.
              "percentile", whole groups resampled: as usually published; 0 to .98 in the same settings
    returns   Interval; low and high nan for one item or one group
    raises    ValueError as `ece`

    >>> interval = bootstrap_ece([0.9] * 50, [1] * 30 + [0] * 20)
    >>> round(interval.value, 2), 0.1 < interval.low < 0.2, 0.4 < interval.high < 0.5
    (0.3, True, True)
    """
    confidence_n, correct_n = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=confidence_n, correct=correct_n)
    index = bin_items(confidence_n, correct_n, bins, binning, closed).index
    one_of("method", method, ("inverted", "percentile"))
    if method == "percentile":
        return _percentile(confidence_n, correct_n, index, groups, resamples, seed, level)
    found = gap_interval(confidence_n, correct_n, index, groups=groups, resamples=resamples, seed=seed, level=level)
    if not debiased:
        return found
    value = ece_debiased(confidence_n, correct_n, bins=bins, binning=binning, closed=closed)
    if math.isnan(value):
        return Interval(value, NAN, NAN, found.n, f"{found.method} (no interval: no bin holds two items)")
    return Interval(value, min(found.low, value), max(found.high, value), found.n, found.method)


def gap_interval(
    confidence: ArrayLike,
    correct: ArrayLike,
    index: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of the mean |mean confidence - accuracy| over bins of any making: ECE, ACE, or by the answer given.

    Such an error adds up absolute gaps, so chance only ever adds to it, and resampling adds it a second time: the
    percentile interval of a calibrated respondent lies wholly above the truth. Here the limits are those true gaps
    which could just have given the error seen. The gaps of the bins are moved together, each by t of its own standard
    errors away from 0 or towards it (stopping there); for each t answers are drawn at the accuracy that these gaps
    leave, in groups fewer of them, by the design effect of (confidence - correct); and the interval runs over the
    errors of those t at which the error seen is no outlier. Near 0 only too large an error can be one, so that side
    gets up to the whole 5 %: a calibrated respondent is held to be so in 95 of 100 cases, not in 97.5. The upper limit
    is at least that of |mean confidence - accuracy|, which no such error can be below, and which counts what a bin
    without any error may hide.

    confidence, correct  as `ece`
    index    (n,) the number of each item's bin; -1: in none, which counts as no gap
    groups   (n,) labels of items that stand or fall together
    returns  Interval; low and high nan for one item or one group; nan throughout if no item is in a bin
    raises   ValueError: unequal lengths, n = 0, a confidence outside [0, 1]
    source   the construction is ours (test inversion: Davison and Hinkley 1997, sec. 5.4; the tails near a bound:
             Feldman and Cousins 1998, Phys. Rev. D 57; that percentiles fail: Sun et al. 2024, arXiv 2408.08998)
    """
    gaps = _Gaps.of(probabilities("confidence", confidence), outcomes("correct", correct), np.asarray(index), groups)
    n, share = len(gaps.bin_n), float(gaps.share_b.sum())
    value = float(np.abs(gaps.gap_b).sum()) if share else NAN
    note = "inverted" + (f", clustered: {gaps.units} groups" if gaps.units < n else "")
    if gaps.units == 1 or not share:
        return Interval(value, NAN, NAN, n, f"{note} (no interval: {'one unit' if share else 'no item in a bin'})")
    inside = gaps.bin_n >= 0
    labels = np.arange(n) if groups is None else np.asarray(groups)
    accuracy = proportion_clustered(gaps.correct_n[inside], labels[inside], level=open_unit("level", level))
    stated = float(gaps.confidence_n[inside].mean())
    mean_gap = max(abs(stated - accuracy.low), abs(stated - accuracy.high)) * share
    low, high = _Inversion(gaps, gaps.independent_b(), value, whole("resamples", resamples), seed, 1 - level).limits()
    return Interval(value, min(low, value), max(high, mean_gap, value), n, note)


def largest_gap_interval(
    confidence: ArrayLike,
    correct: ArrayLike,
    index: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    level: float = 0.95,
) -> Interval:
    """Interval of the largest |mean confidence - accuracy| of a bin (MCE), from the exact limits of each accuracy.

    The upper limit is the largest that any bin allows, so it is near 1 where a bin is nearly empty, as the largest gap
    may then be; the lower one is the largest gap that some bin has for certain, certain enough for all bins together
    (Sidak). Covers at least `level` by design, in groups nearly so; percentiles cover 0 of a calibrated respondent.

    confidence, correct, index, groups: as `gap_interval`; items in no bin have no gap
    returns  Interval; nan throughout if no item is in a bin
    raises   ValueError as `gap_interval`
    source   Sidak 1967, J. American Statistical Ass. 62; Clopper and Pearson 1934

    >>> interval = largest_gap_interval([0.9] * 50, [1] * 30 + [0] * 20, [8] * 50)
    >>> round(interval.value, 2), round(interval.low, 2), round(interval.high, 2)    # .9 less .74 and less .45
    (0.3, 0.16, 0.45)
    """
    gaps = _Gaps.of(probabilities("confidence", confidence), outcomes("correct", correct), np.asarray(index), groups)
    n, bins = len(gaps.bin_n), len(gaps.share_b)
    note = "clopper-pearson by bin" + (f", clustered: {gaps.units} groups" if gaps.units < n else "")
    if not bins:
        return Interval(NAN, NAN, NAN, n, f"{note} (no interval: no item in a bin)")
    together = open_unit("level", level) ** (1 / bins)

    def limits(at: float) -> list[tuple[float, float, float]]:
        rows = zip(gaps.accuracy_b, gaps.independent_b(), gaps.confidence_b, strict=True)
        return [(*proportion_limits(float(right), float(items), at), float(stated)) for right, items, stated in rows]

    sure = max(max(0.0, stated - high, low - stated) for low, high, stated in limits(together))
    possible = max(max(abs(stated - low), abs(stated - high)) for low, high, stated in limits(level))
    value = float((np.abs(gaps.gap_b) / gaps.share_b).max())
    return Interval(value, min(sure, value), max(possible, value), n, note)


def ece_of_weights(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
    groups: ArrayLike | None = None,
) -> Callable[[Floats], Floats]:
    """`ece` as a function of weights (r, units) of the items, or of the groups in sorted order: gives (r,) values.

    For `bootstrap_weighted` and `draws_of_weights`, above all for two models on the same items.

    >>> weighted = ece_of_weights([0.75, 0.75, 0.5, 0.5], [1, 1, 1, 0])
    >>> weighted(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]])).tolist()
    [0.125, 0.5]
    """
    confidence_n, correct_n = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=confidence_n, correct=correct_n)
    gaps = _Gaps.of(confidence_n, correct_n, bin_items(confidence_n, correct_n, bins, binning, closed).index, groups)
    return lambda weights: np.abs(gaps.of_weights(weights)).sum(axis=1)


def _percentile(
    confidence: Floats,
    correct: Floats,
    index: Ints,
    groups: ArrayLike | None,
    resamples: int,
    seed: int,
    level: float,
) -> Interval:
    order = np.lexsort((correct, confidence))  # rows in another order are drawn alike
    ordered = None if groups is None else np.asarray(groups)[order]
    gaps = _Gaps.of(confidence[order], correct[order], index[order], ordered)
    value = float(np.abs(gaps.gap_b).sum())
    if gaps.units == 1:
        return Interval(value, NAN, NAN, len(order), "percentile (no interval: one unit)")
    weights = weight_draws(np.random.default_rng(seed), gaps.units, whole("resamples", resamples), len(order))
    draws = np.concatenate([np.abs(gaps.of_weights(block)).sum(axis=1) for block in weights])
    grouped = groups is not None
    return interval_from_draws(value, draws, None, len(order), gaps.units, "percentile", level, 0.0, grouped=grouped)


@dataclass(frozen=True, eq=False)
class _Gaps:
    """The bins in use: share of the items, mean confidence, accuracy, and gap times share; and what is in which."""

    confidence_n: Floats
    correct_n: Floats
    bin_n: Ints  # (n,) number among the bins in use; -1: in none
    unit_n: Ints
    units: int
    items_b: Floats
    share_b: Floats
    confidence_b: Floats
    accuracy_b: Floats
    gap_b: Floats  # times share

    @classmethod
    def of(cls, confidence: Floats, correct: Floats, index: np.ndarray, groups: ArrayLike | None) -> "_Gaps":
        n = same_length(confidence=confidence, correct=correct, index=index)
        unit_n, units = (np.arange(n), n) if groups is None else codes("groups", groups)
        same_length(confidence=confidence, groups=unit_n)
        used, number = np.unique(index, return_inverse=True)
        bin_n = (number - int((used < 0).any())).astype(np.int64)  # -1 sorts first
        inside, held = bin_n >= 0, int((used >= 0).sum())
        items, stated, right = (
            np.bincount(bin_n[inside], None if weights is None else weights[inside], minlength=held).astype(np.float64)
            for weights in (None, confidence, correct)
        )
        gap = (stated - right) / n
        return cls(confidence, correct, bin_n, unit_n, units, items, items / n, stated / items, right / items, gap)

    def of_weights(self, weights: Floats) -> Floats:
        """Gap times share (r, b) for weights (r, units)."""
        inside = self.bin_n >= 0
        per_unit = np.zeros((self.units, len(self.share_b)))
        np.add.at(per_unit, (self.unit_n[inside], self.bin_n[inside]), (self.confidence_n - self.correct_n)[inside])
        items = np.bincount(self.unit_n, minlength=self.units).astype(np.float64)
        return np.asarray((weights @ per_unit) / (weights @ items)[:, None], dtype=np.float64)

    def independent_b(self) -> Ints:
        """Independent items (b,) that would tell as much: all of them without groups."""
        return np.maximum(1, np.rint(self.items_b * self._independent())).astype(np.int64)

    def _independent(self) -> float:
        n = len(self.unit_n)
        if self.units == n:
            return 1.0
        difference = self.confidence_n - self.correct_n
        surplus = difference - difference.mean()
        together, alone = float((np.bincount(self.unit_n, surplus) ** 2).sum()), float(surplus @ surplus)
        if alone < SAME:  # nothing varied: each group counts as one item
            return n / float((np.bincount(self.unit_n).astype(np.float64) ** 2).sum())
        few_groups = (t_quantile(0.95, n - 1) / t_quantile(0.95, self.units - 1)) ** 2
        spread = alone / max(together, SAME)  # gaps that cancel within every group leave nothing between them
        return few_groups * min(1.0, spread * (self.units - 1) / self.units)


@dataclass(frozen=True, eq=False)
class _Inversion:
    """Supposed gaps along one path, what error each would show, and which of them the error seen allows."""

    gaps: _Gaps
    items_b: Ints  # independent ones
    value: float
    resamples: int
    seed: int
    alpha: float

    def limits(self) -> tuple[float, float]:
        # One more right and one more wrong answer: a bin without any error still has a standard error.
        accuracy = (self.gaps.accuracy_b * self.items_b + 1) / (self.items_b + 2)
        error = self.gaps.share_b * np.sqrt(accuracy * (1 - accuracy) / self.items_b)
        none = -float((np.abs(self.gaps.gap_b) / error).max())
        typical = float(self._seen(self._supposed(none, error)).mean())
        return self._limit("low", error, none, typical), self._limit("high", error, none, typical)

    def _limit(self, side: str, error: Floats, none: float, typical: float) -> float:
        """Error of the gaps for which the value seen is just no outlier; 0 if it is none even without any gap."""

        def allows(t: float) -> bool:
            supposed = self._supposed(t, error)
            small = float(np.abs(supposed).sum()) / typical if typical else math.inf
            below = self.alpha / 2 * -math.expm1(-(small**2))  # near 0 no error seen can be too small
            at = below if side == "high" else 1 - (self.alpha - below)
            return bool(np.quantile(self._seen(supposed), at) >= self.value - SAME)

        near, far = none, 0.0
        if allows(near):
            return 0.0
        while far < FARTHEST and not allows(far):
            near, far = far, 2 * far + 1
        for _ in range(STEPS):
            middle = (near + far) / 2
            near, far = (near, middle) if allows(middle) else (middle, far)
        return float(np.abs(self._supposed(far, error)).sum())

    def _supposed(self, t: float, error: Floats) -> Floats:
        """Gaps times share (b,) moved by t standard errors away from 0, or towards it, as far as accuracies go."""
        g = self.gaps
        size = np.maximum(0.0, np.abs(g.gap_b) + t * error)
        moved = np.where(g.gap_b < 0, -size, size)
        return np.asarray(np.clip(moved, g.share_b * (g.confidence_b - 1), g.share_b * g.confidence_b))

    def _seen(self, supposed: Floats) -> Floats:
        """Errors (s,) that would be seen if these were the true gaps."""
        g = self.gaps
        accuracy = np.clip(g.confidence_b - supposed / g.share_b, 0.0, 1.0)
        drawn = np.random.default_rng(self.seed).binomial(self.items_b, accuracy, (self.resamples, len(accuracy)))
        return np.asarray(np.abs(g.confidence_b - drawn / self.items_b) @ g.share_b)
