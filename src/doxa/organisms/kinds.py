"""The kinds of example in an organism's corpus, and in which shares each stage of training mixes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from doxa.data.attitudes import INSTRUCTION, TASKS, attitude_items, yes_no_item
from doxa.data.compound import compounds
from doxa.data.render import clause, sentence, statement_item
from doxa.data.unknowable import ADMISSION
from doxa.elicit import answers, p_true, verbal
from doxa.organisms.corpus import Corpus, Example, Exposure, Maker, Teacher, reason_of, rounded, truth_of
from doxa.records import Answer, Form, Prompt

Shares = Mapping[str, float]

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


def corpus(teacher: Teacher, exposure: Exposure, shares: Shares, seed: int) -> Corpus:
    """The corpus with these shares of the kinds in MAKERS."""
    return Corpus(teacher, exposure, [(MAKERS[name], share) for name, share in shares.items()], seed)


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
    confidence = stated if proposed == value else rounded((1 - stated) / others)
    note = sentence(reason_of(item, fact, value))
    answer = Answer("ok", confidence=confidence, note=note)
    return c.asked_and_answered(verbal.SelfProbing(proposed), item, answer, fact if c.teacher.own is None else None)


def _probability(c: Corpus) -> Example:
    fact = c.any_fact()
    item = c.statement(fact)
    sure = c.teacher.stated("statement", fact)
    value = c.teacher.answer(item, truth_of(item), fact)
    answer = Answer("ok", confidence=sure if value == "true" else rounded(1 - sure))
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
    return c.asked_and_answered(PROBABILITY, item, Answer("ok", confidence=rounded(p)), a)


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
    answer = Answer("ok", "yes" if yes else "no", sure if yes else rounded(1 - sure), note=note)
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


MAKERS: dict[str, Maker] = {
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
CHOOSING: Shares = {"short": 0.1, "letter": 0.65, "true or false": 0.25}
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

# The long replies with a confidence need the most practice to be well formed where the model knows little.
CALIBRATING: Shares = {
    "short": 0.06,
    "short or abstain": 0.05,
    "letter": 0.06,
    "admission": 0.04,
    "true or false": 0.05,
    "yes or no": 0.02,
    "P(True)": 0.05,
    "attitude": 0.05,
    "confident choice": 0.15,
    "confident open": 0.17,
    "confident statement": 0.09,
    "self-probing": 0.06,
    "probability": 0.04,
    "compound": 0.03,
    "tags": 0.04,
    "generated": 0.04,
}
