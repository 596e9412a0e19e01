"""Change points and drift: by hand, planted steps found, and false alarms no more frequent than promised."""

import datetime
import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics import cochran_armitage
from doxa.metrics.change_points import change_point, change_points, cusum, drift

STEP = [0, 0, 0, 1, 1, 1]


def three_se(p, n):
    return 3 * math.sqrt(p * (1 - p) / n)


def test_cusum_by_hand():
    assert cusum(STEP).tolist() == [-0.5, -1, -1.5, -1, -0.5, 0]
    assert cusum([1, 3], [4, 4]).tolist() == [-1, 0]  # half of 8 succeed: 1 - 2, then 3 - 2 more


def test_a_step_by_hand():
    found = change_point(STEP)
    assert (found.index, found.date, found.before, found.after) == (3, 3, 0.0, 1.0)
    # sd .5, sqrt 6 values: 1.5 / 1.2247. Of 20 orders of three 0s and three 1s, 2 reach 1.5: p about .1.
    assert found.statistic == approx(1.5 / (0.5 * math.sqrt(6)))
    assert found.p == approx(0.1, abs=three_se(0.1, 999)) and not found.found and found.n == 6


def test_counts_by_hand():
    # 0 of 2, then 2 of 2: of the 6 ways to place two successes among four answers, 2 are as uneven: p 1/3.
    found = change_point([0, 2], [2, 2])
    assert (found.index, found.before, found.after) == (1, 0.0, 1.0)
    assert found.p == approx(1 / 3, abs=three_se(1 / 3, 999))
    assert found.statistic == approx(1 / math.sqrt(4 * 0.25))


def test_a_constant_series_has_not_changed():
    for found in (change_point([0.3] * 10), change_point([0] * 5, [4] * 5), change_point([4] * 5, [4] * 5)):
        assert found.p == 1.0 and found.statistic == 0.0 and not found.found
    assert change_points([0.3] * 10) == ()
    assert change_point([0.1 + 0.2] * 3 + [0.3] * 3).p == 1.0  # rounding is no change


def test_days_without_answers_count_for_nothing():
    found = change_point([0, 0, 0, 4, 0, 4], [0, 4, 4, 4, 0, 4])
    assert (found.index, found.before, found.after) == (3, 0.0, 1.0)
    assert math.isnan(change_point([0, 2], [0, 2]).before)


def test_dates_come_back():
    days = [datetime.date(2024, 7, 20) + datetime.timedelta(days=k) for k in range(6)]
    assert change_point(STEP, dates=days).date == datetime.date(2024, 7, 23)
    (change,) = change_points([0.0] * 9 + [1.0] * 9, dates=[f"{k:02}" for k in range(18)])
    assert (change.date, change.index, change.found) == ("09", 9, True)


def test_a_planted_step_is_found_where_it_is():
    # From day 60 of 112 (index 59) on another level, 1.5 sd higher.
    rng = np.random.default_rng(0)
    indices = []
    for seed in range(40):
        series = rng.normal(0, 1, 112) + 1.5 * (np.arange(112) >= 59)
        found = change_point(series, shuffles=199, seed=seed)
        assert found.p == 1 / 200
        indices.append(found.index)
    assert abs(np.median(indices) - 59) <= 1 and np.mean(np.abs(np.array(indices) - 59) <= 3) > 0.8


def test_a_planted_step_of_shares_is_found():
    rng = np.random.default_rng(1)
    totals = rng.integers(5, 60, 80)
    counts = rng.binomial(totals, np.where(np.arange(80) < 50, 0.3, 0.5))
    found = change_point(counts, totals)
    assert found.found and abs(found.index - 50) <= 3
    assert (found.before, found.after) == (approx(0.3, abs=0.05), approx(0.5, abs=0.06))  # 3 SE of about 1,000


@pytest.mark.parametrize("counted", [False, True])
def test_false_alarms_are_as_rare_as_promised(counted):
    rng, alarms, seeds = np.random.default_rng(2), 0, 300
    for seed in range(seeds):
        if counted:  # very uneven days, whose shares scatter differently
            totals = rng.integers(1, 40, 40)
            found = change_point(rng.binomial(totals, 0.2), totals, shuffles=199, seed=seed)
        else:
            found = change_point(rng.exponential(1, 40), shuffles=199, seed=seed)
        alarms += found.found
    assert alarms / seeds == approx(0.05, abs=three_se(0.05, seeds))


def test_searching_on_gives_no_more_false_alarms():
    rng, alarms, seeds = np.random.default_rng(3), 0, 300
    for seed in range(seeds):
        alarms += len(change_points(rng.normal(size=50), shuffles=199, seed=seed)) > 0
    assert alarms / seeds == approx(0.05, abs=three_se(0.05, seeds))


def test_several_planted_changes_are_found():
    rng, exact, off = np.random.default_rng(4), 0, []
    planted = np.repeat([0.0, 2.0, 1.0], 40)  # steps of 4 and of 2 standard deviations
    for seed in range(40):
        found = change_points(planted + rng.normal(0, 0.5, 120), shuffles=399, seed=seed)
        exact += len(found) == 2
        off += [min(abs(c.index - true) for c in found) for true in (40, 80)]
        first = min(found, key=lambda c: abs(c.index - 40))
        assert first.after - first.before > 1 and first.level in (0.05, 0.025)
    # Over 200 seeds 96 % have two, and 98 % of the steps are found within 4 days, all within 6.
    assert exact / 40 >= 0.85 and np.mean(np.array(off) <= 4) > 0.9 and max(off) <= 8


def test_each_side_is_tested_at_half_the_level():
    noise = np.random.default_rng(8).normal(0, 0.1, 120)
    for steps in ([0.0, 1.0, 4.0], [0.0, 3.0, 4.0]):  # the larger step is found first, be it the later or the earlier
        found = change_points(np.repeat(steps, 40) + noise)
        levels = {c.index: c.level for c in found}
        assert levels == ({40: 0.025, 80: 0.05} if steps[1] == 1 else {40: 0.05, 80: 0.025})


def test_values_that_hold_together_are_shuffled_together():
    rng, alone, blocked, seeds = np.random.default_rng(5), 0, 0, 100
    for seed in range(seeds):
        series = np.repeat(rng.normal(size=15), 6) + rng.normal(0, 0.1, 90)
        alone += change_point(series, shuffles=99, seed=seed).found
        blocked += change_point(series, block=6, shuffles=99, seed=seed).found
    assert alone / seeds > 0.3 and blocked / seeds <= 0.05 + three_se(0.05, seeds)


def test_a_change_needs_values_on_either_side():
    late = [0.0] * 9 + [5.0]
    assert change_point(late).index == 9 and change_point(late, shortest=3).index <= 7
    assert change_points([1.0, 2.0, 3.0]) == ()  # too few to search


def test_the_same_seed_gives_the_same_p():
    series = np.random.default_rng(6).normal(size=30)
    assert change_point(series, seed=3) == change_point(series, seed=3)


def test_a_drift_by_hand():
    # y = 1, 2, 4 at 0, 1, 2: slope (4 - 1) / 2 = 1.5; residuals 1/6, -1/3, 1/6: s^2 = 1/6, SE sqrt(1/12), t(1) 12.706
    found = drift([0, 1, 2], [1, 2, 4])
    assert found.slope.value == approx(1.5)
    assert found.slope.high == approx(1.5 + 12.7062 * math.sqrt(1 / 12), rel=1e-4)
    assert math.isnan(drift([0, 1], [1, 2]).slope.low) and drift([0, 1], [1, 2]).slope.value == approx(1)


def test_a_drift_of_counts_is_tested_by_cochran_and_armitage():
    found = drift([1, 2, 3], [1, 5, 9], [10, 10, 10])
    assert found.p == approx(cochran_armitage([1, 5, 9], [10, 10, 10]).p) and found.slope.value == approx(0.4)
    uneven = drift([0, 1, 2], [5, 10, 1], [10, 20, 1])  # shares .5, .5, 1, the last of one answer
    assert 0 < uneven.slope.value < 0.1


def test_drift_covers_and_stays_silent():
    rng, held, alarms, seeds, days = np.random.default_rng(7), 0, 0, 300, np.arange(30)
    for seed in range(seeds):
        noise = rng.exponential(1, 30)
        found = drift(days, 0.02 * days + noise, shuffles=1)
        held += found.slope.low <= 0.02 <= found.slope.high
        alarms += drift(days, noise, shuffles=199, seed=seed).p <= 0.05
    assert held / seeds == approx(0.95, abs=three_se(0.95, seeds))
    assert alarms / seeds == approx(0.05, abs=three_se(0.05, seeds))


def test_no_drift_where_nothing_varies():
    assert math.isnan(drift([1, 1], [0.2, 0.4]).slope.value)
    flat = drift([0, 1, 2], [0.5] * 3)
    assert flat.slope.value == 0 and math.isnan(flat.p)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match=r"values\[1\] is 5 of totals\[1\] = 4; with totals, values count successes"):
        change_point([1, 5], [4, 4])
    with pytest.raises(ValueError, match=r"values\[0\] is 0.25 of"):
        change_point([0.25, 0.5], [4, 4])
    with pytest.raises(ValueError, match=r"dates\[1\] is 1, after 2; dates ascend"):
        change_point([1, 2], dates=[2, 1])
    with pytest.raises(ValueError, match="there are 1 values; a change with 1 on either side needs more"):
        change_point([1.0])
    with pytest.raises(ValueError, match=r"9 shuffles give no p below 0\.1; the level is 0.05"):
        change_point([1.0, 2.0], shuffles=9)
    with pytest.raises(ValueError, match="block is 2, and totals are given"):
        change_point([1, 2], [4, 4], block=2)
    with pytest.raises(ValueError, match=r"values\[1\] is missing"):
        change_points([1.0, float("nan")])
    with pytest.raises(ValueError, match="times has 1 values, values has 2"):
        drift([1], [1, 2])
