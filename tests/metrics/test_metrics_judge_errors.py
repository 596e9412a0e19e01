"""A judge's errors taken out of its counts: by hand, with planted confusions, and refused where nothing is known."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics import cohen_kappa
from doxa.metrics.judge_errors import audit, corrected_difference, corrected_shares

JUDGE = np.array([[0.9, 0.1], [0.2, 0.8]])  # says 1 of 10 % of the 0s, and of 80 % of the 1s
THREE = np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])


def said(rng, truth, confusion):
    return np.array([rng.choice(len(confusion), p=confusion[t]) for t in truth])


def judged_as(rng, is_one):
    return (rng.random(len(is_one)) < np.where(is_one, JUDGE[1, 1], JUDGE[0, 1])).astype(int)


def labels(*counts):
    """So many 0s, 1s, 2s."""
    return [k for k, count in enumerate(counts) for _ in range(count)]


def test_two_classes_by_hand():
    # Sensitivity .9, specificity .8; 37 of 100 said to be 1: (.37 + .8 - 1) / (.9 + .8 - 1) = .17 / .7
    truth, judged = labels(10, 10), [*labels(8, 2), *labels(1, 9)]
    found = corrected_shares(truth, judged, labels(63, 37))
    assert found.shares[1].value == approx(0.17 / 0.7) and found.shares[0].value == approx(1 - 0.17 / 0.7)
    assert found.apparent[1].value == 0.37 and found.problem == ""
    assert found.confusion.tolist() == [[0.8, 0.2], [0.1, 0.9]]
    assert (found.n_labelled, found.n_rest, found.labels) == (20, 100, (0, 1))
    assert found.shares[1].low == approx(1 - found.shares[0].high)


def test_limits_by_hand():
    # z^2 = 3.8415; se' 10/12, sp' 9/12, ap' (37 + 1.9207) / 103.8415 = .3748; J' .5833; share' .1248 / .5833 = .2140
    truth, judged = labels(10, 10), [*labels(8, 2), *labels(1, 9)]
    share = corrected_shares(truth, judged, labels(63, 37)).shares[1]
    se, sp, z2 = 10 / 12, 9 / 12, 1.959964**2
    ap, youden = (37 + z2 / 2) / (100 + z2), se + sp - 1
    middle = (ap + sp - 1) / youden
    by_se, by_sp = se * (1 - se) / 12, sp * (1 - sp) / 12
    half = math.sqrt(z2 * (ap * (1 - ap) / (100 + z2) + middle**2 * by_se + (1 - middle) ** 2 * by_sp)) / youden
    shift = 2 * z2 * (middle * by_se - (1 - middle) * by_sp)
    assert middle == approx(0.2140, abs=1e-4) and share.low == 0.0
    assert share.high == approx(middle + shift + half, abs=1e-6)


def test_labels_may_be_text_and_their_order_is_nothing():
    truth, judged, rest = labels(10, 10), [*labels(8, 2), *labels(1, 9)], labels(63, 37)
    word = {0: "honest", 1: "lie"}
    found = corrected_shares(*([word[x] for x in series] for series in (truth, judged, rest)))
    plain = corrected_shares(truth, judged, rest)
    assert found.shares["lie"] == plain.shares[1] and found.labels == ("honest", "lie")
    assert corrected_shares(truth[::-1], judged[::-1], rest[::-1]).shares == plain.shares


def test_a_perfect_judge_changes_nothing_but_is_not_trusted_blindly():
    few = corrected_shares(labels(5, 5), labels(5, 5), labels(70, 30)).shares[1]
    many = corrected_shares(labels(500, 500), labels(500, 500), labels(70, 30)).shares[1]
    assert few.value == many.value == approx(0.3)
    assert few.high - few.low > 1.5 * (many.high - many.low)  # five items show little


def test_three_classes_by_the_inverse_confusion():
    # The shares said are exactly those that (.5, .3, .2) give: the inverse gives these back.
    truth = labels(100, 100, 100)
    judged = [*labels(80, 15, 5), *labels(10, 80, 10), *labels(10, 10, 80)]
    rest = labels(*(np.array([0.5, 0.3, 0.2]) @ THREE * 1000).round().astype(int))
    found = corrected_shares(truth, judged, rest)
    assert [found.shares[k].value for k in range(3)] == approx([0.5, 0.3, 0.2])
    assert all(found.shares[k].low < p < found.shares[k].high for k, p in enumerate([0.5, 0.3, 0.2]))
    assert found.apparent[0].value == approx(0.45)
    assert corrected_shares(truth, judged, rest).shares == found.shares


def test_estimates_stay_distributions():
    truth = labels(100, 100, 100)
    judged = [*labels(80, 15, 5), *labels(10, 80, 10), *labels(10, 10, 80)]
    found = corrected_shares(truth, judged, labels(300, 0, 0))  # not even 5 % errors: beyond what the confusion allows
    values = [found.shares[k].value for k in range(3)]
    assert values == approx([1.0, 0.0, 0.0], abs=1e-6) and "moved into [0, 1]" in found.shares[0].method
    assert all(0 <= s.low <= s.value <= s.high <= 1 for s in found.shares.values())
    two = corrected_shares(labels(10, 10), [*labels(8, 2), *labels(1, 9)], labels(100, 0))
    assert two.shares[1].value == 0.0 and "cut to [0, 1]" in two.shares[1].method


@pytest.mark.parametrize(("share", "m"), [(0.02, 60), (0.3, 30), (0.7, 60)])
def test_two_classes_cover_what_was_planted(share, m):
    rng, held, raw = np.random.default_rng(0), 0, 0
    for _ in range(150):
        truth = labels(m // 2, m // 2)
        rest = judged_as(rng, rng.random(200) < share)
        found = corrected_shares(truth, judged_as(rng, np.array(truth) == 1), rest)
        held += found.shares[1].low <= share <= found.shares[1].high
        raw += found.apparent[1].low <= share <= found.apparent[1].high
    assert held / 150 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 150)  # 3 SE: .053
    assert raw < held


def test_three_classes_cover_what_was_planted():
    rng, held, planted = np.random.default_rng(1), np.zeros(3), (0.9, 0.09, 0.01)
    for _ in range(100):
        truth = labels(30, 30, 30)
        rest = said(rng, rng.choice(3, 200, p=planted), THREE)
        found = corrected_shares(truth, said(rng, truth, THREE), rest, draws=500)
        held += [found.shares[k].low - 1e-9 <= p <= found.shares[k].high + 1e-9 for k, p in enumerate(planted)]
    assert (held / 100 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 100)).all()  # 3 SE: .065


def test_groups_that_hold_together_widen_the_interval():
    rng = np.random.default_rng(2)
    truth = labels(100, 100)
    judged, facts = judged_as(rng, np.array(truth) == 1), rng.random(40) < 0.4
    rest = np.repeat(judged_as(rng, facts), 5)
    alone = corrected_shares(truth, judged, rest).shares[1]
    grouped = corrected_shares(truth, judged, rest, rest_groups=np.repeat(np.arange(40), 5)).shares[1]
    assert grouped.value == approx(alone.value)
    assert grouped.high - grouped.low > 1.4 * (alone.high - alone.low)
    # Without groups to hold together, drawing gives about what the closed form does.
    drawn = corrected_shares(truth, judged, rest, rest_groups=np.arange(200)).shares[1]
    assert (drawn.low, drawn.high) == approx((alone.low, alone.high), abs=0.03)


def test_a_judge_no_better_than_chance_is_refused():
    for judged in (labels(5, 5) * 2, [1] * 20, [*labels(2, 8), *labels(8, 2)]):
        found = corrected_shares(labels(10, 10), judged, labels(50, 50))
        assert math.isnan(found.shares[1].value) and math.isnan(found.shares[1].low)
        assert found.problem.startswith("the judge is no better than chance: it says ")
        assert found.apparent[1].value == 0.5
    found = corrected_shares(labels(10, 10, 10), [*labels(9, 1), *labels(1, 9), *labels(0, 5, 5)], labels(5, 5, 5))
    assert found.problem == ""  # a class said half of the time is still said more often of itself than of others
    worse = corrected_shares(labels(10, 10, 10), [*labels(9, 1), *labels(1, 4, 5), *labels(0, 5, 5)], labels(5, 5, 5))
    assert "it says 1 of 40% of what is that, and of 50% of what is 2" in worse.problem


def test_a_class_that_is_never_known_is_refused():
    found = corrected_shares(labels(10, 10), [*labels(9, 0, 1), *labels(1, 9)], labels(50, 45, 5))
    assert found.problem == "no item is known to be 2, so what the judge says of such items is not known"
    assert all(math.isnan(share.value) for share in found.shares.values())
    assert "every label is 1" in corrected_shares([1], [1], [1, 1]).problem


def test_a_difference_by_hand():
    # Youden's index .7: .4 - .2 of the labels is .2 / .7 of the items, and nothing is nothing.
    truth, judged = labels(10, 10), [*labels(8, 2), *labels(1, 9)]
    found = corrected_difference(truth, judged, labels(60, 40), labels(80, 20), 1)
    assert found.value == approx(0.2 / 0.7) and found.low < 0.2 / 0.7 < found.high and found.n == 200
    assert corrected_difference(truth, judged, labels(60, 40), labels(80, 20), 0).value == approx(-0.2 / 0.7)
    same = corrected_difference(truth, judged, labels(60, 40), labels(60, 40), 1)
    assert same.value == 0 and same.low < 0 < same.high


@pytest.mark.parametrize("planted", [0.0, 0.2])
def test_differences_cover_what_was_planted_and_pairs_tell_more(planted):
    rng, held, wide, narrow, items = np.random.default_rng(4), 0, 0.0, 0.0, np.arange(150)
    for _ in range(100):
        truth, luck = labels(30, 30), rng.random(150)
        known, a, b = (judged_as(rng, is_one) for is_one in (np.array(truth) == 1, luck < 0.3 + planted, luck < 0.3))
        found = corrected_difference(truth, known, a, b, 1, a_groups=items, b_groups=items, draws=400)
        held += found.low <= planted <= found.high
        alone = corrected_difference(truth, known, a, b, 1, draws=400)
        wide, narrow = wide + alone.high - alone.low, narrow + found.high - found.low
    assert held / 100 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 100)  # 3 SE: .065
    assert narrow < 0.95 * wide


def test_differences_that_cannot_be_corrected():
    found = corrected_difference(labels(10, 10), labels(5, 5) * 2, [0, 1], [1, 1], 1)
    assert math.isnan(found.value) and found.method.startswith("the judge is no better than chance")
    with pytest.raises(ValueError, match="label is 7; the labels that occur are 0, 1"):
        corrected_difference([0, 1], [0, 1], [0], [1], 7)
    with pytest.raises(ValueError, match="only one of a_groups and b_groups is given"):
        corrected_difference([0, 1], [0, 1], [0], [1], 1, a_groups=[0])


def test_an_audit_by_hand():
    truth, judged = labels(50, 50), [*labels(45, 5), *labels(20, 30)]
    found = audit(truth, judged)
    assert found.agreement.value == 0.75 and found.kappa.value == approx(cohen_kappa(truth, judged)) == approx(0.5)
    assert found.kappa.low < 0.5 < found.kappa.high
    assert (found.recall[0].value, found.recall[1].value) == (0.9, 0.6)
    assert (found.precision[0].value, found.precision[1].value) == (approx(45 / 65), approx(30 / 35))
    assert found.excess == {0: approx(0.15), 1: approx(-0.15)} and found.n == 100


def test_an_audit_of_one_label():
    found = audit(["yes"] * 4, ["yes"] * 4)
    assert found.agreement.value == 1.0 and math.isnan(found.kappa.value)
    assert math.isnan(audit(["yes", "no"], ["yes", "yes"]).precision["no"].value)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="truth has 2 values, judged has 1"):
        corrected_shares([0, 1], [0], [0])
    with pytest.raises(ValueError, match="rest is empty"):
        corrected_shares([0, 1], [0, 1], [])
    with pytest.raises(ValueError, match="mix text with other labels"):
        corrected_shares([0, 1], [0, 1], ["0"])
    with pytest.raises(ValueError, match=r"judged\[1\] is missing"):
        audit([0, 1], [0, None])
