"""Splits: groups stay together, nothing moves when items are added."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doxa.data.facts import facts
from doxa.data.render import pair_items
from doxa.data.splits import split
from doxa.records import Item

ITEMS = [item for fact in facts()[:1000] for item in pair_items(fact)]


def test_groups_stay_together_and_nothing_is_lost():
    part, rest = split(ITEMS, 0.3)
    assert sorted(i.id for i in part + rest) == sorted(i.id for i in ITEMS)
    assert not {i.group for i in part} & {i.group for i in rest}
    # 1,000 groups: a standard error of sqrt(0.3 * 0.7 / 1000) = 0.0145
    assert abs(len(part) / len(ITEMS) - 0.3) < 4 * 0.0145


def test_items_without_a_group_are_their_own():
    items = [Item(id=f"q{i}", text="?") for i in range(400)]
    assert 0.3 < len(split(items, 0.5)[0]) / 400 < 0.7


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(0, 1999)), st.floats(0, 1), st.integers(0, 3))
def test_adding_items_moves_none(kept, share, seed):
    few = [ITEMS[i] for i in sorted(kept)]
    names = {item.id for item in few}
    for before, after in zip(split(few, share, seed), split(ITEMS, share, seed), strict=True):
        assert [i.id for i in before] == [i.id for i in after if i.id in names]


def test_a_smaller_share_lies_within_a_larger_and_seeds_differ():
    small, large = split(ITEMS, 0.2)[0], split(ITEMS, 0.6)[0]
    assert {i.id for i in small} <= {i.id for i in large}
    assert split(ITEMS, 0.5, seed=1) != split(ITEMS, 0.5, seed=2)


def test_the_ends():
    assert split(ITEMS, 0)[0] == [] and split(ITEMS, 1)[1] == [] and split([], 0.5) == ([], [])
    with pytest.raises(ValueError, match="share is 30, outside"):
        split(ITEMS, 30)
