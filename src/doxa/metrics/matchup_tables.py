"""Tables of ways to a confidence in answers: by set, by number of calls, and as probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from doxa.metrics.calibration import ece
from doxa.metrics.calibrators import cross_fitted
from doxa.metrics.discrimination import selective_auc
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.matchup_scores import WAYS, Compared, Scored, averaged
from doxa.metrics.matchups import by_rank
from doxa.metrics.scores import brier

FOLDS = 5
AS_STATED = ("direct", "hybrid_sc")  # their scores are in [0, 1] already


class Lines(NamedTuple):
    """A table of numbers."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str


def by_set(sets: Sequence[Compared], *, resamples: int = 1000) -> Lines:
    """Every way in every set, beside the best and the worst that a score could do there."""
    lines = [(one.name or "questions", way, *_figures(one, way, resamples)) for one in sets for way in WAYS]
    areas_ = ("selective AUC", "from", "to", "AUROC", "from ", "to ")
    columns = ("set", "way", "n", *areas_, "random", "oracle", "normalised gain")
    note = (
        "95 % intervals. Random: the accuracy. Normalised gain: (selective AUC - random) / (oracle - random). "
        "Scores are comparable within a set only."
    )
    return Lines("By set", columns, tuple(lines), note)


def _figures(one: Compared, way: str, resamples: int) -> Iterator[Any]:
    found, scored = one.areas(way, resamples=resamples), one.scored(way)
    right = scored.correct
    yield len(right)
    for name in ("selective AUC", "AUROC"):
        yield from _limits(found[name])
    if not len(right):
        yield from (NAN,) * 3
        return
    random, oracle = float(right.mean()), selective_auc(right, right)
    yield from (random, oracle, normalised_gain(scored.score, right))


def normalised_gain(score: Floats, correct: Floats) -> float:
    """(selective AUC - accuracy) / (oracle - accuracy): 0 for a constant score, 1 for the best; nan for one class.

    >>> round(normalised_gain(np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1.0, 1.0, 0.0, 1.0, 0.0])), 3)
    0.753
    """
    random, oracle = float(np.mean(correct)), selective_auc(correct, correct)
    return (selective_auc(score, correct) - random) / (oracle - random) if oracle > random else NAN


def by_calls(sets: Sequence[Compared], calls: Sequence[int], *, resamples: int = 1000) -> Lines:
    """Quality by budget of calls for each question: its first matchups against its first samples; means of sets."""
    lines = []
    for m in calls:
        for way in WAYS[1:]:
            each = [one.within(m).areas(way, resamples=resamples) for one in sets]
            found = [averaged([of[name] for of in each]) for name in ("selective AUC", "AUROC")]
            lines.append((m, way, found[0].n, *_limits(found[0]), *_limits(found[1])))
    columns = ("calls", "way", "n", "selective AUC", "from", "to", "AUROC", "from ", "to ")
    note = "Matchups count as calls of the question that drew its opponent. Means of sets, 95 % intervals."
    return Lines("By number of calls", columns, tuple(lines), note)


def as_confidence(sets: Sequence[Compared]) -> Lines:
    """Scores as probabilities: as stated, by rank, or by a calibration fitted on other folds of the questions."""
    lines = []
    for one in sets:
        for way in WAYS:
            scored = one.scored(way)
            for mapping in ("as stated",) if way in AS_STATED else ("rank", "platt", "isotonic"):
                said = _mapped(scored, mapping)
                kept = np.isfinite(said)
                figures = [f(said, scored.correct) if len(said) and kept.all() else NAN for f in (ece, brier)]
                lines.append((one.name or "questions", way, mapping, len(said), *figures))
    note = (
        f"Rank: rank / (n - 1). Platt and isotonic: of that rank, fitted on {FOLDS - 1} of {FOLDS} folds for the last."
    )
    return Lines("As a confidence", ("set", "way", "mapping", "n", "ECE", "Brier"), tuple(lines), note)


def _mapped(scored: Scored, mapping: str) -> Floats:
    """Confidences (n,); nan where too few questions are right or wrong for a fit."""
    if mapping == "as stated" or not len(scored.score):
        return scored.score
    ranked = by_rank(scored.score)
    if mapping == "rank":
        return ranked
    method: Literal["platt", "isotonic"] = "platt" if mapping == "platt" else "isotonic"
    try:
        return cross_fitted(ranked, scored.correct, method, groups=scored.group, folds=FOLDS)
    except ValueError:
        return np.full(len(ranked), NAN)


def _limits(found: Interval) -> tuple[float, float, float]:
    return found.value, found.low, found.high
