"""The questions that a history is made of, and those of them that graded examples may be taken from."""

from __future__ import annotations

from functools import lru_cache

from doxa.data import planted_history as planted
from doxa.data import sets
from doxa.data.facts import facts
from doxa.data.history import part_of
from doxa.data.render import open_item
from doxa.data.similar import Near, Similar
from doxa.records import Item


@lru_cache(maxsize=8)
def questions(n: int, source: str | None = None) -> tuple[Item, ...]:
    """Questions of a set by path or hub id, or n of the bank, open and at even distances in popularity.

    source  None: the bank; a name of `planted.SETS`: n made-up ones
    """
    if source is not None:
        return tuple(planted.SETS[source](n) if source in planted.SETS else sets.load(source))
    every = facts()
    n = min(n, len(every))
    return tuple(open_item(every[i * len(every) // n]) for i in range(n))


@lru_cache(maxsize=8)
def _to_learn_from(n: int, source: str | None, train: float, calibration: float) -> Similar | None:
    """Those of the training part whose truth is known; None: there are none."""
    chosen = [
        item
        for item in questions(n, source)
        if item.answer and part_of(item.cluster, train=train, calibration=calibration) == "train"
    ]
    return Similar(chosen) if chosen else None


def similar_questions(item: Item, k: int, n: int, source: str | None, train: float, calibration: float) -> list[Near]:
    """The k nearest questions of the training part, of other groups than the item's; fewer where there are no more."""
    pool = _to_learn_from(n, source, train, calibration) if k else None
    groups = {one.cluster for one in pool.pool} - {item.cluster} if pool else set()
    return pool.nearest(item, min(k, len(groups))) if pool and groups else []
