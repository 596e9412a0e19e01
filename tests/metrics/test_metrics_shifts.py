"""Shifts by hand, beyond the retest, in groups, with answers missing; intervals that hold what was planted."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics import mcnemar, proportion
from doxa.metrics.shifts import (
    aligned,
    belief_shift,
    changes,
    excess_flips,
    excess_follow,
    flip_rate,
    follow_rate,
    toward_share,
)


def wavering(rng, n, p):
    """The same answers asked again, each reversed with probability p."""
    return (rng.random(n) < p).astype(int).tolist()


def test_flips_by_hand():
    found = flip_rate("AABBA", "ABBBA")
    assert (found.value, found.n, found.missing) == (0.2, 5, 0)
    alone = proportion(1, 5, method="mid-p")
    assert (found.low, found.high) == approx((alone.low, alone.high))
    gone = flip_rate("AABBA", ["A", "B", None, "B", float("nan")])
    assert (gone.value, gone.n, gone.missing) == (approx(1 / 3), 3, 2)


def test_flips_of_equal_opposite_and_no_answers():
    assert flip_rate("AAA", "AAA").value == 0 and flip_rate("AAA", "AAA").high > 0.5
    assert flip_rate("AAA", "BBB").value == 1
    nothing = flip_rate([None, "A"], ["A", None])
    assert math.isnan(nothing.value) and (nothing.n, nothing.missing) == (0, 2)
    assert math.isnan(flip_rate([], []).value)
    assert flip_rate("A", "B").value == 1 and flip_rate("A", "B").n == 1


def test_following_by_hand():
    # Ten items, 6 right before (4 kept, 1 follows, 1 drifts), 4 wrong (1 said so already, 1 follows, 1 stays, 1 right).
    gold, other, named = "G", "X", "W"
    before = [gold] * 6 + [named, other, other, other]
    after = [gold] * 4 + [named, other] + [named, named, other, gold]
    follow = follow_rate(after, [named] * 10)
    assert follow.value == 0.3 and follow_rate(before, [named] * 10).value == 0.1
    assert excess_follow(before, after, [named] * 10).value == approx(0.2)
    # 4 changed: to W twice, to another, to the right one
    toward = toward_share(before, after, [named] * 10)
    assert (toward.value, toward.n, toward.missing) == (0.5, 4, 0)
    assert math.isnan(toward_share(before, before, [named] * 10).value)


def test_an_item_without_a_name_to_follow_is_missing():
    found = follow_rate(["A", "B", None], ["A", None, "B"])
    assert (found.value, found.n, found.missing) == (1.0, 1, 2)
    toward = toward_share(["A", "A", "A"], ["B", "B", None], ["B", None, "B"])
    assert (toward.value, toward.n, toward.missing) == (1.0, 1, 2)


def test_excess_over_the_retest_by_hand():
    found = excess_flips("AAAAA", [*"BBBA", "B"], [*"ABAA", None])
    assert (found.value, found.n, found.missing) == (0.5, 4, 1)
    assert found.method == "bonett-price, paired"
    grouped = excess_flips("AAAA", "BBBA", "ABAA", ["x", "x", "y", "y"])
    assert grouped.value == 0.5 and grouped.method.endswith("paired, clustered: 2 groups") and grouped.n == 4
    assert excess_flips("AAAA", "BBBA", "BBBA").value == 0


def test_groups_of_one_give_the_plain_interval_and_order_does_not_matter():
    rng = np.random.default_rng(0)
    before, after, retest = (wavering(rng, 40, p) for p in (0.1, 0.4, 0.1))
    order = rng.permutation(40)
    plain = excess_flips(before, after, retest)
    assert excess_flips(before, after, retest, np.arange(40)) == plain
    moved = (np.array(x)[order] for x in (before, after, retest))
    assert excess_flips(*moved) == plain


def test_twice_the_items_in_groups_say_no_more_than_once():
    rng = np.random.default_rng(1)
    before, after = wavering(rng, 60, 0.1), wavering(rng, 60, 0.4)
    twice = flip_rate(before * 2, after * 2, [*range(60)] * 2)
    once, naive = flip_rate(before, after), flip_rate(before * 2, after * 2)
    assert twice.high - twice.low > 0.95 * (once.high - once.low) > 1.2 * (naive.high - naive.low)


@pytest.mark.parametrize("grouped", [False, True])
def test_wavering_alone_is_no_excess_and_a_planted_excess_is_found(grouped):
    # Reversed with p = .05 each time: 2 p (1 - p) = .095 flip. A condition that turns 30 % flips .3 (1 - 2 x) + x.
    rng, n, covered, null = np.random.default_rng(2), 120, 0, 0
    planted = 0.3 * (1 - 2 * 0.095)
    for _ in range(200):
        before, again, moved = (np.array(wavering(rng, n, 0.05)) for _ in range(3))
        turned = np.repeat(rng.random(n // 3) < 0.3, 3) if grouped else rng.random(n) < 0.3
        groups = np.arange(n) // 3 if grouped else None
        found = excess_flips(before, np.where(turned, 1 - moved, moved), again, groups)
        covered += found.low <= planted <= found.high
        nothing = excess_flips(before, moved, again, groups)
        null += nothing.low <= 0 <= nothing.high
    # 3 SE of .95 over 200 are .046; the intervals may cover more than that
    assert covered / 200 >= 0.95 - 0.046 and null / 200 >= 0.95 - 0.046


def test_mcnemar_of_single_items_is_the_known_one():
    rng = np.random.default_rng(3)
    for _ in range(20):
        a, b = rng.integers(0, 2, 30), rng.integers(0, 2, 30)
        ours, theirs = changes(a, b), mcnemar(a, b)
        assert (ours.lost, ours.gained) == (theirs.only_a, theirs.only_b)
        assert (ours.p_exact, ours.p_mid) == approx((theirs.p_exact, theirs.p_mid), abs=1e-12)


def test_changes_of_groups_by_hand():
    # Net changes 2, 1, 1 of three groups: of 8 sign patterns 2 reach |sum| = 4, so p = 1/4 and mid-p 1/8.
    before, after, groups = [0, 0, 0, 0, None], [1, 1, 1, 1, 1], ["x", "x", "y", "z", "z"]
    test = changes(before, after, groups)
    assert (test.lost, test.gained, test.n, test.missing, test.groups) == (0, 4, 4, 1, 3)
    assert (test.p_exact, test.p_mid) == approx((0.25, 0.125))
    even = changes([0, 1], [1, 0], ["x", "x"])
    assert (even.p_exact, even.p_mid, even.lost, even.gained) == (1.0, 1.0, 1, 1)
    assert changes([1, 1], [1, 1]).p_exact == 1.0


def test_changes_that_mean_nothing_are_seldom_significant():
    rng, hits = np.random.default_rng(4), 0
    for _ in range(300):
        before, after = (np.repeat(rng.random(30) < 0.5, 4).astype(int) for _ in range(2))
        hits += changes(before, after, np.repeat(np.arange(30), 4)).p_exact <= 0.05
    assert hits / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)  # McNemar on single answers rejects about half


def test_belief_shifts_by_hand():
    up = belief_shift([20, 50], [65, 50], bounds=(0, 100))
    assert up.value == 22.5 and belief_shift([20], [65], bounds=(0, 100)).value == 45
    down = belief_shift([0.2, 0.5, None], [0.65, 0.4, 0.5], toward=[-1, -1, 1])
    assert down.value == approx((-0.45 + 0.1) / 2) and (down.n, down.missing) == (2, 1)
    size = belief_shift([0.2, 0.5], [0.65, 0.4], absolute=True)
    assert size.value == approx(0.275) and size.low >= 0
    beyond = belief_shift([0.2, 0.5], [0.65, 0.4], retest=[0.3, 0.5], absolute=True)
    assert beyond.value == approx((0.35 + 0.1) / 2)
    assert belief_shift([0.2], [0.6], retest=[0.3], toward=[-1]).value == approx(-0.3)
    unread = belief_shift([0.2, 0.5], [0.6, 0.4], retest=[None, 0.5])
    assert unread.value == approx(-0.1) and (unread.n, unread.missing) == (1, 1)
    assert math.isnan(belief_shift([None], [0.5]).value) and math.isnan(belief_shift([0.1], [0.5]).low)


def test_a_planted_belief_shift_is_found_and_noise_is_none():
    rng, covered, null = np.random.default_rng(5), 0, 0
    for _ in range(200):
        held = np.repeat(rng.uniform(0.2, 0.6, 25), 2)
        before, again, after = (np.clip(held + rng.normal(0, 0.05, 50), 0, 1) for _ in range(3))
        moved = np.clip(after + np.repeat(rng.uniform(0, 0.3, 25), 2), 0, 1)  # mean .15
        groups = np.arange(50) // 2
        found = belief_shift(before, moved, groups=groups)
        covered += found.low <= 0.15 <= found.high
        nothing = belief_shift(before, after, retest=again, absolute=True, groups=groups)
        null += nothing.low <= 0 <= nothing.high
    assert covered / 200 >= 0.95 - 0.046 and null / 200 >= 0.95 - 0.046


def test_readings_in_any_order_are_aligned():
    items, arms = aligned("xyxz", ["neutral", "pressed", "pressed", "neutral"], "ABBA")
    assert items == ["x", "y", "z"] and arms == {"neutral": ["A", None, "A"], "pressed": ["B", "B", None]}
    with pytest.raises(ValueError, match="item 'x' has two readings in condition 'neutral'"):
        aligned("xx", ["neutral"] * 2, "AB")


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="the one series has 2 values, the other has 1"):
        flip_rate("AB", "A")
    with pytest.raises(ValueError, match=r"before\[1\] is 90, outside \(0.0, 1.0\) \(1 of 2 are\)"):
        belief_shift([0.1, 90], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"after\[0\] is 2, neither 0 nor 1"):
        changes([1], [2])
    with pytest.raises(ValueError, match="toward has 0; it is 1"):
        belief_shift([0.1], [0.2], toward=[0])
    with pytest.raises(ValueError, match="absolute takes no direction"):
        belief_shift([0.1], [0.2], toward=[1], absolute=True)
    with pytest.raises(ValueError, match="answers has 2 values, groups has 1"):
        flip_rate("AB", "AB", ["x"])
