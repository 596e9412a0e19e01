"""Generated items: right by an independent calculation, distinct, as difficult as they say."""

import calendar as calendar_module
import re
from fractions import Fraction

import pytest

from doxa.data.generated import MONTHS, WEEKDAYS, arithmetic, calendar, comparison

FAMILIES = (arithmetic, calendar, comparison)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("difficulty", range(1, 6))
def test_distinct_repeatable_and_labelled(family, difficulty):
    items = family(30, difficulty, seed=3)
    assert len({item.id for item in items}) == len({item.text for item in items}) == 30
    assert items == family(30, difficulty, seed=3) and items != family(30, difficulty, seed=4)
    assert items[:10] == family(10, difficulty, seed=3)
    assert all(item.fields["difficulty"] == difficulty for item in items)
    assert all(item.tags == (family.__name__, f"difficulty-{difficulty}") for item in items)


@pytest.mark.parametrize("difficulty", range(1, 6))
def test_arithmetic_is_right(difficulty):
    for item in arithmetic(100, difficulty):
        tokens = item.text.removeprefix("What is ").removesuffix("?").split()
        value = int(tokens[0])
        for sign, number in zip(tokens[1::2], tokens[2::2], strict=True):  # the product comes first where there is one
            value = {"+": value + int(number), "-": value - int(number), "*": value * int(number)}[sign]
        assert item.kind == "number" and int(item.answer) == value >= 0


def test_arithmetic_grows_with_the_level():
    longest = [max(len(n) for item in arithmetic(60, d) for n in re.findall(r"\d+", item.text)) for d in (1, 2, 3)]
    assert longest == [1, 2, 3]


def test_small_steps_of_the_calendar():
    for item in (*calendar(38, 1), *calendar(100, 2), *calendar(100, 3)):
        names = WEEKDAYS if "weekday" in item.text else MONTHS
        distance = int(re.search(r"\d+|right", item.text).group().replace("right", "1"))
        start = names.index(item.text.removesuffix("?").split()[-1])
        step = distance if " after " in item.text else -distance
        assert item.answer == names[(start + step) % len(names)]


def test_dates_against_the_calendar_of_the_standard_library():
    for item in calendar(100, 5):
        day, month, year = re.search(r"does (\d+) (\w+) (\d+) fall", item.text).groups()
        weekday = calendar_module.weekday(int(year), MONTHS.index(month) + 1, int(day))
        assert item.answer == WEEKDAYS[weekday]


def test_from_one_date_to_another():
    for item in calendar(50, 4):
        found = re.match(r"(\d+) (\w+) is a (\w+)\. Which weekday is (\d+) (\w+) of", item.text).groups()
        days = [_day_of_year(found[0], found[1], 2024), _day_of_year(found[3], found[4], 2024)]
        plain = [_day_of_year(found[0], found[1], 2023), _day_of_year(found[3], found[4], 2023)]
        assert days[1] - days[0] == plain[1] - plain[0] > 0  # leap year or not: the same
        assert item.answer == WEEKDAYS[(WEEKDAYS.index(found[2]) + days[1] - days[0]) % 7]


def _day_of_year(day, month, year):
    return sum(calendar_module.monthrange(year, m)[1] for m in range(1, MONTHS.index(month) + 1)) + int(day)


@pytest.mark.parametrize("difficulty", range(1, 6))
def test_the_larger_number_is_larger_and_stands_at_either_place(difficulty):
    items = comparison(80, difficulty)
    for item in items:
        a, b = (Fraction(option) for option in item.options)
        assert a != b and Fraction(item.answer) == max(a, b)
    first = sum(item.answer == item.options[0] for item in items)
    assert 20 <= first <= 60  # 40 with a standard error of 4.5


def test_decimals_include_those_that_look_smaller_than_they_are():
    traps = [item for item in comparison(200, 4) if len(item.answer) == min(len(option) for option in item.options)]
    assert 40 <= len(traps) <= 160


@pytest.mark.parametrize("family, size", [(arithmetic, 155), (calendar, 38), (comparison, 90)])
def test_the_first_level_holds_exactly(family, size):
    assert len(family(size)) == size
    with pytest.raises(ValueError, match=f"{size + 1} items asked.*has {size}"):
        family(size + 1)


def test_an_unknown_difficulty():
    with pytest.raises(ValueError, match="difficulty is 6; arithmetic has levels 1 to 5"):
        arithmetic(1, difficulty=6)
