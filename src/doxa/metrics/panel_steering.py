"""What is said beside a question against the question alone, and both against asking the same thing again.

Pairs have one row for each reply to a varied question: who, question, group (template), type, topic, date, variation
("again": the plain question once more), distance from the plain reply, `equal` (distance of both cut to the length of
the shorter), changed (another text), and the replies' words, values and labels. Templates count as independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.means import mean_interval
from doxa.metrics.multiple_tests import above_null_p, holm
from doxa.metrics.text_distance import cosine_distance, first_words

if TYPE_CHECKING:
    import polars as pl

Encode = Callable[[Sequence[str]], Floats]
AGAIN = "again"
USUAL = 0.05  # level at which variations are said to steer
KEYS = ["who", "question", "date"]
MATRIX = ("variation", "topic", "templates", "distance", "asked again", "excess", "p", "p (Holm)")
SHARES = ("variation", "kind", "replies", "distance", "excess", "at equal length", "changed", "words", "words, plain")
NUMBERS = ("variation", "replies", "shift of the number", "low", "high", "labels", "other label")


def pairs(table: pl.DataFrame, encode: Encode) -> pl.DataFrame:
    """Each varied or repeated reply beside the plain one of the same day.

    table   replies with KEYS, group, type, topic, variation, sample, text, value, label; plain ones are variation
            "none", sample 0, and its further samples are repetitions
    encode  texts to vectors (n, d) of length 1
    """
    import polars as pl

    plain = (pl.col("variation") == "none") & (pl.col("sample") == 0)
    own = table.filter(plain).select(*KEYS, *(pl.col(c).alias(f"{c}_plain") for c in ("text", "value", "label")))
    made = table.filter(~plain).join(own, on=KEYS, how="inner", maintain_order="left")
    again = pl.when(pl.col("variation") == "none").then(pl.lit(AGAIN)).otherwise(pl.col("variation"))
    made = made.with_columns(variation=again, changed=pl.col("text") != pl.col("text_plain"))
    texts = [made[c].to_list() for c in ("text", "text_plain")]
    counts = [[len(t.split()) for t in side] for side in texts]
    shorter = [min(pair) for pair in zip(*counts, strict=True)]
    cut = [[first_words(t, n) for t, n in zip(side, shorter, strict=True)] for side in texts]
    return made.with_columns(
        _apart("distance", texts, encode),
        _apart("equal", cut, encode),
        pl.Series("words", counts[0], dtype=pl.Int64),
        pl.Series("words_plain", counts[1], dtype=pl.Int64),
    )


def _apart(name: str, texts: Sequence[list[str]], encode: Encode) -> pl.Series:
    import polars as pl

    places = {text: k for k, text in enumerate(dict.fromkeys([*texts[0], *texts[1]]))}
    if not places:
        return pl.Series(name, [], dtype=pl.Float64)
    vectors = encode(list(places))
    at = [np.array([places[text] for text in side]) for side in texts]
    same = at[0] == at[1]  # equal texts are no distance apart, even without a word
    found = np.where(same, 0.0, cosine_distance(vectors[at[0]], vectors[at[1]]))
    return pl.Series(name, found, nan_to_null=True)


def with_null(made: pl.DataFrame, stand_in: pl.DataFrame | None = None) -> pl.DataFrame:
    """Pairs of varied questions, each with `null` and `null_equal`: its question's mean distance when asked again.

    stand_in  who, question, null: what counts where nothing was asked again (the distance to the day before, say)
    """
    import polars as pl

    again = made.filter(pl.col("variation") == AGAIN)
    by = ["who", "question"]
    null = again.group_by(by).agg(pl.col("distance").mean().alias("null"), pl.col("equal").mean().alias("null_equal"))
    if not len(null) and stand_in is not None:
        null = stand_in.select(*by, "null", pl.col("null").alias("null_equal"))
    return made.filter(pl.col("variation") != AGAIN).join(null, on=by, how="left", maintain_order="left")


def mean_of(made: pl.DataFrame, column: str, bounds: tuple[float, float]) -> Interval:
    """Mean over questions of their mean over days and variations, with an interval clustered by template."""
    import polars as pl

    told = made.drop_nulls(column).group_by("question").agg(pl.col(column).mean(), pl.col("group").first())
    told = told.sort("question")
    if not len(told):
        return Interval(NAN, NAN, NAN, 0, "no pair")
    value = told[column].cast(pl.Float64).to_numpy()
    scale = 2.0 if np.abs(value).max() > 1 else 1.0  # cosines of an encoder may be negative, those of counts are not
    bounds = (bounds[0] * scale, bounds[1] * scale)
    return mean_interval(value, groups=told["group"].to_list(), bounds=bounds)


def excess(made: pl.DataFrame, *, equal: bool = False) -> Interval:
    """Mean distance from the plain reply minus that of asking again; `equal`: of replies cut to the same length."""
    import polars as pl

    of, null = ("equal", "null_equal") if equal else ("distance", "null")
    return mean_of(made.with_columns(excess=pl.col(of) - pl.col(null)), "excess", (-1.0, 1.0))


def matrix(made: pl.DataFrame, order: Sequence[str], *, permutations: int = 999) -> list[tuple[object, ...]]:
    """Lines of `MATRIX`: each variation over all topics and in each, by whether it moves more than asking again.

    p is that of a larger mean, labels permuted within each template; Holm over the lines of all topics, and, apart,
    over the single topics.
    """
    import polars as pl

    parts = [("all", made), *((str(t), made.filter(pl.col("topic") == t)) for t in made["topic"].unique().sort())]
    lines = []
    # Of fewer permutations no single topic could have a p that Holm leaves below the usual level.
    single = max(permutations, math.ceil(2 * len(order) * (len(parts) - 1) / USUAL) - 1)
    for variation in order:
        for topic, part in parts:
            of = part.filter(pl.col("variation") == variation).drop_nulls(["distance", "null"])
            if len(of):
                by = of.group_by("group").agg(pl.col("distance").mean(), pl.col("null").mean()).sort("group")
                mean, null = (float(by[c].mean()) for c in ("distance", "null"))  # type: ignore[arg-type]
                apart = (by["distance"] - by["null"]).round(12).to_numpy()
                p = above_null_p(apart, permutations=permutations if topic == "all" else single)
                lines.append((variation, topic, len(by), mean, null, mean - null, p))
    whole = np.array([line[1] == "all" for line in lines], dtype=bool)
    raw = np.array([line[-1] for line in lines], dtype=np.float64)
    adjusted = np.full(len(lines), np.nan)
    for chosen in (whole, ~whole):
        adjusted[chosen] = holm(raw[chosen])
    return [(*line, float(a)) for line, a in zip(lines, adjusted, strict=True)]


def by_variation(
    made: pl.DataFrame, order: Sequence[str], kind: Callable[[str], object]
) -> Iterator[tuple[object, ...]]:
    """Lines of `SHARES`."""
    import polars as pl

    for name in order:
        of = made.filter(pl.col("variation") == name)
        if len(of):
            apart = (mean_of(of, "distance", (0.0, 1.0)).value, excess(of).value, excess(of, equal=True).value)
            counted = (of["changed"].mean(), of["words"].mean(), of["words_plain"].mean())
            yield (name, kind(name) or "other", len(of), *apart, *counted)


def of_answers(made: pl.DataFrame, order: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Lines of `NUMBERS`: what a variation does to numbers that could be read, and to labels."""
    import polars as pl

    for name in order:
        of = made.filter(pl.col("variation") == name)
        shift = of.with_columns(shift=pl.col("value") - pl.col("value_plain"))
        moved = mean_of(shift, "shift", (-1.0, 1.0))
        labels = of.drop_nulls(["label", "label_plain"])
        if moved.n or len(labels):
            other = (labels["label"] != labels["label_plain"]).mean() if len(labels) else NAN
            numbers = (shift["shift"].drop_nulls().len(), moved.value, moved.low, moved.high)
            yield (name, *numbers, len(labels), other)
