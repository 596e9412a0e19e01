"""Answer and confidence in one turn, or the answer first and a second, fresh turn that reflects on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from doxa.elicit.answers import Letter, Number, ShortText, TrueFalse
from doxa.elicit.form import TextForm, answer_kind
from doxa.elicit.reasoned import Reasoned, Reflection, visible, whole
from doxa.elicit.verbal import ChainOfThought, SelfProbing
from doxa.records import Answer, DoxaError, Form, Item, Reply, Sampling

STRATEGIES = ("v", "prob", "sr")

Wording = Literal["lines", "tags"]


class Asker(Protocol):
    """What asks: a study's `Ask`."""

    async def answer(
        self, form: Form, item: Item | None = None, sampling: Sampling | None = None, *, condition: str = "neutral"
    ) -> tuple[Answer, Reply]: ...


@dataclass(frozen=True)
class Turns:
    """How a question is asked under a strategy.

    strategy  v: with a confidence in percent; prob: as a probability; sr: the answer, and the confidence in a second
              conversation that is shown it
    wording   tags: reasoning and tags, as published; lines: explanation and answer line, a bare first answer for sr
    full      the second turn sees the thinking, too, and is then a longer chain of thought; else the visible text.
              Of lines it sees the answer alone
    raises    DoxaError: no such strategy, a probability asked for in lines
    source    arXiv 2504.06564
    """

    strategy: str
    wording: Wording = "lines"
    full: bool = False

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise DoxaError(f"strategy is {self.strategy!r}; there are {', '.join(STRATEGIES)}")
        if self.strategy == "prob" and self.wording == "lines":
            raise DoxaError("strategy 'prob' is asked in tags only: --wording tags, or leave it out (strategy v,sr)")

    def first(self, item: Item) -> TextForm:
        """The form of the first turn."""
        if self.wording == "tags":
            return {"v": Reasoned(), "prob": Reasoned("probability"), "sr": Reasoned("none")}[self.strategy]
        alone = {"choice": Letter(), "number": Number(), "statement": TrueFalse(), "open": ShortText()}
        return alone[answer_kind(item)] if self.strategy == "sr" else ChainOfThought()

    def second(self, value: str, reply: Reply) -> TextForm:
        """The form of the second turn, about the first answer."""
        if self.wording == "lines":
            return SelfProbing(value)
        return Reflection(value, whole(reply) if self.full else visible(reply))

    async def ask(self, ask: Asker, item: Item, sampling: Sampling) -> tuple[Answer, Reply, str]:
        """What was answered, the reply that holds the chain of reasoning, and all that was replied.

        A second turn that declines leaves an attempt without confidence: unparsed.
        """
        answer, reply = await ask.answer(self.first(item), item, sampling, condition=self.strategy)
        if self.strategy != "sr" or answer.outcome != "ok" or answer.value is None:
            return answer, reply, reply.text
        found, again = await ask.answer(self.second(answer.value, reply), item, sampling, condition=self.strategy)
        outcome = "unparsed" if found.outcome in ("abstained", "refused") else found.outcome
        text = f"{reply.text}\n\n{again.text}"
        return replace(answer, outcome=outcome, confidence=found.confidence), reply, text
