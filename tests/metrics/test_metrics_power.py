"""Items needed, checked against textbook values and by simulating the test that the numbers promise."""

import numpy as np
import pytest
from pytest import approx
from scipy import stats

from doxa.metrics import items_for_difference, mcnemar


def test_unpaired_shares_by_hand():
    # .60 against .70: (1.95996 sqrt(2 * .65 * .35) + .84162 sqrt(.24 + .21))^2 / .01 = (1.32209 + .56457)^2 * 100
    assert items_for_difference(0.1, p=0.6) == 356
    assert items_for_difference(-0.1, p=0.7) == 356


def test_paired_shares_by_hand():
    # Both right .45 where .60 * .70 = .42 would be by chance: correlation .03 / sqrt(.24 * .21) = .134. They differ on
    # .15 + .25 = .40 of the items: (1.95996 sqrt .4 + .84162 sqrt(.4 - .01))^2 / .01
    expected = (1.959964 * 0.4**0.5 + 0.841621 * 0.39**0.5) ** 2 / 0.01
    assert items_for_difference(0.1, p=0.6, correlation=0.03 / (0.24 * 0.21) ** 0.5) == int(expected) + 1


def test_pairing_saves_items():
    needed = [items_for_difference(0.05, p=0.7, correlation=r) for r in (0.0, 0.3, 0.6, 0.8)]
    assert needed == sorted(needed, reverse=True)
    assert needed[0] == approx(items_for_difference(0.05, p=0.7), rel=0.01)


def test_means_against_the_exact_t_test():
    # The smallest n at which the noncentral t distribution gives power .8 at delta / sd = .25 and .8
    for ratio in (0.25, 0.8):
        exact = next(n for n in range(3, 500) if stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, ratio * n**0.5) >= 0.8)
        assert abs(items_for_difference(ratio, sd=1.0) - exact) <= 1


def test_promised_power_is_met():
    # 300 paired experiments at the promised size: power .8, standard error .023
    n = items_for_difference(0.1, p=0.6, correlation=0.5)
    spread = (0.24 * 0.21) ** 0.5
    both = 0.6 * 0.7 + 0.5 * spread
    rng = np.random.default_rng(0)
    found = 0
    for row in rng.multinomial(n, [both, 0.6 - both, 0.7 - both, both - 0.3], 300):
        a = np.repeat([1, 1, 0, 0], row)
        b = np.repeat([1, 0, 1, 0], row)
        found += mcnemar(a, b).p_mid < 0.05
    assert found / 300 == approx(0.8, abs=0.07)


def test_smaller_effects_and_stricter_tests_need_more():
    assert items_for_difference(0.01, p=0.5) > items_for_difference(0.1, p=0.5) > items_for_difference(0.4, p=0.5)
    assert items_for_difference(0.1, p=0.5, power=0.95) > items_for_difference(0.1, p=0.5, alpha=0.01, power=0.5)
    assert items_for_difference(-0.5, p=0.5) >= 2 and items_for_difference(5, sd=0.1) >= 2


def test_impossible_questions_raise():
    with pytest.raises(ValueError, match="give exactly one of p"):
        items_for_difference(0.1)
    with pytest.raises(ValueError, match="give exactly one of p"):
        items_for_difference(0.1, p=0.5, sd=1.0)
    with pytest.raises(ValueError, match="delta is 0"):
        items_for_difference(0, p=0.5)
    with pytest.raises(ValueError, match=r"p \+ delta is 1.2, outside \[0, 1\]"):
        items_for_difference(0.3, p=0.9)
    with pytest.raises(ValueError, match=r"p is 60, outside \(0, 1\). Percent\? divide by 100"):
        items_for_difference(0.1, p=60)
    with pytest.raises(ValueError, match=r"correlation is 0.9, which shares of 0.2 and 0.8 cannot"):
        items_for_difference(0.6, p=0.2, correlation=0.9)
    with pytest.raises(ValueError, match=r"sd is 0.0; it must be above 0"):
        items_for_difference(0.1, sd=0.0)
    with pytest.raises(ValueError, match="correlation goes with p"):
        items_for_difference(0.1, sd=1.0, correlation=0.5)
    with pytest.raises(ValueError, match="power is 80"):
        items_for_difference(0.1, p=0.5, power=80)
