"""What confidence from matchups must show, foreseen from each question's known chance and each matchup's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.discrimination import auroc, selective_auc
from doxa.metrics.foreseen import Foreseen
from doxa.metrics.inputs import Floats
from doxa.metrics.matchup_scores import OVER_DIRECT, OVER_SAMPLES
from doxa.metrics.matchups import LAMBDA, Matchups, transitivity, trueskill_is_there

REPEATS = 300
SPREAD = 0.7  # of a preference: the scale of its noise, in logits of the chance of being right


def sigmoid(x: ArrayLike) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(x, dtype=np.float64) / 2)))


def logit(p: ArrayLike) -> Floats:
    """log(p / (1 - p))."""
    return np.asarray(np.log(np.asarray(p, dtype=np.float64)) - np.log1p(-np.asarray(p, dtype=np.float64)))


def strength_draws(strength: ArrayLike, one: ArrayLike, other: ArrayLike, *, repeats: int = REPEATS) -> Floats:
    """Bradley-Terry log strengths as m matchups measure them, (repeats, n): true ones and the noise of the fit.

    The noise is normal with the inverse of the Fisher information of the matchups as covariance, the weight of the
    small prior included; who won does not enter.

    strength    (n,) true log strengths: one beats other with probability sigmoid(strength[one] - strength[other])
    one, other  (m,) who plays whom
    """
    true, a, b = np.asarray(strength, dtype=np.float64), np.asarray(one), np.asarray(other)
    chance = sigmoid(true[a] - true[b])
    weight = chance * (1 - chance) + 2 * LAMBDA * 0.25
    information = np.zeros((len(true), len(true)))
    for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
        np.add.at(information, (i, j), sign * weight)
    value, vector = np.linalg.eigh(information)
    root = vector[:, 1:] / np.sqrt(value[1:])  # the first is the constant, which matchups do not measure
    noise = np.random.default_rng(0).standard_normal((repeats, root.shape[1]))
    return np.asarray(true + noise @ root.T)


def hybrid_draws(chance: ArrayLike, samples: int, options: int, *, repeats: int = REPEATS) -> Floats:
    """Confidence-weighted agreement with the favourite, (repeats, n), of samples drawn from a known belief.

    chance  (n,) belief in the favourite, the rest even over the other options; each sample states its belief
    """
    own = np.asarray(chance, dtype=np.float64)
    agree = np.random.default_rng(1).binomial(samples, own, (repeats, len(own)))
    return np.asarray(agree * own / (agree * own + (samples - agree) * (1 - own) / (options - 1)))


def areas_foreseen(
    scores: Mapping[str, Floats], chance: ArrayLike, gains: Mapping[str, tuple[str, str]]
) -> dict[str, Foreseen]:
    """ "AUROC, x" and "selective AUC, x" of each score x, and differences of selective AUC, over draws of who is right.

    scores  (n,), or (repeats, n) where the score is a draw itself
    chance  (n,) of being right
    gains   name -> the two scores whose difference it is
    """
    right_n = np.asarray(chance, dtype=np.float64)
    right = np.random.default_rng(2).random((REPEATS, len(right_n))) < right_n
    found: dict[str, Foreseen] = {}
    selective: dict[str, Floats] = {}
    for name, score in scores.items():
        drawn = np.broadcast_to(score, right.shape)
        found[f"AUROC, {name}"] = _of([auroc(s, y) for s, y in zip(drawn, right, strict=True)], len(right_n))
        selective[name] = np.array([selective_auc(s, y) for s, y in zip(drawn, right, strict=True)])
        found[f"selective AUC, {name}"] = _of(selective[name], len(right_n))
    return found | {name: _of(selective[a] - selective[b], len(right_n)) for name, (a, b) in gains.items()}


def _of(values: ArrayLike, units: int) -> Foreseen:
    """The mean of repeated values; their spread as that of one of so many units, with that of their mean."""
    drawn = np.asarray(values, dtype=np.float64)
    spread = float(np.nanstd(drawn)) * math.sqrt(units * (1 + 1 / len(drawn)))
    return Foreseen(float(np.nanmean(drawn)), spread, units)


def first_share(logit: ArrayLike, bonus: float) -> float:
    """Share of matchups that the question shown first wins, the order being random; logit (m,) without the bonus."""
    d = np.asarray(logit, dtype=np.float64)
    return float((sigmoid(d + bonus) + sigmoid(bonus - d)).mean() / 2)


def consistency(logit: ArrayLike, bonus: float) -> float:
    """Share of matchups with the same winner in both orders."""
    d = np.asarray(logit, dtype=np.float64)
    p, q = sigmoid(d + bonus), sigmoid(d - bonus)
    return float((p * q + (1 - p) * (1 - q)).mean())


def transitivity_foreseen(chance: ArrayLike, one: ArrayLike, other: ArrayLike, n: int, repeats: int = 60) -> Foreseen:
    """`transitivity` of games whose results are known in probability; its spread over repeated games.

    chance  (m,) that `one` beats `other`; a pair plays once or twice, and is undecided when each wins once
    """
    p, a, b = (np.asarray(x) for x in (chance, one, other))
    times, log_won = np.zeros((n, n)), np.zeros((n, n))
    for i, j, won in ((a, b, p), (b, a, 1 - p)):
        np.add.at(times, (i, j), 1)
        np.add.at(log_won, (i, j), np.log(won))
    beat = np.where(times > 0, np.exp(log_won), 0.0)
    met = beat + beat.T
    value = 1 - (np.trace(beat @ beat @ beat) / 3) / (np.trace(met @ met @ met) / 6)
    rng = np.random.default_rng(3)
    drawn = [transitivity(Matchups.of(a, b, rng.random(len(p)) < p, n)).value for _ in range(repeats)]
    return Foreseen(float(value), float(np.std(drawn)), 1)


def pairs(names: Sequence[str], opponents: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the players of each matchup, (m,) and (m,): each name against each of its opponents."""
    number = {name: k for k, name in enumerate(names)}
    one = [number[name] for name, others in zip(names, opponents, strict=True) for _ in others]
    return np.array(one), np.array([number[other] for others in opponents for other in others])


def of_preferences(
    chance: ArrayLike, one: ArrayLike, other: ArrayLike, slope: float, *, samples: int, options: int = 4
) -> dict[str, Foreseen]:
    """What the study must show of somebody who states its chances, samples from them and prefers by their logits.

    chance  (n,) of being right; one, other: (m,) who plays whom, with probability
            sigmoid(slope (logit chance[one] - logit chance[other]) / .7) that one is preferred
    returns Elo (mean of orders) and TrueSkill as Bradley-Terry: their rank correlations with the chance are .950 and
            .958, and .961, of 250 questions with 15 opponents each
    """
    own, a, b = np.asarray(chance, dtype=np.float64), np.asarray(one), np.asarray(other)
    strength = slope * logit(own) / SPREAD
    drawn = strength_draws(strength, a, b)
    scores = {"direct": own, "hybrid_sc": hybrid_draws(own, samples, options), "bradley_terry": drawn}
    gains = {OVER_DIRECT: ("bradley_terry", "direct"), OVER_SAMPLES: ("bradley_terry", "hybrid_sc")}
    found = areas_foreseen(scores, own, gains)
    for area, way in product(("AUROC", "selective AUC"), ("elo", "trueskill") if trueskill_is_there() else ("elo",)):
        found[f"{area}, {way}"] = found[f"{area}, bradley_terry"]
    found["transitive triples"] = transitivity_foreseen(sigmoid(strength[a] - strength[b]), a, b, len(own))
    return found | {"accuracy": Foreseen(float(own.mean()), float(np.sqrt((own * (1 - own)).mean())), len(own))}


def of_labels(chance: ArrayLike, slope: float) -> dict[str, Foreseen]:
    """What must show where preferences are probabilities without noise: the order of the chances; slope 0: all tied."""
    own = np.asarray(chance, dtype=np.float64)
    return areas_foreseen({"elo": own * slope, "bradley_terry": own * slope}, own, {})


def of_place(chance: ArrayLike, one: ArrayLike, other: ArrayLike, bonus: float) -> dict[str, Foreseen]:
    """What must show of somebody who adds a bonus to the logit of the question shown first, asked in both orders."""
    own, a, b = logit(chance), np.asarray(one), np.asarray(other)
    ahead = (own[a] - own[b]) / SPREAD
    shares = {"first-slot share": first_share(ahead, bonus), "swap consistency": consistency(ahead, bonus)}
    games = {"first-slot share": 2 * len(a), "swap consistency": len(a)}
    return {name: Foreseen(p, math.sqrt(p * (1 - p)), games[name]) for name, p in shares.items()}


def of_unread(rate: float, n: int, opponents: int) -> dict[str, Foreseen]:
    """What must show when a share of all replies, answers and matchups alike, cannot be read.

    The mean number of games varies with the number of answered questions, which all opponents are among.
    """
    read = 1 - rate
    games = 2 * opponents * read
    return {
        "matchups read": Foreseen(read, math.sqrt(rate * read), round(n * opponents * read**2)),
        "matchups of a question": Foreseen(games * read, 1.2 * games * math.sqrt(rate * read), n),
    }
