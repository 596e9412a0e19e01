"""Figures of stated confidence: the weighted forms agree with the plain ones, gains are paired, faults are repeated."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from doxa.elicit import samples
from doxa.metrics import auprc, aurc, auroc, ece, final_answers
from doxa.metrics.as_published import aurc_by_rows, pair_rank_without_log
from doxa.metrics.confidence_scores import NAMES, confidence_scores, gains
from doxa.metrics.ranked_interval import auprc_of_weights, aurc_of_weights

SURE = np.array((0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05))
RIGHT = np.array((1, 1, 1, 0, 1, 0, 1, 0, 0, 0))
ANSWERS = st.lists(
    st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 1), st.integers(0, 3)), min_size=2, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_integer_weights_are_repetitions(rows):
    sure, right, weight = (np.array(column) for column in zip(*rows, strict=True))
    if not weight.sum():
        return
    said, true = np.repeat(sure, weight), np.repeat(right, weight)
    weights = weight[None, :].astype(float)
    assert aurc_of_weights(sure, right)(weights)[0] == approx(aurc(said, true))
    for positive in ("correct", "wrong"):
        assert auprc_of_weights(sure, right, positive=positive)(weights)[0] == approx(
            auprc(said, true, positive=positive), nan_ok=True
        )


def test_figures_of_ten_answers():
    found = confidence_scores(SURE, RIGHT, np.arange(10), resamples=200)
    expected = {"accuracy": 0.5, "mean confidence": 0.6, "overconfidence": 0.1, "ECE": 0.21, "AUROC": 0.84}
    expected |= {"AUPRC-P": 0.8262, "AUPRC-N": 0.8583, "AURC": 0.2355}
    assert {name: found[name].value for name in NAMES} == approx(expected, abs=5e-5)
    assert all(found[name].low < found[name].value < found[name].high for name in NAMES)


def test_groups_widen_intervals_and_order_changes_nothing():
    sure, right = np.tile(SURE, 6), np.tile(RIGHT, 6)
    groups = np.tile(np.arange(10), 6)  # six copies of each item tell no more than one
    alone = confidence_scores(sure, right, np.arange(60), resamples=200)
    together = confidence_scores(sure, right, groups, resamples=200)
    for name in ("overconfidence", "AURC", "AUPRC-P"):
        assert together[name].high - together[name].low > 1.5 * (alone[name].high - alone[name].low)
    order = np.random.default_rng(0).permutation(60)
    again = confidence_scores(sure[order], right[order], groups[order], resamples=200)
    for name in NAMES:
        now, before = again[name], together[name]
        assert (now.value, now.low, now.high) == approx((before.value, before.low, before.high))


def test_nothing_is_nan_and_one_class_is_partly():
    assert all(math.isnan(i.value) and i.n == 0 for i in confidence_scores([], [], []).values())
    found = confidence_scores([0.9, 0.8], [1, 1], ["a", "b"])
    assert math.isnan(found["AUROC"].value) and math.isnan(found["AUPRC-N"].value)
    assert found["AURC"].value == 0 and found["AUPRC-P"].value == 1
    one = confidence_scores([0.9], [0], ["a"])
    assert one["ECE"].value == approx(0.9) and math.isnan(one["ECE"].low)
    with pytest.raises(ValueError, match=r"confidence.* is 90, outside"):
        confidence_scores([90, 80], [1, 0], ["a", "b"])


def test_a_planted_gain_is_found_and_none_is_not():
    rng = np.random.default_rng(5)
    p = rng.random(400)
    right = (rng.random(400) < p).astype(int)
    found = gains((p, right), (np.full(400, 0.5), right), np.arange(400), resamples=200)
    assert found["AUROC"].value == approx(auroc(p, right) - 0.5) and found["AUROC"].low > 0
    assert found["ECE"].value == approx(ece(p, right) - ece(np.full(400, 0.5), right))
    other = rng.permutation(p)
    none = gains((other, right), (np.full(400, 0.5), right), np.arange(400), resamples=200)["AUROC"]
    assert none.low < 0 < none.high


def test_the_published_area_depends_on_the_order_of_rows():
    assert aurc_by_rows(SURE, RIGHT) == approx(0.2955, abs=5e-5)
    assert aurc_by_rows(SURE[::-1], RIGHT[::-1]) == approx(0.1988, abs=5e-5)
    assert aurc(SURE, RIGHT) == aurc(SURE[::-1], RIGHT[::-1]) == approx(0.2355, abs=5e-5)
    assert aurc_by_rows([0.5], [1]) == 0


def test_without_the_logarithm_the_start_decides():
    lists = [("A", "B"), ("A", "B"), ("B", "A"), ("A", "C"), ("A", "B")]
    found = [pair_rank_without_log(lists, seed=seed) for seed in range(4)]
    assert all(sum(p.values()) == approx(1) and list(p) == ["A", "B", "C"] for p in found)
    assert min(p["A"] for p in found) > 0.9  # the likelihood's top is at .8109
    assert len({round(p["A"], 3) for p in found}) > 1
    with pytest.raises(ValueError, match="give one response or more"):
        pair_rank_without_log([])


# --- final answers from tables, beside the same from one item's lists ------------------------------------------------

RESPONSES = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from([0.2, 0.5, 0.7, 0.9])), min_size=1, max_size=7)


@settings(max_examples=60, deadline=None)
@given(st.lists(RESPONSES, min_size=1, max_size=4))
def test_tables_give_what_lists_give(items):
    rows = [(str(i), a, c, k) for i, said in enumerate(items) for k, (a, c) in enumerate(said)]
    table = pl.DataFrame(rows, schema=["item", "answer", "confidence", "order"], orient="row").with_columns(
        correct=None
    )
    for of_table, of_list in ((final_answers.consistency, None), (final_answers.avg_conf, samples.avg_conf)):
        best = final_answers.best(of_table(table)).sort("item")
        for (item, answer, _, confidence), said in zip(best.iter_rows(), items, strict=True):
            values, stated = zip(*said, strict=True)
            scores = samples.consistency(values) if of_list is None else of_list(values, stated)
            rounded = {value: round(score, 9) for value, score in scores.items()}
            weights = [round(c, 9) for c in stated]
            assert (answer, confidence) == (
                samples.final_answer(rounded, values, weights)[0],
                approx(scores[answer]),
            ), item


def test_no_confidence_at_all_is_no_answer():
    table = pl.DataFrame({"item": ["a"], "answer": ["A"], "correct": [True], "confidence": [0.0], "order": [0]})
    assert final_answers.best(final_answers.avg_conf(table)).is_empty()
    assert len(final_answers.best(final_answers.consistency(table))) == 1
