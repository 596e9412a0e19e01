"""Charts of choices between gambles and of inferences from choices: correlations, rates of B, ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from doxa.charts.diagonal import diagonal_chart
from doxa.charts.values import bars_with_intervals
from doxa.records import Chart


def correlation_bars(whose: Sequence[str], what: Sequence[str], bars: Sequence[Any]) -> Iterator[Chart]:
    """Correlations (value, low, high) of arms with something, (k,) each; nothing where there are none."""
    if bars:
        cells = [[getattr(bar, end) for bar in bars] for end in ("value", "low", "high")]
        yield bars_with_intervals(whose, *cells, series=what, axis="correlation", name="Correlations by arm")


def rate_chart(arm: str, said: Sequence[float], did: Sequence[float], n: Sequence[int]) -> Iterator[Chart]:
    """People's rates of B beside the model's, in bins of n problems; nothing without any."""
    if n:
        axes = (f"the model's rate of B, {arm}", "people's rate of B")
        yield diagonal_chart(said, did, [f"{k} problems" for k in n], axes=axes, n=n, name="Rates of B")


def rank_chart(lines: Sequence[Sequence[Any]], style: str) -> Iterator[Chart]:
    """Ranks of choices by the model and by people: (code, rank, rank of people, ...) each; None is left out."""
    if points := [line[:3] for line in lines if None not in line[:3]]:
        codes, own, theirs = zip(*points, strict=True)
        axes, name = ("rank by the model", "rank by people"), f"Ranks of choices, {style}"
        yield diagonal_chart(own, theirs, codes, axes=axes, name=name, section="Inferences")


def model_charts(lines: Sequence[Sequence[Any]]) -> Iterator[Chart]:
    """How far each arm of each model goes with expected value: lines of model, arm, correlation, ...; nan: left out."""
    if held := [line for line in lines if line[2] == line[2]]:
        models, arms, rho = ([line[i] for line in held] for i in (0, 1, 2))
        nothing = [float("nan")] * len(held)
        axis, name = "correlation with expected value", "Choices and expected value by model"
        yield bars_with_intervals(models, rho, nothing, nothing, series=arms, axis=axis, name=name)
