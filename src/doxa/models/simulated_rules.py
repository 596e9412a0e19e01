"""What a simulated respondent believes, how sure it says it is, when it admits: rules with declared parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doxa.models.simulated_values import (
    Key,
    generator,
    is_closed,
    meaning,
    truth_of,
    uniforms,
    unknowable,
    values,
)
from doxa.records import DoxaError, Item

ABSTAIN = "(abstains)"  # the value of an answer that admits not knowing, in distributions over answers

# --- what it believes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Belief:
    """A distribution over `values(item)`.

    favourite  what it answers when it answers greedily (None: the likeliest)
    surety     what it believes of any answer it gives (None: the belief in that answer)
    """

    probabilities: Mapping[str, float]
    favourite: str | None = None
    surety: float | None = None


@dataclass(frozen=True)
class Ability:
    """Probability of knowing an item, and of being right: knowing, or guessing one of the options.

    With a popularity: sigmoid(sharpness * (popularity - (1 - share))), so that of items with even popularity about
    `share` are known. Without one: drawn once per item from Beta(2 share, 2 (1 - share)), whose mean is `share`.
    """

    share: float
    sharpness: float = 8.0

    def __post_init__(self) -> None:
        check_probability("ability", self.share)

    def knows(self, item: Item, key: Key) -> float:
        """Probability that the item is known."""
        if item.popularity is not None:
            return 1 / (1 + math.exp(-self.sharpness * (item.popularity - (1 - self.share))))
        if self.share in (0.0, 1.0):
            return self.share
        return float(generator("ability", *key).beta(2 * self.share, 2 * (1 - self.share)))

    def right(self, item: Item, key: Key) -> float:
        """Probability of a right answer: 1/c of c options is right by guessing, no open answer is."""
        chance = 1 / len(values(item)) if is_closed(item) else 0.0
        return chance + (1 - chance) * self.knows(item, key)


Knowledge = float | str | Ability | Callable[[Item], float]
"""Probability of being right: a number, the name of an entry of Item.fields, an Ability, or a function of the item."""


def probability_right(knowledge: Knowledge, item: Item, key: Key) -> float:
    """The probability of being right on an item, in [0, 1]."""
    if isinstance(knowledge, Ability):
        return knowledge.right(item, key)
    if isinstance(knowledge, str):
        return check_probability(f"item {item.id!r}, fields[{knowledge!r}]", field(item, knowledge))
    return check_probability(f"knowledge of {item.id!r}", knowledge(item) if callable(knowledge) else knowledge)


@dataclass(frozen=True)
class Uniform:
    """Knows nothing: every value alike; of an open question's, only the wrong ones."""

    def __call__(self, item: Item, key: Key) -> Belief:
        closed = is_closed(item)
        names = dict.fromkeys(v for v in values(item) if closed or v != truth_of(item))
        return Belief(dict.fromkeys(names, 1 / len(names)))


@dataclass(frozen=True)
class Holder:
    """Holds a belief per item: `right` on its favourite, the rest spread evenly.

    The favourite is the truth with probability `right`, else a wrong value, fixed for the item. So its belief is
    calibrated: of the items on which it believes its favourite with .8, four fifths are right.
    """

    right: Knowledge

    def __call__(self, item: Item, key: Key) -> Belief:
        names, truth = tuple(dict.fromkeys(values(item))), truth_of(item)
        if truth not in names or len(names) == 1:
            return Belief(dict.fromkeys(names, 1 / len(names)))
        p = probability_right(self.right, item, key)
        known, which = uniforms(2, "holder", *key)
        wrong = sorted(v for v in names if v != truth)
        favourite = truth if known < p else wrong[int(which * len(wrong))]
        rest = (1 - p) / (len(names) - 1)
        return Belief({v: p if v == favourite else rest for v in names}, favourite)


@dataclass(frozen=True)
class Skill:
    """Is right with probability `right` at every asking anew, else on a wrong value, and knows how good it is."""

    right: Knowledge

    def __call__(self, item: Item, key: Key) -> Belief:
        names, truth = tuple(dict.fromkeys(values(item))), truth_of(item)
        if truth not in names or len(names) == 1:
            return Belief(dict.fromkeys(names, 1 / len(names)))
        p = probability_right(self.right, item, key)
        return Belief({v: p if v == truth else (1 - p) / (len(names) - 1) for v in names}, surety=p)


@dataclass(frozen=True)
class Dirichlet:
    """A distribution per item drawn from a symmetric Dirichlet, placed so that the truth is a draw from it.

    Equal in law to drawing the distribution first and then the right answer from it, with the truth as it is.
    """

    concentration: float = 1.0

    def __call__(self, item: Item, key: Key) -> Belief:
        names, truth = sorted(set(values(item))), truth_of(item)
        rng = generator("dirichlet", *key)
        weights = rng.dirichlet(np.full(len(names), self.concentration)).tolist()
        if truth in names:
            chosen, here = int(rng.choice(len(names), p=weights)), names.index(truth)
            weights[here], weights[chosen] = weights[chosen], weights[here]
        return Belief(dict(zip(names, weights, strict=True)))


@dataclass(frozen=True)
class Forecast:
    """Believes that an event happens with probability Item.fields[name].

    Without that field, and with a known outcome, the probability is drawn so that the outcome is a draw from it:
    Beta(a, b) given the outcome. That is calibrated where events happen at rate a / (a + b).
    """

    name: str = "probability"
    a: float = 1.2
    b: float = 1.8

    def __call__(self, item: Item, key: Key) -> Belief:
        outcome = meaning(item.answer)
        if self.name in item.fields or outcome is None:
            q = check_probability(f"item {item.id!r}, fields[{self.name!r}]", field(item, self.name))
        else:
            happened = outcome == "true"
            q = float(generator("forecast", *key).beta(self.a + happened, self.b + 1 - happened))
        return Belief({"true": q, "false": 1 - q})


@dataclass(frozen=True)
class Planted:
    """Believes what Item.fields[name] says: a mapping from value to probability, or one number for each option.

    Numbers are in the order of the true item's options, however they are shown.
    """

    name: str = "belief"

    def __call__(self, item: Item, key: Key) -> Belief:
        planted = field(item, self.name)
        names = values(item)
        if not isinstance(planted, Mapping):
            if len(planted) != len(names):
                raise DoxaError(
                    f"item {item.id!r}: fields[{self.name!r}] has {len(planted)} entries for {len(names)} values"
                )
            planted = dict(zip(names, planted, strict=True))
        return Belief(planted)


BeliefRule = Callable[[Item, Key], Belief]


def field(item: Item, name: str) -> Any:
    """Item.fields[name]; DoxaError says what the item has instead."""
    if name not in item.fields:
        raise DoxaError(
            f"item {item.id!r} has no fields[{name!r}], which this respondent reads; it has {sorted(item.fields)}"
        )
    return item.fields[name]


def check_probability(what: str, value: Any) -> float:
    """The value, if it is a probability; DoxaError otherwise."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        percent = " Percent? divide by 100." if isinstance(value, (int, float)) and 1 < value <= 100 else ""
        raise DoxaError(f"{what} is {value!r}; a probability lies in [0, 1].{percent}")
    return float(value)


def check_distribution(probabilities: Mapping[str, float], item: Item) -> Any:
    """The distribution, if it is one; DoxaError otherwise."""
    total = sum(probabilities.values())
    if not all(p >= 0 for p in probabilities.values()) or abs(total - 1) > 1e-6:
        percent = " Percent? divide by 100." if abs(total - 100) < 1e-3 else ""
        raise DoxaError(f"item {item.id!r}: probabilities {dict(probabilities)} sum to {total:g}, not 1.{percent}")
    return probabilities


# --- how sure it says it is -------------------------------------------------------------------------------------------
# A rule turns the belief in an answer, and the number of values c it was chosen from, into the confidence that is said.

ConfidenceRule = Callable[[float, int], float]


def calibrated(p: float, c: int) -> float:
    """Says what it believes."""
    return p


def inflated(p: float, c: int) -> float:
    """80 % and a fifth of the belief, in steps of 5 %: what large models often do."""
    return round(20 * (0.8 + 0.2 * p)) / 20


def tens(p: float, c: int) -> float:
    """The belief in steps of 10 %."""
    return round(10 * p) / 10


def inverted(p: float, c: int) -> float:
    """The surer, the less sure it says it is."""
    return 1 - p


@dataclass(frozen=True)
class Constant:
    """Always the same confidence."""

    value: float

    def __post_init__(self) -> None:
        check_probability("confidence", self.value)

    def __call__(self, p: float, c: int) -> float:
        return self.value


@dataclass(frozen=True)
class Sharpened:
    """Slope k on the logit, measured from chance 1/c: the distribution to the power k, renormalised, the rest even.

    For two values this is sigmoid(k logit p). k > 1: too sure above chance; k < 1: too unsure.
    """

    slope: float

    def __call__(self, p: float, c: int) -> float:
        if p in (0.0, 1.0):
            return p
        base = math.log(max(c - 1, 1))
        z = self.slope * (math.log(p) - math.log1p(-p) + base) - base
        return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


CONFIDENCE: dict[str, ConfidenceRule] = {
    "calibrated": calibrated,
    "inflated": inflated,
    "tens": tens,
    "inverted": inverted,
}


# --- when it admits ---------------------------------------------------------------------------------------------------

Abstention = float | Mapping[str, float] | Callable[[Item], float]
"""Probability of admitting: a number; the first that fits by tag, kind, "unknowable" or "answerable"; a function."""


def probability_abstains(rule: Abstention, item: Item) -> float:
    """The probability that the respondent admits not knowing, in [0, 1]."""
    if callable(rule):
        rule = rule(item)
    if isinstance(rule, Mapping):
        names: Sequence[str] = (*item.tags, item.kind, "unknowable" if unknowable(item) else "answerable")
        rule = next((rule[name] for name in names if name in rule), 0.0)
    return check_probability(f"probability of admitting on {item.id!r}", rule)
