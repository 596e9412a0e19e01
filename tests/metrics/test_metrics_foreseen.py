"""Foreseen figures: by hand, and beside the mean and spread of the metrics themselves over many drawn outcomes."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics import (
    ace,
    auprc,
    aurc,
    auroc,
    brier,
    brier_skill,
    ece,
    ece_debiased,
    final_answers,
    macro_f1,
    mce,
    pair_rank,
    spearman,
)
from doxa.metrics.foreseen import Outlook
from doxa.metrics.foreseen_figures import (
    answers_foreseen,
    brier_of_beta,
    confidence_foreseen,
    forecast_foreseen,
    sharpened,
)
from doxa.metrics.foreseen_ways import final_answers as finals_foreseen
from doxa.metrics.foreseen_ways import inflated, of_hinted, of_inflated, of_unread
from doxa.models.simulated_rules import Sharpened

REPETITIONS, N = 400, 250
SURE = Outlook.of([0.9, 0.9, 0.5, 0.1], [1.0, 0.5, 0.5, 0.0])


def ends(outlook, rng):
    """What the n items came to once: confidences, and whether the answers are right."""
    way = (rng.random((outlook.n, 1)) > outlook.weight_nk.cumsum(axis=1)).sum(axis=1)
    items = np.arange(outlook.n)
    return outlook.said_nk[items, way], rng.random(outlook.n) < outlook.right_nk[items, way]


def one_way(rng, slope):
    chance = rng.beta(1.2, 1.8, N)
    return Outlook.of(1 / (1 + (1 / chance - 1) ** slope), chance)


def some_ways(rng, slope):
    return Outlook.of([[0.35, 0.65, 0.85]], rng.random((N, 3)), rng.dirichlet([1, 1, slope], N))


FIGURES = {
    "ECE": (lambda o: o.gap_error(o.by_width()), ece),
    "ECE, closed on the left": (
        lambda o: o.gap_error(o.by_width(closed="left")),
        lambda p, y: ece(p, y, closed="left"),
    ),
    "AUROC": (Outlook.auroc, auroc),
    "AUPRC-P": (Outlook.auprc, auprc),
    "AUPRC-N": (lambda o: o.turned().auprc(), lambda p, y: auprc(p, y, positive="wrong")),
    "AURC": (Outlook.aurc, aurc),
    "Brier": (lambda o: o.mean((o.said_nk - 1) ** 2, o.said_nk**2), brier),
    "Brier skill": (lambda o: forecast_foreseen(o, o.said_nk > 0.5)["Brier skill"], brier_skill),
    "macro F1": (lambda o: answers_foreseen(o, o.said_nk > 0.5)["macro F1"], lambda p, y: macro_f1(p > 0.5, y)),
}
ORDERED = {
    "ACE": (lambda o: o.gap_error(o.by_mass()), ace),
    "MCE": (lambda o: o.largest_gap(o.by_width()), mce),
}


@pytest.mark.parametrize("made", [one_way, some_ways])
@pytest.mark.parametrize("slope", [1, 3])
def test_means_and_spreads_are_those_of_the_metrics_over_many_outcomes(made, slope):
    rng = np.random.default_rng(slope)
    outlook = made(rng, slope)
    drawn = [ends(outlook, rng) for _ in range(REPETITIONS)]
    for name, (foreseen, metric) in (FIGURES | (ORDERED if made is one_way else {})).items():
        found, values = foreseen(outlook), np.array([metric(*one) for one in drawn])
        spread = found.sd / math.sqrt(N)
        # Four standard errors of a mean of 400 are .2 of one spread; a term of order 1/n may add .1 of it.
        assert values.mean() == approx(found.value, abs=0.3 * spread), name
        assert values.std() == approx(spread, rel=0.15), name  # the spread of 400 values is known to 3.5 %


@pytest.mark.parametrize("slope", [1, 3])
def test_debiased_ece_over_many_outcomes(slope):
    chance = 1 / (1 + np.exp(-4 * ((np.arange(200) + 0.5) / 200 - 0.4)))
    outlook, rng = Outlook.of(sharpened(slope, chance, 4), chance), np.random.default_rng(slope)
    values = np.array([ece_debiased(*ends(outlook, rng)) for _ in range(REPETITIONS)])
    found = outlook.gap_error_debiased(outlook.by_width())
    assert found.value == approx(values.mean(), abs=0.4 * values.std())  # bins of few items are not normal
    assert 0.8 * values.std() < found.sd / math.sqrt(200) < 1.5 * values.std()


def test_shares_of_samples():
    chance, samples, rng = 1 / (1 + np.exp(-4 * ((np.arange(200) + 0.5) / 200 - 0.4))), 5, np.random.default_rng(1)
    share = Outlook.share(chance, chance, samples)
    said = [rng.binomial(samples, chance) / samples for _ in range(REPETITIONS)]
    drawn = [(c, (rng.random(200) < chance).astype(float)) for c in said]
    foreseen = confidence_foreseen(share)
    for name, metric in {"ECE": ece, "Brier": brier, "AUROC": auroc}.items():
        values = np.array([metric(*one) for one in drawn])
        assert foreseen[name].value == approx(values.mean(), abs=0.3 * values.std()), name
        assert foreseen[name].sd / math.sqrt(200) == approx(values.std(), rel=0.15), name
    ranks = np.array([spearman(c, chance) for c in said])
    found = share.spearman(Outlook.of(chance, chance))
    assert found.value == approx(ranks.mean(), abs=0.3 * ranks.std())
    assert ranks.std() < found.sd / math.sqrt(200) < 2 * ranks.std()  # the formula is for a looser, bivariate normal


def test_rank_correlation_by_hand():
    two, flat = Outlook.of([0.9, 0.5], [0.8, 0.4]), Outlook.of([0.6, 0.6], [0.8, 0.4])
    assert two.spearman(two) == approx((1, 0, 2)) and two.spearman(two.turned()).value == approx(-1)
    assert math.isnan(flat.spearman(two).value)


def test_sharpened_is_the_slope_of_respondents():
    p = np.array([0.1, 0.25, 0.6, 0.99])
    for options in (2, 4):
        assert sharpened(3, p, options) == approx([Sharpened(3)(x, options) for x in p])
        assert sharpened(1, p, options) == approx(p)


def test_by_hand():
    # Right: .9 surely, .9 and .5 by half; wrong: .9, .5 by half, .1 surely. Pairs of different items, right x wrong:
    # .9 with .9 1/2 (1/2 of a tie), with .5 1/2, with .1 1; .9 (1/2) with .5 1/4, .1 1/2; .5 (1/2) with .9 1/4, .1 1/2.
    won = 0.25 + 0.5 + 1 + 0.25 + 0.5 + 0 + 0.5
    pairs = 0.5 + 0.5 + 1 + 0.25 + 0.5 + 0.25 + 0.5
    assert SURE.auroc().value == approx(won / pairs)
    # Risk .25 after two items, (.5 + .5) / 3 after three, 2 / 4 after all; the first held down to 0.
    assert SURE.aurc().value == approx(0.5 * 0.25 + 0.25 * (0.25 + 1 / 3) / 2 + 0.25 * (1 / 3 + 0.5) / 2)
    assert SURE.mean(1.0, 0.0) == approx((0.5, math.sqrt(0.125), 4))
    assert SURE.ratio((1.0, 0.0), (2.0, 1.0)).value == approx(2 / 6)
    # One bin: the sum of gaps has mean .4 and sd sqrt(.5); E|x| of a normal with these.
    z = 0.4 / math.sqrt(0.5)
    mean = math.sqrt(0.5) * math.sqrt(2 / math.pi) * math.exp(-(z**2) / 2) + 0.4 * math.erf(z / math.sqrt(2))
    assert SURE.gap_error(np.zeros((4, 1))).value == approx(mean / 4)


def test_what_is_certain_has_no_spread():
    certain = Outlook.of([0.9, 0.8, 0.3], [1.0, 1.0, 0.0])
    found = confidence_foreseen(certain)
    assert found["ECE"] == approx((ece([0.9, 0.8, 0.3], [1, 1, 0]), 0, 3))
    assert found["AUROC"] == approx((1, 0, 3)) and found["AUPRC-P"] == approx((1, 0, 3))
    assert found["AURC"].value == approx(aurc([0.9, 0.8, 0.3], [1, 1, 0]))


def test_constant_confidence_and_ends_that_never_come():
    constant = Outlook.of([0.7] * 9, [0.5] * 9)
    assert constant.auroc() == approx((0.5, 0, 9)) and constant.aurc().value == approx(0.5)
    never = Outlook.of([[0.7, 1.0, 0.0]], np.full((9, 3), 0.5), [[1.0, 0.0, 0.0]])
    for name, found in confidence_foreseen(constant).items():
        assert confidence_foreseen(never)[name] == approx(found), name


def test_undefined_is_nan_and_an_unknown_order_raises():
    one = Outlook.of([0.7], [0.5])
    assert math.isnan(one.auroc().value) and math.isnan(Outlook.of([0.7, 0.8], [0.0, 0.0]).auprc().value)
    nobody_yes = answers_foreseen(Outlook.of([0.2, 0.3], [0.5, 0.5]), [0, 0])
    assert math.isnan(nobody_yes["precision of yes"].value) and math.isnan(nobody_yes["overconfidence at 0.8"].value)
    with pytest.raises(ValueError, match="end in 2 ways"):
        Outlook.of([[0.1, 0.2]], [[0.5, 0.5]]).by_mass()


def test_half_open_bins_leave_out_what_is_certain():
    outlook = Outlook.of([1.0] * 50 + [0.25] * 50, [0.0] * 50 + [0.25] * 50)
    ours, published = (forecast_foreseen(outlook, [1] * 50 + [0] * 50, half_open=h)["ECE"] for h in (False, True))
    assert ours.value - published.value == approx(0.5)


def test_a_calibrated_brier_score():
    rng = np.random.default_rng(0)
    p = rng.beta(1.2, 1.8, 200_000)
    errors = (p - (rng.random(len(p)) < p)) ** 2
    found = brier_of_beta(1.2, 1.8, len(p))
    assert errors.mean() == approx(found.value, abs=4 * found.sd / math.sqrt(len(p)))
    assert errors.std() == approx(found.sd, rel=0.01)


def test_final_answers_are_those_of_drawn_responses():
    rng, n, m = np.random.default_rng(0), 4000, 5
    belief = np.array([0.46, 0.3, 0.14, 0.1])
    said = (rng.random((n, m, 1)) > belief.cumsum()).sum(axis=2)
    truth = (rng.random((n, 1)) > belief.cumsum()).sum(axis=1)
    import polars as pl

    table = pl.DataFrame(
        {
            "item": np.repeat(np.arange(n).astype(str), m),
            "answer": np.array(list("ABCD"))[said.ravel()],
            "correct": (said == truth[:, None]).ravel(),
            "confidence": belief[said.ravel()],
            "order": np.tile(np.arange(m), n),
        }
    )
    made = {"consistency": final_answers.consistency(table), "avg_conf": final_answers.avg_conf(table)}
    for how, outlook in finals_foreseen([belief] * 50, m).items():
        best, found = final_answers.best(made[how]), confidence_foreseen(outlook)
        assert best["confidence"].mean() == approx(found["mean confidence"].value, abs=0.015), how  # sd .2 / sqrt(4000)
        assert best["correct"].mean() == approx(found["accuracy"].value, abs=0.032), how  # four times .5 / sqrt(4000)


def test_pair_rank_of_two_options_is_the_share_of_lists():
    outlook = finals_foreseen([[0.8, 0.2]], 5)["pair_rank"]
    for k, said in zip((0, 1, 2), outlook.said_nk[0], strict=False):
        lists = [("A", "B")] * k + [("B", "A")] * (5 - k)
        assert said == approx(max(pair_rank(lists).values()), abs=1e-7)


def test_ways_by_hand():
    assert inflated(0.8, 0.3) == approx(0.85)
    beliefs = np.array([[0.7, 0.1, 0.1, 0.1]] * 100)
    hinted = of_hinted(
        1.0, beliefs, 2
    )  # one hint, always followed: kept in one of four cases, half the votes otherwise
    assert hinted["overconfidence, vanilla, misleading, consistency"].value == approx(0.25 + 0.75 * 0.5 - 0.7)
    assert hinted["overconfidence, vanilla, misleading, avg_conf"].value == approx(0.25 + 0.75 * 0.7 / 0.8 - 0.7)
    said = of_inflated(0.8, beliefs, promptings=("cot", "multi_step"))
    assert said["overconfidence, cot"].value == approx(0.25) and said["80 to 100, cot"].value == 1
    assert said["overconfidence, multi_step"].value == approx(round(0.95 ** (1 / 3), 4) ** 3 - 0.7)
    assert said["overconfidence, multi_step, overall"].value == approx(0.25)
    unread = of_unread(0.2, beliefs, 2)
    assert unread["coverage, vanilla"].value == approx(0.64)
    assert unread["coverage, vanilla, self_random, consistency"].value == approx(1 - 0.36**2)
