"""What scores of distributions must show when the distribution is known: the same masses for every item."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Held(NamedTuple):
    """Mass on the right option, on `others` wrong ones alike, and on abstaining."""

    right: float
    wrong: float
    silent: float
    others: int = 3

    @classmethod
    def of(cls, right: float, silent: float, others: int = 3) -> Held:
        """So much on the right option; `silent`: the share of the rest that abstains."""
        return cls(right, (1 - right) * (1 - silent), (1 - right) * silent, others)

    def score(self, *, factor: bool = True) -> float:
        """The distributional correctness score, with or without the factor that the reference code loses."""
        return (self.right - self.wrong) * (1 - self.silent if factor else 1)

    def figures(self, *, factor: bool = True) -> dict[str, float]:
        """Every figure that the score stands beside, exact; nan or infinite where there is none.

        Accuracy, ternary and confidence-weighted scores see the likeliest option alone, not where the doubt goes.
        """
        each = self.wrong / self.others
        first = self.right > max(self.silent, each)
        other = self.wrong + self.silent
        return {
            "DCS": self.score(factor=factor),
            "mass on right": self.right,
            "mass on wrong": self.wrong,
            "mass on abstaining": self.silent,
            "hedging index": self.wrong / other if other else math.nan,
            "accuracy": float(first),
            "ternary score": 1.0 if first else 0.0 if self.silent > each else -1.0,
            "confidence-weighted accuracy": self.right * first,
            "break-even loss": self.right / self.wrong if self.wrong else math.inf,
        }

    def sampled(self, n: int) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of an item's figures from the frequencies of n samples.

        The masses are unbiased, the score is raised by (right - wrong) * silent / n; its spread by the delta method.
        """
        masses = np.array([self.right, self.wrong, self.silent])
        slopes = np.array([1 - self.silent, self.silent - 1, self.wrong - self.right])
        variance = float(slopes**2 @ masses - (slopes @ masses) ** 2) / n
        raised = (self.right - self.wrong) * self.silent / n
        found = {"DCS": (self.score() + raised, math.sqrt(max(variance, 0.0)) + abs(raised))}
        for name, mass in zip(("right", "wrong", "abstaining"), masses.tolist(), strict=True):
            found[f"mass on {name}"] = (mass, math.sqrt(mass * (1 - mass) / n))
        return found
