"""What stated confidences must show when each answer's chance of being right is known: values in closed form.

Written without the functions of `doxa.metrics`, for these are put to the test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from doxa.planted import Expected

BINS = 10

# The normal distribution on a grid, for means of functions that have no closed form.
GRID = np.linspace(-6, 6, 601)
DENSITY = np.exp(-(GRID**2) / 2) / np.exp(-(GRID**2) / 2).sum()

Spread = tuple[float, float]  # an expected value, and the standard deviation of one of its n items


@dataclass(frozen=True, eq=False)
class Stated:
    """Answers with a known chance of being right, and the confidences that may be stated with them.

    right_n    (n,) probability that each answer is right, independently of the others
    said_nk    (n, k) confidences that may be stated, whether right or wrong; weight_nk: (n, k) their probabilities
    """

    right_n: np.ndarray
    said_nk: np.ndarray
    weight_nk: np.ndarray

    @classmethod
    def once(cls, right_n: np.ndarray, said_n: np.ndarray) -> Stated:
        """One confidence (n,) for each answer."""
        return cls(right_n, said_n[:, None], np.ones((len(said_n), 1)))

    @classmethod
    def share(cls, right_n: np.ndarray, agrees_n: np.ndarray, samples: int) -> Stated:
        """The share of so many samples that agree with the answer, each with probability `agrees_n`."""
        k = np.arange(samples + 1)
        ways = np.array([math.comb(samples, agreeing) for agreeing in k])
        weight = ways * agrees_n[:, None] ** k * (1 - agrees_n[:, None]) ** (samples - k)
        return cls(right_n, np.broadcast_to(k / samples, weight.shape), weight)

    def expect(self, of: str, *metrics: str) -> list[Expected]:
        """What the estimate "METRIC, OF" must show, for each metric by its name in `knowing.METRICS`."""
        made: dict[str, Callable[[], Spread]] = {
            "ECE": self.ece,
            "ECE, debiased": self.ece_debiased,
            "Brier": self.brier,
            "AUROC": self.auroc,
            "AURC": self.aurc,
            "confidence minus accuracy": self.surplus,
        }
        return [Expected(f"{m}, {of}", value, sd=sd) for m in metrics for value, sd in [made[m]()]]

    def surplus(self) -> Spread:
        """Mean of confidence - correct."""
        mean, square = self._moment(1), self._moment(2)
        return float(mean.mean()), _root_mean(square - mean**2)

    def brier(self) -> Spread:
        """Mean of (confidence - correct)^2."""
        square, fourth = self._moment(2), self._moment(4)
        return float(square.mean()), _root_mean(fourth - square**2)

    def ece(self) -> Spread:
        """Sum over bins of the mean of |gap|, the gap being normal: so it has the bias that ECE has at this n."""
        return self._over_bins(lambda gap, bin_: np.abs(gap) * bin_.items / len(self.right_n))

    def ece_debiased(self) -> Spread:
        """The same for 2 |gap| - E|gap + s Z| with s the scatter of the accuracy; bins of at least two items."""
        bins = [bin_ for bin_ in self._bins() if bin_.items > 1]
        used = sum(bin_.items for bin_ in bins)

        def corrected(gap: np.ndarray, bin_: Bin) -> np.ndarray:
            accuracy = np.clip(bin_.said - gap, 0, 1)
            scatter = np.sqrt(accuracy * (1 - accuracy) / bin_.items)
            return np.asarray((2 * np.abs(gap) - _folded(gap, scatter)) * bin_.items / used)

        return self._over_bins(corrected, bins)

    def auroc(self) -> Spread:
        """Chance that a right answer has the higher confidence than a wrong one; exactly 1/2 where all are tied."""
        right, wrong = float(self.right_n.sum()), float((1 - self.right_n).sum())
        values, place = np.unique(self.said_nk, return_inverse=True)
        if len(values) == 1:
            return 0.5, 0.0
        of_right, of_wrong = (
            np.bincount(place.ravel(), (self.weight_nk * p[:, None]).ravel()) for p in (self.right_n, 1 - self.right_n)
        )
        won = float(of_right @ (np.cumsum(of_wrong) - of_wrong / 2))
        itself = float(self.right_n @ (1 - self.right_n))  # no item is compared with itself
        area = (won - itself / 2) / (right * wrong - itself)
        return area, auroc_sd(area, right, wrong)

    def aurc(self) -> Spread:
        """Area under risk against coverage: trapezoids between groups of ties, the first risk held down to 0.

        raises  ValueError: more than one confidence for an answer, so that the order is not known
        """
        if self.said_nk.shape[1] != 1:
            raise ValueError(f"the order of answers with {self.said_nk.shape[1]} possible confidences is not known")
        n, order = len(self.right_n), np.argsort(-self.said_nk[:, 0], kind="stable")
        wrong, said = 1 - self.right_n[order], self.said_nk[order, 0]
        ends = np.append(np.flatnonzero(np.diff(said)) + 1, n)
        width = np.diff(ends, prepend=0) / n
        area = np.append(width[1:], 0) / 2 + np.append(width[0], width[1:] / 2)
        weight = np.repeat((area / ends)[::-1].cumsum()[::-1], np.diff(ends, prepend=0))  # of an error, in all risks
        return float(weight @ wrong), math.sqrt(float(weight**2 @ (wrong * (1 - wrong))) * n)

    def spearman(self, other: Stated) -> Spread:
        """Rank correlation with another confidence in the same answers; nan where either is constant.

        Spread: (1 - r^2) sqrt(1 + r^2 / 2), Bonett and Wright 2000, Psychometrika 65(1).
        """
        (a, a_square), (b, b_square) = self._ranks(), other._ranks()
        if not a_square or not b_square:
            return math.nan, 0.0
        r = float(a @ b) / len(a) / math.sqrt(a_square * b_square)
        return r, max(1 - r**2, 0.0) * math.sqrt(1 + r**2 / 2)

    def _ranks(self) -> tuple[np.ndarray, float]:
        """Expected rank (n,) of each answer, from -1/2 to 1/2, and the mean square of the ranks."""
        values, place = np.unique(self.said_nk, return_inverse=True)
        held = np.bincount(place.ravel(), self.weight_nk.ravel()) / len(self.right_n)
        rank = np.cumsum(held) - held / 2 - 0.5
        expected = (self.weight_nk * rank[place.reshape(self.said_nk.shape)]).sum(axis=1)
        return expected, float(held @ rank**2) if len(values) > 1 else 0.0

    def _moment(self, power: int) -> np.ndarray:
        """Mean of (confidence - correct)^power for each answer, (n,)."""
        p = self.right_n[:, None]
        each = p * (self.said_nk - 1) ** power + (1 - p) * self.said_nk**power
        return np.asarray((self.weight_nk * each).sum(axis=1))

    def _bins(self) -> list[Bin]:
        """The bins in use; a right edge belongs to its bin, 0 to the first."""
        p, n = self.right_n[:, None], len(self.right_n)
        place = np.clip(np.ceil(np.round(self.said_nk * BINS, 8)) - 1, 0, BINS - 1)
        bins = []
        for b in np.unique(place):
            inside = self.weight_nk * (place == b)
            items = float(inside.sum())
            mean = (inside * (self.said_nk - p)).sum(axis=1)
            square = (inside * ((self.said_nk - p) ** 2 + p * (1 - p))).sum(axis=1)
            said = float((inside * self.said_nk).sum())
            if items > 1e-9 * n:
                bins.append(
                    Bin(items, said / items, float(mean.sum()) / items, float((square - mean**2).sum()) / items**2)
                )
        return bins

    def _over_bins(self, part: Callable[[np.ndarray, Bin], np.ndarray], bins: Sequence[Bin] | None = None) -> Spread:
        """Sum over bins of the mean of `part(gap, bin)`, gaps taken as normal and independent of each other."""
        value = variance = 0.0
        for bin_ in self._bins() if bins is None else bins:
            values = part(bin_.gap + math.sqrt(bin_.variance) * GRID, bin_)
            mean = float(values @ DENSITY)
            value, variance = value + mean, variance + float((values - mean) ** 2 @ DENSITY)
        return value, math.sqrt(variance * len(self.right_n))


@dataclass(frozen=True)
class Bin:
    """Items expected in a bin, their mean confidence; mean and variance of the gap, mean confidence - accuracy."""

    items: float
    said: float
    gap: float
    variance: float


def auroc_sd(area: float, right: float, wrong: float) -> float:
    """Standard deviation of an AUROC, as that of one of all items. Source: Hanley and McNeil 1982, Radiology 143(1)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (right - 1) * (q1 - area**2) + (wrong - 1) * (q2 - area**2)
    return math.sqrt(variance / (right * wrong) * (right + wrong))


def sharpened(p: np.ndarray, slope: float, c: int) -> np.ndarray:
    """The belief p in one of c options after the distribution (p, the rest even) to a power was normalised, (n,)."""
    odds = (p / (1 - p)) ** slope * (c - 1) ** (slope - 1)
    return np.asarray(odds / (1 + odds))


def _folded(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """E|mean + sd Z|, Z standard normal."""
    ratio = np.divide(np.abs(mean), sd, out=np.full_like(mean, np.inf), where=sd > 0)
    inside = np.array([math.erf(r / math.sqrt(2)) for r in ratio])
    return np.asarray(sd * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + np.abs(mean) * inside)


def _root_mean(values: np.ndarray) -> float:
    return math.sqrt(max(float(values.mean()), 0.0))
