"""Scores of whole distributions over options and an abstention: where the doubt goes, to silence or to errors.

n items, each with a distribution over c options, abstentions among them. All scores of one item depend on three masses:
on right options, on wrong ones, and on abstaining.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats

Variant = Literal["corrected", "published"]
TIED = 1e-9  # probabilities that differ by less are equal
SURE = 1e-6  # how far a distribution may be from a sum of 1


@dataclass(frozen=True, eq=False)
class Masses:
    """Probability (n,) on right options, on wrong options and on abstaining: they sum to 1 for each item."""

    right: Floats
    wrong: Floats
    abstain: Floats


@dataclass(frozen=True, eq=False)
class Distributions:
    """Distributions of n items over their options; arrays are padded to c columns, the padding `options` False.

    p        (n, c) probabilities; nan for an item without a distribution
    right    (n, c) whether the option is right; abstain: whether it abstains; options: whether there is one
    """

    p: Floats
    right: np.ndarray
    abstain: np.ndarray
    options: np.ndarray

    @classmethod
    def of(
        cls, probabilities: Sequence[ArrayLike], right: Sequence[Sequence[int]], abstain: Sequence[Sequence[int]]
    ) -> Distributions:
        """From one distribution for each item, with the places of its right and of its abstaining options.

        raises  ValueError: unequal lengths, no right option, a place that there is not or that is both, values that
                are no distribution

        >>> made = Distributions.of([[0.31, 0.27, 0.40, 0.01, 0.01]], [[2]], [[4]])
        >>> round(float(dcs(made.masses())[0]), 4)
        -0.1881
        """
        if not len(probabilities) == len(right) == len(abstain) or not len(right):
            sizes = (len(probabilities), len(right), len(abstain))
            raise ValueError(f"distributions, right and abstaining options are of {sizes} items; give one each, n >= 1")
        rows = [np.asarray(row, dtype=np.float64) for row in probabilities]
        n, c = len(rows), max(len(row) for row in rows)
        p, flags = np.zeros((n, c)), np.zeros((3, n, c), dtype=bool)
        for i, row in enumerate(rows):
            _check(i, row, right[i], abstain[i])
            p[i, : len(row)] = row
            flags[0, i, list(right[i])], flags[1, i, list(abstain[i])], flags[2, i, : len(row)] = True, True, True
        return cls(p, *flags)

    def masses(self) -> Masses:
        """Mass on right options, on abstaining, and what is left: on wrong ones."""
        right, abstain = (self.p * self.right).sum(axis=1), (self.p * self.abstain).sum(axis=1)
        return Masses(right, np.clip(1 - right - abstain, 0, 1), abstain)

    def likeliest(self) -> Masses:
        """What the likeliest option is, as probabilities: options that are tied are equally probable.

        Abstentions count as one option, whatever string says them, with the sum of their probabilities.
        """
        apart = np.where(self.options & ~self.abstain, self.p, -np.inf)
        silent = np.where(self.abstain.any(axis=1), self.masses().abstain, -np.inf)
        best = np.maximum(apart.max(axis=1), silent)
        among, quiet = apart >= best[:, None] - TIED, silent >= best - TIED
        ties = np.maximum(among.sum(axis=1) + quiet, 1)
        right = (among & self.right).sum(axis=1) / ties
        return _of_known(self.p, Masses(right, 1 - right - quiet / ties, quiet / ties))

    def without_abstaining(self) -> Floats:
        """Probabilities (n, c) over the options that answer; nan for an item whose whole mass abstains."""
        kept = np.where(self.abstain, 0.0, self.p)
        total = kept.sum(axis=1, keepdims=True)
        return np.divide(kept, total, out=np.full_like(kept, np.nan), where=total > TIED)


def _check(i: int, row: Floats, right: Sequence[int], abstain: Sequence[int]) -> None:
    places = [*right, *abstain]
    if not len(right) or any(not 0 <= j < len(row) for j in places) or len(set(places)) < len(places):
        raise ValueError(
            f"item {i} has {len(row)} options, right ones at {list(right)}, abstaining ones at {list(abstain)}; "
            "at least one is right, and each place is there once"
        )
    if not np.isnan(row).all() and (not (row >= 0).all() or abs(row.sum() - 1) > SURE):
        raise ValueError(
            f"item {i}: {row.tolist()} is no distribution (sum {row.sum():g}). Log-probabilities? take the softmax."
        )


def _of_known(p: Floats, found: Masses) -> Masses:
    """nan where there is no distribution."""
    unknown = np.isnan(p).any(axis=1)
    return Masses(*(np.where(unknown, np.nan, part) for part in (found.right, found.wrong, found.abstain)))


def dcs(masses: Masses, *, gain: float = 1.0, loss: float = 1.0, variant: Variant = "corrected") -> Floats:
    """Distributional correctness score (n,): (gain * right - loss * wrong) * (1 - abstain), in [-loss, gain].

    It is 0 for pure abstention and negative where errors outweigh. It is no proper scoring rule: with a chance q of
    being right it is best to answer with certainty where q > loss / (gain + loss), and else to abstain wholly.

    gain, loss  not negative, not both 0; the source wants gain >= loss
    variant     "published": as the reference code has it, which loses the factor (1 - abstain)
    raises      ValueError: a negative gain or loss, or both 0
    source      arXiv 2510.04302; Aleph-Alpha-Research/eval-framework at ec43333, distributional correctness score

    >>> float(dcs(Masses(np.array([0.4]), np.array([0.21]), np.array([0.39])))[0].round(4))
    0.1159
    >>> float(dcs(Masses(np.array([0.4]), np.array([0.21]), np.array([0.39])), variant="published")[0].round(4))
    0.19
    """
    _weights(gain, loss)
    score = gain * masses.right - loss * masses.wrong
    return np.asarray(score if variant == "published" else score * (1 - masses.abstain))


def ternary(likeliest: Masses, *, gain: float = 1.0, loss: float = 1.0) -> Floats:
    """Score (n,) of the likeliest option alone: gain where it is right, -loss where it is wrong, 0 if it abstains."""
    _weights(gain, loss)
    return np.asarray(gain * likeliest.right - loss * likeliest.wrong)


def confidence_weighted(distributions: Distributions) -> Floats:
    """Probability (n,) of the likeliest option where that is right, else 0; of tied ones in expectation."""
    best = np.where(distributions.options, distributions.p, -np.inf).max(axis=1)
    return np.asarray(best * distributions.likeliest().right)


def brier_of_options(distributions: Distributions) -> Floats:
    """Sum of squares (n,), in [0, 2], over the options that answer, abstention taken out; nan if nothing is left.

    Where several options are right, each is due the same part of 1.
    """
    due = distributions.right / distributions.right.sum(axis=1, keepdims=True)
    return np.asarray(((distributions.without_abstaining() - due) ** 2).sum(axis=1))


def log_score(distributions: Distributions) -> Floats:
    """Natural logarithm (n,), at most 0, of the mass on right options, abstention taken out; nan if nothing is left."""
    mass = (distributions.without_abstaining() * distributions.right).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mass))


def hedging_index(masses: Masses) -> float:
    """Of all mass that is not on right options, the share on wrong ones; nan: there is no such mass.

    1: all doubt goes to errors; 0: all goes to abstention.
    """
    other = float(np.nansum(masses.wrong + masses.abstain))
    return float(np.nansum(masses.wrong)) / other if other > TIED else float("nan")


def break_even(masses: Masses, *, gain: float = 1.0) -> float:
    """The loss at which the mean score is 0: a model is more misleading than silent where errors cost more than that.

    returns  infinity where no mass is on wrong options, nan where none is on right ones either
    """
    speaks = 1 - masses.abstain
    won, lost = gain * float(np.nansum(masses.right * speaks)), float(np.nansum(masses.wrong * speaks))
    if lost > TIED:
        return won / lost
    return float("inf") if won > TIED else float("nan")


def answer_above(gain: float = 1.0, loss: float = 1.0) -> float:
    """The chance of being right from which on answering scores better than abstaining: loss / (gain + loss)."""
    _weights(gain, loss)
    return loss / (gain + loss)


def _weights(gain: float, loss: float) -> None:
    if not (gain >= 0 and loss >= 0 and gain + loss > 0):
        raise ValueError(f"gain is {gain} and loss {loss}; neither is negative, and one is above 0")
