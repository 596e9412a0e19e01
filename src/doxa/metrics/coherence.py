"""Coherence of stated probabilities: how far they are from any probability distribution over the possible worlds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

# Rows: A, B, not A, not B, A and B, A or B. Columns: the four worlds.
TWO_STATEMENTS = np.array(
    [
        [1, 1, 0, 0],
        [1, 0, 1, 0],
        [0, 0, 1, 1],
        [0, 1, 0, 1],
        [1, 0, 0, 0],
        [1, 1, 1, 0],
    ],
    dtype=float,
)


def coherence_distance(belief_nk: ArrayLike, events_kw: ArrayLike = TWO_STATEMENTS) -> np.ndarray:
    """Root-mean-square distance of each row of probabilities to the nearest coherent one.

    belief_nk  (n, k) stated probabilities of k events in [0, 1]
    events_kw  (k, w) 1 where an event holds in a world; default: A, B, not A, not B, A and B, A or B
    returns    (n,) sqrt(min over distributions q on the w worlds of mean_k (belief - events q)^2); 0 is coherent
    raises     ValueError: wrong shape, nan, or a value outside [0, 1]
    source     de Finetti's theorem: beliefs are coherent if and only if they are such a mixture

    >>> coherence_distance([[0.5, 0.5, 0.5, 0.5, 0.25, 0.75]]).round(6).tolist()
    [0.0]
    >>> coherence_distance([[1, 1, 1, 1, 1, 1]]).round(4).tolist()
    [0.4714]
    """
    events = np.asarray(events_kw, dtype=float)
    belief = np.asarray(belief_nk, dtype=float)
    if belief.ndim != 2 or belief.shape[1] != events.shape[0]:
        raise ValueError(f"belief has shape {belief.shape}; (n, {events.shape[0]}) is needed, an event a column")
    if np.isnan(belief).any() or ((belief < 0) | (belief > 1)).any():
        bad = np.argwhere(~((belief >= 0) & (belief <= 1)))[0]
        raise ValueError(f"belief[{bad[0]}, {bad[1]}] is {belief[tuple(bad)]}, outside [0, 1]. Percent? divide by 100.")
    return np.array([_distance(row, events) for row in belief])


def _distance(row: np.ndarray, events: np.ndarray) -> float:
    """Non-negative least squares; the heavy last equation makes the weights sum to 1 (to about 1e-8)."""
    from scipy.optimize import nnls

    heavy = 1e4
    q, _ = nnls(np.vstack([events, np.full(events.shape[1], heavy)]), np.append(row, heavy))
    return float(np.sqrt(np.mean((row - events @ (q / q.sum())) ** 2)))
