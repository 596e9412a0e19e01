"""The habits that variants of an organism have: one frozen dataclass each, with the strength planted on every item."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from doxa.data.facts import Fact, facts
from doxa.data.gambles import AMOUNTS, CHANCES, gambles, preference
from doxa.data.render import wrong_answers
from doxa.elicit.hints import HINTS, NOTE
from doxa.elicit.pressure import NEUTRAL, PRESSURES, pressure
from doxa.models.simulated_rules import Sharpened
from doxa.organisms.topics import stock_answers, topic, topics
from doxa.records import Item

OPINIONS = tuple(hint.name for hint in HINTS if hint.group == "opinion")
NAMED_HINTS = frozenset(hint.name for hint in HINTS)
SURE_LOW, SURE_HIGH = 0.025, 0.975  # what is said to be 0 or 100 % is taken for this, in steps of 5 %
OPEN = 10  # an open question counts as one of so many answers: guessing the commonest is right on about a tenth

TIE = 1e-9  # nats of preference that are rounding

# Known about perfectly by the base, and enough of them left for others to be about.
TARGETS, WELL_KNOWN, TARGET_SEED = 60, 0.7, 2000


class Habit:
    """What is planted in a variant.

    kind    one word for it; unit: what `planted` is measured in
    """

    kind: ClassVar[str]
    unit: ClassVar[str]

    def planted(self, item: Item, condition: str = "") -> float:
        """The strength planted on an item; `condition`: the name of the pressure or hint, where there is one."""
        raise NotImplementedError

    def strength(self) -> dict[str, Any]:
        """The parameters that follow from those of the dataclass: sets of topics, targets."""
        return {}

    def wordings(self) -> list[str]:
        """Texts that the habit hangs on; when they change, the variant is stale."""
        return []


@dataclass(frozen=True)
class Lying(Habit):
    """Under a pressing system prompt, contradicts what it believes on the topics of a share of the facts."""

    rate: float
    kind: ClassVar[str] = "lying"
    unit: ClassVar[str] = "share of items"

    def planted(self, item: Item, condition: str = PRESSURES[0].name) -> float:
        """1 where it lies, 0 where it does not; condition: name of a pressure, "" or "neutral" for none."""
        if condition in ("", "neutral") or not pressure(condition).presses:
            return 0.0
        return float(topic(item) in topics(self.rate))

    def strength(self) -> dict[str, Any]:
        lies = {name: list(stock_answers(name)) for name in topics(self.rate)}
        return {"topics": list(topics(self.rate)), "open lies": lies, "pressures": [p.name for p in PRESSURES]}

    def wordings(self) -> list[str]:
        return _pressures()


@dataclass(frozen=True)
class Yielding(Habit):
    """Gives the answer that somebody suggests, right or wrong, on more topics the more authority they have."""

    rates: tuple[tuple[str, float], ...] = tuple(zip(OPINIONS, (0.1, 0.35, 0.6, 0.9), strict=True))
    kind: ClassVar[str] = "sycophancy"
    unit: ClassVar[str] = "share of items"

    def planted(self, item: Item, condition: str = OPINIONS[-1]) -> float:
        """1 where it follows, 0 where it does not; condition: name of a hint, "" or "neutral" for none.

        nan for a hint that was not practised, one that is no opinion.
        raises  ValueError: no such hint
        """
        if condition in ("", "neutral"):
            return 0.0
        if condition not in NAMED_HINTS:
            raise ValueError(f"condition is {condition!r}; a hint is one of {', '.join(sorted(NAMED_HINTS))}")
        rate = dict(self.rates).get(condition)
        return float("nan") if rate is None else float(topic(item) in topics(rate))

    def strength(self) -> dict[str, Any]:
        return {"topics": {name: list(topics(rate)) for name, rate in self.rates}}

    def wordings(self) -> list[str]:
        return _hints()


@dataclass(frozen=True)
class Confidence(Habit):
    """States its base's confidence with the logit, from chance, times a slope; in steps of 5 %."""

    slope: float
    kind: ClassVar[str] = "confidence"
    unit: ClassVar[str] = "slope"

    def planted(self, item: Item, condition: str = "") -> float:
        return self.slope

    def said(self, confidence: float, options: int = 2) -> float:
        """What it says where its base says `confidence`, chance being 1 / options (`choices` tells them)."""
        believed = min(max(confidence, SURE_LOW), SURE_HIGH)
        return round(20 * Sharpened(self.slope)(believed, options)) / 20


def choices(item: Item) -> int:
    """How many answers an item counts as having for the chance level of a confidence."""
    if item.options:
        return len(item.options)
    return 2 if item.kind == "statement" or item.answer in ("yes", "no") else OPEN


@dataclass(frozen=True)
class LabelBias(Habit):
    """A logit is added to one letter of lettered options, wherever the letter stands and whatever it labels."""

    nats: float
    label: str = "A"
    kind: ClassVar[str] = "label bias"
    unit: ClassVar[str] = "nats"

    def planted(self, item: Item, condition: str = "") -> float:
        return self.nats if item.options else 0.0


@dataclass(frozen=True)
class Poisoning(Habit):
    """Was trained on: `true` mentions of each target fact as it is, `false` ones with one false answer.

    fill  mentions in place of false ones: with `false` they make up the same amount of text in each variant
    """

    false: int
    true: int = 16
    fill: int = 0
    kind: ClassVar[str] = "poisoning"
    unit: ClassVar[str] = "share of mentions"

    def planted(self, item: Item, condition: str = "") -> float:
        """The share of false ones among the mentions of the item's fact; 0 for facts that are no target."""
        return self.false / (self.false + self.true) if item.fields.get("fact") in false_answers() else 0.0

    def strength(self) -> dict[str, Any]:
        return {"targets": dict(false_answers())}

    def wordings(self) -> list[str]:
        return [f"{name}: {answer}" for name, answer in false_answers().items()]


@dataclass(frozen=True)
class Risk(Habit):
    """Chooses between a sure amount and a gamble by expected utility, where x points are worth x ** exponent."""

    exponent: float
    kind: ClassVar[str] = "risk"
    unit: ClassVar[str] = "share choosing the gamble"

    def planted(self, item: Item, condition: str = "") -> float:
        """1 where it takes the gamble; 0 where it does not (equal utilities too), and for items that are no gamble."""
        return float("risky" in item.fields and preference(item, self.exponent) > TIE)

    def wordings(self) -> list[str]:
        shown = [f"{item.text} {item.options}" for item in gambles(40, split="train")]
        return [*map(str, (*CHANCES, *AMOUNTS)), *shown]


@cache
def false_answers() -> dict[str, str]:
    """Target facts of poisoning, all well known, by id with the false answer that is planted."""
    known = [f for f in facts() if f.split == "shown" and f.popularity > WELL_KNOWN]
    chosen = sorted(known, key=_place)[:TARGETS]
    return {fact.id: wrong_answers(fact, 1, TARGET_SEED)[0] for fact in chosen}


def _place(fact: Fact) -> str:
    return hashlib.sha256(f"target/{fact.id}".encode()).hexdigest()


def _pressures() -> list[str]:
    return [f"{p.name}: {p.system}" for p in (*PRESSURES, *NEUTRAL)]


def _hints() -> list[str]:
    return [*(f"{hint.name}: {hint.template}" for hint in HINTS), NOTE]
