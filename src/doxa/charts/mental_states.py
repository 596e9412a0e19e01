"""Charts of answers about stories: known, applied and judged; by scenario; before and after an intervention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from doxa.charts.heat import heat_map
from doxa.charts.values import bars_of_estimates, bars_with_intervals
from doxa.records import Chart, Estimate

QUESTIONS = ("aware", "action", "judge")
WORLDS = (("", "X does not know"), (", X knows", "X knows"), (", with twins", "with twins"))
AXIS = "share of right answers"


def story_charts(
    estimates: Sequence[Estimate], arms: Sequence[str], by_scenario: Sequence[Sequence[Any]]
) -> Iterator[Chart]:
    """Bars of the questions in both worlds, a heat map of the scenarios, bars of the questions in each arm.

    estimates    undefined ones are left out; they are named as the questions, with the endings of WORLDS or ", ARM"
    by_scenario  rows of the scenario and then the value of each question
    """
    known = {e.name: e for e in estimates if e.value == e.value}
    ways = [(known[f"{q}{end}"], q, how) for q in QUESTIONS for end, how in WORLDS if f"{q}{end}" in known]
    if not ways:
        return
    bars, labels, series = zip(*ways, strict=True)
    yield bars_of_estimates(bars, labels, series=series, axis=AXIS, name="Known, applied, judged")
    cells = [(line[0], q, value) for line in by_scenario for q, value in zip(QUESTIONS, line[1:], strict=True)]
    if cells:
        scenarios, columns, values = zip(*cells, strict=True)
        yield heat_map(scenarios, columns, values, axis=AXIS, name="By scenario")
    after = [(known[f"{q}, {arm}"], arm, q) for arm in arms for q in QUESTIONS if f"{q}, {arm}" in known]
    if after:
        before = [(known[q], "none", q) for q in QUESTIONS if q in known]
        bars, labels, series = zip(*before, *after, strict=True)
        yield bars_of_estimates(bars, labels, series=series, axis=AXIS, name="Before and after")


def model_charts(bars: Sequence[tuple[str, str, Any]], cells: Sequence[tuple[str, str, float]]) -> Iterator[Chart]:
    """The questions by model, and a heat map of what X will do.

    bars   model, question, share of right answers with its limits (value, low, high)
    cells  scenario, model, share of right answers
    """
    models, questions, shares = zip(*bars, strict=True)
    limits = ([getattr(share, end) for share in shares] for end in ("value", "low", "high"))
    yield bars_with_intervals(models, *limits, series=questions, axis="right answers", name="Models")
    if cells:
        scenarios, of, values = zip(*cells, strict=True)
        yield heat_map(scenarios, of, values, axis="right answers", name="What X will do, by scenario")
