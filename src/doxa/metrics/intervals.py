"""Intervals for shares that hold for few items and near 0 and 1."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints, codes, one_of, open_unit, outcomes, same_length, whole
from doxa.metrics.tails import beta_quantile, beta_tail, normal_quantile, t_quantile

ProportionMethod = Literal["clopper-pearson", "mid-p", "wilson"]
NAN = float("nan")

UNSEEN_GROUPS = 0.25  # groups wholly of the rarer outcome that are reckoned with though none was seen
STEPS = 50  # halvings of the bracket around a mid-p limit


@dataclass(frozen=True)
class Interval:
    """A number with its interval. low and high are nan where no interval can be given; n counts items."""

    value: float
    low: float
    high: float
    n: int
    method: str


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion: short, right on average, too narrow for some p near 0 and 1.

    Its 95 % coverage averages .95 to .97 but falls to .84 where np or n(1 - p) is about 0.2;
    `clopper_pearson` never falls below .95.

    successes, n  counts
    raises        ValueError: n < 1, successes outside 0..n, level outside (0, 1)
    source        Wilson 1927; Brown, Cai and DasGupta 2001, Statistical Science 16(2), sec. 3.1.1

    >>> interval = wilson(250, 676)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.334, 0.407)
    """
    return proportion(successes, n, method="wilson", level=level)


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Exact interval of a proportion: covers at least `level` for every p and n, usually more.

    raises   ValueError: n < 1, successes outside 0..n, level outside (0, 1)
    source   Clopper and Pearson 1934, by quantiles of the beta distribution

    >>> interval = clopper_pearson(0, 10)
    >>> interval.low, round(interval.high, 4)    # 1 - .025 ** (1 / 10)
    (0.0, 0.3085)
    """
    return proportion(successes, n, method="clopper-pearson", level=level)


def proportion(
    successes: int, n: int, *, method: ProportionMethod = "clopper-pearson", level: float = 0.95
) -> Interval:
    """Share of successes with an interval; the default is exact and conservative for every p.

    method   "clopper-pearson"; "mid-p": the same test, the count seen weighing half, so shorter: 95 % coverage .95 to
             .98 on average over p (5 to 300 items), and .92 to .93 at the worst p; "wilson"
    raises   ValueError: n < 1, successes outside 0..n, level outside (0, 1), unknown method
    source   mid-p: Lancaster 1961, J. American Statistical Ass. 56; Agresti and Gottard 2005, Stat. Modelling 5(4)

    >>> interval = proportion(0, 10, method="mid-p")
    >>> interval.low, round(interval.high, 4)    # 1 - .05 ** (1 / 10)
    (0.0, 0.2589)
    """
    n, successes = whole("n", n), whole("successes", successes, minimum=0)
    if successes > n:
        raise ValueError(f"successes is {successes}, n is {n}: successes must be at most n. Swapped arguments?")
    low, high = proportion_limits(successes / n, float(n), open_unit("level", level), method)
    return Interval(successes / n, low, high, n, method)


def proportion_clustered(
    correct: ArrayLike, groups: ArrayLike, *, method: ProportionMethod = "clopper-pearson", level: float = 0.95
) -> Interval:
    """Share correct when items come in groups that succeed or fail together (paraphrases of one question).

    The items count as n / design effect independent ones, design effect = variance of the share when groups are left
    out in turn (jackknife) over its binomial variance, a quarter of a group more reckoned with, all of it of the rarer
    outcome, for a few such groups may be all there are; at most n, and fewer when there are few groups: by the ratio of
    squared t quantiles with n - 1 and g - 1 degrees of freedom, g = n^2 / sum of squared group sizes, which is the
    number of groups if they are alike. All right or all wrong shows no design effect, so the items then count as g: the
    interval never collapses. Groups of one item give the plain interval.

    correct  (n,) 0 or 1
    groups   (n,) label of each item's group
    method   as `proportion`. 95 % coverage over 48 beta-binomial settings (p .5 to .98, 5 to 100 groups, alike or of 1
             to 17 items, correlation .02 to .5): "clopper-pearson" .95 to 1.00, "mid-p" .93 to 1.00
    raises   ValueError: unequal lengths, n = 0, correct other than 0 and 1, missing group
    source   Korn and Graubard 1998, Survey Methodology 24(2); Dean and Pagano 2015, J. Survey Stat. Meth. 3(4)

    >>> proportion_clustered([1, 1, 0, 0] * 5, ["a", "a", "b", "b"] + list("ccddeeffgghhiijj")).method
    'clopper-pearson, clustered: 10 groups, 7.7 effective items'
    """
    correct_n = outcomes("correct", correct)
    group_n, held = codes("groups", groups)
    n = same_length(correct=correct_n, groups=group_n)
    sizes = np.bincount(group_n, minlength=held).astype(np.int64)
    effective = float(n) if sizes.max() == 1 else _effective_items(correct_n, group_n, sizes)
    share = float(correct_n.mean())
    low, high = proportion_limits(share, effective, open_unit("level", level), method)
    note = "" if sizes.max() == 1 else f", clustered: {held} groups, {effective:.1f} effective items"
    return Interval(share, low, high, n, method + note)


def paired_proportions(a_correct: ArrayLike, b_correct: ArrayLike, *, level: float = 0.95) -> Interval:
    """Difference of two shares correct on the same items, a minus b; holds for few items and few changes.

    Wald interval after one item is added to each kind of change, so that no change at all does not mean certainty.
    95 % coverage in 25 settings, shares .5 to 1 and n from 5 to 200: .95 to 1.00.

    a_correct, b_correct  (n,) 0 or 1, same items in the same order
    raises                ValueError: unequal lengths, n = 0, values other than 0 and 1
    source                Bonett and Price 2012, J. Educ. Behav. Statistics 37(4)

    >>> interval = paired_proportions([1, 1, 1, 1], [1, 0, 1, 1])
    >>> interval.value, round(interval.low, 3), round(interval.high, 3)
    (0.25, -0.383, 0.717)
    """
    a, b = outcomes("a_correct", a_correct), outcomes("b_correct", b_correct)
    n = same_length(a_correct=a, b_correct=b)
    only_a, only_b = (float((a > b).sum()) + 1) / (n + 2), (float((b > a).sum()) + 1) / (n + 2)
    middle = only_a - only_b
    half = normal_quantile(level) * math.sqrt((only_a + only_b - middle**2) / (n + 2))
    return Interval(float((a - b).mean()), max(-1.0, middle - half), min(1.0, middle + half), n, "bonett-price, paired")


def proportion_limits(
    share: float, n: float, level: float = 0.95, method: ProportionMethod = "clopper-pearson"
) -> tuple[float, float]:
    """Limits for a share of n items; n may be fractional (effective items)."""
    if one_of("method", method, ("clopper-pearson", "mid-p", "wilson")) == "wilson":
        return _score_limits(share, n, normal_quantile(level))
    successes, tail = share * n, (1 - level) / 2
    if method == "mid-p":
        return _mid_p_limit(successes, n, tail), 1 - _mid_p_limit(n - successes, n, tail)
    low = 0.0 if share == 0 else beta_quantile(successes, n - successes + 1, tail)
    high = 1.0 if share == 1 else beta_quantile(successes + 1, n - successes, 1 - tail)
    return low, high


def _mid_p_limit(successes: float, n: float, tail: float) -> float:
    """The p at which more than so many successes, and half the chance of just so many, are as rare as `tail`."""
    if successes <= 0:
        return 0.0
    failures, low, high = n - successes, 0.0, successes / n
    for _ in range(STEPS):
        middle = (low + high) / 2
        as_many = beta_tail(successes, failures + 1, middle)
        more = beta_tail(successes + 1, failures, middle) if failures > 0 else 0.0
        low, high = (middle, high) if (as_many + more) / 2 < tail else (low, middle)
    return (low + high) / 2


def _score_limits(share: float, n: float, quantile: float) -> tuple[float, float]:
    """Both m that solve |share - m| = quantile sqrt(m (1 - m) / n)."""
    ratio = quantile**2 / n
    middle = (share + ratio / 2) / (1 + ratio)
    half = math.sqrt(ratio * (share * (1 - share) + ratio / 4)) / (1 + ratio)
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


def _effective_items(correct_n: Floats, group_n: Ints, sizes: Ints) -> float:
    n, groups, share = len(correct_n), len(sizes), float(correct_n.mean())
    as_one_item = n**2 / float((sizes**2).sum())  # each group, if they are alike
    if groups == 1 or share in (0.0, 1.0):
        return as_one_item
    unseen, end = UNSEEN_GROUPS * n / as_one_item, 0.0 if share > 0.5 else 1.0
    middle = (n * share + unseen * end) / (n + unseen)
    surplus = (np.bincount(group_n, correct_n) - middle * sizes) / (1 - sizes / n)  # as when groups are left out
    squares = (groups - 1) / groups * float(surplus @ surplus) + unseen * n / as_one_item * (end - middle) ** 2
    binomial = (n + unseen) * middle * (1 - middle)
    few_groups = (t_quantile(0.95, n - 1) / t_quantile(0.95, as_one_item - 1)) ** 2
    return few_groups * n * min(1.0, binomial / squares)
