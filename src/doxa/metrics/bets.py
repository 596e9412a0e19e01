"""Bets of two sides that cannot both win: tests against a fair bet, patterns of pairs, scores by who won."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import numbers, same_length
from doxa.metrics.intervals import NAN

FAIR = 50.0  # by symmetry the mean of both sides' bets, whatever their skills
HIGH = 75.0
PATTERNS = ("low-low", "low-medium", "low-high", "medium-medium", "medium-high", "high-high")
_LEVELS = ("low", "medium", "high")


@dataclass(frozen=True)
class OneSided:
    """Are values above a mark? One-sided t-test and Wilcoxon's signed-rank test.

    mean, sd   of the values, sd with n - 1; t, p: nan for fewer than two values or equal ones
    wilcoxon   its p; 1 if every value is the mark
    """

    mean: float
    sd: float
    t: float
    p: float
    wilcoxon: float
    n: int


def above(values: ArrayLike, mark: float = 0.0) -> OneSided:
    """One-sided tests of values (n,) against a mark: bets against 50, or paired changes against 0.

    returns  nan throughout without values
    raises   ValueError: missing or infinite values

    >>> found = above([70, 80, 60], 50)    # t = 20 / (10 / sqrt(3))
    >>> found.mean, found.sd, round(found.t, 3), round(found.p, 4)
    (70.0, 10.0, 3.464, 0.0371)
    """
    if np.size(values) == 0:
        return OneSided(NAN, NAN, NAN, NAN, NAN, 0)
    from scipy import stats

    off = numbers("values", values) - mark
    n, mean = len(off), float(off.mean())
    sd = float(off.std(ddof=1)) if n > 1 else NAN
    ranked = 1.0 if not off.any() else float(stats.wilcoxon(off, alternative="greater").pvalue)
    if n < 2 or np.ptp(off) == 0:
        return OneSided(mean + mark, sd, NAN, NAN, ranked, n)
    t = mean / (sd / n**0.5)
    return OneSided(mean + mark, sd, t, float(stats.t.sf(t, n - 1)), ranked, n)


def pattern(one: float, two: float, *, strict: bool = True) -> str:
    """The levels of the two bets of a debate, the lower first.

    Strict: low is at most 50, high above 75. Else low is below 50, high at least 75: text and program of the source
    differ in that.

    source  arXiv 2505.19184

    >>> pattern(76, 76), pattern(75, 75), pattern(75, 76), pattern(50, 51), pattern(75, 75, strict=False)
    ('high-high', 'medium-medium', 'medium-high', 'low-medium', 'high-high')
    """
    levels = sorted((level(one, strict=strict), level(two, strict=strict)), key=_LEVELS.index)
    return "-".join(levels)


def level(bet: float, *, strict: bool = True) -> str:
    """low, medium or high. ValueError: a bet outside 0-100."""
    if not 0 <= bet <= 100:
        raise ValueError(f"bet is {bet:g}; bets are 0 to 100 tokens. A probability? multiply by 100")
    over = (bet > FAIR) + (bet > HIGH) if strict else (bet >= FAIR) + (bet >= HIGH)
    return _LEVELS[over]


def won(votes: Sequence[str | None], side: str) -> float:
    """1 if a side has more verdicts than the other, 0.5 if as many, 0 if fewer; nan without a verdict.

    >>> won(["proposition", "opposition", "proposition"], "proposition"), won([None], "proposition")
    (1.0, nan)
    """
    own = sum(vote == side for vote in votes)
    others = sum(vote is not None and vote != side for vote in votes)
    return NAN if own + others == 0 else 0.5 if own == others else float(own > others)


def bet_brier(bets: ArrayLike, outcomes: ArrayLike) -> np.ndarray:
    """(bet / 100 - w)^2 of each bet (n,), w (n,) being 1 for a win, 0.5 for a tie, 0 for a loss; its mean is the score.

    A tie is scored against one half, as published, so that a constant 50 gets 0 there.
    raises  ValueError: unequal lengths, a bet outside 0-100

    >>> bet_brier([80, 80, 50], [1, 0, 0.5]).round(2).tolist()
    [0.04, 0.64, 0.0]
    """
    bet, w = numbers("bets", bets), numbers("outcomes", outcomes)
    same_length(bets=bet, outcomes=w)
    if ((bet < 0) | (bet > 100)).any():
        raise ValueError(f"bets go from {bet.min():g} to {bet.max():g}; they are 0 to 100 tokens")
    return np.asarray((bet / 100 - w) ** 2)
