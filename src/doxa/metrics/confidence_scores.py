"""Every usual figure of stated confidence with its interval, by name; and what one way of asking gains over another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.calibration_interval import bootstrap_ece, ece_of_weights
from doxa.metrics.discrimination_interval import auroc_of_weights, bootstrap_auroc
from doxa.metrics.inputs import Floats, Ints, codes, numbers, one_of, outcomes, probabilities, same_length
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.order import tie_starts
from doxa.metrics.resampling import bootstrap_weighted

NOTHING = Interval(NAN, NAN, NAN, 0, "nothing to measure")
NAMES = ("accuracy", "mean confidence", "overconfidence", "ECE", "AUROC", "AUPRC-P", "AUPRC-N", "AURC")


def confidence_scores(
    confidence: ArrayLike, correct: ArrayLike, groups: ArrayLike, *, bins: int = 10, resamples: int = 1000
) -> dict[str, Interval]:
    """`NAMES` with 95 % intervals, whole groups resampled; nan throughout without items.

    Overconfidence is mean confidence minus accuracy. AUPRC-P finds right answers by high confidence, AUPRC-N wrong ones
    by low confidence. Accuracy has Wilson's interval, ECE that of `bootstrap_ece`, AUROC that of `bootstrap_auroc`, the
    others BCa.

    confidence  (n,) probability in [0, 1] that each answer is right
    correct     (n,) 0 or 1
    groups      (n,) labels of items that stand or fall together
    raises      ValueError: unequal lengths, a confidence outside [0, 1], a missing group
    """
    if not np.size(confidence):
        return dict.fromkeys(NAMES, NOTHING)
    said, right = probabilities("confidence", confidence), outcomes("correct", correct)
    unit_n, units = codes("groups", groups)
    n = same_length(confidence=said, correct=right, groups=unit_n)

    def resampled(statistic: Callable[[Floats], Floats]) -> Interval:
        return bootstrap_weighted(statistic, units, n=n, cells_per_unit=n / units, resamples=resamples)

    return {
        "accuracy": proportion_clustered(right, unit_n),
        "mean confidence": resampled(_mean_of_weights(said, unit_n, units)),
        "overconfidence": resampled(_mean_of_weights(said - right, unit_n, units)),
        "ECE": bootstrap_ece(said, right, bins=bins, groups=unit_n, resamples=resamples),
        "AUROC": bootstrap_auroc(said, right, groups=unit_n, resamples=resamples),
        "AUPRC-P": resampled(auprc_of_weights(said, right, groups=unit_n)),
        "AUPRC-N": resampled(auprc_of_weights(said, right, positive="wrong", groups=unit_n)),
        "AURC": resampled(aurc_of_weights(said, right, groups=unit_n)),
    }


def gains(
    ours: tuple[ArrayLike, ArrayLike],
    theirs: tuple[ArrayLike, ArrayLike],
    groups: ArrayLike,
    *,
    bins: int = 10,
    resamples: int = 1000,
) -> Mapping[str, Interval]:
    """AUROC and ECE of one way of asking minus those of another, on the same items; each resample draws the same ones.

    Both may give different answers, so each has its own `correct`. Percentile intervals, whole groups resampled.

    ours, theirs  (confidence, correct), each (n,), item by item
    raises        ValueError as `auroc` and `ece`

    >>> sure, right = [0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0]
    >>> gains((sure, right), ([0.5] * 4, right), [1, 2, 3, 4])["AUROC"].value    # .75 against all tied
    0.25
    """
    unit_n, units = codes("groups", groups)

    def difference(of: Callable[..., Callable[[Floats], Floats]], **how: int) -> Interval:
        a, b = of(*ours, groups=unit_n, **how), of(*theirs, groups=unit_n, **how)
        return bootstrap_weighted(
            lambda weights: np.asarray(a(weights) - b(weights)),
            units,
            n=len(unit_n),
            cells_per_unit=len(unit_n) / units,
            resamples=resamples,
            method="percentile",
        )

    return {"AUROC": difference(auroc_of_weights), "ECE": difference(ece_of_weights, bins=bins)}


def auprc_of_weights(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    positive: Literal["correct", "wrong"] = "correct",
    groups: ArrayLike | None = None,
) -> Callable[[Floats], Floats]:
    """`auprc` as a function of weights (r, units) of the items, or of the groups in sorted order: gives (r,) values.

    For `bootstrap_weighted`; nan where the positives have no weight.

    >>> weighted = auprc_of_weights([0.9, 0.8, 0.7], [1, 0, 1])
    >>> weighted(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]])).round(4).tolist()
    [0.8333, 1.0]
    """
    wrong = one_of("positive", positive, ("correct", "wrong")) == "wrong"
    score, target = numbers("confidence", confidence, finite=False), outcomes("correct", correct)
    ranked = _Ranked.of(-score if wrong else score, 1 - target if wrong else target, groups)

    def statistic(weights: Floats) -> Floats:
        seen, hits = ranked.cumulated(weights)
        gained, total = np.diff(hits, axis=1, prepend=0.0), hits[:, -1]
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return np.divide((gained * precision).sum(axis=1), total, out=np.full(len(total), NAN), where=total > 0)

    return statistic


def aurc_of_weights(
    confidence: ArrayLike, correct: ArrayLike, *, groups: ArrayLike | None = None
) -> Callable[[Floats], Floats]:
    """`aurc` as a function of weights (r, units) of the items, or of the groups in sorted order: gives (r,) values.

    >>> weighted = aurc_of_weights([0.9, 0.9, 0.1, 0.1], [1, 1, 0, 0])
    >>> weighted(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])).tolist()
    [0.125, 1.0]
    """
    score, target = numbers("confidence", confidence, finite=False), outcomes("correct", correct)
    ranked = _Ranked.of(score, target, groups)

    def statistic(weights: Floats) -> Floats:
        seen, hits = ranked.cumulated(weights)
        risk = 1 - np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        # Nothing drawn yet: the first risk is held down to coverage 0.
        first = risk[np.arange(len(risk)), (seen > 0).argmax(axis=1)]
        risk = np.where(seen > 0, risk, first[:, None])
        coverage = seen / seen[:, -1:]
        between = np.diff(coverage, axis=1) * (risk[:, 1:] + risk[:, :-1]) / 2
        return np.asarray(coverage[:, 0] * risk[:, 0] + between.sum(axis=1))

    return statistic


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Items from the surest down, so that one sweep sums weights at the end of every group of ties."""

    target: Floats  # (n,) sorted
    unit: Ints  # (n,) the unit of each sorted item
    ends: Ints  # (k,) last place of each group of ties

    @classmethod
    def of(cls, score: Floats, target: Floats, groups: ArrayLike | None) -> "_Ranked":
        n = same_length(confidence=score, correct=target)
        unit = np.arange(n) if groups is None else codes("groups", groups)[0]
        same_length(confidence=score, groups=unit)
        order = np.argsort(-score, kind="stable")
        ends = np.append(tie_starts(score[order])[1:], n) - 1
        return cls(target[order], unit[order].astype(np.int64), ends.astype(np.int64))

    def cumulated(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight (r, k) of all items, and of the targets, down to the end of each group of ties."""
        item_weights = weights[:, self.unit]
        seen = np.cumsum(item_weights, axis=1)[:, self.ends]
        return seen, np.cumsum(item_weights * self.target, axis=1)[:, self.ends]


def _mean_of_weights(values: Floats, unit_n: Ints, units: int) -> Callable[[Floats], Floats]:
    sums, sizes = np.bincount(unit_n, values, minlength=units), np.bincount(unit_n, minlength=units)
    return lambda weights: np.asarray((weights @ sums) / (weights @ sizes))
