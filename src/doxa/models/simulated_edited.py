"""A respondent whose replies are changed on their way: what it decides stays, how it says so does not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from doxa.models.base import Context, Model
from doxa.models.simulated_rules import check_probability
from doxa.models.simulated_values import uniforms
from doxa.records import DoxaError, Form, Item, Prompt, Reply, Sampling, Token

Change = Callable[[Reply, Prompt, Item], Reply]


class Edited(Model):
    """Another model's replies, after `change(reply, prompt, item)`; the item is as it was shown.

    name     of the change: says what is done, and what its draws depend on
    rate     share of items whose replies are changed, the same ones at every asking
    raises   DoxaError: a rate outside [0, 1]; from generate: a prompt that does not say what is asked about
    """

    stored = False

    def __init__(self, model: Model, change: Change, name: str, *, rate: float = 1.0) -> None:
        self.model, self.change, self.name, self.rate = model, change, name, check_probability("rate", rate)
        self.address = f"{model.address} ({name})"
        self.capabilities = model.capabilities & frozenset({"generate", "logprobs"})

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"model": dict(self.model.identity), "change": self.name, "rate": self.rate}

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """The other model's replies, changed for this item or not."""
        replies = await self.model.generate(prompt, sampling, context)
        asked = context.item if context is not None and context.item is not None else prompt.item
        if asked is None:
            raise DoxaError(f"{self.address} is not told what is asked about: Prompt.item and Context.item are not set")
        if uniforms(1, self.name, asked.id)[0] >= self.rate:
            return replies
        return [self.change(reply, prompt, prompt.item or asked) for reply in replies]


def about_its_answer(reply: Reply, prompt: Prompt, item: Item) -> Reply:
    """The reply to a form that asks for P(yes), with the confidence in its answer instead: 1 - number after a "no"."""
    form = _form(prompt)
    read = form.read(reply, item)
    if read.value != "no" or read.confidence is None:
        return reply
    return replace(reply, text=form.write(replace(read, confidence=round(1 - read.confidence, 9)), item))


def in_words(sure: float, reply: Reply, prompt: Prompt, item: Item) -> Reply:
    """The reply with each word a token; the first that is the answer has the reply's log-probability, the rest `sure`.

    raises  DoxaError: a reply without log-probabilities, or without an answer among its words
    """
    answer, words = _form(prompt).read(reply, item).value, re.findall(r"\s*\S+", reply.text)
    places = [place for place, word in enumerate(words) if word.strip(" \n,.:") == answer]
    if not reply.tokens or not places:
        raise DoxaError(f"{reply.text!r} has no log-probabilities, or the answer {answer!r} is none of its words")
    logprobs = [reply.tokens[0].logprob if place == places[0] else math.log(sure) for place in range(len(words))]
    return replace(reply, tokens=tuple(Token(word, p) for word, p in zip(words, logprobs, strict=True)))


def _form(prompt: Prompt) -> Form:
    if prompt.form is None:
        raise DoxaError("the prompt does not say in which form it asks: Prompt.form is not set")
    return prompt.form
