"""What a simulated respondent believes, how sure it says it is, when it admits: rules with declared parameters."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from doxa.records import DoxaError, Item

ABSTAIN = "(abstains)"  # the value of an answer that admits not knowing, in distributions over answers

Key = tuple[Any, ...]
_ADMISSION = re.compile(r"i (do not|don.?t) know\b|no one knows|nobody knows|it is not known", re.IGNORECASE)
_BITS = 2.0**-53


# --- randomness that depends on what is asked, and on nothing else ----------------------------------------------------


def uniforms(count: int, *key: Any) -> list[float]:
    """`count` numbers in (0, 1) that depend on the key alone: the same in any order, process or version of Python."""
    text = "\x1f".join(map(str, key)).encode()
    found: list[float] = []
    while len(found) < count:
        block = hashlib.blake2b(text, digest_size=64, salt=len(found).to_bytes(8, "little")).digest()
        found += [((int.from_bytes(block[i : i + 8], "little") >> 11) + 0.5) * _BITS for i in range(0, 64, 8)]
    return found[:count]


def normals(count: int, *key: Any) -> list[float]:
    """`count` standard normal numbers that depend on the key alone (Box and Muller)."""
    u = uniforms(2 * count, *key)
    return [math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b) for a, b in zip(u[::2], u[1::2], strict=True)]


def mark(text: str) -> str:
    """A short mark of a text, to stand for it in keys."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def generator(*key: Any) -> np.random.Generator:
    """A NumPy generator that depends on the key alone."""
    text = "\x1f".join(map(str, key)).encode()
    number = int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=number))


# --- an item as a respondent sees it ----------------------------------------------------------------------------------


def is_admission(text: str | None) -> bool:
    """Whether an option, or a right answer, says that it is not known."""
    return text is not None and _ADMISSION.match(text.strip()) is not None


def unknowable(item: Item) -> bool:
    """Whether nobody can know: no truth, or the right option is the admission."""
    return item.answer is None or is_admission(item.answer) or "unknowable" in item.tags


def is_binary(item: Item) -> bool:
    """Whether the item is true or false (or yes or no) without lettered options."""
    return not item.options and (
        item.kind == "statement" or meaning(item.answer) is not None or "probability" in item.fields
    )


def values(item: Item) -> tuple[str, ...]:
    """What a respondent may answer: the options' texts; "true" and "false"; or the truth and three wrong answers.

    Wrong answers to an open question come from Item.fields["wrong"], else they are near numbers or made-up names.
    """
    if item.options:
        return item.options
    if is_binary(item):
        return ("true", "false")
    answer = canonical(item)
    truth = (answer,) if answer is not None else ()
    wrong = item.fields.get("wrong") or _made_up(item)
    return (*truth, *(str(w) for w in wrong if str(w) != answer))


def truth_of(item: Item) -> str | None:
    """The right one among `values(item)`; None: not known."""
    return meaning(item.answer) if is_binary(item) else canonical(item)


def meaning(word: str | None) -> str | None:
    """ "true" for true and yes, "false" for false and no, None for any other word."""
    return {"true": "true", "yes": "true", "false": "false", "no": "false"}.get((word or "").strip().lower())


def canonical(item: Item) -> str | None:
    """The answer as forms write it: numbers without separators and trailing zeros."""
    if item.kind != "number" or item.options or item.answer is None:
        return item.answer
    try:
        text = format(Decimal(item.answer.replace(",", "").strip()), "f")
    except InvalidOperation:
        return item.answer
    return text.rstrip("0").rstrip(".") if "." in text else text


def _made_up(item: Item) -> tuple[str, ...]:
    """Three wrong answers that fit: numbers beside the truth, or names that nothing has."""
    draws = uniforms(12, "made-up", item.cluster, item.answer)
    number = canonical(item) or ""
    if item.kind == "number" or re.fullmatch(r"-?\d+", number):
        centre = int(float(number)) if re.fullmatch(r"-?\d+(\.\d+)?", number) else 10 + int(90 * draws[9])
        steps = sorted(range(-9, 0), key=lambda step: draws[step + 9])[:3]
        return tuple(str(centre + (step if u < 0.5 else -step)) for step, u in zip(steps, draws[9:], strict=True))
    heads, tails = ("Vel", "Tor", "Mar", "Zan", "Kor", "Bre", "Lum", "Dra"), ("mora", "vik", "daria", "lun", "tesh")
    triples = (draws[j : j + 3] for j in range(0, 12, 3))
    names = dict.fromkeys(heads[int(8 * a)] + tails[int(5 * b)] + "aeiou"[int(5 * c)] for a, b, c in triples)
    return tuple(names)[:3]


# --- what it believes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Belief:
    """A distribution over `values(item)`.

    favourite  what it answers when it answers greedily (None: the likeliest)
    surety     what it believes of any answer it gives (None: the belief in that answer)
    """

    probabilities: Mapping[str, float]
    favourite: str | None = None
    surety: float | None = None


@dataclass(frozen=True)
class Ability:
    """Probability of knowing an item, and of being right: knowing, or guessing one of the options.

    With a popularity: sigmoid(sharpness * (popularity - (1 - share))), so that of items with even popularity about
    `share` are known. Without one: drawn once per item from Beta(2 share, 2 (1 - share)), whose mean is `share`.
    """

    share: float
    sharpness: float = 8.0

    def __post_init__(self) -> None:
        check_probability("ability", self.share)

    def knows(self, item: Item, key: Key) -> float:
        """Probability that the item is known."""
        if item.popularity is not None:
            return 1 / (1 + math.exp(-self.sharpness * (item.popularity - (1 - self.share))))
        if self.share in (0.0, 1.0):
            return self.share
        return float(generator("ability", *key).beta(2 * self.share, 2 * (1 - self.share)))

    def right(self, item: Item, key: Key) -> float:
        """Probability of a right answer: 1/c of c options is right by guessing, no open answer is."""
        chance = 1 / len(values(item)) if item.options or is_binary(item) else 0.0
        return chance + (1 - chance) * self.knows(item, key)


Knowledge = float | str | Ability | Callable[[Item], float]
"""Probability of being right: a number, the name of an entry of Item.fields, an Ability, or a function of the item."""


def probability_right(knowledge: Knowledge, item: Item, key: Key) -> float:
    """The probability of being right on an item, in [0, 1]."""
    if isinstance(knowledge, Ability):
        return knowledge.right(item, key)
    if isinstance(knowledge, str):
        return check_probability(f"item {item.id!r}, fields[{knowledge!r}]", field(item, knowledge))
    return check_probability(f"knowledge of {item.id!r}", knowledge(item) if callable(knowledge) else knowledge)


@dataclass(frozen=True)
class Uniform:
    """Knows nothing: every value alike; of an open question's, only the wrong ones."""

    def __call__(self, item: Item, key: Key) -> Belief:
        closed = item.options or is_binary(item)
        names = dict.fromkeys(v for v in values(item) if closed or v != truth_of(item))
        return Belief(dict.fromkeys(names, 1 / len(names)))


@dataclass(frozen=True)
class Holder:
    """Holds a belief per item: `right` on its favourite, the rest spread evenly.

    The favourite is the truth with probability `right`, else a wrong value, fixed for the item. So its belief is
    calibrated: of the items on which it believes its favourite with .8, four fifths are right.
    """

    right: Knowledge

    def __call__(self, item: Item, key: Key) -> Belief:
        names, truth = tuple(dict.fromkeys(values(item))), truth_of(item)
        if truth not in names or len(names) == 1:
            return Belief(dict.fromkeys(names, 1 / len(names)))
        p = probability_right(self.right, item, key)
        known, which = uniforms(2, "holder", *key)
        wrong = sorted(v for v in names if v != truth)
        favourite = truth if known < p else wrong[int(which * len(wrong))]
        rest = (1 - p) / (len(names) - 1)
        return Belief({v: p if v == favourite else rest for v in names}, favourite)


@dataclass(frozen=True)
class Skill:
    """Is right with probability `right` at every asking anew, else on a wrong value, and knows how good it is."""

    right: Knowledge

    def __call__(self, item: Item, key: Key) -> Belief:
        names, truth = tuple(dict.fromkeys(values(item))), truth_of(item)
        if truth not in names or len(names) == 1:
            return Belief(dict.fromkeys(names, 1 / len(names)))
        p = probability_right(self.right, item, key)
        return Belief({v: p if v == truth else (1 - p) / (len(names) - 1) for v in names}, surety=p)


@dataclass(frozen=True)
class Dirichlet:
    """A distribution per item drawn from a symmetric Dirichlet, placed so that the truth is a draw from it.

    Equal in law to drawing the distribution first and then the right answer from it, with the truth as it is.
    """

    concentration: float = 1.0

    def __call__(self, item: Item, key: Key) -> Belief:
        names, truth = sorted(set(values(item))), truth_of(item)
        rng = generator("dirichlet", *key)
        weights = rng.dirichlet(np.full(len(names), self.concentration)).tolist()
        if truth in names:
            chosen, here = int(rng.choice(len(names), p=weights)), names.index(truth)
            weights[here], weights[chosen] = weights[chosen], weights[here]
        return Belief(dict(zip(names, weights, strict=True)))


@dataclass(frozen=True)
class Forecast:
    """Believes that an event happens with probability Item.fields[name].

    Without that field, and with a known outcome, the probability is drawn so that the outcome is a draw from it:
    Beta(a, b) given the outcome. That is calibrated where events happen at rate a / (a + b).
    """

    name: str = "probability"
    a: float = 1.2
    b: float = 1.8

    def __call__(self, item: Item, key: Key) -> Belief:
        outcome = meaning(item.answer)
        if self.name in item.fields or outcome is None:
            q = check_probability(f"item {item.id!r}, fields[{self.name!r}]", field(item, self.name))
        else:
            happened = outcome == "true"
            q = float(generator("forecast", *key).beta(self.a + happened, self.b + 1 - happened))
        return Belief({"true": q, "false": 1 - q})


@dataclass(frozen=True)
class Planted:
    """Believes what Item.fields[name] says: a mapping from value to probability, or one number for each option.

    Numbers are in the order of the true item's options, however they are shown.
    """

    name: str = "belief"

    def __call__(self, item: Item, key: Key) -> Belief:
        planted = field(item, self.name)
        names = values(item)
        if not isinstance(planted, Mapping):
            if len(planted) != len(names):
                raise DoxaError(
                    f"item {item.id!r}: fields[{self.name!r}] has {len(planted)} entries for {len(names)} values"
                )
            planted = dict(zip(names, planted, strict=True))
        return Belief(planted)


BeliefRule = Callable[[Item, Key], Belief]


def field(item: Item, name: str) -> Any:
    """Item.fields[name]; DoxaError says what the item has instead."""
    if name not in item.fields:
        raise DoxaError(
            f"item {item.id!r} has no fields[{name!r}], which this respondent reads; it has {sorted(item.fields)}"
        )
    return item.fields[name]


def check_probability(what: str, value: Any) -> float:
    """The value, if it is a probability; DoxaError otherwise."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        percent = " Percent? divide by 100." if isinstance(value, (int, float)) and 1 < value <= 100 else ""
        raise DoxaError(f"{what} is {value!r}; a probability lies in [0, 1].{percent}")
    return float(value)


def check_distribution(probabilities: Mapping[str, float], item: Item) -> Any:
    """The distribution, if it is one; DoxaError otherwise."""
    total = sum(probabilities.values())
    if not all(p >= 0 for p in probabilities.values()) or abs(total - 1) > 1e-6:
        percent = " Percent? divide by 100." if abs(total - 100) < 1e-3 else ""
        raise DoxaError(f"item {item.id!r}: probabilities {dict(probabilities)} sum to {total:g}, not 1.{percent}")
    return probabilities


# --- how sure it says it is -------------------------------------------------------------------------------------------
# A rule turns the belief in an answer, and the number of values c it was chosen from, into the confidence that is said.

ConfidenceRule = Callable[[float, int], float]


def calibrated(p: float, c: int) -> float:
    """Says what it believes."""
    return p


def inflated(p: float, c: int) -> float:
    """80 % and a fifth of the belief, in steps of 5 %: what large models often do."""
    return round(20 * (0.8 + 0.2 * p)) / 20


def tens(p: float, c: int) -> float:
    """The belief in steps of 10 %."""
    return round(10 * p) / 10


def inverted(p: float, c: int) -> float:
    """The surer, the less sure it says it is."""
    return 1 - p


@dataclass(frozen=True)
class Constant:
    """Always the same confidence."""

    value: float

    def __post_init__(self) -> None:
        check_probability("confidence", self.value)

    def __call__(self, p: float, c: int) -> float:
        return self.value


@dataclass(frozen=True)
class Sharpened:
    """Slope k on the logit, measured from chance 1/c: the distribution to the power k, renormalised, the rest even.

    For two values this is sigmoid(k logit p). k > 1: too sure above chance; k < 1: too unsure.
    """

    slope: float

    def __call__(self, p: float, c: int) -> float:
        if p in (0.0, 1.0):
            return p
        base = math.log(max(c - 1, 1))
        z = self.slope * (math.log(p) - math.log1p(-p) + base) - base
        return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


CONFIDENCE: dict[str, ConfidenceRule] = {
    "calibrated": calibrated,
    "inflated": inflated,
    "tens": tens,
    "inverted": inverted,
}


# --- when it admits ---------------------------------------------------------------------------------------------------

Abstention = float | Mapping[str, float] | Callable[[Item], float]
"""Probability of admitting: a number; the first that fits by tag, kind, "unknowable" or "answerable"; a function."""


def probability_abstains(rule: Abstention, item: Item) -> float:
    """The probability that the respondent admits not knowing, in [0, 1]."""
    if callable(rule):
        rule = rule(item)
    if isinstance(rule, Mapping):
        names: Sequence[str] = (*item.tags, item.kind, "unknowable" if unknowable(item) else "answerable")
        rule = next((rule[name] for name in names if name in rule), 0.0)
    return check_probability(f"probability of admitting on {item.id!r}", rule)
