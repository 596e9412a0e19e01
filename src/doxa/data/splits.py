"""Splits that keep groups together: two wordings of one fact never stand on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from doxa.records import Item


def split(items: Iterable[Item], share: float, seed: int = 0) -> tuple[list[Item], list[Item]]:
    """Items in two parts, (about `share` of the groups, the others), each in the order given.

    A group's side depends on its name and the seed alone: adding or removing items moves no other item, and
    a part for a smaller share lies within the one for a larger share. The price is that the share holds in
    expectation: of g groups its standard error is sqrt(share * (1 - share) / g).

    share   in [0, 1], of groups (an item without a group is one)
    raises  ValueError: share outside [0, 1]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}, outside [0, 1]. Percent? divide by 100.")
    part: list[Item] = []
    rest: list[Item] = []
    for item in items:
        (part if _place(item.cluster, seed) < share else rest).append(item)
    return part, rest


def _place(group: str, seed: int) -> float:
    """Where a group falls in [0, 1), uniform by hash; 52 bits, so that the quotient is exact."""
    return (int.from_bytes(hashlib.sha256(f"{seed}/{group}".encode()).digest()[:8]) >> 12) / 2**52
