"""Forecasts of events, and intervals of functions of sums: known answers, ties, one item, one class, wrong units."""

import math

import numpy as np
import pytest

from doxa.metrics import brier, confusion, ece, mce, wilson
from doxa.metrics.forecast_scores import (
    BY_CHANCE,
    TWO_GROUPS,
    answer_scores,
    forecast_metrics,
    forecast_scores,
    reliability_rows,
    table_scores,
)
from doxa.metrics.forecasts import certainty, group_calibration_error, half_open_bins, half_open_ece, is_sure
from doxa.metrics.sums import above_chance, difference, mean, permuted_within, share

P, Y = [0.9, 0.8, 0.2, 0.1, 0.7, 0.3], [1, 1, 0, 0, 0, 1]
GROUPS = list("abcdef")


def test_scores_are_the_metrics_they_are_named_after():
    for half_open in (False, True):
        found = forecast_scores(P, Y, ["yes"] * 6, GROUPS, half_open=half_open, resamples=50)
        for name, metric in forecast_metrics(half_open=half_open).items():
            assert found[name].value == pytest.approx(metric(P, Y)), name
    assert found[TWO_GROUPS].value == pytest.approx(group_calibration_error(P, Y, ["yes"] * 6))
    assert 0 < found[BY_CHANCE].value < 1


def test_rows_in_another_order_score_alike():
    order = [3, 0, 5, 1, 4, 2]
    one = forecast_scores(P, Y, ["yes"] * 6, GROUPS, resamples=50)
    other = forecast_scores(*([x[i] for i in order] for x in (P, Y, ["yes"] * 6, GROUPS)), resamples=50)
    for name in ("Brier", "Brier skill", "ECE", "MCE", "AUROC", TWO_GROUPS):
        assert (one[name].low, one[name].high) == pytest.approx((other[name].low, other[name].high), nan_ok=True), name


def test_one_item_one_class_and_none():
    single = forecast_scores([0.7], [1], ["yes"], ["a"], resamples=20)
    assert single["Brier"].value == pytest.approx(0.09) and math.isnan(single["Brier"].low)
    assert math.isnan(single["Brier skill"].value) and math.isnan(single["AUROC"].value)
    assert all(math.isnan(i.value) for i in forecast_scores([], [], [], []).values())
    assert all(math.isnan(i.value) for i in answer_scores([], [], [], []).values())
    sided = forecast_scores([0.5, 0.5], [0, 1], ["", ""], ["a", "b"], resamples=20)
    assert math.isnan(sided[TWO_GROUPS].value)


def test_answers_are_counted_as_in_a_confusion_table():
    said, happened = [1, 1, 0, 0, 1], [1, 0, 0, 1, 1]
    found = answer_scores(said, happened, [0.9, 0.6, 0.1, 0.4, 0.8], GROUPS[:5], resamples=50)
    counts = confusion(said, happened)
    assert found["accuracy"].value == counts.accuracy == 0.6
    assert found["macro F1"].value == pytest.approx(counts.macro_f1())
    assert found["precision of yes"].value == pytest.approx(2 / 3) and found["recall of no"].value == 0.5
    assert found["mean confidence when right"].value == pytest.approx((0.9 + 0.9 + 0.8) / 3)
    assert found["overconfidence at 0.7"].value == 0 and found["overconfidence at 0.7"].n == 3


def test_tables_tell_what_they_can():
    bins = half_open_bins(P, Y)
    counts = confusion([1, 1, 0, 0, 1, 0], Y)
    told = table_scores(bins, counts, {"p": P}, ["yes", "yes", "no", "no", "yes", "no"])
    assert told["ECE"].value == pytest.approx(half_open_ece(P, Y)) and told["accuracy"].value == pytest.approx(4 / 6)
    groups = ["yes", "yes", "no", "no", "yes", "no"]
    assert told[f"{TWO_GROUPS}, p"].value == pytest.approx(group_calibration_error(P, Y, groups))


def test_reliability_rows_without_outcomes_keep_the_counts():
    rows = reliability_rows(P, None)
    assert sum(row[1] for row in rows) == 6 and all(math.isnan(row[3]) for row in rows)
    assert reliability_rows([], None) == [] and reliability_rows(P, Y, half_open=True)[0][:2] == ("0.1-0.2", 1)


def test_sureness_and_wrong_units():
    assert certainty([0.5]).tolist() == [0.5] and is_sure([0.7, 1 - 0.3, 0.3], 0.7).tolist() == [False] * 3
    for call in (lambda: certainty([70]), lambda: is_sure([0.5], 70), lambda: half_open_bins([70])):
        with pytest.raises(ValueError, match="outside"):
            call()
    with pytest.raises(ValueError, match="values"):
        mean([1.0, 2.0], ["a"])


def test_a_constant_forecast():
    assert ece([0.4] * 5, [1, 1, 0, 0, 0], closed="left") == pytest.approx(0)
    found = forecast_scores([0.4] * 5, [1, 1, 0, 0, 0], ["no"] * 5, GROUPS[:5], resamples=50)
    assert found["ECE"].value == pytest.approx(0) and found["AUROC"].value == 0.5
    assert found["MCE"].value == pytest.approx(mce([0.4] * 5, [1, 1, 0, 0, 0]))
    assert found["Brier"].value == pytest.approx(brier([0.4] * 5, [1, 1, 0, 0, 0]))


def test_groups_are_resampled_whole():
    values = [0.0] * 10 + [1.0] * 10
    apart, together = mean(values, list(range(20))), mean(values, [0] * 10 + [1] * 10)
    assert apart.value == together.value == 0.5 and together.high - together.low > apart.high - apart.low


def test_rates_above_chance_and_differences():
    assert above_chance(share([1, 0], ["a", "b"]), 0.5).value == 0
    # Newcombe's example: 56 of 70 less 48 of 80 is .2, limits .0524 and .3339.
    found = difference(wilson(56, 70), wilson(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_values_move_within_their_group_only():
    groups = np.repeat(["a", "b"], 50)
    moved = permuted_within(np.arange(100), groups, seed=1)
    assert sorted(moved[:50]) == list(range(50)) and moved.tolist() != list(range(100))
