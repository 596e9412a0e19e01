"""Coverage cases of means, of any statistic by the bootstrap, and of differences between two ways or two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from doxa.metrics import (
    Interval,
    auroc_of_weights,
    bootstrap,
    bootstrap_ece,
    bootstrap_weighted,
    brier,
    ece_of_weights,
    mean_interval,
    paired_difference,
    proportion,
)
from doxa.metrics.confidence_scores import gains
from doxa.metrics.resampling import weight_draws
from doxa.metrics.sums import mean
from doxa.records import Estimate
from doxa.runs.compare import difference_limits
from doxa.validation.coverage import NEARLY, RAISED, UNSEEN, Case, Limits, wald
from doxa.validation.coverage_draws import (
    CALIBRATED,
    MOSTLY_RIGHT,
    OVERCONFIDENT,
    SEPARATED,
    Stated,
    incoherence_pool,
    sizes_of,
    spread_values,
)

RESAMPLES = 300  # fewer than Doxa's default: a limit then scatters by a tenth of the interval's width


def mean_cases() -> list[Case]:
    """Means of bounded scores and of skewed numbers, plain and in groups; any statistic by the bootstrap."""
    return [*_bounded(), *_bounded_in_groups(), *_unbounded(), *_any_statistic()]


def pair_cases() -> list[Case]:
    """What one way of asking gains over another, and what one run has over another."""
    return [*_gains(), *_runs()]


def _squares(c: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray((c - y) ** 2)


def _gaps(c: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(c - y)


def _bounded() -> Iterator[Case]:
    kind, unit = "mean of bounded scores", partial(mean_interval, bounds=(0, 1))
    for name, who, n in (
        ("Brier score, n = 20, mostly right", MOSTLY_RIGHT, 20),
        ("Brier score, n = 20, errors rare", SEPARATED, 20),
        ("Brier score, n = 100, errors rare", SEPARATED, 100),
        ("Brier score, n = 300, overconfident", OVERCONFIDENT, 300),
    ):
        draw = _of(who, n, _squares)
        yield Case(kind, name, n, who.mean(_squares), draw, unit, wald, wide=UNSEEN, cheap=True)
    draw = _of(OVERCONFIDENT, 100, _gaps)
    signed = partial(mean_interval, bounds=(-1, 1))
    yield Case(
        kind, "overconfidence, n = 100", 100, OVERCONFIDENT.mean(_gaps), draw, signed, wald, wide=UNSEEN, cheap=True
    )
    stated = float(CALIBRATED.confidence @ CALIBRATED.chance)
    said = _of(CALIBRATED, 100, lambda c, y: c)
    yield Case(kind, "confidence stated, n = 100", 100, stated, said, unit, wald, wide=UNSEEN, cheap=True)
    pool = incoherence_pool()
    yield Case(
        *(kind, "incoherence, 60 pairs of facts", 60, float(pool.mean()), lambda rng: rng.choice(pool, 60), unit, wald),
        wide=UNSEEN,
        cheap=True,
        known="mean of a pool of 500 distances that samples are drawn from",
    )
    name = "10 respondents, shares .4 to .9"
    yield Case(kind, name, 10, 0.65, lambda rng: rng.uniform(0.4, 0.9, 10), unit, wald, wide=UNSEEN, cheap=True)


def _of(who: Stated, n: int, of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda rng: of(*who.draw(rng, n))


def _bounded_in_groups() -> Iterator[Case]:
    def interval(sample: Any) -> Interval:
        return mean_interval(sample[0], groups=sample[1], bounds=(0, 1))

    for name, sizes, mean_, apart, own in (
        ("belief, 30 facts of 8 statements", sizes_of(30, 8), 0.55, 0.4, 1.5),
        ("distance, 25 facts of 4 pairs", sizes_of(25, 4), 0.15, 0.1, 4.0),
        ("confidence, 30 groups of 1 to 17", sizes_of(30, unequal=True), 0.7, 0.25, 8.0),
        ("confidence, 10 groups of 10", sizes_of(10, 10), 0.7, 0.25, 8.0),
    ):
        draw = spread_values(sizes, mean_, apart, own)
        yield Case(
            *("mean of bounded scores in groups", name, int(sizes.sum()), mean_, draw, interval),
            lambda sample: wald(sample[0]),
            wide=UNSEEN,
            cheap=True,
        )


def _unbounded() -> Iterator[Case]:
    def tokens(n: int) -> Callable[[np.random.Generator], np.ndarray]:
        return lambda rng: np.exp(rng.normal(5, 0.8, n))

    typical = float(np.exp(5 + 0.8**2 / 2))
    for n in (30, 100):
        name = f"tokens of n = {n} replies"
        yield Case("mean of skewed numbers", name, n, typical, tokens(n), mean_interval, wald, cheap=True)
    for n, who, name in ((50, MOSTLY_RIGHT, "log loss, n = 50"), (100, SEPARATED, "log loss, n = 100, errors rare")):
        planted = who.mean(_surprise)
        yield Case("mean of skewed numbers", name, n, planted, _of(who, n, _surprise), mean_interval, wald, cheap=True)
    group = np.repeat(np.arange(20), 5)

    def grouped(rng: np.random.Generator) -> np.ndarray:
        return np.exp(rng.normal(5, 0.5, 20)[group] + rng.normal(0, 0.5, 100))

    yield Case(
        *("mean of skewed numbers", "tokens, 20 groups of 5 replies", 100, float(np.exp(5.25)), grouped),
        lambda values: mean(values, group),
        wald,
        cheap=True,
    )


def _surprise(c: np.ndarray, y: np.ndarray) -> np.ndarray:
    p = np.clip(c, 0.01, 0.99)
    return np.asarray(-np.log(np.where(y == 1, p, 1 - p)))


def _exponential(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(1, n)


def _mean_by_bca(values: np.ndarray) -> Interval:
    return bootstrap_weighted(lambda w: w @ values / len(values), len(values), resamples=RESAMPLES)


def _any_statistic() -> Iterator[Case]:
    kind = "bootstrap of any statistic"
    for n in (25, 100):
        name, draw = f"mean of skewed numbers, n = {n}", partial(_exponential, n=n)
        yield Case(kind, name, n, 1.0, draw, _mean_by_bca, wald)
    yield Case(
        *(kind, "standard deviation, n = 50", 50, 1.0, lambda rng: rng.normal(0, 1, 50)),
        lambda values: bootstrap(np.std, values, resamples=RESAMPLES),
    )
    planted = OVERCONFIDENT.mean(_squares) - 0.25

    def gain(sample: Any) -> Interval:
        c, y = sample
        return paired_difference(brier, (c, y), (np.full(len(c), 0.5), y), resamples=RESAMPLES)

    paired = partial(OVERCONFIDENT.draw, n=40)
    yield Case(kind, "paired difference of Brier scores, n = 40", 40, planted, paired, gain)


# --- two ways, two runs ----------------------------------------------------------------------------------------------


def _pair(first: Stated, second: Stated, n: int) -> Callable[[np.random.Generator], Any]:
    """Two answers to each of n items, right and wrong partly together."""

    def draw(rng: np.random.Generator) -> Any:
        luck = rng.random(n)
        ways = []
        for who in (first, second):
            level = rng.choice(len(who.confidence), n, p=who.chance)
            own = np.where(rng.random(n) < 0.6, luck, rng.random(n))
            ways.append((who.confidence[level], (own < who.accuracy[level]).astype(float)))
        return tuple(ways)

    return draw


def _gains() -> Iterator[Case]:
    def interval(name: str, n: int) -> Callable[[Any], Interval]:
        return lambda ways: gains(ways[0], ways[1], np.arange(n), resamples=RESAMPLES)[name]

    def percentile(of: Callable[..., Any]) -> Callable[[Any], Limits]:
        def limits(ways: Any) -> Limits:
            a, b = of(*ways[0]), of(*ways[1])
            weights = np.concatenate(list(weight_draws(np.random.default_rng(0), len(ways[0][0]), RESAMPLES)))
            low, high = np.nanquantile(a(weights) - b(weights), [0.025, 0.975])
            return float(low), float(high)

        return limits

    for name, first, second, n in (
        ("alike, n = 100", CALIBRATED, CALIBRATED, 100),
        ("calibrated against overconfident, n = 100", CALIBRATED, OVERCONFIDENT, 100),
        ("separated against overconfident, n = 50", SEPARATED, OVERCONFIDENT, 50),
    ):
        draw = _pair(first, second, n)
        for metric, of in (("AUROC", auroc_of_weights), ("ECE", ece_of_weights)):
            planted = first.figure(of) - second.figure(of)
            wide = RAISED if metric == "ECE" else ""
            yield Case(f"gain in {metric}", name, n, planted, draw, interval(metric, n), percentile(of), wide=wide)


def _runs() -> Iterator[Case]:
    """As `doxa compare` does: figures of both runs with their intervals, and their values on the same resamples."""
    kind, groups = "difference of two runs", 60

    def accuracy(way: Any) -> Interval:
        return proportion(int(way[1].sum()), len(way[1]))

    def share(way: Any, weights: np.ndarray) -> np.ndarray:
        return np.asarray(weights @ way[1] / len(way[1]))

    def error(way: Any) -> Interval:
        return bootstrap_ece(*way, resamples=RESAMPLES)

    def of_error(way: Any, weights: np.ndarray) -> np.ndarray:
        return ece_of_weights(*way)(weights)

    def score(way: Any) -> Interval:
        return mean_interval(_squares(*way), bounds=(0, 1))

    def of_score(way: Any, weights: np.ndarray) -> np.ndarray:
        return np.asarray(weights @ _squares(*way) / len(way[0]))

    def bare(way: Any) -> Interval:
        return Interval(float(np.mean(way[1])), np.nan, np.nan, len(way[1]), "")

    less_right = OVERCONFIDENT.mean(lambda c, y: y) - MOSTLY_RIGHT.mean(lambda c, y: y)
    worse = OVERCONFIDENT.mean(_squares) - CALIBRATED.mean(_squares)
    for name, first, second, own, of, planted, wide in (
        ("accuracy, few changes", MOSTLY_RIGHT, MOSTLY_RIGHT, accuracy, share, 0.0, NEARLY),
        ("accuracy, one worse", MOSTLY_RIGHT, OVERCONFIDENT, accuracy, share, less_right, NEARLY),
        ("ECE", CALIBRATED, OVERCONFIDENT, error, of_error, 0.25, RAISED),
        ("Brier score", CALIBRATED, OVERCONFIDENT, score, of_score, worse, UNSEEN),
        ("a figure without its own interval", CALIBRATED, OVERCONFIDENT, bare, share, -0.25, ""),
    ):
        draw = _pair(first, second, groups)
        yield Case(kind, f"{name}, n = {groups}", groups, planted, draw, _compared(own, of), wide=wide)


def _compared(own: Callable[[Any], Interval], of: Callable[[Any, np.ndarray], np.ndarray]) -> Callable[[Any], Interval]:
    def interval(ways: Any) -> Interval:
        n = len(ways[0][0])
        weights = np.concatenate(list(weight_draws(np.random.default_rng(0), n, 200)))
        a, b = (Estimate.of("", own(way)) for way in ways)
        low, high, how = difference_limits(a, b, of(ways[0], weights), of(ways[1], weights), n)
        return Interval(b.value - a.value, low, high, n, how)

    return interval
