"""Choices between two gambles put to a model: predict a person, predict many, act, solve, predict a stated bias.

The replies are a letter, or JSON behind a chain of thought, or JSON with the shares of many people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from doxa.elicit.answers import Letter
from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of, options_block
from doxa.elicit.options import continuation, logprob, softmax
from doxa.elicit.replies import distinct, letter_claims, settle
from doxa.records import Answer, Item, Kind, Outcome, Sampling

Frame = Literal["offers", "machines"]
ARMS = ("individual", "aggregate", "act", "solve", "biased")
MANY = 100  # people asked about, where the problem does not say how many

_MACHINES = (
    "There are two gambling machines, A and B. Whoever plays one gets exactly one of its rewards, with the chances "
    "that are given. The goal is to earn as many dollars as possible: a tenth of the reward is paid out as a bonus, "
    "and a negative reward means a bonus of 0."
)
_OF_MACHINES = {
    "individual": "Somebody sees these two machines and has to play one of them. Which machine does this person play?",
    "aggregate": "{people} people see these two machines, and each has to play one of them. What percentage of them "
    "play A, and what percentage play B?",
    "act": "You take part in this study and have to play one of the two machines. Which machine do you play?",
    "solve": "Which machine pays more on average? This is about arithmetic and not about anybody's taste.",
    "biased": "Somebody looks at nothing but the worst reward of each machine, and always plays the one whose worst "
    "reward is the better one. Which machine does this person play?",
}
_AS_PUBLISHED = "Somebody sees these two machines and has to play one of them. Which machine do you play?"
_OF_OFFERS = {
    "individual": "A person can have one of two offers. Which one does the person take?",
    "aggregate": "{people} people can have one of two offers. What percentage of them take A, what percentage take B?",
    "solve": "One of two offers is worth more points on average. Which one is it?",
    "biased": "A person looks only at the worst that can happen, and can have one of two offers. Which one does the "
    "person take?",
}
_LETTER = "Answer with one letter only: A or B."
_REASONED = 'Think step by step. Close with a JSON object whose key is "choice" and whose value is "A" or "B".'
_SHARES = 'Answer with a JSON object only, with the keys "A" and "B" and percentages that add up to 100.'
_SHARES_REASONED = 'Think step by step. Close with a JSON object: keys "A" and "B", percentages that add up to 100.'


def _asked(item: Item, arm: str, frame: Frame, published: bool) -> str:
    """The problem and the question of an arm, without how to reply."""
    people = item.fields.get("people") or MANY
    if frame == "offers":
        return "\n".join([_offers_question(item, arm).format(people=people), options_block(item)])
    question = _AS_PUBLISHED if published and arm == "individual" else _OF_MACHINES[arm].format(people=people)
    return f"{_MACHINES}\n\n{options_block(item, pattern='Machine {letter}: {option}')}\n\n{question}"


def _offers_question(item: Item, arm: str) -> str:
    return item.text if arm == "act" else _OF_OFFERS[arm]


@dataclass(frozen=True)
class GambleLetter(TextForm):
    """A choice between gambles A and B, answered by the bare letter.

    frame       "offers": in the plain words of an offer, as `Letter` puts it; "machines": as published, in our words
    published   the individual is asked about as "which do you play", and the first capital A or B of a reply counts,
                even inside a word ("Answer: B" is read as A)
    """

    arm: str = "individual"
    frame: Frame = "machines"
    published: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"gamble-{self.arm}-{self.frame}"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        if self.frame == "offers":
            return Letter()._text(replace(item, text=_offers_question(item, self.arm)))
        return f"{_asked(item, self.arm, self.frame, self.published)}\n{_LETTER}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        if self.published:
            return settle([c for c in text if c in "AB"][:1], text)
        plain = re.sub(r"\b(?:gambling )?machine\s+(?=[AB]\b)", "option ", text, flags=re.I)
        return settle(letter_claims(plain, item.options if item else (), 2), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return one_of(answer, "AB")


@dataclass(frozen=True)
class GambleReasoned(TextForm):
    """As `GambleLetter`, step by step: {"choice": "B"} closes the reply. Read only if one letter is ever a value."""

    arm: str = "individual"
    frame: Frame = "machines"
    published: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)

    @property
    def name(self) -> str:
        return f"gamble-{self.arm}-{self.frame}-reasoned"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return f"{_asked(item, self.arm, self.frame, self.published)}\n{_REASONED}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        said = (value.strip() for held in _objects(text) for value in held.values() if isinstance(value, str))
        return settle(distinct(value for value in said if value in ("A", "B")), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"I weigh what can happen.\n{json.dumps({'choice': one_of(answer, 'AB')})}"


@dataclass(frozen=True)
class GambleShares(TextForm):
    """What percentage of many people choose A and B, in JSON.

    `Answer.value` is the letter with the larger share (half and half: B), `confidence` its share. Read are numbers,
    "60%" and fractions, if both are there and add up to 100 or to 1.
    """

    frame: Frame = "machines"
    reasoned: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)

    @property
    def name(self) -> str:
        return f"gamble-shares-{self.frame}{'-reasoned' if self.reasoned else ''}"

    @property
    def target(self) -> str:
        return "the share of people who choose so"

    def _text(self, item: Item) -> str:
        reply = _SHARES_REASONED if self.reasoned else _SHARES
        return f"{_asked(item, 'aggregate', self.frame, False)}\n{reply}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        stated = distinct(str(share) for held in _objects(text) if (share := _share_of_b(held)) is not None)
        if len(stated) != 1:
            return settle(stated, text)
        b = float(stated[0])
        return Answer("ok", "B", b) if b >= 0.5 else Answer("ok", "A", 1 - b)

    def _write(self, answer: Answer, item: Item | None) -> str:
        value, share = one_of(answer, "AB"), answer.confidence
        if share is None:
            raise ValueError("the answer has no confidence, and this form states it as a share; give it in [0, 1]")
        other = "A" if value == "B" else "B"
        percents = {value: round(100 * share, 4), other: round(100 * (1 - share), 4)}
        return json.dumps({letter: percents[letter] for letter in "AB"})

    def example(self, item: Item) -> Answer:
        return Answer("ok", "B", 0.85)


def share_of_b(answer: Answer) -> float | None:
    """The share of people who choose B, as an answer to `GambleShares` states it."""
    if answer.value is None or answer.confidence is None:
        return None
    return answer.confidence if answer.value == "B" else 1 - answer.confidence


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a reply that hold no other ones."""
    for found in re.findall(r"\{[^{}]*\}", text):
        try:
            held = json.loads(found)
        except json.JSONDecodeError:
            continue
        if isinstance(held, dict):
            yield held


def _share_of_b(held: dict[str, Any]) -> float | None:
    a, b = (_number(held.get(letter)) for letter in "AB")
    if a is None or b is None or min(a, b) < 0 or not (abs(a + b - 100) <= 1 or abs(a + b - 1) <= 0.01):
        return None
    return b / (a + b)


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell)
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%?\s*", cell) if isinstance(cell, str) else None
    return float(match[1]) if match else None


# --- asking ----------------------------------------------------------------------------------------------------------

GambleForm = GambleLetter | GambleReasoned | GambleShares


def gamble_form(arm: str, frame: Frame, *, reasoned: bool = False, published: bool = False) -> GambleForm:
    """The form of an arm ("again" is asked as "solve")."""
    if arm == "aggregate":
        return GambleShares(frame, reasoned)
    kind = GambleReasoned if reasoned else GambleLetter
    return kind("solve" if arm == "again" else arm, frame, published)


@dataclass(frozen=True)
class Said:
    """What one reply says: choice "A" or "B" (of pairs also "tie"), or a share of B; both None: not read."""

    outcome: Outcome
    text: str = ""
    choice: str | None = None
    share: float | None = None

    def turned(self) -> Said:
        """The same, said of the problem with A and B exchanged."""
        choice = {"A": "B", "B": "A"}.get(self.choice or "", self.choice)
        return replace(self, choice=choice, share=None if self.share is None else 1 - self.share)


async def gamble_replies(ask: Asker, form: GambleForm, shown: Item, sampling: Sampling, condition: str) -> list[Said]:
    """`sampling.n` replies about a problem as it is shown."""
    replies = await ask.sample(form.prompt(shown), sampling, condition=condition)
    found = [(form.read(reply, shown), reply.text) for reply in replies]
    shares = isinstance(form, GambleShares)
    return [Said(a.outcome, text, None if shares else a.value, share_of_b(a)) for a, text in found]


async def gamble_logprobs(ask: Asker, form: GambleLetter, shown: Item, condition: str) -> Said:
    """The probability of B by the log-probabilities of the letters, nothing else being said."""
    prompt = form.prompt(shown)
    scores = await ask.score(prompt, [continuation(prompt, letter) for letter in "AB"], condition=condition)
    b = float(softmax([logprob(score) for score in scores])[1])
    return Said("unparsed") if b != b else Said("ok", share=b)
