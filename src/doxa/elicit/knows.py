"""P(IK) in words: how sure is the model, before it answers, that it would answer correctly?"""

from __future__ import annotations

from dataclasses import dataclass

from doxa.elicit.form import TextForm, confidence_text, question
from doxa.elicit.replies import percent
from doxa.records import Answer, Item

KNOWS = "the model would answer correctly"


@dataclass(frozen=True)
class Knows(TextForm):
    """A percentage instead of an answer: no answer is asked for, and none is read. It has no value.

    source  tried and dropped in Kadavath et al. 2022, arXiv 2207.05221; the words are ours
    """

    @property
    def name(self) -> str:
        return "knows"

    @property
    def target(self) -> str:
        return KNOWS

    def _text(self, item: Item) -> str:
        return (
            "Do not answer this question. How likely is it that you would answer it correctly? "
            f"Reply with a percentage only.\n{question(item)}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        said = percent(text.strip().rstrip("."))
        return Answer("unparsed", note="no percentage") if said is None else Answer("ok", None, said)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return confidence_text(answer)

    def example(self, item: Item) -> Answer:
        return Answer("ok", None, 0.85)
