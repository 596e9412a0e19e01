"""What all charts share: colours, sizes, tooltips, rows of data, and the finished Chart.

Colours are told apart by colour-blind readers and stand on light and dark ground; grey is for what is not data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.records import OUTCOMES, Chart

if TYPE_CHECKING:
    import altair as alt

# After Okabe and Ito 2008, without the yellow (too pale on white) and with a blue that also stands on black.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, VIOLET, GREY = (
    "#2a86c8", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#8a63c9", "#8a8f98",
)  # fmt: skip
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, VIOLET)
_BY_OUTCOME = (BLUE, VERMILLION, ORANGE, PURPLE, GREEN, GREY, VIOLET)
OUTCOME_COLOURS: Mapping[str, str] = dict(zip(OUTCOMES, _BY_OUTCOME, strict=True))

_INK = "#6b7280"
CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "labelColor": _INK, "titleColor": _INK,
        "gridColor": "#8a8f98", "gridOpacity": 0.22, "domainColor": GREY, "tickColor": GREY, "titlePadding": 8,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "labelColor": _INK, "titleColor": _INK, "orient": "top"},
    "range": {"category": list(PALETTE)},
}  # fmt: skip

WIDTH, ROW = 420, 26  # pixels: of a chart; height of one row of a chart that has a row per name
TITLES = {
    "low": "95 % from", "high": "95 % to", "accuracy_low": "95 % from", "accuracy_high": "95 % to",
    "accuracy": "share", "confidence": "mean said", "was": "answer", "of": "series",
}  # fmt: skip
TICK = "M-0.2,-1H0.2V1H-0.2Z"


def drawn(chart: alt.TopLevelMixin | Callable[[], alt.TopLevelMixin], name: str, section: str, note: str) -> Chart:
    """The finished Chart; where a function draws it, only when somebody looks at it (altair takes its time)."""

    def spec() -> dict[str, Any]:
        made = chart() if callable(chart) else chart
        return {**made.to_dict(), "config": dict(CONFIG)}

    return Chart.later(spec, name, section, note) if callable(chart) else Chart(name, spec(), section, note)


def series_colour(field: str, names: Sequence[str]) -> alt.Color:
    import altair as alt

    colour = alt.Color(f"{field}:N").sort(list(names)).scale(domain=list(names), range=list(PALETTE))
    return colour.title(None) if len(names) > 1 else colour.legend(None)


def tooltips(*fields: str) -> list[alt.Tooltip]:
    """Tooltips from "field" (text) or "field:format" (a number)."""
    import altair as alt

    tips = []
    for field, _, form in (f.partition(":") for f in fields):
        tip = alt.Tooltip(f"{field}:{'Q' if form else 'N'}").title(TITLES.get(field, field))
        tips.append(tip.format(form) if form else tip)
    return tips


def rows_of(**columns: Any) -> list[dict[str, Any]]:
    """Columns of equal length as rows, nan as None."""
    same_length(**columns)
    plain = {k: [json_value(v) for v in np.asarray(c).tolist()] for k, c in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def same_length(**columns: Any) -> None:
    lengths = {name: np.size(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"unequal lengths: {', '.join(f'{k} {v}' for k, v in lengths.items())}")
    if not any(lengths.values()):
        raise ValueError(f"{', '.join(lengths)} are empty; there is nothing to draw")


def check(values: np.ndarray, name: str, good: np.ndarray, rule: str) -> None:
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(
            f"{name}[{at}] is {values[at]:g}; it has to be {rule} ({(~good).sum()} of {good.size} are not)"
        )


def defined(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def json_value(value: Any) -> Any:
    """A JSON value: None for nan and infinities, which JSON has no word for."""
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
