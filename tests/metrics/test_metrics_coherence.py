"""Coherence: mixtures of worlds are coherent, everything else is as far as the nearest mixture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.metrics import coherence_distance
from doxa.metrics.coherence import TWO_STATEMENTS

WORLD = st.lists(st.floats(0.001, 1), min_size=4, max_size=4)


@given(WORLD)
def test_every_distribution_over_worlds_is_coherent(weights):
    q = np.array(weights) / sum(weights)
    assert coherence_distance([TWO_STATEMENTS @ q])[0] == pytest.approx(0, abs=1e-6)


def test_by_hand():
    # All six certain. By symmetry only "A and B" (weight q) and "neither" (1 - q) can be meant: A, B and "A and B" miss
    # by 1 - q, not A and not B by q, "A or B" by 1 - q: 4 (1 - q)^2 + 2 q^2, least at q = 2/3, where it is 4/3.
    assert coherence_distance([[1, 1, 1, 1, 1, 1]])[0] == pytest.approx(np.sqrt(4 / 3 / 6), abs=1e-6)


def test_no_grid_point_is_nearer():
    rng = np.random.default_rng(1)
    grid = rng.dirichlet([0.5] * 4, 20_000)
    for belief in rng.random((5, 6)):
        nearest = np.sqrt(((belief - grid @ TWO_STATEMENTS.T) ** 2).mean(axis=1)).min()
        assert coherence_distance([belief])[0] <= nearest + 1e-9
        assert coherence_distance([belief])[0] == pytest.approx(nearest, abs=0.02)


def test_rows_are_independent_of_each_other():
    beliefs = np.random.default_rng(0).random((4, 6))
    assert coherence_distance(beliefs[::-1]).tolist() == coherence_distance(beliefs)[::-1].tolist()
    assert coherence_distance(np.empty((0, 6))).shape == (0,)


@pytest.mark.parametrize(
    ("beliefs", "says"),
    [
        ([[0.5] * 5], r"shape \(1, 5\); \(n, 6\) is needed"),
        ([[0.5] * 5 + [90]], r"belief\[0, 5\] is 90.0, outside \[0, 1\]. Percent"),
        ([[0.5] * 5 + [float("nan")]], r"belief\[0, 5\] is nan"),
    ],
)
def test_impossible_input(beliefs, says):
    with pytest.raises(ValueError, match=says):
        coherence_distance(beliefs)
