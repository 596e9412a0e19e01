"""What theories choose between two gambles, and how far choices of two sources go together.

A source of choices is a rate of B for each problem: 0 or 1 for a theory, a share of people or of samples. Binary
vectors are compared by agreement and by phi, which is Spearman's and Pearson's correlation of two of them; it says
something else than a correlation of rates.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import spearman
from doxa.metrics.choice_models import Problems, values
from doxa.metrics.inputs import Floats, codes, one_of
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.resampling import bootstrap_weighted
from doxa.metrics.sums import NOTHING

Rule = Literal["exact", "published"]

THEORIES = ("EV", "prospect", "averaging", "minimax", "better than average")
KAHNEMAN = {"alpha": 0.88, "loss_aversion": 2.25, "gamma": 0.61, "gamma_losses": 0.61}
TIE = 1e-9  # float sums part equal expected values by less than this
DECIMALS = 4  # to which the published comparison rounds chances
PEOPLE = 15  # that decide on a problem, in a simulated population
SHARPNESS = 2.0  # of a simulated population's choices, see `noisy`


# --- theories --------------------------------------------------------------------------------------------------------


def averaging(problems: Problems) -> Floats:
    """Mean payoff (n, 2) of each gamble's outcomes, whatever their chances."""
    real = problems.chance > 0
    return np.asarray((problems.payoff * real).sum(axis=2) / real.sum(axis=2))


def minimax(problems: Problems) -> Floats:
    """Smallest payoff (n, 2) of each gamble."""
    return np.asarray(np.where(problems.chance > 0, problems.payoff, np.inf).min(axis=2))


def better_than_average(problems: Problems) -> Floats:
    """How many outcomes (n, 2) reach the mean of all payoffs of both gambles."""
    real = problems.chance > 0
    mean = (problems.payoff * real).sum(axis=(1, 2)) / real.sum(axis=(1, 2))
    return np.asarray((real & (problems.payoff >= mean[:, None, None] - TIE)).sum(axis=2), dtype=np.float64)


def prospect(problems: Problems, parameters: Mapping[str, float] | None = None) -> Floats:
    """Prospect theory's values (n, 2); parameters None: those of Tversky and Kahneman 1992, one gamma for all."""
    return values("prospect", problems, **(KAHNEMAN if parameters is None else parameters))


_VALUES: Mapping[str, Callable[[Problems], Floats]] = {
    "EV": lambda problems: problems.expected,
    "prospect": prospect,
    "averaging": averaging,
    "minimax": minimax,
    "better than average": better_than_average,
}


def advantage(theory: str, problems: Problems) -> Floats:
    """How much more B is worth than A (n,), by one of THEORIES."""
    value = _VALUES[one_of("theory", theory, _VALUES)](problems)
    return np.asarray(value[:, 1] - value[:, 0])


def chosen(theory: str, problems: Problems, *, rule: Rule = "exact") -> Floats:
    """What a theory chooses (n,), 1 for B: more than a rounding error better, so ties go to A.

    rule  "published": expected values from chances rounded to 4 decimals, ties go to B
    """
    if rule == "published" and theory == "EV":
        value = (problems.chance.round(DECIMALS) * problems.payoff).sum(axis=2)
        return np.asarray(value[:, 1] >= value[:, 0], dtype=np.float64)
    return np.asarray(advantage(theory, problems) > TIE, dtype=np.float64)


def majority(rates: ArrayLike) -> Floats:
    """What most chose (n,): 1 where at least half took B, nan where nobody's choice is known."""
    rate = np.asarray(rates, dtype=np.float64)
    return np.where(np.isnan(rate), NAN, rate >= 0.5)


def noisy(advantages: ArrayLike, sharpness: float = SHARPNESS) -> Floats:
    """Probability of B (n,) for somebody who goes by an advantage with noise: logistic(sharpness * D / sd(D)).

    >>> noisy([-1.0, 1.0]).round(3).tolist()
    [0.119, 0.881]
    """
    d = np.asarray(advantages, dtype=np.float64)
    spread = float(d.std())
    return np.asarray(1 / (1 + np.exp(-sharpness * d / (spread or 1.0))))


def population(problems: Problems, *, people: int = PEOPLE, seed: int = 0) -> Floats:
    """Share (n,) of simulated people who take B: noisy, by prospect theory with the published parameters."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.binomial(people, noisy(advantage("prospect", problems))) / people)


# --- comparisons -----------------------------------------------------------------------------------------------------


def phi(x: ArrayLike, y: ArrayLike) -> float:
    """Correlation of two vectors of choices (n,), over problems where both are known; nan when one is constant.

    >>> phi([0, 1, 1, 0], [0, 1, 1, 0]), phi([0, 1, 1, 0], [1, 0, 0, 1])
    (1.0, -1.0)
    """
    a, b = _both(x, y)
    return float(_phi_of_sums(_sums(a, b).sum(axis=0)[None])[0]) if len(a) else NAN


def phi_interval(x: ArrayLike, y: ArrayLike, groups: ArrayLike) -> Interval:
    """`phi` with its bootstrap interval over groups of problems; perfect agreement has none."""
    a, b, labels = _both(x, y, groups)
    return _resampled(labels, lambda weights, sums: _phi_of_sums(weights @ sums), _sums(a, b))


def phi_difference(x: ArrayLike, y: ArrayLike, other: ArrayLike, groups: ArrayLike) -> Interval:
    """phi(x, y) - phi(other, y), on the problems where all three are known, each resample drawing the same ones."""
    a, b, c, labels = _both(x, y, other, groups)

    def difference(weights: Floats, sums: Floats) -> Floats:
        return _phi_of_sums(weights @ sums[:, :6]) - _phi_of_sums(weights @ sums[:, 6:])

    return _resampled(labels, difference, np.concatenate([_sums(a, b), _sums(c, b)], axis=1))


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's correlation of two vectors of rates (n,), over problems where both are known."""
    a, b = _both(x, y)
    return spearman(a, b) if len(a) else NAN


def squared_error(x: ArrayLike, y: ArrayLike) -> float:
    """Mean squared difference of rates (n,); of choices it is 1 - agreement."""
    a, b = _both(x, y)
    return float(((a - b) ** 2).mean()) if len(a) else NAN


def _both(*columns: ArrayLike) -> list[np.ndarray]:
    """The columns where all numbers are known (labels count as known)."""
    arrays = [np.asarray(column) for column in columns]
    known = np.ones(len(arrays[0]), dtype=bool)
    for array in arrays:
        if array.dtype.kind == "f":
            known &= ~np.isnan(array)
    return [array[known] for array in arrays]


def _sums(a: Floats, b: Floats) -> Floats:
    """What a correlation is made of, (n, 6)."""
    return np.stack([np.ones(len(a)), a, b, a * a, b * b, a * b], axis=1).astype(np.float64)


def _phi_of_sums(sums: Floats) -> Floats:
    """Correlations (r,) from sums (r, 6); nan where one side does not vary."""
    n, a, b, aa, bb, ab = sums.T
    spread = np.maximum(n * aa - a * a, 0) * np.maximum(n * bb - b * b, 0)
    product = n * ab - a * b
    return np.divide(product, np.sqrt(spread), out=np.full(len(n), NAN), where=spread > 1e-9)


def _resampled(labels: np.ndarray, statistic: Callable[[Floats, Floats], Floats], sums: Floats) -> Interval:
    """The statistic's interval when groups are drawn anew."""
    if not len(labels):
        return NOTHING
    group, held = codes("groups", labels)
    by_group = np.zeros((held, sums.shape[1]))
    np.add.at(by_group, group, sums)
    return bootstrap_weighted(lambda weights: statistic(weights, by_group), held, n=len(labels))
