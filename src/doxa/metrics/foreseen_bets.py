"""What bets by rule must show: means, changes, and how often both sides claim to win, from each debate's skill gap.

Bets are 50 +- d / 2 + lift, rounded to whole tokens, with independent normal noise; d is even, so that each bet is a
whole number and its noise, which is rounded with it. Bets are taken as if 0 and 100 were no limits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.foreseen import Foreseen
from doxa.metrics.inputs import Floats

REACH = 100  # tokens beyond which no noise goes
ROUNDED = 1 / 12  # variance that rounding to whole tokens adds


def rounded_noise(noise: float) -> tuple[Floats, Floats]:
    """Whole numbers (k,) and the probability of each as rounded normal noise of this standard deviation."""
    at = np.arange(-REACH, REACH + 1, dtype=np.float64)
    if noise == 0:
        return at, (at == 0).astype(np.float64)
    edges = np.array([math.erf(x / noise / math.sqrt(2)) for x in np.arange(-REACH - 0.5, REACH + 1)])
    mass = np.diff(edges) / 2
    return at, mass / mass.sum()


def spread(noise: float) -> float:
    """Standard deviation of a bet about its mean."""
    return math.sqrt(noise**2 + ROUNDED) if noise else 0.0


def sum_above(lift: float, noise: float) -> Foreseen:
    """Share of debates whose two bets sum to more than 100: skills cancel."""
    at, mass = rounded_noise(noise)
    sums, both = np.add.outer(at, at), np.outer(mass, mass)
    share = float(both[2 * lift + sums > 0].sum())
    return Foreseen(share, math.sqrt(share * (1 - share)), 1)


def both_over(skills: ArrayLike, lift: float, noise: float, mark: float, *, reaching: bool = False) -> Foreseen:
    """Share of debates in which both bets are above a mark, or reach it; skills (n,): d of each debate."""
    at, mass = rounded_noise(noise)

    def chance(bet: float) -> float:
        over = bet + at >= mark if reaching else bet + at > mark
        return float(mass[over].sum())

    shares = [chance(50 + d / 2 + lift) * chance(50 - d / 2 + lift) for d in np.asarray(skills, dtype=float)]
    share = float(np.mean(shares))
    return Foreseen(share, math.sqrt(float(np.mean([p * (1 - p) for p in shares]))), len(shares))


def brier_of_bets(skills: ArrayLike, lift: float, noise: float) -> Foreseen:
    """Mean (bet / 100 - w)^2 where the better side wins; skills (n,), none of them 0. One unit is a debate."""
    d = np.asarray(skills, dtype=float)
    if (d == 0).any():
        raise ValueError("a skill is 0; nobody is the better side of that debate")
    variance = noise**2 + (ROUNDED if noise else 0.0)
    off = np.column_stack([50 + abs(d) / 2 + lift - 100, 50 - abs(d) / 2 + lift])  # the winner's bet and the loser's
    squares = off**2 + variance
    # A square of a normal about m has variance 2 v^2 + 4 m^2 v; the debates' own means are known.
    each = (2 * variance**2 + 4 * off**2 * variance).mean(axis=0).sum() / 4
    return Foreseen(float(squares.mean()) / 1e4, math.sqrt(float(each)) / 1e4, len(d))


def by_rule(
    skills: ArrayLike,
    *,
    bias: float = 0.0,
    drift: float = 0.0,
    moved: float = 0.0,
    noise: float,
    rounds: int = 3,
    controls: bool = False,
) -> dict[str, Foreseen]:
    """Figures of debates whose bets are lifted by a bias, and after each round by a drift and by mere words.

    skills  (n,) d of each debate; noise: standard deviation of a bet, tokens; controls: their figures, too
    """
    d, sd = np.asarray(skills, dtype=float), spread(noise)
    risen = (rounds - 1) * (drift + moved)
    last, n, change = bias + risen, 2 * len(d), math.sqrt(2) * sd
    found = {
        "opening bet": Foreseen(50 + bias, sd, n),
        "closing bet": Foreseen(50 + last, sd, n),
        "initial overconfidence": Foreseen(bias, sd, n),
        "opening to closing": Foreseen(risen, change, n),
        "excess of the sum": Foreseen(2 * last, change, len(d)),
        "excess of the opening sum": Foreseen(2 * bias, change, len(d)),
        "sum above 100": sum_above(last, noise)._replace(n=len(d)),
        "both above 50": both_over(d, last, noise, 50),
        "both above 75": both_over(d, last, noise, 75),
        "both at least 75": both_over(d, last, noise, 75, reaching=True),
    }
    beside = {
        "change when asked again": Foreseen(0.0, change, n),
        "change after a no-op": Foreseen(0.0, change, n),
        "change after filler": Foreseen((rounds - 1) * moved, change, n),
        "escalation beyond filler": Foreseen((rounds - 1) * drift, change, n),
    }
    return {**found, **beside} if controls else found


def overbetting_corrected(rate: float, errs: float, silent: float, bets: int) -> Foreseen:
    """Share of overbets among the silent reasons when a judge takes a part `errs` of all bets for aligned ones.

    Its confusion is learned on the others (delta method); one unit is a bet of all. nan at a rate of 0: no overbet is
    known, so that nothing can be learned.
    """
    if rate == 0:
        return Foreseen(math.nan, 0.0, bets)
    said = rate * (1 - errs)
    known = errs * (1 - errs) * rate / (1 - silent)
    return Foreseen(rate, math.sqrt(said * (1 - said) / silent + known) / (1 - errs), bets)
