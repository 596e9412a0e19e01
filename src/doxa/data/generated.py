"""Generated items of a stated difficulty: arithmetic, calendar, comparison of numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from doxa.data.facts import slug
from doxa.records import Item, Kind

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST_HALF = ("January", "February", "March", "April", "May", "June")
MONTHS = (*_FIRST_HALF, "July", "August", "September", "October", "November", "December")

_PATIENCE = 10_000  # draws in a row that bring nothing new, after which a level counts as used up


@dataclass(frozen=True)
class _Drawn:
    name: str
    text: str
    answer: str
    options: tuple[str, ...] = ()


_Maker = Callable[[random.Random], _Drawn]


def arithmetic(n: int, difficulty: int = 1, seed: int = 0) -> list[Item]:
    """`n` distinct sums, differences and products, kind "number"; answers are whole and at least 0.

    difficulty  1: sums and differences of one digit; 2: of two digits; 3: of three digits, or a product of one
                and two digits; 4: a product of two digits each; 5: such a product, plus three digits
    raises      ValueError: no such difficulty, more items than it has (level 1 has 155)

    >>> item = arithmetic(1)[0]
    >>> item.id, item.text, item.answer
    ('arithmetic-1/4-4', 'What is 4 - 4?', '0')
    """
    return _items("arithmetic", "number", _ARITHMETIC, n, difficulty, seed)


def calendar(n: int, difficulty: int = 1, seed: int = 0) -> list[Item]:
    """`n` distinct questions about weekdays and months, kind "open".

    difficulty  1: the next or previous weekday or month; 2: 2 to 6 days or 2 to 11 months on or back; 3: 8 to
                100 days on or back; 4: the weekday of a date, given that of another in the same year; 5: the
                weekday of a date of 1901 to 2099
    raises      ValueError: no such difficulty, more items than it has (level 1 has 38)
    """
    return _items("calendar", "open", _CALENDAR, n, difficulty, seed)


def comparison(n: int, difficulty: int = 1, seed: int = 0) -> list[Item]:
    """`n` distinct questions which of two unequal numbers is larger, kind "choice".

    difficulty  1: one digit; 2: two digits; 3: four digits, at most 9 apart; 4: decimals with one and two places
                (9.9 or 9.11); 5: fractions at most 1/10 apart
    raises      ValueError: no such difficulty, more items than it has (level 1 has 90)
    """
    return _items("comparison", "choice", _COMPARISON, n, difficulty, seed)


def _items(family: str, kind: Kind, levels: Mapping[int, _Maker], n: int, difficulty: int, seed: int) -> list[Item]:
    if difficulty not in levels:
        raise ValueError(f"difficulty is {difficulty!r}; {family} has levels {min(levels)} to {max(levels)}")
    drawn = _distinct(levels[difficulty], random.Random(f"{family}/{difficulty}/{seed}"))
    items = [
        Item(
            id=f"{family}-{difficulty}/{one.name}",
            text=one.text,
            kind=kind,
            options=one.options,
            answer=one.answer,
            tags=(family, f"difficulty-{difficulty}"),
            fields={"family": family, "difficulty": difficulty},
        )
        for _, one in zip(range(n), drawn, strict=False)
    ]
    if len(items) < n:
        raise ValueError(f"{n} items asked; {family} of difficulty {difficulty} has {len(items)}; ask a harder level")
    return items


def _distinct(make: _Maker, rng: random.Random) -> Iterator[_Drawn]:
    seen: set[str] = set()
    idle = 0
    while idle < _PATIENCE:
        one = make(rng)
        idle = idle + 1 if one.name in seen else 0
        if not idle:
            seen.add(one.name)
            yield one


def _sum(expression: str, answer: int) -> _Drawn:
    return _Drawn(expression.replace(" ", ""), f"What is {expression}?", str(answer))


def _plus_minus(low: int, high: int) -> _Maker:
    def make(rng: random.Random) -> _Drawn:
        a, b = rng.randint(low, high), rng.randint(low, high)
        if rng.random() < 0.5:
            return _sum(f"{a} + {b}", a + b)
        return _sum(f"{max(a, b)} - {min(a, b)}", abs(a - b))

    return make


def _times(low: int, high: int) -> _Maker:
    def make(rng: random.Random) -> _Drawn:
        a, b = rng.randint(low, high), rng.randint(11, 99)
        return _sum(f"{a} * {b}", a * b)

    return make


def _either(one: _Maker, other: _Maker) -> _Maker:
    return lambda rng: (one if rng.random() < 0.5 else other)(rng)


def _times_plus(rng: random.Random) -> _Drawn:
    a, b, c = rng.randint(11, 99), rng.randint(11, 99), rng.randint(100, 999)
    return _sum(f"{a} * {b} + {c}", a * b + c)


def _date_question(text: str, answer: str) -> _Drawn:
    return _Drawn(slug(text), text, answer)


def _neighbour(rng: random.Random) -> _Drawn:
    kind, names = rng.choice([("weekday", WEEKDAYS), ("month", MONTHS)])
    i, step = rng.randrange(len(names)), rng.choice([1, -1])
    where = "after" if step > 0 else "before"
    return _date_question(f"Which {kind} comes right {where} {names[i]}?", names[(i + step) % len(names)])


def _away(kind: str, unit: str, names: tuple[str, ...], low: int, high: int) -> _Maker:
    def make(rng: random.Random) -> _Drawn:
        i, distance, sign = rng.randrange(len(names)), rng.randint(low, high), rng.choice([1, -1])
        where = "after" if sign > 0 else "before"
        text = f"Which {kind} is {distance} {unit} {where} {names[i]}?"
        return _date_question(text, names[(i + sign * distance) % len(names)])

    return make


def _from_a_date(rng: random.Random) -> _Drawn:
    """From March on, so that a leap day, which the question does not tell, cannot lie between the dates."""
    given = date(2023, 3, 1) + timedelta(days=rng.randrange(200))
    asked = given + timedelta(days=rng.randint(8, 90))
    first = rng.randrange(7)
    weekday = WEEKDAYS[(first + (asked - given).days) % 7]
    text = f"{_day(given)} is a {WEEKDAYS[first]}. Which weekday is {_day(asked)} of the same year?"
    return _date_question(text, weekday)


def _of_a_date(rng: random.Random) -> _Drawn:
    day = date(1901, 1, 1) + timedelta(days=rng.randrange((date(2100, 1, 1) - date(1901, 1, 1)).days))
    return _date_question(f"On which weekday does {_day(day)} {day.year} fall?", WEEKDAYS[day.weekday()])


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _larger(a: str, b: str, a_is_larger: bool) -> _Drawn:
    name = f"{a}-{b}".replace("/", "over")
    return _Drawn(name, f"Which number is larger, {a} or {b}?", a if a_is_larger else b, (a, b))


def _whole(low: int, high: int, apart: int) -> _Maker:
    def make(rng: random.Random) -> _Drawn:
        a = rng.randint(low, high)
        b = rng.choice([b for b in range(max(low, a - apart), min(high, a + apart) + 1) if b != a])
        return _larger(str(a), str(b), a > b)

    return make


def _decimals(rng: random.Random) -> _Drawn:
    whole = rng.randint(1, 20)
    short, long = f"{whole}.{rng.randint(1, 9)}", f"{whole}.{rng.randint(1, 9)}{rng.randint(1, 9)}"
    a, b = rng.sample([short, long], 2)
    return _larger(a, b, Decimal(a) > Decimal(b))


def _fractions(rng: random.Random) -> _Drawn:
    proper = [Fraction(p, q) for q in range(2, 13) for p in range(1, q)]
    a = rng.choice(proper)
    b = rng.choice([b for b in proper if a != b and abs(a - b) <= Fraction(1, 10)])
    return _larger(str(a), str(b), a > b)


_ARITHMETIC: dict[int, _Maker] = {
    1: _plus_minus(0, 9),
    2: _plus_minus(10, 99),
    3: _either(_plus_minus(100, 999), _times(2, 9)),
    4: _times(11, 99),
    5: _times_plus,
}
_CALENDAR: dict[int, _Maker] = {
    1: _neighbour,
    2: _either(_away("weekday", "days", WEEKDAYS, 2, 6), _away("month", "months", MONTHS, 2, 11)),
    3: _away("weekday", "days", WEEKDAYS, 8, 100),
    4: _from_a_date,
    5: _of_a_date,
}
_COMPARISON: dict[int, _Maker] = {
    1: _whole(0, 9, apart=9),
    2: _whole(10, 99, apart=89),
    3: _whole(1000, 9999, apart=9),
    4: _decimals,
    5: _fractions,
}
