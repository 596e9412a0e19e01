"""Forecasts of events that happen or not: certainty, overconfidence, calibration by group, and half-open bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, codes, open_unit, outcomes, probabilities, same_length, whole
from doxa.metrics.intervals import NAN


@dataclass(frozen=True)
class HalfOpenBin:
    """One bin low <= p < high of the published tables: its label, items, mean forecast and share of events."""

    label: str
    n: int
    forecast: float
    rate: float


def certainty(forecast: ArrayLike) -> Floats:
    """How sure each forecast (n,) is of the likelier side: |p - .5| + .5, in [.5, 1].

    raises  ValueError: n = 0, a forecast outside [0, 1]

    >>> certainty([0.25, 0.75]).tolist()
    [0.75, 0.75]
    """
    return np.abs(probabilities("forecast", forecast) - 0.5) + 0.5


def is_sure(forecast: ArrayLike, threshold: float) -> np.ndarray:
    """Whether each forecast (n,) lies above the threshold or below 1 - threshold, compared to 9 decimals.

    The share of wrong answers among these is the overconfidence rate.

    raises  ValueError: n = 0, a forecast outside [0, 1], a threshold outside (0, 1)
    source  arXiv 2512.16030, whose formula has the upper side only and whose published numbers have both

    >>> is_sure([0.8, 0.81, 0.2, 0.19], 0.8).tolist()
    [False, True, False, True]
    """
    sure = np.round(certainty(forecast), 9)
    return np.asarray(sure > round(open_unit("threshold", threshold), 9))


def group_calibration_error(forecast: ArrayLike, happened: ArrayLike, groups: ArrayLike) -> float:
    """Mean over groups, by their items, of |mean forecast - share that happened|.

    forecast  (n,) probability in [0, 1]
    happened  (n,) 0 or 1
    groups    (n,) labels, e.g. the answer given
    raises    ValueError: unequal lengths, n = 0, a forecast outside [0, 1], a missing group
    source    Pleiss et al. 2017, arXiv 1709.02012, def. 1 (calibration within groups), averaged

    >>> group_calibration_error([0.25, 0.25, 1.0, 1.0], [0, 0, 1, 0], ["no", "no", "yes", "yes"])
    0.375
    """
    p, y = probabilities("forecast", forecast), outcomes("happened", happened)
    group, held = codes("groups", groups)
    same_length(forecast=p, happened=y, groups=group)
    gaps = np.bincount(group, weights=p - y, minlength=held)
    return float(np.abs(gaps).sum() / len(p))


def half_open_bins(forecast: ArrayLike, happened: ArrayLike | None = None, *, bins: int = 10) -> list[HalfOpenBin]:
    """Bins low <= p < high with the floating-point edges of `linspace`, without rounding; empty ones are left out.

    A forecast of exactly 1 is in no bin, and 1 - .9 (.0999... in floating point) one bin too low. This is how the
    published tables were made; to measure, use `reliability`.

    happened  (n,) 0 or 1; None: not known, the rates are nan
    raises    ValueError: unequal lengths, n = 0, a forecast outside [0, 1], bins < 1
    source    arXiv 2512.16030

    >>> [(b.label, b.n) for b in half_open_bins([0.0, 1 - 0.9, 0.1, 1.0])]
    [('0.0-0.1', 2), ('0.1-0.2', 1)]
    """
    p = probabilities("forecast", forecast)
    y = np.full(len(p), np.nan) if happened is None else outcomes("happened", happened)
    same_length(forecast=p, happened=y)
    edges = np.linspace(0, 1, whole("bins", bins) + 1)
    index = np.searchsorted(edges, p, side="right") - 1
    inside_b = [index == b for b in range(bins)]
    return [
        HalfOpenBin(f"{low:.1f}-{high:.1f}", int(inside.sum()), float(p[inside].mean()), float(y[inside].mean()))
        for low, high, inside in zip(edges[:-1], edges[1:], inside_b, strict=True)
        if inside.any()
    ]


def half_open_ece(forecast: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> float:
    """`ece` over `half_open_bins`, divided by all n: forecasts of exactly 1 count as free of error.

    >>> half_open_ece([1.0, 0.25], [0, 0])
    0.125
    """
    return table_ece(half_open_bins(forecast, happened, bins=bins), np.size(forecast))


def half_open_mce(forecast: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> float:
    """`mce` over `half_open_bins`; nan when every forecast is exactly 1.

    >>> half_open_mce([1.0, 0.25], [0, 0])
    0.25
    """
    return table_mce(half_open_bins(forecast, happened, bins=bins))


def table_ece(table: Sequence[HalfOpenBin], n: int) -> float:
    """ECE of a reliability table over n forecasts, whether or not all of them are in its bins."""
    return float(sum(b.n * abs(b.forecast - b.rate) for b in table) / n)


def table_mce(table: Sequence[HalfOpenBin]) -> float:
    """MCE of a reliability table; nan without bins."""
    return max((abs(b.forecast - b.rate) for b in table), default=NAN)
