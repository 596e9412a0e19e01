"""What figures of attempts, reflection and reasoning length must show of a respondent whose chances are known."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.foreseen_figures import confidence_foreseen

FIGURES = ("accuracy", "mean confidence", "overconfidence", "ECE", "AUROC", "AUPRC-P", "AUPRC-N")

_erf = np.vectorize(math.erf, otypes=[float])


def calibration_foreseen(said: ArrayLike, right: ArrayLike, *, bins: int = 10) -> dict[str, Foreseen]:
    """What `calibration_scores` must show of attempts that say `said` (n,) and are right with the chances `right` (n,).

    The share at the modal confidence follows exactly.

    >>> round(calibration_foreseen([0.9] * 100, [0.7] * 100)["ACE"].value, 2)    # .2, and chance
    0.21
    """
    stated = np.round(np.asarray(said, dtype=float), 4)
    outlook = Outlook.of(stated, right)
    found = {name: figure for name, figure in confidence_foreseen(outlook, bins=bins).items() if name in FIGURES}
    modal = float(np.unique(stated, return_counts=True)[1].max()) / len(stated)
    return found | {
        "ACE": outlook.gap_error(outlook.by_mass(bins)),
        "share at the modal confidence": Foreseen(modal, 0.0, len(stated)),
    }


def declining_foreseen(threshold: float, chance: ArrayLike) -> dict[str, Foreseen]:
    """A calibrated respondent that declines where its chance of being right is below the threshold."""
    p = np.asarray(chance, dtype=float)
    tried = p >= threshold
    declined = float((~tried).mean())
    return calibration_foreseen(p[tried], p[tried]) | {
        "not attempted": Foreseen(declined, 0.0, len(p)),
        "not attempted, count": Foreseen(float((~tried).sum()), 0.0, len(p)),
        "accuracy of all": Outlook.of(p, p * tried).mean(1.0, 0.0),
    }


def unread_foreseen(rate: float, chance: ArrayLike) -> dict[str, Foreseen]:
    """A calibrated respondent; a share of replies is out of format, and an equal share is cut, independently."""
    p, unread = np.asarray(chance, dtype=float), 1 - (1 - rate) ** 2
    accuracy, kept = float(p.mean()), 1 - unread
    return {
        "unread": _share(unread, len(p)),
        "truncated": _share(rate, len(p)),
        "accuracy": _share(accuracy, max(1, round(kept * len(p)))),
        "accuracy of all": _share(accuracy, max(1, round(kept * len(p)))),
        "accuracy, unread wrong": _share(accuracy * kept, len(p)),
    }


def reflecting_foreseen(factor: float, chance: ArrayLike) -> dict[str, Foreseen]:
    """By figure and way: a calibrated respondent that says a part of its confidence when it reflects."""
    p = np.asarray(chance, dtype=float)
    first, second = calibration_foreseen(p, p), calibration_foreseen(factor * np.round(p, 4), p)
    found = {f"{name}, sr": figure for name, figure in second.items()}
    # The spread of a difference is at most the sum of both, and 0 of equal ones.
    for name in ("ECE", "mean confidence"):
        (a, sd_a, n), (b, sd_b, _) = first[name], second[name]
        found[f"{name}, sr minus v"] = Foreseen(b - a, 0.0 if factor == 1 else sd_a + sd_b, n)
    return found


def length_foreseen(slope: float, chance: ArrayLike, *, spread: float = 0.3) -> dict[str, Foreseen]:
    """Chains of exp(constant - slope * chance + N(0, spread)) tokens; the confidence is the chance.

    Rank correlations from the expected rank of each chain; spread of a rank correlation: (1 - r^2) sqrt(1 + r^2 / 2).

    source  Bonett and Wright 2000, Psychometrika 65(1)

    >>> found = length_foreseen(2, np.linspace(0, 1, 500), spread=0.3)
    >>> round(found["length and confidence"].value, 2), round(found["length and accuracy"].value, 2)
    (-0.9, -0.52)
    """
    p = np.asarray(chance, dtype=float)
    n = len(p)
    ahead = -slope * (p[:, None] - p[None, :]) / (spread * math.sqrt(2))
    rank = (0.5 + _erf(ahead / math.sqrt(2)) / 2).sum(axis=1)  # how many chains are expected to be shorter, and half
    rank -= rank.mean()
    of_ranks = math.sqrt((n**2 - 1) / 12)
    place = np.argsort(np.argsort(p)).astype(float)
    values = {
        "length and confidence": float(rank @ (place - place.mean())) / n / of_ranks**2,
        "length and accuracy": float(rank @ p) / n / of_ranks / math.sqrt(p.mean() * (1 - p.mean())),
    }
    return {name: Foreseen(r, (1 - r**2) * math.sqrt(1 + r**2 / 2), n) for name, r in values.items()}


def named(found: Mapping[str, Foreseen], *ways: str) -> dict[str, Foreseen]:
    """Figures by the names of estimates, "FIGURE, WAY"."""
    return {f"{name}, {way}": figure for way in ways for name, figure in found.items()}


def _share(p: float, n: int) -> Foreseen:
    return Foreseen(p, math.sqrt(p * (1 - p)), n)
