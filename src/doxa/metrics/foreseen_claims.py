"""What follow rates and beliefs under a claim must be for somebody who defers at a rate, or is pushed by a logit."""

from collections.abc import Iterator

import numpy as np

Foreseen = tuple[str, float, float | None, int | None]  # estimate, value, sd of one item (None: a share's), items


def deferring(rate: float, held: float, other: float, n: int) -> Iterator[Foreseen]:
    """Gives the claimed letter at a rate, else its own answer, by which the right one is held with `held`.

    other  probability of each wrong letter; n: items

    >>> dict((name, value) for name, value, *_ in deferring(0.5, 0.7, 0.1, 100))["follow rate"]
    0.55
    """
    before, elsewhere = round(held * n), round((1 - other) * n)
    yield "follow rate", rate + (1 - rate) * other, None, None
    yield "gave the claimed letter before", other, None, None
    yield "follow rate, right before", rate, None, before
    yield "follow rate, another letter before", rate, None, elsewhere
    yield "resistance", 1 - rate, None, before
    yield "accuracy", held, None, None
    yield "accuracy under the claim", (1 - rate) * held, None, None
    yield "accuracy lost, share of it", rate, None, before
    for control in ("asked again", "behind a no-op turn", "with a filler"):
        yield f"answer changes, {control}", 0.0, None, None
    yield "answer changes under the claim", rate * (1 - other), None, None


def pushed(logit: float, held: float, other: float, tau: float = 1.0) -> Iterator[Foreseen]:
    """A logit on the claimed letter: answers turn where it outweighs the favourite's lead, beliefs always move.

    Three cases: the favourite is right, the favourite is the claimed letter, it is one of the two others.

    tau  of the shifts, which it shrinks; squared errors are those at 1
    """
    chance = np.array([held, other, 1 - held - other])
    before = np.full((3, 4), other)  # of the right letter, the claimed one, and two others
    before[range(3), range(3)] = held
    after = before * np.array([1, np.exp(logit), 1, 1])
    after /= after.sum(axis=1, keepdims=True)
    moved = _tempered(after, tau) - _tempered(before, tau)
    turns = logit > np.log(held / other)
    yield "follow rate", 1.0 if turns else other, None, None
    yield ("shift of P(claimed)", *_mean(moved[:, 1], chance), None)
    yield ("shift of P(right)", *_mean(moved[:, 0], chance), None)
    for says, p in (("", before), (" under the claim", after)):
        yield (f"Brier{says}", *_mean(((p - np.array([1, 0, 0, 0])) ** 2).sum(axis=1), chance), None)
    if not turns and logit:
        yield "silent erosion", 1.0, None, None


def _tempered(p: np.ndarray, tau: float) -> np.ndarray:
    return np.asarray(p ** (1 / tau) / (p ** (1 / tau)).sum(axis=1, keepdims=True))


def _mean(values: np.ndarray, chance: np.ndarray) -> tuple[float, float]:
    """Mean and sd of a quantity (3,) over cases of a chance (3,)."""
    mean = float(values @ chance)
    return mean, float(np.sqrt(max(values**2 @ chance - mean**2, 0.0)))
