"""Charts of shifts by how much of a context there was, by technique of persuasion, and by model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from doxa.charts.amounts import curve_by_amount
from doxa.charts.values import bars_with_intervals
from doxa.records import Chart

NOTE = "At 0 the same asked again. A single point, filler: as much that says nothing to the point, in place of it."
MEASURES = ("belief", "behaviour")
Lines = Sequence[Sequence[Any]]


def shift_charts(by_amount: Lines, by_technique: Lines, talks: Sequence[str]) -> Iterator[Chart]:
    """Curves over rounds and words, with what happens without a context; bars of techniques, if there are several.

    by_amount     context, measure, amount, shift, low, high; by_technique: technique, measure, shift, low, high
    talks         contexts whose amount is rounds; of "reading" it is words, others are not drawn
    """
    every = sorted((line for line in by_amount if line[3] == line[3]), key=lambda line: line[2])
    for (unit, among), measure in product((("rounds", talks), ("words read", ("reading",))), MEASURES):
        held = [line for line in every if line[0] in among and line[1].startswith(measure)]
        if held:
            series = [f"{line[0]}{line[1].removeprefix(measure)}" for line in held]
            cells = [[line[i] for line in held] for i in (2, 3, 4, 5)]
            axes, name = (unit, "share of labels that changed"), f"Shift of {measure} by {unit}"
            yield curve_by_amount(*cells, series=series, axes=axes, name=name, note=NOTE)
    ways = [line for line in by_technique if line[2] == line[2]]
    if len({line[0] for line in ways}) > 1:
        cells = [[line[i] for line in ways] for i in (0, 2, 3, 4)]
        kinds = [line[1] for line in ways]
        yield bars_with_intervals(*cells, series=kinds, axis="share that changed", name="Shift by technique")


def model_charts(lines: Lines) -> Iterator[Chart]:
    """Shifts of belief and behaviour by model, a series for each context.

    lines  model, context, belief shift, low, high, behaviour shift, low, high, ...
    """
    for measure, first in zip(MEASURES, (2, 5), strict=True):
        held = [line for line in lines if line[first] == line[first]]
        if held:
            cells = [[line[i] for line in held] for i in (0, first, first + 1, first + 2)]
            series = [line[1] for line in held]
            axis, name = "share of labels that changed", f"Shift of {measure} by model"
            yield bars_with_intervals(*cells, series=series, axis=axis, name=name)
