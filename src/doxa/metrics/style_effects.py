"""What style and length of an explanation do to a reader's confidence: a linear regression with two-way intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.reader_gap import Trials, two_way
from doxa.metrics.resampling import interval_from_draws, weight_draws


def style_effects(trials: Trials, columns: Mapping[str, ArrayLike], *, resamples: int = 2000) -> dict[str, Interval]:
    """Least-squares effects on the reader's confidence, all at once, beside an intercept.

    Intervals are percentiles over resampled items, and where there are several readers over these, too (`two_way`), in
    place of random intercepts of both.

    columns   name -> (n,) numbers: 1 where a style was shown, 0 elsewhere; the model's confidence
    returns   one Interval for each column; nan for one that is constant or follows from the others
    source    arXiv 2401.13835, reconstructed as h ~ style + length + m with readers and items as clusters

    >>> trials = Trials.of([0.2, 0.4, 0.3, 0.5], [0.5] * 4, [0, 1, 0, 1])
    >>> round(style_effects(trials, {"high": [0, 1, 0, 1]})["high"].value, 9)
    0.2
    """
    nothing = Interval(NAN, NAN, NAN, len(trials), "not to be told from the others")
    names = _independent({name: np.asarray(values, dtype=float) for name, values in columns.items()}, len(trials))
    found = dict.fromkeys(columns, nothing)
    if not names:
        return found
    design = np.column_stack([np.ones(len(trials)), *(np.asarray(columns[name], dtype=float) for name in names)])
    value_k = _solved(design, trials.reader, np.ones((1, len(trials))))[0]

    def of(groups: Ints) -> dict[str, Interval]:
        units = int(groups.max()) + 1
        weights = weight_draws(np.random.default_rng(0), units, resamples, len(trials) / units)
        draws = np.concatenate([_solved(design, trials.reader, block[:, groups]) for block in weights])
        return {name: _interval(float(value_k[k]), draws[:, k], len(trials), units) for k, name in enumerate(names, 1)}

    return found | two_way(of, trials)


def _interval(value: float, draws: Floats, n: int, units: int) -> Interval:
    if units < 2:
        return Interval(value, NAN, NAN, n, "one unit")
    return interval_from_draws(value, draws, None, n, units, "percentile", 0.95, 0.05, grouped=units < n)


def _independent(columns: Mapping[str, Floats], n: int) -> list[str]:
    """Names of the columns that add something to the intercept and the columns before them."""
    kept: list[str] = []
    design = np.ones((n, 1))
    for name, values in columns.items():
        wider = np.column_stack([design, values])
        if n > wider.shape[1] and np.linalg.matrix_rank(wider) == wider.shape[1]:
            kept, design = [*kept, name], wider
    return kept


def _solved(design: Floats, y: Floats, weights: Floats) -> Floats:
    """Coefficients (r, k) for weights (r, n) of the rows."""
    k = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), k * k)
    left, right = (weights @ products).reshape(-1, k, k), weights @ (design * y[:, None])
    return np.asarray(np.einsum("rij,rj->ri", np.linalg.pinv(left, hermitian=True), right))
