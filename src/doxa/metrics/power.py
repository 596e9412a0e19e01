"""Power: how many items does it take to see a difference?"""

import math
from statistics import NormalDist

from doxa.metrics.inputs import open_unit


def items_for_difference(
    delta: float,
    *,
    p: float | None = None,
    sd: float | None = None,
    correlation: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int:
    """Items needed to find a difference of `delta` with a two-sided test at level alpha, with the given power.

    Give either p (shares) or sd (means):
    p             the first share, the second is p + delta. correlation None: two independent sets, and the result is
                  the number of items in each; a number: both are asked the same items, and their outcomes correlate so
    sd            standard deviation of the differences of paired scores, as seen in a pilot
    returns       whole number of items (per set, when unpaired), at least 2
    raises        ValueError: delta 0 or impossible with p, both or neither of p and sd, a correlation that two shares
                  this far apart cannot have, power or alpha outside (0, 1)
    source        shares: Fleiss, Levin and Paik 2003, ch. 4; paired shares: Connor 1987, Biometrics 43(1); means:
                  Guenther 1981, The American Statistician 35(4)

    >>> items_for_difference(0.05, p=0.7), items_for_difference(0.05, p=0.7, correlation=0.6)
    (1251, 506)
    >>> items_for_difference(0.1, sd=0.4)
    128
    """
    if (p is None) == (sd is None):
        raise ValueError("give exactly one of p (to compare shares) and sd (to compare means).")
    if delta == 0 or not math.isfinite(delta):
        raise ValueError(f"delta is {delta!r}; give the smallest difference worth finding, not 0.")
    tail = NormalDist().inv_cdf(1 - open_unit("alpha", alpha) / 2)
    target = NormalDist().inv_cdf(open_unit("power", power))
    if p is None:
        return _items_for_means(delta, float(sd or 0.0), correlation, tail, target)
    second = open_unit("p", p) + delta
    if not 0 <= second <= 1:
        raise ValueError(f"p + delta is {second:g}, outside [0, 1]. Percent? divide by 100.")
    variances = p * (1 - p) + second * (1 - second)
    if correlation is None:
        middle = (p + second) / 2
        root = tail * math.sqrt(2 * middle * (1 - middle)) + target * math.sqrt(variances)
    else:
        differ = _share_that_differs(p, second, correlation)
        root = tail * math.sqrt(differ) + target * math.sqrt(max(0.0, differ - delta**2))
    return max(2, math.ceil((root / delta) ** 2))


def _items_for_means(delta: float, sd: float, correlation: float | None, tail: float, target: float) -> int:
    if not (sd > 0 and math.isfinite(sd)):
        raise ValueError(f"sd is {sd!r}; it must be above 0. Estimate it from the differences of a pilot.")
    if correlation is not None:
        raise ValueError("correlation goes with p; the sd of the differences holds it already.")
    # The last term makes up for sd being estimated, so that the normal quantiles fit a t test.
    return max(2, math.ceil(((tail + target) * sd / delta) ** 2 + tail**2 / 2))


def _share_that_differs(first: float, second: float, correlation: float) -> float:
    """Share of items on which the two outcomes differ; two shares bound the correlation they can have."""
    spread = math.sqrt(first * (1 - first) * second * (1 - second))
    low, high = max(0.0, first + second - 1), min(first, second)
    both = first * second + correlation * spread
    if not low - 1e-12 <= both <= high + 1e-12:
        raise ValueError(
            f"correlation is {correlation!r}, which shares of {first:g} and {second:g} cannot have "
            f"({(low - first * second) / spread:.2f} to {(high - first * second) / spread:.2f} can)."
        )
    return first + second - 2 * min(max(both, low), high)
