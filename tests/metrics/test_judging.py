"""Scores of judgement: the published forms by hand, judging oneself against others, tables without items."""

import numpy as np
import pytest

from doxa.metrics import Interval, auroc, judging
from doxa.metrics.judged import Responses, before_and_after, confusion, gained, parts, way_scores, ways
from doxa.metrics.judging import (
    ece_of_judgement,
    equivalence_margin,
    judging_scores,
    rmsce_as_published,
    rmsce_of_judgement,
    self_advantage,
    top_label,
)


def two_bins():
    """100 rows at .6 of which 50 are judged rightly, and 100 at .9 of which 70: gaps of .1 and .2."""
    said = np.repeat([0.6, 0.9], 100)
    right = np.concatenate([np.arange(100) < 50, np.arange(100) < 70]).astype(float)
    return said, right


def test_rmsce_by_hand_and_as_published():
    said, right = two_bins()
    assert rmsce_of_judgement(said, right) == pytest.approx(np.sqrt(0.5 * 0.01 + 0.5 * 0.04))  # .1581
    assert rmsce_as_published(said, right) == pytest.approx(0.3344, abs=5e-5)  # (.05^2 + .1^2)^(1/4)
    assert ece_of_judgement(said, right) == pytest.approx(0.15)


def test_below_200_rows_there_is_one_bin():
    said, right = np.array([0.6] * 50 + [0.9] * 50), np.ones(100)
    assert rmsce_of_judgement(said, right) == pytest.approx(0.25)


def test_a_judgement_turned_round_is_as_sure():
    said, right = two_bins()
    turned, wrong = top_label(1 - said, 1 - right)
    assert turned == pytest.approx(top_label(said, right)[0]) and (wrong == top_label(said, right)[1]).all()


def test_half_is_judged_wrong_and_scores_nothing_in_either_error():
    said, right = np.full(40, 0.5), np.tile([0.0, 1.0], 20)
    assert top_label(said, right)[1].mean() == 0.5
    assert ece_of_judgement(said, right) == 0
    found = judging_scores(said, right, np.arange(40), resamples=50)
    assert found["AUROC"].value == 0.5 and found["ECE"].value == 0


def test_one_class_and_nothing():
    found = judging_scores([0.5, 0.7], [1, 1], [1, 2], resamples=50)
    assert np.isnan(found["AUROC"].value) and found["accuracy of judging"].value == 0.5
    assert all(np.isnan(i.value) and i.n == 0 for i in judging_scores([], [], []).values())


def test_percent_is_refused():
    with pytest.raises(ValueError, match="Percent"):
        top_label([60.0], [1])


# --- oneself and others ----------------------------------------------------------------------------------------------


def judged(private, n=1000, seed=0):
    """Two models right with chance sigmoid(x + private * s); both judges see x, each the s of its own model alone."""
    rng = np.random.default_rng(seed)
    cells = {}
    for model in "ab":
        x, s = rng.normal(0, 1.2, n), rng.choice([-1.0, 1.0], n)
        sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
        right = (rng.random(n) < sigmoid(x + private * s)).astype(float)
        for judge in "ab":
            cells[judge, model] = (sigmoid(x + private * s * (judge == model)), right)
    return cells


def test_a_private_signal_is_detected():
    found = self_advantage(judged(1.0), "ab", np.arange(1000), resamples=300)
    cells = judged(1.0)
    areas = {k: auroc(*v) for k, v in cells.items()}
    assert found.value == pytest.approx((areas["a", "a"] + areas["b", "b"] - areas["a", "b"] - areas["b", "a"]) / 2)
    assert found.low > 0 and found.value == pytest.approx(0.06, abs=0.03)


def test_without_one_there_is_none_however_different_the_models():
    found = self_advantage(judged(0.0), "ab", np.arange(1000), resamples=300)
    assert found.value == 0


def test_the_order_of_rows_and_names_does_not_matter():
    cells = judged(1.0, 200)
    order = np.random.default_rng(1).permutation(200)
    moved = {k: (c[order], y[order]) for k, (c, y) in cells.items()}
    first = self_advantage(cells, "ab", np.arange(200), resamples=200)
    again = self_advantage(moved, "ba", np.arange(200)[order], resamples=200)
    assert (again.value, again.low, again.high) == pytest.approx((first.value, first.low, first.high))


def test_one_judge_has_nothing_to_be_held_against():
    with pytest.raises(ValueError, match="at least two"):
        self_advantage(judged(0.0, 20), "a", np.arange(20))


def test_the_margin_is_the_farther_limit():
    assert equivalence_margin(Interval(0.0, -0.01, 0.03, 10, "")) == 0.03


# --- tables ----------------------------------------------------------------------------------------------------------


def responses(n=400, seed=0):
    rng = np.random.default_rng(seed)
    chance = rng.random(n)
    right = (rng.random(n) < chance).astype(float)
    test = np.arange(n) % 4 > 0
    said = {"sure": chance**3, "blind": np.full(n, np.nan)}
    names = np.repeat(np.array(["m1", "m2"], dtype=object), n // 2)
    return Responses(right, np.arange(n).astype(str), names, np.array(["x"] * n, dtype=object), test, said)


def test_a_calibrator_is_fitted_on_calibration_responses_alone():
    some = responses()
    found = some.calibrated("sure", "platt")
    assert np.isnan(found[~some.test]).all() and not np.isnan(found[some.test]).any()
    other = Responses(**{**vars(some), "correct": np.where(some.test, 1 - some.correct, some.correct)})
    assert (other.calibrated("sure", "platt") == found)[some.test].all()
    gap = lambda c: abs((c - some.correct)[some.test].mean())  # noqa: E731
    assert gap(found) < 0.08 < gap(some.said["sure"])


def test_too_few_to_calibrate_with_give_nothing():
    some = responses(60)
    assert np.isnan(some.calibrated("sure", "platt")).all()


def test_a_way_that_says_nothing_is_nan_and_counted_as_none():
    some = responses()
    table = {row[0]: row for row in ways(some).rows}
    assert table["blind"][1] == 0 and np.isnan(table["blind"][2])
    assert table["sure"][1] == 300
    assert all(np.isnan(i.value) for i in way_scores(some, "blind").values())
    assert np.isnan(gained(some, "sure", "blind").value)
    assert before_and_after(some, ("blind",)).rows[0][2] == 0


def test_confusion_counts_every_response_once():
    rows = {row[0]: row[1:] for row in confusion(responses()).rows}
    assert sum(rows["sure"]) == 300


def test_parts_hold_all_responses():
    subjects, models = parts(responses(), "sure")
    assert [row[1] for row in subjects.rows] == [300] and sum(row[1] for row in models.rows) == 300


def test_names_are_those_of_scores():
    assert set(judging.NAMES) <= set(way_scores(responses(), "sure", resamples=50))
