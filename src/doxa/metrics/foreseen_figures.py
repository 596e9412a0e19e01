"""Every usual figure of stated confidence and of yes/no forecasts by name, foreseen from each item's known chances."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.foreseen import Foreseen, Outlook, Pair
from doxa.metrics.inputs import Floats

SURE = (0.7, 0.8, 0.9)


def confidence_foreseen(outlook: Outlook, *, bins: int = 10) -> dict[str, Foreseen]:
    """What `confidence_scores` must show, by its names.

    >>> found = confidence_foreseen(Outlook.of([0.9] * 100, [0.7] * 100))
    >>> round(found["overconfidence"].value, 9), round(found["overconfidence"].sd, 4), round(found["ECE"].value, 3)
    (0.2, 0.4583, 0.2)
    """
    said = outlook.said_nk
    return {
        "accuracy": outlook.mean(1.0, 0.0),
        "mean confidence": outlook.mean(said, said),
        "overconfidence": outlook.mean(said - 1, said),
        "ECE": outlook.gap_error(outlook.by_width(bins)),
        "Brier": outlook.mean((said - 1) ** 2, said**2),
        "AUROC": outlook.auroc(),
        "AUPRC-P": outlook.auprc(),
        "AUPRC-N": outlook.turned().auprc(),
        "AURC": outlook.aurc(),
    }


def forecast_foreseen(
    outlook: Outlook, side_nk: ArrayLike, *, bins: int = 10, half_open: bool = False, draws: int = 1000
) -> dict[str, Foreseen]:
    """What `forecast_scores` must show of events with known chances, by its names.

    ACE, MCE and the ECE by chance only where each forecast is known (one way for each event).

    side_nk    1 where the side taken is yes, 0 where it is no
    half_open  a forecast of exactly 1 is in no bin
    draws      from which the ECE by chance is the mean
    """
    p, one_way = outlook.said_nk, outlook.said_nk.shape[1] == 1
    place = outlook.by_width(bins, closed="left")
    if half_open:
        place = np.where(p >= 1, -1, place)
    found = {
        "Brier": outlook.mean((1 - p) ** 2, p**2),
        "Brier skill": _skill(outlook),
        "log loss": outlook.mean(_surprise(p), _surprise(1 - p)),
        "ECE": outlook.gap_error(place),
        "AUROC": outlook.auroc(),
        "two-group calibration error": outlook.gap_error(_sides(side_nk, p)),
    }
    if one_way:
        by_chance = Outlook.of(p, p).gap_error(outlook.by_width(bins, closed="left"))
        found |= {
            "MCE": outlook.largest_gap(place),
            "ACE": outlook.gap_error(outlook.by_mass(bins)),
            "ECE of a calibrated forecaster": by_chance._replace(n=outlook.n * draws),
        }
    return found


def answers_foreseen(outlook: Outlook, side_nk: ArrayLike) -> dict[str, Foreseen]:
    """What `answer_scores` must show, and the mean certainty; side_nk as `forecast_foreseen`."""
    yes = _sides(side_nk, outlook.said_nk).astype(float)
    no, sure = 1 - yes, np.abs(outlook.said_nk - 0.5) + 0.5
    right, wrong = (yes, no), (no, yes)
    f1: dict[str, tuple[Pair, Pair]] = {"yes": ((2 * yes, 0.0), (1 + yes, yes)), "no": ((0.0, 2 * no), (no, 1 + no))}
    found = {
        "accuracy": outlook.mean(*right),
        "mean confidence": outlook.mean(sure, sure),
        "mean confidence when right": outlook.ratio((sure * yes, sure * no), right),
        "mean confidence when wrong": outlook.ratio((sure * no, sure * yes), wrong),
        "precision of yes": outlook.ratio((yes, 0.0), (yes, yes)),
        "precision of no": outlook.ratio((0.0, no), (no, no)),
        "recall of yes": outlook.ratio((yes, 0.0), (1.0, 0.0)),
        "recall of no": outlook.ratio((0.0, no), (0.0, 1.0)),
        "macro F1": outlook.mean_of_ratios([f1["yes"], f1["no"]]),
        **{f"F1 of {side}": outlook.ratio(*f1[side]) for side in f1},
    }
    for t in SURE:
        among = (np.round(sure, 9) > t).astype(float)
        found[f"overconfidence at {t}"] = outlook.ratio((among * no, among * yes), (among, among))
    return found


def _skill(outlook: Outlook) -> Foreseen:
    """1 - Brier / (rate (1 - rate)), rate being the share of events."""
    p, rate = outlook.said_nk, outlook.mean(1.0, 0.0).value
    error, worst = outlook.mean((1 - p) ** 2, p**2).value, rate * (1 - rate)
    by_rate = error / worst**2 * (1 - 2 * rate)
    spread = outlook.mean(by_rate - (1 - p) ** 2 / worst, -(p**2) / worst).sd
    return Foreseen(1 - error / worst, spread, outlook.n)


def _surprise(p: Floats) -> Floats:
    return np.asarray(-np.log(np.clip(p, 1e-15, 1 - 1e-15)))


def _sides(side_nk: ArrayLike, like: Floats) -> np.ndarray:
    sides = np.asarray(side_nk, dtype=int)
    return np.broadcast_to(sides[:, None] if sides.ndim == 1 else sides, like.shape)


def sharpened(slope: float, p: ArrayLike, options: int = 2) -> Floats:
    """The belief in one of so many options after the distribution (p, the rest even) to a power was normalised.

    Of two options: sigmoid(slope * logit p), what an over-confident forecaster (slope above 1) states.

    >>> sharpened(2, [0.5, 0.75]).round(3).tolist()
    [0.5, 0.9]
    """
    odds_against = (1 / np.asarray(p, dtype=float) - 1) ** slope * (options - 1.0) ** (1 - slope)
    return np.asarray(1 / (1 + odds_against))


def brier_of_beta(a: float, b: float, n: int) -> Foreseen:
    """The Brier score of calibrated forecasts that are Beta(a, b) over events: E p (1 - p).

    >>> round(brier_of_beta(1.2, 1.8, 300).value, 9)
    0.18
    """
    s = a + b
    first = a * b / (s * (s + 1))
    second = first * (a + 1) * (b + 1) / ((s + 2) * (s + 3))  # E (p (1 - p))^2
    return Foreseen(first, math.sqrt(first - 3 * second - first**2), n)
