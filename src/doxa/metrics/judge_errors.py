"""What a judge's labels say once its errors are known: corrected shares of the classes, and an audit of the judge.

A judge that errs moves every share it counts. Its errors are learned on items whose truth is known, and taken out of
its labels on all others, with an interval that reckons with how few those known items were.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.metrics.agreement import cohen_kappa
from doxa.metrics.inputs import Floats, Ints, codes, flat, open_unit, same_length, whole
from doxa.metrics.intervals import NAN, Interval, proportion, proportion_clustered
from doxa.metrics.resampling import bootstrap
from doxa.metrics.tails import normal_quantile

DRAWS = 4000
PRIOR = 0.5  # of each cell of the confusion, and of each class among the other labels (Jeffreys)
BLOCK = 2**21  # weights held at once


@dataclass(frozen=True)
class Corrected:
    """Shares of the classes, the judge's errors taken out.

    labels     the c classes, sorted
    shares     label -> its corrected share, with interval; all nan where `problem` says why
    apparent   label -> its share among the judge's labels on the n_rest other items, with interval
    confusion  (c, c) P(the judge says column | the truth is row)
    problem    why nothing can be corrected; "": it can
    """

    labels: tuple[Any, ...]
    shares: Mapping[Any, Interval]
    apparent: Mapping[Any, Interval]
    confusion: Floats
    n_labelled: int
    n_rest: int
    problem: str = ""


@dataclass(frozen=True)
class Audit:
    """A judge held against the truth.

    agreement  share of items on which it gives the true label; kappa: beyond chance, nan if undefined
    recall     label -> P(it says so | it is so); precision: label -> P(it is so | it says so); nan: never so
    excess     label -> share it says minus share that is true: what a raw count is off by
    """

    agreement: Interval
    kappa: Interval
    recall: Mapping[Any, Interval]
    precision: Mapping[Any, Interval]
    excess: Mapping[Any, float]
    n: int


def audit(truth: ArrayLike, judged: ArrayLike, groups: ArrayLike | None = None, *, seed: int = 0) -> Audit:
    """How good a judge is, on items whose truth is known.

    truth, judged  (n,) labels of one type; groups: (n,) labels of items that belong together
    raises         ValueError: unequal lengths, n = 0, missing labels

    >>> found = audit(["lie", "lie", "honest", "honest"], ["lie", "honest", "honest", "honest"])
    >>> found.agreement.value, found.recall["lie"].value, found.excess["lie"]
    (0.75, 0.5, -0.25)
    """
    true, said, names = _coded(truth, judged)
    n = len(true)
    group = np.arange(n) if groups is None else codes("groups", groups)[0]
    same_length(truth=true, groups=group)

    def rate(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> Interval:
        if not among.any():
            return Interval(NAN, NAN, NAN, 0, "never so")
        return proportion_clustered(of[among].astype(np.float64), group[among], method="mid-p")

    def kappa(a: Floats, b: Floats) -> float:
        return cohen_kappa(a, b)

    return Audit(
        rate(true == said, np.ones(n, dtype=bool)),
        bootstrap(kappa, true, said, groups=group, seed=seed),
        {name: rate(said == k, true == k) for k, name in enumerate(names)},
        {name: rate(true == k, said == k) for k, name in enumerate(names)},
        {name: float((said == k).mean() - (true == k).mean()) for k, name in enumerate(names)},
        n,
    )


def corrected_shares(
    truth: ArrayLike,
    judged: ArrayLike,
    rest: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    rest_groups: ArrayLike | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Corrected:
    """True shares of the classes among items that only a judge has labelled.

    The judge must err on the others as on the known ones of the same class; the classes need not be as frequent in
    both. Two classes: Rogan and Gladen's share, (share said + specificity - 1) / (sensitivity + specificity - 1), with
    the interval of Lang and Reiczigel. More, or groups: the inverse of the confusion applied to the shares said, inside
    the simplex the likeliest; its interval draws the confusion and the shares said anew, whole groups at a time, from
    what they may be (Dirichlet, half a label more in each cell, so that no error seen is not taken for none made).
    Limits are cut to [0, 1].
    95 % coverage: two classes .93 to 1.00 (20 to 200 known items, shares .02 to .7), three classes, or groups of
    three, .92 to .99 (60 and 200 known items).

    truth, judged  (m,) labels of the known items; rest: (n,) the judge's labels of the others
    groups         (m,) and rest_groups (n,): labels of items that belong together
    level, draws, seed  of the interval
    returns        nan shares and the reason in `problem` where a class is never known to be true, or the judge is no
                   better than chance: says some class as often of another one as of that class
    raises         ValueError: unequal lengths, nothing labelled, missing labels, labels of several types
    source         Rogan and Gladen 1978, Am. J. Epidemiology 107(1); Lang and Reiczigel 2014, Preventive Veterinary
                   Medicine 113(1); several classes: Buonaccorsi 2010, Measurement Error, ch. 2-3

    >>> truth, judged = [1] * 10 + [0] * 10, [1] * 9 + [0] + [1] * 2 + [0] * 8
    >>> found = corrected_shares(truth, judged, [1] * 37 + [0] * 63)    # (.37 + .8 - 1) / (.9 + .8 - 1)
    >>> round(found.shares[1].value, 4), found.apparent[1].value
    (0.2429, 0.37)
    """
    true, said, names = _coded(truth, judged, flat("rest", rest))
    m, c = len(true), len(names)
    told, said = said[m:], said[:m]
    level = open_unit("level", level)
    counts_cc, confusion, problem = _confusion(true, said, names)
    counts_c = np.bincount(told, minlength=c).astype(np.float64)
    if problem:
        shares = [Interval(NAN, NAN, NAN, len(told), problem)] * c
    elif c == 2 and groups is None and rest_groups is None:
        positive = _rogan_gladen(counts_cc, counts_c, level)
        shares = [_complement(positive), positive]
    else:
        labelled = _drawn(true * c + said, c * c, groups, whole("draws", draws), np.random.default_rng([seed, 0]))
        others_rc = _drawn(told, c, rest_groups, draws, np.random.default_rng([seed, 1]))
        shares = _drawn_shares(confusion, counts_c, labelled.reshape(draws, c, c), others_rc, level)
    return Corrected(
        names,
        dict(zip(names, shares, strict=True)),
        {name: _apparent(told == k, rest_groups, level) for k, name in enumerate(names)},
        confusion,
        m,
        len(told),
        problem,
    )


def corrected_difference(
    truth: ArrayLike,
    judged: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    label: Any,
    *,
    groups: ArrayLike | None = None,
    a_groups: ArrayLike | None = None,
    b_groups: ArrayLike | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Share of a class in one condition minus its share in another, one judge's errors taken out of both.

    For two classes the difference of the shares said over Youden's index, so that a judge who errs makes every
    difference look smaller than it is. One confusion holds for both conditions, so the interval is not that of two
    corrected shares. It is drawn as that of `corrected_shares`, and cut to [-1, 1]. 95 % coverage for two and three
    classes, same items or others, differences of 0 and .2: .93 to .98 (60 and 120 known items).

    truth, judged, groups  (m,) as `corrected_shares`
    a, b                   (n,) and (k,) the judge's labels in the two conditions
    a_groups, b_groups     (n,) and (k,): the same label in both for the same item, which makes the difference paired
    returns                nan, with the reason as its method, where nothing can be corrected
    raises                 ValueError as `corrected_shares`; a label that does not occur

    >>> truth, judged = [1] * 10 + [0] * 10, [1] * 9 + [0] + [1] * 2 + [0] * 8
    >>> found = corrected_difference(truth, judged, [1] * 4 + [0] * 6, [1] * 2 + [0] * 8, 1)
    >>> round(found.value, 4)    # (.4 - .2) / (.9 + .8 - 1)
    0.2857
    """
    first, second = flat("a", a), flat("b", b)
    _same_kind(first, second)
    true, said, names = _coded(truth, judged, np.concatenate([first, second]))
    if label not in names:
        raise ValueError(f"label is {label!r}; the labels that occur are {', '.join(map(repr, names))}")
    m, c, n = len(true), len(names), len(first) + len(second)
    told, said = said[m:], said[:m]
    _, confusion, problem = _confusion(true, said, names)
    if problem:
        return Interval(NAN, NAN, NAN, n, problem)
    if (a_groups is None) != (b_groups is None):
        raise ValueError("only one of a_groups and b_groups is given; give both, with the same label for the same item")
    both = None if a_groups is None or b_groups is None else np.concatenate([flat("a", a_groups), flat("b", b_groups)])
    side = np.repeat([0, c], [len(first), len(second)])
    labelled = _drawn(true * c + said, c * c, groups, whole("draws", draws), np.random.default_rng([seed, 0]))
    sides_r2c = _drawn(told + side, 2 * c, both, draws, np.random.default_rng([seed, 1])).reshape(draws, 2, c)
    counts_2c = np.bincount(told + side, minlength=2 * c).reshape(2, c)
    at = names.index(label)
    value = float(_difference(confusion[None], counts_2c[None], at)[0])
    confusion_rcc = labelled.reshape(draws, c, c)
    good = _better_than_chance(confusion_rcc / confusion_rcc.sum(axis=2, keepdims=True))
    drawn = np.where(np.arange(draws) % 2, 1.0, -1.0)  # what a judge that errs at random leaves open
    drawn[good] = _difference(confusion_rcc[good], sides_r2c[good], at)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    method = f"{draws} draws of confusion and shares" + ("" if both is None else ", paired by group")
    return Interval(value, min(float(low), value), max(float(high), value), n, method)


def _difference(confusion_rcc: Floats, counts_r2c: ArrayLike, at: int) -> Floats:
    """Difference (r,) of the corrected shares of one class between two conditions."""
    confusion = confusion_rcc / confusion_rcc.sum(axis=2, keepdims=True)
    counts = np.asarray(counts_r2c, dtype=np.float64)
    said_r2c = counts / counts.sum(axis=2, keepdims=True)
    gap = (said_r2c[:, 0] - said_r2c[:, 1])[..., None]
    return np.asarray(np.clip(np.linalg.solve(confusion.transpose(0, 2, 1), gap)[:, at, 0], -1.0, 1.0))


def _confusion(true: Ints, said: Ints, names: Sequence[Any]) -> tuple[Floats, Floats, str]:
    """Counts (c, c) by truth and label, P(label | truth) (c, c), and why nothing can be corrected by them."""
    c = len(names)
    counts_cc = np.bincount(true * c + said, minlength=c * c).reshape(c, c).astype(np.float64)
    known_c = np.broadcast_to(counts_cc.sum(axis=1, keepdims=True), (c, c))
    confusion = np.divide(counts_cc, known_c, out=np.full((c, c), NAN), where=known_c > 0)
    return counts_cc, confusion, _problem(counts_cc, confusion, names)


def _problem(counts_cc: Floats, confusion: Floats, names: Sequence[Any]) -> str:
    if len(names) == 1:
        return f"every label is {names[0]!r}, so what the judge says of anything else is not known"
    for name, known in zip(names, counts_cc.sum(axis=1), strict=True):
        if not known:
            return f"no item is known to be {name!r}, so what the judge says of such items is not known"
    for k, name in enumerate(names):
        rival = max((other for other in range(len(names)) if other != k), key=lambda other: confusion[other, k])
        if confusion[rival, k] >= confusion[k, k]:
            return (
                f"the judge is no better than chance: it says {name!r} of {confusion[k, k]:.0%} of what is that, and "
                f"of {confusion[rival, k]:.0%} of what is {names[rival]!r}"
            )
    return ""


def _better_than_chance(confusion_rcc: Floats) -> NDArray[np.bool_]:
    """Whether each class is said more often of itself than of any other; for two classes: Youden's index above 0."""
    right = np.diagonal(confusion_rcc, axis1=1, axis2=2)[:, None, :]
    others = np.where(np.eye(confusion_rcc.shape[1], dtype=bool), -np.inf, confusion_rcc)
    return np.asarray((others < right).all(axis=(1, 2)))


# --- two classes -----------------------------------------------------------------------------------------------------


def _rogan_gladen(counts_cc: Floats, counts_c: Floats, level: float) -> Interval:
    """Share of the second class; the adjusted estimates of Lang and Reiczigel give the limits."""
    z = normal_quantile(level)
    (n_false, n_true), n = counts_cc.sum(axis=1), float(counts_c.sum())
    specificity, sensitivity, said = counts_cc[0, 0] / n_false, counts_cc[1, 1] / n_true, counts_c[1] / n
    value = float((said + specificity - 1) / (sensitivity + specificity - 1))
    more, se, sp = n + z**2, (counts_cc[1, 1] + 1) / (n_true + 2), (counts_cc[0, 0] + 1) / (n_false + 2)
    ap = (counts_c[1] + z**2 / 2) / more
    youden = float(se + sp - 1)
    method = "lang-reiczigel" + ("" if 0 <= value <= 1 else f", estimate {value:.3f} cut to [0, 1]")
    value = min(max(value, 0.0), 1.0)
    if youden <= 0:
        return Interval(value, 0.0, 1.0, int(n), f"{method}, the judge may be no better than chance")
    share = (ap + sp - 1) / youden
    by_se, by_sp = se * (1 - se) / (n_true + 2), sp * (1 - sp) / (n_false + 2)
    middle = share + 2 * z**2 * (share * by_se - (1 - share) * by_sp)
    half = z * math.sqrt(ap * (1 - ap) / more + share**2 * by_se + (1 - share) ** 2 * by_sp) / youden
    low, high = (min(max(float(limit), 0.0), 1.0) for limit in (middle - half, middle + half))
    return Interval(value, min(low, value), max(high, value), int(n), method)


def _complement(share: Interval) -> Interval:
    return Interval(1 - share.value, 1 - share.high, 1 - share.low, share.n, share.method)


# --- more classes, or groups -----------------------------------------------------------------------------------------


def _drawn_shares(
    confusion: Floats, counts_c: Floats, confusion_rcc: Floats, said_rc: Floats, level: float
) -> list[Interval]:
    c, n = len(counts_c), int(counts_c.sum())
    raw = np.linalg.solve(confusion.T, counts_c / n)
    value_c = _likeliest(confusion[None], (counts_c / n)[None])[0]
    confusion_rcc = confusion_rcc / confusion_rcc.sum(axis=2, keepdims=True)
    said_rc = said_rc / said_rc.sum(axis=1, keepdims=True)
    good = _better_than_chance(confusion_rcc)
    share_rc = np.empty((len(good), c))
    solved = np.linalg.solve(confusion_rcc[good].transpose(0, 2, 1), said_rc[good][..., None])[..., 0]
    share_rc[good] = _simplex(np.asarray(solved, dtype=np.float64))
    # A judge that errs at random says nothing: such draws lie at both ends.
    share_rc[~good] = (np.arange(int((~good).sum())) % 2)[:, None]
    low, high = np.quantile(share_rc, [(1 - level) / 2, (1 + level) / 2], axis=0)
    method = f"{len(good)} draws of confusion and shares"
    if (raw < -1e-12).any():
        method += f", estimate {np.round(raw, 3).tolist()} moved into [0, 1]"
    if not good.all():
        method += f", in {(~good).sum()} the judge is no better than chance"
    return [
        Interval(v, min(lo, v), max(hi, v), n, method)
        for v, lo, hi in zip(value_c.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def _likeliest(confusion_rcc: Floats, said_rc: Floats, steps: int = 2000) -> Floats:
    """Shares (r, c) under which the shares said are likeliest: the inverse where that lies inside the simplex."""
    found = np.linalg.solve(confusion_rcc.transpose(0, 2, 1), said_rc[..., None])[..., 0]
    for r in np.flatnonzero((found < 0).any(axis=1)):
        share = np.full(found.shape[1], 1 / found.shape[1])
        for _ in range(steps):  # expectation-maximisation for a mixture of known distributions
            expected = share @ confusion_rcc[r]
            ratio = np.divide(said_rc[r], expected, out=np.zeros_like(expected), where=expected > 0)
            share = share * (confusion_rcc[r] @ ratio)
        found[r] = share / share.sum()
    return np.asarray(found, dtype=np.float64)


def _simplex(points_rc: Floats) -> Floats:
    """Each point (r, c) moved to the nearest distribution (Duchi et al. 2008, sec. 3)."""
    c = points_rc.shape[1]
    descending = -np.sort(-points_rc, axis=1)
    surplus = (np.cumsum(descending, axis=1) - 1) / np.arange(1, c + 1)
    last = c - 1 - np.argmax((descending > surplus)[:, ::-1], axis=1)
    return np.maximum(points_rc - np.take_along_axis(surplus, last[:, None], axis=1), 0.0)


def _drawn(label_n: Ints, c: int, groups: ArrayLike | None, draws: int, rng: np.random.Generator) -> Floats:
    """Weights (draws, c) of the labels if each group counted as often as it by chance might, and `PRIOR` more.

    Groups of one item give a Dirichlet draw of the counts, since their weights are exponential.
    """
    prior = rng.standard_gamma(PRIOR, (draws, c))
    if groups is None:
        return prior + rng.standard_gamma(np.bincount(label_n, minlength=c).astype(float), (draws, c))
    group_n, held = codes("groups", groups)
    same_length(labels=label_n, groups=group_n)
    counts_gc = np.bincount(group_n * c + label_n, minlength=held * c).reshape(held, c).astype(np.float64)
    step = max(1, BLOCK // held)
    blocks = [rng.standard_exponential((min(step, draws - r), held)) @ counts_gc for r in range(0, draws, step)]
    return prior + np.concatenate(blocks)


# --- common ground ---------------------------------------------------------------------------------------------------


def _coded(truth: ArrayLike, judged: ArrayLike, rest: NDArray[Any] | None = None) -> tuple[Any, Any, tuple[Any, ...]]:
    """Truth (m,), and what was judged (m,) or (m + n,) with the rest behind it, as integers; and the sorted labels."""
    first, second = flat("truth", truth), flat("judged", judged)
    m = same_length(truth=first, judged=second)
    parts = [first, second] if rest is None else [first, second, rest]
    if len({part.dtype.kind in "US" for part in parts}) > 1:
        raise ValueError(
            "truth, judged and rest mix text with other labels, which would not be equal. Write all alike."
        )
    every = np.concatenate(parts)
    number, _ = codes("labels", every)
    return number[:m], number[m:], tuple(np.unique(every).tolist())


def _same_kind(*parts: NDArray[Any]) -> None:
    if len({part.dtype.kind in "US" for part in parts}) > 1:
        raise ValueError("the series mix text with other labels, which would not be equal. Write all alike.")


def _apparent(hits: NDArray[np.bool_], groups: ArrayLike | None, level: float) -> Interval:
    if groups is None:
        return proportion(int(hits.sum()), len(hits), method="mid-p", level=level)
    return proportion_clustered(hits.astype(np.float64), groups, method="mid-p", level=level)
