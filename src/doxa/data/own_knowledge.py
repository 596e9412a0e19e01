"""Questions about which a model may know what it knows: facts with options and a source, sums, or a set."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from doxa.data.facts import Fact, facts
from doxa.data.generated import arithmetic
from doxa.data.history import part_of
from doxa.data.published_questions import SET
from doxa.data.published_questions import questions as published_questions
from doxa.data.render import choice_item, clause, most_options, sentence, wrong_answers
from doxa.data.splits import split
from doxa.records import LETTERS, Item

OPTION_SEED = 1000  # seeds of wrong options from here on are never used in training an organism
OPTIONS = 4
LEVELS = (1, 2, 3, 4, 5)
SOURCES = ("source", "wrong source", "other source")  # entries of Item.fields
GIVEN = ("source", "article", "context", "solution")  # columns of a set that say where the answer stands


@lru_cache(maxsize=8)
def questions(n: int, sums: int = 0, source: str | None = None) -> tuple[Item, ...]:
    """n facts at even distances in popularity, each with options, and so many sums of five levels; or a set.

    fields["source"] says what is right, "wrong source" something else in the same words, "other source" is true and
    about another question; a set's items have them where a column of `GIVEN` is there.

    source  names or paths with commas between, as `published_questions` knows them; None: the bank
    """
    if source is not None:
        found = [item for one in source.split(",") for item in published_questions(one.strip())]
        return tuple(_with_given(found))
    wide = [fact for fact in facts() if most_options(fact) >= OPTIONS]
    n = min(n, len(wide))
    chosen = [wide[i * len(wide) // n] for i in range(n)]
    about = [_about(fact, chosen[(i + max(1, n // 2)) % n]) for i, fact in enumerate(chosen)]
    each = -(-sums // len(LEVELS))
    return (*about, *[item for level in LEVELS for item in arithmetic(each, level)][:sums])


def _about(fact: Fact, other: Fact) -> Item:
    item = choice_item(fact, OPTIONS, seed=OPTION_SEED)
    wrong = wrong_answers(fact, 1, OPTION_SEED)[0]
    said = [sentence(clause(f, answer)) for f, answer in ((fact, fact.answer), (fact, wrong), (other, other.answer))]
    fields = {**item.fields, **dict(zip(SOURCES, said, strict=True))}
    return replace(item, accepted=fact.accepted, fields=fields)


def _with_given(items: Sequence[Item]) -> list[Item]:
    given = [next((str(item.fields[c]) for c in GIVEN if item.fields.get(c)), None) for item in items]
    found = []
    for i, (item, text) in enumerate(zip(items, given, strict=True)):
        j = (i + max(1, len(items) // 2)) % len(items)
        apart = items[j].cluster != item.cluster
        texts = {SOURCES[0]: text, SOURCES[2]: given[j] if apart else None}
        found.append(replace(item, fields={**item.fields, **{name: t for name, t in texts.items() if t}}))
    return found


def as_asked(item: Item) -> Item:
    """The item as its answer is sampled: a fact of the bank without its options, others as they are."""
    return replace(item, kind="open", options=()) if item.options and "fact" in item.fields else item


def wrong_option(item: Item) -> str:
    """A wrong option of the item, drawn by its id."""
    wrong = [option for option in item.options if option != item.answer and option not in item.accepted]
    return random.Random(f"wrong/{item.id}").choice(wrong)


def proposals(item: Item) -> tuple[tuple[Item, str, bool], tuple[Item, str, bool]]:
    """The right option and a wrong one: the item as it is asked, the answer in canonical form, whether it is right."""
    asked, texts = as_asked(item), (str(item.answer), wrong_option(item))
    right, wrong = (LETTERS[item.options.index(text)] if asked.options else text for text in texts)
    return (asked, right, True), (asked, wrong, False)


def kind_of(item: Item) -> str:
    """What sort of question it is: a fact's relation, a set's name, or the kind of its subject."""
    fields = item.fields
    return str(fields.get("relation") or fields.get("subject") or fields.get(SET) or item.id.split("/")[0])


def half_of(kinds: Iterable[str], named: str | None = None) -> frozenset[str]:
    """Those that are named, with commas between; None: half of them (rounded up), by hash, the same for all models."""
    if named is not None:
        return frozenset(kind.strip() for kind in named.split(","))
    order = sorted(set(kinds), key=lambda kind: hashlib.sha256(f"kind/{kind}".encode()).digest())
    return frozenset(order[: (len(order) + 1) // 2])


def held_out(group: str, train: float) -> bool:
    """Whether a group is tested on, and not trained on: by hash, the same for every model."""
    return part_of(group, train=train, calibration=0) == "test"


def drawn(group: str, share: float, train: float) -> bool:
    """Whether a group is tested on, and among so many of these that are asked again with a source: by hash."""
    name = f"source/{group}"
    return held_out(group, train) and (share >= 1 or bool(split([Item(name, "", group=name)], share)[0]))


def others(item: Item, pool: Sequence[Item], k: int) -> list[Item]:
    """k items of the pool like the item (with options, or without), of other groups, drawn by the item's id."""
    alike = [o for o in pool if bool(o.options) == bool(item.options) and o.kind == item.kind and o.answer is not None]
    alike = [o for o in alike if o.cluster != item.cluster]
    return sorted(alike, key=lambda o: hashlib.sha256(f"{item.id}\n{o.id}".encode()).digest())[:k]


def sources(item: Item, shares: Sequence[float], most: int) -> list[tuple[str, str]]:
    """The item's sources by name, at most so many words; of the right one these beginnings, "0.5 of the source"."""
    found = []
    for name in (name for name in SOURCES if item.fields.get(name)):
        for share in shares if name == SOURCES[0] else [1.0]:
            text = beginning(str(item.fields[name]), share, most=most)
            found.append((name if share == 1 else f"{share:g} of the {name}", text))
    return found


def beginning(text: str, share: float = 1.0, *, most: int | None = None) -> str:
    """The first share of a text's words, at most so many; rounded up, so that only a share of 0 is empty.

    raises  ValueError: a share outside [0, 1]

    >>> beginning("one two three four", 0.5), beginning("one two three", most=2)
    ('one two', 'one two')
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}, outside [0, 1]; of a text between nothing and all is shown")
    words = text.split()
    kept = math.ceil(share * len(words) - 1e-9)
    return text if kept == len(words) and (most is None or kept <= most) else " ".join(words[: min(kept, most or kept)])
