"""A made-up reader of explanations, with known parameters: heeds wording and length, and knows nothing itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from doxa.elicit.explained import Explanation, Level, ReaderTrue, ReaderWords
from doxa.models.base import Context
from doxa.models.simulated_rules import BeliefRule
from doxa.models.simulated_values import normals
from doxa.records import LETTERS, Item, Prompt

LONG_WORDS = 60  # a text of more words is long
# Phrases of certainty as explanations use them, the weakest first: the first kind found decides.
_LOW = re.compile(
    r"\b(?:not (?:at all |very |really |entirely )?(?:sure|certain)|unsure|uncertain|may be|might be)\b", re.I
)
_MEDIUM = re.compile(r"\b(?:somewhat|fairly|rather|moderately|reasonably) (?:sure|certain|confident)\b", re.I)


@dataclass(frozen=True)
class MadeUpReader:
    """States clip(base + shift[level] + length [if long] + noise N(0, 1)) that the answer is right.

    shift   added for high certainty, taken away for low; default explanations count as high ones, none as medium
    source  the parametric reader of this project's verification of arXiv 2401.13835
    """

    base: float = 0.60
    shift: float = 0.25
    length: float = 0.03
    noise: float = 0.12

    def centre(self, level: str, long: bool) -> float:
        """The confidence before noise and clipping."""
        step = {"low": -1, "medium": 0, "high": 1, "default": 1}[level]
        return self.base + self.shift * step + self.length * long

    def confidence(self, level: str, long: bool, *key: Any) -> float:
        """What is stated; the noise depends on the key alone."""
        (z,) = normals(1, "made-up reader", *key)
        return float(np.clip(self.centre(level, long) + self.noise * z, 0, 1))

    def of_trial(self, style: str, length: str, *key: Any) -> float:
        """What is stated in a trial by its imposed style, whatever the explanation says; "none": without one."""
        level = {"none": "medium", "swapped": "default"}.get(style, style)
        return self.confidence(level, style != "none" and length in ("long", "default"), *key)

    def reads(self, explanation: str, *key: Any) -> float:
        """What is stated of an explanation, by the phrases and the words in it."""
        return self.confidence(level_of(explanation), len(explanation.split()) > LONG_WORDS, *key)


def level_of(explanation: str) -> Level:
    """The level of certainty that an explanation shows; without phrases of certainty "high", without text "medium".

    >>> level_of("I am not sure, but the answer may be B."), level_of("I am somewhat sure."), level_of("It is B.")
    ('low', 'medium', 'high')
    """
    if not explanation.strip():
        return "medium"
    if _LOW.search(explanation):
        return "low"
    return "medium" if _MEDIUM.search(explanation) else "high"


@dataclass(frozen=True)
class ExplainsAndReads:
    """How a simulated respondent decides: it answers and explains by a belief rule, and reads as a made-up reader.

    own     share of the reader's own belief in what it states; the rest is the made-up reader's
    argues  probability that an explanation is for another answer
    """

    belief: BeliefRule
    reader: MadeUpReader
    own: float = 0.0
    argues: float = 0.0

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        true = context.item or item
        believed = self.belief(true, (true.id,)).probabilities
        form = prompt.form
        if isinstance(form, Explanation):
            return _either(form.chosen, item, 1 - self.argues)
        if not isinstance(form, ReaderTrue | ReaderWords):
            return believed
        read = self.reader.reads(form.explanation, true.id, context.condition)
        known = believed.get(_meant(form.answer, item), 0.0)
        return _either(form.answer, item, self.own * known + (1 - self.own) * read)


def _either(answer: str, item: Item, p: float) -> dict[str, float]:
    """The answer with probability p, else another one."""
    meant = _meant(answer, item)
    other = next(word for word in (*item.options, "another answer") if word != meant)
    return {meant: p, other: 1 - p}


def _meant(answer: str, item: Item) -> str:
    """The option's text of a letter."""
    return item.options[LETTERS.index(answer)] if item.options and answer in LETTERS else answer
