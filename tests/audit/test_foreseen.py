"""Expectations in closed form agree with hand calculation, and with the mean and spread of many drawn data sets."""

import math

import numpy as np
import pytest

from doxa import metrics
from doxa.audit.coherence import Believer, fault_distance, noise_distance
from doxa.audit.foreseen import Stated, sharpened
from doxa.data.compound import ROLES
from doxa.metrics import coherence_distance
from doxa.models.base import Context
from doxa.models.simulated_rules import Sharpened
from doxa.records import Item, Prompt

METRICS = {
    "ECE": metrics.ece,
    "ECE, debiased": metrics.ece_debiased,
    "Brier": metrics.brier,
    "AUROC": metrics.auroc,
    "AURC": metrics.aurc,
    "confidence minus accuracy": lambda c, y: float(np.mean(c - y)),
}
DRAWS = 400
POPULARITY = (np.arange(200) + 0.5) / 200
KNOWN = 1 / (1 + np.exp(-4 * (POPULARITY - 0.4)))


def agree(expected, drawn, n):
    """Means agree to 4 standard errors and a fifth of the spread, spreads to a fifth (or half more than drawn)."""
    spread = np.std(drawn)
    assert expected.value == pytest.approx(np.mean(drawn), abs=spread * (4 / math.sqrt(DRAWS) + 0.2))
    assert 0.8 * spread < expected.sd / math.sqrt(n) < 1.5 * spread


@pytest.mark.parametrize("slope", [1.0, 3.0])
def test_one_confidence_an_answer(slope):
    said, rng = sharpened(KNOWN, slope, 4), np.random.default_rng(0)
    outcomes = rng.random((DRAWS, len(said))) < KNOWN
    for expected, (name, metric) in zip(Stated.once(KNOWN, said).expect("x", *METRICS), METRICS.items(), strict=True):
        assert expected.estimate == f"{name}, x"
        agree(expected, [metric(said, y.astype(float)) for y in outcomes], len(said))


def test_shares_of_samples():
    rng, samples = np.random.default_rng(1), 5
    stated, names = Stated.share(KNOWN, KNOWN, samples), ("ECE", "Brier", "AUROC", "confidence minus accuracy")
    drawn = [(rng.binomial(samples, KNOWN) / samples, (rng.random(200) < KNOWN).astype(float)) for _ in range(DRAWS)]
    for expected, name in zip(stated.expect("x", *names), names, strict=True):
        agree(expected, [METRICS[name](c, y) for c, y in drawn], 200)
    rank, spread = stated.spearman(Stated.once(KNOWN, KNOWN))
    ranks = [metrics.spearman(c, KNOWN) for c, _ in drawn]
    assert rank == pytest.approx(np.mean(ranks), abs=0.2 * np.std(ranks))
    assert np.std(ranks) < spread / math.sqrt(200) < 2 * np.std(ranks)  # the formula is for a looser, bivariate normal
    with pytest.raises(ValueError, match="order of answers with 6 possible confidences"):
        stated.aurc()


def test_by_hand():
    two = Stated.once(np.array([0.8, 0.4]), np.array([0.9, 0.5]))
    assert two.surplus()[0] == pytest.approx(0.1)
    assert two.brier()[0] == pytest.approx((0.8 * 0.01 + 0.2 * 0.81 + 0.25) / 2)
    # right before wrong: .8 (.6) of the mixed pairs .8 (.6) + .2 (.4)
    assert two.auroc()[0] == pytest.approx(0.48 / 0.56)
    # risk .2 up to half of the items, then a trapezoid up to (.2 + .6) / 2 = .4
    assert two.aurc()[0] == pytest.approx(0.5 * 0.2 + 0.5 * (0.2 + 0.4) / 2)
    assert two.spearman(two) == (pytest.approx(1), pytest.approx(0))
    flat = Stated.once(np.array([0.8, 0.4]), np.array([0.6, 0.6]))
    assert flat.auroc() == (0.5, 0)
    assert flat.aurc()[0] == pytest.approx(0.4)  # one group of ties: the error rate
    assert math.isnan(flat.spearman(two)[0])


def test_sharpened_is_the_slope_of_respondents():
    p = np.array([0.1, 0.25, 0.6, 0.99])
    assert sharpened(p, 3, 4) == pytest.approx([Sharpened(3)(x, 4) for x in p])
    assert sharpened(p, 1, 4) == pytest.approx(p)


def table(fault, by, pairs):
    items = [
        Item(f"pair-{i}#{role}", "", "statement", group=f"pair-{i}", fields={"role": role})
        for i in range(pairs)
        for role in ROLES
    ]
    believed = Believer(fault, by)
    return np.array([believed(item, Context(item), Prompt.user("How likely?"))["true"] for item in items]).reshape(
        pairs, 6
    )


@pytest.mark.parametrize("fault", ["additivity", "conjunction"])
def test_a_fault_has_its_distance_whatever_is_believed(fault):
    for by in (0.0, 0.15, 0.3):
        assert coherence_distance(table(fault, by, 50)) == pytest.approx(fault_distance(by, [])[0].value, abs=1e-7)


def test_noise_has_its_distance_on_average():
    found, (expected, _) = coherence_distance(table("noise", 0.03, 400)), noise_distance(0.03, [])
    assert expected.value == pytest.approx(found.mean(), abs=4 * found.std() / 20)
    assert expected.sd == pytest.approx(found.std(), rel=0.15)
