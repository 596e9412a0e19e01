"""Respondents that choose between gambles at known rates, or rank choices by a known order with known flips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.elicit.preference_pairs import WORDS
from doxa.models.base import Context
from doxa.models.simulated import Respondent
from doxa.models.simulated_values import uniforms
from doxa.records import DoxaError, Item, Prompt


def gambler(rates: Mapping[str, Mapping[str, float]], **how: Any) -> Respondent:
    """Takes B with the rate of the arm and problem, whatever letter the gamble goes by.

    rates   arm ("": any other) -> problem's id -> probability of B, as the problem stands
    how     further parameters of `Respondent`
    raises  DoxaError: when asked about a problem without a rate
    """

    def decide(shown: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        item = context.item or shown
        known = rates.get(context.condition.partition("/")[0], rates.get("", {}))
        if item.id not in known:
            raise DoxaError(f"the gambler has no rate for {item.id!r}; it has {len(known)}")
        b = known[item.id] if shown.fields["a"] == item.fields["a"] else 1 - known[item.id]
        return {"A": 1 - b, "B": b}

    return Respondent(address="simulated: gambler", decide=decide, **how)


def choosing(ids: Sequence[str], rates: Mapping[str, ArrayLike], **how: Any) -> Respondent:
    """`gambler` from the ids of n problems and each arm's rates (n,)."""
    by_arm = {arm: np.asarray(rate, dtype=np.float64).tolist() for arm, rate in rates.items()}
    return gambler({arm: dict(zip(ids, rate, strict=True)) for arm, rate in by_arm.items()}, **how)


def ranker(values: Mapping[str, float], flips: float = 0.0, *, within: float = 0.0, seed: int = 0) -> Respondent:
    """Names the choice with the larger value, and "Tie" where they differ by at most `within`; turns a share about.

    values  code -> how strong a sign; flips: share of pairs that are answered the other way, the same ones each time
    """

    def decide(shown: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        first, second = (float(values[str(shown.fields[name])]) for name in ("choice_1", "choice_2"))
        if abs(first - second) <= within:
            return {WORDS[2]: 1.0}
        turned = uniforms(1, "flip", seed, (context.item or shown).id)[0] < flips
        return {WORDS[(first < second) != turned]: 1.0}

    return Respondent(address="simulated: ranker", decide=decide)
