"""A belief over lettered options as an answer: the likeliest letter, where there is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from doxa.records import LETTERS, Answer


def likeliest(belief: Sequence[float] | np.ndarray) -> Answer:
    """The letter of the highest of c probabilities; two that are equally probable are no answer.

    A tie that went to the first letter would be a habit of place that the model does not have.

    >>> likeliest([0.2, 0.5, 0.3]).value, likeliest([0.4, 0.4, 0.2]).outcome
    ('B', 'ambiguous')
    """
    probability_c = np.asarray(belief, dtype=np.float64)
    if np.isnan(probability_c).any():
        return Answer("unparsed", note="the model gives no letter any probability")
    best = np.flatnonzero(probability_c == probability_c.max())
    return Answer("ok", LETTERS[best[0]]) if len(best) == 1 else Answer("ambiguous", note="equally probable letters")
