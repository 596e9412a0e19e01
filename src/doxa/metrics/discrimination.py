"""Discrimination: does confidence separate right answers from wrong ones? Only the order of the confidences counts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, codes, flat, numbers, one_of, outcomes, same_length
from doxa.metrics.order import midranks, tie_starts

NAN = float("nan")


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Answering only when confidence is at least threshold: share answered, and share wrong among those answered.

    One point per distinct confidence, from the highest down; the last has coverage 1 and risk = error rate.
    """

    coverage: Floats
    risk: Floats
    threshold: Floats


@dataclass(frozen=True)
class PrecisionRecall:
    """Of one class: precision, recall and F1; support counts the items that truly are of the class."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Confusion:
    """Counts of yes/no predictions against the truth, yes being positive."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        """All items."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def accuracy(self) -> float:
        """Share predicted right; nan without items."""
        return _ratio(self.tp + self.tn, self.n, NAN)

    def precision_recall_f1(self, *, positive: bool = True, zero_division: float = NAN) -> PrecisionRecall:
        """Of the yes class, or with positive=False of the no class; zero_division where a denominator is 0."""
        hit, false, missed = (self.tp, self.fp, self.fn) if positive else (self.tn, self.fn, self.fp)
        return PrecisionRecall(
            precision=_ratio(hit, hit + false, zero_division),
            recall=_ratio(hit, hit + missed, zero_division),
            f1=_ratio(2 * hit, 2 * hit + false + missed, zero_division),
            support=hit + missed,
        )

    def macro_f1(self, *, zero_division: float = NAN) -> float:
        """Mean of the F1 of yes and the F1 of no."""
        yes, no = (self.precision_recall_f1(positive=side, zero_division=zero_division) for side in (True, False))
        return (yes.f1 + no.f1) / 2


def auroc(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a right answer got the higher confidence than a wrong one.

    confidence: (n,) any score, higher is surer; not bound to [0, 1]
    correct:    (n,) 0 or 1
    returns     float in [0, 1]; a tie counts 1/2, constant confidence gives .5; nan when all or none are correct
    raises      ValueError: unequal lengths, n = 0, nan
    source      Hanley and McNeil 1982, Radiology 143(1)

    >>> auroc([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])    # of 4 pairs 3 are right and 1 is tied
    0.875
    """
    score, correct_n = _scored(confidence, correct)
    right = correct_n.sum()
    wrong = len(correct_n) - right
    if right == 0 or wrong == 0:
        return NAN
    return float((midranks(score)[correct_n == 1].sum() - right * (right + 1) / 2) / (right * wrong))


def auprc(confidence: ArrayLike, correct: ArrayLike, *, positive: Literal["correct", "wrong"] = "correct") -> float:
    """Average precision: precision at each distinct confidence, weighted by the recall gained there (no interpolation).

    positive: "correct" finds right answers by high confidence, "wrong" finds errors by low confidence
    returns   float in (0, 1]; items of equal confidence enter together; constant confidence gives the share of
              positives, which is also the chance level; nan when there are no positives
    raises    ValueError: unequal lengths, n = 0, nan
    source    Davis and Goadrich 2006, ICML 23 (why not trapezoids); scikit-learn `average_precision_score`

    >>> auprc([0.9, 0.8, 0.7], [1, 0, 1])    # 1/2 * 1 + 1/2 * 2/3
    0.8333333333333333
    """
    score, target = _scored(confidence, correct)
    if one_of("positive", positive, ("correct", "wrong")) == "wrong":
        # -score orders as 1 - confidence does, without making ties by rounding
        score, target = -score, 1 - target
    if target.sum() == 0:
        return NAN
    ends, hits, _ = _descending(score, target)
    return float((np.diff(hits, prepend=0.0) / target.sum()) @ (hits / ends))


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """Risk against coverage: how many errors remain if only the surest answers are given.

    raises  ValueError: unequal lengths, n = 0, nan
    source  El-Yaniv and Wiener 2010, JMLR 11; Geifman and El-Yaniv 2017, arXiv 1705.08500

    >>> curve = risk_coverage([0.9, 0.9, 0.5, 0.1], [1, 0, 1, 0])
    >>> curve.coverage.tolist(), [round(risk, 3) for risk in curve.risk.tolist()]
    ([0.5, 0.75, 1.0], [0.5, 0.333, 0.5])
    """
    score, correct_n = _scored(confidence, correct)
    ends, hits, threshold = _descending(score, correct_n)
    return RiskCoverage(coverage=ends / len(score), risk=1 - hits / ends, threshold=threshold)


def aurc(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Area under the risk-coverage curve: mean error rate over all coverages.

    One point at the end of every group of ties, the first risk held down to coverage 0, trapezoids between.

    returns  float in [0, 1], 0 is best; constant confidence gives the error rate
    raises   ValueError: unequal lengths, n = 0, nan
    source   Geifman, Uziel and El-Yaniv 2019, arXiv 1805.08206, sec. 2; tie rule as `risk_coverage`

    >>> aurc([0.9, 0.9, 0.1, 0.1], [1, 1, 0, 0])    # risk 0 to coverage .5, then up to .5
    0.125
    """
    curve = risk_coverage(confidence, correct)
    between = np.diff(curve.coverage) @ (curve.risk[1:] + curve.risk[:-1]) / 2
    return float(curve.coverage[0] * curve.risk[0] + between)


def selective_accuracy(confidence: ArrayLike, correct: ArrayLike, coverage: float) -> float:
    """Accuracy on the surest `coverage` of the items, in expectation over the order of ties.

    A coverage that is no whole number of items takes the last item (or tie group) in part.

    coverage: share of items answered, in (0, 1]
    raises    ValueError: coverage outside (0, 1], unequal lengths, n = 0, nan
    source    Geifman and El-Yaniv 2017, arXiv 1705.08500, eq. 2

    >>> selective_accuracy([0.9, 0.5, 0.5, 0.5], [1, 1, 0, 0], 0.5)    # 1 and one of a third
    0.6666666666666666
    """
    if not 0 < coverage <= 1:
        raise ValueError(
            f"coverage is {coverage!r}, outside (0, 1]. Percent? divide by 100. Nothing answered? undefined."
        )
    score, correct_n = _scored(confidence, correct)
    ends, hits, _ = _descending(score, correct_n)
    kept = coverage * len(score)
    return float(np.interp(kept, np.append(0.0, ends), np.append(0.0, hits)) / kept)


def selective_auc(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean over k = 1..n of the accuracy on the k surest items, in expectation over the order of ties.

    returns  float in [0, 1]; constant confidence gives the accuracy; depends on accuracy, so compare on the same items
    raises   ValueError: unequal lengths, n = 0, nan
    source   Shrivastava et al. 2025, "Language Models Prefer What They Know", arXiv 2502.01126

    >>> round(selective_auc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)    # (1 + 1 + 2/3 + 3/4 + 3/5) / 5
    0.8033
    """
    score, correct_n = _scored(confidence, correct)
    ends, hits, _ = _descending(score, correct_n)
    kept = np.arange(1, len(score) + 1)
    return float(np.mean(np.interp(kept, np.append(0.0, ends), np.append(0.0, hits)) / kept))


def confusion(predicted: ArrayLike, truth: ArrayLike) -> Confusion:
    """Counts of yes/no predictions (n,) against yes/no truth (n,), both 0 or 1.

    raises  ValueError: unequal lengths, n = 0, values other than 0 and 1

    >>> confusion([1, 1, 0, 0], [1, 0, 0, 0])
    Confusion(tp=1, fp=1, fn=0, tn=2)
    """
    said, true = outcomes("predicted", predicted), outcomes("truth", truth)
    same_length(predicted=said, truth=true)
    tp, fp, fn, tn = (int(((said == s) & (true == t)).sum()) for s, t in ((1, 1), (1, 0), (0, 1), (0, 0)))
    return Confusion(tp, fp, fn, tn)


def precision_recall_f1(predicted: ArrayLike, truth: ArrayLike, *, zero_division: float = NAN) -> PrecisionRecall:
    """Precision, recall and F1 of yes.

    predicted, truth: (n,) 0 or 1
    zero_division:    the value where a denominator is 0; published tables often take 0
    raises            ValueError: unequal lengths, n = 0, values other than 0 and 1

    >>> precision_recall_f1([1, 1, 0, 0], [1, 0, 0, 0])
    PrecisionRecall(precision=0.5, recall=1.0, f1=0.6666666666666666, support=1)
    """
    return confusion(predicted, truth).precision_recall_f1(zero_division=zero_division)


def macro_f1(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Mean over classes of each class's F1, all classes alike however rare.

    predicted, truth: (n,) labels of any one type; the classes are those that occur in either (a yes/no table whose
                      classes must both count is `confusion(...).macro_f1(zero_division=0)`)
    raises            ValueError: unequal lengths, n = 0, missing labels

    >>> macro_f1(["a", "b", "b"], ["a", "b", "c"])    # F1 of a 1, of b 2/3, of c 0
    0.5555555555555555
    """
    said, true = flat("predicted", predicted), flat("truth", truth)
    n = same_length(predicted=said, truth=true)
    label, classes = codes("predicted and truth", np.concatenate([said, true]))
    scores = (confusion(label[:n] == k, label[n:] == k) for k in range(classes))
    return float(np.mean([score.precision_recall_f1().f1 for score in scores]))


def _scored(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    score, correct_n = numbers("confidence", confidence, finite=False), outcomes("correct", correct)
    same_length(confidence=score, correct=correct_n)
    return score, correct_n


def _descending(score: Floats, target: Floats) -> tuple[Floats, Floats, Floats]:
    """Per distinct score from the highest: items so far, targets so far, the score."""
    order = np.argsort(-score, kind="stable")
    starts = tie_starts(score[order])
    ends = np.append(starts[1:], len(score))
    return ends.astype(np.float64), np.cumsum(target[order])[ends - 1], score[order][starts]


def _ratio(part: float, whole: float, zero_division: float) -> float:
    return part / whole if whole else zero_division
