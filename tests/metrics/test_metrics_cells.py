import math

import numpy as np
import pytest

from doxa.metrics import clopper_pearson, paired_proportions
from doxa.metrics.cells import CellCounts, weighted_shares

ONES = np.ones((1, 10))


def test_a_mean_weighs_cells_alike_whatever_their_size():
    hits = [[1, 0, 0, 0] * 5, [1, 1, 0, 0] * 5]
    counts = [[1, 1, 1, 1] * 5, [1, 1, 0, 0] * 5]
    found = weighted_shares(hits, counts, [0.5, 0.5])
    assert found.value == pytest.approx((1 / 4 + 2 / 2) / 2) and found.n == 20
    assert found.low < found.value < found.high and found.method == "beta, half a unit at the bound"


def test_one_share_has_the_exact_interval():
    found, by_hand = weighted_shares([[1, 1, 1, 0, 0, 0, 0, 0, 0, 0]], ONES, [1]), clopper_pearson(3, 10)
    assert (found.value, found.low, found.high) == pytest.approx((by_hand.value, by_hand.low, by_hand.high))


def test_a_mean_of_shares_that_are_all_one_still_has_an_interval():
    found, by_hand = weighted_shares(np.ones((2, 10)), np.ones((2, 10)), [0.5, 0.5]), clopper_pearson(10, 10)
    assert (found.value, found.low, found.high) == pytest.approx((1, by_hand.low, 1))  # 10 units, not 20 answers


def test_two_answers_of_a_unit_that_agree_are_worth_one():
    rng = np.random.default_rng(0)
    hits = (rng.random((1, 200)) < 0.7).astype(float)
    once, twice = (weighted_shares(np.repeat(hits, k, axis=0), np.ones((k, 200)), [1 / k] * k) for k in (1, 2))
    # Resampling error of a limit of 1,000 draws is about .05 of its distance; exact and BCa differ by as much.
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.12)


def test_a_difference_is_paired():
    a, b = np.array([1, 1, 1, 1, 0.0]), np.array([1, 0, 0, 1, 0.0])
    found, by_hand = weighted_shares([b, a], np.ones((2, 5)), [-1, 1]), paired_proportions(a, b)
    assert (found.value, found.low, found.high) == (by_hand.value, by_hand.low, by_hand.high)
    partly = weighted_shares([b, [1, 1, 1, 0, 0]], [[1] * 5, [1, 1, 1, 0, 0]], [-1, 1])
    assert partly.value == pytest.approx(1 - 2 / 5)


def test_what_does_not_vary_is_not_certain():
    # Half a unit more that differs wholly: -+ 2.5 / 20 is the 97.5th percentile of its share of 20.5 units.
    found = weighted_shares(np.ones((3, 20)), np.ones((3, 20)), [0.5, 0.5, -1])
    assert found.value == 0 and found.high == pytest.approx(0.12, abs=0.01) and found.low == pytest.approx(-found.high)
    one = weighted_shares(np.ones((2, 1)), np.ones((2, 1)), [0.4, 0.4])
    assert one.value == pytest.approx(0.8) and math.isnan(one.low) and "one unit" in one.method


def test_the_poorest_cell_decides_how_much_is_known():
    # 40 units in one cell, 4 others in the other: a difference rests on 4.
    hits, counts = np.zeros((2, 44)), np.zeros((2, 44))
    counts[0, :40], counts[1, 40:], hits[0, :40], hits[1, 40:] = 1, 1, 1, 1
    few = weighted_shares(hits, counts, [0.5, -0.5])
    many = weighted_shares(np.ones((2, 40)), np.ones((2, 40)), [0.5, -0.5])
    assert few.high - few.low > 5 * (many.high - many.low)


def test_sums_cover_planted_ones():
    # Mean of two cells less a third, 40 pairs, all near 1: resampling has no limits for 1 in 5. Of 300, se .012
    rng = np.random.default_rng(4)
    shares, weights, hits = np.array([0.98, 0.96, 0.97]), [0.5, 0.5, -1], 0
    for _ in range(300):
        found = weighted_shares((rng.random((3, 40)) < shares[:, None]).astype(float), np.ones((3, 40)), weights)
        hits += found.low <= 0 <= found.high
    assert hits / 300 > 0.94


def test_an_empty_cell_is_undefined():
    found = weighted_shares([[1, 0], [0, 0]], [[1, 1], [0, 0]], [0.5, 0.5])
    assert math.isnan(found.value) and math.isnan(found.low)
    assert math.isnan(weighted_shares(np.zeros((1, 0)), np.zeros((1, 0)), [1]).value)


def test_the_order_of_units_changes_the_value_by_nothing():
    rng = np.random.default_rng(1)
    hits, order = (rng.random((2, 50)) < 0.5).astype(float), rng.permutation(50)
    counts = np.ones((2, 50))
    assert weighted_shares(hits[:, order], counts, [0.5, 0.5]).value == weighted_shares(hits, counts, [0.5, 0.5]).value


@pytest.mark.parametrize(
    ("hits", "counts", "weights", "words"),
    [
        ([[1, 2]], [[1, 1]], [1], "Swapped arguments"),
        ([[-1, 0]], [[1, 1]], [1], "Swapped arguments"),
        ([[1, 1]], [[1, 1, 1]], [1], r"hits is \(1, 2\), counts \(1, 3\)"),
        ([1, 1], [1, 1], [1], r"must be \(k, n\)"),
        ([[1, 1]], [[1, 1]], [1, 1], r"weights \(2,\)"),
    ],
)
def test_impossible_counts_are_refused(hits, counts, weights, words):
    with pytest.raises(ValueError, match=words):
        weighted_shares(hits, counts, weights)


def counted(**changes):
    """Cell a: right, unread, never came. Cell b: right, wrong. Cell c: one unread. Cell d: nothing."""
    about = {
        "cells": "abcd",
        "cell": list("aaabbc"),
        "unit": list("xyzxyx"),
        "came": [True, True, False, True, True, True],
        "read": [True, False, False, True, True, False],
        "kinds": {"right": [True, False, False, True, False, False]},
    }
    return CellCounts.of(**about | changes)


def test_unread_answers_count_and_those_that_never_came_do_not():
    counts = counted()
    assert counts.share({"a": 1}, "right").value == 1 / 2
    assert counts.bounds({"a": 1}, "right") == (pytest.approx(1 / 3), pytest.approx(1))
    assert counts.bounds({"a": 0.5, "b": 0.5}, "right") == (pytest.approx(5 / 12), pytest.approx(3 / 4))
    assert counts.total("ab", "right") == 2 and counts.asked_cells() == ["a", "b", "c"]


def test_nothing_read_is_no_share_of_nought():
    counts = counted()
    for weights in ({"c": 1}, {"a": 1, "c": -1}, {"c": 1, "a": -1}):
        found = counts.share(weights, "right")
        assert math.isnan(found.value) and found.method == "no reply could be read"
    assert counts.share({"a": 0.5, "c": 0.5}, "right").value == 1 / 4  # one of the two sides was read
    assert counts.share({"a": 0.5, "d": 0.5}, "right").method == "not all of its questions were asked"
    assert counts.bounds({"a": 1, "b": -1}, "right") is None and counts.bounds({"d": 1}, "right") is None


def test_joint_shares_are_of_units_in_every_cell():
    counts = counted()
    found = counts.all_of("ab", "right")
    assert (found.value, found.n) == (1 / 2, 2)  # x right in both, y in neither; z is not in b
    assert math.isnan(counts.all_of("ad", "right").value) and math.isnan(counts.all_of("c", "right").value)


def test_counts_of_nothing():
    counts = CellCounts.of("ab", [], [], came=[], read=[], kinds={"right": []})
    assert math.isnan(counts.share({"a": 1}, "right").value) and counts.asked_cells() == []


def test_an_unknown_cell_is_refused():
    with pytest.raises(KeyError, match="e"):
        counted(cell=list("aaabbe"))
