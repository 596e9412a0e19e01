"""Calibrators: unit cases, planted miscalibration undone, nulls left alone, monotone, saved, and odd input."""

import json
import math

import numpy as np
import pytest
from pytest import approx

from doxa.elicit.options import softmax
from doxa.metrics import ace, brier, ece
from doxa.metrics.calibrators import METHODS, Calibrator, best_method, cross_fitted, fit, fit_temperature, logit

N = 4000


def stretched(slope, shift=0.0, n=N, seed=0):
    """Answers that are right with probability p, stated as sigmoid(slope * logit p + shift)."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, n)
    return 1 / (1 + np.exp(-(slope * logit(p) + shift))), (rng.random(n) < p).astype(float), p


@pytest.mark.filterwarnings("ignore:.*are few")
def test_isotonic_unit_case():
    made = fit([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1], "isotonic")
    assert made.apply([0.1, 0.2, 0.3, 0.4]) == approx([0, 0.5, 0.5, 1])
    assert made.apply([0.0, 0.9]) == approx([0, 1])  # clipped


def test_isotonic_steps_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(5)
    said, right = rng.integers(0, 21, 400) / 20, rng.integers(0, 2, 400)  # many ties
    theirs = sklearn.IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(said, right)
    grid = np.linspace(0, 1, 301)
    assert fit(said, right, "isotonic").apply(grid) == approx(theirs.predict(grid), abs=1e-12)


@pytest.mark.filterwarnings("ignore:.*are few")
def test_separable_answers_have_bounded_weights_and_are_told():
    with pytest.warns(UserWarning, match="separates right from wrong"):
        made = fit([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1], "platt")
    assert math.isfinite(made.parameters["slope"]) and made.apply([0.2, 0.8]) == approx([0, 1], abs=0.01)


@pytest.mark.parametrize(("slope", "shift"), [(3.0, 0.0), (0.4, 0.0), (2.0, 1.5)])
@pytest.mark.parametrize("method", METHODS)
def test_planted_miscalibration_is_undone(method, slope, shift):
    said, right, p = stretched(slope, shift)
    calibrated = cross_fitted(said, right, method)
    if method == "temperature" and shift:
        assert ece(calibrated, right) > 0.05  # one number cannot undo a shift
        return
    # A calibrated forecaster of this n shows .02 to .03; the map's own error adds to it.
    assert ece(said, right) > 0.1 and ece(calibrated, right) < 0.035
    assert np.abs(calibrated - p).mean() < 0.03
    assert brier(calibrated, right) < brier(said, right)


def test_parameters_are_the_planted_ones():
    said, right, _ = stretched(3.0)
    assert fit(said, right, "temperature").parameters["temperature"] == approx(3.0, rel=0.1)
    made = fit(*stretched(2.0, 1.5)[:2], "platt").parameters
    assert made["slope"] == approx(0.5, rel=0.1) and made["bias"] == approx(-0.75, abs=0.15)
    beta = fit(said, right, "beta").parameters
    assert beta["a"] == approx(beta["b"], rel=0.2) and beta["a"] == approx(1 / 3, rel=0.2)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_calibrated_stays_so(method):
    said, right, _ = stretched(1.0)
    assert np.abs(fit(said, right, method).apply(said) - said).mean() < 0.025


@pytest.mark.parametrize("method", METHODS)
def test_maps_rise_and_hold_at_both_ends(method):
    made = fit(*stretched(3.0)[:2], method)
    values = made.apply(np.linspace(0, 1, 201))
    assert (np.diff(values) >= -1e-9).all() and values.min() >= 0 and values.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_confidence_that_says_nothing_becomes_the_base_rate(method):
    rng = np.random.default_rng(3)
    said, right = rng.uniform(0, 1, N), (rng.random(N) < 0.7).astype(float)
    calibrated = cross_fitted(said, right, method)
    if method != "temperature":  # T alone can only go to 1/2
        assert np.abs(calibrated - 0.7).mean() < 0.04


def test_cross_fitting_keeps_groups_together_and_is_seeded():
    said, right, _ = stretched(3.0, n=400)
    groups = np.repeat(np.arange(100), 4)
    one = cross_fitted(said, right, "platt", groups=groups, seed=1)
    assert (one == cross_fitted(said, right, "platt", groups=groups, seed=1)).all()
    assert not np.allclose(one, cross_fitted(said, right, "platt", groups=groups, seed=2))
    # A group's own truth does not reach its own values.
    turned = right.copy()
    turned[:4] = 1 - turned[:4]
    assert cross_fitted(said, turned, "platt", groups=groups, seed=1)[:4] == approx(one[:4])


@pytest.mark.filterwarnings("ignore:.*are few")
def test_in_sample_isotonic_flatters_and_cross_fitting_does_not():
    rng = np.random.default_rng(0)
    said, right = rng.uniform(0, 1, 60), (rng.random(60) < 0.5).astype(float)
    assert ace(fit(said, right).apply(said), right) + 0.05 < ace(cross_fitted(said, right), right)


@pytest.mark.parametrize("method", METHODS)
def test_saved_and_read_again(method):
    said, right, _ = stretched(3.0, n=200)
    made = fit(said, right, method, about={"model": "organism:atlas", "way": "words"})
    again = Calibrator.from_json(made.to_json())
    assert again.about == {"model": "organism:atlas", "way": "words"} and again.n == 200
    assert again.apply(said) == approx(made.apply(said))


def test_what_is_no_calibrator():
    for parameters in ({}, {"slope": "x", "bias": 0}, {"slope": math.nan, "bias": 0}):
        with pytest.raises(ValueError, match=r"lacks its parameters|maps 0, 0\.5 and 1 to"):
            Calibrator.from_json(json.dumps({"format": 1, "method": "platt", "n": 1, "parameters": parameters}))
    for text in ("{", "[]", "{}", json.dumps({"format": 9, "method": "platt", "n": 1, "parameters": {}})):
        with pytest.raises(ValueError, match=r"no saved calibrator|format 9"):
            Calibrator.from_json(text)


def test_one_class_is_left_as_it_is_and_told():
    with pytest.warns(UserWarning, match="all 30 answers are right"):
        made = fit([0.5] * 30, [1] * 30, "platt")
    assert made.method == "identity" and made.apply([0.2]) == approx([0.2])


def test_odd_input():
    with pytest.warns(UserWarning, match="3 answers are few"):
        fit([0.1, 0.5, 0.9], [0, 1, 1], "isotonic")
    with pytest.raises(ValueError, match="Percent"):
        fit([90] * 30, [1, 0] * 15, "platt")
    with pytest.raises(ValueError, match="method"):
        fit([0.1] * 30, [1, 0] * 15, "magic")
    with pytest.raises(ValueError, match="3 groups cannot stand in 5 folds"):
        cross_fitted([0.1] * 30, [1, 0] * 15, groups=[0, 1, 2] * 10)
    assert np.isnan(fit(*stretched(2.0, n=100)[:2], "platt").apply([math.nan, 0.5])).tolist() == [True, False]


def test_the_best_method_undoes_what_others_cannot():
    said, right, _ = stretched(2.0, 1.5)
    assert best_method(said, right, methods=("temperature", "platt")) == "platt"


# --- temperature over options ----------------------------------------------------------------------------------------


def planted_choices(k, n=5000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), n)
    truth = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    return k * np.log(p), truth


def test_a_planted_temperature_is_found_and_repairs_calibration():
    logits, truth = planted_choices(2.5)
    found = fit_temperature(logits, truth)
    assert found == approx(2.5, abs=0.22)  # sd .06
    for scale, low, high in ((1.0, 0.18, 0.24), (found, 0.0, 0.035)):
        p = softmax(logits / scale)
        assert low < ace(p.max(axis=1), p.argmax(axis=1) == truth) < high
    half = fit_temperature(logits[::2], truth[::2])
    assert half == approx(2.5, abs=0.3)


def test_what_needs_no_temperature_gets_none():
    assert fit_temperature(*planted_choices(1.0)) == approx(1.0, abs=0.1)


def test_options_that_are_not_there():
    x = np.array([[0.0, -1.0, -np.inf], [0.0, -1.0, -2.0]] * 20)
    assert math.isfinite(fit_temperature(x, [0, 1] * 20))
    with pytest.raises(ValueError, match="probability 0"):
        fit_temperature(x, [2] * 40)
