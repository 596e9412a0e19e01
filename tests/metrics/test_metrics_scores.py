"""Brier and logarithmic scores by hand, against scikit-learn, and as sums of their parts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.metrics import brier_score_loss, log_loss

from doxa.metrics import brier, brier_decomposition, brier_options, brier_skill, log_score

P = (0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05)
Y = (1, 1, 1, 0, 1, 0, 1, 0, 0, 0)

predictions = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_ten_items_by_hand():
    # 2 * .0025 + .0225 + .7225 + .1225 + .4225 + .2025 + .1225 + .0225 + .0025 = 1.645
    assert brier(P, Y) == approx(0.1645)
    assert brier_skill(P, Y) == approx(1 - 0.1645 / 0.25)


def test_certain_and_indifferent_respondents():
    assert brier([1, 1, 1, 1], [1, 0, 1, 0]) == 0.5
    assert brier([0.5] * 4, [1, 0, 0, 0]) == 0.25
    assert log_score([0.5] * 4, [1, 0, 0, 0]) == approx(math.log(2))
    assert brier([0.25], [1]) == 0.5625


def test_a_certain_error_costs_everything_unless_clipped():
    assert log_score([1.0, 0.5], [0, 1]) == math.inf
    assert log_score([1.0], [0], clip=1e-15) == approx(-math.log(1e-15), rel=1e-3)
    assert log_score([1.0, 0.0], [1, 0]) == 0.0
    with pytest.raises(ValueError, match=r"clip is 0.5, outside \[0, 0.5\)"):
        log_score([0.5], [1], clip=0.5)


def test_skill_is_undefined_when_the_base_rate_is_perfect():
    assert math.isnan(brier_skill([0.9, 0.8], [1, 1])) and math.isnan(brier_skill([0.1], [0]))


def test_scores_over_options():
    # (.7 - 1)^2 + .2^2 + .1^2 = .14 and .7^2 + .2^2 + (.1 - 1)^2 = 1.34
    assert brier_options([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]], [0, 2]) == approx(0.74)
    p = np.array(P)
    assert brier_options(np.stack([1 - p, p], axis=1), Y) == approx(2 * brier(P, Y))


@settings(deadline=None, max_examples=30)
@given(predictions)
def test_against_scikit_learn(pairs):
    p, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    assert brier(p, y) == approx(brier_score_loss(y, p, pos_label=1))
    assert log_score(p, y, clip=1e-15) == approx(log_loss(y, np.clip(p, 1e-15, 1 - 1e-15), labels=[0, 1]))


@settings(deadline=None, max_examples=30)
@given(predictions, st.sampled_from([1, 3, 10]), st.sampled_from(["width", "mass"]))
def test_parts_sum_to_the_score(pairs, bins, binning):
    p, y = zip(*pairs, strict=True)
    parts = brier_decomposition(p, y, bins=bins, binning=binning)
    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance - parts.within_covariance
    assert whole == approx(parts.brier, abs=1e-12) and parts.brier == approx(brier(p, y))


def test_parts_of_a_calibrated_respondent():
    # .25 right 1 of 4, .75 right 3 of 4: reliability 0, resolution .25^2, uncertainty .25, nothing within the bins.
    parts = brier_decomposition([0.25] * 4 + [0.75] * 4, [1, 0, 0, 0, 1, 1, 1, 0])
    assert parts.reliability == 0 and parts.resolution == approx(0.0625) and parts.uncertainty == 0.25
    assert parts.within_variance == 0 and parts.within_covariance == 0 and parts.brier == approx(0.1875)


@settings(deadline=None, max_examples=30)
@given(predictions)
def test_order_of_rows_does_not_matter(pairs):
    p, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    for score in (brier, brier_skill, log_score):
        assert score(p[::-1], y[::-1]) == approx(score(p, y), nan_ok=True)
