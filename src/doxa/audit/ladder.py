"""Which confidence to use: what each reading costs and is worth, on the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from doxa.metrics import selective_accuracy
from doxa.metrics.intervals import proportion_limits
from doxa.records import Estimate, Findings, Table

if TYPE_CHECKING:
    import polars as pl

SECTION = "Which confidence to use"
NOTE = (
    "Each over the answers that this reading could be read for. The surer half: half of these answers, those with the "
    "highest confidence, in expectation where ties are cut. Low and high are 95 % limits."
)
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
    lines = []
    for reading, findings in found.items():
        shown = {name: _named(f"{name}, {reading}, ", findings) for name in SHOWN}
        limits = [value for e in shown.values() for value in (e.value, e.low, e.high)]
        rows = graded.filter(graded["way"] == reading)
        lines.append(line(reading, COST[reading].format(samples=samples), rows, limits))
    return Findings(tables=(Table(f"{SECTION}, {kind}", COLUMNS, tuple(lines), section=SECTION, note=NOTE),))


def _named(beginning: str, found: Findings) -> Estimate:
    return next(e for e in found.estimates if e.name.startswith(beginning))


def line(reading: str, calls: str, rows: pl.DataFrame, limits: Sequence[float]) -> tuple[object, ...]:
    """One line of the table: rows with confidence and correct; limits: value, low and high of each of `SHOWN`."""
    read = rows.drop_nulls(["confidence", "correct"])
    head = (reading, calls, len(read) / max(len(rows), 1), *limits)
    if read.is_empty():
        return (*head, *[float("nan")] * 4)
    c, y = read["confidence"].to_numpy(), read["correct"].to_numpy().astype(float)
    surer = selective_accuracy(c, y, HALF)
    units = read["group"].n_unique() if "group" in read.columns else len(y)  # samples of one question stand together
    low, high = proportion_limits(surer, HALF * units, 0.95)
    return (*head, float(y.mean()), surer, low, high)
