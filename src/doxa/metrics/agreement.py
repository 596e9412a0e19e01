"""Agreement between two series: labels, outcomes, distributions, ranks; and tests of tables."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, codes, distributions, flat, numbers, one_of, outcomes, same_length
from doxa.metrics.order import midranks
from doxa.metrics.tails import chi_square_tail, correlation_tail

NAN = float("nan")


@dataclass(frozen=True)
class McNemar:
    """Items on which only one of two was right, and how surprising so uneven a split would be by chance."""

    only_a: int
    only_b: int
    p_exact: float
    p_mid: float


@dataclass(frozen=True)
class Trend:
    """Cochran-Armitage: z > 0 when shares rise with the level; p is two-sided; n counts items."""

    z: float
    p: float
    n: int


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's statistic of a table, its degrees of freedom and p; least_expected below 5 makes p rough."""

    statistic: float
    df: int
    p: float
    least_expected: float


def agreement_rate(a: ArrayLike, b: ArrayLike) -> float:
    """Share of items on which two series of labels agree (percent agreement, as a fraction).

    raises  ValueError: unequal lengths, n = 0, missing labels

    >>> agreement_rate(["yes", "no"], ["yes", "yes"])
    0.5
    """
    first, second, _ = _paired_codes(a, b)
    return float(np.mean(first == second))


def cohen_kappa(a: ArrayLike, b: ArrayLike, *, weights: Literal["linear", "quadratic"] | None = None) -> float:
    """Cohen's kappa: agreement beyond what the two raters' own label frequencies would give.

    a, b:     (n,) labels of one type
    weights:  None counts all disagreements alike; "linear" or "quadratic" by how many labels apart they are in sorted
              order, over the labels that occur
    returns   float at most 1; 0 is chance; nan when both gave one and the same label throughout
    raises    ValueError: unequal lengths, n = 0, missing labels
    source    Cohen 1960, Educ. Psychol. Measurement 20(1); weighted: Cohen 1968, Psychol. Bulletin 70(4)

    >>> cohen_kappa([1, 1, 0, 0], [1, 0, 0, 0])    # (.75 - .5) / (1 - .5)
    0.5
    """
    first, second, labels = _paired_codes(a, b)
    observed = np.zeros((labels, labels))
    np.add.at(observed, (first, second), 1 / len(first))
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    apart = np.abs(np.subtract.outer(np.arange(labels), np.arange(labels))).astype(np.float64)
    if weights is None:
        apart = (apart > 0).astype(np.float64)
    elif one_of("weights", weights, ("linear", "quadratic")) == "quadratic":
        apart = apart**2
    chance = float((apart * expected).sum())
    return 1 - float((apart * observed).sum()) / chance if chance > 0 else NAN


def mcnemar(a_correct: ArrayLike, b_correct: ArrayLike) -> McNemar:
    """McNemar's test: are a and b right equally often on the same items? Only items where they differ count.

    a_correct, b_correct: (n,) 0 or 1
    returns   two-sided p, exact (never too small) and mid-p (nearer to its nominal level); both 1 without a difference
    raises    ValueError: unequal lengths, n = 0, values other than 0 and 1
    source    McNemar 1947, Psychometrika 12(2); Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodology 13:91

    >>> test = mcnemar([1] * 3 + [0] * 9, [0] * 3 + [1] * 9)
    >>> round(test.p_exact, 3), round(test.p_mid, 3)
    (0.146, 0.092)
    """
    a, b = outcomes("a_correct", a_correct), outcomes("b_correct", b_correct)
    same_length(a_correct=a, b_correct=b)
    only_a, only_b = int((a > b).sum()), int((b > a).sum())
    fewer, total = min(only_a, only_b), only_a + only_b
    below = 2 * sum(_coin(k, total) for k in range(fewer + 1))
    exact = min(1.0, below)
    return McNemar(only_a, only_b, exact, 1.0 if only_a == only_b else below - _coin(fewer, total))


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Total variation distance of two distributions over c options: half the sum of |p - q|, in [0, 1].

    raises  ValueError: unequal lengths, values outside [0, 1] or not summing to 1

    >>> total_variation([0.5, 0.5, 0.0], [0.5, 0.0, 0.5])
    0.5
    """
    return float(total_variation_n(_one_row("p", p), _one_row("q", q))[0])


def total_variation_n(p_nc: ArrayLike, q_nc: ArrayLike) -> Floats:
    """`total_variation` (n,) of each row of p_nc (n, c) from the same row of q_nc."""
    p, q = _two_distributions(p_nc, q_nc)
    return np.asarray(np.abs(p - q).sum(axis=1) / 2, dtype=np.float64)


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float:
    """Jensen-Shannon divergence in nats: mean KL divergence of p and q from their average; in [0, log 2].

    Its square root is a distance.

    raises  ValueError: unequal lengths, values outside [0, 1] or not summing to 1
    source  Lin 1991, IEEE Trans. Information Theory 37(1)

    >>> round(jensen_shannon([1.0, 0.0], [0.0, 1.0]), 4)    # log 2
    0.6931
    """
    return float(jensen_shannon_n(_one_row("p", p), _one_row("q", q))[0])


def jensen_shannon_n(p_nc: ArrayLike, q_nc: ArrayLike) -> Floats:
    """`jensen_shannon` (n,) of each row of p_nc (n, c) from the same row of q_nc."""
    p, q = _two_distributions(p_nc, q_nc)
    middle = (p + q) / 2
    divergence = (_kl_terms(p, middle) + _kl_terms(q, middle)).sum(axis=1) / 2
    return np.maximum(divergence, 0.0)  # equal rows can come out at -1e-17


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Pearson's correlation of x (n,) and y (n,); nan when either is constant (so for n = 1 too).

    raises  ValueError: unequal lengths, n = 0, nan or infinite values

    >>> pearson([1, 2, 3], [2, 4, 6])
    1.0
    """
    first, second = numbers("x", x), numbers("y", y)
    same_length(x=first, y=second)
    return _correlation(first, second)


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation of x (n,) and y (n,), ties sharing their mean rank; nan when either is constant.

    raises  ValueError: unequal lengths, n = 0, nan
    source  Spearman 1904, American J. Psychology 15(1)

    >>> spearman([1, 2, 3, 4], [1, 10, 100, 50])
    0.8
    """
    first, second = numbers("x", x, finite=False), numbers("y", y, finite=False)
    same_length(x=first, y=second)
    return _correlation(midranks(first), midranks(second))


def correlation_p(r: float, n: int) -> float:
    """Two-sided p of a correlation r over n independent pairs by Student's t with n - 2 degrees of freedom.

    nan when r is nan or n < 3; for `spearman` an approximation that is good from n of about 10 on.

    >>> round(correlation_p(0.893, 6), 3)
    0.017
    """
    if math.isnan(r) or n < 3:
        return NAN
    if not -1 <= r <= 1:
        raise ValueError(f"r is {r!r}, outside [-1, 1]. Percent? divide by 100.")
    return correlation_tail(r, n - 2)


def cochran_armitage(successes: ArrayLike, totals: ArrayLike, *, scores: ArrayLike | None = None) -> Trend:
    """Cochran-Armitage test for a trend of shares over ordered levels.

    successes, totals: (k,) counts per level, lowest level first
    scores:   (k,) positions of the levels; 1..k when None
    returns   z and two-sided p by the normal approximation; nan when all or none succeed, or one level holds all items
    raises    ValueError: unequal lengths, a count below 0, more successes than items
    source    Armitage 1955, Biometrics 11(3)

    >>> trend = cochran_armitage([1, 5, 9], [10, 10, 10])
    >>> round(trend.z, 3), round(trend.p, 5)    # (9 - 1) / sqrt(.25 * 20)
    (3.578, 0.00035)
    """
    won, of = numbers("successes", successes), numbers("totals", totals)
    at = numbers("scores", np.arange(1, len(of) + 1) if scores is None else scores)
    same_length(successes=won, totals=of, scores=at)
    bad = (won < 0) | (won > of)
    if bad.any():
        level = int(bad.argmax())
        raise ValueError(
            f"successes[{level}] is {won[level]:g} of totals[{level}] = {of[level]:g}; give counts, 0..total."
        )
    n = float(of.sum())
    share = float(won.sum()) / n if n else NAN
    spread = float(of @ at**2 - (of @ at) ** 2 / n) if n else 0.0
    if not 0 < share < 1 or np.ptp(at[of > 0]) == 0:
        return Trend(NAN, NAN, int(n))
    z = float(at @ (won - of * share)) / math.sqrt(share * (1 - share) * spread)
    return Trend(z, math.erfc(abs(z) / math.sqrt(2)), int(n))


def chi_square(table: ArrayLike) -> ChiSquare:
    """Pearson's chi-square test of independence of a table of counts (r, k), without continuity correction.

    raises  ValueError: fewer than two rows or columns, a count below 0, an empty row or column
    source  Pearson 1900, Philosophical Magazine 50

    >>> test = chi_square([[10, 20], [20, 10]])
    >>> round(test.statistic, 4), test.df, round(test.p, 4)
    (6.6667, 1, 0.0098)
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or min(counts.shape) < 2:
        raise ValueError(f"table has shape {counts.shape}; it needs at least two rows and two columns of counts.")
    if not (np.isfinite(counts) & (counts >= 0)).all():
        raise ValueError("table has a count that is negative, infinite or nan. Give counts, not shares or logarithms.")
    for axis, word in ((1, "row"), (0, "column")):
        for empty in np.flatnonzero(counts.sum(axis=axis) == 0)[:1]:
            raise ValueError(f"table {word} {empty} sums to 0 and tells nothing. Leave it out.")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return ChiSquare(statistic, df, chi_square_tail(statistic, df), float(expected.min()))


def _paired_codes(a: ArrayLike, b: ArrayLike) -> tuple[np.ndarray, np.ndarray, int]:
    first, second = flat("a", a), flat("b", b)
    n = same_length(a=first, b=second)
    label, labels = codes("a and b", np.concatenate([first, second]))
    return label[:n], label[n:], labels


def _one_row(name: str, values: ArrayLike) -> Floats:
    return numbers(name, values)[None, :]


def _two_distributions(p_nc: ArrayLike, q_nc: ArrayLike) -> tuple[Floats, Floats]:
    p, q = distributions("p", p_nc), distributions("q", q_nc)
    if p.shape != q.shape:
        raise ValueError(
            f"p has shape {p.shape}, q has {q.shape}; both need the same items and options in the same order."
        )
    return p, q


def _kl_terms(p: Floats, q: Floats) -> Floats:
    """p log(p / q) with 0 log 0 = 0."""
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return np.asarray(p * np.log(ratio), dtype=np.float64)


def _correlation(x: Floats, y: Floats) -> float:
    # By the range, not the variance: the mean of equal values can miss them by rounding.
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return NAN
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / math.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def _coin(heads: int, tosses: int) -> float:
    """Chance of exactly so many heads in fair tosses; by logarithms, so thousands of tosses are fine."""
    log = math.lgamma(tosses + 1) - math.lgamma(heads + 1) - math.lgamma(tosses - heads + 1)
    return math.exp(log - tosses * math.log(2))
