"""Respondents whose replies change by a known plan: on a day, in some types of question, or under one variation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import numpy as np

from doxa.models.base import Context
from doxa.models.simulated import Respondent
from doxa.models.simulated_values import uniforms
from doxa.records import Item, Prompt

TYPES = ("baseline", "endogenous", "exogenous")

# Two sets of three replies: within a set most words are the same, between them hardly any.
_SETS = (
    (
        "The {q} council will probably keep its present course this year, most observers say.",
        "The {q} council will probably keep its present course this year, many observers say.",
        "The {q} council will probably keep its present course this spring, most observers say.",
    ),
    (
        "Nobody expected it: new rules for {q} have been announced, and prices are falling fast.",
        "Nobody expected it: new rules for {q} have been announced, and prices are falling now.",
        "Nobody expected it: new laws for {q} have been announced, and prices are falling fast.",
    ),
)
REPLACED = "Something else entirely about {q}."


def texts(question: str, which: int) -> tuple[str, ...]:
    """The three replies of a set, 0 or 1, to a question."""
    return tuple(text.format(q=question) for text in _SETS[which])


def questions(each: int, days: int, first: date, *, types: Sequence[str] = TYPES) -> list[Item]:
    """So many questions of each type on so many days, each a template of its own, two topics in turn."""
    return [
        Item(
            id=f"{kind}-{k}@{(first + timedelta(days=d)).isoformat()}",
            text=f"What about {kind} {k}?",
            group=f"{kind}-{k}",
            fields={
                "question": f"{kind}-{k}",
                "date": (first + timedelta(days=d)).isoformat(),
                "type": kind,
                "topic": f"{kind}, {'even' if k % 2 == 0 else 'odd'}",
            },
        )
        for d, kind, k in product(range(days), types, range(each))
    ]


@dataclass(frozen=True)
class Plan:
    """What a respondent says: one of three replies of a set, drawn each day, or always the first.

    switches  type of question -> the day (from 1, the panel's first) from which on it has the other set
    still     always the first reply of the set
    replaces  variation -> probability of another reply than the plain one's, drawn for each question and day
    first     the panel's first day
    """

    first: str
    switches: Mapping[str, int]
    still: bool = False
    replaces: Mapping[str, float] | None = None
    seed: int = 0

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> dict[str, float]:
        source = item if "question" in item.fields else context.item or item
        name, when = str(source.fields["question"]), date.fromisoformat(str(source.fields["date"]))
        day = (when - date.fromisoformat(self.first)).days + 1
        said = texts(name, int(day >= self.switches.get(str(source.fields["type"]), day + 1)))
        draw, other = uniforms(2, self.seed, name, day, context.condition)
        if self.still:
            rate = (self.replaces or {}).get(context.condition, 0.0)
            return {REPLACED.format(q=name) if other < rate else said[0]: 1.0}
        return {said[int(3 * draw)]: 1.0}


def respondent(
    first: date,
    *,
    on: int | None = None,
    types: Collection[str] = TYPES,
    still: bool = False,
    replaces: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Respondent:
    """A respondent that switches its set of replies on a day in these types, or stays still but for one variation."""
    plan = Plan(first.isoformat(), {kind: on for kind in types} if on else {}, still, replaces, seed)
    return Respondent(address=f"simulated: panel, seed {seed}", decide=plan, seed=seed)


def replaced_distance(asked: Sequence[Item], encode: Callable[[Sequence[str]], np.ndarray]) -> tuple[float, float]:
    """Mean distance between the first reply and what replaces it, over items, and the mean of its square."""
    names = [str(item.fields["question"]) for item in asked]
    own, other = (encode([text.format(q=name) for name in names]) for text in (_SETS[0][0], REPLACED))
    apart = 1 - (own * other).sum(axis=1)
    return float(apart.mean()), float((apart**2).mean())


# --- figures about groups of voters -----------------------------------------------------------------------------------

CANDIDATES = ("Ada Brenn", "Tomas Quill")
WEIGHTS = (0.55, 0.45)
LEAN = 0.12  # how far the first half of each partition leans to the first candidate


def exit_polls(partitions: int, day: date) -> list[Item]:
    """Weight and split of both halves of each partition, and the result asked directly."""
    made = []
    for k, half, measure in product(range(partitions), range(2), ("weight", "split")):
        about = {"measure": measure, "partition": f"partition {k}", "cell": f"half {half}"}
        made.append(_figure(f"{measure}-{k}-{half}", day, about))
    return [*made, _figure("direct", day, {"measure": "direct"})]


def _figure(name: str, day: date, about: Mapping[str, str]) -> Item:
    kind = "percent" if about["measure"] in ("weight", "attribute") else "shares"
    common = {"question": name, "date": day.isoformat(), "type": "exogenous", "topic": "exit polls", "reply": kind}
    options = CANDIDATES if kind == "shares" else ()
    return Item(f"{name}@{day.isoformat()}", f"{name}?", options=options, group=name, fields={**common, **about})


@dataclass(frozen=True)
class Voter:
    """Says shares that imply one total for the first candidate in every partition; in the first, `shift` more."""

    total: float
    shift: float

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> dict[str, float]:
        of = item.fields
        half = int(str(of.get("cell", "half 0"))[-1])
        if of["measure"] == "weight":
            return {f"{WEIGHTS[half]:.2%}": 1.0}
        total = self.total + (self.shift if of.get("partition") == "partition 0" else 0.0)
        # The halves lean apart so that their weighted mean stays the total.
        lean = 0.0 if of["measure"] == "direct" else LEAN if half == 0 else -LEAN * WEIGHTS[0] / WEIGHTS[1]
        first = total + lean
        return {f"{CANDIDATES[0]} {first:.2%}, {CANDIDATES[1]} {1 - first:.2%}": 1.0}


WORDS = ("honest", "able", "kind", "patient", "clever", "calm")
OTHER = 0.4  # how far each word describes the second candidate


def words(day: date) -> list[Item]:
    """How far each word describes each candidate."""
    made = []
    for word, k in product(WORDS, range(2)):
        about = {"measure": "attribute", "word": word, "subject": CANDIDATES[k]}
        made.append(_figure(f"{word}-{k}", day, about))
    return made


@dataclass(frozen=True)
class Judge:
    """Says of every word that it describes the first candidate so far, and the second one OTHER."""

    first: float

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> dict[str, float]:
        return {f"About {self.first if item.fields['subject'] == CANDIDATES[0] else OTHER:.1%}.": 1.0}


def judge(first: float) -> Respondent:
    """A respondent that describes both candidates by the same words."""
    return Respondent(address=f"simulated: judge, {first:g}", decide=Judge(first))


def voter(total: float, shift: float) -> Respondent:
    """A respondent with answers about groups of voters, coherent but for one partition."""
    return Respondent(address=f"simulated: voter, shift {shift:g}", decide=Voter(total, shift))


# --- refusals ---------------------------------------------------------------------------------------------------------

HEDGES = 0.25


@dataclass(frozen=True)
class Refuser:
    """Refuses at a rate; HEDGES of its other replies say that they may be out of date."""

    rate: float

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> dict[str, float]:
        refuses, hedges = uniforms(2, "refuses", item.id)
        if refuses < self.rate:
            return {"I'm sorry, but I don't have personal opinions on politics.": 1.0}
        return {f"The council decides.{' This may change.' if hedges < HEDGES else ''}": 1.0}


def refuser(rate: float) -> Respondent:
    """A respondent that refuses at a rate."""
    return Respondent(address=f"simulated: refuser, rate {rate:g}", decide=Refuser(rate))
