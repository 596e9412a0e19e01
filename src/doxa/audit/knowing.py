"""Scores of the beliefs part: knowledge by popularity, each kind of confidence, and how far the kinds agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Annotated

import numpy as np

from doxa import charts
from doxa.audit.bank import permuted
from doxa.audit.ladder import ladder
from doxa.elicit.grading import is_correct
from doxa.metrics import (
    Interval,
    bootstrap_auroc,
    bootstrap_ece,
    ece_expected,
    mean_interval,
    proportion,
    reliability,
)
from doxa.metrics.correlation_interval import spearman_interval
from doxa.metrics.ranked_interval import aurc_interval
from doxa.records import Estimate, Findings, Item, Table, count_outcomes

if TYPE_CHECKING:
    import polars as pl

KINDS = {"open": "open questions", "choice": "four options"}
READINGS = {
    "option log-probabilities": "score",
    "P(True)": "score",
    "samples": "generate",
    "words": "generate",
}
TENTHS = 10
MIN_ITEMS = 10

Metric = Callable[[np.ndarray, np.ndarray], Interval]
METRICS: dict[str, Metric] = {
    "ECE": bootstrap_ece,
    "ECE, debiased": lambda c, y: bootstrap_ece(c, y, debiased=True),
    "Brier": lambda c, y: mean_interval((c - y) ** 2, bounds=(0, 1)),
    "AUROC": bootstrap_auroc,
    "AURC": aurc_interval,
    "confidence minus accuracy": lambda c, y: mean_interval(c - y, bounds=(-1, 1)),
}


@dataclass(frozen=True)
class Options:
    questions: Annotated[int, "facts asked about, spread over popularity"] = 300
    samples: Annotated[int, "samples per question for the agreement of samples"] = 10
    temperature: Annotated[float, "temperature of these samples"] = 1.0


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """All findings of the part; `rows` as `beliefs.Row`."""
    import polars as pl

    graded = with_correct(rows)
    read = {k: {r: confidence(graded, k, r) for r in READINGS if _exists(k, r)} for k in KINDS}
    return joined(
        [
            *(knowledge(graded, kind) for kind in KINDS),
            *(findings for of_kind in read.values() for findings in of_kind.values()),
            *(
                ladder(KINDS[kind], graded.filter(pl.col("kind") == kind), read[kind], samples=options.samples)
                for kind in KINDS
            ),
            triangulation(graded),
        ]
    )


def graded(rows: pl.DataFrame, options: Options) -> pl.DataFrame:
    """One row for each confidence, as `Study.graded`."""
    import polars as pl

    read = with_correct(rows).filter(pl.col("way") != "answer")
    return read.with_columns(way=pl.format("{}, {}", "way", "kind"))


def joined(parts: Sequence[Findings]) -> Findings:
    """Findings one after the other."""
    return Findings(
        estimates=tuple(e for p in parts for e in p.estimates),
        tables=tuple(t for p in parts for t in p.tables),
        charts=tuple(c for p in parts for c in p.charts),
        claims=tuple(c for p in parts for c in p.claims),
        notes=tuple(n for p in parts for n in p.notes),
    )


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The right answers permuted between items of one relation, and each kind of confidence for itself.

    Within a relation, so that an answer keeps its chance of being right by being a common one.
    """
    import polars as pl

    moved = permuted(rows, ("kind", "way"), ("confidence",), seed)
    relation = pl.col("item").str.split("/").list.first()
    truth = moved.group_by("kind", "item", maintain_order=True).agg(pl.col("truth").first())
    other = permuted(truth.with_columns(relation.alias("relation")), ("kind", "relation"), ("truth",), seed)
    joined_rows = moved.drop("truth").join(
        other.drop("relation"), on=["kind", "item"], how="left", maintain_order="left"
    )
    return joined_rows.select(rows.columns)


def with_correct(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a column `correct`: whether the answer is among the right ones; null where no answer was read."""
    import polars as pl

    right = [
        None if answer is None else _right(kind, answer, truth)
        for kind, answer, truth in rows.select("kind", "answer", "truth").iter_rows()
    ]
    return rows.with_columns(pl.Series("correct", right, dtype=pl.Boolean))


def _right(kind: str, answer: str, truth: Sequence[str]) -> bool:
    if kind == "choice":
        return answer in truth
    return is_correct(answer, Item("", "", "open", answer=truth[0], accepted=tuple(truth[1:])))


def _exists(kind: str, reading: str) -> bool:
    return kind == "choice" or reading != "option log-probabilities"


# --- knowledge -------------------------------------------------------------------------------------------------------


def knowledge(graded: pl.DataFrame, kind: str) -> Findings:
    """Accuracy of the plain answer: overall, by popularity, and on facts held back from training an organism."""
    import polars as pl

    rows = graded.filter((pl.col("kind") == kind) & (pl.col("way") == "answer"))
    label, section = KINDS[kind], "Knowledge"
    parts = [
        (f"accuracy, {label}", rows),
        (f"accuracy, {label}, best known third", rows.filter(pl.col("popularity") > 2 / 3)),
        (f"accuracy, {label}, least known tenth", rows.filter(pl.col("popularity") < 1 / TENTHS)),
    ]
    estimates = [accuracy(name, part, section) for name, part in parts]
    by_tenth = [accuracy(f"{i * 10}-{i * 10 + 10} %", band, section) for i, band in tenths(rows)]
    table = Table(
        f"Accuracy by popularity, {label}",
        ("popularity", "accuracy", "low", "high", "n"),
        tuple((e.name, e.value, e.low, e.high, e.n) for e in by_tenth),
        section=section,
        note="Popularity is the fact's place in the bank, 100 % is the best known.",
    )
    if not by_tenth:
        return Findings(tuple(estimates))
    chart = charts.bars_with_intervals(
        [e.name for e in by_tenth],
        [e.value for e in by_tenth],
        [e.low for e in by_tenth],
        [e.high for e in by_tenth],
        name=table.name,
        section=section,
    )
    return Findings(tuple(estimates), (table,), (chart,))


def tenths(rows: pl.DataFrame) -> list[tuple[int, pl.DataFrame]]:
    """Rows by tenth of popularity, 0 the least known; empty tenths are left out."""
    import polars as pl

    tenth = rows.with_columns(tenth=(pl.col("popularity") * TENTHS).floor().cast(pl.Int64).clip(0, TENTHS - 1))
    return [(int(i), band) for (i,), band in sorted(tenth.group_by("tenth"), key=lambda g: int(str(g[0][0])))]


def accuracy(name: str, rows: pl.DataFrame, section: str) -> Estimate:
    """Share of right answers among all asked, unread ones counted as wrong; the bounds say what they could change.

    nan when no reply at all could be read: that says nothing about what is known.
    """
    n, right = len(rows), int(rows["correct"].fill_null(False).sum())
    if not n:
        return Estimate(name, float("nan"), section=section, note="no such items were asked")
    unread = int(rows["correct"].is_null().sum())
    outcomes, bounds = count_outcomes(rows["outcome"].to_list()), (right / n, (right + unread) / n)
    if not set(outcomes) & {"ok", "abstained", "refused"}:
        note = "not readable: no reply could be read"
        return Estimate(name, float("nan"), outcomes=outcomes, bounds=bounds, section=section, note=note)
    return Estimate.of(name, proportion(right, n), unit="items", outcomes=outcomes, bounds=bounds, section=section)


# --- confidence ------------------------------------------------------------------------------------------------------


def confidence(graded: pl.DataFrame, kind: str, reading: str) -> Findings:
    """Calibration and discrimination of one kind of confidence, or why it could not be read."""
    import polars as pl

    section = f"Confidence: {reading}, {KINDS[kind]}"
    rows = graded.filter((pl.col("kind") == kind) & (pl.col("way") == reading))
    read = rows.filter(pl.col("confidence").is_not_null() & pl.col("correct").is_not_null())
    outcomes = count_outcomes(rows["outcome"].to_list())
    if len(read) < MIN_ITEMS:
        needs = f"not readable: needs {READINGS[reading]}"
        why = f"only {len(read)} of {len(rows)} were read" if len(rows) else needs
        nothing = tuple(
            Estimate(f"{name}, {reading}, {kind}", float("nan"), outcomes=outcomes, section=section, note=why)
            for name in METRICS
        )
        return Findings(nothing)
    c, y = read["confidence"].to_numpy(), read["correct"].to_numpy().astype(float)
    estimates = tuple(
        Estimate.of(f"{name}, {reading}, {kind}", metric(c, y), unit="items", outcomes=outcomes, section=section)
        for name, metric in METRICS.items()
    )
    expected = ece_expected(c, seed=0)
    note = (
        f"A perfectly calibrated respondent with these confidences would show an ECE of {expected.value:.3f} "
        f"({expected.low:.3f} to {expected.high:.3f}) at n = {len(read)}."
    )
    name = f"Reliability: {reading}, {KINDS[kind]}"
    return Findings(
        estimates, charts=(charts.reliability_chart(reliability(c, y), name=name, section=section, note=note),)
    )


# --- triangulation ---------------------------------------------------------------------------------------------------


def triangulation(graded: pl.DataFrame) -> Findings:
    """For the same items: rank correlation and mean distance between each two readings of the confidence."""
    section = "Triangulation"
    estimates, lines = [], []
    for kind, a, b, pairs in _pairs(graded):
        name = f"Spearman, {a} and {b}, {kind}"
        if len(pairs) < MIN_ITEMS:
            note = f"not readable: {len(pairs)} items have both readings of one answer"
            estimates.append(Estimate(name, float("nan"), n=len(pairs), section=section, note=note))
            continue
        x, y = pairs[f"{a}"].to_numpy(), pairs[f"{b}"].to_numpy()
        rank = spearman_interval(x, y)
        apart = mean_interval(np.abs(x - y), bounds=(0, 1))
        estimates.append(Estimate.of(name, rank, unit="items", section=section))
        limits = (rank.value, rank.low, rank.high, apart.value, apart.low, apart.high)
        lines.append((KINDS[kind], a, b, *limits, len(pairs)))
    columns = ("asked as", "reading", "and", "Spearman", "low", "high", "mean distance", "low ", "high ", "n")
    table = Table(
        "Readings of one belief, two by two",
        columns,
        tuple(lines),
        section=section,
        note="Items where both were read and concern the same answer. Distance is the mean absolute difference.",
    )
    return Findings(tuple(estimates), (table,))


def _pairs(graded: pl.DataFrame) -> Iterator[tuple[str, str, str, pl.DataFrame]]:
    import polars as pl

    for kind in KINDS:
        of_kind = graded.filter((pl.col("kind") == kind) & pl.col("confidence").is_not_null())
        for a, b in combinations([r for r in READINGS if _exists(kind, r)], 2):
            left = of_kind.filter(pl.col("way") == a).select("item", "answer", pl.col("confidence").alias(a))
            right = of_kind.filter(pl.col("way") == b).select("item", "answer", pl.col("confidence").alias(b))
            yield kind, a, b, left.join(right, on=["item", "answer"])
