"""P(IK): heads that tell from a question alone whether it will be answered, learnt from hidden states or from words."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from doxa.metrics.inputs import Floats
from doxa.probes.heads import ConfidenceHead
from doxa.probes.texts import TextConfidence

FEWEST = 20  # questions below which nothing is learnt
FOLDS = 5

Predict = Callable[[np.ndarray], Floats]


def learnable(rate: Floats, groups: np.ndarray) -> bool:
    """Whether there is enough to learn from, and something to tell apart."""
    return len(rate) >= FEWEST and len(set(groups.tolist())) >= FOLDS and float(np.ptp(rate)) > 1e-12


def from_states(states: Floats, rate: Floats, groups: np.ndarray, *, seed: int = 0) -> ConfidenceHead | None:
    """A logistic head on hidden states (n, d) of questions; None: too little to learn from.

    rate    (n,) share of samples that were right, the soft label: as good as one row for each sample
    groups  (n,) labels: the penalty is chosen over folds that keep them together
    source  Kadavath et al. 2022, arXiv 2207.05221; here on a frozen model
    """
    if not learnable(rate, groups):
        return None
    return ConfidenceHead.fit(states, rate, groups=groups, folds=FOLDS, seed=seed)


def from_words(texts: Sequence[str], rate: Floats, groups: np.ndarray, *, seed: int = 0) -> TextConfidence | None:
    """The same from words and pairs of words: how hard questions look to one who never met the model."""
    if not learnable(rate, groups):
        return None
    return TextConfidence.fit(texts, rate, groups=groups, folds=FOLDS, seed=seed)


@dataclass(frozen=True, eq=False)
class Questions:
    """n questions with the share of samples that were right.

    states  (n, d), nan where there is none; texts: as the model read them
    rate    (n,) share right; groups, kinds: (n,) labels; train: (n,) those that may be learnt from
    """

    states: Floats
    texts: Sequence[str]
    rate: Floats
    groups: np.ndarray
    kinds: np.ndarray
    train: np.ndarray

    def by_states(self, among: np.ndarray | None = None, rate: Floats | None = None) -> Predict | None:
        """A head learnt from training questions (of a mask, if given; of another model's shares, if given).

        returns  states (m, d) -> P(IK) (m,), nan without a state; None: too little to learn from
        """
        there = self.train & np.isfinite(self.states).all(axis=1) & (self.states.shape[1] > 0)
        there = there if among is None else there & among
        head = from_states(self.states[there], (self.rate if rate is None else rate)[there], self.groups[there])
        if head is None:
            return None

        def predict(states: Floats) -> Floats:
            found, known = np.full(len(states), np.nan), np.isfinite(states).all(axis=1)
            if known.any():
                found[known] = head.predict(states[known])
            return found

        return predict

    def by_words(self) -> Floats:
        """P(IK) (n,) from words; nan without enough to learn from, or without scikit-learn."""
        if importlib.util.find_spec("sklearn") is None or not any(self.texts):
            return np.full(len(self.rate), np.nan)
        chosen = [text for text, learn in zip(self.texts, self.train, strict=True) if learn]
        head = from_words(chosen, self.rate[self.train], self.groups[self.train])
        return np.full(len(self.rate), np.nan) if head is None else head.predict(self.texts)


def stacked(states: Sequence[Sequence[float]]) -> Floats:
    """States of one width (n, d), nan where there is none. ValueError: states of two widths."""
    widths = {len(state) for state in states if len(state)}
    if len(widths) > 1:
        raise ValueError(f"hidden states are {', '.join(map(str, sorted(widths)))} wide; they are of several models")
    found = np.full((len(states), max(widths, default=0)), np.nan)
    for row, state in zip(found, states, strict=True):
        if len(state):
            row[:] = state
    return found
