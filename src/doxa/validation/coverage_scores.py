"""Coverage cases of calibration, discrimination, agreement and forecasts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from doxa.metrics import (
    Interval,
    auroc_of_weights,
    bootstrap_auroc,
    bootstrap_ece,
    bootstrap_weighted,
    ece,
    ece_expected,
    ece_of_weights,
    mce,
    spearman,
)
from doxa.metrics.binning import mass_index
from doxa.metrics.calibration_interval import gap_interval, largest_gap_interval
from doxa.metrics.correlation_interval import pearson_interval, spearman_interval
from doxa.metrics.f1_interval import f1_interval, macro_f1_interval
from doxa.metrics.forecast_scores import skill_interval
from doxa.metrics.ranked_interval import auprc_interval, auprc_of_weights, aurc_interval, aurc_of_weights
from doxa.validation.coverage import EXACT, NEARLY, Case, Limits
from doxa.validation.coverage_draws import (
    CALIBRATED,
    FIVE,
    FORECASTS,
    MOSTLY_RIGHT,
    OVERCONFIDENT,
    SEPARATED,
    TOO_SURE,
    Stated,
    sizes_of,
)

RESAMPLES = 500
NAIVE_RESAMPLES = 200


def score_cases() -> list[Case]:
    """Figures of stated confidences, of forecasts, of answers, and correlations."""
    return [*_calibration(), *_discrimination(), *_correlations(), *_forecasts(), *_answers()]


def _percentile(of: Callable[..., Any], **how: Any) -> Callable[[Any], Limits]:
    """The plain percentile bootstrap of items."""

    def limits(sample: Any) -> Limits:
        c, y = sample[:2]
        found = bootstrap_weighted(of(c, y, **how), len(c), resamples=NAIVE_RESAMPLES, method="percentile")
        return found.low, found.high

    return limits


# --- calibration -----------------------------------------------------------------------------------------------------


def _calibration() -> Iterator[Case]:
    error = partial(bootstrap_ece, resamples=RESAMPLES)
    naive = _percentile(ece_of_weights)
    for name, who, sizes in (
        ("calibrated", CALIBRATED, (30, 100, 300)),
        ("overconfident", OVERCONFIDENT, (30, 100, 300)),
        ("five words", FIVE, (100,)),
        ("mostly right, slightly off", MOSTLY_RIGHT, (100, 300)),
        ("small errors of both signs", SEPARATED, (100,)),
    ):
        for n in sizes:
            planted = who.figure(ece_of_weights)
            yield Case("ECE", f"{name}, n = {n}", n, planted, partial(who.draw, n=n), lambda s: error(*s), naive)
    debiased = partial(error, debiased=True)
    for name, who, n in (("calibrated", CALIBRATED, 50), ("overconfident", OVERCONFIDENT, 100)):
        planted = who.figure(ece_of_weights)
        yield Case("ECE, debiased", f"{name}, n = {n}", n, planted, partial(who.draw, n=n), lambda s: debiased(*s))
    for name, who, sizes_g in (
        ("calibrated, 50 groups of 4", CALIBRATED, sizes_of(50, 4)),
        ("overconfident, 20 groups of 5", OVERCONFIDENT, sizes_of(20, 5)),
    ):
        draw = partial(who.in_groups, sizes=sizes_g, together=0.6)
        yield Case(
            *("ECE in groups", name, int(sizes_g.sum()), who.figure(ece_of_weights), draw),
            lambda s: error(s[0], s[1], groups=s[2]),
            naive,
        )
    yield from _other_gaps()
    yield Case(
        *("ECE by chance", "range of a calibrated respondent, n = 100", 100, math.nan, partial(CALIBRATED.draw, n=100)),
        lambda s: ece_expected(s[0], resamples=RESAMPLES),
        target=lambda s: ece(*s),
    )


def _other_gaps() -> Iterator[Case]:
    """MCE, ACE, and the error over the two sides taken."""

    def largest(sample: Any) -> Interval:
        index = np.searchsorted(np.arange(1, 10) / 10, np.round(sample[0], 9), side="right")
        return largest_gap_interval(sample[0], sample[1], index)

    def by_mass(sample: Any) -> Interval:
        return gap_interval(sample[0], sample[1], mass_index(sample[0], 10), resamples=RESAMPLES)

    def by_side(sample: Any) -> Interval:
        return gap_interval(sample[0], sample[1], sample[0] > 0.5, resamples=RESAMPLES)

    for name, who in (("forecasts nearly calibrated", FORECASTS), ("forecasts too sure", TOO_SURE)):
        draw = partial(who.draw, n=200)
        gap_k, yes = (who.confidence - who.accuracy) * who.chance, who.confidence > 0.5
        most = float(np.abs(who.confidence - who.accuracy).max())  # each of their words has a bin of its own
        yield Case("MCE", f"{name}, n = 200", 200, most, draw, largest, _mce_percentile, wide=EXACT)
        yield Case("ACE", f"{name}, n = 200", 200, _by_tenths(who), draw, by_mass)
        sides = abs(float(gap_k[yes].sum())) + abs(float(gap_k[~yes].sum()))
        yield Case("error over sides taken", f"{name}, n = 200", 200, sides, draw, by_side)


def _by_tenths(who: Stated) -> float:
    """ACE of infinitely many items: tenths of them by confidence, words that span an edge in both."""
    ends = np.append(0.0, np.cumsum(who.chance))
    edges = np.linspace(0, 1, 11)
    inside = np.clip(np.minimum(ends[1:, None], edges[1:]) - np.maximum(ends[:-1, None], edges[:-1]), 0, None)
    return float(np.abs((who.confidence - who.accuracy) @ inside).sum())


def _mce_percentile(sample: Any) -> Limits:
    c, y = sample
    rng = np.random.default_rng(0)
    drawn = [mce(c[rows], y[rows], closed="left") for rows in rng.integers(0, len(c), (NAIVE_RESAMPLES, len(c)))]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


# --- discrimination --------------------------------------------------------------------------------------------------


def _discrimination() -> Iterator[Case]:
    auroc = partial(bootstrap_auroc, resamples=RESAMPLES)
    naive = _percentile(auroc_of_weights)
    for name, who, n in (
        ("five words", FIVE, 30),
        ("five words", FIVE, 100),
        ("well separated", SEPARATED, 40),
        ("words, errors few", CALIBRATED, 100),
    ):
        planted = who.figure(auroc_of_weights)
        yield Case("AUROC", f"{name}, n = {n}", n, planted, partial(who.draw, n=n), lambda s: auroc(*s), naive)
    draw = partial(FIVE.in_groups, sizes=sizes_of(25, 4), together=0.6)
    planted = FIVE.figure(auroc_of_weights)
    yield Case(
        *("AUROC in groups", "five words, 25 groups of 4", 100, planted, draw),
        lambda s: auroc(s[0], s[1], groups=s[2]),
        naive,
    )
    for kind, interval, of, how in (
        ("AURC", aurc_interval, aurc_of_weights, {}),
        ("AUPRC-P", auprc_interval, auprc_of_weights, {}),
        ("AUPRC-N", partial(auprc_interval, positive="wrong"), auprc_of_weights, {"positive": "wrong"}),
    ):
        yield from _areas(kind, interval, of, how)


def _areas(kind: str, interval: Any, of: Callable[..., Any], how: dict[str, str]) -> Iterator[Case]:
    naive = _percentile(of, **how)
    for name, who, n in (
        ("overconfident", OVERCONFIDENT, 30),
        ("five words", FIVE, 100),
        ("mostly right", MOSTLY_RIGHT, 100),
        ("well separated", SEPARATED, 100),
    ):
        draw, planted = partial(who.draw, n=n), who.figure(of, **how)
        yield Case(kind, f"{name}, n = {n}", n, planted, draw, lambda s: interval(*s), naive, wide=NEARLY)
    grouped = partial(FIVE.in_groups, sizes=sizes_of(30, 4), together=0.6)
    yield Case(
        *(f"{kind} in groups", "five words, 30 groups of 4", 120, FIVE.figure(of, **how), grouped),
        lambda s: interval(s[0], s[1], groups=s[2]),
        naive,
        wide=NEARLY,
    )


# --- correlations ----------------------------------------------------------------------------------------------------


def _correlations() -> Iterator[Case]:
    def normal(n: int, rho: float) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
        def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
            x = rng.normal(size=n)
            return x, rho * x + math.sqrt(1 - rho**2) * rng.normal(size=n)

        return draw

    def fisher(sample: Any) -> Limits:
        x, y = sample
        r, half = spearman(x, y), 1.96 / math.sqrt(max(1, len(x) - 3))
        return (math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)) if abs(r) < 1 else (r, r)

    for n, rho in ((6, 0.7), (20, 0.7), (100, 0.95)):
        of_ranks = 6 / math.pi * math.asin(rho / 2)
        name = f"n = {n}, normal, r = {rho:g}"
        yield Case("Spearman", name, n, of_ranks, normal(n, rho), lambda s: spearman_interval(*s), fisher, cheap=True)
    yield Case("Pearson", "6 models, r = .7", 6, 0.7, normal(6, 0.7), lambda s: pearson_interval(*s), cheap=True)
    for name, draw in (
        ("words and agreement of 10 samples", _words_and_samples),
        ("a third of the items unrelated", _unrelated),
    ):
        planted = spearman(*draw(np.random.default_rng(1), 400_000))
        for n in (30, 100):
            yield Case(
                *("Spearman", f"{name}, n = {n}", n, planted, partial(draw, n=n)),
                *(lambda s: spearman_interval(*s), fisher),
                cheap=True,
                known="one sample of 400,000 (Spearman; standard error about .001)",
            )


def _words_and_samples(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    c, _ = CALIBRATED.draw(rng, n)
    return c, rng.binomial(10, np.clip(1.6 * c - 0.65, 0, 1)) / 10


def _unrelated(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    x = rng.normal(size=n)
    return x, np.where(rng.random(n) < 1 / 3, rng.normal(size=n), x + 0.1 * rng.normal(size=n))


# --- forecasts and answers -------------------------------------------------------------------------------------------


def _forecasts() -> Iterator[Case]:
    for name, who, n in (
        ("nearly calibrated", FORECASTS, 50),
        ("nearly calibrated", FORECASTS, 300),
        ("too sure", TOO_SURE, 100),
    ):
        rate = float(who.chance @ who.accuracy)
        planted = 1 - who.mean(lambda p, y: (p - y) ** 2) / (rate * (1 - rate))
        yield Case(
            *("Brier skill", f"{name}, n = {n}", n, planted, partial(who.draw, n=n)),
            lambda s: skill_interval(s[0], s[1], np.arange(len(s[0])), resamples=RESAMPLES),
            _percentile(_skill_of_weights),
        )


def _skill_of_weights(p: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def skill(weights: np.ndarray) -> np.ndarray:
        rate = weights @ y / weights.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 - (weights @ (p - y) ** 2) / weights.sum(axis=1) / (rate * (1 - rate)))

    return skill


def _answers() -> Iterator[Case]:
    """Said and happened: yes of 30 %, found with a chance, and said of the others with another."""

    def answers(n: int, rate: float, found: float, false: float) -> Callable[[np.random.Generator], Any]:
        def draw(rng: np.random.Generator) -> Any:
            y = rng.random(n) < rate
            return (rng.random(n) < np.where(y, found, false)).astype(float), y.astype(float)

        return draw

    for name, n, rate, found, false in (
        ("n = 30, nearly all right", 30, 0.3, 0.95, 0.03),
        ("n = 100, yes is rare", 100, 0.1, 0.7, 0.05),
        ("n = 300, so-so", 300, 0.3, 0.6, 0.2),
    ):
        draw = answers(n, rate, found, false)
        tp, fp, fn, tn = rate * found, (1 - rate) * false, rate * (1 - found), (1 - rate) * (1 - false)
        yes, no = 2 * tp / (2 * tp + fp + fn), 2 * tn / (2 * tn + fp + fn)
        items = np.arange(n)
        yield Case(
            *("F1", name, n, yes, draw),
            lambda s, g=items: f1_interval(*s, g),  # type: ignore[misc]
            _percentile(_f1_of_weights),
            cheap=True,
        )
        yield Case(
            *("macro F1", name, n, (yes + no) / 2, draw),
            lambda s, g=items: macro_f1_interval(*s, g, resamples=RESAMPLES),  # type: ignore[misc]
        )


def _f1_of_weights(said: np.ndarray, true: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    def f1(weights: np.ndarray) -> np.ndarray:
        hits, either = weights @ (said * true), weights @ (said + true)
        return np.divide(2 * hits, either, out=np.full(len(hits), np.nan), where=either > 0)

    return f1
