"""The recovery curve: what was measured against what was planted, beside the line on which both are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.charts.style import BLUE, GREY, WIDTH, drawn, rows_of, series_colour, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def recovery_chart(
    planted: ArrayLike,
    measured: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    strengths: ArrayLike,
    series: Sequence[str] | None = None,
    name: str = "Recovery",
    section: str = "",
    note: str = "",
) -> Chart:
    """Measured values with their intervals against planted ones; a sound instrument stays on the grey diagonal.

    planted, measured, lows, highs  (k,) in one unit; strengths: (k,) of what was planted, for the tooltip
    series                          (k,) one colour each
    raises                          ValueError: unequal lengths, k = 0
    """
    of = list(series) if series is not None else [""] * np.size(planted)
    columns = {"planted": planted, "measured": measured, "low": lows, "high": highs, "strength": strengths, "of": of}
    rows = rows_of(**columns)
    known = [v for row in rows for v in (row["planted"], row["measured"], row["low"], row["high"]) if v is not None]
    least, most = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.04 * (most - least or 1.0)

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        scale = alt.Scale(domain=[least - room, most + room], nice=False)
        ends = [{"at": least - room}, {"at": most + room}]
        diagonal = (
            alt.Chart(alt.Data(values=ends))
            .mark_line(color=GREY, strokeDash=[4, 4])
            .encode(x=alt.X("at:Q").scale(scale).title("planted"), y=alt.Y("at:Q").scale(scale).title("measured"))
        )
        kinds = list(dict.fromkeys(of))
        base = alt.Chart(alt.Data(values=rows)).encode(
            x=alt.X("planted:Q"),
            color=_legend(kinds),
            tooltip=tooltips("of", "strength:.4~g", "planted:.4~g", "measured:.4~g", "low:.4~g", "high:.4~g"),
        )
        spans = (
            base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q")
        )
        points = base.transform_filter("isValid(datum.measured)").mark_point(filled=True, size=60, opacity=1)
        chart = alt.layer(diagonal, spans, points.encode(y=alt.Y("measured:Q"))).properties(
            width=WIDTH, height=WIDTH * 0.8
        )
        return chart

    return drawn(draw, name, section, note)


def _legend(kinds: Sequence[str]) -> Any:
    """One line per series: names of estimates are long."""
    import altair as alt

    if len(kinds) < 2:
        return alt.value(BLUE)
    return series_colour("of", kinds).legend(alt.Legend(title=None, columns=1, labelLimit=WIDTH))
