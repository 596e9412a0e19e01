"""Figures of models that may decline and that reason at length: attempts, calibration, length, fair comparisons.

Tables have a row for each reply, with the columns item, sample, group, read, attempted, outcome, correct (0.0 or 1.0,
null: not attempted or the truth not known), confidence, tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import spearman
from doxa.metrics.calibration import ace, ece
from doxa.metrics.calibration_interval import bootstrap_ece
from doxa.metrics.confidence_scores import confidence_scores, gains
from doxa.metrics.correlation_interval import spearman_interval
from doxa.metrics.inputs import numbers, probabilities, same_length
from doxa.metrics.inputs import outcomes as zeros_and_ones
from doxa.metrics.intervals import NAN, Interval, wilson
from doxa.metrics.means import mean_interval
from doxa.metrics.resampling import bootstrap
from doxa.metrics.sums import NOTHING, mean, share

if TYPE_CHECKING:
    import polars as pl

SHOWN = ("accuracy", "mean confidence", "overconfidence", "ECE", "AUROC", "AUPRC-P", "AUPRC-N")
COMPARED = ("accuracy", "mean confidence", "ECE", "AUROC")
ROUND = 9  # decimals to which equal confidences are equal


# --- one model, one way of asking ------------------------------------------------------------------------------------


def graded(replies: pl.DataFrame) -> pl.DataFrame:
    """The attempts whose truth is known."""
    return replies.filter("attempted", replies["correct"].is_not_null())


def rated(replies: pl.DataFrame) -> pl.DataFrame:
    """The attempts whose truth is known and that state a confidence."""
    return graded(replies).filter(graded(replies)["confidence"].is_not_null())


def measured(replies: pl.DataFrame) -> pl.DataFrame:
    """Those of `rated` whose chain has a length."""
    return rated(replies).filter(rated(replies)["tokens"].is_not_null())


def attempt_scores(replies: pl.DataFrame) -> dict[str, Interval]:
    """How often it answers, and is right then, by name; whole groups kept together.

    Accuracy "of all" counts what it declines as not right, and leaves out what was not read (as is usually published);
    with "unread wrong" that, too, is not right. The count has no interval.
    """
    read, group = replies["read"], replies["group"]
    said = replies.filter("read")
    declined = (~said["attempted"]).to_numpy()
    known = replies.filter(~ungraded(replies))
    right = known["correct"].fill_null(0.0)
    of_read = known["read"]
    tried = graded(replies)
    return {
        "accuracy": share(tried["correct"], tried["group"]),
        "accuracy of all": share(right.filter(of_read), known["group"].filter(of_read)),
        "accuracy, unread wrong": share(right, known["group"]),
        "not attempted": share(declined, said["group"]),
        "not attempted, count": replace(NOTHING, value=float(declined.sum()), n=len(said), method="a count")
        if len(said)
        else NOTHING,
        "unread": share(~read, group),
        "truncated": share(replies["outcome"] == "truncated", group),
    }


def ungraded(replies: pl.DataFrame) -> pl.Series:
    """Attempts that nobody can grade."""
    return replies["attempted"] & replies["correct"].is_null()


def calibration_scores(tried: pl.DataFrame, *, bins: int = 10, resamples: int = 1000) -> dict[str, Interval]:
    """`SHOWN`, ACE (so many bins of equal counts, all weighing alike), and the share at the modal confidence."""
    tried = rated(tried)
    columns = tried["confidence"], tried["correct"], tried["group"]
    found = {k: i for k, i in confidence_scores(*columns, bins=bins, resamples=resamples).items() if k in SHOWN}
    found["ACE"] = _ace(*columns, bins, resamples) if len(tried) else NOTHING
    said = tried["confidence"].round(ROUND)
    modal = said.mode().min() if len(tried) else NAN  # the lower one of several
    found["share at the modal confidence"] = share(said == modal, tried["group"])
    return found


def _ace(said: pl.Series, right: pl.Series, group: pl.Series, bins: int, resamples: int) -> Interval:
    found = bootstrap_ece(said, right, bins=bins, binning="mass", groups=group, resamples=resamples)
    value = ace(said, right, bins=bins, weighting="bins")
    return replace(found, value=value, low=min(found.low, value), high=max(found.high, value))


# --- length ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LengthBin:
    """Replies whose chains have low <= tokens < high; figures are nan where they are fewer than were asked for."""

    low: float
    high: float
    n: int
    accuracy: Interval
    confidence: float
    ece: float

    @property
    def label(self) -> str:
        return f"{self.low:,.0f} and more" if self.high == np.inf else f"{self.low:,.0f} to {self.high:,.0f}"


def by_length(
    tokens: ArrayLike,
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    width: int = 2000,
    last: int = 10000,
    at_least: int = 20,
    bins: int = 10,
) -> list[LengthBin]:
    """Accuracy, mean confidence and ECE of replies by the length of their reasoning.

    tokens               (n,) length of each chain
    confidence, correct  (n,) as `ece`
    width, last          bins of so many tokens up to `last`, and one above
    at_least             bins of fewer replies have no figures
    raises               ValueError: unequal lengths, a negative length, width or last below 1; as `ece`
    source               the bins are ours; arXiv 2504.06564 shows a figure

    >>> [(b.label, b.n) for b in by_length([100, 2000, 9e9], [0.5] * 3, [1, 0, 1], last=4000)]
    [('0 to 2,000', 1), ('2,000 to 4,000', 1), ('4,000 and more', 1)]
    """
    length = numbers("tokens", tokens)
    said, right = probabilities("confidence", confidence), zeros_and_ones("correct", correct)
    same_length(tokens=length, confidence=said, correct=right)
    if width < 1 or last < width or (length < 0).any():
        raise ValueError(
            f"width is {width}, last {last}, the shortest chain {length.min()}: 1 <= width <= last, 0 <= chain"
        )
    edges = [*range(0, last, width), last, np.inf]
    found = []
    for low, high in pairwise(edges):
        inside = (length >= low) & (length < high)
        n = int(inside.sum())
        if n < max(1, at_least):
            found.append(LengthBin(low, high, n, replace(NOTHING, n=n), NAN, NAN))
            continue
        error = ece(said[inside], right[inside], bins=bins)
        found.append(LengthBin(low, high, n, wilson(int(right[inside].sum()), n), float(said[inside].mean()), error))
    return found


def length_scores(tried: pl.DataFrame, *, resamples: int = 1000) -> dict[str, Interval]:
    """Mean length of the chains of graded attempts, and its rank correlation with confidence and with being right."""
    columns = {"confidence": tried["confidence"], "accuracy": tried["correct"]}
    rank = {f"length and {k}": _spearman(tried["tokens"], v, tried["group"], resamples) for k, v in columns.items()}
    return {"tokens": mean(tried["tokens"], tried["group"]), **rank}


def _spearman(x: pl.Series, y: pl.Series, group: pl.Series, resamples: int) -> Interval:
    if not len(x):
        return NOTHING
    if group.n_unique() == len(group):
        return spearman_interval(x, y)
    return bootstrap(spearman, x, y, groups=group, resamples=resamples)


# --- several models, or ways of asking -------------------------------------------------------------------------------


def paired(first: pl.DataFrame, second: pl.DataFrame, *, bins: int = 10, resamples: int = 1000) -> dict[str, Interval]:
    """`COMPARED` of the second minus the first, over the replies to the same questions that both attempt.

    Groups are those of the first, and drawn whole.
    """
    both = rated(first).join(rated(second), on=["item", "sample"], suffix="_b").sort("item", "sample")
    if not len(both):
        return dict.fromkeys(COMPARED, NOTHING)
    found = {
        name: mean_interval(both[f"{column}_b"] - both[column], groups=both["group"], bounds=(-1, 1))
        for name, column in (("accuracy", "correct"), ("mean confidence", "confidence"))
    }
    ours, theirs = (both["confidence_b"], both["correct_b"]), (both["confidence"], both["correct"])
    return found | dict(gains(ours, theirs, both["group"], bins=bins, resamples=resamples))


def shared(of: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Of each model the graded replies to what all of them attempt, which is where they can be compared."""
    tried = {label: graded(replies) for label, replies in of.items()}
    common = None
    for replies in tried.values():
        keys = replies.select("item", "sample")
        common = keys if common is None else common.join(keys, on=["item", "sample"])
    if common is None:
        return {}
    return {label: replies.join(common, on=["item", "sample"], how="semi") for label, replies in tried.items()}


def newly_tried(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Graded replies of the second to what the first was asked and declined to answer."""
    declined = first.filter("read", ~first["attempted"]).select("item", "sample")
    return graded(second).join(declined, on=["item", "sample"], how="semi")


def pairs(labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each with the one before it, and with the first."""
    yield from dict.fromkeys(
        pair for k in range(1, len(labels)) for pair in ((labels[k - 1], labels[k]), (labels[0], labels[k]))
    )
