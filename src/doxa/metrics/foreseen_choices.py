"""Choices with known parameters, and what figures of them must come to: mixtures of theories, rankings with flips."""

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats


def mixed(first: ArrayLike, other: ArrayLike, share: float, *, seed: int = 0) -> Floats:
    """Choices (n,) that are those of `first` with probability `share`, else drawn with probability `other` of B."""
    rng = np.random.default_rng(seed)
    a, b = np.asarray(first, dtype=np.float64), np.asarray(other, dtype=np.float64)
    drawn = (rng.random(len(a)) < b).astype(np.float64)
    return np.where(rng.random(len(a)) < share, a, drawn)


def phi_of(p: ArrayLike, target: ArrayLike) -> tuple[float, float]:
    """Expected phi of choices that take B with probability p (n,) and of fixed choices (n,), and the sd of one problem.

    The sd is that of phi's influence function, z_x z_y - phi (z_x^2 + z_y^2) / 2, over the four cells.

    >>> tuple(round(x, 3) for x in phi_of([0.9, 0.1, 0.9, 0.1], [1, 0, 1, 0]))    # of 10 in 100 wrong: 2 * .9 - 1
    (0.8, 0.6)
    """
    rate, fixed = np.asarray(p, dtype=np.float64), np.asarray(target, dtype=np.float64)
    m, t = float(rate.mean()), float(fixed.mean())
    sd_m, sd_t = np.sqrt(m * (1 - m)), np.sqrt(t * (1 - t))
    phi = float(((rate * fixed).mean() - m * t) / (sd_m * sd_t))
    square = 0.0
    for y in (0.0, 1.0):
        z_y, z_x = (y - m) / sd_m, (fixed - t) / sd_t
        influence = z_x * z_y - phi / 2 * (z_x**2 + z_y**2)
        square += float((np.where(y, rate, 1 - rate) * influence**2).mean())
    return phi, float(np.sqrt(max(square, 0.0)))


def of_two_minds(share: float) -> dict[str, float]:
    """Shares that somebody shows who solves by expected value, predicts otherwise, and goes by a bias, on a share."""
    return {
        "agreement with EV, solve": 1.0,
        "agreement with the stated bias, biased": share,
        "unlike solving, again": 0.0,
        "unlike solving, individual": share,
        "unlike solving beyond noise, individual": share,
    }


def unread(rate: float) -> dict[str, float]:
    return {"unread, act": rate, "unread, aggregate": rate}


def flipped_ranking(n: int, flips: float) -> tuple[float, float]:
    """Correlation of n ranks with the scores of all pairs compared once, each turned with probability `flips`; its sd.

    A score is (1 - 2 flips) of the rank, variance (n^2 - 1) / 12, and noise of variance (n - 1) flips (1 - flips).

    >>> tuple(round(x, 4) for x in flipped_ranking(47, 0.1))
    (0.9829, 0.034)
    """
    signal = (1 - 2 * flips) ** 2 * (n**2 - 1) / 12
    r = float(np.sqrt(signal / (signal + (n - 1) * flips * (1 - flips))))
    return r, 1 - r**2


def flipped_triples(flips: float) -> float:
    """Share of cyclic triples where all pairs of an order are turned with probability `flips`: flips (1 - flips)."""
    return flips * (1 - flips)


Figures = dict[str, tuple[float, float]]  # name -> value, sd of one unit of observation


def following(p: ArrayLike, ev: ArrayLike, crowd: ArrayLike, arm: str) -> Figures:
    """The correlations of an arm whose choices take B with probability p (n,), each with the sd of one problem.

    ev, crowd  (n,) what expected value and most people choose
    """
    with_ev, with_people, people = phi_of(p, ev), phi_of(p, crowd), phi_of(crowd, ev)[0]
    return {
        f"rho(model, EV), {arm}": with_ev,
        f"rho(model, human), {arm}": with_people,
        f"rationality excess, {arm}": (with_ev[0] - people, with_ev[1]),
    }
