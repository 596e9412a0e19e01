"""Trials by style and length of the explanation: arms, the selected style, effects; from a table of trials."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from doxa.metrics.calibration import ece
from doxa.metrics.discrimination import auroc
from doxa.metrics.intervals import Interval
from doxa.metrics.means import mean_interval
from doxa.metrics.reader_gap import NAMES, Trials, gap_scores, two_way
from doxa.metrics.style_effects import style_effects
from doxa.metrics.style_selection import Thresholds, first_half, fitted_thresholds, selected_level
from doxa.metrics.sums import NOTHING, share

if TYPE_CHECKING:
    import polars as pl

DEFAULT = "default"
LEVELS = ("low", "medium", "high")
LENGTHS = ("long", "short", "uncertainty_only")
TENTHS = 10
FEW = 2  # resamples where no interval is told
ARM_COLUMNS = (
    *("style", "length", "n", "mean reader confidence", "low", "high", "reader ECE", "reader AUC", "bias"),
    "mean words",
)
EFFECT_COLUMNS = ("effect on the reader's confidence", "value", "low", "high", "n")
BY_LENGTH = ("length", "n", *NAMES)


def trials_of(table: pl.DataFrame) -> Trials:
    """The trials of a table with the columns reader_confidence, model_confidence, truth, group and reader."""
    columns = (table[name].to_numpy() for name in ("reader_confidence", "model_confidence"))
    labels = (table[name].to_numpy().astype(str) for name in ("group", "reader"))
    h, m = columns
    return Trials.of(h, m, table["truth"].to_numpy().astype(float), *labels)


def readable(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that have the reader's and the model's confidence, and a known truth."""
    import polars as pl

    return rows.filter(pl.all_horizontal(pl.col("reader_confidence", "model_confidence", "truth").is_not_null()))


def at_most_per_tenth(table: pl.DataFrame, most: int) -> pl.DataFrame:
    """The trials of up to `most` items of each tenth of the model's confidence, picked by their ids alone; 0: all."""
    import polars as pl

    if not most or not len(table):
        return table
    tenth = (pl.col("model_confidence").round(9) * TENTHS).floor().clip(0, TENTHS - 1).alias("tenth")
    items = table.group_by("item").agg(pl.col("model_confidence").first()).with_columns(tenth)
    kept: list[str] = []
    for _, part in items.group_by("tenth"):
        kept += sorted(part["item"].to_list(), key=lambda i: hashlib.sha256(f"tenth/{i}".encode()).digest())[:most]
    return table.filter(pl.col("item").is_in(kept))


def arm(table: pl.DataFrame, style: str, length: str | None = None) -> pl.DataFrame:
    """The trials of one style, at one length or at all."""
    import polars as pl

    of = table.filter(pl.col("style") == style)
    return of if length is None else of.filter(pl.col("length") == length)


def accuracy_bounds(asked: pl.DataFrame, read: pl.DataFrame) -> tuple[float, float]:
    """The accuracy if all trials that were asked for and not read had wrong answers, and if all had right ones."""
    right, n = float(read["truth"].sum()), len(asked)
    return right / n, (right + n - len(read)) / n


def styled(table: pl.DataFrame) -> pl.DataFrame:
    """The trials with wording of low, medium or high certainty."""
    import polars as pl

    return table.filter(pl.col("style").is_in(LEVELS))


def shared(after: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The trials of both on items that have trials of either, so that what one has lost makes no difference."""
    in_both = set(after["item"].to_list()) & set(before["item"].to_list())
    return after.filter(after["item"].is_in(list(in_both))), before.filter(before["item"].is_in(list(in_both)))


# --- the style that fits ---------------------------------------------------------------------------------------------


class Selection(NamedTuple):
    """Trials in the style that fits the model's confidence, and default ones of the same items (those tested on)."""

    thresholds: Thresholds
    after: pl.DataFrame
    before: pl.DataFrame
    kept: Interval


def selection(table: pl.DataFrame, given: Thresholds | None, *, bins: int = 10) -> Selection:
    """Given thresholds tested on all items; or those found on the first half of the items, tested on the other half."""
    import polars as pl

    shown, default = styled(table), arm(table, DEFAULT)
    thresholds = given
    if thresholds is None:
        first = first_half(table["group"].to_numpy().astype(str))
        groups = table.filter(pl.Series(first, dtype=pl.Boolean))["group"].unique()
        train = shown.filter(pl.col("group").is_in(groups.implode()))
        thresholds = fitted_thresholds(trials_of(train), train["style"].to_numpy(), bins=bins)
        shown, default = (part.filter(~pl.col("group").is_in(groups.implode())) for part in (shown, default))
    fits = shown["style"].to_numpy() == selected_level(shown["model_confidence"].to_numpy(), thresholds)
    after = shown.filter(pl.Series(fits, dtype=pl.Boolean))
    return Selection(thresholds, after, default, share(fits, shown["group"]))


def by_length(chosen: Selection, *, bins: int) -> Iterator[tuple[Any, ...]]:
    """Lines of `BY_LENGTH`: the selected trials of each length."""
    for length in present(chosen.after, "length", LENGTHS):
        of = trials_of(chosen.after.filter(chosen.after["length"] == length))
        found = gap_scores(of, bins=bins, resamples=FEW)
        yield length, len(of), *(found[name].value for name in NAMES)


# --- style and length ------------------------------------------------------------------------------------------------


def arm_lines(table: pl.DataFrame, *, bins: int = 10) -> Iterator[tuple[Any, ...]]:
    """Lines of `ARM_COLUMNS`: every style at every length that was shown."""
    for style in present(table, "style", (DEFAULT, *LEVELS, "none", "swapped")):
        for length in present(arm(table, style), "length", (DEFAULT, *LENGTHS)):
            of = arm(table, style, length)
            t = trials_of(of)
            mean = mean_confidence(t)
            words = of["words"].mean()
            yield (
                *(style, length, len(t), mean.value, mean.low, mean.high),
                *(ece(t.reader, t.correct, bins=bins), auroc(t.reader, t.correct)),
                *(float((t.reader - t.correct).mean()), None if words is None else float(str(words))),
            )


def mean_confidence(t: Trials) -> Interval:
    """Mean confidence of the readers."""
    if not len(t):
        return NOTHING
    return two_way(lambda g: {"mean": mean_interval(t.reader, groups=g, bounds=(0, 1))}, t)["mean"]


def effects(table: pl.DataFrame, *, interactions: bool = False, resamples: int = 2000) -> dict[str, Interval]:
    """Effects of style (against medium), length (against short, or the first) and the model's confidence, all at once.

    interactions  also of each style together with each length
    """

    shown = styled(table)
    lengths = present(shown, "length", ("short", "long", "uncertainty_only"))
    columns = {f"effect of {style}": (shown["style"] == style).to_numpy() for style in ("low", "high")}
    columns |= {f"effect of {length}": (shown["length"] == length).to_numpy() for length in lengths[1:]}
    columns["effect of model confidence"] = shown["model_confidence"].to_numpy()
    if interactions:
        pairs = [(style, length) for style in ("low", "high") for length in lengths[1:]]
        columns |= {
            f"{style} and {length}, beyond both": columns[f"effect of {style}"] & columns[f"effect of {length}"]
            for style, length in pairs
        }
    return style_effects(trials_of(shown), columns, resamples=resamples)


def present(table: pl.DataFrame, column: str, known: tuple[str, ...]) -> list[str]:
    """The values that a column has, in a known order."""
    held = set(table[column].to_list())
    return [value for value in known if value in held]


def graded(rows: pl.DataFrame) -> pl.DataFrame:
    """For calibrators: the model's confidence once for each answer, the reader's for each trial."""
    import polars as pl

    table = rows.with_columns(pl.coalesce("group", "item").alias("group"), correct=pl.col("truth"))
    model = table.unique("item", keep="first", maintain_order=True)
    model = model.with_columns(way=pl.lit("model"), confidence=pl.col("model_confidence"))
    reader = table.with_columns(way=pl.format("reader, {}", "condition"), confidence=pl.col("reader_confidence"))
    return pl.concat([part.select("item", "group", "way", "confidence", "correct") for part in (model, reader)])
