"""Beliefs over the options of choice questions: what is likeliest, how well it fits, and which temperature mends it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doxa.metrics.calibrators import fit_temperature
from doxa.metrics.equal_count import equal_count_ece, equal_count_rms
from doxa.metrics.inputs import Floats, codes
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.sums import NOTHING, above_chance, mean, share

Z = 1.959964
FARTHEST = 3.9  # logarithm beyond which a temperature is that of the fit's own bounds, and no finding


@dataclass(frozen=True, eq=False)
class Choices:
    """n questions with up to c options.

    logprobs  (n, c) natural logarithms, not normalised; minus infinity where there is no such option
    right     (n,) place of the right option; options: (n,) how many there are
    groups    (n,) labels of questions that stand or fall together
    """

    logprobs: Floats
    right: np.ndarray
    options: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, logprobs: Sequence[Sequence[float]], right: Sequence[float], groups: Sequence[str]) -> Choices:
        """From lists of any lengths."""
        counts = np.array([len(one) for one in logprobs], dtype=np.int64)
        padded = np.full((len(counts), int(counts.max(initial=1))), -np.inf)
        for row, values in zip(padded, logprobs, strict=True):
            row[: len(values)] = values
        return cls(padded, np.asarray(right, dtype=np.int64), counts, np.asarray(groups))

    def __len__(self) -> int:
        return len(self.right)

    def where(self, keep: np.ndarray) -> Choices:
        """The questions that a mask keeps."""
        return Choices(self.logprobs[keep], self.right[keep], self.options[keep], self.groups[keep])

    def belief(self, temperature: float = 1.0) -> Floats:
        """softmax(logprobs / temperature), (n, c)."""
        x = (self.logprobs - self.logprobs.max(axis=1, keepdims=True)) / temperature
        weights = np.exp(x)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def top(self, temperature: float = 1.0) -> tuple[Floats, Floats]:
        """Belief in the likeliest option and whether it is right, (n,) each; a tie is drawn, the same every time."""
        belief = self.belief(temperature)
        best = np.isclose(belief, belief.max(axis=1, keepdims=True), rtol=1e-12, atol=0)
        chosen = (best * np.random.default_rng(0).random(belief.shape)).argmax(axis=1)
        at = np.arange(len(self))
        return belief[at, chosen], (chosen == self.right).astype(float)

    def every(self, temperature: float = 1.0) -> tuple[Floats, Floats]:
        """Belief in each option and whether it is right, one after the other."""
        there = np.arange(self.logprobs.shape[1]) < self.options[:, None]
        hits = np.arange(self.logprobs.shape[1]) == self.right[:, None]
        return self.belief(temperature)[there], hits[there].astype(float)

    def temperature(self) -> Interval:
        """Temperature of least cross-entropy, its logarithm with an interval by the sandwich of scores and curvature.

        nan without questions, or where a right option has no probability at all, or all options are always alike
        """
        n, at = len(self), np.arange(len(self))
        if not n or not np.isfinite(self.logprobs[at, self.right]).all():
            return Interval(NAN, NAN, NAN, n, "a right option of probability 0" if n else "nothing to measure")
        x = np.where(np.isfinite(self.logprobs), self.logprobs, 0.0)
        if np.allclose(self.logprobs.max(axis=1), self.logprobs[at, self.right]) or not np.ptp(x, axis=1).any():
            return Interval(NAN, NAN, NAN, n, "no finite temperature: always right, or all options alike")
        value = fit_temperature(self.logprobs, self.right)
        if abs(math.log(value)) > FARTHEST:
            return Interval(NAN, NAN, NAN, n, "no finite temperature: the options tell nothing, or all")
        belief = self.belief(value)
        mean_x = (belief * x).sum(axis=1)
        curved = float((belief * (x - mean_x[:, None]) ** 2).sum())
        unit_n, units = codes("groups", self.groups)
        pull = np.bincount(unit_n, mean_x - x[at, self.right], units)
        note = "sandwich, of the logarithm" + (f", clustered: {units} groups" if units < n else "")
        if units < 2 or curved <= 0:
            return Interval(value, NAN, NAN, n, note)
        half = Z * math.sqrt(float(pull @ pull) * units / (units - 1)) / curved * value
        return Interval(value, value * math.exp(-half), value * math.exp(half), n, note)


def choice_scores(
    choices: Choices, train: np.ndarray, *, fixed: float = 2.5, bins: int = 10, resamples: int = 1000
) -> dict[str, Interval]:
    """Accuracy, calibration errors of the likeliest option, and what a temperature makes of them, by name.

    train  (n,) questions that the temperature is fitted on; its error is that on the others
    fixed  another temperature, tried on all
    """
    if not len(choices):
        return {"accuracy": NOTHING}
    said, right = choices.top()
    how, accuracy = {"bins": bins, "resamples": resamples}, share(right, choices.groups)
    error = equal_count_ece(said, right, choices.groups, **how)
    warmer = choices.top(fixed)
    found = {
        "accuracy": accuracy,
        "normalised accuracy": above_chance(accuracy, float((1 / choices.options).mean())),
        "ECE": error,
        "RMS calibration error": equal_count_rms(said, right, choices.groups, **how, lowest=error.low),
        "overconfidence": mean(said - right, choices.groups, bounds=(-1, 1)),
        f"ECE at T = {fixed:g}": equal_count_ece(*warmer, choices.groups, **how),
        "temperature": choices.where(train).temperature(),
        "ECE after temperature": NOTHING,
    }
    if (fitted := found["temperature"].value) == fitted and not train.all():
        test = choices.where(~train)
        found["ECE after temperature"] = equal_count_ece(*test.top(fitted), test.groups, **how)
    return found
