"""Intervals of the area under the selective accuracy, and of its gains, all resamples in one sweep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints, codes, numbers, outcomes, same_length
from doxa.metrics.intervals import Interval
from doxa.metrics.order import tie_starts
from doxa.metrics.resampling import bootstrap_weighted


def bootstrap_selective_auc(
    confidence: ArrayLike,
    correct: ArrayLike,
    over: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Interval of `selective_auc`, or of its gain over another confidence in the same answers, from resampled items.

    What `bootstrap` and `paired_difference` give of `selective_auc`, about ten times faster.

    confidence, correct  as `selective_auc`
    over                 (n,) the other confidence; None: the area itself
    groups               (n,) labels; whole groups are drawn
    returns, raises      as `bootstrap`

    >>> interval = bootstrap_selective_auc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0])
    >>> round(interval.value, 4), interval.low < 0.6 < interval.high
    (0.8033, True)
    """
    area = _Steps.of(confidence, correct, groups)
    other = None if over is None else _Steps.of(over, correct, groups)

    def statistic(weights: Floats) -> Floats:
        return area.of_weights(weights) - (0.0 if other is None else other.of_weights(weights))

    n, units = len(area.unit), area.units
    return bootstrap_weighted(statistic, units, n=n, cells_per_unit=n / units, resamples=resamples, seed=seed)


@dataclass(frozen=True, eq=False)
class _Steps:
    """Items from the surest on, in steps of equal confidence."""

    unit: Ints  # (n,) of each sorted item
    units: int
    correct: Floats  # (n,) sorted
    starts: Ints  # (g,) of the steps

    @classmethod
    def of(cls, confidence: ArrayLike, correct: ArrayLike, groups: ArrayLike | None) -> "_Steps":
        score, correct_n = numbers("confidence", confidence, finite=False), outcomes("correct", correct)
        units = same_length(confidence=score, correct=correct_n)
        order = np.argsort(-score, kind="stable").astype(np.int64)
        unit = order
        if groups is not None:
            group_n, units = codes("groups", groups)
            same_length(confidence=score, groups=group_n)
            unit = group_n[order]
        return cls(unit, units, correct_n[order], tie_starts(score[order]))

    def of_weights(self, weights: Floats) -> Floats:
        """Areas (r,) for whole counts (r, units) of how often each unit was drawn; nan where none was.

        Within a step of e items, r of them right, after k items, h of them right, h + (j - k) r / e of the first j are
        expected to be right; a step adds the sum over its j of this number divided by j.
        """
        counts = weights[:, self.unit]
        in_step = np.add.reduceat(counts, self.starts, axis=1)
        right = np.add.reduceat(counts * self.correct, self.starts, axis=1)
        upto, right_upto = np.cumsum(in_step, axis=1), np.cumsum(right, axis=1)
        n = upto[:, -1]
        harmonic = np.append(0.0, np.cumsum(1 / np.arange(1, int(n.max()) + 1)))  # 1 + 1/2 + ... + 1/j
        sums = harmonic[np.rint(upto).astype(np.int64)]
        before = upto - in_step
        slope = np.divide(right, in_step, out=np.zeros_like(right), where=in_step > 0)
        level = right_upto - right - slope * before
        inverse = np.diff(sums, axis=1, prepend=0.0)
        total = (right + level * inverse).sum(axis=1)
        return np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
