"""The interval of the selective AUC is that of the plain bootstrap, ties and groups included."""

import numpy as np
import pytest

from doxa.metrics import bootstrap, paired_difference, selective_auc
from doxa.metrics.selective_interval import bootstrap_selective_auc

LIMITS = ("value", "low", "high")


@pytest.fixture(params=["distinct", "tied", "constant"])
def said(request):
    rng = np.random.default_rng(3)
    score = {"distinct": rng.random(60), "tied": np.round(rng.random(60), 1), "constant": np.full(60, 0.5)}
    return score[request.param], (rng.random(60) < 0.6).astype(float), rng.random(60), rng.integers(0, 12, 60)


def same(a, b):
    assert [getattr(a, k) for k in LIMITS] == pytest.approx([getattr(b, k) for k in LIMITS], abs=1e-9, nan_ok=True)
    assert (a.n, a.method) == (b.n, b.method)


def test_it_is_the_bootstrap_of_the_area(said):
    score, right, _, group = said
    same(
        bootstrap_selective_auc(score, right, groups=group, resamples=200),
        bootstrap(selective_auc, score, right, groups=group, resamples=200),
    )


def test_a_gain_is_the_paired_difference(said):
    score, right, other, group = said
    same(
        bootstrap_selective_auc(score, right, other, groups=group, resamples=200),
        paired_difference(selective_auc, (score, right), (other, right), groups=group, resamples=200),
    )


def test_single_items_are_units_without_groups(said):
    score, right, _, _ = said
    fast, plain = bootstrap_selective_auc(score, right), bootstrap(selective_auc, score, right)
    assert fast.value == pytest.approx(plain.value) == selective_auc(score, right)
    # other draws of the same kind: limits of 1,000 resamples vary by about .03 of an interval's width
    assert (fast.low, fast.high) == pytest.approx((plain.low, plain.high), abs=0.12 * (plain.high - plain.low))


def test_one_item_and_wrong_units():
    alone = bootstrap_selective_auc([0.5], [1])
    assert alone.value == 1 and np.isnan(alone.low)
    assert np.isnan(bootstrap_selective_auc([0.5, 0.2], [1, 0], groups=["a", "a"]).low)
    with pytest.raises(ValueError, match="correct"):
        bootstrap_selective_auc([0.5, 0.2], [90, 10])
    with pytest.raises(ValueError, match="empty"):
        bootstrap_selective_auc([], [])
