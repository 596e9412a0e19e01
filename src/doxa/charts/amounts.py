"""A quantity against how much there was of something: rounds of a talk, words read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from doxa.charts.style import WIDTH, drawn, rows_of, series_colour, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def curve_by_amount(
    amounts: ArrayLike,
    values: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    series: Sequence[str],
    axes: tuple[str, str],
    name: str = "By amount",
    section: str = "",
    note: str = "",
) -> Chart:
    """One line for each series with interval bands; the value axis is that of a share, 0 to 1.

    amounts, values, lows, highs, series  (k,) each; axes: titles of the amounts and of the values
    raises                                ValueError: unequal lengths, k = 0
    """
    names = list(dict.fromkeys(series))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        colour = series_colour("of", names)
        if len(names) > 1:
            colour = colour.legend(title=None, symbolOpacity=1)  # else as pale as the bands
        rows = rows_of(amount=amounts, value=values, low=lows, high=highs, of=list(series))
        base = alt.Chart(alt.Data(values=rows)).encode(
            x=alt.X("amount:Q").title(axes[0]).axis(tickMinStep=1),
            color=colour,
            tooltip=tooltips("of", "amount:,d", "value:.3f", "low:.3f", "high:.3f"),
        )
        scale = alt.Scale(domain=[0, 1])
        bands = base.mark_area(opacity=0.14).encode(y=alt.Y("low:Q").scale(scale).title(axes[1]), y2="high:Q")
        lines = base.mark_line(strokeWidth=2, point={"filled": True, "size": 50}).encode(
            y=alt.Y("value:Q").scale(scale)
        )
        return alt.layer(bands, lines).properties(width=WIDTH, height=260)

    return drawn(draw, name, section, note)
