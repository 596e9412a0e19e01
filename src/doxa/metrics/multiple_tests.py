"""Many tests at once: p values adjusted so that one false alarm among all of them stays rare."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, numbers, whole


def holm(p: ArrayLike) -> Floats:
    """Adjusted p values (k,): those at most a level are significant, with at most that chance of any false alarm.

    p        (k,) in [0, 1]; nan (no test) stays and counts for nothing
    source   Holm 1979, Scandinavian J. of Statistics 6(2)

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p, dtype=np.float64)
    adjusted = np.full(raw.shape, np.nan)
    told = np.flatnonzero(~np.isnan(raw))
    if ((raw[told] < 0) | (raw[told] > 1)).any():
        raise ValueError(f"p has {raw[told].min():g} to {raw[told].max():g}; it is in [0, 1]")
    order = told[np.argsort(raw[told], kind="stable")]
    steps = raw[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def above_null_p(differences: ArrayLike, *, permutations: int = 999, seed: int = 0) -> float:
    """p of a mean above 0, for differences (n,) of two labels: the labels are permuted within each unit.

    returns  (1 + permuted means at least as large) / (1 + permutations); 1 if all are 0; nan for n = 0

    >>> above_null_p([0.0, 0.0]), above_null_p([0.3] * 12) < 0.01
    (1.0, True)
    """
    value = np.asarray(differences, dtype=np.float64)
    if not len(value):
        return float("nan")
    value = np.sort(numbers("differences", value))  # the order of units may not matter
    if not value.any():
        return 1.0
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (whole("permutations", permutations), len(value)))
    reached = int((signs @ value >= value.sum() - 1e-9 * np.abs(value).sum()).sum())
    return (1 + reached) / (1 + permutations)
