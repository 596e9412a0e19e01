"""Agreement, distances and tests of tables by hand, and against scikit-learn and SciPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import cohen_kappa_score

from doxa.metrics import (
    agreement_rate,
    chi_square,
    cochran_armitage,
    cohen_kappa,
    correlation_p,
    jensen_shannon,
    jensen_shannon_n,
    mcnemar,
    pearson,
    spearman,
    total_variation,
    total_variation_n,
)

label_pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40)
number_pairs = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40)


def test_kappa_by_hand():
    # Yes-yes 20, yes-no 5, no-yes 10, no-no 15 of 50: observed .7, expected .5 * .6 + .5 * .4 = .5, kappa .4
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert agreement_rate(a, b) == 0.7 and cohen_kappa(a, b) == approx(0.4)


def test_kappa_of_one_label_is_undefined_not_perfect():
    assert math.isnan(cohen_kappa(["a"] * 3, ["a"] * 3)) and agreement_rate(["a"] * 3, ["a"] * 3) == 1.0
    assert math.isnan(cohen_kappa([1], [1]))
    assert cohen_kappa(["a"] * 4, ["a", "a", "b", "b"]) == approx(0.0)


@settings(deadline=None, max_examples=30)
@given(label_pairs)
def test_kappa_against_scikit_learn(pairs):
    a, b = zip(*pairs, strict=True)
    if len(set(a) | set(b)) > 1:
        for weights in (None, "linear", "quadratic"):
            assert cohen_kappa(a, b, weights=weights) == approx(cohen_kappa_score(a, b, weights=weights))
            assert cohen_kappa(b[::-1], a[::-1], weights=weights) == approx(cohen_kappa(a, b, weights=weights))


def test_mcnemar_by_hand():
    # 3 against 9: 2 (1 + 12 + 66 + 220) / 4096 = .146; mid-p less 220 / 4096
    test = mcnemar([1] * 3 + [0] * 9 + [1] * 88, [0] * 3 + [1] * 9 + [1] * 88)
    assert (test.only_a, test.only_b) == (3, 9)
    assert test.p_exact == approx(2 * 299 / 4096) and test.p_mid == approx((2 * 299 - 220) / 4096)


def test_mcnemar_without_differences_or_direction():
    same = mcnemar([1, 0, 1], [1, 0, 1])
    assert same.p_exact == same.p_mid == 1.0
    even = mcnemar([1, 1, 0, 0], [0, 0, 1, 1])
    assert even.p_exact == even.p_mid == 1.0
    assert mcnemar([1], [0]).p_exact == 1.0 and mcnemar([1], [0]).p_mid == 0.5


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 6), (40, 61), (5000, 5200)])
def test_mcnemar_against_the_binomial_test(only_a, only_b):
    a, b = [1] * only_a + [0] * only_b, [0] * only_a + [1] * only_b
    assert mcnemar(a, b).p_exact == approx(stats.binomtest(only_a, only_a + only_b).pvalue)


def test_distances_by_hand():
    assert total_variation([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]) == approx(0.3)
    assert total_variation([1, 0], [0, 1]) == 1.0 and total_variation([0.5, 0.5], [0.5, 0.5]) == 0.0
    # Middle (.75, .25): (log(1 / .75) + .5 log(.5 / .75) + .5 log(.5 / .25)) / 2
    expected = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert jensen_shannon([1, 0], [0.5, 0.5]) == approx(expected)
    assert jensen_shannon([1.0], [1.0]) == 0.0


def test_distances_row_by_row():
    p, q = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.5, 0.5], [0.0, 1.0]])
    assert total_variation_n(p, q).tolist() == [0.0, 1.0]
    assert jensen_shannon_n(p, q).tolist() == approx([0.0, math.log(2)])
    with pytest.raises(ValueError, match=r"p has shape \(2, 2\), q has \(1, 2\)"):
        total_variation_n(p, q[:1])
    with pytest.raises(ValueError, match=r"q\[0\] sums to 1.2"):
        total_variation([0.5, 0.5], [0.6, 0.6])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=8))
def test_divergence_against_scipy(pairs):
    p, q = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    if p.sum() and q.sum():
        p, q = p / p.sum(), q / q.sum()
        assert jensen_shannon(p, q) == approx(jensenshannon(p, q) ** 2, abs=1e-12)
        assert jensen_shannon(q, p) == approx(jensen_shannon(p, q)) and 0 <= total_variation(p, q) <= 1 + 1e-12


@settings(deadline=None, max_examples=30)
@given(number_pairs)
def test_correlations_against_scipy(pairs):
    x, y = zip(*pairs, strict=True)
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert pearson(x, y) == approx(stats.pearsonr(x, y).statistic, abs=1e-9)
        assert spearman(x, y) == approx(stats.spearmanr(x, y).statistic, abs=1e-9)
        assert spearman(x[::-1], y[::-1]) == approx(spearman(x, y))
    else:
        assert math.isnan(pearson(x, y)) and math.isnan(spearman(x, y))


def test_constant_series_have_no_correlation():
    # The mean of ten times .1 is not quite .1, so a test of the variance against 0 would let rounding through.
    assert math.isnan(pearson([0.1] * 10, range(10))) and math.isnan(spearman([3], [4]))


def test_steadiness_under_misleading_hints_ranks_as_certainty_does():
    # p ~ U(0, 1) per question; each of 12 hints leaves the answer with chance p: Spearman .925 (sd .006 at n = 500),
    # and .82 with 4 hints.
    rng = np.random.default_rng(0)
    p = rng.random(500)
    assert spearman((1 + rng.binomial(12, p)) / 13, p) > 0.9
    assert spearman((1 + rng.binomial(4, p)) / 5, p) == approx(0.82, abs=0.06)


def test_published_correlation_of_literal_style_and_error():
    literal = [0.105, 0.474, 0.581, 0.664, 0.789, 0.996]
    error = [0.1201, 0.2966, 0.2094, 0.2981, 0.2838, 0.3947]
    assert pearson(literal, error) == approx(0.893, abs=5e-4) and spearman(literal, error) == approx(0.714, abs=5e-4)
    assert correlation_p(pearson(literal, error), 6) == approx(0.017, abs=1e-3)


def test_p_of_a_correlation():
    x, y = [1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 6.5]
    assert correlation_p(pearson(x, y), 6) == approx(stats.pearsonr(x, y).pvalue)
    assert math.isnan(correlation_p(0.5, 2)) and math.isnan(correlation_p(math.nan, 10)) and correlation_p(1.0, 5) == 0
    with pytest.raises(ValueError, match=r"r is 89.3, outside \[-1, 1\]"):
        correlation_p(89.3, 10)


def test_trend_over_difficulty_levels():
    # Recorded answers of one model by difficulty, Low+Medium to Extreme: z = 1.54, p = .12, 234 of 639.
    admitted, asked = [14, 29, 58, 27, 82, 24], [60, 95, 143, 62, 201, 78]
    trend = cochran_armitage(admitted, asked)
    assert trend.z == approx(1.54, abs=5e-3) and trend.p == approx(0.12, abs=5e-3) and trend.n == 639
    assert cochran_armitage(admitted[::-1], asked[::-1]).z == approx(-trend.z)
    assert cochran_armitage(admitted, asked, scores=[10, 20, 30, 40, 50, 60]).z == approx(trend.z)


def test_trend_of_two_levels_is_the_table_test():
    trend, table = cochran_armitage([12, 25], [40, 40]), chi_square([[12, 25], [28, 15]])
    assert trend.z**2 == approx(table.statistic) and trend.p == approx(table.p)


def test_trend_without_variation_is_undefined():
    assert math.isnan(cochran_armitage([0, 0], [5, 5]).z) and math.isnan(cochran_armitage([5, 5], [5, 5]).p)
    assert math.isnan(cochran_armitage([2, 0], [5, 0]).z) and math.isnan(cochran_armitage([0], [0]).z)
    with pytest.raises(ValueError, match=r"successes\[1\] is 7 of totals\[1\] = 5"):
        cochran_armitage([1, 7], [5, 5])


def test_table_of_position_effects():
    # Rate by position of the right option: 47/165, 56/171, 70/164, 77/176; chi-square 12.17, 3 df, p = .007.
    hits, asked = np.array([47, 56, 70, 77]), np.array([165, 171, 164, 176])
    test = chi_square([hits, asked - hits])
    assert test.statistic == approx(12.17, abs=5e-3) and test.df == 3 and test.p == approx(0.007, abs=5e-4)
    theirs = stats.chi2_contingency([hits, asked - hits], correction=False)
    assert (test.statistic, test.p) == approx((theirs.statistic, theirs.pvalue))
    assert test.least_expected == approx(theirs.expected_freq.min())


def test_tables_that_tell_nothing_raise():
    with pytest.raises(ValueError, match="table row 1 sums to 0 and tells nothing"):
        chi_square([[1, 2], [0, 0]])
    with pytest.raises(ValueError, match="at least two rows and two columns"):
        chi_square([[1, 2]])
    with pytest.raises(ValueError, match="negative, infinite or nan"):
        chi_square([[1, -2], [3, 4]])
