"""What answers to labelled options must show when preferences are known, by going through every order of the options.

c options are shown in all c! orders, the labels always in their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from doxa.metrics.inputs import Floats


def evenness(p: Sequence[float] | Floats) -> float:
    """Entropy over that of even chances: written apart from the metric that it checks."""
    values = np.asarray(p)
    return float(-np.sum(values * np.log(np.where(values > 0, values, 1.0))) / np.log(len(values)))


def _kl(p: Sequence[float] | Floats, q: Sequence[float] | Floats) -> float:
    """Bits, p and q above 0."""
    return float(np.sum(np.asarray(p) * (np.log2(p) - np.log2(q))))


def all_answers(content: Sequence[float] | Floats, first: float = 0.0) -> tuple[Floats, Floats]:
    """Probabilities (c!, c) by place and by option, where the first label in the first place adds a logit."""
    c = len(content)
    by_place, by_option = [], []
    for order in permutations(range(c)):
        weights = np.exp([content[o] + first * (j == 0) for j, o in enumerate(order)])
        shown = weights / weights.sum()
        by_place.append(shown)
        by_option.append([shown[order.index(o)] for o in range(c)])
    return np.array(by_place), np.array(by_option)


def first_alone(content: Sequence[float] | Floats, logit: float) -> float:
    """P(an option that chance marks) where the mark adds a logit, less 1/c: of a label or a place, the other at random.

    >>> round(first_alone([0.0, 0.0], 2.0), 4)
    0.3808
    """
    weights = np.exp(content)
    marked = weights * np.exp(logit)
    return float((marked / (weights.sum() - weights + marked)).mean()) - 1 / len(weights)


def gathered(p: Sequence[float] | Floats) -> Floats:
    """What all orders average to, mapped back by gathering, of somebody who looks at the options alone.

    Options that an order leaves or swaps keep their own; in other orders another option's share is read.

    >>> gathered([0.8, 0.1, 0.1]).round(3).tolist()
    [0.567, 0.217, 0.217]
    """
    total = np.zeros(len(p))
    for order in permutations(range(len(p))):
        total += [p[order[order[o]]] for o in range(len(p))]
    return total / total.sum()


def labelled(shares: Sequence[Sequence[float] | Floats], logit: float) -> dict[str, float]:
    """Of somebody who prefers options by these shares and adds a logit to the first label, each in its place."""
    every = [all_answers(np.log(held), logit) for held in shares]
    return {
        "A-bias": float(np.mean([p[:, 0].mean() - 1 / p.shape[1] for p, _ in every])),
        "A-bias, nats": logit,
        "normalised entropy, naive": float(np.mean([evenness(p[0]) for p, _ in every])),
        "normalised entropy, adjusted": float(np.mean([evenness(p.mean(axis=0)) for _, p in every])),
    }


def followed(shares: Sequence[Sequence[float] | Floats], weight: float) -> dict[str, float]:
    """Of somebody who answers by a mixture of a population's shares and even ones, in whatever order."""
    even = [np.full(len(held), 1 / len(held)) for held in shares]
    said = mixed(shares, weight)
    to_even = [_kl(p, flat) for p, flat in zip(said, even, strict=True)]
    to_people = [_kl(p, held) for p, held in zip(said, shares, strict=True)]
    return {
        "closer to the reference than to uniform": float(np.mean(np.array(to_even) >= np.array(to_people) - 1e-12)),
        "KL to the reference, adjusted": float(np.mean(to_people)),
        "KL to uniform, naive": float(np.mean(to_even)),
        "normalised entropy, adjusted": float(np.mean([evenness(p) for p in said])),
        "A-bias, nats": 0.0,
    }


def gathered_answers(shares: Sequence[Sequence[float] | Floats], weight: float) -> dict[str, float]:
    """Of the same over all orders, mapped back by gathering."""
    return {"normalised entropy, adjusted": float(np.mean([evenness(gathered(p)) for p in mixed(shares, weight)]))}


def topped_answers(shares: Sequence[Sequence[float] | Floats], weight: float, top: int = 5) -> dict[str, float]:
    """Of the same, of whom the five likeliest tokens are seen."""
    return topped(mixed(shares, weight), top)


def off_labels_answers(shares: Sequence[Sequence[float] | Floats], rate: float) -> dict[str, float]:
    """Of somebody who answers by a population's shares, and with no label at a rate."""
    return {"label mass": 1 - rate, "KL to the reference, adjusted": 0.0}


def mixed(shares: Sequence[Sequence[float] | Floats], weight: float) -> list[Floats]:
    """A population's shares and even ones, by a weight."""
    return [weight * np.asarray(held) + (1 - weight) / len(held) for held in shares]


def topped(answers: Sequence[Sequence[float] | Floats], top: int) -> dict[str, float]:
    """Of somebody who answers by these probabilities, of whom so many labels are seen and the others filled in."""
    entropies, masses = [], []
    for held in answers:
        ranked = np.sort(np.array(held))[::-1]
        seen, unseen = ranked[:top], max(len(ranked) - top, 0)
        filled = [min((1 - seen.sum()) / unseen, seen[-1])] * unseen if unseen else []
        p = np.array([*seen, *filled])
        entropies.append(evenness(p / p.sum()))
        masses.append(seen.sum())
    return {"normalised entropy, adjusted": float(np.mean(entropies)), "label mass": float(np.mean(masses))}
