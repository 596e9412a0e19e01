"""Replies to the same questions on many days: how far they move, when they change, and whether the model itself did.

A table has one row for each reply: who, question, group (its template), type, topic, date (as text) and text. Distances
are 1 - cosine. Templates count as independent, days and questions do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics.change_points import SHUFFLES, ChangePoint, change_point
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.means import mean_interval
from doxa.metrics.multiple_tests import holm
from doxa.metrics.text_distance import cosine_distance

if TYPE_CHECKING:
    import polars as pl

Encode = Callable[[Sequence[str]], Floats]
LEVEL = 0.005  # of a change point: a series that stands still is called changed once in 200
TYPES = ("baseline", "endogenous", "exogenous")
SAME_DAYS = 1  # changes so many days apart count as one
ALL = "all questions"


def distances(table: pl.DataFrame, encode: Encode) -> pl.DataFrame:
    """The table in order of days, with `step`, the distance to the reply before, and `first`, that to the first one.

    Both are null for a question's first reply, and where a text has no vector; days between are not filled in.

    encode  texts to vectors (n, d) of length 1; called for one question at a time, so that memory stays small
    raises  ValueError: two replies to one question on one day
    """
    import polars as pl

    keys = ["who", "question"]
    if table.select(*keys, "date").is_duplicated().any():
        raise ValueError("a question has two replies on one day; keep one of them, and the other as a repetition")
    made = table.sort([*keys, "date"])
    parts = [_distances(part, encode) for part in made.partition_by(keys, maintain_order=True)]
    nothing = pl.lit(None, dtype=pl.Float64)
    return pl.concat(parts) if parts else made.with_columns(step=nothing, first=nothing)


def _distances(part: pl.DataFrame, encode: Encode) -> pl.DataFrame:
    import polars as pl

    texts = part["text"].to_list()
    places = {text: k for k, text in enumerate(dict.fromkeys(texts))}
    at = np.array([places[text] for text in texts])
    vectors = encode(list(places))
    found = {}
    for name, other in (("step", np.roll(at, 1)), ("first", np.full(len(at), at[0]))):
        apart = np.where(at == other, 0.0, cosine_distance(vectors[at], vectors[other]))
        apart[0] = np.nan
        found[name] = pl.Series(name, apart, nan_to_null=True)
    return part.with_columns(**found)


def mean_distance(table: pl.DataFrame, column: str) -> Interval:
    """Mean over questions of their mean distance, with an interval clustered by template; nan without any."""
    import polars as pl

    told = table.drop_nulls(column).group_by("question").agg(pl.col(column).mean(), pl.col("group").first())
    if not len(told):
        return Interval(NAN, NAN, NAN, 0, "no reply on a second day")
    told = told.sort("question")
    value = told[column].to_numpy()
    return mean_interval(value, groups=told["group"].to_list(), bounds=(0.0, 1.0 if value.max() <= 1 else 2.0))


def daily(table: pl.DataFrame, column: str = "first") -> tuple[list[str], Floats]:
    """Days in order, and the mean distance (t,) of templates on each.

    Each template counts by how far it is from its own mean over time, so that days on which others are asked do not
    look like changes.
    """
    import polars as pl

    told = table.drop_nulls(column).group_by("group", "date").agg(pl.col(column).mean())
    if not len(told):
        return [], np.empty(0)
    own = told.group_by("group").agg(pl.col(column).mean().alias("own"))
    level = float(own.sort("group")["own"].mean())  # type: ignore[arg-type]
    days = (
        told.join(own, on="group")
        .sort("date", "group")
        .group_by("date", maintain_order=True)
        .agg((pl.col(column) - pl.col("own")).mean().alias("moved"))
    )
    return days["date"].to_list(), np.round(days["moved"].to_numpy() + level, 12)


def daily_limits(table: pl.DataFrame, column: str = "first") -> tuple[list[str], list[Interval]]:
    """Days in order, and the value of `daily` on each with its interval over templates."""
    import polars as pl

    days, values = daily(table, column)
    if not days:
        return [], []
    by = table.drop_nulls(column).group_by("group", "date").agg(pl.col(column).mean())
    own = by.group_by("group").agg(pl.col(column).mean().alias("own"))
    moved = by.join(own, on="group").sort("date", "group").with_columns(moved=pl.col(column) - pl.col("own"))
    parts = moved.partition_by("date", maintain_order=True)
    found = []
    for value, part in zip(values.tolist(), parts, strict=True):
        apart = mean_interval(part["moved"].to_numpy())
        # No distance is below 0, wherever the scatter of few templates would reach.
        limits = (max(value + apart.low - apart.value, 0.0), value + apart.high - apart.value)
        found.append(Interval(value, *limits, len(part), apart.method))
    return days, found


TOPICS = (
    "topic",
    "types",
    "templates",
    "to the first day",
    "low",
    "high",
    "to the day before",
    "low, step",
    "high, step",
)


def topic_lines(table: pl.DataFrame) -> list[tuple[object, ...]]:
    """Lines of `TOPICS`: mean distances of each topic, intervals over templates."""
    lines: list[tuple[object, ...]] = []
    for (topic,), part in table.sort("topic").group_by(["topic"], maintain_order=True):
        first, step = (mean_distance(part, column) for column in ("first", "step"))
        types, templates = ", ".join(sorted(set(part["type"]))), part["group"].n_unique()
        lines.append((topic, types, templates, first.value, first.low, first.high, step.value, step.low, step.high))
    return lines


@dataclass(frozen=True)
class Change:
    """The likeliest change of one series; `day` counts from 1, the panel's first day."""

    series: str
    point: ChangePoint
    day: int

    @property
    def found(self) -> bool:
        return self.point.found


def smallest_p(n: int) -> float:
    """The least p that a clean switch in the middle of n days can have, whatever the number of permutations.

    >>> round(smallest_p(9), 3), round(smallest_p(12), 3)
    (0.016, 0.002)
    """
    return 2 / math.comb(n, n // 2)


def day_of(when: str, first: str) -> int:
    """The day's number, from 1 for the first.

    >>> day_of("2026-09-03", "2026-09-01")
    3
    """
    return (date.fromisoformat(when) - date.fromisoformat(first)).days + 1


def change(
    name: str,
    days: Sequence[str],
    values: Floats,
    first: str,
    *,
    totals: Floats | None = None,
    level: float = LEVEL,
    shuffles: int = SHUFFLES,
) -> Change | None:
    """The change point of a daily series; None for fewer than two days.

    It is tested on the distance to the first day, which a switch raises for good; the distance to the day before shows
    the switch as one spike, among which no level changes.
    """
    if len(values) < 2:
        return None
    found = change_point(values, totals, dates=list(days), level=level, shuffles=shuffles)
    return Change(name, found, day_of(found.date, first))


def by_type(
    table: pl.DataFrame, first: str, *, level: float = LEVEL, shuffles: int = SHUFFLES
) -> dict[str, Change | None]:
    """Change points of all questions and of each type."""
    import polars as pl

    series = {ALL: table} | {name: table.filter(pl.col("type") == name) for name in TYPES}
    return {name: change(name, *daily(part), first, level=level, shuffles=shuffles) for name, part in series.items()}


def by_topic(table: pl.DataFrame, first: str, *, level: float = LEVEL, shuffles: int = SHUFFLES) -> list[Change | None]:
    """Change points of each topic, where there are several."""
    import polars as pl

    topics = sorted(set(table["topic"]))
    series = {topic: daily(table.filter(pl.col("topic") == topic)) for topic in topics if len(topics) > 1}
    return [change(name, *of, first, level=level, shuffles=shuffles) for name, of in series.items()]


def system_update(changes: Mapping[str, Change | None]) -> float:
    """1: the baselines, which nothing but the model itself can move, changed; 0: they did not; nan: none were asked."""
    baseline = changes.get("baseline")
    return NAN if baseline is None else float(baseline.found)


def event_response(changes: Mapping[str, Change | None]) -> float:
    """1: exogenous questions changed, and neither baselines nor endogenous ones at the same time; nan: none were asked.

    Without baselines and endogenous questions there is nothing to tell an event from an update by: nan.
    """
    moved = changes.get("exogenous")
    others = [found for name in TYPES[:2] if (found := changes.get(name)) is not None]
    if moved is None or not others:
        return NAN
    if not moved.found:
        return 0.0
    return float(not any(o.found and abs(o.day - moved.day) <= SAME_DAYS for o in others))


def verdict(changes: Mapping[str, Change | None]) -> str:
    """What the changes speak for, in words."""
    update, event = system_update(changes), event_response(changes)
    if event == 1 and update == 1:
        return "the system was updated, and an event moved answers on another day"
    if update == 1:
        return "the system was updated"
    if event == 1:
        return "an event moved answers"
    endogenous = changes.get("endogenous")
    if endogenous is not None and endogenous.found:
        return "the model changed where baselines do not show it"
    return "cannot be told" if math.isnan(update) and math.isnan(event) else "no change"


def shared_with_baselines(table: pl.DataFrame) -> float:
    """Mean distance to the first day of baselines, as a share of that of all other questions; nan where these are 0.

    What baselines drift, the system does by itself: only the rest can be due to the world.
    """
    baseline = table["type"] == "baseline"
    own, rest = (mean_distance(table.filter(of), "first").value for of in (baseline, ~baseline))
    return own / rest if rest > 0 else NAN


CHANGES = ("series", "day", "date", "before", "after", "p", "p (Holm)", "found", "nearest event", "days after it")
Line = tuple[object, ...]


def enough_shuffles(series: int, level: float, least: int) -> int:
    """Permutations whose smallest p, after Holm over so many series, is half the level: of fewer none is ever found.

    >>> enough_shuffles(11, 0.005, 999), enough_shuffles(1, 0.05, 999)
    (4399, 999)
    """
    return max(least, math.ceil(2 * series / level) - 1)


def change_lines(changes: Sequence[Change | None], events: Mapping[date, str], level: float = LEVEL) -> list[Line]:
    """Lines of `CHANGES`; "found" goes by p after Holm over all lines, beside which stands the nearest event.

    A series of too few days for any change to be told from chance says so, and not that there was none.
    """
    told = [c for c in changes if c is not None]
    adjusted = holm([c.point.p for c in told])
    lines: list[Line] = []
    for found, p in zip(told, adjusted, strict=True):
        point, near = found.point, nearest(found.point.date, events) if p <= level else ("", None)
        levels = (round(point.before, 4), round(point.after, 4))
        no = "no" if smallest_p(point.n) <= level else "too few days"
        lines.append(
            (found.series, found.day, point.date, *levels, point.p, float(p), "yes" if p <= level else no, *near)
        )
    return lines


def nearest(when: str, events: Mapping[date, str]) -> tuple[str, int | None]:
    """The event nearest to a day, and how many days after it the day is.

    >>> nearest("2026-09-12", {date(2026, 9, 10): "debate", date(2026, 9, 30): "vote"})
    ('debate', 2)
    """
    if not events:
        return "", None
    at = date.fromisoformat(when)
    best = min(events, key=lambda event: abs((at - event).days))
    return events[best], (at - best).days
