"""What a model knows of its own knowledge: P(True) of its answers, P(IK) of questions, one model's beside another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import pearson
from doxa.metrics.confidence_scores import gains
from doxa.metrics.discrimination_interval import bootstrap_auroc
from doxa.metrics.equal_count import equal_count_ece
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.resampling import bootstrap, paired_difference
from doxa.metrics.scores import brier
from doxa.metrics.sums import NOTHING, difference, mean, share

FEWEST = 8  # questions below which no correlation is shown


def judged_scores(
    said: Floats, right: Floats, groups: np.ndarray, *, bins: int = 10, resamples: int = 1000
) -> dict[str, Interval]:
    """Figures of P(True) (n,) beside whether each judged answer is right (n,); nan without answers.

    Conditional accuracy is that of answers with P(True) above .5, nan where there is none; coverage is their share.
    """
    if not len(said):
        return dict.fromkeys(("AUROC", "Brier", "ECE", "conditional accuracy", "coverage"), NOTHING)
    above = said > 0.5
    return {
        "AUROC": bootstrap_auroc(said, right, groups=groups, resamples=resamples),
        "Brier": mean((said - right) ** 2, groups, bounds=(0, 1)),
        "ECE": equal_count_ece(said, right, groups, bins=bins, resamples=resamples),
        "conditional accuracy": share(right[above], groups[above]),
        "coverage": share(above, groups),
    }


def judged_gains(
    ours: Floats, theirs: Floats, right: Floats, groups: np.ndarray, *, resamples: int = 1000
) -> dict[str, Interval]:
    """AUROC and Brier of one way to P(True) minus those of another, on the same answers."""
    if not len(right):
        return dict.fromkeys(("AUROC", "Brier"), NOTHING)
    area = gains((ours, right), (theirs, right), groups, resamples=resamples)["AUROC"]
    return {"AUROC": area, "Brier": mean((ours - right) ** 2 - (theirs - right) ** 2, groups, bounds=(-1, 1))}


@dataclass(frozen=True, eq=False)
class Foreknown:
    """n questions: P(IK) before any answer, and how many of so many samples were right.

    p, share  (n,) in [0, 1]; samples: (n,) how many; groups: (n,) labels
    """

    p: Floats
    share: Floats
    samples: np.ndarray
    groups: np.ndarray

    def where(self, keep: np.ndarray) -> Foreknown:
        return Foreknown(self.p[keep], self.share[keep], self.samples[keep], self.groups[keep])

    def saying(self, p: Floats) -> Foreknown:
        """The same questions with another P(IK); those without one are left out."""
        return Foreknown(p, self.share, self.samples, self.groups).where(np.isfinite(p))

    def knows(self, threshold: float = 0.5) -> Floats:
        """Whether more than so many of the samples are right, (n,)."""
        return np.asarray(self.share > threshold, dtype=float)

    def by_sample(self) -> tuple[Floats, Floats, np.ndarray]:
        """P(IK), right or wrong and group of each sample: rows of one question are not independent."""
        counts = np.round(self.share * self.samples).astype(int)
        right = np.concatenate([np.arange(n) < k for n, k in zip(self.samples, counts, strict=True)] or [np.empty(0)])
        return np.repeat(self.p, self.samples), right.astype(float), np.repeat(self.groups, self.samples)

    def auroc(self, threshold: float = 0.5, *, resamples: int = 1000) -> Interval:
        """Whether P(IK) tells the questions that are known from the others."""
        if not len(self.p):
            return NOTHING
        return bootstrap_auroc(self.p, self.knows(threshold), groups=self.groups, resamples=resamples)

    def correlation(self, *given: Floats, resamples: int = 1000) -> Interval:
        """Of P(IK) with the share, or the partial one given other numbers (n,), for which both are regressed on them.

        nan for fewer than 8 questions, or where either is constant (given the others)
        """
        if len(self.p) < FEWEST:
            return Interval(NAN, NAN, NAN, len(self.p), "too few questions")
        return bootstrap(
            partial, self.p, self.share, *given, groups=self.groups, resamples=resamples, max_undefined=0.2
        )


def partial(a: Floats, b: Floats, *given: Floats) -> float:
    """Correlation of what is left of a and b (n,) when `given` (n,) are regressed out; nan where nothing is left.

    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> round(partial(x, 2 * x + [0, 1, 0, 1]), 3)
    0.984
    """
    if given:
        basis = np.column_stack([np.ones(len(a)), *given])
        a, b = (values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0] for values in (a, b))
    if min(float(np.ptp(a)), float(np.ptp(b))) < 1e-9:
        return NAN
    return pearson(a, b)


def foreknown_scores(
    known: Foreknown, *, threshold: float = 0.5, bins: int = 10, resamples: int = 1000
) -> dict[str, Interval]:
    """Figures of P(IK). Brier and ECE are those of single samples, so that 1/4 and less of Brier is chance alone."""
    if not len(known.p):
        return dict.fromkeys(("mean", "AUROC", "Brier", "ECE", "MAE", "correlation"), NOTHING)
    said, right, groups = known.by_sample()
    return {
        "mean": mean(known.p, known.groups, bounds=(0, 1)),
        "AUROC": known.auroc(threshold, resamples=resamples),
        "Brier": mean((said - right) ** 2, groups, bounds=(0, 1)),
        "ECE": equal_count_ece(said, right, groups, bins=bins, resamples=resamples),
        "MAE": mean(np.abs(known.p - known.share), known.groups, bounds=(0, 1)),
        "correlation": known.correlation(resamples=resamples),
    }


def gained(ours: Floats, theirs: Floats, knows: Floats, groups: np.ndarray, *, resamples: int = 1000) -> Interval:
    """AUROC of one P(IK) minus that of another on the same questions; nan without both kinds of question."""
    if len(knows) < 2 or not 0 < knows.sum() < len(knows):
        return NOTHING
    return gains((ours, knows), (theirs, knows), groups, resamples=resamples)["AUROC"]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two models on the same n questions: P(IK) (n,) and share right (n,) of each, groups (n,)."""

    p: tuple[Floats, Floats]
    share: tuple[Floats, Floats]
    groups: np.ndarray

    def table(self, names: Sequence[str]) -> list[tuple[object, ...]]:
        """Who alone answers: mean P(IK) of both, and how many questions."""
        lines: list[tuple[object, ...]] = []
        for name, only in (("both", self._only(None)), *zip(names, map(self._only, (0, 1)), strict=True)):
            lines.append((name, *(float(p[only].mean()) if only.any() else NAN for p in self.p), int(only.sum())))
        return lines

    def scores(self, *, resamples: int = 1000) -> dict[str, Interval]:
        """Mean P(IK) where one alone answers, how much it exceeds the other's there, and partial correlations.

        Differences are paired, whole groups resampled: with few such questions they are noise, and the interval says so
        """
        found: dict[str, Interval] = {}
        for place, (own, name) in enumerate((("it", "the other"), ("the other", "it"))):
            only = self._only(place)
            groups = self.groups[only]
            mine, theirs = self.p[place][only], self.p[1 - place][only]
            where = f"where only {own} answers"
            first, second = (mine, theirs) if place == 0 else (theirs, mine)
            found[f"P(IK) {where}"] = mean(first, groups, bounds=(0, 1))
            found[f"the other's P(IK) {where}"] = mean(second, groups, bounds=(0, 1))
            found[f"P(IK) of {own} above that of {name} {where}"] = (
                paired_difference(np.mean, (mine,), (theirs,), groups=groups, resamples=resamples)
                if len(mine)
                else NOTHING
            )
        known = Foreknown(self.p[0], self.share[0], np.ones(len(self.groups), dtype=int), self.groups)
        found["correlation given the other's share"] = known.correlation(self.share[1], resamples=resamples)
        return found

    def _only(self, place: int | None) -> np.ndarray:
        """Questions that one answers more often than not, and the other does not; None: both do."""
        own = [share > 0.5 for share in self.share]
        return own[0] & own[1] if place is None else own[place] & ~own[1 - place]


def brier_of(known: Foreknown) -> float:
    """Brier score of single samples; nan without questions."""
    said, right, _ = known.by_sample()
    return brier(said, right) if len(said) else NAN


def popularity_scores(known: Foreknown, popularity: ArrayLike, *, resamples: int = 1000) -> dict[str, Interval]:
    """Does P(IK) follow how well known the questions' subjects are? Order of the best and the least known third.

    popularity  (n,) in [0, 1]; nan: not known, left out
    """
    fame = np.asarray(popularity, dtype=float)
    high, low = fame > 2 / 3, fame < 1 / 3
    ends = known.where(high | low)
    found = {"best known above least known": NOTHING, "rank correlation with popularity": NOTHING}
    if len(ends.p):
        best = high[high | low].astype(float)
        found["best known above least known"] = bootstrap_auroc(ends.p, best, groups=ends.groups, resamples=resamples)
    there = np.isfinite(fame)
    if there.sum() >= FEWEST:
        from doxa.metrics.correlation_interval import spearman_interval

        found["rank correlation with popularity"] = spearman_interval(known.p[there], fame[there])
    return found


def apart(known: Foreknown, first: np.ndarray, second: np.ndarray) -> Interval:
    """Mean P(IK) of some questions (a mask) minus that of others, the limits from those of both means."""
    of = [known.where(mask) for mask in (first, second)]
    if not all(len(one.p) for one in of):
        return NOTHING
    return difference(*(mean(one.p, one.groups, bounds=(0, 1)) for one in of))
