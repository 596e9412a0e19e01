"""Which style of explanation fits a confidence: two thresholds, found on some items and tested on others."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.metrics.calibration import ece
from doxa.metrics.discrimination import auroc
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN
from doxa.metrics.reader_gap import Trials

GRID = np.round(np.arange(0.30, 0.951, 0.05), 2)
SAME = 1e-12


class Thresholds(NamedTuple):
    """Low below `low`, medium below `high`, else high. score: AUC minus ECE of the readers' confidence there."""

    low: float
    high: float
    score: float = NAN


def selected_level(model: ArrayLike, thresholds: Thresholds) -> NDArray[np.str_]:
    """The level that fits each confidence (n,), compared after rounding to 9 decimals; "" without thresholds.

    >>> selected_level([.49, .50, .74, .75], Thresholds(.5, .75)).tolist()
    ['low', 'medium', 'medium', 'high']
    """
    m = np.round(np.asarray(model, dtype=float), 9)
    if np.isnan(thresholds.low):
        return np.full(len(m), "")
    return np.where(m < round(thresholds.low, 9), "low", np.where(m < round(thresholds.high, 9), "medium", "high"))


def fitted_thresholds(trials: Trials, level: ArrayLike, *, bins: int = 10, grid: Floats = GRID) -> Thresholds:
    """Thresholds t1 < t2 on the grid with the highest AUC - ECE of readers where the selected level is shown.

    level    (n,) "low", "medium" or "high": the style that was shown
    returns  the first best pair, t1 rising, then t2; nan throughout where no pair has right and wrong answers
    source   arXiv 2401.13835; the search is reconstructed
    """
    shown, best = np.asarray(level, dtype=str), Thresholds(NAN, NAN)
    for low in grid:
        for high in grid[grid > low + SAME]:
            kept = trials.where(shown == selected_level(trials.model, Thresholds(low, high)))
            if not len(kept) or kept.correct.min() == kept.correct.max():
                continue
            found = auroc(kept.reader, kept.correct) - ece(kept.reader, kept.correct, bins=bins)
            if np.isnan(best.score) or found > best.score + SAME:
                best = Thresholds(float(low), float(high), found)
    return best


def first_half(items: ArrayLike) -> NDArray[np.bool_]:
    """Whether each label (n,) belongs to the first half of the items, in an order that depends on the labels alone.

    >>> int(first_half([*"aabbccdd"]).sum()), first_half(["a"]).tolist()
    (4, [False])
    """
    labels = np.asarray(items, dtype=str)
    order = sorted(set(labels.tolist()), key=lambda name: hashlib.sha256(f"half/{name}".encode()).digest())
    return np.isin(labels, order[: len(order) // 2])
