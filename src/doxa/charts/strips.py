"""Strips of points, one to a question, in rows; and points of subgroups with a fitted line for each series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from doxa.charts.style import BLUE, GREY, ROW, VERMILLION, WIDTH, drawn, rows_of, series_colour, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def strips_chart(
    series: Sequence[str],
    values: ArrayLike,
    labels: Sequence[str],
    *,
    axis: str,
    zero: bool = False,
    name: str = "Strips",
    section: str = "",
    note: str = "",
) -> Chart:
    """One point for each of n values (n,) in the row of its series (n,), a mark at the mean; labels (n,): tooltips.

    zero    a line at 0, for values that may be below it
    raises  ValueError: unequal lengths, n = 0
    """
    rows = rows_of(of=list(series), value=values, label=list(labels))
    names = list(dict.fromkeys(series))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).transform_filter("isValid(datum.value)")
        y = alt.Y("of:N").sort(names).title(None).axis(labelLimit=240)
        x = alt.X("value:Q").title(axis).scale(zero=zero)
        points = base.mark_circle(size=55, opacity=0.5, color=BLUE).encode(
            y=y, x=x, tooltip=tooltips("of", "label", "value:.4~g")
        )
        means = base.mark_tick(thickness=3, size=ROW * 0.8, color=VERMILLION).encode(y=y, x="mean(value):Q")
        layers = [points, means]
        if zero:
            layers.insert(0, alt.Chart(alt.Data(values=[{"value": 0}])).mark_rule(color=GREY).encode(x="value:Q"))
        return alt.layer(*layers).properties(width=WIDTH, height=ROW * len(names) + 12)

    return drawn(draw, name, section, note)


def lines_chart(
    x: ArrayLike,
    y: ArrayLike,
    series: Sequence[str],
    labels: Sequence[str],
    *,
    axes: tuple[str, str],
    name: str = "Lines",
    section: str = "",
    note: str = "",
) -> Chart:
    """Points x, y (n,) with the least-squares line of each series (n,); labels (n,) name them in tooltips."""
    rows = rows_of(x=x, y=y, of=list(series), label=list(labels))
    names = list(dict.fromkeys(series))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).transform_filter("isValid(datum.x) && isValid(datum.y)")
        at = {
            "x": alt.X("x:Q").title(axes[0]).scale(zero=False),
            "y": alt.Y("y:Q").title(axes[1]).scale(zero=False),
            "color": series_colour("of", names),
        }
        points = base.mark_point(filled=True, size=60, opacity=0.8).encode(
            **at, tooltip=tooltips("of", "label", "x:.3~g", "y:.3~g")
        )
        lines = base.transform_regression("x", "y", groupby=["of"]).mark_line(strokeWidth=1.5).encode(**at)
        return alt.layer(points, lines).properties(width=WIDTH, height=WIDTH * 0.6)

    return drawn(draw, name, section, note)
