"""Models of choices between two gambles, fitted by maximum likelihood: expected value, expected utility, prospects.

Each theory gives a gamble a value; B is chosen over A with probability logistic(sensitivity * (V_B - V_A) / sd), sd
being that of the differences over the problems. So `sensitivity` has no unit and compares between theories: 0 is a
coin (and whoever prefers the worse gamble), at 2 a difference of one sd decides in 9 of 10 choices, a maximiser has no
finite one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.metrics.inputs import Floats, codes, numbers, one_of, probabilities, same_length
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.tails import normal_quantile

Gamble = Sequence[tuple[float, float]]
"""Outcomes as (probability, payoff); the probabilities sum to 1."""

SUM_ROUNDING = 1e-3  # published chances are percentages, rounded to two decimals
SENSITIVITY = "sensitivity"
STEP = 1e-3  # of differences that give derivatives; parameters are of the order of 1, or logarithms
EDGE = 1e-3  # this near to its limit a parameter has no standard error


@dataclass(frozen=True, eq=False)
class Problems:
    """n choices between gambles A and B: payoff and chance (n, 2, k), payoffs ascending; a chance of 0 fills up."""

    payoff: Floats
    chance: Floats

    @classmethod
    def of(cls, a: Sequence[Gamble], b: Sequence[Gamble]) -> "Problems":
        """From lists of gambles; ValueError: unequal lengths, no problem, probabilities that are none."""
        if len(a) != len(b) or not len(a):
            raise ValueError(
                f"a has {len(a)} gambles, b has {len(b)}; give one of each for every problem, at least one"
            )
        k = max(len(gamble) for side in (a, b) for gamble in side)
        payoff, chance = np.zeros((len(a), 2, k)), np.zeros((len(a), 2, k))
        for side, name in enumerate("ab"):
            for row, gamble in enumerate((a, b)[side]):
                p, x = (np.array(part, dtype=np.float64) for part in zip(*gamble, strict=True)) if gamble else _empty()
                if not (np.isfinite(x).all() and (p >= 0).all() and abs(p.sum() - 1) <= SUM_ROUNDING):
                    raise ValueError(
                        f"{name}[{row}] is {list(gamble)}; outcomes are (probability, payoff), and the probabilities "
                        "sum to 1. Percent? divide by 100. Swapped? probabilities come first."
                    )
                order = np.argsort(x, kind="stable")
                payoff[row, side, : len(x)], chance[row, side, : len(x)] = x[order], p[order] / p.sum()
        order = np.argsort(payoff, axis=2, kind="stable")
        return cls(np.take_along_axis(payoff, order, 2), np.take_along_axis(chance, order, 2))

    @property
    def n(self) -> int:
        return len(self.payoff)

    @property
    def expected(self) -> Floats:
        """Expected values (n, 2)."""
        return np.asarray((self.chance * self.payoff).sum(axis=2))


def _empty() -> tuple[Floats, Floats]:
    return np.empty(0), np.empty(0)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a theory: its value for somebody who goes by expected value, one to start from, its limits."""

    name: str
    neutral: float
    typical: float
    low: float
    high: float
    log: bool = True

    def inside(self, value: float) -> float:
        """As the optimiser sees it."""
        return math.log(value) if self.log else value

    def outside(self, value: float) -> float:
        return math.exp(value) if self.log else value


@dataclass(frozen=True)
class Theory:
    """What gambles are worth: parameters, and (problems, their values by name) -> (n, 2)."""

    name: str
    parameters: tuple[Parameter, ...]
    value: Callable[[Problems, Mapping[str, float]], Floats]


# --- theories --------------------------------------------------------------------------------------------------------


def _expected_value(problems: Problems, by: Mapping[str, float]) -> Floats:
    return problems.expected


def _expected_utility(problems: Problems, by: Mapping[str, float]) -> Floats:
    """Utility x^(1 - r) / (1 - r), log x for r = 1, of payoffs of 0 and more."""
    r, x = by["r"], problems.payoff
    least = float(x[problems.chance > 0].min())
    if least < 0:
        raise ValueError(
            f"a payoff is {least:g}; constant relative risk aversion needs wealth of 0 and more. Add what one owns to "
            "each payoff, or fit a theory of gains and losses"
        )
    x = np.where(problems.chance > 0, x, 1.0)
    utility = np.log(x) if abs(r - 1) < 1e-9 else x ** (1 - r) / (1 - r)
    return np.asarray((problems.chance * utility).sum(axis=2))


def _prospect(problems: Problems, by: Mapping[str, float]) -> Floats:
    """Each chance weighted by itself, as in the first version of the theory."""
    weight = np.where(
        problems.payoff >= 0, weighted(problems.chance, by["gamma"]), weighted(problems.chance, by["gamma, losses"])
    )
    return np.asarray((weight * _felt(problems.payoff, by)).sum(axis=2))


def _cumulative(problems: Problems, by: Mapping[str, float]) -> Floats:
    """Weighted is the chance of so much or more for gains, of so little or less for losses; weights are differences."""
    below = np.clip(np.cumsum(problems.chance, axis=2), 0.0, 1.0)
    above = np.clip(np.cumsum(problems.chance[..., ::-1], axis=2)[..., ::-1], 0.0, 1.0)
    zero = np.zeros((*below.shape[:2], 1))
    gains = -np.diff(weighted(np.concatenate([above, zero], axis=2), by["gamma"]), axis=2)
    losses = np.diff(weighted(np.concatenate([zero, below], axis=2), by["gamma, losses"]), axis=2)
    weight = np.where(problems.payoff >= 0, gains, losses)
    return np.asarray((weight * _felt(problems.payoff, by)).sum(axis=2))


def weighted(p: ArrayLike, gamma: float) -> Floats:
    """p^g / (p^g + (1 - p)^g)^(1/g): small chances count for more than they are if g < 1. Tversky and Kahneman 1992.

    >>> weighted([0.0, 0.5, 1.0], 0.61).round(3).tolist()
    [0.0, 0.421, 1.0]
    """
    p = np.asarray(p, dtype=np.float64)
    powers = p**gamma, (1 - p) ** gamma
    return np.asarray(powers[0] / (powers[0] + powers[1]) ** (1 / gamma))


def _felt(payoff: Floats, by: Mapping[str, float]) -> Floats:
    size = np.abs(payoff) ** by["alpha"]
    return np.where(payoff >= 0, size, -by["loss aversion"] * size)


_FELT = (
    Parameter("alpha", 1.0, 0.88, 0.1, 3.0),
    Parameter("loss aversion", 1.0, 2.25, 0.05, 20.0),
    Parameter("gamma", 1.0, 0.61, 0.3, 3.0),
    Parameter("gamma, losses", 1.0, 0.69, 0.3, 3.0),
)
THEORIES: dict[str, Theory] = {
    theory.name: theory
    for theory in (
        Theory("expected value", (), _expected_value),
        Theory("expected utility", (Parameter("r", 0.0, 0.4, -2.0, 0.95, log=False),), _expected_utility),
        Theory("prospect", _FELT, _prospect),
        Theory("cumulative prospect", _FELT, _cumulative),
    )
}


def values(theory: str, problems: Problems, **parameters: float) -> Floats:
    """What a theory holds the gambles for, (n, 2); parameters not given are those of expected value.

    theory  "expected value"; "expected utility": r, the constant relative risk aversion; "prospect" and "cumulative
            prospect": alpha, loss_aversion, gamma, gamma_losses
    raises  ValueError: no such theory or parameter

    >>> coin = Problems.of([[(1.0, 0.0)]], [[(0.5, 100.0), (0.5, -50.0)]])
    >>> values("prospect", coin, loss_aversion=2.25).round(1).tolist()    # .5 * 100 - .5 * 2.25 * 50
    [[0.0, -6.2]]
    """
    chosen = THEORIES[one_of("theory", theory, THEORIES)]
    known = {p.name.replace(", ", "_").replace(" ", "_"): p.name for p in chosen.parameters}
    for name in parameters:
        one_of("parameter", name, known)
    given = {known[name]: value for name, value in parameters.items()}
    return chosen.value(problems, {p.name: given.get(p.name, p.neutral) for p in chosen.parameters})


# --- fitting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ChoiceFit:
    """A theory fitted to choices.

    parameters      name -> estimate with 95 % interval, n choices; limits nan where there is no standard error: at the
                    end of its range, or not told by these problems
    errors          name -> standard error
    fixed           parameters that these problems say nothing about (no losses, say), at expected value's
    log_likelihood  nats, without binomial coefficients; aic: 2 * fitted parameters - 2 * log_likelihood
    predicted       (n,) probability of choosing B
    """

    theory: str
    parameters: Mapping[str, Interval]
    errors: Mapping[str, float]
    fixed: Mapping[str, float]
    log_likelihood: float
    aic: float
    predicted: Floats
    n: int
    scale: float

    def predict(self, problems: Problems) -> Floats:
        """Probability (n,) of choosing B in other problems, by the same values and the same sd."""
        by = {**self.fixed, **{name: i.value for name, i in self.parameters.items()}}
        value = THEORIES[self.theory].value(problems, by)
        return _logistic(by[SENSITIVITY] * (value[:, 1] - value[:, 0]) / self.scale)


def fit_choices(
    theory: str,
    problems: Problems,
    chose_b: ArrayLike,
    *,
    choices: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    level: float = 0.95,
) -> ChoiceFit:
    """Fit a theory to choices by maximum likelihood, from several starts.

    theory   see `values`; problems: n
    chose_b  (n,) 0 or 1, or the share of choices that took B
    choices  (n,) how many choices each share is of; None: one each
    groups   (n,) labels of problems or persons whose choices hold together: their scores give the standard errors
             (sandwich); None: the observed information, choices taken as independent
    raises   ValueError: no such theory, unequal lengths, shares outside [0, 1], choices below 0, or a theory that sees
             no difference in any problem
    source   Tversky and Kahneman 1992, J. Risk and Uncertainty 5(4); fitting: Stott 2006, ibid. 32(2)

    >>> sure = [[(1.0, 10.0)]] * 4
    >>> risky = [[(0.5, x), (0.5, 0.0)] for x in (12.0, 18.0, 22.0, 30.0)]
    >>> fit = fit_choices("expected value", Problems.of(sure, risky), [0.1, 0.4, 0.6, 0.9], choices=[50] * 4)
    >>> bool(fit.predicted[0] < 0.2 < 0.8 < fit.predicted[3])
    True
    """
    chosen = THEORIES[one_of("theory", theory, THEORIES)]
    share = probabilities("chose_b", chose_b)
    weight = np.ones(len(share)) if choices is None else numbers("choices", choices)
    same_length(chose_b=share, choices=weight, problems=problems.payoff)
    if (weight < 0).any() or not weight.any():
        raise ValueError(f"choices are {weight.min():g} to {weight.max():g}; they count choices, 0 or more, not all 0")
    model = _Model(chosen, problems, share, weight)
    best = model.best()
    errors = model.errors(best, groups)
    by = model.named(best)
    likelihood, z, count = float(model.rows(best).sum()), normal_quantile(level), round(float(weight.sum()))
    method = "maximum likelihood, " + ("observed information" if groups is None else "sandwich over groups")
    estimates, spreads = {}, {}
    for p, x, error in zip(model.free, best.tolist(), errors.tolist(), strict=True):
        limits = (p.outside(x - z * error), p.outside(x + z * error)) if math.isfinite(error) else (NAN, NAN)
        estimates[p.name] = Interval(p.outside(x), *limits, count, method)
        spreads[p.name] = error * (p.outside(x) if p.log else 1.0)
    gap = model.gap(by)
    return ChoiceFit(
        *(theory, estimates, spreads, model.fixed, likelihood, 2 * len(best) - 2 * likelihood),
        *(_logistic(by[SENSITIVITY] * gap / float(gap.std())), problems.n, float(gap.std())),
    )


class _Model:
    """The likelihood of the free parameters of a theory, as the optimiser sees them."""

    def __init__(self, theory: Theory, problems: Problems, share: Floats, weight: Floats) -> None:
        self.theory, self.problems, self.share, self.weight = theory, problems, share, weight
        real = problems.payoff[problems.chance > 0]
        told = {"gamma": bool((real > 0).any()), "gamma, losses": bool((real < 0).any())}
        told["loss aversion"] = all(told.values())
        self.fixed = {p.name: p.neutral for p in theory.parameters if not told.get(p.name, True)}
        sensitivity = Parameter(SENSITIVITY, 1.0, 3.0, 1e-3, 1e3)
        self.free = (*(p for p in theory.parameters if p.name not in self.fixed), sensitivity)

    def named(self, x: Floats) -> dict[str, float]:
        return {**self.fixed, **{p.name: p.outside(v) for p, v in zip(self.free, x.tolist(), strict=True)}}

    def gap(self, by: Mapping[str, float]) -> Floats:
        value = self.theory.value(self.problems, by)
        gap = np.asarray(value[:, 1] - value[:, 0])
        if not gap.std() > 1e-12 * max(1.0, float(np.abs(value).max())):
            raise ValueError(
                f"{self.theory.name} sees the same difference in all {len(gap)} problems; vary the gambles"
            )
        return gap

    def rows(self, x: Floats) -> Floats:
        """Log-likelihood (n,) of each problem's choices."""
        by = self.named(x)
        gap = self.gap(by)
        z = by[SENSITIVITY] * gap / gap.std()
        return np.asarray(-self.weight * (np.logaddexp(0, -z) * self.share + np.logaddexp(0, z) * (1 - self.share)))

    def best(self) -> Floats:
        from scipy.optimize import minimize

        bounds = [(p.inside(p.low), p.inside(p.high)) for p in self.free]
        starts = [[p.inside(getattr(p, kind)) for p in self.free] for kind in ("neutral", "typical")]
        total = self.weight.sum()
        how = {"ftol": 1e-13, "gtol": 1e-8}
        found = [
            minimize(lambda x: -self.rows(x).sum() / total, start, method="L-BFGS-B", bounds=bounds, options=how)
            for start in starts
        ]
        return np.asarray(min(found, key=lambda f: f.fun).x, dtype=np.float64)

    def errors(self, x: Floats, groups: ArrayLike | None) -> Floats:
        """Standard errors of the parameters as the optimiser sees them; nan where there is none."""
        edges = np.array([[p.inside(p.low), p.inside(p.high)] for p in self.free])
        inside = np.flatnonzero((np.abs(x[:, None] - edges) > EDGE).all(axis=1))
        errors = np.full(len(x), NAN)
        moves = STEP * np.eye(len(x))[inside]
        if not len(inside):
            return errors
        information = -np.array([[self._second(x, a, b) for b in moves] for a in moves])
        if not np.linalg.eigvalsh(information).min() > 1e-9 * max(1.0, float(np.abs(information).max())):
            return errors
        cover = np.linalg.inv(information)
        if groups is not None:
            score_np = np.stack([(self.rows(x + a) - self.rows(x - a)) / (2 * STEP) for a in moves], axis=1)
            group_n, held = codes("groups", groups)
            same_length(problems=self.problems.payoff, groups=group_n)
            score_gp = np.zeros((held, len(inside)))
            np.add.at(score_gp, group_n, score_np)
            cover = cover @ (score_gp.T @ score_gp) @ cover * held / max(1, held - 1)
        errors[inside] = np.sqrt(np.diag(cover))
        return errors

    def _second(self, x: Floats, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        around = ((1, a + b), (-1, a - b), (-1, b - a), (1, -a - b))
        return sum(sign * float(self.rows(x + move).sum()) for sign, move in around) / (4 * STEP**2)


def _logistic(z: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -z)))
