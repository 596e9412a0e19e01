"""Opponents: drawn within a set, without replacement, evenly, and the first of many are what fewer would be."""

import json
from collections import Counter

import pytest
from pytest import approx

from doxa.data.opponents import OPPONENTS, opponents, with_opponents
from doxa.records import DoxaError, Item


def questions(n, name="s"):
    return [Item(f"{name}{k}", f"{k}?", "choice", ("a", "b"), "a", fields={"set": name}) for k in range(n)]


def ids(item):
    return [other.id for other in opponents(item)]


def test_drawn_within_the_set_without_replacement():
    for item in with_opponents(questions(30) + questions(5, "t"), 8):
        drawn = ids(item)
        assert item.id not in drawn and len(set(drawn)) == len(drawn) == (8 if item.id[0] == "s" else 4)
        assert all(name[0] == item.id[0] for name in drawn)


def test_opponents_are_the_items_themselves_also_after_json():
    items = questions(4)
    (first, *_) = with_opponents(items, 3)
    assert sorted(opponents(first), key=lambda o: o.id) == items[1:]
    stored = json.loads(json.dumps(first.fields[OPPONENTS]))
    assert opponents(Item("x", "?", fields={OPPONENTS: stored})) == opponents(first)


def test_fewer_opponents_are_the_first_of_more():
    more, fewer = with_opponents(questions(20), 10), with_opponents(questions(20), 4)
    assert [ids(item)[:4] for item in more] == [ids(item) for item in fewer]
    assert [ids(i) for i in with_opponents(questions(20), 4, seed=1)] != [ids(i) for i in fewer]


def test_every_question_is_drawn_about_equally_often():
    drawn = Counter(name for item in with_opponents(questions(100), 15) for name in ids(item))
    assert len(drawn) == 100 and min(drawn.values()) > 15 - 4.5 * 3.6  # sd sqrt(15 * .85)
    assert sum(drawn.values()) / 100 == approx(15)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="n is 0"):
        with_opponents(questions(3), 0)
    with pytest.raises(DoxaError, match="3 items have 2 ids"):
        with_opponents([*questions(2), questions(1)[0]], 1)
    with pytest.raises(DoxaError, match="set 't' has one question"):
        with_opponents([*questions(2), *questions(1, "t")], 1)
    with pytest.raises(DoxaError, match="has no fields\\['opponents'\\]"):
        opponents(questions(1)[0])
