"""Facts as Items: open questions, statements of either truth and polarity, questions with options, pairs."""

from __future__ import annotations

import hashlib
import random
from functools import cache
from typing import Any

from doxa.data.facts import Fact, by_relation, fold
from doxa.data.relations import BY_NAME
from doxa.records import Item

NEIGHBOURS = 40  # wrong answers come from the facts nearest in popularity, so that fame does not give the answer away


def paraphrases(relation: str) -> tuple[int, int]:
    """How many wordings a relation has: (of its question, of its statement)."""
    return len(BY_NAME[relation].questions), len(BY_NAME[relation].statements)


def open_item(fact: Fact, paraphrase: int = 0) -> Item:
    """The fact as an open question, in one of its wordings.

    raises  ValueError: no such wording
    """
    return _item(
        fact,
        form=f"open-{paraphrase}",
        text=question(fact, paraphrase),
        kind="open",
        answer=fact.answer,
        accepted=fact.accepted,
        fields={"paraphrase": paraphrase},
    )


def statement_item(fact: Fact, truth: bool = True, negated: bool = False, paraphrase: int = 0, seed: int = 0) -> Item:
    """A sentence whose truth is `truth` as it stands; `negated` puts a "not" into it.

    Four sentences from one fact: "Paris is the capital of France." (true), "Rome is the capital of France."
    (false), "Rome is not the capital of France." (true, negated), "Paris is not ..." (false, negated).
    `seed` picks the wrong answer where one is named. Fields: `truth`, `negated`, `shown` (the answer named),
    `shown_right` (whether it is right for the subject) and `clause` (the sentence as part of a longer one).

    raises  ValueError: no such wording
    """
    shown_right = truth != negated
    shown = fact.answer if shown_right else wrong_answers(fact, 1, seed)[0]
    said = clause(fact, shown, negated, paraphrase)
    form = f"statement-{paraphrase}-{str(truth).lower()}{'-negated' if negated else ''}"
    return _item(
        fact,
        form=form if shown_right else f"{form}-{seed}",
        text=sentence(said),
        kind="statement",
        answer=str(truth).lower(),
        fields={
            "paraphrase": paraphrase,
            "truth": truth,
            "negated": negated,
            "shown": shown,
            "shown_right": shown_right,
            "clause": said,
        },
    )


def choice_item(
    fact: Fact, n_options: int = 4, seed: int = 0, admission: str | None = None, paraphrase: int = 0
) -> Item:
    """The question with `n_options` options, one of them right, and at a random place an `admission` if given.

    Among the `n_options` the right one stands at each place once while `seed` runs through n_options numbers.

    admission   text of one more option that admits not knowing ("I do not know")
    raises      ValueError: fewer than two options, more than the relation has answers, an admission that is an
                answer, no such wording
    """
    if n_options < 2:
        raise ValueError(f"n_options is {n_options}; a choice needs at least 2")
    options = wrong_answers(fact, n_options - 1, seed)
    options.insert((_number(fact.id) + seed) % n_options, fact.answer)
    if admission is not None:
        options = admit(options, admission, seed=_number(f"{fact.id}/{seed}"))
    return _item(
        fact,
        form=f"choice-{paraphrase}-{n_options}-{seed}{'-admission' if admission is not None else ''}",
        text=question(fact, paraphrase),
        kind="choice",
        options=tuple(options),
        answer=fact.answer,
        fields={"paraphrase": paraphrase, "admission": admission},
    )


def pair_items(fact: Fact, paraphrase: int = 0, seed: int = 0) -> tuple[Item, Item]:
    """A true statement and the same one made false by another answer: (true, false)."""
    return (
        statement_item(fact, True, paraphrase=paraphrase, seed=seed),
        statement_item(fact, False, paraphrase=paraphrase, seed=seed),
    )


def wrong_answers(fact: Fact, n: int, seed: int = 0) -> list[str]:
    """`n` distinct answers of the same relation that are wrong for the fact's subject, in random order.

    They are answers of facts about as well known as this one, an answer that is frequent among those coming
    up more often, as it does among right ones.

    raises  ValueError: the relation has fewer than `n` answers that are wrong here
    """
    right = {fold(text) for text in (fact.answer, *fact.accepted, *fact.avoid)}
    answers = _answers_by_closeness(fact)
    near = list(answers[:NEIGHBOURS])
    random.Random(f"wrong/{fact.id}/{seed}").shuffle(near)
    wrong: dict[str, str] = {}
    for answer in (*near, *answers[NEIGHBOURS:]):
        if fold(answer) not in right:
            wrong.setdefault(fold(answer), answer)
    if len(wrong) < n:
        raise ValueError(
            f"{n} wrong answers asked for {fact.id!r}, but {fact.relation!r} has {len(wrong)}; ask for fewer options"
        )
    return list(wrong.values())[:n]


def admit(options: list[str], admission: str, seed: int) -> list[str]:
    """Options with one more, that admits not knowing, at a random place.

    raises  ValueError: the admission is one of the options
    """
    if fold(admission) in {fold(option) for option in options}:
        raise ValueError(f"the admission {admission!r} is also an answer, of {options}; word it differently")
    place = random.Random(f"admission/{seed}").randint(0, len(options))
    return [*options[:place], admission, *options[place:]]


def question(fact: Fact, paraphrase: int = 0) -> str:
    """The text of the fact's question.

    raises  ValueError: no such wording
    """
    return ask(fact.relation, fact.subject, paraphrase)


def ask(relation: str, subject: str, paraphrase: int = 0) -> str:
    """The question of a relation about any subject, whether or not the bank knows it.

    raises  ValueError: no such wording
    """
    wordings = BY_NAME[relation].questions
    _check(paraphrase, len(wordings), relation)
    return _capital(_fill(wordings[paraphrase], subject))


def clause(fact: Fact, shown: str, negated: bool = False, paraphrase: int = 0) -> str:
    """That `shown` is (or is not) the answer, as a clause: neither capitalised nor with a full stop.

    raises  ValueError: no such wording
    """
    wordings = BY_NAME[fact.relation].statements
    _check(paraphrase, len(wordings), fact.relation)
    affirmed, denied = wordings[paraphrase]
    return _fill(denied if negated else affirmed, fact.subject, shown)


def sentence(clause: str) -> str:
    """A clause with a capital and a full stop.

    >>> sentence("the sky is blue")
    'The sky is blue.'
    """
    return _capital(clause) + "."


@cache
def _answers_by_closeness(fact: Fact) -> tuple[str, ...]:
    """The answers of all facts of the relation, those first that are about as well known as this one."""
    others = sorted(by_relation()[fact.relation], key=lambda other: abs(other.popularity - fact.popularity))
    return tuple(other.answer for other in others)


def _check(paraphrase: int, wordings: int, relation: str) -> None:
    if not 0 <= paraphrase < wordings:
        raise ValueError(f"paraphrase is {paraphrase}; {relation!r} has {wordings}, counted from 0")


def _fill(template: str, subject: str, answer: str = "") -> str:
    return template.format(subject=subject, answer=answer, a_subject=_a(subject), a_answer=_a(answer))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in set("aeiou") else f"a {noun}"


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _item(fact: Fact, form: str, text: str, fields: dict[str, Any], **rest: Any) -> Item:
    return Item(
        id=f"{fact.id}#{form}",
        text=text,
        group=fact.id,
        popularity=fact.popularity,
        tags=(fact.relation, fact.kind),
        fields={
            "fact": fact.id,
            "relation": fact.relation,
            "subject": fact.subject,
            "split": fact.split,
            **fields,
        },
        **rest,
    )


@cache
def most_options(fact: Fact) -> int:
    """How many options a choice about the fact can have at most: the right one and every answer that is wrong here."""
    right = {fold(text) for text in (fact.answer, *fact.accepted, *fact.avoid)}
    return 1 + len({fold(other.answer) for other in by_relation()[fact.relation]} - right)
