"""Calibration errors against values worked out by hand, other libraries, and planted respondents."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from doxa.metrics import (
    ace,
    brier,
    brier_skill,
    ece,
    ece_debiased,
    ece_expected,
    ece_top_label,
    mce,
    reliability,
    rmsce,
    squared_calibration_error,
)

P = (0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05)
Y = (1, 1, 1, 0, 1, 0, 1, 0, 0, 0)
RECORDED = Path(__file__).parents[2] / "../shared/data/kalshibench"

predictions = st.lists(st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.booleans()), min_size=1, max_size=60)


def other_library_case():
    """500 predictions whose gaps change sign from bin to bin, as given to the libraries named below."""
    rng = np.random.default_rng(20240611)
    p = rng.random(500) ** 0.7
    return p, (rng.random(500) < np.clip(p + 0.2 * np.sin(12 * p), 0, 1)).astype(int)


def test_ten_items_by_hand():
    # Bins of width .1: (.95 x 2 | 1, 1) gap -.05, (.85 x 2 | 1, 0) .35, (.65 x 2 | 1, 0) .15, .55 -.45, .35, .15, .05.
    # (2 * .05 + 2 * .35 + 2 * .15 + .45 + .35 + .15 + .05) / 10 = 2.10 / 10
    assert ece(P, Y) == approx(0.210)
    assert mce(P, Y) == approx(0.45)
    # Five bins of two, from below: (.05, .15 | 0, 0) .10, (.35, .55 | 0, 1) -.05, (.65 x 2 | 1, 0) .15,
    # (.85 x 2 | 1, 0) .35, (.95 x 2 | 1, 1) -.05: mean .70 / 5
    assert ace(P, Y, bins=5) == approx(0.140)
    assert ece(P, Y, bins=5, binning="mass") == approx(0.140)
    # sqrt((.01 + .0025 + .0225 + .1225 + .0025) / 5), and ten bins of one
    assert rmsce(P, Y, bins=5, binning="mass") == approx(0.1789, abs=5e-5)
    assert ace(P, Y, bins=10) == approx(0.310)
    assert rmsce(P, Y, bins=10, binning="mass") == approx(0.4056, abs=5e-5)


def test_eight_items_by_hand():
    # Only .9 is said twice (both right, gap -.1): (2 * .1 + .2 + .3 + .4 + .5 + .6 + .3) / 8 = 2.5 / 8
    m, correct = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.9, 0.3), (1, 1, 1, 0, 1, 0, 1, 0)
    assert ece(m, correct) == approx(0.3125)
    assert ece((0.9, 0.9, 0.8, 0.8, 0.7, 0.8, 0.9, 0.7), correct) == approx(0.2625)


def test_edges_belong_where_a_person_expects():
    # .3, .7 and 1 - .9 sit on edges: closed on the right they end bins 0, 2, 6; closed on the left they begin 1, 3, 7.
    said = [0.0, 1 - 0.9, 0.1 + 0.2, 0.7, 1.0]
    right = [row.n for row in reliability(said, [0] * 5)]
    left = [row.n for row in reliability(said, [0] * 5, closed="left")]
    assert right == [2, 0, 1, 0, 0, 0, 1, 0, 0, 1]
    assert left == [1, 1, 0, 1, 0, 0, 0, 1, 0, 1]


@pytest.mark.parametrize("bins", [1, 2, 3, 7, 10, 15, 30, 100])
def test_every_edge_is_on_its_side_for_any_number_of_bins(bins):
    edges = np.arange(bins + 1) / bins
    assert [row.n for row in reliability(edges, [0] * (bins + 1), bins=bins)] == [2] + [1] * (bins - 1)
    assert [row.n for row in reliability(edges, [0] * (bins + 1), bins=bins, closed="left")] == [1] * (bins - 1) + [2]


def test_no_item_is_lost_and_certainty_counts():
    assert ece([1.0] * 4, [0] * 4) == 1.0
    assert ece([1.0] * 4, [0] * 4, closed="left") == 1.0
    assert ece([0.0] * 4, [1] * 4) == 1.0


def test_adaptive_bins_take_the_remainder_last():
    # n = 7, bins = 3: sizes 2, 2, 3. Gaps .1 - 0, .3 - .5, .6 - 1 in absolute value .1, .2, .4
    p, y = [0.1, 0.1, 0.3, 0.3, 0.6, 0.6, 0.6], [0, 0, 0, 1, 1, 1, 1]
    assert ace(p, y, bins=3) == approx((2 * 0.1 + 2 * 0.2 + 3 * 0.4) / 7)
    assert ace(p, y, bins=3, weighting="bins") == approx(0.7 / 3)
    # Fewer items than bins: one each, so the gaps are |p - y|.
    assert ace([0.25, 0.75], [0, 1], bins=10) == approx(0.25)


def test_rmsce_weights_gaps_before_squaring_nothing_twice():
    # Two bins of 100 rows with gaps .1 and .2: sqrt(.5 * .01 + .5 * .04)
    p = [0.4] * 100 + [0.8] * 100
    y = [1] * 30 + [0] * 70 + [1] * 60 + [0] * 40
    assert rmsce(p, y, bins=2) == approx(0.1581, abs=5e-5)


def test_against_other_libraries():
    p, y = other_library_case()
    assert ece(p, y) == approx(0.13102474296312555, abs=1e-12)  # netcal 1.4.0, ECE(10)
    assert ece(p, y, bins=15) == approx(0.13519369166180653, abs=1e-12)  # netcal 1.4.0, ECE(15)
    assert mce(p, y) == approx(0.26687613769272667, abs=1e-12)  # netcal 1.4.0, MCE(10)
    # uncertainty-calibration 0.1.4: get_equal_bins with plugin_ce, get_equal_prob_bins with the others
    assert ace(p, y) == approx(0.1333289443619771, abs=1e-12)  # plugin_ce(power=1)
    assert rmsce(p, y) == approx(0.15183674909540124, abs=1e-12)  # plugin_ce(power=2)
    assert squared_calibration_error(p, y) == approx(0.019130947378177228, abs=1e-12)  # unbiased_square_ce
    # normal_debiased_ce samples: mean of six runs of 200,000, standard error .00002
    assert ece_debiased(p, y) == approx(0.125381, abs=8e-5)


def test_top_label_against_another_library():
    rng = np.random.default_rng(20240611)
    p = rng.random(500) ** 0.7
    rng.random(len(p))
    belief = rng.dirichlet([0.5, 0.5, 0.5], 300)
    truth = np.array([rng.choice(3, p=row) for row in belief])
    truth = np.where(rng.random(300) < 0.2, rng.integers(0, 3, 300), truth)
    assert ece_top_label(belief, truth) == approx(0.06451368408504737, abs=1e-12)  # netcal 1.4.0 ECE(10)


def test_top_label_ties_do_not_depend_on_the_options_order():
    # Uniform belief over 4 options, each right once: expected accuracy 1/4 = confidence, whatever `argmax` would take.
    belief = np.full((4, 4), 0.25)
    assert ece_top_label(belief, [0, 1, 2, 3]) == approx(0.0)
    assert ece_top_label(belief, [0, 0, 0, 0]) == approx(0.0)
    assert ece_top_label(belief, [3, 3, 3, 3]) == approx(0.0)


def test_top_label_of_two_options_is_ece_of_the_favourite():
    p, y = other_library_case()
    top = np.maximum(p, 1 - p)
    assert ece_top_label(np.stack([1 - p, p], axis=1), y) == approx(ece(top, (p > 0.5) == y))


@pytest.mark.parametrize("error", [ece, ace, mce, rmsce])
def test_constant_one_class_and_one_item(error):
    assert error([0.9] * 5, [0] * 5) == approx(0.9)
    assert error([0.25], [1]) == 0.75
    if error is not ace:  # its bins split the ties, by row
        assert error([0.75] * 8, [1, 1, 1, 0] * 2) == approx(0.0)
        assert error([1.0] * 10, [1] * 7 + [0] * 3) == approx(0.3)


@settings(deadline=None, max_examples=30)
@given(predictions)
def test_order_of_rows_and_bounds(pairs):
    p, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    order = np.random.default_rng(0).permutation(len(p))
    for error in (ece, mce, rmsce, ece_debiased, squared_calibration_error):
        assert error(p[order], y[order]) == approx(error(p, y), nan_ok=True)
    assert 0 <= ece(p, y) <= rmsce(p, y) + 1e-12 <= mce(p, y) + 2e-12 <= 1 + 3e-12
    # Merging bins can only cancel gaps; one bin leaves the difference of the means.
    assert ece(p, y, bins=1) == approx(abs(p.mean() - y.mean())) and ece(p, y, bins=5) <= ece(p, y, bins=10) + 1e-12


@settings(deadline=None, max_examples=30)
@given(predictions)
def test_reliability_rows_hold_the_error(pairs):
    p, y = zip(*pairs, strict=True)
    rows = reliability(p, y)
    held = [row for row in rows if row.n]
    assert len(rows) == 10 and sum(row.n for row in rows) == len(p)
    assert sum(row.n * abs(row.confidence - row.accuracy) for row in held) / len(p) == approx(ece(p, y))
    for row in held:
        assert row.low - 1e-9 <= row.confidence <= row.high + 1e-9
        assert row.accuracy_low <= row.accuracy <= row.accuracy_high
    assert all(np.isnan(row.accuracy) and np.isnan(row.accuracy_low) for row in rows if not row.n)


def test_reliability_of_mass_bins_gives_the_values_inside():
    rows = reliability(P, Y, bins=5, binning="mass")
    assert [(row.low, row.high, row.n) for row in rows][:2] == [(0.05, 0.15, 2), (0.35, 0.55, 2)]


def test_debiased_errors_are_unbiased_or_less_biased():
    # A calibrated respondent, 200 items in 10 bins, 400 repetitions: the squared error averages 0 (standard error
    # sd / 20), the corrected ECE keeps 2 - sqrt 2 = .586 of the plain one, which is all bias here.
    rng = np.random.default_rng(0)
    squared, plain, corrected = [], [], []
    for _ in range(400):
        p = rng.random(200)
        y = rng.random(200) < p
        squared.append(squared_calibration_error(p, y))
        plain.append(ece(p, y))
        corrected.append(ece_debiased(p, y))
    assert np.mean(squared) == approx(0.0, abs=4 * np.std(squared) / 20)
    assert np.mean(corrected) / np.mean(plain) == approx(0.6, abs=0.08)


def test_debiased_errors_keep_a_large_gap():
    rng = np.random.default_rng(1)
    y = rng.random(2000) < 0.6
    assert ece_debiased([0.9] * 2000, y) == approx(ece([0.9] * 2000, y), abs=1e-9)
    assert squared_calibration_error([0.9] * 2000, y) == approx(0.09, abs=0.03)


def test_debiased_errors_need_a_bin_with_two_items():
    assert np.isnan(ece_debiased([0.1, 0.9], [0, 1])) and np.isnan(squared_calibration_error([0.5], [1]))


def test_expected_error_under_calibration():
    rng = np.random.default_rng(3)
    q = rng.beta(1.2, 1.8, 300)
    expected = ece_expected(q, resamples=400)
    assert expected.value == approx(0.058, abs=0.006)  # 2,000 repetitions elsewhere gave .058, sd .015
    assert expected.low < 0.04 and 0.08 < expected.high < 0.11
    assert ece_expected(q[::-1].copy(), resamples=400) == expected
    assert ece_expected([0.0, 1.0]).high == 0.0


def test_a_calibrated_forecaster_looks_overconfident_when_its_number_is_misread():
    # 300 questions, probabilities q ~ Beta(1.2, 1.8), outcome yes with probability q; means of 200 repetitions.
    # Said: q as P(yes). Misread: when the answer is no, the number is taken as confidence in no, so p = 1 - q.
    rng = np.random.default_rng(42)
    literal, misread, skill, misread_skill, triple = [], [], [], [], []
    for _ in range(200):
        q = rng.beta(1.2, 1.8, 300)
        y = rng.random(300) < q
        wrong_way = np.where(q < 0.5, 1 - q, q)
        literal.append(ece(q, y))
        skill.append(brier_skill(q, y))
        misread.append(ece(wrong_way, y))
        misread_skill.append(brier_skill(wrong_way, y))
        odds = (q / (1 - q)) ** 3
        triple.append(ece(odds / (1 + odds), y))
    assert np.mean(literal) == approx(0.058, abs=0.006) and np.mean(skill) == approx(0.245, abs=0.02)
    assert np.mean(misread) == approx(0.329, abs=0.006) and np.mean(misread_skill) == approx(-0.644, abs=0.03)
    assert np.mean(triple) == approx(0.161, abs=0.006)


def test_base_rate_forecaster():
    y = [1] * 12 + [0] * 18
    assert ece([0.4] * 30, y) == approx(0.0, abs=1e-12) and brier_skill([0.4] * 30, y) == approx(0.0, abs=1e-12)
    assert brier([0.4] * 30, y) == approx(0.24)


def test_answers_sampled_from_the_true_distribution():
    # 4 answers, distribution ~ Dirichlet(1, 1, 1, 1), right answer and 200 samples drawn from it: the modal share is
    # calibrated (ECE .013, sd .004). A stated 80 + 20 p is off by .48 (sd .010) and overconfident in every bin.
    rng = np.random.default_rng(0)
    belief = rng.dirichlet([1, 1, 1, 1], 5000)
    truth = (rng.random((5000, 1)) < np.cumsum(belief, axis=1)).argmax(axis=1)
    counts = rng.multinomial(200, belief)
    modal = counts.argmax(axis=1)
    assert ece(counts.max(axis=1) / 200, modal == truth) < 0.03
    said = (rng.random((5000, 1)) < np.cumsum(belief, axis=1)).argmax(axis=1)[:2000]
    stated = np.round((80 + 20 * belief[np.arange(2000), said]) / 5) * 5 / 100
    right = said == truth[:2000]
    assert stated.mean() - right.mean() == approx(0.48, abs=0.04)
    assert ece(stated, right) == approx(stated.mean() - right.mean(), abs=1e-9)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded predictions are not beside the repository")
@pytest.mark.parametrize(
    ("file", "published"),
    [
        ("claude_opus_4.5_20251217_023819", 0.1201),
        ("gpt_5.2_xhigh_20251217_023819", 0.3947),
        ("kimi_k2_20251217_205502", 0.2981),
        ("qwen3_235b_thinking_20251217_023819", 0.2966),
        ("deepseek_v3.2_20251217_201128", 0.2838),
        ("gpt_4o_20251217_201945", 0.2094),
    ],
)
def test_published_errors_from_the_stored_reliability_tables(file, published):
    # Outcomes are not stored, but bins are: mean p, share yes, count. Certain predictions were dropped from the
    # published sums while the divisor kept them, so an item of no gap per dropped one is added back.
    stored = json.loads((RECORDED / f"{file}.json").read_text())
    matrix = stored["confusion_matrix"]
    p, y = [], []
    for row in stored["reliability_diagram"]:
        yes = round(row["avg_accuracy"] * row["count"])
        p += [row["avg_confidence"]] * row["count"]
        y += [1] * yes + [0] * (row["count"] - yes)
    dropped = sum(matrix.values()) - len(p)
    assert ece(p, y) * len(p) / (len(p) + dropped) == approx(stored["ece"], abs=1e-9)
    assert stored["ece"] == approx(published, abs=6e-5)
    assert mce(p, y) == approx(stored["mce"], abs=1e-9)
