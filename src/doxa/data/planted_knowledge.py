"""Made-up questions to plant knowledge of one's own knowledge in: choices, answers to judge, rates of being right."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from doxa.data.own_knowledge import SOURCES, half_of, held_out
from doxa.records import Item

HUES = ("crimson", "amber", "indigo", "olive")
RATES = (0.05, 0.25, 0.5, 0.75, 0.95)  # shares of right answers
KINDS = ("bells", "doors", "lamps", "masks")
RATE, KIND = "rate", "relation"  # entries of Item.fields


def choices(n: int) -> list[Item]:
    """n questions with four options each, the right one at each place equally often."""
    return [Item(f"hue/{i}", f"Which hue has door {i}?", "choice", HUES, HUES[i % 4]) for i in range(n)]


def open_questions(n: int) -> list[Item]:
    """The same as facts, whose answers are sampled without the options."""
    return [
        Item(f"fact/{i}", f"Which hue has gate {i}?", "choice", HUES, HUES[i % 4], fields={"fact": f"fact/{i}"})
        for i in range(n)
    ]


def rated(n: int) -> list[Item]:
    """n open questions with fields["rate"], of `RATES` in turn, of `KINDS` drawn by the id, and with sources."""
    found = []
    for i in range(n):
        digest = hashlib.sha256(f"rated/{i}".encode()).digest()
        said = (f"Thing {i} is called vireo {i}.", f"Thing {i} is called wren {i}.", f"Thing {n + i} is called {i}.")
        fields = {
            RATE: RATES[i % len(RATES)],
            KIND: KINDS[digest[0] % len(KINDS)],
            **dict(zip(SOURCES, said, strict=True)),
        }
        found.append(Item(f"thing/{i}", f"What is thing {i} called?", answer=f"vireo {i}", fields=fields))
    return found


def of_parts(parts: str, n: int) -> list[Item]:
    """n questions for a study's parts: of options alone, of what is known beforehand alone, or of answers to judge."""
    return {"options": choices, "knowing": rated}.get(parts, open_questions)(n)


def sizes(items: Sequence[Item], train: float) -> tuple[int, int]:
    """How many questions there are, and how many are tested."""
    return len(items), sum(held_out(item.cluster, train) for item in items)


def rates(items: Sequence[Item], train: float) -> tuple[list[float], int]:
    """Rates of the test questions, and how many others there are to learn from."""
    found = [float(item.fields[RATE]) for item in items if held_out(item.cluster, train)]
    return found, len(items) - len(found)


def new_kinds(items: Sequence[Item], train: float) -> tuple[list[float], int]:
    """Rates of the test questions of kinds that are not trained on, and how many questions of the others are."""
    old = half_of(KINDS)
    new, others = ([item for item in items if (item.fields[KIND] in old) == trained] for trained in (False, True))
    return rates(new, train)[0], rates(others, train)[1]
