"""A heat map of shares: one row and one column per name, the value written into its cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from doxa.charts.style import BLUE, ROW, drawn, rows_of, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: ArrayLike,
    *,
    axis: str = "",
    name: str = "Heat map",
    section: str = "",
    note: str = "",
) -> Chart:
    """Cells of shares in [0, 1], the darker the higher; a nan leaves its cell empty.

    rows, columns, values  (k,) each: the cell's row, its column, and its value; names keep their order
    raises                 ValueError: unequal lengths, k = 0
    """
    data = rows_of(row=list(rows), column=list(columns), value=values)
    down, across = list(dict.fromkeys(rows)), list(dict.fromkeys(columns))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = (
            alt.Chart(alt.Data(values=data))
            .transform_filter("isValid(datum.value)")
            .encode(
                x=alt.X("column:N")
                .sort(across)
                .title(None)
                .axis(
                    labelAngle=0,
                    orient="top",
                    labelLimit=160,
                    labelExpr="split(datum.label, ' ')",  # a word a line, the first one highest
                    labelPadding=4 + 13 * max(len(name.split()[1:]) for name in across),
                ),
                y=alt.Y("row:N").sort(down).title(None).axis(labelLimit=280),
                tooltip=tooltips("row", "column", "value:.3f"),
            )
        )
        colour = alt.Color("value:Q").scale(domain=[0, 1], range=["#f1f5f9", BLUE]).title(axis or None)
        cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(color=colour)
        ink = base.mark_text(fontSize=12).encode(text=alt.Text("value:Q").format(".2f"), color=alt.value("#111827"))
        return alt.layer(cells, ink).properties(width=max(240, 90 * len(across)), height=ROW * len(down))

    return drawn(draw, name, section, note)
