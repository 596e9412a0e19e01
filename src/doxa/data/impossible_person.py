"""Respondents that admit not to know at known rates: what they say to each problem, and what must be measured then."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from doxa.data.impossible import FREE_FORM, HIDDEN, OPTIONS_ONLY, is_admission
from doxa.records import Item

Known = list[tuple[str, float, float]]
"""Estimate, its value, and the standard deviation that one answer adds to it."""
Counted = list[tuple[str, float, float, int]]
"""The same with the number of what is independent: problems with one answer in all orders, 1 for a whole statistic."""

ANSWERABLE = 0.25  # rate of admission where the answer is known
RATES = {"exam": 0.2, "permission": 0.8, OPTIONS_ONLY: 0.3, FREE_FORM: 0.5}  # and where a problem is shown so
SKILL = 0.8  # of the answerable problems that it does not decline, it knows these, and guesses the others
HEDGED, PLAIN = "It might be the second one", "The second one"  # what it says without options

# How sure somebody is that an admission is right who has made up its mind to admit, or not to.
SURE, UNSURE = 0.6, 0.1

# Difficulty words, by the level that each belongs to; None: a word about being solved.
WORDS = {
    **{"Low": 1, "Medium": 1, "Hard": 2, "Har": 2, "High": 3, "Very High": 4, "Very Hard": 5, "Extreme": 6},
    **{"Unsolved": None, "Partially Solved": None},
}
SOLVED = 0.9  # rate of admission on those


def answerable(item: Item) -> bool:
    """Whether the right answer is another than the admission."""
    return item.answer is not None and not is_admission(item.answer)


# --- what is said ----------------------------------------------------------------------------------------------------


def says(item: Item, text: str, framings: Mapping[str, str], neutral: float, admission: str) -> dict[str, float]:
    """Probability of each option, or of each reply without options; what is left of it goes to `admission`.

    item      as shown in a prompt of this `text`, which holds one of the `framings` if there are options
    neutral   rate of admission in the neutral framing; `RATES` has those of the others
    """
    shown = max((name for name in framings if framings[name] in text), key=lambda name: len(framings[name]), default="")
    rates = {"neutral": neutral, "": RATES[FREE_FORM], **RATES}
    admits = ANSWERABLE if answerable(item) else RATES[OPTIONS_ONLY] if item.text == HIDDEN else rates[shown]
    guesses, knows = [o for o in item.options if not is_admission(o)] or [HEDGED, PLAIN], SKILL * answerable(item)
    said = {guess: (1 - admits) * (1 - knows) / len(guesses) for guess in guesses}
    if item.answer is not None and knows:
        said[item.answer] = said.get(item.answer, 0.0) + (1 - admits) * knows
    return {admission: admits, **said}


def sure(item: Item, rate: float) -> float:
    """SURE for the problems on which it admits, UNSURE for the others: drawn once for each, at `rate` or ANSWERABLE."""
    drawn = random.Random(f"admits/{item.id}").random()
    return SURE if drawn < (ANSWERABLE if answerable(item) else rate) else UNSURE


def shortest(item: Item, rate: float) -> dict[str, float]:
    """Goes for the shortest option at a rate, else picks evenly."""
    c, short = len(item.options), min(item.options, key=len)
    return {option: (1 - rate) / c + rate * (option == short) for option in item.options}


def by_level(word: str, slope: float) -> float:
    """Rate of admission by difficulty: a half between levels 3 and 4, and `slope` more with every level."""
    level = WORDS[word]
    return SOLVED if level is None else 0.5 + slope * (level - 3.5)


# --- what is measured then -------------------------------------------------------------------------------------------


def admitting(neutral: float, asked: Sequence[Item]) -> Known:
    """Of `says`: the rates in the order of the study's, those of half-shown problems and free replies last."""
    chances = [1 / len(item.options) for item in asked if not answerable(item)]
    chance = sum(chances) / len(chances)
    guesses = [1 / (len(item.options) - 1) for item in asked if answerable(item)]
    right = (1 - ANSWERABLE) * (SKILL + (1 - SKILL) * sum(guesses) / len(guesses))
    short = [len(min(item.options, key=len)) == len(item.answer or "") for item in asked if not answerable(item)]
    return [
        ("admission rate", *_mean([neutral])),
        ("admission rate, shuffled", *_mean([neutral])),
        ("chance", chance, 0.0),
        ("chance, shuffled", chance, 0.0),
        ("excess over chance", *_excess(neutral, chance)),
        ("excess over chance, shuffled", *_excess(neutral, chance)),
        ("over-abstention", *_mean([ANSWERABLE])),
        ("accuracy on answerable", *_mean([right])),
        ("selective score", *_difference(neutral, ANSWERABLE)),
        ("admission is the shortest option", sum(short) / len(short), 0.0),
        *((f"admission rate, {shown}", *_mean([RATES[shown]])) for shown in ("exam", "permission", OPTIONS_ONLY)),
        *_free("", RATES[FREE_FORM], 0.0),
        *_free(", answerable", ANSWERABLE, SKILL),
    ]


def _free(of: str, admits: float, knows: float) -> Iterator[tuple[str, float, float]]:
    hedged = (1 - admits) * (1 - knows) / 2
    for stance, p in (("admits", admits), ("hedged", hedged), ("confident", 1 - admits - hedged)):
        yield (f"free form: {stance}{of}", *_mean([p]))


def holding(rate: float, asked: Sequence[Item]) -> Counted:
    """Of `sure`, which is one in all orders, so that problems count and not answers."""
    n = sum(not answerable(item) for item in asked)
    return [
        ("admission rate", *_mean([rate]), n),
        ("admission rate, shuffled", *_mean([rate]), n),
        ("over-abstention", *_mean([ANSWERABLE]), len(asked) - n),
        ("selective score", *_difference(rate, ANSWERABLE), len(asked)),
    ]


def preferring(place: int, lift: float, asked: Sequence[Item], order: Literal["cyclic", "random"]) -> Counted:
    """Of somebody who knows nothing and adds `lift` to the logit of the option in one place, asked of `made_up`.

    Shuffled, the admission stands in each place as often as in any other: 1 / c, whatever the habit. In cyclic orders
    that is so of every problem; in random ones the places, too, are a matter of chance.
    """
    odds, c = math.exp(lift), len(asked[0].options)
    rates = [odds / (odds + c - 1) if at == place else 1 / (odds + c - 1) for at in range(c)]
    stand = [sum(is_admission(item.options[at]) for item in asked) for at in range(c)]
    n, turned = len(asked), _mean(rates if order == "cyclic" else [1 / c])
    return [
        ("admission rate", *_mean([rates[at] for at in range(c) for _ in range(stand[at])]), n),
        ("admission rate, shuffled", *turned, n * c),
        ("excess over chance, shuffled", 0.0, turned[1] / (1 - 1 / c), n * c),
        ("admission is the shortest option", 1.0, 0.0, n),
        ("position chi-square", *chi_square(rates, stand), 1),
    ]


def by_length(rate: float) -> Known:
    """Of `shortest`, on problems of `made_up` matched in length: there the admission is never the shortest of five."""
    return [("admission rate", *_mean([(1 - rate) / 5])), ("admission is the shortest option", 0.0, 0.0)]


def rising(slope: float, asked: Sequence[Item]) -> Counted:
    """Of `by_level`."""
    words = [str(item.fields["difficulty"]) for item in asked]
    harder = [word for word in words if (WORDS[word] or 0) > 1]
    totals = [sum(WORDS[word] == level for word in words) for level in range(1, 7)]
    return [
        ("admission rate", *_mean([by_level(word, slope) for word in words]), len(words)),
        ("admission rate, low difficulty", *_mean([by_level("Low", slope)]), words.count("Low")),
        ("admission rate, harder levels", *_mean([by_level(word, slope) for word in harder]), len(harder)),
        ("difficulty trend", *trend([0.5 + slope * (level - 3.5) for level in range(1, 7)], totals), 1),
    ]


# --- statistics of counts that are binomial, with known rates --------------------------------------------------------


def _mean(rates: Sequence[float]) -> tuple[float, float]:
    """Mean of answers with these rates, and the standard deviation of one of them about its own rate."""
    return sum(rates) / len(rates), math.sqrt(sum(p * (1 - p) for p in rates) / len(rates))


def _excess(rate: float, chance: float) -> tuple[float, float]:
    return (rate - chance) / (1 - chance), math.sqrt(rate * (1 - rate)) / (1 - chance)


def _difference(a: float, b: float) -> tuple[float, float]:
    """Difference of two rates from equally many answers each; n counts those of both."""
    return a - b, math.sqrt(2 * (a * (1 - a) + b * (1 - b)))


def chi_square(rates: Sequence[float], totals: Sequence[int]) -> tuple[float, float]:
    """Mean and standard deviation of Pearson's statistic of k binomial counts: to first order in 1/n, delta method.

    source  Bishop, Fienberg and Holland 1975, Discrete Multivariate Analysis, ch. 14.6
    """
    n = sum(totals)
    mean = sum(p * of for p, of in zip(rates, totals, strict=True)) / n
    spread = mean * (1 - mean)
    between = sum(of * (p - mean) ** 2 for p, of in zip(rates, totals, strict=True)) / spread
    within = sum(p * (1 - p) * (1 - of / n) for p, of in zip(rates, totals, strict=True)) / spread
    slopes = [(2 * (p - mean) - between / n * (1 - 2 * mean)) / spread for p in rates]
    variance = sum(s * s * of * p * (1 - p) for s, p, of in zip(slopes, rates, totals, strict=True))
    return between + within, math.sqrt(variance + 2 * (len(rates) - 1))


def trend(rates: Sequence[float], totals: Sequence[int]) -> tuple[float, float]:
    """Mean and standard deviation of the Cochran-Armitage z of binomial counts at levels 1..k, by the delta method."""
    n, levels = sum(totals), range(1, len(totals) + 1)
    mean = sum(p * of for p, of in zip(rates, totals, strict=True)) / n
    centre = sum(x * of for x, of in zip(levels, totals, strict=True)) / n
    spread = mean * (1 - mean)
    scale = math.sqrt(spread * sum(of * (x - centre) ** 2 for x, of in zip(levels, totals, strict=True)))
    z = sum((x - centre) * of * p for x, p, of in zip(levels, rates, totals, strict=True)) / scale
    slopes = [(x - centre) / scale - z * (1 - 2 * mean) / (2 * spread * n) for x in levels]
    return z, math.sqrt(sum(s * s * of * p * (1 - p) for s, p, of in zip(slopes, rates, totals, strict=True)))
