"""Intervals of correlations: of few pairs, of tied ranks, of pairs that mostly agree."""

import math

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import correlation_p, pearson, spearman
from doxa.metrics.inputs import Floats, numbers, same_length
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.order import midranks
from doxa.metrics.tails import normal_quantile, t_quantile

FEW = 7  # pairs from which their own scatter says more than the formula


def pearson_interval(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Interval:
    """`pearson` with Fisher's interval, tanh(artanh r -+ z / sqrt(n - 3)), and its p; for pairs of normal numbers.

    returns  low and high nan for fewer than 4 pairs, |r| = 1, or a constant x or y; all nan without pairs
    source   Fisher 1915, Biometrika 10(4)

    >>> found = pearson_interval([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5])
    >>> round(found.value, 3), round(found.low, 3), found.method
    (0.829, 0.052, 'fisher, p = 0.042')
    """
    n = np.size(x)
    r = pearson(x, y) if n else NAN
    method = f"fisher, p = {correlation_p(r, n):.2g}"
    if n < 4 or not abs(r) < 1:
        return Interval(r, NAN, NAN, n, method)
    return _fisher(r, r, normal_quantile(level) / math.sqrt(n - 3), n, method)


def spearman_interval(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Interval:
    """`spearman` with an interval on Fisher's scale that allows for ties and for pairs that do not go with the rest.

    tanh(artanh r -+ t s): s^2 is the larger of Bonett and Wright's (1 + r^2 / 2) / (n - 3), right for smooth relations,
    and of what the influence of each pair on r shows, right for all relations if n is large (from 7 pairs on; z for
    fewer). |r| = 1 is taken as half a step below 1, so perfect order of few pairs is no certainty.

    returns  low and high nan for fewer than 4 pairs, or a constant x or y; all nan without pairs. 95 % coverage in
             24 settings (normal pairs of correlation 0 to .95; words in steps of 5 % against shares of 10 samples; a
             third of the pairs unrelated; 20 to 100 pairs) .93 to .98, of 10 pairs .96 to 1.00; Bonett and Wright
             alone .85 to .98
    raises   ValueError as `spearman`
    source   Bonett and Wright 2000, Psychometrika 65(1); influence of ranks: Croux and Dehon 2010, Stat. Methods Appl.
             19(4), here of the sample, ties included

    >>> found = spearman_interval([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4, 3, 6, 5, 8, 7])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.905, 0.196, 0.993)
    """
    n = np.size(x)
    r = spearman(x, y) if n else NAN
    method = f"fisher for ranks, p = {correlation_p(r, n):.2g}"
    if n < 4 or math.isnan(r):
        return Interval(r, NAN, NAN, n, method)
    inside = 1 - 6 / (n * (n * n - 1))  # one exchange of neighbours takes 12 / (n (n^2 - 1)) from a perfect order
    held = max(-inside, min(inside, r))
    variance = (1 + held**2 / 2) / (n - 3)
    if n >= FEW:
        influence = _influence(numbers("x", x, finite=False), numbers("y", y, finite=False))
        variance = max(variance, float(influence @ influence) / n / (n - 3) / (1 - held**2) ** 2)
    quantile = t_quantile(level, n - 2) if n >= FEW else normal_quantile(level)
    return _fisher(r, held, quantile * math.sqrt(variance), n, method)


def correlations(x: ArrayLike, y: ArrayLike) -> dict[str, Interval]:
    """Pearson's and Spearman's, with their intervals, over the pairs of x (n,) and y (n,) without a nan."""
    pairs = np.stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    a, b = pairs[:, ~np.isnan(pairs).any(axis=0)]
    return {"Pearson": pearson_interval(a, b), "Spearman": spearman_interval(a, b)}


def _fisher(r: float, centre: float, half: float, n: int, method: str) -> Interval:
    low, high = (math.tanh(math.atanh(centre) + side * half) for side in (-1, 1))
    return Interval(r, min(low, r), max(high, r), n, method)


def _influence(x: Floats, y: Floats) -> Floats:
    """How much each pair (n,) pulls on Spearman's r, its own ranks and those that it gives the others."""
    n = same_length(x=x, y=y)
    a, b = ((rank - rank.mean()) / n for rank in (midranks(x), midranks(y)))
    var_a, var_b, shared = float(a @ a) / n, float(b @ b) / n, float(a @ b) / n
    pull = a * b + (_below(x, b) + _below(y, a)) / n - 3 * shared
    pull_a, pull_b = (rank**2 + 2 * _below(values, rank) / n for values, rank in ((x, a), (y, b)))
    r = shared / math.sqrt(var_a * var_b)
    return np.asarray(pull / math.sqrt(var_a * var_b) - r / 2 * (pull_a / var_a - 3 + pull_b / var_b - 3))


def _below(values: Floats, weight: Floats) -> Floats:
    """Summed weight of the items above each item (n,), ties counting half."""
    _, place = np.unique(values, return_inverse=True)
    sums = np.bincount(place, weight)
    return np.asarray((sums.sum() - np.cumsum(sums) + sums / 2)[place])
