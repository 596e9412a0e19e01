"""Answers by place mapped back to options, entropies and divergences, chi-square, and what must come out."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics import foreseen_responses as foreseen
from doxa.metrics import response_bias as bias


def test_units():
    assert bias.entropy_bits([0.7, 0.2, 0.1]) == approx(1.1568, abs=5e-5)
    assert bias.normalised_entropy([0.7, 0.2, 0.1]) == approx(0.7298, abs=5e-5)
    assert bias.kl_bits([0.5, 0.5], [0.9, 0.1]) == approx(0.7370, abs=5e-5)
    assert bias.kl_bits([1.0, 0.0], [0.5, 0.5]) == 1 and bias.kl_bits([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert bias.normalised_entropy([0.0, 1.0]) == 0 and bias.normalised_entropy([0.25] * 4) == 1


def test_scatter_is_the_inverse_of_showing():
    held = np.array([0.5, 0.3, 0.15, 0.05])
    for order in bias.all_orders(4):
        shown = held[list(order)]
        assert bias.mapped([shown], [order])[0] == approx(held)
    orders = bias.all_orders(3)
    shown = [[0.8 if option == 0 else 0.1 for option in order] for order in orders]
    assert bias.mapped(shown, orders).mean(axis=0) == approx([0.8, 0.1, 0.1])
    assert bias.mapped(shown, orders, "gather").mean(axis=0) == approx(foreseen.gathered([0.8, 0.1, 0.1]))
    with pytest.raises(ValueError, match=r"orders\[0\] is \[1, 1\]"):
        bias.mapped([[0.5, 0.5]], [[1, 1]])
    with pytest.raises(ValueError, match="both are"):
        bias.mapped([0.5, 0.5], [0, 1])


@pytest.mark.parametrize("c", [5, 7, 9])
def test_balanced_orders_show_each_option_in_each_place_equally_often(c):
    orders = np.array(bias.chosen_orders(c, 24, seed=3))
    for place in range(c):
        assert set(bias.counts_of(orders[:, place].tolist(), c)) == {len(orders) // c}
    assert bias.chosen_orders(c, 24, seed=3) == [tuple(o) for o in orders.tolist()]
    assert bias.chosen_orders(c, 24, seed=4) != bias.chosen_orders(c, 24, seed=3)
    assert len(bias.chosen_orders(c, 50, balanced=False)) == 50
    with pytest.raises(ValueError, match="at least two options"):
        bias.chosen_orders(1, 24)


def test_monte_carlo_error_of_blocks():
    # Rotations of one order that agree among themselves: two blocks, .2 and .4; sd .1414 / sqrt(2) = .1.
    values = [[0.2, 0.8]] * 2 + [[0.4, 0.6]] * 2
    assert bias.monte_carlo_error(values, block=2) == approx(0.1)
    assert bias.monte_carlo_error(values) == approx(0.1155 / 2, abs=1e-4)
    assert math.isnan(bias.monte_carlo_error(values[:2], block=2))


def test_label_nats_of_an_additive_bias():
    by_place, _ = foreseen.all_answers(np.log([0.6, 0.3, 0.1]), 2.0)
    assert bias.label_nats(by_place) == approx(2) and by_place[:, 0].mean() == approx(0.709, abs=5e-4)
    assert math.isnan(bias.label_nats([[1.0, 0.0]])) and math.isnan(bias.label_nats(np.empty((0, 2))))


def test_first_alone():
    assert foreseen.first_alone([0.0, 0.0], 2.0) == approx(0.3808, abs=5e-5)
    assert foreseen.first_alone(np.log([0.7, 0.2, 0.1]), 0.0) == approx(0)


def test_chi_square_against_even_chances():
    # (30 - 25)^2 / 25 * 2 = 2 with one degree of freedom.
    assert bias.uniform_p([30, 20]) == approx(0.1573, abs=5e-5)
    assert bias.uniform_p([25, 25]) == 1 and math.isnan(bias.uniform_p([0, 0]))
    rng = np.random.default_rng(0)
    small = [bias.uniform_p(rng.multinomial(200, [0.25] * 4)) < 0.05 for _ in range(1000)]
    assert np.mean(small) == approx(0.05, abs=0.021)  # 3 standard errors


def test_slope_and_correlation():
    assert bias.slope_and_correlation([0, 1, 2], [1, 3, 5]) == approx((2, 1))
    assert math.isnan(bias.slope_and_correlation([1, 1, 1], [0, 1, 2])[0])
    assert math.isnan(bias.slope_and_correlation([0, 1], [0, 1])[0])
    slope, correlation = bias.slope_and_correlation([0, 1, 2], [1, 1, 1])
    assert slope == 0 and math.isnan(correlation)
