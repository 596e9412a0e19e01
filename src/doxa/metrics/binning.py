"""Bins of confidence: equal width with stated edges, or equal mass of the sorted values."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from doxa.metrics.inputs import Floats, Ints, one_of, whole

Binning = Literal["width", "mass"]
Closed = Literal["right", "left"]

# 1 - 0.9 is 0.09999999999999998 and would fall one bin too low; confidences are stated with far fewer digits.
DECIMALS = 9


@dataclass(frozen=True, eq=False)
class Bins:
    """Which bin each item is in, and what the bins hold; arrays of length b include empty bins (n_b = 0, means nan)."""

    index: Ints  # (n,) from 0
    low: Floats  # (b,)
    high: Floats  # (b,)
    n_b: Floats  # (b,) items
    confidence_b: Floats  # (b,) mean confidence
    accuracy_b: Floats  # (b,) share correct

    @property
    def used(self) -> Ints:
        """Numbers of the bins that hold an item."""
        return np.flatnonzero(self.n_b).astype(np.int64)

    @property
    def share(self) -> Floats:
        """Share of the items, for the bins in use."""
        return self.n_b[self.used] / self.n_b.sum()

    @property
    def gap(self) -> Floats:
        """Mean confidence minus accuracy, for the bins in use; positive is overconfident."""
        return (self.confidence_b - self.accuracy_b)[self.used]


def bin_items(confidence: Floats, correct: Floats, bins: int, binning: Binning, closed: Closed) -> Bins:
    """Checked arrays (n,) put into bins; raises ValueError for an unknown binning, closed side, or bins < 1."""
    whole("bins", bins)
    one_of("closed", closed, ("right", "left"))
    if one_of("binning", binning, ("width", "mass")) == "width":
        edges = np.arange(bins + 1) / bins
        index, low, high = width_index(confidence, bins, closed), edges[:-1], edges[1:]
    else:
        index = mass_index(confidence, bins)
        held = int(index.max()) + 1
        low, high = np.full(held, np.inf), np.full(held, -np.inf)
        np.minimum.at(low, index, confidence)
        np.maximum.at(high, index, confidence)
    n_b = np.bincount(index, minlength=len(low)).astype(np.float64)
    sums = (np.bincount(index, weights, minlength=len(low)) for weights in (confidence, correct))
    means = (np.divide(total, n_b, out=np.full(len(low), np.nan), where=n_b > 0) for total in sums)
    return Bins(index, low, high, n_b, *means)


def width_index(confidence: Floats, bins: int, closed: Closed) -> Ints:
    """Equal-width bin (n,) of each confidence, compared with the edges k/bins after rounding both to 9 decimals.

    closed="right": low < p <= high, and 0 belongs to the first bin; "left": low <= p < high, and 1 to the last.

    >>> width_index(np.array([0.0, 0.1, 1 - 0.9, 0.11, 1.0]), 10, "right").tolist()
    [0, 0, 0, 1, 9]
    >>> width_index(np.array([0.0, 0.1, 1 - 0.9, 0.11, 1.0]), 10, "left").tolist()
    [0, 1, 1, 1, 9]
    """
    inner = np.round(np.arange(1, bins) / bins, DECIMALS)
    side: Literal["left", "right"] = "left" if closed == "right" else "right"
    return np.searchsorted(inner, np.round(confidence, DECIMALS), side=side).astype(np.int64)


def mass_index(confidence: Floats, bins: int) -> Ints:
    """Equal-mass bin (n,): sorted by (confidence, row), floor(n / bins) items each, the remainder in the last.

    With fewer items than bins each item has its own. Ties may straddle an edge, so the rows' order can matter.

    >>> mass_index(np.array([0.9, 0.1, 0.5, 0.6, 0.7]), 2).tolist()
    [1, 0, 0, 1, 1]
    """
    n = len(confidence)
    bins = min(bins, n)
    index = np.empty(n, dtype=np.int64)
    index[np.argsort(confidence, kind="stable")] = np.minimum(np.arange(n) // (n // bins), bins - 1)
    return index
