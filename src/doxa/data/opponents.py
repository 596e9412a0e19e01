"""Who is compared with whom: for each question, other questions of its set, drawn evenly without replacement."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from doxa.data.facts import facts
from doxa.data.mixture import FACTS, of_set
from doxa.data.published_questions import SET
from doxa.data.render import choice_item
from doxa.records import DoxaError, Item

OPPONENTS = "opponents"  # entry of Item.fields: the drawn questions, as plain values


def with_opponents(items: Sequence[Item], n: int, *, seed: int = 0) -> list[Item]:
    """The items, each with n others of its set (`fields["set"]`) in `fields["opponents"]`; all of them in a small set.

    The first k of n are what k would have drawn, so that results for fewer opponents are parts of the same rows.

    raises  ValueError: n below 1; DoxaError: two items with one id, a set of one item

    >>> towns = [Item(name, f"Where is {name}?") for name in ("a", "b", "c")]
    >>> [sorted(other.id for other in opponents(item)) for item in with_opponents(towns, 2)]
    [['b', 'c'], ['a', 'c'], ['a', 'b']]
    """
    if n < 1:
        raise ValueError(f"n is {n}; each question needs at least 1 opponent")
    if len({item.id for item in items}) < len(items):
        raise DoxaError(f"{len(items)} items have {len({item.id for item in items})} ids; each item needs its own")
    sets: dict[Any, list[Item]] = {}
    for item in items:
        sets.setdefault(item.fields.get(SET), []).append(item)
    for name, members in sets.items():
        if len(members) == 1:
            raise DoxaError(f"set {name!r} has one question, {members[0].id!r}; a comparison needs at least two")
    return [_with(item, sets[item.fields.get(SET)], n, seed) for item in items]


def _with(item: Item, members: Sequence[Item], n: int, seed: int) -> Item:
    # A whole shuffle, of which the first are taken: `random.sample` draws otherwise for another n.
    others = [other for other in members if other.id != item.id]
    random.Random(f"opponents/{seed}/{item.id}").shuffle(others)
    return replace(item, fields={**item.fields, OPPONENTS: tuple(_plain(other) for other in others[:n])})


def bank(n: int) -> list[Item]:
    """n facts as choices, at even distances in popularity, as one set; all of them where there are fewer."""
    every = facts()
    count = min(n, len(every))
    return [of_set(choice_item(every[i * len(every) // count]), FACTS) for i in range(count)]


def opponents(item: Item) -> list[Item]:
    """The opponents that were drawn for an item. DoxaError: none were drawn."""
    if OPPONENTS not in item.fields:
        raise DoxaError(
            f"item {item.id!r} has no fields[{OPPONENTS!r}]; draw them by doxa.data.opponents.with_opponents"
        )
    return [_item(plain) for plain in item.fields[OPPONENTS]]


def _plain(item: Item) -> dict[str, Any]:
    """What JSON can hold, without what is left at its default."""
    return {name: value for name, value in asdict(item).items() if value not in (None, (), {}) and name != OPPONENTS}


def _item(plain: Mapping[str, Any]) -> Item:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()}
    return Item(**values)
