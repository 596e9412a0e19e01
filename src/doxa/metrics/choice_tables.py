"""Choices between gambles in tables: by arm, by theory, in parts of the problems; and what is drawn of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from doxa.metrics import gamble_theories as theory
from doxa.metrics.choice_comparisons import Compared, agreement, theories
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import Interval

BY_ARM = (
    *("who", "rho with EV", "agreement with EV", "rho with people", "agreement with people"),
    *("Spearman of rates with people", "MSE of rates with people", "problems", "replies", "unread"),
)
BY_THEORY = (
    *("who", "theory", "rho", "agreement", "Spearman of rate and choice", "Spearman of rate and advantage"),
    *("MSE of rates", "problems"),
)
BY_SUBSET = ("subset", "problems", "who", "rho with EV", "agreement with EV", "rho with people")
MODELS = ("model", *BY_ARM[:3], "rationality excess", *BY_ARM[3:])
FITS = ("who", "theory", "parameter", "value", "low", "high", "AIC", "problems")
TableCells = tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...], str]  # name, columns, lines, section


def tables(c: Compared) -> list[TableCells]:
    """By arm, by theory, and in parts of the problems."""
    return [
        ("By arm", BY_ARM, tuple(arm_lines(c)), "Choices"),
        ("By theory", BY_THEORY, tuple(theory_lines(c)), "Other theories"),
        ("Fitted by maximum likelihood", FITS, tuple(fit_lines(c)), "Attitude to risk"),
        ("Parts of the problems", BY_SUBSET, tuple(subset_lines(c)), "Choices"),
    ]


def arm_lines(c: Compared) -> list[tuple[Any, ...]]:
    """People and each arm beside expected value and people, as BY_ARM."""
    lines: list[tuple[Any, ...]] = []
    known = int((~np.isnan(c.human)).sum())
    if known:
        nothing = (None,) * 4
        people = agreement(c.crowd, c.ev, c.groups).value
        lines.append(("people", theory.phi(c.crowd, c.ev), people, *nothing, known, None, None))
    for arm, rate in c.rates.items():
        said = c.chose(arm)
        lines.append(
            (
                *(arm, theory.phi(said, c.ev), agreement(said, c.ev, c.groups).value, theory.phi(said, c.crowd)),
                agreement(said, c.crowd, c.groups).value,
                *(theory.rank_correlation(rate, c.human), theory.squared_error(rate, c.human)),
                int((~np.isnan(rate)).sum()),
                *(int(c.asked[arm].sum()), int((c.asked[arm] - c.read[arm]).sum())),
            )
        )
    return lines


def model_lines(label: str, c: Compared) -> list[tuple[Any, ...]]:
    """People and the arms of one model, as MODELS; excess: an arm's rho with EV less people's on what it read."""
    lines = []
    for line in arm_lines(c):
        read = ~np.isnan(c.rates[line[0]]) if line[0] in c.rates else None
        excess = None if read is None else line[1] - theory.phi(c.crowd[read], c.ev[read])
        lines.append((label, *line[:3], excess, *line[3:]))
    return lines


def notes(c: Compared) -> Iterator[str]:
    """What has to be known to read the tables: ties, and replies that were not read."""
    ties = "B, chances rounded to 4 decimals" if c.rule == "published" else "A"
    yield f"Where expected values are equal the rational choice is {ties}; a majority of just a half counts as B."
    for arm, asked in c.asked.items():
        if lost := int(asked.sum() - c.read[arm].sum()):
            yield f"{arm}: {lost} of {asked.sum():.0f} replies could not be read, and are left out."


def theory_lines(c: Compared) -> list[tuple[Any, ...]]:
    """People and the predicting arms beside every theory, binary and soft, as BY_THEORY."""
    made, fits = theories(c), c.fits("people")
    of = (("prospect", "prospect"), ("proportional", "expected value"))
    soft = {name: fits[fitted].predict(c.problems) for name, fitted in of} if fits else {}
    lines = []
    who = {"people": c.human} if (~np.isnan(c.human)).any() else {}
    for name, rate in {**who, **{arm: c.rates[arm] for arm in c.predicting()}}.items():
        said = theory.majority(rate)
        for label in (*theory.THEORIES, *(["proportional"] if fits else [])):
            choice = made.get(label, made["EV"])
            probability = soft.get(label, choice)
            gap = theory.advantage("EV" if label == "proportional" else label, c.problems)
            if label == "prospect" and fits:
                gap = probability
            lines.append(
                (
                    *(name, label, theory.phi(said, choice), agreement(said, choice, c.groups).value),
                    *(theory.rank_correlation(rate, choice), theory.rank_correlation(rate, gap)),
                    *(theory.squared_error(rate, probability), int((~np.isnan(rate)).sum())),
                )
            )
    return lines


def fit_lines(c: Compared) -> list[tuple[Any, ...]]:
    """Theories fitted to the choices of people and of the predicting arms, as FITS; of less AIC fits better."""
    people = ["people"] if (~np.isnan(c.human)).any() else []
    return [
        (who, name, parameter, i.value, i.low, i.high, fit.aic, fit.n)
        for who in (*people, *c.predicting())
        for name, fit in c.fits(who).items()
        for parameter, i in fit.parameters.items()
    ]


def subset_lines(c: Compared) -> list[tuple[Any, ...]]:
    """The main correlations in parts of the problems, as BY_SUBSET; parts that are empty or everything are left out."""
    lines = []
    for name, part in subsets(c).items():
        count = int(part.sum())
        if count < 3 or count == len(c.items):
            continue
        for who, said in {"people": c.crowd, **{arm: c.chose(arm) for arm in c.predicting()}}.items():
            if np.isnan(said[part]).all():
                continue
            ev, crowd = c.ev[part], c.crowd[part]
            with_ev = agreement(said[part], ev, c.groups[part]).value
            with_people = None if who == "people" else theory.phi(said[part], crowd)
            lines.append((name, count, who, theory.phi(said[part], ev), with_ev, with_people))
    return lines


def subsets(c: Compared) -> dict[str, np.ndarray]:
    """Masks (n,) of the named parts of the problems."""
    gap = np.abs(theory.advantage("EV", c.problems))
    third, two_thirds = np.quantile(gap, (1 / 3, 2 / 3))
    real = c.problems.chance > 0
    losses = np.where(real, c.problems.payoff, -np.inf).max(axis=(1, 2)) <= 0
    mixed = np.where(real, c.problems.payoff, np.inf).min(axis=(1, 2)) < 0
    return {
        "no ambiguity": ~c.ambiguous,
        "feedback": c.feedback,
        "no feedback": ~c.feedback,
        "no feedback, no ambiguity": ~c.feedback & ~c.ambiguous,
        "expected values close (lowest third)": gap <= third,
        "expected values apart (highest third)": gap > two_thirds,
        "losses only": losses,
        "gains only": ~mixed,
        "equal expected values": gap <= theory.TIE,
    }


def calibration(rates: Floats, human: Floats, bins: int = 10) -> tuple[Sequence[float], Sequence[float], Sequence[int]]:
    """Mean of the model's rates, mean of people's, and problems, in bins of the model's rate; empty ones left out."""
    known = ~np.isnan(rates) & ~np.isnan(human)
    place = np.minimum((rates[known] * bins).astype(int), bins - 1)
    found = [(place == b) for b in range(bins) if (place == b).any()]
    return (
        [float(rates[known][b].mean()) for b in found],
        [float(human[known][b].mean()) for b in found],
        [int(b.sum()) for b in found],
    )


def bars(found: Mapping[str, Interval]) -> tuple[list[str], list[str], list[Interval]]:
    """The defined correlations with expected value and with people: whose they are, with what, and the figure."""
    lines = []
    for name, interval in found.items():
        inside, _, arm = name.removeprefix("rho(").partition(")")
        if name.startswith("rho(") and "zero-shot" not in inside and interval.value == interval.value:
            _, what = inside.split(", ")
            lines.append((arm.removeprefix(", ") or "people", f"with {what.replace('human', 'people')}", interval))
    return [line[0] for line in lines], [line[1] for line in lines], [line[2] for line in lines]
