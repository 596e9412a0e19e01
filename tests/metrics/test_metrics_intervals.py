"""Intervals of shares: known limits, exact coverage, and no collapse where nothing varied."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from doxa.metrics import (
    Interval,
    clopper_pearson,
    paired_proportions,
    proportion,
    proportion_clustered,
    wilson,
)


def covered(interval_of, n, p):
    """Exact chance that the interval holds p: the binomial chance of every count whose interval does."""
    limits = [interval_of(k, n) for k in range(n + 1)]
    chance = stats.binom.pmf(np.arange(n + 1), n, p)
    return float(sum(c for c, interval in zip(chance, limits, strict=True) if interval.low <= p <= interval.high))


def test_wilson_by_hand():
    interval = wilson(250, 676)
    assert (interval.low, interval.high) == approx((0.334, 0.407), abs=5e-4)
    # None of 10: 0 to z^2 / (10 + z^2) = 3.8415 / 13.8415
    assert (wilson(0, 10).low, wilson(0, 10).high) == (0.0, approx(0.27753, abs=5e-6))
    assert (wilson(10, 10).low, wilson(10, 10).high) == (approx(0.72247, abs=5e-6), 1.0)
    assert wilson(1, 1) == Interval(1.0, approx(0.206549, abs=5e-7), 1.0, 1, "wilson")


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 30), (1, 30), (15, 30), (29, 30), (30, 30), (250, 676)])
def test_against_scipy(k, n):
    for interval, method in ((wilson(k, n), "wilson"), (clopper_pearson(k, n), "exact")):
        theirs = stats.binomtest(k, n).proportion_ci(0.95, method)
        assert (interval.low, interval.high) == approx((theirs.low, theirs.high), abs=1e-9)
    assert proportion(k, n) == clopper_pearson(k, n) and proportion(k, n, method="wilson") == wilson(k, n)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (10, 10), (7, 30), (250, 676)])
def test_mid_p_limits_solve_the_test(k, n):
    interval = proportion(k, n, method="mid-p")
    for limit, tail in (
        (interval.low, stats.binom.sf(k, n, interval.low)),
        (interval.high, stats.binom.cdf(k - 1, n, interval.high)),
    ):
        if 0 < limit < 1:  # more (fewer) than k, and half the chance of just k
            assert tail + stats.binom.pmf(k, n, limit) / 2 == approx(0.025, abs=1e-9)
    exact = clopper_pearson(k, n)
    assert exact.low <= interval.low <= interval.value <= interval.high <= exact.high
    assert (interval.low == 0) == (k == 0) and (interval.high == 1) == (k == n)


def test_mid_p_covers_shares_of_few_items():
    # On average at least .95, at the worst p .92 (just beyond the upper limit of 0 of n, np = 3).
    for n in (5, 20, 100):
        chances = [covered(lambda k, n: proportion(k, n, method="mid-p"), n, p) for p in np.linspace(0.005, 0.5, 60)]
        assert np.mean(chances) > 0.95 and min(chances) > 0.915


@pytest.mark.parametrize("n", [5, 20, 100])
def test_exact_interval_covers_every_share(n):
    shares = [0.0005, 0.002, 0.01, 0.03, 0.1, 0.3, 0.5, 0.8, 0.97, 0.995, 1.0]
    assert min(covered(clopper_pearson, n, p) for p in shares) >= 0.95 - 1e-12
    # Wilson is right on average only: one success is already too many for its lower limit at np of about .17.
    assert np.mean([covered(wilson, n, p) for p in np.linspace(0.02, 0.98, 33)]) > 0.94
    assert covered(wilson, n, 0.17 / n) < 0.87


def test_counts_are_checked():
    with pytest.raises(ValueError, match="successes is 11, n is 10: successes must be at most n"):
        wilson(11, 10)
    with pytest.raises(ValueError, match="n is 0; it must be a whole number of at least 1"):
        proportion(0, 0)
    with pytest.raises(ValueError, match=r"successes is 0.5; it must be a whole number"):
        proportion(0.5, 10)
    with pytest.raises(ValueError, match="level is 95"):
        wilson(5, 10, level=95)
    with pytest.raises(ValueError, match="method is 'wald', not one of"):
        proportion(5, 10, method="wald")


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 200), st.floats(0, 1), st.sampled_from(["wilson", "mid-p", "clopper-pearson"]))
def test_limits_hold_the_share_and_mirror(n, share, method):
    k = round(share * n)
    interval, mirrored = proportion(k, n, method=method), proportion(n - k, n, method=method)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1 and interval.low < interval.high
    assert (1 - mirrored.high, 1 - mirrored.low) == approx((interval.low, interval.high), abs=1e-9)
    wider = proportion(k, n, method=method, level=0.99)
    assert wider.low <= interval.low and wider.high >= interval.high


def test_groups_of_one_are_no_groups():
    y = [1, 0, 1, 1, 0, 1, 1]
    plain, grouped = clopper_pearson(5, 7), proportion_clustered(y, list("abcdefg"))
    assert (grouped.low, grouped.high) == approx((plain.low, plain.high)) and grouped.method == "clopper-pearson"
    score = proportion_clustered(y, list("abcdefg"), method="wilson")
    assert (score.low, score.high) == approx((wilson(5, 7).low, wilson(5, 7).high))


def test_copies_count_once():
    # Each of 40 items asked five times with one and the same outcome: as good as 40 items.
    y = np.array([1] * 28 + [0] * 12)
    copies = proportion_clustered(np.repeat(y, 5), np.repeat(np.arange(40), 5), method="wilson")
    once = wilson(28, 40)
    assert copies.value == approx(0.7) and copies.n == 200
    assert copies.high - copies.low == approx(once.high - once.low, rel=0.05)
    assert copies.high - copies.low > 2 * (wilson(140, 200).high - wilson(140, 200).low)


def test_order_of_rows_and_names_of_groups_do_not_matter():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 2, 60), rng.integers(0, 12, 60)
    order = rng.permutation(60)
    first = proportion_clustered(y, groups)
    again = proportion_clustered(y[order], [f"group {g}" for g in groups[order]])
    assert (again.low, again.high) == approx((first.low, first.high))


@pytest.mark.parametrize("right", [0, 1])
def test_all_alike_is_not_certainty(right):
    for groups, effective in ((np.repeat(np.arange(10), 5), 10), ([0] * 50, 1), ([0] * 49 + [1], 2500 / 2402)):
        interval = proportion_clustered([right] * 50, groups, method="wilson")
        # z^2 / (effective + z^2) is the width left when each group counts as one item
        assert interval.high - interval.low == approx(3.8415 / (effective + 3.8415), abs=1e-4)
        assert interval.low <= right <= interval.high


def test_clustered_share_covers_a_planted_one():
    # 30 groups of 4 from a beta-binomial, p = .9, correlation .1: of 300 repetitions, standard error .012. Without
    # groups it would be .90 and fall with the group size.
    rng = np.random.default_rng(0)
    hits = {"wilson": 0, "mid-p": 0, "clopper-pearson": 0}
    for _ in range(300):
        y = rng.random((30, 4)) < rng.beta(0.9 * 9, 0.1 * 9, 30)[:, None]
        for method in hits:
            interval = proportion_clustered(y.ravel(), np.repeat(np.arange(30), 4), method=method)
            hits[method] += interval.low <= 0.9 <= interval.high
    assert hits["wilson"] / 300 > 0.91 and hits["mid-p"] / 300 > 0.92 and hits["clopper-pearson"] / 300 > 0.93


def test_rare_groups_that_fail_as_a_whole_are_reckoned_with():
    # 100 groups of 1 to 17 items, p = .98, correlation .3: few groups fail, and these mostly whole. Reckoned with none
    # but those seen, .91 of the intervals hold p. Of 300 repetitions, standard error .01.
    rng = np.random.default_rng(0)
    sizes = (np.arange(100) % 5) ** 2 + 1
    groups, both = np.repeat(np.arange(100), sizes), 1 / 0.3 - 1
    hits = 0
    for _ in range(300):
        chance = rng.beta(0.98 * both, 0.02 * both, 100)
        interval = proportion_clustered(rng.random(len(groups)) < chance[groups], groups)
        hits += interval.low <= 0.98 <= interval.high
    assert hits / 300 > 0.93


def test_paired_shares_by_hand():
    # a alone right 6, b alone 2, of 20: (7 - 3) / 22 -+ 1.96 sqrt((10 / 22 - (4 / 22)^2) / 22)
    a, b = [1] * 6 + [0] * 2 + [1] * 12, [0] * 6 + [1] * 2 + [1] * 12
    interval = paired_proportions(a, b)
    half = 1.959964 * math.sqrt((10 / 22 - (4 / 22) ** 2) / 22)
    assert interval.value == approx(0.2)
    assert (interval.low, interval.high) == approx((4 / 22 - half, 4 / 22 + half))
    mirrored = paired_proportions(b, a)
    assert (-mirrored.high, -mirrored.low) == approx((interval.low, interval.high))


def test_no_change_is_not_certainty():
    interval = paired_proportions([1] * 10, [1] * 10)
    assert interval.value == 0 and interval.low < -0.1 and interval.high > 0.1
    assert paired_proportions([1], [0]).high == 1.0


def test_paired_shares_cover_a_planted_difference():
    # Both right .78, only a .12, only b .02 of 10 items: exactly conservative; 300 repetitions.
    rng = np.random.default_rng(1)
    hits = 0
    for both, only_a, only_b, _ in rng.multinomial(10, [0.78, 0.12, 0.02, 0.08], 300):
        a = [1] * (both + only_a) + [0] * (10 - both - only_a)
        b = [1] * both + [0] * only_a + [1] * only_b + [0] * (10 - both - only_a - only_b)
        interval = paired_proportions(a, b)
        hits += interval.low <= 0.1 <= interval.high
    assert hits / 300 > 0.93
