"""Proper scores of stated probabilities: Brier with its parts, skill against the base rate, logarithmic score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.binning import Binning, Closed, bin_items
from doxa.metrics.inputs import Ints, distributions, numbers, outcomes, probabilities, same_length


@dataclass(frozen=True)
class BrierParts:
    """brier = reliability - resolution + uncertainty + within_variance - within_covariance, exactly."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float


def brier(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Brier score: mean of (confidence - correct)^2.

    confidence: (n,) probability in [0, 1]
    correct:    (n,) 0 or 1
    returns     float in [0, 1], 0 is best; .25 for always saying .5
    raises      ValueError: unequal lengths, n = 0, a confidence outside [0, 1], nan
    source      Brier 1950, Monthly Weather Review 78(1), halved for two classes as is usual

    >>> brier([1.0, 0.5], [1, 0])
    0.125
    """
    confidence_n, correct_n = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=confidence_n, correct=correct_n)
    return float(np.mean((confidence_n - correct_n) ** 2))


def brier_options(belief_nc: ArrayLike, truth_n: ArrayLike) -> float:
    """Brier score over c options: mean over items of the sum over options of (belief - 1[option is right])^2.

    belief_nc: (n, c) a distribution over the options of each item
    truth_n:   (n,) index of the right option
    returns    float in [0, 2], 0 is best; for two options twice `brier`
    raises     ValueError: rows that are no distributions, an index outside 0..c-1, unequal lengths
    source     Brier 1950, Monthly Weather Review 78(1)

    >>> brier_options([[0.5, 0.25, 0.25]], [0])    # .5^2 + .25^2 + .25^2
    0.375
    """
    belief = distributions("belief_nc", belief_nc)
    truth = option_index(belief, truth_n)
    hit = belief[np.arange(len(belief)), truth]
    return float(np.mean((belief**2).sum(axis=1) - 2 * hit + 1))


def brier_decomposition(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    binning: Binning = "width",
    closed: Closed = "right",
) -> BrierParts:
    """The Brier score split over bins of confidence, with the terms that make the parts sum to it exactly.

    reliability: squared gap of mean confidence and accuracy, averaged over bins (0 is best)
    resolution: how far the bins' accuracies spread around the overall accuracy (high is best)
    uncertainty: accuracy (1 - accuracy), nothing the respondent can change
    within_variance, within_covariance: spread of confidence inside the bins, and twice its covariance with being right;
    both 0 when each bin holds one distinct confidence

    raises   ValueError as `brier`, and for bins < 1
    source   Stephenson, Coelho and Jolliffe 2008, Weather and Forecasting 23(4); Murphy 1973

    >>> parts = brier_decomposition([0.75, 0.75, 0.25, 0.25], [1, 1, 0, 1])
    >>> parts.reliability, parts.resolution, parts.uncertainty
    (0.0625, 0.0625, 0.1875)
    """
    confidence_n, correct_n = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=confidence_n, correct=correct_n)
    binned = bin_items(confidence_n, correct_n, bins, binning, closed)
    rate = float(correct_n.mean())
    spread = confidence_n - binned.confidence_b[binned.index]
    return BrierParts(
        brier=float(np.mean((confidence_n - correct_n) ** 2)),
        reliability=float(binned.share @ binned.gap**2),
        resolution=float(binned.share @ (binned.accuracy_b[binned.used] - rate) ** 2),
        uncertainty=rate * (1 - rate),
        within_variance=float(np.mean(spread**2)),
        within_covariance=2 * float(np.mean(spread * (correct_n - binned.accuracy_b[binned.index]))),
    )


def brier_skill(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Brier skill score: 1 - brier / (r (1 - r)), r the share correct; how much better than always saying r.

    returns  float at most 1; 0 is no better than the base rate of these very items, below 0 is worse;
             nan when all or none are correct, for then the base rate is perfect
    raises   ValueError as `brier`
    source   Murphy 1973, J. Applied Meteorology 12(4)

    >>> brier_skill([0.5, 0.5], [1, 0]), brier_skill([0.9, 0.9], [1, 1])
    (0.0, nan)
    """
    score, rate = brier(confidence, correct), float(outcomes("correct", correct).mean())
    return 1 - score / (rate * (1 - rate)) if 0 < rate < 1 else float("nan")


def log_score(confidence: ArrayLike, correct: ArrayLike, *, clip: float | None = None) -> float:
    """Logarithmic score: mean of -log(probability given to what happened), in nats.

    confidence: (n,) probability in [0, 1]
    correct:    (n,) 0 or 1
    clip:       confidences are moved into [clip, 1 - clip]; None leaves them, and one certain error makes the mean inf
    returns     float >= 0, 0 is best, log 2 for always saying .5
    raises      ValueError: as `brier`, and a clip outside [0, .5)
    source      Good 1952, J. Royal Statistical Society B 14(1)

    >>> round(log_score([0.8, 0.4], [1, 0]), 4)    # -(log .8 + log .6) / 2
    0.367
    """
    confidence_n, correct_n = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=confidence_n, correct=correct_n)
    if clip is not None:
        if not 0 <= clip < 0.5:
            raise ValueError(f"clip is {clip!r}, outside [0, 0.5). A usual value is 1e-15.")
        confidence_n = np.clip(confidence_n, clip, 1 - clip)
    given = np.where(correct_n == 1, confidence_n, 1 - confidence_n)
    with np.errstate(divide="ignore"):
        return float(np.mean(-np.log(given)))


def option_index(belief_nc: np.ndarray, truth_n: ArrayLike) -> Ints:
    """Checked index (n,) of the right option of each row; raises ValueError when outside 0..c-1 or not whole."""
    truth = numbers("truth_n", truth_n)
    n, options = belief_nc.shape
    same_length(belief_nc=belief_nc, truth_n=truth)
    bad = (truth < 0) | (truth >= options) | (truth != np.floor(truth))
    if bad.any():
        index = int(bad.argmax())
        raise ValueError(
            f"truth_n[{index}] is {truth[index]:g}, not an option number from 0 to {options - 1} "
            f"({bad.sum()} of {n} are not). Numbered from 1? subtract 1."
        )
    return truth.astype(np.int64)
