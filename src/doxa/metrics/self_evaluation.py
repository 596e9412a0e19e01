"""Rows of options and of judged answers to figures by name: each way of asking, and brainstorming beside none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import Interval
from doxa.metrics.option_scores import Choices, choice_scores
from doxa.metrics.self_knowledge import judged_gains, judged_scores
from doxa.metrics.sums import permuted_within, share

if TYPE_CHECKING:
    import polars as pl

OWN = "own answer"  # a way of rows, as it stands or with ", 5-shot" behind it; other judged rows are of given answers
AFTER = "after brainstorming"


HEADLINES = ("AUROC, P(IK)", "AUROC, P(True)", "accuracy, letters", "ECE, letters")


def place(name: str) -> int:
    """Where a figure is shown: the headlines first, the others as they come."""
    return HEADLINES.index(name) if name in HEADLINES else len(HEADLINES)


def heading(name: str, section: str) -> str:
    """The heading of a figure's section; the headlines stand above all of them."""
    return "" if name in HEADLINES else section


class Way(NamedTuple):
    """Figures of one way of asking, by name; what they rest on (`rows`), and what is drawn of it.

    drawn  name of a chart -> confidence (n,) and right or wrong (n,)
    """

    name: str
    figures: dict[str, Interval]
    rows: pl.DataFrame
    drawn: dict[str, tuple[Floats, Floats]]


def of_options(
    table: pl.DataFrame, train: Callable[[pl.DataFrame], np.ndarray], *, fixed: float, bins: int, resamples: int
) -> Iterator[Way]:
    """`choice_scores` of each way of asking.

    table  rows with columns way, logprobs (a list, empty where nothing was read), truth (place of the right option)
    train  rows -> (n,) those that a temperature may learn from
    """
    import polars as pl

    for (way,), part in table.group_by("way", maintain_order=True):
        read = part.filter(pl.col("logprobs").list.len() > 1)
        choices = Choices.of(read["logprobs"].to_list(), read["truth"].to_list(), read["group"].to_list())
        found = choice_scores(choices, train(read), fixed=fixed, bins=bins, resamples=resamples)
        named = {f"{name}, {way}": interval for name, interval in found.items()}
        yield Way(f"Options, {way}", named, part, {f"All options, {way}": choices.every()} if len(read) else {})


def of_answers(table: pl.DataFrame, *, bins: int, resamples: int) -> Iterator[Way]:
    """`judged_scores` of each way of asking, and what brainstorming gains on the same answers.

    table  rows with columns way, truth (1: the answer is right), confidence and brainstormed (null: not read)
    """
    import polars as pl

    for (way,), part in table.group_by("way", maintain_order=True):
        own, label = str(way).startswith(OWN), str(way).removeprefix(OWN)
        name = f"P(True){label}" if own else f"P(True) of {way}"
        truth = part["truth"].to_numpy()
        found = {f"accuracy of samples{label}": share(truth, part["group"])} if own else {}
        drawn: dict[str, tuple[Floats, Floats]] = {}
        for column, shown in (("confidence", name), ("brainstormed", f"{name} {AFTER}")):
            read = part.filter(pl.col(column).is_not_null())
            if not len(read) and column == "brainstormed":
                continue
            said, right = read[column].to_numpy(), read["truth"].to_numpy()
            scores = judged_scores(said, right, read["group"].to_numpy(), bins=bins, resamples=resamples)
            found |= {f"{figure}, {shown}": interval for figure, interval in scores.items()}
            drawn |= {f"{shown} when right and wrong": (said, right)} if len(read) else {}
        both = part.filter(pl.col("confidence").is_not_null() & pl.col("brainstormed").is_not_null())
        if len(both):
            after, alone, right, groups = (both[c].to_numpy() for c in ("brainstormed", "confidence", "truth", "group"))
            gains = judged_gains(after, alone, right, groups, resamples=resamples)
            found |= {f"{figure} gained by brainstorming{label}": interval for figure, interval in gains.items()}
        yield Way(name, found, part, drawn)


def every_confidence(rows: pl.DataFrame, options: object = None) -> pl.DataFrame:
    """One row for each P(True) and for the likeliest option: item, group, way, confidence (null: not read), correct."""
    import polars as pl

    columns = (pl.col("item"), pl.coalesce("group", "item").alias("group"))
    told = rows.filter(pl.col("way").str.contains(rf"^{OWN}|^given options") & (pl.col("condition") == "asked"))
    right, parts = (pl.col("truth") > 0.5).alias("correct"), []
    for column, ending in (("confidence", ""), ("brainstormed", f" {AFTER}")):
        of = told if not ending else told.filter(pl.col(column).is_not_null())
        way = (pl.lit("P(True) of ") + pl.col("way") + ending).alias("way")
        parts.append(of.select(*columns, way, pl.col(column).alias("confidence"), right))
    chosen = rows.filter(pl.col("logprobs").list.len() > 1)
    if len(chosen):
        choices = Choices.of(chosen["logprobs"].to_list(), chosen["truth"].to_list(), chosen["item"].to_list())
        top, hit = choices.top()
        made = {"confidence": pl.Series(top), "correct": pl.Series(hit > 0.5)}
        way = ("likeliest option by " + pl.col("way")).alias("way")
        parts.append(chosen.select(*columns, way).with_columns(**made))
    return pl.concat(parts)


def shuffled_truths(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Truths permuted among rows of one way, condition and number of options, of those that could be read."""
    import polars as pl

    order = rows.with_row_index("at").sort("condition", "way", "item", "sample")
    read, rest = (order.filter((pl.col("outcome") == "ok") == ok) for ok in (True, False))
    kinds = pl.concat_str("condition", "answered_by", "way", pl.col("logprobs").list.len(), separator="\n")
    if not len(read):
        return rows.with_columns(shuffled=pl.lit(True))
    truths = permuted_within(read["truth"], read.select(kinds).to_series(), seed=seed)
    moved = pl.concat([read.with_columns(pl.Series("truth", truths)), rest])
    return moved.sort("at").drop("at").with_columns(shuffled=pl.lit(True))
