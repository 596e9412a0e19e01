"""Calibration errors over bins of equally many predictions, all bins alike, with intervals."""

import math

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.binning import bin_items
from doxa.metrics.calibration import ace
from doxa.metrics.calibration_interval import bootstrap_ece
from doxa.metrics.inputs import codes, outcomes, probabilities, same_length
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.resampling import weight_draws


def equal_count_ece(
    confidence: ArrayLike, correct: ArrayLike, groups: ArrayLike, *, bins: int = 10, resamples: int = 1000
) -> Interval:
    """`ace` with all bins alike, and the interval of `bootstrap_ece` over the same bins.

    The last bin holds the remainder and counts like the others, as published; where it is larger than they are, the
    interval is that of the mean by items, widened to hold the value.

    confidence  (n,) in [0, 1]; correct: (n,) 0 or 1; groups: (n,) labels of predictions that stand or fall together
    raises      ValueError as `ece`
    source      Kadavath et al. 2022, arXiv 2207.05221

    >>> round(equal_count_ece([0.95, 0.85, 0.35, 0.05], [1, 0, 1, 0], [1, 2, 3, 4], bins=2).value, 3)
    0.35
    """
    value = ace(confidence, correct, bins=bins, weighting="bins")
    found = bootstrap_ece(confidence, correct, bins=bins, binning="mass", groups=groups, resamples=resamples)
    return Interval(value, min(found.low, value), max(found.high, value), found.n, found.method)


def rms_gap(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10) -> float:
    """Square root of the mean square |mean confidence - accuracy| over bins of equally many predictions, all alike.

    raises  ValueError as `ece`

    >>> round(rms_gap([0.95, 0.85, 0.35, 0.05], [1, 0, 1, 0], bins=2), 4)    # gaps .4 and -.3
    0.3536
    """
    said, right = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=said, correct=right)
    return math.sqrt(float((bin_items(said, right, bins, "mass", "right").gap ** 2).mean()))


def equal_count_rms(
    confidence: ArrayLike,
    correct: ArrayLike,
    groups: ArrayLike,
    *,
    bins: int = 10,
    resamples: int = 1000,
    lowest: float = 0.0,
) -> Interval:
    """`rms_gap` with a cautious interval: from `lowest` to the 97.5 % quantile of resampled values.

    It is at least the mean gap, so the lower limit of `equal_count_ece` bounds it, too; chance only adds to it, and
    resampling adds it a second time, so the upper limit lies rather high.
    """
    said, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    value, (unit_n, units) = rms_gap(said, right, bins=bins), codes("groups", groups)
    note = "limit of the mean gap, and percentile" + (f", clustered: {units} groups" if units < len(said) else "")
    if units == 1:
        return Interval(value, NAN, NAN, len(said), f"{note} (no interval: one unit)")
    index = bin_items(said, right, bins, "mass", "right").index
    gap_bn = np.zeros((int(index.max()) + 1, units))
    held_bn = np.zeros_like(gap_bn)
    np.add.at(gap_bn, (index, unit_n), said - right)
    np.add.at(held_bn, (index, unit_n), 1.0)
    draws = []
    for weights in weight_draws(np.random.default_rng(0), units, resamples, len(said) / units):
        held = weights @ held_bn.T
        gap = np.divide(weights @ gap_bn.T, held, out=np.full_like(held, np.nan), where=held > 0)
        draws.append(np.sqrt(np.nanmean(gap**2, axis=1)))
    high = float(np.quantile(np.concatenate(draws), 0.975))
    return Interval(value, min(lowest, value), max(high, value), len(said), note)
