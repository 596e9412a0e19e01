"""The bootstrap: known spreads, groups, pairs, degenerate cases, and coverage of a planted truth."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from doxa.metrics import (
    auroc,
    auroc_of_weights,
    bootstrap,
    bootstrap_auroc,
    bootstrap_ece,
    bootstrap_weighted,
    brier,
    ece,
    ece_of_weights,
    paired_difference,
    wilson,
)

predictions = st.lists(st.tuples(st.integers(0, 10).map(lambda k: k / 10), st.booleans()), min_size=3, max_size=40)


def planted(n, seed=0, gap=0.0):
    rng = np.random.default_rng(seed)
    truth = rng.random(n)
    return np.clip(truth + gap, 0, 1), rng.random(n) < truth


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_interval_of_a_mean_is_the_textbook_one(method):
    values = np.random.default_rng(0).normal(10, 2, 400)
    interval = bootstrap(np.mean, values, resamples=800, method=method)
    error = values.std(ddof=1) / 20
    assert interval.value == approx(values.mean()) and interval.n == 400 and interval.method == method
    # A limit from 800 resamples has a standard error of about .1 of the mean's own.
    assert (interval.low, interval.high) == approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.35 * error
    )


def test_few_units_widen_the_interval():
    values = np.random.default_rng(3).normal(0, 1, 6)
    plain = np.quantile(
        [values[rows].mean() for rows in np.random.default_rng(0).integers(0, 6, (2000, 6))], [0.025, 0.975]
    )
    interval = bootstrap(np.mean, values, resamples=2000, method="percentile")
    assert interval.high - interval.low > 1.3 * (plain[1] - plain[0])


def test_bca_leans_with_the_skew():
    values = np.random.default_rng(1).exponential(1, 60)
    corrected = bootstrap(np.mean, values, resamples=2000)
    plain = bootstrap(np.mean, values, resamples=2000, method="percentile")
    assert corrected.low > plain.low and corrected.high > plain.high


def test_same_seed_same_interval_whatever_the_order_of_rows():
    p, y = planted(80)
    order = np.random.default_rng(9).permutation(80)
    groups = np.random.default_rng(8).integers(0, 20, 80)
    for arguments, shuffled in (({}, {}), ({"groups": groups}, {"groups": groups[order]})):
        first = bootstrap(ece, p, y, resamples=100, **arguments)
        again = bootstrap(ece, p[order], y[order], resamples=100, **shuffled)
        assert (first.low, first.high) == approx((again.low, again.high), abs=1e-12)
        for fast in (bootstrap_ece, bootstrap_auroc):
            first = fast(p, y, resamples=100, **arguments)
            again = fast(p[order], y[order], resamples=100, **shuffled)
            assert (first.low, first.high) == approx((again.low, again.high), abs=1e-12)
    assert bootstrap(np.mean, p, resamples=100, seed=1) != bootstrap(np.mean, p, resamples=100, seed=2)


def test_groups_stay_together():
    # Ten copies of each of 50 values: the same interval as of the 50 values, though n is 500.
    values = np.random.default_rng(0).normal(0, 1, 50)
    copies = bootstrap(np.mean, np.repeat(values, 10), groups=np.repeat(np.arange(50), 10), method="percentile")
    once = bootstrap(np.mean, values, method="percentile")
    assert copies.high - copies.low == approx(once.high - once.low, rel=0.15)
    assert copies.n == 500 and copies.method == "percentile, clustered: 50 groups"
    apart = bootstrap(np.mean, np.repeat(values, 10), method="percentile")
    assert copies.high - copies.low > 2.5 * (apart.high - apart.low)


def test_groups_of_unequal_size_are_drawn_whole():
    groups = [0] * 5 + [1] * 2 + [2] * 1 + [3] * 4
    drawn = []
    bootstrap(lambda rows: drawn.append(np.bincount(rows, minlength=4)) or rows.mean(), groups, groups=groups)
    assert (np.array(drawn) % np.array([5, 2, 1, 4]) == 0).all()
    assert {int((counts / np.array([5, 2, 1, 4])).sum()) for counts in drawn[1:1001]} == {4}


def test_pairs_draw_the_same_items():
    # b is a less 1 on every item: the difference is 1 in every resample, however a varies.
    a = np.random.default_rng(0).normal(0, 5, 30)
    interval = paired_difference(np.mean, (a,), (a - 1,), resamples=50)
    assert interval.value == approx(1) and math.isnan(interval.low) and "all resamples equal" in interval.method
    noisy = paired_difference(np.mean, (a,), (a - 1 + np.random.default_rng(1).normal(0, 0.1, 30),))
    assert 0.8 < noisy.low < 1 < noisy.high < 1.2
    unpaired = bootstrap(np.mean, a, method="percentile")
    assert noisy.high - noisy.low < 0.1 * (unpaired.high - unpaired.low)


def test_pairs_take_several_arrays_and_groups():
    p, y = planted(120)
    groups = np.repeat(np.arange(40), 3)
    interval = paired_difference(brier, (p, y), (np.full(120, 0.5), y), groups=groups, resamples=200)
    assert interval.value == approx(brier(p, y) - 0.25) and interval.low < interval.value < interval.high < 0
    with pytest.raises(ValueError, match="a_arrays must be a tuple of arrays"):
        paired_difference(np.mean, p, (p,))
    with pytest.raises(ValueError, match="b_arrays must be a tuple of arrays"):
        paired_difference(np.mean, (p,), [0.1, 0.2])


@pytest.mark.parametrize("interval_of", [bootstrap_ece, bootstrap_auroc, lambda p, y, **k: bootstrap(ece, p, y, **k)])
def test_one_item_or_one_group_has_no_interval(interval_of):
    single = interval_of([0.7], [1])
    assert single.n == 1 and math.isnan(single.low) and math.isnan(single.high) and "no interval" in single.method
    group = interval_of([0.7, 0.2, 0.4], [1, 0, 1], groups=["a", "a", "a"])
    assert group.n == 3 and not math.isnan(group.value) and math.isnan(group.low)


def test_equal_resamples_are_not_certainty():
    interval = bootstrap(np.mean, np.ones(50))
    assert interval.value == 1.0 and math.isnan(interval.low) and math.isnan(interval.high)
    assert "all resamples equal" in interval.method


def test_undefined_resamples_are_counted_and_then_refused():
    p, y = np.linspace(0.1, 0.9, 9), np.array([0, 0, 0, 1, 0, 0, 0, 0, 1])
    # No right answer is drawn with chance (7 / 9)^9 = .10
    few = bootstrap(auroc, p, y, max_undefined=0.2, method="percentile")
    assert not math.isnan(few.high) and "of 1000 resamples undefined" in few.method
    many = bootstrap(auroc, p, y)
    assert many.value == approx(10 / 14) and math.isnan(many.low) and "more than 0.05 of them" in many.method
    assert math.isnan(bootstrap(auroc, p, np.ones(9)).value)
    full = bootstrap(lambda v: v.mean() if len(set(v)) == 9 else math.nan, p, max_undefined=1.0, resamples=50)
    assert math.isnan(full.low) and "50 of 50 resamples undefined" in full.method


def test_arrays_of_any_shape_and_kind_are_resampled():
    beliefs = np.random.default_rng(0).dirichlet([1, 1, 1], 30)
    interval = bootstrap(lambda b: b.max(axis=1).mean(), beliefs, resamples=100)
    assert interval.low < interval.value < interval.high
    words = np.array(["yes", "no", "no", None] * 10, dtype=object)
    assert bootstrap(lambda w: np.mean(w == "no"), words, resamples=100).value == 0.5
    with pytest.raises(ValueError, match=r"arrays\[0\] has 2 values, arrays\[1\] has 3"):
        bootstrap(ece, [0.1, 0.2], [1, 0, 1])
    with pytest.raises(ValueError, match="bootstrap got no arrays"):
        bootstrap(np.mean)
    with pytest.raises(ValueError, match="arrays are empty"):
        bootstrap(np.mean, [])
    with pytest.raises(ValueError, match="method is 'basic'"):
        bootstrap(np.mean, [1.0, 2.0], method="basic")


@settings(deadline=None, max_examples=30)
@given(predictions, st.integers(0, 99))
def test_weights_count_rows(pairs, seed):
    p, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(p), np.full(len(p), 1 / len(p)), size=3).astype(float)
    groups = rng.integers(0, 3, len(p))
    by_group = rng.integers(1, 4, (2, len(np.unique(groups)))).astype(float)
    for statistic, weighted in ((ece, ece_of_weights), (auroc, auroc_of_weights)):
        for row, value in zip(weights.astype(int), weighted(p, y)(weights), strict=True):
            assert value == approx(statistic(np.repeat(p, row), np.repeat(y, row)), nan_ok=True, abs=1e-12)
        of_items = np.unique(groups, return_inverse=True)[1]
        for row, value in zip(by_group.astype(int), weighted(p, y, groups=groups)(by_group), strict=True):
            repeats = row[of_items]
            assert value == approx(statistic(np.repeat(p, repeats), np.repeat(y, repeats)), nan_ok=True, abs=1e-12)


def test_fast_and_plain_bootstrap_agree():
    p, y = planted(200, gap=0.2)
    for statistic, fast in ((ece, bootstrap_ece), (auroc, bootstrap_auroc)):
        plain = bootstrap(statistic, p, y, method="percentile")
        quick = fast(p, y, method="percentile")
        width = plain.high - plain.low
        assert quick.value == approx(plain.value)
        assert (quick.low, quick.high) == approx((plain.low, plain.high), abs=0.12 * width)
    plain, quick = bootstrap(auroc, p, y), bootstrap_auroc(p, y, method="bca")
    assert (quick.low, quick.high) == approx((plain.low, plain.high), abs=0.15 * (plain.high - plain.low))


def test_blocks_of_resamples_change_no_number(monkeypatch):
    p, y = planted(50)
    whole = [bootstrap_ece(p, y, resamples=60), bootstrap_auroc(p, y, resamples=60, method="bca")]
    monkeypatch.setattr("doxa.metrics.resampling.CELLS", 170)
    assert [bootstrap_ece(p, y, resamples=60), bootstrap_auroc(p, y, resamples=60, method="bca")] == whole


def test_weighted_difference_of_two_models_on_the_same_items():
    rng = np.random.default_rng(0)
    truth = rng.random(300)
    y = rng.random(300) < truth
    good, coarse = auroc_of_weights(truth, y), auroc_of_weights(np.round(truth), y)
    interval = bootstrap_weighted(lambda weights: good(weights) - coarse(weights), 300)
    plain = paired_difference(auroc, (truth, y), (np.round(truth), y))
    assert interval.value == approx(plain.value) and interval.low > 0
    assert (interval.low, interval.high) == approx((plain.low, plain.high), abs=0.15 * (plain.high - plain.low))


def test_calibrated_respondent_is_not_accused():
    # 100 calibrated respondents, 150 items each: the true ECE is 0. The percentile interval never holds it.
    inside, percentile = 0, 0
    for seed in range(100):
        p, y = planted(150, seed)
        inside += bootstrap_ece(p, y, resamples=200, seed=seed).low == 0
        percentile += bootstrap_ece(p, y, resamples=200, seed=seed, method="percentile").low == 0
    assert inside >= 93 and percentile == 0


def test_planted_error_is_covered_and_found():
    # Always .9, right in .6 of 150 items: true ECE .3, standard error .04
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(100):
        interval = bootstrap_ece([0.9] * 150, rng.random(150) < 0.6, resamples=200, seed=seed)
        inside += interval.low <= 0.3 <= interval.high
        assert interval.low > 0.1
    assert inside >= 90  # .95 expected, standard error .022


def test_error_free_items_do_not_hide_the_uncertainty():
    # Certain and right 20 times of 20: the ECE is 0, but an accuracy of 1 - .025^(1/20) = .83 would be no surprise.
    interval = bootstrap_ece([1.0] * 20, [1] * 20)
    assert interval.value == 0 and interval.low == 0 and interval.high == approx(1 - 0.025 ** (1 / 20))
    nearly = bootstrap_ece([0.95] * 20, [1] * 20)
    assert nearly.low == 0 and nearly.high > 0.1
    grouped = bootstrap_ece([1.0] * 20, [1] * 20, groups=np.repeat(np.arange(5), 4))
    assert grouped.high == approx(1 - 0.025 ** (1 / 5))


def test_error_interval_of_groups_is_wider():
    rng = np.random.default_rng(0)
    y = np.repeat(rng.random(60) < 0.6, 5)
    grouped = bootstrap_ece([0.9] * 300, y, groups=np.repeat(np.arange(60), 5))
    apart = bootstrap_ece([0.9] * 300, y)
    assert grouped.high - grouped.low > 1.7 * (apart.high - apart.low)  # sqrt 5 if all else were equal
    assert grouped.method == "inverted, clustered: 60 groups"


def test_auroc_interval_near_one_is_open():
    separated = bootstrap_auroc([0.9] * 10 + [0.1] * 10, [1] * 10 + [0] * 10)
    assert separated.value == 1.0 and separated.high == 1.0 and 0.7 < separated.low < 0.9
    reversed_ = bootstrap_auroc([0.1] * 10 + [0.9] * 10, [1] * 10 + [0] * 10)
    assert (reversed_.low, reversed_.high) == (0.0, approx(1 - separated.low))
    copies = bootstrap_auroc([0.9] * 10 + [0.1] * 10, [1] * 10 + [0] * 10, groups=[0] * 5 + [1] * 5 + [2] * 5 + [3] * 5)
    assert copies.low < separated.low - 0.3


def test_auroc_interval_covers_a_planted_value():
    # Normal scores 2.33 apart: AUROC Phi(2.33 / sqrt 2) = .950. 40 items; bca covers .9, percentile .8.
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(100):
        y = np.arange(40) % 2
        interval = bootstrap_auroc(rng.normal(0, 1, 40) + 2.33 * y, y, resamples=100, seed=seed)
        inside += interval.low <= 0.9503 <= interval.high
    assert inside >= 92
    assert math.isnan(bootstrap_auroc([0.9, 0.8], [1, 1]).value)


def test_coverage_of_the_plain_bootstrap():
    # Means of 25 exponential values: .94 expected, of 200 with standard error .017
    rng = np.random.default_rng(0)
    samples = rng.exponential(1, (200, 25))
    intervals = [bootstrap_weighted(lambda w, v=v: w @ v / 25, 25, resamples=400) for v in samples]
    assert np.mean([i.low <= 1 <= i.high for i in intervals]) > 0.89


def test_memory_stays_bounded():
    # 200,000 items in 5 groups: each resample of groups weights all items. At once, 100 resamples would take 160 MB for
    # the weights alone; blocks hold 2^21 of them, a few copies of 17 MB.
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    y, groups = rng.random(200_000) < p, rng.integers(0, 5, 200_000)
    tracemalloc.start()
    interval = bootstrap_ece(p, y, groups=groups, resamples=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6 and interval.low == 0


def test_wilson_is_what_a_bootstrap_of_shares_approaches():
    y = np.array([1] * 600 + [0] * 400)
    interval, exact = bootstrap(np.mean, y), wilson(600, 1000)
    assert (interval.low, interval.high) == approx((exact.low, exact.high), abs=0.008)


def test_gaps_that_cancel_within_every_group():
    """One right and one wrong answer of each question, with one confidence: groups say nothing against each other."""
    found = bootstrap_ece(np.full(60, 0.5), np.tile([0, 1], 30), groups=np.repeat(np.arange(30), 2))
    assert found.value == 0 and 0 <= found.low <= found.high < 0.2
