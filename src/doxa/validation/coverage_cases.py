"""Coverage cases of shares: plain, in groups, and differences of two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from doxa.metrics import Interval, clopper_pearson, paired_proportions, proportion, proportion_clustered
from doxa.metrics.cells import CellCounts, weighted_shares
from doxa.metrics.sums import above_chance, difference, share
from doxa.validation.coverage import EXACT, FEW, NEARLY, UNSEEN, Case, wald
from doxa.validation.coverage_draws import Draw, beta_groups, sizes_of

PLAIN = ((20, 0.95, "n = 20, p = .95"), (50, 0.02, "n = 50, p = .02"), (10, 0.97, "n = 10, mostly all right"))
TYPICAL = (300, 0.6, "n = 300, p = .6")
GROUPED: tuple[tuple[str, np.ndarray, float, float], ...] = (
    ("10 groups of 10, strongly alike", sizes_of(10, 10), 0.7, 0.3),
    ("30 groups of 1 to 17", sizes_of(30, unequal=True), 0.8, 0.2),
    ("60 facts in 4 wordings", sizes_of(60, 4), 0.9, 0.5),
)


def share_cases() -> list[Case]:
    """Shares that stand alone, in groups, above chance, and over the cells of a design."""
    return [*_plain(), *_grouped(), *_differences(), *_cells()]


def _bernoulli(n: int, p: float) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: (rng.random(n) < p).astype(float)


def _plain() -> Iterator[Case]:
    def exact(y: np.ndarray) -> Interval:
        return clopper_pearson(int(y.sum()), len(y))

    def mid_p(y: np.ndarray) -> Interval:
        return proportion(int(y.sum()), len(y), method="mid-p")

    for n, p, name in (*PLAIN, TYPICAL):
        yield Case("share", name, n, p, _bernoulli(n, p), exact, wald, wide=EXACT, cheap=True)
        yield Case("share, mid-p", name, n, p, _bernoulli(n, p), mid_p, wald, cheap=True)
    yield Case(
        "share above chance",
        "n = 100, p = .3, chance .25",
        100,
        (0.3 - 0.25) / 0.75,
        _bernoulli(100, 0.3),
        lambda y: above_chance(share(y, np.arange(100)), 0.25),
        cheap=True,
    )


def _grouped() -> Iterator[Case]:
    def alone(sample: Any) -> tuple[float, float]:
        return wald(sample[0])

    for name, sizes, p, alike in GROUPED:
        n, draw = int(sizes.sum()), beta_groups(sizes, p, alike)
        kind = "share in groups"
        yield Case(kind, name, n, p, draw, lambda s: proportion_clustered(*s), alone, wide=NEARLY, cheap=True)
        yield Case(f"{kind}, mid-p", name, n, p, draw, lambda s: share(*s), alone, wide=UNSEEN, cheap=True)


def _differences() -> Iterator[Case]:
    for n, table in ((20, (0.7, 0.2, 0.02, 0.08)), (50, (0.9, 0.04, 0.02, 0.04)), (300, (0.5, 0.15, 0.1, 0.25))):
        yield Case(
            "difference of shares, same items",
            f"n = {n}, {table[1]:.0%} and {table[2]:.0%} change",
            n,
            table[1] - table[2],
            _pairs(n, table),
            lambda pair: paired_proportions(pair[0], pair[1]),
            lambda pair: wald(pair[0] - pair[1]),
            wide=FEW,
            cheap=True,
        )
    for n, p, q in ((30, 0.9, 0.05), (150, 0.8, 0.1), (20, 0.98, 0.95)):
        draw = _two(_bernoulli(n, p), _bernoulli(n, q))
        name, value = f"two of n = {n}, p = {p:g} and {q:g}", p - q
        kind = "difference of shares, other items"
        yield Case(kind, name, n, value, draw, _exact_difference, wide=NEARLY, cheap=True)
    name, sizes = "two of 20 groups of 5 answers", sizes_of(20, 5)
    grouped = _two(beta_groups(sizes, 0.7, 0.4), beta_groups(sizes, 0.1, 0.4))
    yield Case(
        *("difference of shares in groups, mid-p", name, 100, 0.6, grouped),
        lambda pair: difference(share(*pair[0]), share(*pair[1])),
        wide=UNSEEN,
        cheap=True,
    )


def _pairs(n: int, table: tuple[float, ...]) -> Draw:
    """Both right, only the first, only the second, neither."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        kind = rng.choice(4, n, p=table)
        return (kind <= 1).astype(float), (kind % 2 == 0).astype(float)

    return draw


def _two(first: Callable[..., Any], second: Callable[..., Any]) -> Callable[[np.random.Generator], Any]:
    return lambda rng: (first(rng), second(rng))


def _exact_difference(pair: Any) -> Interval:
    first, second = (clopper_pearson(int(y.sum()), len(y)) for y in pair)
    return difference(first, second)


def _cells() -> Iterator[Case]:
    """Of a design in which each of n pairs stands in every cell; a pair's answers are alike."""
    kind = "sum of shares over cells"
    for name, n, shares, weights, answers in (
        ("mean of 5 cells, 50 pairs", 50, (0.97, 0.95, 0.9, 0.85, 0.6), (0.2,) * 5, 1),
        ("mean of 4 cells, all near 1, 30 pairs", 30, (0.99, 0.99, 0.98, 0.98), (0.25,) * 4, 1),
        ("gap of two means, 100 pairs", 100, (0.95, 0.9, 0.6, 0.55), (0.5, 0.5, -0.5, -0.5), 1),
        ("gap of two cells near 1, 40 pairs", 40, (0.99, 0.96, 0.97), (1.0, -0.5, -0.5), 1),
        ("gap of two cells, 3 answers each, 60 pairs", 60, (0.9, 0.7), (1.0, -1.0), 3),
    ):
        planted = float(np.dot(shares, weights))
        counts = np.full((len(shares), n), answers)
        yield Case(
            *(kind, name, n, planted, _cell_hits(n, shares, answers)),
            lambda hits, counts=counts, weights=weights: weighted_shares(hits, counts, weights),  # type: ignore[misc]
            wide=FEW,
            cheap=True,
        )
    # The chance of two right answers: both from one level of the pair, or each by itself.
    joint = 0.5 * 0.8 + 0.5 * 0.9 * 0.8
    yield Case(
        "share with all answers right",
        "2 cells, 60 pairs",
        60,
        joint,
        _cell_hits(60, (0.9, 0.8), 1),
        _joint,
        wide=EXACT,
        cheap=True,
    )


def _cell_hits(n: int, shares: tuple[float, ...], answers: int) -> Callable[[np.random.Generator], np.ndarray]:
    """(k, n) hits: half of the pairs have one level of luck for all of their answers, the others one for each."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        luck = np.where(rng.random(n) < 0.5, rng.random(n), rng.random((len(shares), answers, n)))
        return (luck < np.array(shares)[:, None, None]).sum(axis=1).astype(float)

    return draw


def _joint(hits: np.ndarray) -> Interval:
    k, n = hits.shape
    cells, units = np.divmod(np.arange(k * n), n)
    right = hits.ravel() > 0
    every = [True] * (k * n)
    names = [str(unit) for unit in units]
    counts = CellCounts.of(range(k), cells.tolist(), names, came=every, read=every, kinds={"right": right.tolist()})
    return counts.all_of(range(k), "right")
