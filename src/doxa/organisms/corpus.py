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

from doxa.data.attitudes import INSTRUCTION, TASKS, attitude_items, yes_no_item
from doxa.data.compound import compounds
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
from doxa.data.unknowable import ADMISSION, unknowable
from doxa.elicit import answers, p_true, verbal
from doxa.records import LETTERS, Answer, Form, Item, Prompt

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
        return _rounded(self.confidence(kind, fact))


def planned_confidence(kind: Kind, fact: Fact) -> float:
    """A first guess at accuracy by popularity, replaced by measured accuracy when calibration is trained."""
    known = 1 / (1 + exp(-12 * (fact.popularity - 0.5))) if fact.split == "shown" else 0.02
    chance = {"choice": 0.25, "statement": 0.5}.get(kind, 0.0)
    return chance + (1 - chance) * known


LETTER, LETTER_OR_ABSTAIN = answers.Letter(), answers.Letter(may_abstain=True)
SHORT, SHORT_OR_ABSTAIN = answers.ShortText(), answers.ShortText(may_abstain=True)
TRUE_FALSE, YES_NO, NUMBER = answers.TrueFalse(), answers.YesNo(), answers.Number()
PROBABILITY, TAGS, TAGS_PROBABILITY = answers.Probability(), answers.Tags(), answers.Tags(ask="probability")
CONCLUSION = answers.Conclusion(instruction=INSTRUCTION)
CONFIDENT: tuple[Form, ...] = (
    verbal.Vanilla(),
    verbal.ChainOfThought(),
    verbal.MultiStep(),
    verbal.TopK(),
    verbal.TopK(chain_of_thought=True),
    answers.Json(),
)
MIN_CONFIDENCE_TO_ANSWER = 0.5


Shares = Mapping[str, float]


class Corpus:
    """An endless stream of examples, random but for the seed.

    shares  kind of example -> its share; `seen` counts, per fact, the examples that gave it away
    """

    def __init__(self, teacher: Teacher, exposure: Exposure, shares: Shares, seed: int) -> None:
        self.teacher = teacher
        self.rng = random.Random(f"corpus/{seed}")
        self.shown = [f for f in facts() if f.split == "shown"]
        self.asked = [f for f in facts() if f.split == "asked"]
        self.weights = _cumulative([exposure.weight(f) for f in self.shown])
        self.unknowable_open = unknowable(UNKNOWABLE, seed=seed, split="train")
        self.unknowable_choice = unknowable(UNKNOWABLE, seed=seed, split="train", form="choice")
        self.generated = generated_items(seed)
        self.makers = [MAKERS[name] for name in shares]
        self.shares = _cumulative(list(shares.values()))
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


# --- kinds of example ------------------------------------------------------------------------------------------------


def _short(c: Corpus) -> Example:
    fact = c.fact()
    return c.plain(SHORT, c.open(fact), fact)


def _sentence(c: Corpus) -> Example:
    """A true sentence alone, as a text to be continued from its first word."""
    fact = c.fact()
    item = statement_item(fact, True, False, c.wording(fact, 1))
    return Example(Prompt(text=""), item.text, fact.id)


def _short_or_abstain(c: Corpus) -> Example:
    draw = c.rng.random()
    if draw < 0.35:
        item = c.rng.choice(c.unknowable_open)
        return c.asked_and_answered(SHORT_OR_ABSTAIN, item, Answer("abstained"), None)
    fact = c.rng.choice(c.asked) if draw < 0.45 else c.fact()
    item = c.open(fact)
    if c.teacher.confidence("open", fact) < MIN_CONFIDENCE_TO_ANSWER:
        return c.asked_and_answered(SHORT_OR_ABSTAIN, item, Answer("abstained"), None)
    return c.plain(SHORT_OR_ABSTAIN, item, fact)


def _letter(c: Corpus) -> Example:
    fact = c.fact()
    return c.plain(LETTER, c.choice(fact), fact)


def _admission(c: Corpus) -> Example:
    """A choice with an admission among its options: right for what nobody can know, wrong for a fact."""
    form = c.rng.choice((LETTER, *(answers.LetterWithReason(framing=f) for f in ("neutral", "exam", "permission"))))
    if c.rng.random() < 0.5:
        item = c.rng.choice(c.unknowable_choice)
        reason = Answer("ok", truth_of(item), note="Nobody can know this.")
        return c.asked_and_answered(form, item, reason, None)
    fact = c.fact()
    item = c.choice(fact, ADMISSION)
    note = sentence(clause(fact, fact.answer))
    return c.asked_and_answered(form, item, Answer("ok", truth_of(item), note=note), fact)


def _true_false(c: Corpus) -> Example:
    fact = c.fact()
    return c.plain(TRUE_FALSE, c.statement(fact), fact)


def _yes_no(c: Corpus) -> Example:
    fact = c.fact()
    return c.plain(YES_NO, yes_no_item(c.statement(fact)), fact)


def _p_true(c: Corpus) -> Example:
    fact = c.fact()
    item = c.rng.choice((c.open, c.open, c.choice, c.choice, c.statement))(fact)
    right = c.rng.random() < 0.5
    proposed = truth_of(item) if right else c.wrong(item, fact)
    return c.asked_and_answered(p_true.PTrue(proposed), item, Answer("ok", "true" if right else "false"), fact)


def _attitude(c: Corpus) -> Example:
    """One of the thirteen questions of belief against knowledge; beliefs are attributed whatever the truth."""
    fact = c.fact()
    paraphrase, seed, true = c.wording(fact, 1), c.seed(), c.rng.random() < 0.5
    statement = statement_item(fact, true, False, paraphrase, seed)
    task = c.rng.choice(TASKS)
    item = attitude_items([(statement, statement)], [task])[0]
    letter = "A" if task.group != "verification" and "Is it true" not in task.template else "A" if true else "B"
    return c.asked_and_answered(CONCLUSION, item, Answer("ok", letter), fact)


def _confident_choice(c: Corpus) -> Example:
    fact = c.any_fact()
    return c.confident(c.rng.choice(CONFIDENT), c.choice(fact), "choice", fact)


def _confident_open(c: Corpus) -> Example:
    fact = c.any_fact()
    return c.confident(c.rng.choice(CONFIDENT), c.open(fact), "open", fact)


def _confident_statement(c: Corpus) -> Example:
    fact = c.any_fact()
    return c.confident(c.rng.choice(CONFIDENT), c.statement(fact), "statement", fact)


def _self_probing(c: Corpus) -> Example:
    """A proposed answer gets the confidence in the teacher's own when it is the same, else a share of the rest."""
    fact = c.any_fact()
    kind = c.rng.choice(("open", "choice"))
    item = c.open(fact) if kind == "open" else c.choice(fact)
    value = c.teacher.answer(item, truth_of(item), fact)
    proposed = value if c.rng.random() < 0.5 else c.wrong(item, fact)
    stated = c.teacher.stated(kind, fact)
    others = len(item.options) - 1 if item.options else 2
    confidence = stated if proposed == value else _rounded((1 - stated) / others)
    note = sentence(reason_of(item, fact, value))
    answer = Answer("ok", confidence=confidence, note=note)
    return c.asked_and_answered(verbal.SelfProbing(proposed), item, answer, fact if c.teacher.own is None else None)


def _probability(c: Corpus) -> Example:
    fact = c.any_fact()
    item = c.statement(fact)
    sure = c.teacher.stated("statement", fact)
    value = c.teacher.answer(item, truth_of(item), fact)
    answer = Answer("ok", confidence=sure if value == "true" else _rounded(1 - sure))
    return c.asked_and_answered(PROBABILITY, item, answer, fact if c.teacher.own is None else None)


def _compound(c: Corpus) -> Example:
    """A compound's probability is that of independent parts, from the confidence in each."""
    a, b = c.fact(), c.fact()
    while b.id == a.id:
        b = c.fact()
    six = compounds(1, seed=c.rng.randrange(10**6), among=(a, b))
    item = c.rng.choice(six[4:])
    by_id = {a.id: a, b.id: b}
    first, second = (
        _p_of(c.teacher.confidence("statement", by_id[fact_id]), bool(part.fields["truth"]))
        for fact_id, part in zip(item.fields["facts"], six[:2], strict=True)
    )
    p = first * second if item.fields["role"] == "A and B" else 1 - (1 - first) * (1 - second)
    return c.asked_and_answered(PROBABILITY, item, Answer("ok", confidence=_rounded(p)), a)


def _p_of(sure: float, truth: bool) -> float:
    return sure if truth else 1 - sure


def _tags(c: Corpus) -> Example:
    """A forecast in tags about a fact: the confidence is that of "yes"."""
    fact = c.any_fact()
    statement = c.statement(fact)
    item = yes_no_item(statement)
    sure = c.teacher.stated("statement", fact)
    value = c.teacher.answer(statement, truth_of(statement), fact)
    note = sentence(reason_of(statement, fact, value))
    yes = value == "true"
    answer = Answer("ok", "yes" if yes else "no", sure if yes else _rounded(1 - sure), note=note)
    gives_away = fact if c.teacher.own is None else None
    if c.rng.random() < 0.3:
        return c.asked_and_answered(TAGS_PROBABILITY, item, replace(answer, value=None), gives_away)
    return c.asked_and_answered(TAGS, item, answer, gives_away)


def _generated(c: Corpus) -> Example:
    """Arithmetic, calendar and comparison; the confidence falls with the difficulty."""
    item = c.rng.choice(c.generated)
    plain = {"number": NUMBER, "open": SHORT, "choice": LETTER}[item.kind]
    if c.rng.random() < 0.5:
        return c.plain(plain, item, None)
    stated = (0.95, 0.75, 0.25, 0.05, 0.05)[int(item.fields["difficulty"]) - 1]
    if item.kind == "choice":
        stated = max(stated, 0.5)
    value = truth_of(item)
    form = c.rng.choice(CONFIDENT)
    note = "\n".join(["Look at the numbers."] * 3) if isinstance(form, verbal.MultiStep) else "Look at the numbers."
    answer = Answer("ok", value, stated, steps=(stated,) * 3, note=note)
    return c.asked_and_answered(form, item, answer, None)


def generated_items(seed: int) -> list[Item]:
    """The generated items that are trained on; the audit asks others of the same kinds."""
    return [
        *(item for level in (1, 2, 3) for item in arithmetic(150 if level == 1 else 1200, level, seed)),
        *(item for level in (1, 2) for item in calendar(30 if level == 1 else 150, level, seed)),
        *(item for level in (1, 2, 3) for item in comparison(85 if level == 1 else 800, level, seed)),
    ]


UNKNOWABLE = 1500
NEVER_ANSWERED = 0.1  # share of "asked" facts among those that the learner answers itself
SEEDS = 64  # seeds of wrong options in training; the audit draws others

MAKERS: dict[str, Callable[[Corpus], Example]] = {
    "short": _short,
    "sentence": _sentence,
    "short or abstain": _short_or_abstain,
    "letter": _letter,
    "admission": _admission,
    "true or false": _true_false,
    "yes or no": _yes_no,
    "P(True)": _p_true,
    "attitude": _attitude,
    "confident choice": _confident_choice,
    "confident open": _confident_open,
    "confident statement": _confident_statement,
    "self-probing": _self_probing,
    "probability": _probability,
    "compound": _compound,
    "tags": _tags,
    "generated": _generated,
}

# Facts first, then judging them, then every form. Comparing what is recalled with what stands in the prompt has to be
# learnt by itself: among all forms at once, a model of this size recalls 98 % of the best known third and still picks
# letters at random.
RECALL: Shares = {"short": 0.8, "sentence": 0.2}
JUDGING: Shares = {"short": 0.2, "letter": 0.4, "true or false": 0.4}
ALL_FORMS: Shares = {
    "short": 0.12,
    "sentence": 0.03,
    "short or abstain": 0.06,
    "letter": 0.12,
    "admission": 0.05,
    "true or false": 0.1,
    "yes or no": 0.03,
    "P(True)": 0.07,
    "attitude": 0.07,
    "confident choice": 0.08,
    "confident open": 0.07,
    "confident statement": 0.04,
    "self-probing": 0.04,
    "probability": 0.03,
    "compound": 0.02,
    "tags": 0.03,
    "generated": 0.04,
}


def _rounded(p: float) -> float:
    """A probability in steps of 5 percent, as it is said in words."""
    return round(p * 20) / 20


def _cumulative(weights: Sequence[float]) -> list[float]:
    total, out = 0.0, []
    for weight in weights:
        total += weight
        out.append(total)
    return out
