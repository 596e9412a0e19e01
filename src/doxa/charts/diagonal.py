"""Two measurements of the same things against each other, with the diagonal on which they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from doxa.charts.style import BLUE, GREY, WIDTH, drawn, rows_of, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def diagonal_chart(
    x: ArrayLike,
    y: ArrayLike,
    labels: Sequence[str],
    *,
    axes: tuple[str, str],
    n: ArrayLike | None = None,
    name: str = "Agreement",
    section: str = "",
    note: str = "",
) -> Chart:
    """A point for each of k values x, y on one scale; a point on the dashed diagonal is measured alike by both.

    x, y    (k,) values; points with a nan are left out
    labels  (k,) shown beside the pointer; n: (k,) how much stands behind each, drawn as its size; None: alike
    raises  ValueError: unequal lengths, k = 0, no point with both values
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    counts = np.full(first.size, np.nan) if n is None else np.asarray(n, dtype=np.float64)
    rows = rows_of(x=first, y=second, n=counts, of=list(labels))
    both = ~np.isnan(first) & ~np.isnan(second)
    if not both.any():
        raise ValueError(f"none of the {first.size} points has both values; there is nothing to draw")
    seen = np.concatenate([first[both], second[both]])
    low, high = min(0.0, float(seen.min())), float(seen.max())

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        span = alt.Scale(domain=[low, high])
        base = alt.Chart(alt.Data(values=rows)).transform_filter("isValid(datum.x) && isValid(datum.y)")
        points = base.mark_point(filled=True, size=60, color=BLUE, opacity=0.75).encode(
            x=alt.X("x:Q").title(axes[0]).scale(span),
            y=alt.Y("y:Q").title(axes[1]).scale(span),
            tooltip=tooltips("of", "x:.4~g", "y:.4~g", *(() if n is None else ("n:,d",))),
        )
        if n is not None:
            points = points.encode(size=alt.Size("n:Q").scale(range=[30, 320]).legend(None))
        ends = alt.Chart(alt.Data(values=[{"at": low}, {"at": high}]))
        diagonal = ends.mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1.5).encode(x="at:Q", y="at:Q")
        return alt.layer(diagonal, points).properties(width=WIDTH, height=WIDTH)

    return drawn(draw, name, section, note)
