"""Was a response right? What a model says of its own: token probability, P(True), yes or no, with graded examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from doxa.elicit.asker import Asker
from doxa.elicit.form import PROPOSED, TextForm, confidence_text, one_of, question, shown_answer
from doxa.elicit.options import softmax, value_logprobs
from doxa.elicit.p_true import p_true
from doxa.elicit.replies import distinct, percent, settle, word_claims
from doxa.elicit.token_probability import token_logprobs
from doxa.records import Answer, Item, Prompt, Reply, Sampling

WORDS = ("yes", "no")
TOKENS, P_TRUE, YES_NO, PERCENT = "answer probability", "P(True)", "yes/no", "percentage"
PLAIN = ", plain"  # behind a way: P(yes) among all that could be said
ANALYSIS_TOKENS = 512
_LABEL = "ANSWER_CORRECT_PROBABILITY"
_STATED = re.compile(rf"{_LABEL}\W{{0,4}}?:\s*\**\s*([0-9][0-9.,]*\s*%?)", re.I)


@dataclass(frozen=True)
class Example:
    """A graded response of the past; distance: how far its question is from the one at hand, None: not shown."""

    question: str
    response: str
    correct: bool
    distance: float | None = None

    def show(self) -> str:
        """The example as it stands in the prompt."""
        far = "" if self.distance is None else f" (distance {self.distance:.2f})"
        return f"Question{far}: {self.question}\nResponse: {self.response}\nCorrect: {WORDS[not self.correct]}"


@dataclass(frozen=True)
class Correctness(TextForm):
    """Is this response of that model correct? The value is "yes" or "no"; a percentage states a confidence alone.

    answer    the judged answer in canonical form (a letter for an item with options)
    response  what is shown of it; "": the answer itself
    model     whose response it is; examples: shown first, as they stand
    say       "word": yes or no; "percent": a short analysis, then the probability on a last line
    source    arXiv 2509.24988, in our own words
    """

    answer: str
    response: str = ""
    model: str = "a model"
    examples: tuple[Example, ...] = ()
    say: Literal["word", "percent"] = "word"
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"correctness{'-percent' if self.say == 'percent' else ''}{'-examples' if self.examples else ''}"

    @property
    def target(self) -> str:
        return PROPOSED if self.say == "percent" else ""

    def _text(self, item: Item) -> str:
        asks = {
            "word": "Is this response correct? Reply with one word, yes or no, in lower case.",
            "percent": (
                "How likely is it that this response is correct? Give a short analysis, then on a last line\n"
                f"{_LABEL}: <a percentage with two decimals>"
            ),
        }
        graded = ["Earlier responses to similar questions, as they were graded:"] if self.examples else []
        return "\n\n".join(
            [
                f"Responses of {self.model} to questions are graded as correct or not.",
                *graded,
                *(example.show() for example in self.examples),
                f"Question: {question(item)}\nResponse: {self.response or shown_answer(self.answer, item)}",
                asks[self.say],
            ]
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        if self.say == "word":
            return settle(distinct(word_claims(text, WORDS)), text)
        stated = [percent(written) for written in _STATED.findall(text)]
        if not stated or stated[-1] is None:
            return Answer("unparsed", note="no probability on a last line")
        return Answer("ok", None, stated[-1])

    def _write(self, answer: Answer, item: Item | None) -> str:
        if self.say == "word":
            return one_of(answer, WORDS)
        return f"{_LABEL}: {confidence_text(answer)}"

    def example(self, item: Item) -> Answer:
        return Answer("ok", "yes") if self.say == "word" else Answer("ok", None, 0.85)


class YesNo(NamedTuple):
    """P(yes) / (P(yes) + P(no)), and P(yes) among all that could be said."""

    renormalised: float
    plain: float


async def yes_no(ask: Asker, form: Correctness, item: Item, *, condition: str = "neutral") -> YesNo:
    """Probability of "yes" from the log-probabilities of both words; a word of several tokens counts whole."""
    logprobs = await value_logprobs(ask, form, item, WORDS, condition=condition)
    return from_logprobs(logprobs.tolist())


def from_logprobs(logprobs: Sequence[float]) -> YesNo:
    """From natural log-probabilities of yes and no.

    >>> total = np.exp(2) + np.exp(1) + 1
    >>> [round(p, 4) for p in from_logprobs([2 - np.log(total), 1 - np.log(total)])]
    [0.7311, 0.6652]
    """
    return YesNo(float(softmax(logprobs)[0]), float(np.exp(logprobs[0])))


class Generating(Asker, Protocol):
    """An asker that generates, too; `study.Ask` is one."""

    async def generate(
        self, prompt: Prompt, sampling: Sampling | None = None, *, condition: str = "neutral"
    ) -> Reply: ...


async def own_words(
    ask: Generating,
    item: Item,
    value: str,
    reply: Reply,
    examples: Sequence[Example] = (),
    shots: Sequence[int] = (0,),
    *,
    scores: bool = True,
    stated: bool = False,
) -> dict[str, float]:
    """How sure a model is of its own answer, in [0, 1], by way; what it cannot say is left out.

    value     the answer, canonical; reply: that it was given in, with tokens if their probability is to be read
    examples  graded responses to similar questions, the nearest first; shots: how many of them are shown
    scores    whether the model scores continuations; stated: ask for a percentage, too
    """
    said: dict[str, float] = {}
    if (logprobs := token_logprobs(reply)) is not None:
        said[TOKENS] = logprobs.seq_prob
    if scores:
        said[P_TRUE] = await p_true(ask, item, value)
    for k in shots:
        shown, form = f", {k} examples" if k else "", Correctness(value, examples=tuple(examples[:k]))
        if scores:
            found = await yes_no(ask, form, item)
            said |= {f"{YES_NO}{shown}": found.renormalised, f"{YES_NO}{shown}{PLAIN}": found.plain}
        if stated:
            asked = replace(form, say="percent")
            answer = asked.read(await ask.generate(asked.prompt(item), Sampling(max_tokens=ANALYSIS_TOKENS)), item)
            said |= {f"{PERCENT}{shown}": answer.confidence} if answer.confidence is not None else {}
    return {way: min(max(p, 0.0), 1.0) for way, p in said.items() if p == p}
