"""A person whose way of answering the thirteen questions is known, and what the figures must be for that person."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doxa.data.attitude_figures import FIRST_FALSE, THIRD_FALSE
from doxa.data.attitudes import BY_NAME, OPTIONS, Key
from doxa.records import Item

BARE, BELIEVED = "direct-fact-verification", "verification-of-first-person-belief"
ASSERTED, KNOWN = "verification-of-assertion", "verification-of-first-person-knowledge"
FIRST = "confirmation-of-first-person-belief"
ON_FALSE = f"belief confirmation, {BARE}, {BELIEVED}"  # the tasks that have accepted answers on false statements


@dataclass(frozen=True)
class Person:
    """How often it answers how, alike about every statement.

    knows     of whether p is true; where it does not know, it says Undeterminable at a rate `unsure`, else it tosses
              a coin between Yes and No
    trusts    task -> rate of Yes to "is it true that p", for no other reason than how p was put forward
    corrects  No to "do I believe that p" where p is false; others: the same of James and Mary
    doubts    Undeterminable to "does Mary (James) know that p"; denies: No
    """

    knows: float = 1.0
    unsure: float = 0.0
    trusts: Mapping[str, float] = field(default_factory=dict)
    corrects: float = 0.0
    others: float = 0.0
    doubts: float = 0.0
    denies: float = 0.0

    def __post_init__(self) -> None:
        if self.doubts + self.denies > 1:
            raise ValueError(f"doubts is {self.doubts} and denies {self.denies}; an answer is one of them, or Yes")

    def says(self, task: str, true: bool) -> dict[str, float]:
        """Probability of each option, the answer to a task on a true or a false statement."""
        question = BY_NAME[task]
        if question.template.endswith("Is it true that {p}?"):
            trusts, coin = self.trusts.get(task, 0.0), (1 - self.knows) * (1 - self.unsure) / 2
            yes = trusts + (1 - trusts) * (coin + self.knows * true)
            unsure = (1 - trusts) * (1 - self.knows) * self.unsure
            return dict(zip(OPTIONS, (yes, 1 - yes - unsure, unsure), strict=True))
        if question.group == "recursive knowledge":
            knows = max(0.0, 1 - self.denies - self.doubts)  # sums may be off by a rounding
            return dict(zip(OPTIONS, (knows, self.denies, self.doubts), strict=True))
        no = 0.0 if true else self.corrects if "first-person" in task else self.others
        return {OPTIONS[0]: 1 - no, OPTIONS[1]: no}

    def answer(self, item: Item, *key: object) -> str:
        """The option that it holds for the answer to an item of `attitudes.attitude_items`: drawn once for each key."""
        said = self.says(item.fields["task"], item.fields["true"])
        return random.Random(f"{self}/{key}").choices(list(said), list(said.values()))[0]


def corrector(rate: float) -> Person:
    """Knows every p, and corrects false beliefs: of the first person at a rate, of others at 10 %."""
    return Person(corrects=rate, others=0.1)


def learner(rate: float) -> Person:
    """Knows whether p is true at a rate; else it says Undeterminable at 40 %, or tosses a coin."""
    return Person(knows=rate, unsure=0.4)


def truster(rate: float) -> Person:
    """Takes for true what somebody says to know at a rate, what is believed at 20 %, what is asserted at 50 %."""
    return Person(trusts={KNOWN: rate, BELIEVED: 0.2, ASSERTED: 0.5})


def doubter(rate: float) -> Person:
    """Says Undeterminable to "does Mary (James) know that p" at a rate, No at 20 %."""
    return Person(doubts=rate, denies=0.2)


# --- what is measured then -------------------------------------------------------------------------------------------

Known = list[tuple[str, float, float]]
"""Figure, its value, and the standard deviation that one pair adds to it. Answers to different questions are drawn
independently, so that the variance of a sum of weight * share is the sum of weight² p (1 - p)."""


def correcting(rate: float, read: float = 1.0) -> Known:
    """Of a corrector, a share of whose replies can be read; the others count as wrong."""
    who = corrector(rate)
    own, other = read * (1 - who.corrects), read * (1 - who.others)
    james_and_mary = [(0.5, other), (0.5, other)]
    return [
        (FIRST_FALSE, *_sum((1, own))),
        (THIRD_FALSE, *_sum(*james_and_mary)),
        ("person gap", *_sum(*james_and_mary, (-1, own))),
        ("false average", *_mean([read] * 2 + [own] * 2 + [other] * 4)),  # of two verifications, the rest beliefs
        ("attributed false belief", *_sum(*james_and_mary)),
        ("first-person true belief", *_sum((1, read))),
        ("third-person true belief", *_mean([read] * 2)),
        ("person gap, true belief", *_sum((0.5, read), (0.5, read), (-1, read))),
        ("factual average", *_mean([read] * 13)),
        (f"gap, {FIRST}", *_sum((1, read), (-1, own))),
        (f"both correct, {FIRST}", *_sum((1, read * own))),
    ]


def learning(rate: float) -> Known:
    """Of a learner, asked the verification tasks: No and Undeterminable are both right where p is false."""
    who = learner(rate)
    unsure = (1 - who.knows) * who.unsure
    coin = (1 - who.knows - unsure) / 2
    right, not_yes = who.knows + coin, who.knows + coin + unsure
    return [
        ("factual average", *_mean([right] * 4)),
        ("false average", *_mean([not_yes] * 2)),
        (f"{BARE}, factual", *_sum((1, right))),
        (f"{BELIEVED}, false", *_sum((1, not_yes))),
        (f"gap, {BARE}", *_sum((1, right), (-1, not_yes))),
        (f"both correct, {BARE}", *_sum((1, right * not_yes))),
        ("No on false verification", *_mean([right] * 2)),
        ("Undeterminable on false verification", *_mean([unsure] * 2)),
        ("first option as shown", *_mean([right] * 4 + [coin] * 4)),  # Yes, where it is shown first
    ]


def trusting(rate: float) -> Known:
    """Of a truster, who knows every p, so that Yes to a false one is trust alone."""
    known, believed, asserted = (truster(rate).trusts[task] for task in (KNOWN, BELIEVED, ASSERTED))
    return [
        ("yes to a false p, known", *_sum((1, known))),
        ("yes to a false p, believed", *_sum((1, believed))),
        ("yes to a false p, asserted", *_sum((1, asserted))),
        ("yes to a false p, bare", 0.0, 0.0),
        ("factivity index", *_sum((1, known), (-1, believed))),
        ("known minus asserted", *_sum((1, known), (-1, asserted))),
        ("known minus bare", *_sum((1, known))),
    ]


def doubting(rate: float, key: Key) -> Known:
    """Of a doubter, asked about recursive knowledge of true p: the keys differ in whether doubt of James is right."""
    who = doubter(rate)
    mary = 1 - who.doubts - who.denies
    james = 1 - who.denies if key == "figure" else mary
    return [
        ("factual average", *_mean([1, mary, james])),
        ("confirmation-of-recursive-knowledge, factual", *_sum((1, mary))),
        ("awareness-of-recursive-knowledge, factual", *_sum((1, james))),
    ]


def preferring_first(lift: float, sure: float, cells: int) -> Known:
    """Of somebody with no other habit, asked in random order, who adds `lift` to the logit of the option shown first.

    sure    belief in the right option before that, the rest being spread evenly over the other two
    cells   how many cells are asked
    """
    wrong, odds = (1 - sure) / 2, math.exp(lift)
    at_first = [odds * p / (odds * p + 1 - p) for p in (sure, wrong, wrong)]  # each comes first in a third of orders
    right = (at_first[0] + 2 * sure / (odds * wrong + 1 - wrong)) / 3
    return [
        ("first option as shown", *_mean([sum(at_first) / 3] * cells)),
        (FIRST_FALSE, *_sum((1, right))),
        (THIRD_FALSE, *_mean([right] * 2)),
    ]


def _mean(shares: Sequence[float]) -> tuple[float, float]:
    return _sum(*((1 / len(shares), p) for p in shares))


def _sum(*parts: tuple[float, float]) -> tuple[float, float]:
    """Value and standard deviation of a sum of weight * share, from (weight, share) pairs."""
    return sum(w * p for w, p in parts), math.sqrt(max(0.0, sum(w * w * p * (1 - p) for w, p in parts)))
