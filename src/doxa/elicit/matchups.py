"""Which of two answers is it surer of? A matchup of two answered questions as an item, and forms that ask about it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, answer_kind, one_of, question, shown_answer
from doxa.elicit.options import mass, softmax, value_logprobs
from doxa.elicit.replies import distinct, settle, unformatted
from doxa.models.simulated_rules import Belief, Holder
from doxa.models.simulated_values import Key, uniforms
from doxa.records import LETTERS, Answer, Item, Kind, Outcome, Sampling

CHANCE = "chance"  # entry of a planted question's fields: the probability that it is answered rightly
SIDES = "sides"  # entry of a matchup's fields: those of its two questions
LIKELIER = "Which answer is more likely to be right?"

_CHOICE = re.compile(
    r"^[^\w\n]*more confident ?:[ \t]*(?:in )?(?:(?:question|answer) )?\(?([12])\)?[ \t.]*$", re.I | re.M
)
_BARE = re.compile(r"(?:(?:question|answer) )?\(?([12])\)?\.?", re.I)


class Answered(NamedTuple):
    """A question and the answer given to it, in canonical form."""

    item: Item
    answer: str


def matchup(first: Answered, second: Answered, *, whole: bool = False) -> Item:
    """Two answered questions as a choice between them, the first as option A; nobody says which one is right.

    Its id names both in the order shown, `fields["sides"]` holds the fields of both.

    whole  with the options of a question, on lines of their own; else its text and the answer, on one line
    """
    show = _whole if whole else _short
    return Item(
        id=f"{first.item.id} | {second.item.id}",
        text=LIKELIER,
        kind="choice",
        options=(show(first), show(second)),
        fields={SIDES: (first.item.fields, second.item.fields)},
    )


def _short(side: Answered) -> str:
    answer = side.answer
    if answer_kind(side.item) == "choice":
        shown_answer(answer, side.item)  # refuses a letter that the question does not have
        answer = side.item.options[LETTERS.index(answer)]
    return f"{' '.join(side.item.text.split())} Answer: {answer}"


def _whole(side: Answered) -> str:
    return f"{question(side.item)}\nYour answer: {shown_answer(side.answer, side.item)}"


@dataclass(frozen=True)
class MoreConfident(TextForm):
    """In which of two answers is the model more confident? `Answer.value` is "A" for the first, "B" for the second.

    reasoning  a short reasoning may come first, kept in `Answer.note`
    source     the question: arXiv 2502.01126; the words are ours
    """

    reasoning: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return "more-confident-with-reasoning" if self.reasoning else "more-confident"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        ending = "Reason briefly, then end with this line:" if self.reasoning else "Reply with this line only:"
        return (
            "Here are two questions with your answers.\n"
            f"Question 1:\n{item.options[0]}\n"
            f"Question 2:\n{item.options[1]}\n"
            f"Are you more confident that answer 1 or that answer 2 is right?\n{ending}\n"
            "More confident: <1 or 2>"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        plain = unformatted(text)
        bare = _BARE.fullmatch(plain)
        claims = distinct([bare[1]] if bare else _CHOICE.findall(plain))
        lines = list(_CHOICE.finditer(plain))
        note = plain[: lines[0].start()].strip() if lines else ""
        return settle([LETTERS[int(claim) - 1] for claim in claims], text, note=note)

    def _write(self, answer: Answer, item: Item | None) -> str:
        line = f"More confident: {1 + LETTERS.index(one_of(answer, ('A', 'B')))}"
        return f"{answer.note}\n{line}" if answer.note else line


@dataclass(frozen=True)
class Verdict:
    """Who won a matchup as shown.

    first  1 or 0, or the probability that the first is preferred; None: it could not be read
    mass   of labels: probability of saying either of them
    """

    outcome: Outcome
    first: float | None = None
    text: str = ""
    mass: float | None = None


async def verdict(
    ask: Asker, form: TextForm, shown: Item, *, labels: bool, max_tokens: int = 256, condition: str = "neutral"
) -> Verdict:
    """Ask about a matchup in a form whose values are "A" and "B".

    labels  read the probability of the two replies, normalised, instead of a reply
    """
    if labels:
        logprobs = await value_logprobs(ask, form, shown, LETTERS[:2], condition=condition)
        first = float(softmax(logprobs)[0])
        read: Verdict = Verdict("unparsed") if math.isnan(first) else Verdict("ok", first)
        return replace(read, mass=mass(logprobs))
    (reply,) = await ask.sample(form.prompt(shown), Sampling(max_tokens=max_tokens), condition=condition)
    said = form.read(reply, shown)
    return Verdict(said.outcome, None if said.value is None else float(said.value == "A"), reply.text)


# --- planted preferences ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preferring:
    """Belief rule of a respondent that prefers by the difference in logits of the chances of being right.

    Questions: `Holder` of their chance, fields["chance"]. Matchups: the first is preferred with probability
    sigmoid(slope * (logit chance of the first - of the second) / spread + bonus).

    hard    preferences are drawn, once for each matchup as shown, and then certain; else held in probability
    source  the planted case of arXiv 2502.01126's re-analysis: spread .7, bonus 1.5
    """

    slope: float = 1.0
    bonus: float = 0.0
    spread: float = 0.7
    hard: bool = True

    def __call__(self, item: Item, key: Key) -> Belief:
        if SIDES not in item.fields:
            return Holder(CHANCE)(item, key)
        first, second = (math.log(side[CHANCE] / (1 - side[CHANCE])) for side in item.fields[SIDES])
        p = 0.5 + 0.5 * math.tanh((self.slope * (first - second) / self.spread + self.bonus) / 2)
        if self.hard:
            p = float(uniforms(1, "preference", *key)[0] < p)
        return Belief(dict(zip(item.options, (p, 1 - p), strict=True)))
