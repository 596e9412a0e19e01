"""Answer probabilities from ranked lists, and Bradley-Terry strengths."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from doxa.metrics import bradley_terry, pair_rank, total_variation

FIVE = [("A", "B"), ("A", "B"), ("B", "A"), ("A", "C"), ("A", "B")]


def rounded(probabilities):
    return {answer: round(p, 4) for answer, p in probabilities.items()}


def test_five_lists():
    # Wins A>B 4, A>C 5, B>A 1, B>C 4, C>B 1, C>A 0
    assert rounded(pair_rank(FIVE, pseudo_count=0)) == {"A": 0.8109, "B": 0.1583, "C": 0.0309}
    assert rounded(pair_rank(FIVE)) == {"A": 0.8106, "B": 0.1584, "C": 0.0310}


def test_the_optimum_is_one():
    # At a maximum of the likelihood, expected wins equal wins for every answer.
    p = np.array(list(pair_rank(FIVE, pseudo_count=0).values()))
    wins = np.array([[0, 4, 5], [1, 0, 4], [0, 1, 0]])
    chance = p[:, None] / (p[:, None] + p[None, :])
    expected = ((wins + wins.T) * chance).sum(axis=1)
    assert expected == approx(wins.sum(axis=1), abs=1e-8)


@pytest.mark.parametrize(("lists", "low", "high"), [(5, 0.18, 0.24), (50, 0.052, 0.070), (500, 0.0166, 0.0224)])
def test_recovers_planted_probabilities(lists, low, high):
    # Lists of 3 of 4, drawn without replacement from P: mean total variation over 200 runs .210, .061 and .0195
    # (sd of one run .117, .032, .010).
    planted = np.array([0.5, 0.3, 0.15, 0.05])
    rng = np.random.default_rng(lists)
    errors = []
    for _ in range(200):
        # The order of Gumbel-shifted log probabilities is a draw without replacement.
        drawn = np.argsort(-(np.log(planted) + rng.gumbel(size=(lists, 4))), axis=1)[:, :3]
        found = pair_rank(drawn.tolist(), candidates=range(4))
        errors.append(total_variation(list(found.values()), planted))
    assert low < np.mean(errors) < high


def test_answers_nobody_could_place_above_are_named():
    with pytest.raises(ValueError, match=r"\['B'\] never beat any of the other answers.*Set pseudo_count=0.001"):
        pair_rank([("A", "B"), ("A",)], pseudo_count=0)
    with pytest.raises(ValueError, match=r"\['C'\] never beat"):
        pair_rank([("A", "B"), ("B", "A")], pseudo_count=0, candidates="ABC")
    finite = pair_rank([("A", "B"), ("A",)])
    assert finite["A"] > 0.99 and sum(finite.values()) == approx(1)


def test_unanimity_grows_with_the_number_of_lists():
    # One pair: odds (n + .001) / .001
    assert pair_rank([("A", "B")])["A"] == approx(1.001 / 1.002)
    assert pair_rank([("A", "B")] * 10)["A"] == approx(10.001 / 10.002)


def test_unnamed_candidates_share_the_rest():
    found = pair_rank([("A", "B"), ("B", "A")], candidates=["C", "B", "A", "D"])
    assert list(found) == ["C", "B", "A", "D"]
    assert found["A"] == approx(found["B"]) == approx(0.5, abs=0.01) and found["C"] == approx(found["D"])


def test_single_answer_has_it_all():
    assert pair_rank([("A",), ("A",)]) == {"A": 1.0}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.permutations("ABCD").map(lambda p: p[:2]), min_size=1, max_size=12))
def test_order_of_lists_and_names_do_not_matter(lists):
    found = pair_rank(lists, candidates="ABCD")
    again = pair_rank(lists[::-1], candidates="DCBA")
    assert sum(found.values()) == approx(1) and all(p > 0 for p in found.values())
    for answer, p in found.items():
        assert again[answer] == approx(p, rel=1e-6, abs=1e-12)
    lower = pair_rank([[answer.lower() for answer in ranked] for ranked in lists], candidates="abcd")
    assert [lower[answer.lower()] for answer in found] == approx(list(found.values()))


def test_lists_are_checked():
    with pytest.raises(ValueError, match="lists is empty"):
        pair_rank([])
    with pytest.raises(ValueError, match=r"lists\[1\] names an answer twice: \['A', 'B', 'A'\]"):
        pair_rank([("A", "B"), ("A", "B", "A")])
    with pytest.raises(ValueError, match=r"lists\[0\] is empty"):
        pair_rank([()])
    with pytest.raises(ValueError, match=r"lists\[0\] is the text 'AB'"):
        pair_rank(["AB"])
    with pytest.raises(ValueError, match=r"lists name \['C'\], not among the 2 candidates"):
        pair_rank([("A", "C")], candidates=["A", "B"])
    with pytest.raises(ValueError, match="pseudo_count is -1"):
        pair_rank(FIVE, pseudo_count=-1)


def test_strengths_by_hand():
    assert bradley_terry([[0, 3], [1, 0]]) == approx([0.75, 0.25])
    # One hundredth of a win added to each side: 3.01 to 1.01
    assert bradley_terry([[0, 3.01], [1.01, 0]]) == approx([0.7488, 0.2512], abs=5e-5)
    three = np.array([[0, 3, 4], [1, 0, 3], [0, 1, 0]]) + 0.01
    assert bradley_terry(three) == approx([0.7660, 0.1879, 0.0461], abs=5e-5)
    assert bradley_terry([[0]]).tolist() == [1.0]


def test_strengths_of_a_planted_league():
    # 30 players, 200 games a pair: log strengths recovered with sd about sqrt(4 / (200 * 29)) = .03
    rng = np.random.default_rng(0)
    planted = np.sort(rng.normal(0, 1, 30))
    chance = 1 / (1 + np.exp(planted[None, :] - planted[:, None]))
    upper = np.triu(rng.binomial(200, chance), 1)
    wins = upper + np.tril(200 - upper.T, -1)
    found = np.log(bradley_terry(wins))
    assert np.abs((found - found.mean()) - (planted - planted.mean())).max() < 0.15


@pytest.mark.parametrize("weight", [1e-2, 1e-6, 1e-9])
def test_converges_however_small_the_pseudo_count(weight):
    order = np.tril(np.ones((12, 12)), -1) + weight
    strength = bradley_terry(order)
    assert (np.diff(strength) > 0).all() and math.isfinite(strength[0])


def test_wins_are_checked():
    with pytest.raises(ValueError, match=r"players \[1, 2\] never won against the rest"):
        bradley_terry([[0, 1, 1], [0, 0, 1], [0, 1, 0]])
    with pytest.raises(ValueError, match=r"wins_cc\[0, 1\] is -1"):
        bradley_terry([[0, -1], [1, 0]])
    with pytest.raises(ValueError, match=r"wins_cc has shape \(1, 2\), not \(c, c\)"):
        bradley_terry([[0, 1]])
