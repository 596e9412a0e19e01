"""What studies of self-knowledge must show of respondents with known parameters: by draws of their own.

Written without the metrics that are to be tested with it. Where an expectation has no closed form it is a mean over
many draws of the declared distribution, and the spread of one observation is that of the same draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.inputs import Floats

DRAWS, TIMES = 20_000, 20  # of single observations; of whole runs of n
SQUARE_ROOT_2 = math.sqrt(2)


def normal_cdf(x: float) -> float:
    """Standard normal distribution function."""
    return (1 + math.erf(x / SQUARE_ROOT_2)) / 2


def area_sd(area: float) -> float:
    """Spread of an AUROC times the square root of n, of half right and half wrong answers.

    source  Hanley and McNeil 1982, Radiology 143(1)
    """
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    return math.sqrt(2 * (first - area**2) + 2 * (second - area**2))


def of_runs(outlook_of: Mapping[str, list[Outlook]]) -> dict[str, Foreseen]:
    """Equal-count calibration errors of several runs that are drawn alike: their mean, and the spread of one item."""
    found = {}
    for name, runs in outlook_of.items():
        each = [run.gap_error(run.by_mass()) for run in runs]
        n, values = runs[0].n, np.array([one.value for one in each])
        spread = math.sqrt(float(np.mean([one.sd**2 for one in each])) + n * float(values.var(ddof=1)))
        found[name] = Foreseen(float(values.mean()), spread, n)
    return found


# --- options with Dirichlet(1, 1, 1, 1) chances ----------------------------------------------------------------------


def chances(n: int, seed: int = 0, c: int = 4) -> Floats:
    """Chances (n, c) of options, Dirichlet(1): how often each is right."""
    return np.random.default_rng(seed).dirichlet(np.ones(c), n)


def of_power(k: float, n: int, tested: int, ways: Sequence[str]) -> dict[str, Foreseen]:
    """Figures of beliefs in proportion to chance^k: n questions, so many of them tested at the fitted temperature.

    The right option of the likeliest is right with its chance. Temperature: k, and its spread k / sqrt(information),
    the information of one question being the variance of log chance under the chances.
    """
    p = chances(DRAWS)
    information = float(((p * np.log(p) ** 2).sum(1) - (p * np.log(p)).sum(1) ** 2).mean())
    best = p.max(1)
    said = _powered(p, k).max(1)
    accuracy = float(best.mean())
    square = float((best * (said - 1) ** 2 + (1 - best) * said**2).mean())
    gap_sd = math.sqrt(square - float((said - best).mean()) ** 2)
    found = {
        "accuracy": Foreseen(accuracy, math.sqrt(accuracy * (1 - accuracy)), n),
        "normalised accuracy": Foreseen((accuracy - 0.25) / 0.75, math.sqrt(accuracy * (1 - accuracy)) / 0.75, n),
        "overconfidence": Foreseen(float((said - best).mean()), gap_sd, n),
        "temperature": Foreseen(k, k / math.sqrt(information), n - tested),
    }
    runs = {"ECE": (k, n), "ECE at T = 2.5": (k / 2.5, n), "ECE after temperature": (1.0, tested)}
    every = {name: [_top(power, size, seed) for seed in range(TIMES)] for name, (power, size) in runs.items()}
    found |= of_runs(every)
    return {f"{name}, {way}": one for way in ways for name, one in found.items()}


def _powered(p: Floats, k: float) -> Floats:
    powered = p**k
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))


def _top(k: float, n: int, seed: int) -> Outlook:
    p = chances(n, seed + 1)
    return Outlook.of(_powered(p, k).max(axis=1), p.max(axis=1))


def of_leaning(nats_of: Mapping[str, float], n: int) -> dict[str, Foreseen]:
    """Accuracy and overconfidence of calibrated beliefs with so many nats for the first place, by way of asking."""
    p, found = chances(DRAWS), {}
    for way, nats in nats_of.items():
        held = p * np.exp(nats * (np.arange(p.shape[1]) == 0))
        held /= held.sum(axis=1, keepdims=True)
        right, said = p[np.arange(len(p)), held.argmax(axis=1)], held.max(axis=1)
        mean, over = float(right.mean()), float((said - right).mean())
        square = float((right * (said - 1) ** 2 + (1 - right) * said**2).mean())
        found[f"accuracy, {way}"] = Foreseen(mean, math.sqrt(mean * (1 - mean)), n)
        found[f"overconfidence, {way}"] = Foreseen(over, math.sqrt(square - over**2), n)
    return found


def of_avoiding(share: float, known: float, n: int, c: int = 4, bins: int = 10) -> dict[str, Foreseen]:
    """Exact figures where the right option is believed in with `known`, less a share where it is none of the above.

    What it loses goes to the others, alike. That option is the right one of every c-th question; there one of the
    others is taken as soon as each has more. ECE: over equally many questions in each bin, the least sure first.
    """
    wrong, least = (1 - known) / (c - 1), known * (1 - share)
    other = wrong + share * known / (c - 1)
    taken, sure = other > least, known + share * wrong / (c - 1)
    said = np.sort(np.where(np.arange(n) % c == 0, other if taken else least, sure))
    right = said == sure if taken else np.ones(n)
    gaps = [abs(float(s.mean() - r.mean())) for s, r in zip(np.split(said, bins), np.split(right, bins), strict=True)]
    exact = {
        "accuracy, letters": 1.0,
        "ECE, letters": 1 - known,
        "accuracy, none of the above": float(np.mean(right)),
        "ECE, none of the above": float(np.mean(gaps)),
    }
    return {name: Foreseen(value, 0.0, n) for name, value in exact.items()}


# --- P(True) = sigmoid(a (2c - 1) + N(0, 1)) -------------------------------------------------------------------------


def of_judging(a: float, gain: float, unread: float, n: int) -> dict[str, Foreseen]:
    """Figures of P(True) of n sampled answers, of given options, and with `gain` a after brainstorming.

    A share of the samples is unread, and counts as wrong. n is left to the estimates, which count what was judged.
    """
    ways = {"P(True)": a, "P(True) of given options": a, "P(True) after brainstorming": gain * a}
    found = {f"{name}, {way}": one for way, slope in ways.items() for name, one in _told(slope, n).items()}
    right = (1 - unread) / 2
    return found | {"accuracy of samples": Foreseen(right, math.sqrt(right * (1 - right)), n)}


def _told(a: float, n: int) -> dict[str, Foreseen]:
    """Figures of P(True) where half of n judged answers are right.

    AUROC: Phi(a sqrt 2); conditional accuracy: Phi(a), for half of all lie above .5. The log-odds l of P(True) are
    normal around a and -a, so that an answer is right with sigmoid(2 a l).
    """
    area, above = normal_cdf(a * SQUARE_ROOT_2), normal_cdf(a)
    rng = np.random.default_rng(0)
    right = np.arange(DRAWS) % 2
    square = (_sigmoid(a * (2 * right - 1) + rng.standard_normal(DRAWS)) - right) ** 2
    runs = []
    for seed in range(TIMES):
        one = np.random.default_rng(seed + 1)
        odds = a * np.where(one.random(n) < 0.5, 1, -1) + one.standard_normal(n)
        runs.append(Outlook.of(_sigmoid(odds), _sigmoid(2 * a * odds)))
    figures = {
        "AUROC": Foreseen(area, area_sd(area), n),
        "conditional accuracy": Foreseen(above, math.sqrt(above * (1 - above)), n),
        "coverage": Foreseen(0.5, 0.5, n),
        "Brier": Foreseen(float(square.mean()), float(square.std()), n),
    }
    return {name: one._replace(n=0) for name, one in (figures | of_runs({"ECE": runs})).items()}


# --- P(IK) from hidden states ----------------------------------------------------------------------------------------


def of_foreknowing(t: float, rates: Sequence[float], learnt: int, samples: int, noise: int) -> dict[str, Foreseen]:
    """Figures of a logistic head on one number of correlation t with the log-odds of each question's rate, and noise.

    The best line through the number is found on draws. A head that is learnt from so many questions has chance in its
    weights, too, which adds variance to its log-odds: (weights / questions) * mean square error / (mean p (1 - p))^2.
    That is reckoned with here.

    rates    (n,) of the questions that are tested; samples: of each
    """
    rng, rate = np.random.default_rng(0), np.resize(rates, DRAWS)
    odds = np.log(rate / (1 - rate))
    spread = math.sqrt(float((odds**2).mean()))
    x = t * odds + math.sqrt(1 - t * t) * spread * rng.standard_normal(DRAWS)
    slope, base = _line(x, rate) if t else (0.0, 0.0)
    share = rng.binomial(samples, rate) / samples
    best = _sigmoid(slope * x + base)
    extra = (noise + 2) / learnt * float(((share - best) ** 2).mean()) / float((best * (1 - best)).mean()) ** 2
    p = _sigmoid(slope * x + base + math.sqrt(extra if t else 0.0) * rng.standard_normal(DRAWS))
    n, brier = len(rates), (p - share) ** 2 + share * (1 - share)
    found = {
        "mean P(IK)": Foreseen(float(p.mean()), float(p.std()), n),
        "MAE, P(IK)": Foreseen(float(np.abs(p - share).mean()), float(np.abs(p - share).std()), n),
        "Brier, P(IK)": Foreseen(float(brier.mean()), float(brier.std()), n),
    }
    return found | {"AUROC, P(IK)": _area(p, share > 0.5, n), "correlation, P(IK)": _correlation(p, share, n)}


def _line(x: Floats, rate: Floats) -> tuple[float, float]:
    """Slope and base of least cross-entropy, by Newton's steps."""
    design, w = np.column_stack([x, np.ones_like(x)]), np.zeros(2)
    for _ in range(30):
        p = _sigmoid(design @ w)
        w = w + np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, design.T @ (rate - p))
    return float(w[0]), float(w[1])


def _area(p: Floats, known: np.ndarray, n: int) -> Foreseen:
    """Area under the curve of many draws, and its spread for n of them: Hanley and McNeil, for these shares."""
    if not float(np.ptp(p)):
        area = 0.5
    else:
        rank = np.argsort(np.argsort(p, kind="stable")) + 1.0
        hits = float(known.sum())
        area = (float(rank[known].sum()) - hits * (hits + 1) / 2) / (hits * (len(p) - hits))
    first, second, mean = area / (2 - area), 2 * area**2 / (1 + area), float(known.mean())
    variance = area * (1 - area) / (n * mean * (1 - mean)) + (first - area**2) / (1 - mean) + (second - area**2) / mean
    return Foreseen(area, math.sqrt(max(variance, 0.0)), n)


def _correlation(a: Floats, b: Floats, n: int) -> Foreseen:
    """Correlation, and the spread of one pair by its influence; 0 and 1 where a says nothing."""
    if not float(np.ptp(a)):
        return Foreseen(0.0, 1.0, n)
    u, v = ((values - values.mean()) / values.std() for values in (a, b))
    r = float((u * v).mean())
    return Foreseen(r, float((u * v - r * (u**2 + v**2) / 2).std()), n)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


def of_sources(reads: float, rates: Sequence[float], samples: int, read: float) -> dict[str, Foreseen]:
    """What a source that says the answer gains, one that says another loses, and one about something else leaves.

    reads  1: sources are read; 0: they are not
    rates  (n,) of the questions; read: rate of being right with the right source, 1 - read with the wrong one
    """
    rate, found = np.asarray(rates), {}
    for name, then in (("its source", read), ("a wrong source", 1 - read), ("another question's source", None)):
        after = rate if then is None or not reads else np.full_like(rate, then)
        gain, noise = after - rate, (rate * (1 - rate) + after * (1 - after)) / samples
        sd = math.sqrt(float(gain.var() + noise.mean()))
        found[f"share right gained by {name}"] = Foreseen(float(gain.mean()), sd, len(rate))
        found[f"P(IK) gained by {name}"] = Foreseen(float(gain.mean()), float(gain.std()), len(rate))
    return found


def of_kinds(t: float, rates: Sequence[float], learnt: int, samples: int, noise: int) -> dict[str, Foreseen]:
    """Figures on kinds of question that were not trained on, whose states say what those of the others do (t = 1)."""
    found = of_foreknowing(t, rates, learnt, samples, noise)
    return {f"{name}, kinds not trained on": found[name] for name in ("AUROC, P(IK)", "correlation, P(IK)")}
