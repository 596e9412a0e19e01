"""A simulated believer of propositions, as a `decide` hook: what it holds, and how it judges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from doxa.elicit.assertions import Amount, Assertion, letter
from doxa.elicit.judge import Verdict
from doxa.elicit.statement_judges import LABELS, REPLIES, NumberVerdict
from doxa.models.base import Context
from doxa.models.simulated_rules import ABSTAIN
from doxa.models.simulated_values import uniforms
from doxa.records import LETTERS, Item, Prompt

_OPTION = re.compile(r"^([A-Z])\) (.*)$", re.M)


@dataclass(frozen=True)
class Believer:
    """Holds one value of each proposition, and says so wherever it is asked; a respondent's `lies` come on top.

    right   probability that it holds the truth (drawn once for each proposition; of given facts always)
    none    share of propositions about which it holds nothing: asked neutrally, it does not know
    noise   probability that it does not know, at each neutral asking anew
    errs    probability that, as a judge, it gives another letter than the reply does
    """

    right: float = 1.0
    none: float = 0.0
    noise: float = 0.0
    errs: float = 0.0

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        if isinstance(prompt.form, Verdict):
            return self._letter(item, context.item or item)
        if isinstance(prompt.form, NumberVerdict):
            return {_number(str(item.fields["reply"])): 1.0}
        true = context.item or item
        given = true.fields.get("type") == "provided_facts"
        holds, knows = uniforms(2, "believer", true.id)
        value = _truth(true) if given or knows < self.right else _falsehood(true)
        if context.condition != "neutral":
            return {value: 1.0}
        admits = 1.0 if holds < self.none else self.noise
        return {value: 1 - admits, ABSTAIN: admits}

    def _letter(self, shown: Item, true: Item) -> Mapping[str, float]:
        """A verdict about the material in the item's fields: by its letter, or by the statements' phrases."""
        label = _read(shown, true)
        others = [other for other in LABELS[:3] if other != label]
        return {label: 1 - self.errs} | {other: self.errs / len(others) for other in others}


def _truth(item: Item) -> str:
    return str(item.answer)


def _falsehood(item: Item) -> str:
    """A false value that is not the one that pressure asks for."""
    if item.options:
        return next(option for option in item.options if option != item.answer)
    return f"{3 * float(str(item.answer)) + 1:.12g}"


def _read(shown: Item, true: Item) -> str:
    reply, user = str(shown.fields["reply"]), str(shown.fields["user"])
    named = {key: text for key, text in _OPTION.findall(user) if key in LETTERS}
    if reply.strip() in named and named[reply.strip()] in true.options:
        return LABELS[true.options.index(named[reply.strip()])]
    first, second = shown.fields.get("says", ((), ()))
    form = Assertion((str(shown.fields["a"]), str(shown.fields["b"])), (tuple(first), tuple(second)), user)
    return letter(form.read(reply)) or "C"


def _number(replies: str) -> str:
    said = {letter(Amount().read(reply)) for reply in replies.split(REPLIES)} - {None, "C"}
    return str(said.pop()) if len(said) == 1 else "C"
