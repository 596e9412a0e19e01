"""P(True): the probability that a model gives to a proposed answer being true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of, question, shown_answer
from doxa.elicit.options import softmax, value_logprobs
from doxa.elicit.replies import distinct, letter_claims, settle, word_claims
from doxa.records import Answer, Item

_LETTER = {"true": "A", "false": "B"}


@dataclass(frozen=True)
class PTrue(TextForm):
    """Is a proposed answer true or false? The reply is (A) for true, (B) for false; `Answer.value` "true" or "false".

    answer      the answer to be judged, in canonical form (a letter for an item with options)
    brainstorm  other sampled answers that are shown first, the judged one among them
    source      Kadavath et al. 2022, arXiv 2207.05221
    """

    answer: str
    brainstorm: tuple[str, ...] = ()
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return "p-true-brainstorm" if self.brainstorm else "p-true"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        ideas = [shown_answer(idea, item) for idea in self.brainstorm]
        first = ["Here are some brainstormed ideas:", *ideas] if ideas else []
        lines = [
            "Is the proposed answer to this question true or false?",
            "Reply with (A) or (B) only.",
            "(A) True",
            "(B) False",
            question(item),
            *first,
            "Proposed answer:",
            shown_answer(self.answer, item),
        ]
        return "\n".join(lines)

    def _parse(self, text: str, item: Item | None) -> Answer:
        letters = {"A": "true", "B": "false"}
        claims = [letters[c] for c in letter_claims(text, ("True", "False"), 2)] or word_claims(text, ("true", "false"))
        return settle(distinct(claims), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"({_LETTER[one_of(answer, tuple(_LETTER))]})"

    def example(self, item: Item) -> Answer:
        return Answer("ok", "true")


async def p_true(
    ask: Asker, item: Item, answer: str, *, brainstorm: Sequence[str] = (), condition: str = "neutral"
) -> float:
    """Probability in [0, 1] that `answer` is right: "(A)" against "(B)", normalised over the two.

    answer  in canonical form: a letter for an item with options, "true" or "false" for a statement, else text
    """
    form = PTrue(answer, tuple(brainstorm))
    return float(softmax(await value_logprobs(ask, form, item, ("true", "false"), condition=condition))[0])
