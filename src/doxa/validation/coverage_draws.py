"""Who is drawn in the coverage cases: respondents whose figures are known, and groups that hold together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

Draw = Callable[[np.random.Generator], tuple[np.ndarray, ...]]


@dataclass(frozen=True, eq=False)
class Stated:
    """States one of a few confidences, each with its chance and its accuracy: all its figures follow exactly."""

    confidence: np.ndarray
    chance: np.ndarray
    accuracy: np.ndarray

    @classmethod
    def of(cls, confidence: ArrayLike, chance: ArrayLike, accuracy: ArrayLike) -> Stated:
        chance_k = np.asarray(chance, dtype=float)
        return cls(np.asarray(confidence, dtype=float), chance_k / chance_k.sum(), np.clip(accuracy, 0, 1))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Confidence (n,) and being right (n,)."""
        level = rng.choice(len(self.confidence), n, p=self.chance)
        return self.confidence[level], (rng.random(n) < self.accuracy[level]).astype(float)

    def in_groups(
        self, rng: np.random.Generator, sizes: np.ndarray, together: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Confidence, being right and group: one confidence a group, and right or wrong together with this chance."""
        group = np.repeat(np.arange(len(sizes)), sizes)
        level = rng.choice(len(self.confidence), len(sizes), p=self.chance)[group]
        luck = np.where(rng.random(len(group)) < together, rng.random(len(sizes))[group], rng.random(len(group)))
        return self.confidence[level], (luck < self.accuracy[level]).astype(float), group

    def figure(self, of_weights: Callable[..., Callable[[np.ndarray], np.ndarray]], **how: object) -> float:
        """A figure of infinitely many items: each confidence, right and wrong, with its chance as its weight."""
        confidence = np.concatenate([self.confidence, self.confidence])
        correct = np.repeat([1.0, 0.0], len(self.confidence))
        weight = np.concatenate([self.chance * self.accuracy, self.chance * (1 - self.accuracy)])
        return float(of_weights(confidence, correct, **how)(weight[None, :])[0])

    def mean(self, of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
        """The mean of a function of confidence and being right."""
        right, wrong = (of(self.confidence, np.full(len(self.confidence), y)) for y in (1.0, 0.0))
        return float(self.chance @ (self.accuracy * right + (1 - self.accuracy) * wrong))


WORDS = np.array([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0])
OFTEN = np.array([4, 1, 3, 2, 6, 5, 14, 12, 25, 20, 8])  # how often words say so: mostly 80 to 95 %
CALIBRATED = Stated.of(WORDS, OFTEN, WORDS)
OVERCONFIDENT = Stated.of(WORDS, OFTEN, WORDS - 0.25)
MOSTLY_RIGHT = Stated.of(WORDS, OFTEN, 0.97 - 0.5 * (1 - WORDS))
FIVE = Stated.of([0.5, 0.6, 0.7, 0.8, 0.9], [1, 1, 2, 3, 3], [0.45, 0.5, 0.6, 0.7, 0.8])
SEPARATED = Stated.of([0.05, 0.3, 0.6, 0.9, 0.98], [25, 25, 10, 15, 25], [0.05, 0.25, 0.5, 0.85, 0.97])
FORECASTS = Stated.of(
    np.array([0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97]),
    [10, 14, 16, 14, 8, 10, 12, 10, 6],
    [0.05, 0.12, 0.22, 0.35, 0.5, 0.6, 0.75, 0.85, 0.93],
)
TOO_SURE = Stated.of(FORECASTS.confidence, FORECASTS.chance, 0.4 + 0.35 * (FORECASTS.confidence - 0.4))


def sizes_of(groups: int, size: int = 1, *, unequal: bool = False) -> np.ndarray:
    """Items in each group: all alike, or 1, 2, 5, 10 and 17 in turn."""
    return (np.arange(groups) % 5) ** 2 + 1 if unequal else np.full(groups, size)


def beta_groups(sizes: np.ndarray, p: float, correlation: float) -> Draw:
    """Being right and group: each group's own chance is beta with mean p, any two of its items correlate so."""
    both = 1 / correlation - 1
    group = np.repeat(np.arange(len(sizes)), sizes)

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        chance = rng.beta(p * both, (1 - p) * both, len(sizes))
        return (rng.random(len(group)) < chance[group]).astype(float), group

    return draw


def spread_values(sizes: np.ndarray, mean: float, apart: float, own: float) -> Draw:
    """Values in [0, 1] and group: the groups' means lie evenly up to `apart` from the mean, values around (`own`)."""
    group = np.repeat(np.arange(len(sizes)), sizes)

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        middle = (mean + apart * rng.uniform(-1, 1, len(sizes)))[group]
        return rng.beta(middle * own, (1 - middle) * own), group

    return draw


@cache
def incoherence_pool() -> np.ndarray:
    """(500,) distances of a respondent that states probabilities in steps of .05, off by about .1."""
    from doxa.metrics import coherence_distance

    rng = np.random.default_rng(0)
    worlds = rng.dirichlet([0.6] * 4, 500)
    a, c, both = worlds[:, 0] + worlds[:, 1], worlds[:, 0] + worlds[:, 2], worlds[:, 0]
    exact = np.stack([a, c, 1 - a, 1 - c, both, a + c - both], axis=1)
    said = np.where(rng.random(exact.shape) < 0.5, exact, exact + rng.normal(0, 0.15, exact.shape))
    return coherence_distance(np.clip(np.round(said * 20) / 20, 0, 1))
