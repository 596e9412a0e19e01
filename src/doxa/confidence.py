"""A kept correctness model asked about a run's answers: one more confidence, scored beside those the study read.

Of each question the answer is judged that the study's readings agree on; where they differ, none is, and a note counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa import calibration, charts
from doxa.metrics import reliability
from doxa.metrics.confidence_scores import confidence_scores
from doxa.models.base import Model
from doxa.records import Estimate, Findings, Table
from doxa.runs import Run
from doxa.training import saved
from doxa.training.cases import Case, SavedConfidence

if TYPE_CHECKING:
    import polars as pl

WAY = "correctness model"
FIGURES = ("accuracy", "AUROC", "ECE", "overconfidence")
COLUMNS = ("way", "n", *(name for figure in FIGURES for name in (figure, f"{figure}, low", f"{figure}, high")))


def of_run(run: Run, folder: Path, model: Model, *, resamples: int = 1000) -> Findings:
    """The figures of every way of the run's studies, and of the model kept in `folder`, on the same answers.

    model   who was asked, for a kept head that reads hidden states
    raises  DoxaError: no study of the run grades confidences, no kept model there, or one of another base
    """
    calibration.check_studies([part.scorer()[0] for part in run.parts])
    kept = saved.load(folder)
    found = [of for part in run.parts if part.scorer()[0].graded for of in _part(part, kept, model, resamples)]
    return Findings(
        tuple(e for one in found for e in one.estimates),
        tuple(t for one in found for t in one.tables),
        tuple(c for one in found for c in one.charts),
        notes=(
            f"The correctness model reads {kept.card.reads}. It learnt from {kept.card.n} responses; where those were "
            "to these questions, it flatters.",
            *(note for one in found for note in one.notes),
        ),
    )


def _part(part: Any, kept: SavedConfidence, model: Model, resamples: int) -> Iterator[Findings]:
    study, options = part.scorer()
    cases = _cases(part, model.address)
    table = calibration.of_rows(study, part.rows(), options)
    known = table.filter(table["item"].is_in(list(cases)))
    left = table["item"].n_unique() - known["item"].n_unique()
    notes = (f"{left} questions have readings with different answers, or none, and are left out",) if left else ()
    if known.is_empty():
        yield Findings(notes=notes)
        return
    asked = known.unique("item", keep="first").sort("item")
    said = asyncio.run(kept.confidence([cases[item] for item in asked["item"]], model))
    ways = {str(way): of for (way,), of in known.group_by("way", maintain_order=True)}
    ours = asked.with_columns(confidence=np.asarray(said, dtype=float))
    yield _beside(study.name, {WAY: ours, **ways}, resamples, notes)


def _cases(part: Any, who: str) -> dict[str, Case]:
    """A case for each item whose readings of the asked model agree on one answer."""
    found = {}
    for record in part.records():
        read = [
            (row, calls)
            for row, calls in zip(record.rows, record.row_calls, strict=True)
            if row.get("answer") is not None and row.get("answered_by", who) == who
        ]
        if len({row["answer"] for row, _ in read}) == 1:
            row, calls = read[0]
            prompt = record.calls[calls[0]].prompt if calls else None
            found[record.item.id] = Case(record.item.text, row["text"] or row["answer"], prompt, who)
    return found


def _beside(study: str, ways: Mapping[str, pl.DataFrame], resamples: int, notes: tuple[str, ...]) -> Findings:
    section, estimates, lines, drawn = f"{study}: {WAY}", [], [], []
    for way, of in ways.items():
        c, y = of["confidence"].to_numpy(), of["correct"].to_numpy().astype(float)
        figures = confidence_scores(c, y, of["group"].to_numpy().astype(str), resamples=resamples)
        chosen = [figures[name] for name in FIGURES]
        lines.append((way, len(of), *(v for i in chosen for v in (i.value, i.low, i.high))))
        if way == WAY:
            estimates = [
                Estimate.of(f"{name}, {way}", figures[name], unit="answers", section=section) for name in FIGURES
            ]
            drawn.append(charts.reliability_chart(reliability(c, y), name=f"Reliability, {way}", section=section))
    note = "The same questions; ways that read another answer have another accuracy."
    return Findings(
        tuple(estimates), (Table("Beside others", COLUMNS, tuple(lines), section, note),), tuple(drawn), notes=notes
    )
