"""All figures of one model's panel from a table of its replies: drift, changes, steering, implied votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np

from doxa.metrics import panel_drift, panel_steering, panel_tables, panel_votes
from doxa.metrics.intervals import NAN, Interval, wilson

if TYPE_CHECKING:
    import polars as pl

Line = tuple[object, ...]
KINDS = {"identity": "identities", "request": "requests", "format": "formats"}
HOLM = 0.05
NOTES = {
    "Change points": "On the distance to the first day; before and after are its levels. Found: p after Holm.",
    "Steering": "Formats change replies on purpose: what they move is no belief.",
    "Steering by topic": "p: labels permuted within templates, against asking the plain question again; Holm over all.",
    "Implied votes": "Two-party shares are taken after the sum over groups.",
}


@dataclass(frozen=True)
class Rules:
    """How a panel is judged.

    kind_of       the kind of a variation by its name, see KINDS; None: another
    complies      whether a text keeps to the format that a variation asks for; None: no rule can tell
    level         of change points; permutations: of every test
    polls         date, subject, share; None: none
    """

    kind_of: Callable[[str], str | None]
    complies: Callable[[str, str], bool | None]
    level: float = panel_drift.LEVEL
    permutations: int = 999
    polls: pl.DataFrame | None = None


@dataclass(frozen=True)
class Curve:
    """Points (day, value with its interval, series) of a chart over days."""

    name: str
    axis: str
    section: str
    points: tuple[tuple[str, Interval, str], ...]

    @property
    def days(self) -> list[str]:
        return [day for day, _, _ in self.points]

    @property
    def series(self) -> list[str]:
        return [of for _, _, of in self.points]

    def side(self, name: Literal["value", "low", "high"]) -> list[float]:
        return [getattr(found, name) for _, found, _ in self.points]


class Panel:
    """One model's replies.

    rows      one for each reply, with the fields of the study's Row
    encode    texts to vectors (n, d) of length 1
    names     variations in the order in which they are shown; others follow by name
    """

    def __init__(self, rows: pl.DataFrame, encode: panel_drift.Encode, names: Sequence[str], rules: Rules) -> None:
        import polars as pl

        self.rows, self.rules, self.who = rows, rules, str(rows["who"][0])
        self.outcomes = dict(sorted(Counter(rows["outcome"].to_list()).items()))
        self.plain = rows.filter(pl.col("variation") == "none", pl.col("sample") == 0)
        self.days = self.plain["date"].n_unique()
        self.first = min(rows["date"])
        self.drift = panel_drift.distances(self.plain, encode)
        self.changes = panel_drift.by_type(self.drift, self.first, level=rules.level, shuffles=rules.permutations)
        parts = rows.partition_by("question", maintain_order=True)
        made = pl.concat([panel_steering.pairs(part, encode) for part in parts])
        self.again = made.filter(pl.col("variation") == panel_steering.AGAIN)
        before = self.drift.group_by("who", "question").agg(pl.col("step").mean().alias("null"))
        self.varied = panel_steering.with_null(made, before)
        there = set(self.varied["variation"])
        self.order = [name for name in names if name in there] + sorted(there - set(names))
        self.matrix = panel_steering.matrix(self.varied, self.order, permutations=rules.permutations)
        self.words = panel_votes.associations(self.plain)
        self.votes = panel_votes.votes(self.plain)

    @property
    def tellable(self) -> bool:
        """Whether a clean switch on so many days could be told from chance at all: else none is no finding."""
        return self.days > 2 and panel_drift.smallest_p(self.days - 1) <= self.rules.level

    @property
    def truncated(self) -> float:
        """Share of replies that were cut."""
        import polars as pl

        return float(self.rows["cut"].cast(pl.Float64).mean() or 0.0)  # type: ignore[arg-type]

    def figures(self) -> Iterator[tuple[str, str, dict[str, Interval]]]:
        """(heading, unit, figures)"""
        if self.days > 1:
            yield "Drift", "questions", dict(self._drift())
            yield "Change points", "days", dict(self._changes())
        yield "Steering", "questions", dict(self._steering())
        yield "Replies", "replies", dict(self._replies())
        yield "Whom words describe", "words", panel_votes.association_figures(self.words)
        yield "Implied vote", "partitions", panel_votes.vote_figures(self.votes, self.plain)
        if self.rules.polls is not None:
            over = panel_votes.over_polls(self.plain, self.rules.polls)
            yield "Polls", "days", {f"{subject} over polls": found for subject, found in over.items()}
            yield "Implied vote", "weeks", panel_votes.against_polls(self.votes, self.plain, self.rules.polls)

    def _drift(self) -> Iterator[tuple[str, Interval]]:
        import polars as pl

        for name in panel_drift.TYPES:
            part = self.drift.filter(pl.col("type") == name)
            yield f"distance to the first day, {name}", panel_drift.mean_distance(part, "first")
            yield f"distance to the day before, {name}", panel_drift.mean_distance(part, "step")
        shared = panel_drift.shared_with_baselines(self.drift)
        n = self.drift["question"].n_unique()
        yield "drift of baselines, as a share of the others'", Interval(shared, NAN, NAN, n, "ratio of means")

    def _changes(self) -> Iterator[tuple[str, Interval]]:
        test = f"CUSUM, {self.rules.permutations} permutations, level {self.rules.level:g}"
        for name, found in self.changes.items():
            n = found.point.n if found else 0
            day = float(found.day) if found and found.found else NAN
            yield f"day of change, {name}", Interval(day, NAN, NAN, n, test)
            yield f"p of no change, {name}", Interval(found.point.p if found else NAN, NAN, NAN, n, test)
        for name, of in (
            ("system update", panel_drift.system_update),
            ("response to an event", panel_drift.event_response),
        ):
            yield name, Interval(of(self.changes) if self.tellable else NAN, NAN, NAN, self.days, test)

    def _steering(self) -> Iterator[tuple[str, Interval]]:
        import polars as pl

        yield "distance when asked again", panel_steering.mean_of(self.again, "distance", (0.0, 1.0))
        yield "changed replies, asked again", panel_steering.mean_of(self.again, "changed", (0.0, 1.0))
        for kind, heading in KINDS.items():
            names = [name for name in self.order if self.rules.kind_of(name) == kind]
            part = self.varied.filter(pl.col("variation").is_in(names))
            yield f"excess distance, {heading}", panel_steering.excess(part)
            yield f"excess distance at equal length, {heading}", panel_steering.excess(part, equal=True)
            yield f"changed replies, {heading}", panel_steering.mean_of(part, "changed", (0.0, 1.0))
            steer = [line[-1] <= HOLM for line in self.matrix if line[1] == "all" and line[0] in names]  # type: ignore[operator]
            share = float(np.mean(steer)) if steer else NAN
            yield f"share that steers, {heading}", Interval(share, NAN, NAN, len(steer), f"Holm, {HOLM:g}")

    def _replies(self) -> Iterator[tuple[str, Interval]]:
        import polars as pl

        known = self.rows.filter(pl.col("correct").is_not_null(), pl.col("sample") == 0)
        identities = [name for name in self.order if self.rules.kind_of(name) == "identity"]
        varied, plain = pl.col("type") != "baseline", pl.col("variation") == "none"
        for name, of in (
            ("baselines", ~varied),
            ("other questions", varied & plain),
            ("other questions, identities", varied & pl.col("variation").is_in(identities)),
        ):
            yield f"accuracy, {name}", panel_tables.share(known.filter(of), pl.col("correct"))
        yield "refusals", panel_tables.share(self.plain, pl.col("outcome") == "refused")
        yield "hedged", panel_tables.share(self.plain, pl.col("hedged"))
        yield "keeps to the format asked for", panel_tables.kept_formats(self.rows, self.rules.complies)

    # --- tables, notes and the line of a chart

    def tables(self, events: Mapping[date, str]) -> Iterator[tuple[str, tuple[str, ...], Sequence[Line], str]]:
        """(name, columns, lines, note) of each table that has a line."""
        steering = panel_steering.by_variation(self.varied, self.order, self.rules.kind_of)
        for name, columns, lines in (
            ("Change points", panel_drift.CHANGES, self._change_lines(events) if self.days > 1 else ()),
            ("Drift by topic", panel_drift.TOPICS, panel_drift.topic_lines(self.drift) if self.days > 1 else ()),
            ("Steering", panel_steering.SHARES, steering),
            ("Steering by topic", panel_steering.MATRIX, self.matrix),
            ("Answers under variations", panel_steering.NUMBERS, panel_steering.of_answers(self.varied, self.order)),
            ("Implied votes", panel_votes.VOTES, self.votes),
            ("Whom words describe", panel_votes.WORDS, panel_votes.word_lines(self.words)),
            ("Words before and after events", panel_votes.CONTRASTS, panel_votes.contrasts(self.words, events)),
        ):
            if made := list(lines):
                yield name, columns, made, NOTES.get(name, "")

    def _change_lines(self, events: Mapping[date, str]) -> list[Line]:
        """Series by type, by topic, and the share of refusals; permuted often enough for Holm over all of them."""
        level, series = self.rules.level, len(self.changes) + self.drift["topic"].n_unique() + 1
        shuffles = panel_drift.enough_shuffles(series, level, self.rules.permutations)
        types = panel_drift.by_type(self.drift, self.first, level=level, shuffles=shuffles)
        topics = panel_drift.by_topic(self.drift, self.first, level=level, shuffles=shuffles)
        days, refused, replies = panel_tables.refusals(self.plain)
        refusing = panel_drift.change(
            "refusals", days, refused, self.first, totals=replies, level=level, shuffles=shuffles
        )
        return panel_drift.change_lines([*types.values(), *topics, refusing], events, level)

    def notes(self) -> Iterator[str]:
        """What has to be known beside the figures."""
        if self.days < 2:
            yield "one day, so that nothing can drift. Ask on more days (doxa panel, or --days)"
        elif not self.tellable:
            yield f"{self.days} days are too few to tell a change from chance at p <= {self.rules.level:g}"
        else:
            yield f"{panel_drift.verdict(self.changes)} (change points at p <= {self.rules.level:g})"
        if len(self.varied) and not len(self.again):
            yield "nothing was asked again on a day; the null of steering is the plain reply of the day before"
        if self.truncated >= 0.005:
            yield f"{self.truncated:.0%} of the replies were cut; compare texts within a variation only"
        if unread := panel_tables.unread_numbers(self.rows):
            yield f"{unread} replies to questions for a figure gave none that could be read; they are in no mean"
        if self.votes and all(line[-1] != line[-1] for line in self.votes):
            yield "no partition has all its weights and splits, so that no vote is implied"
        if "internet" in self.who.casefold():
            yield "its name says that it reads the internet: beliefs and what it read are mixed, judge it apart"

    def steered(self) -> tuple[list[str], list[str], list[float]]:
        """Variation, topic ("all", too) and how far beyond asking again the variation moves replies."""
        topics = sorted({str(line[1]) for line in self.matrix}, key=lambda topic: (topic != "all", topic))
        cells = sorted(self.matrix, key=lambda line: topics.index(str(line[1])))
        cells = sorted(cells, key=lambda line: self.order.index(str(line[0])))
        return [str(x[0]) for x in cells], [str(x[1]) for x in cells], [float(x[5]) for x in cells]  # type: ignore[arg-type]

    def curves(self) -> Iterator[Curve]:
        """What is drawn over days, of what there is on more than one: drift by type, refusals, whom words describe."""
        import polars as pl

        drift: list[tuple[str, Interval, str]] = []
        for name in panel_drift.TYPES:
            found = panel_drift.daily_limits(self.drift.filter(pl.col("type") == name))
            drift += [(day, value, name) for day, value in zip(*found, strict=True)]
        days, refused, replies = panel_tables.refusals(self.plain)
        refusing = [(d, wilson(int(k), int(n)), "refusals") for d, k, n in zip(days, refused, replies, strict=True)]
        words = [
            (day, Interval(value, NAN, NAN, 0, ""), subject)
            for day, value, subject in zip(*panel_votes.word_days(self.words), strict=True)
        ]
        for name, axis, section, points in (
            ("Drift", "distance to the first day", "Drift", drift),
            ("Refusals over time", "share of plain replies", "Replies", refusing if refused.any() else []),
            ("Whom words describe, over time", "mean relative association", "Whom words describe", words),
        ):
            if len({day for day, *_ in points}) > 1:
                yield Curve(name, axis, section, tuple(points))
