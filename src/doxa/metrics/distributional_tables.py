"""Tables of distributions with an abstention: rows of option log-probabilities in, lines of scores out.

A row has item, group, options (how many options answer; what follows in the lists are abstentions), logprobs,
characters (of each, as scored), truth (places of right options), part (its set) and strings (the abstentions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics import distributional as scores
from doxa.metrics import sums
from doxa.metrics.calibration_interval import bootstrap_ece
from doxa.metrics.distributional import Distributions, Masses, Variant
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.resampling import bootstrap

if TYPE_CHECKING:
    import polars as pl

PENALTIES = (0.0, 0.25, 0.5, 1.0)
BY_STRING = ("read from", "abstention", "DCS", "low", "high", "mass on abstaining", "low ", "high ", "n")
BY_PART = ("set", "read from", "DCS", "low", "high", "accuracy", "even guessing", "n")


def readable(rows: pl.DataFrame) -> np.ndarray:
    """Whether (n,) a row has a distribution: no nan, and not minus infinity throughout."""
    return np.array(
        [bool(np.isfinite(r).any() and not np.isnan(r).any()) for r in _lists(rows, "logprobs")], dtype=bool
    )


def distributions(rows: pl.DataFrame, *, by_character: bool = False, keep: slice = slice(None)) -> Distributions:
    """Softmax of the log-probabilities, summed or divided by their characters.

    keep    which of the abstentions are among the options
    raises  ValueError: no characters are known
    """
    made = []
    lengths = _lists(rows, "characters")
    for logprobs, characters, c in zip(_lists(rows, "logprobs"), lengths, rows["options"], strict=True):
        if by_character and len(characters) != len(logprobs):
            raise ValueError(
                f"{len(logprobs)} log-probabilities have {len(characters)} lengths; sums have no such need"
            )
        taken = np.r_[:c, np.arange(c, len(logprobs))[keep]]
        values = logprobs / np.maximum(characters, 1) if by_character else logprobs
        made.append(_softmax(values[taken]))
    places = [list(range(c, len(p))) for c, p in zip(rows["options"], made, strict=True)]
    return Distributions.of(made, rows["truth"].to_list(), places)


def _softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def _lists(rows: pl.DataFrame, column: str) -> list[np.ndarray]:
    return [np.asarray(values if values is not None else [], dtype=float) for values in rows[column].to_list()]


# --- figures ---------------------------------------------------------------------------------------------------------


def hedging(masses: Masses, groups: ArrayLike) -> Interval:
    """`hedging_index` with its interval."""
    return _ratio(masses.wrong, masses.wrong + masses.abstain, groups)


def break_even(masses: Masses, groups: ArrayLike, *, gain: float = 1.0) -> Interval:
    """`break_even` with its interval."""
    speaks = 1 - masses.abstain
    if float((masses.wrong * speaks).sum()) <= scores.TIED:
        return Interval(scores.break_even(masses, gain=gain), NAN, NAN, len(speaks), "no mass on wrong options")
    return _ratio(gain * masses.right * speaks, masses.wrong * speaks, groups)


def _ratio(part: np.ndarray, whole: np.ndarray, groups: ArrayLike) -> Interval:
    def ratio(a: np.ndarray, b: np.ndarray) -> float:
        total = float(b.sum())
        return float(a.sum()) / total if total > scores.TIED else NAN

    return bootstrap(ratio, part, whole, groups=groups)


def of_answering(made: Distributions, groups: ArrayLike) -> dict[str, Interval]:
    """Brier, log score and ECE of the top option over the options that answer, abstention taken out."""
    answers, labels = made.without_abstaining(), np.asarray(groups)
    known = ~np.isnan(answers).any(axis=1)
    if not known.any():
        return {}
    top = np.where(made.options & ~made.abstain, answers, -1.0)[known]
    confidence = np.clip(top.max(axis=1), 0, 1)
    right = np.take_along_axis(made.right[known], top.argmax(axis=1)[:, None], axis=1)[:, 0]
    found = {
        "Brier, of what answers": sums.mean(scores.brier_of_options(made)[known], labels[known], bounds=(0, 2)),
        "ECE of the top answer": bootstrap_ece(confidence, right, groups=labels[known]),
    }
    logs = scores.log_score(made)[known]
    if np.isfinite(logs).all():
        found["log score, of what answers"] = sums.mean(logs, labels[known])
    return found


# --- tables ----------------------------------------------------------------------------------------------------------


def by_penalty(
    parts: Mapping[str, pl.DataFrame], *, gain: float, variant: Variant, by_character: bool
) -> list[tuple[Any, ...]]:
    """Mean score of each part by what an error costs, the break-even in the last line."""
    masses = {name: distributions(part, by_character=by_character).masses() for name, part in parts.items()}
    lines: list[tuple[Any, ...]] = [
        (f"{loss:g}", *(float(scores.dcs(m, gain=gain, loss=loss, variant=variant).mean()) for m in masses.values()))
        for loss in PENALTIES
    ]
    return [*lines, ("score 0 at a loss of", *(scores.break_even(m, gain=gain) for m in masses.values()))]


def by_string(parts: Mapping[str, pl.DataFrame], *, gain: float, loss: float) -> Iterator[tuple[Any, ...]]:
    """Each abstention alone, and all together, where there are several; raw."""
    for name, part in parts.items():
        strings = part["strings"][0].to_list()
        alone = [(repr(text), slice(j, j + 1)) for j, text in enumerate(strings)] if len(strings) > 1 else []
        for said, keep in [*alone, ("all together" if alone else repr((strings or ["?"])[0]), slice(None))]:
            masses, groups = distributions(part, keep=keep).masses(), part["group"]
            of = sums.mean(scores.dcs(masses, gain=gain, loss=loss), groups, bounds=(-loss, gain))
            silent = sums.mean(masses.abstain, groups, bounds=(0, 1))
            yield name, said, of.value, of.low, of.high, silent.value, silent.low, silent.high, of.n


def by_part(
    parts: Mapping[str, pl.DataFrame], *, gain: float, loss: float, variant: Variant, by_character: bool
) -> Iterator[tuple[Any, ...]]:
    """Each set by itself; even guessing: what an even distribution over its options without abstention scores."""
    for name, rows in parts.items():
        for (which,), part in rows.group_by("part", maintain_order=True):
            made = distributions(part, by_character=by_character)
            of_score = scores.dcs(made.masses(), gain=gain, loss=loss, variant=variant)
            of = sums.mean(of_score, part["group"], bounds=(-loss, gain))
            share = made.right.sum(axis=1) / part["options"].to_numpy()
            even = float((gain * share - loss * (1 - share)).mean())
            yield which, name, of.value, of.low, of.high, float(made.likeliest().right.mean()), even, of.n
