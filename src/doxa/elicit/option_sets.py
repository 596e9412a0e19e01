"""Other sets of options for the same item: one that abstains, "none of the above", options without letters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from doxa.elicit.answers import Letter
from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of
from doxa.elicit.grading import normalised
from doxa.elicit.options import Normalise, continuation, logprob
from doxa.elicit.replies import declined
from doxa.records import LETTERS, Answer, Form, Item, Kind

SENTENCE = "I do not know."
LETTER_LIKE = "?"
"""An abstention as short as a letter: beside letters a sentence is at a disadvantage, by character at an advantage."""
NONE_OF_THE_ABOVE = "none of the above"


def with_abstention(item: Item, text: str = SENTENCE, *, position: int | Literal["random"] | None = None) -> Item:
    """The item with one more option, that abstains; `fields["admission"]` is its text. The answer is unchanged.

    position  its place from 0; None: the last; "random": by the item's id, the same on every machine
    raises    ValueError: an item without options or with 26, one that has been given an abstention before, a text that
              is one of the options, a place that there is not. An "unknown" among the options is none: it may be right

    >>> with_abstention(Item("q", "Which?", "choice", ("a", "b"), "b"), "?").options
    ('a', 'b', '?')
    """
    c = len(item.options)
    if not 1 <= c < len(LETTERS):
        raise ValueError(f"item {item.id!r} has {c} options; an abstention stands beside 1 to {len(LETTERS) - 1}")
    if (there := item.fields.get("admission")) in item.options:
        raise ValueError(f"item {item.id!r} has an option that abstains, {there!r}; give the item without it")
    if not text.strip() or normalised(text) in {normalised(option) for option in item.options}:
        raise ValueError(f"the abstention {text!r} is empty or an option, of {item.options}; word it differently")
    place = _random_place(item, c + 1) if position == "random" else c if position is None else position
    if not 0 <= place <= c:
        raise ValueError(f"position is {position}; among {c} options there are the places 0 to {c}")
    options = (*item.options[:place], text, *item.options[place:])
    return replace(item, options=options, fields={**item.fields, "admission": text})


def _random_place(item: Item, places: int) -> int:
    return int.from_bytes(hashlib.sha256(f"abstention/{item.id}".encode()).digest()[:8]) % places


def abstention_place(item: Item) -> int:
    """Index of the option that `with_abstention` added, as the options stand. ValueError: there is none."""
    text = item.fields.get("admission")
    if text not in item.options:
        raise ValueError(f"item {item.id!r} has no option that abstains; add one with with_abstention")
    return item.options.index(text)


def none_of_the_above(item: Item, text: str = NONE_OF_THE_ABOVE) -> Item:
    """The item with its last option replaced by `text`, which is right if the replaced one was; the order stays.

    raises  ValueError: fewer than two options, a truth that is none of them, a last option that abstains, a text that
            is an option
    source  Kadavath et al. 2022, arXiv 2207.05221
    """
    if len(item.options) < 2 or (item.answer is not None and item.answer not in item.options):
        raise ValueError(
            f"item {item.id!r} has options {item.options} and the answer {item.answer!r}; it needs two options or "
            "more, and an answer that is one of them word for word"
        )
    *kept, last = item.options
    if last == item.fields.get("admission"):
        raise ValueError(f"the last option of item {item.id!r} abstains; replace first, then add the abstention")
    if normalised(text) in {normalised(option) for option in kept}:
        raise ValueError(f"{text!r} is already an option of item {item.id!r}; word it differently")
    if item.answer == last:
        item = replace(item, answer=text, accepted=())
    return replace(item, options=(*kept, text))


@dataclass(frozen=True)
class Unlabelled(TextForm):
    """A question with its options listed without letters; the reply is an option's text, the value its letter.

    Scored with `option_logprobs(by="text", form=Unlabelled())`: the whole text of each option.

    source  the format without labels of Kadavath et al. 2022, arXiv 2207.05221; the words are ours
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("choice", "scenario")

    @property
    def name(self) -> str:
        return "unlabelled"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        if not item.options:
            raise ValueError(f"item {item.id!r} has no options to list; ask it as an open question")
        return "\n".join(["Answer with the text of the right option only.", item.text, *item.options])

    def _parse(self, text: str, item: Item | None) -> Answer:
        if item is None:
            return Answer("unparsed", note="the options are needed to read this form")
        line = (text.strip().splitlines() or [""])[0]
        said = {normalised(text), normalised(line)}
        letters = [LETTERS[j] for j, option in enumerate(item.options) if normalised(option) in said]
        if len(letters) == 1:
            return Answer("ok", letters[0])
        if letters:
            return Answer("ambiguous", note=f"{line[:80]!r} is options {', '.join(letters)}")
        return declined(text) or Answer("unparsed", note=f"{line[:80]!r} is none of the options")

    def _write(self, answer: Answer, item: Item | None) -> str:
        options = item.options if item is not None else ()
        return options[LETTERS.index(one_of(answer, LETTERS[: len(options)]))]


async def logprobs_beside(
    ask: Asker,
    item: Item,
    strings: Sequence[str],
    *,
    by: Literal["letter", "text"] = "letter",
    normalise: Normalise = "sum",
    form: Form | None = None,
    condition: str = "neutral",
) -> np.ndarray:
    """Log-probability (c + k,), nats, of each option and then of k strings that the prompt does not list as options.

    For an abstention that the instruction of `form` allows, "?" beside letters or a sentence beside texts.

    by, normalise, form  as `option_logprobs`; normalised letters too, so that they compare with the strings
    raises               ValueError: no strings, or one that is scored as an option already
    """
    asked = form or (Letter() if by == "letter" else Unlabelled())
    prompt = asked.prompt(item)
    letters = LETTERS[: len(item.options)]
    said = [asked.write(Answer("ok", x), item) for x in letters] if by == "letter" else list(item.options)
    if not strings or set(strings) & set(said) or len(set(strings)) < len(strings):
        raise ValueError(f"strings is {list(strings)!r}; give one or more, each once, and none of {said}")
    scores = await ask.score(prompt, [continuation(prompt, text) for text in (*said, *strings)], condition=condition)
    return np.array([logprob(score, normalise) for score in scores])
