"""Gambles: what is shown agrees with the numbers, order is balanced, and the splits share no combination."""

import math

import pytest

from doxa.data.gambles import WIDEST, gamble_item, gambles, preference
from doxa.records import DoxaError


def test_text_says_what_the_fields_say():
    item = gamble_item(40, 90, 30, risky_first=True)
    assert item.options == ("a 40% chance of 90 points", "30 points for sure")
    assert item.fields["risky"] == "A" and item.answer is None and item.group == "gamble/40-90-30"
    assert item.fields["advantage"] == pytest.approx(math.log(0.4 * 90 / 30))
    assert gamble_item(40, 90, 30).fields["risky"] == "B"


def test_each_offer_stands_first_in_half_of_them():
    for n in (100, 101, None):
        items = gambles(n)
        first = sum(item.fields["risky"] == "A" for item in items)
        assert abs(2 * first - len(items)) <= 1


def test_a_second_round_turns_each_combination_round():
    once = len(gambles())
    items = gambles(2 * once)
    places = {(i.group, i.fields["risky"]) for i in items}
    assert len(places) == 2 * once and len({i.id for i in items}) == 2 * once


def test_splits_share_no_combination_and_hold_their_share():
    train, test = ({i.group for i in gambles(split=split)} for split in ("train", "test"))
    assert not train & test
    # standard error of a share of .25 of 2049: .0096
    assert len(test) / len(train | test) == pytest.approx(0.25, abs=0.03)


def test_expected_values_differ_by_a_bounded_factor():
    assert all(abs(i.fields["advantage"]) <= math.log(WIDEST) + 1e-9 for i in gambles(split="train"))


def test_preference_by_hand():
    # Half a chance of 100 against 50 for sure: worth the same where points are worth themselves.
    item = gamble_item(50, 100, 50)
    assert preference(item, 1.0) == pytest.approx(0.0)
    assert preference(item, 2.0) == pytest.approx(math.log(0.5 * 100**2 / 50**2))
    assert preference(item, 0.5) < 0 < preference(item, 2.0)


def test_same_seed_same_gambles():
    assert gambles(30, seed=4) == gambles(30, seed=4) != gambles(30, seed=5)


def test_impossible_ones_are_refused():
    with pytest.raises(DoxaError, match=r"0 gambles asked; the test split gives 1 to \d+"):
        gambles(0)
    with pytest.raises(ValueError, match="100% of 50 against 20"):
        gamble_item(100, 50, 20)
    with pytest.raises(ValueError, match="the sure amount below the other"):
        gamble_item(50, 20, 20)
    with pytest.raises(ValueError, match="wording is 3"):
        gamble_item(50, 30, 20, wording=3)
