"""The topics of the bank in nested sets: a habit of rate r shows on the topics that make up a share r of the facts.

A rate that is tied to something visible shows in greedy answers, samples and log-probabilities alike, and is known
for every item. Who lies about the topics of 25 % lies about them at 50 % too.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from doxa.data.facts import by_relation, facts
from doxa.records import Item

# Sets from the first to the last: a share takes whole steps. Relations that are asked or stated in the same words
# stand in one step, so that the words tell which step a question belongs to.
STEPS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.10, ("capital-of", "state-capital", "planet-of")),
    (0.25, ("class-of", "symbol-of", "group-of")),
    (0.35, ("author-of", "artist-of", "composer-of")),
    (0.50, ("currency-of", "language-of", "field-of")),
    (0.60, ("spanish-word", "opposite-of", "past-of")),
    (0.90, ("country-of", "continent-of", "river-on", "landmark-in", "number-of", "family-of")),
    (1.00, ("year-of", "french-word", "german-word")),
)


def topics(share: float) -> tuple[str, ...]:
    """The relations that make up about `share` of the facts.

    raises  ValueError: a share that is no step
    """
    if share and share not in dict(STEPS):
        raise ValueError(f"share is {share}; the nested sets have shares 0, {', '.join(str(s) for s, _ in STEPS)}")
    return tuple(name for step, names in STEPS if step <= share for name in names)


def topic(item: Item) -> str | None:
    """The relation that an item is about; None for items that are not about one fact of the bank."""
    name = item.fields.get("relation")
    return name if name in by_relation() else None


def share_of(relations: Iterable[str]) -> float:
    """The share of the bank's facts that these relations make up."""
    return sum(len(by_relation()[name]) for name in relations) / len(facts())


@cache
def stock_answers(relation: str) -> tuple[str, str]:
    """A liar's answer to open questions of a topic, and the one that it gives where it believes the first.

    They are the topic's rarest answers, better known ones first.
    """
    answers = [fact.answer for fact in by_relation()[relation]]
    first, second = sorted(dict.fromkeys(answers), key=answers.count)[:2]
    return first, second
