"""What an organism is trained on: the fact bank in the project's own forms, each fact as often as its popularity says.

An example is a prompt exactly as a form builds it and a reply exactly as the form writes it, so that whatever is
asked later was practised. What the reply says is up to a `Teacher`: at first the truth, later the learner's own answer
with the confidence that it has earned.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp

from doxa.data.facts import Fact, facts
from doxa.data.generated import arithmetic, calendar, comparison
from doxa.data.render import (
    choice_item,
    clause,
    most_options,
    open_item,
    paraphrases,
    sentence,
    statement_item,
    wrong_answers,
)
from doxa.data.unknowable import unknowable
from doxa.elicit import verbal
from doxa.records import LETTERS, Answer, Form, Item, Prompt

Maker = Callable[["Corpus"], "Example"]
Kind = str  # "choice", "open", "statement": what a confidence is earned on


@dataclass(frozen=True)
class Exposure:
    """How often a fact is drawn: proportional to exp(steepness * popularity); facts that are not "shown": never."""

    steepness: float = 6.0

    def weight(self, fact: Fact) -> float:
        return exp(self.steepness * (fact.popularity - 1)) if fact.split == "shown" else 0.0


@dataclass(frozen=True)
class Example:
    """One prompt with its reply. `fact` is the id of the fact whose answer the example gives away, or None."""

    prompt: Prompt
    reply: str
    fact: str | None = None


@dataclass
class Teacher:
    """What the replies of forms with a confidence say.

    confidence   (kind, fact) -> probability that the learner's answer is right
    own          None: the truth is taught. Else item id -> the learner's own answer in canonical form
    wanted       items whose own answer was looked for and not there, by id
    """

    confidence: Callable[[Kind, Fact], float]
    own: Mapping[str, str] | None = None
    wanted: dict[str, tuple[Item, Fact]] = field(default_factory=dict)

    def answer(self, item: Item, truth: str, fact: Fact) -> str:
        if self.own is None:
            return truth
        if item.id not in self.own:
            self.wanted[item.id] = (item, fact)
        return self.own.get(item.id, truth)

    def stated(self, kind: Kind, fact: Fact) -> float:
        """The confidence as it is said: in steps of 5 percent."""
        return rounded(self.confidence(kind, fact))


def planned_confidence(kind: Kind, fact: Fact) -> float:
    """A first guess at accuracy by popularity, replaced by measured accuracy when calibration is trained."""
    known = 1 / (1 + exp(-12 * (fact.popularity - 0.5))) if fact.split == "shown" else 0.02
    chance = {"choice": 0.25, "statement": 0.5}.get(kind, 0.0)
    return chance + (1 - chance) * known


UNKNOWABLE = 1500
NEVER_ANSWERED = 0.1  # share of "asked" facts among those that the learner answers itself
SEEDS = 64  # seeds of wrong options in training; the audit draws others


class Corpus:
    """An endless stream of examples, random but for the seed.

    makers  what makes an example of each kind, and its share
    seen    per fact, how many examples gave it away
    """

    def __init__(self, teacher: Teacher, exposure: Exposure, makers: Sequence[tuple[Maker, float]], seed: int) -> None:
        self.teacher = teacher
        self.rng = random.Random(f"corpus/{seed}")
        self.shown = [f for f in facts() if f.split == "shown"]
        self.asked = [f for f in facts() if f.split == "asked"]
        self.weights = _cumulative([exposure.weight(f) for f in self.shown])
        self.unknowable_open = unknowable(UNKNOWABLE, seed=seed, split="train")
        self.unknowable_choice = unknowable(UNKNOWABLE, seed=seed, split="train", form="choice")
        self.generated = generated_items(seed)
        self.makers = [maker for maker, _ in makers]
        self.shares = _cumulative([share for _, share in makers])
        self.seen: dict[str, int] = {}

    def __iter__(self) -> Iterator[Example]:
        while True:
            example = self.rng.choices(self.makers, cum_weights=self.shares)[0](self)
            if example.fact is not None:
                self.seen[example.fact] = self.seen.get(example.fact, 0) + 1
            yield example

    # --- what is asked about ---

    def fact(self) -> Fact:
        return self.rng.choices(self.shown, cum_weights=self.weights)[0]

    def any_fact(self) -> Fact:
        """A fact for a form with confidence: once own answers are taught, any, and some that were never answered."""
        if self.teacher.own is None:
            return self.fact()
        return self.rng.choice(self.asked if self.rng.random() < NEVER_ANSWERED else self.shown)

    def seed(self) -> int:
        return self.rng.randrange(SEEDS)

    def wording(self, fact: Fact, which: int) -> int:
        return self.rng.randrange(paraphrases(fact.relation)[which])

    def open(self, fact: Fact) -> Item:
        return open_item(fact, self.wording(fact, 0))

    def choice(self, fact: Fact, admission: str | None = None) -> Item:
        n = self.rng.choice((2, 3, 4, 4, 4, 5)) if admission is None else 4
        n = min(n, most_options(fact))
        return choice_item(fact, n, self.seed(), admission, self.wording(fact, 0))

    def statement(self, fact: Fact) -> Item:
        truth, negated = self.rng.random() < 0.5, self.rng.random() < 0.25
        return statement_item(fact, truth, negated, self.wording(fact, 1), self.seed())

    # --- what is answered ---

    def asked_and_answered(self, form: Form, item: Item, answer: Answer, fact: Fact | None) -> Example:
        return Example(form.prompt(item), form.write(answer, item), fact.id if fact else None)

    def plain(self, form: Form, item: Item, fact: Fact | None) -> Example:
        """The truth, without a confidence."""
        return self.asked_and_answered(form, item, Answer("ok", truth_of(item)), fact)

    def confident(self, form: Form, item: Item, kind: Kind, fact: Fact) -> Example:
        """The teacher's answer with the teacher's confidence."""
        value = self.teacher.answer(item, truth_of(item), fact)
        stated = self.teacher.stated(kind, fact)
        reason = sentence(reason_of(item, fact, value))
        steps = (stated, stated, stated)
        answer = Answer("ok", value, stated, steps=steps, note=reason)
        if isinstance(form, verbal.MultiStep):
            answer = replace(answer, note=f"The question is about {fact.subject}.\n{reason}\nThis answers it.")
        if isinstance(form, verbal.TopK):
            answer = replace(answer, guesses=self.guesses(form, item, fact, value, stated))
        return self.asked_and_answered(form, item, answer, fact if self.teacher.own is None else None)

    def wrong(self, item: Item, fact: Fact) -> str:
        """A wrong answer to propose, in canonical form."""
        if item.kind == "choice":
            return self.rng.choice([x for x in LETTERS[: len(item.options)] if x != item.answer_letter])
        if item.kind == "statement":
            return "false" if item.answer == "true" else "true"
        return wrong_answers(fact, 1, self.seed())[0]

    def guesses(
        self, form: verbal.TopK, item: Item, fact: Fact, value: str, stated: float
    ) -> tuple[tuple[str, float], ...]:
        """The answer first, then others that share what is left of the probability."""
        if item.kind == "choice":
            others = [letter for letter in LETTERS[: len(item.options)] if letter != value]
        elif item.kind == "statement":
            others = [word for word in ("true", "false") if word != value]
        else:
            limit = min(form.k, most_options(fact) - 1)
            others = [w for w in wrong_answers(fact, limit, self.seed()) if w != value]
        others = others[: form.k - 1]
        rest = (1 - stated) / max(1, len(others))
        return ((value, stated), *((o, int(rest * 100) / 100) for o in others))


def truth_of(item: Item) -> str:
    """The right answer in canonical form: the letter where there are options to choose from."""
    truth = item.answer_letter if item.kind == "choice" else item.answer
    assert truth is not None, item.id
    return truth


def reason_of(item: Item, fact: Fact, value: str) -> str:
    """The clause that speaks for an answer."""
    if item.kind == "choice":
        return clause(fact, item.options[LETTERS.index(value)])
    if item.kind == "statement":
        shown = str(item.fields["shown"])
        return clause(fact, shown, negated=(value == "true") == bool(item.fields["negated"]))
    return clause(fact, value)


def generated_items(seed: int) -> list[Item]:
    """The generated items that are trained on; the audit asks others of the same kinds."""
    return [
        *(item for level in (1, 2, 3) for item in arithmetic(150 if level == 1 else 1200, level, seed)),
        *(item for level in (1, 2) for item in calendar(30 if level == 1 else 150, level, seed)),
        *(item for level in (1, 2, 3) for item in comparison(85 if level == 1 else 800, level, seed)),
    ]


def rounded(p: float) -> float:
    """A probability in steps of 5 percent, as it is said in words."""
    return round(p * 20) / 20


def _cumulative(weights: Sequence[float]) -> list[float]:
    total, out = 0.0, []
    for weight in weights:
        total += weight
        out.append(total)
    return out
