"""AUROC, average precision, risk-coverage and confusion by hand and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support, roc_auc_score

from doxa.metrics import (
    Confusion,
    auprc,
    aurc,
    auroc,
    confusion,
    macro_f1,
    precision_recall_f1,
    risk_coverage,
    selective_accuracy,
    selective_auc,
)

P = (0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05)
Y = (1, 1, 1, 0, 1, 0, 1, 0, 0, 0)

predictions = st.lists(st.tuples(st.integers(0, 10).map(lambda k: k / 10), st.booleans()), min_size=1, max_size=60)
ORDINAL = (auroc, auprc, aurc, selective_auc, lambda p, y: auprc(p, y, positive="wrong"))


def test_ten_items_by_hand():
    # Wrong at .85, .65, .35, .15, .05. Right ones above each: 2.5, 3.5 + .5 - ... = of 25 pairs 21 won, ties half.
    # .95 and .95 beat all 5; .85 beats 4 and ties 1; .65 beats 3 and ties 1; .55 beats 3: 5 + 5 + 4.5 + 3.5 + 3 = 21
    assert auroc(P, Y) == approx(21 / 25)
    # Right: recall .4 at 2/2, .2 at 3/4, .2 at 4/6, .2 at 5/7
    assert auprc(P, Y) == approx(0.4 + 0.2 * 3 / 4 + 0.2 * 4 / 6 + 0.2 * 5 / 7) == approx(0.8262, abs=5e-5)
    # Wrong, from the lowest: .2 at 1/1, 2/2, 3/3 each, then .65: 4 of 6, .85: 5 of 8
    assert auprc(P, Y, positive="wrong") == approx(0.6 + 0.2 * 4 / 6 + 0.2 * 5 / 8) == approx(0.8583, abs=5e-5)
    assert aurc(P, Y) == approx(0.2355, abs=5e-5)


def test_risk_coverage_has_one_point_per_distinct_confidence():
    curve = risk_coverage(P, Y)
    assert curve.coverage.tolist() == approx([0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert curve.risk.tolist() == approx([0, 1 / 4, 2 / 6, 2 / 7, 3 / 8, 4 / 9, 5 / 10])
    assert curve.threshold.tolist() == [0.95, 0.85, 0.65, 0.55, 0.35, 0.15, 0.05]


def test_other_known_answers():
    assert auroc((0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.9, 0.3), (1, 1, 1, 0, 1, 0, 1, 0)) == approx(14 / 15)
    assert auroc((0.9, 0.9, 0.8, 0.8, 0.7, 0.8, 0.9, 0.7), (1, 1, 1, 0, 1, 0, 1, 0)) == approx(0.7667, abs=5e-5)
    assert auroc((0.9, 0.6, 0.6, 0.2), (1, 1, 0, 0)) == 0.875
    assert auroc((1, 1, 1, 1), (1, 0, 1, 0)) == 0.5


def test_constant_confidence_tells_nothing():
    y = [1, 0, 1, 1, 0]
    assert auroc([0.7] * 5, y) == 0.5
    assert auprc([0.7] * 5, y) == approx(0.6) and auprc([0.7] * 5, y, positive="wrong") == approx(0.4)
    assert aurc([0.7] * 5, y) == approx(0.4)
    assert selective_auc([0.7] * 5, y) == approx(0.6) and selective_accuracy([0.7] * 5, y, 0.2) == approx(0.6)


def test_one_class_and_one_item():
    assert math.isnan(auroc([0.9, 0.1], [1, 1])) and math.isnan(auroc([0.9], [0]))
    assert math.isnan(auprc([0.9, 0.1], [0, 0])) and math.isnan(auprc([0.9], [1], positive="wrong"))
    assert auprc([0.9], [1]) == 1.0
    assert aurc([0.9, 0.1], [0, 0]) == 1.0 and aurc([0.3], [1]) == 0.0


def test_selective_auc_by_hand():
    scores, y = (0.9, 0.8, 0.7, 0.6, 0.5), (1, 1, 0, 1, 0)
    assert selective_auc(scores, y) == approx(0.8033, abs=5e-5)
    assert selective_auc(scores[::-1], y) == approx(0.3867, abs=5e-5)
    assert selective_auc((5, 4, 2, 3, 1), (1, 1, 0, 1, 0)) == approx(0.87)  # an oracle for 3 of 5
    assert auroc(scores, y) == approx(0.8333, abs=5e-5)


def test_selective_accuracy_takes_ties_by_expectation():
    # Surest half of 4: the first, and one of three tied ones of which one is right: (1 + 1/3) / 2
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]):
        p, y = np.array([0.9, 0.5, 0.5, 0.5])[order], np.array([1, 1, 0, 0])[order]
        assert selective_accuracy(p, y, 0.5) == approx(2 / 3)
    assert selective_accuracy(P, Y, 1.0) == 0.5
    # 2.5 of 10 items: two right ones and half an item of the pair at .85
    assert selective_accuracy(P, Y, 0.25) == approx((2 + 0.25) / 2.5)
    with pytest.raises(ValueError, match=r"coverage is 50, outside \(0, 1\]. Percent\? divide by 100"):
        selective_accuracy(P, Y, 50)


@settings(deadline=None, max_examples=30)
@given(predictions)
def test_against_scikit_learn(pairs):
    p, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    if 0 < y.sum() < len(y):
        assert auroc(p, y) == approx(roc_auc_score(y, p))
        assert auprc(p, y) == approx(average_precision_score(y, p))
        assert auprc(p, y, positive="wrong") == approx(average_precision_score(1 - y, -p))


@settings(deadline=None, max_examples=30)
@given(predictions)
def test_order_of_rows_bounds_and_direction(pairs):
    p, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    order = np.random.default_rng(0).permutation(len(p))
    for metric in ORDINAL:
        value = metric(p, y)
        assert metric(p[order], y[order]) == approx(value, nan_ok=True)
        assert metric(np.exp(5 * p), y) == approx(value, nan_ok=True)  # only the order of the confidences counts
        assert math.isnan(value) or 0 <= value <= 1 + 1e-12
    assert auroc(-p, y) == approx(1 - auroc(p, y), nan_ok=True)
    assert auroc(p, 1 - y) == approx(1 - auroc(p, y), nan_ok=True)
    assert selective_accuracy(p, y, 1.0) == approx(y.mean())


def test_reordered_items_under_heavy_ties():
    # With ties broken by row this case gives .2955 in the given order and .1988 reversed.
    assert aurc(P, Y) == approx(aurc(P[::-1], Y[::-1]))


def test_confusion_and_its_figures():
    table = confusion([1] * 5 + [0] * 5, [1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    assert table == Confusion(tp=3, fp=2, fn=1, tn=4) and table.n == 10 and table.accuracy == 0.7
    yes = table.precision_recall_f1()
    assert (yes.precision, yes.recall, yes.f1, yes.support) == (0.6, 0.75, approx(2 / 3), 4)
    no = table.precision_recall_f1(positive=False)
    assert (no.precision, no.recall, no.f1, no.support) == (0.8, approx(2 / 3), approx(8 / 11), 6)


@pytest.mark.parametrize(
    ("table", "accuracy", "f1"),
    [
        (Confusion(69, 40, 52, 139), 0.693, 0.676),
        (Confusion(43, 26, 78, 153), 0.653, 0.599),
        (Confusion(55, 41, 66, 138), 0.643, 0.614),
        (Confusion(45, 27, 76, 152), 0.657, 0.607),
        (Confusion(51, 30, 66, 145), 0.671, 0.633),
    ],
)
def test_published_accuracies_from_published_tables(table, accuracy, f1):
    assert table.accuracy == approx(accuracy, abs=5e-4) and table.macro_f1() == approx(f1, abs=5.1e-4)


def test_empty_denominators():
    never = precision_recall_f1([0, 0, 0], [1, 0, 0])
    assert math.isnan(never.precision) and never.recall == 0 and never.f1 == 0
    assert precision_recall_f1([0, 0, 0], [1, 0, 0], zero_division=0).precision == 0
    all_no = confusion([0, 0], [0, 0])
    assert math.isnan(all_no.macro_f1()) and all_no.macro_f1(zero_division=0) == 0.5
    assert math.isnan(Confusion(0, 0, 0, 0).accuracy)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_f1_against_scikit_learn(pairs):
    said, true = (list(column) for column in zip(*pairs, strict=True))
    assert macro_f1(said, true) == approx(f1_score(true, said, average="macro"))
    yes, truly = ([label == "a" for label in labels] for labels in (said, true))
    ours = precision_recall_f1(yes, truly, zero_division=0)
    theirs = precision_recall_fscore_support(truly, yes, average="binary", zero_division=0)
    assert (ours.precision, ours.recall, ours.f1) == approx(theirs[:3])
