"""The likeliest letter: one, a tie, nothing."""

import math

import numpy as np
import pytest

from doxa.elicit.likeliest import likeliest
from doxa.records import Answer


@pytest.mark.parametrize(
    ("belief", "outcome", "letter"),
    [
        ([0.1, 0.7, 0.2], "ok", "B"),
        ([1.0], "ok", "A"),
        ([0.5, 0.5, 0.0], "ambiguous", None),
        ([0.25] * 4, "ambiguous", None),
        ([math.nan] * 3, "unparsed", None),
    ],
)
def test_likeliest(belief, outcome, letter):
    for values in (belief, np.array(belief)):
        found = likeliest(values)
        assert (found.outcome, found.value) == (outcome, letter)
        assert isinstance(found, Answer) and bool(found.note) == (letter is None)
