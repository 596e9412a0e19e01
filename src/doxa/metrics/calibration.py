"""Calibration error: does stated confidence match how often it is right? One function per published form."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.binning import Binning, Bins, Closed, bin_items, width_index
from doxa.metrics.inputs import Floats, distributions, one_of, outcomes, probabilities, same_length, whole
from doxa.metrics.intervals import Interval, clopper_pearson
from doxa.metrics.resampling import rows_at_once
from doxa.metrics.scores import option_index


@dataclass(frozen=True)
class ReliabilityBin:
    """One bar of a reliability diagram; an empty bin has n = 0 and nan elsewhere."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


def ece(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> float:
    """Expected calibration error: the mean distance between stated confidence and accuracy.

    Sum over bins of (share of items) * |accuracy - mean confidence|.

    confidence: (n,) probability in [0, 1] that each answer is right
    correct:    (n,) 0 or 1
    bins:       number of bins
    binning:    "width": edges k/bins, compared after rounding to 9 decimals; "mass": as `ace`
    closed:     "right": a right edge belongs to its bin, 0 to the first; "left": low <= p < high, 1 to the last
    returns     float in [0, 1], 0 is best; biased upwards for small n (`ece_expected`), so quote n beside it
    raises      ValueError: unequal lengths, n = 0, a confidence outside [0, 1], nan
    source      Guo et al. 2017, arXiv 1706.04599, sec. 2

    >>> ece([0.75, 0.75, 0.5, 0.5], [1, 1, 1, 0])
    0.125
    """
    binned = _binned(confidence, correct, bins, binning, closed)
    return float(binned.share @ np.abs(binned.gap))


def ace(
    confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10, weighting: Literal["items", "bins"] = "items"
) -> float:
    """Adaptive calibration error: `ece` over bins that hold equally many items.

    Items sorted by (confidence, row), floor(n / bins) in each bin and the remainder in the last; fewer items than bins:
    one each. Rows of equal confidence may fall into different bins, so their order can move the value.

    weighting: "items" weights a bin by its items, "bins" all bins alike (the same when bins divides n)
    returns    float in [0, 1], 0 is best; grows with bins at fixed n more than `ece` does
    raises     ValueError as `ece`
    source     Nguyen and O'Connor 2015, arXiv 1508.05154, sec. 3; Nixon et al. 2019, arXiv 1904.01685, sec. 4

    >>> ace([0.25, 0.25, 0.75, 1.0], [0, 1, 1, 1], bins=2)    # (|.25 - .5| + |.875 - 1|) / 2
    0.1875
    """
    one_of("weighting", weighting, ("items", "bins"))
    binned = _binned(confidence, correct, bins, "mass", "right")
    gap = np.abs(binned.gap)
    return float(binned.share @ gap) if weighting == "items" else float(gap.mean())


def mce(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> float:
    """Maximum calibration error: the largest |accuracy - mean confidence| of a bin that holds an item.

    returns  float in [0, 1], 0 is best; ruled by the emptiest bin, so read it beside `reliability`
    raises   ValueError as `ece`
    source   Naeini, Cooper and Hauskrecht 2015, AAAI 29, sec. 4

    >>> mce([0.75, 0.75, 0.5, 0.5], [1, 1, 1, 0])
    0.25
    """
    return float(np.abs(_binned(confidence, correct, bins, binning, closed).gap).max())


def rmsce(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> float:
    """Root mean square calibration error: square root of sum over bins of (share of items) * gap^2.

    returns  float in [0, 1], 0 is best; at least `ece` over the same bins
    raises   ValueError as `ece`
    source   Hendrycks, Mazeika and Dietterich 2019, arXiv 1812.04606

    >>> round(rmsce([0.75, 0.75, 0.5, 0.5], [1, 1, 1, 0]), 4)    # sqrt(.5 * .25^2)
    0.1768
    """
    binned = _binned(confidence, correct, bins, binning, closed)
    return math.sqrt(binned.share @ binned.gap**2)


def ece_debiased(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> float:
    """ECE less the part of it that the chance of few items per bin is expected to add.

    Per bin, accuracy a over m items scatters with sd s = sqrt(a (1 - a) / m); the gap g is corrected to
    2 |g| - E|g + s Z|, Z standard normal, the expectation in closed form. For a respondent that is far off the bias
    was small and so is the correction; for a calibrated one it takes away about two fifths of the bias, because no
    estimate of |g| without bias exists. `squared_calibration_error` has none, on its own scale.

    returns  float, may be below 0 (less error than chance makes); nan when no bin holds two items.
             Bins of one item tell nothing about their scatter: left out, the weights of the rest rescaled
    raises   ValueError as `ece`
    source   Kumar, Liang and Ma 2019, arXiv 1909.10155, and their library uncertainty-calibration (there by sampling Z)

    >>> round(ece_debiased([0.75, 0.75, 0.5, 0.5], [1, 1, 1, 0]), 3)    # .5 (.25) + .5 (0 - .354 sqrt(2 / pi))
    -0.016
    """
    binned = _binned(confidence, correct, bins, binning, closed)
    share, gap, accuracy, n_b = _pairs(binned)
    if not len(share):
        return float("nan")
    scatter = np.sqrt(accuracy * (1 - accuracy) / n_b)
    expected = [_folded_mean(abs(g), s) for g, s in zip(gap, scatter, strict=True)]
    return float(share @ (2 * np.abs(gap) - expected))


def squared_calibration_error(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> float:
    """Squared calibration error, corrected for the items per bin: its expectation does not depend on n.

    Sum over bins of (share of items) * (gap^2 - a (1 - a) / (m - 1)), a the accuracy over the bin's m items.

    returns  float around 0 for a calibrated respondent, so below 0 half the time; its root compares with `rmsce`;
             nan when no bin holds two items. Bins of one item are left out, the weights of the rest rescaled
    raises   ValueError as `ece`
    source   Kumar, Liang and Ma 2019, arXiv 1909.10155, sec. 5; Broecker 2012, Climate Dynamics 39

    >>> squared_calibration_error([1.0, 1.0, 0.5, 0.5], [1, 1, 1, 0])    # .5 (0 - 0) + .5 (0 - .25 / 1)
    -0.125
    """
    share, gap, accuracy, n_b = _pairs(_binned(confidence, correct, bins, binning, closed))
    if not len(share):
        return float("nan")
    return float(share @ (gap**2 - accuracy * (1 - accuracy) / (n_b - 1)))


def ece_top_label(
    belief_nc: ArrayLike,
    truth_n: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> float:
    """ECE of the favourite option: its belief against whether it is the right one.

    A tie between k favourites counts 1/k when the right one is among them, so the options' order does not matter.

    belief_nc: (n, c) a distribution over the options of each item
    truth_n:   (n,) index of the right option
    returns    float in [0, 1]; says nothing about the beliefs in the other options, and is not comparable with the
               `ece` of the belief in one given option
    raises     ValueError: rows that are no distributions, an index outside 0..c-1, unequal lengths, n = 0
    source     Guo et al. 2017, arXiv 1706.04599, sec. 2; Kumar, Liang and Ma 2019, arXiv 1909.10155, def. 2.3

    >>> ece_top_label([[0.75, 0.25], [0.75, 0.25]], [0, 1])
    0.25
    """
    belief = distributions("belief_nc", belief_nc)
    truth = option_index(belief, truth_n)
    top = belief.max(axis=1)
    favourite = belief == top[:, None]
    hit = favourite[np.arange(len(belief)), truth] / favourite.sum(axis=1)
    binned = bin_items(top, hit, bins, binning, closed)
    return float(binned.share @ np.abs(binned.gap))


def ece_expected(
    confidence: ArrayLike, *, bins: int = 10, closed: Closed = "right", resamples: int = 1000, seed: int = 0
) -> Interval:
    """The ECE that a perfectly calibrated respondent with these confidences would show, by chance alone.

    Outcomes are drawn from the confidences themselves. An ECE inside the range is no evidence of miscalibration.

    confidence: (n,) probability in [0, 1]
    returns     Interval: mean over the draws, and the range that holds 95 % of them
    raises      ValueError: n = 0, a confidence outside [0, 1], bins or resamples < 1
    source      Broecker and Smith 2007, Weather and Forecasting 22(3) (consistency resampling)

    >>> round(ece_expected([0.5] * 100).value, 2)    # mean |X / 100 - .5| of X ~ Bin(100, .5) is .0398
    0.04
    """
    confidence_n = np.sort(probabilities("confidence", confidence))
    n, resamples = len(confidence_n), whole("resamples", resamples)
    one_of("closed", closed, ("right", "left"))
    index = width_index(confidence_n, whole("bins", bins), closed)
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    stated = np.add.reduceat(confidence_n, starts)
    rng = np.random.default_rng(seed)
    draws = np.empty(resamples)
    step = rows_at_once(n)
    for first in range(0, resamples, step):
        right = rng.random((min(step, resamples - first), n)) < confidence_n
        gap = np.add.reduceat(right, starts, axis=1, dtype=np.float64) - stated
        draws[first : first + len(gap)] = np.abs(gap).sum(axis=1) / n
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(draws.mean()), float(low), float(high), n, f"drawn from the confidences, {resamples} times")


def reliability(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
    level: float = 0.95,
) -> list[ReliabilityBin]:
    """The reliability diagram as rows: per bin its items, mean confidence, and accuracy with its exact interval.

    returns  one row per bin, empty ones included (n = 0, nan); low and high are the edges for "width" bins, the least
             and greatest confidence inside for "mass" bins. The intervals treat the items as independent
    raises   ValueError as `ece`
    source   DeGroot and Fienberg 1983, The Statistician 32; band: Clopper and Pearson 1934

    >>> [(bin.n, bin.confidence, bin.accuracy) for bin in reliability([0.25, 0.75, 0.75], [0, 1, 0], bins=2)]
    [(1, 0.25, 0.0), (2, 0.75, 0.5)]
    """
    binned = _binned(confidence, correct, bins, binning, closed)
    rows = []
    for low, high, n_b, mean, accuracy in zip(
        binned.low, binned.high, binned.n_b, binned.confidence_b, binned.accuracy_b, strict=True
    ):
        n = int(n_b)
        band = clopper_pearson(round(accuracy * n), n, level=level) if n else Interval(*(float("nan"),) * 3, 0, "empty")
        rows.append(ReliabilityBin(float(low), float(high), n, float(mean), float(accuracy), band.low, band.high))
    return rows


def _binned(confidence: ArrayLike, correct: ArrayLike, bins: int, binning: Binning, closed: Closed) -> Bins:
    confidence_n, correct_n = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=confidence_n, correct=correct_n)
    return bin_items(confidence_n, correct_n, bins, binning, closed)


def _pairs(binned: Bins) -> tuple[Floats, Floats, Floats, Floats]:
    """Share, gap, accuracy and items of the bins that hold at least two items."""
    paired = binned.n_b[binned.used] > 1
    n_b = binned.n_b[binned.used][paired]
    share = n_b / n_b.sum() if len(n_b) else n_b
    return share, binned.gap[paired], binned.accuracy_b[binned.used][paired], n_b


def _folded_mean(mean: float, sd: float) -> float:
    """E|mean + sd Z|, Z standard normal; sd 0 gives |mean|."""
    if sd == 0:
        return abs(mean)
    ratio = mean / sd
    return sd * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + mean * math.erf(ratio / math.sqrt(2))
