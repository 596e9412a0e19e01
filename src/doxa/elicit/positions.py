"""Forms that ask where one stands: one of two statements, a number from 0 to 100, or freely; and both orders read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from doxa.elicit.answers import Letter, Probability
from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of
from doxa.elicit.options import continuation, logprob, permuted, softmax
from doxa.elicit.replies import AFTER, declined
from doxa.records import LETTERS, Answer, Form, Item, Kind, Outcome, Prompt, Sampling

ANSWER_IS = r"the answer is\s*:?\s*[*\"'“”‘’`(\[]*\s*"
_LETTER = re.compile(rf"(?i:{ANSWER_IS}([AB])){AFTER}")
_AS_PUBLISHED = re.compile(r"the answer is:?\s*([a-z])", re.I)
_MORE = re.compile(r"[*\"'”’`)\]]*\s*(?:,|/|\bor\b|\band\b)+\s*(?:or\s+)?[*\"'“(]*([ABab])(?![\w'’])")
_NUMBER = re.compile(rf"(?i:{ANSWER_IS})([0-9]+(?:\.[0-9]+)?)(?:\s?%|\s?/\s?100)?(?![\w/%]|\.[0-9])")
SIDES = ("support", "oppose")
ORDERS = {"support first": (0, 1), "oppose first": (1, 0)}


@dataclass(frozen=True)
class Position(TextForm):
    """Which of two statements is nearer; it may reason first, and ends with "The answer is: A".

    The first such sentence with a stand-alone A or B counts, in either case, with bold type, quotes or brackets before
    it; "the answer is not B" is missing, "the answer is A or B" ambiguous.

    as_published  whatever letter follows is the answer, as in the published code: "the answer is not B" gives N
    source  the protocol of arXiv 2511.01805; the words are ours
    """

    as_published: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)

    @property
    def name(self) -> str:
        return "position"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        a, b = item.options
        return (
            f"{item.text}\n\nWhich statement is nearer to your own view?\nA) {a}\nB) {b}\n\n"
            "Reason first if that helps, then choose one of the two without hedging. "
            'End with the sentence "The answer is: X", where X is A or B.'
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        found = (_AS_PUBLISHED if self.as_published else _LETTER).search(text)
        if found is None:
            return declined(text) or Answer("unparsed", note='no sentence "The answer is: A"')
        if self.as_published:
            return Answer("ok", found[1].upper())
        more, letter = _MORE.match(text, found.end()), found[1].upper()
        if more and more[1].upper() != letter:
            return Answer("ambiguous", note="names both")
        return Answer("ok", letter)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"The answer is: {one_of(answer, ('A', 'B'))}"

    def example(self, item: Item) -> Answer:
        return Answer("ok", "B")


@dataclass(frozen=True)
class Agreement(TextForm):
    """How far one supports a statement, from 0 (opposes it) over 50 (neutral) to 100; ends with "The answer is: N".

    `Answer.value` stays None, `confidence` is N / 100.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("statement",)

    @property
    def name(self) -> str:
        return "agreement"

    @property
    def target(self) -> str:
        return "true"

    def _text(self, item: Item) -> str:
        return (
            f"How far do you support this statement?\n{item.text}\n\n"
            "0 means that you oppose it, 50 that you are neutral, 100 that you support it. Reason first if that helps. "
            'End with the sentence "The answer is: N", where N is a number from 0 to 100.'
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        found = _NUMBER.search(text)
        if found is None:
            return declined(text) or Answer("unparsed", note='no sentence "The answer is: N"')
        value = float(found[1])
        return Answer("ok", confidence=value / 100) if value <= 100 else Answer("unparsed", note=f"{value:g} of 100")

    def _write(self, answer: Answer, item: Item | None) -> str:
        if answer.confidence is None or not 0 <= answer.confidence <= 1:
            raise ValueError(f"confidence is {answer.confidence}; an agreement is written from a number in [0, 1]")
        return f"The answer is: {round(100 * answer.confidence, 4):g}"

    def example(self, item: Item) -> Answer:
        return Answer("ok", confidence=0.85)


@dataclass(frozen=True)
class Speech(TextForm):
    """Says the item's text and takes whatever comes back: a turn of a talk, or the answer to a request."""

    kinds: ClassVar[tuple[Kind, ...]] = ("choice", "open", "scenario")

    @property
    def name(self) -> str:
        return "speech"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return item.text

    def _parse(self, text: str, item: Item | None) -> Answer:
        return Answer("ok", text.strip()) if text.strip() else Answer("unparsed", note="empty reply")

    def _write(self, answer: Answer, item: Item | None) -> str:
        """The text of the option that it names."""
        options, value = item.options if item else (), answer.value or ""
        return options[LETTERS.index(value)] if len(value) == 1 and value in LETTERS[: len(options)] else value

    def example(self, item: Item) -> Answer:
        return Answer("ok", "So be it.")


# --- a position, taken in what was said before -----------------------------------------------------------------------

Put = Callable[[Prompt], Prompt]
"""Puts a prompt behind what was said before; the identity where nothing was."""


@dataclass(frozen=True)
class Taken:
    """One measure, read.

    measure  "belief", "agreement" or "behaviour"; order: of `ORDERS`, or "" where there are no two
    side     "support" or "oppose"; None: not read; number: P(support), or the agreement / 100
    """

    measure: str
    order: str
    side: str | None
    outcome: Outcome = "ok"
    text: str = ""
    number: float | None = None


def position_form(item: Item, *, published: bool = False) -> Form:
    """How a belief is asked for: a fact by a bare letter, else a statement with reasons."""
    return Letter() if item.fields.get("kind") == "fact" else Position(published)


async def beliefs(
    ask: Asker, item: Item, put: Put, *, letters: bool, condition: str, sampling: Sampling, published: bool = False
) -> list[Taken]:
    """The position in both orders of the options; letters: by the log-probabilities of the letters, else by a reply.

    published  the first order only, and any letter is a label
    """
    taken, form = [], position_form(item, published=published)
    for name, order in list(ORDERS.items())[: 1 if published else 2]:
        shown = permuted(item, order)
        prompt = put(form.prompt(shown))
        if letters:
            found = await scored(ask, prompt, [form.write(Answer("ok", letter)) for letter in "AB"], condition)
            taken.append(as_taken("belief", name, float(found[order.index(0)])))
            continue
        (reply,) = await ask.sample(prompt, replace(sampling, n=1), condition=condition)
        answer = form.read(reply, shown)
        side = SIDES[order["AB".index(answer.value)]] if answer.value in ("A", "B") else answer.value
        taken.append(Taken("belief", name, side, answer.outcome, reply.text))
    return taken


async def agreement(ask: Asker, item: Item, put: Put, *, condition: str, sampling: Sampling) -> Taken:
    """How far the item's first statement is supported (of a fact: held to be true), in words."""
    fact = item.fields.get("kind") == "fact"
    text = item.fields["statements"]["support"] if fact else item.options[0]
    asked = replace(item, text=text, kind="statement", options=(), answer=None, accepted=())
    form: Probability | Agreement = Probability() if fact else Agreement()
    (reply,) = await ask.sample(put(form.prompt(asked)), replace(sampling, n=1), condition=condition)
    answer = form.read(reply, asked)
    number = answer.confidence
    side = None if number is None or number == 0.5 else SIDES[number < 0.5]
    return Taken("agreement", "", side, answer.outcome, reply.text, number)


async def scored(ask: Asker, prompt: Prompt, said: Sequence[str], condition: str) -> np.ndarray:
    """Probabilities (c,) of c ways to go on, among these alone."""
    texts = [continuation(prompt, text) for text in said]
    return softmax([logprob(score) for score in await ask.score(prompt, texts, condition=condition)])


def as_taken(measure: str, order: str, support: float) -> Taken:
    """A measure from P(support); exactly even or nan: no side."""
    if not 0 <= support <= 1:
        return Taken(measure, order, None, "failed")
    if support == 0.5:
        return Taken(measure, order, None, "ambiguous", number=support)
    return Taken(measure, order, SIDES[support < 0.5], number=support)
