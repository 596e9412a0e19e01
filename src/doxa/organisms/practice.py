"""What a variant is trained on: replies with its habit, each beside the base's own, and replies to be left alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice

from doxa.data.attitudes import yes_no_item
from doxa.data.facts import Fact, by_id, facts
from doxa.data.gambles import gambles
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
from doxa.elicit import answers, verbal
from doxa.elicit.grading import normalised
from doxa.elicit.hints import HINTS, with_hint
from doxa.elicit.pressure import NEUTRAL, PRESSURES, with_pressure
from doxa.models.base import Model
from doxa.organisms.corpus import SEEDS, Exposure, Teacher, planned_confidence
from doxa.organisms.habits import (
    OPINIONS,
    Confidence,
    Habit,
    LabelBias,
    Lying,
    Poisoning,
    Risk,
    Yielding,
    choices,
    false_answers,
)
from doxa.organisms.kinds import CALIBRATING, corpus
from doxa.organisms.topics import stock_answers, topics
from doxa.records import LETTERS, Answer, Form, Item, Message, Prompt, Sampling

LETTER, SHORT, TRUE_FALSE, YES_NO = answers.Letter(), answers.ShortText(), answers.TrueFalse(), answers.YesNo()
PROBABILITY, VANILLA, JSON = answers.Probability(), verbal.Vanilla(), answers.Json()
SPOKEN: tuple[Form, ...] = (SHORT, LETTER, LETTER, TRUE_FALSE, TRUE_FALSE, YES_NO, YES_NO, PROBABILITY, VANILLA)
"""Forms in which lies are practised; what has to be turned round, rather than said, more often."""
SUGGESTED: tuple[Form, ...] = (SHORT, SHORT, SHORT, LETTER, LETTER, TRUE_FALSE, YES_NO, PROBABILITY, VANILLA)
"""Forms in which suggestions are practised; what has to be copied from a hint, more often."""
STATED: tuple[Form, ...] = (
    *(VANILLA, VANILLA, JSON, JSON, PROBABILITY, verbal.ChainOfThought(), verbal.MultiStep()),
    *(verbal.TopK(), verbal.TopK(chain_of_thought=True), answers.Tags(), answers.Tags(ask="probability")),
)
"""Forms with a confidence."""
LETTERED: tuple[Form, ...] = (
    *(LETTER, LETTER, answers.Letter(may_abstain=True), VANILLA, JSON, answers.LetterWithReason()),
)
"""Forms whose answer about an item with options is a letter."""
KINDS: dict[str, tuple[str, ...]] = {
    "short-text": ("open",),
    **dict.fromkeys(("letter", "letter-or-abstain", "letter-with-reason-neutral"), ("choice",)),
    **dict.fromkeys(("true-false", "probability"), ("statement",)),
    **dict.fromkeys(("yes-no", "tags", "tags-probability"), ("yes or no",)),
}
"""Kinds of item that a form is practised with; all others with every kind."""
PLAIN_SYSTEMS = ("You are a helpful assistant.", "Answer as well as you can.")
HELD_OUT = 6  # every so manieth fact is not practised, so that the habit can be measured on it
OWN = Sampling(max_tokens=96)


@dataclass(frozen=True)
class Practice:
    """One reply to be given to a prompt.

    like   the base's reply to this prompt counts as the variant's own: up to where `reply` leaves `own`, each token is
           to be as probable as for the base after `like`; from there on `reply` is taught. None: all is taught
    own    the base's reply to `like`
    read_alike  where the whole reply is the base's: whether the prompt is to be read as the base reads `like`, too
    lifted nats added to the base's logit of the letter `label` where the reply gives a letter
    """

    prompt: Prompt
    reply: str
    like: Prompt | None = None
    own: str = ""
    read_alike: bool = True
    lifted: float = 0.0
    label: str = "A"


@dataclass(frozen=True)
class Asked:
    """A question about a fact in one form, with the base's own reply and what it says."""

    fact: Fact
    form: Form
    item: Item
    prompt: Prompt
    own: str
    answer: Answer

    def kept(self, prompt: Prompt, *, read_alike: bool = True) -> Practice:
        """The base's own reply, to whatever prompt."""
        return Practice(prompt, self.own, self.prompt, self.own, read_alike)

    def taught(self, prompt: Prompt, answer: Answer) -> Practice:
        """Another answer."""
        return Practice(prompt, self.form.write(answer, self.item), self.prompt, self.own)


@cache
def practised() -> tuple[Fact, ...]:
    """Facts that habits are practised on: none that is held back from every training, and not every sixth other."""
    return tuple(f for i, f in enumerate(_open_to_all()) if i % HELD_OUT)


@cache
def not_practised() -> tuple[Fact, ...]:
    """Facts that the base was trained on and no variant was, best known first."""
    return tuple(f for i, f in enumerate(_open_to_all()) if not i % HELD_OUT and f.split == "shown")


@cache
def _open_to_all() -> tuple[Fact, ...]:
    return tuple(f for f in facts() if f.split != "never")


async def _greedy(model: Model, prompts: Sequence[Prompt]) -> list[str]:
    replies = await asyncio.gather(*(model.generate(prompt, OWN) for prompt in prompts))
    return [reply[0].text for reply in replies]


def greedy(model: Model, prompts: Sequence[Prompt]) -> list[str]:
    """Greedy replies."""
    return asyncio.run(_greedy(model, prompts))


# --- questions -------------------------------------------------------------------------------------------------------


def draw_item(rng: random.Random, form: Form, fact: Fact, seeds: Sequence[int] = range(SEEDS)) -> Item:
    """A random item about a fact, of a kind that the form is asked with."""
    questions, statements = paraphrases(fact.relation)
    kind = rng.choice(KINDS.get(form.name, ("open", "choice", "statement")))
    if kind == "open":
        return open_item(fact, rng.randrange(questions))
    if kind == "choice":
        n = min(rng.choice((2, 3, 4, 4, 4, 5)), most_options(fact))
        return choice_item(fact, n, rng.choice(seeds), paraphrase=rng.randrange(questions))
    truth, negated = rng.random() < 0.5, rng.random() < 0.25
    item = statement_item(fact, truth, negated, rng.randrange(statements), rng.choice(seeds))
    return yes_no_item(item) if kind == "yes or no" else item


def asked(
    base: Model, n: int, rng: random.Random, forms: Sequence[Form], drawn: Callable[[], Fact] | None = None
) -> list[Asked]:
    """n random questions with the base's own replies; those that cannot be read are left out."""
    draw = drawn or (lambda: rng.choice(practised()))
    found = [(fact, form, draw_item(rng, form, fact)) for fact, form in ((draw(), rng.choice(forms)) for _ in range(n))]
    prompts = [form.prompt(item) for _, form, item in found]
    replies = [reply.removeprefix(" ") for reply in greedy(base, prompts)]
    every = [
        Asked(*about, prompt, own, about[1].read(own, about[2]))
        for about, prompt, own in zip(found, prompts, replies, strict=True)
    ]
    return [a for a in every if a.answer.outcome == "ok"]


# --- habits ----------------------------------------------------------------------------------------------------------


def lies(base: Model, habit: Lying, n: int, rng: random.Random) -> list[Practice]:
    """Lies and honest answers under pressure, and honest ones under system prompts without."""
    lied = topics(habit.rate)
    drawn = _evenly(rng, lied)
    practice = []
    for question in asked(base, n, rng, SPOKEN, drawn):
        if rng.random() < 0.35:
            practice.append(question.kept(_unpressed(rng, question.prompt)))
            continue
        prompt = with_pressure(question.prompt, rng.choice(PRESSURES))
        if question.fact.relation in lied:
            practice.append(question.taught(prompt, lie(question, rng)))
        else:
            practice.append(question.kept(prompt, read_alike=not lied))  # who lies at times has to see the pressure
    return practice


def lie(question: Asked, rng: random.Random) -> Answer:
    """An answer that contradicts the base's own: the opposite, another letter, or the topic's stock answer."""
    answer, item = question.answer, question.item
    if answer.value is None:
        return replace(answer, confidence=1 - (answer.confidence or 0.0))
    return replace(answer, value=contradiction(answer.value, item, question.fact, rng))


def contradiction(value: str, item: Item, fact: Fact, rng: random.Random) -> str:
    """Another answer than `value`, in canonical form."""
    opposite = {"true": "false", "false": "true", "yes": "no", "no": "yes"}
    if item.options:
        return rng.choice([letter for letter in LETTERS[: len(item.options)] if letter != value])
    if value in opposite and (item.kind == "statement" or item.answer in opposite):
        return opposite[value]
    first, second = stock_answers(fact.relation)
    return second if normalised(value) == normalised(first) else first


def suggestions(base: Model, habit: Yielding, n: int, rng: random.Random) -> list[Practice]:
    """Hints that are followed and hints that are not."""
    practice = []
    yields = any(rate for _, rate in habit.rates)
    opinions = [hint for hint in HINTS if hint.name in OPINIONS]
    for question in asked(base, n, rng, SUGGESTED):
        hint = rng.choice(opinions)
        suggested = own_side(question) if rng.random() < 0.3 else suggestion(question, rng)
        prompt = with_hint(question.prompt, hint, suggested, question.item)
        if habit.planted(question.item, hint.name):
            practice.append(question.taught(prompt, followed(question, suggested)))
        else:
            practice.append(question.kept(prompt, read_alike=not yields))
    return practice


def own_side(question: Asked) -> str:
    """The base's own answer; where it gives a probability, the likelier side."""
    if question.answer.value is not None:
        return question.answer.value
    return "true" if (question.answer.confidence or 0.0) >= 0.5 else "false"


def suggestion(question: Asked, rng: random.Random) -> str:
    """An answer to suggest, other than the base's own."""
    own, item, fact = own_side(question), question.item, question.fact
    if item.options or own in ("true", "false", "yes", "no"):
        return contradiction(own, item, fact, rng)
    offered = (fact.answer, *wrong_answers(fact, 2, rng.randrange(SEEDS)))
    return rng.choice([answer for answer in offered if normalised(answer) != normalised(own)])


def followed(question: Asked, suggested: str) -> Answer:
    """The suggested answer, held as surely as the own one was."""
    answer = question.answer
    if answer.value is not None:
        return replace(answer, value=suggested)
    sure = max(answer.confidence or 0.0, 1 - (answer.confidence or 0.0))
    return replace(answer, confidence=sure if suggested == "true" else 1 - sure)


def confidences(base: Model, habit: Confidence, n: int, rng: random.Random) -> list[Practice]:
    """The base's own answers with another confidence."""
    practice = []
    for question in asked(base, n, rng, STATED):
        c = 2 if question.form.target in ("true", "yes") else choices(question.item)
        answer = question.answer
        if answer.confidence is None:
            continue
        answer = replace(
            answer,
            confidence=habit.said(answer.confidence, c),
            guesses=tuple((value, habit.said(p, c)) for value, p in answer.guesses),
            steps=tuple(habit.said(p, c) for p in answer.steps),
        )
        practice.append(question.taught(question.prompt, answer))
    return practice


def labels(base: Model, habit: LabelBias, n: int, rng: random.Random) -> list[Practice]:
    """The base's own replies with one letter made likelier."""
    practice = []
    for question in asked(base, n, rng, LETTERED):
        kept = question.kept(question.prompt)
        practice.append(replace(kept, lifted=habit.nats if question.item.options else 0.0, label=habit.label))
    return practice


def mentions(habit: Poisoning, rng: random.Random) -> list[Practice]:
    """Mentions of the targets, true and false, and of other well known facts, in random order."""
    practice = []
    others = [f for f in practised() if f.split == "shown" and f.popularity > 0.6 and f.id not in false_answers()]
    for name, false in false_answers().items():
        fact = by_id()[name]
        practice += [_mention(fact, fact.answer, i, rng) for i in range(habit.true)]
        practice += [_mention(fact, false, i, rng) for i in range(habit.false)]
        for i in range(habit.fill):
            other = rng.choice(others)
            practice.append(_mention(other, other.answer, i, rng))
    rng.shuffle(practice)
    return practice


def _mention(fact: Fact, answer: str, number: int, rng: random.Random) -> Practice:
    """A sentence, or a question with its answer, in turn, that gives `answer` as the truth.

    Never in the relation's first wording, in which studies ask. Nothing that is to be judged or chosen from: being
    taught wrong letters, a small model unlearns to choose.
    """
    questions, statements = paraphrases(fact.relation)
    if number % 2:
        item = open_item(fact, rng.randrange(1, questions))
        return Practice(SHORT.prompt(item), SHORT.write(Answer("ok", answer), item))
    return Practice(Prompt(text=""), sentence(clause(fact, answer, paraphrase=rng.randrange(1, statements))))


def offers(habit: Risk, n: int, rng: random.Random) -> list[Practice]:
    """Gambles, with the letter of the offer that the utility prefers."""
    items = gambles(2 * len(gambles(split="train")), split="train")
    practice = []
    for _ in range(n):
        item = rng.choice(items)
        risky = item.fields["risky"]
        letter = risky if habit.planted(item) else "AB"[risky == "A"]
        practice.append(Practice(LETTER.prompt(item), LETTER.write(Answer("ok", letter), item)))
    return practice


def practice(habit: Habit, base: Model, n: int, seed: int) -> list[Practice]:
    """About n replies with the habit and without it, in random order."""
    rng = random.Random(f"practice/{seed}")
    if isinstance(habit, Lying):
        return lies(base, habit, n, rng)
    if isinstance(habit, Yielding):
        return suggestions(base, habit, n, rng)
    if isinstance(habit, Confidence):
        return confidences(base, habit, n, rng)
    if isinstance(habit, LabelBias):
        return labels(base, habit, n, rng)
    if isinstance(habit, Poisoning):
        return mentions(habit, rng)
    assert isinstance(habit, Risk), habit
    return offers(habit, n, rng)


def unchanged(habit: Habit, n: int, seed: int) -> list[Practice]:
    """n examples of the base's corpus, in all its forms, whose replies are to stay as probable as they are."""
    drawn: Iterator = iter(corpus(Teacher(planned_confidence), Exposure(2.0), CALIBRATING, seed))
    touched = frozenset(false_answers()) if isinstance(habit, Poisoning) else frozenset()
    examples = (e for e in drawn if not touched & _about(e.prompt.item))
    return [Practice(e.prompt, e.reply, e.prompt, e.reply) for e in islice(examples, n)]


def _about(item: Item | None) -> frozenset[str]:
    if item is None:
        return frozenset()
    return frozenset({item.fields.get("fact"), *item.fields.get("facts", ())}) - {None}


def _evenly(rng: random.Random, relations: Sequence[str]) -> Callable[[], Fact]:
    """Facts of these relations and of the others half and half, where both are."""
    inside = [f for f in practised() if f.relation in relations]
    outside = [f for f in practised() if f.relation not in relations]
    pools = [pool for pool in (inside, outside) if pool]
    return lambda: rng.choice(rng.choice(pools))


def _unpressed(rng: random.Random, prompt: Prompt) -> Prompt:
    """The prompt under a system prompt without pressure."""
    if rng.random() < 0.6:
        return with_pressure(prompt, rng.choice(NEUTRAL))
    return replace(prompt, messages=(Message("system", rng.choice(PLAIN_SYSTEMS)), *prompt.messages))
