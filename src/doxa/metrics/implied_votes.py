"""The vote that answers about groups imply, and how far such answers contradict each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats


def implied_vote(weights: ArrayLike, shares: ArrayLike) -> Floats:
    """Share (c,) of each candidate from one partition of the electorate: sum over groups of weight * share.

    weights  (g,) share of each group in the electorate; divided by their sum
    shares   (g, c) of each group's votes
    returns  nan where a weight or a share is missing, or all weights are 0
    raises   ValueError: unequal lengths, a negative value

    >>> implied_vote([.53, .47], [[.54, .46], [.44, .56]]).round(3).tolist()
    [0.493, 0.507]
    """
    weight, share = np.asarray(weights, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    if weight.ndim != 1 or share.ndim != 2 or len(weight) != len(share):
        raise ValueError(f"weights are {weight.shape}, shares {share.shape}; give (g,) and (g, c) for the same groups")
    if (weight < 0).any() or (share < 0).any():
        raise ValueError("a weight or a share is negative; both are shares of voters in [0, 1]")
    total = float(weight.sum())
    if not total > 0:
        return np.full(share.shape[1], np.nan)
    return np.asarray(weight / total @ share)


def two_party(first: float, second: float) -> float:
    """First of both, nan where both are 0. Taken after the sum over groups: by group it weighs undecided ones too much.

    >>> round(two_party(*implied_vote([.53, .47], [[.50, .40], [.40, .52]])), 4)
    0.4981
    """
    return float(first / (first + second)) if first + second > 0 else float("nan")


@dataclass(frozen=True)
class Incoherence:
    """How far partitions of one electorate disagree about one total: range and sample standard deviation, of n."""

    range: float
    sd: float
    n: int


def incoherence(totals: ArrayLike) -> Incoherence:
    """Of the totals (k,) that k partitions imply, missing ones left out; nan below two.

    >>> found = incoherence([.49, .49, .49, .49, .54])
    >>> round(found.range, 4), round(found.sd, 4)
    (0.05, 0.0224)
    """
    value = np.asarray(totals, dtype=np.float64)
    value = value[~np.isnan(value)]
    if len(value) < 2:
        return Incoherence(float("nan"), float("nan"), len(value))
    return Incoherence(float(np.ptp(value)), float(value.std(ddof=1)), len(value))


def relative_association(scores: ArrayLike) -> Floats:
    """Each candidate's part (c,) of all candidates' scores for one word; nan where the sum is 0 or a score is missing.

    >>> relative_association([.6, .2]).round(2).tolist()
    [0.75, 0.25]
    """
    score = np.asarray(scores, dtype=np.float64)
    total = score.sum()
    return np.asarray(score / total) if total > 0 else np.full(score.shape, np.nan)


def ranks(scores: ArrayLike) -> Floats:
    """Place (c,) of each candidate, 1 for the highest score, tied ones sharing the mean; nan for a missing score.

    >>> ranks([.2, .6, .2]).tolist()
    [2.5, 1.0, 2.5]
    """
    score = np.asarray(scores, dtype=np.float64)
    above = (score[None, :] > score[:, None]).sum(axis=1)
    equal = (score[None, :] == score[:, None]).sum(axis=1)
    return np.asarray(np.where(np.isnan(score), np.nan, above + (equal + 1) / 2))
