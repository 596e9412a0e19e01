"""Similar items: near ones are found, never those of the item's own group, and order makes no difference."""

import numpy as np
import pytest

from doxa.data.facts import facts
from doxa.data.render import open_item
from doxa.data.similar import Similar, sentence_encoder
from doxa.records import DoxaError, Item

pytest.importorskip("sklearn")


def bank(n=300):
    return [open_item(fact, paraphrase=w) for fact in facts()[::7][:n] for w in (0, 1)]


def test_the_nearest_share_words_and_are_of_other_groups():
    pool = bank()
    found = Similar(pool).nearest_each(pool[:60], 5)
    relation = [near.item.fields["relation"] == item.fields["relation"] for item, near in zip(pool, found, strict=False)
                for near in near]  # fmt: skip
    assert np.mean(relation) > 0.9
    for item, nearest in zip(pool, found, strict=False):
        assert len({near.item.id for near in nearest}) == 5
        assert all(near.item.cluster != item.cluster for near in nearest)
        distances = [near.distance for near in nearest]
        assert distances == sorted(distances) and all(0 <= d <= 1 for d in distances)


def test_an_item_is_not_like_itself_nor_like_another_wording_of_itself():
    pool = [
        Item("a", "red apples and pears"),
        Item("a2", "red apples and pears", group="a"),
        Item("b", "red apples and plums"),
        Item("c", "a grey stone"),
    ]
    nearest = Similar(pool).nearest(pool[0], 2)
    assert [near.item.id for near in nearest] == ["b", "c"]
    assert 0 < nearest[0].distance < nearest[1].distance == 1.0  # nothing in common
    outside = Similar(pool).nearest(Item("z", "red apples and pears"), 3)
    assert [near.item.id for near in outside] == ["a", "a2", "b"]  # ties by id
    assert outside[0].distance == outside[1].distance == 0


def test_the_order_of_the_pool_and_of_what_is_asked_makes_no_difference():
    pool = bank(80)
    moved = [pool[i] for i in np.random.default_rng(0).permutation(len(pool))]
    one = Similar(pool).nearest_each(pool[:10], 4)
    assert Similar(moved).nearest_each(pool[:10], 4) == one
    assert [Similar(pool).nearest(item, 4) for item in pool[:10]] == one


def test_any_encoder_will_do():
    # angles on a circle by the number in the text: nearest is the nearest angle
    def encode(texts):
        angle = np.array([float(text) for text in texts])
        return 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    pool = [Item(f"i{a}", str(a)) for a in (0.0, 0.4, 1.0, 3.1)]
    nearest = Similar(pool, encode=encode).nearest(Item("q", "0.5"), 3)
    assert [near.item.id for near in nearest] == ["i0.4", "i0.0", "i1.0"]
    assert nearest[0].distance == pytest.approx(1 - np.cos(0.1), abs=1e-9)
    assert Similar(pool, encode=lambda texts: np.zeros((len(texts), 2))).nearest(pool[0], 1)[0].distance == 1
    with pytest.raises(ValueError, match=r"not \(n, d\)"):
        Similar(pool, encode=lambda texts: np.zeros(len(texts)))


def test_other_parts_of_an_item_can_be_compared():
    pool = [Item("a", "x", fields={"topic": "stars"}), Item("b", "y", fields={"topic": "rivers"})]
    similar = Similar(pool, text=lambda item: item.fields["topic"])
    assert similar.nearest(Item("q", "x", fields={"topic": "rivers"}), 1)[0].item.id == "b"


def test_what_is_refused():
    pool = [Item("a", "red"), Item("b", "blue", group="g"), Item("c", "green", group="g")]
    with pytest.raises(ValueError, match="pool has 1 items outside the group of 'b'"):
        Similar(pool).nearest(pool[1], 2)
    with pytest.raises(ValueError, match="k is 0"):
        Similar(pool).nearest(pool[0], 0)
    with pytest.raises(ValueError, match="0 items with 0 ids"):
        Similar([])
    with pytest.raises(ValueError, match="2 items with 1 ids"):
        Similar([pool[0], pool[0]])
    with pytest.raises(ValueError, match="hold no word"):
        Similar([Item("a", "?!")])


def test_a_sentence_encoder_that_is_not_installed(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(DoxaError, match=r"doxa\[encode\]"):
        sentence_encoder()
