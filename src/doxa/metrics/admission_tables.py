"""Tables about admissions of not knowing: which answers admit; lines by the place of the option that does, by group.

There is one row for each answer, with the columns item, group, outcome, c (options), place (the one chosen, or null),
admission (the place of the one that admits), right (of the right one), condition, shuffled, sample, truth, version and
difficulty; `with_hits` adds what was hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics.agreement import ChiSquare, Trend, chi_square, cochran_armitage
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.sums import permuted_within, share

if TYPE_CHECKING:
    import polars as pl

Line = tuple[Any, ...]
COUNTED = ("n", "admitted", "rate", "low", "high")


def with_hits(answers: pl.DataFrame, level: Callable[[str], str | None]) -> pl.DataFrame:
    """Sorted answers with `admits`, `hit` (the right option) and the `level` of their difficulty; null: not read.

    "I do not know" in place of a letter admits, and hits nothing but the admission.
    """
    import polars as pl

    read, in_words = pl.col("outcome") == "ok", pl.col("outcome") == "abstained"
    place, admission, right = pl.col("place"), pl.col("admission"), pl.col("right")
    return answers.sort("item", "condition", "sample").with_columns(
        pl.coalesce("group", "item").alias("group"),
        pl.when(in_words).then(True).when(read).then(place == admission).alias("admits"),
        pl.when(in_words).then(admission == right).when(read).then(place == right).alias("hit"),
        pl.col("difficulty").map_elements(level, return_dtype=pl.String).alias("level"),
    )


def without_places(answers: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """Answers with the place of the admission permuted among those that were asked alike, among as many options.

    All get the version of the impossible problems, so that answerable ones can become impossible if truth is shuffled.
    """
    import polars as pl

    alike = answers.select(pl.concat_str("condition", "shuffled", "c", separator="/", ignore_nulls=True)).to_series()
    places = pl.Series("admission", permuted_within(answers["admission"].fill_null(-1), alike, seed=seed), pl.Int64)
    version = answers.filter(answers["truth"] == "impossible")["version"].first()
    return answers.with_columns(places.set(places < 0, None), pl.lit(version).cast(pl.String).alias("version"))


def share_read(hits: pl.Series, groups: pl.Series) -> Interval:
    """Share of hits among those that are not null, groups kept together; nan without any."""
    return share(hits.drop_nulls(), groups.filter(hits.is_not_null()))


def counted(label: str, answers: pl.DataFrame) -> Line:
    """(label, COUNTED) of some answers; n: those that were read."""
    rate = share_read(answers["admits"], answers["group"])
    return label, rate.n, int(answers["admits"].sum()), rate.value, rate.low, rate.high


def by_place(plain: pl.DataFrame, shuffled: pl.DataFrame) -> tuple[list[Line], ChiSquare | None]:
    """(place from 0, COUNTED, times this place was chosen, what always choosing it would score, the same shuffled).

    Beside them the test of whether the rates differ by place; None where answers at two places, admitting and not, are
    not to be had.
    """
    lines = []
    for at in range(max(plain["c"], default=0)):
        always = (float((r["admission"] == at).to_numpy().mean()) if len(r) else NAN for r in (plain, shuffled))
        chosen = int((plain["place"] == at).sum())
        lines.append((*counted(str(at), plain.filter(plain["admission"] == at)), chosen, *always))
    counts = np.array([(line[2], line[1] - line[2]) for line in lines if line[1]]).reshape(-1, 2)
    return lines, chi_square(counts) if len(counts) > 1 and counts.sum(axis=0).all() else None


def by_group(
    answers: pl.DataFrame, column: str, *, order: Sequence[str] = (), least: int = 1
) -> tuple[list[Line], int]:
    """(name, COUNTED) of each group of a column with at least so many answers, and how many groups have fewer.

    order   names in the order wanted; without, the largest group comes first
    """
    named = answers.filter(answers[column].is_not_null()).group_by(column)
    parts = sorted(
        ((str(name), part) for (name,), part in named),
        key=lambda p: (order.index(p[0]) if order else -len(p[1]), p[0]),
    )
    lines = [counted(name, part) for name, part in parts if len(part) >= least]
    return lines, len(parts) - len(lines)


def trend_over(answers: pl.DataFrame, levels: Sequence[str]) -> Trend:
    """Trend of the rate of admission over levels in their order, of the answers that were read."""
    admits = [answers.filter(answers["level"] == level)["admits"].drop_nulls() for level in levels]
    return cochran_armitage([int(a.sum()) for a in admits], [len(a) for a in admits])


def side_by_side(rates: Iterable[tuple[str, Iterable[Line]]]) -> tuple[list[str], tuple[Line, ...]]:
    """Lines of `by_group` of several respondents in one line each: the groups, and (respondent, its rate in each)."""
    found = [(name, {line[0]: line[3] for line in lines}) for name, lines in rates]
    groups = list(dict.fromkeys(group for _, by in found for group in by))
    return groups, tuple((name, *(by.get(group, NAN) for group in groups)) for name, by in found)
