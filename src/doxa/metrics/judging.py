"""How well one judges whether answers are right: scores of the judgement, and of judging oneself against others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.calibration import ece, rmsce
from doxa.metrics.calibration_interval import bootstrap_ece
from doxa.metrics.discrimination import aurc, auroc
from doxa.metrics.discrimination_interval import auroc_of_weights, bootstrap_auroc
from doxa.metrics.inputs import Floats, codes, outcomes, probabilities, same_length
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.resampling import bootstrap_weighted
from doxa.metrics.scores import brier
from doxa.metrics.sums import NOTHING

BINS = 10  # of the ordinary error of c
TOP_BINS = 30  # of the error of the judgement, as published
PER_BIN = 100  # rows in a bin of RMSCE, as published
NAMES = ("AUROC", "accuracy of judging", "ECE", "ECE top-label")
POINTS = ("RMSCE", "RMSCE as published", "Brier", "AURC")
Judged = tuple[ArrayLike, ArrayLike]  # confidence (n,) of one judge in one model's answers, and what is right


def top_label(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    """Confidence in the judgement, max(c, 1 - c), and whether it is right; "correct" is judged where c > .5.

    confidence  (n,) probability in [0, 1] that each answer is right; correct: (n,) 0 or 1
    raises      ValueError: unequal lengths, n = 0, a confidence outside [0, 1]
    source      arXiv 2509.24988

    >>> [part.tolist() for part in top_label([0.75, 0.25, 0.5], [1, 1, 0])]
    [[0.75, 0.75, 0.5], [1.0, 0.0, 1.0]]
    """
    c, y = probabilities("confidence", confidence), outcomes("correct", correct)
    same_length(confidence=c, correct=y)
    return np.maximum(c, 1 - c), ((c > 0.5) == (y == 1)).astype(np.float64)


def ece_of_judgement(confidence: ArrayLike, correct: ArrayLike, *, bins: int = TOP_BINS) -> float:
    """`ece` of the judgement (`top_label`): not comparable with the ECE of c, and 0 for .5 always at 50 % accuracy.

    >>> ece_of_judgement([0.5, 0.5], [1, 0])
    0.0
    """
    return ece(*top_label(confidence, correct), bins=bins)


def rmsce_of_judgement(confidence: ArrayLike, correct: ArrayLike) -> float:
    """`rmsce` of the judgement over max(1, floor(n / 100)) equal-count bins."""
    said, hit = top_label(confidence, correct)
    return rmsce(said, hit, bins=_equal_count(len(said)), binning="mass")


def rmsce_as_published(confidence: ArrayLike, correct: ArrayLike) -> float:
    """What the published program calls RMSCE: (sum of (share * gap)^2)^(1/4), which squares and roots twice.

    raises  ValueError as `top_label`
    source  The-Inscrutable-X/CalibratedModelAgnosticCorrectness, commit 378a63e; kept for its figures only
    """
    said, hit = top_label(confidence, correct)
    order = np.argsort(said, kind="stable")
    bins = _equal_count(len(said))
    place = np.empty(len(said), dtype=np.int64)
    place[order] = np.minimum(np.arange(len(said)) // (len(said) // bins), bins - 1)
    gaps = (np.bincount(place, said, bins) - np.bincount(place, hit, bins)) / len(said)
    return float(((gaps**2).sum()) ** 0.25)


def _equal_count(n: int) -> int:
    return max(1, n // PER_BIN)


def judging_scores(
    confidence: ArrayLike, correct: ArrayLike, groups: ArrayLike, *, resamples: int = 1000
) -> dict[str, Interval]:
    """`NAMES` with 95 % intervals, groups (n,) kept together; nan throughout without items.

    The accuracy is that of the judgement c > .5, not of the answers: hold it against the share of the larger class.
    """
    if not np.size(confidence):
        return dict.fromkeys(NAMES, NOTHING)
    said, hit = top_label(confidence, correct)
    return {
        "AUROC": bootstrap_auroc(confidence, correct, groups=groups, resamples=resamples),
        "accuracy of judging": proportion_clustered(hit, groups),
        "ECE": bootstrap_ece(confidence, correct, bins=BINS, groups=groups, resamples=resamples),
        "ECE top-label": bootstrap_ece(said, hit, bins=TOP_BINS, groups=groups, resamples=resamples),
    }


def judging_points(confidence: ArrayLike, correct: ArrayLike) -> dict[str, float]:
    """`POINTS`, without intervals; nan without items."""
    if not np.size(confidence):
        return dict.fromkeys(POINTS, NAN)
    scores = (rmsce_of_judgement, rmsce_as_published, brier, aurc)
    return {name: score(confidence, correct) for name, score in zip(POINTS, scores, strict=True)}


def auroc_matrix(judged: Mapping[tuple[str, str], Judged], names: Sequence[str]) -> Floats:
    """AUROC (j, j) of each judge (rows) in the answers of each model (columns), in the order of names."""
    return np.array([[auroc(*judged[judge, model]) for model in names] for judge in names])


def self_advantage(
    judged: Mapping[tuple[str, str], Judged],
    names: Sequence[str],
    groups: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """How much better models judge their own answers: mean AUROC on the diagonal minus the mean off it.

    How hard a model's answers are to judge, and how good a judge is, both cancel: for two models this is
    (AA + BB - AB - BA) / 2. Resamples draw whole groups, the same ones in every cell.

    judged   (judge, model) -> (confidence (n,), correct (n,)), row i of all being about item i
    names    at least two models, each a judge, too; groups: (n,) labels
    returns  nan where one class is missing in some cell. The interval leaves out the noise of training the judges
    raises   ValueError: fewer than two names, unequal lengths
    source   the self-against-cross matrix of arXiv 2509.24988, RQ1

    >>> sure, vague, right = [0.9, 0.8, 0.2, 0.1], [0.5] * 4, [1, 1, 0, 0]
    >>> cells = {("a", "a"): sure, ("b", "b"): vague, ("a", "b"): vague, ("b", "a"): vague}
    >>> self_advantage({cell: (said, right) for cell, said in cells.items()}, "ab", [1, 2, 3, 4]).value
    0.25
    """
    if len(names) < 2:
        raise ValueError(f"names are {list(names)}; judging oneself is held against another, so give at least two")
    unit_n, units = codes("groups", groups)
    cells = {cell: auroc_of_weights(*judged[cell], groups=unit_n) for cell in ((j, m) for j in names for m in names)}
    others = len(names) * (len(names) - 1)

    def advantage(weights: Floats) -> Floats:
        signed = (
            of(weights) * (1 / len(names) if judge == model else -1 / others) for (judge, model), of in cells.items()
        )
        return np.asarray(sum(signed))

    n = len(unit_n)
    return bootstrap_weighted(
        advantage, units, n=n, cells_per_unit=n / units, resamples=resamples, seed=seed, level=level
    )


def equivalence_margin(interval_90: Interval) -> float:
    """The smallest margin within which a quantity is shown to be 0 at the 5 % level: two one-sided tests.

    source  Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15

    >>> equivalence_margin(Interval(0.01, -0.02, 0.04, 100, "bca"))
    0.04
    """
    return max(abs(interval_90.low), abs(interval_90.high))
