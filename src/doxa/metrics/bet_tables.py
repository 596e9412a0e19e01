"""Debates with bets: rows in, figures with intervals and tables out, for each condition of the debates.

A row has item (the debate), group, arm (of ARMS), side, speech, round, bettor and bet (0-100, null: not read). One
bettor is one (debate, side): in a debate of a model with itself both sides have one name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics.bets import FAIR, HIGH, PATTERNS, OneSided, above, pattern
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.means import mean_interval
from doxa.metrics.resampling import bootstrap

if TYPE_CHECKING:
    import polars as pl

ARMS = ("debate", "probability", "again", "no-op", "filler", "jury", "alignment")
SIDES = ("proposition", "opposition")
CONTROLS = {"again": "change when asked again", "no-op": "change after a no-op", "filler": "change after filler"}
Lines = tuple[tuple[Any, ...], ...]
Told = tuple[str, tuple[str, ...], Lines, str]
BETTOR = ("item", "group", "side", "bettor")


@dataclass(frozen=True)
class Debates:
    """The rows of one condition.

    published  bets of 0 left out and sd with n, as in some of the published programs
    """

    rows: pl.DataFrame
    published: bool = False

    @cached_property
    def bets(self) -> pl.DataFrame:
        """The bets that were read, in an order of their own."""
        import polars as pl

        kept = self.rows.filter((pl.col("arm") == "debate") & pl.col("bet").is_not_null())
        kept = kept.filter(pl.col("bet") != 0) if self.published else kept
        return kept.sort("item", "side", "round")

    @cached_property
    def wide(self) -> pl.DataFrame:
        """One line for each bettor: opening, first and last rebuttal, closing, and the control arms; null: no bet."""
        import polars as pl

        bet, speech = pl.col("bet"), pl.col("speech")
        rebuttals = bet.filter(speech.str.starts_with("rebuttal"))
        found = self.bets.group_by(BETTOR, maintain_order=True).agg(
            bet.filter(speech == "opening").first().alias("opening"),
            rebuttals.first().alias("rebuttal"),
            rebuttals.last().alias("last rebuttal"),
            bet.filter(speech == "closing").first().alias("closing"),
        )
        for arm in CONTROLS:
            told = self.rows.filter(pl.col("arm") == arm).select("item", "side", bet.alias(arm))
            found = found.join(told, on=["item", "side"], how="left", maintain_order="left")
        return found.with_columns(pl.coalesce("group", "item").alias("group"))

    @cached_property
    def both(self) -> pl.DataFrame:
        """One line for each debate in which both sides' closing bets were read: item, group, one, two."""
        return self.pairs_at("closing")

    def pairs_at(self, speech: str) -> pl.DataFrame:
        """The same for another column of `wide`."""
        import polars as pl

        last = self.wide.filter(pl.col(speech).is_not_null())
        one, two = (last.filter(pl.col("side") == side) for side in SIDES)
        pairs = one.select("item", "group", pl.col(speech).alias("one"))
        told = two.select("item", pl.col(speech).alias("two"))
        return pairs.join(told, on="item", maintain_order="left", how="inner")

    # --- bets

    def said(self, speech: str, bettor: str | None = None, *, arm: str = "debate") -> tuple[np.ndarray, list[str]]:
        """Bets after a kind of speech (all rebuttals are one), or what another arm has in place of them, and groups."""
        import polars as pl

        part = self.bets if arm == "debate" else self.rows.filter((pl.col("arm") == arm) & pl.col("bet").is_not_null())
        part = part.sort("item", "side", "round").filter(pl.col("speech").str.starts_with(speech))
        part = part if bettor is None else part.filter(pl.col("bettor") == bettor)
        return part["bet"].to_numpy(), part.select(pl.coalesce("group", "item")).to_series().to_list()

    def mean(self, speech: str, bettor: str | None = None, *, arm: str = "debate") -> Interval:
        """Mean bet."""
        return mean_of(*self.said(speech, bettor, arm=arm), bounds=(0.0, 100.0))

    def bounds(self, speech: str) -> tuple[float, float] | None:
        """The mean bet if every unread one were 0, and if every one were 100; None: there is none at all."""
        import polars as pl

        every = self.rows.filter((pl.col("arm") == "debate") & pl.col("speech").str.starts_with(speech))["bet"]
        if not len(every):
            return None
        total = float(every.sum() or 0.0)
        return total / len(every), (total + 100 * every.null_count()) / len(every)

    def asked(self) -> tuple[int, dict[str, tuple[int, int]]]:
        """How many bets were asked for, and by speech how many could not be read, of how many."""
        import polars as pl

        every = self.rows.filter(pl.col("arm") == "debate").sort("round")
        parts = every.group_by(["speech"], maintain_order=True)
        return len(every), {str(speech): (part["bet"].null_count(), len(part)) for (speech,), part in parts}

    def unread(self) -> Interval:
        """Share of the bets that could not be read."""
        import polars as pl

        every = self.rows.filter(pl.col("arm") == "debate").sort("item", "side", "round")
        return share_of(
            every["bet"].is_null().to_list(), every.select(pl.coalesce("group", "item")).to_series().to_list()
        )

    def overconfidence(self) -> Interval:
        """Mean opening bet minus 50."""
        found = self.mean("opening")
        return Interval(found.value - FAIR, found.low - FAIR, found.high - FAIR, found.n, found.method)

    def sd(self) -> Interval:
        """Standard deviation of opening bets."""
        bets, groups = self.said("opening")
        if len(bets) < 2:
            return Interval(NAN, NAN, NAN, len(bets), "fewer than two bets")
        return bootstrap(self._sd, bets, groups=groups)

    def _sd(self, values: np.ndarray) -> float:
        return float(np.std(values, ddof=0 if self.published else 1)) if len(values) > 1 else NAN

    def change(self, before: str, after: str) -> Interval:
        """Mean change of a bettor's bet from one column of `wide` to another."""
        return mean_of(*self.changes(before, after), bounds=(-100.0, 100.0))

    def changes(self, before: str, after: str, bettor: str | None = None) -> tuple[np.ndarray, list[str]]:
        """The changes themselves, and the groups."""
        import polars as pl

        whole = self.wide.drop_nulls([before, after])
        whole = whole if bettor is None else whole.filter(pl.col("bettor") == bettor)
        return (whole[after] - whole[before]).to_numpy(), whole["group"].to_list()

    def beyond_chance(self) -> Interval:
        """Mean of the bet minus the chance that the same bettor stated at the same point; nan where none was asked."""
        import polars as pl

        at = ["item", "side", "round"]
        told = self.rows.filter((pl.col("arm") == "probability") & pl.col("bet").is_not_null())
        pairs = self.bets.join(told.select(*at, pl.col("bet").alias("chance")), on=at, maintain_order="left")
        groups = pairs.select(pl.coalesce("group", "item")).to_series().to_list()
        return mean_of((pairs["bet"] - pairs["chance"]).to_numpy(), groups, bounds=(-100.0, 100.0))

    # --- pairs

    def share(self, hits: Sequence[bool]) -> Interval:
        """Share of the debates."""
        return share_of(hits, self.both["group"].to_list())

    def pairs(self) -> dict[str, Interval]:
        """How often both sides claim to be winning at the closing, and what both claim too much, at the opening too."""
        pair = list(zip(self.both["one"].to_list(), self.both["two"].to_list(), strict=True))
        return {
            "sum above 100": self.share([a + b > 100 for a, b in pair]),
            "excess of the sum": self.excess(self.both),
            "both above 50": self.share([min(p) > FAIR for p in pair]),
            "both above 75": self.share([min(p) > HIGH for p in pair]),
            "both at least 75": self.share([min(p) >= HIGH for p in pair]),
            "excess of the opening sum": self.excess(self.pairs_at("opening")),
        }

    def excess(self, pairs: pl.DataFrame) -> Interval:
        """Mean of both bets' sum minus 100."""
        over = (pairs["one"] + pairs["two"] - 100).to_numpy()
        return mean_of(over, pairs["group"].to_list(), bounds=(-100.0, 100.0))

    def patterns(self) -> Lines:
        """Pattern, debates and share by each way to draw the lines."""
        pair = list(zip(self.both["one"].to_list(), self.both["two"].to_list(), strict=True))
        counted = [[pattern(*p, strict=strict) for p in pair] for strict in (True, False)]
        n = len(pair) or NAN
        return tuple(
            (name, *(cell for found in counted for cell in (found.count(name), found.count(name) / n)))
            for name in PATTERNS
        )

    # --- figures by heading

    def figures(self) -> dict[str, dict[str, Interval]]:
        """Heading -> name -> figure; a control arm or plain chances only where some were asked for."""
        arms = set(self.rows["arm"].to_list())
        found = {
            "Bets": {
                "opening bet": self.mean("opening"),
                "closing bet": self.mean("closing"),
                "opening to closing": self.change(*STEPS["opening to closing"]),
                "initial overconfidence": self.overconfidence(),
            },
            "Both sides": self.pairs(),
        }
        beside = {name: self.change("opening", arm) for arm, name in CONTROLS.items() if arm in arms}
        if "filler" in arms:
            beside = {"escalation beyond filler": self.change("filler", "closing"), **beside}
        if beside:
            found["Beside what moves nothing"] = beside
        if "probability" in arms:
            asked = {f"{speech} chance": self.mean(speech, arm="probability") for speech in ("opening", "closing")}
            found["A plain chance"] = {**asked, "bet beyond the chance": self.beyond_chance()}
        steps = {name: self.change(*STEPS[name]) for name in ("opening to rebuttal", "rebuttal to closing")}
        risen = above(self.changes(*STEPS["opening to closing"])[0])
        found["Steps"] = {
            "rebuttal bet": self.mean("rebuttal"),
            **steps,
            "p of the escalation": Interval(risen.p, NAN, NAN, risen.n, "t-test, one-sided, bettors independent"),
            "opening SD": self.sd(),
            "unread bets": self.unread(),
        }
        if len(self.models()) > 1:
            found["By bettor"] = {f"opening bet, {model}": self.mean("opening", model) for model in self.models()}
        return found

    def models(self) -> list[str]:
        """Names of the bettors."""
        return sorted(set(self.bets["bettor"].to_list()))

    # --- tables

    def tables(self) -> tuple[Told, ...]:
        """Name, columns, rows and note of each table."""
        counted = ("pattern", "debates, high above 75", "share", "debates, high at least 75", "share at least")
        independent = "Bettors are taken as independent, as published; the intervals above keep debates together."
        return (
            ("Bets", ("bettor", "speech", "mean", "sd", "bets"), self.by_model(), ""),
            ("Both closing bets", counted, self.patterns(), "low: at most 50, or below 50"),
            ("Tests", TESTS, self.tests(), independent),
        )

    def by_model(self) -> Lines:
        """Model, speech, mean, sd, bets; a last block for all."""
        models = self.models()
        speeches = self.bets.sort("round")["speech"].unique(maintain_order=True).to_list()
        return tuple(
            (model or "all", speech, *self._described(speech, model))
            for model in (*models, *([None] if len(models) != 1 else []))
            for speech in speeches
        )

    def _described(self, speech: str, model: str | None) -> tuple[float, float, int]:
        bets, _ = self.said(speech, model)
        return (float(bets.mean()) if len(bets) else NAN, self._sd(bets), len(bets))

    def tests(self) -> Lines:
        """Opening bets against 50, and each step, for every model and for all: see `OneSided`."""
        models = self.models()
        lines = []
        for model in (*models, *([None] if len(models) != 1 else [])):
            lines.append((model or "all", "opening against 50", *_tested(above(self.said("opening", model)[0], FAIR))))
            for name, step in STEPS.items():
                lines.append((model or "all", name, *_tested(above(self.changes(*step, model)[0]))))
        return tuple(lines)


STEPS = {
    "opening to rebuttal": ("opening", "rebuttal"),
    "rebuttal to closing": ("last rebuttal", "closing"),
    "opening to closing": ("opening", "closing"),
}
TESTS = ("bettor", "what", "mean", "sd", "t", "p, t-test, one-sided", "p, Wilcoxon, one-sided", "n")


def _tested(found: OneSided) -> tuple[float, ...]:
    return found.mean, found.sd, found.t, found.p, found.wilcoxon, found.n


def mean_of(values: np.ndarray, groups: Sequence[str], *, bounds: tuple[float, float]) -> Interval:
    """Mean of bets or of changes, debates kept together; nan without any.

    Without regard to the bounds where values differ: half a bet reckoned with at an end of so wide a scale would
    outweigh all that was seen.
    """
    if len(values) == 0:
        return Interval(NAN, NAN, NAN, 0, "no bets")
    found = mean_interval(values, groups=groups)
    if np.isnan(found.low):
        return mean_interval(values, groups=groups, bounds=bounds)
    return Interval(found.value, max(found.low, bounds[0]), min(found.high, bounds[1]), found.n, found.method)


def score_of(values: np.ndarray, groups: Sequence[str]) -> Interval:
    """Mean of scores in [0, 1]; nan without any."""
    if len(values) == 0:
        return Interval(NAN, NAN, NAN, 0, "nothing to score")
    return mean_interval(values, groups=groups, bounds=(0.0, 1.0))


def share_of(hits: Sequence[bool], groups: Sequence[str]) -> Interval:
    """Share of hits, groups kept together; nan without any."""
    if not len(hits):
        return Interval(NAN, NAN, NAN, 0, "nothing to count")
    return proportion_clustered(np.asarray(hits, dtype=float), groups, method="mid-p")


def mirrored(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Every bettor's bets as they are or mirrored at 50, by a coin: neither side is sure of winning, nor ever surer."""
    import polars as pl

    bettors = rows.filter(pl.col("side") != "").select("item", "side").unique().sort("item", "side")
    coin = pl.Series("turned", np.random.default_rng(seed).random(len(bettors)) < 0.5, dtype=pl.Boolean)
    told = rows.join(bettors.with_columns(coin), on=["item", "side"], how="left", maintain_order="left")
    turned = pl.when(pl.col("turned")).then(100 - pl.col("bet")).otherwise(pl.col("bet"))
    return told.with_columns(turned.alias("bet")).select(rows.columns)
