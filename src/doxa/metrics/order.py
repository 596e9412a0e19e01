"""Sorted values and their ties: what AUROC, risk-coverage curves and rank correlations share."""

import numpy as np

from doxa.metrics.inputs import Floats, Ints


def tie_starts(ascending: Floats) -> Ints:
    """Positions (g,) at which a new distinct value begins in values sorted in ascending (or descending) order.

    >>> tie_starts(np.array([0.1, 0.1, 0.5])).tolist()
    [0, 2]
    """
    return np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]])).astype(np.int64)


def midranks(values: Floats) -> Floats:
    """Ranks (n,) from 1; tied values share the mean of the ranks they cover.

    >>> midranks(np.array([0.5, 0.1, 0.5])).tolist()
    [2.5, 1.0, 2.5]
    """
    order = np.argsort(values, kind="stable")
    starts = tie_starts(values[order])
    sizes = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks
