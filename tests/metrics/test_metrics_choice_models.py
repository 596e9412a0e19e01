"""Models of choice: values by hand, planted parameters found, expected-value maximisers told from others."""

import math

import numpy as np
import pytest
from pytest import approx

from doxa.metrics.choice_models import Problems, fit_choices, values, weighted

PROSPECT = {"alpha": 0.88, "loss_aversion": 2.25, "gamma": 0.61, "gamma_losses": 0.69}


def gambles(n, *, low=-20, seed=0):
    """n random problems, payoffs low to 39, up to three outcomes."""
    rng = np.random.default_rng(seed)

    def one():
        k = int(rng.integers(1, 4))
        return list(zip(rng.dirichlet(np.ones(k)), rng.integers(low, 40, k).astype(float), strict=True))

    return Problems.of([one() for _ in range(n)], [one() for _ in range(n)])


def chosen(theory, problems, *, draws=15, sensitivity=2.0, seed=1, **parameters):
    """Shares of noisy respondents that choose B."""
    value = values(theory, problems, **parameters)
    gap = value[:, 1] - value[:, 0]
    chance = 1 / (1 + np.exp(-sensitivity * gap / gap.std()))
    return np.random.default_rng(seed).binomial(draws, chance) / draws


def fitted(theory, problems, share, draws=15, **settings):
    return fit_choices(theory, problems, share, choices=[draws] * problems.n, **settings)


def test_expected_values_by_hand():
    # The first problem of a published set: 26 at 95 %, -1 at 5 % against 21 at 95 %, 23 at 5 %.
    problems = Problems.of([[(0.95, 26), (0.05, -1)]], [[(0.95, 21), (0.05, 23)]])
    assert problems.expected.tolist() == [[approx(24.65), approx(21.1)]]
    for theory in ("expected value", "prospect", "cumulative prospect"):
        assert values(theory, problems).tolist() == [[approx(24.65), approx(21.1)]]


def test_expected_utility_by_hand():
    problems = Problems.of([[(1, 25)]], [[(0.5, 100), (0.5, 0)]])
    assert values("expected utility", problems, r=0.5).tolist() == [[approx(10), approx(10)]]  # 2 sqrt 25, sqrt 100
    logs = Problems.of([[(1, 4)]], [[(0.5, 2), (0.5, 8)]])
    assert values("expected utility", logs, r=1.0).tolist() == [[approx(math.log(4)), approx(math.log(4))]]


def test_prospects_by_hand():
    # w(.5) = .4206 for gamma .61, .4540 for .69. 100 and -50 at .5: 100^.88 = 57.54, 2.25 * 50^.88 = 70.35
    problems = Problems.of([[(1, 0)]], [[(0.5, 100), (0.5, -50)]])
    expected = weighted(0.5, 0.61) * 100**0.88 - weighted(0.5, 0.69) * 2.25 * 50**0.88
    assert (float(weighted(0.5, 0.61)), float(weighted(0.5, 0.69))) == approx((0.4206, 0.4540), abs=1e-4)
    for theory in ("prospect", "cumulative prospect"):
        assert values(theory, problems, **PROSPECT)[0, 1] == approx(float(expected))
    # Two gains: the larger has w(.3), the smaller w(1) - w(.3); taken one by one it would be w(.7).
    gains = Problems.of([[(1, 0)]], [[(0.3, 100), (0.7, 20)]])
    w = weighted([0.3, 0.7], 0.61)
    ranked = w[0] * 100**0.88 + (1 - w[0]) * 20**0.88
    assert values("cumulative prospect", gains, **PROSPECT)[0, 1] == approx(ranked)
    assert values("prospect", gains, **PROSPECT)[0, 1] == approx(w[0] * 100**0.88 + w[1] * 20**0.88)


def test_values_depend_on_nothing_but_the_gamble():
    first, other = [(0.3, 100), (0.7, -20)], [(0.7, -20), (0.15, 100), (0.15, 100), (0.0, 999)]
    problems = Problems.of([first, [(1, 5)]], [other, [(1, 5)]])
    value = values("cumulative prospect", problems, **PROSPECT)
    assert value[:, 0] == approx(value[:, 1])
    assert weighted([0, 1], 0.4).tolist() == [0, 1] and weighted([0.2, 0.7], 1.0).tolist() == approx([0.2, 0.7])


@pytest.mark.parametrize("theory", ["prospect", "cumulative prospect"])
def test_planted_prospects_are_found(theory):
    problems = gambles(800)
    fit = fitted(theory, problems, chosen(theory, problems, **PROSPECT))
    planted = dict(zip(fit.parameters, (*PROSPECT.values(), 2.0), strict=True))
    for name, value in planted.items():
        assert fit.parameters[name].value == approx(value, abs=3 * fit.errors[name])  # 3 SE, of .03 to .15
        assert fit.errors[name] < 0.2
    assert fit.aic < fitted("expected value", problems, chosen(theory, problems, **PROSPECT)).aic - 100


def test_a_planted_risk_aversion_is_found():
    problems = gambles(500, low=0)
    fit = fitted("expected utility", problems, chosen("expected utility", problems, r=0.5))
    assert fit.parameters["r"].value == approx(0.5, abs=3 * fit.errors["r"]) and fit.errors["r"] < 0.1
    assert fit.parameters["r"].low < 0.5 < fit.parameters["r"].high and fit.parameters["r"].n == 7500


def test_who_goes_by_expected_value_is_found_to():
    problems = gambles(800)
    share = chosen("expected value", problems)
    fit = fitted("cumulative prospect", problems, share)
    for name, interval in fit.parameters.items():
        assert interval.value == approx(2.0 if name == "sensitivity" else 1.0, abs=3 * fit.errors[name])
    plain = fitted("expected value", problems, share)
    # Twice the gain in likelihood is chi-square with 4 degrees: above 18.5 once in 1,000 times.
    assert 0 <= 2 * (fit.log_likelihood - plain.log_likelihood) < 18.5
    gains = gambles(500, low=0)
    r = fitted("expected utility", gains, chosen("expected value", gains))
    assert r.parameters["r"].value == approx(0.0, abs=3 * r.errors["r"])


def test_each_respondent_is_told_from_the_others():
    problems, theories = gambles(600, low=0), ("expected value", "prospect", "cumulative prospect")
    for true in theories[1:]:
        share = chosen(true, problems, **PROSPECT)
        aic = {theory: fitted(theory, problems, share).aic for theory in theories}
        assert min(aic, key=aic.get) == true


def test_parameters_that_nothing_tells_stay_out():
    problems = gambles(300, low=0)
    fit = fitted("cumulative prospect", problems, chosen("cumulative prospect", problems, **PROSPECT))
    assert fit.fixed == {"loss aversion": 1.0, "gamma, losses": 1.0}
    assert list(fit.parameters) == ["alpha", "gamma", "sensitivity"]
    assert fit.aic == approx(2 * 3 - 2 * fit.log_likelihood)


def test_a_coin_has_no_taste_and_a_maximiser_no_sensitivity():
    problems = gambles(300)
    coin = fitted("expected value", problems, np.full(300, 0.5))
    assert coin.parameters["sensitivity"].value < 0.01 and coin.predicted == approx(np.full(300, 0.5), abs=0.01)
    assert coin.log_likelihood == approx(-300 * 15 * math.log(2), rel=1e-6)
    gap = problems.expected[:, 1] - problems.expected[:, 0]
    greedy = fit_choices("expected value", problems, gap > 0)
    assert greedy.parameters["sensitivity"].value > 50 and math.isnan(greedy.parameters["sensitivity"].high)
    assert greedy.log_likelihood > -1


def test_shares_say_what_single_choices_say():
    problems = gambles(60, low=0)
    share = chosen("expected value", problems, draws=4)
    whole = fitted("expected value", problems, share, draws=4)
    single = Problems(np.repeat(problems.payoff, 4, axis=0), np.repeat(problems.chance, 4, axis=0))
    ones = np.array([k < 4 * s for s in share for k in range(4)])
    alone = fit_choices("expected value", single, ones)
    assert alone.log_likelihood == approx(whole.log_likelihood)
    assert alone.parameters["sensitivity"].value == approx(whole.parameters["sensitivity"].value, rel=1e-3)
    assert alone.errors["sensitivity"] == approx(whole.errors["sensitivity"], rel=1e-3)
    # Four times the same choice is one choice: by groups the error doubles, without them it does not.
    same = fit_choices("expected value", single, np.repeat(ones[::4], 4), groups=np.repeat(np.arange(60), 4))
    naive = fit_choices("expected value", single, np.repeat(ones[::4], 4))
    assert same.errors["sensitivity"] > 1.5 * naive.errors["sensitivity"]


def test_other_problems_are_predicted():
    fit = fitted("expected value", gambles(400), chosen("expected value", gambles(400)))
    new = gambles(50, seed=7)
    predicted, gap = fit.predict(new), new.expected[:, 1] - new.expected[:, 0]
    assert ((predicted > 0.5) == (gap > 0)).all() and fit.predict(gambles(400)) == approx(fit.predicted)


def test_wrong_inputs_are_refused():
    problems = gambles(3)
    with pytest.raises(ValueError, match="a has 1 gambles, b has 2"):
        Problems.of([[(1, 5)]], [[(1, 5)]] * 2)
    for wrong in ([(50, 10), (50, 0)], [(10, 1.0)], [(0.5, 1.0)], []):
        with pytest.raises(ValueError, match=r"b\[0\] is .*outcomes are \(probability, payoff\)"):
            Problems.of([[(1, 5)]], [wrong])
    with pytest.raises(ValueError, match="theory is 'minimax', not one of"):
        fit_choices("minimax", problems, [0, 1, 1])
    with pytest.raises(ValueError, match="parameter is 'beta', not one of"):
        values("prospect", problems, beta=1)
    with pytest.raises(ValueError, match=r"a payoff is -.*Add what one owns"):
        values("expected utility", Problems.of([[(1, -5)]], [[(1, 5)]]))
    with pytest.raises(ValueError, match=r"chose_b\[0\] is 50, outside \[0, 1\]"):
        fit_choices("expected value", problems, [50, 0, 1])
    with pytest.raises(ValueError, match="chose_b has 2 values, problems has 3"):
        fit_choices("expected value", problems, [0, 1])
    with pytest.raises(ValueError, match="sees the same difference in all 2 problems"):
        fit_choices("expected value", Problems.of([[(1, 5)]] * 2, [[(1, 6)]] * 2), [0, 1])
