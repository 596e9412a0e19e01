"""Distributional correctness: published unit cases, both variants, ties, what it rewards, and what it cannot tell."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.elicit.options import softmax
from doxa.metrics.distributional import (
    Distributions,
    Masses,
    answer_above,
    break_even,
    brier_of_options,
    confidence_weighted,
    dcs,
    hedging_index,
    log_score,
    ternary,
)

CASES = {  # p(A, B, C, D, abstain), gold C: formula, and the reference code
    (0.31, 0.27, 0.40, 0.01, 0.01): (-0.1881, -0.19),
    (0.15, 0.05, 0.40, 0.01, 0.39): (0.1159, 0.19),
    (0.25, 0.24, 0.26, 0.24, 0.01): (-0.4653, -0.47),
    (0.01, 0.01, 0.96, 0.01, 0.01): (0.9207, 0.93),
}
TYPES = {  # five options, the first one right, then abstention
    "knower": (0.9, 0.1, 0, 0, 0, 0),
    "error_hedger": (0.45, *[0.55 / 4] * 4, 0),
    "abstainer": (0.45, *[0.15 / 4] * 4, 0.40),
    "guesser": (0.2, 0.2, 0.2, 0.2, 0.2, 0),
}


def one(p, right=(0,), abstain=None):
    return Distributions.of([p], [right], [[len(p) - 1] if abstain is None else abstain])


@pytest.mark.parametrize(("p", "expected"), CASES.items())
def test_published_unit_cases(p, expected):
    masses = one(p, [2]).masses()
    assert dcs(masses)[0] == approx(expected[0], abs=5e-5)
    assert dcs(masses, variant="published")[0] == approx(expected[1], abs=5e-5)


def test_a_smaller_penalty():
    assert dcs(one((0.15, 0.05, 0.40, 0.01, 0.39), [2]).masses(), loss=0.5)[0] == approx(0.17995)


@pytest.mark.parametrize(
    ("p", "score"),
    [
        ((1, 0, 0), 1),
        ((0, 1, 0), -1),
        ((0, 0, 1), 0),
        ((0.5, 0.5, 0), 0),
        ((1 / 3, 1 / 3, 1 / 3), 0),
        ((0.2, 0.2, 0.2, 0.2, 0.2), -0.32),
    ],
)
def test_corners(p, score):
    assert dcs(one(p).masses())[0] == approx(score, abs=1e-12)


def test_from_log_probabilities_raw_and_by_character():
    logprobs, characters = np.array([-1.0, -2.0, -6.0]), np.array([2, 2, 15])
    raw, char = softmax(logprobs), softmax(logprobs / characters)
    assert raw == approx([0.7275, 0.2676, 0.0049], abs=5e-5) and char == approx([0.3688, 0.2237, 0.4076], abs=5e-5)
    assert dcs(one(raw).masses())[0] == approx(0.4576, abs=5e-5)
    assert dcs(one(char).masses())[0] == approx(0.0860, abs=5e-5)


def test_only_the_distribution_tells_a_hedger_from_an_abstainer():
    made = Distributions.of(list(TYPES.values()), [[0]] * 4, [[5]] * 4)
    assert dcs(made.masses()) == approx([0.8, -0.1, 0.18, -0.6], abs=1e-9)
    likeliest = made.likeliest()
    assert likeliest.right == approx([1, 1, 1, 0.2]) and ternary(likeliest) == approx([1, 1, 1, -0.6])
    assert confidence_weighted(made) == approx([0.9, 0.45, 0.45, 0.04])
    assert hedging_index(Masses(*(m[1:2] for m in _parts(made)))) == 1
    assert hedging_index(Masses(*(m[2:3] for m in _parts(made)))) == approx(0.15 / 0.55)


def _parts(made):
    masses = made.masses()
    return masses.right, masses.wrong, masses.abstain


@pytest.mark.parametrize(("q", "expected"), [(0.3, (-0.40, -0.225, -0.10, 0)), (0.7, (0.40, 0.225, 0.10, 0))])
def test_the_best_strategy_is_all_or_nothing(q, expected):
    for a, value in zip((0, 0.25, 0.5, 1), expected, strict=True):
        right, wrong = (one((1 - a, 0, a), [place]).masses() for place in (0, 1))
        assert q * dcs(right)[0] + (1 - q) * dcs(wrong)[0] == approx(value)
    assert answer_above() == 0.5 and answer_above(1, 0.25) == 0.2


def test_it_rewards_certainty_where_brier_rewards_honesty():
    def mean(score, q, p):
        right, wrong = (Distributions.of([(p, 1 - p)], [[place]], [[]]) for place in (0, 1))
        return q * score(right) + (1 - q) * score(wrong)

    found = [mean(lambda d: dcs(d.masses())[0], 0.7, p) for p in (0.7, 1.0)]
    assert found == approx([0.16, 0.40])
    assert [mean(lambda d: brier_of_options(d)[0], 0.7, p) for p in (0.7, 1.0)] == approx([0.42, 0.60])


def test_several_right_options_several_abstentions_and_items_of_different_size():
    made = Distributions.of([(0.3, 0.3, 0.2, 0.1, 0.1), (0.4, 0.6)], [[0, 1], [0]], [[3, 4], []])
    masses = made.masses()
    assert masses.right == approx([0.6, 0.4]) and masses.abstain == approx([0.2, 0])
    assert dcs(masses) == approx([(0.6 - 0.2) * 0.8, -0.2])
    # Two strings of .1 abstain with .2 together, which is less than .3.
    assert made.likeliest().right == approx([1, 0])
    assert brier_of_options(made) == approx([2 * (0.375 - 0.5) ** 2 + 0.25**2, 0.36 * 2])
    assert log_score(made) == approx([math.log(0.75), math.log(0.4)])


def test_abstention_by_several_strings_can_be_the_likeliest():
    likeliest = one((0.4, 0.1, 0.25, 0.25), abstain=[2, 3]).likeliest()
    assert (likeliest.right[0], likeliest.abstain[0]) == (0, 1)
    tied = one((0.5, 0.25, 0.25), abstain=[1, 2]).likeliest()
    assert (tied.right[0], tied.abstain[0]) == (0.5, 0.5)


def test_break_even_is_where_the_mean_score_is_zero():
    masses = Distributions.of(list(TYPES.values()), [[0]] * 4, [[5]] * 4).masses()
    loss = break_even(masses)
    assert dcs(masses, loss=loss).mean() == approx(0, abs=1e-12) and 0 < loss < 2
    assert break_even(one((1, 0, 0)).masses()) == math.inf and math.isnan(break_even(one((0, 0, 1)).masses()))


def test_undefined_is_nan():
    silent = one((0, 0, 1))
    assert math.isnan(brier_of_options(silent)[0]) and math.isnan(log_score(silent)[0])
    assert math.isnan(hedging_index(one((1, 0, 0)).masses()))
    unknown = one((math.nan, math.nan, math.nan))
    assert math.isnan(dcs(unknown.masses())[0]) and math.isnan(unknown.likeliest().right[0])


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (([[0.5, 0.4]], [[0]], [[]]), "no distribution"),
        (([[-1.0, -2.0]], [[0]], [[]]), "take the softmax"),
        (([[0.5, 0.5]], [[]], [[1]]), "at least one is right"),
        (([[0.5, 0.5]], [[0]], [[0]]), "each place is there once"),
        (([[0.5, 0.5]], [[2]], [[]]), "2 options"),
        (([[0.5, 0.5]], [[0], [1]], [[]]), "one each"),
    ],
)
def test_bad_input(args, says):
    with pytest.raises(ValueError, match=says):
        Distributions.of(*args)


def test_bad_weights():
    with pytest.raises(ValueError, match="loss -1"):
        dcs(one((1, 0, 0)).masses(), loss=-1)
