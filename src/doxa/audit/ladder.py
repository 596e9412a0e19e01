"""Which confidence to use: what each reading costs and is worth, on the same questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from doxa.metrics import selective_accuracy
from doxa.metrics.intervals import proportion_limits
from doxa.records import Estimate, Findings, Table

if TYPE_CHECKING:
    import polars as pl

HALF = 0.5  # share of the questions answered, the surest ones
SHOWN = ("ECE", "Brier", "AUROC")
COLUMNS = (
    *("reading", "calls", "share read"),
    *(part for name in SHOWN for part in (name, f"{name} low", f"{name} high")),
    *("accuracy", "accuracy of the surer half", "low", "high"),
)


COST = {
    "option log-probabilities": "1 scoring",
    "P(True)": "1 answer, 1 scoring",
    "samples": "1 answer, {samples} samples",
    "words": "1 answer",
}
"""Calls for one confidence; a scoring call reads all continuations of one prompt."""


def ladder(kind: str, graded: pl.DataFrame, found: Mapping[str, Findings], *, samples: int) -> Findings:
    """One line for each reading of answers to one kind of question.

    graded  rows of this kind, with `correct`; found: what is known of each reading, by its name; samples: of one answer
    """
    lines = tuple(_line(reading, graded, found[reading], samples) for reading in found)
    table = Table(
        f"Which confidence to use, {kind}",
        COLUMNS,
        lines,
        section="Which confidence to use",
        note="Each over the answers that this reading could be read for. The surer half: half of these answers, those "
        "with the highest confidence, in expectation where ties are cut. Low and high are 95 % limits.",
    )
    return Findings(tables=(table,))


def _line(reading: str, graded: pl.DataFrame, found: Findings, samples: int) -> tuple[object, ...]:
    import polars as pl

    rows = graded.filter(pl.col("way") == reading)
    read = rows.drop_nulls(["confidence", "correct"])
    shown: dict[str, Estimate] = {e.name.split(",")[0]: e for e in found.estimates}
    limits = [value for name in SHOWN for e in [shown[name]] for value in (e.value, e.low, e.high)]
    head = (reading, COST[reading].format(samples=samples), len(read) / max(len(rows), 1), *limits)
    if read.is_empty():
        return (*head, *[float("nan")] * 4)
    c, y = read["confidence"].to_numpy(), read["correct"].to_numpy().astype(float)
    surer = selective_accuracy(c, y, HALF)
    low, high = proportion_limits(surer, HALF * len(y), 0.95)
    return (*head, float(y.mean()), surer, low, high)
