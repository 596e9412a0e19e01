"""Answers to labelled options shown in many orders: mapped back and averaged; what places and labels add to them.

r orders of c options. An order says which option (from 0) stands in each place, and probabilities p stand by place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints
from doxa.metrics.tails import chi_square_tail

Mapping = Literal["scatter", "gather"]
BLOCKS = 4  # of balanced orders at least: their spread is the Monte Carlo error


def all_orders(c: int) -> list[tuple[int, ...]]:
    """Every order of c options, the own one first."""
    return list(permutations(range(c)))


def chosen_orders(c: int, most: int, *, balanced: bool = True, seed: int = 0) -> list[tuple[int, ...]]:
    """All orders of c options where c! is at most `most`; else a sample, in blocks of c, or of independent orders.

    balanced  a block is a random order and its c - 1 rotations, so that each option stands in each place equally
              often; as many blocks as `most` holds, and at least four

    >>> [len(chosen_orders(c, 24)) for c in (2, 3, 4, 5, 6, 9)]
    [2, 6, 24, 20, 24, 36]
    """
    if c < 2 or most < 1:
        raise ValueError(f"c is {c} options and most {most} orders; at least two options and one order")
    if math.factorial(c) <= most:
        return all_orders(c)
    rng = np.random.default_rng([seed, c])
    if not balanced:
        return [tuple(int(i) for i in rng.permutation(c)) for _ in range(most)]
    starts = [rng.permutation(c).tolist() for _ in range(max(BLOCKS, most // c))]
    return [tuple(start[(j + shift) % c] for j in range(c)) for start in starts for shift in range(c)]


def mapped(p_rc: ArrayLike, orders_rc: ArrayLike, mapping: Mapping = "scatter") -> Floats:
    """Probabilities (r, c) by option from those by place.

    mapping  "scatter": what was said of place j goes to the option that stood there, q[order[j]] = p[j];
             "gather": q[i] = p[order[i]], as the released loader has it, which mixes options where an order is not
             its own inverse, and pushes averages toward even ones
    raises   ValueError: unequal shapes, an order that is none
    source   the loader: socialfoundations/surveying-language-models at 2cd2d4c

    >>> mapped([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], [[0, 1, 2], [1, 2, 0]]).tolist()
    [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]]
    """
    p, orders = np.asarray(p_rc, dtype=np.float64), np.asarray(orders_rc, dtype=np.int64)
    if p.ndim != 2 or p.shape != orders.shape:
        raise ValueError(f"p has shape {p.shape} and orders {orders.shape}; both are (orders, options)")
    wrong = np.flatnonzero((np.sort(orders, axis=1) != np.arange(p.shape[1])).any(axis=1))
    if len(wrong):
        raise ValueError(
            f"orders[{wrong[0]}] is {orders[wrong[0]].tolist()}; it holds each of 0 to {p.shape[1] - 1} once"
        )
    if mapping == "gather":
        return np.take_along_axis(p, orders, axis=1)
    found = np.empty_like(p)
    np.put_along_axis(found, orders, p, axis=1)
    return found


def monte_carlo_error(mapped_rc: ArrayLike, block: int = 1) -> float:
    """Standard error of the average over sampled orders, the largest of the c options; nan for fewer than two blocks.

    block  orders that were drawn together (rotations of one order)
    """
    values = np.asarray(mapped_rc, dtype=np.float64)
    blocks = len(values) // block
    if blocks < 2:
        return math.nan
    means = values[: blocks * block].reshape(blocks, block, -1).mean(axis=1)
    return float((means.std(axis=0, ddof=1) / math.sqrt(blocks)).max())


def normalised_entropy(p: ArrayLike) -> float:
    """-sum p log p / log c, in [0, 1]; 1: all options alike.

    >>> round(normalised_entropy([0.7, 0.2, 0.1]), 4)
    0.7298
    """
    return entropy_bits(p) / math.log2(len(np.asarray(p)))


def entropy_bits(p: ArrayLike) -> float:
    """-sum p log2 p, with 0 log 0 = 0.

    >>> round(entropy_bits([0.7, 0.2, 0.1]), 4)
    1.1568
    """
    values = np.asarray(p, dtype=np.float64)
    held = values[values > 0]
    return float(-(held * np.log2(held)).sum()) + 0.0


def kl_bits(p: ArrayLike, q: ArrayLike) -> float:
    """KL divergence of p from q, bits: sum p log2(p / q), with 0 log 0 = 0; infinite where q is 0 and p is not.

    >>> round(kl_bits([0.5, 0.5], [0.9, 0.1]), 4), kl_bits([0.5, 0.5], [1.0, 0.0])
    (0.737, inf)
    """
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"p has {first.shape} options and q {second.shape}; both are of the same question")
    held = first > 0
    if (second[held] == 0).any():
        return math.inf
    return max(0.0, float((first[held] * np.log2(first[held] / second[held])).sum()))


def label_nats(p_rc: ArrayLike) -> float:
    """How far the first label is preferred to the others: mean over orders of log p(first) - mean log p(others), nats.

    Over balanced orders what is said of the options cancels, so that logits added to places and labels come out
    exactly. nan where some probability is 0.
    """
    p = np.asarray(p_rc, dtype=np.float64)
    if not len(p) or (p <= 0).any():
        return math.nan
    logs = np.log(p)
    return float((logs[:, 0] - logs[:, 1:].mean(axis=1)).mean())


def uniform_p(counts: ArrayLike) -> float:
    """p of Pearson's chi-square test that counts (c,) come from even chances; nan without any.

    >>> round(uniform_p([30, 20]), 4)
    0.1573
    """
    seen = np.asarray(counts, dtype=np.float64)
    if len(seen) < 2 or not seen.sum():
        return math.nan
    expected = seen.sum() / len(seen)
    return chi_square_tail(float(((seen - expected) ** 2 / expected).sum()), len(seen) - 1)


def slope_and_correlation(x: Sequence[float] | Floats, y: Sequence[float] | Floats) -> tuple[float, float]:
    """Least-squares slope of y on x and their correlation; nan for fewer than three points or a constant one."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(a) < 3 or np.ptp(a) < 1e-12:
        return math.nan, math.nan
    da, db = a - a.mean(), b - b.mean()
    slope = float(da @ db / (da @ da))
    return slope, float(da @ db / math.sqrt((da @ da) * (db @ db))) if np.ptp(b) > 1e-12 else math.nan


def counts_of(values: Sequence[int], c: int) -> Ints:
    """How often each of 0 to c - 1 is there."""
    return np.bincount(np.asarray(values, dtype=np.int64), minlength=c).astype(np.int64)
