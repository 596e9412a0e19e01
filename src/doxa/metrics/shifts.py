"""Shifts between conditions: answers and beliefs of the same items before and after, beyond what asking twice gives.

Answers may be missing (None or nan): a pair of which one is missing is left out of a figure and counted in `missing`.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.metrics.cells import weighted_shares
from doxa.metrics.inputs import Floats, Ints, codes, same_length
from doxa.metrics.intervals import NAN, Interval, paired_proportions, proportion_clustered
from doxa.metrics.means import mean_interval

Answers = Sequence[Any] | NDArray[Any]
"""(n,) labels or numbers, None or nan where there is none."""


@dataclass(frozen=True)
class Shift(Interval):
    """An interval over n pairs; missing: how many more there would be, had every answer been read."""

    missing: int = 0


@dataclass(frozen=True)
class Changes:
    """Answers that were right before and not after (lost), and the other way (gained), and how surprising the balance.

    p_exact, p_mid  two-sided, of as uneven a balance if each group's net change had had a random sign; 1 if even
    """

    lost: int
    gained: int
    p_exact: float
    p_mid: float
    n: int
    missing: int
    groups: int


# --- answers ---------------------------------------------------------------------------------------------------------


def flip_rate(before: Answers, after: Answers, groups: ArrayLike | None = None) -> Shift:
    """Share of items whose answer after is not the one before.

    before, after  (n,) answers to the same items in the same order
    groups         (n,) labels of items that belong together; None: each stands alone
    returns        with a mid-p interval, clustered; nan without a whole pair
    raises         ValueError: unequal lengths

    >>> found = flip_rate("AABBA", [*"ABBB", None])
    >>> found.value, found.n, found.missing
    (0.25, 4, 1)
    """
    return _share(*_hits(before, after, flipped=True), groups)


def follow_rate(said: Answers, named: Answers, groups: ArrayLike | None = None) -> Shift:
    """Share of answers that are the named one (the one asserted, suggested, or held by somebody else).

    Where respondents would have said so anyway it is not 0: see `excess_follow`.

    said, named  (n,) answers, and what was named with each; the rest as `flip_rate`

    >>> follow_rate("ABBB", "ABAA").value
    0.5
    """
    return _share(*_hits(said, named, flipped=False), groups)


def excess_flips(before: Answers, after: Answers, retest: Answers, groups: ArrayLike | None = None) -> Shift:
    """Flip rate after a condition minus that of asking again without it: 0 if the condition moves nothing.

    Answers that waver flip by themselves: reversed with probability p each time, 2p(1 - p) of them.

    before, after, retest  (n,) answers of the baseline, of the condition, and of the baseline asked once more
    returns                difference of paired shares of the items with all three answers, in [-1, 1]
    source                 Bonett and Price 2012 for items that stand alone; clustered: `cells.weighted_shares`

    >>> excess_flips("AAAA", "BBBA", "ABAA").value    # 3/4 - 1/4
    0.5
    """
    return _difference(_hits(before, after, flipped=True), _hits(before, retest, flipped=True), groups)


def excess_follow(before: Answers, after: Answers, named: Answers, groups: ArrayLike | None = None) -> Shift:
    """Follow rate after minus the share that gave the named answer before: what naming it adds.

    >>> excess_follow("ABBB", "AABB", "AAAA").value    # 2/4 - 1/4
    0.25
    """
    return _difference(_hits(after, named, flipped=False), _hits(before, named, flipped=False), groups)


def toward_share(before: Answers, after: Answers, named: Answers, groups: ArrayLike | None = None) -> Shift:
    """Of the answers that changed, the share that changed to the named one; nan if none changed.

    What it is without influence depends on the options and on what was named: .5 only for two options of which a
    random one is named. n counts changed answers.

    >>> toward_share("AAB", "BBB", "BAA").value    # two changed, one of them to what was named
    0.5
    """
    flips, there = _hits(before, after, flipped=True)
    hits, known = _hits(after, named, flipped=False)
    keep = there & known & (flips == 1)
    found = _share(hits, keep, groups)
    return Shift(found.value, found.low, found.high, found.n, found.method, int((~(there & known)).sum()))


def changes(before: Answers, after: Answers, groups: ArrayLike | None = None) -> Changes:
    """McNemar's test of what is right before and after, for items in groups, too: are as many lost as gained?

    The net change of each group has a random sign if the condition does nothing; groups of one item give McNemar's
    exact test. The distribution of their sum is computed, not sampled.

    before, after  (n,) 0 or 1, None or nan where missing; the rest as `flip_rate`
    returns        p of 1 without a change; p below 1e-14 or so is rounding
    raises         ValueError: unequal lengths, values other than 0 and 1
    source         McNemar 1947, Psychometrika 12(2); mid-p: Fagerland et al. 2013, BMC Med. Res. Methodology 13:91;
                   groups: Fisher's randomisation test, as in Good 2005, Permutation, Parametric and Bootstrap Tests

    >>> test = changes([1] * 3 + [0] * 9, [0] * 3 + [1] * 9)
    >>> test.lost, test.gained, round(test.p_exact, 3), round(test.p_mid, 3)
    (3, 9, 0.146, 0.092)
    """
    (a, there_a), (b, there_b) = _zero_one("before", before), _zero_one("after", after)
    n = same_length(before=a, after=b)
    keep = there_a & there_b
    group, _ = _labels(groups, n)
    held = len(np.unique(group[keep]))
    net = np.bincount(group, np.where(keep, b - a, 0.0)).round().astype(np.int64)
    exact, mid = _balance(net)
    lost, gained = int((a > b)[keep].sum()), int((b > a)[keep].sum())
    return Changes(lost, gained, exact, mid, int(keep.sum()), n - int(keep.sum()), held)


def _balance(net: Ints) -> tuple[float, float]:
    """Exact and mid-p of the sum of these net changes, each with a random sign."""
    size, seen = np.abs(net[net != 0]), int(abs(net.sum()))
    if seen == 0:
        return 1.0, 1.0
    # A sum of +-d has the characteristic function prod cos(d t); its transform is the distribution, without aliases.
    points = 2 * int(size.sum()) + 1
    angle = 2 * np.pi * np.arange(points) / points
    values, counts = np.unique(size, return_counts=True)
    chance = np.ones(points)
    for value, count in zip(values, counts, strict=True):
        chance *= np.cos(value * angle) ** count
    pmf = np.clip(np.fft.fft(chance).real / points, 0.0, 1.0)
    total = int(size.sum())
    exact = min(1.0, 2 * float(pmf[seen : total + 1].sum()))
    return exact, exact - float(pmf[seen])


# --- beliefs ---------------------------------------------------------------------------------------------------------


def belief_shift(
    before: Answers,
    after: Answers,
    *,
    toward: ArrayLike | None = None,
    retest: Answers | None = None,
    absolute: bool = False,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    groups: ArrayLike | None = None,
) -> Shift:
    """Mean change of a numeric belief, after minus before.

    before, after  (n,) numbers on one scale, None or nan where missing
    toward         (n,) 1 where up, -1 where down is the direction that counts as a shift (the side of the context)
    retest         (n,) the baseline asked once more: the mean change beyond that of asking again
    absolute       the size of the change, whatever its direction; noise alone makes it more than 0, so give a retest
    bounds         lowest and highest value of the scale; None: there are none
    returns        interval as `mean_interval`, of the items with all values; nan without any
    raises         ValueError: unequal lengths, values outside bounds, toward other than 1 and -1, toward and absolute

    >>> belief_shift([0.2, 0.5], [0.65, 0.5], toward=[1, -1]).value
    0.225
    """
    a, there = _numbers("before", before, bounds)
    b, there_b = _numbers("after", after, bounds)
    n = same_length(before=a, after=b)
    keep, change = there & there_b, b - a
    sign = _signs(toward, n, absolute)
    change = np.abs(change) if absolute else sign * change
    lowest = 0.0 if absolute and retest is None else -1.0
    if retest is not None:
        c, there_c = _numbers("retest", retest, bounds)
        same_length(before=a, retest=c)
        keep, again = keep & there_c, c - a
        change = change - (np.abs(again) if absolute else sign * again)
    missing = n - int(keep.sum())
    if not keep.any():
        return Shift(NAN, NAN, NAN, 0, "no whole pair", missing)
    group, _ = _labels(groups, n)
    width = None if bounds is None else bounds[1] - bounds[0]
    limits = None if width is None else (lowest * width, width)
    found = mean_interval(change[keep], groups=group[keep], bounds=limits)
    return Shift(found.value, found.low, found.high, found.n, found.method, missing)


# --- from a table of readings ----------------------------------------------------------------------------------------


def aligned(
    item: Iterable[Hashable], condition: Iterable[str], value: Iterable[Any]
) -> tuple[list[Hashable], dict[str, list[Any]]]:
    """Readings in any order as one series per condition, item by item: None where an item has no reading.

    item, condition, value  (m,) one entry per reading
    returns                 the items in order of appearance, and the values (n,) of each condition
    raises                  ValueError: two readings of one item in one condition

    >>> aligned(["x", "y", "x"], ["before", "before", "after"], ["A", "B", "B"])
    (['x', 'y'], {'before': ['A', 'B'], 'after': ['B', None]})
    """
    read: dict[str, dict[Hashable, Any]] = {}
    items: dict[Hashable, None] = {}
    for name, arm, said in zip(item, condition, value, strict=True):
        if name in read.setdefault(arm, {}):
            raise ValueError(
                f"item {name!r} has two readings in condition {arm!r}; make the sample part of the item, and the item "
                "its group"
            )
        items[name] = None
        read[arm][name] = said
    return list(items), {arm: [values.get(name) for name in items] for arm, values in read.items()}


# --- common ground ---------------------------------------------------------------------------------------------------


def _share(hits: Floats, keep: NDArray[np.bool_], groups: ArrayLike | None) -> Shift:
    group, missing = _labels(groups, len(hits))[0], int((~keep).sum())
    if not keep.any():
        return Shift(NAN, NAN, NAN, 0, "no whole pair", missing)
    found = proportion_clustered(hits[keep], group[keep], method="mid-p")
    return Shift(found.value, found.low, found.high, found.n, found.method, missing)


def _difference(
    a: tuple[Floats, NDArray[np.bool_]], b: tuple[Floats, NDArray[np.bool_]], groups: ArrayLike | None
) -> Shift:
    (a_hits, a_there), (b_hits, b_there) = a, b
    n = same_length(first=a_hits, second=b_hits)
    keep, group = a_there & b_there, _labels(groups, n)[0]
    missing, held = n - int(keep.sum()), len(np.unique(group[keep]))
    if not keep.any():
        return Shift(NAN, NAN, NAN, 0, "no whole pair", missing)
    first, second = a_hits[keep], b_hits[keep]
    if held == keep.sum():
        found, method = paired_proportions(first, second), "bonett-price, paired"
    else:
        hits = np.stack([np.bincount(group[keep], x, minlength=group.max() + 1) for x in (first, second)])
        counts = np.tile(np.bincount(group[keep], minlength=group.max() + 1), (2, 1))
        found = weighted_shares(hits, counts, [1.0, -1.0])
        method = f"{found.method}, paired, clustered: {held} groups"
    return Shift(found.value, found.low, found.high, int(keep.sum()), method, missing)


def _hits(a: Answers, b: Answers, *, flipped: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """Whether each pair differs (or is equal), and whether it is whole."""
    (first, there_a), (second, there_b) = _present(a), _present(b)
    n = same_length(**{"the one series": first, "the other": second})
    there = there_a & there_b
    equal = np.array([bool(x == y) for x, y in zip(first, second, strict=True)]) if n else np.empty(0, dtype=bool)
    return (equal != flipped).astype(np.float64), there


def _present(values: Answers) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array, np.array([v is not None and v == v for v in listed], dtype=bool)


def _numbers(name: str, values: Answers, bounds: tuple[float, float] | None) -> tuple[Floats, NDArray[np.bool_]]:
    array, there = _present(values)
    found = np.array([float(v) if ok else 0.0 for v, ok in zip(array, there, strict=True)])
    low, high = bounds or (-np.inf, np.inf)
    outside = there & ((found < low) | (found > high) | np.isinf(found))
    if outside.any():
        index = int(outside.argmax())
        raise ValueError(
            f"{name}[{index}] is {found[index]:g}, outside {bounds or 'the finite numbers'} "
            f"({outside.sum()} of {len(found)} are). Give the bounds of the scale the values are on."
        )
    return found, there


def _zero_one(name: str, values: Answers) -> tuple[Floats, NDArray[np.bool_]]:
    found, there = _numbers(name, values, None)
    bad = there & (found != 0) & (found != 1)
    if bad.any():
        index = int(bad.argmax())
        raise ValueError(f"{name}[{index}] is {found[index]:g}, neither 0 nor 1. Grade the answers first.")
    return found, there


def _signs(toward: ArrayLike | None, n: int, absolute: bool) -> Floats:
    if toward is None:
        return np.ones(n)
    sign = np.asarray(toward, dtype=np.float64)
    same_length(before=np.empty(n), toward=sign)
    if absolute:
        raise ValueError("absolute takes no direction, but toward is given; leave out one of them")
    if not np.isin(sign, (-1.0, 1.0)).all():
        raise ValueError(f"toward has {sign[~np.isin(sign, (-1.0, 1.0))][0]:g}; it is 1 (up) or -1 (down)")
    return sign


def _labels(groups: ArrayLike | None, n: int) -> tuple[Ints, int]:
    """Each item's group as an integer (n,), and how many there are."""
    if groups is None or n == 0:
        return np.arange(n), n
    group, held = codes("groups", groups)
    same_length(answers=np.empty(n), groups=group)
    return group, held
