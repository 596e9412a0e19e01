"""Respondents to impossible problems with known rates: what they say, and what must be measured, worked out by hand."""

import math
from collections import Counter

import pytest

from doxa.data import impossible as data
from doxa.data import impossible_person as planted
from doxa.data.impossible_files import problems
from doxa.elicit.structured import FRAMINGS, LetterWithReason
from doxa.records import Item


def says(item, text, neutral=0.7):
    return planted.says(item, text, FRAMINGS, neutral, "(admits)")


def test_the_framing_is_told_from_the_prompt():
    """That of "permission" begins like the neutral one."""
    impossible, known = problems(None, 1)
    for framing, rate in (("neutral", 0.7), ("exam", 0.2), ("permission", 0.8)):
        said = says(impossible, LetterWithReason(framing).prompt(impossible).show())
        assert said["(admits)"] == rate and sum(said.values()) == pytest.approx(1)
        assert says(known, LetterWithReason(framing).prompt(known).show())["(admits)"] == planted.ANSWERABLE
    hidden = data.without_problem(impossible)
    assert says(hidden, LetterWithReason("neutral").prompt(hidden).show())["(admits)"] == 0.3


def test_what_is_said_without_options():
    impossible, known = (data.without_options(item) for item in problems(None, 1))
    assert says(impossible, "What?") == {"(admits)": 0.5, planted.HEDGED: 0.25, planted.PLAIN: 0.25}
    said = says(known, "What?")
    # .75 do not admit: .8 of them know, the others hedge as often as not.
    assert said == pytest.approx({"(admits)": 0.25, planted.HEDGED: 0.075, planted.PLAIN: 0.075, known.answer: 0.6})


def test_made_up_problems():
    asked = data.made_up(20, places=(2, 0), difficulties=("Low", "Hard", None))
    assert [data.admission_place(item) for item in asked[:3]] == [2, 0, 2]
    assert [item.fields["difficulty"] for item in asked[:4]] == ["Low", "Hard", None, "Low"]
    assert len({option for item in asked for option in item.options}) == 4 * 20 + 1
    matched = [data.length_matched(item) for item in data.made_up(100)]
    for items, shortest in ((asked, True), (matched, False)):
        assert {len(min(i.options, key=len)) == len(i.options[data.admission_place(i)]) for i in items} == {shortest}


def test_levels_are_those_of_the_merge():
    numbers = {word: 1 + data.LEVELS.index(data.level(word)) for word, level in planted.WORDS.items() if level}
    assert numbers == {word: level for word, level in planted.WORDS.items() if level}
    assert Counter(data.level(word) for word, level in planted.WORDS.items() if not level) == {data.SOLVED: 2}


def test_who_has_made_up_its_mind_does_not_change_it():
    item = Item("a", "?", "choice", ("I do not know", "x"), "I do not know")
    assert planted.sure(item, 1.0) == planted.SURE and planted.sure(item, 0.0) == planted.UNSURE
    asked = data.made_up(400)
    admits = sum(planted.sure(item, 0.3) == planted.SURE for item in asked)
    assert admits / 400 == pytest.approx(0.3, abs=0.07)  # standard error .023


def test_statistics_of_counts_by_hand():
    # Nothing planted: chi-square has mean k - 1 and variance 2 (k - 1), whatever the totals; z is standard normal.
    assert planted.chi_square([0.2] * 5, [40, 40, 130, 40, 50]) == pytest.approx((4, math.sqrt(8)))
    assert planted.trend([0.4] * 6, [10, 20, 30, 40, 50, 60]) == pytest.approx((0, 1))
    # Two places of 100, at .8 and .2: mean .5, between 200 * .09 / .25 = 72, within 2 * .16 * .5 / .25 = .64;
    # slopes 2 * .3 / .25 = 2.4 each way, variance 2 * 2.4^2 * 16 + 2 = 186.32.
    assert planted.chi_square([0.8, 0.2], [100, 100]) == pytest.approx((72.64, math.sqrt(186.32)))
    # Three levels of 10, at .2, .5, .8: numerator 10 * (.8 - .2) = 6, scale sqrt(.25 * 20) = 2.236;
    # variance (10 * .16 + 10 * .16) / 5 = .64.
    assert planted.trend([0.2, 0.5, 0.8], [10, 10, 10]) == pytest.approx((6 / math.sqrt(5), 0.8))
