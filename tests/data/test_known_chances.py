"""Items with known chances: evenly spread, events that happen as often as they are said to."""

import math

import numpy as np
import pytest

from doxa.data.known_chances import belief, beliefs, events, questions, with_chances
from doxa.records import Item


def test_chances_are_even_and_in_no_order():
    chances = [item.fields["chance"] for item in with_chances([Item(str(i), "?") for i in range(100)], 0.2, 0.6)]
    assert np.histogram(chances, bins=4, range=(0.2, 0.6))[0].tolist() == pytest.approx([25] * 4, abs=2)
    assert abs(np.corrcoef(chances[:-1], chances[1:])[0, 1]) < 0.5


def test_questions_are_the_banks():
    mixed = questions(20)
    assert [item.kind for item in mixed[:4]] == ["choice", "number"] * 2
    assert {len(item.options) for item in questions(20, options=2)} == {2}
    assert all(item.answer in item.options for item in questions(20, options=2))
    assert len({item.id for item in questions(300)}) == 300


def test_beliefs_run_from_even_to_the_chance():
    asked = with_chances([Item("a", "?"), Item("b", "?")])
    assert beliefs(asked, 0.0).tolist() == [[0.25] * 4] * 2
    assert beliefs(asked, 1.0, 2).sum(axis=1).tolist() == pytest.approx([1, 1])
    assert beliefs(asked, 0.5, 2)[1, 0] == belief(asked[1], 0.5, 2) == pytest.approx(0.5 + 0.25 * 0.618034)


def test_events_happen_as_often_as_they_are_probable():
    asked = events(2000)
    q, y = np.array([(e.fields["probability"], e.answer == "yes") for e in asked]).T
    assert y.mean() == pytest.approx(0.4, abs=4 * math.sqrt(0.24 / 2000))
    assert (y - q).mean() == pytest.approx(0, abs=4 * math.sqrt(0.18 / 2000))  # E q (1 - q) = .18
    assert events(5) == events(5) != events(5, seed=1)
