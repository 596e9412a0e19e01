"""The fact bank: real facts from the tables, each with a popularity and a fixed split."""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from doxa.data.relations import RELATIONS, Relation

Split = Literal["shown", "asked", "never"]

TABLES = Path(__file__).parent / "tables"
BLOCK = 20  # of each run of so many neighbours in popularity, a tenth is "never" and a twentieth "asked"


@dataclass(frozen=True)
class Fact:
    """One fact: `subject` stands in `relation` to `answer`.

    id          "capital-of/france"
    popularity  in [0, 1], no two alike: place in the bank's order / (number of facts - 1); 1 is the best known
    kind        kind of subject: "country", "element", ...
    split       "shown": may be trained on; "asked": asked but never answered in training; "never": held back
    accepted    other right answers and spellings
    avoid       answers that are right as well under another reading ("Perth" is in Scotland too): not accepted
                unasked, yet never offered as wrong
    """

    id: str
    relation: str
    subject: str
    answer: str
    popularity: float
    kind: str
    split: Split
    accepted: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Row:
    """A fact before it has a place in the order; `depth` in (0, 1) is its place in its own relation, best first."""

    id: str
    relation: Relation
    kind: str
    subject: str
    answers: tuple[str, ...]
    avoid: tuple[str, ...]
    depth: float


@cache
def fold(text: str) -> str:
    """Text for comparing: no case, no diacritics, no leading article, single spaces.

    >>> fold("The  Île")
    'ile'
    """
    return re.sub(r"^the ", "", " ".join(plain(text).casefold().split()))


def plain(text: str) -> str:
    """Text without diacritics.

    >>> plain("Bogotá"), plain("weiß")
    ('Bogota', 'weiss')
    """
    text = text.replace("ß", "ss").replace("œ", "oe").replace("Œ", "Oe").replace("ł", "l").replace("Ł", "L")
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def slug(text: str) -> str:
    """Text as it stands in an id.

    >>> slug("the United States")
    'united-states'
    """
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")


@cache
def facts() -> tuple[Fact, ...]:
    """The whole bank, best known first.

    The tables list their subjects best known first. The relations are interleaved: a fact's place is its
    place in its own relation, as a fraction of that relation's length, so that every stretch of popularity
    holds each relation in its share of the bank, and popularity says nothing about the relation.

    The split is by hash of the id within each `BLOCK` neighbours in popularity: the two lowest of twenty are
    "never", the next one "asked". Each decile of popularity is therefore held back in the same share.
    """
    rows = sorted((row for relation in RELATIONS for row in _rows(relation)), key=lambda row: row.depth)
    splits = [split for start in range(0, len(rows), BLOCK) for split in _splits(rows[start : start + BLOCK])]
    last = len(rows) - 1
    return tuple(
        Fact(
            id=row.id,
            relation=row.relation.name,
            subject=row.subject,
            answer=row.answers[0],
            popularity=(last - place) / last,
            kind=row.kind,
            split=split,
            accepted=row.answers[1:],
            avoid=row.avoid,
        )
        for place, (row, split) in enumerate(zip(rows, splits, strict=True))
    )


@cache
def by_relation() -> Mapping[str, tuple[Fact, ...]]:
    """The facts of each relation, best known first."""
    groups: dict[str, list[Fact]] = {relation.name: [] for relation in RELATIONS}
    for fact in facts():
        groups[fact.relation].append(fact)
    return MappingProxyType({name: tuple(group) for name, group in groups.items()})


@cache
def by_id() -> Mapping[str, Fact]:
    """The facts by their ids."""
    return MappingProxyType({fact.id: fact for fact in facts()})


def domain(relation: str) -> tuple[str, ...]:
    """The distinct answers of a relation, in the order in which they first occur.

    raises  ValueError: no such relation
    """
    if relation not in by_relation():
        raise ValueError(f"no relation {relation!r} in the fact bank; there are {', '.join(by_relation())}")
    return tuple(dict.fromkeys(fact.answer for fact in by_relation()[relation]))


def _rows(relation: Relation) -> list[_Row]:
    table = [row for row in _table(relation.table) if row[relation.column]]
    subject_column = next(iter(table[0]))
    return [
        _Row(
            id=f"{relation.name}/{slug(row[subject_column])}",
            relation=relation,
            kind=subject_column,
            subject=row[subject_column],
            answers=_answers(row, relation),
            avoid=_cell(row.get("avoid", "")),
            depth=(place + 0.5) / len(table),
        )
        for place, row in enumerate(table)
    ]


def _answers(row: Mapping[str, str], relation: Relation) -> tuple[str, ...]:
    """The answer of a row, then its other right spellings, without repeats."""
    answers = _cell(row[relation.column])
    if relation.qualifier and row[relation.qualifier]:
        answers = (*answers, *(f"{row[relation.qualifier]} {answer}" for answer in answers))
    unaccented = tuple(plain(answer) for answer in answers)
    bare = tuple(answer.removeprefix("the ") for answer in answers)
    with_article = tuple(f"the {answer.removeprefix('the ')}" for answer in answers) if relation.article else ()
    return tuple(dict.fromkeys((*answers, *unaccented, *bare, *with_article)))


def _cell(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


@cache
def _table(name: str) -> tuple[dict[str, str], ...]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _splits(block: list[_Row]) -> list[Split]:
    """The split of each row of one block; a last short block gets its share, rounded."""
    order = sorted(range(len(block)), key=lambda i: hashlib.sha256(f"split/{block[i].id}".encode()).digest())
    never, asked = round(len(block) / 10), round(len(block) / 20)
    names: list[Split] = ["shown"] * len(block)
    for place, i in enumerate(order[: never + asked]):
        names[i] = "never" if place < never else "asked"
    return names
