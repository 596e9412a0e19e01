"""Positions: the closing sentence, with markup, negated, twice, cut; agreement in numbers; as published."""

import pytest

from doxa.data.positions import positions
from doxa.elicit.positions import Agreement, Position

(ITEM,) = positions("topics", 1)


@pytest.mark.parametrize(
    ("text", "value", "published"),
    [
        ("the answer is: B.", "B", "B"),
        ("The answer is: **b**", "B", None),
        ('The answer is "A"', "A", None),
        ("the answer is not B", None, "N"),
        ("The answer is: A. No, the answer is: B", "A", "A"),
        ("The answer is A or B", None, "A"),
        ("B", None, None),
        ("", None, None),
    ],
)
def test_the_closing_sentence(text, value, published):
    assert Position().read(text, ITEM).value == value
    assert Position(as_published=True).read(text, ITEM).value == published


@pytest.mark.parametrize(
    ("text", "share"), [("The answer is 75", 0.75), ("I waver. The answer is: 20.", 0.2), ("The answer is: 750", None)]
)
def test_agreement_is_read_as_a_share(text, share):
    assert Agreement().read(text, ITEM).confidence == share
