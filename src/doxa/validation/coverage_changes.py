"""Coverage cases of changes under a condition, of labels with the judge's errors taken out, of fits and of drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from doxa.metrics import Interval, shifts
from doxa.metrics.change_points import drift
from doxa.metrics.choice_models import Problems, fit_choices, values
from doxa.metrics.equal_count import equal_count_ece
from doxa.metrics.judge_errors import corrected_difference, corrected_shares
from doxa.validation.coverage import EXACT, FEW, NEARLY, UNSEEN, Case, wald
from doxa.validation.coverage_draws import FORECASTS

WAVERS = 0.05  # chance that an answer is reversed when nothing changed
JUDGES = ((0.9, 0.8), (0.95, 0.97))  # share of true ones that the judge calls so, and of false ones that it does not
DRAWS = 400


def change_cases() -> list[Case]:
    """Flips, follow rates and shifts of belief; corrected labels; fitted choice models; slopes; equal-count ECE."""
    return [*_flips(), *_beliefs(), *_judged(), *_fitted(), *_slopes(), *_equal_count()]


def _flips() -> Iterator[Case]:
    """Answers of two options that waver, and that a condition turns at a rate, the same for all answers to an item."""
    for n, moved, name in ((60, 0.3, "n = 60, 30% move"), (200, 0.0, "n = 200, none moves")):
        own = 2 * WAVERS * (1 - WAVERS)
        away = moved * (1 - own) + (1 - moved) * own

        def draw(rng: np.random.Generator, n: int = n, moved: float = moved) -> tuple[np.ndarray, ...]:
            held = rng.integers(0, 2, n)
            turned = np.where(rng.random(n) < moved, 1 - held, held)
            return tuple(np.where(rng.random(n) < WAVERS, 1 - of, of) for of in (held, turned, held))

        yield Case("flip rate", name, n, away, draw, lambda s: shifts.flip_rate(s[0], s[1]), wide=EXACT, cheap=True)
        yield Case(
            "flips beyond asking again",
            name,
            n,
            away - own,
            draw,
            lambda s: shifts.excess_flips(*s),
            _usual_excess,
            wide=FEW,
            cheap=True,
        )

    group = np.repeat(np.arange(30), 4)

    def together(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        before = rng.integers(0, 4, 120)
        follows = np.repeat(rng.beta(1.2, 1.8, 30), 4)  # by topic: .4 on average
        named = (before + 1) % 4
        return before, np.where(rng.random(120) < follows, named, before), named

    yield Case(
        "excess follow rate in groups",
        "30 topics of 4 questions",
        120,
        0.4,
        together,
        lambda s: shifts.excess_follow(s[0], s[1], s[2], group),
        lambda s: wald((s[1] == s[2]) * 1.0 - (s[0] == s[2])),
        wide=NEARLY,
        cheap=True,
    )


def _usual_excess(sample: tuple[np.ndarray, ...]) -> tuple[float, float]:
    before, after, again = sample
    return wald((after != before) * 1.0 - (again != before))


def _beliefs() -> Iterator[Case]:
    """Beliefs that a condition moves on the logit, read twice with noise."""

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        held = rng.normal(0, 1.5, 50)
        return tuple(1 / (1 + np.exp(-(held + push + rng.normal(0, 0.4, 50)))) for push in (0.0, 1.0, 0.0))

    rng = np.random.default_rng(0)
    held = rng.normal(0, 1.5, 400_000)
    near, far = (1 / (1 + np.exp(-(held + push + rng.normal(0, 0.4, held.size)))) for push in (0.0, 1.0))
    yield Case(
        "shift of belief beyond asking again",
        "n = 50, one logit",
        50,
        float((far - near).mean()),
        draw,
        lambda s: shifts.belief_shift(s[0], s[1], retest=s[2], toward=np.ones(50)),
        lambda s: wald((s[1] - s[0]) - (s[2] - s[0])),
        wide=UNSEEN,
        cheap=True,
        known="a sample of 400,000",
    )


def _judged() -> Iterator[Case]:
    """Labels of a judge whose confusion is known from m items only."""
    for (hit, clear), m, share in ((JUDGES[0], 60, 0.3), (JUDGES[1], 100, 0.05)):

        def draw(
            rng: np.random.Generator, hit: float = hit, clear: float = clear, m: int = m, share: float = share
        ) -> tuple[np.ndarray, ...]:
            truth = (np.arange(m) % 2).astype(int)  # as many of both are labelled by hand
            return truth, _said(truth, hit, clear, rng), _said((rng.random(300) < share) * 1, hit, clear, rng)

        name = f"{m} known, judge {hit:g} and {clear:g}, share {share:g}"
        yield Case(
            "share of judged labels", name, 300, share, draw, _corrected, lambda s: wald(s[2]), wide=NEARLY, cheap=True
        )

    def both(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        truth = np.arange(80) % 2
        sides = [_said((rng.random(150) < p) * 1, *JUDGES[0], rng) for p in (0.5, 0.3)]
        return truth, _said(truth, *JUDGES[0], rng), *sides

    yield Case(
        "difference of judged labels",
        "80 known, .5 and .3 of 150",
        300,
        0.2,
        both,
        lambda s: corrected_difference(s[0], s[1], s[2], s[3], 1, draws=DRAWS),
        lambda s: _usual_difference(s[2], s[3]),
    )


def _said(truth: np.ndarray, hit: float, clear: float, rng: np.random.Generator) -> np.ndarray:
    right = rng.random(len(truth)) < np.where(truth == 1, hit, clear)
    return np.where(right, truth, 1 - truth)


def _corrected(sample: tuple[np.ndarray, ...]) -> Interval:
    return corrected_shares(*sample).shares[1]


def _usual_difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    gap, error = a.mean() - b.mean(), float(np.sqrt(a.var() / len(a) + b.var() / len(b)))
    return float(gap - 1.96 * error), float(gap + 1.96 * error)


def _fitted() -> Iterator[Case]:
    """Aversion to risk and sensitivity of choices between a sure amount and a gamble, 15 choices each."""
    rng = np.random.default_rng(1)
    win, chance = rng.uniform(10, 100, 80), rng.uniform(0.1, 0.9, 80)
    sure = win * chance * rng.uniform(0.5, 1.2, 80)
    problems = Problems.of(
        [[(1.0, x)] for x in sure], [[(p, x), (1 - p, 0.0)] for p, x in zip(chance, win, strict=True)]
    )
    gap = np.diff(values("expected utility", problems, r=0.3), axis=1)[:, 0]
    takes = 1 / (1 + np.exp(-2.0 * gap / gap.std()))

    def draw(rng: np.random.Generator) -> np.ndarray:
        return rng.binomial(15, takes) / 15

    def fit(name: str) -> Callable[[Any], Interval]:
        return lambda share: fit_choices("expected utility", problems, share, choices=np.full(80, 15)).parameters[name]

    for name, planted in (("r", 0.3), ("sensitivity", 2.0)):
        yield Case("parameter of a choice model", f"{name}, 80 gambles of 15 choices", 1200, planted, draw, fit(name))


def _slopes() -> Iterator[Case]:
    """Shares on 40 days that rise by .004 a day."""
    days = np.arange(40.0)
    chance = 0.3 + 0.004 * days

    def draw(rng: np.random.Generator) -> np.ndarray:
        return rng.binomial(50, chance)

    yield Case(
        "slope over days",
        "40 days of 50 answers",
        40,
        0.004,
        draw,
        lambda y: drift(days, y, np.full(40, 50), shuffles=1).slope,
        cheap=True,
    )


def _equal_count() -> Iterator[Case]:
    """Forecasts of nine levels over ten bins of equally many, every answer twice."""
    sizes = np.full(100, 2)
    many = FORECASTS.draw(np.random.default_rng(2), 400_000)
    planted = equal_count_ece(*many, np.arange(400_000), resamples=1).value

    yield Case(
        "ECE, equal counts, in groups",
        "forecasts nearly calibrated, 100 pairs",
        200,
        planted,
        lambda rng: FORECASTS.in_groups(rng, sizes, 0.5),
        lambda s: equal_count_ece(*s, resamples=200),
        wide=UNSEEN,
        known="a sample of 400,000",
    )
