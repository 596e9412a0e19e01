"""Bets of two sides: what is foreseen, agreement with tests of a library, inputs that are none."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics.bets import above, bet_brier, level
from doxa.metrics.foreseen_bets import both_over, brier_of_bets, by_rule, rounded_noise, sum_above


def test_one_sided_tests_agree_with_scipy():
    from scipy import stats

    values = np.random.default_rng(3).normal(3, 10, 40).round()
    found = above(values, 2)
    assert found.p == approx(float(stats.ttest_1samp(values, 2, alternative="greater").pvalue))
    assert found.wilcoxon == approx(float(stats.wilcoxon(values - 2, alternative="greater").pvalue))
    assert above(values[::-1], 2).p == approx(found.p)
    assert above(-values, -2).p == approx(1 - found.p)
    with pytest.raises(ValueError, match=r"missing|nan"):
        above([1.0, math.nan])


def test_levels():
    assert [level(bet) for bet in (0, 50, 50.5, 75, 75.5, 100)] == ["low", "low", "medium", "medium", "high", "high"]
    assert [level(bet, strict=False) for bet in (49.5, 50, 74.5, 75)] == ["low", "medium", "medium", "high"]
    with pytest.raises(ValueError, match="multiply by 100"):
        level(-1)


def test_brier_of_equal_lengths():
    with pytest.raises(ValueError, match="they must pair up"):
        bet_brier([50, 60], [1])


def test_what_is_foreseen():
    """Against 20,000 simulated debates; SE of a share at most 0.0036."""
    rng, skills, n = np.random.default_rng(0), [-20, -6, 4, 16], 20_000
    d = rng.choice(skills, n)
    one, two = (np.round(50 + sign * d / 2 + 22 + rng.normal(0, 5, n)) for sign in (1, -1))
    assert sum_above(22, 5).value == approx(np.mean(one + two > 100), abs=0.011)
    assert both_over(skills, 22, 5, 75).value == approx(np.mean(np.minimum(one, two) > 75), abs=0.011)
    assert both_over(skills, 22, 5, 75, reaching=True).value == approx(np.mean(np.minimum(one, two) >= 75), abs=0.011)
    wins = np.stack([d > 0, d < 0])
    squares = (np.stack([one, two]) / 100 - wins) ** 2
    score = brier_of_bets(skills, 22, 5)
    assert score.value == approx(squares.mean(), abs=0.002) and score.n == 4
    at, mass = rounded_noise(5)
    assert mass.sum() == approx(1) and (mass * at**2).sum() == approx(25 + 1 / 12, abs=1e-6)
    with pytest.raises(ValueError, match="a skill is 0"):
        brier_of_bets([0], 0, 5)


def test_exact_without_noise():
    found = by_rule([0, 4], bias=26, noise=0, controls=True)
    assert (found["both above 75"].value, found["both at least 75"].value) == (0.5, 0.5)  # 76 and 76; 78 and 74
    assert found["sum above 100"].value == 1 and by_rule([4], noise=0)["sum above 100"].value == 0
