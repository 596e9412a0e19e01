"""What figures of confidence must show when each answer's chance of being right is known: means and spreads.

Written without the metrics that are to be tested with it. Values are exact, or exact but for terms of order 1/n; sums
over a bin are taken as normal; spreads are those of independent answers, of ratios to first order (the delta method;
Oehlert 1992, Am. Stat. 46(1)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats

Number = float | Floats  # one for all ends, or (n, k)
Pair = tuple[Number, Number]  # if the answer is right, if it is wrong

TINY = 1e-9
NORMAL = np.linspace(-6, 6, 601)  # points of the standard normal distribution, for means that have no closed form
DENSITY = np.exp(-(NORMAL**2) / 2) / np.exp(-(NORMAL**2) / 2).sum()
STEPS = 4001  # of the grid over which the mean of a largest gap is integrated


class Foreseen(NamedTuple):
    """A figure over n items: its mean, and the standard deviation of one item, so that its own is sd / sqrt(n)."""

    value: float
    sd: float
    n: int


@dataclass(frozen=True, eq=False)
class Outlook:
    """What may become of n items, each of which ends in one of k ways.

    said_nk    (n, k) confidence at that end; 1-d arrays (n,) are one way each
    right_nk   (n, k) probability that the answer is right then; for forecasts: that the event happens
    weight_nk  (n, k) probability of that end, summing to 1 over the k of an item
    """

    said_nk: Floats
    right_nk: Floats
    weight_nk: Floats

    @classmethod
    def of(cls, said: ArrayLike, right: ArrayLike, weight: ArrayLike | None = None) -> Outlook:
        """An outlook from arrays that broadcast to (n, k); without weights all ends are equally probable."""
        columns = [_two_d(values) for values in (said, right, 1.0 if weight is None else weight)]
        a, b, c = np.broadcast_arrays(*columns)
        return cls(a, b, c / c.sum(axis=1, keepdims=True))

    @classmethod
    def share(cls, right: ArrayLike, agrees: ArrayLike, samples: int) -> Outlook:
        """Confidence is the share of so many samples that agree with the answer, each with probability `agrees`."""
        k, agrees_n = np.arange(samples + 1), _two_d(agrees)
        ways = np.array([math.comb(samples, agreeing) for agreeing in k])
        return cls.of(k[None, :] / samples, right, ways * agrees_n**k * (1 - agrees_n) ** (samples - k))

    @property
    def n(self) -> int:
        """Items."""
        return len(self.said_nk)

    # --- means and ratios

    def mean(self, if_right: Number, if_wrong: Number) -> Foreseen:
        """Mean of a number that is one thing for a right answer and another for a wrong one."""
        first, second = self._expected(if_right, if_wrong), self._expected(if_right**2, if_wrong**2)
        return Foreseen(float(first.mean()), math.sqrt(max(0.0, float((second - first**2).mean()))), self.n)

    def ratio(self, part: Pair, whole: Pair) -> Foreseen:
        """Sum of one number over the sum of another."""
        return self.mean_of_ratios([(part, whole)])

    def mean_of_ratios(self, ratios: Sequence[tuple[Pair, Pair]]) -> Foreseen:
        """Mean of several ratios over the same items."""
        value, if_right, if_wrong = 0.0, np.zeros_like(self.said_nk), np.zeros_like(self.said_nk)
        for part, whole in ratios:
            total = float(self._expected(*whole).mean())
            if not total:
                return Foreseen(math.nan, 0.0, self.n)
            one = float(self._expected(*part).mean()) / total
            value += one / len(ratios)
            if_right += (part[0] - one * whole[0]) / (total * len(ratios))
            if_wrong += (part[1] - one * whole[1]) / (total * len(ratios))
        return Foreseen(value, self.mean(if_right, if_wrong).sd, self.n)

    # --- calibration

    def gap_error(self, place_nk: ArrayLike) -> Foreseen:
        """Sum over groups of |sum of confidence - right| / n, with what chance adds to it at this n.

        place_nk  group of each end, by width (`by_width`) for the ECE, by the side taken, ...; below 0: in none
        """
        mean_b, cov_bb = self._gaps(place_nk)
        sd_b = np.sqrt(np.diag(cov_bb))
        folded_b = _folded(mean_b, sd_b)
        sign_b = _erf(np.divide(mean_b, sd_b * math.sqrt(2), out=np.sign(mean_b) * 9, where=sd_b > 0))
        variance = float((mean_b**2 + sd_b**2 - folded_b**2).sum())
        between = cov_bb - np.diag(np.diag(cov_bb))
        variance += float(sign_b @ between @ sign_b)
        return Foreseen(float(folded_b.sum()) / self.n, math.sqrt(max(0.0, variance) / self.n), self.n)

    def gap_error_debiased(self, place_nk: ArrayLike) -> Foreseen:
        """`gap_error` less what it exceeds itself by in further draws of the gaps, as `ece_debiased` reckons.

        Gaps are taken as normal and independent of each other; groups of less than two items count for nothing.
        """
        place = np.broadcast_to(place_nk, self.said_nk.shape)
        value = variance = used = 0.0
        for group in np.unique(place[place >= 0]):
            inside = self.weight_nk * (place == group)
            items = float(inside.sum())
            if items <= 1:
                continue
            mean_b, cov_bb = self._gaps(np.where(place == group, 0, -1))
            gap = (float(mean_b[0]) + math.sqrt(float(cov_bb[0, 0])) * NORMAL) / items
            accuracy = np.clip(float((inside * self.said_nk).sum()) / items - gap, 0, 1)
            scatter = np.sqrt(accuracy * (1 - accuracy) / items)
            corrected = (2 * np.abs(gap) - _folded(np.abs(gap), scatter)) * items
            mean = float(corrected @ DENSITY)
            value, used = value + mean, used + items
            variance += float((corrected - mean) ** 2 @ DENSITY)
        return Foreseen(value / used, math.sqrt(variance * self.n) / used, self.n)

    def largest_gap(self, place_nk: ArrayLike) -> Foreseen:
        """Largest |mean of confidence - right| of a group: exact, by how many of each group may be right.

        raises  ValueError: items that end in several ways
        """
        said, right, place = self._one_way(), self.right_nk[:, 0], np.broadcast_to(place_nk, self.said_nk.shape)[:, 0]
        x = np.linspace(0, 1, STEPS)
        below = np.ones(STEPS)
        for group in np.unique(place[place >= 0]):
            inside = place == group
            gap = np.abs(said[inside].mean() - np.arange(inside.sum() + 1) / inside.sum())
            order = np.argsort(gap)
            cumulated = np.append(0.0, np.cumsum(_counts(right[inside])[order]))
            below *= cumulated[np.searchsorted(gap[order], x, side="right")]
        value, square = float(np.trapezoid(1 - below, x)), float(np.trapezoid(2 * x * (1 - below), x))
        return Foreseen(value, math.sqrt(max(0.0, square - value**2) * self.n), self.n)

    def by_width(self, bins: int = 10, *, closed: str = "right") -> np.ndarray:
        """Equal-width bin of each end (n, k), closed on the right (0 in the first) or on the left (1 in the last)."""
        tenths = np.round(self.said_nk * bins, 8)
        place = np.ceil(tenths) - 1 if closed == "right" else np.floor(tenths)
        return np.clip(place, 0, bins - 1).astype(int)

    def by_mass(self, bins: int = 10) -> np.ndarray:
        """Equal-mass bin of each item (n, 1), the remainder in the last. ValueError: the order is not known (k > 1)."""
        rank = np.argsort(np.argsort(self._one_way(), kind="stable"), kind="stable")
        return np.minimum(rank // (self.n // bins), bins - 1)[:, None]

    def _gaps(self, place_nk: ArrayLike) -> tuple[Floats, Floats]:
        """Of each group in use: mean (b,) and covariance (b, b) of its sum of confidence - right."""
        place = np.broadcast_to(place_nk, self.said_nk.shape)
        used = np.unique(place[(place >= 0) & (self.weight_nk > 0)])
        inside = [(place == b).astype(float) for b in used]
        pairs = [((self.said_nk - 1) * one, self.said_nk * one) for one in inside]
        mean_nb = np.stack([self._expected(*pair) for pair in pairs], axis=1)
        square_b = np.array([self._expected(right**2, wrong**2).sum() for right, wrong in pairs])
        return mean_nb.sum(axis=0), np.diag(square_b) - mean_nb.T @ mean_nb

    # --- ranking

    def auroc(self) -> Foreseen:
        """Chance that a right answer has the higher confidence than a wrong one, ties half; nan for one class."""
        place, levels = self._levels()
        right_nk, wrong_nk = self.weight_nk * self.right_nk, self.weight_nk * (1 - self.right_nk)
        right, wrong = (np.bincount(place.ravel(), mass.ravel(), levels) for mass in (right_nk, wrong_nk))
        beaten = wrong.sum() - np.cumsum(wrong) + wrong / 2  # wrong answers below a right one of this level
        losing = np.cumsum(right) - right / 2  # right answers above a wrong one of this level
        first, second = place[:, :, None], place[:, None, :]
        pairs = right_nk[:, :, None] * wrong_nk[:, None, :]  # no item is compared with itself
        own = float((pairs * ((first < second) + (first == second) / 2)).sum())
        compared = float(right.sum() * wrong.sum() - pairs.sum())
        if compared < TINY:
            return Foreseen(math.nan, 0.0, self.n)
        value = (float(right @ beaten) - own) / compared
        influence = (
            (beaten / wrong.sum() - value)[place] / right.sum() * self.n,
            (losing / right.sum() - value)[place] / wrong.sum() * self.n,
        )
        return Foreseen(value, self.mean(*influence).sd, self.n)

    def auprc(self) -> Foreseen:
        """Average precision of finding right answers by high confidence; nan without any.

        A little off where items end in several ways with many different confidences: their crowding is taken as known.
        """
        place, levels = self._levels()
        right_nk = self.weight_nk * self.right_nk
        gained = np.bincount(place.ravel(), right_nk.ravel(), levels)
        held = np.cumsum(np.bincount(place.ravel(), self.weight_nk.ravel(), levels))
        hits, total = np.cumsum(gained), float(gained.sum())
        if total < TINY:
            return Foreseen(math.nan, 0.0, self.n)
        upto = (right_nk[:, None, :] * (place[:, None, :] <= place[:, :, None])).sum(axis=2)
        itself = np.bincount(place.ravel(), (right_nk * (1 - upto)).ravel(), levels)  # a right answer finds itself
        value = float(((gained * hits + itself) / held).sum()) / total
        later = np.cumsum((gained / held)[::-1])[::-1]
        crowding = np.cumsum((gained * hits / held**2)[::-1])[::-1]
        influence = np.stack([hits / held + later - crowding - value, -crowding]) * self.n / total
        return Foreseen(value, self.mean(influence[0][place], influence[1][place]).sd, self.n)

    def aurc(self) -> Foreseen:
        """Area under risk against coverage: trapezoids between the ends of ties, the first risk held down to 0."""
        place, levels = self._levels()
        wrong = np.cumsum(np.bincount(place.ravel(), (self.weight_nk * (1 - self.right_nk)).ravel(), levels))
        held = np.cumsum(np.bincount(place.ravel(), self.weight_nk.ravel(), levels))
        risk, step = wrong / held, np.diff(held, prepend=0.0)
        between = (risk[1:] + risk[:-1]) / 2
        weight = np.append(step[0], step[1:] / 2) + np.append(step[1:] / 2, 0)
        by_wrong = weight / held
        by_held = -weight * wrong / held**2 + np.append(risk[0], between) - np.append(between, 0)
        later = [np.cumsum(values[::-1])[::-1] for values in (by_held, by_held + by_wrong)]
        value = float(weight @ risk) / self.n
        return Foreseen(value, self.mean(later[0][place], later[1][place]).sd, self.n)

    def spearman(self, other: Outlook) -> Foreseen:
        """Rank correlation with another confidence in the same answers; nan where either is constant.

        Spread: (1 - r^2) sqrt(1 + r^2 / 2), Bonett and Wright 2000, Psychometrika 65(1).
        """
        (a, a_square), (b, b_square) = self._ranks(), other._ranks()
        if not a_square or not b_square:
            return Foreseen(math.nan, 0.0, self.n)
        r = float(a @ b) / self.n / math.sqrt(a_square * b_square)
        return Foreseen(r, max(1 - r**2, 0.0) * math.sqrt(1 + r**2 / 2), self.n)

    def turned(self) -> Outlook:
        """The same items with wrong answers to be found by low confidence."""
        return Outlook(1 - self.said_nk, 1 - self.right_nk, self.weight_nk)

    # --- inside

    def _levels(self) -> tuple[np.ndarray, int]:
        """Place of each confidence, to 9 decimals, among those that may occur, the highest first; and how many do."""
        rounded = np.round(-self.said_nk, 9)
        occurring = np.unique(rounded[self.weight_nk > 0])
        return np.minimum(np.searchsorted(occurring, rounded), len(occurring) - 1), len(occurring)

    def _ranks(self) -> tuple[Floats, float]:
        """Expected rank (n,) of each confidence, from -1/2 to 1/2, and the mean square of the ranks; 0: all tied."""
        place, levels = self._levels()
        held = np.bincount(place.ravel(), self.weight_nk.ravel(), levels) / self.n
        rank = 0.5 - (np.cumsum(held) - held / 2)  # the first level is the highest
        return (self.weight_nk * rank[place]).sum(axis=1), float(held @ rank**2) if levels > 1 else 0.0

    def _expected(self, if_right: Number, if_wrong: Number) -> Floats:
        """Mean of a number for each item, (n,)."""
        each = self.right_nk * if_right + (1 - self.right_nk) * if_wrong
        return np.asarray((self.weight_nk * each).sum(axis=1))

    def _one_way(self) -> Floats:
        if self.said_nk.shape[1] != 1:
            raise ValueError(f"items end in {self.said_nk.shape[1]} ways, so that their order is not known in advance")
        return np.asarray(self.said_nk[:, 0])


def _two_d(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=float)
    return array[:, None] if array.ndim == 1 else array


def _counts(chance_n: Floats) -> Floats:
    """Probability of 0 to n successes of independent chances, (n + 1,)."""
    found = np.ones(1)
    for chance in chance_n:
        found = np.convolve(found, [1 - chance, chance])
    return found


def _folded(mean: Floats, sd: Floats) -> Floats:
    """E|mean + sd Z|, Z standard normal."""
    ratio = np.divide(mean, sd, out=np.full_like(mean, 9.0), where=sd > 0)
    spread = sd * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2)
    return np.asarray(np.where(sd > 0, spread + mean * _erf(ratio / math.sqrt(2)), np.abs(mean)))


_erf = np.vectorize(math.erf, otypes=[float])
