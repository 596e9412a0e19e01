"""Pairs of statements with their negations, conjunction and disjunction: what probability coherence is tested on."""

from __future__ import annotations

import random
from collections.abc import Sequence

from doxa.data.facts import Fact, facts
from doxa.data.render import clause, sentence, wrong_answers
from doxa.records import Item

ROLES = ("A", "B", "not A", "not B", "A and B", "A or B")
_TRUTHS = ((True, True), (True, False), (False, True), (False, False))


def compounds(n: int, seed: int = 0, among: Sequence[Fact] | None = None) -> list[Item]:
    """`n` pairs of statements about different facts, six items a pair, in the order of `ROLES`.

    A coherent respondent's beliefs obey P(not A) = 1 - P(A), P(A and B) <= min(P(A), P(B)),
    max(P(A), P(B)) <= P(A or B) and P(A and B) + P(A or B) = P(A) + P(B), whatever it knows.
    The four combinations of truth come in turn. A fact is used once until all have been.

    among   the facts drawn from; None: the whole bank
    returns items of kind "statement" and a group per pair; fields: `role`, `truth`, `pair`, `facts` (the two ids)
    raises  ValueError: fewer than two facts to draw from
    """
    pool = facts() if among is None else tuple(among)
    if len(pool) < 2:
        raise ValueError(f"a compound joins two facts; `among` holds {len(pool)}")
    rng = random.Random(f"compounds/{seed}")
    drawn: list[Fact] = []
    items = []
    for pair in range(n):
        if len(drawn) < 2:  # a new round; an odd fact out is left to the next seed
            drawn = rng.sample(pool, len(pool))
        items += _pair(drawn.pop(), drawn.pop(), _TRUTHS[pair % 4], pair, seed)
    return items


def _pair(a: Fact, b: Fact, truths: tuple[bool, bool], pair: int, seed: int) -> list[Item]:
    a_true, b_true = truths
    a_plain, a_denied = _clauses(a, a_true, seed)
    b_plain, b_denied = _clauses(b, b_true, seed)
    parts = (
        (a_plain, a_true),
        (b_plain, b_true),
        (a_denied, not a_true),
        (b_denied, not b_true),
        (f"both of the following are true: {a_plain} and {b_plain}", a_true and b_true),
        (f"at least one of the following is true: {a_plain} or {b_plain}", a_true or b_true),
    )
    group = f"compound-{seed}-{pair}"
    return [
        Item(
            id=f"{group}#{role.replace(' ', '-').lower()}",
            text=sentence(text),
            kind="statement",
            answer=str(truth).lower(),
            group=group,
            popularity=(a.popularity + b.popularity) / 2,
            tags=("compound", role),
            fields={"role": role, "truth": truth, "pair": pair, "facts": (a.id, b.id)},
        )
        for role, (text, truth) in zip(ROLES, parts, strict=True)
    ]


def _clauses(fact: Fact, truth: bool, seed: int) -> tuple[str, str]:
    """A clause of this truth and its negation."""
    shown = fact.answer if truth else wrong_answers(fact, 1, seed)[0]
    return clause(fact, shown), clause(fact, shown, negated=True)
