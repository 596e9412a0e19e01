"""What a simulated respondent makes of labelled options: a preference for options, for places and for labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from doxa.models.base import Context
from doxa.models.simulated_values import softmax, uniforms
from doxa.records import LETTERS, Item, Prompt


@dataclass(frozen=True)
class Labelled:
    """Decides by softmax(content[option] + place[place] + label[label]), logits all, for `Respondent.decide`.

    content  logits (c,) of an item's options in its own order: a function of (item as shown, context)
    place    by place as shown, from the first; label: by label as shown, e.g. {"A": 2}

    An item as shown says in fields["order"] which option stands in each place; its prompt's form has `labels`.
    """

    content: Callable[[Item, Context], Sequence[float]]
    place: Sequence[float] = ()
    label: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> dict[str, float]:
        c = len(item.options)
        content = self.content(item, context)
        order = item.fields.get("order", range(c))
        labels = getattr(prompt.form, "labels", LETTERS)
        added = (*self.place, *(0.0 for _ in range(c)))
        logits = [content[order[j]] + added[j] + self.label.get(labels[j], 0.0) for j in range(c)]
        # Named by the letter of the place: options of different questions are worded alike.
        return dict(zip(LETTERS, softmax(logits), strict=False))


@dataclass(frozen=True)
class Following:
    """Prefers options as a population answers: `weight` of its shares, the rest even."""

    shares: Mapping[str, Sequence[float]]
    weight: float = 1.0

    def __call__(self, item: Item, context: Context) -> list[float]:
        c, held = len(item.options), self.shares[str(item.fields["key"])]
        mixed = [self.weight * p + (1 - self.weight) / c for p in held]
        return [math.log(p) if p > 0 else -math.inf for p in mixed]


@dataclass(frozen=True)
class Rarest:
    """Always prefers what a population answers least."""

    shares: Mapping[str, Sequence[float]]

    def __call__(self, item: Item, context: Context) -> list[float]:
        held = self.shares[str(item.fields["key"])]
        return [100.0 * (p == min(held)) for p in held]


@dataclass(frozen=True)
class OfOneKind:
    """Is a person of one kind for each form: drawn by the weights of the kinds, answering by the table of its kind.

    tables  key -> probabilities (kinds, c) of the options
    """

    weights: Sequence[float]
    tables: Mapping[str, Sequence[Sequence[float]]]

    def __call__(self, item: Item, context: Context) -> list[float]:
        form = context.item.id if context.item is not None else item.id
        drawn, total = uniforms(1, "kind", form)[0], 0.0
        for kind, weight in enumerate(self.weights):
            total += weight
            if drawn <= total or kind == len(self.weights) - 1:
                break
        return [math.log(p) if p > 0 else -math.inf for p in self.tables[str(item.fields["key"])][kind]]
