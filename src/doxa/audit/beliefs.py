"""Beliefs: what does the model know, and which of its confidences can be trusted?

The same facts are asked as open questions and as questions with four options, and for each answer every kind of
confidence that the model can give is read: the spread of its samples, its words, P(True), the log-probabilities of the
options. From these rows come knowledge by popularity, calibration and discrimination of each reading, and the
triangulation: how far the readings of one belief agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from doxa.audit import beliefs_planted, knowing
from doxa.audit.bank import SOURCE, spread
from doxa.audit.knowing import Options
from doxa.data.facts import by_id, facts
from doxa.data.render import choice_item, most_options, open_item
from doxa.elicit.answers import Letter, ShortText
from doxa.elicit.options import option_belief
from doxa.elicit.p_true import p_true
from doxa.elicit.samples import by_consistency, sample_answers
from doxa.elicit.verbal import Vanilla
from doxa.records import LETTERS, Answer, Form, Item, Reading, Sampling
from doxa.study import Ask, Study

OPTION_SEED = 1000  # seeds of wrong options from here on are never used in training an organism
DECIMALS = 12  # of a confidence: beliefs that differ by less differ by the rounding of their sums, and are tied
BRIEF = Sampling(max_tokens=48)


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One reading of one belief.

    kind        "open" or "choice"; way: how the confidence was read, "answer" for the answer alone
    answer      the answer whose confidence this is, None: unread; right answers are in `truth`
    confidence  probability in [0, 1] that `answer` is right; None: not read
    """

    kind: str
    way: str
    answer: str | None
    truth: tuple[str, ...]
    confidence: float | None = None
    popularity: float = float("nan")
    split: str = ""


def items(options: Options) -> list[Item]:
    """Open questions: four fifths about facts that may be shown in training, a fifth about those held back."""
    held_back = options.questions // 5
    shown = spread([f for f in facts() if f.split == "shown"], options.questions - held_back)
    never = spread([f for f in facts() if f.split == "never"], held_back)
    return [open_item(fact) for fact in spread([*shown, *never], options.questions, shuffled=True)]


def example() -> list[Item]:
    return items(Options(questions=10))


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    fact = by_id()[item.fields["fact"]]
    choice = choice_item(fact, min(4, most_options(fact)), seed=OPTION_SEED)
    for kind, shown, form in (("open", item, ShortText()), ("choice", choice, Letter())):
        async for row in _readings(kind, shown, form, ask, options):
            yield dataclasses.replace(row, popularity=fact.popularity, split=fact.split)


async def _readings(kind: str, item: Item, form: Form, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """The greedy answer; then the confidence in it, or in the answer that comes with it, in each way there is."""
    given, reply = await ask.answer(form, item, BRIEF)
    if "score" in ask.model.capabilities and kind == "choice":
        belief = await option_belief(ask, item)
        letter = LETTERS[int(np.argmax(belief))]
        yield _row(kind, "option log-probabilities", item, Answer("ok", letter), float(belief.max()))
    yield _row(kind, "answer", item, given, None, reply.text)
    sampled = await sample_answers(ask, form, item, options.samples, temperature=options.temperature, max_tokens=48)
    agreement = by_consistency([answer for answer, _ in sampled])
    share = agreement.of(given.value) if given.value is not None and agreement.n else None
    yield _row(kind, "samples", item, given, share, "\n".join(r.text for _, r in sampled))
    if "score" in ask.model.capabilities:
        believed = await p_true(ask, item, given.value) if given.value is not None else None
        yield _row(kind, "P(True)", item, given, believed)
    words, said = await ask.answer(Vanilla(), item, BRIEF)
    yield _row(kind, "words", item, words, words.confidence, said.text)


def _row(kind: str, reading: str, item: Item, answer: Answer, confidence: float | None, text: str = "") -> Row:
    right = (item.answer_letter or "",) if kind == "choice" else (item.answer or "", *item.accepted)
    return Row(
        item=f"{item.cluster}#open-0",
        outcome=answer.outcome,
        text=text,
        kind=kind,
        way=reading,
        answer=answer.value,
        truth=right,
        confidence=None if confidence is None else round(confidence, DECIMALS),
        group=item.cluster,
    )


study = Study(
    source=SOURCE,
    question="What does the model know, and which of its confidences can be trusted?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=knowing.score,
    null=knowing.shuffled,
    planted=beliefs_planted.PLANTED,
    graded=knowing.graded,
)
