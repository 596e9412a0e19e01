"""What a panel's numbers imply: votes by partitions of the electorate, and whom words describe, over time.

Tables have one row for each reply that was read: who, question, group, date, sample, measure, partition, cell, subject,
word, value (a share in [0, 1]) and shares (a list, one entry for each candidate).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics.implied_votes import implied_vote, incoherence, ranks, relative_association, two_party
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.means import mean_interval
from doxa.metrics.resampling import bootstrap

if TYPE_CHECKING:
    import polars as pl

Line = tuple[object, ...]
VOTES = ("model", "week from", "partition", "groups", "sum of weights", "first", "second", "two-party")
WORDS = ("model", "subject", "word", "days", "score", "relative association", "rank")
CONTRASTS = ("model", "event", "day", "subject", "before", "after", "difference", "low", "high", "words")
WINDOW = 14


def week_of(day: str) -> str:
    """The Monday of a day's week.

    >>> week_of("2026-09-03")
    '2026-08-31'
    """
    when = date.fromisoformat(day)
    return (when - timedelta(days=when.weekday())).isoformat()


def votes(table: pl.DataFrame) -> list[Line]:
    """Lines of `VOTES`: by model, week and partition, from weights and splits averaged over the week.

    A partition that lacks a cell's weight or split has no vote: nan.
    """
    import polars as pl

    told = table.filter(pl.col("measure").is_in(["weight", "split"])).with_columns(
        week=pl.col("date").map_elements(week_of, return_dtype=pl.String)
    )
    lines: list[Line] = []
    for (who, week, partition), part in told.sort("who", "week", "partition").group_by(
        ["who", "week", "partition"], maintain_order=True
    ):
        cells = sorted(part["cell"].unique())
        weight = np.array([_mean(part, cell, "weight") for cell in cells])
        share = _padded([_shares(part, cell) for cell in cells])
        vote = implied_vote(weight, share) if share.shape[1] >= 2 else np.full(2, np.nan)
        lines.append((who, week, partition, len(cells), float(weight.sum()), *vote[:2], two_party(*vote[:2])))
    return [tuple(float(x) if isinstance(x, np.floating) else x for x in line) for line in lines]


def _mean(part: pl.DataFrame, cell: str, measure: str) -> float:
    import polars as pl

    found = part.filter(pl.col("cell") == cell, pl.col("measure") == measure)["value"].drop_nulls()
    return float(found.to_numpy().mean()) if len(found) else NAN


def _shares(part: pl.DataFrame, cell: str) -> Floats:
    import polars as pl

    of = part.filter(pl.col("cell") == cell, pl.col("measure") == "split")["shares"].to_list()
    rows = [row for row in of if row]
    return np.mean(_padded([np.asarray(row) for row in rows]), axis=0) if rows else np.empty(0)


def _padded(rows: list[Floats]) -> Floats:
    """Rows of unequal lengths as an array, nan where one has no entry."""
    width = max((len(row) for row in rows), default=0)
    return np.array([np.pad(row.astype(float), (0, width - len(row)), constant_values=np.nan) for row in rows])


def vote_figures(lines: list[Line], table: pl.DataFrame) -> dict[str, Interval]:
    """The implied share of the first candidate of two, how far partitions disagree, the gap to the direct answer.

    lines  of one model. Weeks without a single partition, or without a direct answer, are in no figure
    """
    by_week: dict[str, list[float]] = {}
    for line in lines:
        by_week.setdefault(str(line[1]), []).append(float(line[7]))  # type: ignore[arg-type]
    told = {week: [v for v in values if v == v] for week, values in by_week.items()}
    told = {week: values for week, values in told.items() if values}
    apart = [incoherence(values) for values in told.values()]
    direct = direct_answers(table)
    gaps = [float(np.mean(values)) - direct[week] for week, values in told.items() if week in direct]
    partitions = [(str(line[2]), float(line[7])) for line in lines if line[7] == line[7]]  # type: ignore[arg-type]
    method = "over partitions, mean over weeks"
    return {
        "implied share of the first candidate": _clustered(partitions),
        "incoherence, range": _plain([a.range for a in apart], method),
        "incoherence, sd": _plain([a.sd for a in apart], method),
        "implied minus direct answer": _plain(gaps, "mean over weeks"),
        "share of the first candidate, asked directly": _of_questions(_direct(table)),
    }


def direct_answers(table: pl.DataFrame) -> dict[str, float]:
    """The two-party share of the first candidate as asked directly, by week."""
    import polars as pl

    of = table.filter(pl.col("measure") == "direct", pl.col("shares").list.len() >= 2)
    found: dict[str, list[float]] = {}
    for day, shares in zip(of["date"], of["shares"], strict=True):
        found.setdefault(week_of(day), []).append(two_party(shares[0], shares[1]))
    return {week: float(np.mean(values)) for week, values in found.items()}


def _direct(table: pl.DataFrame) -> pl.DataFrame:
    """Direct answers with `first`, the first candidate's share as it was said, of all voters."""
    import polars as pl

    of = table.filter(pl.col("measure") == "direct", pl.col("shares").list.len() >= 1)
    return of.with_columns(first=pl.col("shares").list.first())


def _of_questions(of: pl.DataFrame) -> Interval:
    import polars as pl

    if not len(of):
        return Interval(NAN, NAN, NAN, 0, "no direct answer")
    told = of.group_by("question").agg(pl.col("first").mean(), pl.col("group").first()).sort("question")
    return mean_interval(told["first"].to_numpy(), groups=told["group"].to_list(), bounds=(0.0, 1.0))


def _clustered(values: list[tuple[str, float]]) -> Interval:
    if not values:
        return Interval(NAN, NAN, NAN, 0, "no partition with all weights and splits")
    return mean_interval([v for _, v in values], groups=[p for p, _ in values], bounds=(0.0, 1.0))


def _plain(values: list[float], method: str) -> Interval:
    told = [v for v in values if v == v]
    return Interval(float(np.mean(told)) if told else NAN, NAN, NAN, len(told), method)


TWO_PARTY, RESULT = "two-party", "result"
"""Subjects of a table of polls: two-party shares of the first candidate, polled, and as the vote was counted."""


def against_polls(lines: list[Line], table: pl.DataFrame, polls: pl.DataFrame, *, days: int = 7) -> dict[str, Interval]:
    """How far the implied vote, and the direct answer, lie from polls of their weeks and from the result.

    lines  of one model; table: its replies; polls: date, subject, share, of which subjects `TWO_PARTY` (the mean of the
           last so many days of a week) and `RESULT` (the last one, against every week) are taken
    """
    import polars as pl

    by_week: dict[str, list[float]] = {}
    for line in lines:
        if line[7] == line[7]:
            by_week.setdefault(str(line[1]), []).append(float(line[7]))  # type: ignore[arg-type]
    said = {"implied": {week: float(np.mean(values)) for week, values in by_week.items()}}
    said["direct"] = direct_answers(table)
    polled, result = (polls.filter(pl.col("subject") == subject).sort("date") for subject in (TWO_PARTY, RESULT))
    found = {}
    for name, shares in said.items():
        if len(polled):
            ends = {week: (date.fromisoformat(week) + timedelta(days=6)).isoformat() for week in shares}
            gaps = [share - _rolling(polled, "share", ends[week], days) for week, share in shares.items()]
            found[f"{name} minus polls"] = _plain(gaps, "mean over weeks")
        if len(result):
            counted = float(result["share"][-1])
            found[f"{name} minus result"] = _plain([share - counted for share in shares.values()], "mean over weeks")
    return found


# --- words ------------------------------------------------------------------------------------------------------------


def associations(table: pl.DataFrame) -> pl.DataFrame:
    """who, date, word, subject, score and `relative`, its part of all scores on that day; null if they sum to 0.

    Days on which a word was not answered for every subject that was asked about are left out of `relative`.
    """
    import polars as pl

    told = table.filter(pl.col("measure") == "attribute")
    made = told.group_by("who", "date", "word", "subject").agg(pl.col("value").mean().alias("score"))
    made = made.sort("who", "date", "word", "subject")
    parts = []
    for _, part in made.group_by(["who", "date", "word"], maintain_order=True):
        score = part["score"].cast(pl.Float64).fill_null(NAN).to_numpy()
        found = relative_association(score) if len(part) > 1 else np.full(len(part), NAN)
        parts.append(part.with_columns(pl.Series("relative", found, nan_to_null=True)))
    return pl.concat(parts) if parts else made.with_columns(relative=pl.lit(None, dtype=pl.Float64))


def word_lines(made: pl.DataFrame) -> list[Line]:
    """Lines of `WORDS`: means over days; the rank is among the subjects of that word."""
    import polars as pl

    lines: list[Line] = []
    means = made.group_by("who", "word", "subject").agg(
        pl.len().alias("days"), pl.col("score").mean(), pl.col("relative").mean()
    )
    for _, part in means.sort("who", "word", "subject").group_by(["who", "word"], maintain_order=True):
        place = ranks(part["score"].cast(pl.Float64).fill_null(NAN).to_numpy())
        for row, rank in zip(part.iter_rows(named=True), place, strict=True):
            lines.append((row["who"], row["subject"], row["word"], row["days"], row["score"], row["relative"], rank))
    return lines


def word_days(made: pl.DataFrame) -> tuple[list[str], list[float], list[str]]:
    """Days, mean relative association over words, and subject: a line of each subject."""
    import polars as pl

    told = (
        made.drop_nulls("relative").group_by("subject", "date").agg(pl.col("relative").mean()).sort("subject", "date")
    )
    return told["date"].to_list(), told["relative"].to_list(), told["subject"].to_list()


def association_figures(made: pl.DataFrame) -> dict[str, Interval]:
    """Mean relative association of each subject over words, an interval over these; nothing where nobody was asked."""
    import polars as pl

    found = {}
    for (subject,), part in made.group_by(["subject"], maintain_order=True):
        by_word = part.drop_nulls("relative").group_by("word").agg(pl.col("relative").mean()).sort("word")
        value = by_word["relative"].to_numpy()
        nothing = Interval(NAN, NAN, NAN, 0, "no word that was answered for everybody")
        found[f"relative association, {subject}"] = mean_interval(value, bounds=(0.0, 1.0)) if len(value) else nothing
    return dict(sorted(found.items()))


def contrasts(made: pl.DataFrame, events: Mapping[date, str], *, window: int = WINDOW) -> Iterator[Line]:
    """Lines of `CONTRASTS`: relative association in the days before and after each event, bootstrap over words.

    window  days on either side; the day of the event counts as after it
    """
    import polars as pl

    told = made.drop_nulls("relative")
    for (who, subject), part in told.group_by(["who", "subject"], maintain_order=True):
        for when, event in events.items():
            days = [(date.fromisoformat(day) - when).days for day in part["date"]]
            near = part.with_columns(pl.Series("at", days, dtype=pl.Int64))
            sides = [
                near.filter(pl.col("at").is_between(a, b)).group_by("word").agg(pl.col("relative").mean())
                for a, b in ((-window, -1), (0, window - 1))
            ]
            both = sides[0].join(sides[1], on="word", suffix="_after").sort("word")
            if len(both):
                before, after = both["relative"].to_numpy(), both["relative_after"].to_numpy()
                found = bootstrap(np.mean, after - before)
                levels = (float(before.mean()), float(after.mean()))
                yield (who, event, when.isoformat(), subject, *levels, found.value, found.low, found.high, len(both))


# --- polls ------------------------------------------------------------------------------------------------------------


def over_polls(table: pl.DataFrame, polls: pl.DataFrame, *, days: int = 7) -> dict[str, Interval]:
    """By subject, how far predicted shares lie above polls, as a share of these: mean over days of prediction/poll - 1.

    table  replies with measure "poll": date, subject, value
    polls  date, subject, share in [0, 1]; both are taken as means over the last so many days
    """
    import polars as pl

    found = {}
    own = table.filter(pl.col("measure") == "poll").drop_nulls("value")
    for subject in sorted(set(own["subject"]) & set(polls["subject"])):
        said = own.filter(pl.col("subject") == subject)
        asked = polls.filter(pl.col("subject") == subject)
        ratios = []
        for day in sorted(set(said["date"])):
            a, b = _rolling(said, "value", day, days), _rolling(asked, "share", day, days)
            if b > 0:
                ratios.append(a / b - 1)
        found[subject] = _plain(ratios, f"mean over days, {days}-day means")
    return found


def _rolling(table: pl.DataFrame, column: str, day: str, days: int) -> float:
    import polars as pl

    first = (date.fromisoformat(day) - timedelta(days=days - 1)).isoformat()
    of = table.filter(pl.col("date").is_between(pl.lit(first), pl.lit(day)))[column].drop_nulls()
    return float(of.to_numpy().mean()) if len(of) else NAN
