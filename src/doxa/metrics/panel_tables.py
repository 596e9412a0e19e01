"""What a panel holds and lacks, and how its replies could be read: lines of tables and plain shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics.intervals import NAN, Interval, proportion_clustered

if TYPE_CHECKING:
    import polars as pl

Line = tuple[object, ...]
COVERAGE = (
    "model",
    "days",
    "first",
    "last",
    "missing days",
    "prompts",
    "questions",
    "templates",
    "whole sets",
    "replies",
)
READ = ("model", "number", "label", "text", "refused", "abstained", "unread", "hedged", "truncated", "replies")
FORMATS = ("model", "variation", "replies", "keeps to it", "plain replies that would")
LISTED = 6  # missing days that are named


_TEXTS = ("who", "topic", "text", "measure", "partition", "cell", "subject", "word")
LEFT_OUT = {
    **dict.fromkeys(_TEXTS, ""),
    **{"type": "exogenous", "variation": "none", "sample": 0, "hedged": False, "cut": False},
}


def filled(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what recorded ones may leave out: `LEFT_OUT`, and the question as its own template."""
    import polars as pl

    given = [pl.col(name).fill_null(value) for name, value in LEFT_OUT.items()]
    return rows.with_columns(*given, pl.col("group").fill_null(pl.col("question")))


def coverage(rows: pl.DataFrame) -> Iterator[Line]:
    """Lines of `COVERAGE`: by model. A set is whole where a question has all of the model's variations on a day."""
    import polars as pl

    for (who,), part in rows.sort("who").group_by(["who"], maintain_order=True):
        days = sorted(set(part["date"]))
        plain = part.filter(pl.col("sample") == 0)
        varied = plain.filter(pl.col("type") != "baseline")
        sets = varied.group_by("question", "date").agg(pl.col("variation").n_unique())
        whole = int((sets["variation"] == varied["variation"].n_unique()).sum())
        prompts = plain.select("question", "variation").n_unique()
        missing = gaps(days)
        told = [*missing[:LISTED], *([f"and {len(missing) - LISTED} more"] if len(missing) > LISTED else [])]
        counts = (part["question"].n_unique(), part["group"].n_unique(), f"{whole} of {len(sets)}", len(part))
        yield (who, len(days), days[0], days[-1], ", ".join(told) or "none", prompts, *counts)


def gaps(days: list[str]) -> list[str]:
    """Days between the first and the last that are not there.

    >>> gaps(["2026-09-01", "2026-09-04"])
    ['2026-09-02', '2026-09-03']
    """
    there = {date.fromisoformat(day) for day in days}
    if not there:
        return []
    first, last = min(there), max(there)
    every = (first + timedelta(days=k) for k in range((last - first).days + 1))
    return [day.isoformat() for day in every if day not in there]


def by_day(rows: pl.DataFrame) -> tuple[tuple[str, ...], list[Line]]:
    """Columns ("day", each model) and, for every day from the first to the last, the replies of each on it."""
    counted = rows.group_by("date", "who").len()
    held = {(day, who): n for day, who, n in counted.iter_rows()}
    days, models = sorted({day for day, _ in held}), sorted({who for _, who in held})
    every = sorted({*days, *gaps(days)})
    return ("day", *(who or "the model" for who in models)), [
        (day, *(held.get((day, who), 0) for who in models)) for day in every
    ]


def reading(rows: pl.DataFrame) -> Iterator[Line]:
    """Lines of `READ`: by model, shares of all replies."""
    for (who,), part in rows.sort("who").group_by(["who"], maintain_order=True):
        ok = part["outcome"] == "ok"
        number = ok & (part["value"].is_not_null() | (part["shares"].list.len() > 0))
        label = ok & ~number & part["label"].is_not_null()
        counted = [number, label, ok & ~number & ~label]
        counted += [part["outcome"] == name for name in ("refused", "abstained")]
        unread = ~ok & ~part["outcome"].is_in(["refused", "abstained"])
        yield (who, *(float(x.mean()) for x in (*counted, unread, part["hedged"], part["cut"])), len(part))  # type: ignore[arg-type]


def share(rows: pl.DataFrame, of: pl.Expr) -> Interval:
    """Share of replies with a property, clustered by template; nan without replies."""
    import polars as pl

    if not len(rows):
        return Interval(NAN, NAN, NAN, 0, "no reply")
    told = rows.sort("question", "date", "variation", "sample")
    return proportion_clustered(told.select(of.cast(pl.Float64)).to_series().to_numpy(), told["group"].to_list())


def formats(rows: pl.DataFrame, complies: Callable[[str, str], bool | None]) -> Iterator[Line]:
    """Lines of `FORMATS`: how many replies keep to the format that their variation asks for, plain ones beside them."""
    import polars as pl

    plain = rows.filter(pl.col("variation") == "none")
    for (who, variation), part in rows.sort("who", "variation").group_by(["who", "variation"], maintain_order=True):
        kept = [complies(str(variation), text) for text in part["text"]]
        if None in kept or not kept:
            continue
        other = plain.filter(pl.col("who") == who, pl.col("type") != "baseline")["text"]
        would = [bool(complies(str(variation), text)) for text in other]
        yield (who, variation, len(kept), float(np.mean(kept)), float(np.mean(would)) if would else NAN)  # type: ignore[arg-type]


def kept_formats(rows: pl.DataFrame, complies: Callable[[str, str], bool | None]) -> Interval:
    """Share of replies that keep to the format their variation asks for, of those that a rule can judge."""
    import polars as pl

    kept = [complies(v, text) for v, text in zip(rows["variation"], rows["text"], strict=True)]
    judged = rows.with_columns(pl.Series("kept", kept, dtype=pl.Boolean)).drop_nulls("kept")
    return share(judged, pl.col("kept"))


def refusals(rows: pl.DataFrame) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Days in order, and how many of how many replies refused on each."""
    import polars as pl

    days = rows.group_by("date").agg((pl.col("outcome") == "refused").sum().alias("refused"), pl.len()).sort("date")
    return days["date"].to_list(), days["refused"].to_numpy().astype(float), days["len"].to_numpy().astype(float)


def counts(rows: pl.DataFrame) -> dict[str, int]:
    """How much was asked."""
    return {
        "prompts": rows.select("question", "variation").n_unique(),
        "questions": rows["question"].n_unique(),
        "variations of a question": rows["variation"].n_unique(),
        "days": rows["date"].n_unique(),
        "models": rows["who"].n_unique(),
    }


def unread_numbers(rows: pl.DataFrame) -> int:
    """Replies to questions about a figure that gave none which could be read; refusals are not among them."""
    import polars as pl

    figures = pl.col("measure") != ""
    gave = pl.col("value").is_not_null() | (pl.col("shares").list.len() > 0) | (pl.col("outcome") == "refused")
    return len(rows.filter(figures & ~gave))


def permuted(rows: pl.DataFrame, within: Sequence[str], columns: Sequence[str], seed: int) -> pl.DataFrame:
    """Rows with these columns permuted together among the rows that agree in `within`; groups follow one another."""
    import polars as pl

    rng = np.random.default_rng(seed)
    parts = [
        part.with_columns(part.select(columns)[rng.permutation(len(part))])
        for part in rows.partition_by(within, maintain_order=True)
    ]
    return pl.concat(parts) if parts else rows


OF_ALL = (("Coverage", COVERAGE, coverage), ("How replies were read", READ, reading))
