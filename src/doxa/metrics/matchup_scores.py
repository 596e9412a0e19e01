"""Ways to a confidence in answers, matchups among them, on the same answers: scores, areas, gains, tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from doxa.metrics.discrimination_interval import bootstrap_auroc
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.matchups import Matchups, by_rank, elo, log_strengths, transitivity, trueskill, trueskill_is_there
from doxa.metrics.selective_interval import bootstrap_selective_auc
from doxa.metrics.sums import NOTHING, mean, share

if TYPE_CHECKING:
    import polars as pl

Weighting = Literal["avg_conf", "mean", "vote"]
WAYS = ("direct", "hybrid_sc", "elo", "trueskill", "bradley_terry")
PUBLISHED_UPDATES = 5
OVER_DIRECT, OVER_SAMPLES = "selective AUC gain over direct", "selective AUC gain over hybrid_sc"


@dataclass(frozen=True)
class Rules:
    """How scores are made.

    weighting     of samples: "avg_conf", share of the samples' confidence that agrees; "mean", agreeing confidence
                  over their number; "vote", share of samples that agree
    as_published  Elo in the order drawn, Bradley-Terry after 5 updates
    half          unread matchups are half a win each, instead of dropped
    cost          calls for each matchup: 2 where both orders are asked
    """

    weighting: Weighting = "avg_conf"
    elo_k: float = 400.0
    elo_passes: int = 1
    conservative: bool = False
    prior: float = 0.01
    as_published: bool = False
    half: bool = False
    cost: int = 1


class Scored(NamedTuple):
    """A score of n questions, whether their answers are right, and their groups."""

    score: Floats
    correct: Floats
    group: np.ndarray


@dataclass(frozen=True, eq=False)
class Compared:
    """The answered questions of one set, with their samples and matchups.

    questions  item, group, answer, confidence, correct (null: truth not known)
    samples    item, sample, answer, confidence; played: item, opponent, sample (place in the draw), preferred
    """

    name: str
    questions: pl.DataFrame
    samples: pl.DataFrame
    played: pl.DataFrame
    rules: Rules
    _made: dict[Any, Any] = field(default_factory=dict, repr=False)  # what was computed already

    @classmethod
    def of(cls, table: pl.DataFrame, name: str, rules: Rules) -> Compared:
        """From graded rows of one set whose `condition` is "answer", "sample" or "matchup"."""
        import polars as pl

        parts = {part: table.filter(pl.col("condition") == part) for part in ("answer", "sample", "matchup")}
        questions = parts["answer"].filter(pl.col("answer").is_not_null()).unique("item", keep="first").sort("item")
        return cls(name, questions, parts["sample"], parts["matchup"], rules)

    @classmethod
    def each(cls, table: pl.DataFrame, rules: Rules) -> list[Compared]:
        """Of every set that the column `set` names, in the order of their names."""
        import polars as pl

        names = sorted(table["set"].unique().to_list())
        return [cls.of(table.filter(pl.col("set") == name), name, rules) for name in names]

    def within(self, calls: int | None) -> Compared:
        """With what so many calls for each question give: samples, and matchups where they were drawn."""
        import polars as pl

        if calls is None:
            return self
        games = calls // self.rules.cost
        if not ((self.samples["sample"] >= calls).any() or (self.played["sample"] >= games).any()):
            return self
        if calls not in self._made:
            samples = self.samples.filter(pl.col("sample") < calls)
            played = self.played.filter(pl.col("sample") < games)
            self._made[calls] = Compared(self.name, self.questions, samples, played, self.rules)
        found: Compared = self._made[calls]
        return found

    @cached_property
    def matchups(self) -> Matchups:
        """The games in the order drawn; the first players are the questions in their order. Both orders are one."""
        import polars as pl

        played = self.played.with_columns(pl.col("preferred").fill_null(0.5)) if self.rules.half else self.played
        games = played.group_by("sample", "item", "opponent").agg(pl.col("preferred").mean())
        games = games.filter(pl.col("preferred").is_not_null()).sort("sample", "item", "opponent")
        own = self.questions["item"].to_list()
        names = [*own, *sorted({*games["item"], *games["opponent"]} - set(own))]
        number = {name: k for k, name in enumerate(names)}
        one, other = ([number[name] for name in games[side]] for side in ("item", "opponent"))
        return Matchups.of(one, other, games["preferred"].to_numpy(), len(names))

    def score(self, way: str) -> Floats:
        """A way's score of the questions, (n,); nan where it has none."""
        if way not in self._made:
            self._made[way] = self._scored_by(way)[: len(self.questions)]
        return np.asarray(self._made[way])

    def _scored_by(self, way: str) -> Floats:
        rules, games = self.rules, self.matchups
        if way == "elo":
            orders = {"orders": 0} if rules.as_published else {}
            return elo(games, k=rules.elo_k, passes=rules.elo_passes, **orders)
        if way == "trueskill":
            there = trueskill_is_there()
            return trueskill(games, conservative=rules.conservative) if there else np.full(games.n, NAN)
        if way == "bradley_terry":
            return log_strengths(games, prior=rules.prior, updates=PUBLISHED_UPDATES if rules.as_published else None)
        if way == "hybrid_sc":
            return self._agreement()
        return self.questions["confidence"].cast(float).fill_null(NAN).to_numpy()

    def _agreement(self) -> Floats:
        """Agreement of the samples that could be read with the frozen answer."""
        import polars as pl

        frozen = self.questions.select("item", pl.col("answer").alias("frozen"))
        read = self.samples.filter(pl.col("answer").is_not_null()).join(frozen, on="item")
        weight = pl.lit(1.0) if self.rules.weighting == "vote" else pl.col("confidence")
        read = read.filter(weight.is_not_null()).with_columns(
            weight=weight, agrees=pl.col("answer") == pl.col("frozen")
        )
        over = pl.len() if self.rules.weighting != "avg_conf" else pl.col("weight").sum()
        agreed = (pl.col("weight") * pl.col("agrees")).sum() / over
        found = dict(read.group_by("item").agg(agreed.alias("agreed")).iter_rows())
        return np.array([found.get(item, NAN) for item in self.questions["item"]], dtype=np.float64)

    def scored(self, way: str) -> Scored:
        """The questions with this score whose truth is known."""
        return self._kept(way)[0]

    def both(self, a: str, b: str) -> tuple[Scored, Scored]:
        """The questions with both scores whose truth is known."""
        one, other = self._kept(a, b)
        return one, other

    def _kept(self, *ways: str) -> list[Scored]:
        known = self.questions["correct"].is_not_null().to_numpy()
        kept = known & np.all([np.isfinite(self.score(way)) for way in ways], axis=0)
        correct = self.questions["correct"].fill_null(False).to_numpy().astype(np.float64)
        group = self.questions["group"].to_numpy()
        return [Scored(self.score(way)[kept], correct[kept], group[kept]) for way in ways]

    def areas(self, way: str, *, resamples: int = 1000) -> dict[str, Interval]:
        """ "AUROC" and "selective AUC" of a way with 95 % intervals; nan without questions.

        The intervals take the score of each question as it is, and draw questions (whole groups).
        """
        if ("areas", way, resamples) not in self._made:
            self._made["areas", way, resamples] = _areas(self.scored(way), resamples)
        found: dict[str, Interval] = self._made["areas", way, resamples]
        return found


# --- figures ---------------------------------------------------------------------------------------------------------


def _areas(scored: Scored, resamples: int) -> dict[str, Interval]:
    if not len(scored.correct):
        return {"AUROC": NOTHING, "selective AUC": NOTHING}
    how: dict[str, Any] = {"groups": scored.group, "resamples": resamples}
    return {
        "AUROC": bootstrap_auroc(scored.score, scored.correct, **how),
        "selective AUC": bootstrap_selective_auc(scored.score, scored.correct, **how),
    }


def figures(sets: Sequence[Compared], calls: Sequence[int], *, resamples: int = 1000) -> dict[str, Interval]:
    """AUROC and selective AUC of every way, means of sets, and what Bradley-Terry gains over the two other ways.

    calls  budgets of the gain over samples, ascending: so many matchups against so many samples; the last is the whole
    """
    each = {way: [one.areas(way, resamples=resamples) for one in sets] for way in WAYS}
    names = ("AUROC", "selective AUC")
    found = {f"{name}, {way}": averaged([f[name] for f in each[way]]) for name in names for way in WAYS}
    found[OVER_DIRECT] = averaged([gain(one, "bradley_terry", "direct", resamples=resamples) for one in sets])
    for m in calls or (0,):
        cut = (one.within(m) for one in sets)
        found[OVER_SAMPLES] = averaged([gain(one, "bradley_terry", "hybrid_sc", resamples=resamples) for one in cut])
        found |= {f"{OVER_SAMPLES}, {m} calls": found[OVER_SAMPLES]} if calls else {}
    return found


def in_every_way(sets: Sequence[Compared]) -> pl.DataFrame:
    """A row for each answered question and way: item, group, way, confidence (ratings by rank) and correct."""
    import polars as pl

    tables = []
    for one, way in product(sets, WAYS):
        score = one.score(way)
        if way not in ("direct", "hybrid_sc") and (kept := np.isfinite(score)).any():
            score = score.copy()
            score[kept] = by_rank(score[kept])
        said = pl.Series("confidence", score, dtype=pl.Float64).fill_nan(None)
        tables.append(one.questions.select("item", "group", pl.lit(way).alias("way"), said, "correct"))
    types = {"item": pl.String, "group": pl.String, "way": pl.String, "confidence": pl.Float64, "correct": pl.Boolean}
    return pl.concat(tables) if tables else pl.DataFrame(schema=types)


def accuracy(table: pl.DataFrame) -> tuple[Interval, tuple[float, float] | None]:
    """Share of right among the answers that were read, and its bounds if all others were wrong, or right.

    table  graded rows of answers: correct (null: unread), known, group
    """
    known = table.filter("known")
    read = known.filter(known["correct"].is_not_null())
    right, n = int(read["correct"].sum()), len(known)
    bounds = (right / n, (right + n - len(read)) / n) if n else None
    return share(read["correct"].to_numpy(), read["group"]), bounds


def gain(one: Compared, way: str, other: str, *, resamples: int = 1000) -> Interval:
    """Selective AUC of one way minus that of another, on the questions that both score."""
    a, b = one.both(way, other)
    if not len(a.correct):
        return NOTHING
    return bootstrap_selective_auc(a.score, a.correct, b.score, groups=a.group, resamples=resamples)


def averaged(each: Sequence[Interval]) -> Interval:
    """Mean of figures of separate sets, those that are defined; limits by the square root of summed squares.

    source  Zou 2007, Psychological Methods 12(4), for sums of independent estimates

    >>> found = averaged([Interval(0.5, 0.4, 0.6, 10, "m"), Interval(0.9, 0.8, 0.9, 20, "m")])
    >>> round(found.value, 2), round(found.low, 3), round(found.high, 2), found.n
    (0.7, 0.629, 0.75, 30)
    """
    defined = [i for i in each if not math.isnan(i.value)]
    if len(defined) < 2:
        return defined[0] if defined else replace(NOTHING, n=sum(i.n for i in each))
    value = sum(i.value for i in defined) / len(defined)
    below = math.sqrt(sum((i.value - i.low) ** 2 for i in defined)) / len(defined)
    above = math.sqrt(sum((i.high - i.value) ** 2 for i in defined)) / len(defined)
    method = f"mean of {len(defined)} sets, {defined[0].method}"
    return Interval(value, value - below, value + above, sum(i.n for i in defined), method)


def preference_figures(played: pl.DataFrame, sets: Sequence[Compared]) -> dict[str, tuple[Interval, str]]:
    """Diagnostics of matchups, each with its unit.

    played  rows item, opponent, group, sample, first, preferred (null: unread)
    """
    import polars as pl

    read = played.filter(pl.col("preferred").is_not_null())
    won = read.with_columns(slot=pl.when("first").then(pl.col("preferred")).otherwise(1 - pl.col("preferred")))
    sides = pl.col("preferred").filter(pl.col("preferred") != 0.5)
    swapped = read.group_by("item", "opponent", "group", maintain_order=True).agg(
        orders=pl.col("first").n_unique(), same=(sides > 0.5).n_unique() == 1
    )
    swapped = swapped.filter(pl.col("orders") == 2)
    games = [count for one in sets for count in one.matchups.games[: len(one.questions)].tolist()]
    of_games = mean(games, np.concatenate([one.questions["group"].to_numpy() for one in sets])) if games else NOTHING
    return {
        "first-slot share": (mean(won["slot"], won["group"], bounds=(0, 1)), "matchups"),
        "swap consistency": (share(swapped["same"].to_numpy(), swapped["group"]), "pairs"),
        "transitive triples": (averaged([transitivity(one.matchups) for one in sets]), "triples"),
        "matchups read": (share(played["preferred"].is_not_null().to_numpy(), played["group"]), "matchups"),
        "matchups of a question": (of_games, "questions"),
    }
