"""Intervals of means: known limits, skewed and bounded values, groups, and coverage where t fails."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from doxa.metrics import clopper_pearson, mean_interval


def test_symmetrical_values_get_the_t_interval():
    # 1, 3, 5: mean 3, sd 2, t with 2 degrees of freedom 4.3027
    interval = mean_interval([1, 3, 5])
    half = 4.302653 * 2 / math.sqrt(3)
    assert (interval.value, interval.low, interval.high) == approx((3, 3 - half, 3 + half))
    values = np.random.default_rng(0).normal(5, 2, 12)
    both = np.concatenate([values, 10 - values])
    theirs = stats.t.interval(0.9, 23, 5, stats.sem(both))
    assert (mean_interval(both, level=0.9).low, mean_interval(both, level=0.9).high) == approx(theirs)


def test_skewed_values_get_an_interval_that_leans():
    # Hall: mean - s u, u the solution of u + g u^2 / 3 + g^2 u^3 / 27 + g / 6n = -+ t / sqrt(n), g the skewness
    values = np.array([1.0, 1, 1, 2, 2, 3, 5, 9])
    interval = mean_interval(values)
    n, s, g = 8, values.std(ddof=1), stats.skew(values)
    for limit, sign in ((interval.low, 1), (interval.high, -1)):
        u = (values.mean() - limit) / s
        assert u + g * u**2 / 3 + g**2 * u**3 / 27 + g / (6 * n) == approx(sign * 2.364624 / math.sqrt(n), abs=1e-6)
    assert interval.high - interval.value > 2 * (interval.value - interval.low)
    mirrored = mean_interval(-values)
    assert (-mirrored.high, -mirrored.low) == approx((interval.low, interval.high))
    # 200 samples of 50 lognormal values: .95 expected (t: .90), standard error .015
    samples = np.exp(np.random.default_rng(2).normal(0, 1, (200, 50)))
    assert np.mean([i.low <= math.exp(0.5) <= i.high for i in map(mean_interval, samples)]) > 0.9


def test_scores_of_0_and_1_stand_between_exact_limits_and_those_of_jeffreys():
    for k in (0, 3, 18, 20):
        interval, exact = mean_interval([1] * k + [0] * (20 - k), bounds=(0, 1)), clopper_pearson(k, 20)
        low, high = stats.beta.ppf([0.025, 0.975], [k + 0.5, k + 0.5], [20.5 - k, 20.5 - k])
        assert exact.low <= interval.low <= max(low, 0) or k == 0
        assert min(high, 1) <= interval.high <= exact.high or k == 20
    assert mean_interval([0] * 20, bounds=(0, 1)).high == approx(stats.beta.ppf(0.975, 0.5, 20))  # half a success


def test_copies_of_a_value_count_once():
    values = np.random.default_rng(0).beta(2, 3, 30)
    for how in ({}, {"bounds": (0, 1)}):
        copies = mean_interval(np.repeat(values, 4), groups=np.repeat(np.arange(30), 4), **how)
        once = mean_interval(values, **how)
        assert (copies.value, copies.low, copies.high) == approx((once.value, once.low, once.high))
        assert copies.n == 120 and copies.method.endswith("clustered: 30 groups")
        alone = mean_interval(values, groups=np.arange(30), **how)
        assert (alone.low, alone.high, alone.method) == (once.low, once.high, once.method)
    single = mean_interval([0.2, 0.4, 0.3], groups=["a"] * 3, bounds=(0, 1))
    assert single.value == approx(0.3) and math.isnan(single.low) and math.isnan(single.high)


def test_grouped_means_cover():
    # 20 groups of 1 to 17 values, group means .45 to .95 around .7: of 300, standard error .013; ungrouped .5
    rng = np.random.default_rng(1)
    sizes = (np.arange(20) % 5) ** 2 + 1
    groups, hits = np.repeat(np.arange(20), sizes), np.zeros(3)
    for _ in range(300):
        middle = rng.uniform(0.45, 0.95, 20)[groups]
        values = rng.beta(8 * middle, 8 * (1 - middle))
        found = (
            mean_interval(values, groups=groups, bounds=(0, 1)),
            mean_interval(values, groups=groups),
            mean_interval(values),
        )
        hits += [i.low <= 0.7 <= i.high for i in found]
    assert hits[0] / 300 > 0.94 and hits[1] / 300 > 0.89 and hits[2] / 300 < 0.75


def test_the_order_of_groups_and_values_does_not_matter():
    rng = np.random.default_rng(3)
    values, groups, order = rng.random(40), rng.integers(0, 9, 40), rng.permutation(40)
    for how in ({}, {"bounds": (0, 1)}):
        first = mean_interval(values, groups=groups, **how)
        again = mean_interval(values[order], groups=[f"g{g}" for g in groups[order]], **how)
        assert (again.low, again.high) == approx((first.low, first.high))
    with pytest.raises(ValueError, match=r"values has 2 values, groups has 3"):
        mean_interval([0.1, 0.2], groups=["a", "b", "c"])


def test_mean_without_spread_has_no_interval_unless_bounded():
    assert math.isnan(mean_interval([0.7]).low) and math.isnan(mean_interval([0.7], bounds=(0, 1)).high)
    alike = mean_interval([0.7] * 20)
    assert alike.value == approx(0.7) and math.isnan(alike.low) and "all values equal" in alike.method
    bounded = mean_interval([0.7] * 20, bounds=(0, 1))
    assert 0.5 < bounded.low < 0.7 < bounded.high < 0.8 and "half an item at the bound" in bounded.method
    perfect = mean_interval([1.0] * 20, bounds=(0, 1))
    assert 0.75 < perfect.low < 0.9 and perfect.high == 1.0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 4).map(lambda k: k / 4), min_size=2, max_size=40))
def test_bounded_mean_stays_inside_and_follows_the_scale(values):
    interval = mean_interval(values, bounds=(0, 1))
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    stretched = mean_interval([10 * v - 5 for v in values], bounds=(-5, 5))
    assert (stretched.low, stretched.high) == approx((10 * interval.low - 5, 10 * interval.high - 5), abs=1e-9)


def test_bounded_mean_of_many_values_is_the_t_interval():
    values = np.random.default_rng(0).beta(2, 2, 2000)
    plain, bounded = mean_interval(values), mean_interval(values, bounds=(0, 1))
    assert (bounded.low, bounded.high) == approx((plain.low, plain.high), abs=5e-4)


@pytest.mark.parametrize("n", [3, 10, 30])
def test_bounded_mean_covers_where_t_does_not(n):
    # .9 except 3 % zeros, mean .873: t misses nearly always at n = 10 (all equal: no interval), the score one covers.
    rng = np.random.default_rng(n)
    samples = np.where(rng.random((200, n)) < 0.03, 0.0, 0.9)
    hits = [mean_interval(row, bounds=(0, 1)) for row in samples]
    assert np.mean([i.low <= 0.873 <= i.high for i in hits]) > 0.93


def test_bounds_are_checked():
    with pytest.raises(ValueError, match=r"values\[1\] is 7, outside bounds \(0, 1\) \(1 of 2 are\)"):
        mean_interval([0.5, 7], bounds=(0, 1))
    with pytest.raises(ValueError, match="the first must be below the second"):
        mean_interval([0.5], bounds=(1, 0))
