"""What shifts must be when each item's latent stance before and after a context is known, or answers only waver."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import pearson


def drift_foreseen(before: ArrayLike, after: ArrayLike, action: float, context: str) -> dict[str, float]:
    """Figures of a context by name, exact, from stances s (n,) toward the first side; acts go by sign of s + action.

    The context argues against the first side, on which every item begins; agreement is sigmoid(s).
    raises  ValueError: a stance before that is not above 0

    >>> found = drift_foreseen([1.0, 2.0], [-0.5, 0.5], 1.0, "debate")
    >>> found["belief shift, debate"], found["behaviour shift, debate"]
    (0.5, 0.0)
    """
    s, t = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if not (s > 0).all():
        raise ValueError(f"before has {s.min():g}; stances are signed toward the first side, so above 0")
    moved, acted = t < 0, t + action < 0
    found = {
        f"belief shift, {context}": float(moved.mean()),
        f"belief shift beyond asking again, {context}": float(moved.mean()),
        f"belief shift beyond filler, {context}": float(moved.mean()),
        f"behaviour shift, {context}": float(acted.mean()),
        f"behaviour shift beyond asking again, {context}": float(acted.mean()),
        f"belief and behaviour agree before, {context}": 1.0,
        f"belief and behaviour agree after, {context}": float((moved == acted).mean()),
        f"phi of belief and behaviour shifts, {context}": pearson(moved, acted),
        f"agreement moved toward the context, {context}": float((_sigmoid(s) - _sigmoid(t)).mean()),
    }
    if (s != t).all():
        found[f"of moves of agreement, toward the context, {context}"] = float((t < s).mean())
    return found


def _sigmoid(s: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-s)))


def flip_rate_of_wavering(p: float) -> float:
    """How often two answers differ that are each reversed with probability p.

    >>> round(flip_rate_of_wavering(0.05), 4)
    0.095
    """
    return 2 * p * (1 - p)


def retest_foreseen(p: float, context: str) -> Iterator[tuple[str, float] | tuple[str, float, float]]:
    """(estimate, value[, sd of one answer]) of a respondent whose answers are reversed with p, whatever came before."""
    v = flip_rate_of_wavering(p)
    for measure in ("belief", "behaviour"):
        yield f"{measure} changes, asked again", v
        yield f"{measure} changes, no-op turn", v
        yield f"{measure} shift, {context}", v
        # Both differences share the first answer, so that their spread is no larger than this.
        yield f"{measure} shift beyond asking again, {context}", 0.0, math.sqrt(2 * v)
        yield f"{measure} shift beyond filler, {context}", 0.0, math.sqrt(2 * v)
    yield f"belief and behaviour agree after, {context}", 1 - v
